"""Blender ends, or the server does: the job goes on, is found again, and its result comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from tests.desktop.blender import Blender
from tests.desktop.conftest import stack_in
from tests.desktop.held_jobs import DOWN_BYTES, UP_BYTES, Desk, client_of, copy_user_folder
from tests.desktop.network import Network, black_hole, silent
from tests.desktop.screen import Screen
from tests.stack import Stack, wait_for

from sendoff_server.auth import mint

#: The artist does not wait longer for Blender to end, however the server is.
END_SECONDS = 3.0

MakeDesk = Callable[..., Desk]
Gone = Callable[[], AbstractContextManager[str]]


@pytest.fixture(scope="module")
def installed(display: str, addon_zip: Path, tmp_path_factory: pytest.TempPathFactory) -> Blender:
    """The add-on in a user folder that is copied for each test."""
    folder = tmp_path_factory.mktemp("installed")
    blender = Blender(Screen(display, "restart_installed", folder), folder, {})
    blender.install(addon_zip)
    return blender


@pytest.fixture
def make_desk(screen: Screen, installed: Blender, tmp_path: Path) -> Iterator[MakeDesk]:
    """A Blender that is started with the environment given, or without a start; its console holds no error."""
    made: list[Desk] = []

    def make(url: str, token: str, *, started: bool = True) -> Desk:
        folder = tmp_path / f"blender-{len(made) + 1}"
        own = {"SENDOFF_URL": url, "SENDOFF_HOME": str(folder / "home")} | ({"SENDOFF_TOKEN": token} if token else {})
        blender = Blender(screen, folder, own)
        copy_user_folder(installed, blender)
        made.append(Desk(blender, tmp_path / f"desk-{len(made) + 1}"))
        if started:
            start(made[-1])
        return made[-1]

    yield make
    for desk in made:
        desk.let_all_end()
        if desk.blender.is_running:
            screen.shot("at the end")
        desk.blender.kill()
    problems = [line for desk in made for line in desk.blender.problems()]
    assert not problems, f"Blender's console has errors: {problems}\n{made[-1].blender.output[-4000:]}"


def start(desk: Desk, file: Path | None = None) -> None:
    desk.blender.start(file)
    desk.prepare()


def job_ids(stack: Stack) -> set[str]:
    with client_of(stack) as client:
        return {job.id for job in client.jobs()}


def test_one_job_outlives_a_power_cut_at_each_step_of_its_way(
    make_desk: MakeDesk, network: Network, held_stack: Stack, screen: Screen
) -> None:
    """Killed while sending, once the server has it and nobody here knows, while it runs, and while it is fetched."""
    desk = make_desk(network.url, network.token)
    blender, before = desk.blender, job_ids(held_stack)
    desk.have_much_to_send()
    path = desk.save("shot.blend")

    network.hold(up_bytes=UP_BYTES)
    held = desk.send([desk.levels, desk.large_file()])
    network.wait_until_held()
    held.wait_until("job.sending[1] > 0")
    blender.kill()
    assert job_ids(held_stack) == before

    network.hold(answer_to="POST /v1/jobs")
    start(desk, path)
    network.wait_until_held()
    wait_for(lambda: job_ids(held_stack) - before, "the job on the server")
    assert held.ask("job.id") == "", "Blender must not know yet"
    blender.kill()

    network.restore()
    start(desk, path)
    held.wait_until_running()
    screen.wait_for_text("Held for", blender.status_bar)
    screen.shot("found again")
    blender.kill()

    network.hold(down_bytes=DOWN_BYTES)
    start(desk, path)
    held.release()
    network.wait_until_held()
    held.wait_until("job.fetching[0] > 0")
    blender.kill()

    network.restore()
    start(desk, path)
    held.wait_until_imported()
    assert desk.levels_there() == ["Cube_LOD1", "Cube_LOD2"]
    assert len(job_ids(held_stack) - before) == 1
    assert blender.ask("len(jobs())") == 1
    blender.quit()
    start(desk, path)
    assert blender.ask("[bool(one.imported) for one in jobs()]") == [True], "it was not seen yet"
    assert not blender.ask("job().is_active")


def test_what_was_being_saved_when_the_power_went_is_told(
    make_desk: MakeDesk, held_stack: Stack, screen: Screen
) -> None:
    desk = make_desk(held_stack.url, held_stack.token)
    blender, before = desk.blender, job_ids(held_stack)
    blender.run(
        "import contextlib, os, sys\n"
        "quiet_save = next(module for name, module in sys.modules.items() if name.endswith('.sendoff.quiet_save'))\n"
        "def cut():\n"
        "    yield\n"
        "    os._exit(1)\n"
        "quiet_save.settings = contextlib.contextmanager(cut)\n"
        "bpy.ops.sendoff.process('INVOKE_DEFAULT', task='studio.held', params='{\"gate\": \"x\"}')"
    )
    blender.wait_until_ended()
    start(desk)
    screen.wait_for_text("It was not sent", blender.status_bar)
    screen.shot("not sent")
    assert job_ids(held_stack) == before


def test_a_job_that_has_ended_meanwhile_comes_into_its_file_or_is_offered(
    make_desk: MakeDesk, held_stack: Stack, screen: Screen
) -> None:
    desk = make_desk(held_stack.url, held_stack.token)
    blender = desk.blender
    path = desk.save("shot.blend")
    saved = desk.run()
    desk.new_file()
    unsaved = desk.run()
    desk.view()
    screen.key("ctrl+q")
    blender.wait_until_ended()
    saved.release()
    unsaved.release()
    with client_of(held_stack) as client:
        wait_for(lambda: all(job.state.is_final for job in client.jobs()), "the end of both jobs")
    start(desk, path)
    saved.wait_until_imported()
    unsaved.wait_until_here()
    assert len(desk.levels_there()) == 2
    screen.wait_for_text("Import Result", blender.status_bar)
    screen.shot("one is here and one is offered")
    screen.click_text("Import Result", blender.status_bar)
    unsaved.wait_until_imported()
    assert len(desk.levels_there()) == 4


@pytest.mark.parametrize("gone", [silent, black_hole])
def test_blender_ends_at_once_whatever_the_server_does(make_desk: MakeDesk, held_stack: Stack, gone: Gone) -> None:
    with gone() as url:
        desk = make_desk(url, held_stack.token)
        desk.send()
        desk.blender.run("part('current').desk.look(); bpy.ops.sendoff.check()")
        desk.blender.wait_until("not job().is_saving")
        assert desk.blender.quit() < END_SECONDS
        start(desk)
        assert desk.blender.ask("[one.problem for one in jobs()]") == [None]
        assert desk.blender.quit() < END_SECONDS


def test_two_blenders_of_one_person_keep_their_jobs_apart(make_desk: MakeDesk, held_stack: Stack) -> None:
    one = make_desk(held_stack.url, held_stack.token)
    first = one.run()
    two = make_desk(held_stack.url, held_stack.token, started=False)
    two.blender.environment["BLENDER_USER_RESOURCES"] = str(one.blender.folder / "user")
    start(two)
    assert two.blender.ask("len(jobs())") == 0
    second = two.run()
    one.blender.kill()
    two.blender.run("part('pump').tick()")
    assert two.blender.ask("[one.key for one in jobs()]") == [second.key]
    start(one)
    assert one.blender.ask("[one.key for one in jobs()]") == [first.key]
    second.release()
    second.wait_until_imported()
    assert len(two.levels_there()) == 2
    first.release()
    first.wait_until_here()
    assert one.blender.ask("[one.key for one in jobs()]") == [first.key]


def test_the_server_is_gone_for_a_while_and_the_job_goes_on(
    make_desk: MakeDesk, tmp_path: Path, window_system: None, screen: Screen
) -> None:
    with stack_in(tmp_path / "stack") as stack:
        network = Network(stack.url, stack.token)
        desk = make_desk(network.url, network.token)
        blender = desk.blender
        held = desk.run()
        stack.stop()
        screen.wait_for_text("reconnecting to the server", blender.status_bar)
        screen.shot("reconnecting")
        stack.start()
        network.lead_to(stack.url)
        held.wait_until_running()
        screen.wait_until_gone("reconnecting to the server", blender.status_bar)
        held.release()
        held.wait_until_imported()
        blender.run("bpy.ops.sendoff.seen(job=key)", key=held.key)
        again = desk.run()
        stack.stop()
        screen.wait_for_text("reconnecting to the server", blender.status_bar)
        blender.run("bpy.ops.sendoff.cancel(job=key)", key=again.key)
        screen.wait_for_text("could not be cancelled", seconds=60)  # a restart of the server is waited out first
        screen.shot("gone for good")
        assert not again.ask("job.cancelling"), "it can be tried again"
        screen.key("Escape")
        assert blender.quit() < END_SECONDS
        network.close()


def test_an_expired_sign_in_is_told_with_a_button_and_the_job_goes_on_after_another(
    make_desk: MakeDesk, held_stack: Stack, screen: Screen
) -> None:
    desk = make_desk(held_stack.url, "")
    blender = desk.blender
    use = "part('server_operators').sign_in_with(token)"
    secret = (held_stack.data_dir / "secret").read_text()
    blender.run(use, token=mint(secret, person="ada", days=4 / 86400, sid="one"))
    held = desk.run()
    screen.click_text("Sign In", blender.status_bar, seconds=60)
    screen.shot("expired")
    window = blender.window(1)
    screen.wait_for_text("The code is", window)  # the browser, which is none here, is asked at once
    screen.shot("preferences")
    blender.run(use, token=mint(secret, person="ada", days=1, sid="one"))
    screen.wait_for_text("Signed in as ada", window)
    held.wait_until_running()
    held.release()
    held.wait_until_imported()
    blender.close_window(1)
    screen.shot("signed in again")
