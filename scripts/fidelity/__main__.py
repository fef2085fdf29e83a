"""`make fidelity SCENES=folder`: whether results are of what the artist sees, for every scene file of a folder.

Each file goes through the add-on in a real Blender, of each series that is installed, and through the command
`sendoff submit`, to both tasks, on a server that is started for it. Both sides are measured by arithmetic of this
tool. Without a folder the tool makes scenes itself: one for each kind of thing that a scene can hold.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE), str(ROOT / "scripts")]

import children  # noqa: E402
from blenders import Installed, installed  # noqa: E402
from scene_list import SceneFile, scenes_of  # noqa: E402
from table import BAD, Verdict, print_summary, print_verdict, write_json  # noqa: E402
from tests.stack import Stack  # noqa: E402
from visits import TASKS, WAYS, Run  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Run it; returns 1 if anything deviates or fails."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="sendoff-fidelity-"))
    found = installed(options.series, folder)
    if not found:
        python = os.environ.get("PYTHON", sys.executable)
        subprocess.run([python, ROOT / "scripts" / "setup.py", "bpy", *options.series], check=False)
        found = installed(options.series, folder)
    if not found:
        shutil.rmtree(folder, ignore_errors=True)
        print("There is no Blender to be an artist's. Type: make bpy", file=sys.stderr)
        return 2
    begun = time.monotonic()
    verdicts: list[Verdict] = []
    try:
        with Stack(folder / "server", **settings(found, folder)) as stack:
            run = Run(
                stack=stack, folder=folder, addon=build_addon(folder), tasks=options.task or list(TASKS),
                ways=options.way or list(WAYS), seconds=options.timeout, lanes=options.jobs, say=print_verdict,
                commands_in_newest=options.scenes is None,
            )  # fmt: skip
            for blender, scenes in work(options, found, folder):
                run.visit(blender, scenes, all_blenders=found)
            verdicts = run.verdicts
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    finally:
        children.end_all()
        if options.keep:
            print(f"Kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print_summary(verdicts, time.monotonic() - begun)
    if options.json:
        write_json(options.json, verdicts)
    return 1 if any(one.verdict in BAD for one in verdicts) else 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make fidelity", description=__doc__)
    parser.add_argument("scenes", nargs="?", type=Path, help="a folder (or a file); without it, scenes that are made")
    parser.add_argument("--series", nargs="*", default=[], help="only these Blender series")
    parser.add_argument("--task", nargs="*", default=[], choices=TASKS, help="only these tasks")
    parser.add_argument("--way", nargs="*", default=[], choices=WAYS, help="only these ways")
    parser.add_argument("--only", nargs="*", default=[], help="only files whose path holds one of these texts")
    parser.add_argument("--jobs", type=int, default=2, help="how many files at the same time")
    parser.add_argument("--timeout", type=float, default=1800.0, help="most seconds for one file in one Blender")
    parser.add_argument("--json", type=Path, help="write all verdicts into this file")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and results")
    options = parser.parse_args(arguments)
    if options.scenes is not None and not options.scenes.exists():
        parser.error(f"there is no folder {options.scenes}. Give one: make fidelity SCENES=path/to/folder")
    return options


def work(options: argparse.Namespace, found: list[Installed], folder: Path) -> list[tuple[Installed, list[SceneFile]]]:
    """Which files each Blender gets: those of the folder, or those that it makes itself."""
    listed = []
    for blender in found:
        scenes = options.scenes
        if scenes is None:
            scenes = folder / "corpus" / blender.series
            blender.make_corpus(scenes, options.only)
        listed.append((blender, [one for one in scenes_of(scenes.resolve()) if is_asked(options, one)]))
    return listed


def is_asked(options: argparse.Namespace, scene: SceneFile) -> bool:
    """Whether a file is one of those that are asked for."""
    return not options.only or any(text in scene.name for text in options.only)


def settings(found: list[Installed], folder: Path) -> dict[str, str]:
    """The settings of the server and its worker."""
    # What enters the window system mounts it, which no sandbox allows.
    is_window = any(folder in one.runtime.parents for one in found)
    return {
        "SENDOFF_BLENDERS": os.pathsep.join(str(one.runtime) for one in found),
        "SENDOFF_CONCURRENCY": "2",
        "SENDOFF_WORK_DIR": str(folder / "server" / "work"),
        "SENDOFF_BLENDER_SANDBOX": "off" if is_window else "auto",
    }


def build_addon(folder: Path) -> Path:
    """Build the extension as an artist gets it."""
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "build_addon.py", "--out", folder / "dist"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"The extension could not be built:\n{done.stdout}{done.stderr}")
    return Path(done.stdout.strip().splitlines()[-1])


if __name__ == "__main__":
    sys.exit(main())
