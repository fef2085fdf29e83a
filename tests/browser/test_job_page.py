"""The page of a job: a real one of a real worker and a real Blender, to look at, to steer and to run again."""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.acceptance import blender_scripts
from tests.browser.conftest import MakeContext, Shot, check_accessible
from tests.runtimes import blender, blenders
from tests.stack import Stack

from sendoff import Client, Submission

TASK = '''
"""Tasks of the tests."""
import time
from pathlib import Path
from sendoff_worker import Context, task

@task("test.look", title="Make things to look at")
def look(ctx: Context, folder: str) -> None:
    for name, role in (("view.png", "preview"), ("notes.txt", "report"), ("counts.json", "report"),
                       ("broken.glb", "result"), ("abroad.glb", "result"), ("picture.svg", "preview")):
        ctx.add_file(Path(folder) / name, role=role)

@task("test.slow", title="Take a while")
def slow(ctx: Context, gate: str) -> None:
    for number in ctx.steps(range(1000), "Part {}"):
        ctx.log(f"line {number} of the log: ä")
        while number == 500 and not Path(gate).exists() and not ctx.is_stopping:
            time.sleep(0.02)
'''


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    blender()
    folder = tmp_path_factory.mktemp("stack")
    (folder / "tasks").mkdir()
    (folder / "tasks" / "looks.py").write_text(TASK)
    runtimes = os.pathsep.join(map(str, blenders().values()))
    with Stack(folder, SENDOFF_BLENDERS=runtimes, SENDOFF_TASK_PATH=str(folder / "tasks")) as stack:
        yield stack


@pytest.fixture
def client(stack: Stack) -> Iterator[Client]:
    with Client(stack.url, stack.token) as client:
        yield client


@pytest.fixture
def page(browser: MakeContext) -> Page:
    return browser(viewport={"width": 1200, "height": 900}, reduced_motion="reduce").new_page()


def open_page(page: Page, client: Client, job: str) -> None:
    page.goto(client.page(job))


def test_a_real_job_is_followed_and_its_model_turns(
    stack: Stack, client: Client, page: Page, tmp_path: Path, shot: Shot, expected: list[str]
) -> None:
    expected.append("GPU stall due to ReadPixels")  # of the screenshots
    scene = tmp_path / "things.blend"
    blender_scripts.run(blender(), blender_scripts.MAKE_SCENE, scene)
    job = client.submit(scene, task="mesh.lods", params={"levels": 2, "formats": ["glb"]})
    open_page(page, client, job.id)
    expect(page.get_by_role("heading", name="Result")).to_be_visible(timeout=60_000)
    canvas = page.locator("#viewer canvas")
    expect(canvas).to_have_attribute("data-drawn", "yes", timeout=30_000)
    expect(page.locator("#viewer")).to_contain_text("triangles")
    before = canvas.screenshot()
    assert len(set(before)) > 50
    canvas.focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(300)
    assert canvas.screenshot() != before, "it does not turn"
    shot(page, "model")
    check_accessible(page)
    page.goto(stack.url)
    done = page.get_by_role("listitem").filter(has_text="things")
    expect(done.first).to_contain_text("Done")
    shot(page, "list")


def png(width: int, height: int) -> bytes:
    """A picture with a gradient."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    line = [
        b"\0" + b"".join(bytes((x * 255 // width, y * 255 // height, 128)) for x in range(width)) for y in range(height)
    ]
    rows = b"".join(line)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def glb(document: dict[str, object]) -> bytes:
    """A .glb of this JSON alone."""
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    return struct.pack("<4sIIII", b"glTF", 2, 20 + len(text), len(text), 0x4E4F534A) + text


def test_pictures_and_reports_are_shown_and_what_cannot_be_is_said(
    client: Client, page: Page, tmp_path: Path, shot: Shot
) -> None:
    (tmp_path / "view.png").write_bytes(png(320, 180))
    (tmp_path / "notes.txt").write_text("3 findings\n<b>not bold</b>\n")
    (tmp_path / "counts.json").write_text('{"meshes":3}')
    (tmp_path / "broken.glb").write_bytes(b"glTF\2\0\0\0 this is none")
    buffer = {"uri": "http://192.0.2.1/secret.bin", "byteLength": 36}
    mesh = {"primitives": [{"attributes": {"POSITION": 0}}]}
    abroad = {"asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
              "meshes": [mesh], "buffers": [buffer], "bufferViews": [{"buffer": 0, "byteLength": 36}],
              "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3",
                             "min": [0, 0, 0], "max": [1, 1, 1]}]}  # fmt: skip
    (tmp_path / "abroad.glb").write_bytes(glb(abroad))
    (tmp_path / "picture.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    job = client.submit(Submission(task="test.look", params={"folder": str(tmp_path)}))
    client.wait(job.id, 30)
    open_page(page, client, job.id)
    picture = page.get_by_role("img", name="Picture view.png")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") == 320
    assert page.locator("#previews img").count() == 1, "an SVG is not shown, it may hold scripts"
    expect(page.get_by_label("Report notes.txt")).to_have_text("3 findings\n<b>not bold</b>\n")
    expect(page.get_by_label("Report counts.json")).to_contain_text('"meshes": 3')
    expect(page.get_by_text("broken.glb cannot be shown here: it is damaged")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="View abroad.glb in 3D").click()
    expect(page.get_by_text("abroad.glb cannot be shown here")).to_be_visible()
    assert asked
    assert not any("192.0.2.1" in url for url in asked)
    page.get_by_role("button", name="Enlarge view.png").click()
    shot(page, "results")
    check_accessible(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download notes.txt").click()
    assert download.value.suggested_filename == "notes.txt"


def test_progress_and_log_of_a_real_job_grow_and_it_is_cancelled_and_run_again(
    stack: Stack, client: Client, page: Page, tmp_path: Path, shot: Shot
) -> None:
    gate = tmp_path / "gate"
    job = client.submit(Submission(task="test.slow", params={"gate": str(gate)}))
    open_page(page, client, job.id)
    page.get_by_text("Log", exact=True).click()
    log = page.get_by_label("The worker's log of the job")
    expect(log).to_contain_text("line 500 of the log: ä")
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "50")
    expect(page.get_by_text("50 %")).to_be_visible()
    gate.touch()
    expect(log).to_contain_text("line 999 of the log: ä", timeout=30_000)
    assert log.inner_text().count("line 7 of the log") == 1
    expect(page.get_by_text("Done").first).to_be_visible()
    page.get_by_text("Details", exact=True).click()
    expect(page.locator("dl")).to_contain_text("1 of 3")
    expect(page.get_by_label("Parameters")).to_contain_text(str(gate))
    shot(page, "log")
    check_accessible(page)
    gate.unlink()
    page.get_by_role("button", name="Run it again").click()
    page.wait_for_url(lambda url: not url.endswith(job.id))
    page.get_by_text("Details", exact=True).click()
    expect(page.get_by_role("link", name=job.id)).to_have_attribute("href", f"/jobs/{job.id}")
    page.get_by_role("button", name="Cancel the job").click()
    expect(page.get_by_text("Cancelled").first).to_be_visible()
    expect(page.get_by_role("button", name="Run it again")).to_be_visible()
