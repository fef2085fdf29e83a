"""Check the add-on: its types against the API of the oldest and of the newest Blender, and what it imports.

The add-on is put together in build/typed-addon as it lies in its zip, and mypy reads it there, strictly, once with
`fake-bpy-module` of each series (build/types-SERIES, made once). Messages name the files of addon/ and client/.

A property of Blender is an annotation that is a call, which no type checker understands:

    job: bpy.props.StringProperty(name="Job")

The usual way out is to write each of them twice, the second time under `if TYPE_CHECKING`, and to silence the first.
Here the copy that mypy reads says instead, on the same line,

    job: str; bpy.props.StringProperty(name="Job")

so that both the attribute and the call are checked, and addon/ stays what Blender's manual teaches.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "scripts"))
import blender_stubs  # noqa: E402 - the neighbours: Blender as types, and what is in the zip
import build_addon  # noqa: E402

PACKAGE = "sendoff_addon"
SOURCES = {f"{PACKAGE}/sendoff": "client/sendoff", PACKAGE: "addon"}
#: What addon/ may import besides its own modules, the SDK among them, and the standard library.
ALLOWED_IMPORTS = {"bpy", "bmesh", "mathutils", "numpy"}
MYPY = ("--strict", "--enable-error-code", "ignore-without-code", "--python-version", "3.11", "--config-file=")
#: The names of all of Blender's icons are no help in a message.
LONG_LITERAL = re.compile(r"Literal\[('[^]]{80}[^],]*),[^]]*\]")
#: What a property holds; of a pointer and an enumeration the call itself says it.
PROPERTY_TYPES = {
    "BoolProperty": "bool", "IntProperty": "int", "FloatProperty": "float", "StringProperty": "str",
}  # fmt: skip


def main() -> int:
    """Check, print what is wrong, and return the exit status."""
    package = ROOT / "build" / "typed-addon" / PACKAGE
    put_together(package)
    wrong = list(foreign_imports(ROOT / "addon"))
    for series in blender_stubs.SERIES:
        wrong += [line for line in mistakes(package, series) if line not in wrong]
    print("\n".join(wrong) or f"The add-on fits Blender {' and '.join(blender_stubs.SERIES)}.")
    return 1 if wrong else 0


def put_together(package: Path) -> None:
    """Write the modules as they lie in the zip; those that are as they were are left alone, for mypy's cache."""
    wanted = {path.relative_to(ROOT / "addon"): path for path in build_addon.sources(ROOT / "addon")}
    client = ROOT / "client" / "sendoff"
    for path in build_addon.sources(client, without="cli"):
        wanted[Path("sendoff", path.relative_to(client))] = path
    wanted = {place: path for place, path in wanted.items() if path.suffix == ".py"}
    for place, path in wanted.items():
        text = with_plain_properties(path.read_text("utf-8"))
        copy = package / place
        if not copy.is_file() or copy.read_text("utf-8") != text:
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(text, "utf-8")
    for copy in package.rglob("*.py"):
        if copy.relative_to(package) not in wanted:
            copy.unlink()


def with_plain_properties(source: str) -> str:
    """A module in which each property of Blender is an attribute with a plain type, and a call beside it."""
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ClassDef):
            continue
        for statement in node.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.annotation, ast.Call):
                row, start = statement.annotation.lineno - 1, statement.annotation.col_offset
                line = lines[row].encode()  # the offsets of ast count bytes
                plain = f"{type_of(statement.annotation)}; ".encode()
                lines[row] = (line[:start] + plain + line[start:]).decode()
    return "".join(lines)


def type_of(call: ast.Call) -> str:
    """What a property of Blender holds, as a type."""
    kind = ast.unparse(call.func).removeprefix("bpy.props.")
    options = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    if kind == "EnumProperty":
        return "set[str]" if "ENUM_FLAG" in options.get("options", "") else "str"
    if kind == "PointerProperty":
        return f"{options['type']} | None"
    if kind not in PROPERTY_TYPES:
        sys.exit(f"scripts/check_addon.py does not know what a {kind} holds: add it to PROPERTY_TYPES.")
    return PROPERTY_TYPES[kind]


def mistakes(package: Path, series: str) -> Iterator[str]:
    """What mypy finds with the stubs of a series."""
    stubs = blender_stubs.make(series)
    command = [sys.executable, "-m", "mypy", *MYPY, "--cache-dir", str(ROOT / "build" / f"types-{series}.cache"),
               "--package", PACKAGE, "--no-error-summary", "--no-pretty"]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(stubs)}  # so the stubs are an installed package like any other
    done = subprocess.run(
        command, cwd=package.parent, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    for line in LONG_LITERAL.sub(r"Literal[\1, ...]", done.stdout).splitlines():
        place = next((name for name in SOURCES if line.startswith(f"{name}/")), "")
        yield f"Blender {series}: {SOURCES[place]}{line.removeprefix(place)}" if place else line
    if done.returncode and not done.stdout:
        sys.exit(f"mypy could not check the add-on against Blender {series}:\n{done.stderr}")


def foreign_imports(
    folder: Path, *, allowed: Collection[str] = ALLOWED_IMPORTS, host: str = "Blender"
) -> Iterator[str]:
    """Imports in a folder's modules of what is not there in every host application, or from outside the folder."""
    for path in build_addon.sources(folder):
        if path.suffix != ".py":
            continue
        within = path.relative_to(folder)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""] if not node.level else [] if node.level <= len(within.parts) else [".."]
            else:
                continue
            for name in names:
                if name.partition(".")[0] not in {*allowed, *sys.stdlib_module_names}:
                    place = f"{folder.name}/{within.as_posix()}:{node.lineno}"
                    yield f"{place}: error: {name} is imported, which not every {host} has"


if __name__ == "__main__":
    sys.exit(main())
