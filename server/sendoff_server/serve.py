"""One process of the API server: uvicorn with the limits that fit."""

from __future__ import annotations

import logging

import uvicorn

from sendoff_store.connections import wait_until_ready
from sendoff_store.processes import end_with_parent, set_up_logging

from . import __version__
from .addon_repository import AddonRepository
from .app import create_app
from .connections import bounded, most_connections
from .listening import listen
from .settings import ServerSettings

log = logging.getLogger("sendoff.server")

_REDIS_SECONDS = 30.0
_GRACE_SECONDS = 3


def serve(settings: ServerSettings) -> None:
    """Serve until SIGTERM or SIGINT; raises SettingsError, RedisUnavailable."""
    set_up_logging()
    end_with_parent()
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # a line per socket helps nobody
    listener = listen(settings.host, settings.port)  # before anything else: a port that is taken is said at once
    app = create_app(settings)
    wait_until_ready(settings.redis_url, timeout_seconds=_REDIS_SECONDS)
    addon_version = AddonRepository(settings.addon_folder).version()
    if addon_version not in (None, __version__):
        log.warning("The add-on in %s is version %s and this server %s. Make the one that fits with `make "
                    "addon-repository`", settings.addon_folder, addon_version, __version__,
                    extra={"action": "addon.other_version"})  # fmt: skip
    port = listener.getsockname()[1]
    log.info("The server listens on %s:%d", settings.host, port, extra={"action": "server.start"})
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        http=bounded(most=most_connections(settings.connections), stall_seconds=settings.connection_stall_seconds),
        ws_max_size=256 * 1024,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])
