"""The peer of the fan-out benchmark: one Redis SUBSCRIBE per WebSocket, fed by a bare PUBLISH per step.

This is how the article that this project began with does it. `/idle` is the least a socket can cost in uvicorn.
"""

from __future__ import annotations

import os

import redis.asyncio
import uvicorn
from fastapi import FastAPI, WebSocket
from starlette.websockets import WebSocketDisconnect

app = FastAPI()
client = redis.asyncio.Redis.from_url(
    os.environ["BENCH_REDIS"], decode_responses=True, socket_timeout=None, max_connections=20_000
)


@app.websocket("/ws/{session}/{task}")
async def progress(socket: WebSocket, session: str, task: str) -> None:
    """Forward what is published for one task of one session."""
    await socket.accept()
    async with client.pubsub() as subscription:
        await subscription.subscribe(f"progress:{session}:{task}")
        async for message in subscription.listen():
            if message["type"] == "message":
                await socket.send_text(message["data"])


@app.websocket("/idle")
async def idle(socket: WebSocket) -> None:
    """Nothing, until the client leaves."""
    await socket.accept()
    try:
        while True:
            await socket.receive_text()
    except WebSocketDisconnect:
        pass


@app.get("/ready")
async def ready() -> bool:
    """Whether Redis answers."""
    return bool(await client.ping())


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), log_level="warning", access_log=False)
