"""What of the scene a job is about: all of it, the selected objects, or a collection."""

from __future__ import annotations

from collections.abc import Iterable

import bpy

from .name_of import name_of, shown_name
from .sendoff import InputError
from .sendoff.scope import MAX_TITLE_CHARACTERS, Scope

SCOPES = (
    ("SCENE", "Whole Scene", "Everything in the file"),
    ("SELECTED", "Selected", "The objects that are selected when you click"),
    ("COLLECTION", "Collection", "The objects of a collection and of those in it"),
)


def why_not(scope: str, collection: bpy.types.Collection | None, context: bpy.types.Context) -> str:
    """Why a scope cannot be processed now, as a sentence; "" where it can."""
    if scope == "SELECTED" and not context.selected_objects:
        return "Select the objects to process, or choose another scope"
    if scope != "COLLECTION":
        return ""
    if collection is None:
        return "Choose the collection to process, or another scope"
    if not collection.all_objects:
        return f"The collection “{shown_name(collection)}” is empty: choose another one, or another scope"
    return ""


def scope_of(scope: str, collection: bpy.types.Collection | None, context: bpy.types.Context) -> Scope | None:
    """The scope as it is sent; None for the whole scene. Raises InputError where there is nothing in it."""
    reason = why_not(scope, collection, context)
    if reason:
        raise InputError(f"{reason}.")
    if scope == "SELECTED":
        things = list(context.selected_objects)
        title = f"“{shown_name(things[0])}”" if len(things) == 1 else f"{len(things)} selected objects"
        return _scope(title, things)
    if scope == "COLLECTION" and collection is not None:
        return _scope(f"the collection “{shown_name(collection)}”", collection.all_objects)
    return None


def _scope(title: str, things: Iterable[bpy.types.Object]) -> Scope:
    named = [(name_of(thing), thing.library.filepath if thing.library is not None else None) for thing in things]
    if not all(name for name, _library in named):
        raise InputError("An object of the scope has a name that cannot be read. Rename it, or choose another scope.")
    return Scope(title=title[:MAX_TITLE_CHARACTERS], objects=tuple(named))
