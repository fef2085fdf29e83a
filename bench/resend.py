"""Sending again what is no .blend: how much of a USD scene is new after an edit.

The scene is twenty meshes, as binary and as text. The peer is the same file cut every 1 MiB, as a plain chunk store
cuts it. What is counted are the bytes of chunks that the first version did not have.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pxr import Usd, UsdGeom, Vt

from sendoff import chunking
from sendoff.protocol import CHUNK_BYTES

from .report import Row, Table

PEER = "the same file, cut every 1 MiB"
#: After a vertex is moved, this part of the file may be new.
MOST_OF_THE_FILE = 0.01
_MESHES, _SEED = 20, 1


def measure(folder: Path, *, quick: bool = False) -> Table:
    """Megabytes that are new after an edit."""
    table = Table(title="A USD scene, sent again", peer=PEER)
    for suffix, vertices in ((".usdc", 100_000), (".usda", 10_000)):
        size = vertices // 10 if quick else vertices
        before = write(folder / f"before{suffix}", size)
        edits = {
            "a vertex moved": write(folder / f"moved{suffix}", size, moved=1.0),
            "a mesh added": write(folder / f"added{suffix}", size, added=1),
        }
        for what, after in edits.items():
            whole = after.stat().st_size
            table.rows.append(
                Row(
                    what=f"{suffix}, {whole / 1e6:.1f} MB: {what}",
                    ours=new_bytes(chunks(before), chunks(after)) / 1e6,
                    unit="MB",
                    peer=new_bytes(fixed(before), fixed(after)) / 1e6,
                    most=MOST_OF_THE_FILE * whole / 1e6 if suffix == ".usdc" and "moved" in what else None,
                )
            )
    table.notes.append(f"An added mesh is {100 / (_MESHES + 1):.1f} % of the file itself.")
    return table


def write(path: Path, vertices: int, *, moved: float = 0.0, added: int = 0) -> Path:
    """A scene of meshes of random points and faces; the same seed makes the same meshes."""
    noise = np.random.default_rng(_SEED)
    stage = Usd.Stage.CreateNew(str(path))
    for number in range(_MESHES + added):
        mesh = UsdGeom.Mesh.Define(stage, f"/mesh{number}")
        points = noise.random((vertices, 3), dtype=np.float32)
        if number == _MESHES // 3:
            points[5] += moved
        corners = np.arange(vertices // 4 * 4, dtype=np.int32)
        noise.shuffle(corners)
        mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(points))
        mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(corners))
        mesh.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(np.full(vertices // 4, 4, np.int32)))
    stage.Save()
    return path


def chunks(path: Path) -> Iterator[bytes]:
    """As the SDK cuts it."""
    data = path.read_bytes()
    return (data[one.offset : one.offset + one.size] for one in chunking.cut(path).chunks)


def fixed(path: Path) -> Iterator[bytes]:
    """As the peer cuts it."""
    data = path.read_bytes()
    return (data[start : start + CHUNK_BYTES] for start in range(0, len(data), CHUNK_BYTES))


def new_bytes(before: Iterator[bytes], after: Iterator[bytes]) -> int:
    """The bytes of the pieces that are not among those before."""
    known = {hash(piece) for piece in before}
    return sum(len(piece) for piece in after if hash(piece) not in known)
