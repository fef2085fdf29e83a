"""The .blend that comes back: no library, no path of the worker, and marks of what is the artist's own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import bpy
import pytest
from sendoff_inside import mesh_lods
from sendoff_inside.scene import open_scene
from sendoff_sdk import scene_files


def empty() -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)


def save(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(path), relative_remap=False)
    return path


def with_nodes(name: str) -> Any:
    material = bpy.data.materials.new(name)
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    return material


def texture(folder: Path, name: str, stored: str) -> Any:
    made = bpy.data.images.new("made", 4, 4)
    folder.mkdir(parents=True, exist_ok=True)
    made.filepath_raw, made.file_format = str(folder / name), "PNG"
    made.save()
    bpy.data.images.remove(made)
    image = bpy.data.images.load(str(folder / name))
    image.filepath = stored
    return image


@pytest.fixture
def studio(tmp_path: Path) -> Path:
    """A shot with a cube of a library, whose material has a texture and a node group, and one of its own."""
    studio = tmp_path / "studio"
    empty()
    group = bpy.data.node_groups.new("Shader", "ShaderNodeTree")
    material = with_nodes("Wood")
    material.node_tree.nodes.new("ShaderNodeTexImage").image = texture(studio / "lib", "wood.png", "//wood.png")
    material.node_tree.nodes.new("ShaderNodeGroup").node_tree = group
    bpy.ops.mesh.primitive_cube_add()
    bpy.context.object.name = "Linked"
    bpy.context.object.data.materials.append(material)
    save(studio / "lib" / "asset.blend")
    empty()
    save(studio / "shot.blend")
    bpy.ops.mesh.primitive_cube_add(location=(5, 0, 0))
    bpy.context.object.name = "Own"
    own = with_nodes("Wood")
    own.node_tree.nodes.new("ShaderNodeTexImage").image = texture(
        studio / "textures", "paint.png", str(studio / "textures" / "paint.png")
    )
    bpy.context.object.data.materials.append(own)
    with bpy.data.libraries.load(str(studio / "lib" / "asset.blend"), link=True, relative=True) as (_, wanted):
        wanted.objects = ["Linked"]
    bpy.context.scene.collection.objects.link(wanted.objects[0])
    save(studio / "shot.blend")
    return studio


@pytest.fixture
def result(studio: Path, make_job: Any, tmp_path: Path) -> Path:
    """The .blend of the levels, made in a workspace as a worker does."""
    work = tmp_path / "work of the worker"
    work.mkdir()
    for file in scene_files.collect(studio / "shot.blend", folder=work).files:
        (work / file.path).parent.mkdir(parents=True, exist_ok=True)
        if file.source != work / file.path:
            shutil.copyfile(file.source, work / file.path)
    shutil.copyfile(studio / "shot.blend", work / "shot.blend")
    empty()
    job = make_job(levels=1, formats=["blend"])
    open_scene(job, work / "shot.blend", work / "sendoff-paths.json")
    mesh_lods.run(job)
    return Path(job.folder) / "lods.blend"


def test_it_links_nothing_and_marks_what_came_from_libraries(result: Path, studio: Path) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(result), load_ui=False)
    assert list(bpy.data.libraries) == []
    marks = {
        (one.id_type, one.get("sendoff_library"), one.get("sendoff_name"))
        for blocks in (bpy.data.materials, bpy.data.images, bpy.data.node_groups)
        for one in blocks
    }
    library = "//lib/asset.blend"
    assert marks == {
        ("MATERIAL", None, None),
        ("MATERIAL", library, "Wood"),
        ("IMAGE", None, None),
        ("IMAGE", library, "wood.png"),
        ("NODETREE", library, "Shader"),
    }
    objects = {one["sendoff_source"]: one.get("sendoff_library") for one in bpy.data.objects}
    assert objects == {"Own": None, "Linked": library}


def test_its_images_name_their_files_as_the_artists_scene_does(result: Path, studio: Path) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(result), load_ui=False)
    paths = {image.name: (image.filepath, image["sendoff_path"]) for image in bpy.data.images}
    own = str(studio / "textures" / "paint.png")
    assert paths == {"paint.png": (own, own), "wood.png": ("//lib/wood.png", "//lib/wood.png")}


def test_no_path_of_the_worker_is_in_its_bytes(result: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    plain = zstandard.ZstdDecompressor().stream_reader(result.read_bytes(), read_across_frames=True).read()
    assert b"work of the worker" not in plain
    assert b"external/" not in plain
