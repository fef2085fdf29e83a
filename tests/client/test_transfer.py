from __future__ import annotations

import hashlib
import math
import os
import random
import threading
import time
from pathlib import Path

import pytest

from sendoff import patience, transfer
from sendoff.errors import ConnectionFailed, InputError, SignInRequired, Stopped, StorageFull
from sendoff.protocol import PACK_CHUNKS
from sendoff.submission import SceneFile
from sendoff.transfer import upload


@pytest.fixture
def files(tmp_path):  # type: ignore[no-untyped-def]
    scene, texture, empty = tmp_path / "a.blend", tmp_path / "wood.exr", tmp_path / "empty.txt"
    scene.write_bytes(b"BLENDER-v405 but damaged" + bytes(3_000_000))
    texture.write_bytes(os.urandom(20_000_000))
    empty.write_bytes(b"")
    return (
        SceneFile(scene, "a.blend", "scene"),
        SceneFile(texture, "tex/wood.exr"),
        SceneFile(texture, "tex/copy.exr"),
        SceneFile(empty, "empty.txt"),
    )


def check_arrived(fake, manifest, files) -> None:  # type: ignore[no-untyped-def]
    assert len(manifest.files) == len(files)
    for number, file in enumerate(files):
        entry = manifest.files[number]
        data = b"".join(fake.chunks[chunk.sha256] for chunk in entry.chunks)
        assert data == file.source.read_bytes()
        assert (entry.path, entry.role, entry.size) == (file.path, file.role, len(data))
        assert entry.sha256 == hashlib.sha256(data).hexdigest()


def test_files_when_uploaded_then_they_are_there_and_equal_bytes_went_once(fake, connection, files) -> None:  # type: ignore[no-untyped-def]
    seen = []
    manifest = upload(connection, files, encodings=fake.encodings, on_progress=lambda *numbers: seen.append(numbers))
    check_arrived(fake, manifest, files)
    assert 20_000_000 < seen[-1][2] < 23_100_000
    assert seen[-1][:2] == (43_000_024, 43_000_024)
    assert all(0 <= done <= total for done, total, _ in seen)


def test_files_when_uploaded_again_then_no_chunk_is_sent(fake, connection, files) -> None:  # type: ignore[no-untyped-def]
    upload(connection, files)
    fake.calls.clear()
    upload(connection, files)
    assert "POST /v1/chunks" not in fake.calls


def test_a_connection_when_it_breaks_again_and_again_then_the_upload_goes_on(fake, connection, files) -> None:  # type: ignore[no-untyped-def]
    fake.faults.extend(
        [("/v1/chunks", "cut"), ("/v1/chunks", "cut"), ("/v1/chunks", 503), ("/v1/chunks/missing", "cut")]
    )
    check_arrived(fake, upload(connection, files), files)


def test_a_server_when_it_stays_away_then_patience_ends(fake, connection, files) -> None:  # type: ignore[no-untyped-def]
    fake.faults.extend([("/v1/chunks", "cut")] * 500)
    begun = time.monotonic()
    with pytest.raises(ConnectionFailed):
        upload(connection, files, patience_seconds=0.5)
    assert time.monotonic() - begun < 10


def test_packs_when_something_in_between_cuts_each_then_nobody_waits_for_ever(  # type: ignore[no-untyped-def]
    fake, connection, files, monkeypatch
) -> None:
    monkeypatch.setattr(transfer, "MOST_CUTS", 3)
    fake.cuts_packs = True
    with pytest.raises(ConnectionFailed, match="The upload breaks off again and again, though the server answers"):
        upload(connection, files, patience_seconds=math.inf)


def test_packs_when_only_short_ones_arrive_then_less_is_sent_at_once(fake, connection, files, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(patience, "PAUSES_SECONDS", (0.01,))
    fake.longest_pack_bytes = 1_200_000
    seen = []
    manifest = upload(connection, files, on_progress=lambda *numbers: seen.append(numbers), patience_seconds=60)
    check_arrived(fake, manifest, files)
    assert seen[-1][:2] == (43_000_024, 43_000_024)
    assert all(0 <= done <= total for done, total, _ in seen)


@pytest.mark.parametrize(("status", "kind"), [(507, StorageFull), (401, SignInRequired)])
def test_a_refusal_when_it_cannot_pass_then_it_is_raised_at_once(fake, connection, files, status, kind) -> None:  # type: ignore[no-untyped-def]
    fake.faults.extend([("/v1/chunks", 0), *([("/v1/chunks", {"status": status, "detail": "No."})] * 50)])
    with pytest.raises(kind, match=r"No\."):
        upload(connection, files)


def test_an_upload_when_stopped_while_the_server_is_silent_then_it_ends_soon(fake, connection, files, until) -> None:  # type: ignore[no-untyped-def]
    stop = threading.Event()
    fake.faults.extend([("/v1/chunks/missing", 0), *([("/v1/chunks", "silence")] * 9)])
    failures = []

    def run() -> None:
        try:
            upload(connection, files, stop=stop)
        except Stopped as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    until(lambda: "POST /v1/chunks" in fake.calls)
    begun = time.monotonic()
    stop.set()
    thread.join(10)
    assert time.monotonic() - begun < 2
    assert failures
    fake.released.set()
    until(lambda: not any(thread.name.startswith("sendoff-upload") for thread in threading.enumerate()))


def test_a_file_when_it_changes_while_it_is_sent_then_what_it_became_is_sent(  # type: ignore[no-untyped-def]
    fake, connection, files, monkeypatch
) -> None:
    monkeypatch.setattr(transfer, "PAUSES_SECONDS", (0.01, 0.01))
    ask, changes = transfer.missing_chunks, [3_000_000, 2_000_000]

    def change_and_ask(*args, **options):  # type: ignore[no-untyped-def]
        if changes:
            files[1].source.write_bytes(os.urandom(changes.pop()))
        return ask(*args, **options)

    monkeypatch.setattr(transfer, "missing_chunks", change_and_ask)
    check_arrived(fake, upload(connection, files), files)


def test_a_file_when_it_changes_each_time_then_it_is_left_out_and_named(fake, connection, files, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(transfer, "PAUSES_SECONDS", (0.01, 0.01))
    odd = Path("/proc/self/environ")  # has no size, but bytes
    told = []
    manifest = upload(connection, [*files[:2], SceneFile(odd, "odd.png")], on_left_out=lambda *left: told.append(left))
    check_arrived(fake, manifest, files[:2])
    assert told == [(SceneFile(odd, "odd.png"), "it changed while it was sent")]
    with pytest.raises(InputError, match=r"/environ changed while it was sent\. Submit it again when it is completely"):
        upload(connection, [SceneFile(odd, "a.blend", "scene")], on_left_out=lambda *_: None)


def test_a_file_when_it_is_gone_then_input_error(connection, tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(transfer, "PAUSES_SECONDS", ())
    gone = SceneFile(tmp_path / "gone.png", "gone.png")
    with pytest.raises(InputError, match="cannot be read: No such file"):
        upload(connection, [gone])
    told = []
    assert not upload(connection, [gone], on_left_out=lambda *left: told.append(left)).files
    assert told == [(gone, "cannot be read: No such file or directory")]


def test_chunks_when_only_smaller_ones_pass_then_they_are_cut_again_and_progress_never_goes_back(  # type: ignore[no-untyped-def]
    fake, connection, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(patience, "PAUSES_SECONDS", (0.01,))
    fake.longest_pack_bytes = 60_000
    path = tmp_path / "a.exr"
    path.write_bytes(os.urandom(2_000_000))
    seen = []
    file = SceneFile(path, "a.exr")
    manifest = upload(connection, [file], on_progress=lambda *numbers: seen.append(numbers), patience_seconds=60)
    check_arrived(fake, manifest, [file])
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)
    assert max(chunk.size for chunk in manifest.files[0].chunks) <= 16 * 1024


def test_a_scene_when_saved_again_then_little_goes_over_the_wire_and_all_of_it_is_counted(  # type: ignore[no-untyped-def]
    fake, connection, tmp_path, make_blend
) -> None:
    noise = random.Random(3)
    bodies = [noise.randbytes(300_000) for _ in range(20)] + [noise.randbytes(600)] * 500
    addresses = iter(range(10**6))
    scene = tmp_path / "a.blend"

    def save() -> None:  # every small struct holds addresses of its own in each process
        parts = (body if len(body) > 600 else next(addresses).to_bytes(8, "big") + body for body in bodies)
        scene.write_bytes(make_blend(*((b"DATA", body, next(addresses)) for body in parts)))

    connection.request_encodings = tuple(fake.encodings)
    files = [SceneFile(scene, "a.blend", "scene")]
    save()
    upload(connection, files, encodings=fake.encodings)
    save()
    fake.received_bytes = 0
    fake.seen_encodings.clear()
    seen = []
    manifest = upload(connection, files, encodings=fake.encodings, on_progress=lambda *numbers: seen.append(numbers))
    check_arrived(fake, manifest, files)
    assert seen[-1][2] == fake.received_bytes < scene.stat().st_size / 500
    assert set(fake.seen_encodings) == {fake.encodings[0]}


def test_many_tiny_files_when_uploaded_then_packs_stay_within_the_limit_of_chunks(fake, connection, tmp_path) -> None:  # type: ignore[no-untyped-def]
    tiny = [SceneFile(tmp_path / f"{n}.txt", f"t/{n}.txt") for n in range(PACK_CHUNKS + 10)]
    for number, file in enumerate(tiny):
        file.source.write_bytes(b"%d" % number)
    check_arrived(fake, upload(connection, tiny), tiny)
    assert fake.calls.count("POST /v1/chunks") == 2
