"""Pixar's own library for USD, which Blender brings along: the one place that knows how to get at it."""

from __future__ import annotations

import contextlib
import functools
from typing import Any

import bpy

from .job import CannotOpen


@functools.cache
def pxr() -> Any:
    """The package `pxr`, with `Usd`, `UsdGeom` and all others in it that the worker uses. Raises CannotOpen."""
    expose = getattr(bpy.utils, "expose_bundled_modules", None)  # Blender as a module, 4.5 and later
    if expose is not None:
        with contextlib.suppress(Exception):
            expose()
    try:
        import pxr as library
        from pxr import Gf, Pcp, Sdf, Usd, UsdGeom, UsdShade, UsdSkel, UsdUtils, Vt  # noqa: F401 - loaded by name
    except ImportError as error:
        version = ".".join(map(str, bpy.app.version[:2]))
        raise CannotOpen(
            f"This worker's Blender {version} has no library to read USD with. "
            "Ask an administrator for Blender 4.5 or newer on the worker."
        ) from error
    return library
