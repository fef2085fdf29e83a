"""The levels of detail as objects, one collection for each scene of the artist, and the files that carry them home."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy
from mathutils import Matrix

from . import fbx_result, glb_result, usd_result
from .blend_result import write_blend
from .contents import Part
from .job import Job
from .left_alone import LEVEL_PROPERTY, SOURCE_PROPERTY, base_name
from .origin import Origin
from .placing import Parent, apply, split
from .view import Place, View, copy_properties

LOD_COLLECTION = "Sendoff LODs"
#: Files for game engines, which expect the original as the finest level of a group.
ENGINE_FORMATS = frozenset({"fbx", "glb"})
#: On a collection: the artist's scene whose levels it holds.
SCENE_PROPERTY = "sendoff_scene"
#: On an object: the library of its original, as the artist's scene has it.
LIBRARY_PROPERTY = "sendoff_library"
MAX_NAME_BYTES = 255 if bpy.app.version >= (5, 0, 0) else 63


#: A place, the matrix of an object there, and what is to be applied to its mesh before.
_Fitted = tuple[Place, Matrix, Matrix | None]


class LodResult:
    """The collections of levels, in a scene of their own.

    Args:
        job: Tells the artist's paths of libraries.
        view: The places that may get levels: their parents are looked up now, while the artist's scenes are as
            they were.
    """

    def __init__(self, job: Job, view: View) -> None:
        self._job = job
        self.parents: dict[Any, Parent] = {}
        """The parent of each level that is to follow one."""
        self._parents = _parents_of(view)
        for taken in (*_own(bpy.data.collections, LOD_COLLECTION), *_own(bpy.data.scenes, LOD_COLLECTION)):
            taken.name = f"{LOD_COLLECTION} of an earlier job"
        self.scene = bpy.data.scenes.new(LOD_COLLECTION)
        self.collections: dict[Any, Any] = {}
        #: The artist's own objects, by name; to ask Blender for each name would take longer the more there are.
        self._taken = {one.name: one for one in bpy.data.objects if one.library is None}
        self._renamed: list[tuple[Any, str]] = []
        self._fitted: dict[tuple[Any, tuple[float, ...]], Any] = {}
        self._objects: list[Any] = []
        self._originals: list[tuple[list[_Fitted], Any]] = []

    def add(self, places: Iterable[Place], meshes: list[Any], *, original: Any = None) -> None:
        """Put the levels of one shape into the collections of its scenes, at each of its places.

        Args:
            places: Where the shape is seen.
            meshes: Its levels, the finest first.
            original: What they were made of, if a file shall hold it as level 0. It has to stay until then.
        """
        fitted = [(place, *split(place.matrix)) for place in places]
        if original is not None:
            self._originals.append((fitted, original))
        # One level after the other: Blender keeps names in order, and looks for the place of each from the end.
        for level, mesh in enumerate(meshes, start=1):
            for at in fitted:
                one, place = self._object(at, mesh, level), at[0]
                self._collection(place.scene).objects.link(one)
                if place in self._parents:
                    self.parents[one] = self._parents[place]
                self._objects.append(one)

    def _object(self, at: _Fitted, mesh: Any, level: int) -> Any:
        place, held, rest = at
        name = level_name(base_name(place.name), level)
        taken = self._taken.pop(name, None)
        if taken is not None:
            taken.name = f"{name[:40]} of the scene"  # in the worker's memory only: the result's name stays clean
            self._renamed.append((taken, name))
        one = bpy.data.objects.new(name, mesh if rest is None else self._fit(mesh, rest))
        one.matrix_world = held
        self._describe(one, place, level)
        self._keep_own_materials(one, place)
        return one

    @contextmanager
    def with_originals(self) -> Iterator[list[tuple[Any, Part]]]:
        """All levels and, as level 0, the originals that were kept, which are there for the length of a `with` block.

        They stand first, as an exporter writes what it finds first.
        """
        own, before = list(self.scene.collection.children), len(self._renamed)
        first = bpy.data.collections.new(f"{LOD_COLLECTION} 0")
        for collection in (first, *own):
            if collection is not first:
                self.scene.collection.children.unlink(collection)
            self.scene.collection.children.link(collection)
        made = []
        for fitted, mesh in self._originals:
            for at in fitted:
                made.append(self._object(at, mesh, 0))
                first.objects.link(made[-1])
        self.scene.view_layers[0].update()
        try:
            yield [*map(_part, made), *self.parts()]
        finally:
            bpy.data.collections.remove(first)
            for one in made:  # nothing else knows them: a look for their users would take longer the more there is
                bpy.data.objects.remove(one, do_unlink=False, do_ui_user=False)
            for one, name in self._renamed[before:]:
                one.name = name
                self._taken[name] = one
            del self._renamed[before:]

    @property
    def objects(self) -> list[Any]:
        """All levels, in the order in which they were added."""
        return list(self._objects)

    def parts(self) -> list[tuple[Any, Part]]:
        """Each level with what it is."""
        return [_part(one) for one in self._objects]

    def _collection(self, scene: Any) -> Any:
        if scene not in self.collections:
            name = LOD_COLLECTION if not self.collections else f"{LOD_COLLECTION} {scene.name}"
            made = bpy.data.collections.new(name)
            made[SCENE_PROPERTY] = scene.name
            self.scene.collection.children.link(made)
            self.collections[scene] = made
        return self.collections[scene]

    def _fit(self, mesh: Any, rest: Matrix) -> Any:
        """The mesh with a shear applied, which no object can hold; places that are sheared alike share it."""
        key = (mesh, tuple(round(value, 5) + 0.0 for row in rest for value in row))
        if key not in self._fitted:
            fitted = mesh.copy()
            fitted.name = mesh.name
            apply(fitted, rest)
            self._fitted[key] = fitted
        return self._fitted[key]

    def _describe(self, one: Any, place: Place, level: int) -> None:
        """Custom properties: the original's own, and what the level is."""
        copy_properties(place.object, one)
        one[SOURCE_PROPERTY] = place.identity
        one[LEVEL_PROPERTY] = level
        library = self._job.library_path(place.object)
        if library is not None:
            one[LIBRARY_PROPERTY] = library

    @staticmethod
    def _keep_own_materials(one: Any, place: Place) -> None:
        """Materials that an object has in the place of its mesh's."""
        if place.is_generated:
            return
        for slot, own in zip(one.material_slots, place.object.material_slots, strict=False):
            if own.link == "OBJECT":
                slot.link = "OBJECT"
                slot.material = own.material


def level_name(name: str, level: int) -> str:
    """``Body_LOD1``; a long name gives way, the suffix does not."""
    suffix = f"_LOD{level}"
    kept = name.encode("utf-8", "surrogateescape")[: MAX_NAME_BYTES - len(suffix)]
    return kept.decode("utf-8", "ignore") + suffix


def asked_formats(job: Job) -> set[str]:
    """The formats that the job shall write."""
    kind = job.origin.kind if job.origin is not None else "blend"
    return {kind if wanted == "scene" else wanted for wanted in job.params.get("formats") or ["scene"]}


def deliver(job: Job, result: LodResult) -> None:
    """Write the asked formats into the job's folder; one that fails leaves the others."""
    origin = job.origin or Origin(kind="blend", metres_per_unit=1.0, up_axis="Z")
    formats = asked_formats(job)

    def write_usd(path: Path) -> None:
        usd_result.write_usd(path, result.parts(), origin, original=job.original_path).write(job)

    def write_fbx(path: Path) -> None:
        with result.with_originals() as parts:
            contents = fbx_result.write_fbx(path, result.scene, parts, origin, original=job.original_path)
        if "usd" not in formats:
            contents.write(job)

    def write_glb(path: Path) -> None:
        with result.with_originals() as parts:
            glb_result.write_glb(path, result.scene, parts)

    writers = {
        "blend": ("lods.blend", "application/x-blender", lambda path: write_blend(job, result, path)),
        "usd": ("lods.usdc", "model/vnd.usd", write_usd),
        "fbx": ("lods.fbx", "application/octet-stream", write_fbx),
        "glb": ("lods.glb", "model/gltf-binary", write_glb),
    }
    written = 0
    # The .blend last: it drops the rest of the open scene, and the others read the textures.
    for wanted in sorted(formats, key=list(writers).index, reverse=True):
        name, media_type, write = writers[wanted]
        try:
            write(job.folder / name)
        except RuntimeError as error:
            print(error)
            job.warn(f"{name} could not be written; the job's log says why.")
            continue
        job.add_file(name, media_type=media_type)
        written += 1
    if not written:
        job.fail("No result could be written on the worker; the job's log says why.")


def _part(one: Any) -> tuple[Any, Part]:
    name = re.sub(r"\.\d{3,}$", "", one.name)  # Blender's own way to keep two apart
    return one, Part(name=name, path="", source=one[SOURCE_PROPERTY], kind="lod", level=one[LEVEL_PROPERTY])


def _own(blocks: Any, name: str) -> list[Any]:
    found = blocks.get((name, None))
    return [found] if found is not None else []


def _parents_of(view: View) -> dict[Any, Parent]:
    found: dict[Any, Parent] = {}
    for scene in view.scenes:
        graph = view.screen.graph(scene)
        for place in view.places:
            parent = Parent.of(place, graph) if place.seen_in == scene else None
            if parent is not None:
                found[place] = parent
    view.screen.show(view.screen.scene)
    return found
