"""What the artist can do about the server: ask it what it offers, sign in, allow the network, update the add-on."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

import bpy

from . import preferences, pump
from .current import desk

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class SENDOFF_OT_look(bpy.types.Operator):
    """Ask the server which tasks its workers offer"""

    bl_idname = "sendoff.look"
    bl_label = "Refresh Tasks"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender reads it

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Grey where no server can be used."""
        reason = desk.why_offline()
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def execute(self, _context: bpy.types.Context) -> set[OperatorReturnItems]:
        """Ask in a thread; panel and preferences show the answer."""
        desk.look()
        pump.start()
        return {"FINISHED"}


class SENDOFF_OT_preferences(bpy.types.Operator):
    """Open the add-on's preferences: server, sign-in, Test Connection"""

    bl_idname = "sendoff.preferences"
    bl_label = "Sendoff Preferences"
    bl_options = {"INTERNAL"}  # noqa: RUF012

    job: bpy.props.StringProperty(name="Job", description="The job that cannot go on without it")

    def execute(self, _context: bpy.types.Context) -> set[OperatorReturnItems]:
        """Show them."""
        bpy.ops.preferences.addon_show(module=__package__)
        return {"FINISHED"}


class SENDOFF_OT_sign_in(bpy.types.Operator):
    """Sign in with your browser: it asks who you are, and Blender is told; or stop that"""

    bl_idname = "sendoff.sign_in"
    bl_label = "Sign In"
    bl_options = {"INTERNAL"}  # noqa: RUF012

    job: bpy.props.StringProperty(name="Job", description="The job that cannot go on without it")

    def execute(self, _context: bpy.types.Context) -> set[OperatorReturnItems]:
        """Begin, and show the preferences, where the code is; or stop."""
        if desk.jobs.sign_in is not None:
            desk.stop_sign_in()
            return {"FINISHED"}
        if self.job:
            bpy.ops.preferences.addon_show(module=__package__)
        reason = desk.why_no_sign_in()
        if reason:
            self.report({"ERROR"}, reason)
            return {"CANCELLED"}
        desk.sign_in(f"Blender {bpy.app.version_string} on {platform.node()}")
        pump.start()
        return {"FINISHED"}


class SENDOFF_OT_sign_out(bpy.types.Operator):
    """Sign out of the server, for Blender and the command alike; jobs that run go on"""

    bl_idname = "sendoff.sign_out"
    bl_label = "Sign Out"
    bl_options = {"INTERNAL"}  # noqa: RUF012

    def execute(self, _context: bpy.types.Context) -> set[OperatorReturnItems]:
        """End the kept sign-in."""
        desk.sign_out()
        return {"FINISHED"}


class SENDOFF_OT_paste_token(bpy.types.Operator):
    """Sign in for this session with the token that you have copied; Blender forgets it when it is closed"""

    bl_idname = "sendoff.paste_token"
    bl_label = "Paste Token"
    bl_options = {"INTERNAL"}  # noqa: RUF012

    def execute(self, context: bpy.types.Context) -> set[OperatorReturnItems]:
        """Take what is in the clipboard, where it can be a token."""
        problem = sign_in_with(context.window_manager.clipboard)
        if problem:
            self.report({"ERROR"}, problem)
            return {"CANCELLED"}
        pump.start()
        return {"FINISHED"}


class SENDOFF_OT_forget_token(bpy.types.Operator):
    """Sign out: forget the token of this session"""

    bl_idname = "sendoff.forget_token"
    bl_label = "Sign Out"
    bl_options = {"INTERNAL"}  # noqa: RUF012

    def execute(self, _context: bpy.types.Context) -> set[OperatorReturnItems]:
        """Forget it."""
        preferences.sign_in("")
        desk.server_changed()
        return {"FINISHED"}


class SENDOFF_OT_online_access(bpy.types.Operator):
    """Show where Online Access is allowed: Preferences > System > Network"""

    bl_idname = "sendoff.online_access"
    bl_label = "Show Where"
    bl_options = {"INTERNAL"}  # noqa: RUF012

    def execute(self, context: bpy.types.Context) -> set[OperatorReturnItems]:
        """Open that page of the preferences; where a switch of the command line decides, say so."""
        if bpy.app.online_access_override:
            self.report({"WARNING"}, "Blender was started with --offline-mode: start it without to allow the network")
        bpy.ops.screen.userpref_show()
        context.preferences.active_section = "SYSTEM"
        return {"FINISHED"}


class SENDOFF_OT_relink(bpy.types.Operator):
    """Choose a folder in which Blender looks for the files that the scene misses"""

    bl_idname = "sendoff.relink"
    bl_label = "Find Missing Files"
    bl_options = {"INTERNAL"}  # noqa: RUF012

    job: bpy.props.StringProperty(name="Job", description="The job that lacked the files")

    def execute(self, _context: bpy.types.Context) -> set[OperatorReturnItems]:
        """Open Blender's own Find Missing Files."""
        bpy.ops.file.find_missing_files("INVOKE_DEFAULT")
        return {"FINISHED"}


class SENDOFF_OT_update(bpy.types.Operator):
    """Show where the add-on is updated: the version that fits the server comes from the server's own repository"""

    bl_idname = "sendoff.update"
    bl_label = "Update the Add-on"
    bl_options = {"INTERNAL"}  # noqa: RUF012

    job: bpy.props.StringProperty(name="Job", description="The job that cannot go on without it")

    def execute(self, context: bpy.types.Context) -> set[OperatorReturnItems]:
        """Add the server's repository where it is not there yet, and show Blender's list of extensions."""
        url = f"{desk.server_url()}/addon/index.json"
        repositories = context.preferences.extensions.repos
        if all(repository.remote_url != url for repository in repositories):
            added = repositories.new(name="Sendoff", module="sendoff_server", remote_url=url)
            added.use_remote_url = True
        bpy.ops.screen.userpref_show()
        context.preferences.active_section = "EXTENSIONS"
        self.report({"INFO"}, "The server's repository “Sendoff” is in the list: choose Check for Updates there")
        return {"FINISHED"}


def sign_in_with(text: str) -> str:
    """Use a token for this session; returns why it cannot be one, as a sentence, "" where it can."""
    token = "".join(text.split())
    if token.count(".") != 2:
        return "What you have copied is no token. Copy the whole text that your TD gave you"
    desk.stop_sign_in()  # one that waits for the browser
    preferences.sign_in(token)
    desk.server_changed()
    return ""


CLASSES = (
    SENDOFF_OT_look, SENDOFF_OT_preferences, SENDOFF_OT_sign_in, SENDOFF_OT_sign_out, SENDOFF_OT_paste_token,
    SENDOFF_OT_forget_token,
    SENDOFF_OT_online_access, SENDOFF_OT_relink, SENDOFF_OT_update,
)  # fmt: skip
