from __future__ import annotations

import array
import time

import bpy
import pytest
from scenes import grid


@pytest.fixture
def body(addon):
    return grid("Body")


@pytest.fixture(params=["numpy", "without numpy"])
def prints(request, addon, monkeypatch):
    """The module, with numpy and without."""
    if request.param == "without numpy":
        monkeypatch.setattr(addon.fingerprints, "_numpy", None)
    return addon.fingerprints


def own(names):
    """The open file's own objects of these names."""
    return [("", name) for name in names]


def reopened(tmp_path):
    path = tmp_path / "scene.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True, check_existing=False)
    bpy.ops.wm.open_mainfile(filepath=str(path))


def test_a_sculpt_with_dynamic_topology_is_not_called_reshaped(addon):
    thing = grid("Sculpt")
    bpy.ops.object.mode_set(mode="SCULPT")
    bpy.ops.sculpt.dynamic_topology_toggle()
    sent = addon.fingerprints.of_open_file()
    bpy.ops.object.mode_set(mode="OBJECT")
    assert addon.fingerprints.compare(sent, [("", "Sculpt")]).notes() == ()
    thing.location.x = 1.0
    assert dict(addon.fingerprints.compare(sent, [("", "Sculpt")]).changed) == {"Sculpt": "moved"}


def test_they_are_plain_texts_by_name_and_the_same_after_save_and_load(prints, body, tmp_path):
    parent = bpy.data.objects.new("Rig", None)
    bpy.context.collection.objects.link(parent)
    parent.location, parent.scale = (1e5, 0.3, 0.0), (-1.0, 0.1, 2.0)
    body.parent = parent
    body.modifiers.new("Smooth", "SUBSURF")
    hidden = grid("Hidden")
    bpy.context.scene.collection.objects.unlink(hidden)  # in no scene: Blender evaluates nothing of it
    hidden.location.x, hidden.use_fake_user = 7.0, True
    before = prints.of_open_file()
    assert set(before) == {"Body", "Hidden"}
    assert all(isinstance(text, str) for text in before.values())
    assert before["Body"].startswith("25,40,16|")
    reopened(tmp_path)
    assert prints.of_open_file() == before
    assert prints.compare(before, own(before)).notes() == ()


def moved_vertex(body):
    body.data.vertices[12].co.z += 1e-6


def swapped_vertices(body):
    first, second = (body.data.vertices[index] for index in (3, 17))
    first.co, second.co = second.co.copy(), first.co.copy()


def added_vertex(body):
    body.data.vertices.add(1)


def moved_object(body):
    body.location.x += 1e-4


def moved_parent(body):
    body.parent.rotation_euler.z += 0.1


def added_modifier(body):
    body.modifiers.new("Smooth", "SUBSURF")


def other_mesh_of_that_name(body):
    body.name = "Old"
    grid("Body", cuts=5)


@pytest.mark.parametrize(
    ("change", "how"),
    [
        (moved_vertex, "reshaped"),
        (swapped_vertices, "reshaped"),
        (added_vertex, "reshaped"),
        (moved_object, "moved"),
        (moved_parent, "moved"),
        (added_modifier, "other modifiers"),
        (other_mesh_of_that_name, "reshaped, moved"),
    ],
)
def test_what_changed_is_named_and_how(prints, body, change, how):
    body.parent = bpy.data.objects.new("Rig", None)
    bpy.context.collection.objects.link(body.parent)
    grid("Untouched")
    before = prints.of_open_file()
    change(body)
    changes = prints.compare(before, own(["Body", "Untouched"]))
    assert changes.changed == {"Body": how}
    assert changes.notes() == (f"Changed since it was sent, and the result shows it as it was: “Body” ({how}).",)


def test_any_single_vertex_of_a_large_mesh_counts(prints):
    body = grid("Large", cuts=130)  # summed as a table, with a rest
    before = prints.of_open_file()
    count = len(body.data.vertices)
    for index in (0, 1, 5_461, 5_462, count // 2, count - 1):
        body.data.vertices[index].co.x += 1e-5
        assert prints.compare(before, own(["Large"])).changed == {"Large": "reshaped"}, index
        body.data.vertices[index].co.x -= 1e-5
        before = prints.of_open_file()  # adding and taking away again may round


def test_what_is_renamed_or_gone_is_said(prints, body):
    grid("Door").location.y = 3.0
    before = prints.of_open_file()
    body.name = "Chassis"
    bpy.data.objects.remove(bpy.data.objects["Door"])
    changes = prints.compare(before, own(["Body", "Door", "Never sent"]))
    assert (changes.renamed, changes.gone, changes.changed) == ({"Body": "Chassis"}, ("Door",), {})
    assert changes.notes() == (
        "Renamed since it was sent: “Body” (now “Chassis”).",
        "No longer in this file under the name it was sent with: “Door”.",
    )


def test_an_object_that_became_something_else_is_gone(prints, body):
    before = prints.of_open_file()
    body.name = "Other"
    bpy.data.objects.new("Body", None)
    assert prints.compare(before, own(["Body"])).renamed == {"Body": "Other"}


def test_many_are_counted_and_not_all_listed(prints, body):
    names = ["Body"]
    for number in range(5):
        copy = bpy.data.objects.new(f"Copy {number}", body.data)
        bpy.context.collection.objects.link(copy)
        names.append(copy.name)
    before = prints.of_open_file()
    moved_vertex(body)
    assert prints.compare(before, own(names)).notes()[0].endswith("“Copy 1” (reshaped) and 3 more.")


def test_another_frame_of_an_animation_is_no_change(prints, body):
    body.keyframe_insert("location", frame=1)
    body.location.x = 9.0
    body.keyframe_insert("location", frame=20)
    child = grid("Child")
    child.parent = body
    bpy.context.scene.frame_set(1)
    before = prints.of_open_file()
    bpy.context.scene.frame_set(10)
    assert body.location.x > 1.0
    assert prints.compare(before, own(before)).changed == {}


def test_in_edit_mode_it_is_the_one_of_what_the_copy_holds(prints, body, tmp_path):
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.mesh.subdivide()
    bpy.ops.transform.translate(value=(0.0, 0.0, 2.0))
    path = tmp_path / "copy.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True, check_existing=False)
    sent = prints.of_open_file()
    assert bpy.context.mode == "EDIT_MESH"
    assert sent["Body"].startswith("81,144,64|")
    bpy.ops.object.mode_set(mode="OBJECT")
    assert prints.of_open_file() == sent
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert prints.of_open_file() == sent


def test_what_is_being_edited_counts_as_it_is_now(prints, body):
    before = prints.of_open_file()
    bpy.ops.object.mode_set(mode="EDIT")
    assert prints.compare(before, own(["Body"])).changed == {}
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.transform.translate(value=(0.0, 0.0, 2.0))
    assert prints.compare(before, own(["Body"])).changed == {"Body": "reshaped"}
    assert bpy.context.mode == "EDIT_MESH"


def test_objects_of_one_name_in_the_file_and_in_a_library_are_two_things(prints, body, tmp_path):
    path = tmp_path / "library.blend"
    bpy.data.libraries.write(str(path), {grid("Part", cuts=2)})
    mine = bpy.data.objects["Part"]
    mine.data.vertices.add(3)
    with bpy.data.libraries.load(str(path), link=True) as (_, target):
        target.objects = ["Part"]
    linked = target.objects[0]
    assert (linked.name, linked.library is None) == ("Part", False)
    before = prints.of_open_file()
    both = [("", "Part"), (str(path), "Part")]
    assert [before[prints.key(*one)].split("|")[0] for one in both] == ["12,12,4", "9,12,4"]
    assert prints.compare(before, both).notes() == ()
    mine.location.z = 1.0
    assert prints.compare(before, both[:1]).changed == {"Part": "moved"}
    assert prints.compare(before, both[1:]).changed == {}
    bpy.data.objects.remove(mine)
    assert prints.compare(before, both[:1]).gone == ("Part",)
    assert prints.compare(before, both[1:]).notes() == ()


def test_a_mesh_without_vertices_and_nonsense_are_no_error(prints, body):
    bpy.data.objects.new("Empty mesh", bpy.data.meshes.new("none"))
    before = prints.of_open_file()
    assert before["Empty mesh"].startswith("0,0,0|")
    assert prints.compare({"Body": "?"}, own(["Body"])).changed == {"Body": "changed"}
    assert prints.compare({}, own(["Body"])).notes() == ()


def test_a_shared_mesh_is_read_once(prints, body, monkeypatch):
    for number in range(20):
        bpy.data.objects.new(f"Copy {number}", body.data)
    read = []
    before = prints._positions
    monkeypatch.setattr(prints, "_positions", lambda mesh: (read.append(mesh.name), before(mesh))[1])
    assert len(prints.of_open_file()) == 21
    assert read == ["Body"]


@pytest.mark.parametrize("cuts", [1, 90, 301])
def test_positions_of_a_large_mesh_are_read_where_they_lie(prints, cuts):
    mesh = grid("Plate", cuts=cuts).data
    values = array.array("f", bytes(12 * len(mesh.vertices)))
    mesh.vertices.foreach_get("co", values)
    positions = prints._positions(mesh)
    assert isinstance(positions.obj, array.array) == (cuts == 1), "they were copied"
    assert positions.tobytes() == values.tobytes()
    assert prints._checksum(positions) == prints._checksum(memoryview(values).cast("B"))


def test_it_takes_a_small_part_of_the_save(addon, tmp_path):
    grid("Large", cuts=1000)
    path, saves, prints = tmp_path / "copy.blend", [], []
    for _ in range(4):
        begun = time.perf_counter()
        bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True, compress=False, check_existing=False)
        saved = time.perf_counter()
        addon.fingerprints.of_open_file()
        saves.append(saved - begun)
        prints.append(time.perf_counter() - saved)
    print("parts of the save:", min(prints) / min(saves))
    assert min(prints) < 0.15 * min(saves)  # 2 % on a quiet machine
