from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sendoff import __version__, cli, signins, transfer
from sendoff.cli.exits import Exit

CLIENT = Path(cli.__file__).parents[2]


@pytest.fixture
def run(fake, token, monkeypatch, capfd):  # type: ignore[no-untyped-def]
    """Run the command in this process, signed in to the fake server: status, stdout, stderr."""
    monkeypatch.setenv("SENDOFF_URL", fake.url)
    monkeypatch.setenv("SENDOFF_TOKEN", token)

    def call(*arguments: str) -> tuple[int, str, str]:
        status = cli.run(list(arguments))
        captured = capfd.readouterr()
        return status, captured.out, captured.err

    return call


@pytest.fixture
def scene(tmp_path: Path, make_blend) -> str:  # type: ignore[no-untyped-def]
    path = tmp_path / "car.blend"
    path.write_bytes(make_blend((b"DATA", b"x" * 90_000, 1)))
    return str(path)


def ending(state: str):  # type: ignore[no-untyped-def]
    def script(session):  # type: ignore[no-untyped-def]
        session.send(kind="snapshot", seq=1, after=1, message="Body")
        session.send(kind="state", state=state, seq=2)
        session.wait_until_gone()

    return script


def test_a_scene_when_submitted_then_stdout_is_the_job(run, fake, scene) -> None:  # type: ignore[no-untyped-def]
    assert run("submit", scene, "--task", "t", "--set", "levels=3", "--set", "name=a b")[:2] == (Exit.OK, "j1\n")
    assert fake.posted[0]["params"] == {"levels": 3, "name": "a b"}
    status, out, _ = run("submit", scene, "--task", "t", "--json")
    assert (status, json.loads(out)["id"]) == (Exit.OK, "j1")


def test_what_is_missing_when_submitted_then_it_is_named_before_and_in_json(run, fake, tmp_path) -> None:  # type: ignore[no-untyped-def]
    scene = tmp_path / "s.usda"
    scene.write_text("#usda 1.0\n" + "".join(f"asset a{n} = @gone{n:02d}.usd@\n" for n in range(22)))
    gone = [f"{tmp_path}/gone{n:02d}.usd (layer “s.usda”)" for n in range(22)]
    status, out, err = run("submit", str(scene), "--task", "t")
    assert (status, out) == (Exit.OK, "j1\n")
    assert err.index(f"Missing, not sent: {gone[0]}\n") < err.index("Uploading")
    assert "Missing, not sent: 2 more files" in err
    assert fake.posted[0]["missing_files"] == gone
    status, out, err = run("submit", str(scene), "--task", "t", "--json")
    assert json.loads(out)["missing_files"] == gone
    assert "Missing" not in err
    assert not json.loads(run("submit", str(scene), "--task", "t", "--json", "--no-externals")[1])["missing_files"]


def test_a_server_when_it_restarts_then_the_command_says_that_it_waits(run, fake) -> None:  # type: ignore[no-untyped-def]
    fake.faults.extend([("/v1/tasks", {"status": 503, "detail": "Not now.", "retry_after": 3})])
    status, out, err = run("tasks")
    assert (status, err) == (Exit.OK, "Not now. Waiting for it.\nThe server answers again.\n")
    assert "system.noop" in out


def test_patience_when_it_is_none_then_the_first_break_ends_the_upload(run, fake, scene) -> None:  # type: ignore[no-untyped-def]
    for patience, status in (("0", Exit.UNREACHABLE), ("60", Exit.OK)):
        fake.faults.append(("/v1/chunks", "cut"))
        assert run("submit", scene, "--task", "t", "--patience", patience)[0] == status


def test_objects_when_named_then_they_go_along_as_the_scope(run, fake, scene) -> None:  # type: ignore[no-untyped-def]
    assert run("submit", scene, "--task", "t", "--object", "Wheel", "--object", "Body")[:2] == (Exit.OK, "j1\n")
    _, scoped = fake.posted[0]["manifest"]["files"]
    assert (scoped["path"], scoped["role"]) == ("sendoff-scope.json", "scope")
    sent = b"".join(fake.chunks[sha256] for sha256, _ in scoped["chunks"])
    assert json.loads(sent) == {"version": 1, "title": "2 objects", "objects": [["Body", None], ["Wheel", None]]}
    status, _, err = run("submit", scene, "--task", "t", "--object", "")
    assert (status, len(fake.posted)) == (Exit.BAD_INPUT, 1)
    assert "cannot be an object" in err


def test_a_job_when_waited_for_and_fetched_then_the_paths_are_printed(run, fake, scene, tmp_path) -> None:  # type: ignore[no-untyped-def]
    fake.scripts.append(ending("succeeded"))
    listed = [fake.add_file("lods.blend", b"abc")]
    add_job = fake.add_job
    fake.add_job = lambda **fields: add_job(**fields, state="succeeded", result={"files": listed, "warnings": ["Hm."]})
    status, out, err = run("submit", scene, "--task", "t", "--out", str(tmp_path / "out"))
    assert (status, out) == (Exit.OK, f"{tmp_path / 'out/lods.blend'}\n")
    assert "Uploading\n" in err
    assert "Warning: Hm." in err


@pytest.mark.parametrize(
    ("state", "status"), [("succeeded", Exit.OK), ("failed", Exit.JOB_FAILED), ("cancelled", Exit.JOB_CANCELLED)]
)
def test_a_job_when_watched_then_its_end_is_the_exit_status(run, fake, state, status) -> None:  # type: ignore[no-untyped-def]
    for arguments in ([], ["--json"]):
        fake.add_job(state=state)
        fake.scripts.append(ending(state))
        found, out, _ = run("watch", "j1", *arguments)
        assert found == status
    kinds = [json.loads(line).get("kind") for line in out.splitlines()]
    assert kinds == [None, "snapshot", "state", None]


def test_a_job_when_it_failed_then_the_reason_is_said_once(run, fake) -> None:  # type: ignore[no-untyped-def]
    def failing(session):  # type: ignore[no-untyped-def]
        session.send(kind="state", state="failed", message="The scene is empty.", seq=2, after=1)
        session.wait_until_gone()

    fake.add_job(state="failed", message="The scene is empty.")
    fake.scripts.append(failing)
    assert run("watch", "j1")[2].count("The scene is empty.") == 1


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["submit", "gone.blend", "--task", "t"], Exit.BAD_INPUT, "There is no file gone.blend"),
        (["submit", "{scene}", "--task", "t", "--params", "{"], Exit.BAD_INPUT, "--params is not JSON"),
        (["submit", "{scene}", "--task", "t", "--set", "levels"], Exit.BAD_INPUT, "Write it like --set levels=3"),
        (["submit", "{scene}", "--task", "t", "--out", "{scene}"], Exit.BAD_INPUT, "is not a folder. Give another"),
        (["submit", "{scene}", "--task", "t", "--out", "{scene}/a/b"], Exit.BAD_INPUT, "is not a folder. Give"),
        (["fetch", "j1", "--out", "{scene}"], Exit.BAD_INPUT, "is not a folder. Give another folder."),
        (["fetch", "j1", "--out", "/proc/a"], Exit.BAD_INPUT, "/proc cannot be written: "),
        (["submit"], Exit.BAD_INPUT, "Missing"),
        (["jobs", "--state", "odd"], Exit.BAD_INPUT, "Use one of: queued, starting"),
        (["jobs", "--url", "http://127.0.0.1:9"], Exit.UNREACHABLE, "cannot be reached"),
        (["jobs", "--token", "wrong"], Exit.SIGN_IN_NEEDED, "sign-in has expired"),
        (["watch", "nobody"], Exit.REJECTED, "no such job"),
        (["jobs", "--url", "nonsense"], Exit.BAD_INPUT, "Write it like http"),
    ],
)
def test_a_command_when_it_cannot_work_then_a_sentence_and_its_status(run, scene, arguments, status, says) -> None:  # type: ignore[no-untyped-def]
    found, out, err = run(*(argument.replace("{scene}", scene) for argument in arguments))
    assert (found, out) == (status, "")
    assert says in err
    assert "Traceback" not in err


def test_a_result_when_it_cannot_be_written_then_the_command_that_brings_it_is_named(
    run, fake, scene, tmp_path
) -> None:  # type: ignore[no-untyped-def]
    fake.scripts.append(ending("succeeded"))
    listed = [fake.add_file("lods.blend", b"abc")]
    add_job = fake.add_job
    fake.add_job = lambda **fields: add_job(**fields, state="succeeded", result={"files": listed, "warnings": []})
    (tmp_path / "out/lods.blend").mkdir(parents=True)
    status, _, err = run("submit", scene, "--task", "t", "--out", str(tmp_path / "out"))
    assert status == Exit.BAD_INPUT
    assert "`sendoff fetch j1 --out FOLDER` brings it." in err
    assert "lods.blend cannot be written" in err


def test_a_wait_when_it_is_too_long_then_status_8(run, fake) -> None:  # type: ignore[no-untyped-def]
    fake.add_job(state="running")
    assert run("watch", "j1", "--timeout", "0.1")[0] == Exit.TIMED_OUT


def test_the_small_commands_when_called_then_they_print(run, fake, tmp_path) -> None:  # type: ignore[no-untyped-def]
    fake.add_job(state="succeeded", result={"files": [fake.add_file("a.txt", b"a")]})
    assert run("--version")[:2] == (Exit.OK, f"sendoff {__version__}\n")
    assert run("tasks")[1] == "system.noop\tNothing\t\n"
    assert run("jobs")[1] == "j1\tsucceeded\t\tsystem.noop\tcar\n"
    assert run("log", "j1")[1] == "one line\n"
    assert run("retry", "j1")[1] == "j1\n"
    assert run("fetch", "j1", "--out", str(tmp_path))[1] == f"{tmp_path / 'a.txt'}\n"
    assert run("cancel", "j1")[1] == "cancelled\n"
    for command in (["tasks"], ["jobs"], ["log", "j1"], ["retry", "j1"], ["cancel", "j1"]):
        json.loads(run(*command, "--json")[1])


def test_a_sign_in_when_the_token_works_then_it_is_kept_and_else_not(run, fake, token) -> None:  # type: ignore[no-untyped-def]
    assert run("sign-in", fake.url, "--token", "wrong")[0] == Exit.SIGN_IN_NEEDED
    assert signins.sign_ins() == ()
    assert run("sign-in", fake.url, "--token", token)[1] == f"Signed in to {fake.url} as ann.\n"
    assert run("sign-out")[1] == f"Signed out of {fake.url}.\n"
    assert run("sign-out")[0] == Exit.BAD_INPUT


def test_ctrl_c_when_a_job_is_watched_then_the_job_goes_on_and_it_is_said(fake, token, own_home, until) -> None:  # type: ignore[no-untyped-def]
    def running(session):  # type: ignore[no-untyped-def]
        session.send(kind="snapshot", seq=1, after=1, message="Body")
        session.wait_until_gone()

    fake.add_job(state="running")
    fake.scripts.append(running)
    environment = os.environ | {"SENDOFF_URL": fake.url, "SENDOFF_TOKEN": token, "PYTHONPATH": str(CLIENT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "sendoff.cli", "watch", "j1"], env=environment, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert "running: Body" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=10)
    assert process.returncode == Exit.INTERRUPTED
    assert "The job goes on without you. `sendoff watch j1` shows it" in said
    assert "Traceback" not in said


def test_ctrl_c_when_a_scene_is_sent_then_it_is_said_that_a_new_submit_goes_on(fake, token, own_home, scene) -> None:  # type: ignore[no-untyped-def]
    fake.faults.extend([("/v1/chunks/missing", 0), ("/v1/chunks", "silence")])
    environment = os.environ | {"SENDOFF_URL": fake.url, "SENDOFF_TOKEN": token, "PYTHONPATH": str(CLIENT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "sendoff.cli", "submit", scene, "--task", "t", "--no-externals"],
        env=environment, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert "Uploading" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=10)
    assert process.returncode == Exit.INTERRUPTED
    assert said.startswith("Stopped while sending. What has arrived is kept: a new submit goes on from there.\n")


def test_a_file_that_changes_each_time_when_sent_then_it_is_named_as_left_out(run, scene, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(transfer, "PAUSES_SECONDS", ())
    odd = "/proc/self/environ (it changed while it was sent)"
    status, _, err = run("submit", scene, "--task", "t", "--external", "/proc/self/environ")
    assert (status, f"Left out: {odd}\n" in err) == (Exit.OK, True)
    _, out, _ = run("submit", scene, "--task", "t", "--external", "/proc/self/environ", "--json")
    assert json.loads(out)["missing_files"] == [odd]
