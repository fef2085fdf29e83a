"""The server hands out the add-on: the files of its repository, as they are now, and nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.server.conftest import Server, serving
from tests.server.test_requests import problem
from tests.stack import ROOT

import sendoff_server
from sendoff_store.embedded import EmbeddedValkey

ZIP = f"sendoff-{sendoff_server.__version__}.zip"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    command = [sys.executable, ROOT / "scripts" / "build_repository.py", "--out", folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == str(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("repository") / "addon"


@pytest.fixture(scope="module")
def giving(valkey: EmbeddedValkey, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose repository the tests change under it."""
    with serving(valkey.url, tmp_path_factory.mktemp("giving"), SENDOFF_ADDON_DIR=str(folder)) as server:
        yield server


@pytest.fixture
def server(giving: Server, folder: Path, built: Path) -> Server:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(built, folder)
    return giving


def ask(server: Server, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    """An answer to somebody who is not signed in."""
    return httpx.request(method, f"{server.url}{path}", headers=headers, trust_env=False)


def told(server: Server) -> Any:
    with server.http() as http:
        return http.get("/v1/server").json()["addon"]


def test_files_when_asked_for_then_they_come_with_their_type_and_etag(server: Server, built: Path) -> None:
    for name, media_type in (
        ("index.json", "application/json"),
        ("index.html", "text/html; charset=utf-8"),
        ("index.css", "text/css; charset=utf-8"),
        (ZIP, "application/zip"),
    ):
        answer = ask(server, f"/addon/{name}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
        assert answer.content == (built / name).read_bytes()
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "script-src" not in answer.headers["content-security-policy"]
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        head = ask(server, f"/addon/{name}", "HEAD")
        assert (head.content, head.headers["content-length"]) == (b"", str(len(answer.content)))
        etag = answer.headers["etag"]
        for known in (etag, f'"other", W/{etag}'):
            again = ask(server, f"/addon/{name}", **{"If-None-Match": known})
            assert (again.status_code, again.content) == (304, b"")
        assert ask(server, f"/addon/{name}", **{"If-None-Match": '"other"'}).status_code == 200


def test_the_folder_when_asked_by_a_browser_then_the_page_and_by_a_blender_then_the_list(server: Server) -> None:
    page = ask(server, "/addon/", Accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert "<h1>Sendoff for Blender</h1>" in page.text
    assert page.headers["vary"] == "Accept"
    assert ask(server, "/addon/", Accept="application/json").json()["data"][0]["id"] == "sendoff"
    assert ask(server, "/addon").headers["location"] == "/addon/"


@pytest.mark.parametrize(
    "name", ["secret.txt", "old.zip", ".part", "..%2Fsecret.txt", "../secret.txt", "%2e%2e/secret.txt", "", "a/b.zip"]
)
def test_a_file_that_the_list_does_not_name_when_asked_for_then_not_found(
    server: Server, folder: Path, name: str
) -> None:
    for path in (folder / "secret.txt", folder / "old.zip", folder.parent / "secret.txt", folder / ".part"):
        path.write_bytes(b"secret")
    # As it stands: a client of its own accord would take the dots out.
    url = httpx.URL(f"{server.url}/addon/").copy_with(raw_path=f"/addon/{name or 'nothing'}".encode())
    answer = httpx.get(url, trust_env=False)
    problem(answer, 404)
    assert "secret" not in answer.text.replace("secret.txt", "")


@pytest.mark.parametrize(
    "url", ["../secret.zip", "./../secret.zip", "/etc/secret.zip", "./index.html", "file:///x.zip", 3]
)
def test_a_list_that_names_a_file_elsewhere_when_served_then_that_one_is_not(
    server: Server, folder: Path, url: object
) -> None:
    (folder.parent / "secret.zip").write_bytes(b"secret")
    (folder / "index.json").write_text(json.dumps({"data": [{"id": "sendoff", "version": "1", "archive_url": url}]}))
    problem(httpx.get(httpx.URL(server.url).copy_with(raw_path=b"/addon/../secret.zip"), trust_env=False), 404)
    problem(ask(server, "/addon/secret.zip"), 404)
    problem(ask(server, f"/addon/{ZIP}"), 404)


def test_a_change_when_asked_for_then_refused(server: Server, folder: Path) -> None:
    for method in ("PUT", "POST", "DELETE"):
        problem(ask(server, "/addon/index.json", method), 405)
    assert (folder / "index.json").is_file()


def test_the_version_when_told_then_it_is_that_of_server_zip_and_list(server: Server) -> None:
    assert told(server) == {"version": sendoff_server.__version__, "repository": "/addon/index.json"}
    entry = ask(server, told(server)["repository"]).json()["data"][0]
    assert (entry["version"], entry["archive_url"]) == (sendoff_server.__version__, f"./{ZIP}")


def test_a_newer_add_on_when_built_then_it_is_served_without_a_restart(server: Server, folder: Path) -> None:
    newer = json.loads((folder / "index.json").read_text())
    newer["data"][0] |= {"version": "9.9.9", "archive_url": "./sendoff-9.9.9.zip"}
    (folder / "sendoff-9.9.9.zip").write_bytes(b"newer")
    (folder / "index.json").write_text(json.dumps(newer))
    assert told(server)["version"] == "9.9.9"
    assert ask(server, "/addon/sendoff-9.9.9.zip").content == b"newer"
    problem(ask(server, f"/addon/{ZIP}"), 404)


def test_a_repository_when_it_is_missing_then_one_sentence_says_what_to_run(server: Server, folder: Path) -> None:
    shutil.rmtree(folder)
    for path in ("/addon/", "/addon/index.json", f"/addon/{ZIP}"):
        detail = problem(ask(server, path), 404)["detail"]
        assert "`make addon-repository`" in detail
        assert "SENDOFF_ADDON_DIR" in detail
        assert str(folder) not in detail
    assert told(server) is None


@pytest.mark.parametrize(
    "text", ["", "nonsense", "[]", "{}", '{"data": [3]}', '{"data": [{"id": "sendoff"}]}', "\udcff"]
)
def test_a_list_when_it_is_damaged_then_a_sentence_and_a_line_in_the_log(
    server: Server, folder: Path, text: str
) -> None:
    (folder / "index.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    detail = problem(ask(server, "/addon/index.json"), 404)["detail"]
    assert "cannot be read" in detail
    assert "`make addon-repository`" in detail
    assert told(server) is None
    assert "action=addon.unreadable" in (server.data_dir / "server.log").read_text()


def test_the_folder_when_not_set_then_it_is_in_the_data_folder_and_another_version_is_said_at_the_start(
    valkey: EmbeddedValkey, built: Path, tmp_path: Path
) -> None:
    shutil.copytree(built, tmp_path / "addon")
    path = tmp_path / "addon" / "index.json"
    path.write_text(path.read_text().replace(f'"version": "{sendoff_server.__version__}"', '"version": "0.0.1"'))
    with serving(valkey.url, tmp_path) as server:
        assert told(server)["version"] == "0.0.1"
        log = (tmp_path / "server.log").read_text()
    assert f"is version 0.0.1 and this server {sendoff_server.__version__}" in log


def test_a_second_build_when_the_version_changed_then_the_older_zip_is_gone(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT / "scripts")
    import build_addon
    import build_repository

    build_repository.build(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in built.iterdir()}
    monkeypatch.setattr(build_addon, "version", lambda: "9.9.9")
    build_repository.build(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"index.json", "index.html", "index.css", "sendoff-9.9.9.zip"}
    entry = json.loads((tmp_path / "index.json").read_text())["data"][0]
    assert (entry["version"], entry["archive_url"]) == ("9.9.9", "./sendoff-9.9.9.zip")
    html = (tmp_path / "index.html").read_text()
    assert (
        'href="./sendoff-9.9.9.zip?repository=.%2Findex.json&amp;blender_version_min=4.2.0&amp;python_versions=3"'
        in html
    )
