"""`make up`: start the stack with the Blender environments of this checkout, and stay until Ctrl-C."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

if "SENDOFF_BLENDERS" not in os.environ:
    # A machine for which no Blender module exists still gets a server; tasks that need Blender then wait.
    subprocess.run([os.environ.get("PYTHON", sys.executable), ROOT / "scripts" / "setup.py", "bpy"], check=False)
    made = sorted(stamp.parent for stamp in (ROOT / "build").glob("bpy-*/sendoff-stamp"))
    os.environ["SENDOFF_BLENDERS"] = os.pathsep.join(map(str, made))
if "SENDOFF_ADDON_DIR" not in os.environ:
    folder = ROOT / "dist" / "addon"
    build = [sys.executable, ROOT / "scripts" / "build_repository.py", "--out", folder]
    if subprocess.run(build, stdout=subprocess.DEVNULL, check=False).returncode == 0:
        os.environ["SENDOFF_ADDON_DIR"] = str(folder)
if "SENDOFF_MAYA_DIR" not in os.environ:
    build = [sys.executable, ROOT / "scripts" / "build_maya.py", "--out", ROOT / "dist"]
    if subprocess.run(build, stdout=subprocess.DEVNULL, check=False).returncode == 0:
        os.environ["SENDOFF_MAYA_DIR"] = str(ROOT / "dist")
command = str(Path(sys.executable).parent / "sendoff-server")
os.execv(command, [command, "up", *sys.argv[1:]])
