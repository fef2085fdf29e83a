"""Files as old Blenders on other machines wrote them: another byte order, pointers of 4 bytes, made of a new file.

Blender writes neither any more, but reads them. Source of the form: Blender, `dna_genfile.cc` and `BLO_core_bhead.hh`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

_PRIMITIVES = {"char": 1, "uchar": 1, "int8_t": 1, "short": 2, "ushort": 2, "int": 4, "long": 4, "ulong": 4,
               "float": 4, "double": 8, "int64_t": 8, "uint64_t": 8, "void": 0}  # fmt: skip


def as_old(data: bytes, *, big_endian: bool = False, pointer_bytes: int = 8) -> bytes:
    """A small uncompressed .blend of Blender 4.x in another form. Data without a struct is kept as it is."""
    assert data.startswith(b"BLENDER-v4"), "an uncompressed .blend of Blender 4.x"
    blocks = list(_blocks(data))
    dna = _Dna(next(body for code, _, _, _, body in blocks if code == b"DNA1"))
    order = ">" if big_endian else "<"
    new = _Writer(dna, order, pointer_bytes)
    out = [b"BLENDER" + (b"-" if pointer_bytes == 8 else b"_") + (b"V" if big_endian else b"v") + data[9:12]]
    head = struct.Struct(order + ("4siQii" if pointer_bytes == 8 else "4siIii"))
    for code, address, number, count, body in blocks:
        if code == b"TEST":  # the thumbnail, which is numbers without a struct
            continue
        if code == b"DNA1":
            made = new.dna()
        elif code in (b"ENDB", b"REND") or number == 0:
            made = body
        else:
            made = b"".join(new.struct(number, body, at * dna.size(number)) for at in range(count))
        out.append(head.pack(code, len(made), new.pointer(address), number, count) + made)
    return b"".join(out)


def _blocks(data: bytes) -> Iterator[tuple[bytes, int, int, int, bytes]]:
    at = 12
    while at < len(data):
        code, size, address, number, count = struct.unpack_from("<4siQii", data, at)
        yield code, address, number, count, data[at + 24 : at + 24 + size]
        at += 24 + size


class _Dna:
    """The list of structs that a .blend brings along."""

    def __init__(self, body: bytes) -> None:
        self._body, self._at = body, 4
        self.names = self._texts()
        self.types = self._texts()
        self._tag(b"TLEN")
        self.lengths = struct.unpack_from(f"<{len(self.types)}h", body, self._at)
        self._at += 2 * len(self.types)
        self._tag(b"STRC")
        (count,) = self._ints(1)
        self.structs: list[tuple[int, list[tuple[int, int]]]] = []
        for _ in range(count):
            kind, fields = struct.unpack_from("<2h", body, self._at)
            pairs = struct.unpack_from(f"<{2 * fields}h", body, self._at + 4)
            self.structs.append((kind, list(zip(pairs[::2], pairs[1::2], strict=True))))
            self._at += 4 + 4 * fields
        self.of_type = {kind: number for number, (kind, _) in enumerate(self.structs)}

    def size(self, number: int) -> int:
        return int(self.lengths[self.structs[number][0]])

    def _tag(self, tag: bytes) -> None:
        self._at += -self._at % 4
        assert self._body[self._at : self._at + 4] == tag
        self._at += 4

    def _ints(self, count: int) -> tuple[int, ...]:
        found = struct.unpack_from(f"<{count}i", self._body, self._at)
        self._at += 4 * count
        return found

    def _texts(self) -> list[bytes]:
        self._at += -self._at % 4 + 4  # over "NAME" or "TYPE"
        (count,) = self._ints(1)
        found = self._body[self._at :].split(b"\0", count)[:count]
        self._at += sum(len(text) + 1 for text in found)
        return found


class _Writer:
    """Writes structs in the other form."""

    def __init__(self, dna: _Dna, order: str, pointer_bytes: int) -> None:
        self._dna, self._order, self._pointer_bytes = dna, order, pointer_bytes
        self._lengths: dict[int, int] = {}

    def pointer(self, address: int) -> int:
        """An address that fits; 4 bytes of it tell blocks apart as well."""
        return address if self._pointer_bytes == 8 else (address ^ address >> 32) & 0xFFFFFFFF

    def struct(self, number: int, body: bytes, at: int) -> bytes:
        """One struct of a block."""
        return b"".join(self._fields(number, body, at))

    def _fields(self, number: int, body: bytes, at: int) -> Iterator[bytes]:
        for kind, name in self._dna.structs[number][1]:
            text, length = self._dna.names[name], self._dna.lengths[kind]
            times = 1
            for size in re.findall(rb"\[([0-9]+)\]", text):
                times *= int(size)
            is_pointer = text.startswith((b"*", b"(*"))
            width = 8 if is_pointer else length
            for _ in range(times):
                raw = body[at : at + width]
                at += width
                if is_pointer:
                    letter = "Q" if self._pointer_bytes == 8 else "I"
                    yield struct.pack(self._order + letter, self.pointer(int.from_bytes(raw, "little")))
                elif kind in self._dna.of_type:
                    yield from self._fields(self._dna.of_type[kind], raw, 0)
                else:
                    yield raw[::-1] if self._order == ">" else raw

    def _length(self, kind: int) -> int:
        if kind not in self._lengths:
            number = self._dna.of_type.get(kind)
            size = self._dna.lengths[kind]
            if number is not None:
                size = len(self.struct(number, bytes(size), 0))
            self._lengths[kind] = size
        return self._lengths[kind]

    def dna(self) -> bytes:
        """The list of structs itself, with the lengths that they have now."""
        dna, order = self._dna, self._order
        out = b"SDNA"
        for tag, texts in ((b"NAME", dna.names), (b"TYPE", dna.types)):
            out += tag + struct.pack(order + "i", len(texts)) + b"".join(text + b"\0" for text in texts)
            out += bytes(-len(out) % 4)
        lengths = [self._length(kind) for kind in range(len(dna.types))]
        out += b"TLEN" + struct.pack(f"{order}{len(lengths)}h", *lengths)
        out += bytes(-len(out) % 4)
        out += b"STRC" + struct.pack(order + "i", len(dna.structs))
        for kind, fields in dna.structs:
            out += struct.pack(order + "2h", kind, len(fields))
            out += b"".join(struct.pack(order + "2h", *pair) for pair in fields)
        return out
