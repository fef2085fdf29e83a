"""Build the Blender extension: `dist/sendoff-VERSION.zip`. Only the standard library is used.

The zip holds addon/, the SDK of client/ as the subpackage `sendoff` (without its command), and websocket-client
as a wheel, which Blender lacks. The same sources give the same bytes. The last line printed is the zip's path.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import importlib.metadata
import io
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
WHEELED = "websocket-client"
#: Files of an installed distribution that pip made, and that are not part of the wheel.
MADE_BY_PIP = {"INSTALLER", "REQUESTED", "RECORD", "direct_url.json"}
EARLIEST = (1980, 1, 1, 0, 0, 0)


def main() -> int:
    """Build the zip and print its path."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="the folder for the zip")
    print(build(parser.parse_args().out))
    return 0


def build(folder: Path) -> Path:
    """Build the zip in a folder and return its path."""
    wheel_name, wheel = websocket_wheel()
    files = {f"wheels/{wheel_name}": wheel}
    for path in sources(ROOT / "addon"):
        files[path.relative_to(ROOT / "addon").as_posix()] = path.read_bytes()
    for path in sources(ROOT / "client" / "sendoff", without="cli"):
        files["sendoff/" + path.relative_to(ROOT / "client" / "sendoff").as_posix()] = path.read_bytes()
    files["sendoff/LICENSE"] = (ROOT / "LICENSE").read_bytes()
    files["blender_manifest.toml"] = manifest(files["blender_manifest.toml"].decode(), version(), wheel_name).encode()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"sendoff-{version()}.zip"
    part = path.with_suffix(".zip.part")
    part.write_bytes(zipped(files))
    part.replace(path)
    return path


def version() -> str:
    """The version of the add-on: that of the SDK in it, and so of the server that it fits."""
    return str(tomllib.loads((ROOT / "client" / "pyproject.toml").read_text("utf-8"))["project"]["version"])


def sources(folder: Path, *, without: str | None = None) -> list[Path]:
    """The files of a folder that belong into the zip, in order."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.relative_to(folder).parts[0] != without
    )


def manifest(text: str, version: str, wheel_name: str) -> str:
    """The manifest with the version and the wheel in their places."""
    for before, after in (
        ('version = "0.0.0"', f'version = "{version}"'),
        ("wheels = []", f'wheels = ["./wheels/{wheel_name}"]'),
    ):
        if text.count(f"\n{before}\n") != 1:
            sys.exit(f"addon/blender_manifest.toml must hold the line {before!r} once; it is filled in here.")
        text = text.replace(f"\n{before}\n", f"\n{after}\n")
    return text


def websocket_wheel() -> tuple[str, bytes]:
    """The wheel of websocket-client: made anew from the installed one, else downloaded by pip."""
    try:
        return wheel_of(importlib.metadata.distribution(WHEELED))
    except importlib.metadata.PackageNotFoundError:
        return downloaded_wheel()


def wheel_of(distribution: importlib.metadata.Distribution) -> tuple[str, bytes]:
    """An installed pure distribution as the wheel that it came from: its name and its bytes."""
    name = distribution.metadata["Name"].replace("-", "_")
    folder = f"{name}-{distribution.version}.dist-info"
    files: dict[str, bytes] = {}
    for file in distribution.files or ():
        path = PurePosixPath(file.as_posix())
        if ".." in path.parts or path.suffix == ".pyc" or path.name in MADE_BY_PIP:
            continue  # ".." are scripts in bin/, which the add-on has no use for
        if path.parts[0].lower() == folder.lower():
            path = PurePosixPath(folder, *path.parts[1:])
        files[path.as_posix()] = Path(str(file.locate())).read_bytes()
    tags = [line[5:].strip() for line in files[f"{folder}/WHEEL"].decode().splitlines() if line.startswith("Tag: ")]
    if tags != ["py3-none-any"]:
        sys.exit(f"{name} is installed as {tags}, but only a pure wheel (py3-none-any) serves every platform.")
    rows = [f"{path},sha256={digest(data)},{len(data)}" for path, data in sorted(files.items())]
    files[f"{folder}/RECORD"] = "\n".join([*rows, f"{folder}/RECORD,,", ""]).encode()
    return f"{name}-{distribution.version}-{tags[0]}.whl", zipped(files)


def downloaded_wheel() -> tuple[str, bytes]:
    """The wheel as pip finds it, in the release that the constraints name."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
                   "--constraint", str(ROOT / "constraints.txt"), "--dest", folder, WHEELED]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        found = sorted(Path(folder).glob("*.whl"))
        if done.returncode or not found:
            sys.exit(f"{WHEELED} is not installed and pip could not download it:\n{done.stdout}{done.stderr}")
        return found[0].name, found[0].read_bytes()


def digest(data: bytes) -> str:
    """A sha256 as a wheel's RECORD has it."""
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip whose bytes depend on its content alone."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in sorted(files.items()):
            entry = zipfile.ZipInfo(path, EARLIEST)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main())
