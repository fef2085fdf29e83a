"""What is written on a screenshot: words with their places, and the search for a label of several words among them."""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

#: How alike a label and what was read must be; a word of eight letters may have two that were read wrongly.
ALIKE = 0.8
_TEXT_COLUMN = 11
_NUMBERS = slice(6, 10)


@dataclass(frozen=True)
class Rect:
    """A part of the screen in pixels, from its upper left corner."""

    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> tuple[int, int]:
        return self.x + self.width // 2, self.y + self.height // 2

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    def below(self, other: Rect) -> Rect:
        """The part of it that is below another, such as a panel below its header."""
        return Rect(self.x, other.bottom, self.width, self.bottom - other.bottom)

    def and_(self, other: Rect) -> Rect:
        """The smallest part that holds both."""
        x, y = min(self.x, other.x), min(self.y, other.y)
        return Rect(x, y, max(self.right, other.right) - x, max(self.bottom, other.bottom) - y)


@dataclass(frozen=True)
class Word:
    """A word and where it is."""

    text: str
    rect: Rect


def words_of(tsv: str, *, scale: float = 1.0) -> list[Word]:
    """The words of tesseract's table, line by line; `scale` is how much the picture had been enlarged."""
    words = []
    for row in tsv.splitlines()[1:]:
        cells = row.split("\t")
        if len(cells) <= _TEXT_COLUMN or not cells[_TEXT_COLUMN].strip():
            continue
        x, y, width, height = (round(int(cell) / scale) for cell in cells[_NUMBERS])
        words.append(Word(cells[_TEXT_COLUMN].strip(), Rect(x, y, width, height)))
    return [word for line in lines_of(words) for word in line]


def moved(word: Word, x: int, y: int) -> Word:
    """The word where it is on the screen, read from a part of it that begins at x and y."""
    rect = word.rect
    return Word(word.text, Rect(x + rect.x, y + rect.y, rect.width, rect.height))


def turned_back(word: Word, width: int) -> Word:
    """The word where it was before the picture, of that width, was turned against the clock by a quarter."""
    rect = word.rect
    return Word(word.text, Rect(width - rect.bottom, rect.x, rect.height, rect.width))


def lines_of(words: Sequence[Word]) -> list[list[Word]]:
    """The words by lines from top to bottom, each from left to right."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda word: word.rect.middle[1]):
        if lines and word.rect.middle[1] - lines[-1][-1].rect.middle[1] <= max(4, min(12, word.rect.height // 2)):
            lines[-1].append(word)
        else:
            lines.append([word])
    return [sorted(line, key=lambda word: word.rect.x) for line in lines]


def text_of(words: Sequence[Word]) -> str:
    """What is written, a line per line."""
    return "\n".join(" ".join(word.text for word in line) for line in lines_of(words))


def find(label: str, words: Sequence[Word], *, alike: float = ALIKE) -> Rect | None:
    """Where a label is: the most alike one, also one that goes over several lines.

    Of two that are equally alike it is the one with the label's capitals and punctuation, then the upper one.
    """
    wanted = plain(label)
    assert wanted, f"{label!r} has no letter or digit to look for"
    readable = [word for word in words if plain(word.text)]
    best: tuple[tuple[float, float], list[Word]] = ((0.0, 0.0), [])
    for first in range(len(readable)):
        for last in range(first, min(len(readable), first + len(label.split()) + 2)):
            found = readable[first : last + 1]
            read = "".join(plain(word.text) for word in found)
            if len(read) > 1.3 * len(wanted) + 1:
                break
            score = likeness(wanted, read)
            if score < alike:
                continue
            scores = (score, likeness(label, " ".join(word.text for word in found)))
            if scores > best[0]:
                best = (scores, found)
    return functools.reduce(Rect.and_, (word.rect for word in best[1])) if best[1] else None


def likeness(one: str, other: str) -> float:
    """How alike two texts are, from 0 to 1."""
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()


def percentages(text: str) -> list[int]:
    """The percentages in a text, such as the status bar's."""
    return [int(number) for number in re.findall(r"(\d{1,3})\s?%", text) if int(number) <= 100]


def plain(text: str) -> str:
    """Only letters and digits, in small, with the ones that look the same made the same."""
    return re.sub(r"[^a-z0-9]", "", text.casefold()).translate(str.maketrans("01l|", "oiii"))
