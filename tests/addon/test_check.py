"""What `make check` makes of the add-on's modules before mypy reads them; the types themselves are mypy's affair."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "scripts"))
import check_addon

SOURCE = """import bpy
class A(bpy.types.Operator):
    “name”: str = "å"
    job: bpy.props.StringProperty(
        name="Job",
    )
    kinds: bpy.props.EnumProperty(items=ITEMS, options={"ENUM_FLAG"})
    kind: bpy.props.EnumProperty(items=ITEMS)
    thing: bpy.props.PointerProperty(type=bpy.types.Object)
    plain: int = 3
""".replace("“name”", "å")


def test_a_property_is_an_attribute_and_a_call_on_the_same_line():
    lines = check_addon.with_plain_properties(SOURCE).splitlines()
    compile("\n".join(lines), "a.py", "exec")
    assert lines[2:] == [
        '    å: str = "å"',
        "    job: str; bpy.props.StringProperty(",
        '        name="Job",',
        "    )",
        '    kinds: set[str]; bpy.props.EnumProperty(items=ITEMS, options={"ENUM_FLAG"})',
        "    kind: str; bpy.props.EnumProperty(items=ITEMS)",
        "    thing: bpy.types.Object | None; bpy.props.PointerProperty(type=bpy.types.Object)",
        "    plain: int = 3",
    ]


def test_a_kind_of_property_that_is_not_known_is_named():
    with pytest.raises(SystemExit, match="FloatVectorProperty"):
        check_addon.with_plain_properties("class A:\n    place: bpy.props.FloatVectorProperty(size=3)\n")


def test_an_import_of_what_not_every_blender_has_is_named(tmp_path):
    folder = tmp_path / "addon"
    folder.mkdir()
    (folder / "good.py").write_text("import os\nimport bpy\nfrom . import sendoff\nfrom .sendoff import form\n")
    assert not list(check_addon.foreign_imports(folder))
    (folder / "bad.py").write_text(
        "def late():\n    import requests\nfrom sendoff import Client\nfrom .. import other\n"
    )
    found = sorted(check_addon.foreign_imports(folder))
    assert [line.partition(": error: ")[0] for line in found] == [
        "addon/bad.py:2", "addon/bad.py:3", "addon/bad.py:4",
    ]  # fmt: skip
    assert "requests is imported" in found[0]


def test_the_add_on_itself_imports_nothing_else():
    assert not list(check_addon.foreign_imports(check_addon.ROOT / "addon"))
