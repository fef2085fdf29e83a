"""Blender's API as types: `fake-bpy-module` of a series in build/types-SERIES, with its mistakes mended.

The stubs are made from Blender's documentation and say some things otherwise than Blender is. They are mended here,
once and with a reason, so that no line of addon/ is written for a mistake of the stubs.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "scripts"))
import setup  # noqa: E402 - the neighbour, which stamps the other environments

#: The oldest and the newest that the add-on is for.
SERIES = ("4.2", "5.2")
CONSTRAINTS = ROOT / "constraints-types.txt"
_TYPES, _APP, _PROPS, _HANDLERS = "bpy-stubs/types", "bpy-stubs/app", "bpy-stubs/props", "bpy-stubs/app/handlers"
_UI, _MATH = "_bpy_types-stubs", "mathutils-stubs"
_OR_NONE = r"(?: \| None|None \| )*"
_NEVER_NONE = "Scene|ViewLayer|WindowManager|Preferences|ToolSettings|UILayout"
_PERSISTENT = "def persistent[F: collections.abc.Callable[..., None]](function: F) -> F: ..."
_ARRAY = """class bpy_prop_array[T](bpy_prop, collections.abc.MutableSequence[T]):
    def __get__(self, instance: object, owner: type | None) -> bpy_prop_array[T]: ...
    def __set__(self, instance: object, value: collections.abc.Iterable[T]) -> None: ...
"""
_COMMON = (
    # Whoever runs an operator or draws has a scene, the preferences and a layout.
    (_TYPES, rf"(def \w+\(self\)) -> {_OR_NONE}({_NEVER_NONE}){_OR_NONE}:", r"\1 -> \2:"),
    (_PROPS, r"bpy\.types\.Context \| None", "bpy.types.Context"),
    # What is found in a collection has the collection's type.
    (_TYPES, r"-> _GenericType2 \| None:", "-> _GenericType1 | _GenericType2 | None:"),
    # The two lists of names that it gives to a `with` block.
    (_TYPES, r"(def load\([^)]*\blink: [^)]*\)) -> None:", r"\1 -> typing.Any:"),
    (_MATH, r"class Vector:\n", "class Vector:\n    def __iter__(self) -> collections.abc.Iterator[float]: ...\n"),
    # The decorator leaves a function as it is.
    (_HANDLERS, r"persistent: typing\.Any", _PERSISTENT),
)
#: Per series: folder, pattern, what it should be.
MENDS = {
    "4.2": (
        *_COMMON,
        # These return something, which the documentation of 4.2 did not say.
        (_APP, r"(def is_job_running\(.*\)) -> None:", r"\1 -> bool:"),
        (_PROPS, r"(?m)^\) -> None:$", ") -> typing.Any:"),
        (_TYPES, r"(def get\(self, key: str \| None, default=None\)) -> None:", r"\1 -> typing.Any:"),
        (_TYPES, r"(def panel\(self, idname[^)]*\)) -> None:", r"\1 -> tuple[UILayout, UILayout | None]:"),
        (_TYPES, r"(def filter_items\(\s*self, context: [^)]*\)) -> None:", r"\1 -> tuple[list[int], list[int]]:"),
    ),
    "5.2": (
        *_COMMON,
        # A literal of a name of literals means nothing; the name alone does.
        (_TYPES, r"typing\.Literal\[(bpy\.stub_internal\.rna_enums\.\w+)\]", r"\1"),
        # Nobody is called without a context.
        (
            _TYPES,
            rf"\b(context|event|layout|properties): {_OR_NONE}(Context|Event|UILayout|OperatorProperties){_OR_NONE}",
            r"\1: \2",
        ),
        (_TYPES, r"(?m)^(    \w*objects\w*: collections\.abc\.Sequence\[Object\]) \| None$", r"\1"),
        (
            _UI,
            r"(draw_func: collections\.abc\.Callable)\[\[Context\], None\]",
            r"\1[[typing.Any, bpy.types.Context], None]",
        ),
        # Where a panel is closed there is no body.
        (
            _TYPES,
            r"(def panel\(\s*self, idname[^)]*\)) -> tuple\[UILayout, UILayout\]:",
            r"\1 -> tuple[UILayout, UILayout | None]:",
        ),
        (_TYPES, r"-> tuple\[bpy_prop_array\[int\], bpy_prop_array\[int\]\]:", "-> tuple[list[int], list[int]]:"),
        # Left out by the documentation.
        (_TYPES, r"(?m)^import typing$", "import contextlib\nimport typing"),
        (
            _TYPES,
            r"class ContextTempOverride:\n",
            "class ContextTempOverride(contextlib.AbstractContextManager[None]):\n",
        ),
        (_TYPES, r"class bpy_prop_array\(bpy_prop\):\n", _ARRAY),
    ),
}


def make(series: str) -> Path:
    """Install and mend the stubs of a series, where that is not done yet; returns their folder."""
    folder = ROOT / "build" / f"types-{series}"
    stamp = setup.fingerprint(CONSTRAINTS.read_text(), repr(MENDS[series]))
    stamp_path = folder / "sendoff-stamp"
    if stamp_path.is_file() and stamp_path.read_text() == stamp:
        return folder
    print(f"Making build/types-{series} with the types of Blender {series} (9 MB, once) ...", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--target", str(folder), "--constraint", str(CONSTRAINTS),
               f"fake-bpy-module-{series.replace('.', '-')}"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        sys.exit(f"pip could not install the types of Blender {series}:\n{done.stdout}{done.stderr}")
    for name, pattern, replacement in MENDS[series]:
        _mend(folder / name / "__init__.pyi", pattern, replacement)
    stamp_path.write_text(stamp)
    return folder


def _mend(path: Path, pattern: str, replacement: str) -> None:
    text, count = re.subn(pattern, replacement, path.read_text("utf-8"))
    if not count:
        sys.exit(f"{path} has no {pattern!r} any more: take that out of {Path(__file__).name}.")
    path.write_text(text, "utf-8")
