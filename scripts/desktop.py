"""Make the window system of `make test-desktop`: a small Debian 13 in build/desktop/trixie, with a real Blender window.

It holds Blender 4.3 with its window, Xvfb, a mouse and a keyboard (xdotool), Chromium, what reads the screen
(ImageMagick, tesseract), and the Python 3.13 with Blender 5.2 as a module that `tests/addon` and `tests/blender` run
in as well.

    desktop.py              make it (minutes, once; as root on Debian or Ubuntu)
    desktop.py run COMMAND  run a command in it, in this folder

Only the standard library is used. A command enters by mount and process namespaces of its own (unshare): the mounts
and all its processes are gone when it ends, so `make clean` never meets the host's /dev. Inside, this checkout and
the folder for temporary files are where they are outside, and the network is the host's.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "scripts"))
import setup  # noqa: E402 - the neighbour, which knows the releases of Blender as a module

SUITE = "trixie"
FOLDER = ROOT / "build" / "desktop" / SUITE
#: Names a Debian mirror where the machine's own apt sources have none (Ubuntu).
MIRROR_VARIABLE = "DESKTOP_MIRROR"
PACKAGES = [
    "blender", "xvfb", "xauth", "libgl1-mesa-dri", "xdotool", "imagemagick", "x11-utils", "tesseract-ocr",
    "tesseract-ocr-eng", "python3-numpy", "python3-requests", "python3-venv", "python3-xlib", "procps", "chromium",
    *setup.SYSTEM_LIBRARIES,
]  # fmt: skip
SERIES = "5.2"
#: Blender 5.2 as a module, as it is seen inside.
MODULE = Path("/opt") / f"bpy-{SERIES}"
STAMP = FOLDER / "sendoff-stamp"
#: What a command inside sees of the host's environment: how it reaches the network, and nothing else.
KEPT_VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
ENTER = """
set -e
folder=$1; shift
mount --rbind /dev "$folder/dev"
mount --rbind /sys "$folder/sys"
mount -t proc proc "$folder/proc"
while [ "$1" != -- ]; do mkdir -p "$folder$1"; mount --bind "$1" "$folder$1"; shift; done
shift
exec chroot "$folder" "$@"
"""


class CannotMake(Exception):
    """The window system cannot be made here; the sentence says why and what to do."""


def main(arguments: list[str]) -> int:
    """Make it, or run a command in it; returns the exit status."""
    try:
        if not arguments:
            make()
            return 0
        if arguments[0] == "run" and len(arguments) > 1:
            return run(arguments[1:])
    except CannotMake as problem:
        print(problem, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as problem:
        print(f"{(problem.stdout or '')[-4000:]}\n{words(problem.cmd)} failed (see above); "
              "run it again with the network there: make desktop", file=sys.stderr)  # fmt: skip
        return 1
    print(__doc__)
    return 2


def why_not() -> str:
    """Why nothing can be run in it, in a sentence; "" where it can."""
    if not (STAMP.is_file() and STAMP.read_text() == fingerprint()):
        return "there is no window system, or an old one: make desktop (as root, on Debian or Ubuntu)"
    if os.geteuid() != 0:
        return "only root can enter the window system of build/desktop"
    return ""


def make() -> None:
    """Make what is not there yet."""
    if not why_not():
        return
    if not sys.platform.startswith("linux") or not shutil.which("apt-get"):
        raise CannotMake("The window system is made by debootstrap, on Debian or Ubuntu; this machine has no apt-get.")
    if os.geteuid() != 0:
        raise CannotMake("The window system can only be made by root. Type: sudo make desktop")
    if not shutil.which("debootstrap"):
        say("Installing debootstrap")
        quietly("apt-get", "update", "--quiet=2")
        quietly("apt-get", "install", "--yes", "--no-install-recommends", "debootstrap")
    STAMP.unlink(missing_ok=True)
    if not (FOLDER / "etc" / "sendoff-base").is_file():
        make_base()
    install_packages()
    install_module()
    STAMP.write_text(fingerprint())


def make_base() -> None:
    """The bare Debian 13."""
    say("Making a small Debian 13 in build/desktop (half a minute)")
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    bootstrap = ["debootstrap", "--variant=minbase", "--include=ca-certificates", SUITE, str(FOLDER), mirror()]
    quietly("unshare", "--mount", "--propagation", "private", "--", *bootstrap)
    # Nothing here has to survive a power cut, and no service may start.
    (FOLDER / "etc/dpkg/dpkg.cfg.d/sendoff").write_text("force-unsafe-io\npath-exclude=/usr/share/doc/*\n")
    policy = FOLDER / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    (FOLDER / "etc/mtab").symlink_to("/proc/mounts")  # Blender reads it
    (FOLDER / "etc" / "sendoff-base").touch()


def install_packages() -> None:
    """Blender and what a window needs, from the same mirror."""
    say("Installing Blender and its window (a minute, 2 GB)")
    for name in ("etc/resolv.conf", "etc/hosts", "etc/ssl/certs/ca-certificates.crt"):
        if Path("/", name).is_file():
            (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path("/", name), FOLDER / name)
    quietly(*command(["apt-get", "update", "--quiet=2"]))
    options = ["--yes", "--quiet=2", "--no-install-recommends"]
    quietly(*command(["apt-get", "install", *options, *PACKAGES], DEBIAN_FRONTEND="noninteractive"))
    quietly(*command(["apt-get", "clean"]))


def install_module() -> None:
    """Blender 5.2 as a module: downloaded by this Python's pip, with its settings, and installed inside."""
    release, python, numpy = setup.BPY_RELEASES[SERIES]
    say(f"Installing Blender {release} as a module (1 GB)")
    with tempfile.TemporaryDirectory(prefix="sendoff-desktop-") as wheels:
        tag = "".join(map(str, python))
        platforms = [f"manylinux_2_{minor}_{platform.machine()}" for minor in range(41, 16, -1)]
        wanted = ["--python-version", tag, "--implementation", "cp", "--abi", f"cp{tag}", "--abi", "abi3", "--abi",
                  "none", *(word for name in platforms for word in ("--platform", name))]  # fmt: skip
        packages = ["--constraint", str(ROOT / "constraints-bpy.txt"), f"bpy=={release}", numpy, *setup.BPY_EXTRAS]
        quietly(sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--dest", wheels,
                *wanted, *packages)  # fmt: skip
        quietly(*command(["python3", "-m", "venv", "--clear", str(MODULE)]))
        quietly(*command([str(MODULE / "bin/python"), "-m", "pip", "install", "--quiet", "--no-index", "--find-links",
                          wheels, *packages]))  # fmt: skip
    quietly(*command([str(MODULE / "bin/python"), "-c", "import bpy"]))


def run(arguments: Sequence[str], **environment: str) -> int:
    """Run a command inside, in this folder, with this terminal; returns its exit status."""
    reason = why_not()
    if reason:
        raise CannotMake(f"A command cannot be run inside: {reason}.")
    return subprocess.run(command(arguments, **environment), cwd=ROOT, check=False).returncode


def command(arguments: Sequence[str], **environment: str) -> list[str]:
    """The command that runs `arguments` inside, with this environment and no other; killed, it leaves nothing."""
    given = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "TMPDIR": tempfile.gettempdir(),
        **{name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
        **environment,
    }
    variables = [f"{name}={value}" for name, value in given.items()]
    shared = dict.fromkeys((tempfile.gettempdir(), "/tmp", str(ROOT)))
    return [
        # The kernel ends it with whatever started it, and all that runs inside with it.
        "setpriv", "--pdeathsig", "KILL",
        "unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--",
        "sh", "-c", ENTER, "sh", str(FOLDER), *shared, "--",
        "/usr/bin/env", "-i", f"--chdir={ROOT}", *variables, *arguments,
    ]  # fmt: skip


def mirror() -> str:
    """The Debian mirror that this machine's own apt uses."""
    found = os.environ.get(MIRROR_VARIABLE) or mirror_of_apt()
    if not found:
        quietly("apt-get", "update", "--quiet=2")  # whose mirror one is is known only then
        found = mirror_of_apt()
    if not found:
        raise CannotMake("The apt sources of this machine name no Debian mirror. "
                         f"Name one: make desktop {MIRROR_VARIABLE}=http://...")  # fmt: skip
    return found


def mirror_of_apt() -> str:
    """The first Debian mirror among apt's sources, or ""."""
    listed = quietly("apt-get", "indextargets", "--format", "$(LABEL) $(SITE)", "Created-By: Packages")
    sites = (line.removeprefix("Debian ") for line in listed.splitlines() if line.startswith("Debian http"))
    return next(sites, "")


def fingerprint() -> str:
    """What it is made from, in one line."""
    release, _, numpy = setup.BPY_RELEASES[SERIES]
    constraints = (ROOT / "constraints-bpy.txt").read_text()
    parts = [SUITE, *PACKAGES, release, numpy, *setup.BPY_EXTRAS, constraints]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def quietly(*arguments: str) -> str:
    """Run a command and return what it printed; where it fails, its words come with the error."""
    return subprocess.run(
        arguments, cwd=ROOT, check=True, timeout=1800, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ).stdout


def words(arguments: Sequence[str]) -> str:
    """A command as a person would know it, without the way in."""
    listed = list(arguments)
    while "--" in listed:
        listed = listed[listed.index("--") + 1 :]
    if listed[:2] == ["/usr/bin/env", "-i"]:
        listed = [word for word in listed[2:] if "=" not in word]
    return " ".join(listed[:4])


def say(what: str) -> None:
    """Say what takes its time."""
    print(f"{what} ...", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
