"""An FBX scene goes in in any unit, with Y or Z up, and what comes back has its units, its places and its names."""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sendoff_inside import fbx_file, fbx_result, fbx_scene, mesh_lods
from sendoff_inside.contents import Part
from sendoff_inside.job import Job, JobFailed
from sendoff_inside.origin import Origin
from sendoff_inside.scene import open_scene
from sendoff_sdk import scene_files

from .lod_scenes import extent

#: Centimetres of a unit, and which axis is up: Maya's, 3ds Max in inches, a Blender artist's, millimetres.
KINDS = [(1.0, "Y"), (1.0, "Z"), (2.54, "Z"), (100.0, "Y"), (0.1, "Z")]
UNSCALED = (1.0, 1.0, 1.0)
#: Not written where they are so.
PLACE = {"Lcl Translation": [0.0, 0.0, 0.0], "Lcl Rotation": [0.0, 0.0, 0.0], "Lcl Scaling": [1.0, 1.0, 1.0]}


@pytest.fixture
def opened(tmp_path: Path, recorder: Any) -> Callable[..., Job]:
    def open_it(path: Path, **params: Any) -> Job:
        job = Job(recorder, params=params, folder=tmp_path / "out", scene=path)
        job.folder.mkdir(exist_ok=True)
        open_scene(job, path, None)
        return job

    return open_it


def write(path: Path, centimetres: float = 1.0, up: str = "Y") -> Path:
    """Write the open scene as an application with such units does: by Blender's own exporter."""
    fbx_scene.enable()
    scene = bpy.context.scene
    scene.unit_settings.system, scene.unit_settings.scale_length = "METRIC", 1.0 / centimetres
    bpy.ops.export_scene.fbx(
        filepath=str(path),
        apply_scale_options="FBX_SCALE_CUSTOM",
        global_scale=centimetres,
        axis_forward="Y" if up == "Z" else "-Z",
        axis_up=up,
        bake_space_transform=True,
        bake_anim=False,
        path_mode="ABSOLUTE",
    )
    scene.unit_settings.scale_length = 1.0
    return path


def ball(name: str = "Ball", *, scale: tuple[float, float, float] = UNSCALED, **where: Any) -> Any:
    bpy.ops.mesh.primitive_uv_sphere_add(segments=32, ring_count=16, radius=0.5, **where)
    bpy.context.object.name = name
    bpy.context.object.scale = scale
    return bpy.context.object


def nodes(path: Path) -> tuple[dict[str, float], dict[str, dict[str, Any]]]:
    """The settings of a file, and each mesh node's numbers as they stand there, by Blender's own parser."""
    fbx_scene.enable()
    from io_scene_fbx import parse_fbx

    root, _ = parse_fbx.parse(str(path))
    parts = {element.id: element for element in root.elems if element}
    table = next(element for element in parts[b"GlobalSettings"].elems if element.id == b"Properties70")
    settings = {row.props[0].decode(): row.props[4] for row in table.elems if len(row.props) == 5}
    models: dict[str, dict[str, Any]] = {}
    geometry: dict[int, Any] = {}
    for element in parts[b"Objects"].elems:
        if element.id == b"Geometry":
            points = next(one for one in element.elems if one.id == b"Vertices").props[0]
            geometry[element.props[0]] = [points[axis::3] for axis in range(3)]
        if element.id == b"Model":
            rows = next(one for one in element.elems if one.id == b"Properties70").elems
            local = {row.props[0].decode(): list(row.props[4:7]) for row in rows if row.props[0].startswith(b"Lcl ")}
            models[element.props[1].split(b"\0")[0].decode()] = {"key": element.props[0], **PLACE, **local}
    for link in parts[b"Connections"].elems:
        for model in models.values():
            if link.props[2] == model["key"] and link.props[1] in geometry:
                axes = geometry[link.props[1]]
                model["size"] = [max(axis) - min(axis) for axis in axes]
    return settings, models


@pytest.mark.parametrize(("centimetres", "up"), KINDS)
def test_a_result_has_the_units_the_axes_and_the_places_of_what_was_sent(
    centimetres: float, up: str, tmp_path: Path, opened: Any
) -> None:
    ball(location=(3.0, 2.0, 0.5), scale=(1.0, 1.0, 2.0))
    sent = write(tmp_path / "ball.fbx", centimetres, up)
    job = opened(sent, levels=1, formats=["scene", "usd"])
    assert sorted(bpy.data.objects["Ball"].dimensions) == pytest.approx([1.0, 1.0, 2.0], abs=0.02)
    mesh_lods.run(job)
    there, before = nodes(sent)
    here, after = nodes(job.folder / "lods.fbx")
    for name in ("UpAxis", "UpAxisSign", "FrontAxis", "FrontAxisSign", "CoordAxis", "CoordAxisSign"):
        assert here[name] == there[name]
    assert here["UnitScaleFactor"] == there["UnitScaleFactor"] == pytest.approx(centimetres)
    own = before["Ball"]
    for name, tolerance in (("Ball_LOD0", 1e-4), ("Ball_LOD1", 0.05)):
        for numbers in PLACE:
            assert after[name][numbers] == pytest.approx(own[numbers], rel=1e-4, abs=1e-3)
        assert after[name]["size"] == pytest.approx(own["size"], rel=tolerance)
    contents = json.loads((job.folder / "contents.json").read_text())
    assert contents["meters_per_unit"] == pytest.approx(centimetres / 100.0)
    assert contents["up_axis"] == up


def test_an_object_of_blender_becomes_centimetres_with_y_up(tmp_path: Path, recorder: Any) -> None:
    ball("Sphere", location=(3.0, 2.0, 0.5))
    job = Job(recorder, params={"levels": 1, "formats": ["fbx", "blend"]}, folder=tmp_path, scene=None)
    mesh_lods.run(job)
    settings, made = nodes(tmp_path / "lods.fbx")
    assert (settings["UnitScaleFactor"], settings["UpAxis"]) == (1.0, 1)
    level = made["Sphere_LOD1"]
    assert level["size"] == pytest.approx([100.0, 100.0, 100.0], abs=3.0)
    assert level["Lcl Translation"] == pytest.approx([300.0, 50.0, -200.0], abs=1e-3)
    assert level["Lcl Scaling"] == pytest.approx([1.0, 1.0, 1.0])
    assert level["Lcl Rotation"] == pytest.approx([0.0, 0.0, 0.0], abs=1e-4)
    contents = json.loads((tmp_path / "contents.json").read_text())
    assert (contents["meters_per_unit"], contents["up_axis"]) == (0.01, "Y")
    assert bpy.context.scene.unit_settings.scale_length == 1.0


def test_the_same_object_is_found_where_two_have_one_name(tmp_path: Path, opened: Any) -> None:
    parents = []
    for name, x in (("Left", -1.0), ("Right", 1.0)):
        bpy.ops.object.empty_add(location=(x, 0.0, 0.0))
        bpy.context.object.name = name
        parents.append(bpy.context.object)
        ball(f"Wheel{name[0]}", location=(x, 0.0, 0.0))
        bpy.context.object.parent = parents[-1]
        bpy.context.object.matrix_parent_inverse = parents[-1].matrix_world.inverted()
    ball("Body")
    sent = write(tmp_path / "car.fbx")
    sent.write_bytes(sent.read_bytes().replace(b"WheelL\0\1Model", b"WheelR\0\1Model"))
    assert fbx_file.read(sent).names == {"Left": 1, "Right": 1, "WheelR": 2, "Body": 1}
    job = opened(sent, levels=1)
    mesh_lods.run(job)
    parts = json.loads((job.folder / "contents.json").read_text())["objects"]
    assert {part["source"] for part in parts} == {"/Left/WheelR", "/Right/WheelR", "Body"}
    _, made = nodes(job.folder / "lods.fbx")
    assert set(made) == {part["path"] for part in parts} | {"WheelR", "WheelR_1", "Body"}
    for part in parts:
        x = {"/Left/WheelR": -100.0, "/Right/WheelR": 100.0, "Body": 0.0}[part["source"]]
        assert made[part["name"]]["Lcl Translation"][0] == pytest.approx(x, abs=1e-3)


def test_a_number_that_is_the_artists_own_stays_in_the_name(tmp_path: Path, opened: Any) -> None:
    ball("Bolt")
    ball("Bolt.001")
    opened(write(tmp_path / "bolts.fbx"))
    assert sorted(one["sendoff_path"] for one in bpy.data.objects) == ["Bolt", "Bolt.001"]


def test_an_objects_own_scale_is_told_without_the_units(tmp_path: Path, opened: Any) -> None:
    ball(scale=(2.0, 2.0, 2.0))
    opened(write(tmp_path / "ball.fbx"))
    assert list(bpy.data.objects["Ball"]["sendoff_scale"]) == pytest.approx([2.0, 2.0, 2.0], rel=1e-4)


def test_a_texture_of_the_workers_machine_is_not_read(tmp_path: Path, opened: Any, recorder: Any) -> None:
    secret = bpy.data.images.new("secret", 8, 8)
    (tmp_path / "elsewhere").mkdir()
    secret.filepath_raw = str(tmp_path / "elsewhere" / "secret.png")
    secret.file_format = "PNG"
    secret.save()
    bpy.data.images.remove(secret)
    material = bpy.data.materials.new("Paint")
    if bpy.app.version < (5, 0, 0):  # from then on all have nodes
        material.use_nodes = True
    texture = material.node_tree.nodes.new("ShaderNodeTexImage")
    texture.image = bpy.data.images.load(str(tmp_path / "elsewhere" / "secret.png"))
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    material.node_tree.links.new(texture.outputs["Color"], shader.inputs["Base Color"])
    ball().data.materials.append(material)
    (tmp_path / "workspace").mkdir()
    sent = write(tmp_path / "workspace" / "ball.fbx")
    assert b"secret.png" in sent.read_bytes()
    job = opened(sent, levels=1, formats=["glb", "scene"])
    (image,) = [one for one in bpy.data.images if one.name.startswith("secret")]
    assert not image.has_data
    assert Path(bpy.path.abspath(image.filepath)).resolve().is_relative_to(sent.parent)
    if bpy.app.version >= (4, 5, 0):  # before, the importer took the path for one below the scene's folder
        assert any("secret" in text and "did not come along" in text for text in recorder.warnings)
    mesh_lods.run(job)
    assert b"image/png" not in (job.folder / "lods.glb").read_bytes()


NAMES = ["aβカ😂", 'Tür "links"', "Bolt.001", "a b  c", "Body", "body's", "日本語の名前", "ns:Body", "x" * 70]


def test_names_of_any_script_are_read(tmp_path: Path, opened: Any) -> None:
    for name in NAMES:
        ball(name, location=(len(name), 0.0, 0.0))
    made = {one.name for one in bpy.data.objects}
    opened(write(tmp_path / "names.fbx"))
    assert {str(one["sendoff_path"]) for one in bpy.data.objects} == made


def test_a_name_that_blender_cuts_is_known_by_its_whole_length() -> None:
    whole = "Long" * 80
    one = bpy.data.objects.new(whole, None)
    assert one.name != whole
    said = fbx_file.FbxFile(names=Counter({whole: 1, "Other": 1}))
    assert fbx_scene._own_name(one, said) == whole


def test_names_of_any_script_are_written_unique_and_mapped(tmp_path: Path, recorder: Any) -> None:
    for name in NAMES:
        ball(name)
    sources = {one.name for one in bpy.data.objects}
    job = Job(recorder, params={"levels": 1, "formats": ["fbx"]}, folder=tmp_path, scene=None)
    mesh_lods.run(job)
    parts = json.loads((tmp_path / "contents.json").read_text())["objects"]
    assert {part["source"] for part in parts} == sources
    assert len({part["name"] for part in parts}) == len(parts)
    written = fbx_file.read(tmp_path / "lods.fbx")
    assert written.names == Counter([*(part["name"] for part in parts), *(group.name for group in written.lod_groups)])
    named = {part["source"]: part["name"] for part in parts if part["level"] == 1}
    for name in ("aβカ😂", 'Tür "links"', "日本語の名前", "a b  c", "body's"):
        assert named[name] == f"{name}_LOD1"
    assert named["ns:Body"] == "ns_Body_LOD1"


def test_levels_of_one_source_are_a_lod_group(tmp_path: Path, recorder: Any) -> None:
    ball("Crate", location=(3.0, 2.0, 0.5))
    other = bpy.data.objects.new("Crate copy", bpy.context.object.data)
    bpy.context.scene.collection.objects.link(other)
    other.location.x = -4.0
    job = Job(recorder, params={"levels": 3, "formats": ["fbx", "blend"]}, folder=tmp_path, scene=None)
    mesh_lods.run(job)
    assert fbx_file.read(tmp_path / "lods.fbx").lod_groups == (
        fbx_file.LodGroup("Crate", tuple(f"Crate_LOD{level}" for level in range(4))),
        fbx_file.LodGroup("Crate copy", tuple(f"Crate copy_LOD{level}" for level in range(4))),
    )
    _, made = nodes(tmp_path / "lods.fbx")
    for level in range(4):
        assert made[f"Crate_LOD{level}"]["Lcl Translation"] == pytest.approx([300.0, 50.0, -200.0], abs=1e-3)
        assert made[f"Crate copy_LOD{level}"]["Lcl Translation"] == pytest.approx([-400.0, 0.0, 0.0], abs=1e-3)
    assert made["Crate"]["Lcl Translation"] == [0.0, 0.0, 0.0]
    # The .blend, which is written after it, has neither groups nor parents.
    with bpy.data.libraries.load(str(tmp_path / "lods.blend")) as (there, _):
        assert set(there.objects) == {f"{name}_LOD{level}" for name in ("Crate", "Crate copy") for level in (1, 2, 3)}


def lod_group(*names: str) -> Any:
    """A LOD group of balls, as an application writes one."""
    group = bpy.data.objects.new("Rock_group", None)
    group["fbx_type"] = "LodGroup"
    bpy.context.scene.collection.objects.link(group)
    for name in names:
        ball(name).parent = group
    return group


@pytest.mark.parametrize("names", [("Rock", "Rock_far", "Rock_farther"), ("Rock", "Rock", "Rock")])
def test_of_a_lod_group_only_the_finest_member_gets_levels(names: tuple[str, ...], tmp_path: Path, opened: Any) -> None:
    lod_group("RockA", "RockB", "RockC")
    sent = write(tmp_path / "rock.fbx")
    content = sent.read_bytes()
    if len(set(names)) == 1:
        for name in (b"RockB", b"RockC"):
            content = content.replace(name + b"\0\1Model", b"RockA\0\1Model")
        sent.write_bytes(content)
    job = opened(sent, levels=1, original=False)
    mesh_lods.run(job)
    parts = json.loads((job.folder / "contents.json").read_text())["objects"]
    finest = "/Rock_group/RockA" if len(set(names)) == 1 else "RockA"
    assert [part["source"] for part in parts] == [finest]


def test_in_a_result_a_texture_has_the_artists_path(tmp_path: Path, recorder: Any) -> None:
    for name, noted in (("wood", "//textures/wood.png"), ("paint", "")):
        image = bpy.data.images.new(name, 4, 4)
        image.filepath_raw, image.file_format = str(tmp_path / f"{name}.png"), "PNG"
        image.save()
        if noted:
            image["sendoff_path"] = noted
        material = bpy.data.materials.new(name)
        if bpy.app.version < (5, 0, 0):
            material.use_nodes = True
        texture = material.node_tree.nodes.new("ShaderNodeTexImage")
        texture.image = image
        shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
        material.node_tree.links.new(texture.outputs["Color"], shader.inputs["Base Color"])
        ball(name).data.materials.append(material)
    (tmp_path / "out").mkdir()
    job = Job(recorder, params={"levels": 1, "formats": ["fbx"]}, folder=tmp_path / "out", scene=None)
    mesh_lods.run(job)
    content = (tmp_path / "out" / "lods.fbx").read_bytes()
    assert b"textures/wood.png" in content
    assert b"paint.png" in content
    assert tmp_path.name.encode() not in content


@pytest.mark.parametrize("is_there", [True, False])
def test_of_a_scene_each_texture_keeps_the_path_that_the_file_has(
    tmp_path: Path, opened: Any, *, is_there: bool
) -> None:
    image = bpy.data.images.new("wood", 4, 4)
    image.filepath_raw, image.file_format = str(tmp_path / "wood.png"), "PNG"
    image.save()
    material = bpy.data.materials.new("wood")
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    texture = material.node_tree.nodes.new("ShaderNodeTexImage")
    texture.image = image
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    material.node_tree.links.new(texture.outputs["Color"], shader.inputs["Base Color"])
    ball("Box").data.materials.append(material)
    sent = write(tmp_path / "box.fbx")
    # The artist's folder, of the same length, which this machine has not.
    own = "C:/" + "x" * (len(str(tmp_path)) - 3)
    sent.write_bytes(sent.read_bytes().replace(str(tmp_path).encode(), own.encode()))
    if not is_there:
        (tmp_path / "wood.png").unlink()
    scene_files.collect(sent, folder=tmp_path)
    job = opened(sent, levels=1, formats=["fbx", "usd", "glb", "blend"])
    assert len(job.missing_files) == (0 if is_there else 1)
    assert job.untold_files == [], "the artist was told of it before it was sent"
    mesh_lods.run(job)
    for name in ("lods.fbx", "lods.glb"):
        content = (job.folder / name).read_bytes()
        assert tmp_path.name.encode() not in content
        assert (b"image/png" in content) == (is_there and name == "lods.glb")
    assert f"{own}/wood.png".encode() in (job.folder / "lods.fbx").read_bytes()
    bpy.ops.wm.open_mainfile(filepath=str(job.folder / "lods.blend"))
    (image,) = [one for one in bpy.data.images if one.name.startswith("wood")]
    assert image.filepath == f"{own}/wood.png"


def test_only_the_artists_own_properties_are_written(tmp_path: Path, recorder: Any) -> None:
    one = ball()
    one["weight"] = 2.5
    one["sendoff_parent"] = "Rig"
    parts = [(one, Part(name="Ball", path="", source="Ball"))]
    fbx_result.write_fbx(tmp_path / "ball.fbx", bpy.context.scene, parts, Origin(kind="blend"))
    content = (tmp_path / "ball.fbx").read_bytes()
    assert b"weight" in content
    assert b"sendoff_parent" not in content
    assert one["sendoff_parent"] == "Rig"


@pytest.mark.parametrize("kept", [0, 10, 60, 0.3, 0.9])
def test_a_damaged_file_gets_a_sentence_or_is_read_as_far_as_it_goes(
    kept: float, tmp_path: Path, opened: Any, recorder: Any
) -> None:
    ball()
    content = write(tmp_path / "whole.fbx").read_bytes()
    broken = tmp_path / "broken.fbx"
    broken.write_bytes(content[: kept if kept >= 1 else int(kept * len(content))])
    with contextlib.suppress(JobFailed):
        opened(broken)
        # what could be read of it is there, or it is told that nothing is
        assert bpy.data.objects or "broken.fbx holds no objects." in recorder.warnings


def test_shapes_that_are_no_meshes_are_counted(
    tmp_path: Path, opened: Any, recorder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ball("Ball")
    sent = write(tmp_path / "curve.fbx")
    content = sent.read_bytes()
    # The type of the geometry is a text of its own length.
    before, after = b"S\x04\0\0\0Mesh", b"S\x04\0\0\0Line"
    place = content.index(before, content.index(b"Geometry", content.index(b"Objects")))
    changed = tmp_path / "changed.fbx"
    changed.write_bytes(content[:place] + after + content[place + len(before) :])
    said = fbx_file.read(changed)
    assert said.other_shapes == {"line": 1}
    # Blender's importer refuses a line with polygons.
    monkeypatch.setattr(fbx_file, "read", lambda _path: said)
    opened(sent)
    assert "curve.fbx has 1 line, which cannot become a mesh and is left out." in recorder.warnings


def test_the_settings_of_an_ascii_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "text.fbx"
    path.write_text(
        '; FBX 7.4.0 project file\nGlobalSettings:  {\n\tProperties70:  {\n\t\tP: "UpAxis", "int", "Integer", "",2\n'
        '\t\tP: "UnitScaleFactor", "double", "Number", "",2.54\n\t}\n}\n'
    )
    assert fbx_file.read(path) == fbx_file.FbxFile(centimetres_per_unit=2.54, up_axis="Z")


#: A triangle that two nodes have; one has an offset of its geometry, as 3ds Max writes a moved pivot.
OFFSET = """; FBX 7.4.0 project file
FBXHeaderExtension:  {
	FBXVersion: 7400
}
GlobalSettings:  {
	Properties70:  {
		P: "UpAxis", "int", "Integer", "",1
		P: "UpAxisSign", "int", "Integer", "",1
		P: "FrontAxis", "int", "Integer", "",2
		P: "FrontAxisSign", "int", "Integer", "",1
		P: "CoordAxis", "int", "Integer", "",0
		P: "CoordAxisSign", "int", "Integer", "",1
	}
}
Objects:  {
	Geometry: 1, "Geometry::Shape", "Mesh" {
		Vertices: *9 {
			a: 0,0,0,100,0,0,0,100,0
		}
		PolygonVertexIndex: *3 {
			a: 0,1,-3
		}
	}
	Model: 2, "Model::Rock_LOD0", "Mesh" {
		Properties70:  {
			P: "GeometricTranslation", "Vector3D", "Vector", "",0,300,0
			P: "Lcl Translation", "Lcl Translation", "", "A",700,0,0
			P: "Lcl Scaling", "Lcl Scaling", "", "A",2,2,2
		}
	}
	Model: 3, "Model::Other", "Mesh" {
	}
}
Connections:  {
	C: "OO",1,2
	C: "OO",2,0
	C: "OO",1,3
	C: "OO",3,0
}
"""


@pytest.mark.skipif(bpy.app.version < (4, 5, 0), reason="this Blender reads no ASCII FBX")
def test_a_node_with_a_moved_pivot_keeps_its_name_and_place(tmp_path: Path, opened: Any) -> None:
    sent = tmp_path / "rock.fbx"
    sent.write_text(OFFSET)
    job = opened(sent, levels=1)
    one = bpy.data.objects["Rock_LOD0"]
    assert (one.type, one["sendoff_path"]) == ("MESH", "Rock_LOD0")
    assert list(one["sendoff_scale"]) == pytest.approx([2.0, 2.0, 2.0])
    mesh_lods.run(job)
    parts = json.loads((job.folder / "contents.json").read_text())["objects"]
    levels = {part["name"]: part["source"] for part in parts}
    assert levels == {f"{name}_LOD{n}": own for name, own in (("Rock", "Rock_LOD0"), ("Other",) * 2) for n in (0, 1)}
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.fbx(filepath=str(job.folder / "lods.fbx"))
    bpy.context.view_layer.update()
    for level in (0, 1):
        low, high = extent(bpy.data.objects[f"Rock_LOD{level}"])
        assert (list(low), list(high)) == (pytest.approx([7, 0, 6], abs=1e-4), pytest.approx([9, 0, 8], abs=1e-4))


def test_what_is_no_fbx_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "none.fbx"
    no_number = b'P: "UnitScaleFactor", "double", "Number", "",e-1.2'
    for content in (b"", b"\0" * 100, fbx_file.MAGIC, fbx_file.MAGIC + b"\xff" * 200, no_number):
        path.write_bytes(content)
        assert fbx_file.read(path) == fbx_file.FbxFile()


@given(st.data())
def test_whatever_is_changed_in_a_file_reading_it_ends(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp()
    whole = folder / "whole.fbx"
    if not whole.exists():
        ball()
        write(whole)
    content = bytearray(whole.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(23, len(content) - 5))
        content[place : place + 4] = data.draw(st.binary(min_size=4, max_size=4))
    changed = folder / "changed.fbx"
    changed.write_bytes(content)
    said = fbx_file.read(changed)
    assert said.centimetres_per_unit > 0
    assert said.up_axis in "XYZ"


def test_the_path_of_the_open_file_is_not_in_the_result(make_job: Any, tmp_path: Path) -> None:
    work = tmp_path / "work of the worker"
    work.mkdir()
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.wm.save_as_mainfile(filepath=str(work / "scene.blend"))
    job = make_job(levels=1, formats=["fbx"])
    mesh_lods.run(job)
    content = (job.folder / "lods.fbx").read_bytes()
    assert content.startswith(b"Kaydara FBX Binary")
    assert b"work of the worker" not in content


def test_a_texture_whose_name_is_not_text_is_no_reason_to_fail(make_job: Any) -> None:
    bpy.ops.mesh.primitive_cube_add()
    material = bpy.data.materials.new("Paint")
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    image = bpy.data.images.new("Coffee", 4, 4)
    image.source, image.filepath = "FILE", os.fsdecode(b"//caf\xe9.png")
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    shader = material.node_tree.nodes["Principled BSDF"]
    material.node_tree.links.new(node.outputs[0], shader.inputs["Base Color"])
    bpy.context.object.data.materials.append(material)
    job = make_job(levels=1, formats=["fbx", "usd"])
    mesh_lods.run(job)
    assert (job.folder / "lods.fbx").stat().st_size
    assert (job.folder / "lods.usdc").stat().st_size
