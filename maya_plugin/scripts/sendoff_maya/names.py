"""Maya's DAG paths and the prims that USD makes of them. Nothing here knows maya.

Maya's exporter makes `/World/ns_Car/Body` of `|World|ns:Car|Body`; the server tells of objects by the former.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

_ODD = re.compile(r"[^A-Za-z0-9_]")


def prim_path(dag_path: str) -> str:
    """The prim that a transform becomes."""
    return "/".join(_prim_name(part) for part in dag_path.split("|")) if dag_path else ""


def leaf(path: str) -> str:
    """The last name of a DAG path or prim path, without its namespace."""
    return re.split(r"[|/]", path)[-1].rpartition(":")[2]


class Finder:
    """Finds the transforms that the server means.

    Args:
        dag_paths: Among which it looks.
    """

    def __init__(self, dag_paths: Iterable[str]) -> None:
        self._by_prim: dict[str, str] = {}
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for path in dag_paths:
            self._by_prim.setdefault(prim_path(path), path)
            name = path.rpartition("|")[2]
            for known in {name, _prim_name(name)}:
                self._by_name[known].append(path)

    def find(self, source: str) -> str:
        """The transform of a prim path, or of a node's name from an FBX; "" for none.

        An object that moved to another parent is found by its name, where only one has it.
        """
        alike = self._by_name.get(source.rpartition("/")[2], [])
        return self._by_prim.get(source) or (alike[0] if len(alike) == 1 else "")


def _prim_name(name: str) -> str:
    return _ODD.sub("_", name)
