"""The commands of `sendoff`, one function each."""

# No `from __future__ import annotations`: on Python 3.9 typer cannot read annotations that are texts.

import json
import tempfile
import webbrowser
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import __version__
from ..check import check as check_hops
from ..client import Client, resolve
from ..connection import Connection
from ..downloads import PATIENCE_SECONDS as FETCH_PATIENCE_SECONDS
from ..errors import InputError, JobCancelled, JobFailed, SendoffError
from ..scope import Scope
from ..states import JobState
from ..submission import scene_submission
from ..transfer import PATIENCE_SECONDS as SUBMIT_PATIENCE_SECONDS
from . import sign_in
from .exits import EXPLAINED, Exit
from .options import AsJson, Token, Url, ca_bundle, check_folder
from .output import (
    Live,
    job_dict,
    percent,
    print_json,
    print_table,
    say_waiting,
    say_what_is_missing,
    say_what_was_left_out,
)

app = typer.Typer(
    name="sendoff",
    help=f"Send a scene to the studio's server, watch it live, get the result back.\n\n{EXPLAINED}",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

JobId = Annotated[str, typer.Argument(help="The job's id.")]
Timeout = Annotated[float, typer.Option("--timeout", help="Stop waiting after so many seconds; 0 waits on.")]

Patience = Annotated[
    float, typer.Option("--patience", min=0.0, help="Wait out a break of the network of so many seconds.")
]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"sendoff {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def tasks(url: Url = "", token: Token = "", as_json: AsJson = False) -> None:
    """List the tasks that the server's workers offer."""
    with Client(url, token, on_wait=say_waiting) as client:
        found = client.tasks()
    if as_json:
        print_json({"tasks": found})
    else:
        rows = [[str(t.get("name")), str(t.get("title") or ""), str(t.get("description") or "")] for t in found]
        print_table(("Task", "Title", "What it does"), rows)


@app.command()
def submit(  # noqa: PLR0917 - each is an option
    file: Annotated[Path, typer.Argument(help="The scene, for example car.blend.")],
    task: Annotated[str, typer.Option("--task", help="The task's name; `sendoff tasks` lists them.")],
    set_: Annotated[list[str], typer.Option("--set", help="A parameter: --set levels=3.")] = [],  # noqa: B006
    params: Annotated[str, typer.Option("--params", help="All parameters as a JSON object.")] = "{}",
    external: Annotated[list[Path], typer.Option("--external", help="A file the scene needs.")] = [],  # noqa: B006
    no_externals: Annotated[
        bool, typer.Option("--no-externals", help="Do not look for the files that the scene names.")
    ] = False,
    object_: Annotated[list[str], typer.Option("--object", help="Only this object of the scene.")] = [],  # noqa: B006
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the job has ended.")] = False,
    out: Annotated[str, typer.Option("--out", help="Wait, then bring the result into this folder.")] = "",
    title: Annotated[str, typer.Option("--title", help="The job's name in lists.")] = "",
    timeout: Timeout = 0.0,
    patience: Patience = SUBMIT_PATIENCE_SECONDS,
    url: Url = "",
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Send a scene and make a job of it."""
    chosen = _params(params, set_)
    if out:
        check_folder(Path(out))
    submission = scene_submission(
        file, task=task, params=chosen, externals=tuple(external), title=title, look_up=not no_externals
    )
    told = say_what_is_missing(submission, as_json=as_json)
    with (
        tempfile.TemporaryDirectory() as folder,
        Client(url, token, on_wait=say_waiting) as client,
        Live(as_json=as_json) as live,
    ):
        if object_:
            submission = replace(submission, files=(*submission.files, _scope(object_).write(Path(folder))))
        try:
            job = client.submit(submission, on_progress=live.upload, patience_seconds=patience)
        except KeyboardInterrupt:
            typer.echo("Stopped while sending. What has arrived is kept: a new submit goes on from there.", err=True)
            raise typer.Exit(Exit.INTERRUPTED) from None
        say_what_was_left_out(job, submission, told, as_json=as_json)
        if not wait and not out:
            if as_json:
                print_json({**job_dict(job), **told})
            else:
                print(job.id)
            return
        if as_json and told:
            print_json(told, lines=True)
        _follow(client, job.id, live, timeout=timeout, as_json=as_json, out=out, patience=patience)


@app.command()
def jobs(
    state: Annotated[str, typer.Option("--state", help="Only jobs in this state.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")] = 20,
    url: Url = "",
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """List your jobs, newest first."""
    try:
        with Client(url, token, on_wait=say_waiting) as client:
            found = client.jobs(state=state or None, limit=limit)
    except ValueError as error:
        states = ", ".join(state.value for state in JobState)
        raise InputError(f"{error}. Use one of: {states}.") from error
    if as_json:
        print_json({"jobs": [job_dict(job) for job in found]})
    else:
        rows = [[job.id, job.state.value, percent(job.fraction), job.task, job.title] for job in found]
        print_table(("Job", "State", "", "Task", "Title"), rows)


@app.command()
def watch(job: JobId, timeout: Timeout = 0.0, url: Url = "", token: Token = "", as_json: AsJson = False) -> None:
    """Show a job's progress until it has ended."""
    with Client(url, token, on_wait=say_waiting) as client, Live(as_json=as_json) as live:
        _follow(client, job, live, timeout=timeout, as_json=as_json)


@app.command()
def cancel(job: JobId, url: Url = "", token: Token = "", as_json: AsJson = False) -> None:
    """Cancel a job."""
    with Client(url, token, on_wait=say_waiting) as client:
        found = client.cancel(job)
    print_json(job_dict(found)) if as_json else print(found.state.value)


@app.command()
def retry(job: JobId, url: Url = "", token: Token = "", as_json: AsJson = False) -> None:
    """Make a new job with the same files and parameters; nothing is uploaded again."""
    with Client(url, token, on_wait=say_waiting) as client:
        found = client.retry(job)
    print_json(job_dict(found)) if as_json else print(found.id)


@app.command()
def fetch(  # noqa: PLR0917 - each is an option
    job: JobId,
    out: Annotated[Path, typer.Option("--out", help="The folder to bring the files into.")] = Path(),
    patience: Patience = FETCH_PATIENCE_SECONDS,
    url: Url = "",
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Bring a job's result here."""
    check_folder(out)
    with Client(url, token, on_wait=say_waiting) as client:
        paths = client.fetch(job, out, patience_seconds=patience)
    if as_json:
        print_json({"job": job, "files": [str(path) for path in paths]})
    else:
        print("\n".join(map(str, paths)) or "The job has no files.")


@app.command()
def log(job: JobId, url: Url = "", token: Token = "", as_json: AsJson = False) -> None:
    """Print the worker's log of a job."""
    with Client(url, token, on_wait=say_waiting) as client:
        text = client.log(job)
    print_json({"job": job, "log": text}) if as_json else print(text, end="")


app.command("sign-in")(sign_in.sign_in)
app.command()(sign_in.approve)
app.command("sign-out")(sign_in.sign_out)


@app.command()
def page(
    job: Annotated[str, typer.Argument(help="A job's id; without one it is the page of all jobs.")] = "",
    print_: Annotated[
        bool, typer.Option("--print", help="Only print the address: good once, within a minute.")
    ] = False,
    url: Url = "",
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Open the page of all jobs in the browser, or that of one, signed in."""
    with Client(url, token, on_wait=say_waiting) as client:
        address = client.page(client.job(job).id if job else "")
    if as_json:
        print_json({"url": address})
    elif print_ or not webbrowser.open(address):
        print(address)
    else:
        print(f"Opened {address.partition('#')[0]} in the browser.")


@app.command()
def check(url: Url = "", token: Token = "", as_json: AsJson = False) -> None:
    """Try every hop between here and a finished job, and name the one that is broken."""
    found_url, found_token = resolve(url, token)
    connection = Connection(found_url, found_token, ca_bundle())
    results = []
    for hop in check_hops(connection):
        results.append(hop)
        if not as_json:
            mark = "-" if hop.skipped else "ok" if hop.ok else "BROKEN"
            print(f"{hop.name:<10} {mark:<7} {hop.detail}", flush=True)
    healthy = all(hop.ok for hop in results)
    if as_json:
        hops = [
            {"name": h.name, "ok": h.ok, "skipped": h.skipped, "seconds": round(h.seconds, 4), "detail": h.detail}
            for h in results
        ]
        print_json({"url": connection.url, "ok": healthy, "hops": hops})
    if not healthy:
        broken = next(hop.name for hop in results if not hop.ok)
        raise typer.Exit(Exit.SIGN_IN_NEEDED if broken == "sign-in" else Exit.UNREACHABLE)


def _follow(
    client: Client,
    job: str,
    live: Live,
    *,
    timeout: float,
    as_json: bool,
    out: str = "",
    patience: float = FETCH_PATIENCE_SECONDS,
) -> None:
    try:
        try:
            found = client.wait(job, timeout or None, live.item)
        except (JobFailed, JobCancelled):
            if as_json:
                print_json(job_dict(client.job(job)), lines=True)
            raise
        if as_json:
            print_json(job_dict(found), lines=True)
        paths = _fetch(client, job, out, patience) if out else []
        if as_json and out:
            print_json({"job": job, "files": [str(path) for path in paths]}, lines=True)
    except KeyboardInterrupt:
        typer.echo(
            f"The job goes on without you. `sendoff watch {job}` shows it, `sendoff cancel {job}` ends it.", err=True
        )
        raise typer.Exit(Exit.INTERRUPTED) from None
    if not as_json:
        for warning in found.warnings:
            typer.echo(f"Warning: {warning}", err=True)
        print("\n".join(map(str, paths)) if out else f"{found.id} {found.state.value}")


def _fetch(client: Client, job: str, out: str, patience: float) -> list[Path]:
    try:
        return client.fetch(job, out, patience_seconds=patience)
    except SendoffError:
        typer.echo(f"The job has its result: `sendoff fetch {job} --out FOLDER` brings it.", err=True)
        raise


def _scope(names: list[str]) -> Scope:
    title = f"the object “{names[0]}”"[:200] if len(names) == 1 else f"{len(names)} objects"
    return Scope(title, tuple((name, None) for name in names))


def _params(text: str, pairs: list[str]) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InputError(f"--params is not JSON: {error}. Write it like --params '{{\"levels\": 3}}'.") from error
    if not isinstance(found, dict):
        raise InputError("--params is not a JSON object. Write it like --params '{\"levels\": 3}'.")
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InputError(f"--set {pair} has no name and value. Write it like --set levels=3.")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value  # a text without quotes
    return found
