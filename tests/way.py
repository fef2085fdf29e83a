"""The way to a server as a network is: it may refuse, or swallow everything without a word."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import Literal


class Way:
    """A TCP proxy to a port of this machine, as slow as is asked for; a break ends or deafens what is open as well."""

    def __init__(self, target: int, *, bytes_per_second: float = 0.0) -> None:
        self._target = target
        self._bytes_per_second = bytes_per_second
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._state: Literal["up", "refuses", "deaf"] = "up"
        #: What went towards the server.
        self.passed_bytes = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Way:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # wakes the accepting thread
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._drop()

    def refuse(self) -> None:
        """Break: every connection ends, and every new one too."""
        self._state = "refuses"
        self._drop()

    def swallow(self) -> None:
        """Break as a VPN does: what is open stays open for ever and says nothing; new ones say nothing either."""
        self._state = "deaf"

    def come_back(self) -> None:
        """New connections get through; those of before stay dead."""
        with self._lock:
            self._state = "up"

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._state == "refuses":
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self._target))
            with self._lock:
                self._sockets += [near, far]
            for source, target, is_out in ((near, far, True), (far, near, False)):
                threading.Thread(target=self._pump, args=(source, target, is_out), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, is_out: bool) -> None:
        is_deaf = False
        with suppress(OSError):
            while data := source.recv(65536):
                is_deaf = is_deaf or self._state == "deaf"
                if is_deaf:
                    continue
                if is_out:
                    self.passed_bytes += len(data)
                    if self._bytes_per_second:
                        time.sleep(len(data) / self._bytes_per_second)
                target.sendall(data)
        if not is_deaf:
            for each in (source, target):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def _drop(self) -> None:
        with self._lock:
            dropped, self._sockets = self._sockets, []
        for each in dropped:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
