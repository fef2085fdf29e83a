"""The command `sendoff-server`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import redis.exceptions
import typer

from sendoff_store import garbage
from sendoff_store.blobs import open_blobs
from sendoff_store.errors import StoreError
from sendoff_store.settings import load

from . import __version__, cli_people
from .auth import SCOPES, mint
from .database import database
from .settings import ServerSettings, signing_secret

app = typer.Typer(
    name="sendoff-server",
    help="Run Sendoff's server, its workers, or both. Every setting is an environment variable SENDOFF_<NAME>.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Host = Annotated[str | None, typer.Option("--host", help="The address to listen on; 0.0.0.0 for the network.")]
Port = Annotated[int | None, typer.Option("--port", help="The port; 0 for any free one.", min=0, max=65535)]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where jobs, chunks and logs are kept.")]


app.add_typer(cli_people.user, name="user")
app.add_typer(cli_people.session, name="session")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"sendoff-server {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def up(
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    ready_file: Annotated[Path | None, typer.Option("--ready-file", help="Write URL and token here as JSON.")] = None,
) -> None:
    """Start everything on this machine (Valkey, server, worker) and stay until Ctrl-C."""
    from .up import up as run

    raise typer.Exit(run(load(ServerSettings, host=host, port=port, data_dir=data_dir), ready_file))


@app.command()
def serve(host: Host = None, port: Port = None, data_dir: DataDir = None) -> None:
    """Run one process of the API server; needs SENDOFF_REDIS_URL."""
    from .serve import serve as run

    run(load(ServerSettings, host=host, port=port, data_dir=data_dir))


@app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def worker(context: typer.Context) -> None:
    """Run a worker; `sendoff-server worker --help` lists its options."""
    os.execv(sys.executable, [sys.executable, "-m", "sendoff_worker", *context.args])  # noqa: S606 - it takes our place


@app.command()
def token(
    person: Annotated[str, typer.Argument(help="Whose token it is: a name.")],
    days: Annotated[float, typer.Option("--days", help="How long it is good for.", min=0.001, max=3650)] = 30,
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help=f"What it is for, more than once: {', '.join(SCOPES)}.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a token for a person or a script, to be used with `sendoff sign-in` or as SENDOFF_TOKEN."""
    scopes = scope or ["jobs"]
    unknown = [one for one in scopes if one not in SCOPES]
    if unknown:
        sys.exit(f"There is no scope {unknown[0]!r}. Choose from: {', '.join(SCOPES)}.")
    cli_people.check_name(person)
    settings = load(ServerSettings, data_dir=data_dir)
    print(mint(signing_secret(settings), person=person, days=days, scope=" ".join(scopes)))


@app.command()
def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    keep_days: Annotated[float, typer.Option("--keep-days", help="Keep what was asked for since.", min=0)] = 7,
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Remove chunks that no kept job needs and nobody asked for in a while."""
    settings = load(ServerSettings, data_dir=data_dir)
    with database(settings) as client:
        report = garbage.collect(client, open_blobs(settings), keep_seconds=keep_days * 86400, dry_run=dry_run)
    if as_json:
        print(json.dumps(report.__dict__))
        return
    verb = "would be removed" if dry_run else "removed"
    print(
        f"{report.chunks} chunks ({report.chunk_bytes / 1e6:.1f} MB); "
        f"{report.removed} of them ({report.removed_bytes / 1e6:.1f} MB) {verb}."
    )


def main() -> None:
    """Run the command; what goes wrong is a sentence, and the status is 1."""
    try:
        app()
    except StoreError as error:
        sys.exit(str(error))
    except redis.exceptions.RedisError as error:
        sys.exit(f"Redis does not answer: {error}. Check SENDOFF_REDIS_URL and that the server runs.")
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        sys.exit(f"A file or the network could not be used ({what}).")
