"""Where the worker's Blender starts: a Python with the bpy module, or ``blender -b --python main.py -- --channel FD``.

Loads its own folder as the package ``sendoff_inside`` and serves one job on the inherited socket.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import sys
from pathlib import Path
from types import ModuleType

PACKAGE, SDK = "sendoff_inside", "sendoff_sdk"


def load_package() -> ModuleType:
    """This folder as the package ``sendoff_inside``, whatever the path it lies under."""
    folder = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(
        PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} is not a package")
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)
    return package


def load_sdk(folder: Path) -> None:
    """The folder of Sendoff's SDK as the package ``sendoff_sdk``, for those of its modules that need no other package.

    Its own beginning, which imports the network's packages, is left out: Blender's Python may not have them.
    """
    package = ModuleType(SDK)
    package.__path__ = [str(folder)]
    sys.modules[SDK] = package


def main() -> int:
    """Serve one job; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # a name in an old .blend must not break the log
    own_arguments = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    parser = argparse.ArgumentParser(description="Runs one job inside Blender for a Sendoff worker.")
    parser.add_argument("--channel", type=int, required=True, metavar="FD", help="an inherited Unix socket")
    parser.add_argument("--sdk", type=Path, required=True, metavar="FOLDER", help="the folder of the package sendoff")
    arguments = parser.parse_args(own_arguments)
    load_sdk(arguments.sdk)
    load_package()
    from sendoff_inside.child import serve

    return serve(arguments.channel)


def leave(status: int) -> None:
    """End the process without Blender's own way out, which frees every mesh one by one and can crash doing so."""
    if "bpy" in sys.modules:
        shutil.rmtree(sys.modules["bpy"].app.tempdir, ignore_errors=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    exit_status = 1
    try:
        exit_status = main()
    except SystemExit as error:
        exit_status = error.code if isinstance(error.code, int) else 2
    except BaseException:
        import traceback

        traceback.print_exc()
    leave(exit_status)
