"""The `sendoff` command. Its packages (typer, rich) are an extra: `pip install "sendoff[cli]"`."""

from __future__ import annotations

import sys

from .exits import Exit, exit_of, shows_traceback


def main(arguments: list[str] | None = None) -> None:
    """Run the command and leave the process; never with a traceback, unless SENDOFF_DEBUG=1 asks for one."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    try:
        from .app import app
    except ImportError as error:
        print(f'The command needs two more packages: pip install "sendoff[cli]" ({error}).', file=sys.stderr)
        return Exit.UNEXPECTED
    try:
        found = app(args=arguments, prog_name="sendoff", standalone_mode=False)
        sys.stdout.flush()
        return int(found or 0)
    except BrokenPipeError:
        sys.stderr.close()  # who read us has gone; nothing is left to be said
        return Exit.UNEXPECTED
    except (Exception, KeyboardInterrupt) as error:
        if shows_traceback() and not hasattr(error, "exit_code"):
            raise
        return exit_of(error)
