"""The way to the server is away for a while in the middle of an upload, a download and any other call."""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.client.conftest import TOKEN, FakeServer
from tests.way import Way

from sendoff import Client
from sendoff.connection import Connection
from sendoff.downloads import ResultFile, fetch
from sendoff.errors import ConnectionFailed
from sendoff.submission import SceneFile, Submission
from sendoff.transfer import upload

AWAY_SECONDS = 4.0
DATA = os.urandom(6_000_000)


@pytest.fixture
def way(fake: FakeServer) -> Iterator[Way]:
    with Way(int(fake.url.rpartition(":")[2]), bytes_per_second=6_000_000) as made:
        yield made


@pytest.fixture
def far(way: Way) -> Iterator[Connection]:
    made = Connection(way.url, TOKEN, connect_seconds=0.5, read_seconds=0.5)
    yield made
    made.close()


def break_for(way: Way, how: str, seconds: float) -> None:
    getattr(way, how)()
    threading.Timer(seconds, way.come_back).start()


@pytest.mark.parametrize("how", ["refuse", "swallow"])
def test_an_upload_when_the_network_is_away_then_it_goes_on_by_itself(  # type: ignore[no-untyped-def]
    fake, far, way, tmp_path, how
) -> None:
    path = tmp_path / "large.bin"
    path.write_bytes(DATA)
    told: list[str] = []
    broken = threading.Event()

    def report(done: int, _total: int, _wire: int) -> None:
        if done > 500_000 and not broken.is_set():
            broken.set()
            break_for(way, how, AWAY_SECONDS)

    manifest = upload(far, [SceneFile(path, "large.bin")], on_progress=report, on_wait=told.append, pack_bytes=3 << 20)
    assert broken.is_set()
    assert b"".join(fake.chunks[chunk.sha256] for chunk in manifest.files[0].chunks) == DATA
    assert [bool(one) for one in told] == [True, False], told


@pytest.mark.parametrize("how", ["refuse", "swallow"])
def test_a_download_when_the_network_is_away_then_it_goes_on_where_it_was(  # type: ignore[no-untyped-def]
    fake, far, way, tmp_path, how
) -> None:
    fake.add_job()
    promised = ResultFile(**fake.add_file("out/lods.blend", DATA))
    told: list[str] = []
    seen: list[int] = []

    def report(done: int, _total: int) -> None:
        if not seen:
            break_for(way, how, AWAY_SECONDS)
        seen.append(done)

    (path,) = fetch(far, "j1", [promised], tmp_path, on_progress=report, on_wait=told.append)
    assert path.read_bytes() == DATA
    assert [bool(one) for one in told] == [True, False], told


def test_patience_when_it_is_shorter_than_the_break_then_it_ends_with_the_reason(far, way, tmp_path) -> None:  # type: ignore[no-untyped-def]
    way.refuse()
    path = tmp_path / "large.bin"
    path.write_bytes(DATA)
    begun = time.monotonic()
    with pytest.raises(ConnectionFailed, match="cannot be reached"):
        upload(far, [SceneFile(path, "large.bin")], patience_seconds=1.0)
    assert 1.0 <= time.monotonic() - begun < 8


def test_every_call_when_the_server_restarts_then_it_is_waited_for(fake, way, tmp_path) -> None:  # type: ignore[no-untyped-def]
    fake.add_job(state="succeeded", result={"files": [fake.add_file("a.txt", b"result")]})
    with Client(way.url, TOKEN) as client:
        assert client.server()["person"] == "ann"
        asked = [client.server, client.tasks, client.jobs]
        named = [client.job, client.log, client.cancel, client.retry, client.page, client.delete]
        calls = [*asked, *(functools.partial(call, "j1") for call in named)]
        for call in calls:
            break_for(way, "refuse", 0.5)
            call()
    with Client(way.url, TOKEN, patience_seconds=0) as client:
        way.refuse()
        with pytest.raises(ConnectionFailed):
            client.tasks()


def test_a_submit_when_the_network_is_away_at_each_step_then_one_job_is_made(fake, way, tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "scene.bin"
    path.write_bytes(DATA[:300_000])
    submission = Submission(task="system.noop", files=(SceneFile(path, "scene.bin", "scene"),))
    for step in ("/v1/tasks/", "/v1/chunks/missing", "/v1/chunks", "/v1/jobs"):
        fake.faults.append((step, "cut"))
    with Client(way.url, TOKEN) as client:
        client.submit(submission)
    assert len(fake.posted) == 1


def test_a_retry_when_its_answer_is_lost_then_the_same_key_is_sent_again(fake, way) -> None:  # type: ignore[no-untyped-def]
    fake.add_job(state="failed")
    fake.faults.append(("/v1/jobs/j1/retry", "cut"))
    with Client(way.url, TOKEN) as client:
        client.retry("j1")
    keys = [key for path, key in fake.keys if path.endswith("/retry")]
    assert len(keys) == 2
    assert keys[0] == keys[1] != ""


def test_a_delete_when_its_answer_is_lost_then_what_is_gone_is_deleted(fake, way) -> None:  # type: ignore[no-untyped-def]
    fake.faults.append(("/v1/jobs/j1", "cut"))
    with Client(way.url, TOKEN) as client:
        client.delete("j1")


def test_a_result_when_fetched_by_the_client_then_a_break_is_waited_out(fake, way, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    fake.add_job(state="succeeded", result={"files": [fake.add_file("a.bin", DATA)]})
    with Client(way.url, TOKEN) as client:
        client.server()
        break_for(way, "refuse", 1.0)
        (path,) = client.fetch("j1", tmp_path)
    assert path.read_bytes() == DATA
