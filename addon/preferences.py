"""The add-on's preferences: which server, who the artist is there, and what becomes of results."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from .sendoff.host.server_choice import ServerChoice, choose, is_expired, sign_in_text

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import IconItems

#: Kept sign-ins are read from disk so often at most, since Blender draws the preferences again and again.
_FRESH_SECONDS = 2.0

#: Kept here alone, never in the preferences' file or a scene.
_session_token = ""
_chosen: tuple[float, tuple[str, str, str], ServerChoice] | None = None


def _another_server(_self: SENDOFF_AddonPreferences, _context: bpy.types.Context) -> None:
    from .current import desk

    desk.server_changed()


# Named functions, since Blender evaluates these annotations where the body of a lambda finds no name of this module.
def _get_shown_url(_self: SENDOFF_AddonPreferences) -> str:
    return server_choice().url


def _get_shown_ca_bundle(_self: SENDOFF_AddonPreferences) -> str:
    return server_choice().ca_bundle


def _get_shown_token(_self: SENDOFF_AddonPreferences) -> str:
    return "•" * 12 if server_choice().token else ""


class SENDOFF_AddonPreferences(bpy.types.AddonPreferences):
    """Set once by a TD or the artist."""

    bl_idname = __package__

    server_url: bpy.props.StringProperty(
        name="Server",
        description="The URL of the studio's Sendoff server, for example http://render01:8780. "
        "The environment variable SENDOFF_URL overrides it",
        update=_another_server,
    )
    ca_bundle: bpy.props.StringProperty(
        name="CA Bundle",
        description="A file of certificates to trust for https, where the studio has an authority of its own. "
        "The environment variable SENDOFF_CA_BUNDLE overrides it",
        subtype="FILE_PATH",
        update=_another_server,
    )
    results_folder: bpy.props.StringProperty(
        name="Results Folder",
        description="Where the files of results are kept on this machine, a folder for each job. "
        "Empty: with the add-on's own files, where they go after a week",
        subtype="DIR_PATH",
    )
    import_results: bpy.props.EnumProperty(
        name="Import Results",
        description="When a result comes into the scene that it was made from",
        items=(
            ("AUTO", "By Themselves", "As soon as a result is here and you are in Object Mode in its file"),
            ("CLICK", "On Click", "When you click Import Result in the status bar or the sidebar"),
        ),
        default="AUTO",
    )
    # What the environment or the kept sign-in decides, to be shown in the place of the fields above.
    shown_url: bpy.props.StringProperty(name="Server", get=_get_shown_url)
    shown_ca_bundle: bpy.props.StringProperty(name="CA Bundle", get=_get_shown_ca_bundle)
    shown_token: bpy.props.StringProperty(name="Token", get=_get_shown_token)

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the server, the sign-in, the test of the connection and what becomes of results."""
        from . import connection_test, current

        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        choice = server_choice()
        self._draw_server(layout.column(heading="", align=False), choice)
        if not choice.is_loopback and choice.url and not bpy.app.online_access:
            row = layout.row()
            row.label(text=current.ONLINE_SENTENCE, icon="INTERNET_OFFLINE")
            row.operator("sendoff.online_access")
        connection_test.draw(layout)
        column = layout.column()
        column.prop(self, "import_results")
        column.prop(self, "results_folder")

    def _draw_server(self, column: bpy.types.UILayout, choice: ServerChoice) -> None:
        from .current import desk

        if choice.url_from == "SENDOFF_URL":
            _decided(column, self, "shown_url", "Set by SENDOFF_URL")
        else:
            column.prop(self, "server_url", placeholder="http://render01:8780")
            if choice.url_from == "sign-ins":
                _reason(column, f"Your kept sign-in decides: {choice.url}", icon="INFO")
        if choice.signed_in_by == "SENDOFF_TOKEN":
            _decided(column, self, "shown_token", "Set by SENDOFF_TOKEN")
        elif choice.signed_in_by == "sign-ins" and not desk.needs_sign_in():
            row = _decided(column, self, "shown_token", "The kept sign-in of this machine")
            if choice.is_renewed:
                row.operator("sendoff.sign_out", text="", icon="X")
        else:
            self._draw_token(column)
        code = desk.jobs.sign_in
        if code is not None:
            _reason(column, f"The code is {code.user_code}", icon="INFO")
            _reason(column, f"Let it in at {code.address}", icon="BLANK1")
        elif desk.jobs.sign_in_problem:
            _reason(column, desk.jobs.sign_in_problem, icon="ERROR")
        good = bool(choice.token) and not choice.problem and not is_expired(choice)
        if code is None:
            _reason(column, sign_in_text(choice), icon="CHECKMARK" if good else "ERROR")
        if choice.ca_bundle_from == "SENDOFF_CA_BUNDLE":
            _decided(column, self, "shown_ca_bundle", "Set by SENDOFF_CA_BUNDLE")
        else:
            column.prop(self, "ca_bundle")

    def _draw_token(self, column: bpy.types.UILayout) -> None:
        """The session's token: pasted by a button, since Blender's own password fields cut it at 128 letters."""
        from .current import desk

        row = column.row(align=True)
        shown = row.row(align=True)
        shown.enabled = False
        shown.prop(self, "shown_token")
        waits = desk.jobs.sign_in is not None
        row.operator("sendoff.sign_in", text="Stop" if waits else "Sign In", icon="CANCEL" if waits else "USER")
        row.operator("sendoff.paste_token", text="Paste", icon="PASTEDOWN")
        if _session_token:
            row.operator("sendoff.forget_token", text="", icon="X")


def server_choice(*, fresh_seconds: float = _FRESH_SECONDS) -> ServerChoice:
    """The server and the sign-in that are used now, read again where they are older than `fresh_seconds`."""
    global _chosen  # noqa: PLW0603
    own = _own()
    url, ca_bundle = (own.server_url, own.ca_bundle) if own is not None else ("", "")
    key = (url, _session_token, ca_bundle)
    now = time.monotonic()
    if _chosen is None or _chosen[1] != key or now - _chosen[0] > fresh_seconds:
        _chosen = (now, key, choose(url, _session_token, bpy.path.abspath(ca_bundle)))
    return _chosen[2]


def sign_in(token: str) -> None:
    """Use a token in this session, where no other sign-in decides; "" forgets it."""
    global _session_token  # noqa: PLW0603
    _session_token = token.strip()


def forget_choice() -> None:
    """Have the environment and the kept sign-ins read anew at the next question."""
    global _chosen  # noqa: PLW0603
    _chosen = None


def imports_by_itself() -> bool:
    """Whether results come into their scene without a click."""
    own = _own()
    return own is None or own.import_results == "AUTO"


def results_folder() -> Path | None:
    """The folder that the artist chose for results; None for the add-on's own."""
    own = _own()
    chosen = own.results_folder.strip() if own is not None else ""
    return Path(bpy.path.abspath(chosen)) if chosen else None


def _own() -> SENDOFF_AddonPreferences | None:
    addon = bpy.context.preferences.addons.get(__package__)
    own = addon.preferences if addon is not None else None
    return own if isinstance(own, SENDOFF_AddonPreferences) else None


def _decided(column: bpy.types.UILayout, owner: SENDOFF_AddonPreferences, name: str, reason: str) -> bpy.types.UILayout:
    """A field that something else decides: greyed, with the reason below; returns its row."""
    row = column.row(align=True)
    shown = row.row(align=True)
    shown.enabled = False
    shown.prop(owner, name)
    _reason(column, reason, icon="LOCKED")
    return row


def _reason(column: bpy.types.UILayout, text: str, *, icon: IconItems) -> None:
    """A line that stands under the fields, not under their names."""
    split = column.split(factor=0.4)
    split.label(text="")
    split.label(text=text, icon=icon)
