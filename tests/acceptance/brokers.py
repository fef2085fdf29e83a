"""A studio's own Redis and RabbitMQ, as Debian has them, each in a folder and on ports of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import redis
from tests.requirements import require
from tests.stack import wait_for

RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


def free_port() -> int:
    """A TCP port on loopback that nobody has right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Debian's redis-server with AOF; yields its URL."""
    require(shutil.which("redis-server"), "redis-server is not installed: apt-get install redis-server")
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "",
               "--appendonly", "yes", "--maxmemory-policy", "noeviction"]  # fmt: skip
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        url = f"redis://127.0.0.1:{port}/0"
        with contextlib.closing(redis.Redis.from_url(url)) as client:
            wait_for(lambda: _answers(client), "redis-server", seconds=15)
        yield url
    finally:
        server.terminate()
        server.wait(15)


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.exceptions.ConnectionError:
        return False


@contextlib.contextmanager
def rabbitmq_server(folder: Path, *, port: int = 0, settings: str = "[]") -> Iterator[str]:
    """Debian's rabbitmq-server as a node of its own (the same folder and port: the same node); yields its URL."""
    require(RABBITMQ.exists(), "RabbitMQ is not installed: apt-get install rabbitmq-server")
    port = port or free_port()
    distribution, mapper = free_port(), free_port()
    environment = os.environ | {
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(mapper),
        "RABBITMQ_NODENAME": f"sendoff{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONFIG_FILE": str(folder / "none"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
    }
    (folder / "advanced.config").write_text(f"{settings}.")
    output = folder / f"start-{distribution}.log"
    with output.open("w") as log:
        server = subprocess.Popen(
            [RABBITMQ], env=environment, stdout=log, stderr=log, cwd=folder, start_new_session=True
        )
    try:

        def is_ready() -> bool:
            assert server.poll() is None, output.read_text()[-2000:]
            return "completed with" in output.read_text()

        wait_for(is_ready, "RabbitMQ", seconds=90)
        yield f"amqp://guest:guest@127.0.0.1:{port}//"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(30)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            subprocess.run(["epmd", "-port", str(mapper), "-kill"], capture_output=True, check=False, timeout=15)
