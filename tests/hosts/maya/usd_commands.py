"""Maya's USD plug-in: the scene really written, and really read, by the `pxr` library."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pxr import Gf, Sdf, Tf, Usd, UsdGeom, Vt

from . import state
from .model import Mesh, Node
from .node_commands import place
from .registry import command
from .usd_signatures import RELEASES

_METRES = {"mm": 0.001, "cm": 0.01, "m": 1.0, "in": 0.0254, "ft": 0.3048}


#: How a UV set was called in Maya is noted beside its primvar.
_MAYA_NAME = "Maya:name"
_SCHEMES = ("none", "catmullClark", "loop", "bilinear")


@command()
def mayaUSDExport(_mode: str, **flags: Any) -> list[str]:
    """Write the scene or what is selected."""
    path = _file(flags)
    if not path.parent.is_dir():
        raise RuntimeError(f"Could not create USD layer '{path}'")
    _one_of(flags, "defaultUSDFormat", ("usdc", "usda"))
    _one_of(flags, "defaultMeshScheme", _SCHEMES)
    _one_of(flags, "shadingMode", ("none", "displayColor", "pxrRis", "useRegistry"))
    _one_of(flags, "exportSkels", ("none", "auto", "explicit"))
    _one_of(flags, "exportSkin", ("none", "auto", "explicit"))
    stage = Usd.Stage.CreateInMemory()
    _set_space(stage, flags)
    wanted = _wanted(flags)
    if flags.get("selection") and not wanted:
        raise RuntimeError("Nothing is selected to export")
    for root in state.now.scene.content.roots:
        _write(stage, root, "", wanted, flags)
    tops = stage.GetPseudoRoot().GetChildren()
    if tops:
        stage.SetDefaultPrim(tops[0])
    path = path if path.suffix else path.with_suffix(".usd")
    stage.Export(str(path), args={"format": flags.get("defaultUSDFormat", "usdc")} if path.suffix == ".usd" else {})
    return [str(path)]


@command(undoable=True)
def mayaUSDImport(_mode: str, **flags: Any) -> list[str]:
    """Read a file into the current namespace; answers the full paths of what is highest in it."""
    scene = state.now.scene
    try:
        stage = Usd.Stage.Open(str(_file(flags)))
    except Tf.ErrorException as error:
        raise RuntimeError(f"Could not open stage '{flags['file']}'") from error
    parent = scene.one(flags["parent"]) if flags.get("parent") else None
    top = stage.GetPrimAtPath(flags["primPath"]) if flags.get("primPath") else stage.GetDefaultPrim()
    if flags.get("primPath") and not top:
        raise RuntimeError(f"No prim at '{flags['primPath']}' in '{flags['file']}'")
    prims = stage.GetPseudoRoot().GetChildren() if not top or top.IsPseudoRoot() else [top]
    made: list[Node] = []
    for prim in prims:
        _read(prim, parent, made)
    highest = [node for node in made if node.parent is parent]
    _fit_space(stage, highest, flags)
    scene.content.selected = [node.path for node in highest]
    return [node.path for node in highest]


def _file(flags: dict[str, Any]) -> Path:
    if not flags.get("file"):
        raise RuntimeError("-file not specified.")
    return Path(flags["file"])


def _one_of(flags: dict[str, Any], name: str, values: tuple[str, ...]) -> None:
    if name in flags and flags[name] not in values:
        raise RuntimeError(f"Invalid value '{flags[name]}' for flag '{name}', expected one of {', '.join(values)}")


def _set_space(stage: Usd.Stage, flags: dict[str, Any]) -> None:
    """Note in the file which unit and which up-axis it has: the scene's, which is what it is without flags too."""
    scene = state.now.scene
    for name, own in (("unit", scene.unit), ("upAxis", scene.up_axis)):
        if flags.get(name, "mayaPrefs") not in ("mayaPrefs", "none", own):
            raise NotImplementedError(f"mayaUSDExport: {name} of the scene only, not {flags[name]}")
    if flags.get("unit") != "none":
        UsdGeom.SetStageMetersPerUnit(stage, _METRES[scene.unit])
    if flags.get("upAxis") != "none":
        UsdGeom.SetStageUpAxis(stage, scene.up_axis.upper())


def _fit_space(stage: Usd.Stage, highest: list[Node], flags: dict[str, Any]) -> None:
    """Newer releases turn and scale what is read to fit the scene, unless told not to; older ones leave it."""
    scene = state.now.scene
    if state.now.usd_release == RELEASES[0]:
        return
    _one_of(flags, "axisAndUnitMethod", ("rotateScale", "addTransform", "overwritePrefs"))
    if flags.get("axisAndUnitMethod", "rotateScale") != "rotateScale":
        raise NotImplementedError("mayaUSDImport: rotateScale only")
    turned = flags.get("upAxis", True) and UsdGeom.GetStageUpAxis(stage).lower() != scene.up_axis
    factor = UsdGeom.GetStageMetersPerUnit(stage) / _METRES[scene.unit] if flags.get("unit", True) else 1.0
    fit = Gf.Matrix4d().SetScale(factor)
    if turned:
        fit *= Gf.Matrix4d().SetRotate(Gf.Rotation(Gf.Vec3d.XAxis(), -90.0 if scene.up_axis == "y" else 90.0))
    for node in highest:
        place(node, node.local() * fit)


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
    name = node.name.rpartition(":")[2] if flags.get("stripNamespaces") else node.name
    path = f"{above}/{re.sub(r'[^A-Za-z0-9_]', '_', name)}"
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
    for number, (name, (us, vs, _, ids)) in enumerate(mesh.uv_sets.items()):
        called = f"st{number or ''}" if not number or not flags.get("preserveUVSetNames") else name
        primvar = primvars.CreatePrimvar(called, Sdf.ValueTypeNames.TexCoord2fArray, UsdGeom.Tokens.faceVarying)
        primvar.Set(Vt.Vec2fArray([Gf.Vec2f(us[index], vs[index]) for index in ids]))
        primvar.GetAttr().SetCustomDataByKey(_MAYA_NAME, name)


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
            called = primvar.GetPrimvarName()
            name = primvar.GetAttr().GetCustomDataByKey(_MAYA_NAME) or ("map1" if called == "st" else called)
            mesh.uv_sets[name] = (
                [one[0] for one in flat],
                [one[1] for one in flat],
                counts[:],
                list(range(len(flat))),
            )
    return mesh
