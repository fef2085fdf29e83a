"""USD and FBX scenes. USD is written as text, so that each has exactly what it is about."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from usd_stage import expose_pxr

from .making import add, ball, ball_mesh, kind, material


def usd_mesh(name: str, mesh_name: str = "Shape", *, more: str = "", place: str = "", left: bool = False) -> str:
    """A mesh prim below a transform."""
    data = ball_mesh("for USD", segments=12)
    points = ", ".join(f"({x:.5f}, {y:.5f}, {z:.5f})" for x, y, z in (vertex.co for vertex in data.vertices))
    faces = [list(polygon.vertices)[:: -1 if left else 1] for polygon in data.polygons]
    counts, indices = ", ".join(str(len(face)) for face in faces), ", ".join(str(one) for face in faces for one in face)
    uv = [
        data.uv_layers[0].uv[loop].vector
        for polygon in data.polygons
        for loop in list(polygon.loop_indices)[:: -1 if left else 1]
    ]
    st = ", ".join(f"({u:.4f}, {v:.4f})" for u, v in uv)
    colours = ", ".join("(0.2, 0.5, 0.8)" for _ in data.vertices)
    bpy.data.meshes.remove(data)
    return f"""
def Xform "{name}" {{
    {place}
    def Mesh "{mesh_name}" {{
        {'uniform token orientation = "leftHanded"' if left else ""}
        uniform token subdivisionScheme = "none"
        int[] faceVertexCounts = [{counts}]
        int[] faceVertexIndices = [{indices}]
        point3f[] points = [{points}]
        texCoord2f[] primvars:st = [{st}] (interpolation = "faceVarying")
        color3f[] primvars:displayColor = [{colours}] (interpolation = "vertex")
        {more}
    }}
}}
"""


def usd(body: str, *, metres: str = "1", up: str = "Z", head: str = "") -> str:
    """A whole file."""
    stage = f'metersPerUnit = {metres}\n    upAxis = "{up}"\n    {head}'
    return f'#usda 1.0\n(\n    defaultPrim = "World"\n    {stage}\n)\n{body}\n'


MOVED = 'double3 xformOp:translate = {at}\n uniform token[] xformOpOrder = ["xformOp:translate"]'


@kind()
def usd_layers(folder: Path) -> None:
    """Sublayers, references and a payload, in files of their own, two deep."""
    external = folder / "external"
    external.mkdir(parents=True)
    chair = usd_mesh("Chair", place=MOVED.format(at="(0, 0, 1)"))
    (external / "chair.usda").write_text(usd(chair).replace('"World"', '"Chair"'))
    room = 'over "World" { def "A" (references = @./chair.usda@) {} \n def "B" (payload = @./chair.usda@) { '
    room += "double3 xformOp:translate = (5, 0, 0)\n float3 xformOp:scale = (1, 2, 1)\n"
    room += 'uniform token[] xformOpOrder = ["xformOp:translate", "xformOp:scale"] } }'
    (external / "room.usda").write_text(usd(room))
    body = f'def Xform "World" {{ {usd_mesh("Table", place=MOVED.format(at="(0, 5, 0)"))} }}'
    (folder / "usd_layers.usda").write_text(usd(body, head="subLayers = [@./external/room.usda@]"))


@kind()
def usd_points(folder: Path) -> None:
    """A PointInstancer with two prototypes, some of them turned, and instanceable prims."""
    folder.mkdir(parents=True, exist_ok=True)
    positions = ", ".join(f"({x * 4}, {y * 4}, 0)" for x in range(3) for y in range(3))
    turns = ", ".join("(0.9239, 0, 0, 0.3827)" for _ in range(9))
    scales = ", ".join("(1, 1.5, 1)" for _ in range(9))
    body = f"""def Xform "World" {{
    def PointInstancer "Pawns" {{
        {MOVED.format(at="(0, 0, 2)")}
        rel prototypes = [</World/Pawns/Prototypes/Pawn>, </World/Pawns/Prototypes/King>]
        int[] protoIndices = [0, 1, 0, 1, 0, 1, 0, 1, 0]
        point3f[] positions = [{positions}]
        quath[] orientations = [{turns}]
        float3[] scales = [{scales}]
        def Scope "Prototypes" {{ {usd_mesh("Pawn")} {usd_mesh("King")} }}
    }}
    {usd_mesh("Board", place=MOVED.format(at="(0, 0, -5)"))}
    }}"""
    (folder / "usd_points.usda").write_text(usd(body, metres="0.01", up="Y"))


@kind()
def usd_purposes(folder: Path) -> None:
    """Purposes, invisible prims and left-handed meshes."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [
        usd_mesh("Shown", place=MOVED.format(at="(0, 0, 0)")),
        usd_mesh("Proxy", more='uniform token purpose = "proxy"', place=MOVED.format(at="(5, 0, 0)")),
        usd_mesh("Guide", more='uniform token purpose = "guide"', place=MOVED.format(at="(10, 0, 0)")),
        usd_mesh("Render", more='uniform token purpose = "render"', place=MOVED.format(at="(15, 0, 0)")),
        usd_mesh("Invisible", more='token visibility = "invisible"', place=MOVED.format(at="(20, 0, 0)")),
        usd_mesh("LeftHanded", left=True, place=MOVED.format(at="(25, 0, 0)")),
    ]
    (folder / "usd_purposes.usda").write_text(usd(f'def Xform "World" {{ {"".join(parts)} }}'))


@kind()
def usd_float_units(folder: Path) -> None:
    """Units that were written as a float, with a shear and a negative scale."""
    folder.mkdir(parents=True, exist_ok=True)
    sheared = "matrix4d xformOp:transform = ((1, 0, 0, 0), (0.5, 1, 0, 0), (0, 0.3, 1, 0), (3, 2, 1, 1))"
    sheared += '\n uniform token[] xformOpOrder = ["xformOp:transform"]'
    mirrored = 'float3 xformOp:scale = (-1, 1, 2)\n uniform token[] xformOpOrder = ["xformOp:scale"]'
    body = f'def Xform "World" {{ {usd_mesh("Sheared", place=sheared)} {usd_mesh("Mirrored", place=mirrored)} }}'
    text = usd(body, metres="0.01", up="Y")
    path = folder / "usd_float_units.usda"
    path.write_text(text)
    expose_pxr()
    try:
        from pxr import Sdf
    except ImportError:
        return
    # Some exporters write the number as a float and not as a double, which a text file cannot say.
    layer = Sdf.Layer.FindOrOpen(str(path))
    binary = Sdf.Layer.CreateNew(str(path.with_suffix(".usdc")))
    binary.TransferContent(layer)
    binary.pseudoRoot.SetInfo("metersPerUnit", np.float32(0.01).item())
    binary.Save()
    path.unlink()


@kind()
def fbx_groups(folder: Path) -> None:
    """An FBX with a LOD group and with names of any script."""
    folder.mkdir(parents=True, exist_ok=True)
    group = add("Rock", None, at=(4, 0, 0))
    group["fbx_type"] = "LodGroup"
    for level in range(2):
        one = ball(f"Rock_LOD{level}", segments=24 - 8 * level, material=material(f"Stone {level}"))
        one.parent = group
    for index, name in enumerate(("aβカ😂", 'say "hi"', "plain")):
        one = ball(name, at=(0, 4.0 * index, 0), segments=16)
        one.scale, one.rotation_euler = (1, 2, -1), (0.2, 0.3, 0.4)
        one["studio_id"] = index
    import addon_utils

    addon_utils.enable("io_scene_fbx")
    bpy.ops.export_scene.fbx(filepath=str(folder / "fbx_groups.fbx"), use_custom_props=True, add_leaf_bones=False)
