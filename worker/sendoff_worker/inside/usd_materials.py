"""Materials of a USD scene in Blender: their names, which faces have which, and their looks."""

from __future__ import annotations

import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from .origin import PATH_PROPERTY
from .pxr_library import pxr
from .usd_layers import UsdLayers

#: Of a package, which is not to fill the memory.
_LARGEST_IMAGE_BYTES = 1 << 30
#: Inputs of UsdPreviewSurface, and the inputs of Blender's Principled BSDF that mean the same.
_SAME_INPUTS = {"diffuseColor": "Base Color", "metallic": "Metallic", "roughness": "Roughness", "opacity": "Alpha"}


@dataclass
class UsdMaterials:
    """Makes each material once."""

    layers: UsdLayers
    time: Any
    _made: dict[str, Any] = field(default_factory=dict)
    _images: dict[str, Any] = field(default_factory=dict)

    def bound(self, prim: Any) -> list[tuple[Any, Any]]:
        """The materials of a prim, each with the faces that have it (None for all others).

        If some faces have none, while others have one, the first is None.
        """
        found: list[tuple[Any, Any]] = []
        held: set[int] = set()
        for subset in pxr().UsdShade.MaterialBindingAPI(prim).GetMaterialBindSubsets():
            bound = _bound(subset.GetPrim())
            if bound:
                faces = np.array(subset.GetIndicesAttr().Get(self.time) or [], dtype=np.int64)
                held.update(faces.tolist())
                found.append((bound, faces))
        whole = _bound(prim)
        if whole or (found and len(held) < len(prim.GetAttribute("faceVertexCounts").Get(self.time) or ())):
            found.insert(0, (whole, None))
        return found

    def key(self, bound: list[tuple[Any, Any]]) -> tuple[str, ...]:
        """Equal for prims of the same prototype that look alike."""
        return tuple(_key(material) if material else "" for material, _ in bound)

    def apply(self, mesh: Any, bound: list[tuple[Any, Any]], kept: np.ndarray | None) -> None:
        """Give a mesh its materials.

        Args:
            mesh: Of Blender.
            bound: Of its prim.
            kept: The prim's faces that the mesh has, as a mask; None if it has all.
        """
        count = len(mesh.polygons) if kept is None else len(kept)
        index = np.zeros(count, dtype=np.int32)
        for material, faces in bound:
            if faces is not None and len(faces):
                index[faces[(faces >= 0) & (faces < count)]] = len(mesh.materials)
            mesh.materials.append(self._material(material) if material else None)
        if index.any():
            mesh.polygons.foreach_set("material_index", index if kept is None else index[kept])

    def _material(self, bound: Any) -> Any:
        key = _key(bound)
        if key not in self._made:
            made = bpy.data.materials.new(bound.GetPrim().GetName())
            made[PATH_PROPERTY] = str(bound.GetPath())
            self._made[key] = made
            try:
                self._look(made, bound)
            except Exception as error:  # looks are the least of a material; its name and its faces are kept
                print(f"{bound.GetPath()}: {error!r}")
        return self._made[key]

    def _look(self, made: Any, bound: Any) -> None:
        """Colour, roughness and so on, and the colour's texture, for formats that carry no USD materials."""
        surface = bound.ComputeSurfaceSource()
        surface = surface[0] if isinstance(surface, tuple) else surface
        if not surface or surface.GetIdAttr().Get() != "UsdPreviewSurface":
            return
        if bpy.app.version < (5, 0, 0):  # from then on all have nodes
            made.use_nodes = True
        shader = next((node for node in made.node_tree.nodes if node.type == "BSDF_PRINCIPLED"), None)
        if shader is None:
            return
        for name, same in _SAME_INPUTS.items():
            source = surface.GetInput(name)
            value = source.Get(self.time) if source else None
            if value is not None:
                shader.inputs[same].default_value = (*value, 1.0) if same == "Base Color" else value
            if source and same == "Base Color":
                made.diffuse_color = shader.inputs[same].default_value
                self._add_texture(made.node_tree, shader.inputs[same], source)

    def _add_texture(self, tree: Any, target: Any, source: Any) -> None:
        shade = pxr().UsdShade
        connected = source.GetConnectedSource() if source.HasConnectedSource() else None
        texture = shade.Shader(connected[0].GetPrim()) if connected else None
        file = texture.GetInput("file") if texture and texture.GetIdAttr().Get() == "UsdUVTexture" else None
        path = file.Get(self.time) if file else None
        if path is None or not path.path:
            return
        image = self._image(file, path)
        if image is not None:
            node = tree.nodes.new("ShaderNodeTexImage")
            node.image = image
            tree.links.new(node.outputs["Color"], target)

    def _image(self, file: Any, path: Any) -> Any:
        """The image of a texture, if it lies in the job's folder; None for a pattern of tiles."""
        if path.resolvedPath not in self._images:
            self._images[path.resolvedPath] = self._loaded(file, path)
        return self._images[path.resolvedPath]

    def _loaded(self, file: Any, path: Any) -> Any:
        package, _, inner = path.resolvedPath.removesuffix("]").partition("[")
        place = Path(package)
        if not package or not place.is_file() or not place.resolve().is_relative_to(self.layers.root.resolve()):
            return None
        image = _of_package(place, inner) if inner else bpy.data.images.load(str(place))
        if image is not None:
            own = self.layers.artists_path(file.GetAttr().GetPropertyStack(self.time)[0].layer, path.path)
            image[PATH_PROPERTY] = own if _is_absolute(own) else f"//{own.removeprefix('./')}"
        return image


def _bound(prim: Any) -> Any:
    """The material of a prim: for all purposes, else for final pictures, else for previews; None if it has none."""
    shade = pxr().UsdShade
    for purpose in (shade.Tokens.allPurpose, shade.Tokens.full, shade.Tokens.preview):
        material, _ = shade.MaterialBindingAPI(prim).ComputeBoundMaterial(purpose)
        if material:
            return material
    return None


def _key(material: Any) -> str:
    prim = material.GetPrim()
    return str((prim.GetPrimInPrototype() if prim.IsInstanceProxy() else prim).GetPath())


def _is_absolute(path: str) -> bool:
    return path.startswith(("/", "\\")) or path[1:2] == ":"


def _of_package(package: Path, inner: str) -> Any:
    """An image out of a .usdz, packed, as no file of its own is anywhere."""
    with zipfile.ZipFile(package) as archive, tempfile.TemporaryDirectory() as folder:
        found = archive.getinfo(inner)
        if found.file_size > _LARGEST_IMAGE_BYTES:
            return None
        place = Path(folder) / Path(inner).name
        place.write_bytes(archive.read(found))
        image = bpy.data.images.load(str(place))
        image.pack()
        return image
