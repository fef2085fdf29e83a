"""The artist of `make demo`: a real Blender with the extension, from the click to the result in the saved scene.

Run by a Python that has Blender as a module, or as `blender -b --python demo_artist.py -- ARGUMENTS`. Prints one
JSON object per line: what the status bar shows as it changes, and at the end what came of it.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

TASK = "mesh.lods"
#: The whole job is given so long.
LIMIT_SECONDS = 1700.0
#: As often as the timer in a window calls the pump.
TICK_SECONDS = 0.05


class ArtistGaveUp(Exception):
    """Something did not work; the text is a sentence."""


def main(arguments: list[str]) -> int:
    """Do it all and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--addon", type=Path, required=True, help="the extension's zip")
    parser.add_argument("--scene", type=Path, required=True, help="the .blend to open")
    parser.add_argument("--out", type=Path, required=True, help="the folder for the saved scene")
    options = parser.parse_args(arguments)
    say = only_our_lines()
    options.out.mkdir(parents=True, exist_ok=True)
    # Blender's settings of this machine's user are neither read nor written.
    os.environ["BLENDER_USER_RESOURCES"] = str(options.out.resolve().parent / "blender-user")
    try:
        say(work(options.addon.resolve(), options.scene.resolve(), options.out.resolve(), say))
    except (ArtistGaveUp, RuntimeError) as problem:
        say({"error": str(problem).strip().removeprefix("Error: ")})
        return 1
    return 0


def only_our_lines() -> Any:
    """Send whatever Blender prints to stderr; returns the function that writes one of our lines to stdout."""
    ours = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(line: dict[str, Any]) -> None:
        print(json.dumps(line, ensure_ascii=False), file=ours, flush=True)

    return say


def work(addon_zip: Path, scene: Path, out: Path, say: Any) -> dict[str, Any]:
    """Install, open, click, wait, save; returns the last line."""
    import bpy

    addon = install(bpy, addon_zip)
    try:
        bpy.ops.wm.open_mainfile(filepath=str(scene), load_ui=False)
    except RuntimeError as error:
        raise ArtistGaveUp(f"Blender cannot open {scene.name}: {error}") from error
    part = {name: importlib.import_module(f"{addon}.{name}") for name in ("current", "pump", "sendoff.host.status")}
    if not bpy.ops.sendoff.process.poll():
        raise ArtistGaveUp(part["current"].desk.why_offline())
    bpy.ops.sendoff.process(task=TASK, wait=False)  # the bar is told here, as a window's timer would show it
    jobs = part["current"].desk.jobs
    job = jobs.jobs[-1]
    wait_until_landed(job, jobs, part, say)
    saved = out / f"{scene.stem}-with-lods.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(saved), check_existing=False)
    rows = [{"object": row["object"], "triangles": row["triangles"]} for row in job.summary.get("objects") or ()]
    return {
        "lods": rows,
        "warnings": list(job.warnings),
        "scene_bytes": job.scene_bytes,
        "sent_bytes": job.sent_bytes,
        "blend": str(saved) if rows else None,
        "saved": str(saved),
    }


def install(bpy: Any, addon_zip: Path) -> str:
    """Install and enable the extension as a person would, from disk; returns its module's name."""
    bpy.ops.extensions.package_install_files(
        filepath=str(addon_zip), repo="user_default", enable_on_install=True, overwrite=True
    )
    found = [addon.module for addon in bpy.context.preferences.addons if addon.module.endswith(".sendoff")]
    if not found:
        raise ArtistGaveUp(f"Blender did not enable the extension {addon_zip.name}; its log says why.")
    return found[0]


def wait_until_landed(job: Any, jobs: Any, part: dict[str, Any], say: Any) -> None:
    """Call the pump as a window's timer would, until the job has ended and its result is in the scene."""
    deadline = time.monotonic() + LIMIT_SECONDS
    shown = None
    while job.is_active or job.wants_import:
        if time.monotonic() > deadline:
            raise ArtistGaveUp(f"The job did not end within {LIMIT_SECONDS:.0f} s.")
        if jobs.connectivity.state == "refused":
            raise ArtistGaveUp(jobs.connectivity.detail)
        part["pump"].pump()
        entry = part["sendoff.host.status"].model(jobs).front
        if entry is not None and (entry.text, entry.fraction) != shown:
            shown = (entry.text, entry.fraction)
            say({"text": entry.text, "fraction": entry.fraction})
        time.sleep(TICK_SECONDS)
    if job.problem is not None:
        raise ArtistGaveUp(job.problem.text)


if __name__ == "__main__":
    status = 1
    try:
        status = main(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:])
    except Exception:
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(status)  # Blender's own way out can hang
