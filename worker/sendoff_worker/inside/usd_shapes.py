"""USD's own shapes (cube, sphere, cylinder, cone, capsule, plane) as points and faces."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

#: Faces around a round shape, and from its pole to its equator.
AROUND, QUARTER = 32, 8

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


def shape_arrays(prim: Any, time: Any) -> Arrays | None:
    """Points (n, 3), corners of each face, and the points of the corners; None for a prim of another type."""
    kind = str(prim.GetTypeName()).removesuffix("_1")

    def number(name: str, default: float) -> float:
        attribute = prim.GetAttribute(name)
        value = attribute.Get(time) if attribute else None
        return default if value is None else float(value)

    if kind == "Cube":
        return _cube(number("size", 2.0))
    if kind == "Plane":
        arrays = _plane(number("width", 2.0), number("length", 2.0))
    elif kind == "Sphere":
        return _turned_profile(_arc(number("radius", 1.0), -90.0, 90.0, 2 * QUARTER, 0.0))
    elif kind in ("Cylinder", "Cone", "Capsule"):
        default = 0.5 if kind == "Capsule" else 1.0
        height = number("height", 1.0 if kind == "Capsule" else 2.0)
        radius = number("radius", default)
        low, high = number("radiusBottom", radius), number("radiusTop", 0.0 if kind == "Cone" else radius)
        if kind == "Capsule":
            bottom = _arc(low, -90.0, 0.0, QUARTER, -height / 2)
            profile = np.concatenate([bottom, _arc(high, 0.0, 90.0, QUARTER, height / 2)])
        else:
            profile = np.array([(0.0, -height / 2), (low, -height / 2), (high, height / 2), (0.0, height / 2)])
        arrays = _turned_profile(profile)
    else:
        return None
    points, counts, corners = arrays
    return _along(points, str(prim.GetAttribute("axis").Get(time) or "Z")), counts, corners


def _along(points: np.ndarray, axis: str) -> np.ndarray:
    """Turn a shape along Z to another axis, as USD does: the width of a plane then lies along -Z or X."""
    order, signs = {"X": ((2, 1, 0), (1, 1, -1)), "Y": ((0, 2, 1), (1, 1, -1))}.get(axis, ((0, 1, 2), (1, 1, 1)))
    return points[:, order] * np.array(signs, np.float32)


def _cube(size: float) -> Arrays:
    half = size / 2
    points = [(x, y, z) for x in (-half, half) for y in (-half, half) for z in (-half, half)]
    corners = [0, 1, 3, 2, 4, 6, 7, 5, 0, 4, 5, 1, 2, 3, 7, 6, 0, 2, 6, 4, 1, 5, 7, 3]
    return np.array(points, np.float32), np.full(6, 4, np.int32), np.array(corners, np.int32)


def _plane(width: float, length: float) -> Arrays:
    x, y = width / 2, length / 2
    points = [(-x, -y, 0.0), (x, -y, 0.0), (x, y, 0.0), (-x, y, 0.0)]
    return np.array(points, np.float32), np.array([4], np.int32), np.arange(4, dtype=np.int32)


def _arc(radius: float, start: float, end: float, steps: int, height: float) -> np.ndarray:
    """Points (distance from the axis, height) of a part of a circle, from one angle in degrees to another."""
    angles = [math.radians(start + (end - start) * step / steps) for step in range(steps + 1)]
    return np.array([(radius * max(0.0, math.cos(angle)), height + radius * math.sin(angle)) for angle in angles])


def _turned_profile(profile: np.ndarray) -> Arrays:
    """A shape around Z. Args: profile: points (distance from the axis, height), from below to above."""
    points: list[tuple[float, float, float]] = []
    rings: list[list[int]] = []
    corners = profile.tolist()
    for distance, height in (one for one, before in zip(corners, [None, *corners], strict=False) if one != before):
        if distance <= 1e-9:
            rings.append([len(points)] * AROUND)
            points.append((0.0, 0.0, height))
            continue
        rings.append(list(range(len(points), len(points) + AROUND)))
        turns = [2 * math.pi * step / AROUND for step in range(AROUND)]
        points += [(distance * math.cos(turn), distance * math.sin(turn), height) for turn in turns]
    faces = []
    for below, above in itertools.pairwise(rings):
        for step in range(AROUND):
            following = (step + 1) % AROUND
            face = [below[step], below[following], above[following], above[step]]
            plain = list(dict.fromkeys(face))
            if len(plain) > 2:
                faces.append(plain)
    counts = np.array([len(face) for face in faces], np.int32)
    return np.array(points, np.float32), counts, np.array([index for face in faces for index in face], np.int32)
