"""Make the tool's own scenes: runs inside Blender.

python make_corpus.py FOLDER [TEXT ...]    only kinds whose name holds one of the texts
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

import bpy
from corpus import exchanged, linked, named, placed, timed  # noqa: F401 - each adds its kinds
from corpus.making import KINDS, empty_file


def main(folder: Path, texts: list[str]) -> int:
    """Make all; returns how many could not be made."""
    failed = 0
    for kind in KINDS:
        if (texts and not any(text in kind.name for text in texts)) or bpy.app.version < kind.since:
            continue
        empty_file()
        bpy.context.preferences.filepaths.save_version = 0
        try:
            (folder / kind.name).mkdir(parents=True, exist_ok=True)
            kind.make(folder / kind.name)
        except Exception:
            print(f"{kind.name} could not be made:", file=sys.stderr)
            traceback.print_exc()
            failed += 1
    return failed


if __name__ == "__main__":
    status = 1
    try:
        status = min(1, main(Path(sys.argv[1]), sys.argv[2:]))
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # Blender's own way out can hang
