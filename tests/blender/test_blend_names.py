"""Names that are not text, as old Blenders wrote them, can be read and still lead from a scene to its library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from sendoff_inside import mesh_lods, scene_check
from sendoff_inside.scene import open_scene
from sendoff_sdk.blend_names import mend_names


def spoil(path: Path, *names: str) -> None:
    """Put a byte that is not UTF-8 into names, in a file that is not compressed."""
    data = path.read_bytes()
    for name in names:
        data = data.replace(name.encode(), name.encode().replace(b"#", b"\xe9"))
    path.write_bytes(data)


def save(path: Path) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=False, relative_remap=False)


def test_a_scene_of_such_names_is_processed(make_job: Any, recorder: Any, tmp_path: Path) -> None:
    bpy.ops.mesh.primitive_cube_add()
    bpy.context.object.name, bpy.context.object.data.name = "Caf#Q", "Mesh#Q"
    bpy.context.object.data.materials.append(bpy.data.materials.new("Mat#Q"))
    path = tmp_path / "old.blend"
    save(path)
    spoil(path, "OBCaf#Q", "MEMesh#Q", "MAMat#Q")
    job = make_job(levels=1)
    open_scene(job, path, None)
    assert [one.name for one in bpy.data.objects] == ["CaféQ"]
    assert scene_check.run(job)["objects"] == 1
    summary = mesh_lods.run(job)
    assert [(entry["object"], entry["mesh"]) for entry in summary["objects"]] == [("CaféQ", "MeshéQ")]
    assert recorder.warnings == []


def test_what_is_linked_by_such_a_name_is_found(make_job: Any, recorder: Any, tmp_path: Path) -> None:
    bpy.ops.mesh.primitive_cube_add()
    bpy.context.object.name = "Caf#Q"
    save(tmp_path / "library.blend")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    save(tmp_path / "shot.blend")
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True, relative=True) as (_, wanted):
        wanted.objects = ["Caf#Q"]
    bpy.context.scene.collection.objects.link(wanted.objects[0])
    save(tmp_path / "shot.blend")
    for name in ("library.blend", "shot.blend"):
        spoil(tmp_path / name, "OBCaf#Q")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    open_scene(make_job(), tmp_path / "shot.blend", None)
    (one,) = bpy.data.objects
    assert (one.name, len(one.data.polygons)) == ("CaféQ", 6)
    assert recorder.warnings == []


def test_names_that_are_text_stay(tmp_path: Path) -> None:
    bpy.ops.mesh.primitive_cube_add()
    bpy.context.object.name = "aβカ😂"
    path = tmp_path / "new.blend"
    save(path)
    before = path.read_bytes()
    assert mend_names(path) == 0
    assert path.read_bytes() == before
