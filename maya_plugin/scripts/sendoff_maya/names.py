"""Maya's DAG paths and the prims that USD makes of them. Nothing here knows maya.

Maya's exporter makes `/World/ns_Car/Body` of `|World|ns:Car|Body`; the server tells of objects by the former.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_ODD = re.compile(r"[^A-Za-z0-9_]")


def prim_path(dag_path: str) -> str:
    """The prim that a transform becomes."""
    return "/".join(_prim_name(part) for part in dag_path.split("|")) if dag_path else ""


def leaf(path: str) -> str:
    """The last name of a DAG path or prim path, without its namespace."""
    return re.split(r"[|/]", path)[-1].rpartition(":")[2]


def find(source: str, dag_paths: Iterable[str]) -> str:
    """The transform that the server means by a source: a prim path, or a node's name from an FBX; "" for none.

    An object that moved to another parent is found by its name, where only one has it.
    """
    paths = list(dag_paths)
    exact = [path for path in paths if prim_path(path) == source]
    if exact:
        return exact[0]
    name = source.rpartition("/")[2]
    alike = [path for path in paths if name in (path.rpartition("|")[2], _prim_name(path.rpartition("|")[2]))]
    return alike[0] if len(alike) == 1 else ""


def _prim_name(name: str) -> str:
    return _ODD.sub("_", name)
