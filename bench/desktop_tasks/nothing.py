"""A task for bench/desktop.py that takes a scene and does nothing: what is measured is the artist's machine."""

from __future__ import annotations

from sendoff_worker import Context, task


@task("bench.nothing", title="Nothing", accepts=("blend",))
def nothing(ctx: Context) -> None:
    """Take a scene and do nothing with it."""
