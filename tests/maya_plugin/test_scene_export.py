"""What is sent, and that the open scene stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from maya import cmds, standin, state
from pxr import Usd, UsdGeom


@pytest.fixture
def car(maya, tmp_path):
    """A saved scene of a body and a wheel, the wheel selected, with a change that is not saved."""
    cmds.polyCube(name="Body", width=200, height=100, depth=400)
    cmds.setAttr("Body.translateX", 300)
    cmds.polySphere(name="Wheel", radius=30)
    cmds.group("Body", "Wheel", name="Car", world=True)
    (tmp_path / "scenes").mkdir()
    cmds.file(rename=str(tmp_path / "scenes" / "car.ma"))
    cmds.file(save=True)
    cmds.select("Wheel", replace=True)
    cmds.setAttr("Wheel.translateY", 30)
    return tmp_path / "scenes" / "car.ma"


def order(plugin, **options):
    return plugin.host.submitting.Order(task="mesh.lods", params={"levels": 2}, **options)


def open_scene():
    run = state.now
    return {
        "name": run.scene.name,
        "modified": run.scene.is_modified,
        "selected": list(run.scene.content.selected),
        "namespace": run.scene.namespace,
        "undo": [name for name, _ in run.undo],
        "records undo": run.records_undo,
        "nodes": [node.path for node in run.scene.nodes()],
        "settings": dict(state.option_vars),
    }


def scene_of(export):
    return next(file.source for file in export.submission.files if file.role == "scene")


@pytest.mark.parametrize("accepts", [("usd", "usdc"), ("ma", "mb"), ("fbx",)])
def test_the_open_scene_is_left_exactly_as_it_is(car, plugin, accepts):
    before, content = open_scene(), car.read_bytes()
    plugin.scene_export.export(order(plugin), accepts)
    assert open_scene() == before
    assert car.read_bytes() == content


def test_usd_has_the_scenes_own_units_and_sizes(car, plugin):
    export = plugin.scene_export.export(order(plugin), ("blend", "usd", "usdc"))
    path = scene_of(export)
    assert path.name == "car.usdc"
    stage = Usd.Stage.Open(str(path))
    assert (UsdGeom.GetStageMetersPerUnit(stage), UsdGeom.GetStageUpAxis(stage)) == (0.01, "Y")
    box = UsdGeom.BBoxCache(0, ["default"]).ComputeWorldBound(stage.GetPrimAtPath("/Car/Body")).ComputeAlignedRange()
    assert list(box.GetSize()) == [200, 100, 400]
    assert list(box.GetMidpoint()) == [300, 0, 0]
    assert set(export.fingerprints) == {"/Car/Body", "/Car/Wheel"}
    assert (export.submission.host.application, export.submission.host.version) == ("maya", "2025")
    assert export.scene_bytes == path.stat().st_size


def test_a_scope_is_exported_alone_and_the_selection_comes_back(car, plugin):
    cmds.select("Body", replace=True)
    scope = plugin.scopes.scope_of("SELECTED")
    cmds.select("Wheel", replace=True)
    export = plugin.scene_export.export(order(plugin, scope=scope), ("usdc",))
    stage = Usd.Stage.Open(str(scene_of(export)))
    meshes = [str(prim.GetPath()) for prim in stage.Traverse() if prim.IsA(UsdGeom.Mesh)]
    assert meshes == ["/Car/Body"]
    assert set(export.fingerprints) == {"/Car/Body"}
    assert cmds.ls(selection=True) == ["Wheel"]


@pytest.mark.parametrize("release", ["0.19", "0.30"])
def test_only_flags_that_this_version_of_mayas_usd_knows_are_passed(car, plugin, release):
    state.now.usd_release = release
    assert scene_of(plugin.scene_export.export(order(plugin), ("usdc",))).is_file()


def test_mayas_own_file_is_sent_where_the_task_takes_it_with_what_it_reads(car, plugin, tmp_path):
    texture = cmds.createNode("file", name="paint")
    for tile in (1001, 1002):
        (tmp_path / f"paint.{tile}.png").write_bytes(b"png")
    cmds.setAttr(f"{texture}.fileTextureName", str(tmp_path / "paint.1001.png"), type="string")
    cmds.setAttr(f"{texture}.uvTilingMode", 3)
    gone = cmds.createNode("file", name="decal")
    cmds.setAttr(f"{gone}.fileTextureName", str(tmp_path / "decal.png"), type="string")
    export = plugin.scene_export.export(order(plugin), ("ma", "mb"))
    assert scene_of(export).read_text().startswith("//Maya ASCII")
    sent = sorted(Path(file.path).name for file in export.submission.files)
    assert sent == ["car.ma", "paint.1001.png", "paint.1002.png", "sendoff-paths.json"]
    assert export.notes == (
        f"1 external file is missing and not sent: {tmp_path / 'decal.png'} (decal.fileTextureName)",
    )


def test_a_texture_that_is_no_file_or_has_an_impossible_name_is_named_and_the_scene_is_sent(car, plugin, tmp_path):
    (tmp_path / "folder.png").mkdir()
    for number, name in enumerate(("folder.png", "n" * 300)):
        texture = cmds.createNode("file", name=f"paint{number}")
        cmds.setAttr(f"{texture}.fileTextureName", str(tmp_path / name), type="string")
    missing = plugin.scene_export.export(order(plugin), ("ma",)).submission.missing_files
    assert missing == (
        f"{tmp_path}/folder.png (paint0.fileTextureName: a folder, not a file)",
        f"{tmp_path}/{'n' * 300} (paint1.fileTextureName)",
    )


def test_all_frames_of_a_sequence_and_what_only_the_scene_lists_are_sent(car, plugin, tmp_path):
    frames = cmds.createNode("file", name="screen")
    for frame in (1, 2, 10):
        (tmp_path / f"screen.{frame:04d}.png").write_bytes(b"png")
    cmds.setAttr(f"{frames}.fileTextureName", str(tmp_path / "screen.0001.png"), type="string")
    cmds.setAttr(f"{frames}.useFrameExtension", True)
    (tmp_path / "voice.wav").write_bytes(b"RIFF")
    sound = cmds.createNode("audio", name="voice")
    cmds.addAttr(sound, longName="filename", dataType="string")
    cmds.setAttr(f"{sound}.filename", str(tmp_path / "voice.wav"), type="string")
    export = plugin.scene_export.export(order(plugin), ("ma",))
    sent = sorted(Path(file.path).name for file in export.submission.files if file.path.startswith("external/"))
    assert sent == ["screen.0001.png", "screen.0002.png", "screen.0010.png", "voice.wav"]
    assert export.notes == ()


def test_references_are_part_of_the_copy_unless_they_are_to_be_kept(car, plugin, tmp_path):
    cmds.file(rename=str(tmp_path / "scenes" / "wheel.ma"))
    cmds.file(save=True)
    cmds.file(newFile=True, force=True)
    cmds.file(str(tmp_path / "scenes" / "wheel.ma"), reference=True, namespace="wheel")
    flat = plugin.scene_export.export(order(plugin), ("ma",))
    assert "file -r" not in scene_of(flat).read_text()
    assert len(flat.submission.files) == 1
    plugin.preferences.set_on(plugin.preferences.KEEP_REFERENCES, True)
    kept = plugin.scene_export.export(order(plugin), ("ma",))
    assert "file -r" in scene_of(kept).read_text()
    assert "external/00/wheel.ma" in {file.path for file in kept.submission.files}


def test_esc_stops_it_and_nothing_is_left(car, plugin, monkeypatch):
    real = cmds.filePathEditor
    monkeypatch.setattr(
        plugin.external_files.cmds, "filePathEditor", lambda **k: standin.press_escape() or real(**k), raising=False
    )
    before = open_scene()
    with pytest.raises(plugin.host.submitting.ExportStopped, match="stopped before anything was sent"):
        plugin.scene_export.export(order(plugin), ("ma",))
    assert open_scene() == before
    assert list(Path(plugin.scene_export.tempfile.gettempdir()).glob("sendoff-maya-*")) == []


def test_a_scan_that_fails_is_a_note_and_the_scene_is_sent(car, plugin, monkeypatch, capsys):
    def broken(**_):
        raise RuntimeError("xgen is not loaded")

    monkeypatch.setattr(plugin.external_files.cmds, "filePathEditor", broken, raising=False)
    export = plugin.scene_export.export(order(plugin), ("ma",))
    assert "could not all be found (xgen is not loaded)" in export.notes[0]
    assert scene_of(export).is_file()


def test_without_any_way_to_write_it_a_sentence_says_what_to_load(car, plugin):
    state.now.plugins_available = ()
    with pytest.raises(plugin.host.submitting.ExportFailed, match="needs Maya's plug-in mayaUsdPlugin or fbxmaya"):
        plugin.scene_export.export(order(plugin), ("blend", "usd", "fbx"))


def test_what_is_gone_since_the_click_is_a_sentence(car, plugin):
    scope = plugin.host.submitting.Scope("“Wheel”", (("|Car|Wheel", None),))
    cmds.delete("Wheel")
    with pytest.raises(plugin.host.submitting.ExportFailed, match="“Wheel” is not in the scene any more"):
        plugin.scene_export.export(order(plugin, scope=scope), ("usdc",))
