"""Check the Maya module as it is built: its types, the Python of the oldest Maya, and what it imports.

The module is unpacked in build/typed-maya. mypy reads it strictly with `maya-stubs`, which know every flag of Maya's
commands; vermin says whether anything in it, the vendored packages included, needs a newer Python than Maya 2023 has;
and no import may find a package by a name that another tool in the same Maya may have taken, nor need Qt.
Messages name the files of maya_plugin/.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "scripts"))
import build_maya  # noqa: E402 - the neighbours
import vendoring  # noqa: E402

MODULE = ROOT / "build" / "typed-maya"
SCRIPTS = MODULE / "scripts"
PACKAGE = build_maya.PACKAGE.name
OLDEST = (3, 9)
#: What mypy says of the module itself, and where that comes from; the rest has checks of its own.
OWN, SOURCE = f"{PACKAGE}/", f"maya_plugin/scripts/{PACKAGE}/"
OTHERS = (f"{PACKAGE}/vendor/", f"{PACKAGE}/sendoff/")
OTHERS_PLACES = tuple(f"scripts/{name}" for name in OTHERS)
#: What maya_plugin/ may import besides its own modules, the SDK among them, and the standard library.
ALLOWED_IMPORTS = {"maya", PACKAGE}
MYPY = ("--strict", "--python-version", "3.10", "--config-file=", "--follow-imports=silent")
#: Qt differs from one Maya to the next; the controls of Maya itself do not.
_QT = {"PySide2", "PySide6", "shiboken2", "shiboken6", "PyQt5", "PyQt6"}


def main() -> int:
    """Check, print what is wrong, and return the exit status."""
    put_together()
    wrong = [*foreign_imports(), *too_new(), *mistakes()]
    print("\n".join(wrong) or f"The Maya module fits Maya's commands and Python {'.'.join(map(str, OLDEST))}.")
    return 1 if wrong else 0


def put_together() -> None:
    """Write the module as it lies in its zip; what is as it was is left alone, for mypy's cache."""
    wanted = build_maya.module_files()
    for place, data in wanted.items():
        path = MODULE / place
        if not path.is_file() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    for path in MODULE.rglob("*.py"):
        if path.relative_to(MODULE).as_posix() not in wanted:
            path.unlink()


def foreign_imports() -> Iterator[str]:
    """Absolute imports of what is vendored, and of Qt; the grammar of the oldest Python on the way."""
    for path in sorted(MODULE.rglob("*.py")):
        place = path.relative_to(MODULE).as_posix()
        source = path.read_text("utf-8")
        try:
            tree = ast.parse(source, feature_version=OLDEST)
        except SyntaxError as error:
            yield f"{place}:{error.lineno}: error: Python {'.'.join(map(str, OLDEST))} cannot read this: {error.msg}"
            continue
        for statement in vendoring.left_over(source):
            yield f"{place}: error: “{statement}” could find another tool's package"
        for node in ast.walk(tree):
            named = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom) and not node.level
                else []
            )
            tops = [name.partition(".")[0] for name in named]
            for top in tops:
                if top in _QT or (_is_own(place) and top not in ALLOWED_IMPORTS | sys.stdlib_module_names):
                    yield f"{place}:{node.lineno}: error: {top} is imported, which not every Maya has"


def _is_own(place: str) -> bool:
    """Whether a file of the built module comes from maya_plugin/."""
    return place.startswith("plug-ins/") or (place.startswith(f"scripts/{OWN}") and not place.startswith(OTHERS_PLACES))


def too_new() -> Iterator[str]:
    """What vermin says needs a newer Python; it knows which release brought which part of the language and library."""
    least = ".".join(map(str, OLDEST))
    command = [str(Path(sys.executable).with_name("vermin")), "--no-tips", "--no-parse-comments", "--violations",
               f"--target={least}-", "--exclude-regex", "/vendor/", str(SCRIPTS / PACKAGE),
               str(MODULE / "plug-ins")]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if "Minimum required versions" not in done.stdout:
        sys.exit(f"vermin could not check the Maya module:\n{done.stdout}{done.stderr}")
    if done.returncode:
        told = done.stdout.split("Minimum required versions")[0].splitlines()
        yield from (
            line.replace(f"{MODULE}/", "").strip() for line in told if "requires" in line or str(MODULE) in line
        )
    yield from _unfit_packages(least)


def _unfit_packages(least: str) -> Iterator[str]:
    """What the vendored packages themselves say that they need."""
    for path in sorted(build_maya.fetched().glob("*.dist-info/METADATA")):
        found = re.search(r"^Requires-Python: >=(\d+)\.(\d+)", path.read_text("utf-8"), re.MULTILINE)
        if found is not None and (int(found[1]), int(found[2])) > OLDEST:
            yield f"constraints-maya.txt: error: {path.parent.name} needs Python {found[1]}.{found[2]}, not {least}"


def mistakes() -> Iterator[str]:
    """What mypy finds."""
    command = [sys.executable, "-m", "mypy", *MYPY, "--cache-dir", str(ROOT / "build" / "typed-maya.cache"),
               "--package", PACKAGE, "--no-error-summary", "--no-pretty"]  # fmt: skip
    done = subprocess.run(command, cwd=SCRIPTS, capture_output=True, text=True, timeout=600, check=False)
    for line in done.stdout.splitlines():
        if not line.startswith(OTHERS):
            yield SOURCE + line.removeprefix(OWN) if line.startswith(OWN) else line
    if done.returncode and not done.stdout:
        sys.exit(f"mypy could not check the Maya module:\n{done.stderr}")


if __name__ == "__main__":
    sys.exit(main())
