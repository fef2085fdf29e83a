"""The meshes that Maya's own commands make, with one UV set `map1`."""

from __future__ import annotations

import math

from .model import Mesh


def cube(size: tuple[float, float, float]) -> Mesh:
    """A box around the origin: width along X, height along Y, depth along Z."""
    x, y, z = (one / 2.0 for one in size)
    points = [(-x, -y, z), (x, -y, z), (-x, y, z), (x, y, z), (-x, y, -z), (x, y, -z), (-x, -y, -z), (x, -y, -z)]
    faces = [(0, 1, 3, 2), (2, 3, 5, 4), (4, 5, 7, 6), (6, 7, 1, 0), (1, 7, 5, 3), (6, 0, 2, 4)]
    return _mesh(points, faces)


def plane(size: tuple[float, float], across: int, along: int) -> Mesh:
    """A grid on the ground."""
    points = [
        (size[0] * (column / across - 0.5), 0.0, size[1] * (0.5 - row / along))
        for row in range(along + 1)
        for column in range(across + 1)
    ]
    wide = across + 1
    faces = [
        (row * wide + column, row * wide + column + 1, (row + 1) * wide + column + 1, (row + 1) * wide + column)
        for row in range(along)
        for column in range(across)
    ]
    return _mesh(points, faces)


def sphere(radius: float, around: int, along: int) -> Mesh:
    """A ball around the origin, its poles on Y."""
    points = [
        (
            radius * math.sin(math.pi * row / along) * math.sin(2 * math.pi * column / around),
            -radius * math.cos(math.pi * row / along),
            radius * math.sin(math.pi * row / along) * math.cos(2 * math.pi * column / around),
        )
        for row in range(1, along)
        for column in range(around)
    ]
    faces: list[tuple[int, ...]] = [
        (row * around + column, row * around + (column + 1) % around,
         (row + 1) * around + (column + 1) % around, (row + 1) * around + column)
        for row in range(along - 2)
        for column in range(around)
    ]  # fmt: skip
    low, high = len(points), len(points) + 1
    points += [(0.0, -radius, 0.0), (0.0, radius, 0.0)]
    faces += [(low, (column + 1) % around, column) for column in range(around)]
    last = (along - 2) * around
    faces += [(last + column, last + (column + 1) % around, high) for column in range(around)]
    return _mesh(points, faces)


def _mesh(points: list[tuple[float, float, float]], faces: list[tuple[int, ...]]) -> Mesh:
    counts = [len(face) for face in faces]
    corners = [index for face in faces for index in face]
    us = [points[index][0] for index in corners]
    vs = [points[index][1] for index in corners]
    return Mesh(points, counts, corners, {"map1": (us, vs, counts[:], list(range(len(corners))))})
