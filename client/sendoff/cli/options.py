"""Options that many commands have."""

# No `from __future__ import annotations`: on Python 3.9 typer cannot read annotations that are texts.

from typing import Annotated

import typer

Url = Annotated[str, typer.Option("--url", help="The server; else SENDOFF_URL, else the kept sign-in.")]
Token = Annotated[str, typer.Option("--token", help="The token; else SENDOFF_TOKEN, else the kept sign-in.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
