"""The one module of the server that knows Celery: it sends a job's id to a queue, by name, and nothing else."""

from __future__ import annotations

import threading
from typing import Any

from celery import Celery
from kombu import Exchange, Queue

TASK_NAME = "sendoff.run"
_SEND_SECONDS = 5


class DispatchFailed(Exception):
    """The broker did not take the message; the reaper sends it again."""


class Dispatcher:
    """Sends messages to the broker; may be used from several threads."""

    def __init__(self, broker_url: str) -> None:
        is_amqp = broker_url.startswith(("amqp", "pyamqp"))
        self._app: Any = Celery("sendoff", broker=broker_url, set_as_current=False)
        self._app.conf.update(
            broker_connection_timeout=_SEND_SECONDS,
            broker_transport_options=_transport_options(is_amqp),
            task_ignore_result=True,
            task_publish_retry_policy={"max_retries": 1, "interval_start": 0.1, "interval_max": 0.2},
            broker_pool_limit=4,
        )
        self._is_amqp = is_amqp
        self._queues: dict[str, Queue] = {}
        self._lock = threading.Lock()

    def send(self, job: str, queue: str) -> None:
        """Send a job to a queue; raises DispatchFailed where the broker does not take it within some seconds."""
        try:
            self._app.send_task(TASK_NAME, args=[job], task_id=job, queue=self._queue(queue))
        except Exception as error:
            raise DispatchFailed(f"The broker did not take the message: {error}") from error

    def close(self) -> None:
        """Close the connections."""
        self._app.close()

    def _queue(self, name: str) -> Queue:
        with self._lock:
            if name not in self._queues:
                self._queues[name] = job_queue(name, is_amqp=self._is_amqp)
            return self._queues[name]


def job_queue(name: str, *, is_amqp: bool) -> Queue:
    """A durable queue; on RabbitMQ a quorum queue that delivers a message some times at most.

    `sendoff_worker.celery_app` declares the same; a test compares the two.
    """
    arguments: dict[str, Any] = {"x-queue-type": "quorum", "x-delivery-limit": 20} if is_amqp else {}
    full = f"sendoff.{name}"
    return Queue(full, Exchange(full, type="direct", durable=True), routing_key=full, durable=True,
                 queue_arguments=arguments)  # fmt: skip


def _transport_options(is_amqp: bool) -> dict[str, Any]:
    if is_amqp:
        return {"confirm_publish": True}
    return {"socket_timeout": _SEND_SECONDS, "socket_connect_timeout": _SEND_SECONDS}
