from __future__ import annotations

import bpy
import pytest
from scenes import grid


def names(scope):
    return [name for name, _library in scope.objects]


def test_the_whole_scene_needs_no_list(addon):
    assert addon.scopes.scope_of("SCENE", None, bpy.context) is None


def test_selected_objects_are_named(addon):
    for name in ("B", "A", "C"):
        grid(name)
    for thing in bpy.data.objects:
        thing.select_set(thing.name != "C")
    found = addon.scopes.scope_of("SELECTED", None, bpy.context)
    assert (names(found), found.title) == (["A", "B"], "2 selected objects")
    bpy.data.objects["B"].select_set(False)
    assert addon.scopes.scope_of("SELECTED", None, bpy.context).title == "“A”"


def test_a_collection_holds_those_in_it_too(addon):
    outer, inner = bpy.data.collections.new("Outer"), bpy.data.collections.new("Inner")
    outer.children.link(inner)
    inner.objects.link(grid("Deep"))
    found = addon.scopes.scope_of("COLLECTION", outer, bpy.context)
    assert (names(found), found.title) == (["Deep"], "the collection “Outer”")


@pytest.mark.parametrize(
    ("scope", "text"), [("SELECTED", "Select the objects"), ("COLLECTION", "Choose the collection")]
)
def test_nothing_to_process_is_said_with_what_to_do(addon, scope, text):
    assert addon.scopes.why_not(scope, None, bpy.context).startswith(text)
    with pytest.raises(addon.sendoff.InputError, match=text):
        addon.scopes.scope_of(scope, None, bpy.context)


def test_an_empty_collection_is_said(addon):
    empty = bpy.data.collections.new("Props")
    assert "“Props” is empty" in addon.scopes.why_not("COLLECTION", empty, bpy.context)


def test_linked_objects_are_told_from_own_ones_by_their_library(addon, tmp_path):
    grid("Chair")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "lib.blend"), check_existing=False)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    with bpy.data.libraries.load(str(tmp_path / "lib.blend"), link=True) as (_source, target):
        target.objects = ["Chair"]
    own = grid("Chair")
    collection = bpy.data.collections.new("Both")
    for thing in (own, target.objects[0]):
        collection.objects.link(thing)
    found = addon.scopes.scope_of("COLLECTION", collection, bpy.context)
    assert [library is None for name, library in found.objects] == [True, False]
    assert names(found) == ["Chair", "Chair"]
