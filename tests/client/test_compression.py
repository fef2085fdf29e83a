from __future__ import annotations

import os

import pytest

from sendoff.compression import Compression
from sendoff.encodings import DEFLATE, IDENTITY, available_encodings, decompress

MB = 1_000_000
TEXT = b"".join(b"v %d %d\n" % (n * 7919 % 1000, n) for n in range(20_000))
NOISE = os.urandom(200_000)


def sent(policy: Compression, encoding: str, wire_bytes: int, send_seconds: float) -> None:
    policy.learn(encoding, raw_bytes=9 * MB, wire_bytes=wire_bytes, encode_seconds=0.1, send_seconds=send_seconds)


@pytest.mark.parametrize("encoding", available_encodings())
def test_a_first_upload_when_the_network_is_quicker_then_it_is_left_raw_and_else_compressed(encoding: str) -> None:
    for seconds, then in ((0.01, IDENTITY), (0.3, encoding), (5.0, encoding)):
        policy = Compression(encoding)
        policy.asked(100 * MB, 100 * MB)
        assert policy.encode([TEXT], [TEXT])[1] == encoding
        sent(policy, encoding, 6 * MB, seconds)
        parts, used = policy.encode([TEXT[:9], TEXT[9:]], [TEXT])
        assert used == then
        assert decompress(b"".join(parts), used, len(TEXT)) == TEXT


@pytest.mark.parametrize("encoding", available_encodings())
def test_a_resubmit_when_little_is_missing_then_it_is_compressed_on_any_network(encoding: str) -> None:
    policy = Compression(encoding)
    policy.asked(100 * MB, 100 * MB)
    sent(policy, encoding, 6 * MB, 0.01)
    assert policy.encode([TEXT], [TEXT])[1] == IDENTITY
    policy = Compression(encoding)
    policy.asked(100 * MB, 2 * MB)
    sent(policy, encoding, 6 * MB, 0.01)
    assert policy.encode([TEXT], [TEXT])[1] == encoding


@pytest.mark.parametrize("lacking", [1, 100])
def test_noise_when_sent_then_it_is_left_raw(lacking: int) -> None:
    policy = Compression(DEFLATE)
    policy.asked(100 * MB, lacking * MB)
    assert policy.encode([NOISE], [NOISE]) == ([NOISE], IDENTITY)


def test_a_server_when_it_takes_no_encoding_then_nothing_is_compressed() -> None:
    assert Compression(IDENTITY).encode([TEXT], [TEXT]) == ([TEXT], IDENTITY)


def test_a_server_on_this_machine_when_it_is_quick_then_the_first_bytes_go_raw_and_a_tunnel_is_noticed() -> None:
    policy = Compression(DEFLATE, loopback=True)
    policy.asked(100 * MB, 100 * MB)
    assert policy.encode([TEXT], [TEXT])[1] == IDENTITY
    sent(policy, IDENTITY, 9 * MB, 0.02)
    assert policy.encode([TEXT], [TEXT])[1] == IDENTITY
    policy = Compression(DEFLATE, loopback=True)
    policy.asked(100 * MB, 100 * MB)
    sent(policy, IDENTITY, 9 * MB, 1.0)
    assert policy.encode([TEXT], [TEXT])[1] == DEFLATE
