"""A mesh of a USD scene: what its prim holds is in Blender, and comes back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from sendoff_inside import usd_result
from sendoff_inside.contents import Part
from sendoff_inside.job import Job
from sendoff_inside.pxr_library import pxr
from sendoff_inside.scene import open_scene

library = pxr()
Gf, Sdf, Usd, UsdGeom, UsdSkel, Vt = (
    getattr(library, name) for name in ("Gf", "Sdf", "Usd", "UsdGeom", "UsdSkel", "Vt")
)
Types = Sdf.ValueTypeNames
#: Two quads beside each other: six points, eight corners.
POINTS = [(0, 0, 0), (1, 0, 0), (2, 0, 0), (0, 1, 0), (1, 1, 0), (2, 1, 0)]
CORNERS = [0, 1, 4, 3, 1, 2, 5, 4]
COUNTS = {"vertex": 6, "varying": 6, "faceVarying": 8, "uniform": 2}

#: A stage goes with its last reference, and its prims with it.
KEPT: list[Any] = []


@pytest.fixture
def stage(tmp_path: Path) -> Any:
    made = Usd.Stage.CreateNew(str(tmp_path / "plate.usda"))
    UsdGeom.SetStageMetersPerUnit(made, 1.0)
    UsdGeom.SetStageUpAxis(made, "Z")
    return made


@pytest.fixture
def mesh(stage: Any) -> Any:
    made = UsdGeom.Mesh.Define(stage, "/Plate")
    made.CreatePointsAttr([Gf.Vec3f(*point) for point in POINTS])
    made.CreateFaceVertexCountsAttr([4, 4])
    made.CreateFaceVertexIndicesAttr(CORNERS)
    made.CreateSubdivisionSchemeAttr("none")
    return made


@pytest.fixture
def opened(stage: Any, tmp_path: Path, recorder: Any) -> Callable[[], Job]:
    def save_and_open() -> Job:
        stage.Save()
        path = Path(stage.GetRootLayer().realPath)
        job = Job(recorder, params={}, folder=tmp_path / "out", scene=path)
        job.folder.mkdir()
        open_scene(job, path, None)
        return job

    return save_and_open


def written(job: Job) -> Any:
    """The primvars of what was read, written again."""
    (one,) = [one for one in bpy.data.objects if one.type == "MESH"]
    parts = [(one, Part(name="Plate", path="", source=str(one["sendoff_path"])))]
    usd_result.write_usd(job.folder / "result.usdc", parts, job.origin)
    KEPT[:] = [stage := Usd.Stage.Open(str(job.folder / "result.usdc"))]
    return UsdGeom.PrimvarsAPI(stage.GetPrimAtPath("/sendoff_result/Plate"))


def colours_of(name: str) -> np.ndarray:
    layer = bpy.data.objects[0].data.color_attributes[name]
    values = np.empty(len(layer.data) * 4, np.float32)
    layer.data.foreach_get("color", values)
    return values.reshape(-1, 4)


@pytest.mark.parametrize("is_left", [False, True])
@pytest.mark.parametrize("kind", ["Color3fArray", "Color4fArray", "Color3dArray", "Color3hArray"])
@pytest.mark.parametrize("interpolation", COUNTS)
def test_colours_come_in_and_go_out(interpolation: str, kind: str, mesh: Any, opened: Any, *, is_left: bool) -> None:
    if is_left:
        mesh.CreateOrientationAttr("leftHanded")
    width = 4 if "4" in kind else 3
    values = [tuple((number + part) / 16 for part in range(width)) for number in range(COUNTS[interpolation])]
    UsdGeom.PrimvarsAPI(mesh).CreatePrimvar("paint", getattr(Types, kind), interpolation).Set(values)
    job = opened()
    came = written(job).GetPrimvar("paint")
    expected = np.repeat(np.array(values), 4, axis=0) if interpolation == "uniform" else np.array(values)
    assert np.array(came.Get())[:, :3] == pytest.approx(expected[:, :3], abs=1e-3)
    assert ("color3" in str(came.GetTypeName())) == (width == 3)
    assert colours_of("paint").shape == (6 if interpolation in ("vertex", "varying") else 8, 4)


def test_the_colour_and_the_opacity_that_are_shown_are_one(mesh: Any, opened: Any) -> None:
    api = UsdGeom.PrimvarsAPI(mesh)
    colours = [Gf.Vec3f(number / 10, 0, 1) for number in range(6)]
    api.CreatePrimvar("displayColor", Types.Color3fArray, "vertex").Set(colours)
    api.CreatePrimvar("displayOpacity", Types.FloatArray, "vertex").Set([number / 8 for number in range(6)])
    job = opened()
    assert colours_of("displayColor")[:, 3] == pytest.approx([number / 8 for number in range(6)])
    assert "displayOpacity" not in bpy.data.objects[0].data.attributes
    came = written(job)
    assert list(came.GetPrimvar("displayColor").Get()) == colours
    assert list(came.GetPrimvar("displayOpacity").Get()) == pytest.approx([number / 8 for number in range(6)])


def test_an_indexed_colour_is_read_by_its_indices(mesh: Any, opened: Any) -> None:
    primvar = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar("paint", Types.Color3fArray, "faceVarying")
    primvar.Set([Gf.Vec3f(1, 0, 0), Gf.Vec3f(0, 1, 0)])
    primvar.SetIndices(Vt.IntArray([0, 0, 0, 0, 1, 1, 1, 1]))
    opened()
    assert colours_of("paint")[:, 0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]


def test_one_colour_for_all_is_no_vertex_colour_and_comes_back(mesh: Any, opened: Any) -> None:
    mesh.CreateDisplayColorAttr([Gf.Vec3f(1, 0.5, 0)])
    job = opened()
    assert len(bpy.data.objects[0].data.color_attributes) == 0
    came = written(job).GetPrimvar("displayColor")
    assert (list(came.Get()), came.GetInterpolation()) == ([Gf.Vec3f(1, 0.5, 0)], "constant")


@pytest.mark.parametrize(
    ("kind", "value"),
    [("FloatArray", 0.5), ("IntArray", 7), ("Vector3fArray", (1.0, 2.0, 3.0)), ("DoubleArray", 0.25)],
)
@pytest.mark.parametrize("interpolation", COUNTS)
def test_other_primvars_come_in_and_go_out(interpolation: str, kind: str, value: Any, mesh: Any, opened: Any) -> None:
    values = [value] * COUNTS[interpolation]
    UsdGeom.PrimvarsAPI(mesh).CreatePrimvar("wear", getattr(Types, kind), interpolation).Set(values)
    came = written(opened()).GetPrimvar("wear").Get()
    assert np.array(came).ravel().tolist() == np.array([value] * len(came)).ravel().tolist()


def test_layers_keep_names_of_any_script(mesh: Any, opened: Any) -> None:
    if not Sdf.Path.IsValidNamespacedIdentifier("größe"):
        pytest.skip("this USD has ASCII names only")
    api = UsdGeom.PrimvarsAPI(mesh)
    api.CreatePrimvar("größe", Types.TexCoord2fArray, "vertex").Set([(0, 0)] * 6)
    api.CreatePrimvar("色", Types.Color3fArray, "vertex").Set([(0, 0, 1)] * 6)
    api.CreatePrimvar("studio:tint", Types.Color3fArray, "vertex").Set([(0, 0, 1)] * 6)
    came = written(opened())
    assert all(came.HasPrimvar(name) for name in ("größe", "色", "studio:tint"))


def test_values_that_do_not_fit_are_left_out(mesh: Any, opened: Any) -> None:
    for name, kind in (("paint", "Color3fArray"), ("map1", "TexCoord2fArray"), ("wear", "FloatArray")):
        value = 1.0 if kind == "FloatArray" else [1.0] * (3 if "3" in kind else 2)
        UsdGeom.PrimvarsAPI(mesh).CreatePrimvar(name, getattr(Types, kind), "faceVarying").Set([value] * 5)
    opened()
    made = bpy.data.objects[0].data
    assert (len(made.uv_layers), len(made.color_attributes), made.attributes.get("wear")) == (0, 0, None)


def test_holes_and_faces_of_two_corners_are_not_there(mesh: Any, opened: Any) -> None:
    mesh.CreateFaceVertexCountsAttr([4, 2, 4])
    mesh.CreateFaceVertexIndicesAttr([0, 1, 4, 3, 0, 1, 1, 2, 5, 4])
    mesh.CreateHoleIndicesAttr([0])
    primvar = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar("map1", Types.TexCoord2fArray, "faceVarying")
    primvar.Set([(number, 0) for number in range(10)])
    opened()
    made = bpy.data.objects[0].data
    assert [list(polygon.vertices) for polygon in made.polygons] == [[1, 2, 5, 4]]
    assert [corner.vector.x for corner in made.uv_layers[0].uv] == [6, 7, 8, 9]
    assert bpy.data.objects[0]["sendoff_mended"]


@pytest.mark.parametrize("is_left", [False, True])
@pytest.mark.parametrize("interpolation", ["vertex", "faceVarying", "uniform"])
def test_normals_of_the_artists_own_are_kept(interpolation: str, mesh: Any, opened: Any, *, is_left: bool) -> None:
    if is_left:
        mesh.CreateOrientationAttr("leftHanded")
    slanted = [Gf.Vec3f(0.6, 0, -0.8 if is_left else 0.8)] * COUNTS[interpolation]
    mesh.CreateNormalsAttr(slanted)
    mesh.SetNormalsInterpolation(interpolation)
    job = opened()
    made = bpy.data.objects[0].data
    assert made.has_custom_normals
    written(job)
    prim = KEPT[0].GetPrimAtPath("/sendoff_result/Plate")
    for normal in UsdGeom.Mesh(prim).GetNormalsAttr().Get():
        assert list(normal) == pytest.approx(list(slanted[0]), abs=1e-3)


def test_normals_that_the_shape_has_anyway_are_no_custom_ones(mesh: Any, opened: Any) -> None:
    mesh.CreateNormalsAttr([Gf.Vec3f(0, 0, 1)] * 8)
    mesh.SetNormalsInterpolation("faceVarying")
    opened()
    assert not bpy.data.objects[0].data.has_custom_normals


def test_arrays_of_another_type_leave_one_mesh_out(mesh: Any, stage: Any, opened: Any, recorder: Any) -> None:
    odd = stage.DefinePrim("/Odd")
    odd.CreateAttribute("points", Types.StringArray).Set(["a", "b"])
    odd.CreateAttribute("faceVertexCounts", Types.FloatArray).Set([3.0])
    odd.CreateAttribute("faceVertexIndices", Types.Token).Set("x")
    odd.SetTypeName("Mesh")
    opened()
    assert [one["sendoff_path"] for one in bpy.data.objects] == ["/Plate"]
    assert "“Odd” is not a mesh that can be read; it is left out." in recorder.warnings


def test_materials_of_one_purpose_and_of_some_faces_are_there(stage: Any, mesh: Any, opened: Any) -> None:
    shade = library.UsdShade
    final, some = (shade.Material.Define(stage, f"/{name}") for name in ("Final", "Some"))
    other = UsdGeom.Mesh.Define(stage, "/Other")
    for name in ("points", "faceVertexCounts", "faceVertexIndices"):
        other.GetPrim().GetAttribute(name).Set(mesh.GetPrim().GetAttribute(name).Get())
    shade.MaterialBindingAPI.Apply(other.GetPrim()).Bind(final, materialPurpose=shade.Tokens.full)
    subset = shade.MaterialBindingAPI.Apply(mesh.GetPrim()).CreateMaterialBindSubset("some", [1])
    shade.MaterialBindingAPI.Apply(subset.GetPrim()).Bind(some)
    opened()
    found = {}
    for one in bpy.data.objects:
        names = [slot.material.name if slot.material else "" for slot in one.material_slots]
        found[one.name] = [names[face.material_index] for face in one.data.polygons]
    assert found == {"Other": ["Final", "Final"], "Plate": ["", "Some"]}


def test_more_uv_maps_than_blender_holds_are_cut_and_told(mesh: Any, opened: Any, recorder: Any) -> None:
    for number in range(10):
        primvar = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar(f"map{number}", Types.TexCoord2fArray, "vertex")
        primvar.Set([(0, 0)] * 6)
    opened()
    assert len(bpy.data.objects[0].data.uv_layers) == 8
    assert "“Plate” has more than 8 UV sets; those above are left out." in recorder.warnings


@pytest.mark.parametrize("is_instance", [False, True])
def test_a_skinned_mesh_stands_in_the_pose_that_is_shown(
    stage: Any, mesh: Any, opened: Any, recorder: Any, *, is_instance: bool
) -> None:
    root = UsdSkel.Root.Define(stage, "/Body")
    skeleton = UsdSkel.Skeleton.Define(stage, "/Body/Bones")
    skeleton.CreateJointsAttr(["Hip"])
    skeleton.CreateBindTransformsAttr([Gf.Matrix4d(1)])
    skeleton.CreateRestTransformsAttr([Gf.Matrix4d(1)])
    pose = UsdSkel.Animation.Define(stage, "/Body/Pose")
    pose.CreateJointsAttr(["Hip"])
    pose.CreateTranslationsAttr().Set([Gf.Vec3f(0, 0, 5)], 1.0)
    pose.GetTranslationsAttr().Set([Gf.Vec3f(0, 0, 9)], 2.0)
    pose.CreateRotationsAttr([Gf.Quatf(1)])
    pose.CreateScalesAttr([Gf.Vec3h(1)])
    UsdSkel.BindingAPI.Apply(skeleton.GetPrim()).CreateAnimationSourceRel().SetTargets([pose.GetPath()])
    skin = UsdGeom.Mesh.Define(stage, "/Body/Skin")
    for name in ("points", "faceVertexCounts", "faceVertexIndices"):
        skin.GetPrim().GetAttribute(name).Set(mesh.GetPrim().GetAttribute(name).Get())
    binding = UsdSkel.BindingAPI.Apply(skin.GetPrim())
    binding.CreateSkeletonRel().SetTargets([skeleton.GetPath()])
    binding.CreateJointIndicesPrimvar(False, 1).Set([0] * 6)
    binding.CreateJointWeightsPrimvar(False, 1).Set([1.0] * 5 + [0.0])
    UsdSkel.BindingAPI.Apply(root.GetPrim())
    stage.SetStartTimeCode(2)
    path = "/Body/Skin"
    if is_instance:
        actor = stage.DefinePrim("/Actor")
        actor.GetReferences().AddInternalReference("/Body")
        actor.SetInstanceable(True)
        stage.GetPrimAtPath("/Body").SetSpecifier(Sdf.SpecifierClass)
        path = "/Actor/Skin"
    opened()
    posed = next(one for one in bpy.data.objects if one["sendoff_path"] == path)
    heights = {round((posed.matrix_world @ vertex.co).z, 3) for vertex in posed.data.vertices}
    assert heights == {9.0, 0.0}  # the last point has no weight
    assert "“Skin” has 1 point that no joint moves; it stays in place." in recorder.warnings
    assert any("posed by a skeleton" in text for text in recorder.warnings)
