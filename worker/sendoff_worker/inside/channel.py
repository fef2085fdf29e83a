"""The line to the worker: one JSON object per line, both ways, over an inherited Unix socket."""

from __future__ import annotations

import json
import math
import socket
from collections.abc import Mapping
from typing import Any


class ChannelClosed(Exception):
    """The worker has closed its end: nobody is left to work for."""


class Channel:
    """Sends and receives JSON objects, one per line."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = bytearray()

    @classmethod
    def from_descriptor(cls, descriptor: int) -> Channel:
        """Take over the socket that the worker left open under this file descriptor."""
        connection = socket.socket(fileno=descriptor)
        connection.set_inheritable(False)  # a program that a task starts must not hold the line open
        return cls(connection)

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one message. Raises ChannelClosed where the worker is gone."""
        line = json.dumps(plain(message), ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"
        try:
            # Names in old .blend files can hold bytes that are not UTF-8; Python shows them as lone surrogates.
            self._connection.sendall(line.encode("utf-8", "replace"))
        except OSError as error:
            raise ChannelClosed(str(error)) from error

    def receive(self) -> dict[str, Any]:
        """Wait for the next message; the wait ends with the worker, whose end then closes (ChannelClosed)."""
        while (end := self._received.find(b"\n")) < 0:
            try:
                part = self._connection.recv(65536)
            except OSError as error:
                raise ChannelClosed(str(error)) from error
            if not part:
                raise ChannelClosed("the worker closed its end")
            self._received += part
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        message = json.loads(line)
        if not isinstance(message, dict):
            raise TypeError(f"expected one JSON object per line, got {type(message).__name__}")
        return message

    def close(self) -> None:
        """Close our end; the worker reads the end of the line after the last message."""
        self._connection.close()


def plain(value: Any) -> Any:
    """The value as JSON can hold it: numpy's values as lists and numbers, NaN as null, the rest as text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    for convert in ("tolist", "to_dict", "to_list"):  # numpy's values; groups and arrays in custom properties
        if hasattr(value, convert):
            return plain(getattr(value, convert)())
    return str(value)
