"""What a scene may use up: a Blender that takes too much is ended, with a sentence that says what to do."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest
from tests.runtimes import ROOT, blender
from tests.stack import wait_for
from tests.worker.test_blender_process import run
from tests.worker.test_sandbox import require_sandbox

from sendoff_worker.blender import limits, runtimes, sandbox
from sendoff_worker.blender.limits import Limits, Watch
from sendoff_worker.blender.process import BlenderProcess
from sendoff_worker.blender.runtimes import Runtime
from sendoff_worker.blender.sandbox import Sandbox
from sendoff_worker.errors import TaskFailed
from sendoff_worker.folders import remove_folder

pytestmark = [
    pytest.mark.blender,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits processes from outside"),
]
MIB = 1024**2
NOBODY = 65534
#: A script that means harm, and what is said of it with which limits.
HARM = {
    "one file": (
        "def run(job):\n    open('big', 'wb').write(bytes(3 * 1024**2))\n",
        {"file_bytes": 2 * MIB},
        "larger than this worker allows.*SENDOFF_BLENDER_FILE_BYTES",
    ),
    "a file by Blender itself": (
        "import bpy, numpy\ndef run(job):\n    mesh = bpy.data.meshes.new('m'); mesh.vertices.add(1_000_000)\n"
        "    mesh.use_fake_user = True\n"
        "    mesh.vertices.foreach_set('co', numpy.random.default_rng(1).random(3_000_000, numpy.float32))\n"
        "    bpy.ops.wm.save_as_mainfile(filepath=str(job.folder / 'big.blend'), compress=False)\n",
        {"file_bytes": 2 * MIB},
        "unexpected RuntimeError",  # Blender gives up at a write that was cut short, without a reason to pass on
    ),
    "many files": (
        "def run(job):\n    for n in range(10**6):\n        open(f'/tmp/{n}', 'wb').write(bytes(1024**2))\n",
        {"disk_bytes": 64 * MIB},
        "wrote more than the 64 MiB.*SENDOFF_BLENDER_DISK_BYTES",
    ),
    "files without a name": (
        "import tempfile, time\ndef run(job):\n    kept = [tempfile.TemporaryFile() for _ in range(100)]\n"
        "    [file.write(bytes(1024**2)) for file in kept]; [file.flush() for file in kept]; time.sleep(60)\n",
        {"disk_bytes": 64 * MIB},
        "wrote more than the 64 MiB",
    ),
    "files in memory": (
        "import os, time\ndef run(job):\n    for n in range(100):\n"
        "        os.write(os.memfd_create('m'), bytes(1024**2))\n    time.sleep(60)\n",
        {"disk_bytes": 64 * MIB},
        "wrote more than the 64 MiB",
    ),
    "folders that cannot be looked into": (
        "import os, time\ndef run(job):\n    os.chdir(job.folder)\n    for n in range(3000):\n"
        "        os.mkdir('deeper'); os.chdir('deeper')\n    time.sleep(60)\n",
        {"disk_bytes": 64 * MIB},
        "folders that the worker cannot look into",
    ),
    "memory": (
        "def run(job):\n    bytearray(3 * 1024**3)\n",
        {"memory_bytes": 2 * 1024**3},
        "ran out of memory.*send a smaller scene",
    ),
    "memory of many": (
        "import os, time\ndef run(job):\n    for _ in range(8):\n        if not os.fork():\n"
        "            kept = os.urandom(200 * 1024**2); time.sleep(60)\n    time.sleep(60)\n",
        {"memory_bytes": 1024**3},
        "more than the 1.0 GiB of memory",
    ),
    "shared memory": (
        "import mmap, time\ndef run(job):\n    kept = mmap.mmap(-1, 1200 * 1024**2)\n"
        "    for at in range(0, len(kept), 4096):\n        kept[at] = 1\n    time.sleep(60)\n",
        {"memory_bytes": 1024**3},
        "more than the 1.0 GiB of memory",
    ),
    "processes": (
        "import subprocess, sys, time\ndef run(job):\n"
        "    [subprocess.Popen(['sleep', '60']) for _ in range(100)]; time.sleep(60)\n",
        {"processes": 80},
        "80 processes and threads.*SENDOFF_BLENDER_PROCESSES|could not start another process",
    ),
    "threads": (
        "import threading, time\ndef run(job):\n"
        "    [threading.Thread(target=time.sleep, args=(60,), daemon=True).start() for _ in range(100)]\n"
        "    time.sleep(60)\n",
        {"processes": 80},
        "80 processes and threads|could not start another|start new thread",
    ),
    "a bomb": (
        "import os\ndef run(job):\n    while True:\n        try:\n            os.fork()\n        except OSError:\n"
        "            pass\n",
        {"processes": 200},
        "more than 200 processes and threads",
    ),
    "a bomb behind a closed line": (
        "import os\ndef run(job):\n    os.closerange(3, 64)\n    while True:\n        try:\n            os.fork()\n"
        "        except OSError:\n            pass\n",
        {"processes": 200},
        "more than 200 processes and threads",
    ),
    "open files": (
        "import os\ndef run(job):\n    while True:\n        os.dup(0)\n",
        {},
        "unexpected OSError",
    ),
    "the processor": (
        "import signal\ndef run(job):\n    while True: pass\n",
        {"cpu_seconds": 0.1},
        "took longer than the worker allows",
    ),
}
WHERE = INSIDE, WITHOUT = ("in bubblewrap", "without")
#: Without a sandbox a script writes where it likes, and what it starts can leave it.
ONLY_INSIDE = ("many files", "files without a name", "a bomb", "a bomb behind a closed line")


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    found = runtimes.probe(str(blender()))
    assert found is not None
    return found


@pytest.fixture(scope="module", params=WHERE)
def inside(request: pytest.FixtureRequest) -> Sandbox:
    if request.param == WITHOUT:
        return sandbox.NONE
    require_sandbox()
    return sandbox.find("required", has_network=False)


def left_of(folder: Path) -> list[int]:
    """What still runs of the Blenders whose temporary folder lies in a folder."""
    found = []
    for one in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if one.status() != psutil.STATUS_ZOMBIE and str(folder) in one.environ().get("TMPDIR", ""):
                found.append(one.pid)
    return found


def harm(name: str, runtime: Runtime, folder: Path, inside: Sandbox) -> TaskFailed:
    script, more, _ = HARM[name]
    room = folder / "room"
    room.mkdir()
    process = BlenderProcess(runtime, work_dir=room, limits=Limits(**({"cpu_seconds": 600.0} | more)), sandbox=inside)
    try:
        process.wait_until_warm()
    except BaseException:
        process.close()
        raise
    started = [psutil.Process(process._process.pid), *psutil.Process(process._process.pid).children(recursive=True)]
    (room / "out").mkdir()
    with pytest.raises(TaskFailed) as failed:
        run(process, room, script)
    _, left = psutil.wait_procs(started, timeout=10)
    assert left == []
    assert [path.name for path in room.iterdir() if "blender" in path.name] == [], "its scratch folder is left"
    remove_folder(room)
    assert not room.exists()
    return failed.value


@pytest.mark.parametrize(
    ("name", "inside"),
    [(name, where) for where in WHERE for name in HARM if where == INSIDE or name not in ONLY_INSIDE],
    indirect=["inside"],
)
def test_a_scene_that_takes_too_much_is_ended_with_a_sentence(
    name: str, runtime: Runtime, tmp_path: Path, inside: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "_CPU_MARGIN_SECONDS", 8)  # loading takes one or two
    begun = time.monotonic()
    said = str(harm(name, runtime, tmp_path, inside))
    assert time.monotonic() - begun < 30
    _, _, sentence = HARM[name]
    assert re.search(sentence, said), said
    assert said.endswith(".")
    wait_for(lambda: not left_of(tmp_path), "the end of all that it has started", seconds=5)


def test_a_scene_that_takes_little_is_left_alone(runtime: Runtime, tmp_path: Path, inside: Sandbox) -> None:
    room = tmp_path / "room"
    (room / "in").mkdir(parents=True)
    (room / "in" / "scene.blend").write_bytes(bytes(8 * MIB))
    most = Limits(cpu_seconds=60, memory_bytes=2 * 1024**3, file_bytes=4 * MIB, disk_bytes=4 * MIB, processes=200)
    process = BlenderProcess(runtime, work_dir=room, limits=most, sandbox=inside)
    script = (
        "import subprocess, time\ndef run(job):\n    open('some', 'wb').write(bytes(3 * 1024**2))\n"
        "    time.sleep(2)\n    return {'said': subprocess.check_output(['echo', 'here']).decode()}\n"
    )
    summary, _, _ = run(process, room, script)
    assert summary == {"said": "here\n"}


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_the_kernel_counts_the_processes_of_a_worker_that_is_not_root(tmp_path: Path, runtime: Runtime) -> None:
    """For root it does not, and there the watch alone ends a bomb."""
    require_sandbox()
    packages = next(runtime.executable.parent.parent.glob("lib/*/site-packages"))
    python = shutil.which("python3.11", path="/usr/bin:/usr/local/bin")
    reason = cannot_read(python, packages, ROOT / "worker")
    if reason:
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="sendoff-nobody-"))
    (folder / "script.py").write_text(
        "import os, time\ndef run(job):\n    for number in range(1000):\n        try:\n            if not os.fork():\n"
        "                time.sleep(60)\n        except OSError:\n            return {'started': number}\n"
    )
    program = f"""
from pathlib import Path
from sendoff_worker.blender import runtimes, sandbox
from sendoff_worker.blender.limits import Limits
from sendoff_worker.blender.process import BlenderProcess
runtime = runtimes.probe({str(folder / "bpy")!r})
inside = sandbox.find("required", has_network=False)
process = BlenderProcess(runtime, work_dir=Path({str(folder)!r}), limits=Limits(cpu_seconds=60, processes=150),
                         sandbox=inside)
order = dict(script={str(folder / "script.py")!r}, scene=None, paths=None, folder={str(folder / "out")!r}, params={{}})
print(process.run(order, on_message=lambda _: None, on_line=lambda _: None, on_tick=lambda: None)["started"])
process.close()
"""
    try:
        os.chown(folder, NOBODY, NOBODY)
        subprocess.run([str(python), "-m", "venv", "--without-pip", folder / "bpy"], check=True)
        (folder / "bpy" / "lib" / "python3.11" / "site-packages" / "bpy.pth").write_text(str(packages))
        done = subprocess.run(
            [str(python), "-c", program], user=NOBODY, group=NOBODY, extra_groups=[], cwd=folder, text=True,
            capture_output=True, timeout=60, check=False,
            env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert 100 < int(done.stdout) < 150
        assert "limit of Blender" not in done.stderr
    finally:
        remove_folder(folder)


def cannot_read(*paths: Path | str | None) -> str:
    """Why another user cannot run this checkout; "" where that works."""
    for path in paths:
        if path is None:
            return "there is no Python of the system's own"
        if subprocess.run(["test", "-r", str(path)], user=NOBODY, group=NOBODY, check=False).returncode:
            return f"another user cannot read {Path(path).name}"
    return ""


def test_a_line_without_an_end_is_cut(runtime: Runtime, tmp_path: Path) -> None:
    script = "import os\ndef run(job):\n    [os.write(1, b'x' * 1024**2) for _ in range(64)]; print(); print('next')\n"
    process = BlenderProcess(runtime, work_dir=tmp_path, limits=Limits(cpu_seconds=60))
    _, lines, _ = run(process, tmp_path, script)
    assert [len(line) for line in lines if line.startswith("x")] == [4000]
    assert "next" in lines


def test_a_folder_is_removed_however_it_was_made(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "closed").mkdir()
    (folder / "closed" / "file").touch()
    (folder / "closed").chmod(0)
    (folder / "link").symlink_to(tmp_path / "kept")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    with contextlib.chdir(folder):
        for _ in range(3000):
            Path("deeper").mkdir()
            os.chdir("deeper")
    remove_folder(folder)
    assert not folder.exists()
    assert (tmp_path / "kept" / "file").exists()


def test_looking_at_many_files_takes_a_small_share_of_the_time(tmp_path: Path) -> None:
    for number in range(2000):
        (tmp_path / str(number)).touch()
    watch = Watch(Limits(cpu_seconds=1, disk_bytes=MIB), os.getpid(), tmp_path)
    begun = time.process_time()
    until = time.monotonic() + 2
    while time.monotonic() < until:
        assert watch.offence() == ""
        time.sleep(0.02)
    assert time.process_time() - begun < 0.3


@pytest.mark.parametrize(
    ("release", "counts"), [("5.13.0-1", False), ("5.14.0", True), ("6.1.0-18-amd64", True), ("4.18.0", False)]
)
def test_the_kernel_is_asked_to_count_processes_only_where_it_counts_them_alone(release: str, counts: bool) -> None:
    assert limits._counts_by_namespace(release) is counts
