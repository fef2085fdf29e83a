"""The scene and its nodes by name, as every command finds them."""

from __future__ import annotations

from . import state
from .model import Mesh, Node, Scene


def open_scene() -> Scene:
    return state.now.scene


def short(node: Node) -> str:
    """The shortest name that no other node has."""
    parts = node.path.split("|")
    for count in range(1, len(parts)):
        short = "|".join(parts[-count:])
        if len(open_scene().find(short)) == 1:
            return short
    return node.path


def long(node: Node) -> str:
    return node.path


def mesh_node(name: str) -> Node:
    """The mesh shape meant by the name of a transform or of itself."""
    node = open_scene().one(name)
    if node.mesh is None:
        node = next((child for child in node.children if child.mesh is not None), node)
    if node.mesh is None:
        raise RuntimeError(f"{name} is no mesh")
    return node


def mesh_of(name: str) -> Mesh:
    found = mesh_node(name).mesh
    assert found is not None
    return found
