from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from tests.client.test_scene_files import image, libraries, write
from tests.client.test_usd_files import layer

from sendoff import regular_files
from sendoff.blend_dna import BlendFile
from sendoff.blendfile import read_head
from sendoff.errors import InputError
from sendoff.regular_files import is_readable, open_file, what_begins, why_unreadable
from sendoff.scene_files import collect
from sendoff.submission import scene_submission
from sendoff.usd_layers import asset_paths


def folder(path: Path) -> None:
    path.mkdir()


def sock(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        os.chdir(path.parent)  # the path of a socket is short
        bound.bind(path.name)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


KINDS = pytest.mark.parametrize(
    ("make", "kind"), [(os.mkfifo, "a named pipe"), (folder, "a folder"), (sock, "a socket"), (device, "a device")]
)


@pytest.fixture(autouse=True)
def stay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names with "locked" may not be read: the user root may read all."""
    allowed = os.access
    monkeypatch.setattr(
        regular_files.os, "access", lambda path, mode: "locked" not in Path(path).name and allowed(path, mode)
    )


@KINDS
def test_what_is_no_file_when_opened_then_it_is_said_at_once(tmp_path: Path, make, kind) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "a.blend"
    make(path)
    for read in (open_file, read_head, BlendFile, asset_paths):
        with pytest.raises(OSError, match=f"it is {kind}, not a file"):
            read(path)
    assert not is_readable(path)
    assert why_unreadable(path) == f"{kind}, not a file"


@KINDS
@pytest.mark.parametrize("suffix", [".blend", ".usda", ".fbx", ".obj"])
def test_a_scene_that_is_no_file_when_submitted_then_one_sentence(tmp_path: Path, make, kind, suffix) -> None:  # type: ignore[no-untyped-def]
    make(tmp_path / f"s{suffix}")
    with pytest.raises(InputError, match=rf"s{suffix} cannot be sent: {kind}, not a file\. Give the path of a scene"):
        scene_submission(tmp_path / f"s{suffix}", task="t").check()


@KINDS
def test_what_a_blend_names_that_is_no_file_then_it_is_named_with_the_reason(tmp_path: Path, make, kind) -> None:  # type: ignore[no-untyped-def]
    for name in ("l.blend", "t.png", "c.usda", "c.abc"):
        make(tmp_path / name)
    blend = libraries("//l.blend", blend=image("//t.png"))
    for number, name in enumerate(("c.usda", "c.abc")):
        blend.id("CF", "CacheFile", name, 5000 + number, filepath=f"//{name}")
    found = collect(write(tmp_path / "shot.blend", blend))
    assert (found.files, found.notes) == ((), ())
    assert found.missing == (
        f"{tmp_path}/t.png (image “Paint”: {kind}, not a file)",
        f"{tmp_path}/l.blend (library “l.blend”: {kind}, not a file)",
        f"{tmp_path}/c.usda (cache “c.usda”: {kind}, not a file)",
        f"{tmp_path}/c.abc (cache “c.abc”: {kind}, not a file)",
    )


@KINDS
def test_what_a_layer_names_that_is_no_file_then_it_is_named_with_the_reason(tmp_path: Path, make, kind) -> None:  # type: ignore[no-untyped-def]
    for name in ("a.usda", "t.1001.png", "t.1002.png"):
        make(tmp_path / name)
    (tmp_path / "t.1002.png").rename(tmp_path / "x")
    write(tmp_path / "t.1003.png")
    found = collect(layer(tmp_path / "s.usda", "a.usda", "t.<UDIM>.png"))
    assert [file.path for file in found.files] == ["t.1003.png"]
    assert found.missing == (f"{tmp_path}/a.usda (layer “s.usda”: {kind}, not a file)",)


def test_an_external_that_is_a_folder_when_submitted_then_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "tex").mkdir()
    made = scene_submission(layer(tmp_path / "s.usda"), task="t", externals=(tmp_path / "tex",))
    with pytest.raises(InputError, match=r"tex cannot be sent: a folder, not a file\. Name the files in it\."):
        made.check()


def test_what_may_not_be_read_then_that_is_said(tmp_path: Path, locked: None) -> None:
    scene = write(tmp_path / "shot.blend", libraries("//locked.blend", "//gone.blend", blend=image("//locked.png")))
    write(tmp_path / "locked.blend", image("//t.png")), write(tmp_path / "locked.png")
    assert collect(scene).missing == (
        f"{tmp_path}/locked.png (image “Paint”: no permission to read it)",
        f"{tmp_path}/locked.blend (library “locked.blend”: no permission to read it)",
        f"{tmp_path}/gone.blend (library “gone.blend”)",
    )
    with pytest.raises(InputError, match=r"locked\.blend cannot be sent: no permission to read it\. Change the perm"):
        scene_submission(tmp_path / "locked.blend", task="t").check()


@pytest.mark.parametrize("suffix", [".fbx", ".usdc", ".obj", ".blend"])
def test_an_empty_scene_when_submitted_then_a_sentence(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(InputError, match=rf"The file s{suffix} is empty\. Save the scene again\."):
        scene_submission(write(tmp_path / f"s{suffix}", b""), task="t").check()


def test_a_name_that_is_too_long_then_it_is_named_and_the_others_go(tmp_path: Path) -> None:
    write(tmp_path / "ok.png")
    for long in ("x" * 5000 + ".png", "x" * 5000 + ".#.usd", "y" * 5000 + "/t.<UDIM>.png"):
        found = collect(layer(tmp_path / "s.usda", long, "ok.png"))
        assert ([file.path for file in found.files], len(found.missing)) == (["ok.png"], 1)
    found = collect(write(tmp_path / "s.blend", image("/" + "z\\" * 20 + "x" * 210 + "/b", blend=image("//ok.png"))))
    assert ([file.source.name for file in found.files], len(found.missing)) == (["ok.png"], 1)


@pytest.mark.parametrize("name", ["a\0b.blend", "x" * 5000 + ".usda"])
def test_a_name_that_no_disk_can_hold_when_submitted_then_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"There is no file|File name too long"):
        scene_submission(name, task="t").check()
    with pytest.raises(InputError, match=r"There is no file|File name too long"):
        scene_submission(layer(tmp_path / "s.usda"), task="t", externals=(name,)).check()


def test_the_first_bytes_when_known_then_what_to_do() -> None:
    assert what_begins(b"PK\x03\x04rest").startswith("a zip archive: unpack it")
    assert what_begins(b"version https://git-lfs.github.com/spec/v1").startswith("a pointer of Git LFS: fetch")
    assert what_begins(b"BLENDER-v405") == what_begins(b"") == ""
