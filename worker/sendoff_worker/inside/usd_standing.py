"""What a USD stage shows, and at which place: nothing that is hidden, each instance at its own place."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .pxr_library import pxr

#: More instances than these are not taken; each becomes an object of Blender.
MOST_INSTANCES = 100_000
#: Instancers in instancers: how deep they are followed.
_DEPTH = 8
#: Purposes of what an artist sees in a finished picture.
_SHOWN = ("default", "render")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One shape at one place."""

    prim: Any
    """The prim that holds its data."""
    identity: str
    """The prim's path. Of an instance, the instancer's path, its number, and the path below the prototype:
    "/World/Pawns[3]/Body"."""
    place: Any
    """From the prim's own space to the space of what was walked through, in the scene's units; a Gf.Matrix4d."""


@dataclass
class Walk:
    """One way through a stage. `left_out` counts what is not shown, by the reason."""

    stage: Any
    time: Any
    left_out: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)
    """What cannot be placed, or instancers whose numbers do not fit together; by identity."""
    _contents: dict[str, list[Standing] | None] = field(default_factory=dict)
    _instances_taken: int = 0
    _open: list[str] = field(default_factory=list)
    """The prototypes that are being walked through, from the outermost."""

    def shapes(self) -> Iterator[Standing]:
        """Everything with a surface that the stage shows, in the order of the stage."""
        library = pxr()
        predicate = library.Usd.TraverseInstanceProxies(library.Usd.PrimDefaultPredicate)
        identity = library.Gf.Matrix4d(1.0)
        root = self.stage.GetPseudoRoot()
        for prim in root.GetFilteredChildren(predicate):
            yield from self._below(prim, identity, predicate, str(prim.GetPath()), "")

    def _below(self, start: Any, placed: Any, predicate: Any, name: str, base: str) -> Iterator[Standing]:
        """The shapes of a prim and of all below it.

        Args:
            start: The prim.
            placed: The place of its parent.
            predicate: Which prims count.
            name: The identity of the prim.
            base: The path that `name` replaces at the start of a path; "" for the prim's own.
        """
        geometry = pxr().UsdGeom
        waiting = [(start, placed, "")]
        while waiting:
            prim, parent, purpose = waiting.pop()
            path = str(prim.GetPath())
            identity = name + path[len(base) :] if base else path
            try:
                is_visible, purpose, place = self._state(prim, parent, purpose)
            except Exception as error:  # values of types that no schema has
                print(f"{path}: {error}")
                self.unreadable.append(identity)
                continue
            if not is_visible:
                self._count(prim, predicate, "invisible")
                continue
            is_shown = not purpose or purpose in _SHOWN
            if prim.IsA(geometry.PointInstancer):
                if is_shown:
                    yield from self._instances(prim, place, identity)
                else:
                    indices = geometry.PointInstancer(prim).GetProtoIndicesAttr().Get(self.time)
                    self.left_out[f"of the purpose {purpose}"] += len(indices or ())
                continue
            if prim.IsA(geometry.Gprim) or prim.GetTypeName() == "Volume":
                if is_shown:
                    yield Standing(prim=prim, identity=identity, place=place)
                else:
                    self.left_out[f"of the purpose {purpose}"] += 1
            waiting += [(child, place, purpose) for child in reversed(prim.GetFilteredChildren(predicate))]

    def _state(self, prim: Any, parent: Any, purpose: str) -> tuple[bool, str, Any]:
        """Whether a prim is visible, its purpose and its place, from those of its parent."""
        geometry = pxr().UsdGeom
        is_visible, place = True, parent
        if prim.IsA(geometry.Imageable):
            imageable = geometry.Imageable(prim)
            is_visible = imageable.GetVisibilityAttr().Get(self.time) != geometry.Tokens.invisible
            own = imageable.GetPurposeAttr()
            purpose = str(own.Get()) if own.HasAuthoredValue() else purpose
        if prim.IsA(geometry.Xformable):
            formable = geometry.Xformable(prim)
            local = formable.GetLocalTransformation(self.time)
            place = local if formable.GetResetXformStack() else local * parent
        if not all(math.isfinite(value) for row in place for value in row):
            raise ValueError("its place is not a number")
        return is_visible, purpose, place

    def _count(self, prim: Any, predicate: Any, reason: str) -> None:
        library = pxr()
        for one in library.Usd.PrimRange(prim, predicate):
            if one.IsA(library.UsdGeom.Gprim) or one.IsA(library.UsdGeom.PointInstancer):
                self.left_out[reason] += 1

    def _instances(self, prim: Any, place: Any, identity: str) -> Iterator[Standing]:
        """Each instance of a point instancer, with all that its prototype shows."""
        instancer = pxr().UsdGeom.PointInstancer(prim)
        try:
            indices = instancer.GetProtoIndicesAttr().Get(self.time)
            if indices is None or not len(indices):
                return
            matrices = instancer.ComputeInstanceTransformsAtTime(
                self.time, self.time, instancer.ExcludeProtoXform, instancer.IgnoreMask
            )
            shown = list(instancer.ComputeMaskAtTime(self.time)) or [True] * len(indices)
        except Exception as error:
            print(f"{prim.GetPath()}: {error}")
            self.unreadable.append(identity)
            return
        if matrices is None or len(matrices) != len(indices) or len(shown) != len(indices):
            self.unreadable.append(identity)
            return
        self.left_out["invisible"] += shown.count(False)
        prototypes = [self._prototype(path) for path in instancer.GetPrototypesRel().GetForwardedTargets()]
        for number, (index, matrix) in enumerate(zip(indices, matrices, strict=True)):
            if not shown[number]:
                continue
            if not 0 <= index < len(prototypes) or prototypes[index] is None:
                self.left_out["instances without their prototype"] += 1
                continue
            there = matrix * place
            for one in prototypes[index] or ():
                if self._instances_taken >= MOST_INSTANCES:
                    self.left_out[f"instances above {MOST_INSTANCES:,}"] += 1
                    continue
                self._instances_taken += not self._open
                yield Standing(prim=one.prim, identity=f"{identity}[{number}]{one.identity}", place=one.place * there)

    def _prototype(self, path: Any) -> list[Standing] | None:
        """What a prototype shows, with the paths below it as identities; None if it is not there."""
        key, library = str(path), pxr()
        if key in self._open or len(self._open) >= _DEPTH:
            return []
        if key not in self._contents:
            prim = self.stage.GetPrimAtPath(path)
            found: list[Standing] | None = None
            if prim and prim.IsActive():
                self._open.append(key)
                # A prototype may be a class or an "over", so that nothing shows it but instances.
                predicate = library.Usd.TraverseInstanceProxies(library.Usd.PrimIsActive & library.Usd.PrimIsLoaded)
                below = self._below(prim, library.Gf.Matrix4d(1.0), predicate, "", key)
                found = list(itertools.islice(below, MOST_INSTANCES))
                self._open.pop()
            self._contents[key] = found
        return self._contents[key]
