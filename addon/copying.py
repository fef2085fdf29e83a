"""Local copies of what is linked from a result's file, in time that grows with its size and no faster.

Blender's own append looks through the whole file for each datablock that it makes local: 6,000 objects take a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import bpy

from .name_of import name_of

#: Of a collection, besides its name, what it holds and its custom properties.
_COLLECTION_SETTINGS = ("color_tag", "hide_render", "hide_select", "hide_viewport", "instance_offset")
#: Blender looks through all objects for each slot that is set, and ten times as long to replace all users of one.
_MANY_USERS = 10


class Copies:
    """What takes the place of each linked datablock of a result."""

    def __init__(self, linked: Iterable[bpy.types.ID], instead: Callable[[bpy.types.ID], bpy.types.ID | None]) -> None:
        """`instead` gives what is used in the place of a datablock; None has it copied."""
        self._linked = set(linked)
        self._instead = instead
        self._known: dict[bpy.types.ID, bpy.types.ID] = {}
        #: Each copy, with what it was made of.
        self.made: dict[bpy.types.ID, bpy.types.ID] = {}

    def of(self, block: bpy.types.ID) -> bpy.types.ID:
        """What takes the place of a datablock: itself if it is none of the result."""
        if block not in self._linked:
            return block
        if block not in self._known:
            own = self._instead(block)
            if own is None:
                own = self._copied_object(block) if isinstance(block, bpy.types.Object) else block.copy()
                self.made[own] = block
                self._put_into_slots(own)
            self._known[block] = own
        return self._known[block]

    def collection(self, linked: bpy.types.Collection) -> bpy.types.Collection:
        """A collection with copies of all that one holds."""
        if linked not in self._known:
            made = bpy.data.collections.new(name_of(linked))
            for setting in _COLLECTION_SETTINGS:
                setattr(made, setting, getattr(linked, setting))
            for key, value in _own_properties(linked):
                made[key] = value
            self._known[linked] = made
            for thing in linked.objects:
                own = self.of(thing)
                assert isinstance(own, bpy.types.Object)
                made.objects.link(own)
            for child in linked.children:
                made.children.link(self.collection(child))
        found = self._known[linked]
        assert isinstance(found, bpy.types.Collection)
        return found

    def finish(self) -> None:
        """Have nothing of the open file use what is linked any more."""
        data: Any = bpy.data  # the types of 4.2 have user_map need all its arguments
        before: set[bpy.types.ID] = set()
        while True:
            users = data.user_map(subset=self._linked)
            used = {one for one in self._linked if any(user.library is None for user in users.get(one, ()))}
            if used <= before:  # none is left, or it holds a place that Blender does not give another
                return
            before |= used
            for block in used:
                own = self.collection(block) if isinstance(block, bpy.types.Collection) else self.of(block)
                block.user_remap(own)  # it looks through all of the file: for what few use

    def _copied_object(self, linked: bpy.types.Object) -> bpy.types.Object:
        made = linked.copy()
        if linked.data is not None:
            data: Any = self.of(linked.data)
            made.data = data
        return made

    def _put_into_slots(self, made: bpy.types.ID) -> None:
        """Have the right materials at once, but those that many use: `finish` replaces these in fewer looks."""
        if isinstance(made, bpy.types.Object):
            for slot in made.material_slots:
                if slot.link == "OBJECT" and slot.material is not None and slot.material.users <= _MANY_USERS:
                    slot.material = self.of(slot.material)  # type: ignore[assignment] # of the same kind
            return
        materials: Any = getattr(made, "materials", ())
        for number, material in enumerate(materials):
            if material is not None and material.users <= _MANY_USERS:
                materials[number] = self.of(material)


def _own_properties(block: bpy.types.ID) -> Iterator[tuple[str, Any]]:
    """Custom properties as plain values; those of add-ons have their own way."""
    named: Any = block
    for key, value in named.items():
        if key in block.bl_rna.properties:
            continue
        plain = getattr(value, "to_dict", None) or getattr(value, "to_list", None)
        yield key, value if plain is None else plain()
