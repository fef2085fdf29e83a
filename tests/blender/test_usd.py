"""A USD scene goes in as an application in centimetres with Y up writes it, and what comes back fits it exactly."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import pytest
from sendoff_inside import mesh_lods, scene_check, usd_result
from sendoff_inside.contents import Part
from sendoff_inside.job import Job, JobFailed
from sendoff_inside.origin import Origin
from sendoff_inside.pxr_library import pxr
from sendoff_inside.scene import open_scene

library = pxr()
Gf, Usd, UsdGeom, UsdShade, Sdf, Vt = (
    getattr(library, name) for name in ("Gf", "Usd", "UsdGeom", "UsdShade", "Sdf", "Vt")
)
Points = list[tuple[float, float, float]]


def grid(width: float, depth: float, cells: int) -> tuple[Points, list[int], list[int]]:
    """A grid on the ground (Y up), a little bent, so that no level of it is free of cost."""
    points = [
        (width * (column / cells - 0.5), 0.05 * width * (column / cells) ** 2, depth * (row / cells - 0.5))
        for row in range(cells + 1)
        for column in range(cells + 1)
    ]
    wide = cells + 1
    corners = [
        index
        for row in range(cells)
        for column in range(cells)
        for index in (
            row * wide + column,
            (row + 1) * wide + column,
            (row + 1) * wide + column + 1,
            row * wide + column + 1,
        )
    ]
    return points, [4] * cells * cells, corners


def add_mesh(stage: Any, path: str, arrays: tuple[Points, list[int], list[int]]) -> Any:
    mesh = UsdGeom.Mesh.Define(stage, path)
    points, counts, corners = arrays
    mesh.CreatePointsAttr([Gf.Vec3f(*point) for point in points])
    mesh.CreateFaceVertexCountsAttr(counts)
    mesh.CreateFaceVertexIndicesAttr(corners)
    primvar = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar("map1", Sdf.ValueTypeNames.TexCoord2fArray, "faceVarying")
    primvar.Set([Gf.Vec2f(points[index][0], points[index][2]) for index in corners])
    return mesh


@pytest.fixture
def stage(tmp_path: Path) -> Any:
    """A car of two bodies of the same name, in centimetres with Y up, one turned and below a scaled group."""
    made = Usd.Stage.CreateNew(str(tmp_path / "car.usda"))
    UsdGeom.SetStageMetersPerUnit(made, 0.01)
    UsdGeom.SetStageUpAxis(made, "Y")
    UsdGeom.Xform.Define(made, "/Car").AddTranslateOp().Set(Gf.Vec3d(300, 50, -200))
    add_mesh(made, "/Car/Body", grid(100, 400, 20))
    UsdGeom.Xform.Define(made, "/Car/Left").AddScaleOp().Set(Gf.Vec3f(2, 2, 2))
    body = add_mesh(made, "/Car/Left/Body", grid(100, 100, 20))
    body.AddTranslateOp().Set(Gf.Vec3d(10, 0, 0))
    body.AddRotateXYZOp().Set(Gf.Vec3f(0, 90, 0))
    return made


@pytest.fixture
def opened(stage: Any, tmp_path: Path, recorder: Any) -> Callable[..., Job]:
    def save_and_open(**params: Any) -> Job:
        stage.Save()
        path = Path(stage.GetRootLayer().realPath)
        job = Job(recorder, params=params, folder=tmp_path / "out", scene=path)
        job.folder.mkdir()
        open_scene(job, path, None)
        return job

    return save_and_open


def box(stage: Any, path: str) -> tuple[list[float], list[float]]:
    bound = UsdGeom.BBoxCache(Usd.TimeCode.Default(), ["default"]).ComputeWorldBound(stage.GetPrimAtPath(path))
    aligned = bound.ComputeAlignedRange()
    return list(aligned.GetMin()), list(aligned.GetMax())


def extent(stage: Any, path: str) -> list[float]:
    """How far a mesh reaches in the world, in each of 26 directions."""
    prim = stage.GetPrimAtPath(path)
    place = UsdGeom.XformCache().GetLocalToWorldTransform(prim)
    points = [place.Transform(Gf.Vec3d(point)) for point in UsdGeom.Mesh(prim).GetPointsAttr().Get()]
    ways = [(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1) if x or y or z]
    return [max(Gf.Dot(point, Gf.Vec3d(way)) for point in points) for way in ways]


def triangles(stage: Any, path: str) -> int:
    return sum(count - 2 for count in UsdGeom.Mesh(stage.GetPrimAtPath(path)).GetFaceVertexCountsAttr().Get())


def test_levels_come_back_in_the_scenes_own_units_at_their_places(stage: Any, opened: Any, recorder: Any) -> None:
    job = opened(levels=2, ratio=0.5)
    mesh_lods.run(job)
    assert [Path(file["path"]).name for file in recorder.of("file")] == ["contents.json", "lods.usdc"]
    result = Usd.Stage.Open(str(job.folder / "lods.usdc"))
    assert (UsdGeom.GetStageMetersPerUnit(result), UsdGeom.GetStageUpAxis(result)) == (0.01, "Y")
    contents = json.loads((job.folder / "contents.json").read_text())
    assert (contents["file"], contents["meters_per_unit"], contents["up_axis"]) == ("lods.usdc", 0.01, "Y")
    parts = {(part["source"], part["level"]): part for part in contents["objects"]}
    assert set(parts) == {(path, level) for path in ("/Car/Body", "/Car/Left/Body") for level in (1, 2)}
    assert len({part["name"] for part in contents["objects"]}) == 4
    for (source, level), part in parts.items():
        assert part["kind"] == "lod"
        assert part["name"].endswith(f"_LOD{level}")
        assert triangles(result, part["path"]) == part["triangles"] == pytest.approx(800 * 0.5**level, rel=0.02)
        sent, came = box(stage, source), box(result, part["path"])
        for corner in range(2):
            assert came[corner] == pytest.approx(sent[corner], abs=2.0)
        operations = [
            str(one.GetOpType()) for one in UsdGeom.Xformable(result.GetPrimAtPath(part["path"])).GetOrderedXformOps()
        ]
        assert len(operations) == 3  # translate, rotate, scale: what an artist can read


def test_the_place_is_exactly_the_originals(stage: Any, opened: Any) -> None:
    job = opened(levels=1)
    mesh_lods.run(job)
    result = Usd.Stage.Open(str(job.folder / "lods.usdc"))
    for part in json.loads((job.folder / "contents.json").read_text())["objects"]:
        sent, came = (
            UsdGeom.XformCache().GetLocalToWorldTransform(one.GetPrimAtPath(path))
            for one, path in ((stage, part["source"]), (result, part["path"]))
        )
        assert Gf.IsClose(sent, came, 1e-4)


def test_in_blender_the_scene_is_in_metres_with_z_up(opened: Any) -> None:
    opened()
    (body,) = [one for one in bpy.data.objects if one["sendoff_path"] == "/Car/Body"]
    assert list(body.dimensions) == pytest.approx([1.0, 0.05, 4.0], abs=0.02)
    low = [min((body.matrix_world @ vertex.co)[axis] for vertex in body.data.vertices) for axis in range(3)]
    high = [max((body.matrix_world @ vertex.co)[axis] for vertex in body.data.vertices) for axis in range(3)]
    assert low == pytest.approx([2.5, 0.0, 0.5], abs=1e-4)
    assert high == pytest.approx([3.5, 4.0, 0.55], abs=1e-4)


def test_z_up_and_metres_stay_so(stage: Any, opened: Any) -> None:
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    UsdGeom.SetStageUpAxis(stage, "Z")
    job = opened(levels=1)
    mesh_lods.run(job)
    result = Usd.Stage.Open(str(job.folder / "lods.usdc"))
    assert (UsdGeom.GetStageMetersPerUnit(result), UsdGeom.GetStageUpAxis(result)) == (1.0, "Z")
    (part, *_) = json.loads((job.folder / "contents.json").read_text())["objects"]
    assert box(result, part["path"])[0] == pytest.approx(box(stage, part["source"])[0], abs=2.0)


def test_uv_sets_materials_and_their_faces_come_along(stage: Any, opened: Any) -> None:
    body = stage.GetPrimAtPath("/Car/Body")
    binding = UsdShade.MaterialBindingAPI.Apply(body)
    for name, faces in (("paint", range(200)), ("glass", range(200, 400))):
        material = UsdShade.Material.Define(stage, f"/Car/mtl/{name}")
        shader = UsdShade.Shader.Define(stage, f"/Car/mtl/{name}/shader")
        shader.CreateInput("file", Sdf.ValueTypeNames.Asset).Set("C:/textures/paint.png")
        material.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
        subset = binding.CreateMaterialBindSubset(name, Vt.IntArray(list(faces)))
        UsdShade.MaterialBindingAPI.Apply(subset.GetPrim()).Bind(material)
    job = opened(levels=1)
    mesh_lods.run(job)
    result = Usd.Stage.Open(str(job.folder / "lods.usdc"))
    (part,) = [
        one for one in json.loads((job.folder / "contents.json").read_text())["objects"] if one["source"] == "/Car/Body"
    ]
    prim = result.GetPrimAtPath(part["path"])
    assert UsdGeom.PrimvarsAPI(prim).GetPrimvar("map1").HasValue()
    subsets = UsdShade.MaterialBindingAPI(prim).GetMaterialBindSubsets()
    bound = [UsdShade.MaterialBindingAPI(one.GetPrim()).ComputeBoundMaterial()[0].GetPrim() for one in subsets]
    assert sorted(one.GetName() for one in bound) == ["glass", "paint"]
    sizes = [len(one.GetIndicesAttr().Get()) for one in subsets]
    assert sum(sizes) == len(UsdGeom.Mesh(prim).GetFaceVertexCountsAttr().Get())
    shader = UsdShade.Shader(bound[0].GetChild("shader"))
    assert shader.GetInput("file").Get().path == "C:/textures/paint.png"


def test_a_check_names_objects_by_path_and_elements_by_the_numbers_that_were_sent(
    stage: Any, opened: Any, recorder: Any
) -> None:
    points = [
        (0.0, 0.0, 0.0),
        (100.0, 0.0, 0.0),
        (100.0, 0.0, 100.0),
        (50.0, 0.0, 150.0),
        (0.0, 0.0, 100.0),
        (9.0, 9.0, 9.0),
    ]
    add_mesh(stage, "/Car/Gon", (points, [5], [0, 4, 3, 2, 1]))
    job = opened()
    scene_check.run(job)
    found = json.loads((job.folder / "report.json").read_text())["findings"]
    mine = {one["check"]: one for one in found if one["object"] == "/Car/Gon"}
    assert mine["ngons"]["indices"] == [0]
    assert mine["loose_vertices"]["indices"] == [5]
    border = mine["non_manifold_edges"]
    assert {tuple(sorted(pair)) for pair in border["vertex_pairs"]} == {(0, 1), (1, 2), (2, 3), (3, 4), (0, 4)}
    assert len(border["indices"]) == len(border["vertex_pairs"])
    assert [one["object"] for one in found if one["check"] == "unapplied_scale"] == []
    (clash,) = [one for one in found if one["check"] == "name_clashes"]
    assert "/Car/Body, /Car/Left/Body" in clash["message"]


def test_a_scale_that_is_not_applied_is_told_as_the_artist_sees_it(stage: Any, opened: Any) -> None:
    UsdGeom.Xformable(stage.GetPrimAtPath("/Car/Body")).AddScaleOp().Set(Gf.Vec3f(1, 2, -1))
    job = opened()
    scene_check.run(job)
    found = json.loads((job.folder / "report.json").read_text())["findings"]
    (scale,) = [one for one in found if one["check"] == "unapplied_scale"]
    assert (scale["object"], scale["severity"]) == ("/Car/Body", "error")
    assert "(1, 2, -1)" in scale["message"]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("car.usda", b"#usda 1.0\ndef Mesh {{{", "damaged or incomplete"),
        ("car.usdc", b"PXR-USDC" + b"\0" * 90, "damaged or incomplete"),
        ("car.usd", b"hello", "damaged or incomplete"),
        ("car.usdz", b"PK\3\4", "damaged or incomplete"),
        ("car.fbx", b"Kaydara FBX Binary  \0\x1a\0", "cannot be opened as FBX"),
        ("car.usdc", b"", "is empty"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(
    name: str, content: bytes, sentence: str, tmp_path: Path, recorder: Any
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    job = Job(recorder, params={}, folder=tmp_path, scene=path)
    with pytest.raises(JobFailed, match=sentence):
        open_scene(job, path, None)


@pytest.mark.parametrize("how", ["absolute", "relative", "layer", "payload", "in a usdz"])
def test_a_layer_of_the_workers_machine_is_not_read(tmp_path: Path, recorder: Any, how: str) -> None:
    secret = Usd.Stage.CreateNew(str(tmp_path / "secret.usda"))
    add_mesh(secret, "/Secret", grid(1, 1, 2))
    secret.Save()
    (tmp_path / "job").mkdir()
    made = Usd.Stage.CreateNew(str(tmp_path / "job" / "car.usda"))
    add_mesh(made, "/Body", grid(1, 1, 2))
    named = "../secret.usda" if how in ("relative", "in a usdz") else str(tmp_path / "secret.usda")
    if how == "layer":
        made.GetRootLayer().subLayerPaths.append(named)
    elif how == "payload":
        made.DefinePrim("/Other").GetPayloads().AddPayload(named, "/Secret")
    else:
        made.DefinePrim("/Other").GetReferences().AddReference(named, "/Secret")
    made.Save()
    path = tmp_path / "job" / "car.usda"
    if how == "in a usdz":
        path = path.with_suffix(".usdz")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            archive.write(path.with_suffix(".usda"), "car.usda")
            archive.writestr("../leaves.usda", "#usda 1.0\n")
    job = Job(recorder, params={}, folder=tmp_path / "out", scene=path)
    job.folder.mkdir()
    open_scene(job, path, None)
    assert [one.name for one in bpy.data.objects if one.type == "MESH"] == ["Body"]
    assert not (tmp_path / "leaves.usda").exists()
    if how != "in a usdz":  # there it is looked for in the package alone
        assert [one.partition(" (")[0].rpartition("/")[2] for one in job.missing_files] == ["secret.usda"]
        assert len([text for text in recorder.warnings if "secret.usda" in text]) == 1


def test_a_layer_that_came_along_is_read(tmp_path: Path, recorder: Any) -> None:
    (tmp_path / "job" / "external").mkdir(parents=True)
    part = Usd.Stage.CreateNew(str(tmp_path / "job" / "external" / "part.usda"))
    add_mesh(part, "/Part", grid(1, 1, 2))
    part.Save()
    made = Usd.Stage.CreateNew(str(tmp_path / "job" / "car.usda"))
    made.DefinePrim("/Other").GetReferences().AddReference("external/part.usda", "/Part")
    made.Save()
    job = Job(recorder, params={}, folder=tmp_path / "out", scene=tmp_path / "job" / "car.usda")
    open_scene(job, tmp_path / "job" / "car.usda", None)
    assert [one.name for one in bpy.data.objects if one.type == "MESH"] == ["Other"]
    assert recorder.warnings == []


def test_an_object_that_a_task_moved_comes_back_where_it_is_now(stage: Any, opened: Any) -> None:
    job = opened()
    stays, moved = sorted(bpy.data.objects, key=lambda one: str(one["sendoff_path"]))
    moved.location.x += 1.0  # metre
    bpy.context.view_layer.update()
    parts = [(one, Part(name="Body", path="", source=one["sendoff_path"])) for one in (stays, moved)]
    usd_result.write_usd(job.folder / "moved.usdc", parts, job.origin)
    result = Usd.Stage.Open(str(job.folder / "moved.usdc"))
    for prim, source, by in (("Body", "/Car/Body", 0.0), ("Body_1", "/Car/Left/Body", 100.0)):
        sent, came = box(stage, source), box(result, f"/sendoff_result/{prim}")
        for before, after in zip(sent, came, strict=True):
            assert after == pytest.approx([before[0] + by, *before[1:]], abs=0.01)


def test_a_sheared_object_comes_back_as_it_was(stage: Any, opened: Any) -> None:
    stage.GetPrimAtPath("/Car/Left").GetAttribute("xformOp:scale").Set(Gf.Vec3f(3, 1, 1))
    UsdGeom.Xformable(stage.GetPrimAtPath("/Car/Left/Body")).AddRotateYOp(opSuffix="more").Set(30.0)
    job = opened(levels=1)
    mesh_lods.run(job)
    result = Usd.Stage.Open(str(job.folder / "lods.usdc"))
    parts = json.loads((job.folder / "contents.json").read_text())["objects"]
    (part,) = [one for one in parts if one["source"] == "/Car/Left/Body"]
    assert extent(result, part["path"]) == pytest.approx(extent(stage, part["source"]), abs=0.5)  # of 400


def test_properties_of_any_name_and_kind_are_written(tmp_path: Path) -> None:
    bpy.ops.mesh.primitive_cube_add()
    one = bpy.context.object
    kept = {
        "weight": 2.5,
        "count": 3,
        "tag": "hero ß",
        "is_old": True,
        "size": [1.0, 2.0],
        "a b": 1,
        "a_b": 2,
        "9:x y": 4,
    }
    for name, value in kept.items():
        one[name] = value
    one["nested"] = {"x": 1}
    one["sendoff_parent"] = "Rig"
    usd_result.write_usd(tmp_path / "r.usdc", [(one, Part(name="Cube", path="", source="Cube"))], Origin(kind="blend"))
    result = Usd.Stage.Open(str(tmp_path / "r.usdc"))
    found = {
        attribute.GetName().removeprefix("userProperties:"): attribute.Get()
        for attribute in result.GetPrimAtPath("/sendoff_result/Cube").GetAuthoredPropertiesInNamespace("userProperties")
    }
    assert list(found.pop("size")) == [1.0, 2.0]
    assert found == {
        **{"weight": 2.5, "count": 3, "tag": "hero ß", "is_old": True, "a_b": 1, "_9:x_y": 4},
        **{"sendoff_source": "Cube", "sendoff_kind": "object"},
    }


def test_a_left_handed_mesh_faces_outwards_and_comes_back_left_handed(stage: Any, opened: Any) -> None:
    body = UsdGeom.Mesh(stage.GetPrimAtPath("/Car/Body"))
    body.CreateOrientationAttr("leftHanded")
    corners = list(body.GetFaceVertexIndicesAttr().Get())
    turned = [index for start in range(0, len(corners), 4) for index in reversed(corners[start : start + 4])]
    body.GetFaceVertexIndicesAttr().Set(turned)
    points = body.GetPointsAttr().Get()
    UsdGeom.PrimvarsAPI(body).GetPrimvar("map1").Set([Gf.Vec2f(points[index][0], points[index][2]) for index in turned])
    job = opened()
    one = next(one for one in bpy.data.objects if one["sendoff_path"] == "/Car/Body")
    assert all(polygon.normal.y > 0.9 for polygon in one.data.polygons)
    for loop, uv in zip(one.data.loops, one.data.uv_layers[0].uv, strict=True):
        point = one.data.vertices[loop.vertex_index].co
        assert list(uv.vector) == pytest.approx([point.x, point.z], abs=1e-4)
    usd_result.write_usd(job.folder / "r.usdc", [(one, Part(name="Body", path="", source="/Car/Body"))], job.origin)
    back = Usd.Stage.Open(str(job.folder / "r.usdc"))
    result = UsdGeom.Mesh(back.GetPrimAtPath("/sendoff_result/Body"))
    assert result.GetOrientationAttr().Get() == "leftHanded"
    assert list(result.GetFaceVertexIndicesAttr().Get()) == turned
    flat = UsdGeom.PrimvarsAPI(result).GetPrimvar("map1").ComputeFlattened()
    assert flat == UsdGeom.PrimvarsAPI(body).GetPrimvar("map1").ComputeFlattened()


@pytest.mark.parametrize("as_primvar", [False, True])
def test_hard_edges_are_those_of_the_meshs_own_normals(stage: Any, opened: Any, *, as_primvar: bool) -> None:
    body = UsdGeom.Mesh(stage.GetPrimAtPath("/Car/Body"))
    body.CreateSubdivisionSchemeAttr("none")
    corners = body.GetFaceVertexIndicesAttr().Get()
    # A nearly flat grid, which has no edge of 30 degrees, is hard between its tenth row of faces and the next.
    normals = [
        Gf.Vec3f(0, 1, 0) if place < len(corners) / 2 else Gf.Vec3f(0, 0.8, 0.6) for place in range(len(corners))
    ]
    if as_primvar:
        primvar = UsdGeom.PrimvarsAPI(body).CreatePrimvar("normals", Sdf.ValueTypeNames.Normal3fArray, "faceVarying")
        primvar.Set(normals[:1] + normals[-1:])
        primvar.SetIndices(Vt.IntArray([0 if place < len(corners) / 2 else 1 for place in range(len(corners))]))
    else:
        body.CreateNormalsAttr(normals)
        body.SetNormalsInterpolation("faceVarying")
    opened()
    mesh = next(one for one in bpy.data.objects if one["sendoff_path"] == "/Car/Body").data
    hard = {frozenset(edge.vertices) for edge in mesh.edges if edge.use_edge_sharp}
    assert hard == {frozenset((10 * 21 + column, 10 * 21 + column + 1)) for column in range(20)}


@pytest.mark.parametrize(("interpolation", "count", "is_hard"), [("vertex", 441, False), ("uniform", 400, True)])
def test_normals_of_points_are_soft_and_those_of_faces_hard(
    interpolation: str, count: int, is_hard: bool, stage: Any, opened: Any
) -> None:
    body = UsdGeom.Mesh(stage.GetPrimAtPath("/Car/Body"))
    body.CreateSubdivisionSchemeAttr("none")
    body.CreateNormalsAttr([Gf.Vec3f(0, 1, 0)] * count)
    body.SetNormalsInterpolation(interpolation)
    opened()
    mesh = next(one for one in bpy.data.objects if one["sendoff_path"] == "/Car/Body").data
    assert {edge.use_edge_sharp for edge in mesh.edges} == {is_hard}


def test_a_mesh_that_is_none_is_left_out_and_told(stage: Any, opened: Any, recorder: Any) -> None:
    broken = add_mesh(stage, "/Car/Broken", ([(0.0, 0.0, 0.0)] * 3, [3], [0, 1, 2]))
    broken.GetFaceVertexIndicesAttr().Set([0, 1, 7])
    job = opened(levels=1)
    mesh_lods.run(job)
    assert "“Broken” has faces of points that it lacks; it is left out." in recorder.warnings


def test_blend_and_glb_can_be_had_of_it_too(opened: Any, recorder: Any) -> None:
    job = opened(levels=1, formats=["blend", "glb", "scene"])
    mesh_lods.run(job)
    made = {Path(file["path"]).name for file in recorder.of("file")}
    assert made == {"contents.json", "lods.usdc", "lods.glb", "lods.blend"}


def test_a_scene_of_blender_can_have_usd_and_fbx_too(tmp_path: Path, recorder: Any) -> None:
    bpy.ops.mesh.primitive_uv_sphere_add(segments=32, ring_count=16, radius=0.5, location=(3.0, 2.0, 0.5))
    job = Job(recorder, params={"levels": 1, "formats": ["scene", "usd", "fbx", "glb"]}, folder=tmp_path, scene=None)
    mesh_lods.run(job)
    made = {Path(file["path"]).name for file in recorder.of("file")}
    assert made == {"contents.json", "lods.blend", "lods.usdc", "lods.fbx", "lods.glb"}
    result = Usd.Stage.Open(str(tmp_path / "lods.usdc"))
    assert (UsdGeom.GetStageMetersPerUnit(result), UsdGeom.GetStageUpAxis(result)) == (1.0, "Z")
    low, high = box(result, "/sendoff_result/Sphere_LOD1")
    assert low == pytest.approx([2.5, 1.5, 0.0], abs=0.03)
    assert high == pytest.approx([3.5, 2.5, 1.0], abs=0.03)


def test_in_an_fbx_every_level_has_a_name_that_maya_keeps(opened: Any, tmp_path: Path, recorder: Any) -> None:
    job = opened(levels=1, formats=["fbx", "blend"])
    mesh_lods.run(job)
    parts = json.loads((job.folder / "contents.json").read_text())["objects"]
    names = ["Body_1_LOD0", "Body_1_LOD1", "Body_LOD0", "Body_LOD1"]
    assert sorted(part["name"] for part in parts) == names
    open_scene(Job(recorder, params={}, folder=tmp_path, scene=None), job.folder / "lods.fbx", None)
    assert sorted(one.name for one in bpy.data.objects if one.type == "MESH") == names


def test_the_example_of_the_tasks_page_gives_collision_meshes_in_the_scenes_units(
    stage: Any, opened: Any, recorder: Any
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "tasks.md").read_text()
    code = page.split("<!-- test: for-maya -->\n```python\n")[1].split("```")[0]
    example: dict[str, Any] = {}
    exec(code, example)
    job = opened()
    example["run"](job)
    result = Usd.Stage.Open(str(job.folder / "hulls.usdc"))
    parts = json.loads((job.folder / "contents.json").read_text())["objects"]
    assert {(part["kind"], part["source"]) for part in parts} == {
        ("collision", "/Car/Body"),
        ("collision", "/Car/Left/Body"),
    }
    for part in parts:
        for sent, came in zip(box(stage, part["source"]), box(result, part["path"]), strict=True):
            assert came == pytest.approx(sent, abs=0.01)


def test_names_of_any_script_that_a_usd_had_come_back(stage: Any, opened: Any) -> None:
    if not Sdf.Path.IsValidIdentifier("größe_木"):
        pytest.skip("this USD has ASCII names only")
    body = add_mesh(stage, "/Car/größe_木", grid(1.0, 1.0, 8))
    paint = UsdShade.Material.Define(stage, "/Car/Lack_ö")
    UsdShade.MaterialBindingAPI.Apply(body.GetPrim()).Bind(paint)
    job = opened(levels=1)
    mesh_lods.run(job)
    result = Usd.Stage.Open(str(job.folder / "lods.usdc"))
    level = result.GetPrimAtPath("/sendoff_result/größe_木_LOD1")
    assert level.GetAttribute("userProperties:sendoff_source").Get() == "/Car/größe_木"
    bound, _ = UsdShade.MaterialBindingAPI(level).ComputeBoundMaterial()
    assert bound.GetPrim().GetName() == "Lack_ö"
