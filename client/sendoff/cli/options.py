"""Options that many commands have."""

# No `from __future__ import annotations`: on Python 3.9 typer cannot read annotations that are texts.

import os
from typing import Annotated, Optional

import typer

Url = Annotated[str, typer.Option("--url", help="The server; else SENDOFF_URL, else the kept sign-in.")]
Token = Annotated[str, typer.Option("--token", help="The token; else SENDOFF_TOKEN, else the kept sign-in.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def ca_bundle() -> Optional[str]:
    """The studio's file of certificates, from the environment."""
    return os.environ.get("SENDOFF_CA_BUNDLE") or None
