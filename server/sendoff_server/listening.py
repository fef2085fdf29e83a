"""The socket that the server listens on."""

from __future__ import annotations

import socket

from sendoff_store.errors import SettingsError


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to an address (port 0: any free one); raises SettingsError where that cannot be had."""
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise SettingsError(
            f"The server cannot listen on {host}:{port} ({error.strerror}). Choose another port with --port (0 takes "
            "any free one) or SENDOFF_PORT."
        ) from error
    return made
