"""The scope of a job: which objects of the scene it is about, as a small file that goes along with the whole scene.

The scene is always sent as a whole: chunks that the server has are not sent again, and what an object needs is there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import InputError
from .submission import SceneFile

FILE_NAME = "sendoff-scope.json"
ROLE = "scope"
VERSION = 1
MAX_OBJECTS = 200_000
MAX_TITLE_CHARACTERS = 200
#: A name is that of an object in Blender (at most 255 bytes) or a path in Maya; a library has the path of its file.
MAX_NAME_CHARACTERS = 4096
MAX_LIBRARY_CHARACTERS = 1024
MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Scope:
    """Some objects of a scene; sorted and each once, so that the same choice makes the same file.

    Raises InputError where it names no object, too many, or something that cannot be a name.
    """

    #: What the artist reads: "the collection “Props”", "3 selected objects".
    title: str
    #: Name and library of each: the path that `bpy.data.libraries[...].filepath` has, None for the scene's own.
    objects: tuple[tuple[str, str | None], ...]

    def __post_init__(self) -> None:
        if not isinstance(self.title, str) or len(self.title) > MAX_TITLE_CHARACTERS:
            raise InputError(f"The title of a scope has to be a text of at most {MAX_TITLE_CHARACTERS} characters.")
        chosen = set(self.objects)
        if not chosen:
            raise InputError("The scope names no object. Choose some, or the whole scene.")
        if len(chosen) > MAX_OBJECTS:
            raise InputError(f"The scope names {len(chosen)} objects; at most {MAX_OBJECTS} are allowed.")
        for name, library in chosen:
            if not _is_text(name, MAX_NAME_CHARACTERS):
                raise InputError(f"The scope names {str(name)[:60]!r}, which cannot be an object.")
            if library is not None and not _is_text(library, MAX_LIBRARY_CHARACTERS):
                raise InputError(f"The scope names {str(library)[:60]!r}, which cannot be the path of a library.")
        ordered = sorted(chosen, key=lambda item: (item[0], item[1] or ""))
        object.__setattr__(self, "objects", tuple(ordered))

    def to_json(self) -> str:
        """As the file has it."""
        document = {"version": VERSION, "title": self.title, "objects": [list(item) for item in self.objects]}
        return json.dumps(document, separators=(",", ":")) + "\n"  # names in old .blend files may not be UTF-8

    @classmethod
    def from_json(cls, text: str | bytes) -> Scope:
        """Read the file; raises InputError where it is none."""
        if len(text) > MAX_BYTES:
            raise InputError(f"The scope has more than {MAX_BYTES} bytes.")
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"The scope is not JSON: {error}.") from error
        if not isinstance(data, dict) or data.get("version") != VERSION:
            raise InputError(f"The scope is not of version {VERSION}. Update Sendoff.")
        objects = data.get("objects")
        if not isinstance(objects, list):
            raise InputError("The scope has no list of objects.")
        return cls(title=data.get("title", ""), objects=tuple(_pair(item) for item in objects))

    def write(self, folder: Path) -> SceneFile:
        """Write the file into a folder, as one more file of a submission. Raises OSError."""
        path = folder / FILE_NAME
        path.write_bytes(self.to_json().encode("ascii"))
        return SceneFile(source=path, path=FILE_NAME, role=ROLE)


def _is_text(value: Any, most: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= most and "\0" not in value


def _pair(item: Any) -> tuple[str, str | None]:
    if not isinstance(item, list) or len(item) != 2 or not all(part is None or isinstance(part, str) for part in item):
        raise InputError(f"The scope holds {str(item)[:60]!r}, which is not a pair of name and library.")
    return item[0], item[1]
