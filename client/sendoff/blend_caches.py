"""Simulations that a saved copy holds in memory caches: kept as the artist's session showed them.

Blender writes the frames that were simulated into the file, but counts a cache that is not baked as outdated once the
file is opened: a rigid body then stands where it began. In the copy that is sent, a cache that was valid in the session
is therefore marked as baked.
"""

from __future__ import annotations

import struct
from pathlib import Path

from .blend_dna import BlendFile
from .errors import BlendFileError

# The bits of PointCache.flag, from Blender's DNA_pointcache_types.h.
_BAKED, _OUTDATED, _VALID, _DISK, _EXTERNAL = 1 << 0, 1 << 1, 1 << 2, 1 << 6, 1 << 9


def keep_simulations(file: Path) -> int:
    """Mark the valid caches of an uncompressed .blend as baked; the file is changed in place.

    Returns:
        How many caches were marked; 0 also for a file that cannot be read, of which others will tell.

    Raises:
        OSError: The file cannot be read or written.
    """
    changes: list[tuple[int, bytes]] = []
    try:
        with BlendFile(file) as blend:
            cache = blend.dna.find("PointCache")
            if blend.head.compressed or cache is None or not {"flag", "mem_cache"} <= cache.fields.keys():
                return 0
            flag, frames = cache.fields["flag"], cache.fields["mem_cache"]
            index = blend.dna.index["PointCache"]
            for block in (block for block in blend.blocks() if block.struct == index):
                body = blend.body(block)
                value = blend.dna.value(body, 0, flag)
                has_frames = any(body[frames.offset : frames.offset + frames.size])
                if has_frames and value & _VALID and not value & (_BAKED | _OUTDATED | _DISK | _EXTERNAL):
                    changes.append((block.offset + flag.offset, struct.pack(blend.dna.order + "i", value | _BAKED)))
    except BlendFileError:
        return 0
    with file.open("r+b") as out:
        for offset, data in changes:
            out.seek(offset)
            out.write(data)
    return len(changes)
