"""What every process of ours does at its start: logs as sentences, and an end when its parent ends."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time

#: Set by a parent that keeps the other end of our standard input open for as long as it lives.
END_WITH_STDIN = "SENDOFF_END_WITH_STDIN"

_END_SECONDS = 10.0


#: Control characters, as they are written in Python.
_SHOWN = {number: repr(chr(number))[1:-1] for number in (*range(32), *range(127, 160), 0x2028, 0x2029)}


class _Sentences(logging.Formatter):
    """A line per event: when, how bad, the sentence, and in brackets the stable action and the job."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The line itself: what somebody else said in it makes no line of its own, and moves no cursor."""
        return super().formatMessage(record).translate(_SHOWN)

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        marks = " ".join(
            f"{name}={value}" for name in ("action", "job") if (value := getattr(record, name, None)) is not None
        )
        head, newline, trace = text.partition("\n")
        return f"{head} [{marks}]{newline}{trace}" if marks else text


def set_up_logging(*, level: int = logging.INFO) -> None:
    """Write log lines to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Sentences("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)


def end_with_parent() -> None:
    """Where the parent asked for it, end once it is gone, kindly and then for certain: no orphan stays behind."""
    if os.environ.pop(END_WITH_STDIN, "") != "1":
        return

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_END_SECONDS)  # Redis is most likely gone as well: nobody waits for it longer than this
        if os.getpgrp() == os.getpid():
            os.killpg(os.getpid(), signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, name="sendoff-parent", daemon=True).start()
