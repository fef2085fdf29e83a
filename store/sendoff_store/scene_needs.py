"""What a scene needs of the Blender that opens it: facts of Blender, and a pure decision per series.

Tried with 4.2, 4.3, 4.5 and 5.0: all of them read compressed files (gzip, zstd) and files with pointers of 4 bytes.
Files in big-endian byte order are read up to 4.5. From 5.0 on a .blend has another head, which 4.5 reads and 4.4 does
not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

#: From this series on Blender reads no big-endian files, and writes files with another head.
_FIFTH = (5, 0)
#: The first series that reads that head.
_READS_FIFTH = (4, 5)
#: The oldest series that Sendoff runs in: a file of an older one has no Blender of its own.
_OLDEST = (4, 2)
#: USD has several endings and one library.
_FAMILIES = {"usda": "usd", "usdc": "usd", "usdz": "usd"}


def order(series: str) -> tuple[int, ...]:
    """A series as something to sort by."""
    return tuple(int(part) for part in series.split("."))


@dataclass(frozen=True, kw_only=True)
class SceneNeeds:
    """What a job's scene needs; without arguments any Blender will do."""

    #: The ending of the scene's file: "blend", "usda"; "" if there is no scene.
    kind: str = ""
    #: The series that saved it, which is the oldest that opens it: "4.5"; "" if it needs none.
    series: str = ""
    big_endian: bool = False
    #: The artist's own series, if that has to read the .blend that comes back; "" if not.
    read_by: str = ""
    #: Series that have tried, and could not open it.
    unable: Sequence[str] = ()

    @property
    def family(self) -> str:
        """Files of one family are read by the same library: "blend", "usd", "fbx"."""
        return _FAMILIES.get(self.kind, self.kind)

    @property
    def is_of_old_blender(self) -> bool:
        """Whether no worker has the Blender that made it, so that any that opens it is as good."""
        return not self.series or self.big_endian or order(self.series) < _OLDEST

    def fit(self, series: str, lacks: Sequence[str] = ()) -> bool:
        """Whether a Blender of a series does; `lacks` are the families that this one cannot read."""
        return not (
            (self.series and order(series) < order(self.series))
            or (self.big_endian and order(series) >= _FIFTH)
            or (self.needs_old_head and order(series) >= _FIFTH)
            or self.family in lacks
            or series in self.unable
        )

    @property
    def needs_old_head(self) -> bool:
        """Whether the artist's Blender cannot read a .blend of Blender 5."""
        return bool(self.read_by) and order(self.read_by) < _READS_FIFTH

    def to_json(self) -> str:
        """As Redis keeps it."""
        return json.dumps({**asdict(self), "unable": list(self.unable)})

    @classmethod
    def from_record(cls, data: Mapping[str, str]) -> SceneNeeds:
        """Read a job's hash; one that another version wrote may say only the series."""
        found: dict[str, Any] = json.loads(data.get("needs") or "null") or {"series": data.get("series", "")}
        return cls(**{name: value for name, value in found.items() if name in cls.__dataclass_fields__})


#: Any Blender will do.
ANYTHING = SceneNeeds()
