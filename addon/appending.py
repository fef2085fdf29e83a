"""A result's .blend appended: its objects as copies, everything else as the artist has it, if the artist has it.

A result names what came from a library by the library's path and the name in it: the linked datablock is used then.
All else is known by kind and name. So a result brings no library, and a second one brings nothing that is there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import bpy

from . import library_paths
from .copying import Copies
from .name_of import name_of
from .operator_errors import reason

COLLECTION_NAME = "Sendoff result"
#: What a result's file says of a datablock: its library and its name there, and the path of its own file.
LIBRARY, NAME, PATH = "sendoff_library", "sendoff_name", "sendoff_path"
#: And of an outer collection: the scene that its originals are in.
SCENE = "sendoff_scene"
#: What is always new: the levels themselves, and what holds them.
_OWN_KINDS = ("objects", "meshes", "collections", "scenes")
#: What uses others is removed before them; 1 for the kinds that are not named.
_ORDER = {"objects": 0, "materials": 2, "node_groups": 3, "textures": 4, "images": 5}
_OF_OTHERS = ("workspaces", "screens", "window_managers", "shape_keys")


class ImportFailed(Exception):
    """A result could not be brought into the scene; the text is a sentence for the artist."""


@dataclass(frozen=True)
class Appended:
    """What came in: outer collections that are in no scene yet, and every object in them."""

    collections: tuple[bpy.types.Collection, ...]
    objects: tuple[bpy.types.Object, ...]


def append(path: Path, *, folder: str = "") -> Appended:
    """Append what a result's file holds, without what only came along with it.

    A name that is taken is left to whom it belongs: what comes in gets a number. Raises ImportFailed.

    Args:
        path: The .blend.
        folder: What "//" meant in the file that was sent, "" if it was never saved.
    """
    before = everything()
    try:
        with bpy.data.libraries.load(str(path), link=True) as (source, target):
            target.collections = list(source.collections)
            if not source.collections:
                target.objects = list(source.objects)
    except (OSError, RuntimeError) as error:
        raise ImportFailed(f"The result {path.name} cannot be read by this Blender: {reason(error)}") from error
    named = [one for one in target.collections if one is not None]
    loose = [one for one in target.objects or () if one is not None]
    libraries = {library for library in bpy.data.libraries if library not in before["libraries"]}
    libraries |= {one.library for one in (*named, *loose) if one.library is not None}
    linked = {block: kind for kind in before for block in getattr(bpy.data, kind) if block.library in libraries}
    copies = Copies(linked, _Own(linked, before, folder).instead)
    inner = {child for collection in named for child in collection.children_recursive}
    outer = [copies.collection(one) for one in named if one not in inner]
    outer = _held(outer, [copies.of(one) for one in loose])
    copies.finish()
    _name_files(copies.made, path.parent, folder)
    _remove_linked({block: kind for block, kind in linked.items() if block not in before[kind]})
    _remove_new_libraries(before)
    objects = dict.fromkeys(thing for holder in outer for thing in holder.all_objects)
    return Appended(collections=tuple(outer), objects=tuple(objects))


def _held(outer: list[bpy.types.Collection], loose: Iterable[bpy.types.ID]) -> list[bpy.types.Collection]:
    """The outer collections as they are, if each goes into a scene of its own; else one around all of it."""
    if len(outer) == 1 or (outer and all(one.get(SCENE) is not None for one in outer)):
        return outer
    holder = bpy.data.collections.new(COLLECTION_NAME)
    for collection in outer:
        holder.children.link(collection)
    for thing in loose:
        if isinstance(thing, bpy.types.Object):
            holder.objects.link(thing)
    return [holder]


def everything() -> dict[str, set[bpy.types.ID]]:
    """All datablocks by the name of their kind."""
    return {kind: set(getattr(bpy.data, kind)) for kind in _kinds()}


@contextlib.contextmanager
def all_or_nothing() -> Iterator[None]:
    """Have nothing in the open file that was not there, if what a `with` block brings in fails."""
    before = everything()
    try:
        yield
    except BaseException:
        remove_new(before)
        raise


def remove_new(before: Mapping[str, set[bpy.types.ID]]) -> None:
    """Remove what was not there before."""
    kinds = [kind for kind in before if kind != "libraries"]
    bpy.data.batch_remove([one for kind in kinds for one in getattr(bpy.data, kind) if one not in before[kind]])
    _remove_new_libraries(before)


def _remove_new_libraries(before: Mapping[str, set[bpy.types.ID]]) -> None:
    for library in [one for one in bpy.data.libraries if one not in before["libraries"]]:
        bpy.data.libraries.remove(library)


def _remove_linked(linked: Mapping[bpy.types.ID, str]) -> None:
    """Remove what the copies were made of, users before what they use.

    For a datablock that is removed in the usual way Blender looks through its whole queue of notices to the windows.
    None of these was shown, so none is in there.
    """
    holders = [block for block, kind in linked.items() if kind in ("scenes", "collections")]
    others = sorted(set(linked) - set(holders), key=lambda block: _ORDER.get(linked[block], 1))
    bpy.data.batch_remove(holders)
    used = []
    for block in others:
        remove = getattr(getattr(bpy.data, linked[block]), "remove", None)
        if remove is None or block.users > int(block.use_fake_user):
            used.append(block)
        else:
            remove(block, do_unlink=False, do_ui_user=False)
    bpy.data.batch_remove(used)


def _kinds() -> list[str]:
    """The names of all collections of datablocks; shape keys come and go with what they are of."""
    collections = [one for one in bpy.types.BlendData.bl_rna.properties if one.type == "COLLECTION"]
    # One of Blender 5.2 holds those of every kind.
    return [one.identifier for one in collections if one.identifier not in _OF_OTHERS and not _is_of_any_kind(one)]


def _is_of_any_kind(collection: bpy.types.Property) -> bool:
    kind = collection.fixed_type if isinstance(collection, bpy.types.CollectionProperty) else None
    return kind is not None and kind.identifier == "ID"


class _Own:
    """The artist's own datablocks, which are used as they are now, instead of copies."""

    def __init__(self, kinds: Mapping[bpy.types.ID, str], before: Mapping[str, set[bpy.types.ID]], folder: str) -> None:
        self._kinds, self._before, self._folder = kinds, before, folder
        self._known: dict[str, dict[tuple[str, str], bpy.types.ID]] = {}

    def instead(self, block: bpy.types.ID) -> bpy.types.ID | None:
        """What the artist has in the place of a result's datablock; None if it has to be copied."""
        kind = self._kinds[block]
        if kind in _OWN_KINDS:
            return None
        if kind not in self._known:
            there = self._before[kind]
            # A copy that an earlier result left, since nothing was linked then, is as good as the linked one.
            own = {self._marked(one): one for one in there if one.library is None and _is_marked(one)}
            paths = library_paths.every()
            plain = (one for one in there if one.library is not None or not _is_marked(one))
            own |= {(paths[one.library], name_of(one)): one for one in plain}
            self._known[kind] = own
        mine = self._known[kind].get(self._marked(block) if _is_marked(block) else ("", name_of(block)))
        return mine if type(mine) is type(block) else None

    def _marked(self, block: bpy.types.ID) -> tuple[str, str]:
        """The library that a copy was made from, as an absolute path, and its name there."""
        return library_paths.absolute(str(block.get(LIBRARY)), self._folder), str(block.get(NAME))


def _is_marked(block: bpy.types.ID) -> bool:
    return isinstance(block.get(LIBRARY), str) and isinstance(block.get(NAME), str)


def _name_files(made: Mapping[bpy.types.ID, bpy.types.ID], result_folder: Path, folder: str) -> None:
    """What stays and reads a file gets the artist's own path, unless the file came with the result."""
    for block, linked in made.items():
        stored = getattr(linked, "filepath", None)
        if not isinstance(stored, str):
            continue
        path = linked.get(PATH)
        if not isinstance(path, str):
            if not stored.startswith("//") or (result_folder / stored[2:].replace("<UDIM>", "1001")).exists():
                continue
            path = stored
        is_here = not path.startswith("//") or _is_open_folder(folder)
        name = "filepath_raw" if isinstance(block, bpy.types.Image) else "filepath"
        setattr(block, name, path if is_here else library_paths.joined(path, folder))
        if block.get(PATH) is not None:
            del block[PATH]


def _is_open_folder(folder: str) -> bool:
    """Whether "//" means the same folder in the open file."""
    here = library_paths.folder_of(bpy.data.filepath)
    return not folder or library_paths.absolute(here) == library_paths.absolute(folder)
