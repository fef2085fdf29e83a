"""What keeps a Blender from the rest of the machine, where the system has it: bubblewrap.

Inside, all files can be read and none be written but those of the worker's folder; what is private is not there; there
is no network, and no other process.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sendoff import signins
from sendoff_store.errors import SettingsError

from .runtimes import INSIDE, Runtime

log = logging.getLogger("sendoff.worker")

_PROBE_SECONDS = 20
#: Of the worker's user: keys and sign-ins, which no scene needs.
_PRIVATE = (".ssh", ".gnupg", ".aws", ".azure", ".config/gcloud", ".kube", ".docker", ".netrc")


@dataclass(frozen=True)
class Sandbox:
    """How a Blender is started so that it is kept to itself; without a program it is not."""

    program: str = ""
    has_network: bool = False
    #: Folders and files that are empty inside, unless something that is needed is in them.
    hidden: tuple[Path, ...] = ()
    needed: tuple[Path, ...] = ()

    @property
    def description(self) -> str:
        """What protects the worker, for its log."""
        if not self.program:
            return "Blender is not kept from the worker's files and network: install bubblewrap for that"
        network = "with the network" if self.has_network else "without the network"
        return f"Blender runs in bubblewrap, {network}"

    def command(self, inner: Sequence[str], *, runtime: Runtime, work_dir: Path) -> list[str]:
        """The command that runs another one inside, which may write to `work_dir` only."""
        if not self.program:
            return list(inner)
        blender = (runtime.executable.absolute(), runtime.executable.resolve())
        return [self.program, *self._options((*self.needed, *blender), work_dir), "--", *inner]

    def _options(self, needed: Iterable[Path], work_dir: Path) -> list[str]:
        options = ["--unshare-pid", "--unshare-ipc", "--cap-drop", "ALL", "--ro-bind", "/", "/"]
        options += ["--dev-bind", "/dev", "/dev", "--proc", "/proc"]
        if not self.has_network:
            options.append("--unshare-net")
        for path in (Path("/run"), Path("/tmp"), *self.hidden):  # noqa: S108 - to be hidden
            place = path.resolve()
            if place.is_file():
                options += ["--ro-bind", "/dev/null", str(place)]
            elif place.is_dir() and not any(one.is_relative_to(place) for one in needed):
                options += ["--tmpfs", str(place)]
        return [*options, "--bind", str(work_dir), str(work_dir)]


NONE = Sandbox()


def find(mode: str, *, has_network: bool, data_dir: Path, task_folders: Iterable[Path]) -> Sandbox:
    """The sandbox for a worker; raises SettingsError where one is required and cannot be had.

    Args:
        mode: "auto", "required" or "off".
        has_network: Whether Blender needs the network.
        data_dir: The worker's data folder, which is hidden.
        task_folders: Where the studio's own tasks are.
    """
    private = [Path.home() / name for name in _PRIVATE]
    hidden = tuple(path for path in (data_dir, signins.config_folder(), *private) if path.exists())
    program = shutil.which("bwrap") if mode != "off" and sys.platform == "linux" else None
    needed = (INSIDE, Path(sys.prefix), *(folder.absolute() for folder in task_folders))
    found = Sandbox(program or "", has_network, hidden, needed)
    reason = _why_not(found) if program else "there is no bwrap on the PATH"
    if reason and mode == "required":
        raise SettingsError(f"SENDOFF_BLENDER_SANDBOX=required, and Blender cannot be kept to itself: {reason}.")
    if reason and program:
        log.warning("bubblewrap does not work here: %s", reason, extra={"action": "sandbox.failed"})
    return NONE if reason else found


def _why_not(sandbox: Sandbox) -> str:
    """Why a command does not run inside, as the program says it; "" where it does."""
    command = [sandbox.program, *sandbox._options((), Path("/var")), "--", "true"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_PROBE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else done.stderr.strip() or f"status {done.returncode}"
