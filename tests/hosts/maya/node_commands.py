"""Commands on nodes: which there are, where they stand, what they hold, and what is selected."""

from __future__ import annotations

import re
from typing import Any

from pxr import Gf

from . import shapes, state
from .model import DAG, SHAPES, Mesh, Node, Scene, box_of
from .registry import command

_TRANSFORMS = {"transform", "lodGroup", "joint"}
_AXES = "XYZ"


def _scene() -> Scene:
    return state.now.scene


@command()
def ls(_mode: str, *names: str, **flags: Any) -> list[str]:
    """What is there, or what is selected, by long or shortest names."""
    scene = _scene()
    found: list[str] = []
    if flags.get("selection"):
        return [_shown(name, flags) for name in scene.content.selected if scene.find(name.partition(".")[0])]
    nodes = list(scene.nodes())
    if names:
        for name in names:
            node_name, _, attribute = name.partition(".")
            there = scene.find(node_name)
            if attribute:
                there = [node for node in there if attribute in node.attributes or attribute in node.added]
            found += [_long(node) if flags.get("long") else _short(node) for node in there]
        return list(dict.fromkeys(found))
    wanted = _listed(flags.get("type")) or _listed(flags.get("exactType"))
    for node in nodes:
        kinds = {node.kind} if flags.get("exactType") else _kinds(node)
        if wanted and not kinds & set(wanted):
            continue
        if flags.get("assemblies") and not (node.is_dag and node.parent is None):
            continue
        if flags.get("noIntermediate") and node.attributes.get("intermediateObject"):
            continue
        found.append(_long(node) if flags.get("long") else _short(node))
    return found


@command(undoable=True)
def select(_mode: str, *names: str, **flags: Any) -> None:
    """Choose nodes and components."""
    scene = _scene()
    if flags.get("clear"):
        scene.content.selected = []
        return
    chosen: list[str] = []
    for name in names:
        node_name, _, component = name.partition(".")
        node = scene.one(node_name)
        if node.kind == "objectSet" and not flags.get("noExpand"):
            chosen += node.members
        else:
            chosen.append(node.path + (f".{component}" if component else ""))
            if component:
                _check_components(node, component)
    kept = scene.content.selected if flags.get("add") or flags.get("toggle") else []
    if flags.get("deselect"):
        scene.content.selected = [name for name in scene.content.selected if name not in chosen]
    else:
        scene.content.selected = list(dict.fromkeys([*kept, *chosen]))


@command()
def objExists(_mode: str, name: str) -> bool:
    """Whether there is a node, or an attribute of one."""
    node_name, _, attribute = name.partition(".")
    there = _scene().find(node_name)
    return any(not attribute or attribute in node.attributes or attribute in node.added for node in there)


@command()
def nodeType(_mode: str, name: str) -> str:
    """What kind of node it is."""
    return _scene().one(name).kind


@command()
def objectType(_mode: str, name: str, **flags: Any) -> Any:
    """The same, and whether it is of a kind or one derived from it."""
    node = _scene().one(name)
    if "isAType" in flags:
        return flags["isAType"] in _kinds(node)
    return node.kind == flags["isType"] if "isType" in flags else node.kind


@command(undoable=True)
def createNode(_mode: str, kind: str, **flags: Any) -> str:
    """A new node."""
    parent = _scene().one(flags["parent"]) if "parent" in flags else None
    return _short(_scene().create(kind, flags.get("name", f"{kind}1"), parent=parent))


@command(undoable=True)
def group(_mode: str, *names: str, **flags: Any) -> str:
    """A transform around some nodes, which keep their places in the world."""
    scene = _scene()
    if not names and not flags.get("empty"):
        raise RuntimeError("Not enough objects or values.")
    parent = scene.one(flags["parent"]) if "parent" in flags else None
    nodes = [scene.one(name) for name in names]
    if parent is None and not flags.get("world") and nodes:
        parent = nodes[0].parent
    made = scene.create("transform", flags.get("name", "group1"), parent=parent)
    for node in nodes:
        scene.put(node, made)
    return _short(made)


@command(undoable=True)
def parent(_mode: str, *names: str, **flags: Any) -> list[str]:
    """Hang nodes below another one, or at the top."""
    scene = _scene()
    target = None if flags.get("world") else scene.one(names[-1])
    moved = [scene.one(name) for name in (names if flags.get("world") else names[:-1])]
    for node in moved:
        scene.put(node, target)
    return [_short(node) for node in moved]


@command(undoable=True)
def rename(_mode: str, name: str, new: str) -> str:
    """Give a node another name."""
    node = _scene().one(name)
    node.name = new
    return _short(node)


@command(undoable=True)
def delete(_mode: str, *names: str, **flags: Any) -> None:
    """Remove nodes, or their history."""
    scene = _scene()
    for name in names:
        node = scene.one(name)
        if flags.get("constructionHistory"):
            node.has_history = False
        else:
            scene.delete(node)


@command()
def listRelatives(_mode: str, *names: str, **flags: Any) -> list[str] | None:
    """Children, shapes, everything below, or what is above."""
    found: list[Node] = []
    for name in names:
        node = _scene().one(name)
        if flags.get("parent"):
            found += [node.parent] if node.parent is not None else []
        elif flags.get("allDescendents"):
            found += list(node.below())[1:]
        else:
            found += [one for one in node.children if one.is_shape or not flags.get("shapes")]
    if "type" in flags:
        found = [one for one in found if set(_listed(flags["type"])) & _kinds(one)]
    if flags.get("noIntermediate"):
        found = [one for one in found if not one.attributes.get("intermediateObject")]
    return [_long(one) if flags.get("fullPath") else _short(one) for one in found] or None


@command(undoable=True)
def addAttr(_mode: str, name: str, **flags: Any) -> None:
    """A new attribute on a node."""
    node = _scene().one(name)
    long = flags["longName"]
    if long in node.attributes:
        raise RuntimeError(f"Attribute {long} already exists on {name}")
    kind = flags.get("dataType") or flags["attributeType"]
    node.added[long] = kind
    node.attributes[long] = "" if kind == "string" else 0
    _scene().is_modified = True


@command()
def attributeQuery(_mode: str, name: str, **flags: Any) -> Any:
    """Whether a node has an attribute."""
    node = _scene().one(flags["node"])
    if flags.get("exists"):
        return name in node.attributes or name in node.added
    raise NotImplementedError("attributeQuery: only exists")


@command(undoable=True)
def setAttr(_mode: str, plug: str, *values: Any, **flags: Any) -> None:
    """Set an attribute; a text needs its type said."""
    node, name = _plug(plug)
    if isinstance(values[0], str) != (flags.get("type") == "string"):
        raise RuntimeError(f"setAttr: Error reading data element number 1: {values[0]!r}")
    multi = re.fullmatch(r"(\w+)\[(\d+)\]", name)
    if multi:
        node.attributes.setdefault(multi[1], {})[int(multi[2])] = values[0]
    elif re.fullmatch(r"(translate|rotate|scale)[XYZ]", name):
        whole = list(node.attributes[name[:-1]])
        whole[_AXES.index(name[-1])] = float(values[0])
        node.attributes[name[:-1]] = tuple(whole)
    else:
        _check_attribute(node, name, plug)
        node.attributes[name] = tuple(map(float, values)) if len(values) > 1 else values[0]
    _scene().is_modified = True


@command()
def getAttr(_mode: str, plug: str, **_flags: Any) -> Any:
    """The value of an attribute."""
    node, name = _plug(plug)
    multi = re.fullmatch(r"(\w+)\[(\d+)\]", name)
    if multi:
        return node.attributes.get(multi[1], {}).get(int(multi[2]), 0.0)
    if re.fullmatch(r"(translate|rotate|scale)[XYZ]", name):
        return node.attributes[name[:-1]][_AXES.index(name[-1])]
    _check_attribute(node, name, plug)
    value = node.attributes[name]
    return [value] if isinstance(value, tuple) else value


@command(undoable=True)
def connectAttr(_mode: str, source: str, target: str, **_flags: Any) -> None:
    """Feed one attribute from another."""
    _plug(source)
    node, name = _plug(target)
    if name in node.inputs:
        raise RuntimeError(f"The destination attribute '{target}' is already connected")
    node.inputs[name] = source
    _scene().is_modified = True


@command()
def listConnections(_mode: str, plug: str, **flags: Any) -> list[str] | None:
    """What feeds an attribute."""
    node_name, _, name = plug.partition(".")
    node = _scene().one(node_name)
    found = [source for one, source in node.inputs.items() if not name or one == name]
    return [source if flags.get("plugs") else source.partition(".")[0] for source in found] or None


@command(undoable=True)
def move(_mode: str, *arguments: Any, **flags: Any) -> None:
    """Move along the axes of the world, or of the parent."""
    way = Gf.Vec3d(*[float(one) for one in arguments[:3]])
    for name in arguments[3:]:
        node = _scene().one(name)
        local = way
        if flags.get("worldSpace") and node.parent is not None:
            local = node.parent.world().GetInverse().TransformDir(way)
        before = Gf.Vec3d(*node.attributes["translate"]) if flags.get("relative") else Gf.Vec3d(0)
        node.attributes["translate"] = tuple(before + local)
    _scene().is_modified = True


@command()
def exactWorldBoundingBox(_mode: str, *names: str, **_flags: Any) -> list[float]:
    """The box around nodes, in the world."""
    low, high = box_of([_scene().one(name) for name in names])
    return [*low, *high]


@command(undoable=True)
def xform(mode: str, *names: str, **flags: Any) -> Any:
    """Place, turn, size or matrix of a node."""
    node = _scene().one(names[0])
    if mode == "query" and flags.get("matrix"):
        matrix = node.world() if flags.get("worldSpace") else node.local()
        return [matrix[row][column] for row in range(4) for column in range(4)]
    if mode == "query" and flags.get("translation"):
        return (
            list(node.world().ExtractTranslation()) if flags.get("worldSpace") else list(node.attributes["translate"])
        )
    for flag, attribute in (("translation", "translate"), ("rotation", "rotate"), ("scale", "scale")):
        if flag in flags and mode != "query":
            node.attributes[attribute] = tuple(float(one) for one in flags[flag])
            _scene().is_modified = True
    return None


@command()
def polyEvaluate(_mode: str, name: str, **flags: Any) -> Any:
    """How many vertices, faces, triangles or edges a mesh has."""
    mesh = _mesh_of(name)
    if flags.get("vertex"):
        return len(mesh.points)
    if flags.get("face"):
        return len(mesh.counts)
    if flags.get("triangle"):
        return sum(count - 2 for count in mesh.counts)
    if flags.get("edge"):
        return len(mesh.edges())
    return {"vertex": len(mesh.points), "face": len(mesh.counts)}


@command(undoable=True)
def polyCube(_mode: str, **flags: Any) -> list[str]:
    """A box."""
    size = (flags.get("width", 1.0), flags.get("height", 1.0), flags.get("depth", 1.0))
    return _poly("pCube1", "polyCube1", shapes.cube(size), flags)


@command(undoable=True)
def polySphere(_mode: str, **flags: Any) -> list[str]:
    """A ball."""
    around, along = int(flags.get("subdivisionsX", 20)), int(flags.get("subdivisionsY", 20))
    return _poly("pSphere1", "polySphere1", shapes.sphere(flags.get("radius", 1.0), around, along), flags)


@command(undoable=True)
def polyPlane(_mode: str, **flags: Any) -> list[str]:
    """A grid."""
    size = (flags.get("width", 1.0), flags.get("height", 1.0))
    across, along = int(flags.get("subdivisionsX", 10)), int(flags.get("subdivisionsY", 10))
    return _poly("pPlane1", "polyPlane1", shapes.plane(size, across, along), flags)


@command(undoable=True)
def polyUVSet(mode: str, *names: str, **flags: Any) -> Any:
    """The UV sets of a mesh."""
    mesh = _mesh_of(names[0])
    if mode == "query" and flags.get("allUVSets"):
        return list(mesh.uv_sets)
    if flags.get("create"):
        if flags["uvSet"] in mesh.uv_sets:
            raise RuntimeError(f"UV set {flags['uvSet']} exists already")
        mesh.uv_sets[flags["uvSet"]] = ([], [], [0] * len(mesh.counts), [])
        _scene().is_modified = True
    return None


@command(undoable=True)
def transferAttributes(_mode: str, source: str, target: str, **flags: Any) -> list[str]:
    """UVs of one mesh onto another; by components, where the sample space says so."""
    given, taking = _mesh_of(source), _mesh_of(target)
    if flags.get("transferUVs") != 1 or flags.get("sampleSpace") != 4:
        raise NotImplementedError("transferAttributes: one UV set by components only")
    if given.counts != taking.counts:
        raise RuntimeError("The meshes have not the same components")
    taking.uv_sets[flags["targetUvSet"]] = given.uv_sets[flags["sourceUvSet"]]
    _scene().one(target).has_history = True
    _scene().is_modified = True
    return ["transferAttributes1"]


@command(undoable=True)
def bakePartialHistory(_mode: str, *names: str, **_flags: Any) -> None:
    """Make history part of the shape."""
    for name in names:
        _scene().one(name).has_history = False


@command()
def polyListComponentConversion(_mode: str, *names: str, **flags: Any) -> list[str]:
    """From vertices to the edges between them."""
    if not (flags.get("fromVertex") and flags.get("toEdge") and flags.get("internal")):
        raise NotImplementedError("polyListComponentConversion: from vertices to the edges between them only")
    by_node: dict[str, set[int]] = {}
    for name in names:
        match = re.fullmatch(r"(.+)\.vtx\[(\d+)\]", name)
        if match is None:
            raise ValueError(f"No object matches name: {name}")
        by_node.setdefault(match[1], set()).add(int(match[2]))
    found = []
    for name, vertices in by_node.items():
        edges = _mesh_of(name).edges()
        found += [f"{name}.e[{index}]" for index, pair in enumerate(edges) if set(pair) <= vertices]
    return found


@command(undoable=True)
def sets(mode: str, *names: str, **flags: Any) -> Any:
    """A set of objects: made, filled, or read."""
    if mode == "query":
        return list(_scene().one(names[0]).members) or None
    if mode == "edit":
        target = _scene().one(flags["forceElement"])
        for name in names:
            shape = mesh_node(name).path
            for one in _scene().nodes():
                if one.kind == "shadingEngine" and shape in one.members:
                    one.members.remove(shape)
            target.members.append(shape)
        return None
    made = _scene().create("objectSet", flags.get("name", "set1"))
    members = names or ([] if flags.get("empty") else _scene().content.selected)
    made.members = [_scene().one(name).path for name in members]
    return made.name


@command()
def listSets(_mode: str, **flags: Any) -> list[str] | None:
    """The sets that an object is in; of type 1 are those that shade."""
    path = _scene().one(flags["object"]).path
    found = [one.name for one in _scene().nodes() if one.kind == "shadingEngine" and path in one.members]
    return found or None


@command(undoable=True)
def namespace(_mode: str, **flags: Any) -> Any:
    """Namespaces: made, entered, removed."""
    scene = _scene()
    if "exists" in flags:
        return flags["exists"].strip(":") in scene.content.namespaces
    if "addNamespace" in flags:
        name = flags["addNamespace"].strip(":")
        if name in scene.content.namespaces:
            raise RuntimeError(f"Namespace '{name}' already exists.")
        scene.content.namespaces.append(name)
    if "setNamespace" in flags:
        name = flags["setNamespace"].strip(":")
        if name and name not in scene.content.namespaces:
            raise RuntimeError(f"Namespace '{name}' does not exist.")
        scene.namespace = f":{name}"
    if "removeNamespace" in flags:
        name = flags["removeNamespace"].strip(":")
        if name not in scene.content.namespaces:
            raise RuntimeError(f"Namespace '{name}' does not exist.")
        if scene.namespace == f":{name}":
            raise RuntimeError("The current namespace cannot be removed.")
        inside = [node for node in scene.nodes() if node.name.startswith(f"{name}:")]
        if inside and not flags.get("deleteNamespaceContent"):
            raise RuntimeError(f"Namespace '{name}' is not empty.")
        for node in inside:
            if scene.find(node.path):
                scene.delete(node)
        scene.content.namespaces.remove(name)
    return None


@command()
def namespaceInfo(_mode: str, *names: str, **flags: Any) -> Any:
    """Which namespace is the current one, and which there are."""
    scene = _scene()
    if flags.get("currentNamespace"):
        return scene.namespace if flags.get("absoluteName") else scene.namespace.removeprefix(":") or ":"
    if flags.get("listOnlyNamespaces"):
        return ["UI", "shared", *scene.content.namespaces]
    if flags.get("listOnlyDependencyNodes") and names:
        inside = names[0].strip(":")
        return [node.name for node in scene.nodes() if node.name.startswith(f"{inside}:")] or None
    raise NotImplementedError("namespaceInfo")


@command()
def viewFit(_mode: str, *_names: str, **_flags: Any) -> None:
    """Frame what is selected."""
    if state.now.is_batch:
        raise RuntimeError("viewFit needs a view")


def mesh_node(name: str) -> Node:
    """The mesh shape meant by the name of a transform or of itself."""
    node = _scene().one(name)
    if node.mesh is None:
        node = next((child for child in node.children if child.mesh is not None), node)
    if node.mesh is None:
        raise RuntimeError(f"{name} is no mesh")
    return node


def _mesh_of(name: str) -> Mesh:
    found = mesh_node(name).mesh
    assert found is not None
    return found


def _poly(name: str, history: str, mesh: Mesh, flags: dict[str, Any]) -> list[str]:
    scene = _scene()
    transform = scene.create("transform", flags.get("name", name))
    shape = scene.create("mesh", f"{transform.name}Shape", parent=transform)
    shape.mesh = mesh
    scene.one("initialShadingGroup").members.append(shape.path)
    scene.content.selected = [transform.path]
    return [_short(transform), history]


def _plug(plug: str) -> tuple[Node, str]:
    node_name, _, name = plug.partition(".")
    if not name:
        raise ValueError(f"No object matches name: {plug}")
    return _scene().one(node_name), name


def _check_attribute(node: Node, name: str, plug: str) -> None:
    if name not in node.attributes and name not in node.added:
        raise ValueError(f"No object matches name: {plug}")


def _check_components(node: Node, component: str) -> None:
    match = re.fullmatch(r"(vtx|f|e)\[(\d+)(?::(\d+))?\]", component)
    if match is None:
        raise ValueError(f"No object matches name: {node.name}.{component}")
    mesh = _mesh_of(node.path)
    counts = {"vtx": len(mesh.points), "f": len(mesh.counts), "e": len(mesh.edges())}
    if int(match[3] or match[2]) >= counts[match[1]]:
        raise ValueError(f"No object matches name: {node.name}.{component}")


def _kinds(node: Node) -> set[str]:
    kinds = {node.kind}
    if node.kind in DAG:
        kinds |= {"dagNode", "shape" if node.kind in SHAPES else "transform"}
    if node.kind == "shadingEngine":
        kinds.add("objectSet")
    return kinds


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _long(node: Node) -> str:
    return node.path


def _short(node: Node) -> str:
    """The shortest name that no other node has."""
    parts = node.path.split("|")
    for count in range(1, len(parts)):
        short = "|".join(parts[-count:])
        if len(_scene().find(short)) == 1:
            return short
    return node.path


def _shown(name: str, flags: dict[str, Any]) -> str:
    node_name, dot, component = name.partition(".")
    node = _scene().one(node_name)
    return (_long(node) if flags.get("long") else _short(node)) + dot + component
