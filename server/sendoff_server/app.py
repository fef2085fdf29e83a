"""The application: its parts, its routes, and what runs beside them for as long as it lives."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from sendoff_store.blobs import open_blobs
from sendoff_store.calls import AsyncStore
from sendoff_store.connections import connect_async
from sendoff_store.errors import SettingsError

from . import __version__, production
from .cancelling import end
from .dispatch import Dispatcher
from .headers import SafeHeaders
from .hub import Hub
from .oidc import Provider
from .parts import Parts
from .problems import add_handlers
from .reaper import Reaper
from .routes import addon, chunks, device, events, files, health, jobs, maya, oidc, page, server, sessions, workers
from .settings import ServerSettings, signing_secret


def create_app(settings: ServerSettings) -> FastAPI:
    """The server for some settings; raises SettingsError where it cannot be one."""
    if not settings.redis_url:
        raise SettingsError(
            "SENDOFF_REDIS_URL is not set. Set it to your Redis, or run `sendoff-server up`, which brings its own."
        )
    production.check(settings)
    secret = signing_secret(settings)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        client = connect_async(settings.redis_url)
        store = AsyncStore(client)
        parts = app.state.parts = Parts(
            settings=settings,
            secret=secret,
            redis=client,
            store=store,
            blobs=open_blobs(settings),
            hub=Hub(store, settings.redis_url),
            dispatcher=Dispatcher(settings.broker),
            oidc=Provider(settings, client) if settings.oidc_issuer else None,
        )
        await parts.hub.start()
        reaper = asyncio.create_task(Reaper(parts).run())
        try:
            yield
        finally:
            await end(reaper)
            await parts.hub.stop()
            if parts.oidc is not None:
                await parts.oidc.close()
            await run_in_threadpool(parts.dispatcher.close)
            await client.aclose()

    app = FastAPI(title="Sendoff", version=__version__, lifespan=lifespan, openapi_url=None)
    app.add_middleware(SafeHeaders)
    add_handlers(app)
    for room in (server, sessions, oidc, chunks, jobs, files, events, health, device, addon, maya, page, workers):
        app.include_router(room.router)
    return app
