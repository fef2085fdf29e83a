"""Maya's `file` in its many modes, references, the File Path Editor, and the project."""

from __future__ import annotations

import base64
import pickle
import re
from pathlib import Path
from typing import Any

from . import state
from .model import Content, Node, Scene
from .registry import command

_TYPES = {"mayaAscii": ".ma", "mayaBinary": ".mb"}
_MARK = "// standin: "
#: What happens in which order, as MSceneMessage has it.
BEFORE_NEW, AFTER_NEW, BEFORE_OPEN, AFTER_OPEN, EXITING = 1, 2, 3, 4, 5


@command()
def file(mode: str, *names: str, **flags: Any) -> Any:
    """New, open, save, export, import, reference; and what is open."""
    scene = state.now.scene
    if mode == "query":
        return _query(scene, names, flags)
    for flag, act in (
        ("newFile", _new), ("open", _open), ("rename", _rename), ("save", _save), ("exportAll", _export),
        ("exportSelected", _export), ("reference", _reference), ("i", _import),
    ):  # fmt: skip
        if flags.get(flag):
            return act(names, flags)
    if "modified" in flags:
        scene.is_modified = bool(flags["modified"])
        return None
    raise NotImplementedError(f"file with {sorted(flags)}")


@command()
def referenceQuery(_mode: str, name: str, **flags: Any) -> Any:
    """What is known of a reference, by its node or its path."""
    for node, (path, _) in state.now.scene.references.items():
        if name in (node, path):
            return path if flags.get("filename") else node if flags.get("referenceNode") else None
    there = state.now.scene.find(name)
    own = state.now.scene.reference_of(there[0]) if there else ""
    if flags.get("isNodeReferenced"):
        return bool(own)
    if not own:
        raise RuntimeError(f"'{name}' is not a referenced node, a reference node, or a filename.")
    return state.now.scene.references[own][0] if flags.get("filename") else own


@command()
def filePathEditor(_mode: str, *_names: str, **flags: Any) -> list[str] | None:
    """The folders that the scene reads from, and in a folder the files with who reads them."""
    paths = {
        f"{node.name}.fileTextureName": Path(node.attributes["fileTextureName"])
        for node in state.now.scene.nodes()
        if node.kind == "file" and node.attributes["fileTextureName"]
    }
    paths |= {name: Path(path) for name, (path, _) in state.now.scene.references.items()}
    if "listDirectories" in flags:
        return sorted({path.parent.as_posix() for path in paths.values()}) or None
    folder = flags["listFiles"]
    found: list[str] = []
    for attribute, path in paths.items():
        if path.parent.as_posix() == folder:
            found += [path.name, attribute] if flags.get("withAttribute") else [path.name]
    return found or None


@command()
def workspace(mode: str, *_names: str, **flags: Any) -> Any:
    """The project's folder."""
    if mode == "query" and flags.get("rootDirectory"):
        return state.now.user_app_dir.as_posix() + "/project/"
    raise NotImplementedError("workspace")


def call_back(message: int) -> None:
    """Call those who asked to be told."""
    for registered, function in list(state.now.callbacks.values()):
        if registered == message:
            function(None)


def _query(scene: Scene, names: tuple[str, ...], flags: dict[str, Any]) -> Any:
    if flags.get("sceneName"):
        return scene.name
    if flags.get("modified"):
        return scene.is_modified
    if flags.get("type"):
        return [scene.kind]
    if flags.get("reference"):
        return [] if names else [path for path, _ in scene.references.values()]
    if flags.get("list"):
        textures = [node.attributes["fileTextureName"] for node in scene.nodes() if node.kind == "file"]
        textures += [node.attributes.get("filename", "") for node in scene.nodes() if node.kind == "audio"]
        return [scene.name or "untitled", *[path for path, _ in scene.references.values()], *filter(None, textures)]
    raise NotImplementedError(f"file query of {sorted(flags)}")


def _new(_names: tuple[str, ...], flags: dict[str, Any]) -> str:
    _refuse_loss(flags)
    call_back(BEFORE_NEW)
    _fresh()
    call_back(AFTER_NEW)
    return "untitled"


def _open(names: tuple[str, ...], flags: dict[str, Any]) -> str:
    _refuse_loss(flags)
    content = _load(Path(names[0]))
    call_back(BEFORE_OPEN)
    scene = _fresh()
    scene.content = content
    scene.name = names[0]
    scene.kind = "mayaBinary" if names[0].endswith(".mb") else "mayaAscii"
    scene.is_modified = False
    call_back(AFTER_OPEN)
    return names[0]


def _fresh() -> Scene:
    run = state.now
    run.scene = Scene()
    run.undo.clear()
    run.redo.clear()
    return run.scene


def _rename(_names: tuple[str, ...], flags: dict[str, Any]) -> str:
    state.now.scene.name = flags["rename"]
    state.now.scene.kind = "mayaBinary" if flags["rename"].endswith(".mb") else "mayaAscii"
    return state.now.scene.name


def _save(_names: tuple[str, ...], _flags: dict[str, Any]) -> str:
    scene = state.now.scene
    if not scene.name:
        raise RuntimeError("The scene has no name to be saved under")
    _dump(Path(scene.name), scene.content, scene.references)
    scene.is_modified = False
    return scene.name


def _export(names: tuple[str, ...], flags: dict[str, Any]) -> str:
    scene, path = state.now.scene, Path(names[0])
    kind = flags.get("type", scene.kind)
    if kind not in _TYPES:
        raise RuntimeError(f"Unrecognized file type: {kind}")
    if path.exists() and not flags.get("force"):
        raise RuntimeError(f"{path} exists already")
    content = scene.snapshot()
    if flags.get("exportSelected"):
        if not scene.content.selected:
            raise RuntimeError("Nothing is selected to export")
        tops = {name.partition(".")[0].split("|")[1] for name in scene.content.selected if name.startswith("|")}
        content.roots = [node for node in content.roots if node.name in tops]
    references = dict(scene.references) if flags.get("preserveReferences") else {}
    if references:
        inside = {name for _, names in references.values() for name in names}
        content.roots = [node for node in content.roots if node.name not in inside]
    _dump(path, content, references)
    return str(path)


def _import(names: tuple[str, ...], flags: dict[str, Any]) -> str:
    content = _load(Path(names[0]))
    _take_in(content, flags.get("namespace", ""))
    return names[0]


def _reference(names: tuple[str, ...], flags: dict[str, Any]) -> str:
    content = _load(Path(names[0]))
    roots = _take_in(content, flags.get("namespace", Path(names[0]).stem))
    scene = state.now.scene
    node = scene.create("reference", f"{flags.get('namespace', Path(names[0]).stem)}RN")
    scene.references[node.name] = (Path(names[0]).as_posix(), [root.name for root in roots])
    return names[0]


def _take_in(content: Content, namespace: str) -> list[Node]:
    scene = state.now.scene
    if namespace and namespace not in scene.content.namespaces:
        scene.content.namespaces.append(namespace)
    own = [root for root in content.roots if root.name not in ("persp", "top", "front", "side")]
    for root in own:
        for node in root.below():
            node.name = f"{namespace}:{node.name}" if namespace else node.name
        scene.content.roots.append(root)
    scene.is_modified = True
    return own


def _dump(path: Path, content: Content, references: dict[str, tuple[str, list[str]]]) -> None:
    """Write a file that begins as one of Maya's, with the lines that a reader of it looks for."""
    lines = ["//Maya ASCII 2025 scene", f"//Name: {path.name}"]
    lines += [f'file -r -ns "{node}" "{reference}";' for node, (reference, _) in references.items()]
    for node in content.others:
        if node.kind == "file":
            lines.append(f'setAttr ".ftn" -type "string" "{node.attributes["fileTextureName"]}";')
    lines.append(_MARK + base64.b64encode(pickle.dumps(content)).decode())
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _load(path: Path) -> Content:
    if not path.is_file():
        raise RuntimeError(f"File not found: {path}")
    match = re.search(f"^{_MARK}(.+)$", path.read_text("utf-8", errors="replace"), re.MULTILINE)
    if match is None:
        raise RuntimeError(f"Error reading file: {path}")
    content = pickle.loads(base64.b64decode(match[1]))
    assert isinstance(content, Content)
    return content


def _refuse_loss(flags: dict[str, Any]) -> None:
    if state.now.scene.is_modified and not flags.get("force"):
        raise RuntimeError("Unsaved changes")
