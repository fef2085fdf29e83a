"""The layers of a USD scene: metadata of any type, files that came along under other names, files that did not."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import pytest
from sendoff_inside import mesh_lods
from sendoff_inside.job import Job
from sendoff_inside.pxr_library import pxr
from sendoff_inside.scene import open_scene
from sendoff_sdk import scene_files

library = pxr()
Gf, Sdf, Usd, UsdGeom, UsdShade = (getattr(library, name) for name in ("Gf", "Sdf", "Usd", "UsdGeom", "UsdShade"))
Open = Callable[..., Job]
#: Types of values in a .usdc by their number there, each with bytes of a value that is stored within the field itself.
#: https://openusd.org/release/api/crate_data_types_8h.html
TYPES = {
    "bool": (1, struct.pack("<i", 1)),
    "int": (3, struct.pack("<i", 2)),
    "uint": (4, struct.pack("<I", 2)),
    "half": (7, struct.pack("<i", 0x4000)),
    "float": (8, struct.pack("<f", 2.0)),
    "double": (9, struct.pack("<f", 2.0)),
    "string": (10, struct.pack("<i", 1)),
    "token": (11, struct.pack("<i", 1)),
}
NUMBERS = ("half", "float", "double", "int", "uint")
#: A number that nothing else in the files is.
MARK = 0.37109375


@pytest.fixture
def opened(tmp_path: Path, recorder: Any) -> Open:
    def open_it(path: Path, **params: Any) -> Job:
        job = Job(recorder, params=params, folder=tmp_path / "out", scene=path)
        job.folder.mkdir(exist_ok=True)
        open_scene(job, path, None)
        return job

    return open_it


def add_triangle(stage: Any, path: str) -> Any:
    mesh = UsdGeom.Mesh.Define(stage, path)
    mesh.CreatePointsAttr([Gf.Vec3f(0, 0, 0), Gf.Vec3f(1, 0, 0), Gf.Vec3f(0, 1, 0)])
    mesh.CreateFaceVertexCountsAttr([3])
    mesh.CreateFaceVertexIndicesAttr([0, 1, 2])
    return mesh


def with_metadata(folder: Path, key: str, kind: str) -> Path:
    """A .usdc in which some metadata has a value of a type that Pixar's library would not write."""
    whole = Usd.Stage.CreateNew(str(folder / "whole.usdc"))
    add_triangle(whole, "/Body").AddTranslateOp().Set(Gf.Vec3d(1, 0, 0))
    whole.GetRootLayer().pseudoRoot.SetInfo(key, MARK)
    whole.GetRootLayer().Save()
    content = (folder / "whole.usdc").read_bytes()
    number, value = TYPES[kind]
    stored = struct.pack("<f", MARK) + b"\0\0\x09\x40"
    assert content.count(stored) == 1
    path = folder / "scene.usdc"
    path.write_bytes(content.replace(stored, value + bytes([0, 0, number, 0x40])))
    return path


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("key", ["metersPerUnit", "timeCodesPerSecond", "framesPerSecond", "startTimeCode"])
def test_metadata_of_any_type_is_read_or_told(key: str, kind: str, tmp_path: Path, opened: Open, recorder: Any) -> None:
    job = opened(with_metadata(tmp_path, key, kind))
    (one,) = bpy.data.objects
    is_number = kind in NUMBERS
    metres = 2.0 if key == "metersPerUnit" and is_number else 0.01
    assert job.origin.metres_per_unit == metres
    assert one.matrix_world.translation.x == pytest.approx(metres)
    told = [text for text in recorder.warnings if key in text]
    assert len(told) == (0 if is_number or key == "startTimeCode" else 1)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_units_that_cannot_be_are_told(value: float, tmp_path: Path, opened: Open, recorder: Any) -> None:
    made = Usd.Stage.CreateNew(str(tmp_path / "scene.usdc"))
    add_triangle(made, "/Body")
    made.GetRootLayer().pseudoRoot.SetInfo("metersPerUnit", value)
    made.Save()
    job = opened(tmp_path / "scene.usdc")
    assert job.origin.metres_per_unit == 0.01
    assert recorder.warnings == ["“metersPerUnit” in scene.usdc is not a number that USD allows; 0.01 is used."]


def test_wrong_metadata_of_a_layer_below_stops_nothing(tmp_path: Path, opened: Open) -> None:
    with_metadata(tmp_path, "timeCodesPerSecond", "int")
    (tmp_path / "shot.usda").write_text('#usda 1.0\ndef "Set" (references = @./scene.usdc@</Body>)\n{\n}\n')
    opened(tmp_path / "shot.usda")
    assert [one["sendoff_path"] for one in bpy.data.objects] == ["/Set"]


MISSING = pytest.mark.parametrize(
    "how", ["reference", "payload", "sublayer", "nested", "prototype", "clip", "clips", "texture", "tiles"]
)


def with_a_missing_file(how: str, tmp_path: Path) -> str:
    """Make set.usda, which names a file that is not there; returns how it names it."""
    made = Usd.Stage.CreateNew(str(tmp_path / "set.usda"))
    name = "./parts/gone.usda"
    if how in ("reference", "prototype"):
        made.DefinePrim("/A").GetReferences().AddReference(name)
        made.GetPrimAtPath("/A").SetInstanceable(how == "prototype")
    elif how == "payload":
        made.DefinePrim("/A").GetPayloads().AddPayload(name)
    elif how == "sublayer":
        made.GetRootLayer().subLayerPaths.append(name)
    elif how == "nested":
        (tmp_path / "parts").mkdir()
        inner = Usd.Stage.CreateNew(str(tmp_path / "parts" / "inner.usda"))
        inner.SetDefaultPrim(inner.DefinePrim("/I"))
        inner.GetDefaultPrim().GetReferences().AddReference("gone.usda")
        inner.Save()
        made.DefinePrim("/A").GetReferences().AddReference("./parts/inner.usda")
    elif how == "clip":
        clips = Usd.ClipsAPI(add_triangle(made, "/A"))
        clips.SetClipAssetPaths([Sdf.AssetPath(name)])
        clips.SetClipPrimPath("/A")
        clips.SetClipActive([(0, 0)])
    elif how == "clips":
        name = "./parts/gone.###.usda"
        clips = Usd.ClipsAPI(add_triangle(made, "/A"))
        clips.SetClipTemplateAssetPath(name)
        clips.SetClipTemplateStartTime(1)
        clips.SetClipTemplateEndTime(3)
        clips.SetClipTemplateStride(1)
        clips.SetClipPrimPath("/A")
    else:
        name = "./parts/gone.<UDIM>.png" if how == "tiles" else "./parts/gone.png"
        shader = UsdShade.Shader.Define(made, "/mtl/paint/texture")
        shader.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(name)
    made.Save()
    return name


@MISSING
def test_each_file_that_is_missing_is_named(how: str, tmp_path: Path, opened: Open, recorder: Any) -> None:
    name = with_a_missing_file(how, tmp_path)
    job = opened(tmp_path / "set.usda", levels=1)
    (entry,) = job.missing_files
    assert Path(entry.partition(" (")[0]).name.strip("./") == Path(name).name
    assert str(tmp_path) not in entry
    (told,) = [text for text in recorder.warnings if Path(name).name in text]
    assert told.startswith("1 file that")
    assert told.endswith("What it holds is missing.")
    mesh_lods.run(job)
    assert not any("no mesh objects" in text for text in recorder.warnings)


def test_missing_files_of_equal_names_are_each_named(tmp_path: Path, opened: Open, recorder: Any) -> None:
    made = Usd.Stage.CreateNew(str(tmp_path / "set.usda"))
    for number, name in enumerate(("/gone/a.usda", "/lost/a.usda", "file:///gone/a.usda")):
        made.DefinePrim(f"/P{number}").GetReferences().AddReference(name)
    made.Save()
    paths = {"version": 2, "holders": {}, "origins": {}, "missing": {"set.usda": {"/gone/a.usda": "layer"}}}
    scene_files.write_paths(paths, tmp_path)
    job = opened(tmp_path / "set.usda")
    # In which order is the USD library's own affair, which differs by version.
    assert sorted(entry.partition(" (")[0] for entry in job.missing_files) == [
        "/gone/a.usda", "/lost/a.usda", "file:///gone/a.usda",
    ]  # fmt: skip
    (warning,) = recorder.warnings
    assert warning.startswith("2 files that the scene names did not come along: ")
    assert " /lost/a.usda (" in warning
    assert " file:///gone/a.usda (" in warning
    assert " /gone/a.usda (" not in warning


@MISSING
def test_what_the_artist_knows_to_be_missing_is_not_told_again(how, tmp_path: Path, opened: Open, recorder) -> None:
    with_a_missing_file(how, tmp_path)
    scene_files.collect(tmp_path / "set.usda", folder=tmp_path)
    assert (tmp_path / "sendoff-paths.json").is_file()
    assert len(opened(tmp_path / "set.usda", levels=1).missing_files) == 1
    assert recorder.warnings == []


def test_a_layer_that_is_damaged_is_named(tmp_path: Path, opened: Open, recorder: Any) -> None:
    (tmp_path / "part.usda").write_text("#usda 1.0\ndef {{{")
    made = Usd.Stage.CreateNew(str(tmp_path / "set.usda"))
    made.DefinePrim("/A").GetReferences().AddReference("./part.usda")
    add_triangle(made, "/Body")
    made.Save()
    opened(tmp_path / "set.usda")
    assert [one["sendoff_path"] for one in bpy.data.objects] == ["/Body"]
    assert len([text for text in recorder.warnings if "part.usda" in text]) >= 1


def test_a_file_in_an_unselected_variant_is_not_missed(tmp_path: Path, opened: Open, recorder: Any) -> None:
    made = Usd.Stage.CreateNew(str(tmp_path / "set.usda"))
    add_triangle(made, "/A/Body")
    variants = made.GetPrimAtPath("/A").GetVariantSets().AddVariantSet("look")
    for name in ("near", "far"):
        variants.AddVariant(name)
    variants.SetVariantSelection("far")
    with variants.GetVariantEditContext():
        made.GetPrimAtPath("/A").GetReferences().AddReference("./gone.usda")
    variants.SetVariantSelection("near")
    made.Save()
    job = opened(tmp_path / "set.usda")
    assert job.missing_files == []
    assert [one["sendoff_path"] for one in bpy.data.objects] == ["/A/Body"]


@pytest.fixture
def moved(tmp_path: Path) -> Path:
    """A scene whose layer and texture came along under other names, as sendoff-paths.json tells."""
    job = tmp_path / "job"
    (job / "external" / "00").mkdir(parents=True)
    (job / "external" / "01").mkdir(parents=True)
    part = Usd.Stage.CreateNew(str(job / "external" / "00" / "wheel.usda"))
    mesh = add_triangle(part, "/Wheel/Tyre")
    part.SetDefaultPrim(part.GetPrimAtPath("/Wheel"))
    material = UsdShade.Material.Define(part, "/Wheel/rubber")
    surface = UsdShade.Shader.Define(part, "/Wheel/rubber/surface")
    surface.CreateIdAttr("UsdPreviewSurface")
    texture = UsdShade.Shader.Define(part, "/Wheel/rubber/texture")
    texture.CreateIdAttr("UsdUVTexture")
    texture.CreateInput("file", Sdf.ValueTypeNames.Asset).Set("../tex/rubber.png")
    surface.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).ConnectToSource(texture.ConnectableAPI(), "rgb")
    material.CreateSurfaceOutput().ConnectToSource(surface.ConnectableAPI(), "surface")
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material)
    part.Save()
    image = bpy.data.images.new("rubber", 4, 4)
    image.filepath_raw, image.file_format = str(job / "external" / "01" / "rubber.png"), "PNG"
    image.save()
    made = Usd.Stage.CreateNew(str(job / "car.usda"))
    made.DefinePrim("/Car").GetReferences().AddReference("../parts/wheel.usda")
    made.Save()
    paths = {
        "version": 2,
        "holders": {
            "car.usda": {"../parts/wheel.usda": "external/00/wheel.usda"},
            "external/00/wheel.usda": {"../tex/rubber.png": "external/01/rubber.png"},
        },
        "origins": {"external/00/wheel.usda": "//../parts/wheel.usda", "external/01/rubber.png": "//../tex/rubber.png"},
        "missing": {},
    }
    (job / "sendoff-paths.json").write_text(json.dumps(paths))
    return job / "car.usda"


def test_files_are_found_where_they_came_along(moved: Path, opened: Open, recorder: Any) -> None:
    job = opened(moved)
    assert [one["sendoff_path"] for one in bpy.data.objects] == ["/Car/Tyre"]
    assert job.missing_files == []
    (material,) = bpy.data.objects[0].data.materials
    (image,) = [node.image for node in material.node_tree.nodes if node.type == "TEX_IMAGE"]
    assert image.size[:] == (4, 4)
    assert image["sendoff_path"] == "//../tex/rubber.png"


def test_in_a_result_each_path_is_the_artists_own(moved: Path, opened: Open, tmp_path: Path) -> None:
    job = opened(moved, levels=1)
    mesh_lods.run(job)
    layer = Sdf.Layer.FindOrOpen(str(job.folder / "lods.usdc"))
    text = layer.ExportToString()
    assert "@./../tex/rubber.png@" in text
    assert str(tmp_path) not in text
    assert tmp_path.name.encode() not in (job.folder / "lods.usdc").read_bytes()


def test_a_list_of_paths_that_is_nonsense_is_as_if_it_were_not_there(moved: Path, opened: Open) -> None:
    for content in ("[]", "{", '{"holders": {"car.usda": 3}}', '{"holders": []}'):
        (moved.parent / "sendoff-paths.json").write_text(content)
        job = opened(moved)
        assert len(job.missing_files) == 1


def test_a_package_is_read_with_its_textures(moved: Path, tmp_path: Path, opened: Open) -> None:
    package = tmp_path / "job" / "car.usdz"
    layer = (moved.parent / "external" / "00" / "wheel.usda").read_text().replace("../tex/rubber.png", "rubber.png")
    with zipfile.ZipFile(package, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("wheel.usda", layer)
        archive.write(moved.parent / "external" / "01" / "rubber.png", "rubber.png")
    job = opened(package, levels=1, formats=["glb", "scene", "blend"])
    assert [one["sendoff_path"] for one in bpy.data.objects] == ["/Wheel/Tyre"]
    assert job.missing_files == []
    mesh_lods.run(job)
    assert b"image/png" in (job.folder / "lods.glb").read_bytes()
    assert "@rubber.png@" in Sdf.Layer.FindOrOpen(str(job.folder / "lods.usdc")).ExportToString()
    bpy.ops.wm.open_mainfile(filepath=str(job.folder / "lods.blend"))
    (image,) = [one for one in bpy.data.images if one.name.startswith("rubber")]
    assert (image.filepath, image.packed_file is not None) == ("//rubber.png", True)
