"""This Maya's desk: its jobs and its one session, and what is about to be sent. Only the main thread comes here."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from maya import cmds

from . import answers, preferences, scene_export, scene_formats
from .sendoff.host.desk import Desk
from .sendoff.host.server_choice import ServerChoice
from .sendoff.host.submitting import Export, Order, Submitting

#: The pump looks at the disk for kept sign-ins so rarely.
_CHOICE_SECONDS = 10.0


class Maya:
    """What the desk asks of Maya; see `HostApplication`."""

    accepts: Collection[str] = scene_formats.KINDS
    product = "maya"

    def folder(self, name: str, *, create: bool = True) -> Path:
        """In the folder that Maya has for this user, for all its versions."""
        path = Path(cmds.internalVar(userAppDir=True), "sendoff", name)
        if create:
            path.mkdir(parents=True, exist_ok=True)
        return path

    def server_choice(self) -> ServerChoice:
        """From the environment, the optionVars and the kept sign-ins."""
        return preferences.server_choice(fresh_seconds=_CHOICE_SECONDS)

    def forget_choice(self) -> None:
        """Have them read anew."""
        preferences.forget_choice()

    def why_offline(self, _choice: ServerChoice) -> str:
        """Maya itself has no switch for this."""
        return ""

    def open_path(self) -> str:
        """The open scene."""
        return answers.text(cmds.file(query=True, sceneName=True))

    def results_folder(self) -> Path | None:
        """As the settings have it."""
        return preferences.results_folder()


def _export(order: Order) -> Export:
    known = desk.find_task(order.task)
    return scene_export.export(order, known.accepts if known is not None else ())


desk = Desk(Maya())
submitting = Submitting(desk, _export)
