"""Check the Maya module as it is built: its types, the Python of the oldest Maya, and what it imports.

The module is unpacked in build/typed-maya, with the installer beside it. mypy reads it strictly with `maya-stubs`,
which know every flag of Maya's commands; vermin says whether anything in it needs a newer Python than Maya 2023 has;
and nothing in it, the vendored packages included, may import more than Python's own library, Maya and itself: neither
a name that another tool in the same Maya may have taken, nor Qt, which differs from one Maya to the next, nor the
server. Messages name the files of maya_plugin/ and client/.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "scripts"))
import build_maya  # noqa: E402 - the neighbours
import check_addon  # noqa: E402

MODULE = ROOT / "build" / "typed-maya"
INSTALLER = "install_sendoff.py"
PACKAGE = build_maya.PACKAGE.as_posix()
OLDEST = (3, 9)
#: What is checked as it lies in the module, and where it comes from.
SOURCES = {f"{PACKAGE}/vendor/": "constraints-maya.txt: ", f"{PACKAGE}/sendoff/": "client/sendoff/", "": "maya_plugin/"}
ALLOWED_IMPORTS = {"maya", "sendoff_maya"}
#: Of vendored packages, where they can do without: for type checkers, of a newer Python, and of an older one.
OPTIONAL_IMPORTS = {"typing_extensions", "compression", "dummy_threading"}
#: The checks of the SDK and of others' packages are not made here.
OTHERS = (f"{PACKAGE}/vendor/", f"{PACKAGE}/sendoff/")
MYPY = (
    "--strict", "--python-version", "3.10", "--config-file=", "--follow-imports=silent", "--explicit-package-bases",
)  # fmt: skip


def main() -> int:
    """Check, print what is wrong, and return the exit status."""
    put_together()
    wrong = [*unreadable(), *foreign_imports(), *too_new(), *mistakes()]
    print("\n".join(wrong) or f"The Maya module fits Maya's commands and Python {'.'.join(map(str, OLDEST))}.")
    return 1 if wrong else 0


def put_together() -> None:
    """Write the module as it lies in its zip; what is as it was is left alone, for mypy's cache."""
    wanted = build_maya.module_files() | {INSTALLER: (build_maya.PLUGIN / INSTALLER).read_bytes()}
    for place, data in wanted.items():
        path = MODULE / place
        if not path.is_file() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    for path in MODULE.rglob("*.py"):
        if path.relative_to(MODULE).as_posix() not in wanted:
            path.unlink()


def unreadable() -> Iterator[str]:
    """Modules that are not written in the grammar of the oldest Python."""
    for path in sorted(MODULE.rglob("*.py")):
        try:
            ast.parse(path.read_text("utf-8"), feature_version=OLDEST)
        except SyntaxError as error:
            place = _source(path.relative_to(MODULE).as_posix())
            yield f"{place}:{error.lineno}: error: Python {'.'.join(map(str, OLDEST))} cannot read this: {error.msg}"


def foreign_imports() -> Iterator[str]:
    """Imports of more than what each Maya has, the vendored packages having been made relative."""
    allowed = ALLOWED_IMPORTS | OPTIONAL_IMPORTS
    for line in check_addon.foreign_imports(MODULE, allowed=allowed, host="Maya"):
        yield _source(line.removeprefix(f"{MODULE.name}/"))


def too_new() -> Iterator[str]:
    """What vermin says needs a newer Python; it knows which release brought which part of the language and library."""
    least = ".".join(map(str, OLDEST))
    command = [str(Path(sys.executable).with_name("vermin")), "--no-tips", "--no-parse-comments", "--violations",
               "--format", "parsable", f"--target={least}-", "--exclude-regex", "/vendor/", str(MODULE)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    found = re.findall(r"(?m)^(.+):(\d+):(\d*):(.+):(.+):(.+)$", done.stdout)
    if ":::" not in done.stdout or bool(done.returncode) != bool(found):
        sys.exit(f"vermin could not check the Maya module:\n{done.stdout}{done.stderr}")
    for file, row, _, _, needed, what in found:
        yield f"{_source(Path(file).relative_to(MODULE).as_posix())}:{row}: error: {what} needs Python {needed}"
    yield from _unfit_packages(least)


def _unfit_packages(least: str) -> Iterator[str]:
    """What the vendored packages themselves say that they need."""
    for path in sorted(build_maya.fetched().glob("*.dist-info/METADATA")):
        found = re.search(r"^Requires-Python: >=(\d+)\.(\d+)", path.read_text("utf-8"), re.MULTILINE)
        if found is not None and (int(found[1]), int(found[2])) > OLDEST:
            yield f"constraints-maya.txt: error: {path.parent.name} needs Python {found[1]}.{found[2]}, not {least}"


def mistakes() -> Iterator[str]:
    """What mypy finds."""
    scripts = MODULE / "scripts"
    command = [sys.executable, "-m", "mypy", *MYPY, "--cache-dir", str(ROOT / "build" / "typed-maya.cache"),
               build_maya.PACKAGE.name, "../plug-ins", f"../{INSTALLER}", "--no-error-summary",
               "--no-pretty"]  # fmt: skip
    done = subprocess.run(command, cwd=scripts, capture_output=True, text=True, timeout=600, check=False)
    for line in done.stdout.splitlines():
        file, colon, told = line.partition(":")
        place = Path(os.path.relpath(scripts / file, MODULE)).as_posix()
        if not place.startswith(OTHERS):
            yield _source(f"{place}{colon}{told}")
    if done.returncode and not done.stdout:
        sys.exit(f"mypy could not check the Maya module:\n{done.stderr}")


def _source(line: str) -> str:
    """A message with the place that the file in it comes from."""
    built = next(place for place in SOURCES if line.startswith(place))
    return SOURCES[built] + line.removeprefix(built)


if __name__ == "__main__":
    sys.exit(main())
