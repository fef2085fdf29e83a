"""The network between a Blender and its server: a relay that a test stops, slows to a halt or takes down."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

_PIECE_BYTES = 64 * 1024
_WAIT_SECONDS = 30.0


class Network:
    """Relays to a server at an address of its own, until it is told not to.

    `hold` lets only so much pass and then nothing more, with all connections open, as a network does that is gone;
    `take_down` closes everything and refuses, as a server does that is gone. `restore` ends both.
    """

    def __init__(self, server_url: str, token: str) -> None:
        #: For whoever comes this way.
        self.token = token
        parts = urlsplit(server_url)
        self._server = (parts.hostname or "", parts.port or 0)
        self._state = threading.Condition()
        self._up_bytes: int | None = None
        self._down_bytes: int | None = None
        self._request: bytes | None = None
        #: Whether nothing passes, to the server (True) and from it (False).
        self._is_held = {True: False, False: False}
        self._is_closed = False
        self._sockets: set[socket.socket] = set()
        self._listening: socket.socket | None = None
        self._port = 0
        self._listen()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def hold(self, *, up_bytes: int | None = None, down_bytes: int | None = None, answer_to: str | None = None) -> None:
        """Let nothing pass after so many bytes to the server, or from it, or after a request such as "POST /v1/jobs".

        That request itself reaches the server; its answer does not come back. With no argument nothing passes. What
        an earlier `hold` kept back goes on.
        """
        with self._state:
            self._up_bytes, self._down_bytes = up_bytes, down_bytes
            self._request = None if answer_to is None else f"{answer_to} ".encode()
            self._hold_all(up_bytes is None and down_bytes is None and answer_to is None)
            self._state.notify_all()

    def wait_until_held(self) -> None:
        """Wait until that much has passed, and nothing does any more."""
        with self._state:
            held = self._state.wait_for(lambda: any(self._is_held.values()), _WAIT_SECONDS)
        assert held, "not so much has passed the network"

    def take_down(self) -> None:
        """Break all connections, and refuse new ones."""
        if self._listening is not None:
            _close(self._listening)
        self._listening = None
        self._break_all()

    def restore(self) -> None:
        """All is well again; what was held passes."""
        with self._state:
            self._up_bytes = self._down_bytes = self._request = None
            self._hold_all(False)
            self._state.notify_all()
        if self._listening is None:
            self._listen()

    def lead_to(self, server_url: str) -> None:
        """Have new connections go to another server."""
        parts = urlsplit(server_url)
        self._server = (parts.hostname or "", parts.port or 0)

    def close(self) -> None:
        """End it."""
        with self._state:
            self._is_closed = True
            self._hold_all(False)
            self._state.notify_all()
        self.take_down()

    def _listen(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", self._port))
        self._port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                near, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(near,), daemon=True).start()

    def _relay(self, near: socket.socket) -> None:
        self._sockets.add(near)
        try:
            far = socket.create_connection(self._server, timeout=10.0)
        except OSError:
            self._forget(near)
            return
        far.settimeout(None)
        self._sockets.add(far)
        threading.Thread(target=self._pass_on, args=(near, far, True), daemon=True).start()
        self._pass_on(far, near, False)

    def _pass_on(self, source: socket.socket, target: socket.socket, is_up: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(_PIECE_BYTES):
                if not self._may_pass(len(piece), is_up):
                    break
                target.sendall(piece)
                if is_up:
                    self._look_at(piece)
        self._forget(source)
        self._forget(target)

    def _may_pass(self, count: int, is_up: bool) -> bool:
        """Wait while it may not; False where it never may."""
        with self._state:
            left = self._up_bytes if is_up else self._down_bytes
            if left is not None:
                left -= count
                if is_up:
                    self._up_bytes = left
                else:
                    self._down_bytes = left
                if left < 0:
                    self._hold_all(True)
                    self._state.notify_all()
            self._state.wait_for(lambda: not self._is_held[is_up])
            return not self._is_closed

    def _look_at(self, piece: bytes) -> None:
        with self._state:
            if self._request is not None and self._request in piece:
                self._is_held[False] = True  # the rest of the request may still be on its way
                self._state.notify_all()

    def _hold_all(self, is_held: bool) -> None:
        self._is_held = {True: is_held, False: is_held}

    def _break_all(self) -> None:
        for one in list(self._sockets):
            self._forget(one)

    def _forget(self, one: socket.socket) -> None:
        self._sockets.discard(one)
        _close(one)


def _close(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)  # wakes whoever waits in it
    one.close()


@contextlib.contextmanager
def black_hole() -> Iterator[str]:
    """The URL of a machine that swallows everything: not even a connection comes about."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = listening.getsockname()
        while True:  # the queue of connections that nobody accepts is filled
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0.3)
            try:
                waiting.connect(address)
            except TimeoutError:
                break
        yield f"http://127.0.0.1:{address[1]}"


@contextlib.contextmanager
def silent() -> Iterator[str]:
    """The URL of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
