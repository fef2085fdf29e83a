"""A USD scene in Blender: all that its stage shows, with the faces, vertices and places that it was sent with.

Read by Pixar's library and not by Blender's importer: that one renames objects, and leaves out faces that it does not
like, while a finding names an element by its number, and a level of detail its original by its path.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy
from mathutils import Matrix

from .imported_paths import ImportedPaths
from .job import CannotOpen, Job
from .origin import MENDED_PROPERTY, PATH_PROPERTY, SCALE_PROPERTY, Origin
from .pxr_library import pxr
from .usd_layers import UsdLayers
from .usd_materials import UsdMaterials
from .usd_meshes import MOST_UV_MAPS, Made, Unreadable, make_mesh
from .usd_missing import tell_missing
from .usd_skinning import pose_skinned
from .usd_standing import Standing, Walk

SUFFIXES = (".usd", ".usda", ".usdc", ".usdz")
#: So many names stand in one sentence.
SHOWN_NAMES = 6
_USER_PROPERTIES = "userProperties"
#: Of a custom property of Blender, in bytes.
_LONGEST_NAME = 63
#: A place differs from what location, rotation and scale can hold, as a part of its size.
_SHEARED = 1e-5


def open_usd(job: Job, path: Path, root: Path) -> None:
    """Open a USD file in an empty scene; `job.origin` tells where it came from. Nothing outside `root` is read of it.

    Raises:
        CannotOpen: The file cannot be read as USD.
    """
    library = pxr()
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    layers = UsdLayers(root=root.resolve(), warn=job.warn, scene=path.resolve())
    stage = None
    try:
        layer = layers.open()
        stage = library.Usd.Stage.Open(layer) if layer else None
    except Exception as error:
        print(f"{path}: {error}")
    if stage is None:
        raise CannotOpen(
            f"{path.name} cannot be opened as USD: it is damaged or incomplete. Export it and send it again."
        )
    try:
        tell_missing(job, stage, layers)
    except Exception as error:  # what is there is read all the same
        print(f"{path}: {error!r}")
    job.external_paths = ImportedPaths()
    geometry = library.UsdGeom
    time = start_time(stage)
    pose_skinned(job, stage, time)
    job.origin = Origin(
        kind="usd",
        metres_per_unit=float(geometry.GetStageMetersPerUnit(stage)),
        up_axis="Z" if geometry.GetStageUpAxis(stage) == geometry.Tokens.z else "Y",
        stage=stage,
        layers=layers,
    )
    reader = _Reader(job, job.origin, UsdMaterials(layers, time), time)
    walk = Walk(stage, time)
    for standing in walk.shapes():
        reader.add(standing)
    reader.tell(walk)
    bpy.context.view_layer.update()  # only then is a sheared place what Blender can hold of it
    job.origin.imported.update({path: one.matrix_world.copy() for path, one in reader.objects.items()})


def start_time(stage: Any) -> Any:
    """The time that an application shows when it opens the stage: its start, or the first sample if it has none."""
    time = pxr().Usd.TimeCode
    if stage.HasAuthoredMetadata("startTimeCode"):
        return time(stage.GetStartTimeCode())
    return time.EarliestTime()


@dataclass
class _Reader:
    """Makes an object of each shape; shapes of the same prim share a mesh."""

    job: Job
    origin: Origin
    materials: UsdMaterials
    time: Any
    objects: dict[str, Any] = field(default_factory=dict)
    """By the identity of what each was made of."""
    _known: dict[Any, tuple[Made, list[float], dict[str, Any]] | None] = field(default_factory=dict)
    _made: dict[Any, Made | None] = field(default_factory=dict)
    _unreadable: dict[str, list[str]] = field(default_factory=dict)
    """By the reason, as it ends a sentence on the mesh."""
    _invalid: list[str] = field(default_factory=list)
    _cut: list[str] = field(default_factory=list)
    _other_types: dict[str, list[str]] = field(default_factory=dict)
    _holder: Any = None
    """The parent of objects at sheared places; it stands in the world's origin."""

    def add(self, standing: Standing) -> None:
        """One shape at one place."""
        prim = standing.prim
        if prim not in self._known:  # an instancer shows it thousands of times
            self._known[prim] = self._read(prim, standing.identity)
        known = self._known[prim]
        if known is None:
            return
        made, scale, properties = known
        one = bpy.data.objects.new(prim.GetName(), made.mesh)
        if made.is_mended:
            one[MENDED_PROPERTY] = True
        for name, value in properties.items():
            one[name] = value
        one[PATH_PROPERTY] = standing.identity
        one[SCALE_PROPERTY] = scale
        self.origin.places[standing.identity] = standing.place
        self.objects[standing.identity] = one
        bpy.context.scene.collection.objects.link(one)
        rows = [list(standing.place.GetColumn(row)) for row in range(4)]
        self._place(one, self.origin.to_blender @ Matrix(rows))

    def _read(self, prim: Any, identity: str) -> tuple[Made, list[float], dict[str, Any]] | None:
        """A prim's mesh, its own scale and the artist's properties; None if it has no mesh."""
        try:
            made = self._mesh(prim, identity, self.materials.bound(prim))
        except Exception as error:
            print(f"{identity}: {error!r}")
            made = self._mesh(prim, identity, [])
        if made is None:
            return None
        try:
            return made, self._scale(prim), self._properties(prim)
        except Exception as error:  # values of types that no schema has
            print(f"{identity}: {error!r}")
            return made, [1.0, 1.0, 1.0], {}

    def _mesh(self, prim: Any, identity: str, bound: list[tuple[Any, Any]]) -> Made | None:
        own = prim.GetPrimInPrototype() if prim.IsInstanceProxy() else prim
        key = (str(own.GetPath()), self.materials.key(bound))
        if key not in self._made:
            self._made[key] = None
            try:
                made = make_mesh(prim, self.time, lambda mesh, kept: self.materials.apply(mesh, bound, kept))
                if made is None:
                    self._other_types.setdefault(str(prim.GetTypeName()), []).append(identity)
                elif made.is_invalid:
                    self._invalid.append(prim.GetName())
                if made is not None and made.has_more_uvs:
                    self._cut.append(prim.GetName())
                self._made[key] = made
            except MemoryError:
                raise
            except Unreadable as reason:
                self._unreadable.setdefault(str(reason), []).append(prim.GetName())
            except Exception as error:  # a prim may hold anything; the others are none the worse
                print(f"{identity}: {error!r}")
                self._unreadable.setdefault("is not a mesh that can be read", []).append(prim.GetName())
        return self._made[key]

    def _place(self, one: Any, matrix: Matrix) -> None:
        """Put an object at a place, also at a sheared one, which an object of its own cannot hold."""
        location, rotation, scale = matrix.decompose()
        plain = Matrix.LocRotScale(location, rotation, scale)
        size = max((abs(value) for row in matrix.to_3x3() for value in row), default=0.0)
        differs = max(abs(own - other) for row, others in zip(matrix, plain) for own, other in zip(row, others))  # noqa: B905
        if differs <= _SHEARED * size:
            one.matrix_world = matrix
            return
        if self._holder is None:
            self._holder = bpy.data.objects.new("Sheared places", None)
            bpy.context.scene.collection.objects.link(self._holder)
        one.parent = self._holder
        one.matrix_parent_inverse = matrix

    def _properties(self, prim: Any) -> dict[str, Any]:
        """The artist's own properties of the prim, as far as Blender can hold them."""
        found: dict[str, Any] = {}
        for attribute in prim.GetAuthoredPropertiesInNamespace(_USER_PROPERTIES):
            name = str(attribute.GetName()).removeprefix(f"{_USER_PROPERTIES}:")
            value = attribute.Get(self.time) if hasattr(attribute, "Get") else None
            if len(name.encode()) > _LONGEST_NAME or (isinstance(value, int) and not -(2**31) <= value < 2**31):
                continue
            if isinstance(value, (bool, int, float, str)):
                found[name] = value
            elif hasattr(value, "dimension"):
                found[name] = [float(part) for part in value]
        return found

    def _scale(self, prim: Any) -> list[float]:
        """The prim's own scale: as it is written, or what its matrix holds."""
        library = pxr()
        geometry = library.UsdGeom
        operations = geometry.Xformable(prim).GetOrderedXformOps()
        if any(one.GetOpType() == geometry.XformOp.TypeTransform for one in operations):
            local = geometry.Xformable(prim).GetLocalTransformation(self.time)
            sign = -1.0 if local.GetDeterminant() < 0 else 1.0
            return [sign * abs(part) for part in library.Gf.Transform(local).GetScale()]
        scale = [1.0, 1.0, 1.0]
        for one in operations:
            if one.GetOpType() == geometry.XformOp.TypeScale:
                scale = [own * part for own, part in zip(scale, one.Get(self.time), strict=True)]
        return scale

    def tell(self, walk: Walk) -> None:
        """Tell of all that is not in Blender's scene, by name and count."""
        for names, one, more in (
            *((names, f"{why}; it is left out.", "meshes are left out.") for why, names in self._unreadable.items()),
            (
                self._invalid,
                "has invalid geometry, which was repaired for this job.",
                "meshes were repaired for this job.",
            ),
            (
                self._cut,
                f"has more than {MOST_UV_MAPS} UV sets; those above are left out.",
                f"meshes have more than {MOST_UV_MAPS} UV sets.",
            ),
        ):
            for name in names[:SHOWN_NAMES]:
                self.job.warn(f"“{name}” {one}")
            if len(names) > SHOWN_NAMES:
                self.job.warn(f"{len(names) - SHOWN_NAMES:,} more {more}")
        for path in walk.unreadable[:SHOWN_NAMES]:
            self.job.warn(f"The places of “{path}” or its instances cannot be read; it is left out.")
        for kind, paths in self._other_types.items():
            objects, are = ("object", "is") if len(paths) == 1 else ("objects", "are")
            said = f"{len(paths):,} {objects} of the type {kind} cannot become a mesh and {are} left out"
            self.job.warn(f"{said}: {listed(paths)}.")
        parts = [f"{count:,} {reason}" for reason, count in walk.left_out.items() if count]
        if parts:
            self.job.warn(f"Left alone in the USD scene: {', '.join(parts)}.")


def listed(names: list[str]) -> str:
    """Some names, as they stand in a sentence."""
    return ", ".join(f"“{name}”" for name in names[:SHOWN_NAMES]) + (", ..." if len(names) > SHOWN_NAMES else "")
