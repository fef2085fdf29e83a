"""Where an imported scene came from: its units and up-axis, and which of its objects each of Blender's is.

A .blend has none of this: there an object is known by its name, and lengths are as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mathutils import Matrix

#: On an object: its name or path in the file that was sent; and that Blender had to mend its mesh, so that the numbers
#: of its elements are others than there.
PATH_PROPERTY, MENDED_PROPERTY = "sendoff_path", "sendoff_mended"
#: On an imported object: its own scale there. Blender's own holds the change of units as well.
SCALE_PROPERTY = "sendoff_scale"
#: On a mesh whose faces were turned round on import, as the corners of each go the other way round there.
TURNED_PROPERTY = "sendoff_turned"
#: An object counts as moved from this part of its size or distance on; Blender's numbers have seven digits.
_MOVED = 1e-5


@dataclass(frozen=True)
class Origin:
    """The file that was imported."""

    #: "usd" or "fbx".
    kind: str
    metres_per_unit: float = 0.01
    #: "Y" or "Z".
    up_axis: str = "Y"
    #: The opened stage, if the kind is "usd", and its layers, which know the artist's own paths (see usd_layers.py).
    stage: Any = None
    layers: Any = None
    #: Each object's place in the file's own units and axes, by its path; exact, unlike Blender's. Of a USD only.
    places: dict[str, Any] = field(default_factory=dict)
    #: The same as Blender has them.
    imported: dict[str, Matrix] = field(default_factory=dict)

    def unmoved(self, path: str, matrix: Matrix) -> Any:
        """The exact place of an object, if that is what Blender has at `matrix`; None for one that is elsewhere."""
        imported = self.imported.get(path)
        return self.places.get(path) if imported is not None and _is_same(imported, matrix) else None

    @property
    def to_blender(self) -> Matrix:
        """From the file's units and axes to metres with Z up."""
        scale = Matrix.Scale(self.metres_per_unit, 4)
        turn = Matrix(((1, 0, 0, 0), (0, 0, -1, 0), (0, 1, 0, 0), (0, 0, 0, 1)))
        return scale @ turn if self.up_axis == "Y" else scale


def identity(one: Any) -> str:
    """What the artist's application knows an object (or an image) by."""
    return str(one.get(PATH_PROPERTY) or one.name) if hasattr(one, "get") else str(one.name)


def scale_of(one: Any) -> list[float]:
    """An object's scale as the artist's application shows it."""
    if SCALE_PROPERTY in one:
        return [float(part) for part in one[SCALE_PROPERTY]]
    return [own * delta for own, delta in zip(one.scale, one.delta_scale, strict=True)]


def is_mended(one: Any) -> bool:
    """Whether the numbers of its elements mean nothing to the artist's application."""
    return bool(one.get(MENDED_PROPERTY)) if hasattr(one, "get") else False


def _is_same(one: Matrix, other: Matrix) -> bool:
    for part in (slice(0, 3), slice(3, 4)):
        before, after = (np.array(matrix)[:3, part] for matrix in (one, other))
        if not np.allclose(before, after, rtol=0.0, atol=_MOVED * (np.abs(before).max() or 1.0)):
            return False
    return True
