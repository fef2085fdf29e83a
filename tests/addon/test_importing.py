"""What a result names as the artist's own is used, and nothing comes in that is there."""

from __future__ import annotations

from pathlib import Path

import bpy
import made_results
import pytest
from made_results import rows
from mathutils import Matrix, Vector
from scenes import grid, save_png, textured_material

COUNTED = ("materials", "images", "node_groups", "textures", "libraries", "actions", "worlds", "scenes", "lights")


def names():
    return {kind: sorted(block.name for block in getattr(bpy.data, kind)) for kind in COUNTED}


def paths():
    return sorted((image.name, image.filepath, image.library is None) for image in bpy.data.images), sorted(
        library.filepath for library in bpy.data.libraries
    )


def group_with(image):
    group = bpy.data.node_groups.new("Studio", "ShaderNodeTree")
    group.nodes.new("ShaderNodeTexImage").image = image
    group.use_fake_user = True
    return group


@pytest.fixture
def shot(addon, tmp_path):
    """A saved file with a linked asset: material, node group and image are the library's; packed or not."""
    library = tmp_path / "p" / "lib" / "asset.blend"
    wood = textured_material("Wood", str(save_png(library.parent / "wood.png")))
    image = wood.node_tree.nodes["Image Texture"].image
    group_with(image)
    grid("Chair", material=wood)
    bpy.ops.wm.save_as_mainfile(filepath=str(library), check_existing=False)
    image.filepath = "//wood.png"
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    path = tmp_path / "p" / "shot.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False)
    with bpy.data.libraries.load(str(library), link=True, relative=True) as (_, target):
        target.objects, target.node_groups = ["Chair"], ["Studio"]
    bpy.context.scene.collection.objects.link(target.objects[0])
    local = textured_material("Paint", str(save_png(tmp_path / "p" / "tex" / "paint.png")))
    local.node_tree.nodes["Image Texture"].image.filepath = "//tex/paint.png"
    local.node_tree.nodes.new("ShaderNodeGroup").node_tree = target.node_groups[0]
    grid("Body", material=local)
    bpy.ops.wm.save_mainfile()
    return path


@pytest.fixture
def job(addon, shot):
    """A job of the open file; `results_of` gives it its files."""
    made = addon.host.jobs.Job(
        key="k", id="j1", task="mesh.lods", title="shot", server_url="", scene_name=bpy.context.scene.name,
        source_path=bpy.data.filepath, source_token=addon.desk.open_file, lod_placement="OVER",
        fingerprints=addon.fingerprints.of_open_file(),
    )  # fmt: skip
    made.state = addon.sendoff.JobState.SUCCEEDED
    made.has_result = made.has_files = True
    addon.desk.jobs.add(made)
    return made


def bring(addon, job, path):
    job.files = (addon.host.messages.FetchedFile(path, "result", "application/x-blender"),)
    return addon.results.import_result(job, bpy.context)


LIBRARY = "//lib/asset.blend"
SPEC = {
    "images": {
        "wood": {"name": "wood.png", "library": LIBRARY, "path": "//lib/wood.png"},
        "paint": {"name": "Paint", "path": "//tex/paint.png"},
    },
    "groups": {"studio": {"name": "Studio", "library": LIBRARY, "images": ["wood"]}},
    "materials": {
        "wood": {"name": "Wood", "library": LIBRARY, "images": ["wood"], "fake_user": True},
        "paint": {"name": "Paint", "images": ["paint"], "groups": ["studio"]},
    },
    "collections": [
        {
            "scene": "Scene",
            "objects": [
                {"name": "Chair_LOD1", "source": "Chair", "library": LIBRARY, "materials": ["wood"]},
                {"name": "Body_LOD1", "source": "Body", "materials": ["paint"]},
            ],
        }
    ],
}


@pytest.fixture(scope="module")
def lods(tmp_path_factory):
    return made_results.write(tmp_path_factory.mktemp("made") / "lods.blend", SPEC)


def test_linked_materials_groups_and_images_are_used_and_nothing_is_added(addon, job, lods):
    before, at = names(), paths()
    for _ in range(2):
        bring(addon, job, lods)
        assert (names(), paths()) == (before, at)
    wood = bpy.data.objects["Chair_LOD1"].data.materials[0]
    assert wood.library.filepath == LIBRARY
    assert bpy.data.objects["Body_LOD1"].data.materials[0] == bpy.data.materials["Paint", None]
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    assert paths() == at


def test_the_library_is_known_by_its_file_not_by_the_text_of_its_path(addon, job, lods, tmp_path):
    bpy.data.libraries[0].filepath = str(tmp_path / "p" / "lib" / "asset.blend")  # made absolute meanwhile
    before = names()
    bring(addon, job, lods)
    assert names() == before
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "elsewhere.blend"), check_existing=False)  # and saved elsewhere
    bring(addon, job, lods)
    assert names() == before


def test_equal_names_of_two_libraries_are_two_things(addon, job, tmp_path, shot):
    other = tmp_path / "p" / "b" / "asset.blend"
    other.parent.mkdir()
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(other), check_existing=False)
    grid("Table", material=textured_material("Wood", str(save_png(other.parent / "wood.png", (0, 0, 1, 1)))))
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=str(shot))
    with bpy.data.libraries.load(str(other), link=True, relative=True) as (_, target):
        target.objects = ["Table"]
    bpy.context.scene.collection.objects.link(target.objects[0])
    before = names()
    spec = {
        "materials": {
            "a": {"name": "Wood", "library": LIBRARY},
            "b": {"name": "Wood", "library": "//b/asset.blend"},
        },
        "collections": [
            {
                "scene": "Scene",
                "objects": [
                    {"name": "Chair_LOD1", "source": "Chair", "library": LIBRARY, "materials": ["a"]},
                    {"name": "Table_LOD1", "source": "Table", "library": "//b/asset.blend", "materials": ["b"]},
                ],
            }
        ],
    }
    bring(addon, job, made_results.write(tmp_path / "two.blend", spec))
    assert names() == before
    used = {name: bpy.data.objects[name].data.materials[0].library.filepath for name in ("Chair_LOD1", "Table_LOD1")}
    assert used == {"Chair_LOD1": LIBRARY, "Table_LOD1": "//b/asset.blend"}


def test_what_is_linked_no_more_comes_as_a_copy_once_with_the_artists_path(addon, job, lods):
    bpy.data.objects.remove(bpy.data.objects["Chair"])
    bpy.data.libraries.remove(bpy.data.libraries[0])
    bring(addon, job, lods)
    first = names()
    assert first["libraries"] == []
    assert bpy.data.images["wood.png"].filepath == "//lib/wood.png"
    assert bpy.data.images["wood.png"].get("sendoff_path") is None
    bring(addon, job, lods)
    assert names() == first


def test_a_path_of_an_image_that_stays_is_right_in_a_file_that_was_saved_elsewhere(addon, job, lods, tmp_path):
    material = bpy.data.materials["Paint", None]
    bpy.data.images.remove(bpy.data.images["Paint"])
    material.name = "Other"
    (tmp_path / "far").mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "far" / "shot.blend"), check_existing=False)
    bring(addon, job, lods)
    assert bpy.path.abspath(bpy.data.images["Paint"].filepath) == str(tmp_path / "p" / "tex" / "paint.png")
    assert bpy.data.libraries[0].filepath == "//../p/lib/asset.blend"


def test_a_library_that_a_result_brings_all_the_same_goes_again(addon, job, tmp_path, shot):
    stray = tmp_path / "worker" / "stray.blend"
    bpy.data.libraries.write(str(stray.parent.mkdir() or stray), {bpy.data.materials["Paint", None]}, fake_user=True)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    with bpy.data.libraries.load(str(stray), link=True) as (_, target):
        target.materials = ["Paint"]
    level = grid("Body_LOD1", material=target.materials[0])
    level["sendoff_source"], level["sendoff_level"] = "Body", 1
    holder = bpy.data.collections.new("Sendoff LODs")
    holder.objects.link(level)
    bpy.data.libraries.write(str(tmp_path / "bad.blend"), {holder}, fake_user=True)
    stray.unlink()
    bpy.ops.wm.open_mainfile(filepath=str(shot))
    before = names()
    bring(addon, job, tmp_path / "bad.blend")
    assert names() == before
    assert "Body_LOD1" in bpy.data.objects


def test_a_packed_image_that_the_artist_has_no_more_keeps_the_artists_path(addon, job, tmp_path):
    spec = {
        "images": {"gone": {"name": "gone.png", "packed": True, "stored": "//tex/gone.png"}},
        "materials": {"gone": {"name": "Gone", "images": ["gone"]}},
        "collections": [
            {"scene": "Scene", "objects": [{"name": "Body_LOD1", "source": "Body", "materials": ["gone"]}]}
        ],
    }
    bring(addon, job, made_results.write(tmp_path / "results" / "lods.blend", spec))
    image = bpy.data.images["gone.png"]
    assert image.packed_file is not None
    assert image.filepath == "//tex/gone.png"


def test_an_image_that_came_with_the_result_is_read_from_there(addon, job, tmp_path):
    save_png(tmp_path / "results" / "baked.png")
    spec = {
        "images": {"baked": {"name": "baked.png", "stored": "//baked.png"}},
        "materials": {"baked": {"name": "Baked", "images": ["baked"]}},
        "collections": [
            {"scene": "Scene", "objects": [{"name": "Body_LOD1", "source": "Body", "materials": ["baked"]}]}
        ],
    }
    bring(addon, job, made_results.write(tmp_path / "results" / "lods.blend", spec))
    assert Path(bpy.path.abspath(bpy.data.images["baked.png"].filepath)).samefile(tmp_path / "results" / "baked.png")


def all_kinds(path):
    """A result of a studio's own task: things that use each other in many ways."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.object.armature_add()
    rig = bpy.context.object
    rig.name = rig.data.name = "Rig"
    skin = grid("Skin", material=textured_material("Leather", str(save_png(path.parent / "leather.png"))))
    skin.parent, skin.parent_type, skin.parent_bone = rig, "BONE", "Bone"
    skin.modifiers.new("Armature", "ARMATURE").object = rig
    skin.constraints.new("TRACK_TO").target = rig
    skin.shape_key_add(name="Basis")
    skin.shape_key_add(name="Up").value = 0.5
    skin.keyframe_insert("location", frame=1)
    twin = bpy.data.objects.new("Twin", skin.data)
    outer, inner = bpy.data.collections.new("Outer"), bpy.data.collections.new("Inner")
    outer.children.link(inner)
    outer.color_tag, inner.hide_render = "COLOR_03", True
    outer["note"] = {"a": [1, 2]}
    for thing in (rig, skin, twin):
        bpy.context.scene.collection.objects.unlink(thing) if thing is not twin else None
        inner.objects.link(thing)
    pair = bpy.data.collections.new("Pair")
    pair.objects.link(twin)
    instance = bpy.data.objects.new("Instance", None)
    instance.instance_type, instance.instance_collection = "COLLECTION", pair
    outer.objects.link(instance)
    bpy.data.libraries.write(str(path), {outer}, fake_user=True)
    return path


def test_what_uses_each_other_in_a_result_does_so_in_the_scene(addon, job, shot, tmp_path):
    (tmp_path / "results").mkdir()
    path = all_kinds(tmp_path / "results" / "own.blend")
    bpy.ops.wm.open_mainfile(filepath=str(shot))
    bring(addon, job, path)
    rig, skin, twin, instance = (bpy.data.objects[name] for name in ("Rig", "Skin", "Twin", "Instance"))
    assert {thing.library for thing in (rig, skin, twin, instance, rig.data, skin.data)} == {None}
    assert (skin.parent, skin.parent_type, skin.parent_bone) == (rig, "BONE", "Bone")
    assert skin.modifiers["Armature"].object == skin.constraints[0].target == rig
    assert twin.data == skin.data
    assert skin.data.shape_keys.key_blocks["Up"].value == 0.5
    assert skin.animation_data.action.library is None
    assert instance.instance_collection == bpy.data.collections["Pair"]
    outer, inner = bpy.data.collections["Outer"], bpy.data.collections["Inner"]
    assert (outer.color_tag, inner.hide_render, outer["note"]["a"].to_list()) == ("COLOR_03", True, [1, 2])
    assert set(inner.objects) == {rig, skin, twin}
    assert [library.filepath for library in bpy.data.libraries] == [LIBRARY]
    assert not [key.user for key in bpy.data.shape_keys if key.library is not None]


def test_a_result_that_the_open_file_links_itself_stays_linked(addon, job, lods):
    with bpy.data.libraries.load(str(lods), link=True) as (_, target):
        target.objects = ["Chair_LOD1"]
    bpy.context.scene.collection.objects.link(target.objects[0])
    before = names()
    bring(addon, job, lods)
    assert names() == before
    assert [thing.library is None for thing in bpy.data.objects if thing.name == "Chair_LOD1"] == [True, False]
    assert len([thing for thing in bpy.data.objects if thing.library == target.objects[0].library]) == 1


def test_an_import_that_fails_leaves_nothing_behind(addon, job, lods, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("no")

    monkeypatch.setattr(addon.results.parents, "restore", fail)
    before = {kind: len(getattr(bpy.data, kind)) for kind in (*COUNTED, "objects", "meshes", "collections")}
    with pytest.raises(addon.results.ImportFailed, match="Sendoff made a mistake"):
        bring(addon, job, lods)
    assert {kind: len(getattr(bpy.data, kind)) for kind in before} == before


def test_with_a_librarys_scene_on_screen_the_result_goes_into_the_files_own(addon, job, lods, tmp_path, shot):
    bpy.data.scenes["Scene"].name = "Other"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "other.blend"), copy=True, check_existing=False)
    bpy.ops.wm.open_mainfile(filepath=str(shot))
    with bpy.data.libraries.load(str(tmp_path / "other.blend"), link=True) as (_, target):
        target.scenes = ["Other"]
    bpy.context.window.scene = target.scenes[0]
    job.scene_name = "Other"
    spec = {"collections": [{"scene": "Other", "objects": [{"name": "Body_LOD1", "source": "Body"}]}]}
    imported = bring(addon, job, made_results.write(tmp_path / "one.blend", spec))
    assert "Body_LOD1" in bpy.data.scenes["Scene", None].objects
    assert imported.notes == ("The scene “Other” is a library's and takes nothing in, so the result is in “Scene”.",)


def test_a_simulation_that_is_not_baked_stays_where_it_is(addon, job, lods):
    emitter = grid("Emitter")
    emitter.modifiers.new("Particles", "PARTICLE_SYSTEM")
    settings = emitter.particle_systems[0].settings
    settings.count, settings.frame_start, settings.frame_end = 50, 1, 5
    for frame in range(1, 12):
        bpy.context.scene.frame_set(frame)

    def places():
        shown = emitter.evaluated_get(bpy.context.evaluated_depsgraph_get()).particle_systems[0]
        return [tuple(particle.location) for particle in shown.particles]

    before = places()
    bring(addon, job, lods)
    assert places() == before


def test_an_object_that_was_made_local_meanwhile_is_not_called_renamed(addon, job, lods):
    bpy.ops.object.select_all(action="SELECT")
    bpy.ops.object.make_local(type="ALL")
    assert bring(addon, job, lods).notes == ()


def test_where_names_cannot_be_read_a_sentence_says_so(addon, job, lods, tmp_path):
    bpy.data.scenes["Scene"].name = "CafeX"
    bpy.data.collections.new("CafeX").use_fake_user = True
    path = tmp_path / "old.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=False, check_existing=False)
    path.write_bytes(path.read_bytes().replace(b"CafeX", b"Caf\xe9X"))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    other = bpy.data.scenes.new("Empty")
    unreadable = next(scene for scene in bpy.data.scenes if scene != other)
    job.scene_name = ""
    bring(addon, job, lods)
    bpy.context.window.scene = other
    said = addon.results.show_result(job, bpy.context)
    assert "of the scene “a name that cannot be read”" in said
    bpy.context.window.scene = unreadable
    collection = next(one for one in bpy.data.collections if not one.all_objects)
    assert "“a name that cannot be read” is empty" in addon.scopes.why_not("COLLECTION", collection, bpy.context)


def moved(x=0.0, y=0.0, z=0.0):
    return rows(Matrix.Translation((x, y, z)))


def test_each_collection_goes_into_its_scene(addon, job, tmp_path):
    other = bpy.data.scenes.new("Other")
    twin = bpy.data.objects.new("Twin", bpy.data.objects["Body"].data)
    other.collection.objects.link(twin)
    spec = {
        "collections": [
            {"scene": "Scene", "objects": [{"name": "Body_LOD1", "source": "Body"}]},
            {"scene": "Other", "objects": [{"name": "Twin_LOD1", "source": "Twin", "matrix": moved(5)}]},
            {"scene": "Gone", "objects": [{"name": "Lost_LOD1", "source": "Lost"}]},
        ]
    }
    imported = bring(addon, job, made_results.write(tmp_path / "scenes.blend", spec))
    assert "Body_LOD1" in bpy.data.scenes["Scene"].objects
    assert [thing.name for thing in other.objects] == ["Twin", "Twin_LOD1"]
    assert "Lost_LOD1" in bpy.data.scenes["Scene"].objects
    assert "“Sendoff LODs Other” of the scene “Other”" in imported.text
    assert imported.notes == ("The scene “Gone” is not in this file, so the result is in the one that is shown.",)
    assert all(holder["sendoff_job"] == "j1" for holder in bpy.data.collections if "LODs" in holder.name)
    assert bpy.data.objects["Twin_LOD1"].select_get(view_layer=other.view_layers[0])


def test_beside_works_in_each_scene_by_itself(addon, job, tmp_path):
    job.lod_placement = "BESIDE"
    other = bpy.data.scenes.new("Other")
    wide = bpy.data.objects.new("Wide", bpy.data.objects["Body"].data)
    wide.scale.x = 5.0
    other.collection.objects.link(wide)
    spec = {
        "collections": [
            {"scene": "Scene", "objects": [{"name": "Body_LOD1", "source": "Body"}]},
            {"scene": "Other", "objects": [{"name": "Wide_LOD1", "source": "Wide"}]},
        ]
    }
    bring(addon, job, made_results.write(tmp_path / "scenes.blend", spec))
    assert bpy.data.objects["Body_LOD1"].location.x == pytest.approx(2.3)
    assert bpy.data.objects["Wide_LOD1"].location.x == pytest.approx(11.5)


def test_instances_share_their_mesh_and_stand_beside_all_of_them(addon, job, tmp_path):
    job.lod_placement = "BESIDE"
    places = [moved(0, 10), moved(10, 10), moved(20, 10)]
    objects = [
        {"name": f"Post_LOD{level}.{number}", "source": "Post", "level": level, "mesh": f"post{level}", "matrix": place}
        for level in (1, 2)
        for number, place in enumerate(places)
    ]
    spec = {"collections": [{"scene": "Scene", "objects": objects}]}
    bring(addon, job, made_results.write(tmp_path / "instances.blend", spec))
    levels = [thing for thing in bpy.data.objects if thing.get("sendoff_source") == "Post"]
    assert len(levels) == 6
    assert len({thing.data for thing in levels}) == 2
    at = {level: sorted(thing.matrix_world.translation.x for thing in levels if thing["sendoff_level"] == level)
          for level in (1, 2)}  # fmt: skip
    width = 22.0
    assert at[1] == pytest.approx([1.15 * width + x for x in (0, 10, 20)])
    assert at[2] == pytest.approx([2.3 * width + x for x in (0, 10, 20)])


def rig(bone=False):
    """A parent that is turned, scaled and moved; its world matrix as it is now."""
    data = bpy.data.armatures.new("Rig") if bone else None
    parent = bpy.data.objects.new("Rig", data)
    bpy.context.scene.collection.objects.link(parent)
    parent.location, parent.rotation_euler, parent.scale = (3.0, -2.0, 1.0), (0.3, 0.6, 1.2), (2.0, 2.0, 2.0)
    if bone:
        bpy.context.view_layer.objects.active = parent
        bpy.ops.object.mode_set(mode="EDIT")
        one = data.edit_bones.new("Arm")
        one.head, one.tail = (0.0, 0.0, 0.0), (0.0, 1.0, 1.0)
        bpy.ops.object.mode_set(mode="OBJECT")
    bpy.context.view_layer.update()
    if not bone:
        return parent, parent.matrix_world.copy()
    pose = parent.pose.bones["Arm"]
    return parent, parent.matrix_world @ pose.matrix @ Matrix.Translation((0.0, pose.length, 0.0))


@pytest.mark.parametrize("bone", [False, True])
@pytest.mark.parametrize("placement", ["OVER", "BESIDE"])
def test_levels_get_the_parents_of_their_originals_and_move_with_them(addon, job, tmp_path, bone, placement):
    job.lod_placement = placement
    parent, place = rig(bone)
    world = Matrix.Translation((7.0, 8.0, 9.0)) @ Matrix.Rotation(0.4, 4, "X")
    named = {"name": "Rig", "type": "BONE" if bone else "OBJECT", "bone": "Arm" if bone else "",
             "inverse": rows(place.inverted())}  # fmt: skip
    spec = {
        "collections": [
            {
                "scene": "Scene",
                "objects": [{"name": "Hand_LOD1", "source": "Hand", "matrix": rows(world), "parent": named}],
            }
        ]
    }
    bring(addon, job, made_results.write(tmp_path / "parent.blend", spec))
    level = bpy.data.objects["Hand_LOD1"]
    assert level.parent == parent
    assert level.parent_type == named["type"]
    assert not [key for key in level.keys() if key.startswith("sendoff_parent")]  # noqa: SIM118
    bpy.context.view_layer.update()
    away = level.matrix_world.translation - world.translation
    step = 1.15 * (level.bound_box[4][0] - level.bound_box[0][0]) if placement == "BESIDE" else 0.0
    assert away.yz.length == pytest.approx(0.0, abs=1e-4)
    assert away.x == pytest.approx(step, rel=0.3, abs=1e-4)
    assert all((level.matrix_world.to_3x3() - world.to_3x3())[row].length < 1e-4 for row in range(3)), (
        level.matrix_world
    )
    before = level.matrix_world.translation.copy()
    parent.location += Vector((0.0, 0.0, 5.0))
    bpy.context.view_layer.update()
    assert (level.matrix_world.translation - before).z == pytest.approx(5.0, abs=1e-4)


def test_a_level_whose_parent_is_gone_stays_at_its_place(addon, job, tmp_path):
    world = Matrix.Translation((7.0, 8.0, 9.0))
    named = {"name": "Rig", "inverse": rows(Matrix.Translation((1, 1, 1)))}
    spec = {
        "collections": [
            {
                "scene": "Scene",
                "objects": [{"name": "Hand_LOD1", "source": "Hand", "matrix": rows(world), "parent": named}],
            }
        ]
    }
    bring(addon, job, made_results.write(tmp_path / "parent.blend", spec))
    level = bpy.data.objects["Hand_LOD1"]
    bpy.context.view_layer.update()
    assert level.parent is None
    assert level.matrix_world.translation == Vector((7.0, 8.0, 9.0))


def test_a_linked_original_that_changed_is_named_and_its_local_namesake_is_not(addon, job, lods):
    mine = bpy.data.objects["Body"].copy()
    mine.name = "Chair"
    bpy.context.scene.collection.objects.link(mine)
    job.fingerprints = addon.fingerprints.of_open_file()
    mine.location.x = 3.0
    assert bring(addon, job, lods).notes == ()
    bpy.data.objects["Body"].location.x = 1.0
    assert bring(addon, job, lods).notes[0].endswith("“Body” (moved).")


def test_the_finest_level_of_the_active_linked_object_is_active(addon, job, lods):
    chair = next(thing for thing in bpy.data.objects if thing.name == "Chair")
    bpy.context.view_layer.objects.active = chair
    bring(addon, job, lods)
    assert bpy.context.view_layer.objects.active.name == "Chair_LOD1"


def test_a_material_of_the_object_itself_is_the_artists_own_too(addon, job, tmp_path):
    spec = {
        "materials": {"wood": {"name": "Wood", "library": LIBRARY}, "paint": {"name": "Paint"}},
        "collections": [
            {
                "scene": "Scene",
                "objects": [{"name": "Body_LOD1", "source": "Body", "materials": ["paint"], "object_material": "wood"}],
            }
        ],
    }
    before = names()
    bring(addon, job, made_results.write(tmp_path / "slots.blend", spec))
    level = bpy.data.objects["Body_LOD1"]
    assert level.material_slots[0].material.library.filepath == LIBRARY
    assert level.data.materials[0] == bpy.data.materials["Paint", None]
    assert names() == before
