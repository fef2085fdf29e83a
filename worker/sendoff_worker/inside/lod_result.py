"""The levels of detail as objects in one collection, and the files that carry them home."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import bpy
from mathutils import Matrix

from . import fbx_result, usd_result
from .contents import Part
from .job import Job
from .lod_sources import LEVEL_PROPERTY, LOD_COLLECTION, SOURCE_PROPERTY, Source
from .origin import Origin

MAX_NAME_BYTES = 255 if bpy.app.version >= (5, 0, 0) else 63


class LodResult:
    """The collection "Sendoff LODs" in a scene of its own."""

    def __init__(self) -> None:
        for taken in (bpy.data.collections.get(LOD_COLLECTION), bpy.data.scenes.get(LOD_COLLECTION)):
            if taken is not None and taken.library is None:
                taken.name = f"{LOD_COLLECTION} of an earlier job"
        self.scene = bpy.data.scenes.new(LOD_COLLECTION)
        self.collection = bpy.data.collections.new(LOD_COLLECTION)
        self.scene.collection.children.link(self.collection)
        self._local_materials: dict[Any, Any] = {}

    def add(self, source: Source, mesh: Any, level: int, matrix: Matrix) -> Any:
        """Put one level of an object into the collection, at the object's place."""
        name = level_name(source.name, level)
        taken = bpy.data.objects.get((name, None))
        if taken is not None and taken.name not in self.collection.objects:
            taken.name = f"{name[:40]} of the scene"  # in the worker's memory only: the result's name stays clean
        one = bpy.data.objects.new(name, mesh)
        self.collection.objects.link(one)
        one.matrix_world = matrix
        one[SOURCE_PROPERTY] = source.identity
        one[LEVEL_PROPERTY] = level
        for slot, own in zip(one.material_slots, source.object.material_slots, strict=False):
            if own.link == "OBJECT":
                slot.link = "OBJECT"
                slot.material = self._local(own.material)
        return one

    def adopt_materials(self, mesh: Any) -> None:
        """Replace a library's materials by copies of the same name, so that the result stands alone."""
        for index, material in enumerate(mesh.materials):
            mesh.materials[index] = self._local(material)

    def write_blend(self, path: Path) -> None:
        """Save the collection in its own scene, and nothing else of the artist's; textures are not packed.

        The last thing to do with the open scene, as the rest of it is dropped.
        """
        bpy.context.window.scene = self.scene
        for scene in [one for one in bpy.data.scenes if one != self.scene]:
            bpy.data.scenes.remove(scene)
        own = set(self.collection.objects)
        bpy.data.batch_remove([one for one in bpy.data.objects if one not in own])
        bpy.data.batch_remove([one for one in bpy.data.collections if one != self.collection])
        bpy.data.batch_remove([*bpy.data.texts, *bpy.data.actions])
        for block in bpy.data.user_map():
            if block.library is None and block.use_fake_user:
                block.use_fake_user = False
        bpy.data.orphans_purge(do_local_ids=True, do_linked_ids=True, do_recursive=True)
        bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True, compress=True, relative_remap=False)

    def write_glb(self, path: Path) -> None:
        """Export the collection, and nothing else, as one glTF binary."""
        import addon_utils

        if addon_utils.enable("io_scene_gltf2") is None:
            raise RuntimeError("Blender's glTF add-on cannot be enabled")
        bpy.context.window.scene = self.scene
        bpy.ops.export_scene.gltf(
            filepath=str(path),
            export_format="GLB",
            use_active_scene=True,
            export_extras=True,
            export_animations=False,
            export_morph=False,
            export_skins=False,
        )

    def parts(self) -> list[tuple[Any, Part]]:
        """Each level with what it is."""
        found = []
        for one in self.collection.objects:
            name = re.sub(r"\.\d{3,}$", "", one.name)  # Blender's own way to keep two apart
            part = Part(name=name, path="", source=one[SOURCE_PROPERTY], kind="lod", level=one[LEVEL_PROPERTY])
            found.append((one, part))
        return found

    def _local(self, material: Any) -> Any:
        if material is None or material.library is None:
            return material
        if material not in self._local_materials:
            copy = material.copy()
            copy.name = material.name
            self._local_materials[material] = copy
        return self._local_materials[material]


def level_name(name: str, level: int) -> str:
    """``Body_LOD1``; a long name gives way, the suffix does not."""
    suffix = f"_LOD{level}"
    kept = name.encode("utf-8", "surrogateescape")[: MAX_NAME_BYTES - len(suffix)]
    return kept.decode("utf-8", "ignore") + suffix


def deliver(job: Job, result: LodResult, formats: list[str]) -> None:
    """Write the asked formats into the job's folder; one that fails leaves the others."""
    origin = job.origin or Origin(kind="blend", metres_per_unit=1.0, up_axis="Z")

    def write_usd(path: Path) -> None:
        usd_result.write_usd(path, result.parts(), origin).write(job)

    def write_fbx(path: Path) -> None:
        contents = fbx_result.write_fbx(path, result.scene, result.parts(), origin)
        if "usd" not in wanted_formats:
            contents.write(job)

    writers = {
        "blend": ("lods.blend", "application/x-blender", result.write_blend),
        "usd": ("lods.usdc", "model/vnd.usd", write_usd),
        "fbx": ("lods.fbx", "application/octet-stream", write_fbx),
        "glb": ("lods.glb", "model/gltf-binary", result.write_glb),
    }
    wanted_formats = {origin.kind if wanted == "scene" else wanted for wanted in formats}
    written = 0
    for wanted in sorted(wanted_formats, key=list(writers).index, reverse=True):
        name, media_type, write = writers[wanted]
        if wanted == "blend" and job.external_paths is not None:
            job.external_paths.restore()  # last: the export reads the textures
        try:
            write(job.folder / name)
        except RuntimeError as error:
            print(error)
            job.warn(f"{name} could not be written; the job's log says why.")
            continue
        job.add_file(name, media_type=media_type)
        written += 1
    if not written:
        job.fail("No result could be written on the worker; the job's log says why.")
