"""This Blender's desk: its jobs and its one session, and what is about to be sent. Only the main thread comes here."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from pathlib import Path

import bpy

from . import preferences, scene_export
from .sendoff import signins
from .sendoff.host.desk import Desk
from .sendoff.host.server_choice import ServerChoice
from .sendoff.host.submitting import Submitting

ONLINE_SENTENCE = "Online Access is off, and the server is on another machine"
#: The pump looks at the disk for kept sign-ins so rarely.
_CHOICE_SECONDS = 10.0


class Blender:
    """What the desk asks of Blender; see `HostApplication`."""

    accepts: Collection[str] = ("blend",)
    product = "addon"

    def folder(self, name: str, *, create: bool = True) -> Path:
        """In one folder of the user for all series of Blender: a job that was begun in one is found in the next."""
        folder = signins.config_folder() / "blender" / name
        if create:
            with contextlib.suppress(OSError):  # then nothing is kept over a restart, and the artist goes on
                folder.mkdir(parents=True, exist_ok=True)
        return folder

    def server_choice(self) -> ServerChoice:
        """From the environment, the preferences and the kept sign-ins."""
        return preferences.server_choice(fresh_seconds=_CHOICE_SECONDS)

    def forget_choice(self) -> None:
        """Have them read anew."""
        preferences.forget_choice()

    def why_offline(self, choice: ServerChoice) -> str:
        """Blender's Online Access is for every server but one on this machine."""
        if not bpy.app.online_access and not choice.is_loopback:
            return f"{ONLINE_SENTENCE}. Allow it in Preferences > System > Network"
        return ""

    def open_path(self) -> str:
        """The open .blend."""
        return bpy.data.filepath

    def results_folder(self) -> Path | None:
        """As the preferences have it."""
        return preferences.results_folder()


desk = Desk(Blender())
submitting = Submitting(desk, scene_export.export)
