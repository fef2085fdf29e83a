"""What a USD stage shows: each instance at its own place, and nothing that is hidden."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mathutils import Vector
from sendoff_inside import mesh_lods
from sendoff_inside.job import Job
from sendoff_inside.pxr_library import pxr
from sendoff_inside.scene import open_scene

library = pxr()
Gf, Sdf, Usd, UsdGeom, Vt = (getattr(library, name) for name in ("Gf", "Sdf", "Usd", "UsdGeom", "Vt"))
Open = Callable[..., Job]


@pytest.fixture
def stage(tmp_path: Path) -> Any:
    """An empty scene in metres with Z up."""
    made = Usd.Stage.CreateNew(str(tmp_path / "set.usda"))
    UsdGeom.SetStageMetersPerUnit(made, 1.0)
    UsdGeom.SetStageUpAxis(made, "Z")
    return made


@pytest.fixture
def opened(stage: Any, tmp_path: Path, recorder: Any) -> Open:
    def save_and_open(**params: Any) -> Job:
        stage.Save()
        path = Path(stage.GetRootLayer().realPath)
        job = Job(recorder, params=params, folder=tmp_path / "out", scene=path)
        job.folder.mkdir()
        open_scene(job, path, None)
        return job

    return save_and_open


def add_box(stage: Any, path: str, size: float = 1.0) -> Any:
    """A box as a mesh, with its lowest corner in the origin."""
    mesh = UsdGeom.Mesh.Define(stage, path)
    mesh.CreatePointsAttr([Gf.Vec3f(x, y, z) * size for x in (0, 1) for y in (0, 1) for z in (0, 1)])
    mesh.CreateFaceVertexCountsAttr([4] * 6)
    mesh.CreateFaceVertexIndicesAttr(
        [0, 1, 3, 2, 4, 6, 7, 5, 0, 4, 5, 1, 2, 3, 7, 6, 0, 2, 6, 4, 1, 5, 7, 3],
    )
    return mesh


def places() -> dict[str, tuple[float, ...]]:
    """Where the origin of each mesh object is."""
    meshes = [one for one in bpy.data.objects if one.type == "MESH"]
    return {str(one["sendoff_path"]): tuple(round(part, 4) for part in one.matrix_world.translation) for one in meshes}


def add_instancer(stage: Any, path: str, positions: list[Any], indices: list[int] | None = None) -> Any:
    made = UsdGeom.PointInstancer.Define(stage, path)
    made.CreatePositionsAttr([Gf.Vec3f(*position) for position in positions])
    made.CreateProtoIndicesAttr(indices or [0] * len(positions))
    return made


def test_each_instance_of_an_instancer_stands_at_its_own_place(stage: Any, opened: Open) -> None:
    UsdGeom.Xform.Define(stage, "/World").AddTranslateOp().Set(Gf.Vec3d(0, 0, 10))
    pawns = add_instancer(stage, "/World/Pawns", [(1, 0, 0), (2, 0, 0), (3, 0, 0)], [0, 1, 0])
    pawns.CreateScalesAttr([Gf.Vec3f(1), Gf.Vec3f(2), Gf.Vec3f(1, 1, 3)])
    pawns.CreateOrientationsAttr([Gf.Quath(1, 0, 0, 0), Gf.Quath(1, 0, 0, 0), Gf.Quath(0.5, 0.5, 0.5, 0.5)])
    add_box(stage, "/World/Pawns/Prototypes/White").AddTranslateOp().Set(Gf.Vec3d(0, 0.5, 0))
    add_box(stage, "/World/Pawns/Prototypes/Black/Body")
    add_box(stage, "/World/Pawns/Prototypes/Black/Head")
    pawns.CreatePrototypesRel().SetTargets(
        ["/World/Pawns/Prototypes/White", "/World/Pawns/Prototypes/Black"],
    )
    opened()
    assert places() == {
        "/World/Pawns[0]": (1, 0.5, 10),
        "/World/Pawns[1]/Body": (2, 0, 10),
        "/World/Pawns[1]/Head": (2, 0, 10),
        # Scaled, turned by 120 degrees around (1, 1, 1), which makes Y to Z, moved.
        "/World/Pawns[2]": (3, 0, 10.5),
    }
    one, other = (
        next(one for one in bpy.data.objects if one["sendoff_path"] == f"/World/Pawns[{number}]") for number in (0, 2)
    )
    assert one.data == other.data
    top = max((other.matrix_world @ vertex.co for vertex in other.data.vertices), key=lambda point: point.x)
    assert top.x == pytest.approx(6.0)  # the scale along Z came to lie along X


def test_invisible_and_inactive_instances_are_left_out_and_counted(stage: Any, opened: Open, recorder: Any) -> None:
    pawns = add_instancer(stage, "/Pawns", [(number, 0, 0) for number in range(4)])
    add_box(stage, "/Pawns/P")
    pawns.CreatePrototypesRel().SetTargets(["/Pawns/P"])
    pawns.InvisId(1, Usd.TimeCode.Default())
    pawns.DeactivateId(2)
    opened()
    assert set(places()) == {"/Pawns[0]", "/Pawns[3]"}
    assert "Left alone in the USD scene: 2 invisible." in recorder.warnings


def test_instancers_in_instancers_and_prototypes_elsewhere_are_followed(stage: Any, opened: Open) -> None:
    stage.CreateClassPrim("/Prototypes")
    add_box(stage, "/Prototypes/Leaf")
    tree = UsdGeom.Xform.Define(stage, "/Prototypes/Tree")
    tree.AddTranslateOp().Set(Gf.Vec3d(0, 1, 0))
    leaves = add_instancer(stage, "/Prototypes/Tree/Leaves", [(0, 0, 1), (0, 0, 2)])
    leaves.CreatePrototypesRel().SetTargets(["/Prototypes/Leaf"])
    add_box(stage, "/Prototypes/Tree/Trunk")
    wood = add_instancer(stage, "/Wood", [(10, 0, 0), (20, 0, 0)])
    wood.CreatePrototypesRel().SetTargets(["/Prototypes/Tree"])
    opened()
    assert places() == {
        f"/Wood[{number}]{part}": (10 * (number + 1), 1, height)
        for number in (0, 1)
        for part, height in (("/Trunk", 0), ("/Leaves[0]", 1), ("/Leaves[1]", 2))
    }


def test_an_instancer_that_instances_itself_ends(stage: Any, opened: Open) -> None:
    ring = add_instancer(stage, "/Ring", [(1, 0, 0)], [0])
    UsdGeom.Xform.Define(stage, "/Ring/P")
    add_box(stage, "/Ring/P/Box")
    add_instancer(stage, "/Ring/P/Inner", [(1, 0, 0)]).CreatePrototypesRel().SetTargets(["/Ring/P"])
    ring.CreatePrototypesRel().SetTargets(["/Ring/P"])
    opened()
    assert set(places()) == {"/Ring[0]/Box"}


@pytest.mark.parametrize("broken", ["index", "count", "target", "none"])
def test_an_instancer_that_does_not_fit_leaves_the_rest(broken: str, stage: Any, opened: Open, recorder: Any) -> None:
    add_box(stage, "/Box")
    pawns = add_instancer(stage, "/Pawns", [(0, 0, 0), (1, 0, 0)], [0, 7 if broken == "index" else 0])
    add_box(stage, "/Pawns/P")
    pawns.CreatePrototypesRel().SetTargets(["/Gone"] if broken == "target" else ["/Pawns/P"])
    if broken == "count":
        pawns.CreateProtoIndicesAttr([0, 0, 0])
    if broken == "none":
        pawns.GetPositionsAttr().Clear()
    opened()
    assert "/Box" in places()
    assert len([text for text in recorder.warnings if "instance" in text]) == 1


def test_a_place_that_is_no_place_leaves_the_rest(stage: Any, opened: Open, recorder: Any) -> None:
    add_box(stage, "/Box")
    add_box(stage, "/Far").AddTranslateOp().Set(Gf.Vec3d(float("nan"), 0, 0))
    odd = add_box(stage, "/Odd").GetPrim()
    odd.CreateAttribute("xformOp:translate", Sdf.ValueTypeNames.String).Set("here")
    odd.CreateAttribute("xformOpOrder", Sdf.ValueTypeNames.TokenArray).Set(["xformOp:translate"])
    opened()
    assert "/Box" in places()
    assert "/Far" not in places()
    assert "The places of “/Far” or its instances cannot be read; it is left out." in recorder.warnings


def test_native_instances_stand_at_their_places_and_share_a_mesh(stage: Any, opened: Open) -> None:
    add_box(stage, "/Chair/Seat")
    UsdGeom.Xform(stage.GetPrimAtPath("/Chair")).GetPrim().SetSpecifier(Sdf.SpecifierClass)
    for number in range(3):
        chair = UsdGeom.Xform.Define(stage, f"/Room/Chair{number}")
        chair.AddTranslateOp().Set(Gf.Vec3d(number, 0, 0))
        chair.GetPrim().GetReferences().AddInternalReference("/Chair")
        chair.GetPrim().SetInstanceable(True)
    job = opened(levels=1)
    assert places() == {f"/Room/Chair{number}/Seat": (number, 0, 0) for number in range(3)}
    assert len({one.data for one in bpy.data.objects}) == 1
    mesh_lods.run(job)
    parts = json.loads((job.folder / "contents.json").read_text())["objects"]
    assert {part["source"] for part in parts} == {f"/Room/Chair{number}/Seat" for number in range(3)}


def test_purpose_and_visibility_are_those_of_a_finished_picture(stage: Any, opened: Open, recorder: Any) -> None:
    for path, purpose in (("/A", "default"), ("/B", "render"), ("/C", "proxy"), ("/D", "guide")):
        UsdGeom.Xform.Define(stage, path).CreatePurposeAttr(purpose)
        add_box(stage, f"{path}/Box")
    UsdGeom.Mesh(stage.GetPrimAtPath("/D/Box")).CreatePurposeAttr("render")
    UsdGeom.Xform.Define(stage, "/E").MakeInvisible()
    add_box(stage, "/E/Box")
    add_box(stage, "/E/Deep/Box").MakeVisible()
    UsdGeom.Imageable(stage.GetPrimAtPath("/E")).MakeInvisible()
    add_box(stage, "/F")
    stage.GetPrimAtPath("/F").SetActive(False)
    opened()
    # To make something visible makes all above it visible, and hides the others there.
    assert set(places()) == {"/A/Box", "/B/Box", "/D/Box"}
    assert "Left alone in the USD scene: 1 of the purpose proxy, 2 invisible." in recorder.warnings


def test_all_that_moves_stands_as_at_the_start_of_the_scene(stage: Any, opened: Open) -> None:
    box = add_box(stage, "/Box")
    move = box.AddTranslateOp()
    for time in (1, 10, 20):
        move.Set(Gf.Vec3d(time, 0, 0), time)
    stage.SetStartTimeCode(10)
    opened()
    assert places() == {"/Box": (10, 0, 0)}


def test_without_a_start_the_first_sample_counts(stage: Any, opened: Open) -> None:
    move = add_box(stage, "/Box").AddTranslateOp()
    move.Set(Gf.Vec3d(5, 0, 0), 5)
    move.Set(Gf.Vec3d(9, 0, 0), 9)
    opened()
    assert places() == {"/Box": (5, 0, 0)}


def test_a_sheared_place_is_shown_as_it_is(stage: Any, opened: Open) -> None:
    UsdGeom.Xform.Define(stage, "/Flat").AddScaleOp().Set(Gf.Vec3f(3, 1, 1))
    add_box(stage, "/Flat/Box").AddRotateZOp().Set(30.0)
    opened()
    one = next(one for one in bpy.data.objects if one.type == "MESH")
    place = UsdGeom.XformCache().GetLocalToWorldTransform(stage.GetPrimAtPath("/Flat/Box"))
    for corner in ((1, 0, 0), (0, 1, 0), (1, 1, 1)):
        assert list(one.matrix_world @ Vector(corner)) == pytest.approx(
            list(place.Transform(Gf.Vec3d(corner))), abs=1e-5
        )


SHAPES = {
    "Cube": ({"size": 2.0}, 8.0),
    "Sphere": ({"radius": 1.0}, 4.19),
    "Cylinder": ({"radius": 1.0, "height": 2.0}, 6.28),
    "Cone": ({"radius": 1.0, "height": 3.0}, 3.14),
    "Capsule": ({"radius": 1.0, "height": 2.0}, 6.28 + 4.19),
}


@pytest.mark.parametrize("axis", ["X", "Y", "Z"])
@pytest.mark.parametrize("kind", SHAPES)
def test_a_shape_of_usd_becomes_a_mesh_that_looks_outwards(kind: str, axis: str, stage: Any, opened: Open) -> None:
    import bmesh

    shape = getattr(UsdGeom, kind).Define(stage, "/Shape")
    values, volume = SHAPES[kind]
    for name, value in values.items():
        shape.GetPrim().GetAttribute(name).Set(value)
    if kind not in ("Cube", "Sphere"):
        shape.CreateAxisAttr(axis)
    opened()
    (one,) = bpy.data.objects
    solid = bmesh.new()
    solid.from_mesh(one.data)
    assert all(edge.is_manifold for edge in solid.edges)
    assert all(vertex.link_edges for vertex in solid.verts)
    assert solid.calc_volume(signed=True) == pytest.approx(volume, rel=0.03)
    solid.free()
    low, high = (Vector(one.bound_box[0]), Vector(one.bound_box[6]))
    longest = max(high - low)
    if kind in ("Cone", "Capsule"):
        assert (high - low)["XYZ".index(axis)] == pytest.approx(longest)
    if kind == "Cone":  # its point is at the far end of the axis
        tip = max(one.data.vertices, key=lambda vertex: vertex.co["XYZ".index(axis)])
        assert tip.co["XYZ".index(axis)] == pytest.approx(1.5)
        assert tip.co.length == pytest.approx(1.5)


def test_a_plane_lies_across_its_axis(stage: Any, opened: Open) -> None:
    plane = UsdGeom.Plane.Define(stage, "/Plane")
    plane.CreateAxisAttr("X")
    plane.CreateWidthAttr(4.0)
    plane.CreateLengthAttr(2.0)
    opened()
    (one,) = bpy.data.objects
    # For the axis X, the width is along Z and the length along Y.
    assert list(one.dimensions) == pytest.approx([0.0, 2.0, 4.0])
    assert list(one.data.polygons[0].normal) == pytest.approx([1.0, 0.0, 0.0])


def test_types_without_a_mesh_are_named_and_counted(stage: Any, opened: Open, recorder: Any) -> None:
    add_box(stage, "/Box")
    for number in range(2):
        UsdGeom.BasisCurves.Define(stage, f"/Hair{number}")
    UsdGeom.NurbsPatch.Define(stage, "/Patch")
    opened()
    assert "2 objects of the type BasisCurves cannot become a mesh and are left out: “/Hair0”, “/Hair1”." in (
        recorder.warnings
    )
    assert "1 object of the type NurbsPatch cannot become a mesh and is left out: “/Patch”." in recorder.warnings


def test_a_level_of_a_former_result_is_marked_as_one(stage: Any, opened: Open) -> None:
    prim = add_box(stage, "/Box_LOD1").GetPrim()
    prim.CreateAttribute("userProperties:sendoff_source", Sdf.ValueTypeNames.String).Set("/Box")
    prim.CreateAttribute("userProperties:sendoff_level", Sdf.ValueTypeNames.Int).Set(1)
    prim.CreateAttribute("userProperties:weight", Sdf.ValueTypeNames.Float).Set(2.5)
    opened()
    (one,) = bpy.data.objects
    assert (one["sendoff_source"], one["sendoff_level"], one["weight"]) == ("/Box", 1, 2.5)


def test_many_instances_take_seconds(stage: Any, opened: Open) -> None:
    count = 7000
    pawns = add_instancer(stage, "/Pawns", [(number, 0, 0) for number in range(count)])
    add_box(stage, "/Pawns/P")
    pawns.CreatePrototypesRel().SetTargets(["/Pawns/P"])
    opened()
    assert len(places()) == count
    assert len(bpy.data.meshes) == 1


SCALES = st.sampled_from([1.0, 2.0, -1.0, 0.5, 3.0])
PLACES = st.tuples(
    st.tuples(*[st.floats(-50, 50, width=32)] * 3),
    st.tuples(*[st.floats(-180, 180, width=32)] * 3),
    st.tuples(*[SCALES] * 3),
)


def place_at(prim: Any, place: Any) -> None:
    """Move, turn and scale a prim."""
    moved, turned, scaled = place
    prim.AddTranslateOp().Set(Gf.Vec3d(*moved))
    prim.AddRotateXYZOp().Set(Gf.Vec3f(*turned))
    prim.AddScaleOp().Set(Gf.Vec3f(*scaled))


def expected_corners(stage: Any) -> dict[str, Any]:
    """The far corner of each shown box by Pixar's own computation of places, visibilities and purposes."""
    cache, found = UsdGeom.XformCache(), {}
    metres = UsdGeom.GetStageMetersPerUnit(stage)
    is_y_up = UsdGeom.GetStageUpAxis(stage) == "Y"

    def add(identity: str, place: Any) -> None:
        x, y, z = place.Transform(Gf.Vec3d(1, 1, 1)) * metres
        found[identity] = (x, -z, y) if is_y_up else (x, y, z)

    instancers = [prim for prim in stage.Traverse() if prim.IsA(UsdGeom.PointInstancer)]
    for prim in Usd.PrimRange.Stage(stage, Usd.TraverseInstanceProxies(Usd.PrimDefaultPredicate)):
        is_prototype = any(prim.GetPath().HasPrefix(one.GetPath()) for one in instancers)
        if not prim.IsA(UsdGeom.Mesh) or is_prototype:
            continue
        one = UsdGeom.Imageable(prim)
        if one.ComputeVisibility() == "inherited" and one.ComputePurpose() in ("default", "render"):
            add(str(prim.GetPath()), cache.GetLocalToWorldTransform(prim))
    for prim in instancers:
        one = UsdGeom.PointInstancer(prim)
        if one.ComputeVisibility() != "inherited":
            continue
        world = cache.GetLocalToWorldTransform(prim)
        matrices = one.ComputeInstanceTransformsAtTime(0, 0, one.IncludeProtoXform, one.IgnoreMask)
        for number, (matrix, is_shown) in enumerate(zip(matrices, one.ComputeMaskAtTime(0) or [True] * len(matrices))):  # noqa: B905
            if is_shown:
                add(f"{prim.GetPath()}[{number}]", matrix * world)
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_every_shown_box_is_where_pixars_library_says(tmp_path: Path, recorder: Any, data: st.DataObject) -> None:
    made = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageMetersPerUnit(made, data.draw(st.sampled_from([1.0, 0.01, 0.0254])))
    UsdGeom.SetStageUpAxis(made, data.draw(st.sampled_from(["Y", "Z"])))
    made.CreateClassPrim("/Kit")
    place_at(add_box(made, "/Kit/Box"), data.draw(PLACES))
    paths = ["/Root"]
    place_at(UsdGeom.Xform.Define(made, "/Root"), data.draw(PLACES))
    for number in range(data.draw(st.integers(1, 8))):
        path = f"{data.draw(st.sampled_from(paths))}/N{number}"
        kind = data.draw(st.sampled_from(["xform", "box", "instance", "instancer"]))
        if kind == "box":
            prim = add_box(made, path)
        elif kind == "instancer":
            count = data.draw(st.integers(1, 4))
            prim = add_instancer(made, path, [data.draw(PLACES)[0] for _ in range(count)])
            prim.CreateScalesAttr([Gf.Vec3f(*data.draw(PLACES)[2]) for _ in range(count)])
            place_at(add_box(made, f"{path}/P"), data.draw(PLACES))
            prim.CreatePrototypesRel().SetTargets([f"{path}/P"])
            if data.draw(st.booleans()):
                prim.InvisId(data.draw(st.integers(0, count - 1)), 0)
        else:
            prim = UsdGeom.Xform.Define(made, path)
        place_at(prim, data.draw(PLACES))
        if kind == "instance":
            prim.GetPrim().GetReferences().AddInternalReference("/Kit")
            prim.GetPrim().SetInstanceable(data.draw(st.booleans()))
        if kind == "xform":
            paths.append(path)
        if data.draw(st.integers(0, 4)) == 0:
            prim.CreateVisibilityAttr("invisible")
        if kind != "instancer" and data.draw(st.integers(0, 4)) == 0:
            prim.CreatePurposeAttr(data.draw(st.sampled_from(["render", "proxy", "guide", "default"])))
    path = tmp_path / "random.usda"
    path.write_text(made.GetRootLayer().ExportToString())
    Sdf.Layer.FindOrOpen(str(path)).Reload(force=True)
    open_scene(Job(recorder, params={}, folder=tmp_path, scene=path), path, None)
    bpy.context.view_layer.update()
    came = {
        str(one["sendoff_path"]): one.matrix_world @ Vector((1, 1, 1)) for one in bpy.data.objects if one.type == "MESH"
    }
    expected = expected_corners(made)
    assert set(came) == set(expected)
    size = max((abs(part) for corner in expected.values() for part in corner), default=1.0)
    for identity, corner in expected.items():
        assert list(came[identity]) == pytest.approx(list(corner), abs=1e-4 * max(size, 0.01))
