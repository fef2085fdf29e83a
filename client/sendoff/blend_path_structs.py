"""The structs of a .blend that hold paths: which field it is, and what is meant by it.

Taken from Blender's DNA headers (`source/blender/makesdna/`), and from what its own `BKE_bpath` and Flamenco's asset
tracer visit. Files keep the old names of renamed fields (`Image.name` for what Python calls `filepath`), so both names
are listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from . import blend_frames
from .blend_path_field import BUILTIN, OWN_CACHE, PathField, looks_like_path
from .blend_path_reader import At, Handler, Reader, Run

_IMAGE_SEQUENCE, _IMAGE_GENERATED, _IMAGE_TILED = 2, frozenset({4, 5}), 6
_CLIP_SEQUENCE = 1
_STRIP_SOUND = frozenset({4, 5})
_CACHE_BAKED, _DISK_CACHE, _EXTERNAL_CACHE = 1 << 0, 1 << 6, 1 << 9
_FILE_PATH_SUBTYPE = 1
_FLUID_BAKED = 0b10_1010_1010
_EXTERNAL_MODE = 1
#: Of a bake whose folder is not that of its modifier.
_OWN_FOLDER = 1 << 1


def _plain(kind: str, *names: str) -> Handler:
    def handler(reader: Reader, _run: Run, at: At) -> Iterator[PathField]:
        yield reader.fixed(at, kind, *names)

    return handler


def _packable(kind: str) -> Handler:
    def handler(reader: Reader, _run: Run, at: At) -> Iterator[PathField]:
        found = reader.fixed(at, kind, "name", "filepath")
        packed = bool(reader.number(at, "packedfile")) or found.path == BUILTIN
        yield replace(found, is_packed=packed)

    return handler


def _library(reader: Reader, run: Run, at: At) -> Iterator[PathField]:
    found = reader.fixed(at, "library", "name", "filepath")
    packed = (
        reader.number(at, "packedfile")
        or reader.number(at, "archive_parent_library")
        or reader.is_emptied(run.head.address)
    )
    yield replace(found, is_packed=bool(packed))


def _image(reader: Reader, run: Run, at: At) -> Iterator[PathField]:
    source = reader.number(at, "source", 1)
    packed = bool(reader.number(at, "packedfile") or reader.first(at, "packedfiles")) or source in _IMAGE_GENERATED
    tiles: tuple[int, ...] = ()
    if source == _IMAGE_TILED:
        found = reader.listed(run, reader.first(at, "tiles"), "ImageTile")
        tiles = tuple(sorted({reader.number(tile, "tile_number") for tile in found}))
    first = replace(
        reader.fixed(at, "image", "name", "filepath"),
        is_packed=packed,
        is_sequence=source == _IMAGE_SEQUENCE,
        tiles=tiles,
    )
    yield first
    for view in reader.listed(run, reader.first(at, "views"), "ImageView"):
        yield replace(
            reader.fixed(view, "image", "filepath"),
            is_packed=packed,
            is_sequence=source == _IMAGE_SEQUENCE,
            tiles=tiles,
        )


def _movie_clip(reader: Reader, _run: Run, at: At) -> Iterator[PathField]:
    found = reader.fixed(at, "movieclip", "name", "filepath")
    yield replace(found, is_sequence=reader.number(at, "source") == _CLIP_SEQUENCE)


def _cache_file(reader: Reader, _run: Run, at: At) -> Iterator[PathField]:
    yield replace(reader.fixed(at, "cache_file", "filepath"), is_sequence=bool(reader.number(at, "is_sequence")))


def _volume(reader: Reader, _run: Run, at: At) -> Iterator[PathField]:
    frames = None
    is_sequence = bool(reader.number(at, "is_sequence"))
    count = reader.number(at, "frame_duration")
    if is_sequence and 0 < count <= blend_frames.MOST_FRAMES:
        first = 1 + reader.number(at, "frame_offset")
        frames = frozenset(range(first, first + count))
    yield replace(
        reader.fixed(at, "volume", "filepath"),
        is_packed=bool(reader.number(at, "packedfile")),
        is_sequence=is_sequence,
        frames=frames,
    )


def _ocean(reader: Reader, _run: Run, at: At) -> Iterator[PathField]:
    found = reader.fixed(at, "ocean", "cachepath")
    yield replace(found, is_folder=True, is_optional=not reader.number(at, "cached"))


def _fluid(reader: Reader, _run: Run, at: At) -> Iterator[PathField]:
    baked = reader.number(at, "cache_flag") & _FLUID_BAKED
    yield replace(reader.fixed(at, "fluid", "cache_directory"), is_folder=True, is_optional=not baked)


def _point_cache(reader: Reader, _run: Run, at: At) -> Iterator[PathField]:
    flag = reader.number(at, "flag")
    if flag & _EXTERNAL_CACHE:
        yield replace(reader.fixed(at, "point_cache", "path"), is_folder=True)
    elif flag & _DISK_CACHE:
        yield PathField("point_cache", "", "", OWN_CACHE, is_folder=True, is_optional=not flag & _CACHE_BAKED)


def _is_on_disk(reader: Reader, bake: At) -> bool:
    """Whether there was a bake when the file was saved: its datablocks are listed until it is deleted."""
    return bool(reader.number(bake, "data_blocks") and not reader.number(bake, "packed"))


def _has_own_folder(reader: Reader, bake: At) -> bool:
    return bool(reader.number(bake, "flag") & _OWN_FOLDER)


def _nodes_modifier(reader: Reader, run: Run, at: At) -> Iterator[PathField]:
    bakes = list(reader.array(run, reader.number(at, "bakes"), "NodesModifierBake"))
    is_used = any(_is_on_disk(reader, bake) and not _has_own_folder(reader, bake) for bake in bakes)
    found = reader.pointed(run, at, "gn_bake", "simulation_bake_directory")
    yield replace(found, is_folder=True, is_optional=not is_used)
    for bake in bakes:
        packed = bool(reader.number(bake, "packed"))
        is_used = _is_on_disk(reader, bake) and _has_own_folder(reader, bake)
        found = reader.pointed(run, bake, "gn_bake", "directory")
        yield replace(found, is_folder=True, is_optional=not is_used, is_packed=packed)
    if not run.has_strings:  # once for an object, however many modifiers it has
        run.has_strings = True
        yield from reader.strings(run)


def _by_mode(kind: str, path: str, mode: str) -> Handler:
    def handler(reader: Reader, _run: Run, at: At) -> Iterator[PathField]:
        yield replace(reader.fixed(at, kind, path), is_packed=reader.number(at, mode) != _EXTERNAL_MODE)

    return handler


def _text(reader: Reader, run: Run, at: At) -> Iterator[PathField]:
    # The lines of a text are in the .blend, also if it was read from a file.
    yield replace(reader.pointed(run, at, "text", "name"), is_packed=True)
    yield replace(reader.pointed(run, at, "text", "filepath"), is_packed=True)


def _strip(reader: Reader, run: Run, at: At) -> Iterator[PathField]:
    for strip in reader.array(run, reader.number(at, "strip" if "strip" in at.struct.fields else "data"), "Strip"):
        folder, spot = reader.text(strip, "dir", "dirpath")
        elements = list(reader.array(run, reader.number(strip, "stripdata"), "StripElem"))
        texts = [reader.text(element, "name", "filename") for element in elements]
        if not texts or not texts[0][0]:
            continue
        names = [text for text, _ in texts]
        yield PathField(
            "strip", "", "",
            folder + ("" if folder.endswith(("/", "\\")) or not folder else "/") + names[0],
            is_packed=reader.number(at, "type") in _STRIP_SOUND,
            names=tuple(names[1:]),
            room=max(0, spot.size - 1),
            spot=replace(spot, names=tuple((one.offset, one.size) for _, one in texts)),
        )  # fmt: skip


def _socket(reader: Reader, _run: Run, at: At) -> Iterator[PathField]:
    found = reader.fixed(at, "socket", "value")
    if looks_like_path(found.path):
        yield replace(found, is_optional=reader.number(at, "subtype") != _FILE_PATH_SUBTYPE)


def _string_node(reader: Reader, run: Run, at: At) -> Iterator[PathField]:
    found = reader.pointed(run, at, "socket", "string")
    if looks_like_path(found.path):
        yield replace(found, is_optional=True)


HANDLERS: dict[str, Handler] = {
    "FileGlobal": _plain("global", "filename", "filepath"),
    "Library": _library,
    "Image": _image,
    "MovieClip": _movie_clip,
    "bSound": _packable("sound"),
    "VFont": _packable("font"),
    "CacheFile": _cache_file,
    "CacheFileLayer": _plain("cache_file", "filepath"),
    "Volume": _volume,
    "MeshCacheModifierData": _plain("mesh_cache", "filepath"),
    "OceanModifierData": _ocean,
    "FluidDomainSettings": _fluid,
    "PointCache": _point_cache,
    "NodesModifierData": _nodes_modifier,
    "CustomDataExternal": _plain("multires", "filename"),
    "NodeShaderTexIES": _by_mode("ies", "filepath", "mode"),
    "NodeShaderScript": _by_mode("osl", "filepath", "mode"),
    "Camera": _by_mode("osl", "custom_filepath", "custom_mode"),
    "Text": _text,
    "Sequence": _strip,
    "bNodeSocketValueString": _socket,
    "NodeInputString": _string_node,
}
