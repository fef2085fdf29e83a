from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HOLD = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from sendoff.host import instance
held = instance.Instance(Path(sys.argv[2]))
print(held.name, flush=True)
sys.stdin.read()
"""


def another_process(host, folder):
    from pathlib import Path

    source = Path(host.instance.__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-I", "-c", HOLD, str(source), str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip


def test_another_blender_is_alive_until_it_ends_however_it_ends(host, tmp_path):
    own = host.instance.Instance(tmp_path)
    other = another_process(host, tmp_path)
    try:
        name = other.stdout.readline().strip()
        assert own.is_alive(own.name)
        assert own.is_alive(name)
        assert own.is_alive(name), "asking must not take the lock away"
        other.kill()
        other.wait(10)
        assert not own.is_alive(name)
        assert not (tmp_path / f"{name}.lock").exists()
    finally:
        other.kill()
        other.communicate()
        own.close()


def test_a_name_that_nobody_has_is_not_alive(host, tmp_path):
    own = host.instance.Instance(tmp_path)
    assert not own.is_alive("never")
    own.close()
    own.close()
    assert list(tmp_path.iterdir()) == []


def test_one_that_takes_up_jobs_is_alone_and_waits_no_longer_than_it_said(host, tmp_path):
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path\n"
        "from sendoff.host.instance import alone\n"
        "with alone(Path(sys.argv[2]), 5): print('in', flush=True); sys.stdin.readline()"
    )
    client = Path(host.sendoff.__file__).parents[1]
    with subprocess.Popen(
        [sys.executable, "-c", script, client, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "in\n"
        begun = time.monotonic()
        with host.instance.alone(tmp_path, 0.3):
            assert time.monotonic() - begun >= 0.3
        other.stdin.write("go\n")
        other.stdin.flush()
        other.wait(10)
    begun = time.monotonic()
    with host.instance.alone(tmp_path, 5):
        assert time.monotonic() - begun < 2
