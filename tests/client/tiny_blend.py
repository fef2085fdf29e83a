"""Writes small .blend files with structs of their own, in every form that Blender has written."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

#: The fields of the structs that the tests need: type, name.
STRUCTS: dict[str, list[tuple[str, str]]] = {
    "ListBase": [("void", "*first"), ("void", "*last")],
    "ID": [("void", "*next"), ("char", "name[66]"), ("short", "flag")],
    "FileGlobal": [("char", "subvstr[4]"), ("char", "filename[64]"), ("Scene", "*curscene"),
                   ("ViewLayer", "*cur_view_layer")],
    "ViewLayer": [("ViewLayer", "*next"), ("char", "name[64]")],
    "wmWindow": [("Scene", "*scene"), ("char", "view_layer_name[64]")],
    "Library": [("ID", "id"), ("char", "name[256]"), ("PackedFile", "*packedfile")],
    "PackedFile": [("int", "size")],
    "Image": [("ID", "id"), ("char", "name[256]"), ("short", "source"), ("PackedFile", "*packedfile"),
              ("ListBase", "tiles")],
    "ImageTile": [("ImageTile", "*next"), ("int", "tile_number")],
    "ImageUser": [("int", "frames"), ("int", "offset"), ("int", "sfra")],
    "NodeTexImage": [("ImageUser", "iuser")],
    "bNode": [("ID", "*id"), ("void", "*storage")],
    "bSound": [("ID", "id"), ("char", "name[64]"), ("PackedFile", "*packedfile")],
    "Object": [("ID", "id"), ("void", "*data"), ("ImageUser", "*iuser"), ("Image", "**mat")],
    "NodesModifierData": [("char", "*simulation_bake_directory"), ("int", "bakes_num"),
                          ("NodesModifierBake", "*bakes")],
    "NodesModifierBake": [("int", "flag"), ("char", "*directory"), ("void", "*data_blocks"), ("void", "*packed")],
    "IDPropertyData": [("void", "*pointer")],
    "IDProperty": [("char", "type"), ("IDPropertyData", "data"), ("int", "len")],
    "PointCache": [("int", "flag"), ("char", "path[64]")],
    "CacheFile": [("ID", "id"), ("void", "*adt"), ("char", "filepath[256]"), ("char", "is_sequence"),
                  ("char", "override_frame"), ("float", "frame")],
    "MovieClip": [("ID", "id"), ("void", "*adt"), ("char", "name[256]"), ("int", "source"), ("int", "start_frame"),
                  ("int", "frame_offset")],
    "RenderData": [("int", "cfra"), ("int", "sfra"), ("int", "efra"), ("int", "images"), ("int", "framapto")],
    "Scene": [("ID", "id"), ("RenderData", "r")],
    "Sequence": [("int", "type"), ("Strip", "*strip"), ("MovieClip", "*clip")],
    "Strip": [("StripElem", "*stripdata"), ("char", "dir[64]")],
    "StripElem": [("char", "name[32]")],
}  # fmt: skip
_SIZES = {"char": 1, "short": 2, "int": 4, "float": 4, "void": 0}


@dataclass
class TinyBlend:
    """A .blend being written: `pointer_bytes` 4 or 8, any byte order, block heads as before or since Blender 5."""

    pointer_bytes: int = 8
    order: str = "<"
    modern: bool = False
    blocks: list[tuple[bytes, int, int, int, bytes]] = field(default_factory=list)

    def id(self, code: str, of_struct: str, id_name: str, address: int, /, **values: object) -> None:
        """A datablock."""
        self.add(code.encode().ljust(4, b"\0"), of_struct, address, [{"id.name": code + id_name, **values}])

    def data(self, of_struct: str, address: int, *items: dict[str, object]) -> None:
        """What belongs to the datablock before it."""
        self.add(b"DATA", of_struct, address, items)

    def text(self, address: int, text: bytes) -> None:
        """A text in a block of its own."""
        self.blocks.append((b"DATA", address, 0, 1, text + b"\0"))

    def add(self, code: bytes, of_struct: str, address: int, items: Sequence[dict[str, object]]) -> None:
        """A block of structs."""
        body = b"".join(self._packed(of_struct, item) for item in items)
        self.blocks.append((code, address, 1 + list(STRUCTS).index(of_struct), len(items), body))

    def data_bytes(self) -> bytes:
        """The file."""
        version = b"500" if self.modern else b"405"
        out = b"BLENDER17-01v0" + version if self.modern else (
            b"BLENDER" + (b"-" if self.pointer_bytes == 8 else b"_") + (b"v" if self.order == "<" else b"V") + version
        )  # fmt: skip
        for code, address, index, count, body in [*self.blocks, (b"DNA1", 1, 0, 1, self._dna())]:
            out += self._head(code, len(body), address, index, count) + body
        return out + self._head(b"ENDB", 0, 0, 0, 0)

    def _head(self, code: bytes, size: int, address: int, index: int, count: int) -> bytes:
        if self.modern:
            return struct.pack("<4siQqq", code, index, address, size, count)
        return struct.pack(
            self.order + ("4siQii" if self.pointer_bytes == 8 else "4siIii"), code, size, address, index, count
        )

    def _packed(self, of_struct: str, values: dict[str, object]) -> bytes:
        out = bytearray(self._size(of_struct))
        for name, value in values.items():
            offset, kind, room = self._offset(of_struct, name)
            if isinstance(value, (str, bytes)):
                data = value.encode() if isinstance(value, str) else value
                assert len(data) < room
            else:
                code = {
                    "pointer": "Q" if self.pointer_bytes == 8 else "I",
                    "short": "h",
                    "int": "i",
                    "char": "b",
                    "float": "f",
                }[kind]
                data = struct.pack(self.order + code, value)
            out[offset : offset + len(data)] = data
        return bytes(out)

    def _offset(self, of_struct: str, path: str) -> tuple[int, str, int]:
        wanted, _, rest = path.partition(".")
        offset = 0
        for kind, name in STRUCTS[of_struct]:
            plain = name.lstrip("*").partition("[")[0]
            size = self._field_size(kind, name)
            if plain == wanted:
                if rest:
                    inner, inner_kind, room = self._offset(kind, rest)
                    return offset + inner, inner_kind, room
                return offset, "pointer" if name.startswith("*") else kind, size
            offset += size
        raise KeyError(path)

    def _field_size(self, kind: str, name: str) -> int:
        count = int(name.partition("[")[2].rstrip("]") or 1)
        return self.pointer_bytes if name.startswith("*") else count * (_SIZES.get(kind) or self._size(kind))

    def _size(self, of_struct: str) -> int:
        return sum(self._field_size(kind, name) for kind, name in STRUCTS[of_struct])

    def _dna(self) -> bytes:
        # As in real files, struct 0 stands for bytes without a struct.
        structs = {"raw_data": [("char", "data")], **STRUCTS}
        names = list(dict.fromkeys(name for fields in structs.values() for _, name in fields))
        types = [*_SIZES, *structs]
        sizes = [*_SIZES.values(), 1, *(self._size(name) for name in STRUCTS)]
        out = b"SDNANAME" + self._texts(names)
        out += b"\0" * (-len(out) % 4) + b"TYPE" + self._texts(types)
        out += b"\0" * (-len(out) % 4) + b"TLEN" + struct.pack(f"{self.order}{len(sizes)}H", *sizes)
        out += b"\0" * (-len(out) % 4) + b"STRC" + struct.pack(self.order + "I", len(structs))
        for name, fields in structs.items():
            out += struct.pack(self.order + "HH", types.index(name), len(fields))
            for kind, field_name in fields:
                out += struct.pack(self.order + "HH", types.index(kind), names.index(field_name))
        return out

    def _texts(self, texts: Sequence[str]) -> bytes:
        return struct.pack(self.order + "I", len(texts)) + b"".join(text.encode() + b"\0" for text in texts)


def shot(library: str = "//lib/asset.blend", image: str = "//tex/a.png", **form: object) -> TinyBlend:
    """A scene with a library, an image and a strip."""
    blend = TinyBlend(**form)  # type: ignore[arg-type]
    blend.add(b"GLOB", "FileGlobal", 2, [{"filename": "/home/ada/shot.blend"}])
    blend.id("SC", "Scene", "Scene", 10)
    blend.data("Sequence", 11, {"strip": 12})
    blend.data("Strip", 12, {"stripdata": 13, "dir": "//plates/"})
    blend.data("StripElem", 13, {"name": "p_01.png"}, {"name": "p_02.png"})
    blend.id("IM", "Image", "Paint", 20, name=image, source=1)
    blend.id("LI", "Library", "asset.blend", 30, name=library)
    return blend
