"""Maya's USD plug-in: the scene really written, and really read, by the `pxr` library."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pxr import Gf, Sdf, Usd, UsdGeom, Vt

from . import state
from .model import Mesh, Node
from .node_commands import place
from .registry import command

_METRES = {"mm": 0.001, "cm": 0.01, "m": 1.0, "in": 0.0254, "ft": 0.3048}


@command()
def mayaUSDExport(_mode: str, **flags: Any) -> list[str]:
    """Write the scene or what is selected."""
    scene = state.now.scene
    path = Path(flags["file"])
    if not path.parent.is_dir():
        raise RuntimeError(f"Could not create USD layer '{path}'")
    if flags.get("defaultUSDFormat") not in (None, "usdc", "usda"):
        raise RuntimeError(f"Invalid format {flags['defaultUSDFormat']}")
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageMetersPerUnit(stage, _METRES[scene.unit])
    UsdGeom.SetStageUpAxis(stage, scene.up_axis.upper())
    wanted = _wanted(flags)
    if flags.get("selection") and not wanted:
        raise RuntimeError("Nothing is selected to export")
    for root in scene.content.roots:
        _write(stage, root, "", wanted, flags)
    tops = stage.GetPseudoRoot().GetChildren()
    if tops:
        stage.SetDefaultPrim(tops[0])
    stage.Export(str(path), args={"format": flags.get("defaultUSDFormat", "usdc")} if path.suffix == ".usd" else {})
    return [str(path)]


@command(undoable=True)
def mayaUSDImport(_mode: str, **flags: Any) -> list[str]:
    """Read a file into the current namespace."""
    try:
        stage = Usd.Stage.Open(flags["file"])
    except Exception as error:
        raise RuntimeError(f"Could not open stage '{flags['file']}'") from error
    made: list[Node] = []
    top = flags.get("primPath") or "/"
    prim = stage.GetPseudoRoot() if top == "/" else stage.GetPrimAtPath(top)
    for child in prim.GetChildren() if top == "/" else [prim]:
        _read(child, None, made)
    state.now.scene.content.selected = [node.path for node in made if node.parent is None]
    return [node.path for node in made]


def _wanted(flags: dict[str, Any]) -> set[int] | None:
    """The nodes to write, by identity; None for all."""
    scene = state.now.scene
    if not flags.get("selection"):
        return None
    found: set[int] = set()
    for name in scene.content.selected:
        node = scene.one(name.partition(".")[0])
        found |= {id(one) for one in node.below()}
        above = node.parent
        while above is not None:
            found.add(id(above))
            above = above.parent
    return found


def _write(stage: Usd.Stage, node: Node, above: str, wanted: set[int] | None, flags: dict[str, Any]) -> None:
    if wanted is not None and id(node) not in wanted:
        return
    if node.is_shape or node.name in ("persp", "top", "front", "side"):
        return
    path = f"{above}/{re.sub(r'[^A-Za-z0-9_]', '_', node.name)}"
    shape = next((child for child in node.children if child.mesh is not None), None)
    if shape is not None and flags.get("mergeTransformAndShape", True):
        prim = UsdGeom.Mesh.Define(stage, path)
        _write_mesh(prim, shape.mesh, flags)
    else:
        prim = UsdGeom.Xform.Define(stage, path)
    for name, operation, default in (
        ("translate", prim.AddTranslateOp, (0.0, 0.0, 0.0)),
        ("rotate", prim.AddRotateXYZOp, (0.0, 0.0, 0.0)),
        ("scale", prim.AddScaleOp, (1.0, 1.0, 1.0)),
    ):
        if tuple(node.attributes[name]) != default:
            value = Gf.Vec3d(*node.attributes[name])
            operation().Set(value if name == "translate" else Gf.Vec3f(value))
    for child in node.children:
        _write(stage, child, path, wanted, flags)


def _write_mesh(prim: UsdGeom.Mesh, mesh: Mesh | None, flags: dict[str, Any]) -> None:
    assert mesh is not None
    prim.CreatePointsAttr(Vt.Vec3fArray([Gf.Vec3f(*point) for point in mesh.points]))
    prim.CreateFaceVertexCountsAttr(mesh.counts)
    prim.CreateFaceVertexIndicesAttr(mesh.indices)
    prim.CreateSubdivisionSchemeAttr(flags.get("defaultMeshScheme", "catmullClark"))
    if not flags.get("exportUVs", True):
        return
    primvars = UsdGeom.PrimvarsAPI(prim)
    for name, (us, vs, _, ids) in mesh.uv_sets.items():
        primvar = primvars.CreatePrimvar(
            "st" if name == "map1" else name, Sdf.ValueTypeNames.TexCoord2fArray, UsdGeom.Tokens.faceVarying
        )
        primvar.Set(Vt.Vec2fArray([Gf.Vec2f(us[index], vs[index]) for index in ids]))


def _read(prim: Usd.Prim, parent: Node | None, made: list[Node]) -> None:
    if prim.IsA(UsdGeom.Xformable) or prim.GetTypeName() in ("Scope", ""):
        scene = state.now.scene
        node = scene.create("transform", prim.GetName(), parent=parent)
        made.append(node)
        if prim.IsA(UsdGeom.Xformable):
            place(node, UsdGeom.Xformable(prim).GetLocalTransformation())
        if prim.IsA(UsdGeom.Mesh):
            shape = scene.create("mesh", f"{prim.GetName()}Shape", parent=node)
            shape.mesh = _read_mesh(UsdGeom.Mesh(prim))
            scene.one("initialShadingGroup").members.append(shape.path)
            made.append(shape)
        for child in prim.GetChildren():
            _read(child, node, made)


def _read_mesh(prim: UsdGeom.Mesh) -> Mesh:
    counts, indices = list(prim.GetFaceVertexCountsAttr().Get()), list(prim.GetFaceVertexIndicesAttr().Get())
    mesh = Mesh([tuple(point) for point in prim.GetPointsAttr().Get()], counts, indices)
    for primvar in UsdGeom.PrimvarsAPI(prim).GetPrimvars():
        if primvar.GetTypeName() in (Sdf.ValueTypeNames.TexCoord2fArray, Sdf.ValueTypeNames.Float2Array):
            flat = primvar.ComputeFlattened()
            name = "map1" if primvar.GetPrimvarName() == "st" else primvar.GetPrimvarName()
            mesh.uv_sets[name] = (
                [one[0] for one in flat],
                [one[1] for one in flat],
                counts[:],
                list(range(len(flat))),
            )
    return mesh
