from __future__ import annotations

import base64
import threading
from pathlib import Path

import pytest

from sendoff import Client, blendfile
from sendoff.client import Job, check_protocol
from sendoff.errors import (
    BlendFileError,
    ChunksMissing,
    InputError,
    JobCancelled,
    JobFailed,
    NotFound,
    Rejected,
    SignInRequired,
    Stopped,
    TimedOut,
)
from sendoff.scope import Scope
from sendoff.submission import HostInfo, SceneFile, Submission, scene_submission


@pytest.fixture
def client(fake, token):  # type: ignore[no-untyped-def]
    with Client(fake.url, token) as made:
        yield made


@pytest.fixture
def scene(tmp_path: Path, make_blend) -> Path:  # type: ignore[no-untyped-def]
    path = tmp_path / "car.blend"
    path.write_bytes(make_blend((b"DATA", b"x" * 90_000, 1)))
    return path


def ended(state: str, **fields):  # type: ignore[no-untyped-def]
    def script(session):  # type: ignore[no-untyped-def]
        session.send(kind="snapshot", state=state, seq=3, after=3, **fields)
        session.wait_until_gone()

    return script


def test_a_scene_when_submitted_then_the_job_names_it_and_its_bytes_are_counted(fake, client, scene) -> None:  # type: ignore[no-untyped-def]
    seen = []
    job = client.submit(
        scene, task="mesh.lods", params={"levels": 3}, on_progress=lambda *numbers: seen.append(numbers)
    )
    (posted,) = fake.posted
    assert (job.id, job.state.value) == ("j1", "queued")
    assert (posted["task"], posted["params"], posted["title"]) == ("mesh.lods", {"levels": 3}, "car")
    assert [file["role"] for file in posted["manifest"]["files"]] == ["scene"]
    assert len(posted["key"]) == 32
    assert seen[-1] == (scene.stat().st_size, scene.stat().st_size, fake.received_bytes)


def test_a_scope_when_sent_then_the_server_is_asked_for_it_before_the_upload(fake, client, scene, tmp_path) -> None:  # type: ignore[no-untyped-def]
    plain = scene_submission(scene, task="mesh.lods")
    client.submit(plain)
    scoped = Scope("Chair", (("Chair", None),)).write(tmp_path)
    client.submit(Submission(task="mesh.lods", files=(*plain.files, scoped)))
    assert [asked.get("scoped") for asked in fake.asked] == [None, True]
    assert [file["role"] for file in fake.posted[1]["manifest"]["files"]] == ["scene", "scope"]


def test_a_submit_when_chunks_were_collected_meanwhile_then_they_are_sent_again(fake, client, scene) -> None:  # type: ignore[no-untyped-def]
    gone = {"status": 409, "type": "urn:sendoff:problem:chunks-missing", "missing": ["ab"], "detail": "Gone."}
    fake.faults.extend([("/v1/jobs", gone)] * 2)
    seen: list[int] = []
    assert client.submit(scene, task="t", on_progress=lambda done, _total, _wire: seen.append(done)).id == "j1"
    assert fake.calls.count("POST /v1/jobs") == 3
    assert seen == sorted(seen)
    fake.faults.extend([("/v1/jobs", gone)] * 9)
    with pytest.raises(ChunksMissing):
        client.submit(scene, task="t")


def test_a_submit_when_the_answer_is_lost_then_it_is_repeated_with_the_same_key(fake, client, scene) -> None:  # type: ignore[no-untyped-def]
    fake.faults.append(("/v1/jobs", "cut"))
    submission = Submission(task="t", files=(SceneFile(scene, "car.blend", "scene"),), host=HostInfo("blender", "5.0"))
    client.submit(submission)
    assert [posted["key"] for posted in fake.posted] == [submission.idempotency_key]
    assert fake.posted[0]["host"] == {"application": "blender", "version": "5.0"}


def test_a_scene_when_it_cannot_be_used_then_nothing_is_asked(fake, client, scene, tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=r"no file .*gone\.blend"):
        client.submit(tmp_path / "gone.blend", task="t")
    with pytest.raises(InputError, match="Name the task"):
        client.submit(scene)
    scene.write_bytes(scene.read_bytes()[:-50])
    with pytest.raises(BlendFileError, match=r"car\.blend is damaged"):
        client.submit(scene, task="t")
    two = (SceneFile(scene, "a.blend", "scene"), SceneFile(scene, "b.blend", "scene"))
    with pytest.raises(InputError, match="more than one scene"):
        client.submit(Submission(task="t", files=two))
    assert fake.calls == []


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, Path("x")])
def test_parameters_when_they_are_no_json_then_a_sentence(client, scene, value) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match="cannot be written as JSON"):
        client.submit(scene, task="t", params={"levels": value})


def test_a_submit_when_stopped_before_then_stopped(client, scene) -> None:  # type: ignore[no-untyped-def]
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        client.submit(scene, task="t", stop=stop)


def test_externals_when_beside_the_scene_or_elsewhere_then_their_places_do_not_leave_the_folder(tmp_path: Path) -> None:
    submission = scene_submission(
        tmp_path / "s/car.blend", task="t", externals=(tmp_path / "s/tex/a.png", tmp_path / "other/b.png")
    )
    assert [file.path for file in submission.files] == ["car.blend", "tex/a.png", "external/b.png"]


@pytest.mark.parametrize(
    ("protocol", "says"),
    [
        ({"min": 2, "max": 3}, "Update this client"),
        ({"min": 0, "max": 0}, "Update the server"),
        (None, "Update"),
        ({"min": "1", "max": []}, "Update"),
    ],
)
def test_a_server_of_another_version_when_met_then_it_says_who_has_to_update(protocol, says) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Rejected, match=says):
        check_protocol({"protocol": protocol}, "http://h")


def test_a_job_when_waited_for_then_its_end_is_told_or_raised(fake, client) -> None:  # type: ignore[no-untyped-def]
    for state, kind in (("failed", JobFailed), ("cancelled", JobCancelled)):
        fake.add_job(state=state, result={"error": {"detail": "The mesh is empty."}} if state == "failed" else None)
        fake.scripts.append(ended(state))
        with pytest.raises(kind, match="mesh is empty" if state == "failed" else "was cancelled"):
            client.wait("j1")
    fake.add_job(state="succeeded", result={"files": [], "warnings": ["One is hidden."]})
    fake.scripts.append(ended("succeeded"))
    assert client.wait("j1").warnings == ("One is hidden.",)


def test_a_wait_when_it_is_too_long_then_timed_out_and_the_job_goes_on(fake, client) -> None:  # type: ignore[no-untyped-def]
    fake.add_job(state="running")
    with pytest.raises(TimedOut, match=r"still running after 0\.1 s"):
        client.wait("j1", timeout_seconds=0.1)


def test_a_watch_when_refused_then_the_reason_is_raised(fake) -> None:  # type: ignore[no-untyped-def]
    with Client(fake.url, "wrong") as client, pytest.raises(SignInRequired, match="has expired"):
        list(client.watch("j1"))


def test_a_result_when_fetched_then_only_wanted_roles_lie_in_the_folder(fake, client, tmp_path) -> None:  # type: ignore[no-untyped-def]
    files = [fake.add_file("lods.blend", b"abc"), fake.add_file("log.txt", b"d") | {"role": "log"}]
    fake.add_job(state="running")
    with pytest.raises(InputError, match="still running"):
        client.fetch("j1", tmp_path)
    fake.add_job(state="succeeded", result={"files": files})
    assert client.fetch("j1", tmp_path / "out", roles=["result"]) == [tmp_path / "out/lods.blend"]
    assert len(client.fetch("j1", tmp_path / "out")) == 2


def test_a_page_when_asked_for_then_its_address_has_a_new_code_and_no_token(fake, client, token) -> None:  # type: ignore[no-untyped-def]
    fake.faults.append(("/v1/page-codes", 503))
    first, second = client.page("j1"), client.page("../j 2")
    assert first == f"{fake.url}/jobs/j1#code=code-2"
    assert second == f"{fake.url}/jobs/..%2Fj%202#code=code-3"
    assert token not in first + second


def test_a_page_when_the_server_has_none_or_the_sign_in_ended_then_a_sentence(fake, client) -> None:  # type: ignore[no-untyped-def]
    fake.faults.append(("/v1/page-codes", {"status": 404, "detail": "The server has no such address."}))
    with pytest.raises(NotFound, match="no such address"):
        client.page("j1")
    client.connection.token = "old"
    with pytest.raises(SignInRequired, match="has expired"):
        client.page("j1")


@pytest.mark.parametrize("data", [{}, {"id": "a", "state": "?"}, {"id": "a", "state": "queued", "fraction": "x"}])
def test_a_job_when_it_cannot_be_read_then_input_error(data) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match="Update Sendoff"):
        Job.from_dict(data)


def test_a_result_when_its_files_cannot_be_read_then_input_error() -> None:
    for item in ({}, None, {"path": "a", "size": "x", "sha256": ""}):
        job = Job.from_dict({"id": "a", "state": "succeeded", "result": {"files": [item]}})
        with pytest.raises(InputError, match="names a file"):
            _ = job.files


def test_the_server_when_asked_before_an_upload_then_it_knows_what_decides(fake, client, scene, tmp_path) -> None:  # type: ignore[no-untyped-def]
    texture = tmp_path / "wood.png"
    texture.write_bytes(b"x" * 1000)
    submission = Submission(
        task="mesh.lods",
        files=(SceneFile(scene, "car.blend", "scene"), SceneFile(texture, "wood.png")),
        host=HostInfo("blender", "4.2.3"),
    )
    client.submit(submission)
    (asked,) = fake.asked
    assert asked == {
        "params": {},
        "scene": "car.blend",
        "host": {"application": "blender", "version": "4.2.3"},
        "files": 2,
        "bytes": scene.stat().st_size + 1000,
        "series": "4.5",
        "big_endian": False,
    }


def test_a_refusal_when_it_comes_before_an_upload_then_no_byte_is_sent(fake, client, scene) -> None:  # type: ignore[no-untyped-def]
    fake.faults.append(("/v1/tasks/", {"status": 422, "detail": "Too new."}))
    with pytest.raises(Rejected, match="Too new"):
        client.submit(scene, task="mesh.lods")
    assert not [call for call in fake.calls if "chunks" in call]


def test_a_scene_when_this_python_cannot_read_its_head_then_the_server_gets_it(  # type: ignore[no-untyped-def]
    fake, client, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(blendfile, "_zstandard", None)
    path = tmp_path / "car.blend"
    path.write_bytes(b"\x28\xb5\x2f\xfd" + b"x" * 300_000)
    client.submit(Submission(task="mesh.lods", files=(SceneFile(path, "car.blend", "scene"),)))
    (asked,) = fake.asked
    assert base64.b64decode(asked["head"]) == path.read_bytes()[: 160 * 1024]
    assert "series" not in asked
