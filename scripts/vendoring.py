"""Rewrites Python modules so that what they import from vendored packages comes from beside them alone.

All tools in one Maya share one interpreter: a `requests` that another tool has put onto sys.path must be neither used
nor replaced by ours. So in each module every absolute import of a vendored package becomes a relative one, wherever it
stands. Packages that a vendored one would use where they are installed are cut off in the same way: the import fails,
and the package goes on without.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

#: What is vendored.
PACKAGES = ("certifi", "charset_normalizer", "idna", "requests", "urllib3", "websocket")
#: What these, or the SDK, would use where it is installed.
OPTIONAL = (
    "brotli", "brotlicffi", "backports", "chardet", "cryptography", "h2", "OpenSSL", "python_socks", "simplejson",
    "socks", "wsaccel", "zstandard",
)  # fmt: skip
#: Modules that do more than an import statement tells: what stands there, and what takes its place.
PATCHES: dict[str, tuple[tuple[str, str], ...]] = {
    "requests/compat.py": (("chardet = importlib.import_module(lib)", "from .. import charset_normalizer as chardet"),),
}
#: `requests.packages` puts its friends into sys.modules under other names, for programs from before 2017; `certifi`
#: finds its file by its name on sys.path.
REPLACED = {
    "requests/packages.py": '"""Left out of the vendored copy: it would write to sys.modules."""\n',
    "certifi/core.py": '''"""Where the certificates lie: beside this file."""

from pathlib import Path


def where() -> str:
    """The path of the file."""
    return str(Path(__file__).with_name("cacert.pem"))


def contents() -> str:
    """What is in it."""
    return Path(where()).read_text(encoding="ascii")
''',
}


class CannotVendor(Exception):
    """A module imports in a way that cannot be rewritten; the text names it."""


def rewritten(source: str, *, package: PurePosixPath, vendor: PurePosixPath) -> str:
    """A module with its imports of vendored packages made relative.

    Args:
        source: The module's text.
        package: The folder of the package that the module is in, from the top of the tree: `vendor/requests`.
        vendor: The folder that holds the vendored packages, from the top of the tree: `vendor`.

    Raises:
        CannotVendor: An import binds a name in a way that a relative one cannot.
    """
    common = 0
    while common < min(len(package.parts), len(vendor.parts)) and package.parts[common] == vendor.parts[common]:
        common += 1
    dots = "." * (1 + len(package.parts) - common)
    below = ".".join(vendor.parts[common:])
    lines = source.splitlines(keepends=True)
    for node in sorted(_imports(ast.parse(source)), key=lambda node: node.lineno, reverse=True):
        text = _relative(node, dots, below)
        last = node.end_lineno or node.lineno
        # Offsets of `ast` count bytes.
        head = lines[node.lineno - 1].encode()[: node.col_offset].decode()
        tail = lines[last - 1].encode()[node.end_col_offset :].decode()
        kept = "\n" * (last - node.lineno)  # line numbers stay, for whoever reads a traceback
        lines[node.lineno - 1 : last] = [head + text + tail.rstrip("\n") + "\n" + kept]
    return "".join(lines)


def left_over(source: str) -> list[str]:
    """The absolute imports of vendored or optional packages in a module; none is what a built tree has."""
    return [ast.unparse(node) for node in _imports(ast.parse(source))]


def _imports(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            named = [node.module or ""]
        else:
            continue
        if any(name.partition(".")[0] in PACKAGES + OPTIONAL for name in named):
            yield node


def _relative(node: ast.Import | ast.ImportFrom, dots: str, below: str) -> str:
    inside = f"{dots}{below}"
    if isinstance(node, ast.ImportFrom):
        joint = "." if below else ""
        return f"from {inside}{joint}{node.module} import {', '.join(_named(alias) for alias in node.names)}"
    return "; ".join(_of_import(alias, inside, below) for alias in node.names)


def _of_import(alias: ast.alias, inside: str, below: str) -> str:
    top, _, rest = alias.name.partition(".")
    if top not in PACKAGES + OPTIONAL:
        return f"import {_named(alias)}"
    if not rest:
        return f"from {inside} import {_named(alias)}"
    parent, _, leaf = alias.name.rpartition(".")
    joint = "." if below else ""
    if alias.asname:
        return f"from {inside}{joint}{parent} import {leaf} as {alias.asname}"
    # `import a.b` binds `a`, and has `a.b` loaded.
    return f"from {inside}{joint}{parent} import {leaf} as _; from {inside} import {top}"


def _named(alias: ast.alias) -> str:
    return f"{alias.name} as {alias.asname}" if alias.asname else alias.name


def patched(name: str, source: str) -> str:
    """A vendored module with what PATCHES and REPLACED say; raises CannotVendor where it is not as they expect."""
    if name in REPLACED:
        return REPLACED[name]
    for before, after in PATCHES.get(name, ()):
        if source.count(before) != 1:
            raise CannotVendor(f"{name} must hold {before!r} once: look at what changed in it, and at vendoring.py.")
        source = source.replace(before, after)
    return source
