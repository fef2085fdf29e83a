from __future__ import annotations

import bpy
import pytest
from mathutils import Matrix, Vector
from scenes import grid


def box(name, *, size=(2.0, 2.0, 2.0), at=(0.0, 0.0, 0.0), parent=None):
    """An object of that size around its origin, in the open scene."""
    mesh = bpy.data.meshes.new(name)
    corners = [[(side - 0.5) * length for side, length in zip(bits, size, strict=True)] for bits in BITS]
    mesh.from_pydata(corners, [], [[0, 1, 3, 2], [4, 5, 7, 6], [0, 1, 5, 4], [2, 3, 7, 6]])
    thing = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(thing)
    thing.location, thing.parent = at, parent
    return thing


BITS = [(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)]


def level(original, number, *, name=None):
    """What the server sends: the shape and the place of the original, without its parent."""
    bpy.context.view_layer.update()
    thing = bpy.data.objects.new(name or f"{original.name}_LOD{number}", original.data.copy())
    bpy.context.scene.collection.objects.link(thing)
    thing.matrix_world = original.matrix_world
    thing["sendoff_source"], thing["sendoff_level"] = original.name, number
    return thing


def world(thing):
    bpy.context.view_layer.update()
    return thing.matrix_world.copy()


@pytest.fixture
def move(addon):
    def move_beside(*things):
        addon.placement.move_beside(list(things), bpy.context.scene, bpy.context.view_layer)

    return move_beside


def test_each_level_steps_by_the_width_of_the_original(move):
    original = box("Body", size=(4.0, 1.0, 1.0), at=(10.0, 5.0, 0.0))
    levels = [level(original, number) for number in (1, 2, 3)]
    move(*levels)
    places = [world(thing).translation for thing in levels]
    assert [place.x - 10.0 for place in places] == pytest.approx([4.6, 9.2, 13.8])
    assert all((place.y, place.z) == (5.0, 0.0) for place in places)
    assert world(original).translation == Vector((10.0, 5.0, 0.0))


def test_a_car_of_parts_stays_a_car(move):
    body = box("Body", size=(4.0, 2.0, 1.0))
    wheels = [box(f"Wheel {x} {y}", size=(0.6, 0.2, 0.6), at=(x, y, -0.5)) for x in (-1.8, 1.8) for y in (-1, 1)]
    parts = [body, *wheels]
    before = {part.name: world(part) for part in parts}
    levels = [level(part, number) for part in parts for number in (1, 2)]
    move(*levels)
    for thing in levels:
        offset = world(thing).translation - before[thing["sendoff_source"]].translation
        assert offset.x == pytest.approx(thing["sendoff_level"] * 1.15 * 4.2), thing.name
        assert (offset.y, offset.z) == (0.0, 0.0)


def test_turned_mirrored_and_sheared_things_keep_their_shape(move):
    rig = bpy.data.objects.new("Rig", None)
    bpy.context.scene.collection.objects.link(rig)
    rig.scale, rig.rotation_euler = (-1.0, 3.0, 0.2), (0.4, 0.5, 0.6)
    original = box("Body", at=(1.0, 2.0, 3.0), parent=rig)
    original.rotation_euler.x = 0.7
    original.scale = (1.0, -2.0, 1.0)
    thing = level(original, 1)
    before = world(thing)
    move(thing)
    after = world(thing)
    assert after.to_3x3() == before.to_3x3()
    assert (after.translation - before.translation).yz.length == pytest.approx(0.0, abs=1e-6)
    assert after.translation.x > before.translation.x + 1.0


def test_modifiers_count_into_the_width(move):
    original = box("Body")
    original.modifiers.new("Row", "ARRAY").count = 5
    thing = level(original, 1)
    move(thing)
    assert world(thing).translation.x == pytest.approx(1.15 * 10.0)


def test_levels_under_a_turned_parent_go_along_the_worlds_x(move):
    rig = bpy.data.objects.new("Rig", None)
    bpy.context.scene.collection.objects.link(rig)
    rig.rotation_euler.z, rig.scale = 1.0, (2.0, 0.5, -1.0)
    original = box("Body")
    thing = level(original, 1)
    thing.parent, thing.matrix_parent_inverse = rig, Matrix.Rotation(0.3, 4, "X")
    before = world(thing)
    move(thing)
    offset = world(thing).translation - before.translation
    assert tuple(offset) == pytest.approx((2.3, 0.0, 0.0), abs=1e-5)


def test_a_level_that_is_carried_by_another_is_not_moved_twice(move):
    body, wheel = box("Body", size=(4.0, 2.0, 1.0)), box("Wheel", size=(1.0, 1.0, 1.0))
    carrier, carried, deeper = level(body, 1), level(wheel, 1), level(wheel, 2)
    carried.parent = deeper.parent = carrier
    move(carrier, carried, deeper)
    assert [world(thing).translation.x for thing in (carrier, carried, deeper)] == pytest.approx([4.6, 4.6, 9.2])


def test_what_is_no_level_stays_where_it_is(move):
    original = box("Body")
    other, odd = box("Report marker", at=(0.5, 0.0, 0.0)), level(original, 1, name="Odd")
    odd["sendoff_level"] = "one"
    empty = bpy.data.objects.new("Empty", None)
    bpy.context.scene.collection.objects.link(empty)
    move(other, odd, empty, level(original, 2))
    assert [world(thing).translation.x for thing in (other, odd, empty)] == [0.5, 0.0, 0.0]
    move(other)
    assert world(other).translation.x == 0.5


@pytest.mark.parametrize("how", ["deleted", "hidden", "excluded", "in another scene"])
def test_where_the_original_is_not_to_be_seen_its_level_gives_the_width(move, how):
    original = box("Body", size=(4.0, 1.0, 1.0))
    levels = [level(original, number) for number in (1, 2)]
    home = bpy.data.collections.new("Home")
    if how == "deleted":
        bpy.data.objects.remove(original)
    else:
        bpy.context.scene.collection.objects.unlink(original)
        (bpy.data.scenes.new("Two") if how == "in another scene" else bpy.context.scene).collection.children.link(home)
        home.objects.link(original)
        original.location.x = 500.0  # nobody sees it there
    if how == "hidden":
        home.hide_viewport = True
    if how == "excluded":
        bpy.context.view_layer.layer_collection.children["Home"].exclude = True
    move(*levels)
    assert [world(thing).translation.x for thing in levels] == pytest.approx([4.6, 9.2])


@pytest.mark.parametrize(("size", "scale_length"), [(1e-4, 0.001), (1e5, 1.0), (1.0, 0.01)])
def test_any_size_and_unit_works(move, size, scale_length):
    bpy.context.scene.unit_settings.scale_length = scale_length
    original = box("Body", size=(size, size, size), at=(size * 3, 0.0, 0.0))
    thing = level(original, 1)
    move(thing)
    assert world(thing).translation.x == pytest.approx(size * 4.15, rel=1e-5)


@pytest.mark.parametrize(("size", "step"), [((0.0, 2.0, 3.0), 1.15 * 0.03), ((0.0, 0.0, 0.0), 1.15)])
def test_what_has_no_width_steps_all_the_same(move, size, step):
    original = box("Card", size=size)
    thing = level(original, 1)
    move(thing)
    assert world(thing).translation.x == pytest.approx(step)


def test_what_stands_in_the_way_is_passed(move):
    original = box("Body")
    box("Neighbour", at=(3.0, 0.0, 0.0))
    box("Neighbour behind", at=(3.0, 9.0, 0.0))
    levels = [level(original, number) for number in (1, 2)]
    move(*levels)
    first, second = (world(thing).translation.x for thing in levels)
    assert first - 1.0 == pytest.approx(4.0 + 0.3)  # past the neighbour, with the gap of a step
    assert second - first == pytest.approx(2.3)


def test_floor_and_room_are_not_in_the_way(move):
    original = box("Body")
    box("Floor", size=(100.0, 100.0, 0.2), at=(0.0, 0.0, -1.05))
    box("Tile", size=(5.0, 5.0, 0.1), at=(4.0, 0.0, -1.0))
    box("Room", size=(200.0, 200.0, 200.0))
    thing = level(original, 1)
    move(thing)
    assert world(thing).translation.x == pytest.approx(2.3)


def test_an_endless_row_is_not_walked_along(move):
    original = box("Body")
    for number in range(1, 60):
        box(f"Post {number}", at=(3.0 * number, 0.0, 0.0))
    thing = level(original, 1)
    move(thing)
    assert world(thing).translation.x == pytest.approx(2.3)


def test_the_levels_of_an_earlier_job_are_passed_too(move):
    original = box("Body")
    move(level(original, 1))
    again = level(original, 1, name="Body_LOD1.001")
    move(again)
    assert world(again).translation.x - 1.0 >= 3.3


def test_a_mesh_of_nonsense_coordinates_moves_nothing(move):
    original = grid("Body")
    for vertex in original.data.vertices:
        vertex.co.x = float("nan")
    thing = level(original, 1)
    move(thing)
    assert thing.location.x == 0.0
