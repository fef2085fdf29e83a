"""The tasks that each server offered last, kept on disk, so that the form is there before the server answers."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import form

_FILE_NAME = "tasks.json"
_MOST_SERVERS = 20


@dataclass(frozen=True)
class KnownTask:
    """A task that takes what the host application can send, as the artist chooses it."""

    name: str
    title: str
    description: str
    #: Whether it can be told to process a part of the scene only.
    is_scoped: bool
    #: The kinds of scenes that it takes, in the task's own order: "blend", "usd".
    accepts: tuple[str, ...]
    fields: tuple[form.Field, ...]


def of_offers(offers: Iterable[Mapping[str, Any]], accepts: Collection[str]) -> tuple[KnownTask, ...]:
    """The tasks that take one of these kinds of scenes, by title; what is no task is left out."""
    found = {}
    for offer in offers:
        name = offer.get("name") if isinstance(offer, Mapping) else None
        taken = offer.get("accepts") if isinstance(offer, Mapping) else None
        if not isinstance(name, str) or not isinstance(taken, Sequence) or not any(kind in taken for kind in accepts):
            continue
        found[name] = KnownTask(
            name=name,
            title=str(offer.get("title") or name),
            description=str(offer.get("description") or ""),
            is_scoped=bool(offer.get("scoped")),
            accepts=tuple(str(kind) for kind in taken),
            fields=form.fields_of(offer.get("params") or {}),
        )
    return tuple(sorted(found.values(), key=lambda task: task.title.casefold()))


def read_offers(folder: Path, server_url: str) -> tuple[Mapping[str, Any], ...]:
    """What a server offered last; nothing where that is not known."""
    offers = _read(folder).get(server_url)
    return tuple(offer for offer in offers if isinstance(offer, dict)) if isinstance(offers, list) else ()


def write_offers(folder: Path, server_url: str, offers: Sequence[Mapping[str, Any]]) -> None:
    """Keep what a server offers. Raises OSError."""
    data = _read(folder)
    data.pop(server_url, None)
    data[server_url] = list(offers)
    while len(data) > _MOST_SERVERS:
        del data[next(iter(data))]
    path = folder / _FILE_NAME
    part = path.with_name(f".{_FILE_NAME}.{os.getpid()}.part")
    part.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    part.replace(path)


def _read(folder: Path) -> dict[str, Any]:
    try:
        data = json.loads((folder / _FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
