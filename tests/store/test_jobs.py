from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from sendoff.states import TRANSITIONS, Health, JobState, may_change
from sendoff_store import jobs
from sendoff_store.calls import SyncStore
from sendoff_store.jobs import Refused
from sendoff_store.records import JobRecord, NewJob

KEEP = 100


def new_job(name: str = "j1", **changes: Any) -> NewJob:
    values: dict[str, Any] = {
        "id": name,
        "task": "mesh.lods", "title": "Car", "owner": "ana", "sid": "s1", "queue": "cpu", "message": "Queued",
    }  # fmt: skip
    return NewJob(**(values | changes))


def create(store: SyncStore, name: str = "j1", key: str | None = None, **changes: Any) -> jobs.Created:
    return store.run(jobs.create(new_job(name, **changes), {"files": []}, idempotency_key=key, retention_seconds=KEEP))


def lease(store: SyncStore, token: str = "t1", name: str = "j1", seconds: float = 30) -> JobRecord | Refused:
    return store.run(jobs.take_lease(name, token=token, worker="w1", lease_seconds=seconds, retention_seconds=KEEP))


def report(store: SyncStore, token: str = "t1", **values: Any) -> jobs.Reported | Refused:
    return store.run(jobs.report("j1", token=token, lease_seconds=30, **values))


def finish(store: SyncStore, state: JobState, token: str = "t1") -> JobRecord | Refused:
    return store.run(
        jobs.finish("j1", token=token, state=state, message="Done", result={"files": []}, retention_seconds=KEEP)
    )


def cancel(store: SyncStore) -> JobRecord | Refused:
    return store.run(jobs.cancel("j1", by="ana", retention_seconds=KEEP))


def now(store: SyncStore) -> JobRecord:
    record = store.run(jobs.snapshot("j1"))
    assert record is not None
    return record


def test_the_load_is_what_the_records_of_active_jobs_say(store: SyncStore) -> None:
    for name in ("j1", "j2", "j3"):
        create(store, name, owner=f"of-{name}")
    lease(store, name="j2")
    store.run(jobs.cancel("j3", by="somebody", retention_seconds=KEEP))
    assert [job.id for job in store.run(jobs.load())] == ["j1", "j2"]
    for job in store.run(jobs.load()):
        record = store.run(jobs.snapshot(job.id))
        assert record is not None
        assert job == (record.id, record.state, record.queue, record.worker, f"of-{job.id}")


def test_a_new_job_is_queued_and_its_first_event_says_so(store: SyncStore) -> None:
    created = create(store)
    assert not created.existed
    assert (created.record.state, created.record.seq, created.record.queue_position) == (JobState.QUEUED, 1, 1)
    caught = store.run(jobs.catch_up("j1", after=0, epoch=created.record.epoch))
    assert caught is not None
    assert [(event.seq, event.state) for event in caught.events] == [(1, JobState.QUEUED)]


def test_the_same_key_of_the_same_person_gives_the_first_job(store: SyncStore) -> None:
    create(store, key="k")
    again = create(store, "j2", key="k")
    assert again.existed
    assert again.record.id == "j1"
    assert not create(store, "j3", key="k", owner="ben").existed


def test_every_change_is_in_snapshot_stream_and_channel(store: SyncStore) -> None:
    create(store)
    with store.redis.pubsub() as listener:
        listener.psubscribe("progress:*")
        assert listener.get_message(timeout=2) is not None
        lease(store)
        report(store, state=JobState.RUNNING, message="Body", fraction=0.25, done=1, total=4)
        heard = [json.loads(listener.get_message(timeout=2)["data"]) for _ in range(2)]
    record = now(store)
    caught = store.run(jobs.catch_up("j1", after=1, epoch=record.epoch))
    assert caught is not None
    assert [event.to_dict() for event in caught.events] == heard
    assert (record.seq, record.fraction, record.message, record.total) == (3, 0.25, "Body", 4)
    assert heard[-1]["seq"] == 3


def test_the_fraction_never_goes_back_within_an_attempt(store: SyncStore) -> None:
    create(store)
    lease(store)
    report(store, fraction=0.5)
    report(store, fraction=0.2)
    assert now(store).fraction == 0.5


def test_a_new_stage_forgets_what_was_counted_in_the_one_before(store: SyncStore) -> None:
    create(store)
    lease(store)
    report(store, stage="Reducing", message="Body", fraction=0.4, done=2, total=5, eta_seconds=30)
    report(store, stage="Reducing", message="Wheel")
    record = now(store)
    assert (record.done, record.total, record.eta_seconds) == (2, 5, 30)
    report(store, stage="Writing", eta_seconds=12)
    record = now(store)
    assert (record.stage, record.done, record.total, record.eta_seconds) == ("Writing", None, None, 12)
    report(store, stage="Saving", message="Keeping the result")
    record = now(store)
    assert (record.eta_seconds, record.fraction) == (None, 0.4)


def test_another_attempts_token_is_refused(store: SyncStore) -> None:
    create(store)
    lease(store)
    before = now(store)
    assert report(store, token="other", fraction=0.9) == Refused("stale")
    assert finish(store, JobState.SUCCEEDED, token="other") == Refused("stale")
    assert store.run(jobs.renew("j1", token="other", lease_seconds=30)) == Refused("stale")
    assert now(store) == before


def test_a_second_worker_cannot_take_a_held_lease(store: SyncStore) -> None:
    create(store)
    lease(store)
    assert lease(store, token="t2") == Refused("leased")


def test_of_many_workers_at_once_one_gets_the_lease(store: SyncStore) -> None:
    create(store)
    got: list[Any] = []
    workers = [threading.Thread(target=lambda n=n: got.append(lease(store, token=f"t{n}"))) for n in range(12)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(10)
    assert sum(isinstance(answer, JobRecord) for answer in got) == 1
    assert now(store).attempt == 1


@pytest.mark.parametrize("final", [JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED])
def test_a_final_state_never_changes(store: SyncStore, final: JobState) -> None:
    create(store)
    lease(store)
    if final is JobState.CANCELLED:
        cancel(store)
    assert isinstance(finish(store, final), JobRecord)
    ended = now(store)
    assert ended.state is final
    assert report(store, fraction=0.1) == Refused("final")
    assert finish(store, JobState.FAILED) == Refused("final")
    assert lease(store, token="t2") == Refused("final")
    cancel(store)
    assert store.run(jobs.recover_if_lost("j1", retention_seconds=KEEP)) == "final"
    assert now(store) == ended


def test_the_script_follows_the_table_of_states(store: SyncStore) -> None:
    seen: list[JobState] = []

    def note() -> None:
        state = now(store).state
        if seen and state is not seen[-1]:
            assert may_change(seen[-1], state)
        seen.append(state)

    for step in (
        lambda: create(store), lambda: lease(store, seconds=0.01), lambda: time.sleep(0.03),
        lambda: store.run(jobs.recover_if_lost("j1", retention_seconds=KEEP)), lambda: lease(store, token="t2"),
        lambda: report(store, token="t2", state=JobState.RUNNING), lambda: cancel(store),
        lambda: finish(store, JobState.CANCELLED, token="t2"),
    ):  # fmt: skip
        step()
        note()
    assert set(seen) >= {JobState.QUEUED, JobState.STARTING, JobState.RUNNING, JobState.CANCELLED}
    assert all(TRANSITIONS[state] == frozenset() for state in JobState if state.is_final)


def test_cancelling_a_queued_job_ends_it_at_once(store: SyncStore) -> None:
    create(store)
    assert isinstance(cancel(store), JobRecord)
    assert now(store).state is JobState.CANCELLED
    assert lease(store) == Refused("final")


def test_cancelling_a_running_job_wakes_its_worker_and_each_report_tells(store: SyncStore) -> None:
    create(store)
    lease(store)
    with store.redis.pubsub() as listener:
        listener.subscribe(jobs.control_channel("j1"))
        assert listener.get_message(timeout=2) is not None
        cancel(store)
        assert listener.get_message(timeout=2)["data"] == "cancel"
    answer = report(store, fraction=0.1, state=JobState.RUNNING)
    assert isinstance(answer, jobs.Reported)
    assert answer.cancel
    assert now(store).state is JobState.CANCELLING
    assert store.run(jobs.renew("j1", token="t1", lease_seconds=30)) is True


def test_a_lost_worker_gives_the_job_back_until_the_attempts_are_used(store: SyncStore) -> None:
    create(store, max_attempts=2)
    lease(store, seconds=0.01)
    time.sleep(0.03)
    assert store.run(jobs.recover_if_lost("j1", retention_seconds=KEEP)) == "requeued"
    record = now(store)
    assert (record.state, record.health, record.message) == (
        JobState.QUEUED, Health.WORKER_LOST, "Worker lost, attempt 2 of 2",
    )  # fmt: skip
    lease(store, token="t2", seconds=0.01)
    time.sleep(0.03)
    assert lease(store, token="t3") == Refused("exhausted")
    record = now(store)
    assert record.state is JobState.FAILED
    assert record.result is not None
    assert record.result["error"]["kind"] == "worker_lost"


def test_the_events_of_a_lost_worker_and_of_the_next_attempt_say_which_one_it_is(store: SyncStore) -> None:
    create(store, max_attempts=3)
    lease(store, seconds=0.05)
    report_call = jobs.report("j1", token="t1", lease_seconds=0.01, stage="Reducing", fraction=0.7, eta_seconds=9)
    assert isinstance(store.run(report_call), jobs.Reported)
    time.sleep(0.05)
    before = now(store)
    assert store.run(jobs.recover_if_lost("j1", retention_seconds=KEEP)) == "requeued"
    lease(store, token="t2")
    report(store, token="t2", state=JobState.RUNNING, stage="Preparing", message="Getting the scene")
    caught = store.run(jobs.catch_up("j1", after=before.seq, epoch=before.epoch))
    assert caught is not None
    told = [(event.state, event.attempt, event.health, event.message, event.fraction) for event in caught.events]
    assert told == [
        (JobState.QUEUED, 1, Health.WORKER_LOST, "Worker lost, attempt 2 of 3", None),
        (JobState.STARTING, 2, Health.OK, "Starting, attempt 2 of 3", None),
        (JobState.RUNNING, 2, Health.OK, "Getting the scene", None),
    ]
    assert [(event.stage, event.eta_seconds) for event in caught.events] == [
        ("", None),
        ("", None),
        ("Preparing", None),
    ]
    assert caught.record.to_event().job_fields["max_attempts"] == 3
    assert caught.record.to_dict()["max_attempts"] == 3


def test_a_job_with_a_lease_is_not_lost(store: SyncStore) -> None:
    create(store)
    assert store.run(jobs.recover_if_lost("j1", retention_seconds=KEEP)) == "not_lost"
    lease(store)
    assert store.run(jobs.recover_if_lost("j1", retention_seconds=KEEP)) == "not_lost"


def test_a_released_job_waits_again_and_the_attempt_does_not_count(store: SyncStore) -> None:
    create(store)
    lease(store)
    store.run(jobs.release("j1", token="t1", retention_seconds=KEEP))
    record = now(store)
    assert (record.state, record.attempt, record.queue_position) == (JobState.QUEUED, 0, 1)


def test_where_redis_lost_its_tail_the_epoch_goes_up(store: SyncStore) -> None:
    create(store)
    lease(store)
    before = now(store).epoch
    report(store, fraction=0.1, last_seq=40)
    assert now(store).epoch == before + 1


def test_a_client_that_is_ahead_or_of_another_epoch_or_too_late_is_told(store: SyncStore) -> None:
    record = create(store).record
    lease(store)
    for after, epoch, reason in ((9, record.epoch, "ahead"), (1, record.epoch + 5, "epoch"), (None, None, "snapshot")):
        caught = store.run(jobs.catch_up("j1", after=after, epoch=epoch))
        assert caught is not None
        assert caught.reason == reason
        assert caught.events == ()
    store.redis.xtrim("job:j1:events", maxlen=1, approximate=False)
    caught = store.run(jobs.catch_up("j1", after=0, epoch=record.epoch))
    assert caught is not None
    assert caught.reason == "trimmed"


def test_a_silent_job_is_marked_stalled_once_until_it_speaks(store: SyncStore) -> None:
    create(store)
    lease(store)
    time.sleep(0.02)
    assert store.run(jobs.mark_stalled("j1", after_seconds=0.01)) == "ok"
    assert store.run(jobs.mark_stalled("j1", after_seconds=0.01)) == "unchanged"
    assert now(store).health is Health.STALLED
    report(store, fraction=0.3)
    assert now(store).health is Health.OK


def test_only_jobs_that_need_it_are_untended(store: SyncStore) -> None:
    for name in ("well", "waits", "lost", "silent", "ended"):
        create(store, name)
    for name, seconds in (("well", 30.0), ("lost", 0.01), ("silent", 30.0), ("ended", 30.0)):
        lease(store, name=name, seconds=seconds)
    store.run(jobs.finish("ended", token="t1", state=JobState.SUCCEEDED, message="", result={}, retention_seconds=KEEP))
    time.sleep(0.5)
    store.run(jobs.report("well", token="t1", lease_seconds=30, fraction=0.5))

    def untended(seconds: float) -> set[str]:
        return {record.id for record in store.run(jobs.untended(stalled_seconds=seconds))}

    assert untended(0.4) == {"waits", "lost", "silent"}
    assert untended(60) == {"waits", "lost"}
    assert store.run(jobs.mark_stalled("silent", after_seconds=0.4)) == "ok"
    assert "silent" not in untended(0.4), "it is said once"


def test_pages_hold_a_persons_jobs_newest_first(store: SyncStore) -> None:
    for number in range(7):
        create(store, f"j{number}")
    create(store, "other", owner="ben")
    first = store.run(jobs.list_of_person("ana", limit=4))
    assert [record.id for record in first.jobs] == ["j6", "j5", "j4", "j3"]
    assert first.cursor is not None
    second = store.run(jobs.list_of_person("ana", limit=4, cursor=first.cursor))
    assert [record.id for record in second.jobs] == ["j2", "j1", "j0"]
    assert second.cursor is None


def test_an_ended_job_is_kept_for_its_time_and_can_be_deleted(store: SyncStore) -> None:
    create(store)
    assert store.run(jobs.delete("j1")) == "running"
    lease(store)
    finish(store, JobState.SUCCEEDED)
    assert 0 < store.redis.ttl("job:j1") <= KEEP
    assert 0 < store.redis.ttl("job:j1:events") <= KEEP
    assert store.run(jobs.delete("j1")) == "deleted"
    assert store.run(jobs.snapshot("j1")) is None
    assert list(store.redis.scan_iter("job:j1*")) == []


def test_a_large_result_is_left_out_of_the_event_and_kept_in_the_record(store: SyncStore) -> None:
    create(store)
    lease(store)
    files = [
        {"path": f"part-{n}.blend", "size": 1, "sha256": "0" * 64, "chunks": [], "role": "result"} for n in range(99)
    ]
    store.run(
        jobs.finish(
            "j1", token="t1", state=JobState.SUCCEEDED, message="Done", result={"files": files}, retention_seconds=KEEP
        )
    )
    record = now(store)
    assert record.result is not None
    assert len(record.result["files"]) == 99
    caught = store.run(jobs.catch_up("j1", after=record.seq - 1, epoch=record.epoch))
    assert caught is not None
    assert caught.events[0].result == {"error": None, "truncated": True}


def test_no_persons_name_leads_to_the_jobs_of_others(store: SyncStore) -> None:
    create(store, "j1", owner="ana")
    for name in ("active", "all", ""):
        assert store.run(jobs.list_of_person(name, limit=10)).jobs == ()
    create(store, "j2", owner="a", key="b:c")
    other = create(store, "j3", owner="a:b", key="c")
    assert not other.existed
    assert other.record.id == "j3"
