"""The scene: nodes with attributes in a tree, meshes, namespaces, sets, references, and what is selected."""

from __future__ import annotations

import copy
import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pxr import Gf

DEFAULT_SETS = ("defaultLightSet", "defaultObjectSet", "initialParticleSE", "initialShadingGroup")
SHAPES = {"mesh", "camera", "locator", "nurbsCurve", "light"}
DAG = {"transform", "lodGroup", "joint", *SHAPES}
#: What can be made besides: a few of Maya's thousand kinds of nodes.
KINDS = DAG | {
    "file", "place2dTexture", "lambert", "blinn", "standardSurface", "surfaceShader", "shadingEngine", "objectSet",
    "reference", "multiplyDivide", "displayLayer", "network", "script", "skinCluster", "blendShape", "groupId",
    "aiImage", "cacheFile", "audio", "imagePlane", "displayLayerManager", "renderLayer", "condition", "reverse",
}  # fmt: skip
CAMERAS = ("persp", "top", "front", "side")
ATTRIBUTE_TYPES = {
    "bool", "long", "short", "byte", "char", "enum", "float", "double", "doubleAngle", "doubleLinear", "time",
    "message", "compound", "float3", "double3", "long3",
}  # fmt: skip
DATA_TYPES = {"string", "stringArray", "matrix", "doubleArray", "Int32Array", "vectorArray", "pointArray", "mesh"}


@dataclass
class Mesh:
    """What a mesh shape holds: points in its own space, faces, and UV sets."""

    points: list[tuple[float, float, float]]
    counts: list[int]
    indices: list[int]
    #: By name: u values, v values, how many each face has, and which.
    uv_sets: dict[str, tuple[list[float], list[float], list[int], list[int]]] = field(default_factory=dict)

    def edges(self) -> list[tuple[int, int]]:
        """Each edge once, in the order in which the faces meet it, as Maya numbers them."""
        found: dict[tuple[int, int], None] = {}
        start = 0
        for count in self.counts:
            ring = self.indices[start : start + count]
            for first, second in zip(ring, ring[1:] + ring[:1], strict=True):
                found.setdefault((min(first, second), max(first, second)), None)
            start += count
        return list(found)


@dataclass
class Node:
    """One node; those of the DAG have a parent or stand at the top."""

    name: str
    kind: str
    parent: Node | None = None
    children: list[Node] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)
    #: Attributes that somebody added: name and type.
    added: dict[str, str] = field(default_factory=dict)
    #: By the attribute that is fed: the plug that feeds it.
    inputs: dict[str, str] = field(default_factory=dict)
    mesh: Mesh | None = None
    members: list[str] = field(default_factory=list)
    has_history: bool = False

    @property
    def is_dag(self) -> bool:
        """Whether it stands in the tree."""
        return self.kind in DAG

    @property
    def is_shape(self) -> bool:
        """Whether it hangs below a transform and has no place of its own."""
        return self.kind in SHAPES

    @property
    def path(self) -> str:
        """The full DAG path; the name for what is in no tree."""
        if not self.is_dag:
            return self.name
        return f"{self.parent.path if self.parent is not None else ''}|{self.name}"

    def local(self) -> Gf.Matrix4d:
        """From its own space to its parent's."""
        move, turn, size = (self.attributes.get(name, default) for name, default in TRS)
        matrix = Gf.Matrix4d().SetScale(Gf.Vec3d(*size))
        for axis, angle in zip((Gf.Vec3d.XAxis(), Gf.Vec3d.YAxis(), Gf.Vec3d.ZAxis()), turn, strict=True):
            matrix *= Gf.Matrix4d().SetRotate(Gf.Rotation(axis, angle))
        return matrix * Gf.Matrix4d().SetTranslate(Gf.Vec3d(*move))

    def world(self) -> Gf.Matrix4d:
        """From its own space to the world's."""
        own = Gf.Matrix4d(1.0) if self.is_shape else self.local()
        return own * self.parent.world() if self.parent is not None else own

    def below(self) -> Iterator[Node]:
        """Itself and everything below."""
        yield self
        for child in self.children:
            yield from child.below()


TRS = (("translate", (0.0, 0.0, 0.0)), ("rotate", (0.0, 0.0, 0.0)), ("scale", (1.0, 1.0, 1.0)))


@dataclass
class Content:
    """What of a scene an undo brings back, and a file holds."""

    roots: list[Node] = field(default_factory=list)
    others: list[Node] = field(default_factory=list)
    selected: list[str] = field(default_factory=list)
    namespaces: list[str] = field(default_factory=list)


class Scene:
    """The open scene."""

    def __init__(self) -> None:
        self.content = Content()
        self.name = ""
        self.kind = "mayaAscii"
        self.is_modified = False
        self.namespace = ":"
        self.unit, self.up_axis = "cm", "y"
        #: Reference node: path, and the names of its top nodes.
        self.references: dict[str, tuple[str, list[str]]] = {}
        for name in CAMERAS:
            camera = self.create("transform", name)
            self.create("camera", f"{name}Shape", parent=camera)
        for name in DEFAULT_SETS:
            self.create("shadingEngine" if name.startswith("initial") else "objectSet", name)
        self.is_modified = False

    def nodes(self) -> Iterator[Node]:
        """Every node, the tree's first."""
        for root in self.content.roots:
            yield from root.below()
        yield from self.content.others

    def find(self, name: str, *, every_namespace: bool = False) -> list[Node]:
        """The nodes meant by a name or a path, which may leave out the upper parts; a `*` stays in its namespace."""
        plain = name.removeprefix(":")
        if not plain:
            return []
        if "*" in plain:
            return [node for node in self.nodes() if _matches(node, plain, every_namespace=every_namespace)]
        if plain.startswith("|"):
            return [node for node in self.nodes() if node.path == plain]
        return [
            node for node in self.nodes() if node.path == plain or node.path.endswith(f"|{plain}") or node.name == plain
        ]

    def one(self, name: str) -> Node:
        """The one node of that name; raises as Maya does."""
        found = self.find(name.partition(".")[0])
        if not found:
            raise ValueError(f"No object matches name: {name}")
        if len(found) > 1:
            raise ValueError(f"More than one object matches name: {name}")
        return found[0]

    def create(self, kind: str, name: str, *, parent: Node | None = None) -> Node:
        """A new node below a parent, in the current namespace, with a number where the name is taken."""
        if self.namespace != ":" and ":" not in name:
            name = f"{self.namespace.strip(':')}:{name}"
        node = Node(self._free(name, kind, parent), kind, parent)
        if not node.is_dag:
            self.content.others.append(node)
        elif parent is None:
            self.content.roots.append(node)
        else:
            parent.children.append(node)
        if node.is_dag and not node.is_shape:
            node.attributes.update(dict(TRS) | {"lodVisibility": True})
        node.attributes.update({"visibility": True, "overrideEnabled": False, "overrideShading": True})
        if kind == "mesh":
            node.attributes.update(
                {"castsShadows": True, "receiveShadows": True, "primaryVisibility": True, "intermediateObject": False}
            )
        if kind == "file":
            node.attributes.update({"fileTextureName": "", "uvTilingMode": 0, "useFrameExtension": False})
        if kind == "lodGroup":
            node.attributes.update({"cameraMatrix": None})
        self.is_modified = True
        return node

    def _free(self, name: str, kind: str, parent: Node | None) -> str:
        taken = {one.name for one in (parent.children if parent is not None else self.content.roots)}
        taken |= {one.name for one in self.content.others}
        if kind not in DAG:
            taken |= {one.name for one in self.nodes()}
        if name not in taken:
            return name
        stem = name.rstrip("0123456789")
        number = 1
        while f"{stem}{number}" in taken:
            number += 1
        return f"{stem}{number}"

    def put(self, node: Node, parent: Node | None) -> None:
        """Hang a node somewhere else, where it keeps its own translation, rotation and scale."""
        if parent is not None and any(one is parent for one in node.below()):
            raise RuntimeError(f"Cannot parent an object to itself or to one of its children: {node.path}")
        before = [(one, one.path) for one in node.below()]
        self._remove(node)
        node.parent = None
        node.name = self._free(node.name, node.kind, parent)
        node.parent = parent
        (parent.children if parent is not None else self.content.roots).append(node)
        self._follow({path: one.path for one, path in before})

    def rename(self, node: Node, name: str) -> None:
        """Give a node another name, with a number where that is taken; a shape of the same name goes along."""
        before = [(one, one.path) for one in node.below()]
        old, node.name = node.name, ""
        node.name = self._free(name, node.kind, node.parent)
        for child in node.children:
            if child.is_shape and child.name == f"{old}Shape":
                child.name = f"{node.name}Shape"
        self._follow({path: one.path for one, path in before})

    def _siblings(self, node: Node) -> list[Node]:
        return self.content.roots if node.parent is None else node.parent.children

    def _remove(self, node: Node) -> None:
        """Take a node out of its list: by identity, since two may look the same."""
        holder = self._siblings(node) if node.is_dag else self.content.others
        holder[:] = [one for one in holder if one is not node]

    def _follow(self, paths: dict[str, str]) -> None:
        """What is selected, in sets, and connected means nodes, whatever they are called now."""

        def now(name: str) -> str:
            node, dot, rest = name.partition(".")
            return paths.get(node, node) + dot + rest

        names = {old.rpartition("|")[2]: new.rpartition("|")[2] for old, new in paths.items()}
        self.content.selected = [now(name) for name in self.content.selected]
        for node in self.nodes():
            node.members = [now(name) for name in node.members]
            for target, source in node.inputs.items():
                feeding, dot, rest = source.partition(".")
                node.inputs[target] = paths.get(feeding, names.get(feeding, feeding)) + dot + rest
        for key, (path, tops) in self.references.items():
            self.references[key] = (path, [names.get(top, top) for top in tops])
        self.is_modified = True

    def delete(self, node: Node) -> None:
        """Remove a node and all below it."""
        gone = {one.path for one in node.below()}
        names = {one.name for one in node.below()} | gone
        self._remove(node)
        self.content.selected = [name for name in self.content.selected if name.partition(".")[0] not in gone]
        for one in self.nodes():
            one.members = [name for name in one.members if name.partition(".")[0] not in gone]
            one.inputs = {key: plug for key, plug in one.inputs.items() if plug.partition(".")[0] not in names}
        self.is_modified = True

    def reference_of(self, node: Node) -> str:
        """The reference node that brought a node; "" where it is the scene's own."""
        for key, (_, tops) in self.references.items():
            above: Node | None = node
            while above is not None:
                if above.name in tops:
                    return key
                above = above.parent
        return ""

    def snapshot(self) -> Content:
        """What an undo brings back."""
        return copy.deepcopy(self.content)


def _matches(node: Node, pattern: str, *, every_namespace: bool) -> bool:
    """Whether a node has a name of a pattern: each `*` is within one namespace, unless all are looked through."""
    space, _, name = node.name.rpartition(":")
    wanted_space, _, wanted = pattern.rpartition(":")
    if not fnmatch.fnmatchcase(name, wanted):
        return False
    if every_namespace and not wanted_space:
        return True
    return space.count(":") == wanted_space.count(":") and fnmatch.fnmatchcase(space, wanted_space)


def box_of(nodes: list[Node]) -> tuple[list[float], list[float]]:
    """The world's box around all meshes at and below some nodes."""
    points = [
        one.world().Transform(Gf.Vec3d(*point))
        for node in nodes
        for one in node.below()
        if one.mesh is not None
        for point in one.mesh.points
    ]
    if not points:
        points = [node.world().ExtractTranslation() for node in nodes]
    return [min(p[axis] for p in points) for axis in range(3)], [max(p[axis] for p in points) for axis in range(3)]
