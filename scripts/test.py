"""Run the tests, all or one suite (`faults`, `studio`, `fidelity`, `desktop`, `browser`), for the Makefile and CI.

Parts that run inside Blender are run by each Blender environment in turn; under CI all series must be there.
The suite `desktop` is the one in a real window, and with it what runs inside Blender 5.2, whose Python is there. The
suite `browser` has its Chromium from there too.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import desktop

ROOT = Path(__file__).resolve().parent.parent
MAIN_FOLDERS = ["tests/client", "tests/store", "tests/server", "tests/worker", "tests/acceptance", "tests/docs",
                "tests/hosts", "tests/maya_plugin", "tests/fidelity"]  # fmt: skip
WORKER_FOLDER, ADDON_FOLDER = "tests/blender", "tests/addon"
DESKTOP_FOLDER, BROWSER_FOLDER = "tests/desktop", "tests/browser"
CI_SERIES = ["4.5", "4.2", "5.0"]
#: The worker of the tests in a window has a Blender of the window's series.
DESKTOP_SERIES = ["4.3"]
IN_CI = os.environ.get("CI") == "true"


def main(suite: str | None) -> int:
    """Run a suite and return the exit status."""
    suites = {"desktop": desktop_suite, "browser": browser_suite, "fidelity": fidelity_suite}
    failed = suites[suite]() if suite in suites else marked_suite(suite)
    if failed is None:
        return 1
    print(f"Suites that failed: {', '.join(failed)}" if failed else "All suites passed.")
    return 1 if failed else 0


def marked_suite(suite: str | None) -> list[str] | None:
    """The tests with a mark, or all that have none; returns what failed, None where nothing could be run."""
    if not make_blenders(CI_SERIES if IN_CI else []) and IN_CI:
        return None
    environments = sorted((ROOT / "build").glob("bpy-*/sendoff-stamp"))
    runtimes = [stamp.parent for stamp in environments]
    environment = os.environ | {"SENDOFF_TEST_BLENDERS": os.pathsep.join(map(str, runtimes))}
    failed = []
    marks = ["-m", suite] if suite else ["-m", "not faults and not studio"]
    if pytest([sys.executable], [*MAIN_FOLDERS, *marks], environment):
        failed.append("main")
    if suite is None:  # one Blender each: bpy cannot be set up twice in a process
        failed += inside_blenders(WORKER_FOLDER, runtimes, environment, lanes=os.cpu_count() or 1)
        failed += inside_blenders(ADDON_FOLDER, runtimes, environment, lanes=1)  # its times are measured
    if not runtimes:
        print("SKIPPED: everything inside Blender, since no Blender environment could be made (see above).")
    return failed


def desktop_suite() -> list[str] | None:
    """The tests in a real window and those inside Blender 5.2; the window system is made only under CI."""
    if not make_window_system():
        return None
    reason = desktop.why_not()
    if not reason and not make_blenders(DESKTOP_SERIES):
        return None
    failed = []
    if pytest([sys.executable], [DESKTOP_FOLDER], dict(os.environ)):
        failed.append("in the window")
    if reason:
        print(f"SKIPPED: everything inside Blender {desktop.SERIES}: {reason}.")
        return failed
    for folder in (WORKER_FOLDER, ADDON_FOLDER):
        inside = [str(desktop.MODULE / "bin" / "python"), "-m", "pytest", folder]
        print(f"\n== {desktop.MODULE.name}: pytest {folder}", flush=True)
        if desktop.run(inside, CI=os.environ.get("CI", "")):
            failed.append(f"{folder} in {desktop.MODULE.name}")
    print(f"\n== the fidelity tool on its own scenes in Blender {desktop.SERIES}", flush=True)
    if subprocess.run(
        [sys.executable, "scripts/fidelity", "--series", desktop.SERIES], cwd=ROOT, check=False
    ).returncode:
        failed.append(f"fidelity in {desktop.MODULE.name}")
    return failed


def fidelity_suite() -> list[str] | None:
    """The fidelity tool on its own scenes, in each Blender environment; the window system's has a suite of its own."""
    if not make_blenders(CI_SERIES if IN_CI else []) and IN_CI:
        return None
    print("\n== the fidelity tool on its own scenes", flush=True)
    series = ["--series", *sorted(CI_SERIES)] if IN_CI else []
    done = subprocess.run([sys.executable, "scripts/fidelity", *series], cwd=ROOT, check=False)
    return ["fidelity"] if done.returncode else []


def browser_suite() -> list[str] | None:
    """The tests in a real Chromium, which is in the window system."""
    if not make_window_system():
        return None
    return ["in the browser"] if pytest([sys.executable], [BROWSER_FOLDER], dict(os.environ)) else []


def make_window_system() -> bool:
    """Make it under CI; returns False where that is not possible."""
    try:
        if IN_CI:
            desktop.make()
    except desktop.CannotMake as problem:
        print(problem, file=sys.stderr)
        return False
    return True


def make_blenders(series: list[str]) -> bool:
    """Make the Blender environments that are not there yet; returns whether that worked."""
    python = os.environ.get("PYTHON", sys.executable)
    return subprocess.run([python, "scripts/setup.py", "bpy", *series], cwd=ROOT, check=False).returncode == 0


def inside_blenders(folder: str, runtimes: list[Path], environment: dict[str, str], *, lanes: int) -> list[str]:
    """Run a folder's tests in each Blender, up to `lanes` at the same time; returns what failed.

    What runs beside another is printed once it has ended.
    """

    def run(runtime: Path) -> int:
        interpreter = [str(runtime / "bin" / "python")]
        if min(lanes, len(runtimes)) < 2:
            return pytest(interpreter, [folder], environment)
        with tempfile.TemporaryFile("w+", errors="replace") as output:
            status = pytest(interpreter, [folder], environment, output)
            output.seek(0)
            print(output.read(), flush=True)
        return status

    with ThreadPoolExecutor(max_workers=lanes) as threads:
        statuses = list(threads.map(run, runtimes))
    return [f"{folder} in {runtime.name}" for runtime, status in zip(runtimes, statuses, strict=True) if status]


def pytest(
    interpreter: list[str], arguments: list[str], environment: dict[str, str], output: IO[str] | None = None
) -> int:
    """Run pytest with an interpreter, with its output on the screen or in a file; returns its exit status."""
    title = f"\n== {Path(interpreter[0]).parent.parent.name}: pytest {' '.join(arguments)}"
    print(title, file=output, flush=True)
    status = subprocess.run(
        [*interpreter, "-m", "pytest", *arguments], cwd=ROOT, env=environment, stdout=output, stderr=output, check=False
    )
    return status.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else None))
