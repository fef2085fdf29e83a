"""Options that many commands have."""

# No `from __future__ import annotations`: on Python 3.9 typer cannot read annotations that are texts.

import os
import tempfile
from pathlib import Path
from typing import Annotated, Optional

import typer

from ..errors import InputError
from ..names import readable

Url = Annotated[str, typer.Option("--url", help="The server; else SENDOFF_URL, else the kept sign-in.")]
Token = Annotated[str, typer.Option("--token", help="The token; else SENDOFF_TOKEN, else the kept sign-in.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def ca_bundle() -> Optional[str]:
    """The studio's file of certificates, from the environment."""
    return os.environ.get("SENDOFF_CA_BUNDLE") or None


def check_folder(folder: Path) -> None:
    """Refuse a folder for results that cannot be made or written, before anything is sent; raises InputError."""
    place = folder.absolute()
    try:
        while not os.path.lexists(place) and place != place.parent:
            place = place.parent
        if place.is_dir():
            with tempfile.TemporaryFile(dir=place):
                return
        reason = "is not a folder"
    except OSError as error:
        reason = f"cannot be written: {error.strerror or error}"
    raise InputError(f"--out {readable(str(folder))}: {readable(str(place))} {reason}. Give another folder.")
