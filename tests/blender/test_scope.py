from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import bpy
import pytest
from sendoff_inside import mesh_lods, scene_check
from sendoff_inside.job import JobFailed
from sendoff_inside.scene import open_scene
from sendoff_inside.scope import Scope
from sendoff_inside.view import View
from sendoff_sdk import scene_files

_spec = importlib.util.spec_from_file_location("lod_scenes", Path(__file__).with_name("lod_scenes.py"))
lod_scenes = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(lod_scenes)
ball = lod_scenes.ball


@pytest.fixture
def choose(make_job: Any, tmp_path: Path) -> Any:
    """A job on the open scene whose scope holds the named objects: names, or pairs of name and library."""

    def make(*objects: Any, title: str = "the collection “Props”", **params: Any) -> Any:
        pairs = [[one, None] if isinstance(one, str) else list(one) for one in objects]
        path = tmp_path / "sendoff-scope.json"
        path.write_text(json.dumps({"version": 1, "title": title, "objects": pairs}))
        job = make_job(**params)
        job.scope = Scope.find(job, path)
        return job

    return make


def instance(name: str, collection: Any, x: float = 0.0) -> Any:
    empty = bpy.data.objects.new(name, None)
    empty.instance_type, empty.instance_collection = "COLLECTION", collection
    empty.location.x = x
    bpy.context.scene.collection.objects.link(empty)
    bpy.context.view_layer.update()
    return empty


def aside(name: str, *objects: Any) -> Any:
    """A collection that only instances bring into the scene."""
    collection = bpy.data.collections.new(name)
    for one in objects:
        for before in one.users_collection:
            before.objects.unlink(one)
        collection.objects.link(one)
    return collection


def places(job: Any) -> list[Any]:
    return list(View.of(job).places)


def names(job: Any) -> list[str]:
    return sorted(place.name for place in places(job))


def test_without_a_scope_all_objects_are_in_it(make_job: Any) -> None:
    one = ball()
    job = make_job()
    assert job.scope is None
    assert job.in_scope(one)
    assert names(job) == ["Ball"]


def test_only_the_chosen_objects_get_levels(choose: Any, recorder: Any) -> None:
    for name in ("Chair", "Table", "Lamp"):
        ball(name)
    job = choose("Table", "Chair", levels=1)
    assert [job.in_scope(one) for one in bpy.data.objects] == [True, False, True]
    summary = mesh_lods.run(job)
    assert [entry["object"] for entry in summary["objects"]] == ["Chair", "Table"]
    bpy.ops.wm.open_mainfile(filepath=str(job.folder / "lods.blend"), load_ui=False, use_scripts=False)
    assert sorted(one.name for one in bpy.data.objects) == ["Chair_LOD1", "Table_LOD1"]
    assert recorder.warnings == []


def test_a_level_may_take_the_name_of_an_object_outside_the_scope(choose: Any) -> None:
    ball("Body")
    ball("Body_LOD1")
    summary = mesh_lods.run(choose("Body", levels=1))
    assert [entry["object"] for entry in summary["objects"]] == ["Body"]


def test_what_a_chosen_instance_shows_is_in_scope_and_stands_at_its_place(choose: Any) -> None:
    inner = aside("Wheels", ball("Wheel"))
    hub = instance("Hub", inner)
    outer = aside("Axles", hub, ball("Axle"))
    instance("Elsewhere", outer, x=-50)
    instance("Chosen", outer, x=5)
    ball("Ground")
    job = choose("Chosen")
    assert names(job) == ["Axle", "Wheel"]
    assert job.in_scope(bpy.data.objects["Wheel"])
    assert not job.in_scope(bpy.data.objects["Elsewhere"])
    assert {round(place.matrix.translation.x) for place in places(job)} == {5}
    assert [one.name for one in job.scope.objects] == ["Chosen"]


def test_a_chosen_object_that_only_stands_in_an_instance_counts(choose: Any) -> None:
    instance("Car", aside("Parts", ball("Door"), ball("Roof")), x=3)
    job = choose("Door")
    (place,) = places(job)
    assert (place.name, round(place.matrix.translation.x)) == ("Door", 3)


def test_a_chosen_instance_counts_and_not_the_same_mesh_elsewhere(choose: Any) -> None:
    one = ball("Lamp")
    lamps = bpy.data.collections.new("Lamps")
    lamps.objects.link(one)
    instance("Chosen", lamps, x=7)
    (place,) = places(choose("Chosen"))
    assert (place.name, round(place.matrix.translation.x)) == ("Lamp", 7)
    (place,) = places(choose("Lamp"))
    assert round(place.matrix.translation.x) == 0


def test_chosen_objects_that_are_hidden_are_named_with_the_way_to_take_them(choose: Any, recorder: Any) -> None:
    ball("Chair").hide_viewport = True
    mesh_lods.run(choose("Chair", levels=1))
    assert recorder.warnings == [
        "Left alone: 1 hidden object.",
        "The chosen objects (the collection “Props”) hold no visible objects with a surface to make levels of detail "
        "of, but for what is left alone. The parameters Objects and All Scenes take that too.",
    ]


def test_helpers_are_taken_if_nothing_else_was_chosen(choose: Any, recorder: Any) -> None:
    wall, cutter = ball("Wall"), ball("Cutter")
    modifier = wall.modifiers.new("Cut", "BOOLEAN")
    modifier.object = cutter
    cutter.display_type = "WIRE"
    assert names(choose("Wall", "Cutter")) == ["Wall"]
    mesh_lods.run(choose("Cutter", levels=1))
    assert recorder.warnings == []
    assert [one.name for one in bpy.data.objects] == ["Cutter_LOD1"]


def test_names_that_are_not_there_are_told_a_few_of_them(choose: Any, recorder: Any) -> None:
    ball("Chair")
    choose("Chair", "Gone")
    choose("Chair", *(f"Gone {number}" for number in range(9)))
    assert recorder.warnings == [
        "1 of the chosen objects is not in the scene that was sent: Gone.",
        "9 of the chosen objects are not in the scene that was sent: "
        "Gone 0, Gone 1, Gone 2, Gone 3, Gone 4, Gone 5, ....",
    ]


def test_a_scope_of_which_nothing_is_there_fails_with_a_sentence(choose: Any) -> None:
    ball("Chair")
    with pytest.raises(JobFailed, match=r"None of the chosen objects \(the collection “Props”\) .*\.$"):
        choose("Gone", ("Chair", "//lib.blend"))


def test_a_scope_without_a_mesh_says_so(choose: Any, recorder: Any) -> None:
    ball("Chair")
    bpy.context.collection.objects.link(bpy.data.objects.new("Empty", None))
    job = choose("Empty")
    assert mesh_lods.run(job) == {"objects": [], "skipped": []}
    assert scene_check.run(job)["objects"] == 0
    where = "The chosen objects (the collection “Props”) hold no mesh objects to "
    assert recorder.warnings == [f"{where}make levels of detail of.", f"{where}check."]


@pytest.mark.parametrize("text", ["", "[]", '{"title": "x"}', '{"title": "x", "objects": [["a"]]}', "[" * 100_000])
def test_a_scope_that_cannot_be_read_fails_with_a_sentence(make_job: Any, tmp_path: Path, text: str) -> None:
    path = tmp_path / "sendoff-scope.json"
    path.write_text(text)
    with pytest.raises(JobFailed, match=r"cannot be read; update the Sendoff add-on"):
        Scope.find(make_job(), path)


def test_a_check_of_a_scope_is_about_its_objects_and_their_textures(choose: Any) -> None:
    for name in ("Door", "door", "Roof"):
        ball(name)
        material = bpy.data.materials.new(name)
        if bpy.app.version < (5, 0, 0):
            material.use_nodes = True
        image = bpy.data.images.new(f"{name} paint", 1, 1)
        image.source, image.filepath = "FILE", f"/nowhere/{name}.png"
        material.node_tree.nodes.new("ShaderNodeTexImage").image = image
        bpy.data.objects[name].data.materials.append(material)
    job = choose("Door", "Roof")
    assert scene_check.run(job)["objects"] == 2
    report = json.loads((job.folder / "report.json").read_text(encoding="utf-8"))
    assert report["scope"] == "the collection “Props”"
    assert sorted(finding["object"] for finding in report["findings"]) == ["Door", "Roof"]
    assert {finding["check"] for finding in report["findings"]} == {"missing_textures"}


def make_library(path: Path, *objects: str) -> None:
    for name in objects:
        ball(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    bpy.data.libraries.write(str(path), {bpy.data.objects[name] for name in objects})
    bpy.ops.wm.read_factory_settings(use_empty=True)


def link(path: str, *objects: str) -> None:
    with bpy.data.libraries.load(path, link=True, relative=True) as (_, wanted):
        wanted.objects = list(objects)
    for one in wanted.objects:
        bpy.context.scene.collection.objects.link(one)


def test_objects_of_libraries_are_known_by_the_artists_own_paths(make_job: Any, recorder: Any, tmp_path: Path) -> None:
    """Three chairs of one name: the scene's own, and two of libraries, which lie elsewhere on the worker."""
    studio, workspace = tmp_path / "studio", tmp_path / "workspace"
    (workspace / "external").mkdir(parents=True)
    for library in ("a.blend", "b.blend"):
        make_library(studio / "lib" / library, "Chair")
    bpy.ops.wm.save_as_mainfile(filepath=str(studio / "shot.blend"))
    for library in ("a.blend", "b.blend"):
        link(str(studio / "lib" / library), "Chair")
    ball("Chair")
    bpy.ops.wm.save_mainfile(relative_remap=False)
    scene = workspace / "shot.blend"
    collected = scene_files.collect(studio / "shot.blend", folder=workspace)
    for file in (*collected.files, scene_files.SceneFile(studio / "shot.blend", "shot.blend")):
        if file.source != workspace / file.path:
            (workspace / file.path).parent.mkdir(parents=True, exist_ok=True)
            file.source.rename(workspace / file.path)
    chosen = workspace / "sendoff-scope.json"
    chosen.write_text(json.dumps({"version": 1, "title": "Chairs", "objects": [["Chair", "//lib/b.blend"]]}))

    job = make_job(max_findings_listed=3)
    open_scene(job, scene, workspace / "sendoff-paths.json")
    job.scope = Scope.find(job, chosen)
    (one,) = job.scope.objects
    assert Path(bpy.path.abspath(one.library.filepath)).is_relative_to(workspace / "external")
    assert job.library_path(one) == "//lib/b.blend"
    assert one.data.polygons[0].loop_total > 2, "it is really loaded"
    assert scene_check.run(job)["objects"] == 1

    job.scope = None
    scene_check.run(job)
    report = json.loads((job.folder / "report.json").read_text(encoding="utf-8"))
    (clash,) = [finding for finding in report["findings"] if finding["check"] == "name_clashes"]
    assert (clash["object"], clash["library"]) == ("Chair", None)

    other = workspace / "other.json"
    other.write_text(json.dumps({"version": 1, "title": "x", "objects": [["Chair", "P:\\shows\\lib\\A.blend"]]}))
    (found,) = Scope.find(job, other).objects
    assert job.library_path(found) == "//lib/a.blend", "the file's name tells where its path is another one"
    assert recorder.warnings == []


def test_the_child_finds_the_scope_and_says_what_is_missing(child: Any, tmp_path: Path) -> None:
    for name in ("Chair", "Table"):
        ball(name)
    scene = tmp_path / "room.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(scene), copy=True)
    chosen = tmp_path / "sendoff-scope.json"
    chosen.write_text(json.dumps({"version": 1, "title": "x", "objects": [["Table", None], ["Gone", None]]}))
    child.read()
    script = Path(mesh_lods.__file__)
    messages = child.order(script, tmp_path / "out", scene=str(scene), scope=str(chosen), params={"levels": 1})
    assert [entry["object"] for entry in messages[-1]["summary"]["objects"]] == ["Table"]
    assert [one["text"] for one in messages if one["kind"] == "warning"] == [
        "1 of the chosen objects is not in the scene that was sent: Gone."
    ]
    stages = [one["stage"] for one in messages if one["kind"] == "progress"]
    assert list(dict.fromkeys(stages)) == ["Opening", "Looking", "Reducing", "Writing"]
