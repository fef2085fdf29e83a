"""The task mesh.lods: levels of detail for every surface that the artist sees."""

from __future__ import annotations

import traceback
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .corner_normals import transfer
from .decimation import RATIO_TOLERANCE, Decimator
from .evaluation import Workbench, drop_mesh
from .job import Job, JobFailed
from .lod_result import ENGINE_FORMATS, LodResult, asked_formats, deliver
from .mesh_arrays import column, triangle_count
from .mesh_digest import content_digest
from .placing import follows_a_path
from .realising import realise
from .view import Shape, View, copy_properties, modifiers_in_use

WARNINGS_PER_KIND = 10
LARGE_TRIANGLES = 500_000
"""Above, each level is made from the one before: nearly as good, and each takes half the time of the last."""
MOST_PLACES = 100_000
"""So many levels of detail are placed at most: each is an object in the artist's scene."""


FARTHEST = 1e15
"""Positions and places beyond, in metres, are mistakes: nothing beside them could be placed any more."""


class Skipped(Exception):
    """A shape gets no levels. The message is the reason."""


@dataclass(kw_only=True)
class Levels:
    """The levels of one mesh, shared by all places that show it."""

    original: Any
    """What they were made of; None if no file is to hold it."""
    meshes: list[Any]
    faces: list[int]
    triangles: list[int]
    short: list[tuple[int, int, int]]
    """Of the first level that is above its ratio: which, its triangles, and how many were wanted."""


@dataclass
class LodRun:
    """One run of the task."""

    job: Job
    view: View
    workbench: Workbench
    result: LodResult
    done: dict[bytes, Levels] = field(default_factory=dict)
    objects: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[dict[str, str]] = field(default_factory=list)
    warned: Counter[str] = field(default_factory=Counter)
    work_total: int = 1
    work_done: int = 0
    total_objects: int = 0

    def __post_init__(self) -> None:
        self._keeps_originals = _keeps_originals(self.job)

    def process(self, shape: Shape) -> None:
        """Make the levels of one shape and place them, or note why there are none."""
        work = _work_of(shape)
        try:
            self._drop_lost_places(shape)
            levels = self._levels_of(shape)
            self.result.add(shape.places, levels.meshes, original=levels.original)
            self._list(shape, levels)
            self._warn_of_short(shape, levels)
        except Skipped as reason:
            self._skip(shape, str(reason))
        except (JobFailed, MemoryError, OSError):
            raise
        except Exception:
            traceback.print_exc()
            self._skip(shape, "could not be processed (the job's log says why)")
        finally:
            shape.drop()
        self.work_done += work

    def _drop_lost_places(self, shape: Shape) -> None:
        """Leave out places that are nowhere. Raises Skipped if none is left."""
        kept = [place for place in shape.places if _is_sane(np.array(place.matrix))]
        if not kept:
            raise Skipped("stands at a place that is not a number, or too far away to be meant")
        if len(kept) < len(shape.places):
            lost = len(shape.places) - len(kept)
            self._warn("at lost places", f"“{kept[0].name}” is left out at {lost:,} places that are not numbers.")
        shape.places[:] = kept

    def _list(self, shape: Shape, levels: Levels) -> None:
        places = Counter(place.name for place in shape.places)
        for name, count in places.items():
            entry = {"object": name, "mesh": shape.name, "faces": levels.faces, "triangles": levels.triangles}
            self.objects.append(entry | ({"places": count} if count > 1 else {}))

    def _skip(self, shape: Shape, reason: str) -> None:
        for name in dict.fromkeys(place.name for place in shape.places):
            self.skipped.append({"object": name, "reason": reason})
            self._warn("left out", f"“{name}” {reason}; it is left out.")

    def _levels_of(self, shape: Shape) -> Levels:
        _check(self.job, shape)
        key = content_digest(shape.mesh)
        weights = shape.places[0].object.vertex_groups
        if len(weights):  # they are no part of the digest
            key += f"{shape.places[0].object.as_pointer()}".encode()
        if key not in self.done:
            for one in dict.fromkeys(place.object for place in shape.places):
                self._warn_of_baked(one)
            self.done[key] = self._decimate(shape)
            if self._keeps_originals:
                self.done[key].original = shape.keep(f"{shape.name}_LOD0")
        return self.done[key]

    def _decimate(self, shape: Shape) -> Levels:
        mesh = shape.mesh
        count, ratio = self.job.params.get("levels", 3), self.job.params.get("ratio", 0.5)
        triangles = triangle_count(mesh)
        levels = Levels(original=None, meshes=[], faces=[len(mesh.polygons)], triangles=[triangles], short=[])
        decimator = self._decimator(mesh)
        try:
            for level in range(1, count + 1):
                target = max(1, round(triangles * ratio**level))
                self._say(shape, level, count, levels.triangles[-1], target)
                made = decimator.level(target)
                if not 0 < triangle_count(made) <= levels.triangles[-1]:  # a level is no finer than the one before
                    drop_mesh(made)
                    made = (levels.meshes or [mesh])[-1].copy()
                elif mesh.has_custom_normals:
                    made = transfer(self.workbench, mesh, made)
                made.name = f"{shape.name}_LOD{level}"
                copy_properties(mesh, made)
                levels.meshes.append(made)
                levels.faces.append(len(made.polygons))
                levels.triangles.append(triangle_count(made))
                if triangles > LARGE_TRIANGLES and level < count:
                    decimator.close()
                    decimator = self._decimator(made)
                if not levels.short and levels.triangles[-1] > max(target * RATIO_TOLERANCE, target + 1):
                    levels.short.append((level, levels.triangles[-1], target))
        finally:
            decimator.close()
        return levels

    def _warn_of_short(self, shape: Shape, levels: Levels) -> None:
        for level, triangles, target in levels.short:
            for name in dict.fromkeys(place.name for place in shape.places):
                self._warn(
                    "above their ratio",
                    f"“{name}” keeps {triangles:,} triangles at LOD {level} instead of {target:,}: "
                    "its topology allows no fewer (too small, or in too many loose pieces).",
                )

    def _decimator(self, mesh: Any) -> Decimator:
        keep = {name: self.job.params.get(name, True) for name in ("keep_uvs", "keep_borders")}
        return Decimator(self.workbench, mesh, **keep)

    def _say(self, shape: Shape, level: int, levels: int, before: int, after: int) -> None:
        fraction = (self.work_done + _work_of(shape) * (level - 1) / levels) / self.work_total
        self.job.progress(
            min(0.98, fraction),
            f"{shape.places[0].name}: LOD {level} of {levels} ({before:,} -> {after:,} triangles)",
            stage="Reducing",
            done=len(self.objects) + len(self.skipped),
            total=self.total_objects,
        )

    def _warn(self, kind: str, text: str) -> None:
        """A few warnings of a kind tell the artist what a thousand would."""
        self.warned[kind] += 1
        if self.warned[kind] <= WARNINGS_PER_KIND:
            self.job.warn(text)

    def warn_of_the_rest(self) -> None:
        """Count the warnings that were held back."""
        for kind, count in self.warned.items():
            if count > WARNINGS_PER_KIND:
                self.job.warn(f"{count - WARNINGS_PER_KIND:,} more objects are {kind}.")

    def _warn_of_baked(self, one: Any) -> None:
        if follows_a_path(one):
            self._warn("left behind", f"“{one.name}” follows a path: its levels stay where it is now.")
        if getattr(one.data, "shape_keys", None) is not None:
            self._warn(
                "baked with their shape keys",
                f"“{one.name}” has shape keys: its levels hold their present mix, without the keys.",
            )
        if any(modifier.type == "ARMATURE" for modifier in modifiers_in_use(one)):
            self._warn(
                "baked in their pose",
                f"“{one.name}” is posed by an armature: its levels hold the present pose, without the skin.",
            )


def run(job: Job) -> dict[str, Any]:
    """Make ``levels`` levels of detail of each surface, each of ``ratio`` of the triangles before."""
    job.progress(0.0, "Looking for mesh objects", stage="Looking")
    view = View.of(job)
    workbench = Workbench()
    if job.params.get("instances") == "realise":
        realise(view, workbench)
    result = LodResult(job, view)  # it looks up the parents of the places that there are now
    _drop_empty(view)
    levels = int(job.params.get("levels", 3)) + _keeps_originals(job)
    places = sum(1 for _ in view.places)
    if places * levels > MOST_PLACES:
        job.fail(
            f"The scene shows {places:,} instances: {places * levels:,} levels of detail are too many objects (at most "
            f"{MOST_PLACES:,}). Set Instances to Realise, or choose fewer objects."
        )
    view.tell()
    if not view.shapes:
        job.warn(view.why_nothing("to make levels of detail of"))
    lods = LodRun(job=job, view=view, workbench=workbench, result=result)
    lods.total_objects = len(view.shapes)
    lods.work_total = sum(_work_of(shape) for shape in view.shapes) or 1
    for shape in view.shapes:
        lods.process(shape)
    lods.warn_of_the_rest()
    workbench.close()
    if lods.objects:
        job.progress(0.98, "Writing the levels of detail", stage="Writing")
        deliver(job, result)
    count = len({entry["object"] for entry in lods.objects})
    job.progress(1.0, f"Made levels of detail for {count:,} object{'' if count == 1 else 's'}", stage="Writing")
    summary: dict[str, Any] = {"objects": lods.objects, "skipped": lods.skipped}
    if view.counts():
        summary["left_alone"] = view.counts()
    if job.missing_files:
        summary["missing_files"] = job.missing_files
    return summary


def _keeps_originals(job: Job) -> bool:
    """Whether a file is to hold the originals as level 0."""
    return bool(job.params.get("original", True)) and not ENGINE_FORMATS.isdisjoint(asked_formats(job))


def _drop_empty(view: View) -> None:
    """Leave alone what has no faces: the artist sees no surface of it, unless it shows instances."""
    kept = [shape for shape in view.shapes if len(shape.mesh.polygons)]
    showing = {one for shape in kept for place in shape.places for one in (place.object, place.instancer)}
    for shape in view.shapes:
        if not len(shape.mesh.polygons):
            view.left_alone["empty"] += len({place.object for place in shape.places} - showing)
            shape.drop()
    view.shapes[:] = kept


def _work_of(shape: Shape) -> int:
    """The shape's part in the progress bar: its polygons."""
    return 1 + (len(shape.mesh.polygons) if shape.mesh is not None else 0)


def _is_sane(values: Any) -> bool:
    return bool((np.abs(values) < FARTHEST).all())  # of what is no number, no comparison is true


def _check(job: Job, shape: Shape) -> None:
    mesh = shape.mesh
    if not _is_sane(column(mesh.vertices, "co", np.float32, 3)):
        raise Skipped("has vertices whose positions are not numbers, or too large to be meant")
    if mesh.validate(verbose=False, clean_customdata=False):
        job.warn(f"“{shape.places[0].name}” had invalid geometry, which was repaired for its levels.")
        if not len(mesh.polygons):
            raise Skipped("has no valid faces")
    _drop_matrices(job, shape)


def _drop_matrices(job: Job, shape: Shape) -> None:
    """Drop attributes of matrices: Blender's edge collapse crashes at them, depending on which others there are."""
    attributes = shape.mesh.attributes
    names = [one.name for one in attributes if one.data_type == "FLOAT4X4"]
    for name in names:
        attributes.remove(attributes[name])
    if names:
        listed = ", ".join(f"“{name}”" for name in names)
        job.warn(f"The levels of “{shape.places[0].name}” lack its attributes of matrices: {listed}.")
