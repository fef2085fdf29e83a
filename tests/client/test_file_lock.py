from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sendoff import file_lock

_HOLD = """
import sys
from sendoff import file_lock
file = open(sys.argv[1], "ab+")
print(file_lock.take(file), flush=True)
sys.stdin.read()
"""


def test_one_process_has_it_until_it_ends_however_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    command = [sys.executable, "-c", _HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with path.open("ab+") as file:
            assert not file_lock.take(file)
            holder.kill()
            holder.wait(10)
            assert file_lock.take(file)
