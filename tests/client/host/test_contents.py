"""What is in a result's file, read; nonsense in it is a sentence."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.mutated import mutated

from sendoff.host import contents

CONTENTS = {"version": 1, "file": "lods.usdc", "objects": [{"name": "A", "path": "/A", "kind": "lod", "level": 1}]}


def write(path, **document):
    path.write_text(json.dumps({"version": 1, "file": "lods.usdc", "objects": [], **document}))
    return path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=mutated(st.just(json.dumps(CONTENTS).encode())))
def test_contents_that_were_changed_anywhere_are_read_or_a_sentence(tmp_path, data):
    path = tmp_path / "contents.json"
    path.write_bytes(data)
    found = contents.read(path)
    assert all(part.name for part in found.parts)
    assert "/" not in str(found.file or "")
    assert found.problem == "" or found.problem.endswith(".")


def test_each_object_is_read_with_what_it_is(host, tmp_path):
    objects = [
        {"name": "A_LOD1", "path": "/r/A_LOD1", "source": "/A", "kind": "lod", "level": 1, "triangles": 7},
        {"name": "A", "path": "/r/A", "source": "/A", "kind": "uv", "uv_layer": "lightmap"},
    ]
    found = host.contents.read(write(tmp_path / "contents.json", objects=objects))
    assert (found.file, found.problem) == ("lods.usdc", "")
    assert [(part.kind, part.level, part.uv_layer) for part in found.parts] == [
        ("lod", 1, ""),
        ("uv", None, "lightmap"),
    ]


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "A", "kind": "lod"},
        {"name": "A", "kind": "lod", "level": True},
        {"name": "A", "kind": "lod", "level": -1},
        {"name": "A", "kind": "sculpture"},
        {"path": "/r/A", "kind": 3},
    ],
)
def test_what_makes_no_sense_is_an_object_like_any_other(host, tmp_path, entry):
    (part,) = host.contents.read(write(tmp_path / "contents.json", objects=[entry])).parts
    assert (part.kind, part.name) == ("object", "A")


@pytest.mark.parametrize("entry", [None, 3, [], {}, {"name": ""}])
def test_what_is_no_object_is_left_out(host, tmp_path, entry):
    assert host.contents.read(write(tmp_path / "contents.json", objects=[entry])).parts == ()


def test_a_path_in_the_files_name_goes_nowhere(host, tmp_path):
    assert host.contents.read(write(tmp_path / "contents.json", file="../../etc/lods.usdc")).file == "lods.usdc"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "damaged"),
        ("[]", "not of version 1"),
        ('{"version": 2, "objects": []}', "Update Sendoff"),
        ("", "damaged"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(host, tmp_path, text, words):
    path = tmp_path / "contents.json"
    path.write_text(text)
    assert words in host.contents.read(path).problem


def test_a_file_that_is_gone_is_a_sentence(host, tmp_path):
    assert "cannot be read" in host.contents.read(tmp_path / "contents.json").problem
