"""One scene as .blend, USD, FBX and .glb: each is read back by another program and holds the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Matrix, Vector
from sendoff_inside import mesh_lods
from sendoff_inside.job import Job
from sendoff_inside.pxr_library import pxr

FORMATS = {"blend": "lods.blend", "usd": "lods.usdc", "fbx": "lods.fbx", "glb": "lods.glb"}
#: A level keeps this many of the triangles: all, so that every number can be compared.
ALL = 0.99


def make_material(name: str, colour: tuple[float, ...], *, has_nodes: bool = True) -> Any:
    made = bpy.data.materials.new(name)
    made.diffuse_color = colour
    if bpy.app.version < (5, 0, 0):
        made.use_nodes = has_nodes
    if has_nodes:
        shader = next(node for node in made.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
        shader.inputs["Base Color"].default_value = colour
    return made


@pytest.fixture
def scene() -> Any:
    """A crate of three materials, two UV maps, three colours and normals of its own, twice; and a turned plate."""
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=8, y_subdivisions=8, size=2, location=(1.0, 2.0, 3.0))
    crate = bpy.context.object
    crate.name = crate.data.name = "Crate"
    crate["weight"], crate["tag"] = 2.5, "hero"
    mesh = crate.data
    for name in ("Light Map",):
        layer = mesh.uv_layers.new(name=name)
        layer.uv.foreach_set("vector", np.linspace(0, 1, len(mesh.loops) * 2, dtype=np.float32))
    random = np.random.default_rng(1)
    for name, kind, domain in (
        ("Paint", "BYTE_COLOR", "CORNER"),
        ("Dirt", "FLOAT_COLOR", "POINT"),
        ("Größe", "FLOAT_COLOR", "CORNER"),
    ):
        colours = mesh.color_attributes.new(name, kind, domain)
        values = random.random((len(colours.data), 4)).astype(np.float32)
        values[:, 3] = 1.0
        colours.data.foreach_set("color", values.ravel())
    for material in (
        make_material("Holz", (0.8, 0.1, 0.1, 1.0)),
        make_material("木", (0.1, 0.8, 0.1, 1.0)),
        make_material("plain", (0.1, 0.1, 0.8, 1.0), has_nodes=False),
    ):
        mesh.materials.append(material)
    mesh.polygons.foreach_set("material_index", np.arange(len(mesh.polygons), dtype=np.int32) % 3)
    mesh.shade_smooth()
    slanted = Vector((0.6, 0.0, 0.8))
    mesh.normals_split_custom_set([slanted] * len(mesh.loops))
    copy = bpy.data.objects.new("Crate copy", mesh)
    bpy.context.scene.collection.objects.link(copy)
    copy.matrix_world = Matrix.Translation((-4, 0, 1)) @ Matrix.Rotation(0.5, 4, "Z") @ Matrix.Scale(2.0, 4)
    bpy.ops.mesh.primitive_cube_add(location=(0, 5, 0), rotation=(0.3, 0.2, 0.1))
    bpy.context.object.name = "Plate"
    bpy.context.object.scale = (1, 2, 0.1)
    plate = bpy.context.object.data
    for material in (None, bpy.data.materials["Holz"]):  # some faces have no material
        plate.materials.append(material)
    plate.polygons.foreach_set("material_index", np.arange(6, dtype=np.int32) % 2)
    bpy.context.view_layer.update()
    return bpy.context.scene


def read_blend(path: Path) -> dict[str, Any]:
    bpy.ops.wm.open_mainfile(filepath=str(path))
    return {one.name: one for one in bpy.data.objects if one.type == "MESH"}


def read_usd(path: Path) -> dict[str, Any]:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.wm.usd_import(filepath=str(path), import_all_materials=True)
    return _by_display_name()


def read_fbx(path: Path) -> dict[str, Any]:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.import_scene.fbx(filepath=str(path))
    return _by_display_name()


def read_glb(path: Path) -> dict[str, Any]:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.import_scene.gltf(filepath=str(path))
    return _by_display_name()


def _by_display_name() -> dict[str, Any]:
    return {one.name.replace("Crate_copy", "Crate copy"): one for one in bpy.data.objects if one.type == "MESH"}


READERS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "blend": read_blend,
    "usd": read_usd,
    "fbx": read_fbx,
    "glb": read_glb,
}


def measured(objects: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What can be compared of each object, in the world."""
    bpy.context.view_layer.update()
    found = {}
    for name, one in objects.items():
        mesh, matrix = one.data, one.matrix_world
        corners = np.array([matrix @ vertex.co for vertex in mesh.vertices])
        turn = matrix.to_3x3().inverted().transposed()
        normals = np.array([(turn @ corner.vector).normalized() for corner in mesh.corner_normals])
        # A .glb has a material twice if meshes with and without colours use it.
        names = [slot.material.name if slot.material else "" for slot in one.material_slots]
        slots = [re.sub(r"\.\d{3}$", "", name) for name in names]
        faces = Counter(
            slots[face.material_index] if slots else "" for face in mesh.polygons for _ in face.vertices[2:]
        )
        found[name] = {
            "triangles": sum(len(face.vertices) - 2 for face in mesh.polygons),
            "low": corners.min(axis=0),
            "high": corners.max(axis=0),
            "normal": normals.mean(axis=0),
            "uvs": sorted(layer.name for layer in mesh.uv_layers),
            "uv_sums": sorted(_sums(layer.uv, "vector", 2) for layer in mesh.uv_layers),
            "colours": sorted(layer.name for layer in mesh.color_attributes),
            "materials": dict(faces),
            # Blender's importer of USD puts the properties of a mesh prim onto the mesh.
            "properties": {key: block[key] for block in (mesh, one) for key in ("weight", "tag") if key in block},
        }
    return found


def _sums(items: Any, attribute: str, width: int) -> tuple[float, ...]:
    values = np.empty(len(items) * width, dtype=np.float32)
    items.foreach_get(attribute, values)
    return tuple(round(float(part), 3) for part in values.reshape(-1, width).mean(axis=0))


@pytest.fixture
def made(scene: Any, tmp_path: Path, recorder: Any) -> tuple[Path, dict[str, dict[str, Any]]]:
    """The folder with all four files, and what their levels are measured by: the scene itself."""
    sent = measured({one.name: one for one in bpy.data.objects if one.type == "MESH"})
    job = Job(recorder, params={"levels": 1, "ratio": ALL, "formats": list(FORMATS)}, folder=tmp_path, scene=None)
    mesh_lods.run(job)
    return tmp_path, {f"{name}_LOD{level}": values for name, values in sent.items() for level in (0, 1)}


@pytest.mark.parametrize("kind", FORMATS)
def test_each_format_holds_the_same(kind: str, made: tuple[Path, dict[str, dict[str, Any]]]) -> None:
    folder, sent = made
    came = measured(READERS[kind](folder / FORMATS[kind]))
    if kind in {"blend", "usd"}:  # the original is in the scene that they go back to
        sent = {name: own for name, own in sent.items() if name.endswith("_LOD1")}
    assert set(came) == set(sent)
    for name, own in sent.items():
        level = came[name]
        assert level["triangles"] == pytest.approx(own["triangles"], abs=3)
        for side in ("low", "high"):
            assert level[side] == pytest.approx(own[side], abs=0.01)
        assert level["normal"] == pytest.approx(own["normal"], abs=0.02)
        assert len(level["uvs"]) == len(own["uvs"])
        assert np.array(level["uv_sums"]) == pytest.approx(np.array(own["uv_sums"]), abs=0.02)
        assert level["properties"] == own["properties"]
        assert sum(level["materials"].values()) == level["triangles"]
        if kind == "usd" and "" in own["materials"] and len(own["materials"]) > 1:
            continue  # Blender's importer gives faces without a material the first one; see the test below
        for material, triangles in own["materials"].items():
            if material:
                # Blender's importer of USD goes by the prim's name.
                known = "_" if kind == "usd" and not material.isascii() else material
                assert level["materials"].get(known, 0) == pytest.approx(triangles, abs=4)


def test_names_of_uv_maps_and_colours_are_kept(made: tuple[Path, dict[str, dict[str, Any]]]) -> None:
    folder, sent = made
    own = sent["Crate_LOD1"]
    library = pxr()
    stage = library.Usd.Stage.Open(str(folder / FORMATS["usd"]))
    prim = stage.GetPrimAtPath("/sendoff_result/Crate_LOD1")
    primvars = {}
    for one in library.UsdGeom.PrimvarsAPI(prim).GetPrimvars():
        primvars[one.GetAttr().GetDisplayName() or str(one.GetPrimvarName())] = str(one.GetTypeName())
    assert {name for name, kind in primvars.items() if kind == "texCoord2f[]"} == set(own["uvs"])
    assert {name for name, kind in primvars.items() if kind == "color4f[]"} == set(own["colours"])
    for kind in ("blend", "fbx"):
        level = measured(READERS[kind](folder / FORMATS[kind]))["Crate_LOD1"]
        assert (level["uvs"], level["colours"]) == (own["uvs"], own["colours"])
    objects = READERS["glb"](folder / FORMATS["glb"])
    assert sorted(objects["Crate_LOD1"].data["uv_names"]) == own["uvs"]
    assert len(objects["Crate_LOD1"].data.color_attributes) >= len(own["colours"])


def test_in_usd_faces_without_a_material_stay_so(made: tuple[Path, dict[str, dict[str, Any]]]) -> None:
    folder, sent = made
    library = pxr()
    stage = library.Usd.Stage.Open(str(folder / FORMATS["usd"]))
    prim = stage.GetPrimAtPath("/sendoff_result/Plate_LOD1")
    binding = library.UsdShade.MaterialBindingAPI(prim)
    assert not binding.ComputeBoundMaterial()[0]
    (subset,) = binding.GetMaterialBindSubsets()
    counts = library.UsdGeom.Mesh(prim).GetFaceVertexCountsAttr().Get()
    triangles = sum(counts[face] - 2 for face in subset.GetIndicesAttr().Get())
    assert triangles == pytest.approx(sent["Plate_LOD1"]["materials"]["Holz"], abs=1)
    assert library.UsdShade.MaterialBindingAPI(subset).ComputeBoundMaterial()[0].GetPrim().GetName() == "Holz"


def test_colours_have_their_values_in_usd(made: tuple[Path, dict[str, dict[str, Any]]]) -> None:
    folder, _ = made
    level = read_blend(folder / FORMATS["blend"])["Crate_LOD1"].data
    library = pxr()
    stage = library.Usd.Stage.Open(str(folder / FORMATS["usd"]))
    api = library.UsdGeom.PrimvarsAPI(stage.GetPrimAtPath("/sendoff_result/Crate_LOD1"))
    for name, domain in (("Paint", "faceVarying"), ("Dirt", "vertex")):
        layer = level.color_attributes[name]
        values = np.empty(len(layer.data) * 4, dtype=np.float32)
        layer.data.foreach_get("color", values)
        primvar = api.GetPrimvar(name)
        assert primvar.GetInterpolation() == domain
        assert np.array(primvar.Get()).ravel() == pytest.approx(values, abs=1e-6)


def test_objects_that_share_a_mesh_share_it_in_every_file(made: tuple[Path, dict[str, dict[str, Any]]]) -> None:
    folder, _ = made
    for kind in ("blend", "fbx", "glb"):
        objects = READERS[kind](folder / FORMATS[kind])
        assert objects["Crate_LOD1"].data == objects["Crate copy_LOD1"].data
    library = pxr()
    stage = library.Usd.Stage.Open(str(folder / FORMATS["usd"]))
    for name in ("Crate_LOD1", "Crate_copy_LOD1"):
        prim = stage.GetPrimAtPath(f"/sendoff_result/{name}")
        points = library.UsdGeom.Mesh(prim).GetPointsAttr().GetPropertyStack()[0]
        assert str(points.path) == "/sendoff_meshes/Crate_LOD1.points"
    assert len([prim for prim in stage.Traverse() if prim.IsA(library.UsdGeom.Mesh)]) == 3


def test_an_original_named_as_level_0_keeps_its_name_and_its_children(tmp_path: Path, recorder: Any) -> None:
    bpy.ops.mesh.primitive_uv_sphere_add(segments=8, ring_count=6)
    car = bpy.context.object
    car.name = "Car_LOD0"
    bpy.ops.mesh.primitive_cube_add(location=(3, 0, 0))
    wheel = bpy.context.object
    wheel.name, wheel.parent = "Wheel", car
    second = bpy.data.objects.new("Wheel_LOD0", wheel.data)  # gives a level 0 of that name too
    second.location = (0, 7, 0)
    bpy.context.scene.collection.objects.link(second)
    job = Job(recorder, params={"levels": 1, "formats": list(FORMATS)}, folder=tmp_path, scene=None)
    mesh_lods.run(job)
    names = {f"{name}_LOD{level}" for name in ("Car", "Wheel") for level in (0, 1)}
    fbx = read_fbx(tmp_path / FORMATS["fbx"])
    assert set(fbx) == names | {"Wheel_1_LOD0", "Wheel_1_LOD1"}
    assert {one.parent.name for one in fbx.values()} == {"Car", "Wheel", "Wheel_1"}
    assert fbx["Wheel_LOD0"].data == fbx["Wheel_1_LOD0"].data
    assert names <= set(read_glb(tmp_path / FORMATS["glb"]))
    blend = read_blend(tmp_path / FORMATS["blend"])
    assert set(blend) == {"Car_LOD1", "Wheel_LOD1", "Wheel_LOD1.001"}
    assert [one["sendoff_parent"] for one in blend.values() if "sendoff_parent" in one] == ["Car_LOD0"]


@pytest.mark.parametrize("kind", FORMATS)
def test_no_file_holds_a_path_of_the_worker(kind: str, made: tuple[Path, dict[str, dict[str, Any]]]) -> None:
    folder, _ = made
    content = (folder / FORMATS[kind]).read_bytes()
    if kind == "usd":
        layer = pxr().Sdf.Layer.FindOrOpen(str(folder / FORMATS[kind]))
        content += layer.ExportToString().encode()
    if kind != "blend":  # that is compressed; test_blend_result looks into it
        assert folder.name.encode() not in content
