"""Many WebSocket clients in one process, as cheap as they can be: the sockets that watch in the fan-out benchmark.

Run as `crowd.py PORT`. Reads commands as lines of JSON from standard input and answers each with one line:
{"join": [path, ...], "headers": {...}, "first": true} opens a socket per path (and waits for its first message),
{"take": true} gives the seconds from send to arrival of all messages since the last time. A message tells when it
was sent by its field "message", the sender's monotonic clock in nanoseconds.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
import time
from collections.abc import Callable

import uvloop

_AT_ONCE = 32
_MARK = b'"message":"'


class Socket(asyncio.Protocol):
    """One client; knows as much of RFC 6455 as a server needs that sends text and pings."""

    def __init__(self, path: str, headers: dict[str, str], on_text: Callable[[bytes, int], None]) -> None:
        self._request = "\r\n".join(
            [
                f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
                *(f"{name}: {value}" for name, value in headers.items()), "", "",
            ]
        )  # fmt: skip
        self._on_text = on_text
        self._data = b""
        self.opened = asyncio.get_running_loop().create_future()
        self.first = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        transport.write(self._request.encode())

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        data = self._data + data
        if not self.opened.done():
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._data = head
                return
            if b" 101 " not in head.split(b"\r\n")[0]:
                self.opened.set_exception(ConnectionError(head.decode()))
                return
            self.opened.set_result(None)
        while len(data) >= 2:
            size, at = data[1], 2
            if size == 126:
                size, at = int.from_bytes(data[2:4], "big"), 4
            elif size == 127:
                size, at = int.from_bytes(data[2:10], "big"), 10
            if len(data) < at + size:
                break
            code, body, data = data[0] & 15, data[at : at + size], data[at + size :]
            if code == 1:
                if not self.first.done():
                    self.first.set_result(None)
                self._on_text(body, now)
            elif code == 9:
                self._transport.write(bytes([0x8A, 0x80 | len(body), 0, 0, 0, 0]) + body)  # masked with zeros
            elif code == 8:
                self._transport.close()
        self._data = data

    def connection_lost(self, error: Exception | None) -> None:
        for future in (self.opened, self.first):
            if not future.done():
                future.set_exception(error or ConnectionError("the server closed the socket"))


class Crowd:
    """All the sockets, and what has arrived."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._seconds: list[float] = []
        self._gate = asyncio.Semaphore(_AT_ONCE)

    def _take_text(self, text: bytes, now: int) -> None:
        at = text.find(_MARK) + len(_MARK)
        sent = text[at : text.find(b'"', at)]
        if sent.isdigit():
            self._seconds.append((now - int(sent)) / 1e9)

    async def join(self, paths: list[str], headers: dict[str, str], *, first: bool) -> int:
        loop = asyncio.get_running_loop()

        async def one(path: str) -> None:
            async with self._gate:
                _, socket = await loop.create_connection(
                    lambda: Socket(path, headers, self._take_text), "127.0.0.1", self._port
                )
                await socket.opened
                if first:
                    await socket.first

        await asyncio.gather(*(one(path) for path in paths))
        return len(paths)

    def take(self) -> list[float]:
        taken, self._seconds = self._seconds, []
        return taken


async def main() -> None:
    crowd = Crowd(int(sys.argv[1]))
    reader = asyncio.StreamReader(limit=2**26)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        if "join" in command:
            answer: object = await crowd.join(
                command["join"], command.get("headers", {}), first=command.get("first", False)
            )
        else:
            answer = crowd.take()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
