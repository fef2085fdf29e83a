"""Which files are scenes, what their bytes hold, and how verdicts are printed."""

from __future__ import annotations

import json
import os
import sys
import zlib
from pathlib import Path

import children
import pytest
import zstandard
from leaks import leaks
from scene_list import number_of, scenes_of, version_of
from table import DEVIATES, RIGHT, Verdict, print_summary, print_verdict, printable, write_json

HEADS = {
    b"BLENDER-v405": 405,
    b"BLENDER_V280": 280,
    b"BLENDER17-01v0500": 500,
    b"nothing": 0,
}


@pytest.mark.parametrize(("head", "version"), HEADS.items())
@pytest.mark.parametrize("pack", [bytes, zstandard.ZstdCompressor().compress, None])
def test_the_version_is_read_from_any_head(tmp_path: Path, head: bytes, version: int, pack: object) -> None:
    data = head + b"\0" * 100
    packer = zlib.compressobj(wbits=31)
    data = pack(data) if callable(pack) else packer.compress(data) + packer.flush()
    (tmp_path / "a.blend").write_bytes(data)
    assert version_of(tmp_path / "a.blend") == version


def test_scenes_are_found_at_any_depth_and_externals_are_none(tmp_path: Path) -> None:
    for name in ("b.blend", "a/c.USDA", "a/d.fbx", "a/e.png", "a/external/lib.blend", "b.blend1"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert [one.name for one in scenes_of(tmp_path)] == ["a/c.USDA", "a/d.fbx", "b.blend"]
    assert [one.name for one in scenes_of(tmp_path / "b.blend")] == ["b.blend"]


def test_a_newer_file_is_known_by_its_number() -> None:
    assert [number_of(series) for series in ("2.93", "4.2", "5.0")] == [293, 402, 500]


def test_a_path_of_the_worker_is_found_also_if_it_is_compressed(tmp_path: Path) -> None:
    text = b"abc\0/srv/work/job-1/in/scene.blend\0def"
    (tmp_path / "plain.blend").write_bytes(text)
    (tmp_path / "packed.blend").write_bytes(zstandard.ZstdCompressor().compress(text))
    (tmp_path / "part.fbx").write_bytes(b"head" + zlib.compress(text))
    (tmp_path / "clean.blend").write_bytes(b"abc")
    found = {path.name: leaks(path, [Path("/srv/work")]) for path in tmp_path.iterdir()}
    leak = ["/srv/work/job-1/in/scene.blend"]
    assert found == {"plain.blend": leak, "packed.blend": leak, "part.fbx": leak, "clean.blend": []}


def test_verdicts_are_printed_whatever_the_name_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = os.fsdecode(b"sc\xe8ne.blend")
    bad = Verdict(file=name, series="4.5", way="add-on", task="mesh.lods", verdict=DEVIATES, reasons=("place: off",))
    print_verdict(bad)
    print_summary([bad, Verdict(file="a", series="4.5", way="command", task="mesh.lods", verdict=RIGHT)], 3.0)
    printed = capsys.readouterr().out
    assert "place: off" in printed
    assert "2 files, 3 s: 1 right, 1 deviates" in printed
    write_json(tmp_path / "out.json", [bad])
    assert json.loads((tmp_path / "out.json").read_text())["verdicts"][0]["reasons"] == ["place: off"]
    assert "\udce8" not in printable(name)


def blender(code: str, tmp_path: Path) -> children.Blender:
    return children.Blender([sys.executable, "-u", "-c", code], dict(os.environ), tmp_path / "log")


def test_a_process_that_crashes_or_hangs_is_told_and_is_ended(tmp_path: Path) -> None:
    crashes = blender("import os; print('{}'); input(); os.abort()", tmp_path)
    with pytest.raises(children.Ended, match="SIGABRT"):
        crashes.ask({}, 10)
    hangs = blender("import time; print('{}'); input(); time.sleep(60)", tmp_path)
    with pytest.raises(children.Ended, match="hung"):
        hangs.ask({}, 0.2)
    answers = blender("print('{}'); input(); print('{\"verdicts\": []}')", tmp_path)
    assert answers.ask({}, 10) == {"verdicts": []}
    for one in (crashes, hangs, answers):
        one.close()
    assert not children._running


def test_a_command_that_takes_too_long_is_ended() -> None:
    with pytest.raises(children.Ended, match="did not end"):
        children.run([sys.executable, "-c", "import time; time.sleep(60)"], dict(os.environ), 0.2)
    assert children.run([sys.executable, "-c", "print(1)"], dict(os.environ), 20)[:2] == (0, "1\n")
