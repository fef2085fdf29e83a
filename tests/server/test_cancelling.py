from __future__ import annotations

import asyncio
import logging

import pytest

from sendoff_server import cancelling


def test_a_task_that_takes_a_cancellation_for_something_else_is_ended_all_the_same() -> None:
    async def deaf() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:  # as a library did
                break
        await asyncio.sleep(60)

    async def run() -> list[bool]:
        tasks = [asyncio.create_task(deaf()), asyncio.create_task(asyncio.sleep(60))]
        await asyncio.sleep(0)
        await cancelling.end(*tasks)
        return [task.cancelled() for task in tasks]

    assert asyncio.run(run()) == [True, True]


def test_one_that_never_ends_is_given_up_and_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(cancelling, "_AGAIN_SECONDS", 0.01)

    async def run() -> None:
        may_end = False

        async def stubborn() -> None:
            while not may_end:
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    continue

        task = asyncio.create_task(stubborn())
        await asyncio.sleep(0)
        with caplog.at_level(logging.WARNING):
            await cancelling.end(task)
        assert not task.done()
        may_end = True
        await cancelling.end(task)

    asyncio.run(run())
    assert "does not end" in caplog.text
