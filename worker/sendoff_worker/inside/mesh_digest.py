"""A digest of all that a mesh looks like, so that levels are made once for meshes that are alike."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np

from .mesh_arrays import column

#: By the type of an attribute: the property that holds its value, how numpy reads it, and how many numbers it has.
_VALUES: dict[str, tuple[str, Any, int]] = {
    "FLOAT": ("value", np.float32, 1),
    "INT": ("value", np.int32, 1),
    "INT8": ("value", np.int32, 1),
    "BOOLEAN": ("value", np.bool_, 1),
    "FLOAT_VECTOR": ("vector", np.float32, 3),
    "FLOAT2": ("vector", np.float32, 2),
    "FLOAT_COLOR": ("color", np.float32, 4),
    "BYTE_COLOR": ("color", np.float32, 4),
    "QUATERNION": ("value", np.float32, 4),
    "FLOAT4X4": ("value", np.float32, 16),
    "INT32_2D": ("value", np.int32, 2),
    "INT16_2D": ("value", np.int32, 2),
}


def content_digest(mesh: Any) -> bytes:
    """Equal for meshes that look alike: positions, faces, every attribute, own normals and materials."""
    digest = blake2b(digest_size=16)
    digest.update(column(mesh.loops, "vertex_index", np.int32).tobytes())
    digest.update(column(mesh.polygons, "loop_start", np.int32).tobytes())
    for attribute in mesh.attributes:
        known = _VALUES.get(attribute.data_type)
        digest.update(f"{attribute.name}\0{attribute.domain}\0{attribute.data_type}\0".encode("utf-8", "replace"))
        if known is not None and len(attribute.data):
            name, kind, width = known
            digest.update(column(attribute.data, name, kind, width).tobytes())
    if mesh.has_custom_normals:
        digest.update(column(mesh.corner_normals, "vector", np.float32, 3).tobytes())
    for material in mesh.materials:
        library = getattr(material, "library", None)
        named = f"{material.name if material else ''}\0{library.filepath if library else ''}\0"
        digest.update(named.encode("utf-8", "replace"))
    return digest.digest()
