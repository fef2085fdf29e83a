from __future__ import annotations

import pytest

LODS = {
    "name": "mesh.lods",
    "title": "Levels of detail",
    "description": "Simpler meshes.",
    "accepts": ["blend"],
    "scoped": True,
    "params": {"type": "object", "properties": {"levels": {"type": "integer", "default": 3}}},
}


def test_tasks_that_take_a_blend_are_offered_by_title(host):
    noop = {"name": "system.noop", "title": "Nothing", "accepts": []}
    check = {"name": "scene.check", "title": "Check", "accepts": ["blend"]}
    found = host.known_tasks.of_offers([LODS, noop, check], ("blend",))
    assert [(task.name, task.title, task.is_scoped) for task in found] == [
        ("scene.check", "Check", False),
        ("mesh.lods", "Levels of detail", True),
    ]
    assert [field.name for field in found[1].fields] == ["levels"]


@pytest.mark.parametrize("offer", [None, 3, {}, {"name": 3}, {"name": "a.b"}, {"name": "a.b", "accepts": 3}])
def test_what_is_no_task_is_left_out(host, offer):
    assert host.known_tasks.of_offers([offer], ("blend",)) == ()


def test_what_a_server_offered_is_there_before_it_answers(host, tmp_path):
    host.known_tasks.write_offers(tmp_path, "http://a", [LODS])
    host.known_tasks.write_offers(tmp_path, "http://b", [])
    assert host.known_tasks.read_offers(tmp_path, "http://a") == (LODS,)
    assert host.known_tasks.read_offers(tmp_path, "http://b") == ()
    assert host.known_tasks.read_offers(tmp_path, "http://c") == ()


@pytest.mark.parametrize("text", ["{", "[]", '{"http://a": 3}', '{"http://a": [3]}'])
def test_a_damaged_memory_is_no_memory(host, tmp_path, text):
    (tmp_path / "tasks.json").write_text(text)
    assert host.known_tasks.read_offers(tmp_path, "http://a") == ()


def test_only_so_many_servers_are_remembered(host, tmp_path):
    for number in range(30):
        host.known_tasks.write_offers(tmp_path, f"http://{number}", [LODS])
    assert host.known_tasks.read_offers(tmp_path, "http://0") == ()
    assert host.known_tasks.read_offers(tmp_path, "http://29") == (LODS,)
