"""The processes of a benchmark: servers on a free port that are waited for, and always ended."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import psutil
from tests.stack import clean_environment, wait_for

BENCH = Path(__file__).resolve().parent


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(
    command: Sequence[str | Path], log: Path, *, ready_url: str = "", **settings: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process for as long as the block runs; its output goes into `log`."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, *map(str, command)], env=clean_environment(**settings), stdout=output, stderr=output
        )
    try:
        if ready_url:
            wait_for(lambda: _answers(process, ready_url, log), f"{command[-1]}", seconds=30)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _answers(process: subprocess.Popen[bytes], url: str, log: Path) -> bool:
    if process.poll() is not None:
        raise AssertionError(f"A process of the benchmark ended:\n{log.read_text()[-3000:]}")
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(url, timeout=5, trust_env=False).status_code < 500
    return False


def rss_bytes(pid: int) -> int:
    """Resident memory of a process, once it has settled."""
    last = -1
    for _ in range(20):
        now = int(psutil.Process(pid).memory_info().rss)
        if now == last:
            break
        last = now
        time.sleep(0.1)
    return last
