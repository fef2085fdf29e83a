"""`make demo`: an artist's scene goes from a real Blender to a worker and comes back, all on this machine.

Everything is kept in build/demo/: a second run finds the scene and the server's data there, so it is quick
and sends almost nothing. Ctrl-C stops and cleans up whatever is running.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
#: Everything that the demo keeps; a test gives it a folder of its own.
DEMO = Path(os.environ.get("SENDOFF_DEMO_FOLDER") or ROOT / "build" / "demo")
OUT = DEMO / "out"
START_LIMIT_SECONDS = 60
STOP_LIMIT_SECONDS = 30
ARTIST_LIMIT_SECONDS = 1800

console = Console(highlight=False)


def main() -> int:
    """Run the demo and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scene", type=Path, help="a .blend file of your own")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return run(arguments.scene)
    except KeyboardInterrupt:
        console.print("\nStopped. Nothing is left running; run `make demo` again whenever you like.")
        return 130
    except DemoFailed as problem:
        console.print(f"\nThe demo could not go on: {problem}", style="red")
        return 1


class DemoFailed(Exception):
    """A step of the demo did not work; the sentence says which and what to do."""


def run(scene: Path | None) -> int:
    """All steps, one after the other."""
    if scene is not None and not scene.is_file():
        raise DemoFailed(f"there is no file {scene}. Give the path of a .blend: make demo SCENE=path/to/file.blend")
    started = time.monotonic()
    blender = find_blender()
    if scene is None:
        scene = demo_scene(blender)
    say("Building the Blender extension")
    built = call([sys.executable, ROOT / "scripts" / "build_addon.py"], "the extension could not be built")
    addon = Path(built.strip().splitlines()[-1])
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    say("Starting Valkey, the API server and a worker")
    with stack(blender) as ready:
        say(f"The server answers at {ready['url']}")
        result = artist(blender, addon=addon, scene=scene.resolve(), ready=ready)
    if result.get("blend"):
        say("Rendering the levels of detail side by side")
        call(in_blender(blender, "render_lods.py", result["blend"], OUT / "lods.png"),
             "the picture could not be rendered")  # fmt: skip
    report(scene, result, time.monotonic() - started)
    return 0


def find_blender() -> Path:
    """A Python that has Blender as a module, made on the first run; or else the Blender that is installed."""
    python = os.environ.get("PYTHON", sys.executable)
    setup = ROOT / "scripts" / "setup.py"
    series = os.environ.get("SENDOFF_DEMO_SERIES")
    if series is None:
        asked = subprocess.run([python, setup, "default-series"], capture_output=True, text=True, check=False)
        installed = shutil.which("blender")
        if asked.returncode and installed:
            return Path(installed)
        if asked.returncode:
            raise DemoFailed(asked.stderr.strip())
        series = asked.stdout.strip()
    if subprocess.run([python, setup, "bpy", series], check=False).returncode:
        raise DemoFailed("no Blender could be set up; the lines above say what is missing.")
    return ROOT / "build" / f"bpy-{series}" / "bin" / "python"


def in_blender(blender: Path, script: str, *arguments: Any) -> list[str]:
    """The command that runs one of the scripts in a Blender, be it a Python with the module or the application."""
    path = str(ROOT / "scripts" / script)
    if blender.name.startswith("python"):
        command = [str(blender), path]
    else:
        command = [str(blender), "--background", "--factory-startup", "--python-exit-code", "1", "--python", path, "--"]
    return [*command, *map(str, arguments)]


def demo_scene(blender: Path) -> Path:
    """The project's own car, made once."""
    path = DEMO / "scene" / "car.blend"
    if not path.is_file():
        say("Making the demo scene: a car with a body of more than 200,000 faces")
        call(in_blender(blender, "demo_scene.py", DEMO / "scene"), "the demo scene could not be made")
    return path


@contextlib.contextmanager
def stack(blender: Path) -> Iterator[dict[str, Any]]:
    """A whole server on this machine for as long as the block runs."""
    ready_file = DEMO / "ready.json"
    DEMO.mkdir(parents=True, exist_ok=True)
    ready_file.unlink(missing_ok=True)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SENDOFF_")}
    environment |= {"SENDOFF_HOME": str(DEMO / "home"), "SENDOFF_BLENDERS": str(blender)}
    command = [Path(sys.executable).parent / "sendoff-server", "up", "--port", "0",
               "--data-dir", DEMO / "data", "--ready-file", ready_file]  # fmt: skip
    with (DEMO / "server.log").open("w") as log:
        server = subprocess.Popen(
            [str(part) for part in command], env=environment, stdout=log, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        try:
            yield wait_until_ready(server, ready_file)
        finally:
            stop(server)


def wait_until_ready(server: subprocess.Popen[bytes], ready_file: Path) -> dict[str, Any]:
    """Wait for the server's own word that it is ready."""
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise DemoFailed(f"the server did not start:\n{(DEMO / 'server.log').read_text()[-2000:]}")
        if ready_file.is_file():
            ready: dict[str, Any] = json.loads(ready_file.read_text())
            return ready
        time.sleep(0.05)
    raise DemoFailed(f"the server was not ready after {START_LIMIT_SECONDS} s; its log is {DEMO / 'server.log'}.")


def stop(server: subprocess.Popen[bytes]) -> None:
    """End the server and all it started."""
    if server.poll() is None:
        server.terminate()
    try:
        server.wait(STOP_LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(5)


def artist(blender: Path, *, addon: Path, scene: Path, ready: dict[str, Any]) -> dict[str, Any]:
    """The artist's side in a real Blender; shows its status bar as it changes and returns its last word."""
    command = in_blender(blender, "demo_artist.py", "--addon", addon, "--scene", scene, "--out", OUT)
    # Blender keeps its own settings: the application reads this when it starts, the module when it is imported.
    resources = OUT.resolve().parent / "blender-user"
    resources.mkdir(exist_ok=True)
    environment = os.environ | {
        "SENDOFF_URL": ready["url"],
        "SENDOFF_TOKEN": ready["token"],
        "BLENDER_USER_RESOURCES": str(resources),
    }
    errors = (DEMO / "artist.log").open("w")
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
    last: dict[str, Any] = {}
    deadline = time.monotonic() + ARTIST_LIMIT_SECONDS
    try:
        assert process.stdout is not None
        with status_bar() as show:
            for line in process.stdout:
                if time.monotonic() > deadline:
                    raise DemoFailed("the job took more than half an hour.")
                message = parse(line)
                if message is None:
                    continue
                last = message
                if "text" in message:
                    show(message["text"], message.get("fraction"))
        process.wait(60)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(10)
        errors.close()
    if process.returncode or "error" in last or "lods" not in last:
        raise DemoFailed(last.get("error") or last.get("text")
                         or f"Blender ended unexpectedly; its log is {DEMO / 'artist.log'}.")  # fmt: skip
    return last


@contextlib.contextmanager
def status_bar() -> Iterator[Any]:
    """A bar on a terminal; plain lines where the output goes to a file or a pipe."""
    if not console.is_terminal:
        seen: list[str] = []

        def show_line(text: str, fraction: float | None) -> None:
            percent = "" if fraction is None else f"{fraction:4.0%}  "
            if not seen or seen[-1] != percent + text:
                seen.append(percent + text)
                print(f"  {percent}{text}", flush=True)

        yield show_line
        return
    with Progress(BarColumn(), TaskProgressColumn(), TextColumn("{task.description}"), console=console) as bar:
        shown = bar.add_task("", total=1.0)

        def show_bar(text: str, fraction: float | None) -> None:
            bar.update(shown, description=text, completed=fraction if fraction is not None else 0.0)

        yield show_bar


def parse(line: str) -> dict[str, Any] | None:
    """One of our JSON lines; Blender's own chatter is not for the artist."""
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def report(scene: Path, result: dict[str, Any], seconds: float) -> None:
    """The table at the end."""
    levels = max((len(row["triangles"]) for row in result["lods"]), default=0)
    table = Table(title=f"Faces per level of detail, counted as triangles: {scene.name}")
    table.add_column("Object")
    for level in range(levels):
        table.add_column("Original" if level == 0 else f"LOD {level}", justify="right")
    for row in result["lods"]:
        table.add_row(row["object"], *(f"{count:,}" for count in row["triangles"]))
    console.print(table)
    if not result["lods"]:
        console.print("There was nothing to do in this scene: it has no mesh that levels of detail would help.")
    for warning in result.get("warnings", []):
        console.print(f"Note: {warning}")
    size, sent = result["scene_bytes"], result["sent_bytes"]
    share = sent / size if size else 0.0
    console.print(f"Sent {sent:,} of {size:,} bytes ({share:.2%}), {seconds:.0f} s in all.")
    for name, path in (("Scene with the result", result.get("saved")),
                       ("Picture", OUT / "lods.png" if (OUT / "lods.png").is_file() else None)):  # fmt: skip
        if path:
            console.print(f"{name}: {os.path.relpath(path)}", soft_wrap=True)


def say(text: str) -> None:
    """One step, on a line of its own."""
    console.print(f"[bold]>[/bold] {text}", soft_wrap=True)


def call(command: list[Any], what_failed: str) -> str:
    """Run a step to its end and return its output; its own words are shown where it fails."""
    done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True, timeout=900,
                          check=False)  # fmt: skip
    if done.returncode:
        raise DemoFailed(f"{what_failed}:\n{done.stdout[-1500:]}{done.stderr[-1500:]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
