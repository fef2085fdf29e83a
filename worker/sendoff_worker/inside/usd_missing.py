"""What a USD scene names and what is not there: layers, references, payloads, clips and textures, each by its file."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .job import Job
from .pxr_library import pxr
from .usd_layers import UsdLayers

_TILES = "<UDIM>"
_ASSET = re.compile(r"@([^@]+)@")
#: Prims of these types hold no paths, but much else.
_WITHOUT_PATHS = frozenset({"Mesh", "Xform", "Scope", "GeomSubset", "Material", "Camera", "BasisCurves", "Points"})


def tell_missing(job: Job, stage: Any, layers: UsdLayers) -> None:
    """Name each file that the scene needs and that did not come along."""
    missing: dict[str, str] = {}
    told: set[str] = set()
    for path, what in (*_layers(stage), *_assets(stage)):
        shown = _shown(layers, path)
        missing.setdefault(shown, what)
        if path in layers.told:
            told.add(shown)
    for path, what in missing.items():
        job.missing(path, what, is_told=path in told)
    for name in dict.fromkeys(layers.damaged):
        job.warn(f"“{name}” cannot be read as USD; what it holds is missing. Export it and send the scene again.")


def _layers(stage: Any) -> Iterator[tuple[str, str]]:
    """Each layer that composition asked for and did not get."""
    kinds = pxr().Pcp
    for error in stage.GetCompositionErrors():
        if isinstance(error, (kinds.ErrorInvalidSublayerPath, kinds.ErrorInvalidAssetPath)):
            named = _ASSET.search(str(error))  # the binding tells it in its sentence only
            place = str(getattr(error.rootSite, "path", ""))
            if named is not None:
                yield named[1], f"layer of “{place}”" if place not in ("", "/") else "layer"


def _assets(stage: Any) -> Iterator[tuple[str, str]]:
    """Each texture, volume and clip that is named and not there."""
    library = pxr()
    # Each prototype once, and not each of its instances.
    ranges = [library.Usd.PrimRange(prototype) for prototype in stage.GetPrototypes()]
    for prim in itertools.chain(library.Usd.PrimRange.Stage(stage), *ranges):
        if prim.HasAuthoredMetadata("clips"):
            for clips in prim.GetMetadata("clips").values():
                template = str(clips.get("templateAssetPath") or "")
                if "#" in template and not _has_any(prim, template):
                    yield template, f"clips of “{prim.GetName()}”"
                for path in clips.get("assetPaths") or ():
                    if not path.resolvedPath and path.path and not _is_there(prim, path.path):
                        yield path.path, f"clip of “{prim.GetName()}”"
        if prim.GetTypeName() in _WITHOUT_PATHS:
            continue
        for attribute in prim.GetAuthoredAttributes():
            if attribute.GetTypeName() not in (library.Sdf.ValueTypeNames.Asset, library.Sdf.ValueTypeNames.AssetArray):
                continue
            value = attribute.Get(library.Usd.TimeCode.EarliestTime())
            for path in (value,) if isinstance(value, library.Sdf.AssetPath) else value or ():
                if path.path and not path.resolvedPath and not _is_there(prim, path.path):
                    yield path.path, f"file of “{prim.GetName()}”"


def _has_any(prim: Any, template: str) -> bool:
    """Whether there is a clip whose number is in the place of a template's "#"."""
    wanted = re.compile(r"\d+".join(re.escape(part) for part in re.split("#+", Path(template).name)))
    folders = {Path(spec.layer.ComputeAbsolutePath(template)).parent for spec in prim.GetPrimStack()}
    return any(
        wanted.fullmatch(one.name) is not None for folder in folders if folder.is_dir() for one in folder.iterdir()
    )


def _is_there(prim: Any, path: str) -> bool:
    """Whether a path leads to a file, or a pattern of tiles to any tile."""
    for spec in prim.GetPrimStack():
        place = Path(spec.layer.ComputeAbsolutePath(path))
        if _TILES in place.name:
            before, _, after = place.name.partition(_TILES)
            if place.parent.is_dir() and any(
                one.name.startswith(before) and one.name.endswith(after) for one in place.parent.iterdir()
            ):
                return True
        elif place.is_file():
            return True
    return False


def _shown(layers: UsdLayers, path: str) -> str:
    """The path as the artist wrote it; of a composition error it may be absolute."""
    known = layers.artists.get(path)
    if known is not None:
        return known
    package, _, inner = path.partition("[")
    if inner:
        return f"{Path(package).name}[{inner}"
    place = Path(path)
    root = layers.scene.parent
    return f"./{place.relative_to(root).as_posix()}" if place.is_relative_to(root) else path
