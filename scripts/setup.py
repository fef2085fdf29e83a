"""Make the environments this project runs in: `setup.py main` and `setup.py bpy [SERIES ...]`.

`setup.py default-series` prints the Blender series that fits this Python.

Only the standard library is used. A second run is quick: a stamp holds what the environment was made from.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAIN = ROOT / ".venv"
#: Blender as a module, by series: the release, the Python it was built for, and the numpy it was built with.
BPY_RELEASES = {
    "4.2": ("4.2.23", (3, 11), "numpy<2"),
    "4.3": ("4.3.0", (3, 11), "numpy<2"),
    "4.5": ("4.5.15", (3, 11), "numpy"),
    "5.0": ("5.0.1", (3, 11), "numpy"),
    "5.2": ("5.2.3", (3, 13), "numpy"),
}
DEFAULT_SERIES = {(3, 11): "4.5", (3, 13): "5.2"}
BPY_EXTRAS = ["websocket-client", "requests", "pytest", "hypothesis"]
#: Blender itself brings the library for USD in every series, Blender as a module from 4.5 on.
WITHOUT_USD = ("4.2", "4.3")
SYSTEM_LIBRARIES = [
    "libx11-6", "libxi6", "libxfixes3", "libxrender1", "libsm6", "libice6", "libgl1", "libxkbcommon0", "libuuid1",
]  # fmt: skip


def main(arguments: list[str]) -> None:
    """Make the environments that are named."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this script meets whatever Python the machine has
        sys.exit(f"Sendoff's server needs Python 3.11 or later; this is {platform.python_version()}. "
                 "Install python3.11 and run: make PYTHON=python3.11 ...")  # fmt: skip
    if arguments[:1] == ["main"]:
        make_main()
    elif arguments[:1] == ["bpy"]:
        for series in arguments[1:] or [default_series()]:
            make_bpy(series)
    elif arguments == ["default-series"]:
        print(default_series())
    else:
        sys.exit(__doc__)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait for another make that makes the same environment: two at once would remove what the other installs."""
    if os.name == "nt":
        yield
        return
    import fcntl

    locks = ROOT / "build"
    locks.mkdir(exist_ok=True)
    with (locks / f"{folder.name.lstrip('.')}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_main() -> None:
    """Make .venv with the server, the worker, the command and the development tools."""
    with alone(MAIN):
        _make_main()


def _make_main() -> None:
    sources = [ROOT / name for name in ("pyproject.toml", "client/pyproject.toml", "constraints.txt")]
    stamp = fingerprint(*(path.read_text() for path in sources))
    if is_made(MAIN, stamp):
        return
    print("Making the environment .venv (a minute, once) ...", flush=True)
    make_environment(MAIN)
    install(MAIN, "--constraint", "constraints.txt", "--editable", "client[cli]", "--editable", ".[worker,s3,dev]")
    (MAIN / "sendoff-stamp").write_text(stamp)


def make_bpy(series: str) -> None:
    """Make build/bpy-SERIES with Blender as a module, and see that it starts."""
    if series not in BPY_RELEASES:
        sys.exit(f"There is no Blender {series} in scripts/setup.py; it knows {', '.join(BPY_RELEASES)}.")
    release, python, numpy = BPY_RELEASES[series]
    if sys.version_info[:2] != python:
        sys.exit(f"Blender {series} as a module needs Python {'.'.join(map(str, python))}; this is "
                 f"{platform.python_version()}. Run make with PYTHON=python{'.'.join(map(str, python))}, "
                 "or install Blender itself: the demo finds `blender` on the PATH.")  # fmt: skip
    folder = ROOT / "build" / f"bpy-{series}"
    stamp = fingerprint(release, numpy, *BPY_EXTRAS, (ROOT / "constraints-bpy.txt").read_text())
    with alone(folder):
        _make_bpy(folder, series, stamp)
    see_that_it_starts(folder)


def _make_bpy(folder: Path, series: str, stamp: str) -> None:
    release, _, numpy = BPY_RELEASES[series]
    if not is_made(folder, stamp):
        print(f"Making build/bpy-{series} with Blender {release} (1 GB, once) ...", flush=True)
        make_environment(folder)
        usd = ["usd-core"] if series in WITHOUT_USD else []
        install(folder, "--constraint", "constraints-bpy.txt", f"bpy=={release}", numpy, *BPY_EXTRAS, *usd)
        (folder / "sendoff-stamp").write_text(stamp)


def see_that_it_starts(folder: Path) -> None:
    """Import bpy once; where a system library is missing, install it if that is allowed, or say what to type."""
    found = subprocess.run(
        [interpreter(folder), "-c", "import bpy"], capture_output=True, text=True, timeout=120, check=False
    )
    if found.returncode == 0:
        return
    line = "apt-get install --yes --no-install-recommends " + " ".join(SYSTEM_LIBRARIES)
    if "cannot open shared object file" not in found.stderr:
        sys.exit(f"Blender as a module does not start:\n{found.stderr.strip()}")
    if os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get"):
        print("Blender needs system libraries that are not here; installing them ...", flush=True)
        subprocess.run(["apt-get", "update", "--quiet=2"], check=False, timeout=600)
        subprocess.run(line.split(), check=True, timeout=900, stdout=subprocess.DEVNULL)
        subprocess.run([interpreter(folder), "-c", "import bpy"], check=True, timeout=120)
        return
    missing = found.stderr.strip().splitlines()[-1].removeprefix("ImportError: ")
    sys.exit(f"Blender needs system libraries that are not here ({missing}). Type this, then run make again:\n"
             f"  sudo {line}")  # fmt: skip


def default_series() -> str:
    """The Blender series for this Python: the newest long-term one that has a wheel for it."""
    try:
        return DEFAULT_SERIES[sys.version_info[:2]]
    except KeyError:
        sys.exit(f"No Blender module exists for Python {platform.python_version()}. Run make with "
                 "PYTHON=python3.11 (Blender 4.5) or python3.13 (Blender 5.2), or install Blender.")  # fmt: skip


def make_environment(folder: Path) -> None:
    """Make an empty virtual environment; on Debian its module may have to be installed first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(folder)], capture_output=True, text=True, timeout=120, check=False
    )
    if made.returncode == 0:
        return
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    if os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "--quiet=2"], check=False, timeout=600)
        subprocess.run(["apt-get", "install", "--yes", package], check=True, timeout=600, stdout=subprocess.DEVNULL)
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=120)
        return
    sys.exit(f"Python cannot make a virtual environment here. Type this, then run make again:\n"
             f"  sudo apt-get install {package}")  # fmt: skip


def install(folder: Path, *what: str) -> None:
    """Install with pip; its own words are shown where it fails."""
    command = [interpreter(folder), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *what]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False)
    if done.returncode:
        sys.exit(f"pip could not install what {folder.name} needs:\n{done.stdout}{done.stderr}")


def is_made(folder: Path, stamp: str) -> bool:
    """Whether the environment is there and was made from the same things."""
    path = folder / "sendoff-stamp"
    return path.is_file() and path.read_text() == stamp and Path(interpreter(folder)).exists()


def interpreter(folder: Path) -> str:
    """The Python of an environment."""
    return str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


def fingerprint(*parts: str) -> str:
    """What an environment is made from, in one line."""
    python = f"{sysconfig.get_platform()} {platform.python_version()} {ROOT}"
    return hashlib.sha256("\0".join([python, *parts]).encode()).hexdigest()


if __name__ == "__main__":
    main(sys.argv[1:])
