from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.mutated import mutated

from sendoff.errors import ManifestError
from sendoff.manifest import ChunkRef, FileEntry, Manifest, check_path, check_paths

SHA256 = "0123456789abcdef" * 4
names = st.text("abcdefghijklmnopqrstuvwxyzäß0123456789_-", min_size=5, max_size=12)
sha256s = st.text("0123456789abcdef", min_size=64, max_size=64)
chunk_refs = st.lists(st.builds(ChunkRef, sha256=sha256s, size=st.integers(1, 2**40)), max_size=4).map(tuple)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.just(SHA256),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(sorted(FileEntry("", 0, "", ()).to_dict())), inner)
    ),
    max_leaves=12,
)


def entry(path: str, chunks: tuple[ChunkRef, ...] = (), **fields: str) -> FileEntry:
    return FileEntry(path, sum(chunk.size for chunk in chunks), SHA256, chunks, **fields)


@given(
    folders=st.lists(names, max_size=3).map(lambda parts: "".join(f"{part}/" for part in parts)),
    files=st.dictionaries(names.map(lambda name: f"{name.casefold()}.png"), chunk_refs, max_size=6),
)
def test_a_manifest_when_written_and_read_then_it_is_the_same(folders, files) -> None:  # type: ignore[no-untyped-def]
    with suppress(ManifestError):  # two names may clash by chance
        check_paths(folders + name for name in files)
        manifest = Manifest(tuple(entry(folders + name, chunks) for name, chunks in files.items()))
        assert Manifest.from_dict(json.loads(json.dumps(manifest.to_dict()))) == manifest
        assert manifest.size == sum(chunk.size for chunks in files.values() for chunk in chunks)


@given(
    st.one_of(json_values, json_values.map(lambda value: {"files": [value]}), json_values.map(lambda v: {"files": v}))
)
def test_garbage_when_read_then_only_manifest_error(data: object) -> None:
    with suppress(ManifestError):
        Manifest.from_dict(data)


manifests = st.dictionaries(names, chunk_refs, max_size=4).map(
    lambda files: json.dumps(Manifest(tuple(entry(name, chunks) for name, chunks in files.items())).to_dict()).encode()
)


@given(mutated(manifests))
def test_a_manifest_when_changed_anywhere_then_only_manifest_error(text: bytes) -> None:
    with suppress(ValueError, RecursionError, ManifestError):  # the first two of the JSON
        data = json.loads(text)
        assert Manifest.from_dict(Manifest.from_dict(data).to_dict()) == Manifest.from_dict(data)


@given(st.text(max_size=30))
def test_a_path_when_allowed_then_it_stays_in_the_folder(path: str) -> None:
    with suppress(ManifestError):
        check_path(path)
        assert not path.startswith("/")
        assert not {"", ".", ".."} & set(path.split("/"))
        assert not set("\\:\0") & set(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/a",
        "a//b",
        "a/",
        "./a",
        "../a",
        "a/..",
        "C:/a",
        "a\\b",
        "a\x00",
        "nul",
        "a/COM1.txt",
        "com0.png",
        "COM\u00b9",
        "conin$",
        "conout$.x/a",
        "a.",
        "a ",
        "a?",
        "x" * 256,
        "surrogate\ud800",
        "a/" * 600 + "a",
        "tab\tbed",
    ],
)
def test_a_path_when_it_cannot_be_stored_then_the_sentence_names_it(path: str) -> None:
    with pytest.raises(ManifestError, match=r"\.$"):
        check_path(path)


@pytest.mark.parametrize(
    "paths",
    [("a.png", "A.PNG"), ("a", "a/b"), ("a/b", "A"), ("x/a", "x/a"), ("\u00e9", "e\u0301"), ("stra\u00dfe", "STRASSE")],
)
def test_paths_when_a_disk_would_mix_them_up_then_they_clash(paths: tuple[str, str]) -> None:
    with pytest.raises(ManifestError, match="clash"):
        check_paths(paths)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("size", -1, "not a number of bytes"),
        ("size", True, "not a number of bytes"),
        ("size", 8, "do not add up"),
        ("sha256", "AB" * 32, "64 lower-case"),
        ("chunks", None, "not a list"),
        ("chunks", [[SHA256, 0]], "not a pair"),
        ("chunks", [["x", 7]], "not a pair"),
        ("role", "r" * 65, "short text"),
        ("media_type", 1, "short text"),
    ],
)
def test_an_entry_when_a_field_is_wrong_then_the_sentence_says_which(field: str, value: object, says: str) -> None:
    data = entry("a.png", (ChunkRef(SHA256, 7),)).to_dict() | {field: value}
    with pytest.raises(ManifestError, match=says):
        Manifest.from_dict({"files": [data]})


def test_two_scenes_when_named_then_refused() -> None:
    files = [entry(path, role="scene").to_dict() for path in ("a.blend", "b.blend")]
    with pytest.raises(ManifestError, match="more than one scene"):
        Manifest.from_dict({"files": files})
    assert Manifest.from_dict({"files": files[:1]}).scene() is not None


def test_two_scopes_when_named_then_refused() -> None:
    files = [entry(path, role="scope").to_dict() for path in ("sendoff-scope.json", "other.json")]
    with pytest.raises(ManifestError, match="more than one scope"):
        Manifest.from_dict({"files": files})
    (only,) = Manifest.from_dict({"files": files[:1]}).files
    assert Manifest((entry("a.blend", role="scene"), only)).scope() == only
    assert Manifest((entry("a.blend", role="scene"),)).scope() is None
