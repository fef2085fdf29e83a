"""The add-on's repository, read by Blender's own client: as a folder, and from the real server that serves it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import bl_pkg  # Blender's add-on for extensions, on the path since bpy was imported
import bpy
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from tests.stack import BIN, Stack, clean_environment  # noqa: E402 - the standard library is all it needs

#: A Blender of its own, to which lines say what a TD types after `blender --command extension`; what it says ends with
#: a line of the status and the add-ons that are on. One process, since the module 4.2 cannot read preferences again.
BLENDER = """
    import sys, bpy
    from bl_pkg.bl_extension_cli import cli_extension_handler

    for line in sys.stdin:
        bpy.context.preferences.system.use_online_access = line.startswith("--online-mode ")
        try:
            status = cli_extension_handler(line.removeprefix("--online-mode ").split())
        except SystemExit as end:
            status = end.code
        on = [addon.module for addon in bpy.context.preferences.addons if "sendoff" in addon.module]
        print(f"\\nENDED {status} {' '.join(on)}", flush=True)
"""
HIGHER = """
    import sys
    sys.path.insert(0, "scripts")
    import build_addon, build_repository

    build_addon.version = lambda: sys.argv[1]
    build_repository.build(build_repository.Path(sys.argv[2]))
"""


def build_repository(folder: Path, version: str) -> None:
    """The repository as it is built for a release of that version."""
    command = [sys.executable, "-c", textwrap.dedent(HIGHER), version, folder]
    subprocess.run(command, cwd=ROOT, check=True, timeout=120)


def blender_ext(*words: str | Path) -> str:
    """Run Blender's command line for extensions; returns what it says."""
    command = [sys.executable, Path(bl_pkg.__file__).parent / "cli" / "blender_ext.py", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_list_is_what_blenders_own_command_would_write(tmp_path):
    build_repository(tmp_path, "1.2.3")
    ours = json.loads((tmp_path / "index.json").read_text())
    page = (tmp_path / "index.html").read_text()
    link = page.partition('class="drag" href="')[2].partition('"')[0]
    blender_ext("server-generate", "--repo-dir", tmp_path, "--html")
    theirs = json.loads((tmp_path / "index.json").read_text())
    assert ours == theirs
    assert list(ours["data"][0]) == list(theirs["data"][0])
    assert link.replace("&amp;", "&") in (tmp_path / "index.html").read_text(), "Blender would write another link"


def test_the_link_when_dropped_then_it_names_the_repository_and_fits_this_blender(tmp_path):
    from bl_pkg.bl_extension_ops import pkg_manifest_params_compatible_or_error_for_this_system
    from bl_pkg.bl_extension_utils import url_parse_for_blender

    build_repository(tmp_path, "1.2.3")
    link = (tmp_path / "index.html").read_text().partition('class="drag" href="./')[2].partition('"')[0]
    url, told = url_parse_for_blender("http://render01:8780/addon/" + link.replace("&amp;", "&"))
    assert url == "http://render01:8780/addon/sendoff-1.2.3.zip"
    assert told["repository"] == "http://render01:8780/addon/index.json"
    fits = pkg_manifest_params_compatible_or_error_for_this_system(
        blender_version_min=told["blender_version_min"], blender_version_max="", platforms=[],
        **({"python_versions": told["python_versions"].split(",")} if "python_versions" in told else {}),
    )  # fmt: skip
    assert not isinstance(fits, str), fits


def test_the_start_up_script_of_the_docs_when_run_at_each_start_then_there_is_one_repository():
    text = (ROOT / "docs" / "td.md").read_text().partition("<!-- test: blender -->\n```python\n")[2].partition("```")[0]
    preferences = bpy.context.preferences
    before = preferences.system.use_online_access
    try:
        exec(text, {})
        exec(text, {})
        (added,) = [repo for repo in preferences.extensions.repos if repo.remote_url.startswith("http://render01")]
        assert (added.name, added.module, added.use_remote_url) == ("Studio", "studio", True)
        assert added.use_sync_on_startup
        assert bpy.app.online_access
        preferences.extensions.repos.remove(added)
    finally:
        preferences.system.use_online_access = before


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("repository")


@pytest.fixture(scope="module")
def server(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    if not (BIN / "python").exists():
        pytest.skip("the server's Python is not in this system")
    with Stack(tmp_path_factory.mktemp("stack"), SENDOFF_ADDON_DIR=str(repository), SENDOFF_BLENDERS="") as stack:
        yield stack


class Artist:
    """A Blender with settings of its own, which only knows the studio's repository."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        #: The add-ons of ours that are on.
        self.enabled: list[str] = []
        environment = clean_environment(BLENDER_USER_RESOURCES=str(folder), SENDOFF_HOME=str(folder / "home"))
        self._process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(BLENDER)], env=environment, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.run(f"repo-add studio --name Studio --url {url} --clear-all")

    def __enter__(self) -> Artist:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate(timeout=30)

    def run(self, words: str, *, status: int = 0) -> str:
        """Run a command; returns what Blender says."""
        self._process.stdin.write(f"{words}\n")
        said = ""
        for line in self._process.stdout:
            if line.startswith("ENDED "):
                ended, *self.enabled = line.split()[1:]
                assert int(ended) == status, said
                return said
            said += line
        raise AssertionError(f"Blender ended:\n{said}")

    @property
    def version(self) -> str:
        """The version that lies there; \"\" where none does."""
        manifest = self.folder / "extensions" / "studio" / "sendoff" / "blender_manifest.toml"
        if not manifest.is_file():
            return ""
        return manifest.read_text().partition('\nversion = "')[2].partition('"')[0]


def test_the_add_on_when_any_web_server_serves_the_folder_then_it_is_installed_and_updated(tmp_path):
    folder = tmp_path / "repository"
    build_repository(folder, "1.0.0")
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as plain:
        thread = threading.Thread(target=plain.serve_forever, daemon=True)
        thread.start()
        try:
            with Artist(tmp_path / "blender", f"http://127.0.0.1:{plain.server_port}/index.json") as artist:
                assert_installs_and_updates(artist, folder)
        finally:
            plain.shutdown()
            thread.join(10)


@pytest.mark.parametrize("address", ["/addon/index.json", "/addon/", "/addon"])
def test_the_add_on_when_installed_and_updated_from_the_server_then_it_follows_the_servers_version(
    server: Stack, repository: Path, tmp_path: Path, address: str
) -> None:
    build_repository(repository, "1.0.0")
    with Artist(tmp_path, server.url + address) as artist:
        assert_installs_and_updates(artist, repository)


def assert_installs_and_updates(artist: Artist, repository: Path) -> None:
    """What is in the repository is installed; a release later it is updated, and still on."""
    said = artist.run("--online-mode install --sync --enable studio.sendoff")
    assert (artist.version, artist.enabled) == ("1.0.0", ["bl_ext.studio.sendoff"]), said
    build_repository(repository, "1.0.1")
    said = artist.run("--online-mode update --sync")
    assert (artist.version, artist.enabled) == ("1.0.1", ["bl_ext.studio.sendoff"]), said
    assert "Traceback" not in said


def test_a_repository_on_this_machine_when_online_access_is_off_then_nothing_is_installed(
    server: Stack, repository: Path, tmp_path: Path
) -> None:
    """Blender makes no difference between loopback and the internet here, as docs/td.md says."""
    build_repository(repository, "1.0.0")
    with Artist(tmp_path, f"{server.url}/addon/index.json") as artist:
        assert "online access" in artist.run("install --sync --enable studio.sendoff", status=1).lower()
        assert artist.version == ""


def test_a_repository_when_the_server_has_none_then_blender_says_so_and_keeps_what_it_has(
    server: Stack, repository: Path, tmp_path: Path
) -> None:
    build_repository(repository, "1.0.0")
    with Artist(tmp_path, f"{server.url}/addon/index.json") as artist:
        artist.run("--online-mode install --sync --enable studio.sendoff")
        shutil.rmtree(repository)
        repository.mkdir()
        assert "404" in artist.run("--online-mode sync")
        assert (artist.version, artist.enabled) == ("1.0.0", ["bl_ext.studio.sendoff"])
