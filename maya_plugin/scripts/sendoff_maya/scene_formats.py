"""As what a scene goes out: Maya's own file where the task takes it, else USD, else FBX. Nothing here knows maya."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

#: All that can be sent, as tasks name what they accept.
KINDS = ("mb", "ma", "usd", "usdc", "usda", "fbx")
_OWN = {"mayaBinary": "mb", "mayaAscii": "ma"}
_USD = ("usdc", "usd", "usda")


class NoFormat(Exception):
    """Nothing that the task accepts can be written by this Maya; the text is a sentence for the artist."""


@dataclass(frozen=True)
class Plugins:
    """Which of Maya's own plug-ins for interchange can be used: loaded, or to be loaded when needed."""

    usd: bool
    fbx: bool


def choose(accepts: Collection[str], *, scene_type: str, plugins: Plugins) -> str:
    """The kind of file to send, which is its suffix too.

    Args:
        accepts: What the task takes, in the task's order; empty where that is not known.
        scene_type: Maya's own type of the open scene: "mayaAscii" or "mayaBinary".
        plugins: What can be used here.

    Raises:
        NoFormat: The task takes nothing that can be written here.
    """
    own = _OWN.get(scene_type, "mb")
    for kind in (own, *(kind for kind in _OWN.values() if kind != own)):
        if kind in accepts:
            return kind
    usd = next((kind for kind in _USD if not accepts or kind in accepts), None)
    if usd is not None and plugins.usd:
        return usd
    if plugins.fbx and (not accepts or "fbx" in accepts):
        return "fbx"
    wanted = [name for name, kinds in (("mayaUsdPlugin", _USD), ("fbxmaya", ("fbx",))) if set(kinds) & set(accepts)]
    if wanted or not accepts:
        named = " or ".join(wanted or ["mayaUsdPlugin"])
        raise NoFormat(
            f"This task needs Maya's plug-in {named}, which cannot be loaded here. "
            "Look in Windows > Settings/Preferences > Plug-in Manager, or ask your TD."
        )
    raise NoFormat(f"This task takes {', '.join(accepts)} files, and none of these can be written by Maya.")


def is_own(kind: str) -> bool:
    """Whether it is Maya's own file."""
    return kind in _OWN.values()


def maya_type(kind: str) -> str:
    """What Maya's `file` command calls a kind of its own files."""
    return next(name for name, own in _OWN.items() if own == kind)
