"""The task mesh.lods: levels of detail for every mesh object of the scene."""

from __future__ import annotations

import traceback
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from .decimation import RATIO_TOLERANCE, Decimator
from .evaluation import Workbench, is_plain, modifiers_in_use
from .job import Job, JobFailed
from .lod_result import LodResult, deliver
from .lod_sources import Source, is_own_level, mesh_sources
from .mesh_arrays import column, content_digest, triangle_count

WARNINGS_PER_KIND = 10
LARGE_TRIANGLES = 500_000
"""Above, each level is made from the one before: nearly as good, and each takes half the time of the last."""


class Skipped(Exception):
    """The object gets no levels. The message is the reason."""


@dataclass(frozen=True, kw_only=True)
class Levels:
    """The levels of one evaluated mesh, shared by all objects that show it."""

    meshes: list[Any]
    faces: list[int]
    triangles: list[int]


@dataclass
class LodRun:
    """One run of the task."""

    job: Job
    workbench: Workbench
    result: LodResult
    done: dict[Any, Levels] = field(default_factory=dict)
    objects: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[dict[str, str]] = field(default_factory=list)
    warned: Counter[str] = field(default_factory=Counter)
    work_total: int = 1
    work_done: int = 0
    total_objects: int = 0

    def process(self, source: Source) -> None:
        """Make and place the levels of one object, or note why there are none."""
        one = source.object
        try:
            levels, matrix = self._levels_of(source)
            for level, mesh in enumerate(levels.meshes, start=1):
                self.result.add(source, mesh, level, matrix)
            self.objects.append(
                {"object": source.name, "mesh": one.data.name, "faces": levels.faces, "triangles": levels.triangles}
            )
        except Skipped as reason:
            self._skip(source, str(reason))
        except (JobFailed, MemoryError, OSError):
            raise
        except Exception as error:
            traceback.print_exc()
            self._skip(source, f"could not be processed ({type(error).__name__})")
        self.work_done += work_of(one)

    def _skip(self, source: Source, reason: str) -> None:
        self.skipped.append({"object": source.name, "reason": reason})
        self._warn("left out", f"“{source.name}” {reason}; it is left out.")

    def _levels_of(self, source: Source) -> tuple[Levels, Matrix]:
        one = source.object
        if one.data is None:
            raise Skipped("has no mesh")
        mesh, matrix = self.workbench.evaluate(one, source.scene)
        if source.placement is not None:
            matrix = source.placement @ matrix
        try:
            key = (one.data, None if is_plain(one) else content_digest(mesh))
            if key not in self.done:
                self._warn_of_baked(source)
                self.done[key] = self._decimate(source, mesh)
        finally:
            bpy.data.meshes.remove(mesh)
        return self.done[key], matrix

    def _decimate(self, source: Source, mesh: Any) -> Levels:
        one = source.object
        _check(self.job, source, mesh)
        count, ratio = self.job.params.get("levels", 3), self.job.params.get("ratio", 0.5)
        triangles = triangle_count(mesh)
        levels = Levels(meshes=[], faces=[len(mesh.polygons)], triangles=[triangles])
        self.result.adopt_materials(mesh)
        decimator = self._decimator(mesh)
        short = None
        try:
            for level in range(1, count + 1):
                target = max(1, round(triangles * ratio**level))
                self._say(source, level, count, levels.triangles[-1], target)
                made = decimator.level(target)
                made.name = f"{one.data.name}_LOD{level}"
                levels.meshes.append(made)
                levels.faces.append(len(made.polygons))
                levels.triangles.append(triangle_count(made))
                if triangles > LARGE_TRIANGLES and level < count:
                    decimator.close()
                    decimator = self._decimator(made)
                if short is None and levels.triangles[-1] > max(target * RATIO_TOLERANCE, target + 1):
                    short = (level, levels.triangles[-1], target)
        finally:
            decimator.close()
        if short is not None:
            self._warn(
                "above their ratio",
                f"“{source.name}” keeps {short[1]:,} triangles at LOD {short[0]} instead of {short[2]:,}: "
                "its topology allows no fewer (too small, or in too many loose pieces).",
            )
        return levels

    def _decimator(self, mesh: Any) -> Decimator:
        keep = {name: self.job.params.get(name, True) for name in ("keep_uvs", "keep_borders")}
        return Decimator(self.workbench, mesh, **keep)

    def _say(self, source: Source, level: int, levels: int, before: int, after: int) -> None:
        fraction = (self.work_done + work_of(source.object) * (level - 1) / levels) / self.work_total
        self.job.progress(
            min(0.98, fraction),
            f"{source.name}: LOD {level} of {levels} ({before:,} -> {after:,} triangles)",
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

    def _warn_of_baked(self, source: Source) -> None:
        one = source.object
        if one.data.shape_keys is not None:
            self._warn(
                "baked with their shape keys",
                f"“{source.name}” has shape keys: its levels hold their present mix, without the keys.",
            )
        if any(modifier.type == "ARMATURE" for modifier in modifiers_in_use(one)):
            self._warn(
                "baked in their pose",
                f"“{source.name}” is posed by an armature: its levels hold the present pose, without the skin.",
            )


def run(job: Job) -> dict[str, Any]:
    """Make ``levels`` levels of detail of each mesh object in the scope, each of ``ratio`` of the triangles before."""
    job.progress(0.0, "Looking for mesh objects", stage="Looking")
    sources = mesh_sources(job.scope)
    lods = LodRun(job=job, workbench=Workbench(), result=LodResult())
    again = [source for source in sources if is_own_level(source.object)]
    for source in again:
        reason = "is a level of detail that an earlier job made"
        lods.skipped.append({"object": source.name, "reason": reason})
    sources = [source for source in sources if source not in again]
    if not sources:
        where = "The scene has" if job.scope is None else f"The chosen objects ({job.scope.title}) hold"
        job.warn(f"{where} no mesh objects to make levels of detail of.")
    lods.total_objects = len(sources)
    lods.work_total = sum(work_of(source.object) for source in sources) or 1
    for source in sources:
        lods.process(source)
    lods.warn_of_the_rest()
    lods.workbench.close()
    if lods.objects:
        job.progress(0.98, "Writing the levels of detail", stage="Writing")
        deliver(job, lods.result, job.params.get("formats") or ["scene"])
    count = len(lods.objects)
    job.progress(1.0, f"Made levels of detail for {count:,} object{'' if count == 1 else 's'}", stage="Writing")
    return {"objects": lods.objects, "skipped": lods.skipped}


def work_of(one: Any) -> int:
    """The object's part in the progress bar: its polygons, before the modifiers."""
    return 1 + (len(one.data.polygons) if one.data is not None else 0)


def _check(job: Job, source: Source, mesh: Any) -> None:
    if not len(mesh.polygons):
        raise Skipped("has no faces")
    if not np.isfinite(column(mesh.vertices, "co", np.float32, 3)).all():
        raise Skipped("has vertices whose positions are not numbers")
    if mesh.validate(verbose=False, clean_customdata=False):
        job.warn(f"“{source.name}” had invalid geometry, which was repaired for its levels.")
        if not len(mesh.polygons):
            raise Skipped("has no valid faces")
