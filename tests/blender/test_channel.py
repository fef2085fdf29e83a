from __future__ import annotations

import json
import socket
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sendoff_inside.channel import Channel, ChannelClosed, plain

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(values)
def test_plain_makes_json_of_any_value(value: object) -> None:
    json.dumps(plain(value), allow_nan=False)


def test_plain_keeps_what_numpy_counts() -> None:
    value = {"a": np.int64(3), "b": np.array([1.5, np.nan]), 4: (Path("x"), {2})}
    assert plain(value) == {"a": 3, "b": [1.5, None], "4": ["x", [2]]}


def test_lines_arrive_whole_however_they_are_cut() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        channel = Channel(ours)
        theirs.sendall(b'{"a":1}\n{"b":')
        assert channel.receive() == {"a": 1}
        theirs.sendall(b'"\xc3\xa9"}\n')
        assert channel.receive() == {"b": "é"}


def test_send_replaces_what_utf8_cannot_hold() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        Channel(ours).send({"text": "Karosserie \udcfc"})
        assert json.loads(theirs.recv(1000).decode("utf-8")) == {"text": "Karosserie ?"}


def test_a_closed_line_is_told_when_sending_and_receiving() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours:
        channel = Channel(ours)
        with pytest.raises(ChannelClosed):
            channel.receive()
        with pytest.raises(ChannelClosed):
            channel.send({})
