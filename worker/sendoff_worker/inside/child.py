"""The life of the child process: get warm, wait for a job, run its script, say how it ended."""

from __future__ import annotations

import errno
import importlib
import importlib.util
import os
import signal
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from .channel import Channel, ChannelClosed
from .job import CannotOpen, Job, JobFailed

#: What it means where the system refuses something to a script.
LIMITS = {
    errno.EFBIG: "Blender wrote a file that is larger than this worker allows. Send a smaller scene, or ask an "
    "administrator to raise SENDOFF_BLENDER_FILE_BYTES.",
    errno.EAGAIN: "Blender could not start another process or thread: this worker allows no more. If the task needs "
    "so many, ask an administrator to raise SENDOFF_BLENDER_PROCESSES.",
    errno.ENOSPC: "The worker's disk is full. Ask an administrator for room.",
}


def serve(descriptor: int) -> int:
    """Serve one job on the socket of this file descriptor; returns the exit status (0 however the job ended)."""
    channel = Channel.from_descriptor(descriptor)
    too_large: list[int] = []
    if hasattr(signal, "SIGXFSZ"):
        # Else Blender would go on with a file that was cut off, or say that there is no such file.
        signal.signal(signal.SIGXFSZ, lambda number, _: too_large.append(number))
    try:
        channel.send({"kind": "ready", **warm_up()})
        order = channel.receive()
        last = run(channel, order)
        if too_large:
            last = {"kind": "failed", "detail": LIMITS[errno.EFBIG]}
        channel.send(last)
    except ChannelClosed as closed:
        print(f"The worker is gone ({closed}); leaving.", file=sys.stderr)
        return 1
    finally:
        channel.close()
    return 0


def warm_up() -> dict[str, str]:
    """Import what every job needs, so that a spare starts its job at once; returns the Blender's version."""
    import bpy

    for module in ("bmesh", "numpy"):  # bmesh is there only once bpy is
        importlib.import_module(module)

    # The factory's settings: neither the start-up file nor the add-ons of the person who runs the worker.
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.filepaths.save_version = 0  # no lods.blend1 beside the result of a second attempt
    major, minor, patch = bpy.app.version
    return {"version": f"{major}.{minor}.{patch}", "series": f"{major}.{minor}"}


def run(channel: Channel, order: dict[str, Any]) -> dict[str, Any]:
    """Open the scene and run the script; returns the last message: done or failed."""
    script = Path(str(order.get("script", "script")))
    try:
        if order.get("kind") != "run":
            raise ValueError(f"expected a run message, got {order.get('kind')!r}")  # noqa: TRY301
        scene = Path(order["scene"]) if order.get("scene") else None
        paths = Path(order["paths"]) if order.get("paths") else None
        scope = Path(order["scope"]) if order.get("scope") else None
        job = Job(channel, params=order.get("params") or {}, folder=Path(order["folder"]), scene=scene)
        job.folder.mkdir(parents=True, exist_ok=True)
        entry = load_script(script).run
        if scene is not None:
            from .scene import open_scene

            job.progress(None, "Opening the scene", stage="Opening")
            open_scene(job, scene, paths, root=Path(order["root"]) if order.get("root") else None)
            if scope is not None:
                from .scope import Scope

                job.scope = Scope.find(job, scope)
        summary = entry(job) or {}
        job.flush()
    except ChannelClosed:
        raise
    except CannotOpen as failure:
        return {"kind": "failed", "detail": str(failure), "cannot_open": str(failure)}
    except JobFailed as failure:
        return {"kind": "failed", "detail": str(failure)}
    except MemoryError:
        traceback.print_exc()
        return {
            "kind": "failed",
            "detail": "Blender ran out of memory on the worker; send a smaller scene or ask for a larger worker.",
        }
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        for number, sentence in LIMITS.items():  # Blender's own errors hold only the text of the system's
            if getattr(error, "errno", None) == number or os.strerror(number) in str(error):
                return {"kind": "failed", "detail": sentence}
        return {
            "kind": "failed",
            "detail": f"{script.stem} stopped with an unexpected {type(error).__name__}; the job's log says where.",
            "bug": True,
        }
    return {"kind": "done", "summary": summary}


def load_script(path: Path) -> ModuleType:
    """The script as a module; one of this folder comes as part of the package, so that it can import its neighbours."""
    if path.resolve().parent == Path(__file__).resolve().parent:
        module = importlib.import_module(f".{path.stem}", __package__)
    else:
        spec = importlib.util.spec_from_file_location("sendoff_script", path)
        if spec is None or spec.loader is None or not path.is_file():
            raise FileNotFoundError(f"the script {path} does not exist")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        sys.path.append(str(path.resolve().parent))  # at the end: a neighbour must not stand before Python's own
        spec.loader.exec_module(module)
    if callable(getattr(module, "run", None)):
        return module
    raise ImportError(f"the script {path} has no function run(job)")
