"""The panel's part on the server: whether it can be used, who the artist is there, and the test of the connection."""

from __future__ import annotations

import platform

from maya import cmds

from . import answers, preferences, pump
from .current import desk
from .sendoff.host.actions import verdict
from .sendoff.host.messages import ServerFound, ServerNotFound
from .sendoff.host.server_choice import ServerChoice, sign_in_text
from .sendoff.host.versions import is_newer
from .version import VERSION

WHERE, WHO, URL, TOKEN = "sendoffWhere", "sendoffWho", "sendoffUrl", "sendoffToken"
SIGN_IN = "sendoffSignIn"
TEST, VERDICT, HOPS = "sendoffTest", "sendoffVerdict", "sendoffHops"
_LABEL = (1, 60)
_hops_shown = -1


def build(parent: str) -> None:
    """Make the controls."""
    global _hops_shown  # noqa: PLW0603
    _hops_shown = -1
    choice = preferences.server_choice()
    cmds.textFieldGrp(
        URL,
        parent=parent,
        label="Server",
        text=choice.url,
        enable=choice.url_from != "SENDOFF_URL",
        annotation="The URL of the studio's Sendoff server, for example http://render01:8780. "
        "The environment variable SENDOFF_URL overrides it",
        columnWidth=_LABEL,
        adjustableColumn=2,
        changeCommand=_set_url,
    )
    cmds.textFieldGrp(
        TOKEN,
        parent=parent,
        label="Token",
        annotation="Paste a token to be signed in until Maya is closed; it is kept nowhere. "
        "“sendoff sign-in” in a terminal keeps a sign-in for good",
        columnWidth=_LABEL,
        adjustableColumn=2,
        changeCommand=_set_token,
    )
    cmds.text(WHO, parent=parent, label="", align="left", wordWrap=True)
    cmds.button(
        SIGN_IN,
        parent=parent,
        label="Sign In",
        annotation="Get a code, which you let in on a page of the server; the sign-in is kept on this machine until "
        "you sign out",
        command=_sign_in,
    )
    cmds.text(WHERE, parent=parent, label="", align="left", wordWrap=True)
    row = answers.text(cmds.rowLayout(parent=parent, numberOfColumns=2, adjustableColumn=2))
    cmds.button(
        TEST,
        parent=row,
        label="Test Connection",
        annotation="Try every hop from here to a finished job on the server, and name the one that is broken",
        command=_test,
    )
    cmds.text(VERDICT, parent=row, label="", align="left")
    cmds.columnLayout(HOPS, parent=parent, adjustableColumn=True)


def refresh() -> None:
    """Show what is known now."""
    global _hops_shown  # noqa: PLW0603
    choice = preferences.server_choice()
    cmds.text(WHO, edit=True, label=who(choice))
    offered = _offered(choice)
    cmds.button(SIGN_IN, edit=True, label=offered or "Sign In", manage=bool(offered))
    cmds.text(WHERE, edit=True, label=_where(choice))
    cmds.text(VERDICT, edit=True, label=verdict(desk))
    cmds.button(TEST, edit=True, enable=not desk.jobs.is_checking and not desk.why_offline())
    if len(desk.jobs.hops) == _hops_shown:
        return
    for child in answers.names(cmds.columnLayout(HOPS, query=True, childArray=True)):
        cmds.deleteUI(child)
    for hop in desk.jobs.hops:
        mark = "-" if hop.skipped else "OK" if hop.ok else "Broken"
        cmds.text(parent=HOPS, align="left", label=f"{mark}: {hop.name}. {hop.detail}", wordWrap=True)
    _hops_shown = len(desk.jobs.hops)


def _offered(choice: ServerChoice) -> str:
    """What the button of signing in does now; "" where it has nothing to do."""
    if desk.jobs.sign_in is not None:
        return "Stop Signing In"
    if desk.needs_sign_in():
        return "" if desk.why_no_sign_in() else "Sign In"
    return "Sign Out" if choice.signed_in_by == "sign-ins" and choice.is_renewed else ""


def who(choice: ServerChoice) -> str:
    """Who the artist is on the server, in a sentence."""
    if desk.jobs.sign_in is not None:
        return f"The code is {desk.jobs.sign_in.user_code}: {desk.jobs.sign_in.advice}."
    if choice.problem or choice.token:
        return sign_in_text(choice)
    if desk.jobs.sign_in_problem:
        return desk.jobs.sign_in_problem
    return "Not signed in: click Sign In, or paste a token"


def _where(choice: ServerChoice) -> str:
    """How the server is, and where its address is from."""
    server = desk.jobs.server
    said = []
    if choice.url_from == "SENDOFF_URL":
        said.append("The server is set by SENDOFF_URL for the whole studio.")
    if isinstance(server, ServerFound) and is_newer(server.addon_version, VERSION):
        said.append(f"The server has Sendoff {server.addon_version}, and this is {VERSION}: see {choice.url}/maya/.")
    if isinstance(server, ServerNotFound):
        said.append(server.problem.text)
    elif desk.jobs.connectivity.state != "online":
        said.append(desk.jobs.connectivity.detail or "Reconnecting to the server.")
    return " ".join(said)


def _set_url(text: str, *_: object) -> None:
    preferences.set_text(preferences.SERVER_URL, text.strip())
    desk.server_changed()
    pump.start()


def _set_token(text: str, *_: object) -> None:
    preferences.sign_in("".join(text.split()))
    cmds.textFieldGrp(TOKEN, edit=True, text="")  # it is in nobody's sight, and in no saved layout
    desk.server_changed()
    pump.start()


def _sign_in(*_: object) -> None:
    offered = _offered(preferences.server_choice())
    if offered == "Stop Signing In":
        desk.stop_sign_in()
        refresh()
    elif offered == "Sign Out":
        desk.sign_out()
        refresh()
    else:
        desk.sign_in(f"Maya {cmds.about(version=True)} on {platform.node()}")
    pump.start()


def _test(*_: object) -> None:
    desk.check()
    pump.start()
