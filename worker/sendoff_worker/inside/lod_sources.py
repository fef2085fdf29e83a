"""Which objects of the scene get levels of detail, and where each of them stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import bpy
from mathutils import Matrix

from .origin import PATH_PROPERTY, identity
from .scope import Scope

LOD_COLLECTION = "Sendoff LODs"
SOURCE_PROPERTY = "sendoff_source"
LEVEL_PROPERTY = "sendoff_level"
INSTANCE_DEPTH = 8
"""Collections that instance collections: how deep they are followed."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A mesh object to make levels of detail of."""

    object: Any
    """The object, the scene's own or a library's."""
    name: str
    """Its name in the artist's scene; here it may have to make room for a level of that name."""
    identity: str
    """What the artist's application knows it by: the name in Blender, the path in a USD scene."""
    scene: Any
    """The scene whose frame it is evaluated at."""
    placement: Matrix | None
    """For an object that only stands in an instanced collection: from there to its first instance's place."""


def mesh_sources(scope: Scope | None = None) -> list[Source]:
    """Every mesh object of every scene once, hidden and excluded ones too, and those of instanced collections.

    Args:
        scope: Only its objects.
    """
    found: dict[Any, Source] = {}

    def add(one: Any, scene: Any, placement: Matrix | None) -> None:
        if one.type == "MESH" and (scope is None or one in scope):
            names = {"name": plain_name(one), "identity": identity(one)}
            found.setdefault(one, Source(object=one, scene=scene, placement=placement, **names))

    own = [(one, scene) for scene in bpy.data.scenes if scene.library is None for one in scene.collection.all_objects]
    for one, scene in own:
        add(one, scene, None)
    # Of several instances the chosen one says where its objects stand.
    for empty, scene in sorted(own, key=lambda item: scope is not None and item[0] not in scope):
        for one, placement in _instanced(empty, INSTANCE_DEPTH):
            add(one, scene, placement)
    return sorted(found.values(), key=lambda source: (source.name, source.object.library is not None))


def plain_name(one: Any) -> str:
    """The object's name as the artist reads it: of a path the last part, without its namespace."""
    return identity(one).rpartition("/")[2].rpartition(":")[2] if PATH_PROPERTY in one else str(one.name)


def is_own_level(one: Any) -> bool:
    """Whether the object is a level of detail that an earlier job brought into the scene."""
    return SOURCE_PROPERTY in one and LEVEL_PROPERTY in one


def _instanced(empty: Any, depth: int) -> Iterator[tuple[Any, Matrix]]:
    collection = empty.instance_collection if empty.instance_type == "COLLECTION" else None
    if collection is None or depth == 0:
        return
    placement = empty.matrix_world @ Matrix.Translation(-collection.instance_offset)
    for one in collection.all_objects:
        if one.type == "MESH":
            yield one, placement
        for inner, inner_placement in _instanced(one, depth - 1):
            yield inner, placement @ inner_placement
