"""Build the Maya module: `dist/sendoff-maya-VERSION.zip`.

The zip holds install_sendoff.py, which an artist drags into Maya's viewport, and the module itself: sendoff.mod,
plug-ins/, icons/ and scripts/sendoff_maya with the SDK and the packages that it needs inside, imported from there
alone (see vendoring.py). The same sources give the same bytes. The last line printed is the zip's path.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "scripts"))
import build_addon  # noqa: E402 - the neighbours
import vendoring  # noqa: E402

CONSTRAINTS = ROOT / "constraints-maya.txt"
PLUGIN = ROOT / "maya_plugin"
#: In the module's folder.
PACKAGE = PurePosixPath("scripts/sendoff_maya")
VENDOR = PurePosixPath("vendor")
MODULE = "sendoff"
STAMP = "sendoff-stamp"
#: Parts of vendored packages that nothing here calls.
_LEFT_OUT = (
    "tests",
    "cli",
    "contrib/emscripten",
    "contrib/pyopenssl.py",
    "contrib/socks.py",
    "http2/connection.py",
    "help.py",
    "_wsdump.py",
    "__pycache__",
)


def main() -> int:
    """Build the zip and print its path."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="the folder for the zip")
    print(build(parser.parse_args().out))
    return 0


def build(folder: Path) -> Path:
    """Build the zip in a folder and return its path."""
    entries = {f"{MODULE}/{name}": data for name, data in module_files().items()}
    for name in ("install_sendoff.py", "README.txt"):
        entries[name] = (PLUGIN / name).read_bytes()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"sendoff-maya-{build_addon.version()}.zip"
    part = path.with_suffix(".zip.part")
    part.write_bytes(build_addon.zipped(entries))
    part.replace(path)
    return path


def module_files() -> dict[str, bytes]:
    """The module's files by their place in its folder."""
    entries = {
        path.relative_to(PLUGIN).as_posix(): path.read_bytes()
        for path in build_addon.sources(PLUGIN)
        if path.parent != PLUGIN
    }
    version = build_addon.version()
    entries["sendoff.mod"] = (PLUGIN / "sendoff.mod").read_text("utf-8").replace("0.0.0", version).encode()
    entries[f"{PACKAGE}/version.py"] = entries[f"{PACKAGE}/version.py"].replace(b"0.0.0", version.encode())
    entries["LICENSE"] = (ROOT / "LICENSE").read_bytes()
    client = ROOT / "client" / "sendoff"
    for path in build_addon.sources(client, without="cli"):
        place = PurePosixPath("sendoff", path.relative_to(client).as_posix())
        entries[f"{PACKAGE}/{place}"] = _module(path, place)
    vendored = fetched()
    entries[f"{PACKAGE}/{VENDOR}/__init__.py"] = b'"""Packages of others, imported from here alone; see LICENSES."""\n'
    for path in build_addon.sources(vendored):
        place = PurePosixPath(path.relative_to(vendored).as_posix())
        if ".dist-info" in place.parts[0]:
            if "license" in path.name.lower() or "notice" in path.name.lower():
                entries[f"{PACKAGE}/{VENDOR}/LICENSES/{place.parts[0].partition('-')[0]}-{path.name}"] = (
                    path.read_bytes()
                )
        elif place.parts[0] in vendoring.PACKAGES and not _is_left_out(place):
            entries[f"{PACKAGE}/{VENDOR}/{place}"] = _module(path, VENDOR / place)
    return entries


def fetched() -> Path:
    """The folder with the packages as pip brings them, made where it is not there or other releases are wanted."""
    folder = ROOT / "build" / "maya-vendor"
    stamp = hashlib.sha256(CONSTRAINTS.read_bytes()).hexdigest()
    if _is_fetched(folder, stamp):
        return folder
    print("Fetching what the Maya module holds (1 MB, once) ...", flush=True)
    part = folder.with_name(f"{folder.name}-{os.getpid()}")  # two builds may begin at once
    shutil.rmtree(part, ignore_errors=True)
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile",
        "--only-binary=:all:", "--platform", "any", "--python-version", "3.9", "--implementation", "py",
        "--abi", "none", "--target", str(part), "--requirement", str(CONSTRAINTS),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        shutil.rmtree(part, ignore_errors=True)
        sys.exit(f"pip could not fetch what constraints-maya.txt names:\n{done.stdout}{done.stderr}")
    (part / STAMP).write_text(stamp)
    if _is_fetched(folder, stamp):
        shutil.rmtree(part)  # by another build, which reads it now
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    return folder


def _is_fetched(folder: Path, stamp: str) -> bool:
    path = folder / STAMP
    return path.is_file() and path.read_text() == stamp


def _module(path: Path, place: PurePosixPath) -> bytes:
    """A file as it lies in the module; a Python module has its imports rewritten."""
    if path.suffix != ".py":
        return path.read_bytes()
    source = path.read_text("utf-8")
    if place.parts[0] == VENDOR.name:
        source = vendoring.patched(place.relative_to(VENDOR).as_posix(), source)
    return vendoring.rewritten(source, package=place.parent, vendor=VENDOR).encode()


def _is_left_out(place: PurePosixPath) -> bool:
    inside = place.relative_to(place.parts[0]).as_posix()
    return any(inside == part or inside.startswith(f"{part}/") for part in _LEFT_OUT)


if __name__ == "__main__":
    sys.exit(main())
