"""Names of datablocks that are not text, as Blenders before 2.5 wrote them: made readable in the file itself.

Blender's Python cannot read such a name at all. The same bytes become the same text in every file, so that what a scene
links from a library is found in it.
"""

from __future__ import annotations

from pathlib import Path

from .blend_dna import BlendFile


def mend_names(file: Path) -> int:
    """Replace names that are not UTF-8 by their Latin-1 reading, in place; returns how many there were.

    Args:
        file: An uncompressed .blend; a compressed one stays as it is.

    Raises:
        BlendFileError: It is damaged.
        OSError: It cannot be read or written.
    """
    changes: list[tuple[int, bytes]] = []
    with BlendFile(file) as blend:
        head = blend.dna.find("ID")
        if blend.head.compressed or head is None or "name" not in head.fields:
            return 0
        name = head.fields["name"]
        starts_with_id = {
            index
            for index, struct in enumerate(blend.dna.structs)
            if struct.name == "ID" or next(iter(struct.fields.values()), name).type == "ID"
        }
        for block in blend.blocks():
            if block.struct not in starts_with_id or block.size < name.offset + name.size:
                continue
            body = blend.body(block)[name.offset : name.offset + name.size]
            stored = body.partition(b"\0")[0]
            mended = _mended(stored, name.size - 1)
            if mended != stored:
                changes.append((block.offset + name.offset, mended.ljust(name.size, b"\0")))
    if changes:
        with file.open("r+b") as out:
            for offset, data in changes:
                out.seek(offset)
                out.write(data)
    return len(changes)


def _mended(stored: bytes, most: int) -> bytes:
    try:
        stored.decode("utf-8")
    except UnicodeDecodeError:
        text = stored.decode("latin-1").encode("utf-8")[:most]
        return text.decode("utf-8", "ignore").encode("utf-8")
    return stored
