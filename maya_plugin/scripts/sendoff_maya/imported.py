"""What an import brought: a file read into a namespace of its own, its nodes marked, found again by their job."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from maya import cmds

from . import answers, attributes, interchange, names
from .sendoff.host.contents import Part
from .sendoff.host.jobs import Job

#: Attributes that say what a node is: of which job, made of what, as which level.
JOB, SOURCE, LEVEL = "sendoffJob", "sendoffSource", "sendoffLevel"
_SHADING_WIREFRAME = 0
_COMPONENT_SPACE = 4
#: Of sets: those that shade.
_RENDERED = 1


class ImportFailed(Exception):
    """A result could not be brought into the scene; the text is a sentence for the artist."""


@dataclass(frozen=True)
class Brought:
    """What came in."""

    namespace: str
    #: The DAG path of the group around all of it.
    holder: str
    #: The DAG paths of all transforms in it.
    transforms: tuple[str, ...]

    def has(self, path: str) -> bool:
        """Whether a node is in it."""
        return path == self.holder or path.startswith(f"{self.holder}|")

    def of_parts(self, parts: Iterable[Part]) -> dict[Part, str]:
        """The transforms that the contents tell of; what is not there is left out."""
        by_path = {names.prim_path(_without_namespaces(path)): path for path in self.transforms}
        by_name: dict[str, str] = {}
        for path in self.transforms:
            by_name.setdefault(names.leaf(path), path)
        found = {}
        for part in parts:
            found[part] = by_path.get(part.path) or by_name.get(part.name, "")
        return {part: path for part, path in found.items() if path}


def bring(job: Job, path: Path) -> Brought:
    """Read a file into a namespace of its own and put all of it under one group. Raises ImportFailed."""
    namespace = _free_namespace(job)
    current = answers.text(cmds.namespaceInfo(currentNamespace=True, absoluteName=True))
    before = set(answers.names(cmds.ls(assemblies=True, long=True)))
    cmds.namespace(setNamespace=":")
    try:
        _read(path, namespace)
        if path.suffix == ".fbx":
            _take_lod_groups_apart(before)
        roots = [name for name in answers.names(cmds.ls(assemblies=True, long=True)) if name not in before]
        holder = _holder(roots, path, job)
    except ImportFailed:
        _take_back(namespace)
        raise
    except Exception as error:
        _take_back(namespace)
        if not isinstance(error, RuntimeError):
            raise
        reason = (str(error).strip().splitlines() or ["Maya does not say why"])[0]
        raise ImportFailed(f"The result {path.name} cannot be read by this Maya: {reason}") from error
    finally:
        cmds.namespace(setNamespace=current)
    below = answers.names(cmds.listRelatives(holder, allDescendents=True, type="transform", fullPath=True))
    return Brought(namespace, holder, tuple(sorted(below) or [holder]))


def tidied(brought: Brought) -> Brought:
    """Without the groups in which nothing is left; all of it is gone where all that came was put elsewhere."""
    kept = list(brought.transforms)
    for path in sorted(brought.transforms, key=len, reverse=True):
        if cmds.objExists(path) and not cmds.listRelatives(path, children=True):
            cmds.delete(path)
        if not cmds.objExists(path):
            kept.remove(path)
    if kept:
        return Brought(brought.namespace, brought.holder, tuple(kept))
    if cmds.objExists(brought.holder):
        cmds.delete(brought.holder)
    cmds.namespace(removeNamespace=brought.namespace, deleteNamespaceContent=True)
    return Brought("", "", ())


def holders(job_id: str) -> list[str]:
    """The groups in the scene that came with a job."""
    found = answers.names(cmds.ls(f"*.{JOB}", objectsOnly=True, long=True, recursive=True)) if job_id else []
    return [name for name in found if answers.text(cmds.getAttr(f"{name}.{JOB}")) == job_id]


def mark(path: str, *, source: str = "", level: int | None = None, job_id: str = "") -> None:
    """Note on a node what it is."""
    for attribute, value in ((JOB, job_id), (SOURCE, source)):
        if value:
            attributes.set_text(path, attribute, value)
    if level is not None:
        attributes.set_whole(path, LEVEL, level)


def make_collision(path: str) -> None:
    """Have a collision mesh drawn as wires, and not rendered."""
    for shape in answers.names(cmds.listRelatives(path, shapes=True, fullPath=True)):
        attributes.set_number(f"{shape}.overrideEnabled", True)
        attributes.set_number(f"{shape}.overrideShading", _SHADING_WIREFRAME)
        for attribute in ("castsShadows", "receiveShadows", "primaryVisibility"):
            attributes.set_number(f"{shape}.{attribute}", False)


def shade_alike(path: str, original: str) -> None:
    """Give a mesh its original's shading group; where that has several, it keeps what came along, face by face."""
    shapes = answers.names(cmds.listRelatives(original, shapes=True, fullPath=True, noIntermediate=True))
    groups = {group for shape in shapes for group in answers.names(cmds.listSets(object=shape, type=_RENDERED))}
    if len(groups) == 1:
        cmds.sets(path, edit=True, forceElement=groups.pop())


def transfer_uv(mesh: str, original: str, layer: str) -> None:
    """Put the UV set of a mesh onto another one of the same shape, as a set of that name; what deforms it stays."""
    there = answers.names(cmds.polyUVSet(mesh, query=True, allUVSets=True))
    source = layer if layer in there else there[-1]
    if layer not in answers.names(cmds.polyUVSet(original, query=True, allUVSets=True)):
        cmds.polyUVSet(original, create=True, uvSet=layer)
    cmds.transferAttributes(
        mesh,
        original,
        transferPositions=0,
        transferNormals=0,
        transferColors=0,
        transferUVs=1,
        sourceUvSet=source,
        targetUvSet=layer,
        sampleSpace=_COMPONENT_SPACE,
    )
    cmds.bakePartialHistory(original, prePostDeformers=True)


def _read(path: Path, namespace: str) -> None:
    """Read a file; Maya makes the namespace for its own files itself."""
    is_usd = path.suffix.startswith(".usd")
    if is_usd or path.suffix == ".fbx":
        plugins, plugin = interchange.plugins(), interchange.USD if is_usd else interchange.FBX
        if not (plugins.usd if is_usd else plugins.fbx):
            raise ImportFailed(f"Maya's plug-in {plugin} cannot be loaded, which {path.name} needs.")
        cmds.namespace(addNamespace=namespace)
        cmds.namespace(setNamespace=f":{namespace}")
        (interchange.read_usd if is_usd else interchange.read_fbx)(path)
    else:
        maya_type = "mayaAscii" if path.suffix == ".ma" else "mayaBinary"
        cmds.file(
            path.as_posix(), i=True, type=maya_type, namespace=namespace, ignoreVersion=True, preserveReferences=True
        )


def _take_lod_groups_apart(before: Collection[str]) -> None:
    """An FBX has its levels in LOD groups, of which Maya shows one level. Whether there are some is for the artist."""
    for group in sorted(answers.names(cmds.ls(type="lodGroup", long=True)), key=len, reverse=True):
        if f"|{group.split('|')[1]}" in before:
            continue
        free = []
        for level in answers.names(cmds.listRelatives(group, children=True, type="transform", fullPath=True)):
            for name in answers.names(cmds.parent(level, world=True)):
                free += answers.names(cmds.ls(name, long=True))
        cmds.delete(group)
        for level in free:
            attributes.set_number(f"{level}.lodVisibility", True)


def _holder(roots: list[str], path: Path, job: Job) -> str:
    """The one node around all that came in, marked as the job's."""
    if not roots:
        raise ImportFailed(f"There is nothing in {path.name} that Maya could read. It lies in {path.parent}.")
    if len(roots) == 1 and not cmds.listRelatives(roots[0], shapes=True):
        holder = roots[0]
    else:
        group = answers.text(cmds.group(*roots, name="sendoff_result", world=True))
        holder = answers.names(cmds.ls(group, long=True))[0]
    mark(holder, job_id=job.id)
    return holder


def _take_back(namespace: str) -> None:
    """Nothing of an import that failed is left."""
    cmds.namespace(setNamespace=":")
    if cmds.namespace(exists=namespace):
        cmds.namespace(removeNamespace=namespace, deleteNamespaceContent=True)


def _free_namespace(job: Job) -> str:
    """`car_lods`, and a number where that is taken."""
    wanted = re.sub(r"\W", "_", f"{job.title}_{job.task.rpartition('.')[2]}", flags=re.ASCII)
    wanted = f"_{wanted}" if wanted[:1].isdigit() else wanted
    taken: Collection[str] = answers.names(cmds.namespaceInfo(":", listOnlyNamespaces=True))
    number, name = 1, wanted
    while name in taken:
        number += 1
        name = f"{wanted}{number}"
    return name


def _without_namespaces(path: str) -> str:
    return "|".join(part.rpartition(":")[2] for part in path.split("|"))
