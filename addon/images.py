"""Images that come back: packed into the open file, and shown where the artist has room for them."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TypeGuard

import bpy

from .name_of import shown_name
from .operator_errors import reason
from .sendoff.host.jobs import Job
from .windows import some_window

_MEDIA_TYPES = {"image/png", "image/jpeg", "image/x-exr", "image/exr", "image/aces", "image/tiff", "image/webp"}
_SUFFIXES = {".png", ".jpg", ".jpeg", ".exr", ".tif", ".tiff", ".webp"}
#: What an OpenEXR file begins with.
_EXR = b"\x76\x2f\x31\x01"
#: More of them stay files: they all would become part of the artist's file.
MOST_IMAGES = 12


class NoImage(Exception):
    """A file could not be brought in as an image; the text is a sentence for the artist."""


def image_files(job: Job) -> list[Path]:
    """The images among a job's files; one that is there twice (as .png and .exr) counts twice."""
    return [
        file.path
        for file in job.files
        if file.role != "log" and (file.media_type in _MEDIA_TYPES or file.path.suffix.lower() in _SUFFIXES)
    ]


def bring(job: Job, path: Path) -> bpy.types.Image:
    """Load an image as a datablock of its own, named after job and file.

    It is packed, since the downloaded file goes with the job, and has a fake user, since nothing else uses it: it
    is in the artist's file until the artist removes it. Raises NoImage.
    """
    try:
        image = bpy.data.images.load(str(path), check_existing=False)
    except RuntimeError as error:
        raise NoImage(f"{path.name} cannot be read: {reason(error)}") from error
    is_image = min(image.size) or _is_exr(path)
    problem = "" if is_image else f"{path.name} is no image that this Blender can read, see {path.parent}"
    try:
        if not problem:
            image.pack()
    except RuntimeError as error:
        problem = f"{path.name} cannot be packed into this file: {reason(error)}"
    if problem:
        bpy.data.images.remove(image)
        raise NoImage(f"{problem}.")
    image.name = f"{job.title} {path.stem}"
    image.use_fake_user = True
    image["sendoff_job"] = job.id
    return image


def brought(job: Job) -> list[bpy.types.Image]:
    """The images of a job that are in the open file."""
    return [image for image in bpy.data.images if job.id and image.get("sendoff_job") == job.id]


def show_in_open_editor(image: bpy.types.Image, context: bpy.types.Context) -> bool:
    """Show an image in an Image Editor that is open and free; returns whether one was.

    Free is one that views images, is not pinned, and shows nothing with unsaved changes.
    """
    windows = list(context.window_manager.windows)
    if context.window is not None:
        windows.sort(key=lambda window: window != context.window)
    for window in windows:
        for area in window.screen.areas:
            space = area.spaces.active
            if area.ui_type == "IMAGE_EDITOR" and _is_free(space):
                space.image = image
                area.tag_redraw()
                return True
    return False


def show(job: Job, context: bpy.types.Context) -> str:
    """Show a job's image, in a new window where no Image Editor is free; returns a sentence where it cannot."""
    found = brought(job)
    if not found:
        return "The image is not in this file. Import the result to have it here"
    image = found[0]
    if is_shown(image, context) or show_in_open_editor(image, context):
        return ""
    if bpy.app.background:
        return f"Open an Image Editor to see “{shown_name(image)}”"
    # Not from within the click: Blender goes on with the button's region, which is not one of the new window.
    bpy.app.timers.register(functools.partial(_show_in_new_window, image.name), first_interval=0.0)
    return ""


def _show_in_new_window(name: str) -> None:
    image = bpy.data.images.get(name)
    if image is None or is_shown(image, bpy.context):
        return
    with some_window():
        before = set(bpy.context.window_manager.windows)
        bpy.ops.wm.window_new()
        for window in bpy.context.window_manager.windows:
            if window not in before:
                area = window.screen.areas[0]
                area.ui_type = "IMAGE_EDITOR"
                space = area.spaces.active
                assert isinstance(space, bpy.types.SpaceImageEditor)
                space.image = image


def is_shown(image: bpy.types.Image, context: bpy.types.Context) -> bool:
    """Whether an Image Editor shows it already."""
    return any(
        isinstance(space := area.spaces.active, bpy.types.SpaceImageEditor) and space.image == image
        for window in context.window_manager.windows
        for area in window.screen.areas
    )


def _is_free(space: bpy.types.Space | None) -> TypeGuard[bpy.types.SpaceImageEditor]:
    if not isinstance(space, bpy.types.SpaceImageEditor):
        return False
    shown = space.image
    return space.mode == "VIEW" and not space.use_image_pin and not (shown is not None and shown.is_dirty)


def _is_exr(path: Path) -> bool:
    """One of several layers has no size until a layer of it is shown."""
    with path.open("rb") as file:
        return file.read(len(_EXR)) == _EXR
