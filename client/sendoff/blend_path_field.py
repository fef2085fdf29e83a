"""One path that a .blend stores, and what a stored path means."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

#: A path that Blender itself fills: its built-in font.
BUILTIN = "<builtin>"
#: Beside the file that holds it, and named after it: the folder of its point caches.
OWN_CACHE = "//blendcache_"
_NO_NAME = re.compile(r"[/\\]*(\.\.?[/\\]+)*(\.\.?)?")
#: Blender brings its own brushes with it, in any place.
_BLENDERS_OWN = re.compile(r"[/\\]datafiles[/\\]assets[/\\]brushes[/\\]")


@dataclass(frozen=True)
class Spot:
    """Where a path lies in the file: offset and size of its bytes, and of the field that holds their number."""

    offset: int
    size: int
    length_offset: int = 0
    #: Offset and size of the names of a strip's further files, and of the first one's.
    names: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class PathField:
    """One path that a .blend stores."""

    #: "library", "image", "movieclip", "sound", "font", "cache_file", "volume", "mesh_cache", "ocean", "fluid",
    #: "point_cache", "gn_bake", "multires", "ies", "osl", "text", "strip", "socket", "global".
    kind: str
    #: Two letters of the ID that holds it ("IM", "LI", "OB", "MA"); "" if none does.
    owner_code: str
    #: Name of that ID without its two letters.
    owner: str
    #: As stored; bytes that are not UTF-8 are lone surrogates.
    path: str
    #: What it names is in the .blend itself; nobody reads the path.
    is_packed: bool = False
    #: It names a folder: all that is in it belongs to it.
    is_folder: bool = False
    #: It is one of numbered frames.
    is_sequence: bool = False
    #: The frames of a sequence that are used; None for all.
    frames: frozenset[int] | None = None
    #: The numbers of a tiled image's tiles.
    tiles: tuple[int, ...] = ()
    #: The file names of a strip's further images, beside `path`.
    names: tuple[str, ...] = ()
    #: The scene is complete without it: a cache that is made again, a text that may be no path.
    is_optional: bool = False
    #: Bytes that a path in its place may have; 0 if it is not stored but follows from the file's own name.
    room: int = 0
    #: Stored path of the library that the ID came from, for linked data that is packed into the file (Blender 5): a
    #: relative path is relative to that library.
    library: str = ""
    spot: Spot = field(default=Spot(0, 0), compare=False, repr=False)

    @property
    def key(self) -> str:
        """What names it in sendoff-paths.json: its path, and behind a line feed the library that it came from."""
        return f"{self.path}\n{self.library}" if self.library else self.path


def encode(text: str) -> bytes:
    """A path as a .blend stores it."""
    return text.encode("utf-8", "surrogateescape")


def decode(data: bytes) -> str:
    """The text in a field, up to its zero byte; bytes that are not UTF-8 become lone surrogates."""
    return data.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def absolute(path: str, base: Path) -> Path:
    """The path of a file as the .blend means it; `base` is the folder of the .blend."""
    relative = path.startswith("//")
    text = path.lstrip("/").replace("\\", "/") if relative else path
    # `Path.exists` raises for a name that is too long.
    if not relative and os.sep == "/" and "\\" in path and not os.path.exists(path):  # noqa: PTH110
        text = path.replace("\\", "/")
    return Path(os.path.normpath(os.path.join(base, text)))  # noqa: PTH118 - keeps what is absolute


def is_blenders_own(path: str) -> bool:
    """Whether a path names a file that every Blender has: it is not sent, and nobody misses it."""
    return _BLENDERS_OWN.search(path) is not None


def names_no_file(path: str) -> bool:
    """Whether a path has no file name: Blender stores an empty one as the way to the root, `//../../`."""
    return _NO_NAME.fullmatch(path) is not None


def looks_like_path(text: str) -> bool:
    """Whether a text that may be anything is a path: relative to the .blend, or absolute on any system."""
    return len(text) > 2 and (text[0] in "/\\" or (text[1] == ":" and text[2] in "/\\")) and "\n" not in text
