"""The manifest: which files make up a scene (or a result), and of which chunks each consists.

Paths are relative, with forward slashes, as they will lie in the worker's folder. They are checked on both
sides: by the client before it sends, by the server before it believes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import ManifestError
from .names import is_device, utf16_units

MAX_FILES = 20_000
MAX_CHUNKS_PER_FILE = 1_000_000
MAX_PATH_BYTES = 1024
MAX_NAME_BYTES = 255

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ChunkRef:
    """One stored chunk: the sha256 of its bytes in hex, and its size in bytes (at least 1)."""

    sha256: str
    size: int


@dataclass(frozen=True)
class FileEntry:
    """One file: where it lies, its size in bytes, the sha256 of the whole, and its chunks in order."""

    path: str
    size: int
    sha256: str
    chunks: tuple[ChunkRef, ...]
    #: What it is for: "scene" (the one the task opens), "external" (a texture, library, cache...), "paths" (which
    #: file is whose), "scope" (which objects the job is about); in a result "result", "report", "log", "preview".
    role: str = "external"
    #: For files of a result: the media type.
    media_type: str = "application/octet-stream"

    def to_dict(self) -> dict[str, Any]:
        """As the wire has it."""
        return {
            "path": self.path,
            "size": self.size,
            "sha256": self.sha256,
            "chunks": [[chunk.sha256, chunk.size] for chunk in self.chunks],
            "role": self.role,
            "media_type": self.media_type,
        }


@dataclass(frozen=True)
class Manifest:
    """All files of a scene or a result; paths are unique, also where a disk ignores case."""

    files: tuple[FileEntry, ...]

    @property
    def size(self) -> int:
        """The bytes of all files together."""
        return sum(entry.size for entry in self.files)

    @property
    def chunks(self) -> dict[str, int]:
        """Every chunk once: sha256 -> size in bytes."""
        return {chunk.sha256: chunk.size for entry in self.files for chunk in entry.chunks}

    def scene(self) -> FileEntry | None:
        """The file that the task opens, where there is one."""
        return self._only("scene")

    def scope(self) -> FileEntry | None:
        """The file that names the objects the job is about; None where it is about the whole scene."""
        return self._only("scope")

    def to_dict(self) -> dict[str, Any]:
        """As the wire has it."""
        return {"files": [entry.to_dict() for entry in self.files]}

    @classmethod
    def from_dict(cls, data: Any) -> Manifest:
        """Read and check a manifest; raises ManifestError naming the entry that is wrong."""
        files = data.get("files") if isinstance(data, Mapping) else None
        if not isinstance(files, list):
            raise ManifestError("The manifest has no list of files.")
        if len(files) > MAX_FILES:
            raise ManifestError(f"The manifest names {len(files)} files; at most {MAX_FILES} are allowed.")
        manifest = cls(tuple(_entry(item) for item in files))
        check_paths(entry.path for entry in manifest.files)
        if sum(entry.role == "scene" for entry in manifest.files) > 1:
            raise ManifestError("The manifest names more than one scene file; exactly one can be opened.")
        if sum(entry.role == "scope" for entry in manifest.files) > 1:
            raise ManifestError("The manifest names more than one scope; a job has one at most.")
        return manifest

    def _only(self, role: str) -> FileEntry | None:
        return next((entry for entry in self.files if entry.role == role), None)


def check_path(path: str) -> None:
    """Refuse a path that could leave the job's folder or cannot be written everywhere.

    Raises ManifestError for an absolute path, a drive, a backslash, an empty part, `.`, `..`, a control
    character, a name Windows reserves, or more bytes than file systems take.
    """
    if not path or path.startswith("/") or "\\" in path or re.match(r"[A-Za-z]:", path):
        raise ManifestError(f"The path {path!r} is not relative to the job's folder.")
    try:
        encoded = path.encode("utf-8")
    except UnicodeEncodeError:
        raise ManifestError(f"The path {path!r} is not valid Unicode.") from None
    if len(encoded) > MAX_PATH_BYTES:
        raise ManifestError(f"The path {path[:60]!r}... is longer than {MAX_PATH_BYTES} bytes.")
    if any(unicodedata.category(character) == "Cc" for character in path):
        raise ManifestError(f"The path {path!r} holds a control character.")
    for part in path.split("/"):
        if part in ("", ".", ".."):
            raise ManifestError(f"The path {path!r} is not allowed: it has an empty part, '.' or '..'.")
        if max(len(part.encode("utf-8")), utf16_units(part)) > MAX_NAME_BYTES:
            raise ManifestError(f"A name in the path {path[:60]!r}... is longer than {MAX_NAME_BYTES} bytes.")
        if is_device(part) or part[-1] in " ." or set(part) & set('<>:"|?*'):
            raise ManifestError(f"The path {path!r} holds the name {part!r}, which Windows cannot store.")


def check_paths(paths: Iterable[str]) -> None:
    """Check every path, and that no two clash (same name but for case or Unicode form, or file against folder).

    Raises ManifestError naming the first that is wrong.
    """
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for path in paths:
        check_path(path)
        key = _fold(path)
        if key in files:
            raise ManifestError(f"The paths {files[key]!r} and {path!r} clash: they are the same file on disk.")
        if key in folders:
            raise ManifestError(f"The path {path!r} clashes with {folders[key]!r}: one is a folder of the other.")
        files[key] = path
        parts = key.split("/")
        for depth in range(1, len(parts)):
            folder = "/".join(parts[:depth])
            if folder in files:
                raise ManifestError(f"The path {path!r} clashes with {files[folder]!r}: one is a folder of the other.")
            folders.setdefault(folder, path)


def _fold(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _entry(item: Any) -> FileEntry:
    if not isinstance(item, Mapping) or not isinstance(item.get("path"), str):
        raise ManifestError("An entry of the manifest has no path.")
    path: str = item["path"]
    size, sha256, chunks = item.get("size"), item.get("sha256"), item.get("chunks")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise ManifestError(f"The size of {path!r} is not a number of bytes.")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise ManifestError(f"The sha256 of {path!r} is not 64 lower-case hexadecimal digits.")
    if not isinstance(chunks, list) or len(chunks) > MAX_CHUNKS_PER_FILE:
        raise ManifestError(f"The chunks of {path!r} are not a list of at most {MAX_CHUNKS_PER_FILE}.")
    refs = tuple(_chunk(chunk, path) for chunk in chunks)
    if sum(ref.size for ref in refs) != size:
        raise ManifestError(f"The chunks of {path!r} do not add up to its size of {size} bytes.")
    role, media_type = item.get("role", "external"), item.get("media_type", "application/octet-stream")
    if not isinstance(role, str) or not isinstance(media_type, str) or len(role) > 64 or len(media_type) > 128:
        raise ManifestError(f"The role or media type of {path!r} is not a short text.")
    return FileEntry(path=path, size=size, sha256=sha256, chunks=refs, role=role, media_type=media_type)


def _chunk(item: Any, path: str) -> ChunkRef:
    if (
        not isinstance(item, list)
        or len(item) != 2
        or not isinstance(item[0], str)
        or not _SHA256.fullmatch(item[0])
        or not isinstance(item[1], int)
        or isinstance(item[1], bool)
        or item[1] < 1
    ):
        raise ManifestError(f"A chunk of {path!r} is not a pair of sha256 and size.")
    return ChunkRef(sha256=item[0], size=item[1])
