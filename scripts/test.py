"""Run the tests: all of them, or one marked suite (`faults`, `studio`). The Makefile and CI call this.

Parts that run inside Blender are run by each Blender environment in turn; under CI all series must be there.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAIN_FOLDERS = ["tests/client", "tests/store", "tests/server", "tests/worker", "tests/acceptance", "tests/docs"]
BLENDER_FOLDERS = ["tests/blender", "tests/addon"]
CI_SERIES = ["4.5", "4.2", "5.0"]


def main(suite: str | None) -> int:
    """Run a suite and return the exit status."""
    python = os.environ.get("PYTHON", sys.executable)
    in_ci = os.environ.get("CI") == "true"
    made = subprocess.run([python, "scripts/setup.py", "bpy", *(CI_SERIES if in_ci else [])], cwd=ROOT, check=False)
    if made.returncode and in_ci:
        return made.returncode
    environments = sorted((ROOT / "build").glob("bpy-*/sendoff-stamp"))
    runtimes = [stamp.parent for stamp in environments]
    environment = os.environ | {"SENDOFF_TEST_BLENDERS": os.pathsep.join(map(str, runtimes))}
    failed = []
    marks = ["-m", suite] if suite else ["-m", "not faults and not studio"]
    if pytest([sys.executable], [*MAIN_FOLDERS, *marks], environment):
        failed.append("main")
    for runtime in runtimes if suite is None else []:
        for folder in BLENDER_FOLDERS:  # one Blender each: bpy cannot be set up twice in a process
            if pytest([str(runtime / "bin" / "python")], [folder], environment):
                failed.append(f"{folder} in {runtime.name}")
    if not runtimes:
        print("SKIPPED: everything inside Blender, since no Blender environment could be made (see above).")
    print(f"Suites that failed: {', '.join(failed)}" if failed else "All suites passed.")
    return 1 if failed else 0


def pytest(interpreter: list[str], arguments: list[str], environment: dict[str, str]) -> int:
    """Run pytest with an interpreter; returns its exit status, with 'nothing selected' as success."""
    print(f"\n== {Path(interpreter[0]).parent.parent.name}: pytest {' '.join(arguments)}", flush=True)
    status = subprocess.run([*interpreter, "-m", "pytest", *arguments], cwd=ROOT, env=environment, check=False)
    return status.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else None))
