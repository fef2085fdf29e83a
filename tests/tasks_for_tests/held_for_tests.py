"""A task that ends when a test says so: what has to happen while a job runs then happens for certain."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Annotated

from pydantic import Field

from sendoff_worker import Context, task

_LOOK_SECONDS = 0.05
_MOST_SECONDS = 300.0


@task("studio.held", title="Held", accepts=("blend",))
def held(
    ctx: Context,
    gate: Annotated[str, Field(description="The job goes on until this file is there")],
    results: Annotated[list[str], Field(description="Files of which copies are handed in")] = [],  # noqa: B006 - read
) -> None:
    """Go on until a file is there, then hand in copies of others."""
    began = time.monotonic()
    while not Path(gate).is_file():
        passed = time.monotonic() - began
        if passed > _MOST_SECONDS:
            ctx.fail(f"Nobody let the job go on within {_MOST_SECONDS:g} s.")
        ctx.progress(passed / (passed + 10.0), f"Held for {passed:.0f} s")
        time.sleep(_LOOK_SECONDS)
    for path in map(Path, results):
        shutil.copyfile(path, ctx.output / path.name)
        ctx.add_file(path.name)
