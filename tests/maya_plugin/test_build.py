"""The built module: what is in it, and that it lives beside other tools without touching or meeting them."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import build_maya
import pytest
import vendoring

#: A Maya in which other tools have packages of the same names: whoever touches one of them is caught.
BESIDE = """
import importlib, sys, types, warnings
from pathlib import Path
warnings.simplefilter("error")

class Foreign(types.ModuleType):
    def __getattribute__(self, name):
        if name in ("__class__", "__dict__"):
            return object.__getattribute__(self, name)
        raise AssertionError(f"another tool's {object.__getattribute__(self, '__name__')}.{name} was used")

names = ("certifi", "charset_normalizer", "idna", "requests", "urllib3", "websocket", "chardet", "OpenSSL", "socks",
         "brotli", "h2", "simplejson", "wsaccel", "python_socks", "zstandard")
foreign = {name: Foreign(name) for name in names}
sys.modules.update(foreign)
scripts = Path(sys.argv[1])
sys.path.insert(0, str(scripts))
paths = list(sys.path)
sys.modules["maya"] = types.ModuleType("maya")  # only the vendored parts are imported here
count = 0
for part in ("vendor", "sendoff"):
    for path in sorted((scripts / "sendoff_maya" / part).rglob("*.py")):
        name = ".".join(path.relative_to(scripts).with_suffix("").parts)
        if not name.endswith("__main__"):
            importlib.import_module(name.removesuffix(".__init__"))
            count += 1
assert all(sys.modules[name] is module for name, module in foreign.items())
assert sys.path == paths
others = [name for name in sys.modules if name.partition(".")[0] in names and name not in foreign]
assert others == [], others
from sendoff_maya.sendoff import Client
print(count, Client(sys.argv[2], "good").server()["name"])
"""


def test_everything_vendored_is_imported_beside_other_tools_and_meets_none_of_them(module_folder, server):
    done = subprocess.run(
        [sys.executable, "-I", "-c", BESIDE, str(module_folder / "scripts"), server.url],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    count, name = done.stdout.split(maxsplit=1)
    assert int(count) > 80
    assert name.strip()


def test_the_certificates_come_along(module_folder):
    certificates = module_folder / "scripts/sendoff_maya/vendor/certifi/cacert.pem"
    assert "BEGIN CERTIFICATE" in certificates.read_text("ascii")


def test_the_module_is_laid_out_as_maya_looks_for_it(module_folder):
    there = {path.relative_to(module_folder).parts[0] for path in module_folder.rglob("*")}
    assert there == {"LICENSE", "icons", "plug-ins", "scripts", "sendoff.mod"}
    assert (module_folder / "plug-ins/sendoff_plugin.py").is_file()
    assert (module_folder.parent / "install_sendoff.py").is_file()
    assert "0.0.0" not in (module_folder / "sendoff.mod").read_text()


def test_the_same_sources_make_the_same_bytes(tmp_path):
    first, second = (build_maya.build(tmp_path / name).read_bytes() for name in ("a", "b"))
    assert first == second


def test_no_tests_or_commands_of_the_packages_are_in_it(tmp_path):
    with zipfile.ZipFile(build_maya.build(tmp_path)) as archive:
        names = archive.namelist()
    assert [name for name in names if "/tests/" in name or "/cli/" in name or name.endswith(".pyc")] == []
    licences = {Path(name).name.partition("-")[0] for name in names if "/LICENSES/" in name}
    assert {"certifi", "requests", "urllib3", "websocket_client", "idna", "charset_normalizer"} <= licences


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("import requests\n", "from ..vendor import requests\n"),
        ("import requests as r\n", "from ..vendor import requests as r\n"),
        ("from urllib3.util import Retry\n", "from ..vendor.urllib3.util import Retry\n"),
        ("import urllib3.util\n", "from ..vendor.urllib3 import util as _; from ..vendor import urllib3\n"),
        ("import os, requests\n", "import os; from ..vendor import requests\n"),
        ("if True:\n    import idna  # late\n", "if True:\n    from ..vendor import idna  # late\n"),
        ("from urllib3 import (\n    a,\n    b,\n)\nx = 1\n", "from ..vendor.urllib3 import a, b\n\n\n\nx = 1\n"),
        ("import zlib\n", "import zlib\n"),
        ("from . import requests\n", "from . import requests\n"),
        ("import requestsish\n", "import requestsish\n"),
    ],
)
def test_an_import_is_made_relative(source, wanted):
    package, vendor = build_maya.PurePosixPath("sendoff"), build_maya.VENDOR
    assert vendoring.rewritten(source, package=package, vendor=vendor) == wanted
    assert vendoring.left_over(wanted) == []


def test_inside_a_vendored_package_the_way_is_to_its_neighbours():
    package = build_maya.VENDOR / "urllib3" / "util"
    made = vendoring.rewritten("import idna\n", package=package, vendor=build_maya.VENDOR)
    assert made == "from ... import idna\n"


def test_a_package_that_has_changed_where_it_is_patched_is_refused():
    with pytest.raises(vendoring.CannotVendor, match="must hold"):
        vendoring.patched("requests/compat.py", "chardet = None\n")
