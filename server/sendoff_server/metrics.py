"""What Prometheus reads at `/metrics`, counted when it asks."""

from __future__ import annotations

from collections import Counter

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from sendoff.states import JobState
from sendoff_store import jobs

from .parts import Parts


async def render(parts: Parts) -> bytes:
    """The metrics in Prometheus' text form; read from Redis, so that every server process says the same."""
    registry = CollectorRegistry()
    active = await parts.store.run(jobs.load())
    states = Counter(record.state for record in active)
    by_state = Gauge("sendoff_jobs", "Jobs that have not ended, by state.", ["state"], registry=registry)
    for state in JobState:
        if not state.is_final:
            by_state.labels(state.value).set(states[state])
    queues = Gauge("sendoff_queued_jobs", "Jobs that wait, by queue.", ["queue"], registry=registry)
    for queue, count in Counter(record.queue for record in active if record.state is JobState.QUEUED).items():
        queues.labels(queue).set(count)
    live = await parts.offers()
    Gauge("sendoff_workers", "Workers online.", registry=registry).set(len(live))
    Gauge("sendoff_worker_slots", "Jobs that all workers can run at once.", registry=registry).set(
        sum(offer.slots for offer in live)
    )
    Gauge("sendoff_worker_busy", "Jobs that all workers run now.", registry=registry).set(
        sum(offer.busy for offer in live)
    )
    Gauge("sendoff_sockets", "WebSockets open on this server process.", registry=registry).set(parts.hub.watchers)
    return generate_latest(registry)
