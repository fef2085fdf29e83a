"""Tasks that need no scene: to try the way there and back."""

from __future__ import annotations

import time
from typing import Annotated

from pydantic import Field

from ..context import Context
from ..registry import task

_STEP_SECONDS = 0.05


@task("system.noop", title="Nothing")
def noop(ctx: Context) -> None:
    """Do nothing: `sendoff check` and the benchmark time the way there and back."""


@task("system.wait", title="Wait")
def wait(
    ctx: Context,
    seconds: Annotated[float, Field(ge=0, le=3600, title="Seconds", description="How long")] = 5.0,
) -> None:
    """Wait, with progress: to try status bars, cancelling and restarts."""
    started = time.monotonic()
    while (waited := time.monotonic() - started) < seconds:
        ctx.progress(waited / seconds, f"Waited {waited:.1f} of {seconds:g} s")
        time.sleep(min(_STEP_SECONDS, seconds - waited))
    ctx.summarize(waited_seconds=round(time.monotonic() - started, 3))
