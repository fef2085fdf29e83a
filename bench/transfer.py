"""A scene to the server: the first time, unchanged, and after a small edit saved by a new Blender process.

The peer is the same file as one multipart upload to FastAPI, written to disk and fsynced once. Both are measured in
turns. The chunk store is emptied before each first upload.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import requests
from tests.runtimes import blenders
from tests.stack import Stack

from sendoff import Client
from sendoff.hints import ChunkHints

from .processes import BENCH, free_port, running
from .report import Row, Table, median

PEER = "one multipart upload of the whole file (requests) to FastAPI (bench/multipart_peer.py)"
MEGABYTES = 160
REPEATS = 7
#: Of a Blender series: the most of the file that may go over the wire after the edit.
EDIT_SHARES = {"4.5": 0.005, "5.0": 0.001}
FIRST_SECONDS = 1.1


def measure(folder: Path, *, quick: bool = False) -> Table:
    """Bytes on the wire and seconds, for a scene of each Blender series that is there."""
    table = Table(title=f"Transfer of a {MEGABYTES} MB scene over loopback", peer=PEER)
    found = {series: python for series, python in blenders().items() if series in EDIT_SHARES}
    scenes = {series: _scenes(folder, series, python) for series, python in found.items()}
    port = free_port()
    with (
        Stack(folder / "stack", SENDOFF_WARM_BLENDER="false") as stack,
        running([BENCH / "multipart_peer.py"], folder / "peer.log", ready_url=f"http://127.0.0.1:{port}/docs",
                BENCH_PORT=str(port), BENCH_FOLDER=str(folder)),
        Client(stack.url, stack.token) as client,
    ):  # fmt: skip
        for series, (scene, edited) in scenes.items():
            table.rows += _measure(stack, client, port, series, scene, edited, repeats=2 if quick else REPEATS)
    for series in EDIT_SHARES.keys() - found.keys():
        table.notes.append(f"Blender {series} was not measured: scripts/setup.py bpy {series} makes its environment.")
    return table


def _measure(
    stack: Stack, client: Client, port: int, series: str, scene: Path, edited: Path, *, repeats: int
) -> list[Row]:
    ours: dict[str, list[tuple[float, int]]] = {"first": [], "unchanged": [], "edit": []}
    peer: list[tuple[float, int]] = []
    for repeat in range(repeats + 1):  # the first one warms up both sides and does not count
        _settle()
        _multipart(port, scene, peer if repeat else [])
        for path in (stack.data_dir / "chunks").glob("??"):
            shutil.rmtree(path)
        ChunkHints(stack.url).forget()
        _settle()
        for name, path in (("first", scene), ("unchanged", scene), ("edit", edited)):
            _submit(client, path, ours[name] if repeat else [])
    seconds, whole = (median([float(item[place]) for item in peer]) for place in (0, 1))
    names = {"first": "first upload", "unchanged": "unchanged", "edit": "after a small edit"}
    rows = []
    for name, title in names.items():
        mine, wire = (median([float(item[place]) for item in ours[name]]) for place in (0, 1))
        goals = {"most": FIRST_SECONDS, "most_ratio": 1.0} if name == "first" else {}
        rows.append(Row(what=f"{series}: {title}", ours=mine, peer=seconds, unit="s", **goals))
        most = {"most": EDIT_SHARES[series] * whole / 1e6} if name == "edit" else {}
        rows.append(Row(what=f"{series}: {title}, wire", ours=wire / 1e6, peer=whole / 1e6, unit="MB", **most))
    return rows


def _submit(client: Client, path: Path, found: list[tuple[float, int]]) -> None:
    """Submit as the add-on does; waits for the job, so that its worker does not disturb the next measurement."""
    wire = [0]
    begun = time.perf_counter()
    job = client.submit(path, task="system.noop", on_progress=lambda *told: wire.append(told[2]))
    found.append((time.perf_counter() - begun, max(wire)))
    client.wait(job.id, 60)


def _multipart(port: int, path: Path, found: list[tuple[float, int]]) -> None:
    with requests.Session() as session:
        session.trust_env = False
        begun = time.perf_counter()
        with path.open("rb") as file:
            answer = session.post(f"http://127.0.0.1:{port}/upload", files={"file": (path.name, file)}, timeout=120)
        found.append((time.perf_counter() - begun, int(answer.request.headers["Content-Length"])))
    assert answer.json()["size"] == path.stat().st_size


def _settle() -> None:
    """Have what was written before on disk, so that nobody pays for somebody else's bytes."""
    subprocess.run(["sync"], check=False, timeout=120)


def _scenes(folder: Path, series: str, python: Path) -> tuple[Path, Path]:
    """The scene, and the scene after an edit in a process of its own."""
    scene, edited = folder / f"scene-{series}.blend", folder / f"edited-{series}.blend"
    for arguments in (["make", scene, MEGABYTES], ["edit", scene, edited]):
        subprocess.run(
            [python, "-I", BENCH / "make_scene.py", *map(str, arguments)], check=True, timeout=300,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
    return scene, edited
