"""The artist's own paths of a scene that was imported, and paths as a result may have them: never a worker's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import bpy
from sendoff_sdk.names import readable

from .origin import PATH_PROPERTY

#: Tells the path of a datablock's file as the artist's scene has it; None if it does not know.
Original = Callable[[Any], "str | None"]


class ImportedPaths:
    """The way back to the artist's own paths: the importer notes each on its image."""

    def original(self, block: Any) -> str | None:
        """The path of a datablock's file as the artist's scene would write it; None if nothing is noted."""
        path = block.get(PATH_PROPERTY) if hasattr(block, "get") else None
        return str(path) if path else None


def note_images(root: Path, known: Mapping[str, str]) -> list[str]:
    """Note on each image of the open scene the path that the artist's scene has; returns those without a file.

    Args:
        root: The folder of the scene. A path in it is noted as relative to the scene, any other as it is.
        known: By the name of a file, in lower case: its path as the scene's file has it.
    """
    missing = []
    for image in bpy.data.images:
        if image.source not in ("FILE", "SEQUENCE", "MOVIE", "TILED") or not image.filepath:
            continue
        place = Path(bpy.path.abspath(image.filepath)).resolve()
        is_inside = place.is_relative_to(root.resolve())
        own = known.get(place.name.lower(), "").replace("\\", "/")
        if own:
            image[PATH_PROPERTY] = own if own.startswith("/") or own[1:2] == ":" else f"//{own}"
        elif is_inside:
            image[PATH_PROPERTY] = f"//{place.relative_to(root.resolve()).as_posix()}"
        else:
            image[PATH_PROPERTY] = image.filepath
        if image.packed_file is None and not (is_inside and place.is_file()):
            missing.append(str(image[PATH_PROPERTY]))
    return missing


def texture_path(image: Any, original: Original | None) -> str:
    """The path of an image's file for a result: the artist's own, or the file's name alone; always valid Unicode."""
    return readable(_texture_path(image, original))


def _texture_path(image: Any, original: Original | None) -> str:
    own = (original(image) if original is not None else None) or image.get(PATH_PROPERTY)
    if own:
        return str(own)
    path = str(image.filepath).replace("\\", "/")
    is_absolute = not path.startswith("//") and (path.startswith("/") or path[1:2] == ":")
    return (PurePosixPath(path).name if is_absolute else path) or f"{image.name}"
