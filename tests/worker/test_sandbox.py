"""A Blender in bubblewrap: what it can reach, how it ends, and what is said where there is none."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.requirements import require
from tests.runtimes import blender
from tests.worker.test_blender_process import run

from sendoff_store.errors import SettingsError
from sendoff_worker.blender import runtimes, sandbox
from sendoff_worker.blender.limits import Limits
from sendoff_worker.blender.process import BlenderProcess
from sendoff_worker.blender.runtimes import Runtime
from sendoff_worker.blender.sandbox import Sandbox
from sendoff_worker.blender.spare import Spare
from sendoff_worker.errors import TaskFailed

pytestmark = pytest.mark.blender
SECRET = "the worker's own secret"
LOOK = """
import glob, os, socket
def tried(what):
    try:
        return what()
    except OSError as error:
        return type(error).__name__
def run(job):
    p = job.params
    def read(path):
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "replace")
    def write(path):
        with open(path, "w") as file:
            file.write("x")
        return "written"
    def call(kind, address):
        with socket.socket(kind, socket.SOCK_STREAM) as line:
            line.settimeout(5)
            line.connect(address)
            return "connected"
    def everything(pattern):
        found = []
        for path in glob.glob(pattern):
            found.append(tried(lambda: read(path)))
        return "".join(found)
    return {
        "secret": tried(lambda: read(p["secret"])),
        "other job": tried(lambda: read(p["other"])),
        "neighbours": tried(lambda: sorted(os.listdir(os.path.dirname(p["work"])))),
        "shadow": tried(lambda: read("/etc/shadow")),
        "write home": tried(lambda: write(p["home"])),
        "write system": tried(lambda: write("/etc/sendoff-was-here")),
        "write root": tried(lambda: write("/sendoff-was-here")),
        "write device": tried(lambda: write("/dev/sendoff-was-here")),
        "write kernel": tried(lambda: open("/proc/sys/kernel/core_pattern", "r+").close() or "written"),
        "write process": tried(lambda: open("/proc/1/oom_score_adj", "r+").close() or "written"),
        "write task": tried(lambda: write(p["task"])),
        "own": tried(lambda: write(os.path.join(p["work"], "mine"))),
        "scratch": tried(lambda: write(os.path.join(os.environ["TMPDIR"], "a"))),
        "tmp": tried(lambda: write("/tmp/b")),
        "shared memory": tried(lambda: write("/dev/shm/c")),
        "network": tried(lambda: call(socket.AF_INET, ("127.0.0.1", p["port"]))),
        "abstract socket": tried(lambda: call(socket.AF_UNIX, "\\0" + p["abstract"])),
        "socket": tried(lambda: call(socket.AF_UNIX, p["socket"])),
        "run": tried(lambda: sorted(os.listdir("/run"))),
        "home": tried(lambda: sorted(os.listdir("/home"))),
        "root": tried(lambda: sorted(os.listdir(p["user"]))),
        "disks": [path for path in os.listdir("/dev") if path.startswith(("sd", "vd", "nvme", "loop", "mem", "kmsg"))],
        "processes": len([name for name in os.listdir("/proc") if name.isdigit()]),
        "environments": everything("/proc/*/environ"),
        "task": tried(lambda: read(p["task"])),
        "capabilities": [line.split()[1] for line in read("/proc/self/status").splitlines() if "CapEff" in line],
    }
"""


@dataclass
class Place:
    """A worker's folders, with what a Blender must not reach."""

    folder: Path
    port: int
    abstract: str

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def work_dir(self) -> Path:
        return self.folder / "work"

    @property
    def room(self) -> Path:
        return self.work_dir / "1-job"

    @property
    def tasks(self) -> Path:
        """The careless studio keeps them in the data folder."""
        return self.data_dir / "tasks"

    def sandbox(self, **more: Any) -> Sandbox:
        require_sandbox()
        values: dict[str, Any] = {"has_network": False, "hidden": [self.data_dir, self.work_dir],
                                  "readable": [self.tasks]}  # fmt: skip
        return sandbox.find("required", **(values | more))

    def start(self, runtime: Runtime, inside: Sandbox, **limits: Any) -> BlenderProcess:
        values: dict[str, Any] = {"cpu_seconds": 60} | limits
        return BlenderProcess(runtime, work_dir=self.room, limits=Limits(**values), sandbox=inside)

    def look(self, runtime: Runtime, inside: Sandbox) -> dict[str, Any]:
        params = {
            "secret": str(self.data_dir / "secret"),
            "other": str(self.work_dir / "2-job" / "scene.blend"),
            "home": str(Path.home() / "sendoff-was-here"),
            "user": str(Path.home()),
            "work": str(self.room),
            "task": str(self.tasks / "look.py"),
            "port": self.port,
            "abstract": self.abstract,
            "socket": str(self.data_dir / "socket"),
        }
        summary, _, _ = run(self.start(runtime, inside), self.room, LOOK.replace("job.params", repr(params)))
        return summary


def shown(runtime: Runtime) -> list[Path]:
    """What is shown of this machine, where a checkout or its Python may lie in a home folder."""
    packages = [Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")]
    paths = [*runtime.folders, runtime.executable.absolute(), runtimes.INSIDE, *packages]
    return [one for path in paths for one in (path.absolute(), path.resolve())]


def require_sandbox() -> None:
    """bubblewrap has to be there; where it is, and the kernel allows no namespaces (a container), that is a skip."""
    program = shutil.which("bwrap")
    require(program, "bubblewrap is not installed")
    found = sandbox.find("auto", has_network=False)
    if not found.program:
        command = [str(program), "--unshare-user", "--unshare-pid", "--unshare-net", "--ro-bind", "/", "/",
                   "--proc", "/proc", "--dev", "/dev", "true"]  # fmt: skip
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        assert said.returncode, "the kernel allows it, and still Blender is not kept in bubblewrap"
        pytest.skip(f"this kernel allows no bubblewrap: {said.stderr.strip()}")


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    found = runtimes.probe(str(blender()))
    assert found is not None
    return found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    abstract = f"sendoff-{os.getpid()}"
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.socket(socket.AF_UNIX) as hidden,
        socket.socket(socket.AF_UNIX) as named,
    ):
        place = Place(tmp_path, listener.getsockname()[1], abstract)
        for folder in (place.room, place.work_dir / "2-job", place.tasks):
            folder.mkdir(parents=True)
        (place.data_dir / "secret").write_text(SECRET)
        (place.work_dir / "2-job" / "scene.blend").write_text("somebody else's scene")
        (place.tasks / "look.py").write_text("# a task")
        hidden.bind("\0" + abstract)
        named.bind(str(place.data_dir / "socket"))
        for one in (hidden, named):
            one.listen()
        yield place


def test_a_scene_reaches_nothing_but_its_own_folder(
    runtime: Runtime, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENDOFF_SECRET", SECRET)
    saw = place.look(runtime, place.sandbox())
    missing = "FileNotFoundError"
    assert {name: saw[name] for name in ("secret", "other job", "shadow", "socket", "run")} == {
        "secret": missing, "other job": missing, "shadow": missing, "socket": missing, "run": missing,
    }  # fmt: skip
    assert saw["neighbours"] == ["1-job"]
    assert all(saw[name] in (missing, "OSError", "PermissionError") for name in saw if name.startswith("write")), (
        "all is read-only"
    )
    for name, folder in (("home", Path("/home")), ("root", Path.home())):
        needed = {path.relative_to(folder).parts[0] for path in shown(runtime) if folder in path.parents}
        assert saw[name] == (sorted(needed) or missing), "what a checkout or a Python there needs, and nothing else"
    assert saw["own"] == saw["scratch"] == saw["tmp"] == saw["shared memory"] == "written"
    assert (place.room / "mine").read_text() == "x"
    assert saw["network"] in ("ConnectionRefusedError", "OSError")
    assert saw["abstract socket"] == "ConnectionRefusedError"
    assert saw["processes"] <= 3
    assert SECRET not in saw["environments"]
    assert saw["disks"] == []
    assert saw["task"] == "# a task", "though the data folder around it is not there"
    assert saw["capabilities"] == ["0000000000000000"]


def test_without_it_all_of_that_is_there(runtime: Runtime, place: Place) -> None:
    """So that the test before means something."""
    saw = place.look(runtime, sandbox.NONE)
    assert (saw["secret"], saw["other job"]) == (SECRET, "somebody else's scene")
    assert saw["network"] == saw["abstract socket"] == saw["socket"] == "connected"
    assert saw["write home"] == saw["write task"] == "written"
    for path in (Path.home(), Path("/etc"), Path("/dev"), Path("/")):
        (path / "sendoff-was-here").unlink(missing_ok=True)
    for path in ("/tmp/b", "/dev/shm/c"):
        Path(path).unlink(missing_ok=True)


def test_tasks_that_need_the_network_can_have_it(runtime: Runtime, place: Place) -> None:
    inside = place.sandbox(has_network=True)
    saw = place.look(runtime, inside)
    assert (saw["network"], saw["secret"]) == ("connected", "FileNotFoundError")
    assert inside.name == "bubblewrap, with the network"


def test_a_folder_that_is_named_can_be_read_but_no_private_one_in_it(
    runtime: Runtime, place: Place, tmp_path: Path
) -> None:
    (tmp_path / "data" / "more").mkdir()
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "scene.blend").write_text("shared")
    (tmp_path / "link").symlink_to(tmp_path)
    inside = place.sandbox(readable=[tmp_path / "link"])
    script = """
from pathlib import Path
def run(job):
    return {name: Path(job_folder, name).exists() for name in (
        "link/library/scene.blend", "library/scene.blend", "link/data/secret", "data/secret", "link/work/2-job",
        "work/2-job", "work/1-job")}
""".replace("job_folder", repr(str(tmp_path)))
    saw, _, _ = run(place.start(runtime, inside), place.room, script)
    assert [name for name, is_there in saw.items() if is_there] == [
        "link/library/scene.blend", "library/scene.blend", "work/1-job"
    ]  # fmt: skip


def test_a_script_that_cannot_be_read_inside_is_said(runtime: Runtime, place: Place, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    process = place.start(runtime, place.sandbox())
    with pytest.raises(TaskFailed, match=r"may not read the script script\.py .* SENDOFF_BLENDER_READABLE"):
        run(process, tmp_path / "elsewhere", "def run(job): pass")


def test_a_blender_is_found_wherever_it_lies(runtime: Runtime, place: Place, tmp_path: Path) -> None:
    """In a home folder, by links, with spaces: as Blender's own download, and as a Python with the module."""
    home = tmp_path / "home of ada"
    (home / "blender 4.5").mkdir(parents=True)
    (home / "bin").mkdir()
    (home / "private").write_text(SECRET)
    (home / "module").symlink_to(runtime.executable.absolute().parent.parent)
    own = home / "blender 4.5" / "blender"
    own.write_text(
        "#!/bin/sh\n"
        'test -r "$(dirname "$(readlink -f "$0")")/datafiles" || exit 9\n'
        'while [ "$1" != --python ]; do test "$1" = --python-expr && '
        f'exec "{runtime.executable.absolute()}" -I -c "$2"; shift; done\n'
        f'main="$2"; shift 3; exec "{runtime.executable.absolute()}" -I -u "$main" "$@"\n'
    )
    own.chmod(0o755)
    (own.parent / "datafiles").write_text("fonts")
    (home / "bin" / "blender").symlink_to("../blender 4.5/blender")
    module, program = runtimes.probe(str(home / "module")), runtimes.probe(str(home / "bin" / "blender"))
    assert module is not None
    assert program is not None
    assert not program.is_python
    program = replace(program, folders=(*program.folders, own.parent))  # the real one says where its program lies
    script = f"import os\ndef run(job): return {{'private': os.path.exists({str(home / 'private')!r})}}"
    for one in (module, program):
        saw, _, _ = run(place.start(one, place.sandbox()), place.room, script)
        assert saw == {"private": False}


def test_a_home_folder_is_never_shown_because_something_lies_right_in_it(
    runtime: Runtime, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    careless = replace(runtime, folders=(*runtime.folders, tmp_path))
    (tmp_path / "private").write_text(SECRET)
    script = f"import os\ndef run(job): return {{'private': os.path.exists({str(tmp_path / 'private')!r})}}"
    saw, _, _ = run(place.start(careless, place.sandbox()), place.room, script)
    assert saw == {"private": False}


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("import os\ndef run(job): os.kill(os.getpid(), 9)", "Blender was killed"),
        ("import os\ndef run(job): os.abort()", r"Blender crashed \(SIGABRT\)"),
        ("def run(job): raise SystemExit(7)", "."),
        ("def run(job): bytearray(4 * 1024**3)", "."),
    ],
)
def test_its_end_is_told_as_without(runtime: Runtime, place: Place, script: str, sentence: str) -> None:
    process = place.start(runtime, place.sandbox(), memory_bytes=2 * 1024**3)
    with pytest.raises(TaskFailed, match=sentence):
        run(process, place.room, script)


@pytest.mark.parametrize("end", [BlenderProcess.close, BlenderProcess.kill])
def test_nothing_of_it_is_left(runtime: Runtime, place: Place, end: Callable[[BlenderProcess], None]) -> None:
    process = place.start(runtime, place.sandbox())
    process.wait_until_warm()
    inside = psutil.Process(process._process.pid).children(recursive=True)
    assert any("main.py" in " ".join(one.cmdline()) for one in inside)
    end(process)
    process.close()
    _, alive = psutil.wait_procs(inside, timeout=10)
    assert alive == []


def test_what_hides_from_its_group_ends_as_well(runtime: Runtime, place: Place) -> None:
    script = """
import os, signal, subprocess, sys
STAY = "import os, signal, time; os.setsid(); [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15)]; time.sleep(99)"
def run(job):
    subprocess.Popen([sys.executable, "-c", STAY, "stays behind"])
    return {}
"""
    run(place.start(runtime, place.sandbox()), place.room, script)
    assert not [one for one in psutil.process_iter(["cmdline"]) if "stays behind" in (one.info["cmdline"] or [])]


def test_it_ends_with_a_worker_that_is_killed(runtime: Runtime, place: Place, tmp_path: Path) -> None:
    """Even where it is busy, and where it has closed its line to the worker."""
    require_sandbox()
    script = place.room / "script.py"
    script.write_text("import os, time\ndef run(job):\n    os.closerange(3, 64)\n    time.sleep(99)\n")
    program = f"""
import sys
from pathlib import Path
from sendoff_worker.blender import runtimes, sandbox
from sendoff_worker.blender.limits import Limits
from sendoff_worker.blender.process import BlenderProcess
runtime = runtimes.probe({str(runtime.executable)!r})
inside = sandbox.find("required", has_network=False)
process = BlenderProcess(runtime, work_dir=Path({str(place.room)!r}), limits=Limits(cpu_seconds=60), sandbox=inside)
process.wait_until_warm()
process._channel.sendall(b'{{"kind": "run", "script": "{script}", "scene": null, "folder": "{place.room}"}}\\n')
print("runs", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}) as worker:  # fmt: skip
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"runs\n"
        inside = psutil.Process(worker.pid).children(recursive=True)
        assert len(inside) >= 3
        worker.kill()
        _, alive = psutil.wait_procs(inside, timeout=10)
    assert alive == []


def test_a_spare_waits_inside_in_the_room_of_the_next_job(runtime: Runtime, place: Place) -> None:
    spare = Spare(runtime, work_dir=place.work_dir, limits=Limits(cpu_seconds=60), is_wanted=True,
                  sandbox=place.sandbox())  # fmt: skip
    spare.prepare()
    room = spare.room
    spare.leave_room()
    assert spare.room == room, "no Blender was used: the one that waits has seen nothing"
    summary, _, _ = run(spare.take(runtime), room, "import os\ndef run(job): return {'work': os.listdir('..')}")
    (room / "left behind").write_text("x")
    spare.leave_room()
    assert not room.exists()
    assert spare.room != room
    spare.close()
    assert sorted(path.name for path in place.work_dir.iterdir()) == ["1-job", "2-job"]
    assert summary["work"]


def test_where_there_is_none_it_is_said_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    none = sandbox.find("auto", has_network=False)
    assert none == sandbox.NONE
    assert none.name == ""
    assert "install bubblewrap" in none.description
    with pytest.raises(SettingsError, match="no bwrap on the PATH"):
        sandbox.find("required", has_network=False)


def test_where_it_does_not_work_it_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that allows no namespaces."""
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'No permissions to create a new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert sandbox.find("auto", has_network=False) == sandbox.NONE
    with pytest.raises(SettingsError, match="No permissions to create a new namespace"):
        sandbox.find("required", has_network=False)


def test_an_old_bubblewrap_gives_what_it_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_sandbox()
    old = tmp_path / "bwrap"
    old.write_text(
        "#!/bin/sh\nfor one; do test \"$one\" = --disable-userns && { echo 'Unknown option' >&2; exit 1; }; done\n"
        f'exec {shutil.which("bwrap")} "$@"\n'
    )
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert sandbox.find("required", has_network=False).of_users == ("--unshare-user",)


def test_switched_off_it_is_off() -> None:
    assert sandbox.find("off", has_network=False) == sandbox.NONE
