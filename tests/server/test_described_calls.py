"""Every call of the description is tried with what it says it takes and with what it does not, by schemathesis.

No answer is a mistake of the server's, and each is one that the description tells: status, media type, schema.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS
from tests.server.conftest import SECRET, Server, announced, entry, pack, serving

from sendoff.protocol import PACK_MEDIA_TYPE
from sendoff.states import JobState
from sendoff_server.app import create_app
from sendoff_server.auth import mint
from sendoff_server.description import CALLS, describe
from sendoff_server.settings import ServerSettings
from sendoff_store import jobs
from sendoff_store.embedded import EmbeddedValkey
from sendoff_store.jobs import Refused

POSITIVE, NEGATIVE = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
EXAMPLES = 40 if os.environ.get("CI") == "true" else 15
SCOPES = {"nobody": "", "an artist": "jobs", "an admin": "admin"}
PROMISED = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
            "response_schema_conformance", "allow_header_conformance"]  # fmt: skip
#: Of headers that the server reads, what a call may come with besides.
HEADERS = {
    "Content-Encoding": ["zstd", "deflate", "gzip", "ZSTD, deflate", "\xff"],
    "Range": ["bytes=0-", "bytes=-0", "bytes=9-1", "bytes=99999999999999999999-", "bytes=1-2,3-4", "lines=1-2"],
    "If-Range": ['"x"', "Fri, 27 Nov 2026 00:00:00 GMT"],
    "If-None-Match": ["*", '"x", W/"y"', ","],
    "Idempotency-Key": ["k", "\xff" * 9, "k" * 201],
    "Accept": ["application/json", "*/*;q=x"],
    "Origin": ["null", "http://[", "https://elsewhere.example"],
    "Host": ["a b", "[::1", "x" * 300, "'; script-src *"],
    "X-Forwarded-For": ["1.2.3.4, x"],
}
headers = st.sampled_from([{}, *({name: value} for name, values in HEADERS.items() for value in values)])

schemathesis.openapi.media_type(
    PACK_MEDIA_TYPE, st.binary(max_size=40) | st.lists(st.binary(max_size=40)).map(lambda chunks: pack(*chunks))
)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own: what is counted against those who try too often stays here."""
    folder = tmp_path_factory.mktemp("attacked")
    with (
        EmbeddedValkey(folder / "valkey") as valkey,
        serving(valkey.url, folder / "server", SENDOFF_SUBMITS_PER_MINUTE="100000") as server,
        announced(server.store.redis),
    ):
        yield server


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The calls by name, as schemathesis reads them."""
    app = create_app(ServerSettings(redis_url="redis://127.0.0.1:1", data_dir=tmp_path_factory.mktemp("described")))
    schema = schemathesis.openapi.from_dict(describe(app))
    return {operation.label: operation for operation in (found.ok() for found in schema.get_all_operations())}


def ended_job(server: Server) -> str:
    """A job of ada's that has succeeded, with a file."""
    with server.http() as http:
        assert http.post("/v1/chunks", content=pack(b"result")).status_code == 200
    job = server.submit()
    server.take(job)
    result = {"files": [entry("result.txt", b"result", role="result")]}
    ended = server.store.run(
        jobs.finish(job, token="attempt1", state=JobState.SUCCEEDED, message="", result=result, retention_seconds=1000)
    )
    assert not isinstance(ended, Refused), ended
    return job


def test_every_call_of_the_server_is_described(described: dict[str, Any]) -> None:
    assert set(described) == set(CALLS)


@pytest.mark.parametrize("who", SCOPES)
@pytest.mark.parametrize("call", CALLS)
def test_a_call_whatever_it_is_sent_answers_as_described(
    attacked: Server, described: dict[str, Any], call: str, who: str
) -> None:
    token = mint(SECRET, person="ada", days=1, sid=secrets.token_hex(8), scope=SCOPES[who])
    known: dict[str, list[Any]] = {
        "job": [ended_job(attacked), attacked.submit()], "path": ["result.txt"], "name": ["test.plain", "job.js"],
        "sid": ["current"], "task": ["test.plain", "test.blend", "test.scoped"], "access_token": [token],
        "manifest": [{"files": [entry("a.blend", b"result", role=role)]} for role in ("scene", "scope")],
    }  # fmt: skip
    strategies = [described[call].as_strategy(mode) for mode in (POSITIVE, POSITIVE, NEGATIVE)]
    checks = CHECKS.get_by_names(PROMISED)

    with requests.Session() as session:
        session.trust_env = False

        @seed(20261127)
        @settings(max_examples=EXAMPLES, database=None, deadline=None, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(case=st.one_of(strategies), more=headers, data=st.data())
        def answers(case: Any, more: dict[str, str], data: st.DataObject) -> None:
            for given in (case.path_parameters, case.body):
                for name in sorted(set(given) & set(known)) if isinstance(given, dict) else ():
                    given[name] = data.draw(st.sampled_from([*known[name], *known[name], given[name]]))
            signed_in = {"Authorization": f"Bearer {token}"} if SCOPES[who] else {}
            case.call_and_validate(
                base_url=attacked.url, session=session, checks=checks, allow_redirects=False, timeout=20,
                headers=more | signed_in,
            )  # fmt: skip

        answers()


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in HEADERS.items() for value in values])
def test_a_header_whatever_it_says_is_no_mistake_of_the_servers(attacked: Server, name: str, value: str) -> None:
    """Each one with each kind of answer: schemathesis draws only some."""
    job = ended_job(attacked)
    signed_in = {"Authorization": f"Bearer {attacked.token()}"}
    with requests.Session() as session:
        session.trust_env = False
        for path in (f"/v1/jobs/{job}/files/result.txt", f"/v1/jobs/{job}/log", "/v1/jobs", "/", "/page/job.js"):
            answer = session.get(attacked.url + path, headers=signed_in | {name: value}, timeout=20)
            assert answer.status_code < 500, (path, answer.text)
