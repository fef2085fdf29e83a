"""What the scene reads from other files: textures with their tiles and frames, references, caches; or what is missing.

Nothing that goes wrong here keeps the artist from sending: it is a note.
"""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maya import cmds

from . import answers
from .sendoff import SceneFile, names, regular_files
from .sendoff.host import file_patterns
from .sendoff.host.submitting import ExportStopped

PATHS_NAME = "sendoff-paths.json"
#: A texture's `uvTilingMode`: 0 off, 1 ZBrush, 2 Mudbox, 3 UDIM (Mari), 4 explicit tiles.
_UDIM, _ZBRUSH, _MUDBOX = 3, 1, 2
_FIRST_TILE = 1001
Step = Callable[[str], None]


@dataclass(frozen=True)
class Reference:
    """One path that the scene holds, who holds it, and the files that are meant by it."""

    #: As the scene has it, absolute; holds the token of tiles, or one frame of a sequence.
    path: Path
    #: "file1.fileTextureName", "carRN".
    holder: str
    files: tuple[Path, ...]


@dataclass(frozen=True)
class ExternalFiles:
    """The files to send along, what tells the worker which path each stands for, and what the artist should know."""

    files: tuple[SceneFile, ...] = ()
    #: The content of sendoff-paths.json.
    paths: tuple[dict[str, str], ...] = ()
    #: "textures/paint.png (file1.fileTextureName)": named by the scene and not there.
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def write_paths(self, folder: Path) -> SceneFile:
        """Write sendoff-paths.json into a folder; the same scene gives the same bytes."""
        source = folder / PATHS_NAME
        document = {"version": 1, "files": [], "originals": list(self.paths)}
        source.write_text(json.dumps(document, ensure_ascii=True, indent=1, sort_keys=True), encoding="ascii")
        return SceneFile(source=source, path=PATHS_NAME, role="paths")


def collect(step: Step, *, with_references: bool = True) -> ExternalFiles:
    """Look through the open scene; changes nothing.

    Args:
        step: Told what is looked at; it may raise ExportStopped, which goes through.
        with_references: Whether the files of references are wanted: they are not where the copy holds what is in them.
    """
    found: list[Reference] = []
    notes: list[str] = []
    for name, look in (("textures", _of_attributes), ("references", _of_references), ("other files", _listed)):
        if name == "references" and not with_references:
            continue
        try:
            found += look(step)
        except ExportStopped:
            raise
        except Exception as error:  # a scene with a broken plug-in is still sent
            traceback.print_exc()
            notes.append(f"The {name} of the scene could not all be found ({error}), so some may be missing there.")
    return _placed(found, notes)


def _listed(step: Step) -> Iterator[Reference]:
    """What Maya lists besides: caches, sounds and the like, which its File Path Editor may not know."""
    step("Looking for other files")
    scene = answers.text(cmds.file(query=True, sceneName=True))
    for path in dict.fromkeys(answers.names(cmds.file(query=True, list=True, withoutCopyNumber=True))):
        if path != scene and Path(path).suffix.lower() not in (".ma", ".mb") and _is_readable(_absolute(path)):
            yield Reference(path=_absolute(path), holder="the scene", files=(_absolute(path),))


def _placed(references: list[Reference], notes: list[str]) -> ExternalFiles:
    placed: dict[Path, str] = {}
    files: dict[str, SceneFile] = {}
    entries: dict[str, dict[str, str]] = {}
    missing: list[str] = []
    sent: set[Path] = set()
    for reference in references:
        if reference.holder == "the scene" and sent.issuperset(reference.files):
            continue
        there = [path for path in reference.files if _is_readable(path)]
        sent.update(there)
        missing += [_named(path, reference.holder) for path in reference.files if path not in there]
        if not there:
            continue
        folder = placed.setdefault(reference.path, f"external/{len(placed):02d}")
        for path in there:
            place = f"{folder}/{names.safe_name(path.name)}"
            files.setdefault(place, SceneFile(source=path, path=place))
        name = names.safe_name(reference.path.name)
        entries[folder] = {"original": reference.path.as_posix(), "path": f"{folder}/{name}"}
    return ExternalFiles(
        files=tuple(files.values()),
        paths=tuple(entries.values()),
        missing=tuple(dict.fromkeys(missing)),
        notes=tuple(notes),
    )


def _of_attributes(step: Step) -> Iterator[Reference]:
    """What the nodes' attributes name, as Maya's own File Path Editor lists it."""
    step("Looking for textures and other files")
    for directory in answers.names(cmds.filePathEditor(query=True, listDirectories="")):
        listed = answers.names(cmds.filePathEditor(query=True, listFiles=directory, withAttribute=True))
        for name, attribute in zip(listed[0::2], listed[1::2]):  # noqa: B905 - Python 3.9
            step(f"Looking for {name}")
            if cmds.nodeType(attribute.partition(".")[0]) == "reference":
                continue
            yield _reference(Path(directory, name), attribute)


def _of_references(step: Step) -> Iterator[Reference]:
    """The scenes that this one references, and those that they reference."""
    step("Looking for references")
    waiting = answers.names(cmds.file(query=True, reference=True))
    seen: set[str] = set()
    while waiting:
        named = waiting.pop(0)
        path = answers.text(cmds.referenceQuery(named, filename=True, withoutCopyNumber=True))
        node = answers.text(cmds.referenceQuery(named, referenceNode=True))
        waiting += answers.names(cmds.file(named, query=True, reference=True))
        if path in seen:
            continue
        seen.add(path)
        step(f"Looking for {Path(path).name}")
        yield Reference(path=_absolute(path), holder=node, files=(_absolute(path),))


def _reference(path: Path, attribute: str) -> Reference:
    path = _absolute(str(path))
    return Reference(path=path, holder=attribute, files=tuple(_files(path, attribute.partition(".")[0])))


def _files(path: Path, node: str) -> list[Path]:
    """The files meant by a texture's path: itself, all its tiles, or all its frames."""
    if cmds.nodeType(node) != "file":
        return [path]
    mode = _number(node, "uvTilingMode")
    if names.UDIM in path.name or mode == _UDIM:
        pattern = path.with_name(_with_token(path.name))
        return file_patterns.all_tiles(pattern) or [path]
    if mode in (_ZBRUSH, _MUDBOX):
        return file_patterns.frames(path)
    return file_patterns.frames(path) if _number(node, "useFrameExtension") else [path]


def _with_token(name: str) -> str:
    """`paint.1001.png`, which the scene names for all its tiles, as `paint.<UDIM>.png`."""
    return name if names.UDIM in name else name.replace(str(_FIRST_TILE), names.UDIM, 1)


def _number(node: str, attribute: str) -> int:
    if not cmds.attributeQuery(attribute, node=node, exists=True):
        return 0
    return int(answers.numbers(cmds.getAttr(f"{node}.{attribute}"))[0])


def _absolute(path: str) -> Path:
    """A path as the project has it, with its environment variables."""
    expanded = Path(os.path.expandvars(path)).expanduser()
    if not expanded.is_absolute():
        expanded = Path(answers.text(cmds.workspace(query=True, rootDirectory=True)), expanded)
    return Path(os.path.normpath(expanded))


def _is_readable(path: Path) -> bool:
    return path.is_absolute() and regular_files.is_readable(path)


def _named(path: Path, holder: str) -> str:
    """A file that is not sent, who names it, and why if it is there: "/p/wood.png (file1: a folder, not a file)"."""
    why = regular_files.why_unreadable(path) if path.is_absolute() else ""
    return names.readable(f"{path} ({holder}{why and f': {why}'})")


def as_notes(found: ExternalFiles) -> tuple[str, ...]:
    """What the artist should know, in sentences."""
    said: list[Any] = list(found.notes)
    if found.missing:
        count = len(found.missing)
        shown = "; ".join(found.missing[:3]) + ("; ..." if count > 3 else "")
        said.append(f"{count} external file{'s are' if count > 1 else ' is'} missing and not sent: {shown}")
    return tuple(said)
