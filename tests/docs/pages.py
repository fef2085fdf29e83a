"""The pages of the documentation, read: their blocks, the marks before them, their tables and headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.stack import ROOT

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the `<!-- test: ... -->` that stands right before it."""

    language: str
    text: str
    mark: str


def blocks(page: Path) -> Iterator[Block]:
    pattern = r"(?:^<!-- test: (?P<mark>.*?) -->\n)?^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$"
    for found in re.finditer(pattern, page.read_text(), re.MULTILINE | re.DOTALL):
        indent = len(found["indent"])
        text = "".join(line[indent:] if line.strip() else line for line in found["text"].splitlines(keepends=True))
        yield Block(found["language"], text, found["mark"] or "")


def prose(page: Path) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the hosts of repositories make them."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def marked(page: str, mark: str) -> dict[str, str]:
    """The blocks of a page whose mark begins with a word: what follows the word, and the block's text."""
    found = (block for block in blocks(ROOT / page) if block.mark.split(" ")[0] == mark)
    return {block.mark.removeprefix(mark).strip() or str(number): block.text for number, block in enumerate(found)}


def sentences(page: str) -> list[str]:
    """What stands in italics in the first column of a page's tables: sentences of the product, as people read them."""
    rows = re.findall(r"^\| (.*?) \| .* \|$", prose(ROOT / page), re.MULTILINE)
    return [text for row in rows for text in re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", row)]
