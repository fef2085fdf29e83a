"""What the documentation says that people read on the screen is what the product says."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from tests.docs.pages import marked, prose, sentences
from tests.stack import ROOT

import sendoff
from sendoff.host import findings, jobs, messages, problems, words

NOW = 1_000_000.0
SOURCES = [
    path
    for room in ("addon", "client/sendoff", "store", "server", "worker")
    for path in (ROOT / room).rglob("*.py")
    if not {"build", "tests"} & set(path.relative_to(ROOT).parts)
]
LUA = sorted((ROOT / "store").rglob("*.lua"))
#: Sentences of others, which Sendoff passes on.
FOREIGN = {
    "SENDOFF_... is ...: Input should be ...",
    "native delayed delivery do not support direct exchanges",
}


def said(*, connectivity: str = "online", detail: str = "", **fields: Any) -> str:
    """What is said of a job with these fields."""
    job = jobs.Job(key="k", task="mesh.lods", title="car", server_url="http://render01:8780")
    for name, value in fields.items():
        setattr(job, name, value)
    text = words.line(job, messages.Connectivity(connectivity, detail), NOW).text
    assert isinstance(text, str)
    return text


@pytest.fixture(scope="module")
def spoken() -> list[str]:
    """A sentence of each state that a job can be in, as the status bar shows it."""
    state, health = sendoff.JobState, sendoff.Health
    running: dict[str, Any] = {"state": state.RUNNING, "message": "Body: LOD 2 of 3", "attempt": 1, "max_attempts": 3}
    lost = {**running, "health": health.WORKER_LOST}
    here = {"state": state.SUCCEEDED, "has_result": True}
    file = messages.FetchedFile(Path("lods.blend"), "result", "application/x-blender")
    return [
        said(is_saving=True),
        said(is_finding_files=True),
        said(),
        said(sending=(12_300_000, 150_000_000)),
        said(sending=(100_000, 400_000)),
        said(sending=(100_000, 400_000), waits_for="http://render01:8780 cannot be reached."),
        said(sending=(400_000, 400_000)),
        said(sends=False),
        said(state=state.QUEUED),
        said(state=state.QUEUED, message="Queued", queue_position=1),
        said(state=state.QUEUED, message="Queued", queue_position=3),
        said(state=state.QUEUED, message="Waiting for a worker that offers mesh.lods"),
        said(state=state.STARTING),
        said(state=state.RUNNING),
        said(**running),
        said(**{**running, "attempt": 2}),
        said(**running, health=health.STALLED),
        said(**{**lost, "state": state.QUEUED}),
        said(**lost),
        said(**running, connectivity="reconnecting"),
        said(**running, connectivity="refused", detail="Your sign-in has expired. Sign in again."),
        said(cancelling=True),
        said(**running, cancelling=True),
        said(**here, has_files=True),
        said(**here, has_files=True, fetching=(3_000_000, 12_000_000)),
        said(**here, files=(file,)),
        said(**here, imported="6 levels of detail beside their originals, in “Sendoff LODs”"),
        said(**here),
        said(**here, warnings=("The scene has no mesh objects.",)),
        said(problem=problems.Problem("The server's disk is full.")),
    ]


def told_by_artists_page() -> list[str]:
    """The sentences in the status bar's table of docs/artist.md."""
    text = prose(ROOT / "docs/artist.md").partition("| it says | it means |")[2].partition("\n\n")[0]
    return re.findall(r"\*([^*]+)\*", "\n".join(line.split(" | ")[0] for line in text.splitlines()))


def pattern(sentence: str) -> str:
    """A sentence of the docs as a pattern: "..." stands for anything, a number for any number."""
    parts = re.split(r"(\.\.\.|\d[\d.,]*)", sentence)
    return "".join(".+" if part == "..." else r"\d[\d.,]*" if part[:1].isdigit() else re.escape(part) for part in parts)


def test_each_sentence_of_the_status_bars_table_is_one_that_the_add_on_says(spoken: list[str]) -> None:
    told = told_by_artists_page()
    assert len(told) > 20
    assert [one for one in told if not any(re.fullmatch(pattern(one), text) for text in spoken)] == []


def test_each_sentence_that_the_add_on_says_is_in_the_status_bars_table(spoken: list[str]) -> None:
    patterns = [pattern(one) for one in told_by_artists_page()]
    known = {"The server's disk is full.": "any other sentence", "sending, 100 of 400 kB": "the same in kB"}
    assert [t for t in spoken if t not in known and not any(re.fullmatch(one, t) for one in patterns)] == []


def test_the_states_that_are_tried_say_every_text_of_the_module(spoken: list[str]) -> None:
    tree = ast.parse((ROOT / "client/sendoff/host/words.py").read_text())
    parts = {part.strip() for text in strings(tree) if text not in docstrings(tree) for part in text.split("\0")}
    words = {part for part in parts if re.search(r"[a-z]{3}", part)}
    assert len(words) > 20
    heard = "\n".join(spoken)
    compared = {text for node in ast.walk(tree) if isinstance(node, ast.Compare) for text in strings(node)}
    assert {part for part in words - compared if part not in heard} == set()


def test_each_button_is_in_the_artists_page() -> None:
    page = prose(ROOT / "docs/artist.md")
    tuples = [
        node for node in ast.walk(ast.parse((ROOT / "addon/buttons.py").read_text())) if isinstance(node, ast.Tuple)
    ]
    shown = [
        strings(node)[1] for node in tuples if len(node.elts) == 3 and len(strings(node)) == 3 and strings(node)[1]
    ]
    operators = (ROOT / "addon/job_operators.py").read_text()
    small = [label for label in re.findall(r'bl_label = "(.+)"', operators) if label not in ("Show Result", "Seen")]
    assert len(shown) > 5
    assert len(small) > 5
    assert [text for text in (*shown, *small) if f"**{text}**" not in page] == []


@pytest.mark.parametrize("module", ["preferences", "scene_settings", "scopes"])
def test_each_setting_of_the_add_on_is_in_the_artists_page(module: str) -> None:
    page = prose(ROOT / "docs/artist.md")
    tree = ast.parse((ROOT / f"addon/{module}.py").read_text())
    named = {
        keyword.value.value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == "name" and isinstance(keyword.value, ast.Constant)
    }
    choices = {
        item.elts[1].value
        for item in ast.walk(tree)
        if isinstance(item, ast.Tuple) and len(item.elts) == 3
        and all(isinstance(one, ast.Constant) for one in item.elts)
        and str(item.elts[0].value).isupper()  # type: ignore[attr-defined]
    }  # fmt: skip
    wanted = (named | choices) - {"Sendoff"}
    assert wanted
    assert {text for text in wanted if f"**{text}**" not in page and f"*{text}*" not in page} == set()


def test_the_report_of_the_authors_page_is_read_as_a_list_of_findings(tmp_path: Path) -> None:
    (text,) = marked("docs/tasks.md", "report").values()
    path = tmp_path / "report.json"
    path.write_text(text)
    report = findings.read(path)
    assert report.problem == ""
    (finding,) = report.findings
    assert (finding.object, finding.severity, finding.element) == ("Body", "error", "edge")
    assert (list(finding.indices), finding.count) == ([17, 24, 25], 3)


def test_each_sentence_of_the_troubleshooting_page_is_in_the_code() -> None:
    texts = [re.sub(r"\s+", " ", text) for path in SOURCES for text in strings(ast.parse(path.read_text()))]
    texts += [text for path in LUA for text in re.findall(r"'([^'\n]*)'", re.sub(r"%\w", "\0", path.read_text()))]
    told = sentences("docs/troubleshooting.md")
    assert len(told) > 60
    assert [sentence for sentence in told if sentence not in FOREIGN and not is_in(sentence, texts)] == []


def test_a_sentence_that_nobody_says_would_be_noticed() -> None:
    texts = ["The lights in \0 are out. Change the bulb.", "something else"]
    assert is_in("The lights in ... are out", texts)
    assert is_in("... are out. Change", texts)
    assert not is_in("The lights in ... are on", texts)


def is_in(sentence: str, texts: list[str]) -> bool:
    """Whether one text holds all parts of a sentence, in their order; what stands for names and numbers is left out."""
    parts = [part.strip(" ,.:()“”") for part in sentence.split("...")]
    wanted = re.compile(".*".join(re.escape(part) for part in parts if len(part) > 1), re.DOTALL | re.IGNORECASE)
    return any(wanted.search(text) for text in texts)


def strings(tree: ast.AST) -> list[str]:
    """Every text of a module; what a format puts in is a zero character."""
    found: list[str] = []
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside.update(id(part) for part in node.values)
            parts = (str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values)
            found.append("".join(parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            found.append(node.value)
    return found


def docstrings(tree: ast.Module) -> set[str]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    return {ast.get_docstring(node, clean=False) or "" for node in ast.walk(tree) if isinstance(node, kinds)}
