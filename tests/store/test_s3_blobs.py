"""Chunks in S3, by a server that speaks S3 on loopback."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from sendoff_store.errors import ChunkMissing
from sendoff_store.s3_blobs import S3Blobs


@pytest.fixture
def blobs(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Blobs]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint, "AWS_ENDPOINT": endpoint, "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    import boto3

    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="studio")
    yield S3Blobs("s3://studio/sendoff")
    server.stop()


def test_chunks_are_kept_once_and_found_again(blobs: S3Blobs) -> None:
    data = b"a chunk" * 1000
    name = hashlib.sha256(data).hexdigest()
    other = hashlib.sha256(b"other").hexdigest()
    assert blobs.missing([name, other]) == [name, other]
    assert blobs.put(name, data)
    assert not blobs.put(name, data)
    assert blobs.missing([name, other]) == [other]
    assert blobs.get(name) == data
    ((found, size, at),) = list(blobs.ages())
    assert (found, size) == (name, len(data))
    assert at > 0
    blobs.check_writable()
    blobs.delete(name)
    blobs.delete(name)
    with pytest.raises(ChunkMissing):
        blobs.get(name)
