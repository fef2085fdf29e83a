"""Whether what came back is what the scene shows: places, shape, triangles, layers, materials, properties, names.

The arithmetic is plain numpy on what `surfaces` and `levels` measured. Each deviation is one line with its numbers.

A level is another mesh than its original, so its box may differ by as much as an edge of it. The tolerance follows from
that: of a surface with `t` triangles an edge is about `2 / sqrt(t)` of the diagonal. A place is right if the matrix of
the level is that of the original, or if the box is the same within this tolerance; a shape is right if the box is, and
the level's triangles lie on the original (mean distance). Levels at a ratio of 0.95 are held to a quarter of it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

#: A level has its share of the triangles within 5 % and one.
TRIANGLES_TOLERANCE = 1.05
MOST_LINES_PER_KIND = 4
NEAR_RATIO = 0.9
FEW_TRIANGLES = 40
_LEVEL_0 = r"[_ .-]?LOD[_ ]?0+(\.\d{3,})?$"
_MORE = re.compile(r"\d[\d,]* (more|other|further)\b")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked of the task, and what it said."""

    levels: int
    ratio: float
    texts: tuple[str, ...]
    """Warnings, notes and reasons in the summary."""
    is_first: bool = True
    """Whether no level of an earlier job holds the names."""
    has_parents: bool = True
    """Whether the result names parents; a file of another kind than .blend holds the levels alone."""
    scene: str = ""
    """The scene that was on screen; "" if the result is not in a scene of the artist's."""

    def names(self, name: str) -> bool:
        """Whether something that was said is about this name, or about the last step of this path."""
        last = f"“{name.rpartition('/')[2]}”"
        return any(name in text or last in text for text in self.texts)

    def names_more(self) -> bool:
        """Whether something that was said counts what it does not name."""
        return any(_MORE.search(text) for text in self.texts)


class Deviations:
    """Lines by kind; of many alike the first few and their count."""

    def __init__(self) -> None:
        self._by_kind: dict[str, list[str]] = defaultdict(list)

    def add(self, kind: str, text: str) -> None:
        """Note one deviation."""
        self._by_kind[kind].append(text)

    def lines(self) -> list[str]:
        """One line for each, or for the first of many."""
        found = []
        for kind, texts in self._by_kind.items():
            found += [f"{kind}: {text}" for text in texts[:MOST_LINES_PER_KIND]]
            if len(texts) > MOST_LINES_PER_KIND:
                found.append(f"{kind}: {len(texts) - MOST_LINES_PER_KIND:,} more like these")
        return found


def box_tolerance(triangles: int, ratio: float) -> float:
    """How far a level's box may be from its original's, relative to the diagonal."""
    edge = 2.0 / max(1.0, triangles) ** 0.5
    if ratio < NEAR_RATIO:
        return min(1.0, 0.02 + edge)
    # Of few triangles even one edge less is more than 5 %.
    return min(1.0, 0.002 + (edge / 4 if triangles >= FEW_TRIANGLES else edge / 2))


def distance_tolerance(triangles: int, ratio: float) -> float:
    """How far a level's triangles may lie from the original on average, relative to the diagonal."""
    return box_tolerance(triangles, ratio) / 2


def angle_tolerance(triangles: int, ratio: float) -> float:
    """How far a level's normals may be turned on average, in degrees; inside out is always too far."""
    return min(80.0, 25 + (300 if ratio >= NEAR_RATIO else 600) / max(1, triangles) ** 0.5)


def box_difference(box: np.ndarray, other: np.ndarray) -> float:
    """The largest difference of two boxes, relative to the first's diagonal."""
    diagonal = float(np.linalg.norm(box[1] - box[0])) or 1e-9
    return float(np.abs(box - other).max()) / diagonal


def matrices_agree(matrix: np.ndarray, other: np.ndarray, size: float) -> bool:
    """Whether two places are the same for an object of this size."""
    turn = np.abs(matrix[:3, :3] - other[:3, :3]).max() <= 1e-4 * max(1e-6, np.abs(matrix[:3, :3]).max())
    return bool(turn and np.abs(matrix[:3, 3] - other[:3, 3]).max() <= 1e-4 * max(size, 1e-3))


def judge_levels(
    shown: Sequence[Any],
    levels: Sequence[Any],
    request: Request,
    *,
    measure: Callable[[Any, Any], tuple[float, float] | None] | None = None,
) -> list[str]:
    """Compare what the scene shows with the levels that came back; returns a line for each deviation.

    Args:
        shown: What the scene shows (`surfaces.Shown`).
        levels: What came back (`levels.Level`).
        request: What was asked, and what was said.
        measure: Gives the mean distance and angle of a level from its original, or None.
    """
    found = Deviations()
    shown = [one for one in shown if one.surface.triangles]
    named_meshes = {one.mesh for one in shown if request.names(one.name)} - {""}
    wanted = [one for one in shown if not one.is_left_alone]
    by_name: dict[str, list[int]] = defaultdict(list)
    for index, one in enumerate(shown):
        for name in dict.fromkeys((one.name, one.instancer)):
            if name:
                by_name[name].append(index)
    groups: dict[tuple[str, str | None, int], list[Any]] = defaultdict(list)
    for level in levels:
        groups[level.source, level.library, level.number].append(level)
    done: dict[int, set[int]] = defaultdict(set)
    measured = 0
    for (source, library, number), items in sorted(groups.items(), key=lambda item: (item[0][2], item[0][0])):
        candidates = [index for index in by_name.get(source, []) if index not in done[number]]
        if library is not None and any(shown[index].library == library for index in candidates):
            candidates = [index for index in candidates if shown[index].library == library]
        left_alone = {shown[index].is_left_alone for index in by_name.get(source, [])} - {""}
        if left_alone and all(shown[index].is_left_alone for index in by_name[source]):
            found.add("not left alone", f"“{source}” is a {min(left_alone)} and has LOD {number}")
            continue
        if source not in by_name:
            found.add("not shown", f"“{source}” is not shown on screen and has {len(items)} objects as LOD {number}")
            continue
        matched = match(items, candidates, shown)
        for level, index in matched:
            if index is None:
                found.add("too many", f"{level.object_name}: more levels {number} of “{source}” than places of it")
                continue
            done[number].add(index)
            wants_distance = measure is not None and number == 1 and measured < 200
            measured += wants_distance
            judge_one(found, shown[index], level, request, measure if wants_distance else None)
            is_said = shown[index].mesh in named_meshes or request.names_more()
            judge_triangles(found, shown[index], level, request, is_said=is_said)
    report_missing(found, wanted, shown, done, request)
    return found.lines()


def match(items: Sequence[Any], candidates: Sequence[int], shown: Sequence[Any]) -> list[tuple[Any, int | None]]:
    """Pair each level with the nearest place that no other has; the closest pairs first."""
    if not candidates:
        return [(level, None) for level in items]
    # Two places may have the same box and be turned: the matrix decides then.
    boxes = np.stack([signature(shown[index]) for index in candidates])
    ours = np.stack([signature(level.shown) for level in items])
    pairs = []
    if len(items) * len(candidates) <= 4_000_000:
        costs = np.abs(ours[:, None, :] - boxes[None, :, :]).sum(axis=2)
        order = np.argsort(costs, axis=None, kind="stable")
        rows, columns = np.unravel_index(order, costs.shape)
    else:  # too many for all pairs: both sorted by place
        rows, columns = np.lexsort(np.round(ours, 2).T), np.lexsort(np.round(boxes, 2).T)
        rows, columns = rows[: len(columns)], columns[: len(rows)]
    taken_rows: set[int] = set()
    taken_columns: set[int] = set()
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if row in taken_rows or column in taken_columns:
            continue
        taken_rows.add(row)
        taken_columns.add(column)
        pairs.append((items[row], candidates[column]))
        if len(taken_rows) == len(items) or len(taken_columns) == len(candidates):
            break
    return pairs + [(items[row], None) for row in range(len(items)) if row not in taken_rows]


def signature(one: Any) -> np.ndarray:
    """What tells places apart: the box, and a little of the matrix."""
    box = one.box.reshape(6) if len(one.surface.positions) else np.zeros(6)
    return np.concatenate([box, 1e-3 * one.matrix[:3].reshape(12)])


def judge_one(
    found: Deviations, original: Any, level: Any, request: Request, measure: Callable[..., Any] | None
) -> None:
    """Compare one level with its original."""
    name, before, after = level.object_name, original.surface, level.shown.surface
    if not after.is_finite or not after.triangles:
        found.add("broken", f"{name}: {after.triangles} triangles, finite: {after.is_finite}")
        return
    _judge_place(found, original, level, request, measure)
    for kind, mine, its in (
        ("UV layers", before.uv_layers, after.uv_layers),
        ("colour attributes", sorted(before.colours), sorted(after.colours)),
    ):
        if mine != its:
            found.add(kind, f"{name}: {mine} became {its}")
    if level.number == 1 and before.has_custom_normals and not after.has_custom_normals:
        found.add("custom normals", f"{name}: they are gone")
    if level.number == 1 and before.is_smooth and not after.is_smooth:
        found.add("shading", f"{name}: smooth became flat")
    if _without_end(before.slots) != _without_end(after.slots):
        found.add("material slots", f"{name}: {before.slots} became {after.slots}")
    lost = [one for one in before.used if one not in after.used]
    if level.number == 1 and lost and after.triangles > 50:
        found.add("materials of faces", f"{name}: no face has {lost[:4]}")
    strange = [one for one in after.used if one not in before.used]
    if strange or (after.wrong_slots and not before.wrong_slots):
        found.add("materials of faces", f"{name}: faces have {strange[:4]}, {after.wrong_slots} of them no slot")
    _judge_what_goes_along(found, original, level, request)
    wanted_scenes = {request.scene} if request.scene in original.scenes else set(original.scenes)
    if request.scene and wanted_scenes and not wanted_scenes & set(level.scenes):
        found.add("scene", f"{name}: is in {list(level.scenes)}, the original in {sorted(wanted_scenes)}")
    plain = level.source.rpartition("/")[2] or level.source
    last = original.name.rpartition("/")[2] or original.name
    stem, whole = (re.sub(_LEVEL_0, "", part, flags=re.IGNORECASE) for part in (last, original.name))
    # In FBX, a colon is a namespace, which a level has none of, and a bar is no part of a name.
    named = (stem, whole, plain, last, last.rpartition(":")[2], re.sub(r"[:|/\\]", "_", last))
    stems = "|".join(re.escape(_begin(part)) for part in named)
    wanted = re.compile(rf"({stems}).*_LOD{level.number}(\.\d{{3,}})?$", re.DOTALL)
    if (request.is_first and not wanted.match(name)) or (stem != last and f"{last}_LOD" in name):
        found.add("name", f"“{original.name}” gave “{name}”")


def _begin(name: str) -> str:
    """What stays of a long name that is cut for its suffix; Blender counts bytes."""
    return name.encode("utf-8", "surrogateescape")[:40].decode("utf-8", "ignore")


def _without_end(slots: list[Any]) -> list[Any]:
    while slots and slots[-1] is None:
        slots = slots[:-1]
    return slots


def _judge_place(found: Deviations, original: Any, level: Any, request: Request, measure: Any) -> None:
    ratio = request.ratio**level.number
    difference = box_difference(original.box, level.shown.box)
    size = float(np.linalg.norm(original.box[1] - original.box[0]))
    agree = matrices_agree(original.matrix, level.shown.matrix, size)
    triangles = level.shown.surface.triangles
    tolerance = box_tolerance(triangles, 0.0 if agree else ratio)
    if difference > tolerance:
        shift = np.round((level.shown.box - original.box).mean(axis=0), 4).tolist()
        found.add(
            "place",
            f"{level.object_name}: box deviates by {difference:.3g} of the diagonal (tolerance {tolerance:.2g}), "
            f"moved by {shift}, {original.surface.triangles} -> {triangles} triangles",
        )
        return
    both = measure(level.shown, original) if measure is not None else None
    if both is None:
        return
    distance, angle = both
    if distance > distance_tolerance(triangles, ratio):
        found.add("shape", f"{level.object_name}: on average {distance:.3g} of the diagonal off the original")
    elif angle > angle_tolerance(triangles, ratio):
        found.add("normals", f"{level.object_name}: on average {angle:.0f} degrees off the original")


def judge_triangles(found: Deviations, original: Any, level: Any, request: Request, *, is_said: bool) -> None:
    """Compare the count of triangles with the ratio; more are right if the job says so."""
    if not original.is_tessellated:
        return
    before, after = original.surface.triangles, level.shown.surface.triangles
    target = max(1, round(before * request.ratio**level.number))
    is_said = is_said or request.names(original.name) or request.names(level.source)
    if after > max(target * TRIANGLES_TOLERANCE, target + 1) and not is_said:
        found.add("triangles", f"{level.object_name}: {after:,} of {before:,}, wanted {target:,}, and no word")
    if after < target * 0.9 - 2:
        found.add("triangles", f"{level.object_name}: {after:,} of {before:,}, wanted {target:,}")


def _judge_what_goes_along(found: Deviations, original: Any, level: Any, request: Request) -> None:
    if original.instancer:
        return
    name = level.object_name
    for kind, mine, its in (
        ("object properties", original.properties, level.properties),
        ("mesh properties", original.mesh_properties, level.mesh_properties),
    ):
        lost = sorted(key for key in mine if not alike(mine[key], its.get(key)))
        if lost:
            found.add(kind, f"{name}: {lost[:4]} did not come along")
    if not request.has_parents:
        return
    if original.parent is not None and original.parent != level.shown.parent:
        found.add("parent", f"{name}: “{original.parent}” became “{level.shown.parent}”")
    if original.bone != level.bone:
        found.add("parent bone", f"{name}: “{original.bone}” became “{level.bone}”")


def alike(one: Any, other: Any) -> bool:
    """Whether two values of a custom property are the same."""
    try:
        return bool(np.allclose(np.asarray(one, float), np.asarray(other, float)))
    except (TypeError, ValueError):
        return bool(one == other)


def report_missing(
    found: Deviations, wanted: Sequence[Any], shown: Sequence[Any], done: dict[int, set[int]], request: Request
) -> None:
    """Add what shows and has no level, and about which nothing was said."""
    places = {id(one): index for index, one in enumerate(shown)}
    lacking: dict[tuple[str, str], list[int]] = defaultdict(list)
    total: dict[tuple[str, str], int] = defaultdict(int)
    for one in wanted:
        key = (one.name, one.instancer)
        total[key] += 1
        lacks = [number for number in range(1, request.levels + 1) if places[id(one)] not in done[number]]
        if lacks and not one.may_be_left_alone:
            lacking[key].append(len(lacks))
    for (name, instancer), counts in lacking.items():
        if request.names(name) or (instancer and request.names(instancer)) or request.names_more():
            continue
        by = f", instanced by “{instancer}”," if instancer else ""
        found.add(
            "no level",
            f"“{name}”{by} shows {total[name, instancer]} times; {len(counts)} of them lack "
            f"{max(counts)} of {request.levels} levels, and nothing was said",
        )


def judge_unsaid(shown: Iterable[Any], request: Request) -> list[str]:
    """Whether what was left alone is said, in one line at least."""
    kinds = {one.is_left_alone for one in shown} - {""}
    if kinds and not any(re.search(r"\d", text) or "left" in text for text in request.texts):
        return [f"left alone: a {kind} is shown, and nothing says that it is left alone" for kind in sorted(kinds)]
    return []
