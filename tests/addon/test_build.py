from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import bpy

ROOT = Path(__file__).resolve().parents[2]


def build_into(folder: Path) -> Path:
    command = [sys.executable, ROOT / "scripts" / "build_addon.py", "--out", folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return Path(done.stdout.strip().splitlines()[-1])


def test_two_builds_have_the_same_bytes(addon_zip, tmp_path):
    again = build_into(tmp_path)
    assert again.name == addon_zip.name
    assert again.read_bytes() == addon_zip.read_bytes()


def test_the_zip_holds_add_on_sdk_licences_and_one_pure_wheel(addon_zip):
    with zipfile.ZipFile(addon_zip) as archive:
        names = set(archive.namelist())
        manifest = archive.read("blender_manifest.toml").decode()
        wheels = [name for name in names if name.startswith("wheels/")]
    assert {"__init__.py", "LICENSE", "sendoff/__init__.py", "sendoff/client.py", "sendoff/LICENSE"} <= names
    assert not [name for name in names if name.startswith("sendoff/cli/") or "__pycache__" in name]
    assert len(wheels) == 1
    assert wheels[0].endswith("-py3-none-any.whl")
    assert f'wheels = ["./{wheels[0]}"]' in manifest
    assert f'version = "{addon_zip.stem.split("-")[1]}"' in manifest


def test_the_wheel_is_one_that_pip_takes(addon_zip, tmp_path):
    with zipfile.ZipFile(addon_zip) as archive:
        wheel = next(name for name in archive.namelist() if name.startswith("wheels/"))
        archive.extract(wheel, tmp_path)
    target = tmp_path / "target"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", target]
    subprocess.run([*command, tmp_path / wheel], check=True, timeout=120)
    assert (target / "websocket" / "__init__.py").is_file()


def test_blenders_own_check_accepts_the_zip(addon_zip):
    import bl_pkg  # Blender's add-on for extensions, on the path since bpy was imported

    command = Path(bl_pkg.__file__).parent / "cli" / "blender_ext.py"
    done = subprocess.run(
        [sys.executable, command, "validate", addon_zip], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Success" in done.stdout


def test_the_wheel_is_installed_with_the_extension(installed):
    folder = Path(bpy.utils.user_resource("EXTENSIONS"), ".local")
    assert list(folder.rglob("websocket/__init__.py"))
