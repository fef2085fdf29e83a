from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from sendoff import signins
from sendoff.client import resolve
from sendoff.errors import InputError
from sendoff.signins import SignIn

ANN = SignIn(url="http://render01:8780", token="a", person="ann")
LOCAL = SignIn(url="http://127.0.0.1:8780", token="b", local=True)


def test_sign_ins_when_kept_then_they_are_found_and_the_last_is_the_default() -> None:
    assert signins.find() is None
    signins.keep(ANN)
    signins.keep(LOCAL)
    assert signins.sign_ins() == (LOCAL, ANN)
    assert signins.find(" http://render01:8780/ ") == ANN
    signins.keep(ANN, default=False)
    assert signins.find() == LOCAL


@pytest.mark.skipif(os.name != "posix", reason="permissions are of POSIX")
def test_the_file_when_written_then_nobody_else_can_read_it_whatever_the_umask(own_home: Path) -> None:
    before = os.umask(0)
    try:
        path = signins.keep(ANN)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(own_home.stat().st_mode) == 0o700
    assert [item.name for item in own_home.iterdir()] == [signins.FILE_NAME]


@pytest.mark.skipif(os.name != "posix", reason="permissions are of POSIX")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_the_file_when_others_could_use_it_then_it_is_refused_with_the_remedy(mode: int) -> None:
    signins.keep(ANN).chmod(mode)
    with pytest.raises(InputError, match=r"chmod 600 .*sign-ins\.json"):
        signins.find()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"servers": []}', "[" * 100_000, "\ud800"])
def test_the_file_when_damaged_then_a_sentence(own_home: Path, text: str) -> None:
    own_home.mkdir()
    path = own_home / signins.FILE_NAME
    path.touch(0o600)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(InputError, match=r"sign-ins\.json (is damaged|cannot be read)"):
        signins.find()


def test_a_sign_in_when_its_folder_is_no_good_then_a_sentence_with_what_to_do(own_home: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    own_home.write_bytes(b"a file")
    with pytest.raises(
        InputError, match=r"/sign-ins\.json cannot be read: Not a directory\. Set SENDOFF_HOME to another"
    ):
        signins.keep(ANN)
    own_home.unlink()

    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/x/.sign-ins-1")

    monkeypatch.setattr(signins.tempfile, "mkstemp", full)
    with pytest.raises(
        InputError, match=r"cannot be kept in .*: No space left on device\. Set SENDOFF_HOME to a folder"
    ):
        signins.keep(ANN)


def test_a_sign_in_when_forgotten_then_the_default_moves_on() -> None:
    signins.keep(LOCAL)
    signins.keep(ANN)
    assert signins.forget(ANN.url)
    assert not signins.forget(ANN.url)
    assert signins.find() == LOCAL


def test_a_server_when_resolved_then_arguments_go_before_environment_before_file(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match="No Sendoff server is set"):
        resolve(None, None)
    signins.keep(ANN)
    signins.keep(LOCAL)
    assert resolve(None, None) == (LOCAL.url, "b")
    monkeypatch.setenv("SENDOFF_URL", ANN.url)
    assert resolve(None, None) == (ANN.url, "a")
    assert resolve("http://other", None) == ("http://other", None)
    monkeypatch.setenv("SENDOFF_TOKEN", "t")
    assert resolve(LOCAL.url, None) == (LOCAL.url, "t")
    assert resolve(LOCAL.url, "u") == (LOCAL.url, "u")
