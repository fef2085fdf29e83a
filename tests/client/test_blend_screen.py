from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.client.test_blend_dna import FORMS
from tests.client.tiny_blend import TinyBlend
from tests.mutated import mutated

from sendoff.blend_screen import put_in_front, shown_view_layer
from sendoff.errors import BlendFileError


def two_scenes(**form: object) -> bytes:
    blend = TinyBlend(**form)
    blend.add(b"GLOB", "FileGlobal", 10, [{"curscene": 20, "cur_view_layer": 21}])
    blend.add(b"WM\0\0", "ID", 11, [{"name": "WMWinMan"}])
    blend.data("wmWindow", 12, {"scene": 20, "view_layer_name": "Day"})
    blend.id("SC", "Scene", "Street", 20)
    blend.data("ViewLayer", 21, {"name": "Day"})
    blend.id("SC", "Scene", "House", 30)
    blend.data("ViewLayer", 31, {"name": "Day"}), blend.data("ViewLayer", 32, {"name": "Night"})
    return blend.data_bytes()


@pytest.mark.parametrize("form", FORMS)
def test_a_scene_when_put_in_front_then_the_file_shows_its_view_layer(tmp_path: Path, form) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "a.blend"
    path.write_bytes(two_scenes(**form))
    assert shown_view_layer(path) == "Day"
    put_in_front(path, "House", "Night")
    assert shown_view_layer(path) == "Night"
    put_in_front(path, "Gone", "Day")
    assert shown_view_layer(path) == "Night"


@settings(max_examples=200)
@given(data=st.data(), form=st.sampled_from(FORMS))
def test_a_file_when_changed_anywhere_then_only_our_own_error(tmp_path_factory, data, form) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path_factory.mktemp("fuzz", numbered=True) / "a.blend"
    path.write_bytes(data.draw(mutated(st.just(two_scenes(**form)))))
    with suppress(BlendFileError):
        shown_view_layer(path)
        put_in_front(path, "House", "Night")


@pytest.mark.parametrize("gone", [b"cur_view_layer", b"view_layer_name", b"curscene", b"name[64]", b"name[66]"])
def test_a_file_when_it_lacks_a_field_then_nothing_is_put_in_front_by_it(tmp_path: Path, gone: bytes) -> None:
    path = tmp_path / "a.blend"
    path.write_bytes(two_scenes().replace(gone, b"x" * len(gone)))
    put_in_front(path, "House", "Night")
    shown_view_layer(path)
