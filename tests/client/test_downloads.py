from __future__ import annotations

import math
import os
import threading
from pathlib import Path

import pytest

from sendoff import downloads
from sendoff.downloads import ResultFile, fetch
from sendoff.errors import ConnectionFailed, InputError, IntegrityError, ManifestError, NotFound, Stopped

DATA = os.urandom(3_000_000)


@pytest.fixture
def promised(fake) -> ResultFile:  # type: ignore[no-untyped-def]
    fake.add_job()
    return ResultFile(**fake.add_file("out/car lods.blend", DATA))


def test_a_file_when_fetched_then_it_is_whole_and_no_part_is_left(connection, promised, tmp_path) -> None:  # type: ignore[no-untyped-def]
    seen = []
    paths = fetch(connection, "j1", [promised], tmp_path / "r", on_progress=lambda *numbers: seen.append(numbers))
    assert paths == [tmp_path / "r/out/car lods.blend"]
    assert paths[0].read_bytes() == DATA
    assert [path.name for path in paths[0].parent.iterdir()] == ["car lods.blend"]
    assert seen[-1] == (len(DATA), len(DATA))


def test_a_download_when_it_breaks_then_it_goes_on_from_there(fake, connection, promised, tmp_path) -> None:  # type: ignore[no-untyped-def]
    fake.faults.extend([("/v1/jobs/j1/files", ("part", 1_000_000)), ("/v1/jobs/j1/files", ("part", 500_000))])
    (path,) = fetch(connection, "j1", [promised], tmp_path)
    assert path.read_bytes() == DATA
    assert len([call for call in fake.calls if "files" in call]) == 3


def test_a_download_when_it_is_always_cut_at_the_same_place_then_nobody_waits_for_ever(  # type: ignore[no-untyped-def]
    fake, connection, promised, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(downloads, "MOST_CUTS", 3)
    fake.faults.extend([("/v1/jobs/j1/files", ("part", 0))] * 50)
    with pytest.raises(ConnectionFailed, match="breaks off again and again"):
        fetch(connection, "j1", [promised], tmp_path, patience_seconds=math.inf)


def test_a_part_when_left_by_an_earlier_run_then_only_the_rest_is_asked(fake, connection, promised, tmp_path) -> None:  # type: ignore[no-untyped-def]
    fake.faults.append(("/v1/jobs/j1/files", ("part", 2_000_000)))
    with pytest.raises(ConnectionFailed):
        fetch(connection, "j1", [promised], tmp_path, patience_seconds=-1)
    seen = []
    (path,) = fetch(connection, "j1", [promised], tmp_path, on_progress=lambda done, _: seen.append(done))
    assert path.read_bytes() == DATA
    assert min(seen) > 1_000_000


def test_a_file_when_it_is_there_already_then_nothing_is_asked(fake, connection, promised, tmp_path) -> None:  # type: ignore[no-untyped-def]
    fetch(connection, "j1", [promised], tmp_path)
    fake.calls.clear()
    fetch(connection, "j1", [promised], tmp_path)
    assert fake.calls == []


def test_a_part_when_damaged_then_the_file_is_fetched_anew(fake, connection, promised, tmp_path) -> None:  # type: ignore[no-untyped-def]
    target = tmp_path / promised.path
    target.parent.mkdir()
    target.with_name(f"{target.name}.{promised.sha256[:12]}.part").write_bytes(bytes(1000))
    fetch(connection, "j1", [promised], tmp_path)
    assert target.read_bytes() == DATA


def test_bytes_when_they_are_not_the_promised_ones_then_integrity_error_and_nothing_is_left(  # type: ignore[no-untyped-def]
    fake, connection, promised, tmp_path
) -> None:
    fake.files[promised.path] = bytes(len(DATA))
    with pytest.raises(IntegrityError, match="damaged twice"):
        fetch(connection, "j1", [promised], tmp_path)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("path", ["../evil", "/etc/passwd", "a/../../b", "C:/x"])
def test_a_path_when_it_would_leave_the_folder_then_it_is_refused(connection, tmp_path, path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ManifestError):
        fetch(connection, "j1", [ResultFile(path, 1, "0" * 64)], tmp_path)


def test_a_job_when_unknown_then_not_found(connection, promised, tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(NotFound):
        fetch(connection, "other", [promised], tmp_path)


def test_a_download_when_stopped_then_it_ends(connection, promised, tmp_path) -> None:  # type: ignore[no-untyped-def]
    stop = threading.Event()
    with pytest.raises(Stopped):
        fetch(connection, "j1", [promised], tmp_path, on_progress=lambda *_: stop.set(), stop=stop)


def test_a_folder_when_a_file_is_in_the_way_then_input_error(connection, promised, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(
        InputError, match=r"cannot be written: .*\. Make room there, or choose another results folder\."
    ):
        fetch(connection, "j1", [promised], tmp_path)
