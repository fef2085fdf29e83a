"""Files and names: UDIM, sequences, missing textures, names that systems or people write in their own way."""

from __future__ import annotations

import os
from pathlib import Path

import bpy

from .making import ball, kind, load, material, png, save


@kind()
def textures(folder: Path) -> None:
    """A UDIM set, image sequences (one with a digit in its suffix), a missing texture, two of one name."""
    external = folder / "external"
    save(folder / "textures.blend")
    for number in (1001, 1002, 1011):
        png(external / f"skin.{number}.png")
    tiled = load(external / "skin.1001.png", name="skin", stored="//external/skin.<UDIM>.png")
    tiled.source = "TILED"
    ball("Tiled", material=material("Tiled", image=tiled))
    for number in range(1, 4):
        png(external / f"plate.{number:04d}.png")
        png(external / f"film.{number:04d}.jp2")
    for index, name in enumerate(("plate.0001.png", "film.0001.jp2")):
        image = load(external / name, stored=f"//external/{name}")
        image.source = "SEQUENCE"
        ball(f"Film {index}", at=(3.0 + 3 * index, 0, 0), material=material(f"Film {index}", image=image))
    gone = load(png(external / "gone.png"), name="Gone", stored="//external/gone.png")
    ball("Gone", at=(0, 4, 0), material=material("Gone", image=gone))
    for index, where in enumerate(("a", "b")):
        image = load(
            png(external / where / "diffuse.png", (index * 200, 0, 0)), stored=f"//external/{where}/diffuse.png"
        )
        ball(f"Diffuse {where}", at=(4.0 * index, 8, 0), material=material(f"Diffuse {where}", image=image))
    save(folder / "textures.blend")
    (external / "gone.png").unlink()


@kind()
def names(folder: Path) -> None:
    """Names of any script, with quotes, with characters that other systems lack."""
    for index, name in enumerate(
        ("aβカ😂", 'say "hi"', "it's", "a/b\\c", "shot: 010", "aux", "Ünïcödé.001", " leading", "x" * 60)
    ):
        one = ball(name, at=(3.0 * index, 0, 0), segments=12, material=material(f"Mat {name}"[:60]))
        one.data.name = name
    save(folder / "shot: 010.blend")


@kind()
def long_title(folder: Path) -> None:
    """A file whose name is as long as a file system allows."""
    ball("Ball", segments=12)
    save(folder / f"{'景' * 82}.blend")


@kind()
def not_text(folder: Path) -> None:
    """File and texture names with bytes that are not UTF-8."""
    base = os.fsencode(folder)
    texture = os.fsdecode(base + b"/external/caf\xe9.png")
    path = os.fsdecode(base + b"/sc\xe8ne.blend")
    os.makedirs(base + b"/external", exist_ok=True)  # noqa: PTH103 - no text
    png(texture)
    save(path)
    image = load(texture, name="cafe", stored=os.fsdecode(b"//external/caf\xe9.png"))
    ball("Ball", segments=12, material=material("Café", image=image))
    save(path)


@kind()
def left_alone(folder: Path) -> None:
    """Hidden, excluded and helping objects, hulls, widgets and former levels are left alone; Rock_LOD0 is not."""
    scene = bpy.context.scene
    wall = ball("Wall", at=(0, 0, 0))
    cutter = ball("Cutter", at=(0.5, 0, 0), segments=12)
    cutter.display_type, cutter.hide_render = "WIRE", True
    cut = wall.modifiers.new("Hole", "BOOLEAN")
    cut.object, cut.solver = cutter, "EXACT"
    ball("Hidden", at=(4, 0, 0), segments=12).hide_viewport = True
    ball("Eye off", at=(8, 0, 0), segments=12).hide_set(True)
    backup = bpy.data.collections.new("Backup")
    scene.collection.children.link(backup)
    ball("In backup", at=(12, 0, 0), segments=12, collection=backup)
    bpy.context.view_layer.layer_collection.children["Backup"].exclude = True
    for name in ("hide_viewport", "eye", "hide_render"):
        holder = bpy.data.collections.new(f"Collection {name}")
        scene.collection.children.link(holder)
        ball(f"In {name}", at=(16, 0, 0), segments=12, collection=holder)
    bpy.data.collections["Collection hide_viewport"].hide_viewport = True
    bpy.context.view_layer.layer_collection.children["Collection eye"].hide_viewport = True
    bpy.data.collections["Collection hide_render"].hide_render = True
    ball("UCX_Wall_00", segments=8)
    ball("Rock_LOD0", at=(0, 5, 0))
    for level in (1, 2):
        former = ball(f"Old_LOD{level}", at=(4, 5, 0), segments=12)
        former["sendoff_source"], former["sendoff_level"] = "Old", level
    ball("Old", at=(4, 5, 0))
    ball("Unrendered", at=(8, 5, 0)).hide_render = True
    widget = ball("WGT-hand", at=(0, 10, 0), segments=8)
    widget.display_type = "WIRE"
    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    rig.data.edit_bones.new("Hand").tail = (0, 0, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    rig.pose.bones["Hand"].custom_shape = widget
    save(folder / "left_alone.blend")


@kind()
def view_layers(folder: Path) -> None:
    """Two view layers, the second on screen, each with other collections."""
    scene = bpy.context.scene
    for name in ("First", "Second"):
        holder = bpy.data.collections.new(name)
        scene.collection.children.link(holder)
        ball(f"Of {name}", at=(4.0 * (name == "Second"), 0, 0), segments=16, collection=holder)
    second = scene.view_layers.new("Shot")
    scene.view_layers[0].layer_collection.children["Second"].exclude = True
    second.layer_collection.children["First"].exclude = True
    bpy.context.window.view_layer = second
    save(folder / "view_layers.blend")


@kind()
def nothing(folder: Path) -> None:
    """A scene without any surface."""
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Empty", None))
    save(folder / "nothing.blend")
