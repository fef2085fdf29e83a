"""The one module of the server that knows Celery: it sends a job's id to a queue, by name, and nothing else."""

from __future__ import annotations

import threading
from typing import Any

from celery import Celery
from kombu import Exchange, Queue

from sendoff_store import broker

_SEND_SECONDS = 5


class DispatchFailed(Exception):
    """The broker did not take the message; the reaper sends it again."""


class Dispatcher:
    """Sends messages to the broker; may be used from several threads."""

    def __init__(self, broker_url: str) -> None:
        self._broker_url = broker_url
        self._app: Any = Celery("sendoff", broker=broker_url, set_as_current=False)
        self._app.conf.update(
            broker_connection_timeout=_SEND_SECONDS,
            broker_transport_options=_transport_options(broker_url),
            task_ignore_result=True,
            task_publish_retry_policy={"max_retries": 1, "interval_start": 0.1, "interval_max": 0.2},
            broker_pool_limit=4,
        )
        self._queues: dict[str, Queue] = {}
        self._lock = threading.Lock()

    def send(self, job: str, queue: str) -> None:
        """Send a job to a queue; raises DispatchFailed where the broker does not take it within some seconds."""
        try:
            self._app.send_task(broker.TASK_NAME, args=[job], task_id=job, queue=self._queue(queue))
        except Exception as error:
            raise DispatchFailed(f"The broker did not take the message: {error}") from error

    def close(self) -> None:
        """Close the connections."""
        self._app.close()

    def _queue(self, name: str) -> Queue:
        with self._lock:
            if name not in self._queues:
                full = broker.queue_name(name)
                self._queues[name] = Queue(
                    full, Exchange(full), routing_key=full, queue_arguments=broker.queue_arguments(self._broker_url)
                )
            return self._queues[name]


def _transport_options(broker_url: str) -> dict[str, Any]:
    if broker.is_amqp(broker_url):
        return {"confirm_publish": True}
    return {"socket_timeout": _SEND_SECONDS, "socket_connect_timeout": _SEND_SECONDS}
