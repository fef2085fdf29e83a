"""Tasks that exist only in tests: SENDOFF_TASK_PATH names this folder. They take a .blend and need no Blender."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from sendoff_worker import Context, task

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
Colour = Annotated[str, Field(json_schema_extra={"format": "color"}, description="As #rrggbb")]


@task("studio.swatch", title="Colour swatch", accepts=("blend",))
def swatch(
    ctx: Context,
    color: Annotated[Colour, Field(title="Colour")] = "#3fa7d6",
    size: Annotated[int, Field(ge=1, le=4096, title="Size", json_schema_extra={"unit": "px"})] = 64,
) -> None:
    """Make a picture of one colour."""
    if not _COLOUR.fullmatch(color):
        ctx.fail(f"The colour {color[:40]!r} is not like #3fa7d6. Choose another one.")
    (ctx.output / "swatch.png").write_bytes(png(bytes.fromhex(color[1:]), size))
    ctx.add_file("swatch.png")
    ctx.summarize(color=color, size=size)


def png(rgb: bytes, size: int) -> bytes:
    """A square picture of one colour, as PNG (8 bits per channel, no alpha)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + rgb * size) * size
    head = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class Camera(BaseModel):
    """Parameters within parameters."""

    lens: Annotated[float, Field(ge=1, le=500, title="Lens", description="Focal length in mm")] = 50.0
    track: Annotated[bool, Field(title="Track")] = False


@task("studio.form", title="Every kind of parameter", accepts=("blend",), scoped=True)
def form(
    ctx: Context,
    count: Annotated[int, Field(ge=1, le=8, title="Count", description="How many")] = 3,
    distance: Annotated[float, Field(ge=0, le=1000, title="Distance", json_schema_extra={"unit": "m"})] = 1.5,
    smooth: Annotated[bool, Field(title="Smooth", description="Round it off")] = True,
    quality: Annotated[Literal["draft", "final"], Field(title="Quality")] = "draft",
    passes: Annotated[
        list[Literal["color", "normal", "depth"]], Field(min_length=1, title="Passes", description="What is baked")
    ] = ["color"],  # noqa: B006 - read, never changed
    label: Annotated[str, Field(max_length=40, title="Label")] = "shot",
    tint: Annotated[Colour, Field(title="Tint")] = "#ff8800",
    cache: Annotated[Path, Field(title="Cache", description="A file on the worker")] = Path("cache.bin"),
    camera: Annotated[Camera, Field(title="Camera")] = Camera(),  # noqa: B008 - read, never changed
    seed: Annotated[int | None, Field(ge=0, title="Seed", description="None for another one each time")] = None,
) -> None:
    """Say which parameters arrived."""
    ctx.summarize(
        params={
            "count": count,
            "distance": distance,
            "smooth": smooth,
            "quality": quality,
            "passes": passes,
            "label": label,
            "tint": tint,
            "cache": str(cache),
            "camera": camera.model_dump(mode="json"),
            "seed": seed,
        },
        scope=None if ctx.scope is None else {"title": ctx.scope.title, "objects": len(ctx.scope.objects)},
    )
