from __future__ import annotations

import pytest

from sendoff.check import check
from sendoff.connection import Connection

HOPS = ["network", "TLS", "HTTP", "sign-in", "protocol", "WebSocket", "upload", "worker", "job"]


def online(session):  # type: ignore[no-untyped-def]
    session.receive()
    session.heartbeat()
    session.wait_until_gone()


def done(session):  # type: ignore[no-untyped-def]
    session.send(kind="snapshot", state="succeeded", seq=3, after=3)
    session.wait_until_gone()


def test_a_house_when_well_then_every_hop_is(fake, connection) -> None:  # type: ignore[no-untyped-def]
    fake.scripts.extend([online, done])
    hops = list(check(connection))
    assert [hop.name for hop in hops] == HOPS
    assert all(hop.ok for hop in hops)
    assert [hop.name for hop in hops if hop.skipped] == ["TLS"]
    assert fake.jobs == {}


@pytest.mark.parametrize(
    ("fault", "broken"),
    [
        (("/healthz", 500), "HTTP"),
        (("/v1/server", {"status": 500, "detail": "No."}), "protocol"),
        (("/v1/events", 404), "WebSocket"),
        (("/v1/chunks", {"status": 507, "detail": "The disk is full."}), "upload"),
        (("/v1/jobs", 422), "job"),
    ],
)
def test_a_hop_when_broken_then_it_is_named_and_the_rest_is_not_tried(fake, connection, fault, broken) -> None:  # type: ignore[no-untyped-def]
    fake.faults.append(fault)
    fake.scripts.extend([online, done])
    hops = list(check(connection))
    first = next(hop for hop in hops if not hop.ok)
    assert first.name == broken
    assert first.detail.endswith(".")
    assert all(hop.skipped and "Not tried" in hop.detail for hop in hops[hops.index(first) + 1 :])


def test_nobody_there_when_checked_then_the_network_hop_says_so(fake) -> None:  # type: ignore[no-untyped-def]
    fake.close()
    first = next(check(Connection(fake.url, "t")))
    assert not first.ok
    assert "nothing answers on port" in first.detail


def test_no_worker_when_checked_then_how_to_start_one(fake, connection) -> None:  # type: ignore[no-untyped-def]
    fake.tasks = []
    fake.scripts.append(online)
    assert "No worker is online. Start one" in next(hop.detail for hop in check(connection) if hop.name == "worker")


def test_no_token_when_checked_then_sign_in_is_advised(fake) -> None:  # type: ignore[no-untyped-def]
    broken = next(hop for hop in check(Connection(fake.url)) if not hop.ok)
    assert broken.name == "sign-in"
    assert "sendoff sign-in" in broken.detail
