"""What keeps a Blender from the rest of the machine, where the system has it: bubblewrap.

Inside there is what a Blender needs and nothing else: the system's programs and libraries, Blender itself, the tasks'
scripts, and the folder of its job, the only one that can be written. No home folder, no other job, no network, no other
process, no device but graphics cards.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from sendoff import signins
from sendoff_store.errors import SettingsError

from .runtimes import INSIDE, SDK, Runtime

log = logging.getLogger("sendoff.worker")

_PROBE_SECONDS = 20
#: Of the worker's user: keys and sign-ins, which no scene needs, even where their folder is named as readable.
_PRIVATE = (".ssh", ".gnupg", ".aws", ".azure", ".config/gcloud", ".kube", ".docker", ".netrc")
#: What the system's programs need. `/nix/store` is where NixOS has all of it.
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/sys/devices/system",
           "/var/cache/fontconfig")  # fmt: skip
_ETC = ("alternatives", "fonts", "glvnd", "group", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime",
        "mime.types", "nsswitch.conf", "OpenCL", "passwd", "python3", "timezone", "vulkan")  # fmt: skip
_ETC_OF_THE_NETWORK = ("ca-certificates", "crypto-policies", "gai.conf", "host.conf", "hosts", "pki", "protocols",
                       "resolv.conf", "services", "ssl/certs", "ssl/openssl.cnf")  # fmt: skip
_GRAPHICS_CARDS = ("dri", "kfd", "nvidia*")
_SYSTEM_OF_GRAPHICS_CARDS = ("/sys/bus", "/sys/class", "/sys/dev", "/sys/devices")
#: The strictest that works is taken. A user namespace of its own also has a count of processes of its own.
_OF_USERS = (("--unshare-user", "--disable-userns"), ("--unshare-user",), ())


class _Kind(IntEnum):
    """What is done with a path; of two with the same path the later one counts."""

    LINK = 0
    READ = 1
    HIDE = 2
    WRITE = 3


@dataclass(frozen=True, order=True)
class _Mount:
    #: So that what lies in a folder comes after the folder.
    depth: int
    kind: _Kind
    path: str
    source: str

    @classmethod
    def of(cls, kind: _Kind, path: Path, source: str = "") -> _Mount:
        return cls(len(path.parts), kind, str(path), source or str(path))


@dataclass(frozen=True)
class Sandbox:
    """How a Blender is started so that it is kept to itself; without a program it is not."""

    program: str = ""
    has_network: bool = False
    #: Options that give it users of its own, as far as the system allows that.
    of_users: tuple[str, ...] = ()
    #: Folders and files that can be read inside, besides the system's and Blender's own.
    readable: tuple[Path, ...] = ()
    #: Folders and files that are not there inside, even where they lie in one that can be read.
    hidden: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """What protects the worker, in short, for lists; "" for nothing."""
        if not self.program:
            return ""
        return "bubblewrap, with the network" if self.has_network else "bubblewrap, without the network"

    @property
    def description(self) -> str:
        """What protects the worker, for its log."""
        if not self.program:
            return "Blender is not kept from the worker's files and network: install bubblewrap for that"
        return f"Blender runs in {self.name}"

    def command(self, inner: Sequence[str], *, runtime: Runtime, work_dir: Path, scratch: Path) -> list[str]:
        """The command that runs another one inside, which may write to `work_dir` only.

        `scratch` is a folder in it, which is the temporary folder as well.
        """
        if not self.program:
            return list(inner)
        return [self.program, *self._options(_needed(runtime), work_dir, scratch), "--", *inner]

    def shows(self, path: Path, *, runtime: Runtime, work_dir: Path) -> bool:
        """Whether a file can be read inside."""
        if not self.program:
            return True
        mounts = self._mounts(_needed(runtime), work_dir, work_dir)
        return _is_shown(path, mounts) and _is_shown(path.resolve(), mounts)

    def _options(self, needed: Iterable[_Mount], work_dir: Path, scratch: Path) -> list[str]:
        options = [*self.of_users, "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
                   "--die-with-parent", "--cap-drop", "ALL", "--proc", "/proc", "--dev", "/dev"]  # fmt: skip
        if not self.has_network:
            options.append("--unshare-net")
        for device in _graphics_cards():
            options += ["--dev-bind-try", device, device]
        read_only = ["/proc", "/dev", "/"]
        for mount in self._mounts(needed, work_dir, scratch):
            if mount.kind is _Kind.LINK:
                options += ["--symlink", mount.source, mount.path]
            elif mount.kind is _Kind.READ:
                options += ["--ro-bind-try", mount.source, mount.path]
            elif mount.kind is _Kind.WRITE:
                options += ["--bind", mount.source, mount.path]
            elif Path(mount.path).is_dir():
                options += ["--tmpfs", mount.path]
                read_only.insert(0, mount.path)
            else:
                options += ["--ro-bind", "/dev/null", mount.path]
        # Nothing is written into memory: whatever is written is in the job's folder, where it is counted. And root
        # could write the kernel's own settings, without a capability, by its name alone.
        return [*options, *(part for path in read_only for part in ("--remount-ro", path))]

    def _mounts(self, needed: Iterable[_Mount], work_dir: Path, scratch: Path) -> list[_Mount]:
        """What is to be done, from the outside in, without what is there already, or is not there anyway."""
        wanted = [*_system(has_network=self.has_network), *needed]
        wanted += [_Mount.of(_Kind.READ, path) for path in self.readable]
        for mount in [mount for mount in wanted if mount.kind is _Kind.READ]:
            real = Path(mount.source).resolve()
            inside = (path.relative_to(real) for path in self.hidden if path.is_relative_to(real) and path.exists())
            wanted += [_Mount.of(_Kind.HIDE, Path(mount.path, path)) for path in inside]
        wanted += [_Mount.of(_Kind.WRITE, Path(path), str(scratch)) for path in ("/tmp", "/dev/shm")]  # noqa: S108
        wanted.append(_Mount.of(_Kind.WRITE, work_dir))
        mounts: list[_Mount] = []
        for mount in sorted(set(wanted)):
            path = Path(mount.path)
            is_there = _is_shown(path, mounts)
            if mount.kind is _Kind.HIDE:
                # Nothing can be hidden by way of a link in a folder that is shown; what it leads to is hidden itself.
                is_wanted = is_there and path.parent.resolve() == _source(path.parent, mounts)
            else:
                is_wanted = mount.kind is _Kind.WRITE or not is_there
            if is_wanted:
                mounts.append(mount)
        return mounts


NONE = Sandbox()


def find(
    mode: str, *, has_network: bool, hidden: Iterable[Path] = (), readable: Iterable[Path] = (), settings: str = ""
) -> Sandbox:
    """The sandbox for a worker; raises SettingsError where one is required and cannot be had.

    Args:
        mode: "auto", "required" or "off".
        has_network: Whether Blender needs the network.
        hidden: What Blender must not see, even where it lies in a folder that it may read: the worker's data.
        readable: What it may read besides the system and itself: tasks, and what they need.
        settings: Paths in variables that Blender is given (OCIO, LD_LIBRARY_PATH), as in PATH.
    """
    program = shutil.which("bwrap") if mode != "off" and sys.platform == "linux" else None
    if program is None:
        if mode == "required":
            raise _required("there is no bwrap on the PATH")
        return NONE
    private = (signins.config_folder(), *(Path.home() / name for name in _PRIVATE))
    packages = [Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")]
    named = [_folder_or_file(Path(part)) for part in settings.split(os.pathsep) if part.startswith("/")]
    reasons = []
    for of_users in _OF_USERS:
        found = Sandbox(
            program,
            has_network,
            of_users,
            readable=tuple(_both((INSIDE, SDK, *packages, *named, *readable))),
            hidden=tuple(path.resolve() for path in (*hidden, *private)),
        )
        reason = _why_not(found)
        if not reason:
            return found
        reasons.append(reason)
    if mode == "required":
        raise _required(reasons[-1])
    log.warning("bubblewrap does not work here: %s", reasons[-1], extra={"action": "sandbox.failed"})
    return NONE


def _required(reason: str) -> SettingsError:
    return SettingsError(f"SENDOFF_BLENDER_SANDBOX=required, and Blender cannot be kept to itself: {reason}.")


def _why_not(sandbox: Sandbox) -> str:
    """Why a command does not run inside, as the program says it; "" where it does."""
    with tempfile.TemporaryDirectory(prefix="sendoff-sandbox-") as folder:
        work_dir = Path(folder).resolve()
        command = [sandbox.program, *sandbox._options((), work_dir, work_dir), "--", "true"]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=_PROBE_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
    return "" if done.returncode == 0 else done.stderr.strip() or f"status {done.returncode}"


def _needed(runtime: Runtime) -> Iterator[_Mount]:
    """What a Blender itself has to find: its folders, and the links that lead to its executable."""
    for path in runtime.folders:
        if not _is_too_much(path):
            yield _Mount.of(_Kind.READ, path)
    path = runtime.executable.absolute()
    while path.is_symlink():
        target = path.readlink()
        yield _Mount.of(_Kind.LINK, path, str(target))
        path = Path(os.path.normpath(path.parent / target))
    yield from (_Mount.of(_Kind.READ, one) for one in _both([path]))


def _system(*, has_network: bool) -> Iterator[_Mount]:
    """The system's own: programs, libraries, fonts, and what they are told of the machine."""
    names = [*_SYSTEM, *(f"/etc/{name}" for name in _ETC)]
    names += [f"/etc/{name}" for name in _ETC_OF_THE_NETWORK] if has_network else []
    names += _SYSTEM_OF_GRAPHICS_CARDS if _graphics_cards() else []
    for path in map(Path, names):
        if path.is_symlink() and len(path.parts) == 2:  # /bin is /usr/bin
            yield _Mount.of(_Kind.LINK, path, str(path.readlink()))
        elif path.exists():
            yield _Mount.of(_Kind.READ, path)


def _graphics_cards() -> list[str]:
    return sorted(str(path) for pattern in _GRAPHICS_CARDS for path in Path("/dev").glob(pattern))


def _both(paths: Iterable[Path]) -> Iterator[Path]:
    """Each path as it was named, and as it really is: an executable and its libraries may ask for either."""
    for path in paths:
        yield path.absolute()
        yield path.resolve()


def _folder_or_file(path: Path) -> Path:
    """What has to be there for a file: its folder, with what it names beside it, unless that is too much."""
    return path.parent if path.is_file() and not _is_too_much(path.parent) else path


def _is_too_much(path: Path) -> bool:
    """Whether a folder that was found holds everything of somebody: a home folder, or one above."""
    return any(home.is_relative_to(path) for home in (Path.home(), Path("/root"), Path("/tmp")))  # noqa: S108


def _source(path: Path, mounts: Sequence[_Mount]) -> Path:
    """Where a path really is that is shown inside."""
    innermost = max((mount for mount in mounts if path.is_relative_to(mount.path)), default=None)
    return path if innermost is None else Path(innermost.source).resolve() / path.relative_to(innermost.path)


def _is_shown(path: Path, mounts: Sequence[_Mount]) -> bool:
    """Whether a path is there inside, after these mounts: what the innermost one above it says."""
    above = [mount for mount in mounts if path.is_relative_to(mount.path)]
    if not above:
        return False
    innermost = max(above)
    return innermost.kind in (_Kind.LINK, _Kind.READ) or (
        innermost.kind is _Kind.WRITE and innermost.source == innermost.path
    )
