"""Materials in a USD file: those of a USD scene as they were sent, others as UsdPreviewSurface."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import bpy

from .imported_paths import Original, texture_path
from .origin import PATH_PROPERTY, Origin
from .pxr_library import pxr
from .usd_names import free_name, sent_name


@dataclass
class ResultMaterials:
    """Writes each material once, below one scope."""

    stage: Any
    root: str
    """The path of the scope."""
    origin: Origin
    original: Original | None
    """Tells the artist's own path of an image."""
    _written: dict[Any, Any] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)

    def get(self, material: Any, uv_name: str) -> Any:
        """The prim of a material of Blender.

        Args:
            material: Of Blender.
            uv_name: The primvar that its textures lie on, if they do not say.
        """
        if material not in self._written:
            library = pxr()
            if not self._written:
                library.UsdGeom.Scope.Define(self.stage, self.root)
            free = sent_name if PATH_PROPERTY in material else free_name
            path = f"{self.root}/{free(material.name, self._taken, fallback='material')}"
            made = library.UsdShade.Material.Define(self.stage, path)
            made.GetPrim().SetDisplayName(material.name)
            self._written[material] = made
            sent = str(material.get(PATH_PROPERTY) or "")
            source = self.origin.stage.GetPrimAtPath(sent) if sent and self.origin.stage is not None else None
            try:
                if source:
                    self._copy(source, made.GetPrim())
                else:
                    self._write_surface(made, material, uv_name)
            except Exception as error:  # looks are the least of a material; its name and its faces are kept
                print(f"{material.name}: {error!r}")
        return self._written[material]

    def _copy(self, source: Any, target: Any) -> None:
        """All that is below a material of the scene that was sent, with the artist's own paths."""
        library = pxr()
        before, after = source.GetPath(), target.GetPath()
        for prim in library.Usd.PrimRange(
            source, library.Usd.TraverseInstanceProxies(library.Usd.PrimDefaultPredicate)
        ):
            made = self.stage.DefinePrim(prim.GetPath().ReplacePrefix(before, after), prim.GetTypeName())
            for schema in prim.GetAppliedSchemas():
                made.AddAppliedSchema(schema)
            for one in prim.GetAuthoredProperties():
                if isinstance(one, library.Usd.Attribute):
                    self._copy_attribute(one, made, before, after)
                elif not one.GetName().startswith("collection:"):
                    targets = [path for path in one.GetForwardedTargets() if path.HasPrefix(before)]
                    if targets:
                        made.CreateRelationship(one.GetName()).SetTargets(
                            [path.ReplacePrefix(before, after) for path in targets]
                        )

    def _copy_attribute(self, one: Any, made: Any, before: Any, after: Any) -> None:
        library = pxr()
        attribute = made.CreateAttribute(one.GetName(), one.GetTypeName(), one.IsCustom(), one.GetVariability())
        if one.HasColorSpace():
            attribute.SetColorSpace(one.GetColorSpace())
        time = library.Usd.TimeCode.EarliestTime() if one.GetNumTimeSamples() else library.Usd.TimeCode.Default()
        value = one.Get(time)
        if isinstance(value, library.Sdf.AssetPath):
            layer = one.GetPropertyStack(time)[0].layer
            value = library.Sdf.AssetPath(self.origin.layers.artists_path(layer, value.path))
        if value is not None and not isinstance(value, library.Sdf.AssetPathArray):
            attribute.Set(value)
        for path in one.GetConnections():
            if path.HasPrefix(before):
                attribute.AddConnection(path.ReplacePrefix(before, after))

    def _write_surface(self, made: Any, material: Any, uv_name: str) -> None:
        from bpy_extras.node_shader_utils import PrincipledBSDFWrapper

        library = pxr()
        types = library.Sdf.ValueTypeNames
        surface = library.UsdShade.Shader.Define(self.stage, made.GetPath().AppendChild("surface"))
        surface.CreateIdAttr("UsdPreviewSurface")
        made.CreateSurfaceOutput().ConnectToSource(surface.ConnectableAPI(), "surface")
        colour, metallic, roughness, alpha, texture = (
            material.diffuse_color,
            material.metallic,
            material.roughness,
            1.0,
            None,
        )
        # From Blender 5.0 on all materials have nodes.
        if (bpy.app.version >= (5, 0, 0) or material.use_nodes) and material.node_tree is not None:
            look = PrincipledBSDFWrapper(material, is_readonly=True)
            if look.node_principled_bsdf is not None:
                colour, metallic, roughness, alpha = look.base_color, look.metallic, look.roughness, look.alpha
                texture = look.base_color_texture
        surface.CreateInput("diffuseColor", types.Color3f).Set(library.Gf.Vec3f(*colour[:3]))
        for name, value in (("metallic", metallic), ("roughness", roughness), ("opacity", alpha)):
            surface.CreateInput(name, types.Float).Set(float(value))
        if texture is not None and texture.image is not None:
            self._write_texture(made, surface, texture, uv_name)

    def _write_texture(self, made: Any, surface: Any, texture: Any, uv_name: str) -> None:
        library = pxr()
        types = library.Sdf.ValueTypeNames
        shader = library.UsdShade.Shader.Define(self.stage, made.GetPath().AppendChild("texture"))
        shader.CreateIdAttr("UsdUVTexture")
        path = texture_path(texture.image, self.original)
        shader.CreateInput("file", types.Asset).Set(f"./{path[2:]}" if path.startswith("//") else path)
        wrap = "repeat" if texture.extension == "REPEAT" else "clamp"
        for name in ("wrapS", "wrapT"):
            shader.CreateInput(name, types.Token).Set(wrap)
        shader.CreateInput("sourceColorSpace", types.Token).Set(
            "raw" if texture.image.colorspace_settings.is_data else "auto"
        )
        reader = library.UsdShade.Shader.Define(self.stage, made.GetPath().AppendChild("uv"))
        reader.CreateIdAttr("UsdPrimvarReader_float2")
        reader.CreateInput("varname", types.String).Set(uv_name)
        shader.CreateInput("st", types.Float2).ConnectToSource(reader.ConnectableAPI(), "result")
        reader.CreateOutput("result", types.Float2)
        surface.GetInput("diffuseColor").ConnectToSource(shader.ConnectableAPI(), "rgb")
        shader.CreateOutput("rgb", types.Float3)
