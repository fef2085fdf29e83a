"""Sendoff's workers: write a task with one decorator, and an artist runs it from Blender or Maya.

>>> from sendoff_worker import Context, task
>>> @task("studio.hello", title="Say hello")
... def hello(ctx: Context, times: int = 3) -> None:
...     for _ in ctx.steps(range(times), "Hello {}"):
...         pass
"""

from __future__ import annotations

from .context import Context
from .errors import TaskFailed
from .registry import task

__version__ = "0.1.0"

__all__ = ["Context", "TaskFailed", "__version__", "task"]
