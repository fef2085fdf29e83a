"""The stack of a studio: Redis and RabbitMQ in the place of the embedded Valkey, each part on its own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests.acceptance import blender_scripts
from tests.acceptance.brokers import free_port, rabbitmq_server, redis_server
from tests.runtimes import blender, blenders
from tests.stack import BIN, clean_environment, wait_for

from sendoff import Client, Event, JobCancelled

pytestmark = pytest.mark.studio

SECRET = "the-studio-test-has-a-secret-of-more-than-32-characters"


@dataclass
class Studio:
    """Addresses of a studio's services."""

    redis_url: str
    amqp_url: str


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with ExitStack() as stack:
        redis_url = stack.enter_context(redis_server(tmp_path_factory.mktemp("redis")))
        amqp_url = stack.enter_context(rabbitmq_server(tmp_path_factory.mktemp("rabbitmq")))
        yield Studio(redis_url, amqp_url)


@contextmanager
def process(arguments: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A part of the stack in a process of its own, ended as an init system ends it."""
    with log.open("ab") as output:
        started = subprocess.Popen(
            [BIN / "sendoff-server", *arguments], env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        try:
            # uvicorn ends its process by the signal it was sent, once all is closed.
            assert started.wait(30) in (0, -signal.SIGTERM), log.read_text()[-3000:]
        finally:
            if started.poll() is None:
                os.killpg(started.pid, signal.SIGKILL)
                started.wait(5)


@contextmanager
def parts(studio: Studio, folder: Path, *, broker_url: str, pool: str, database: int) -> Iterator[Client]:
    """Server and worker, started by `serve` and `worker`; yields a client of them."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = clean_environment(
        SENDOFF_REDIS_URL=studio.redis_url.removesuffix("/0") + f"/{database}",
        SENDOFF_BROKER_URL=broker_url,
        SENDOFF_DATA_DIR=str(folder),
        SENDOFF_PORT=str(port),
        SENDOFF_SECRET=SECRET,
        SENDOFF_BLENDERS=os.pathsep.join(map(str, blenders().values())),
        SENDOFF_CONCURRENCY="2" if pool == "prefork" else "50",
    )
    folder.mkdir(exist_ok=True)
    token = subprocess.run(
        [BIN / "sendoff-server", "token", "ada"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stdout.strip()
    with (
        process(["serve"], environment, folder / "server.log") as server,
        process(["worker", "--pool", pool, "--name", f"w-{pool}"], environment, folder / "worker.log"),
        Client(url, token) as client,
    ):

        def ready() -> bool:
            assert server.poll() is None, (folder / "server.log").read_text()
            try:
                return httpx.get(f"{url}/readyz", trust_env=False).status_code == 200 and bool(client.tasks())
            except httpx.HTTPError:
                return False

        try:
            wait_for(ready, "server and worker to be ready", seconds=60)
            yield client
        except BaseException:
            print((folder / "server.log").read_text()[-3000:], (folder / "worker.log").read_text()[-6000:])
            raise


@pytest.mark.parametrize("broker", ["amqp", "redis"])
def test_the_whole_loop_runs_on_redis_and_rabbitmq(studio: Studio, tmp_path: Path, broker: str) -> None:
    scene = tmp_path / "things.blend"
    blender_scripts.run(blender(), blender_scripts.MAKE_SCENE, scene)
    broker_url = studio.amqp_url if broker == "amqp" else ""
    database = 1 if broker == "amqp" else 2
    with parts(studio, tmp_path / "data", broker_url=broker_url, pool="prefork", database=database) as client:
        job = client.submit(scene, task="mesh.lods", params={"levels": 2})
        events = [item for item in client.watch(job.id) if isinstance(item, Event)]
        assert events[-1].state.value == "succeeded"
        (path,) = client.fetch(job.id, tmp_path / "out")
        found = blender_scripts.run(blender(), blender_scripts.MEASURE, path)
        assert {"Ball_LOD1", "Ball_LOD2", "Ring_LOD1", "Twin_LOD2"} <= set(found)
        waiting = client.submit(scene, task="system.wait", params={"seconds": 60})
        wait_for(lambda: client.job(waiting.id).state.value == "running", "the start")
        client.cancel(waiting.id)
        with pytest.raises(JobCancelled):
            client.wait(waiting.id, 10)


@pytest.mark.parametrize("broker", ["amqp", "redis"])
def test_io_bound_tasks_run_in_an_eventlet_pool_many_at_a_time(studio: Studio, tmp_path: Path, broker: str) -> None:
    note = tmp_path / "note.txt"
    note.write_text("anything")
    broker_url = studio.amqp_url if broker == "amqp" else ""
    database = 3 if broker == "amqp" else 4
    with parts(studio, tmp_path / "data", broker_url=broker_url, pool="eventlet", database=database) as client:
        jobs = [client.submit(note, task="system.wait", params={"seconds": 3}) for _ in range(20)]
        for job in jobs:
            assert client.wait(job.id, 60).state.value == "succeeded"
        records = [client.job(job.id).fields for job in jobs]
        assert max(r["started_at"] for r in records) < min(r["finished_at"] for r in records), "not side by side"
        long = client.submit(note, task="system.wait", params={"seconds": 60})
        wait_for(lambda: client.job(long.id).state.value == "running", "the start")
        client.cancel(long.id)
        with pytest.raises(JobCancelled):
            client.wait(long.id, 10)


def test_a_rabbitmq_that_was_away_costs_no_job(studio: Studio, tmp_path: Path) -> None:
    folder, port = tmp_path / "rabbitmq", free_port()
    folder.mkdir()
    note = tmp_path / "note.txt"
    note.write_text("anything")
    with ExitStack() as rabbitmq:
        broker_url = rabbitmq.enter_context(rabbitmq_server(folder, port=port))
        with parts(studio, tmp_path / "data", broker_url=broker_url, pool="prefork", database=5) as client:
            assert client.wait(client.submit(note, task="system.noop").id, 60).state.value == "succeeded"
            long = client.submit(note, task="system.wait", params={"seconds": 12})
            wait_for(lambda: client.job(long.id).state.value == "running", "the start")
            rabbitmq.close()
            meanwhile = client.submit(note, task="system.noop")
            assert client.job(meanwhile.id).state.value == "queued"
            with rabbitmq_server(folder, port=port):
                assert client.wait(long.id, 90).state.value == "succeeded"
                assert client.wait(meanwhile.id, 90).state.value == "succeeded"
                assert client.wait(client.submit(note, task="system.noop").id, 60).state.value == "succeeded"


def test_a_job_may_take_longer_than_rabbitmqs_consumer_timeout(studio: Studio, tmp_path: Path) -> None:
    folder = tmp_path / "rabbitmq"
    folder.mkdir()
    note = tmp_path / "note.txt"
    note.write_text("anything")
    # RabbitMQ looks at its timeouts every `channel_tick_interval`.
    settings = "[{rabbit, [{consumer_timeout, 5000}, {channel_tick_interval, 1000}]}]"
    with (
        rabbitmq_server(folder, settings=settings) as broker_url,
        parts(studio, tmp_path / "data", broker_url=broker_url, pool="prefork", database=6) as client,
    ):
        long = client.submit(note, task="system.wait", params={"seconds": 15})
        assert client.wait(long.id, 60).state.value == "succeeded"
        assert client.job(long.id).fields["attempt"] == 1
        assert client.wait(client.submit(note, task="system.noop").id, 30).state.value == "succeeded"
