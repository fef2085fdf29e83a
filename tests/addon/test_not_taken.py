from __future__ import annotations

import bpy
import pytest
from scenes import grid

PENCIL = "GREASEPENCIL" if bpy.app.version >= (4, 3, 0) else "GPENCIL"


def order(addon, task="mesh.lods", scope=None, **params):
    return addon.host.submitting.Order(task=task, params=params, scope=scope)


def add(name, data, collection=None):
    thing = bpy.data.objects.new(name, data)
    (collection or bpy.context.scene.collection).objects.link(thing)
    return thing


@pytest.fixture
def zoo(addon):
    """One of each kind that a mesh task cannot take, and some that it can."""
    body = grid("Body")
    body.modifiers.new("Fur", "PARTICLE_SYSTEM")
    body.particle_systems[0].settings.type = "HAIR"
    add("Hair", bpy.data.hair_curves.new("Hair"))
    add("Beard", bpy.data.hair_curves.new("Beard"))
    add("Dust", bpy.data.pointclouds.new("Dust"))
    add("Smoke", bpy.data.volumes.new("Smoke"))
    pencils = bpy.data.grease_pencils_v3 if hasattr(bpy.data, "grease_pencils_v3") else bpy.data.grease_pencils
    add("Sketch", pencils.new("Sketch"))
    add("Text", bpy.data.curves.new("Text", "FONT"))
    bpy.context.view_layer.update()


def test_each_kind_is_named_by_count_and_name(addon, zoo):
    (note,) = addon.not_taken.notes(order(addon))
    for part in (
        "2 hair objects (“Beard”, “Hair”)",
        "1 point cloud (“Dust”)",
        "1 volume (“Smoke”)",
        "1 Grease Pencil object (“Sketch”)",
        "1 object with particle hair (“Body”)",
        "Convert them to meshes",
    ):
        assert part in note
    assert "Text" not in note


def test_what_geometry_nodes_may_make_a_mesh_of_is_not_named(addon, zoo):
    for name in ("Smoke", "Dust", "Hair"):
        modifier = bpy.data.objects[name].modifiers.new("Nodes", "NODES")
        modifier.node_group = bpy.data.node_groups.new(name, "GeometryNodeTree")
    bpy.data.objects["Hair"].modifiers[0].show_viewport = bpy.data.objects["Hair"].modifiers[0].show_render = False
    bpy.data.objects["Beard"].modifiers.new("Nodes", "NODES")
    (note,) = addon.not_taken.notes(order(addon))
    assert "Smoke" not in note
    assert "Dust" not in note
    assert "2 hair objects (“Beard”, “Hair”)" in note


def test_it_is_among_the_notes_of_the_export(addon, zoo):
    assert addon.scene_export.export(order(addon)).notes == addon.not_taken.notes(order(addon))


def test_tasks_that_are_not_about_meshes_and_scenes_without_such_things_say_nothing(addon, zoo):
    assert addon.not_taken.notes(order(addon, task="studio.render")) == ()
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    grid("Body")
    assert addon.not_taken.notes(order(addon)) == ()


def test_what_is_hidden_or_out_of_the_scope_is_not_named(addon, zoo):
    bpy.data.objects["Smoke"].hide_set(True)
    bpy.data.objects["Dust"].hide_render = True
    (note,) = addon.not_taken.notes(order(addon))
    assert "Smoke" not in note
    assert "Dust" in note
    (note,) = addon.not_taken.notes(order(addon, objects="renderable"))
    assert "Smoke" in note
    assert "Dust" not in note
    (note,) = addon.not_taken.notes(order(addon, objects="all"))
    assert "Smoke" in note
    assert "Dust" in note
    scope = addon.sendoff.scope.Scope(title="“Smoke”", objects=(("Text", None),))
    assert addon.not_taken.notes(order(addon, scope=scope)) == ()


def test_what_is_instanced_counts(addon):
    inside = bpy.data.collections.new("Inside")
    add("Dust", bpy.data.pointclouds.new("Dust"), inside)
    outer = bpy.data.collections.new("Outer")
    nested = bpy.data.objects.new("Nested", None)
    nested.instance_type, nested.instance_collection = "COLLECTION", inside
    outer.objects.link(nested)
    assert addon.not_taken.notes(order(addon)) == ()
    instancer = add("Instancer", None)
    instancer.instance_type, instancer.instance_collection = "COLLECTION", outer
    bpy.context.view_layer.update()
    assert "1 point cloud (“Dust”)" in addon.not_taken.notes(order(addon))[0]
