from __future__ import annotations

import pytest

from sendoff_store.errors import NoRuntime
from sendoff_store.offers import TaskInfo, WorkerOffer
from sendoff_store.routing import choose

LODS = TaskInfo(name="mesh.lods", blender=True)
NOOP = TaskInfo(name="system.noop")


def offer(*series: str) -> WorkerOffer:
    return WorkerOffer(worker="w", tasks=[LODS, NOOP], queues=[], series=series, slots=1)


def test_a_job_goes_to_the_files_own_series_where_there_is_one() -> None:
    assert choose(LODS, series="4.5", offers=[offer("4.2", "4.5", "5.0")]).queue == "blender-4.5"


def test_else_to_the_oldest_newer_one() -> None:
    assert choose(LODS, series="2.90", offers=[offer("5.0", "4.5")]).queue == "blender-4.5"


def test_only_older_ones_are_refused_with_what_is_there() -> None:
    with pytest.raises(NoRuntime, match=r"Blender 5\.1.*4\.2 and 4\.5"):
        choose(LODS, series="5.1", offers=[offer("4.2", "4.5")])


def test_nobody_online_is_no_refusal_and_says_what_is_waited_for() -> None:
    route = choose(LODS, series="4.5", offers=[])
    assert not route.served
    assert route.message == "Waiting for a worker that offers mesh.lods with Blender 4.5 or newer"


def test_a_task_without_blender_needs_no_series() -> None:
    assert choose(NOOP, series="5.1", offers=[offer("4.2")]).queue == "cpu"
