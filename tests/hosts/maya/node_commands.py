"""Commands on nodes: which there are, where they stand, what they hold, and what is selected."""

from __future__ import annotations

import re
from typing import Any

from pxr import Gf

from . import state
from .model import ATTRIBUTE_TYPES, CAMERAS, DAG, DATA_TYPES, DEFAULT_SETS, KINDS, SHAPES, Node, box_of
from .naming import long, mesh_node, mesh_of, open_scene, short
from .registry import command

_TRANSFORMS = {"transform", "lodGroup", "joint"}
_AXES = "XYZ"


@command()
def ls(_mode: str, *names: str, **flags: Any) -> list[str]:
    """What is there, or what is selected, by long or shortest names."""
    scene = open_scene()
    found: list[str] = []
    if flags.get("selection"):
        return [_shown(name, flags) for name in scene.content.selected if scene.find(name.partition(".")[0])]
    nodes = list(scene.nodes())
    if names:
        for name in names:
            node_name, _, attribute = name.partition(".")
            # Laxer than Maya, where a `*` finds names in namespaces only with recursive=True: see test_loop.py.
            there = scene.find(node_name, every_namespace=True)
            if attribute:
                there = [node for node in there if attribute in node.attributes or attribute in node.added]
            found += [long(node) if flags.get("long") else short(node) for node in there]
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
        found.append(long(node) if flags.get("long") else short(node))
    return found


@command(undoable=True)
def select(_mode: str, *names: str, **flags: Any) -> None:
    """Choose nodes and components."""
    scene = open_scene()
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
    there = open_scene().find(node_name)
    return any(not attribute or attribute in node.attributes or attribute in node.added for node in there)


@command()
def nodeType(_mode: str, name: str) -> str:
    """What kind of node it is."""
    return open_scene().one(name).kind


@command()
def objectType(_mode: str, name: str, **flags: Any) -> Any:
    """The same, and whether it is of a kind or one derived from it."""
    node = open_scene().one(name)
    if "isAType" in flags:
        return flags["isAType"] in _kinds(node)
    return node.kind == flags["isType"] if "isType" in flags else node.kind


@command(undoable=True)
def createNode(_mode: str, kind: str, **flags: Any) -> str:
    """A new node."""
    scene = open_scene()
    if kind not in KINDS:
        raise RuntimeError(f"Unknown object type: {kind}")
    parent = scene.one(flags["parent"]) if "parent" in flags else None
    if kind in SHAPES and parent is None:
        parent = scene.create("transform", flags.get("name", f"{kind}1"))
        made = scene.create(kind, f"{parent.name}Shape", parent=parent)
    else:
        made = scene.create(kind, flags.get("name", f"{kind}1"), parent=parent)
    if not flags.get("skipSelect"):
        scene.content.selected = [made.path]
    return short(made)


@command(undoable=True)
def group(_mode: str, *names: str, **flags: Any) -> str:
    """A transform around some nodes, which keep their places in the world."""
    scene = open_scene()
    if not names and not flags.get("empty"):
        raise RuntimeError("Not enough objects or values.")
    parent = scene.one(flags["parent"]) if "parent" in flags else None
    nodes = [scene.one(name) for name in names]
    if parent is None and not flags.get("world") and nodes:
        parent = nodes[0].parent
    made = scene.create("transform", flags.get("name", "group1"), parent=parent)
    for node in nodes:
        put_in_place(node, made, keep=not flags.get("relative"))
    scene.content.selected = [made.path]
    return short(made)


@command(undoable=True)
def parent(_mode: str, *names: str, **flags: Any) -> list[str]:
    """Hang nodes below another one, or at the top."""
    scene = open_scene()
    target = None if flags.get("world") else scene.one(names[-1])
    moved = [scene.one(name) for name in (names if flags.get("world") else names[:-1])]
    for node in moved:
        if node.parent is target:
            raise RuntimeError(f"'{short(node)}' is already a child of the parent.")
        put_in_place(node, target, keep=not flags.get("relative"))
    scene.content.selected = [node.path for node in moved]
    return [short(node) for node in moved]


@command(undoable=True)
def rename(_mode: str, name: str, new: str) -> str:
    """Give a node another name."""
    node = open_scene().one(name)
    _check_own(node, "rename")
    wanted = re.sub(r"[^A-Za-z0-9_:#]", "_", new.removeprefix(":"))
    if not wanted or wanted[0].isdigit():
        raise RuntimeError("New name has no legal characters.")
    space = wanted.rpartition(":")[0]
    if space and space not in open_scene().content.namespaces:
        raise RuntimeError(f"Namespace '{space}' does not exist.")
    open_scene().rename(node, wanted)
    return short(node)


@command(undoable=True)
def delete(_mode: str, *names: str, **flags: Any) -> None:
    """Remove nodes, or their history."""
    scene = open_scene()
    for name in names:
        node = scene.one(name)
        if flags.get("constructionHistory"):
            node.has_history = False
        else:
            _check_own(node, "delete")
            scene.delete(node)


@command()
def listRelatives(_mode: str, *names: str, **flags: Any) -> list[str] | None:
    """Children, shapes, everything below, or what is above."""
    found: list[Node] = []
    for name in names:
        node = open_scene().one(name)
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
    return [long(one) if flags.get("fullPath") else short(one) for one in found] or None


@command(undoable=True)
def addAttr(_mode: str, name: str, **flags: Any) -> None:
    """A new attribute on a node."""
    node = open_scene().one(name)
    long = flags["longName"]
    if long in node.attributes:
        raise RuntimeError(f"Found no valid items to add the attribute to: {long} is on {name} already")
    if not re.fullmatch(r"[A-Za-z_]\w*", long):
        raise RuntimeError(f"Attribute name '{long}' contains invalid characters.")
    if ("dataType" in flags) == ("attributeType" in flags):
        raise RuntimeError("Type of new attribute must be specified, either as dataType or as attributeType.")
    kind = flags.get("dataType") or flags["attributeType"]
    if kind not in (DATA_TYPES if "dataType" in flags else ATTRIBUTE_TYPES):
        raise RuntimeError(f"Type specified for new attribute is unknown: {kind}")
    node.added[long] = kind
    node.attributes[long] = "" if kind == "string" else 0
    open_scene().is_modified = True


@command()
def attributeQuery(_mode: str, name: str, **flags: Any) -> Any:
    """Whether a node has an attribute."""
    node = open_scene().one(flags["node"])
    if flags.get("exists"):
        return name in node.attributes or name in node.added
    raise NotImplementedError("attributeQuery: only exists")


@command(undoable=True)
def setAttr(_mode: str, plug: str, *values: Any, **flags: Any) -> None:
    """Set an attribute; a text needs its type said."""
    node, name = _plug(plug)
    if not values:
        raise RuntimeError("setAttr: No value was specified.")
    if name in node.inputs:
        raise RuntimeError(f"setAttr: The attribute '{plug}' is locked or connected and cannot be modified.")
    if node.added.get(name, node.kind) in ATTRIBUTE_TYPES and flags.get("type") == "string":
        raise RuntimeError(f"setAttr: '{plug}' is not a string attribute.")
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
    open_scene().is_modified = True


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
def connectAttr(_mode: str, source: str, target: str, **flags: Any) -> None:
    """Feed one attribute from another."""
    _plug(source)
    node, name = _plug(target)
    if name in node.inputs and not flags.get("force"):
        raise RuntimeError(f"The destination attribute '{target}' is already connected")
    node.inputs[name] = source
    open_scene().is_modified = True


@command()
def listConnections(_mode: str, plug: str, **flags: Any) -> list[str] | None:
    """What feeds an attribute."""
    node_name, _, name = plug.partition(".")
    node = open_scene().one(node_name)
    found = [source for one, source in node.inputs.items() if not name or one == name]
    return [source if flags.get("plugs") else source.partition(".")[0] for source in found] or None


@command(undoable=True)
def move(_mode: str, *arguments: Any, **flags: Any) -> None:
    """Move along the axes of the world, or of the parent."""
    way = Gf.Vec3d(*[float(one) for one in arguments[:3]])
    for name in arguments[3:]:
        node = open_scene().one(name)
        local = way
        if flags.get("worldSpace") and node.parent is not None:
            local = node.parent.world().GetInverse().TransformDir(way)
        before = Gf.Vec3d(*node.attributes["translate"]) if flags.get("relative") else Gf.Vec3d(0)
        node.attributes["translate"] = tuple(before + local)
    open_scene().is_modified = True


@command()
def exactWorldBoundingBox(_mode: str, *names: str, **_flags: Any) -> list[float]:
    """The box around nodes, in the world."""
    low, high = box_of([open_scene().one(name) for name in names])
    return [*low, *high]


@command(undoable=True)
def xform(mode: str, *names: str, **flags: Any) -> Any:
    """Place, turn, size or matrix of a node."""
    node = open_scene().one(names[0])
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
            open_scene().is_modified = True
    return None


@command(undoable=True)
def sets(mode: str, *names: str, **flags: Any) -> Any:
    """A set of objects: made, filled, or read."""
    if mode == "query":
        return list(open_scene().one(names[0]).members) or None
    if mode == "edit":
        target = open_scene().one(flags["forceElement"])
        for name in names:
            shape = mesh_node(name).path
            for one in open_scene().nodes():
                if one.kind == "shadingEngine" and shape in one.members:
                    one.members.remove(shape)
            target.members.append(shape)
        return None
    made = open_scene().create("objectSet", flags.get("name", "set1"))
    members = names or ([] if flags.get("empty") else open_scene().content.selected)
    made.members = [open_scene().one(name).path for name in members]
    return made.name


@command()
def listSets(_mode: str, **flags: Any) -> list[str] | None:
    """The sets that an object is in; of type 1 are those that shade."""
    path = open_scene().one(flags["object"]).path
    found = [one.name for one in open_scene().nodes() if one.kind == "shadingEngine" and path in one.members]
    return found or None


@command(undoable=True)
def namespace(_mode: str, **flags: Any) -> Any:
    """Namespaces: made, entered, removed."""
    scene = open_scene()
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
    scene = open_scene()
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


def put_in_place(node: Node, parent: Node | None, *, keep: bool) -> None:
    """Hang a node somewhere else; it stays where it is in the world, unless its own numbers are to stay."""
    world = node.world()
    open_scene().put(node, parent)
    if keep and not node.is_shape:
        place(node, world if parent is None else world * parent.world().GetInverse())


def place(node: Node, matrix: Gf.Matrix4d) -> None:
    """Give a node the translation, rotation and scale of a matrix; what is as it should be keeps its numbers."""
    if Gf.IsClose(node.local(), matrix, 1e-9):
        return
    whole = Gf.Transform(matrix)
    angles = whole.GetRotation().Decompose(Gf.Vec3d.ZAxis(), Gf.Vec3d.YAxis(), Gf.Vec3d.XAxis())
    node.attributes["translate"] = tuple(whole.GetTranslation())
    node.attributes["rotate"] = (angles[2], angles[1], angles[0])
    node.attributes["scale"] = tuple(whole.GetScale())


def _check_own(node: Node, doing: str) -> None:
    """Nodes of a referenced file and Maya's own ones can be neither renamed nor deleted."""
    if open_scene().reference_of(node):
        raise RuntimeError(f"Cannot {doing} a node of a referenced file: {node.name}")
    if node.name in DEFAULT_SETS or (node.parent is None and node.name in CAMERAS):
        raise RuntimeError(f"Cannot {doing} a default node: {node.name}")


def _plug(plug: str) -> tuple[Node, str]:
    node_name, _, name = plug.partition(".")
    if not name:
        raise ValueError(f"No object matches name: {plug}")
    return open_scene().one(node_name), name


def _check_attribute(node: Node, name: str, plug: str) -> None:
    if name not in node.attributes and name not in node.added:
        raise ValueError(f"No object matches name: {plug}")


def _check_components(node: Node, component: str) -> None:
    match = re.fullmatch(r"(vtx|f|e)\[(\d+)(?::(\d+))?\]", component)
    if match is None:
        raise ValueError(f"No object matches name: {node.name}.{component}")
    mesh = mesh_of(node.path)
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


def _shown(name: str, flags: dict[str, Any]) -> str:
    node_name, dot, component = name.partition(".")
    node = open_scene().one(node_name)
    return (long(node) if flags.get("long") else short(node)) + dot + component
