from __future__ import annotations

import pytest


def texts(problem):
    return problem.text, [remedy.value for remedy in problem.remedies], problem.is_stop


def test_each_error_has_the_button_that_helps(host):
    sdk, of = host.sendoff, host.problems.problem_of
    assert texts(of(sdk.SignInRequired("Expired.", status=401))) == ("Expired.", ["sign_in", "retry"], False)
    assert texts(of(sdk.ConnectionFailed("Away."))) == ("Away.", ["retry"], False)
    assert texts(of(sdk.Rejected("levels is 99.", status=422, field="params.levels"))) == ("levels is 99.", [], False)
    assert texts(of(sdk.Rejected("Old.", status=400, field="protocol"))) == ("Old.", ["update"], False)
    assert texts(of(sdk.StorageFull("Full.", status=507))) == ("Full.", ["retry"], False)
    assert texts(of(sdk.Stopped("Stopped."))) == ("Stopped.", [], True)


def test_a_mistake_of_ours_is_a_sentence_too(host):
    text, remedies, is_stop = texts(host.problems.problem_of(KeyError("x")))
    assert text == "Sendoff made a mistake (KeyError: 'x'). Please tell your TD."
    assert (remedies, is_stop) == (["retry"], False)


@pytest.mark.parametrize(
    ("kind", "misses_files", "remedies"),
    [
        ("task", False, ["open_log", "retry"]),
        ("task", True, ["relink", "open_log", "retry"]),
        ("worker_lost", True, ["open_log", "retry"]),
        ("cancelled", False, ["retry"]),
    ],
)
def test_a_failed_job_offers_its_log_and_missing_files_to_be_found(host, kind, misses_files, remedies):
    found = host.problems.problem_of_job("Why.", kind, misses_files=misses_files)
    assert texts(found) == ("Why.", remedies, kind == "cancelled")
