"""What was read of a screen is searched as a person would: a letter or two read wrongly, labels over several lines."""

from __future__ import annotations

import pytest
from tests.desktop.reading import Rect, Word, find, moved, percentages, text_of, turned_back, words_of

HEADER = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"


def line(text: str, y: int, x: int = 0) -> list[Word]:
    words = []
    for part in text.split():
        words.append(Word(part, Rect(x, y, 8 * len(part), 12)))
        x += 8 * len(part) + 8
    return words


def test_words_come_line_by_line_in_the_screens_pixels() -> None:
    rows = ["5\t1\t1\t1\t1\t1\t200\t41\t80\t24\t96\tServer", "5\t1\t1\t1\t1\t1\t0\t40\t160\t24\t96\tCheck",
            "4\t1\t1\t1\t1\t0\t0\t40\t160\t24\t-1\t", "5\t1\t1\t1\t1\t1\t0\t0\t90\t24\t30\tTop"]  # fmt: skip
    words = words_of("\n".join([HEADER, *rows]), scale=2.0)
    assert text_of(words) == "Top\nCheck Server"
    assert words[2].rect == Rect(100, 20, 40, 12)
    assert moved(words[2], 5, 7).rect == Rect(105, 27, 40, 12)


def test_a_word_of_a_turned_picture_is_turned_back() -> None:
    # Letters that lie on their side: 30 wide and 100 high, the word from y 60 to 90 at x 5 to 15.
    assert turned_back(Word("Tool", Rect(60, 15, 30, 10)), 30).rect == Rect(5, 60, 10, 30)


@pytest.mark.parametrize("read", ["Process on Server", "process 0n server.", "Procass on Serve", "Process onServer"])
def test_a_label_is_found_with_a_letter_read_wrongly(read: str) -> None:
    words = line("Transform", 0) + line(f"> {read} ::", 40) + line("Check scene", 80)
    found = find("Process on Server", words)
    assert found is not None
    assert (found.x, found.y) == (16, 40)


@pytest.mark.parametrize("label", ["Process on Server", "Cancel", "Check server"])
def test_what_is_not_there_is_not_found(label: str) -> None:
    assert find(label, line("Levels of detail", 0) + line("Check scene", 40) + line("Place on shelf", 80)) is None
    assert find(label, []) is None


def test_a_sentence_over_several_lines_is_one_label() -> None:
    words = line("No server is set. Put its", 0) + line("URL into the preferences", 20)
    assert find("Put its URL into the preferences", words) == Rect(0, 0, 200, 32).and_(Rect(0, 20, 1, 12))


def test_of_two_the_one_with_the_labels_own_punctuation_then_the_upper_one() -> None:
    words = (
        line("Open Preferences", 0) + line("the studio's server, fast", 20) + line("Server:", 40) + line("Server", 60)
    )
    found = find("Server:", words)
    assert found is not None
    assert found.y == 40
    twice = line("Mesh", 0) + line("Mesh", 20)
    assert find("Mesh", twice) == twice[0].rect
    assert find("Mesh", [word for word in twice if word.rect.y > 0]) == twice[1].rect
    assert Rect(0, 0, 50, 100).below(twice[0].rect) == Rect(0, 12, 50, 88)


def test_a_label_without_a_letter_is_refused() -> None:
    with pytest.raises(AssertionError, match="no letter or digit"):
        find("...", [])


def test_percentages_are_read() -> None:
    assert percentages("car: LOD 2 of 3 47% (and 1 more) 100 %, 1999 triangles, 300%") == [47, 100]
    assert percentages("") == []
