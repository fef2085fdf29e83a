"""The settings: which server, who the artist is there, and what becomes of results. Environment before optionVar."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from maya import cmds

from . import answers
from .sendoff.host.server_choice import ServerChoice, choose

#: The optionVars; all of ours begin so, and the uninstaller finds them by it.
PREFIX = "sendoff"
SERVER_URL, CA_BUNDLE, RESULTS_FOLDER = "sendoffServerUrl", "sendoffCaBundle", "sendoffResultsFolder"
IMPORTS, KEEP_REFERENCES, LOD_GROUP = "sendoffImportsByItself", "sendoffKeepReferences", "sendoffLodGroup"
TASK, SCOPE, SET, PLACEMENT = "sendoffTask", "sendoffScope", "sendoffSet", "sendoffLodPlacement"
#: The parameters of each task, as JSON.
PARAMS = "sendoffParams"
_DEFAULTS: dict[str, Any] = {IMPORTS: 1, KEEP_REFERENCES: 0, LOD_GROUP: 0, SCOPE: "SCENE", PLACEMENT: "BESIDE"}
#: Kept sign-ins are read from disk so often at most, since the window is drawn again and again.
_FRESH_SECONDS = 2.0

#: Kept here alone, never in an optionVar or a scene.
_session_token = ""
_chosen: tuple[float, tuple[str, str, str], ServerChoice] | None = None


def text(name: str) -> str:
    """A setting that is a text."""
    return str(cmds.optionVar(query=name)) if cmds.optionVar(exists=name) else str(_DEFAULTS.get(name, ""))


def is_on(name: str) -> bool:
    """A setting that is a check box."""
    return bool(cmds.optionVar(query=name)) if cmds.optionVar(exists=name) else bool(_DEFAULTS.get(name, 0))


def set_text(name: str, value: str) -> None:
    """Keep a setting that is a text."""
    cmds.optionVar(stringValue=(name, value))


def set_on(name: str, value: bool) -> None:
    """Keep a setting that is a check box."""
    cmds.optionVar(intValue=(name, int(value)))


def params(task: str) -> dict[str, Any]:
    """What the artist last set for a task, by the fields' names; what cannot be read is nothing."""
    found = _all_params().get(task)
    return found if isinstance(found, dict) else {}


def set_params(task: str, values: dict[str, Any]) -> None:
    """Keep what the artist sets for a task."""
    set_text(PARAMS, json.dumps({**_all_params(), task: values}))


def server_choice(*, fresh_seconds: float = _FRESH_SECONDS) -> ServerChoice:
    """The server and the sign-in that are used now; what lies on disk may be some seconds old."""
    global _chosen  # noqa: PLW0603
    given = (text(SERVER_URL), _session_token, text(CA_BUNDLE))
    now = time.monotonic()
    if _chosen is None or _chosen[1] != given or now - _chosen[0] > fresh_seconds:
        _chosen = (now, given, choose(*given, settings="Sendoff's settings"))
    return _chosen[2]


def sign_in(token: str) -> None:
    """Use a token until Maya ends, in the place of what is kept; "" forgets it."""
    global _session_token  # noqa: PLW0603
    _session_token = token
    forget_choice()


def forget_choice() -> None:
    """Have the server and the sign-in looked up anew."""
    global _chosen  # noqa: PLW0603
    _chosen = None


def results_folder() -> Path | None:
    """Where the artist wants results to lie; None where that is left to Sendoff."""
    chosen = text(RESULTS_FOLDER).strip()
    return Path(chosen).expanduser() if chosen else None


def forget_all() -> None:
    """Remove every setting of ours."""
    for name in answers.names(cmds.optionVar(list=True)):
        if name.startswith(PREFIX):
            cmds.optionVar(remove=name)


def _all_params() -> dict[str, Any]:
    try:
        found = json.loads(text(PARAMS) or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
