from __future__ import annotations

import base64
import json

import bpy

URL = "http://127.0.0.1:9"


def token(**claims):
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.sig"


def test_a_copied_token_signs_in_for_this_session_and_anything_else_is_refused(addon):
    bpy.context.preferences.addons[addon.package].preferences.server_url = URL
    try:
        for text in ("", "hello", "a.b"):
            addon.server_operators.sign_in_with(text)
            assert addon.preferences.server_choice().token == ""
        whole = token(sub="ada")
        assert addon.server_operators.sign_in_with(f" {whole[:20]}\n{whole[20:]} ") == ""
        assert addon.preferences.server_choice().person == "ada"
        assert bpy.ops.sendoff.forget_token() == {"FINISHED"}
        assert addon.preferences.server_choice().token == ""
    finally:
        addon.preferences.sign_in("")
        bpy.context.preferences.addons[addon.package].preferences.server_url = ""
