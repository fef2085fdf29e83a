"""Process on server: for the artist's click, which returns at once, and for scripts, which may wait for the result."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from . import form, preferences, pump, results, scene_export, scopes, status_bar
from .current import desk, submitting
from .interactive import is_interactive
from .sendoff import InputError
from .sendoff.host import waiting
from .sendoff.host.jobs import Job
from .sendoff.host.known_tasks import KnownTask
from .sendoff.host.status import model
from .sendoff.host.submitting import Order
from .sendoff.host.waiting import WAIT_SECONDS
from .sendoff.host.words import line


@dataclass(frozen=True)
class Request:
    """What a click or a script asks for; "" is what the window has set."""

    task: str = ""
    #: A JSON object.
    params: str = ""
    #: "SCENE", "SELECTED" or "SET".
    scope: str = ""
    set_name: str = ""


def click() -> Job | None:
    """The artist's click: the bar tells the rest. Raises InputError where nothing can be sent."""
    job = begin(Request())
    answer()
    return job


def begin(request: Request) -> Job:
    """Make the job of a request. Raises InputError where it makes no sense, or no server can be used."""
    reason = why_not()
    if reason:
        raise InputError(f"{reason.rstrip('.')}.")
    return submitting.begin(_order(request), title=scene_export.scene_title())


def run(request: Request, *, wait: bool, timeout_seconds: float = WAIT_SECONDS) -> Job:
    """A script's call: save and send, and wait for the result in the scene unless told not to. Raises InputError."""
    reason = why_not()
    if reason:
        raise InputError(f"{reason.rstrip('.')}.")
    if not request.params:
        learn_task(request.task or chosen_name())
    job = begin(request)
    job.is_import_asked = True
    submitting.save_and_send(job)
    if job.problem is None and wait:
        wait_for(job, timeout_seconds)
    pump.start()
    return job


def why_not() -> str:
    """Why nothing can be processed now, as a sentence; "" where it can."""
    return desk.why_offline()


def chosen_name() -> str:
    """The task that the window has chosen; the first one where it has none."""
    name = preferences.text(preferences.TASK)
    if desk.find_task(name) is None and desk.tasks:
        return desk.tasks[0].name
    return name


def chosen_task() -> KnownTask | None:
    """The same, as the server tells it."""
    return desk.find_task(chosen_name())


def why_no_task() -> str:
    """Why there is no task to choose, as a sentence; "" where there is one."""
    if chosen_task() is not None:
        return ""
    return (
        "The server offers no task for Maya now" if desk.jobs.server is not None else "The server has not answered yet"
    )


def answer() -> None:
    """Show a click's job at once; the pump saves its copy after that was drawn."""
    status_bar.show_at_once()
    status_bar.show(model(desk.jobs))
    pump.start()


def learn_task(name: str) -> None:
    """Have a task known before its parameters are read."""
    waiting.learn_task(desk, name, pump.work)


def wait_for(job: Job, timeout_seconds: float) -> None:
    """Run the pump until a job's result is in the scene, or it has ended otherwise, or the time is over."""
    waiting.wait_for(
        desk, job, timeout_seconds, pump=pump.pump, is_over=lambda: _is_over(job), prints=not is_interactive()
    )


def said(job: Job) -> str:
    """What there is to say of a job, for a script's log."""
    return f"{job.name}: {line(job, desk.jobs.connectivity, time.time()).text}"


def _is_over(job: Job) -> bool:
    """Whether nothing more comes of a job by itself."""
    if job.is_active or job.is_saving:
        return False
    return not (job.wants_import and desk.came_from_open_file(job) and not results.why_not_now(job))


def _order(request: Request) -> Order:
    name = request.task or chosen_name()
    reason = "" if request.task else why_no_task()
    if reason:
        raise InputError(f"{reason}.")
    known = desk.find_task(name)
    kept = form.params(known) if known is not None and not request.params else {}
    given = read_params(request.params) if request.params else kept
    scope = request.scope or ("SCENE" if request.task else preferences.text(preferences.SCOPE))
    set_name = request.set_name or preferences.text(preferences.SET)
    return Order(
        task=name,
        params=given,
        scope=scopes.scope_of(scope, set_name),
        lod_placement=preferences.text(preferences.PLACEMENT),
    )


def read_params(text: str) -> dict[str, Any]:
    """A JSON object as a task's parameters. Raises InputError where it is none."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise InputError(f'The parameters are not a JSON object like {{"levels": 3}}: {text[:200]}')
    return given
