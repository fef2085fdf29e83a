"""The add-on's preferences: which server, and who the artist is there."""

from __future__ import annotations

import time
from typing import Any

import bpy

from .server_choice import ServerChoice, choose

#: Kept sign-ins are read from disk so often at most, since Blender draws the preferences again and again.
_FRESH_SECONDS = 2.0

_session_token = ""
_chosen: tuple[float, str, ServerChoice] | None = None


class SENDOFF_AddonPreferences(bpy.types.AddonPreferences):
    """Set once by a TD or the artist."""

    bl_idname = __package__

    server_url: bpy.props.StringProperty(
        name="Server",
        description="The URL of the studio's Sendoff server, for example http://render01:8780. "
        "The environment variable SENDOFF_URL overrides it",
    )
    # Kept in a variable of this module, never in the preferences' file or a scene.
    session_token: bpy.props.StringProperty(
        name="Token",
        description="A token for this session only, where no sign-in is kept; Blender forgets it when it is closed",
        subtype="PASSWORD",
        options={"SKIP_SAVE", "HIDDEN"},
        get=lambda _self: _session_token,
        set=lambda _self, value: _set_session_token(value),
    )

    def draw(self, _context: Any) -> None:
        """Draw the server and the sign-in."""
        from . import current

        layout = self.layout
        choice = server_choice()
        column = layout.column()
        column.prop(self, "server_url", placeholder="http://render01:8780")
        if choice.url_from == "SENDOFF_URL":
            column.label(text=f"SENDOFF_URL is set and goes first: {choice.url}", icon="INFO")
        elif choice.url_from == "sign-ins":
            column.label(text=f"Your sign-in is used: {choice.url}", icon="INFO")
        layout.label(text=sign_in_text(choice), icon="CHECKMARK" if choice.token else "ERROR")
        if choice.signed_in_by in ("", "this session"):
            layout.prop(self, "session_token")
        if not choice.is_loopback and not bpy.app.online_access:
            layout.label(
                text="Online Access is off: only a server on this machine can be used", icon="INTERNET_OFFLINE"
            )
        row = layout.row()
        row.operator("sendoff.look")
        server = current.jobs.server
        if server is not None:
            found = not hasattr(server, "detail")
            text = f"{server.name} answers, its workers offer {len(server.tasks)} tasks" if found else server.detail
            layout.label(text=text, icon="CHECKMARK" if found else "ERROR")


def server_choice() -> ServerChoice:
    """The server and the sign-in that are used now."""
    global _chosen  # noqa: PLW0603
    url = _preferences_url()
    key = f"{url}\0{_session_token}"
    now = time.monotonic()
    if _chosen is None or _chosen[1] != key or now - _chosen[0] > _FRESH_SECONDS:
        _chosen = (now, key, choose(url, _session_token))
    return _chosen[2]


def sign_in_text(choice: ServerChoice) -> str:
    """Who the artist is on the server, in a sentence."""
    if choice.problem:
        return choice.problem
    if choice.signed_in_by == "SENDOFF_TOKEN":
        return "Signed in by SENDOFF_TOKEN"
    if choice.signed_in_by == "sign-ins":
        return "Signed in: a sign-in for this server is kept on this machine"
    if choice.signed_in_by == "this session":
        return "Signed in for this session"
    return f"Not signed in: run `sendoff sign-in {choice.url}`, or paste a token below"


def _preferences_url() -> str:
    addon = bpy.context.preferences.addons.get(__package__)
    return addon.preferences.server_url if addon is not None and addon.preferences is not None else ""


def _set_session_token(value: str) -> None:
    global _session_token  # noqa: PLW0603
    _session_token = value.strip()
