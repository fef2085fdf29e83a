"""The scope of a job: the objects of the open scene that the artist chose; the others are there to be complete."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import bpy

from .job import Job, JobFailed
from .origin import PATH_PROPERTY, identity

SHOWN_NAMES = 6


class Scope:
    """Some objects of the open scene; `one in scope` also for what a chosen collection instance shows."""

    def __init__(self, title: str, objects: Iterable[Any]) -> None:
        self.title = title
        """As the artist reads it: the collection “Props”, 3 selected objects."""
        self.objects = list(objects)
        """The objects that were chosen, of every type."""
        self.chosen = frozenset(self.objects)
        self._all = _with_instanced(self.objects)

    def shown_by_others_only(self, scene: Any) -> frozenset[Any]:
        """The chosen objects that stand in a scene by instances only, and what they instance."""
        own = set(scene.objects)
        return frozenset(_with_instanced(one for one in self.objects if one not in own))

    def __contains__(self, one: object) -> bool:
        return one in self._all

    @classmethod
    def find(cls, job: Job, path: Path) -> Scope:
        """Find the chosen objects in the open scene.

        Args:
            job: Gets a warning of those that are not there.
            path: sendoff-scope.json, which the worker has checked.

        Raises:
            JobFailed: None of them is there, or the file cannot be read.
        """
        title, wanted = _read(path)
        exact: dict[tuple[str, str | None], list[Any]] = {}
        by_file: dict[tuple[str, str], list[Any]] = {}
        for one in bpy.data.objects:
            library = job.library_path(one)
            exact.setdefault((identity(one), library), []).append(one)
            instancer, is_instance, _ = identity(one).partition("[")
            if is_instance and PATH_PROPERTY in one:  # the host knows a point instancer, not its instances
                exact.setdefault((instancer, library), []).append(one)
            if library is not None:
                by_file.setdefault((one.name, _file_name(library)), []).append(one)
        found: list[Any] = []
        lacking = []
        for name, library in wanted:
            # A library that another library links may have another path here; its file's name stays.
            here = exact.get((name, library)) or (by_file.get((name, _file_name(library))) if library else None)
            found += here or []
            if not here:
                lacking.append(name)
        if not found:
            raise JobFailed(
                f"None of the chosen objects ({title}) is in the scene that was sent. Choose again and send it anew."
            )
        if lacking:
            listed = ", ".join(lacking[:SHOWN_NAMES]) + (", ..." if len(lacking) > SHOWN_NAMES else "")
            are = "is" if len(lacking) == 1 else "are"
            job.warn(f"{len(lacking):,} of the chosen objects {are} not in the scene that was sent: {listed}.")
        return cls(title, found)


def _with_instanced(chosen: Iterable[Any]) -> set[Any]:
    found: set[Any] = set()
    waiting = list(chosen)
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            if one.instance_type == "COLLECTION" and one.instance_collection is not None:
                waiting += one.instance_collection.all_objects
    return found


def _file_name(library: str) -> str:
    return library.replace("\\", "/").rpartition("/")[2].casefold()


def _read(path: Path) -> tuple[str, list[tuple[str, str | None]]]:
    try:
        document = json.loads(path.read_bytes())
        return str(document["title"]), [(name, library) for name, library in document["objects"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        print(f"{path}: {error!r}")
        raise JobFailed(
            "The list of the chosen objects cannot be read; update the Sendoff add-on and send the scene again."
        ) from error
