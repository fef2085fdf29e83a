"""Declaring tasks: the signature is the schema, and mistakes are said when the task is loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from sendoff_worker import Context, registry
from sendoff_worker.errors import TaskDefinitionError, TaskFailed

Declare = Callable[..., Any]


class BakeParams(BaseModel):
    """Parameters as a model of their own."""

    size: int = Field(default=512, ge=16)


def test_the_signature_becomes_the_schema(declare: Declare) -> None:
    @declare("studio.thumbnails", title="Thumbnails", accepts=("blend", ".usd"))
    def thumbnails(
        ctx: Context,
        size: Annotated[int, Field(ge=16, le=4096, title="Size")] = 512,
        kind: Literal["png", "jpg"] = "png",
        names: list[str] | None = None,
    ) -> None:
        """Render a small picture
        of every object.

        More for those who read on.
        """

    task = registry.find("studio.thumbnails")
    assert task is not None
    info = task.info()
    assert info.description == "Render a small picture of every object."
    assert list(info.accepts) == ["blend", "usd"]
    properties = info.params["properties"]
    assert properties["size"] == {"default": 512, "maximum": 4096, "minimum": 16, "title": "Size", "type": "integer"}
    assert properties["kind"]["enum"] == ["png", "jpg"]
    assert info.params["additionalProperties"] is False


def test_a_model_may_be_the_schema_and_is_handed_over(declare: Declare) -> None:
    got: list[BakeParams] = []

    @declare("studio.bake")
    def bake(ctx: Context, params: BakeParams) -> None:
        got.append(params)

    task = registry.find("studio.bake")
    assert task is not None
    context: Any = None
    task.run(context, {"size": 64})
    assert got[0].size == 64
    with pytest.raises(TaskFailed, match="size"):
        task.run(context, {"size": 1})


@pytest.mark.parametrize("name", ["bake", "Studio.Bake", "studio.", "studio.bake!", ""])
def test_a_name_that_is_none_is_refused(declare: Declare, name: str) -> None:
    with pytest.raises(TaskDefinitionError, match="name"):
        declare(name)(lambda ctx: None)


def test_a_function_that_cannot_be_a_task_is_refused(declare: Declare) -> None:
    def no_context() -> None: ...
    def no_type(ctx, size=3) -> None: ...  # type: ignore[no-untyped-def]
    def stars(ctx: Context, *sizes: int) -> None: ...
    def no_schema(ctx: Context, thing: threading_lock) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    for function in (no_context, no_type, stars, no_schema):
        with pytest.raises(TaskDefinitionError):
            declare("studio.wrong")(function)


def test_tasks_in_a_folder_are_found_and_a_broken_file_does_not_hide_the_others(
    declare: Declare, tmp_path: Path
) -> None:
    (tmp_path / "good.py").write_text(
        "from sendoff_worker import Context, task\n"
        "@task('studio.good')\ndef good(ctx: Context, n: int = 1) -> None:\n    'Good.'\n"
    )
    (tmp_path / "broken.py").write_text("import nothing_like_this\n")
    problems = registry.load([tmp_path, tmp_path / "nowhere"])
    assert registry.find("studio.good") is not None
    assert registry.find("mesh.lods") is not None
    assert any("broken.py" in problem for problem in problems)
    assert any("nowhere" in problem for problem in problems)
