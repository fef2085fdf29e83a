"""What the artist can do with a job; each takes the job's key. The rules are those of every host application."""

from __future__ import annotations

import subprocess
import sys
import webbrowser
from collections.abc import Callable
from functools import partial
from pathlib import Path

from maya import cmds

from . import notices
from .current import desk
from .sendoff.host import actions
from .sendoff.host.jobs import Job

#: What each button (see `sendoff.host.buttons`) says, and the annotation under the mouse.
BUTTONS: dict[str, tuple[str, str]] = {
    "cancel": ("Cancel", "Stop sending, or have the server cancel the job"),
    "import": ("Import Result", "Bring the result into the open scene, in a namespace of its own"),
    "show": ("Show", "Show what came back: the objects, the report's list, the image, or the folder"),
    "seen": ("OK", "Take this off the bar; the window keeps it"),
    "sign_in": ("Sign In", "Open the settings"),
    "relink": ("Find Missing Files", "Open Maya's File Path Editor"),
    "open_log": ("Open Log", "Show what the worker has written about this job"),
    "retry": ("Retry", "Try again: what has arrived on the server is not sent again"),
    "update": ("Update", "Open the page on the server with the plug-in that fits it"),
    "open_page": ("Page", "Open this job's page in the browser"),
    "open_folder": ("Folder", "Open the folder with this job's files"),
    "dismiss": ("Dismiss", "Take this job off the list; the server keeps it"),
}


def make_buttons(parent: str, key: str, names: tuple[str, ...], *, prefix: str) -> None:
    """Make the buttons for the job of a key."""
    for name in names:
        label, annotation = BUTTONS[name]
        cmds.button(
            f"{prefix}_{name}",
            parent=parent,
            label=label,
            annotation=annotation,
            height=22,
            command=partial(run, name, key),
        )


def run(name: str, key: str, *_: object) -> bool:
    """Do what a button says with the job of a key; tells why where it cannot be. Returns whether it was done."""
    from . import pump, status_bar

    job = desk.jobs.find(key)
    reason = "There is no such job" if job is None else _WHY_NOT.get(name, _no_reason)(job)
    if job is None or reason:
        notices.tell(reason)
        return False
    said = _DO[name](job)
    if said:
        notices.tell(said)
    status_bar.show_at_once()
    status_bar.ask_for_redraw()
    pump.start()
    return True


def _no_reason(_job: Job) -> str:
    return ""


def _import(job: Job) -> str:
    from . import pump

    job.problem = None
    pump.import_and_say(job)
    return ""


def _why_not_import(job: Job) -> str:
    from . import results

    return results.why_not_now(job)


def _show(job: Job) -> str:
    from . import results

    actions.see(desk, job)
    return results.show_result(job)


def _seen(job: Job) -> str:
    actions.see(desk, job)
    return ""


def _sign_in(_job: Job) -> str:
    from . import panel

    panel.show(settings=True)
    return ""


def _relink(_job: Job) -> str:
    from maya import mel

    mel.eval("FilePathEditor")
    return ""


def _update(_job: Job) -> str:
    webbrowser.open(f"{desk.server_url().rstrip('/')}/maya/")
    return ""


def _open_folder(job: Job) -> str:
    folder = job.files[0].path.parent
    open_in_system(folder)
    return ""


def _why_not_folder(job: Job) -> str:
    if not job.files:
        return "No result is here"
    folder = job.files[0].path.parent
    return "" if folder.is_dir() else f"The folder {folder} is gone; Retry brings the files"


def open_in_system(path: Path) -> None:
    """Open a file or a folder as the system does it."""
    if sys.platform == "win32":
        import os

        os.startfile(path)  # noqa: S606
    else:
        subprocess.Popen(["open" if sys.platform == "darwin" else "xdg-open", str(path)])


def _do(action: Callable[[Job], None]) -> Callable[[Job], str]:
    def done(job: Job) -> str:
        action(job)
        return ""

    return done


_WHY_NOT: dict[str, Callable[[Job], str]] = {
    "cancel": lambda job: actions.why_not_cancel(desk, job),
    "retry": lambda job: actions.why_not_retry(desk, job),
    "import": _why_not_import,
    "dismiss": lambda job: actions.why_not_dismiss(desk, job),
    "open_log": lambda job: actions.why_not_asked(desk, job, "see its log"),
    "open_page": lambda job: actions.why_not_asked(desk, job, "see its page"),
    "open_folder": _why_not_folder,
}
_DO: dict[str, Callable[[Job], str]] = {
    "cancel": _do(lambda job: actions.cancel(desk, job)),
    "retry": _do(lambda job: actions.retry(desk, job)),
    "import": _import,
    "show": _show,
    "seen": _seen,
    "sign_in": _sign_in,
    "relink": _relink,
    "open_log": _do(lambda job: desk.session().fetch_log(job.id, desk.log_path(job))),
    "open_page": _do(lambda job: desk.session().open_page(job.id)),
    "update": _update,
    "open_folder": _open_folder,
    "dismiss": _do(desk.forget),
}
