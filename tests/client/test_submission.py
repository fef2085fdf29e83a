from __future__ import annotations

import errno
import gc
import gzip
import json
import os
from pathlib import Path

import pytest
from tests.client.test_scene_files import image, libraries, write
from tests.client.test_usd_files import layer
from tests.client.tiny_blend import TinyBlend, shot

from sendoff import manifest, submission, usd_files
from sendoff.errors import InputError
from sendoff.manifest import check_paths
from sendoff.submission import SceneFile, Submission, scene_submission


def test_a_blend_when_submitted_then_what_it_names_goes_along_or_is_named(tmp_path: Path) -> None:
    scene = write(tmp_path / "shot.blend", libraries("//lib/a.blend", blend=image("//gone.png")))
    write(tmp_path / "lib/a.blend", image("//wood.png")), write(tmp_path / "lib/wood.png")
    made = scene_submission(scene, task="t")
    assert [(file.path, file.role) for file in made.files] == [
        ("shot.blend", "scene"),
        ("external/00/a.blend", "external"),
        ("external/01/wood.png", "external"),
        ("sendoff-paths.json", "paths"),
    ]
    assert made.missing_files == (f"{tmp_path}/gone.png (image “Paint”)",)
    made.check()
    listed = made.files[-1].source
    assert json.loads(listed.read_text())["version"] == 2
    del made
    gc.collect()
    assert not listed.parent.exists()


def test_a_usd_when_submitted_then_it_lies_where_its_layers_are_found(tmp_path: Path) -> None:
    layer(tmp_path / "geo/a.usd")
    made = scene_submission(layer(tmp_path / "shot/s.usda", "../geo/a.usd"), task="t")
    assert [(file.path, file.role) for file in made.files] == [("shot/s.usda", "scene"), ("geo/a.usd", "external")]


def test_a_scene_when_nothing_is_to_be_looked_up_then_it_goes_alone(tmp_path: Path) -> None:
    scene = write(tmp_path / "shot.blend", image("//gone.png"))
    made = scene_submission(scene, task="t", look_up=False)
    assert ([file.path for file in made.files], made.missing_files, made.notes) == (["shot.blend"], (), ())


@pytest.mark.parametrize("name", ["shot: 010.blend", "aux.blend", os.fsdecode(b"sc\xe8ne.blend"), "景" * 82 + ".blend"])
def test_a_scene_of_any_name_when_submitted_then_it_is_sent_under_a_name_for_all_systems(tmp_path, name) -> None:  # type: ignore[no-untyped-def]
    made = scene_submission(write(tmp_path / name, image("//gone.png")), task="t")
    made.check()
    json.dumps([made.title, *made.missing_files], ensure_ascii=False).encode()
    assert made.title == Path(name).stem.replace("\udce8", "\ufffd")


@pytest.mark.parametrize(
    ("name", "place"),
    [("car.blend1", "car.blend"), ("car.BLEND32", "car.blend"), ("car", "car.blend"), ("car.blend.gz", "car.blend"),
     ("car.v2", "car.v2.blend"), ("car.blend ", "car.blend"), ("car.usd", "car.usd")],
)  # fmt: skip
def test_a_blend_when_it_has_another_name_then_it_is_sent_as_a_blend_with_its_files(tmp_path, name, place) -> None:  # type: ignore[no-untyped-def]
    scene, texture = tmp_path / name, tmp_path / "wood.png"
    data = shot(library="//lib.blend", image="//wood.png").data_bytes()
    scene.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    texture.write_bytes(b"wood")
    submission = scene_submission(scene, task="mesh.lods")
    assert submission.files[0].path == place
    assert (texture in [file.source for file in submission.files]) == place.endswith(".blend")


@pytest.mark.parametrize("name", ["car.zip", "notes", "car.blend1"])
def test_another_file_when_submitted_then_it_keeps_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04")
    assert scene_submission(tmp_path / name, task="mesh.lods").files[0].path == name


def test_equal_names_when_given_as_externals_then_both_are_sent(tmp_path: Path) -> None:
    scene = write(tmp_path / "s/shot.blend", image("//gone.png"))
    externals = [write(tmp_path / name / "diffuse.png") for name in ("a", "b", "s/t")]
    made = scene_submission(scene, task="t", externals=(*externals, externals[0]))
    made.check()
    assert [file.path for file in made.files if file.role == "external"] == [
        "external/diffuse.png", "external/01/diffuse.png", "t/diffuse.png"
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [str, Path])
def test_an_external_when_it_is_one_path_and_no_list_then_it_is_sent(tmp_path: Path, kind: type) -> None:
    scene = write(tmp_path / "shot.blend", TinyBlend())
    made = scene_submission(scene, task="t", externals=kind(write(tmp_path / "a.png")))
    assert [file.path for file in made.files] == ["shot.blend", "a.png"]


def test_an_external_when_the_scene_names_it_then_it_goes_once(tmp_path: Path) -> None:
    scene = write(tmp_path / "shot.blend", image("//tex/a.png"))
    made = scene_submission(scene, task="t", externals=(write(tmp_path / "tex/a.png"),))
    assert [file.path for file in made.files] == ["shot.blend", "external/00/a.png", "sendoff-paths.json"]


def test_a_damaged_blend_when_submitted_then_a_note(tmp_path: Path, make_blend) -> None:  # type: ignore[no-untyped-def]
    made = scene_submission(write(tmp_path / "shot.blend", make_blend((b"DATA", b"x", 1))), task="t")
    made.check()
    assert made.notes[0].startswith("Its files could not be looked up. ")


def test_too_many_files_when_checked_then_the_sequence_that_makes_most_is_named(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(submission, "MAX_FILES", 5)
    assert manifest.MAX_FILES == 20_000
    scene = write(tmp_path / "shot.blend", image("//gone.png"))
    files = [SceneFile(source=tmp_path / f"plate.{number:04d}.jp2", path=f"e/{number}") for number in range(5)]
    made = Submission(task="t", files=(SceneFile(scene, "shot.blend", "scene"), *files))
    with pytest.raises(
        InputError, match=r"6 files; at most 5 can be sent\. 5 of them are frames of plate\.####\.jp2\."
    ):
        made.check()


def test_a_file_when_it_has_too_many_chunks_then_it_is_said_before_it_is_sent(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    scene = write(tmp_path / "cache.abc", b"x" * 3 * 1024 * 1024)
    made = Submission(task="t", files=(SceneFile(scene, "cache.abc"),))
    made.check()
    monkeypatch.setattr(submission, "MAX_CHUNKS_PER_FILE", 2)
    with pytest.raises(InputError, match=r"cache\.abc has .* can be sent"):
        made.check()
    monkeypatch.setattr(submission, "MAX_CHUNKS_PER_FILE", 3)
    write(scene, b"417\n" * 16 * 1024 * 10)
    with pytest.raises(InputError, match=r"cache\.abc has too many parts"):
        made.check()


def test_a_file_that_is_not_there_when_its_name_is_no_unicode_then_the_sentence_can_be_printed(tmp_path: Path) -> None:
    gone = tmp_path / os.fsdecode(b"gone\xe9.png")
    with pytest.raises(InputError) as caught:
        Submission(task="t", files=(SceneFile(gone, "gone.png"),)).check()
    str(caught.value).encode()
    check_paths(["gone.png"])


def test_a_copy_of_a_layer_when_the_disk_is_full_then_a_sentence(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    scene = layer(tmp_path / "s.usda", str(layer(tmp_path / "lib/a.usda")))
    cached = TinyBlend()
    cached.id("CF", "CacheFile", "C", 50, filepath="//s.usda")
    write(tmp_path / "cached.blend", cached)
    linking = write(tmp_path / "shot.blend", libraries("//cached.blend"))
    monkeypatch.setattr(usd_files, "rewrite", full)
    for one in (scene, linking):
        with pytest.raises(InputError, match=r"s\.usda cannot be written in .* No space left on device\. Is the disk"):
            scene_submission(one, task="t")
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(InputError, match=r"cannot be listed in .* No space left on device\. Is the disk full\?"):
        scene_submission(write(tmp_path / "gone.blend", image("//gone.png")), task="t")
    monkeypatch.setattr(submission.tempfile, "mkdtemp", full)
    with pytest.raises(InputError, match=r"No temporary folder can be made: No space .* Set TMPDIR"):
        scene_submission(scene, task="t")


def test_a_file_when_another_program_holds_it_then_only_the_scene_is_refused(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    def held(path: Path, *_: int) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    scene, texture = write(tmp_path / "shot.usd"), write(tmp_path / "a.png")
    made = scene_submission(scene, task="t", externals=texture, look_up=False)
    monkeypatch.setattr(submission, "open_file", held)
    with pytest.raises(InputError, match=r"/shot\.usd cannot be read: Permission denied\."):
        made.check()
    Submission(task="t", files=made.files[1:]).check()
