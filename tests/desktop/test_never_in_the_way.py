"""An artist goes on working while a job runs and its result arrives: nothing waits for it, nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.desktop.blender import Blender
from tests.desktop.conftest import stack_in
from tests.desktop.held_jobs import DOWN_BYTES, PACKAGE, UP_BYTES, Desk
from tests.desktop.network import Network
from tests.desktop.reading import percentages
from tests.desktop.screen import Screen

from sendoff import Client

#: Notes each moment at which the main thread has stood still for half a second in our code.
_WATCH = """
import sys, threading, time
beats, stalls, main = [time.perf_counter()], [], threading.get_ident()
def beat():
    beats[:] = [time.perf_counter()]
    return 0.01
def watch():
    while beats:
        late = time.perf_counter() - beats[0]
        frame, files = sys._current_frames().get(main), []
        while late > 0.5 and frame is not None:
            files.append(f"{frame.f_code.co_filename}:{frame.f_lineno}")
            frame = frame.f_back
        is_blenders_own = bool(files) and "/bpy/ops.py:" in files[0]  # it draws, or saves the copy
        if not is_blenders_own and any("/user_default/sendoff/" in file for file in files):
            stalls.append([late, files])
        time.sleep(0.05)
bpy.app.timers.register(beat)
threading.Thread(target=watch, daemon=True).start()
"""
#: Called as the timer calls it: what could be due now is done now.
TICK = "part('pump').tick()"


@pytest.fixture(scope="module")
def network(window_system: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """The way to a server of this module's own, whose worker has the task studio.held."""
    with stack_in(tmp_path_factory.mktemp("stack")) as stack:
        network = Network(stack.url, stack.token)
        yield network
        network.close()


@pytest.fixture
def client(network: Network) -> Iterator[Client]:
    """To ask the server what is there; by the same way, so after `restore`."""
    with Client(network.url, network.token) as client:
        yield client


@pytest.fixture(scope="module")
def one_desk(
    display: str, network: Network, addon_zip: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    """One Blender for all tests here."""
    folder = tmp_path_factory.mktemp("desk")
    own = {"SENDOFF_URL": network.url, "SENDOFF_TOKEN": network.token, "SENDOFF_HOME": str(folder / "home")}
    blender = Blender(Screen(display, "never_in_the_way", folder), folder / "blender", own)
    blender.install(addon_zip)
    yield Desk(blender, folder)
    blender.kill()


@pytest.fixture
def desk(one_desk: Desk, network: Network) -> Iterator[Desk]:
    """An empty desk; after the test Blender still runs, and its console holds no new error."""
    blender = one_desk.blender
    if not blender.is_running:
        blender.start()
        one_desk.prepare()
    seen = blender.problems()
    yield one_desk
    network.restore()
    one_desk.let_all_end()
    assert blender.is_running, f"Blender has ended:\n{blender.output[-4000:]}"
    one_desk.clear()
    found = [line for line in blender.problems() if line not in seen]
    assert not found, f"Blender's console has errors: {found}\n{blender.output[-4000:]}"


def test_a_result_waits_until_its_file_is_open_again(desk: Desk) -> None:
    blender, screen = desk.blender, desk.screen
    blender.run("bpy.data.objects['Cube'].location.x = 1.0; bpy.ops.ed.undo_push(message='moved')")
    desk.save("shot.blend")
    held = desk.run()
    desk.new_file()
    desk.save("other.blend")
    held.release()
    held.wait_until_here()
    screen.wait_for_text("the result is here", blender.status_bar)
    screen.shot("another file is open")
    assert not desk.levels_there()
    desk.open(desk.folder / "shot.blend")
    held.wait_until_imported()
    assert desk.levels_there() == ["Cube_LOD1", "Cube_LOD2"]
    screen.shot("its own file again")
    desk.view()
    screen.key("ctrl+z")
    blender.wait_until("not levels()")
    assert blender.ask("bpy.data.objects['Cube'].location.x") == 1.0
    screen.key("ctrl+shift+z")
    blender.wait_until("levels()")


def test_undo_and_redo_many_times_while_it_runs_and_right_after(desk: Desk) -> None:
    blender, screen = desk.blender, desk.screen
    held = desk.send()
    for step in range(1, 6):
        blender.run(
            "bpy.data.objects['Cube'].location.x = float(step); bpy.ops.ed.undo_push(message='moved')", step=step
        )
    desk.view()
    screen.key(*["ctrl+z"] * 5, *["ctrl+shift+z"] * 5)
    held.wait_until_running()
    screen.key(*["ctrl+z"] * 3, *["ctrl+shift+z"] * 3)
    held.release()
    screen.key(*["ctrl+z"] * 2, *["ctrl+shift+z"] * 2)
    held.wait_until_imported()
    blender.wait_until("levels()")
    moved = blender.ask("bpy.data.objects['Cube'].location.x")
    screen.key(*["ctrl+z", "ctrl+shift+z"] * 5)
    blender.wait_until("levels()")
    screen.key("ctrl+z")
    blender.wait_until("not levels()")
    assert blender.ask("bpy.data.objects['Cube'].location.x") == moved
    screen.key("ctrl+z")
    blender.wait_until("bpy.data.objects['Cube'].location.x < moved", moved=moved)
    assert held.ask("job.state.value") == "succeeded"


def test_what_was_undone_can_still_be_redone_when_a_result_has_come(desk: Desk) -> None:
    blender, screen = desk.blender, desk.screen
    held = desk.run()
    blender.run("bpy.data.objects['Cube'].location.x = 7.0; bpy.ops.ed.undo_push(message='moved')")
    desk.view()
    screen.key("ctrl+z")
    blender.wait_until("bpy.data.objects['Cube'].location.x == 0.0")
    held.release()
    held.wait_until_here()
    blender.run(TICK)
    screen.wait_for_text("Import Result", blender.status_bar)
    assert not desk.levels_there()
    desk.view()
    screen.key("ctrl+shift+z")
    held.wait_until_imported()
    assert blender.ask("bpy.data.objects['Cube'].location.x") == 7.0
    screen.key("ctrl+z", "ctrl+z")
    blender.wait_until("bpy.data.objects['Cube'].location.x == 0.0")
    another = desk.run()
    another.release()
    another.wait_until_here()
    screen.click_text("Import Result", blender.status_bar)
    another.wait_until_imported()


def test_a_result_waits_through_every_mode_but_object_mode(desk: Desk) -> None:
    blender, screen = desk.blender, desk.screen
    held = desk.run()
    desk.view()
    screen.key("Tab")
    blender.wait_until("bpy.context.mode == 'EDIT_MESH'")
    held.release()
    held.wait_until_here()
    for mode in ("EDIT", "SCULPT", "VERTEX_PAINT", "WEIGHT_PAINT", "TEXTURE_PAINT"):
        blender.run(f"bpy.ops.object.mode_set(mode=mode); {TICK}", mode=mode)
        assert not desk.levels_there(), mode
        assert blender.ask("bpy.context.object.mode") == mode
    screen.shot("waits in texture paint")
    blender.run("bpy.ops.object.mode_set(mode='OBJECT')")
    held.wait_until_imported()
    assert desk.levels_there()


def test_a_picture_waits_for_the_end_of_a_gesture_in_sculpt_mode(desk: Desk, tmp_path: Path) -> None:
    blender, screen = desk.blender, desk.screen
    picture = tmp_path / "view.png"
    blender.run(
        "image = bpy.data.images.new('made', 8, 8); image.file_format = 'PNG'; image.filepath_raw = path; "
        "image.save(); bpy.data.images.remove(image)", path=str(picture),
    )  # fmt: skip
    held = desk.run([picture])
    blender.run("bpy.ops.object.mode_set(mode='SCULPT')")
    desk.view()
    blender.run(
        "with bpy.context.temp_override(area=area('VIEW_3D'), region=region('VIEW_3D', 'WINDOW')):\n"
        "    bpy.ops.sculpt.face_set_box_gesture('INVOKE_DEFAULT')"
    )
    held.release()
    held.wait_until_here()
    blender.run(TICK)
    assert not held.ask("job.imported")
    screen.key("Escape")
    held.wait_until_imported()
    assert blender.ask("bpy.context.mode") == "SCULPT"


def test_an_operator_that_an_add_on_keeps_running_holds_up_nothing(desk: Desk) -> None:
    desk.blender.run(
        "class VIEW3D_OT_endless(bpy.types.Operator):\n"
        "    bl_idname, bl_label = 'view3d.endless', 'Endless'\n"
        "    def invoke(self, context, event):\n"
        "        context.window_manager.modal_handler_add(self)\n"
        "        return {'RUNNING_MODAL'}\n"
        "    def modal(self, context, event):\n"
        "        return {'FINISHED'} if event.type == 'F19' else {'PASS_THROUGH'}\n"
        "bpy.utils.register_class(VIEW3D_OT_endless)\n"
        "bpy.ops.view3d.endless('INVOKE_DEFAULT')"
    )
    held = desk.run()
    held.release()
    held.wait_until_imported()
    assert desk.blender.ask("len(bpy.context.window.modal_operators)") == 1


def test_a_result_waits_while_an_object_is_being_moved(desk: Desk) -> None:
    blender, screen = desk.blender, desk.screen
    held = desk.run()
    x, y = blender.region("VIEW_3D", "WINDOW").middle
    screen.hover((x, y))
    screen.key("g")
    desk.move((x + 80, y + 40))
    held.release()
    held.wait_until_here()
    blender.run(TICK)
    screen.shot("in mid drag")
    assert not desk.levels_there()
    screen.click((x + 90, y + 40))
    held.wait_until_imported()
    moved = blender.ask("bpy.data.objects['Cube'].location.length")
    assert moved > 0.1
    screen.key("ctrl+z")
    blender.wait_until("not levels()")
    assert blender.ask("bpy.data.objects['Cube'].location.length") == moved
    screen.key("ctrl+z")
    blender.wait_until("bpy.data.objects['Cube'].location.length == 0.0")


def test_a_result_waits_until_the_render_has_ended(desk: Desk) -> None:
    blender, screen = desk.blender, desk.screen
    blender.run(
        "scene = bpy.context.scene; scene.render.engine = 'CYCLES'; scene.cycles.samples = 1_000_000; "
        "scene.cycles.use_adaptive_sampling = scene.cycles.use_denoising = False; "
        "scene.render.resolution_x = scene.render.resolution_y = 64; scene.render.threads_mode = 'FIXED'; "
        "scene.render.threads = 1"
    )
    held = desk.run()
    desk.view()
    screen.key("F12")
    blender.wait_until("bpy.app.is_job_running('RENDER')")
    held.release()
    held.wait_until_here()
    blender.run(TICK)
    assert blender.ask("bpy.app.is_job_running('RENDER')")
    assert not desk.levels_there()
    screen.shot("rendering")
    another = desk.run()
    assert blender.ask("bpy.app.is_job_running('RENDER')")
    screen.hover(blender.window(1))
    screen.key("Escape")
    blender.wait_until("not bpy.app.is_job_running('RENDER')")
    held.wait_until_imported()
    another.release()
    another.wait_until_imported()
    assert len(desk.levels_there()) == 4


def test_animation_goes_on_playing_when_a_result_comes_in(desk: Desk) -> None:
    blender, screen = desk.blender, desk.screen
    desk.view()
    screen.key("space")
    blender.wait_until("bpy.context.screen.is_animation_playing")
    held = desk.run()
    held.release()
    held.wait_until_imported()
    assert blender.ask("bpy.context.screen.is_animation_playing")
    frame = blender.ask("bpy.context.scene.frame_current")
    blender.wait_until("bpy.context.scene.frame_current != frame", frame=frame)
    screen.key("ctrl+z")
    blender.wait_until("not levels()")
    screen.key("space")
    blender.wait_until("not bpy.context.screen.is_animation_playing")


def test_a_result_comes_in_while_the_preferences_and_a_file_browser_are_open(desk: Desk) -> None:
    blender, screen = desk.blender, desk.screen
    path = desk.save("shot.blend")
    held = desk.run()
    blender.run("bpy.ops.screen.userpref_show()")
    blender.window(1)
    screen.hover((blender.window().right - 300, 600))
    screen.key("ctrl+o")
    blender.wait_until("any(area.type == 'FILE_BROWSER' for window in bpy.context.window_manager.windows "
                       "for area in window.screen.areas)")  # fmt: skip
    held.release()
    held.wait_until_imported()
    screen.shot("two windows open")
    screen.hover(blender.area("FILE_BROWSER"))
    screen.key("Escape")
    blender.wait_until("all(area.type != 'FILE_BROWSER' for window in bpy.context.window_manager.windows "
                       "for area in window.screen.areas)")  # fmt: skip
    assert blender.ask("bpy.data.filepath") == str(path)
    desk.view()
    screen.key("ctrl+z")
    blender.wait_until("not levels()")


def test_windows_come_and_go_while_it_runs(desk: Desk) -> None:
    blender, screen = desk.blender, desk.screen
    held = desk.run()
    blender.run("bpy.ops.wm.window_new_main()")
    place = blender.window(1)
    bar = type(place)(place.x, place.bottom - 30, place.width, 30)
    screen.wait_until(lambda: percentages(screen.text(bar)), "a percentage in the second window")
    assert blender.ask("len(part('status_bar')._regions)") == 2
    blender.close_window(1)
    blender.run(f"part('status_bar').redraw(); {TICK}")
    assert blender.ask("len(part('status_bar')._regions)") == 1
    blender.run("bpy.ops.wm.window_new_main()")
    held.release()
    held.wait_until_imported()
    assert desk.levels_there()


def test_a_result_comes_in_where_no_3d_view_no_sidebar_and_no_status_bar_is_shown(desk: Desk) -> None:
    blender, screen = desk.blender, desk.screen
    held = desk.run()
    blender.run("bpy.context.window.workspace = bpy.data.workspaces['Compositing']")
    blender.wait_until(
        "bpy.context.screen.areas[0].type and 'VIEW_3D' not in [a.type for a in bpy.context.screen.areas]"
    )
    screen.wait_until(lambda: percentages(screen.text(blender.status_bar)), "a percentage")
    screen.hover(blender.area("NODE_EDITOR"))
    screen.key("ctrl+space")
    blender.wait_until("bpy.context.screen.show_fullscreen")
    screen.wait_until(lambda: percentages(screen.text(blender.status_bar)), "a percentage")
    screen.shot("one area over the whole window")
    blender.run("bpy.context.screen.show_statusbar = False")
    held.release()
    held.wait_until_imported()
    assert desk.levels_there()
    screen.shot("no status bar")
    blender.run("bpy.context.screen.show_statusbar = True")
    screen.hover(blender.area("NODE_EDITOR"))
    screen.key("ctrl+space")
    blender.wait_until("not bpy.context.screen.show_fullscreen")
    screen.click_text("Show", blender.status_bar)
    screen.wait_for_text("Open a 3D view in this window to see the result", blender.status_bar)
    screen.shot("show without a view")


def test_the_status_bar_is_shared_with_another_add_ons_text(desk: Desk) -> None:
    blender, screen = desk.blender, desk.screen
    held = desk.run()
    for text in ("'Another one speaks'", "lambda header, context: header.layout.label(text='Another one draws')"):
        blender.run(f"bpy.context.workspace.status_text_set({text})")
        screen.wait_for_text("Another one", blender.status_bar)
        screen.wait_until(lambda: percentages(screen.text(blender.status_bar)), "a percentage beside it")
        screen.shot("another add-on's text")
        blender.run("bpy.context.workspace.status_text_set(None)")
        screen.wait_until(lambda: percentages(screen.text(blender.status_bar)), "a percentage after it")
    blender.run("bpy.context.workspace.status_text_set(lambda header, context: header.layout.label(text='Drawn'))")
    blender.run(TICK)
    is_there = "part('status_bar').draw in getattr(bpy.types.STATUSBAR_HT_header.draw, '_draw_funcs', ())"
    assert blender.ask(is_there)
    blender.run("bpy.ops.preferences.addon_disable(module=name)", name=PACKAGE)
    assert not blender.ask(is_there)
    blender.run("bpy.context.workspace.status_text_set(None)")
    assert not blender.ask(is_there), "what another add-on brings back has kept us"
    blender.run("bpy.ops.preferences.addon_enable(module=name)", name=PACKAGE)
    held.wait_until_running()


def test_the_add_on_is_switched_off_and_on_while_a_job_runs(desk: Desk) -> None:
    blender, screen = desk.blender, desk.screen
    held = desk.run()
    blender.run("bpy.ops.preferences.addon_disable(module=name)", name=PACKAGE)
    screen.wait_until_gone("Held", blender.status_bar)
    held.release()
    blender.run("bpy.ops.preferences.addon_enable(module=name)", name=PACKAGE)
    held.wait_until_imported()
    assert desk.levels_there()
    assert blender.ask("len(jobs())") == 1


def test_the_add_on_is_switched_off_and_on_while_it_sends(desk: Desk, network: Network, client: Client) -> None:
    blender, screen = desk.blender, desk.screen
    before = {job.id for job in client.jobs()}
    desk.have_much_to_send()
    network.hold(up_bytes=UP_BYTES)
    held = desk.send()
    network.wait_until_held()
    held.wait_until("job.sending[1] > 0")
    screen.wait_for_text("sending", blender.status_bar)
    begun = time.monotonic()
    blender.run("bpy.ops.preferences.addon_disable(module=name)", name=PACKAGE)
    assert time.monotonic() - begun < 3.0
    network.restore()
    blender.run("bpy.ops.preferences.addon_enable(module=name)", name=PACKAGE)
    held.release()
    held.wait_until_imported()
    assert len({job.id for job in client.jobs()} - before) == 1


def test_the_add_on_is_switched_off_and_on_while_the_result_comes(desk: Desk, network: Network) -> None:
    blender = desk.blender
    held = desk.run([desk.levels, desk.large_file()])
    network.hold(down_bytes=DOWN_BYTES)
    held.release()
    network.wait_until_held()
    held.wait_until("job.fetching[0] > 0")
    blender.run("bpy.ops.preferences.addon_disable(module=name)", name=PACKAGE)
    network.restore()
    blender.run("bpy.ops.preferences.addon_enable(module=name)", name=PACKAGE)
    held.wait_until_imported()
    assert desk.levels_there()


def test_a_new_file_is_begun_while_the_scene_is_being_sent(desk: Desk, network: Network, client: Client) -> None:
    blender, screen = desk.blender, desk.screen
    desk.have_much_to_send()
    path = desk.save("sent.blend")
    before = {job.id for job in client.jobs()}
    network.hold(up_bytes=UP_BYTES)
    held = desk.send()
    network.wait_until_held()
    desk.view()
    screen.key("ctrl+n")
    screen.click_text("General", blender.region("VIEW_3D", "WINDOW"))
    blender.wait_until("bpy.data.filepath == ''")
    assert held.ask("job.is_sending")
    network.restore()
    held.release()
    held.wait_until_here()
    assert not desk.levels_there()
    desk.open(path)
    held.wait_until_imported()
    assert len({job.id for job in client.jobs()} - before) == 1


def test_the_network_is_gone_for_long_and_comes_back(desk: Desk, network: Network, client: Client) -> None:
    """Silent, with every connection open: one job runs meanwhile and one is being sent."""
    screen = desk.screen
    before = {job.id for job in client.jobs()}
    running = desk.run()
    desk.have_much_to_send()
    network.hold(up_bytes=UP_BYTES)
    sent = desk.send()
    network.wait_until_held()
    desk.blender.wait_until("part('current').desk.jobs.connectivity.state == 'reconnecting'", seconds=60)
    screen.shot("reconnecting")
    assert running.ask("job.is_active")
    assert sent.ask("job.is_sending")
    running.release()
    network.restore()
    running.wait_until_imported()
    sent.wait_until_running()
    screen.wait_until_gone("reconnec", desk.blender.status_bar)
    sent.release()
    sent.wait_until_imported()
    assert len({job.id for job in client.jobs()} - before) == 2


def test_the_add_on_is_installed_again_while_a_job_runs(desk: Desk, addon_zip: Path) -> None:
    blender, screen = desk.blender, desk.screen
    desk.save("shot.blend")
    held = desk.run()
    blender.run(
        "bpy.ops.extensions.package_install_files(filepath=path, repo='user_default', enable_on_install=True)",
        path=str(addon_zip),
    )
    blender.wait_until("job(key) is not None", key=held.key)
    screen.wait_until(lambda: percentages(screen.text(blender.status_bar)), "a percentage")
    held.release()
    held.wait_until_imported()
    assert desk.levels_there()


def test_nothing_waits_for_a_network_that_is_gone(desk: Desk, network: Network) -> None:
    """Every button is pressed, no answer comes, and the main thread never stands still in our code."""
    blender, screen = desk.blender, desk.screen
    done = desk.run([])
    done.release()
    done.wait_until("not job.is_active")
    held = desk.run()
    sidebar = blender.open_sidebar("Sendoff")
    blender.run("bpy.ops.sendoff.preferences()")
    window = blender.window(1)
    window = blender.place_window(1, type(window)(0, 40, window.width, window.height))
    network.hold()
    blender.run(_WATCH)
    screen.click_text("Test Connection", window)
    screen.wait_for_text("Testing", window)
    screen.click_text("Process on Server", sidebar)
    blender.wait_until("len(jobs()) == 3")
    for operator, key in (
        ("look", ""), ("open_log", held.key), ("open_page", held.key), ("cancel", held.key), ("open_log", done.key),
        ("retry", done.key), ("seen", done.key), ("dismiss", done.key),
    ):  # fmt: skip
        blender.run(
            f"with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):\n"
            f"    bpy.ops.sendoff.{operator}('INVOKE_DEFAULT', **arguments)", arguments={"job": key} if key else {},
        )  # fmt: skip
    assert held.ask("job.cancelling")
    screen.wait_for_text("asking the server to run it again", sidebar)
    screen.shot("every button pressed")
    blender.run("bpy.app.timers.unregister(beat); beats.clear()")
    assert blender.ask("stalls") == []
