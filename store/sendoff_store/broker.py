"""What server and worker have to say alike to the broker; plain data, so that neither needs the other's Celery."""

from __future__ import annotations

from typing import Any

#: The one Celery task there is: its argument is a job's id.
TASK_NAME = "sendoff.run"

#: How often RabbitMQ delivers a message before it drops it; the reaper sends a new one where a job still waits.
_DELIVERIES = 20
#: RabbitMQ (3.12 and later) closes a channel whose message is not acknowledged for so long; a job may take 30 days.
_CONSUMER_TIMEOUT_MS = 31 * 86400 * 1000


def is_amqp(broker_url: str) -> bool:
    """Whether a broker is RabbitMQ rather than Redis."""
    return broker_url.startswith(("amqp", "pyamqp"))


def queue_name(queue: str) -> str:
    """A queue ("cpu", "blender-4.5") as the broker has it."""
    return f"sendoff.{queue}"


def queue_arguments(broker_url: str) -> dict[str, Any]:
    """How a queue is declared: on RabbitMQ as a quorum queue that waits for long jobs."""
    if not is_amqp(broker_url):
        return {}
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": _DELIVERIES,
        "x-consumer-timeout": _CONSUMER_TIMEOUT_MS,
    }
