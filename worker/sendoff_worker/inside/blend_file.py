"""What is done to a .blend file itself, without Blender: paths in it are changed, and it is compressed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sendoff_sdk import blend_paths
from sendoff_sdk.blend_dna import BlendFile

#: As Blender's own: quick, and a fifth larger than the slowest.
_LEVEL = 3


def clean(path: Path) -> None:
    """Blank the paths that Blender writes into every file that it saves: the file's own, and open folders."""
    blend_paths.rewrite_paths(path, lambda field: "" if field.kind == "global" else None)
    blanks: list[tuple[int, int]] = []
    with BlendFile(path) as blend:
        browser = blend.dna.find("FileSelectParams")
        if browser is None:
            return
        index = blend.dna.index["FileSelectParams"]
        texts = [one for one in browser.fields.values() if one.type == "char" and one.count > 1 and not one.pointers]
        for block in (block for block in blend.blocks() if block.struct == index):
            blanks += [(block.offset + text.offset, text.size) for text in texts]
    with path.open("r+b") as out:
        for offset, size in blanks:
            out.seek(offset)
            out.write(bytes(size))


def compress(path: Path) -> None:
    """Compress a file in its place, in a form that Blender opens; one that lacks the library leaves it as it is."""
    zstandard = _zstandard()
    if zstandard is None:
        return
    packed = path.with_name(f"{path.name}.packed")
    with path.open("rb") as source, packed.open("wb") as target:
        zstandard.ZstdCompressor(level=_LEVEL, write_content_size=True).copy_stream(
            source, target, size=path.stat().st_size
        )
    packed.replace(path)


def _zstandard() -> Any:
    try:
        import zstandard
    except ImportError:  # a Blender of a distribution may come without
        return None
    return zstandard
