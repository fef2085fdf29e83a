"""Build the static extension repository of the add-on: `dist/addon/`. Only the standard library is used.

It holds `index.json`, which Blender reads as a remote repository, the zip that it names, and a page for people
(`index.html`, `index.css`). The server serves it at /addon/; any web server can. Form of the JSON:
https://developer.blender.org/docs/features/extensions/api_listing/ (v1). The last line printed is the folder's path.
"""

from __future__ import annotations

import argparse
import hashlib
import html
import json
import string
import sys
import tomllib
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, urlencode

sys.path.insert(0, str(Path(__file__).parent))
import build_addon

PAGE = Path(__file__).parent / "repository"
#: What of a manifest stands in the list, in Blender's order; the wheels are the zip's own business.
LISTED = (
    "schema_version", "id", "name", "tagline", "version", "type", "maintainer", "license", "blender_version_min",
    "blender_version_max", "website", "copyright", "permissions", "tags", "platforms",
)  # fmt: skip


def main() -> int:
    """Build the repository and print its path."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=build_addon.ROOT / "dist" / "addon", help="the repository's folder")
    print(build(parser.parse_args().out))
    return 0


def build(folder: Path) -> Path:
    """Build the repository in a folder, in the place of the one before, and return the folder.

    The list is replaced once the zip that it names is there, so that a server may go on serving meanwhile.
    """
    archive = build_addon.build(folder)
    entry = listing(archive)
    write(folder / "index.json", json.dumps({"version": "v1", "blocklist": [], "data": [entry]}, indent=2))
    write(folder / "index.css", (PAGE / "index.css").read_text("utf-8"))
    write(folder / "index.html", page(entry))
    for older in folder.glob("sendoff-*.zip"):
        if older.name != archive.name:
            older.unlink()
    return folder


def listing(archive: Path) -> dict[str, Any]:
    """The entry of `index.json` for a zip."""
    with zipfile.ZipFile(archive) as zipped:
        manifest = tomllib.loads(zipped.read("blender_manifest.toml").decode())
    data = archive.read_bytes()
    return {
        **{name: manifest[name] for name in LISTED if name in manifest},
        "python_versions": python_versions(manifest["wheels"]),
        "archive_url": f"./{quote(archive.name)}",
        "archive_size": len(data),
        "archive_hash": f"sha256:{hashlib.sha256(data).hexdigest()}",
    }


def python_versions(wheels: list[str]) -> list[str]:
    """The versions of Python that the wheels are for: those of their tags, which are pure ("py3", "py2.py3")."""
    tags = {tag for wheel in wheels for tag in PurePosixPath(wheel).stem.split("-")[-3].split(".")}
    return sorted(tag.removeprefix("py") for tag in tags)


def page(entry: dict[str, Any]) -> str:
    """The page for people; its link can be dragged into Blender."""
    hints = {"repository": "./index.json", "blender_version_min": entry["blender_version_min"],
             "python_versions": ",".join(entry["python_versions"])}  # fmt: skip
    words = {
        "name": entry["name"],
        "version": entry["version"],
        "tagline": entry["tagline"],
        "least": entry["blender_version_min"].removesuffix(".0"),
        "kilobytes": f"{entry['archive_size'] / 1000:.0f}",
        "link": f"{entry['archive_url']}?{urlencode(hints)}",
        "archive": entry["archive_url"],
    }
    template = string.Template((PAGE / "index.html").read_text("utf-8"))
    return template.substitute({name: html.escape(word) for name, word in words.items()})


def write(path: Path, text: str) -> None:
    """Write a file that is there as a whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(path)


if __name__ == "__main__":
    sys.exit(main())
