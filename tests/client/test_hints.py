"""Hints of which chunks a server has: quick, bounded, and never believed over the server's word."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendoff import Client, hints
from sendoff.hints import ChunkHints

URL = "http://render01:8780"


def names(count: int, start: int = 0) -> list[str]:
    return [hashlib.sha256(str(number).encode()).hexdigest() for number in range(start, start + count)]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SENDOFF_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_hints_are_kept_by_server() -> None:
    ChunkHints(URL).add(names(3))
    ChunkHints(URL + "/").add(names(2, start=3))
    assert ChunkHints(URL).read() == set(names(5))
    assert ChunkHints("http://other:8780").read() == set()
    ChunkHints(URL).forget()
    assert ChunkHints(URL).read() == set()


def test_old_hints_are_dropped_and_renewed_ones_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    days = hints._today()
    ChunkHints(URL).add(names(4))
    monkeypatch.setattr(hints, "_today", lambda: days + hints.KEEP_DAYS)
    ChunkHints(URL).add(names(2))
    monkeypatch.setattr(hints, "_today", lambda: days + hints.KEEP_DAYS + 1)
    assert ChunkHints(URL).read() == set(names(2))


def test_there_are_never_more_than_allowed_and_the_newest_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hints, "MOST_HINTS", 10)
    days = hints._today()
    ChunkHints(URL).add(names(10))
    monkeypatch.setattr(hints, "_today", lambda: days + 1)
    ChunkHints(URL).add(names(6, start=100))
    found = ChunkHints(URL).read()
    assert len(found) == 10
    assert set(names(6, start=100)) <= found


@given(body=st.binary(max_size=500))
def test_a_damaged_file_is_no_hint_and_no_error(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SENDOFF_HOME", str(tmp_path_factory.mktemp("home")))
        kept = ChunkHints(URL)
        kept._path.parent.mkdir(parents=True)
        kept._path.write_bytes(body)
        assert all(len(name) == 64 for name in kept.read())
        kept.add(names(1))
        assert names(1)[0] in kept.read()


def test_a_folder_that_cannot_be_written_only_means_no_hints(home: Path) -> None:
    home.write_text("a file in the way")
    ChunkHints(URL).add(names(1))
    assert ChunkHints(URL).read() == set()


def test_many_processes_may_write_at_once() -> None:
    threads = [threading.Thread(target=ChunkHints(URL).add, args=(names(50, start=50 * n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = ChunkHints(URL).read()
    assert found
    assert found <= set(names(400))


def test_a_second_submit_asks_for_nothing_and_a_wrong_hint_is_made_good(  # type: ignore[no-untyped-def]
    fake, token: str, tmp_path: Path
) -> None:
    path = tmp_path / "notes.bin"
    path.write_bytes(bytes(range(256)) * 20_000)
    with Client(fake.url, token) as client:
        client.submit(path, task="t")
        asked = fake.calls.count("POST /v1/chunks/missing")
        client.submit(path, task="t")
        assert fake.calls.count("POST /v1/chunks/missing") == asked
        kept = dict(fake.chunks)
        fake.chunks.clear()
        gone = {"status": 409, "type": "urn:sendoff:problem:chunks-missing", "missing": ["ab"], "detail": "Gone."}
        fake.faults.append(("/v1/jobs", gone))
        client.submit(path, task="t")
        assert dict(fake.chunks) == kept
