"""What the threads told becomes what is seen, in a host application of any kind."""

from __future__ import annotations

import pytest


@pytest.fixture
def job(host, desk, submitting, until):
    made = submitting.begin(host.submitting.Order(task="mesh.lods", params={}), title="car")
    submitting.save_and_send(made)
    until(lambda: bool(made.id))
    return made


def test_a_result_is_asked_for_fetched_and_then_nothing_goes_on(host, desk, view, job, server, until):
    assert host.pump.work(desk, view) in (host.pump.SOON_SECONDS, host.pump.ACTIVE_SECONDS)
    server.finish(job.id, "lods.bin", b"content")
    desk.session().ask(job.id)
    until(lambda: bool(job.files))
    assert job.files[0].path.read_bytes() == b"content"
    until(lambda: host.pump.work(desk, view) == host.pump.IDLE_SECONDS)
    host.actions.see(desk, job)
    assert host.pump.work(desk, view) is None
    assert view.bar.front is None


def test_what_could_not_be_asked_is_told(desk, view, until):
    desk.session().cancel("nothing")
    desk.session().fetch_log("nothing", desk.host.folder("results") / "log.txt")
    until(lambda: bool(view.told))
    assert view.told[0].endswith(".")
