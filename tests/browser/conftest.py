"""Tests in a real Chromium, driven by Playwright: `make desktop` once (as root), then `make test-browser`.

The browser is the one of the window system (build/desktop), without a window. What a test gets:

- `server`: the real server on a real Valkey, as in tests/server; `person` may sign in with PASSWORD.
- `browser()`: a new profile, so somebody else's browser; `page`: a page in one. After each test no page may have said
  an error on its console or met a policy, unless the test names it in `expected`.
- `shot(page, "name")` keeps build/screens/browser/TEST-name.png. Look at them.
"""

from __future__ import annotations

import itertools
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from scripts import desktop
from tests.requirements import require
from tests.server.conftest import Server, announced, server, serving, valkey  # noqa: F401 - the last are fixtures

from sendoff_server import passwords
from sendoff_store import people
from sendoff_store.people import Person

HERE = Path(__file__).resolve().parent
SCREENS = desktop.ROOT / "build" / "screens" / "browser"
PASSWORD = "correct horse battery"
_START_SECONDS = 30
#: It speaks to nobody but the page's server, and asks nothing.
_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader", "--no-first-run", "--disable-sync",
    "--disable-component-update",
    "--disable-background-networking", "--password-store=basic", "--remote-debugging-port=0", "about:blank",
)  # fmt: skip

MakeContext = Callable[..., BrowserContext]
Shot = Callable[[Page, str], None]
_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    reason = desktop.why_not()
    require(not reason, reason)
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as folder:
        profile = Path(folder) / "profile"
        command = ["env", f"HOME={folder}", f"TMPDIR={folder}", "chromium", f"--user-data-dir={profile}", *_OPTIONS]
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(desktop.command(command), stdout=log, stderr=log)
        try:
            with sync_playwright() as playwright:
                yield playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{_port(profile)}")
        finally:
            process.kill()
            process.wait(10)


def _port(profile: Path) -> int:
    told = profile / "DevToolsActivePort"
    deadline = time.monotonic() + _START_SECONDS
    while not (told.is_file() and told.read_text().strip()):
        assert time.monotonic() < deadline, "Chromium did not start"
        time.sleep(0.05)
    return int(told.read_text().split()[0])


@pytest.fixture
def expected() -> list[str]:
    """Words of errors that a test brings about."""
    return []


@pytest.fixture
def browser(chromium: Browser, expected: list[str]) -> Iterator[MakeContext]:
    """Makes a profile; `options` are Playwright's, such as `color_scheme="dark"`."""
    made: list[BrowserContext] = []
    said: list[str] = []

    def note(text: str) -> None:
        if not any(word in text for word in expected):
            said.append(text)

    def make(**options: object) -> BrowserContext:
        context = chromium.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        context.on("console", lambda message: note(message.text) if message.type in ("error", "warning") else None)
        context.on("weberror", lambda error: note(str(error.error)))
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()
    assert said == []


@pytest.fixture
def page(browser: MakeContext) -> Page:
    return browser().new_page()


@pytest.fixture
def shot(request: pytest.FixtureRequest) -> Shot:
    SCREENS.mkdir(parents=True, exist_ok=True)
    test = re.sub(r"[^\w-]+", "_", request.node.name.removeprefix("test_"))

    def keep(page: Page, name: str) -> None:
        page.screenshot(path=SCREENS / f"{test}-{name}.png", full_page=True)

    return keep


@pytest.fixture(scope="session")
def kept_password() -> str:
    return passwords.hashed(PASSWORD)


def add_person(server: Server, password: str, role: str = "artist") -> str:  # noqa: F811 - the fixture
    name = f"browsing{next(_numbers)}"
    assert server.store.run(people.add(Person(name=name, role=role, password=password)))
    return name


@pytest.fixture
def td(server: Server, person: str, kept_password: str) -> str:  # noqa: F811 - the fixture
    """A TD beside the person."""
    return add_person(server, kept_password, "td")


def sign_in(page: Page, person: str, password: str = PASSWORD) -> None:
    page.get_by_label("Name").fill(person)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def check_accessible(page: Page) -> None:
    """axe-core finds nothing serious in what is shown."""
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]}).response
    serious = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    assert not serious, [(one["id"], one["help"], [node["html"] for node in one["nodes"]]) for one in serious]


@pytest.fixture
def person(server: Server, kept_password: str) -> Iterator[str]:  # noqa: F811 - the fixture
    """Somebody new who may sign in."""
    yield add_person(server, kept_password)
    for key in server.store.redis.scan_iter("limit:*"):
        server.store.redis.delete(key)
