from __future__ import annotations

import gzip
import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.client.tiny_blend import TinyBlend
from tests.mutated import mutated

from sendoff.blend_links import Used, used_of_libraries
from sendoff.errors import Stopped

FORMS = [{"pointer_bytes": 4, "order": ">"}, {"pointer_bytes": 8, "order": "<"}, {"modern": True}]


def write(path: Path, blend: TinyBlend | bytes) -> Path:
    path.write_bytes(blend if isinstance(blend, bytes) else blend.data_bytes())
    return path


def linking(blend: TinyBlend, **libraries: tuple[str, ...]) -> TinyBlend:
    """A file that links names, given without their two letters, each with its own address."""
    address = 50_000
    for library, names in libraries.items():
        blend.id("LI", "Library", library, address, name=f"//{library}.blend")
        for name in names:
            address += 10
            blend.add(b"ID\0\0", "ID", address, [{"name": f"OB{name}"}])
        address += 1000
    return blend


def chair(**form: object) -> TinyBlend:
    """An object with a node that shows an image, another with an array of images, and a third without any."""
    blend = TinyBlend(**form)  # type: ignore[arg-type]
    for number, name in enumerate(("oak", "steel", "grass")):
        blend.id("IM", "Image", name, 100 + number, name=f"//{name}.png", source=1)
    blend.id("OB", "Object", "Chair", 200, data=201)
    blend.data("bNode", 201, {"id": 100})
    blend.id("OB", "Object", "Lamp", 300, mat=301, data=200)
    pointer = "Q" if blend.pointer_bytes == 8 else "I"
    blend.blocks.append((b"DATA", 301, 0, 1, struct.pack(f"{blend.order}2{pointer}", 0, 101)))
    blend.id("OB", "Object", "Alone", 400)
    return blend


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_library_when_a_part_is_linked_then_what_that_needs_is_used(tmp_path: Path, form, pack) -> None:  # type: ignore[no-untyped-def]
    library = write(tmp_path / "lib.blend", pack(chair(**form).data_bytes()))
    for names, used in (
        (("Chair",), {"OBChair", "IMoak"}),
        (("Lamp",), {"OBLamp", "IMsteel", "OBChair", "IMoak"}),
        (("Alone", "Gone"), {"OBAlone", "OBGone"}),
    ):
        scene = write(tmp_path / "shot.blend", linking(TinyBlend(**form), lib=names))
        assert used_of_libraries(scene, tmp_path) == {str(library.resolve()): Used(frozenset(used))}


def test_libraries_when_they_link_in_a_ring_then_it_ends(tmp_path: Path) -> None:
    for one, other in (("a", "b"), ("b", "a")):
        blend = linking(TinyBlend(), **{other: ("Ring",)})
        blend.id("OB", "Object", "Ring", 200, data=50_010)
        write(tmp_path / f"{one}.blend", blend)
    scene = write(tmp_path / "shot.blend", linking(TinyBlend(), a=("Ring",)))
    found = used_of_libraries(scene, tmp_path)
    assert found == {
        str((tmp_path / "a.blend").resolve()): Used(frozenset({"OBRing"}), frozenset({"//b.blend"})),
        str((tmp_path / "b.blend").resolve()): Used(frozenset({"OBRing"}), frozenset({"//a.blend"})),
    }


def test_a_library_when_it_cannot_be_read_then_all_of_it_is_used(tmp_path: Path) -> None:
    write(tmp_path / "lib.blend", b"BLENDER-v405")
    scene = write(tmp_path / "shot.blend", linking(TinyBlend(), lib=("Chair",), gone=("X",)))
    assert set(used_of_libraries(scene, tmp_path).values()) == {Used(None)}
    assert Used(None).holds("IM", "x", "//x.png")


def test_a_path_when_its_datablock_is_used_then_it_matters() -> None:
    used = Used(frozenset({"IMoak"}), frozenset({"//far.blend"}))
    assert used.holds("IM", "oak", "//a.png")
    assert not used.holds("IM", "steel", "//a.png")
    assert used.holds("LI", "far", "//far.blend")
    assert not used.holds("LI", "near", "//near.blend")
    assert used.holds("", "", "//own.blend")


def test_libraries_when_asked_to_stop_then_stopped(tmp_path: Path) -> None:
    write(tmp_path / "lib.blend", chair())
    scene = write(tmp_path / "shot.blend", linking(TinyBlend(), lib=("Chair",)))
    with pytest.raises(Stopped):
        used_of_libraries(scene, tmp_path, stop=lambda: True)


@settings(max_examples=200)
@given(data=st.data(), form=st.sampled_from(FORMS))
def test_a_library_when_changed_anywhere_then_it_ends_without_an_error(tmp_path_factory, data, form) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp("fuzz", numbered=True)
    write(folder / "lib.blend", data.draw(mutated(st.just(chair(**form).data_bytes()))))
    scene = write(folder / "shot.blend", linking(TinyBlend(**form), lib=("Lamp",)))
    with suppress(Stopped):
        used_of_libraries(scene, folder)
