from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from sendoff_store.errors import NoRuntime
from sendoff_store.offers import TaskInfo, WorkerOffer
from sendoff_store.routing import Route, choose, queues_of, waiting_for
from sendoff_store.scene_needs import SceneNeeds

LODS = TaskInfo(name="mesh.lods", blender=True)
NOOP = TaskInfo(name="system.noop")
USD = SceneNeeds(kind="usdc")
OLD = SceneNeeds(kind="blend", series="2.79")
BIG_ENDIAN = replace(OLD, big_endian=True)


def blend(series: str, **more: object) -> SceneNeeds:
    return SceneNeeds(kind="blend", series=series, **more)  # type: ignore[arg-type]


def offer(*series: str, lacks_usd: Sequence[str] = (), queues: Sequence[str] | None = None) -> WorkerOffer:
    lacks = {one: ["usd"] for one in lacks_usd}
    served = queues_of((one, lacks.get(one, ())) for one in series) if queues is None else queues
    return WorkerOffer(worker="w", tasks=[LODS, NOOP], queues=served, series=series, slots=1, lacks=lacks)


def of_an_older_version(*series: str) -> WorkerOffer:
    """As a worker announced itself before there were queues for more than one series."""
    return offer(*series, queues=["cpu", *(f"blender-{one}" for one in series)])


def route(needs: SceneNeeds, *offers: WorkerOffer) -> Route:
    return choose(LODS, needs=needs, offers=offers)


def test_a_job_goes_to_the_files_own_series_if_there_is_one() -> None:
    assert route(blend("4.5"), offer("4.2", "4.5", "5.0")).queue == "blender-4.5"


def test_else_to_the_oldest_newer_one() -> None:
    assert route(blend("4.3"), offer("5.0", "4.5")).queue == "blender-4.5"
    assert route(blend("2.90"), of_an_older_version("5.0", "4.5")).queue == "blender-4.5"


def test_only_older_ones_are_refused_with_what_is_there() -> None:
    with pytest.raises(NoRuntime, match=r"Blender 5\.1.*4\.2 and 4\.5"):
        route(blend("5.1"), offer("4.2", "4.5"))


def test_nobody_online_is_no_refusal_and_says_what_is_waited_for() -> None:
    found = route(blend("4.5"))
    assert not found.served
    assert found.message == "Waiting for a worker that offers mesh.lods with Blender 4.5 or newer"


def test_a_task_without_blender_needs_no_series() -> None:
    assert choose(NOOP, needs=blend("5.1"), offers=[offer("4.2")]).queue == "cpu"


@pytest.mark.parametrize("needs", [OLD, SceneNeeds(kind="fbx"), blend("3.6"), SceneNeeds()])
def test_what_has_no_blender_of_its_own_goes_where_every_worker_takes_it(needs: SceneNeeds) -> None:
    found = route(needs, offer("4.2"), offer("5.1"))
    assert (found.queue, found.served) == ("blender", True)
    assert all(found.queue in one.queues for one in (offer("4.2"), offer("5.1")))


def test_usd_goes_to_every_worker_that_reads_it_and_to_no_other() -> None:
    without, some = offer("4.2", lacks_usd=["4.2"]), offer("4.2", "5.1", lacks_usd=["4.2"])
    assert route(USD, without, some).queue == "blender-usd"
    assert "blender-usd" not in without.queues
    assert "blender-usd" in some.queues
    with pytest.raises(NoRuntime, match=r"4\.2 cannot read \.usdc files.*4\.5"):
        route(USD, without)


def test_a_big_endian_file_goes_to_a_blender_before_5_0_and_to_no_other() -> None:
    assert route(BIG_ENDIAN, offer("5.0"), offer("4.5", "5.0")).queue == "blender-big-endian"
    assert "blender-big-endian" not in offer("5.0").queues
    with pytest.raises(NoRuntime, match=r"byte order.*up to 4\.5.*Blender 5\.0\. Open it in Blender 4\.5 or older"):
        route(BIG_ENDIAN, offer("5.0"))
    assert route(BIG_ENDIAN).message.endswith("with Blender 4.2 to 4.5")


@pytest.mark.parametrize(("reader", "fits"), [("4.2", False), ("4.4", False), ("4.5", True), ("5.0", True)])
def test_a_result_of_blender_5_is_for_artists_of_4_5_and_newer(reader: str, fits: bool) -> None:
    needs = blend("4.2", read_by=reader)
    assert route(needs, offer("4.5", "5.0")).queue == "blender-4.5"
    if fits:
        assert route(needs, offer("5.0")).queue == "blender-5.0"
    else:
        with pytest.raises(NoRuntime, match=rf"Your Blender {reader} cannot read the \.blend that comes back"):
            route(needs, offer("5.0"))


def test_workers_of_an_older_version_get_their_jobs_too() -> None:
    assert route(OLD, of_an_older_version("4.2", "5.0")).queue == "blender-4.2"
    assert route(USD, of_an_older_version("4.2", "5.0")).queue == "blender-5.0"
    assert route(BIG_ENDIAN, of_an_older_version("5.0", "4.5")).queue == "blender-4.5"
    assert route(OLD, of_an_older_version("4.2"), offer("5.0")).queue == "blender"


def test_a_worker_that_serves_some_of_its_queues_gets_no_others() -> None:
    some = offer("4.2", "4.5", queues=["blender-4.5"])
    assert route(OLD, some).queue == "blender-4.5"
    assert route(blend("4.2"), some).queue == "blender-4.5"


def test_a_blender_that_could_not_open_the_scene_is_not_asked_again() -> None:
    tried = replace(OLD, unable=("5.0",))
    assert route(tried, offer("5.0"), offer("4.2")).queue == "blender-4.2"
    with pytest.raises(NoRuntime, match=r"Blender 5\.0 cannot open the file"):
        route(tried, offer("5.0"))
    assert waiting_for(tried).message == "Waiting for a worker with another Blender than 5.0"


@pytest.mark.parametrize(
    ("needs", "queue", "words"),
    [
        (blend("5.3"), "blender-5.3", "Blender 5.3 or newer"),
        (USD, "blender-usd", "Blender 4.5 or newer"),
        (OLD, "blender", "Blender 4.2 or newer"),
        (blend("4.3", read_by="4.3"), "blender-4.3", "Blender 4.3 to 4.5"),
    ],
)
def test_what_no_blender_takes_waits_for_one_that_does(needs: SceneNeeds, queue: str, words: str) -> None:
    assert waiting_for(needs) == Route(queue, f"Waiting for a worker with {words}", served=False)


def test_the_queues_of_a_worker_are_those_of_its_blenders() -> None:
    assert queues_of([]) == ["cpu"]
    assert queues_of([("5.0", ())]) == ["cpu", "blender-5.0", "blender", "blender-usd"]
    assert queues_of([("4.2", ("usd",))]) == ["cpu", "blender-4.2", "blender", "blender-big-endian"]


def test_needs_when_written_and_read_then_they_are_the_same_and_old_records_are_read() -> None:
    needs = SceneNeeds(kind="blend", series="4.2", big_endian=True, read_by="4.2", unable=("4.5",))
    again = SceneNeeds.from_record({"needs": needs.to_json(), "series": "4.2"})
    assert replace(again, unable=tuple(again.unable)) == needs
    assert SceneNeeds.from_record({"series": "4.5"}) == SceneNeeds(series="4.5")
    assert SceneNeeds.from_record({"needs": '{"series": "4.5", "of_tomorrow": 1}'}) == SceneNeeds(series="4.5")
