from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from sendoff_store.connections import connect
from sendoff_store.embedded import EmbeddedValkey
from sendoff_store.errors import EmbeddedUnavailable


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as valkey, connect(valkey.url) as client:
        client.set("kept", "yes")
    with EmbeddedValkey(tmp_path) as valkey, connect(valkey.url) as client:
        assert client.get("kept") == "yes"


def test_an_orphan_of_a_killed_owner_is_ended_first(tmp_path: Path) -> None:
    orphan = EmbeddedValkey(tmp_path)
    orphan.start()
    with connect(orphan.url) as client:
        client.set("kept", "yes")
    pid = orphan.pid
    with EmbeddedValkey(tmp_path) as valkey, connect(valkey.url) as client:
        assert client.get("kept") == "yes"
        assert valkey.pid != pid
        assert orphan.pid == 0


def test_it_needs_its_password(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as valkey:
        port = valkey.url.rpartition(":")[2]
        with connect(f"redis://127.0.0.1:{port}") as client, pytest.raises(Exception, match="authenticated"):
            client.get("anything")
        assert (tmp_path / "password").stat().st_mode & 0o077 == 0


def test_a_taken_port_is_said_clearly(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(EmbeddedUnavailable, match=f"Port {port} on 127.0.0.1 is taken"):
            EmbeddedValkey(tmp_path, port=port).start()


def test_a_kill_loses_nothing_that_is_a_second_old(tmp_path: Path) -> None:
    valkey = EmbeddedValkey(tmp_path)
    valkey.start()
    with connect(valkey.url) as client:
        client.set("kept", "yes")
        client.execute_command("WAITAOF", 1, 0, 3000)
    os.kill(valkey.pid, signal.SIGKILL)
    valkey.stop()
    with EmbeddedValkey(tmp_path) as again, connect(again.url) as client:
        assert client.get("kept") == "yes"
