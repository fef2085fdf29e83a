"""The server hands out the plug-in for Maya: the newest zip in its folder, and a page on how to install it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.server.conftest import Server, serving
from tests.server.test_requests import problem

from sendoff_store.embedded import EmbeddedValkey

FOLDER_TEXT = b"PK the newest"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("maya")


@pytest.fixture(scope="module")
def giving(valkey: EmbeddedValkey, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(valkey.url, tmp_path_factory.mktemp("data"), SENDOFF_MAYA_DIR=str(folder)) as server:
        yield server


@pytest.fixture
def filled(folder: Path) -> Iterator[Path]:
    (folder / "sendoff-maya-0.9.0.zip").write_bytes(b"PK older")
    (folder / "sendoff-maya-0.10.0.zip").write_bytes(FOLDER_TEXT)
    (folder / "secret.zip").write_bytes(b"PK secret")
    yield folder
    for path in folder.iterdir():
        path.unlink()


def told(server: Server) -> Any:
    with server.http() as http:
        return http.get("/v1/server").json()


def test_the_page_names_the_newest_zip_and_this_server(giving: Server, filled: Path) -> None:
    answer = httpx.get(f"{giving.url}/maya", follow_redirects=True)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "Sendoff 0.10.0 for Maya" in answer.text
    assert f"SENDOFF_URL={giving.url}" in answer.text
    assert "script" not in answer.headers["content-security-policy"]


def test_the_zip_is_given_and_kept_by_its_etag(giving: Server, filled: Path) -> None:
    url = f"{giving.url}/maya/sendoff-maya-0.10.0.zip"
    answer = httpx.get(url)
    assert (answer.content, answer.headers["content-type"]) == (FOLDER_TEXT, "application/zip")
    assert httpx.get(url, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    assert told(giving)["maya"] == {
        "version": "0.10.0",
        "page": "/maya/",
    }


@pytest.mark.parametrize("name", ["secret.zip", "sendoff-maya-0.9.0.zip", "..%2Fsecret.zip", "x" * 300])
def test_nothing_else_is_given(giving: Server, filled: Path, name: str) -> None:
    answer = httpx.get(f"{giving.url}/maya/{name}")
    assert problem(answer, 404)


def test_without_a_zip_it_says_what_to_run(giving: Server) -> None:
    said = problem(httpx.get(f"{giving.url}/maya/"), 404)
    assert "`make maya`" in said["detail"]
    assert told(giving)["maya"] is None
