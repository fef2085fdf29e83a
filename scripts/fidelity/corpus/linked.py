"""Libraries: overrides, linked materials, node groups, images and collections, equal names, packed textures."""

from __future__ import annotations

from pathlib import Path

import bpy

from .making import ball, collection_of, empty_file, instance_of, kind, link, load, material, png, save
from .timed import make_rig


@kind()
def override(folder: Path) -> None:
    """A library override with a pose, a shape key and a place of its own."""
    external = folder / "external"
    rig, body = make_rig()
    collection_of("Hero", rig, body, scene=bpy.context.scene)
    save(external / "hero.blend")
    empty_file()
    save(folder / "override.blend")
    (hero,) = link(external / "hero.blend", "collections", ["Hero"])
    scene = bpy.context.scene
    scene.collection.children.link(hero)
    hero.override_hierarchy_create(scene, bpy.context.view_layer, do_fully_editable=True)
    if hero.name in scene.collection.children and hero.library is not None:
        for child in list(scene.collection.children):
            if child.library is not None:
                scene.collection.children.unlink(child)
    mine = {one.name: one for one in bpy.data.objects if one.override_library is not None}
    mine["Rig"].location = (10, 0, 0)
    mine["Rig"].pose.bones["Bone"].location = (0, 0, 5)
    mine["Body"].data.shape_keys.key_blocks["Fat"].value = 1.0
    save(folder / "override.blend")


def _asset(
    path: Path, name: str, colour: tuple[int, int, int], *, packs: bool = False, shared: str = "diffuse"
) -> None:
    """A library with a collection, whose texture has the same name in all libraries."""
    empty_file()
    save(path)
    png(path.parent / f"{shared}.png", colour)
    image = load(path.parent / f"{shared}.png", stored=f"//{shared}.png")
    if packs:
        image.pack()
    one = ball(name, segments=16, material=material("Paint", image=image))
    collection_of(name, one, scene=bpy.context.scene)
    save(path)


@kind()
def equal_names(folder: Path) -> None:
    """Two libraries of one name, each with a material and an image of one name, and a local image of that name."""
    external = folder / "external"
    _asset(external / "x" / "asset.blend", "Chair", (255, 0, 0))
    _asset(external / "y" / "asset.blend", "Table", (0, 0, 255))
    empty_file()
    save(folder / "equal_names.blend")
    for index, (name, where) in enumerate((("Chair", "x"), ("Table", "y"))):
        (found,) = link(external / where / "asset.blend", "collections", [name])
        instance_of(found, f"{name} here", at=(4.0 * index, 0, 0))
        bpy.context.scene.collection.children.link(found)
    png(external / "diffuse.png", (0, 255, 0))
    image = load(external / "diffuse.png", stored="//external/diffuse.png")
    ball("Local", at=(0, 4, 0), material=material("Paint", image=image))
    save(folder / "equal_names.blend")


@kind()
def linked_data(folder: Path) -> None:
    """Local objects with a linked material, node group, image or mesh; a linked object and collection."""
    external = folder / "external"
    empty_file()
    save(external / "looks.blend")
    png(external / "wood.png")
    paint = material("Paint", image=load(external / "wood.png", stored="//wood.png"))
    group = bpy.data.node_groups.new("Wear", "ShaderNodeTree")
    group.interface.new_socket("Colour", in_out="OUTPUT", socket_type="NodeSocketColor")
    texture = group.nodes.new("ShaderNodeTexImage")
    texture.image = load(external / "wood.png", name="Worn", stored="//wood.png")
    out = group.nodes.new("NodeGroupOutput")
    group.links.new(texture.outputs[0], out.inputs[0])
    group.use_fake_user = paint.use_fake_user = True
    ball("Linked object", at=(0, 8, 0), segments=16, material=paint)
    collection_of("Props", ball("Prop", segments=16, material=paint), scene=bpy.context.scene)
    save(external / "looks.blend")
    empty_file()
    save(folder / "linked_data.blend")
    library = external / "looks.blend"
    (linked,) = link(library, "materials", ["Paint"])
    (wear,) = link(library, "node_groups", ["Wear"])
    (image,) = link(library, "images", ["Worn"])
    (mesh,) = link(library, "meshes", ["Linked object"])
    (one,) = link(library, "objects", ["Linked object"])
    (props,) = link(library, "collections", ["Props"])
    ball("Has a linked material", material=linked)
    local = material("Local")
    node = local.node_tree.nodes.new("ShaderNodeGroup")
    node.node_tree = wear
    ball("Has a linked group", at=(3, 0, 0), material=local)
    ball("Has a linked image", at=(6, 0, 0), material=material("Pictured", image=image))
    shared = bpy.data.objects.new("Has a linked mesh", mesh)
    shared.location = (9, 0, 0)
    for thing in (shared, one):
        bpy.context.scene.collection.objects.link(thing)
    bpy.context.scene.collection.children.link(props)
    save(folder / "linked_data.blend")


@kind()
def packed_library(folder: Path) -> None:
    """A library that was packed into the file, and is nowhere else."""
    external = folder / "external"
    _asset(external / "crate.blend", "Crate", (90, 60, 30), packs=True, shared="crate")
    empty_file()
    save(folder / "packed_library.blend")
    (crate,) = link(external / "crate.blend", "collections", ["Crate"])
    instance_of(crate, "Crate here", at=(2, 0, 0)).scale = (1, 1, 2)
    bpy.ops.file.pack_libraries()
    save(folder / "packed_library.blend")
    for path in external.iterdir():
        path.unlink()


@kind()
def far_libraries(folder: Path) -> None:
    """A compressed file, a library above its folder and one by an absolute path, a texture with backslashes."""
    scenes, external = folder / "shots" / "010", folder / "external"
    _asset(external / "above.blend", "Above", (1, 2, 3), shared="above")
    _asset(external / "absolute.blend", "Absolute", (4, 5, 6), shared="absolute")
    empty_file()
    save(scenes / "far_libraries.blend")
    (above,) = link(external / "above.blend", "collections", ["Above"])
    with bpy.data.libraries.load(str(external / "absolute.blend"), link=True, relative=False) as (_, wanted):
        wanted.collections = ["Absolute"]
    instance_of(above, "Above here", at=(4, 0, 0))
    instance_of(wanted.collections[0], "Absolute here", at=(8, 0, 0))
    png(external / "tex" / "wood.png")
    image = load(external / "tex" / "wood.png", stored="//..\\..\\external\\tex\\wood.png")
    ball("Wooden", material=material("Wood", image=image), segments=16)
    bpy.ops.wm.save_as_mainfile(filepath=str(scenes / "far_libraries.blend"), relative_remap=False, compress=True)


@kind()
def packed_textures(folder: Path) -> None:
    """A linked asset whose texture is packed in its library, one with a file, and a packed local texture."""
    external = folder / "external"
    _asset(external / "packed" / "pin.blend", "Pin", (255, 255, 0), packs=True, shared="pin")
    _asset(external / "loose" / "cup.blend", "Cup", (255, 0, 255), shared="cup")
    empty_file()
    save(folder / "packed_textures.blend")
    for index, path in enumerate(("packed/pin", "loose/cup")):
        (found,) = link(external / f"{path}.blend", "collections", [path.rpartition("/")[2].capitalize()])
        for number in range(2):
            instance_of(found, f"{found.name} {number}", at=(4.0 * index, 3.0 * number, 0))
    png(external / "own.png")
    image = load(external / "own.png", stored="//external/own.png")
    image.pack()
    ball("Own", at=(0, 8, 0), material=material("Own", image=image))
    save(folder / "packed_textures.blend")
    (external / "own.png").unlink()
