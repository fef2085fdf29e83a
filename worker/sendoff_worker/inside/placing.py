"""Where a level of detail stands: a matrix that an object can hold, the rest in its mesh, and the parent it follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from mathutils import Matrix

from .mesh_arrays import column
from .view import Place

#: Of the largest part of a matrix: so much is no shear.
_SHEAR = 1e-5
#: How a level follows its parent. Of a parent by vertices it follows the object, and stays where it is on that.
_PARENT_TYPES = {
    "OBJECT": "OBJECT", "ARMATURE": "OBJECT", "LATTICE": "OBJECT", "VERTEX": "OBJECT", "VERTEX_3": "OBJECT",
    "BONE": "BONE",
}  # fmt: skip


def split(matrix: Matrix) -> tuple[Matrix, Matrix | None]:
    """A matrix that location, rotation and scale can hold, and what is left to be applied to the mesh before.

    Returns:
        (held, rest) with ``held @ rest == matrix``; rest is None if nothing is left.
    """
    held = Matrix.LocRotScale(*matrix.decompose())
    wanted, got = np.array(matrix)[:3, :3], np.array(held)[:3, :3]
    largest = float(np.abs(wanted).max())
    if not np.isfinite(wanted).all() or largest == 0.0 or np.abs(wanted - got).max() <= _SHEAR * largest:
        return held, None
    if abs(held.determinant()) <= 1e-12 * largest**3:  # flat: there is no way back from it
        return Matrix.Translation(matrix.translation), matrix.to_3x3().to_4x4()
    # Without the translation, whose last digits differ from place to place.
    return held, (held.to_3x3().inverted() @ matrix.to_3x3()).to_4x4()


def apply(mesh: Any, rest: Matrix) -> None:
    """Apply a matrix to a mesh, its own normals included."""
    normals = column(mesh.corner_normals, "vector", np.float32, 3) if mesh.has_custom_normals else None
    mesh.transform(rest)
    if normals is None:
        return
    linear = np.array(rest, dtype=np.float64)[:3, :3]
    turned = normals @ np.linalg.pinv(linear)  # n' = n M^-1, as rows
    lengths = np.linalg.norm(turned, axis=1, keepdims=True)
    mesh.normals_split_custom_set((turned / np.where(lengths > 0, lengths, 1)).tolist())


@dataclass(frozen=True, kw_only=True)
class Parent:
    """The object of the artist's scene that a level is to follow."""

    object: Any
    name: str
    """The object's name in the artist's scene; a level may take it over here."""
    kind: str
    """"OBJECT" or "BONE"."""
    bone: str
    inverse: Matrix
    """From the world to the parent's space, at the moment of the job."""

    @classmethod
    def of(cls, place: Place, graph: Any) -> Parent | None:
        """The parent that a place moves with: what instances it, or the parent of the object; None if there is none."""
        if place.instancer is not None:
            return cls._at(place.instancer, "OBJECT", "", place.instancer.evaluated_get(graph).matrix_world)
        one = place.object
        parent = one.parent
        kind = _PARENT_TYPES.get(one.parent_type, "")
        if parent is None or not kind or follows_a_path(one):
            return None
        shown = parent.evaluated_get(graph)
        if kind == "OBJECT":
            return cls._at(parent, kind, "", shown.matrix_world)
        bone = shown.pose.bones.get(one.parent_bone) if shown.pose is not None else None
        if bone is None:
            return None
        space = bone.matrix_channel if bone.bone.use_relative_parent else _tail(bone)
        return cls._at(parent, kind, one.parent_bone, shown.matrix_world @ space)

    @classmethod
    def _at(cls, parent: Any, kind: str, bone: str, space: Matrix) -> Parent | None:
        try:
            return cls(object=parent, name=parent.name, kind=kind, bone=bone, inverse=space.inverted())
        except ValueError:  # of a scale of zero
            return None


def follows_a_path(one: Any) -> bool:
    """Whether an object's parent is a curve that moves it along itself, as it would move a level a second time."""
    parent = one.parent
    return parent is not None and parent.type == "CURVE" and bool(parent.data.use_path)


def _tail(bone: Any) -> Matrix:
    """A pose bone's matrix at its tail, where its children stand."""
    space = bone.matrix.copy()
    space.translation += space.to_3x3().col[1] * bone.length
    return space
