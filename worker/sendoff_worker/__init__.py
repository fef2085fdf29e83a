"""Sendoff's workers: write a task with one decorator, and an artist runs it from Blender or Maya.

>>> from sendoff_worker import Context, task
>>> @task("studio.hello", title="Say hello")
... def hello(ctx: Context, times: int = 3) -> None:
...     for _ in ctx.steps(range(times), "Hello {}"):
...         pass
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .context import Context
    from .errors import TaskFailed
    from .registry import task

__version__ = "0.1.0"

__all__ = ["Context", "TaskFailed", "__version__", "task"]

_HOMES = {"Context": "context", "TaskFailed": "errors", "task": "registry"}


def __getattr__(name: str) -> Any:
    """Load a name when it is asked for: `__main__` has to come before everything else (see there)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
