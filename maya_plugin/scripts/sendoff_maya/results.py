"""A result comes into the scene: beside what is there, in a namespace of its own, never in the place of anything."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path

from maya import cmds

from . import answers, findings_list, images, imported, levels, meshes, names, preferences
from .imported import ImportFailed
from .interactive import is_interactive
from .scene_state import one_undo, select
from .sendoff.host import contents, findings
from .sendoff.host.contents import Contents
from .sendoff.host.jobs import Job

__all__ = ["ImportFailed", "Imported", "import_result", "show_result", "why_not_now"]

#: What Maya can read, the best first.
SUFFIXES = (".usdc", ".usd", ".usda", ".usdz", ".fbx", ".ma", ".mb")


@dataclass(frozen=True)
class Imported:
    """What became of a result."""

    #: Short, for the bar.
    text: str
    #: Sentences on what the artist should know besides, for example which originals changed.
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text


def scene_file(job: Job) -> Path | None:
    """The file of a job's result that can be imported, where there is one."""
    there = [file.path for file in job.files if file.role == "result" and file.path.suffix in SUFFIXES]
    return min(there, key=lambda path: SUFFIXES.index(path.suffix), default=None)


def why_not_now(job: Job) -> str:
    """Why the result cannot be imported at this moment, as a sentence; "" where it can."""
    if not job.files:
        return "The result is not here yet" if job.is_active else "This job has no result"
    if is_interactive() and cmds.play(query=True, state=True):
        return "Stop the playback to import the result"
    return ""


def import_result(job: Job, placement: str = "") -> Imported:
    """Bring all of a result into the open scene, as one step that the artist can undo. Raises ImportFailed.

    Args:
        job: The job; its files are here.
        placement: "BESIDE" or "OVER" the originals; as the artist chose with the job where it is empty.
    """
    gone = [file.path for file in job.files if not file.path.is_file()]
    if gone or not job.files:
        where = f"gone from {gone[0].parent}" if gone else "not here"
        raise ImportFailed(f"The files of this result are {where}. Retry fetches them again.")
    try:
        with one_undo(f"Import {job.title} from Server"):
            return _import(job, placement or job.lod_placement)
    except ImportFailed:
        raise
    except Exception as error:
        traceback.print_exc()
        raise ImportFailed(
            f"Sendoff made a mistake while importing ({type(error).__name__}: {error}). "
            f"The files are in {job.files[0].path.parent}. Please tell your TD."
        ) from error


def show_result(job: Job) -> str:
    """Show what was imported: the objects selected and framed, the list of findings, the image; else the folder.

    Returns a sentence where there is something to say, "" otherwise.
    """
    shown, said = False, ""
    report = findings.report_file(job)
    if report is not None and report.is_file():
        said = findings_list.show(job)
        shown = True
    holders = imported.holders(job.id)
    if holders:
        select(holders[-1:])
        if is_interactive():
            cmds.viewFit()
        return said
    if images.image_files(job):
        return images.show(job) or said
    if scene_file(job) is not None:
        return "The result is not in this scene (any more). Import it to have it here"
    if not shown and job.files:
        folder = job.files[0].path.parent
        if not folder.is_dir():
            return f"The files of this result are gone from {folder}. Retry fetches them again"
        said = f"The files are in {folder}"
    return said


def is_here(job: Job) -> bool:
    """Whether what a job brought into a scene is in the open one: undone, or in another one, it is not."""
    return scene_file(job) is None or bool(imported.holders(job.id))


def _import(job: Job, placement: str) -> Imported:
    texts: list[str] = []
    notes: list[str] = []
    used: set[Path] = set()
    concerned: list[str] = []
    path = scene_file(job)
    if path is not None:
        inside = _contents(job, path, notes, used)
        concerned = [part.source for part in inside.parts if part.source]
        texts.append(_import_objects(job, path, inside, placement, notes))
        used.add(path)
    shown = images.bring(job, notes)
    if shown:
        texts.append(shown)
        used.update(images.image_files(job))
    report = findings.report_file(job)
    if report is not None:
        found = findings.read(report)
        if found.problem:
            notes.append(found.problem)
        else:
            texts.append(found.summary)
            used.update(file.path for file in job.files if file.role == "report")
            concerned += [finding.object for finding in found.findings]
    rest = [file.path for file in job.files if file.path not in used and file.role != "log"]
    if rest:
        named = ", ".join(one.name for one in rest[:3]) + (f" and {len(rest) - 3:,} more" if len(rest) > 3 else "")
        said = f"{named} in {rest[0].parent}"
        (notes if texts else texts).append(said if texts else f"done, {said}")
    notes[:0] = _changes(job, concerned)
    return Imported(text="; ".join(texts) or "done", notes=tuple(notes))


def _contents(job: Job, path: Path, notes: list[str], used: set[Path]) -> Contents:
    listed = contents.contents_file(job)
    if listed is None:
        return Contents()
    used.add(listed)
    inside = contents.read(listed)
    if inside.problem:
        notes.append(inside.problem)
    return inside if inside.file in ("", path.name) else Contents()


def _import_objects(job: Job, path: Path, inside: Contents, placement: str, notes: list[str]) -> str:
    """Import a file and do with each of its objects what it is for; returns what is said of it."""
    brought = imported.bring(job, path)
    by_part = brought.of_parts(inside.parts)
    kinds = {kind: [part for part in by_part if part.kind == kind] for kind in contents.KINDS}
    originals = meshes.transforms()
    kept = [path for path in originals if not brought.has(path)]
    finder = names.Finder(kept)
    kinds["lod"] = [part for part in kinds["lod"] if not _drop_original(by_part[part], part, finder)]
    for part in kinds["lod"]:
        imported.mark(by_part[part], source=part.source, level=part.level)
        original = finder.find(part.source)
        if original:
            imported.shade_alike(by_part[part], original)
    for part in kinds["collision"]:
        imported.mark(by_part[part], source=part.source)
        imported.make_collision(by_part[part])
    kinds["uv"] = [part for part in kinds["uv"] if _put_uv_back(job, by_part[part], part, finder, notes)]
    if inside.parts:
        brought = imported.tidied(brought)
    found = levels.Levels({by_part[part]: (part.level or 0, finder.find(part.source)) for part in kinds["lod"]})
    if placement != levels.OVER:
        found.move_beside(kept)
    group = found.group(brought.holder) if preferences.is_on(preferences.LOD_GROUP) else ""
    shown = [group] if group else [by_part[part] for part in kinds["lod"]]
    select(shown or ([brought.holder] if brought.holder else []))
    return _said(brought, kinds, found, placement, group)


def _drop_original(mesh: str, part: contents.Part, finder: names.Finder) -> bool:
    """Of a file for game engines, leave out the originals that are in the scene; returns whether it was one."""
    if part.level != 0 or not finder.find(part.source):
        return False
    cmds.delete(mesh)
    return True


def _put_uv_back(job: Job, mesh: str, part: contents.Part, finder: names.Finder, notes: list[str]) -> bool:
    """Returns whether it is on the original now."""
    original = finder.find(part.source)
    name = names.leaf(part.source)
    layer = part.uv_layer or "sendoff"
    if not original:
        notes.append(f"“{name}” is not in the scene any more; its UV set “{layer}” is on “{names.leaf(mesh)}”.")
        return False
    if meshes.is_changed(original, job.fingerprints.get(part.source)):
        notes.append(
            f"“{name}” was changed meanwhile, so it was left as it is; its UV set “{layer}” is on “{names.leaf(mesh)}”."
        )
        return False
    imported.transfer_uv(mesh, original, layer)
    cmds.delete(mesh)
    return True


def _said(
    brought: imported.Brought,
    kinds: dict[str, list[contents.Part]],
    found: levels.Levels,
    placement: str,
    group: str,
) -> str:
    counted = []
    for kind, one, many in (
        ("lod", "level of detail", "levels of detail"),
        ("collision", "collision mesh", "collision meshes"),
        ("uv", "UV set put back", "UV sets put back"),
    ):
        if kinds[kind]:
            counted.append(f"{len(kinds[kind]):,} {one if len(kinds[kind]) == 1 else many}")
    if not counted:
        count = len(brought.transforms)
        counted.append(f"{count:,} object{'' if count == 1 else 's'}")
    text = ", ".join(counted)
    if found.has_originals and kinds["lod"]:
        text += f" {'over' if placement == levels.OVER else 'beside'} the originals"
    text += f", in “{brought.holder.rpartition('|')[2]}”" if brought.holder else ""
    return text + (f", as “{group.rpartition('|')[2]}”" if group else "")


def _changes(job: Job, concerned: list[str]) -> list[str]:
    """What is not any more as it was sent, in sentences."""
    gone, changed = meshes.changed(dict(job.fingerprints), concerned)
    said = []
    if changed:
        said.append(f"Changed since it was sent: {_listed(changed)}. The result is of what was sent.")
    if gone:
        said.append(f"Not in the scene any more: {_listed(gone)}.")
    return said


def _listed(paths: list[str]) -> str:
    shown = ", ".join(f"“{names.leaf(path)}”" for path in paths[:3])
    return shown + (f" and {len(paths) - 3:,} more" if len(paths) > 3 else "")


def original_of(source: str) -> str:
    """The DAG path of what the server tells of; "" where it is not in the scene."""
    return names.Finder(answers.names(cmds.ls(type="transform", long=True))).find(source)
