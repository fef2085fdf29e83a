"""What `make check` finds in the built module besides mistakes in its types."""

from __future__ import annotations

import shutil

import build_maya
import check_maya
import pytest


@pytest.fixture
def checked(module_folder, tmp_path, monkeypatch):
    """The folder that is looked at: a copy of the module, with its installer."""
    folder = tmp_path / "typed-maya"
    shutil.copytree(module_folder, folder)
    shutil.copy2(build_maya.PLUGIN / check_maya.INSTALLER, folder)
    monkeypatch.setattr(check_maya, "MODULE", folder)
    return folder


def planted(folder, place, line):
    path = folder / place
    path.write_text(f"{path.read_text()}\n{line}\n")


def test_nothing_is_wrong_with_it(checked):
    assert [*check_maya.unreadable(), *check_maya.foreign_imports(), *check_maya.too_new()] == []


@pytest.mark.parametrize(
    ("place", "line", "named", "source"),
    [
        ("scripts/sendoff_maya/names.py", "import requests", "requests", "maya_plugin/scripts/sendoff_maya/names.py:"),
        ("scripts/sendoff_maya/sendoff/scope.py", "import bpy", "bpy", "client/sendoff/scope.py:"),
        ("scripts/sendoff_maya/vendor/idna/core.py", "import idna", "idna", "constraints-maya.txt: idna/core.py:"),
        ("plug-ins/sendoff_plugin.py", "from PySide6 import QtCore", "PySide6", "maya_plugin/plug-ins/sendoff_plugin"),
        ("install_sendoff.py", "import sendoff_server.cli", "sendoff_server.cli", "maya_plugin/install_sendoff.py:"),
    ],
)
def test_an_import_of_what_not_every_maya_has_is_named_where_it_was_written(checked, place, line, named, source):
    planted(checked, place, line)
    (told,) = check_maya.foreign_imports()
    assert told.startswith(source)
    assert f"{named} is imported" in told


def test_what_a_newer_python_has_is_named_with_its_release(checked):
    planted(checked, "install_sendoff.py", "import tomllib")
    (told,) = check_maya.too_new()
    assert told.startswith("maya_plugin/install_sendoff.py:")
    assert told.endswith("needs Python 3.11")


def test_the_grammar_of_a_newer_python_is_named(checked):
    planted(checked, "scripts/sendoff_maya/vendor/idna/core.py", "match 1:\n    case 1:\n        pass")
    (told,) = check_maya.unreadable()
    assert told.startswith("constraints-maya.txt: idna/core.py:")
    assert "Python 3.9 cannot read this" in told
