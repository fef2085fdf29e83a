"""Names of files: as every system can store them, as a person can read them, and short enough.

Everything that gets a place in a job's folder or a results folder gets its name here.
"""

from __future__ import annotations

import os
import re
import unicodedata

#: What a name of tiles holds in place of the tile's number.
UDIM, UVTILE = "<UDIM>", "<UVTILE>"
#: Windows keeps these for devices, with any suffix, and reads the superscript digits as digits.
WINDOWS_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"]
    + [f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"]
)
#: A name of more bytes is cut; there is room for a suffix that a download adds, below the 255 of file systems.
LONGEST_NAME_BYTES = 200
#: Windows takes paths of 259 characters, counted in UTF-16.
LONGEST_WINDOWS_PATH = 259
_REFUSED = re.compile(r'[<>:"|?*\\/\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]')
_LONGEST_SUFFIX = 16


def readable(text: str) -> str:
    """The text without what is not valid Unicode, so that it can be written into JSON, a file or a terminal.

    A byte that is not UTF-8 is shown as U+FFFD.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def safe_name(name: str) -> str:
    """A file's name as every system can store it.

    A safe name is its own safe name. Names that differ may get the same one: the caller puts them into two folders.
    """
    return _shortened(_REFUSED.sub("_", unicodedata.normalize("NFC", name)))


def safe_pattern(name: str) -> str:
    """The name of a tiled image's pattern: as `safe_name` gives it, but the tokens of tiles stay."""
    parts = re.split(f"({UDIM}|{UVTILE})", unicodedata.normalize("NFC", name))
    return _shortened("".join(part if part in (UDIM, UVTILE) else _REFUSED.sub("_", part) for part in parts))


def _shortened(safe: str) -> str:
    safe = _without_device(safe.rstrip(" .") or "_")
    if is_too_long(safe, LONGEST_NAME_BYTES):
        safe = _without_device(_cut_start(safe, LONGEST_NAME_BYTES - 1))
    return safe


def is_device(name: str) -> bool:
    """Whether Windows takes a name for one of its devices: "aux.blend", "COM1"."""
    return name.split(".", maxsplit=1)[0].rstrip(" ").lower() in WINDOWS_DEVICES


def is_too_long(name: str, limit: int) -> bool:
    """Whether a name has more bytes in UTF-8, or more units in UTF-16, than `limit`."""
    return len(name.encode("utf-8", "surrogatepass")) > limit or utf16_units(name) > limit


def utf16_units(text: str) -> int:
    """How long a text is as Windows counts it."""
    return len(text) + sum(character > "\uffff" for character in text)


def folder_name(title: str, id_: str, room: int) -> str:
    """A folder's name of a title and an id, "Car-fe16580c", that fits into `room` units of UTF-16.

    The id stays whole; the title is cut. At most 200 bytes, so that it fits every file system.
    """
    tail = safe_name(f"-{id_}")
    limit = min(room, LONGEST_NAME_BYTES) - utf16_units(tail)
    title = safe_name(readable(title))
    while title and (utf16_units(title) > limit or len(title.encode()) + len(tail.encode()) > LONGEST_NAME_BYTES):
        title = title[:-1]
    title = title.rstrip(" .")
    return f"{title}{tail}" if title else tail[1:]


def _without_device(name: str) -> str:
    return f"_{name}" if is_device(name) else name


def _cut_start(name: str, limit: int) -> str:
    """The end of a name stays: it holds the number of a frame, or the token of tiles."""
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - a name, not a path
    if len(suffix.encode()) > _LONGEST_SUFFIX:
        stem, suffix = name, ""
    room = limit - len(suffix.encode())
    # As bytes, so that a name of any length is cut at once; a letter that is cut in two goes.
    stem = stem.encode()[-room:].decode("utf-8", "ignore")
    while stem and unicodedata.combining(stem[0]):
        stem = stem[1:]
    return unicodedata.normalize("NFC", stem + suffix).rstrip(" .") or "_"
