"""The one module of the worker that knows Celery: it takes job ids from queues and hands them to the runner."""

from __future__ import annotations

import logging
from typing import Any

from celery import Celery, signals
from celery.worker import state as celery_state
from kombu import Exchange, Queue

from sendoff_store import broker

from .announcer import Announcer
from .settings import WorkerSettings
from .worker import Worker

log = logging.getLogger("sendoff.worker")

_MARGIN_SECONDS = 3600
_VERSION_SECONDS = 10
#: From this version on RabbitMQ takes `x-consumer-timeout` of a queue.
_CONSUMER_TIMEOUT_BY_QUEUE = (3, 12)


def run_worker(worker: Worker) -> int:
    """Consume until SIGTERM or SIGINT; returns the exit status."""
    settings = worker.settings
    app = make_app(settings, worker)
    announcer = Announcer(settings.redis_url, lambda: worker.offer(len(celery_state.active_requests)))
    signals.worker_ready.connect(lambda **_: announcer.start(), weak=False)
    signals.worker_shutting_down.connect(lambda **_: worker.tell_children_to_release(), weak=False)
    signals.worker_process_init.connect(lambda **_: _begin_process(worker), weak=False)
    signals.worker_process_shutdown.connect(lambda **_: worker.runner().close(), weak=False)
    signals.setup_logging.connect(lambda **_: None, weak=False)  # ours stays
    arguments = [
        "worker",
        f"--pool={settings.pool}",
        f"--concurrency={settings.concurrency}",
        f"--hostname={settings.worker_name}@%h",
        "--loglevel=INFO",
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
    ]
    try:
        app.worker_main(arguments)
    except SystemExit as ended:
        return int(ended.code or 0) if isinstance(ended.code, int | None) else 1
    finally:
        announcer.end()
    return 0


def make_app(settings: WorkerSettings, worker: Worker) -> Any:
    """The Celery application, configured so that no job is lost and none waits behind another."""
    is_amqp = broker.is_amqp(settings.broker)
    app: Any = Celery("sendoff", broker=settings.broker, set_as_current=False)
    waits_for_long_jobs = not is_amqp or _rabbitmq_version(app) >= _CONSUMER_TIMEOUT_BY_QUEUE
    if not waits_for_long_jobs:
        log.info(
            "This RabbitMQ would end a consumer whose job takes longer than its consumer_timeout (30 min), so messages "
            "are acknowledged when a job begins. A job whose worker is lost is found by its lease, as ever.",
            extra={"action": "worker.acks_early"},
        )
    app.conf.update(
        task_queues=[_queue(name, settings.broker) for name in worker.queues()],
        task_default_queue=broker.queue_name(worker.queues()[0]),
        task_default_queue_type="quorum" if is_amqp else "classic",
        task_acks_late=waits_for_long_jobs,
        task_reject_on_worker_lost=waits_for_long_jobs,
        task_ignore_result=True,
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=not is_amqp,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=5,
        broker_heartbeat=30,
        broker_transport_options=_transport_options(settings, is_amqp=is_amqp),
    )

    def run(job: str) -> None:
        worker.runner().run(job)

    app.task(name=broker.TASK_NAME)(run)
    return app


def _queue(name: str, broker_url: str) -> Queue:
    full = broker.queue_name(name)
    return Queue(full, Exchange(full), routing_key=full, queue_arguments=broker.queue_arguments(broker_url))


def _rabbitmq_version(app: Any) -> tuple[int, ...]:
    """The broker's version; (0,) where it does not answer now."""
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=3, interval_start=0.5, timeout=_VERSION_SECONDS)
            text = str(connection.connection.server_properties.get("version", "0"))
    except Exception as error:
        log.warning("RabbitMQ does not say its version: %s", error, extra={"action": "worker.broker_version"})
        return (0,)
    return tuple(int(part) for part in text.split(".")[:2] if part.isdigit())


def _begin_process(worker: Worker) -> None:
    worker.runner().warm_up()


def _transport_options(settings: WorkerSettings, *, is_amqp: bool) -> dict[str, Any]:
    if is_amqp:
        return {"confirm_publish": True}
    # A message must not be given to another worker while its job may still run.
    return {"visibility_timeout": int(settings.job_timeout_seconds) + _MARGIN_SECONDS, "health_check_interval": 15}
