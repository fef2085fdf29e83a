"""The tasks that other suites use are themselves as they say."""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.stack import wait_for
from tests.worker.conftest import Bench

from sendoff.form_fields import FieldKind
from sendoff.form_schema import fields_of
from sendoff.scope import Scope
from sendoff.states import JobState
from sendoff_server.params import check_params
from sendoff_server.problems import Problem
from sendoff_worker import registry

FOLDER = Path(__file__).resolve().parents[1] / "tasks_for_tests"


@pytest.fixture(autouse=True)
def _loaded(declare: Callable[..., Any]) -> None:
    assert registry.load([FOLDER]) == []


def schema(name: str) -> dict[str, Any]:
    task = registry.find(name)
    assert task is not None
    return dict(task.info().params)


def test_the_form_has_one_parameter_of_every_kind() -> None:
    kinds = {".".join(field.path): field.kind for field in fields_of(schema("studio.form"))}
    assert {
        FieldKind.INT, FieldKind.FLOAT, FieldKind.BOOL, FieldKind.STRING, FieldKind.CHOICE, FieldKind.FLAGS,
        FieldKind.COLOUR, FieldKind.FILE,
    } <= set(kinds.values())  # fmt: skip
    assert {name for name in kinds if name.startswith("camera.")} == {"camera.lens", "camera.track"}


def test_the_form_says_which_parameters_and_which_scope_arrived(bench: Bench, tmp_path: Path) -> None:
    given = {
        "count": 8, "distance": 0.25, "smooth": False, "quality": "final", "passes": ["depth", "color"], "label": "α",
        "tint": "#000000", "cache": "//cache/a.bin", "camera": {"lens": 35.0, "track": True}, "seed": 7,
    }  # fmt: skip
    check_params("studio.form", schema("studio.form"), given)
    scope = Scope("2 selected objects", (("A", None), ("B", None))).write(tmp_path).source
    job = bench.job("studio.form", given, scope=scope)
    bench.runner.run(job)
    record = bench.record(job)
    assert record.state is JobState.SUCCEEDED, record.message
    assert record.result is not None
    assert record.result["summary"]["params"] == given
    assert record.result["summary"]["scope"] == {"title": "2 selected objects", "objects": 2}


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"count": 9}, "params.count"),
        ({"passes": []}, "params.passes"),
        ({"passes": ["smell"]}, "params.passes.0"),
        ({"camera": {"lens": 0}}, "params.camera.lens"),
        ({"seed": "x"}, "params.seed"),
        ({"quality": "best"}, "params.quality"),
    ],
)
def test_a_wrong_parameter_of_the_form_is_named(params: dict[str, Any], field: str) -> None:
    with pytest.raises(Problem) as refused:
        check_params("studio.form", schema("studio.form"), params)
    assert refused.value.more["field"] == field


def test_a_swatch_is_a_picture_of_its_colour_and_size(bench: Bench) -> None:
    record = bench.run("studio.swatch", {"color": "#102030", "size": 5})
    assert record.result is not None
    (file,) = record.result["files"]
    assert (file["path"], file["media_type"], file["role"]) == ("swatch.png", "image/png", "result")
    data = b"".join(bench.blobs.get(chunk[0]) for chunk in file["chunks"])
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", data[16:24]) == (5, 5)
    start = data.index(b"IDAT") + 4
    (length,) = struct.unpack(">I", data[start - 8 : start - 4])
    assert zlib.decompress(data[start : start + length]) == (b"\0" + bytes.fromhex("102030") * 5) * 5


def test_a_swatch_of_no_colour_fails_with_a_sentence(bench: Bench) -> None:
    record = bench.run("studio.swatch", {"color": "blue"})
    assert (record.state, record.message) == (
        JobState.FAILED, "The colour 'blue' is not like #3fa7d6. Choose another one.",
    )  # fmt: skip


def test_a_held_job_hands_in_its_files_once_the_gate_is_there(bench: Bench, tmp_path: Path) -> None:
    gate, result = tmp_path / "gate", tmp_path / "lods.blend"
    result.write_bytes(b"BLENDER")
    gate.touch()
    record = bench.run("studio.held", {"gate": str(gate), "results": [str(result)]})
    assert record.result is not None
    assert [file["path"] for file in record.result["files"]] == ["lods.blend"]


def test_a_held_job_that_nobody_lets_go_on_can_be_cancelled(bench: Bench, tmp_path: Path) -> None:
    job = bench.job("studio.held", {"gate": str(tmp_path / "gate")})
    running = threading.Thread(target=bench.runner.run, args=(job,))
    running.start()
    wait_for(lambda: bench.record(job).state is JobState.RUNNING, "the job")
    bench.cancel(job)
    running.join(20)
    assert bench.record(job).state is JobState.CANCELLED
