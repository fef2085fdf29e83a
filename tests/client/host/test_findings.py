"""The reader of reports is pure; the list, its clicks and what they select are in test_findings_list.py."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.mutated import mutated

FULL = {
    "check": "ngons",
    "severity": "warning",
    "object": "Body",
    "library": None,
    "datablock": "object",
    "message": "Faces with more than four sides: 5.",
    "element": "face",
    "indices": [3, 1, 4],
    "count": 5,
}


@pytest.fixture
def read(host, tmp_path):
    def read_document(document):
        path = tmp_path / "report.json"
        if isinstance(document, bytes):
            path.write_bytes(document)
        else:
            path.write_text(json.dumps(document), encoding="utf-8")
        return host.findings.read(path)

    return read_document


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=mutated(st.just(json.dumps({"version": 1, "findings": [FULL, FULL]}).encode())))
def test_a_report_that_was_changed_anywhere_is_read_or_a_sentence(read, data):
    report = read(data)
    assert all(finding.message for finding in report.findings)
    assert report.problem == "" or report.problem.endswith(".")


def test_a_finding_is_read_as_it_was_written(host, read):
    (finding,) = read({"version": 1, "findings": [FULL], "summary": {}}).findings
    assert finding == host.findings.Finding(
        check="ngons",
        severity="warning",
        object="Body",
        message="Faces with more than four sides: 5.",
        element="face",
        indices=(3, 1, 4),
        count=5,
    )


@pytest.mark.parametrize(
    ("check", "element"),
    [
        ("non_manifold_edges", "edge"),
        ("loose_vertices", "vertex"),
        ("ngons", "face"),
        ("zero_area_faces", "face"),
        ("flipped_uvs", "face"),
    ],
)
def test_an_older_workers_check_says_what_is_counted(read, check, element):
    old = {"check": check, "severity": "error", "object": "Body", "message": "5.", "indices": [0], "count": 5}
    assert read({"findings": [old]}).findings[0].element == element
    assert read({"findings": [old | {"indices": []}]}).findings[0].element == ""


def test_numbers_without_a_kind_are_left_out(read):
    finding = read({"findings": [FULL | {"check": "studio.rule", "element": "island"}]}).findings[0]
    assert (finding.element, finding.indices) == ("", ())


def test_what_is_about_an_image_or_a_library_is_known(read):
    image, linked = read({"findings": [FULL | {"datablock": "image"}, FULL | {"library": "//lib.blend"}]}).findings
    assert (image.is_image, image.library) == (True, "")
    assert (linked.is_image, linked.library) == (False, "//lib.blend")


@pytest.mark.parametrize(
    "document",
    [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000, b'{"findings": [' + b"9" * 10_000 + b"]}", [], "text", 7, None,
     {"findings": None}, {"findings": {"a": 1}}],
)  # fmt: skip
def test_nonsense_is_a_sentence(read, document):
    report = read(document)
    assert report.findings == ()
    assert report.problem.startswith("report.json is ")
    assert report.problem.endswith(".")


def test_a_report_that_is_not_there_or_too_large_is_a_sentence(host, tmp_path, monkeypatch):
    assert "cannot be read" in host.findings.read(tmp_path / "none.json").problem
    assert "cannot be read" in host.findings.read(tmp_path).problem
    path = tmp_path / "report.json"
    path.write_text('{"findings": []}')
    monkeypatch.setattr(host.findings, "MOST_BYTES", 8)
    assert "is larger than" in host.findings.read(path).problem


@pytest.mark.parametrize("value", [None, 7, -1, True, "x", [], {}, [[]], [1.5], [True], [-1], [2**40], float("nan")])
def test_no_value_of_any_field_raises(read, value):
    for key in FULL:
        for finding in read({"findings": [FULL | {key: value}]}).findings:
            assert finding.severity in ("error", "warning", "info")
            assert finding.element in ("", "face", "edge", "vertex")
            assert all(isinstance(index, int) and 0 <= index < 2**31 for index in finding.indices)
            assert finding.count >= len(finding.indices)
            assert finding.message


def test_entries_that_say_nothing_are_left_out(read):
    assert read({"findings": [None, 7, [], {}, {"object": "Body"}, FULL]}).findings[0].object == "Body"
    assert len(read({"findings": [None, {}, FULL]}).findings) == 1


def test_text_is_one_line_of_a_bounded_length_that_blender_can_show(read):
    finding = read({"findings": [FULL | {"message": "a\nb\x00\ud800" + "x" * 9999, "object": "n" * 999}]}).findings[0]
    assert finding.message.startswith("a b ?xxx"), finding.message[:9]
    assert (len(finding.message), len(finding.object)) == (500, 255)
    finding.message.encode()


def test_more_than_the_bounds_is_counted_and_left_out(host, read, monkeypatch):
    monkeypatch.setattr(host.findings, "MOST_INDICES", 2)
    report = read({"findings": [FULL] * 10_500})
    assert (len(report.findings), report.left_out) == (10_000, 500)
    assert report.findings[0].indices == (3, 1)
    assert report.summary == "10,500 findings, 10,000 warnings among them"


def test_the_summary_is_short(host, read):
    kinds = [FULL | {"severity": severity} for severity in ("error", "error", "warning", "info")]
    assert read({"findings": kinds}).summary == "4 findings, 2 errors and 1 warning among them"
    assert read({"findings": kinds[:1]}).summary == "1 finding, 1 error among them"
    assert read({"findings": kinds[3:]}).summary == "1 finding"
    assert read({"findings": []}).summary == "nothing to mend was found"


def test_a_report_of_ten_thousand_findings_does_not_hold_the_artist_up(read):
    document = json.dumps({"findings": [FULL | {"indices": list(range(200))}] * 10_000}, indent=1).encode()
    begun = time.perf_counter()
    assert len(read(document).findings) == 10_000
    assert time.perf_counter() - begun < 3.0  # 0.4 s on a quiet machine
