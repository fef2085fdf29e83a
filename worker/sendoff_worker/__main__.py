"""`python -m sendoff_worker` runs a worker.

With the pool "eventlet" the standard library has to be made cooperative before anything else is imported.
"""

import os
import sys


def _pool(arguments: list[str]) -> str:
    """The pool as the command line or the environment names it."""
    for number, argument in enumerate(arguments):
        if argument == "--pool":
            return "".join(arguments[number + 1 : number + 2])
        if argument.startswith("--pool="):
            return argument.partition("=")[2]
    return os.environ.get("SENDOFF_POOL", "")


if _pool(sys.argv[1:]) == "eventlet":
    import eventlet

    eventlet.monkey_patch()

from .cli import main  # noqa: E402 - see above

sys.exit(main())
