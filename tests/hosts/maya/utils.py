"""maya.utils: what puts calls on the main thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import state


def executeDeferred(function: Callable[..., Any] | str, *args: Any, **options: Any) -> None:
    """Have something called when Maya is idle next; from any thread. In a batch Maya is never idle."""
    run = state.now
    with run.idle_came:
        run.idle.append(lambda: _run(function, args, options))
        run.idle_came.notify_all()


def processIdleEvents() -> None:
    """Run what waits."""
    from . import standin

    standin.idle()


def _run(function: Callable[..., Any] | str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    if isinstance(function, str):
        exec(function, {"__name__": "__main__"})
        return None
    return function(*args, **options)


def __getattr__(name: str) -> Any:
    if name == "executeInMainThreadWithResult":
        state.now.offences.append("executeInMainThreadWithResult was used, which can hang Maya for ever")
    raise AttributeError(name)
