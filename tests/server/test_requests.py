"""Requests that cannot be used get a clear answer, and leave nothing behind."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard
from tests.server.conftest import Server, entry, pack

from sendoff.protocol import CHUNK_BYTES, PACK_BYTES
from sendoff_store import jobs
from sendoff_store.records import JobRecord

BLEND = b"BLENDER-v405" + b"ENDB" + bytes(20)


def submit(server: Server, **body: Any) -> httpx.Response:
    with server.http() as http:
        return http.post("/v1/jobs", json={"task": "test.plain", "params": {}, "manifest": {"files": []}} | body)


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["detail"].endswith("."), document
    assert "Traceback" not in answer.text
    return document


def upload(server: Server, *chunks: bytes) -> None:
    with server.http() as http:
        assert http.post("/v1/chunks", content=pack(*chunks)).status_code == 200


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic abc", "Bearer "])
def test_no_token_or_a_wrong_one_is_401_and_says_what_to_do(server: Server, header: str | None) -> None:
    headers = {"Authorization": header.strip()} if header else {}
    for path in ("/v1/server", "/v1/tasks", "/v1/jobs", "/metrics"):
        document = problem(httpx.get(server.url + path, headers=headers, trust_env=False), 401)
        assert "Sign in" in document["detail"] or "sign" in document["detail"]


def test_an_expired_token_is_told_from_a_wrong_one(server: Server) -> None:
    with server.http(days=-1) as http:
        assert "expired" in problem(http.get("/v1/jobs"), 401)["detail"]


def test_an_unknown_task_is_answered_with_those_there_are(server: Server) -> None:
    document = problem(submit(server, task="mesh.nothing"), 422)
    assert document["field"] == "task"
    assert "test.plain" in document["detail"]


@pytest.mark.parametrize(
    ("params", "field", "words"),
    [
        ({"levels": 99}, "params.levels", "at most 8"),
        ({"levels": "many"}, "params.levels", "integer"),
        ({"level": 3}, "params.level", "has no parameter 'level'"),
        ([1], "params", "JSON object"),
        ({"levels": "x" * 300_000}, "params", "as files"),
    ],
)
def test_a_wrong_parameter_is_named(server: Server, params: Any, field: str, words: str) -> None:
    document = problem(submit(server, params=params), 422)
    assert document["field"] == field
    assert words in document["detail"]


@pytest.mark.parametrize(
    "path", ["../evil.blend", "/etc/passwd", "C:/x.blend", "a\\b", "a/./b", "con.blend", "", "a\0b", "x" * 2000]
)
def test_a_path_that_leaves_the_jobs_folder_is_refused(server: Server, path: str) -> None:
    document = problem(submit(server, manifest={"files": [entry(path, b"x")]}), 422)
    assert document["field"] == "manifest"


def test_paths_that_clash_are_refused(server: Server) -> None:
    files = [entry("Tex.png", b"x", role="external"), entry("tex.PNG", b"y", role="external")]
    assert "clash" in problem(submit(server, manifest={"files": files}), 422)["detail"]


@pytest.mark.parametrize("change", [{"size": 5}, {"sha256": "zz"}, {"chunks": [["ab", 1]]}, {"chunks": 3}])
def test_a_manifest_that_does_not_add_up_is_refused(server: Server, change: dict[str, Any]) -> None:
    problem(submit(server, manifest={"files": [entry("a.blend", b"x") | change]}), 422)


def test_chunks_that_are_missing_are_named(server: Server) -> None:
    lacking = entry("a.blend", b"never sent")
    document = problem(submit(server, task="test.blend", manifest={"files": [lacking]}), 409)
    assert document["missing"] == [lacking["chunks"][0][0]]


def test_bytes_that_do_not_match_their_name_are_simply_other_chunks(server: Server) -> None:
    with server.http() as http:
        answer = http.post("/v1/chunks", content=pack(b"damaged on the way"))
        assert answer.json()["chunks"] == [hashlib.sha256(b"damaged on the way").hexdigest()]
    problem(submit(server, task="test.blend", manifest={"files": [entry("a.blend", b"as it was")]}), 409)


@pytest.mark.parametrize(
    "body",
    [
        b"\x00",
        (100).to_bytes(4, "little") + b"\0short",
        (CHUNK_BYTES + 1).to_bytes(4, "little") + b"\0" + bytes(100),
        (0).to_bytes(4, "little") + b"\0",
        (3).to_bytes(4, "little") + b"\7abc",
    ],
)
def test_a_pack_that_lies_is_refused(server: Server, body: bytes) -> None:
    with server.http() as http:
        problem(http.post("/v1/chunks", content=body), 422)


def test_a_pack_that_is_a_bomb_is_refused(server: Server) -> None:
    import zlib

    import zstandard

    huge = bytes(200 * 1024 * 1024)
    for encoding, body in (("zstd", zstandard.ZstdCompressor().compress(huge)), ("deflate", zlib.compress(huge, 9))):
        with server.http() as http:
            problem(http.post("/v1/chunks", content=body, headers={"Content-Encoding": encoding}), 422)


def test_a_body_that_is_too_large_is_413(server: Server) -> None:
    with server.http() as http:
        problem(http.post("/v1/chunks", content=bytes(PACK_BYTES + 1)), 413)


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b'{"chunks": [1]}', b'{"chunks": ["../../x"]}', b"\xff"])
def test_a_question_that_cannot_be_read_is_422(server: Server, body: bytes) -> None:
    with server.http() as http:
        problem(http.post("/v1/chunks/missing", content=body), 422)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"nonsense", b"{}", b'{"task": 3}', b'{"task": "test.plain", "title": 1}']
)
def test_a_submit_that_cannot_be_read_is_422(server: Server, body: bytes) -> None:
    with server.http() as http:
        problem(http.post("/v1/jobs", content=body), 422)


def test_a_scene_that_is_no_blend_is_refused(server: Server) -> None:
    upload(server, b"not a blend at all")
    document = problem(
        submit(server, task="test.blend", manifest={"files": [entry("a.blend", b"not a blend at all")]}), 422
    )
    assert "not a .blend file" in document["detail"]
    upload(server, b"png")
    document = problem(submit(server, task="test.blend", manifest={"files": [entry("a.png", b"png")]}), 422)
    assert ".blend" in document["detail"]
    assert "needs a scene" in problem(submit(server, task="test.blend"), 422)["detail"]


def test_a_scene_of_a_newer_blender_than_any_worker_has_is_refused_with_those_there_are(server: Server) -> None:
    newer = b"BLENDER17-01v0502" + b"ENDB" + bytes(28)
    upload(server, newer)
    document = problem(submit(server, task="test.blend", manifest={"files": [entry("a.blend", newer)]}), 422)
    assert "5.2" in document["detail"]
    assert "4.5" in document["detail"]


def test_what_would_be_refused_is_refused_before_the_upload(server: Server) -> None:
    with server.http() as http:
        for task, body, field in (
            ("no.such", {}, "task"),
            ("test.plain", {"params": {"levels": 0}}, "params.levels"),
            ("test.blend", {"scene": "a.png"}, "manifest"),
            ("test.blend", {}, "manifest"),
            ("test.blend", {"scene": "a.blend", "scoped": True}, "scope"),
            ("test.scoped", {"scene": "a.blend", "scoped": "yes"}, "scoped"),
        ):
            assert problem(http.post(f"/v1/tasks/{task}/check", json=body), 422)["field"] == field
        before = http.get("/v1/jobs").json()["jobs"]
        assert http.post("/v1/tasks/test.blend/check", json={"scene": "a.blend"}).status_code == 200
        scoped = {"scene": "a.blend", "scoped": True}
        assert http.post("/v1/tasks/test.scoped/check", json=scoped).status_code == 200
        assert http.get("/v1/jobs").json()["jobs"] == before, "the question made a job"


def check(server: Server, task: str, **body: Any) -> httpx.Response:
    with server.http() as http:
        return http.post(f"/v1/tasks/{task}/check", json=body)


@pytest.mark.parametrize(
    ("task", "body", "words"),
    [
        ("test.blend", {"scene": "a.blend", "series": "5.3"}, "saved by Blender 5.3"),
        ("test.blend", {"scene": "a.glb"}, "Import it in Blender, and click there"),
        ("test.blend", {"scene": "a.OBJ"}, "Import it in Blender, and click there"),
        ("test.blend", {"scene": "a.blend1"}, "copy it to a name that ends in .blend"),
        ("test.blend", {"scene": "a.blend", "files": 20_001}, "20,000 at most"),
        ("test.blend", {"scene": "a.blend", "series": "4"}, "like 4.5"),
        ("test.blend", {"scene": "a.blend", "series": 4.5}, "like 4.5"),
        ("test.blend", {"scene": "a.blend", "host": "blender"}, "host has to be an object"),
        ("test.blend", {"scene": "a.blend", "files": -1}, "files has to be a whole number"),
        ("test.blend", {"scene": "a.blend", "bytes": True}, "bytes has to be a whole number"),
        ("test.blend", {"scene": "a.blend", "big_endian": 1}, "big_endian has to be true or false"),
    ],
)
def test_what_cannot_be_done_is_said_before_the_first_byte(
    server: Server, task: str, body: dict[str, Any], words: str
) -> None:
    assert words in problem(check(server, task, **body), 422)["detail"]


@pytest.mark.parametrize("pack", [zstandard.compress, gzip.compress])
def test_a_compressed_scene_of_a_newer_blender_is_refused_by_its_head(
    server: Server, pack: Callable[[bytes], bytes]
) -> None:
    newer = base64.b64encode(pack(b"BLENDER17-01v0502" + b"ENDB" + bytes(28))).decode()
    assert "Blender 5.2" in problem(check(server, "test.blend", scene="a.blend", head=newer), 422)["detail"]
    older = base64.b64encode(pack(BLEND)).decode()
    assert check(server, "test.blend", scene="a.blend", head=older).status_code == 200
    for wrong in ("no base64!", 7, base64.b64encode(b"something else").decode(), "\u00e9"):
        problem(check(server, "test.blend", scene="a.blend", head=wrong), 422)


def test_more_bytes_than_a_job_may_have_are_refused_before_the_first_one(server: Server) -> None:
    document = problem(check(server, "test.blend", scene="a.blend", bytes=10**15), 413)
    assert "SENDOFF_JOB_BYTES" in document["detail"]


def test_what_can_be_done_is_not_refused_before(server: Server) -> None:
    host = {"application": "blender", "version": "4.2.3"}
    body = {"scene": "a.blend", "series": "4.2", "big_endian": True, "host": host, "files": 3, "bytes": 10}
    assert check(server, "test.blend", **body).status_code == 200


def test_a_scope_is_refused_by_a_task_that_would_not_look_at_it(server: Server) -> None:
    chosen = b'{"version":1,"title":"Chair","objects":[["Chair",null]]}'
    upload(server, BLEND, chosen)
    files = [entry("a.blend", BLEND), entry("sendoff-scope.json", chosen, role="scope")]
    document = problem(submit(server, task="test.blend", manifest={"files": files}), 422)
    assert document["field"] == "scope"
    assert "test.blend takes no choice of objects" in document["detail"]
    twice = [*files, entry("other.json", chosen, role="scope")]
    assert "one scope" in problem(submit(server, task="test.scoped", manifest={"files": twice}), 422)["detail"]
    assert submit(server, task="test.scoped", manifest={"files": files}).status_code == 202


def test_a_retry_keeps_files_scope_and_parameters(server: Server) -> None:
    chosen = b'{"version":1,"title":"Table","objects":[["Table",null]]}'
    upload(server, BLEND, chosen, b"pixels")
    files = [
        entry("a.blend", BLEND),
        entry("tex/wood.png", b"pixels", role="external"),
        entry("sendoff-scope.json", chosen, role="scope"),
    ]
    params = {"levels": 2, "formats": ["glb"]}
    lacking = ["//missing.png (image “Bark”)"]
    made = submit(server, task="test.scoped", params=params, manifest={"files": files}, missing_files=lacking).json()
    with server.http() as http:
        assert http.post(f"/v1/jobs/{made['id']}/cancel").json()["state"] == "cancelled"
        key = {"Idempotency-Key": "retry-1"}
        again = http.post(f"/v1/jobs/{made['id']}/retry", headers=key).json()
        assert http.post(f"/v1/jobs/{made['id']}/retry", headers=key).json()["id"] == again["id"]
    manifests = [json.loads(server.store.run(jobs.manifest(job["id"])) or "") for job in (made, again)]
    assert manifests[0] == manifests[1]
    assert [file["role"] for file in manifests[1]["files"]] == ["scene", "external", "scope"]
    kept = ("task", "title", "params", "host", "missing_files", "input_bytes", "queue")
    assert {name: again[name] for name in kept} == {name: made[name] for name in kept}
    assert (again["params"], again["retry_of"]) == (params, made["id"])


def test_a_job_of_somebody_else_is_not_found(server: Server) -> None:
    job = server.submit(person="ada")
    with server.http(person="eve") as http:
        for method, path in (("GET", ""), ("POST", "/cancel"), ("POST", "/retry"), ("DELETE", ""), ("GET", "/log")):
            problem(http.request(method, f"/v1/jobs/{job}{path}"), 404)
        assert job not in {item["id"] for item in http.get("/v1/jobs").json()["jobs"]}
    with server.http() as http:
        problem(http.get("/v1/jobs/" + "../" * 2 + "nothing"), 404)
        problem(http.get("/v1/jobs/%00%ff"), 404)


def test_the_same_idempotency_key_makes_one_job(server: Server) -> None:
    body = {"task": "test.plain", "params": {}, "manifest": {"files": []}}
    with server.http() as http:
        answers = [http.post("/v1/jobs", json=body, headers={"Idempotency-Key": "k1"}) for _ in range(3)]
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_a_queued_job_is_cancelled_at_once_and_can_be_retried_and_deleted(server: Server) -> None:
    job = server.submit()
    with server.http() as http:
        problem(http.delete(f"/v1/jobs/{job}"), 409)
        assert http.post(f"/v1/jobs/{job}/cancel").json()["state"] == "cancelled"
        assert http.post(f"/v1/jobs/{job}/cancel").json()["state"] == "cancelled"
        again = http.post(f"/v1/jobs/{job}/retry")
        assert again.status_code == 202
        assert again.json()["retry_of"] == job
        assert http.delete(f"/v1/jobs/{job}").status_code == 204
        problem(http.get(f"/v1/jobs/{job}"), 404)


def test_a_list_is_paged_and_filtered(server: Server) -> None:
    made = [server.submit(person="lister") for _ in range(5)]
    with server.http(person="lister") as http:
        first = http.get("/v1/jobs", params={"limit": 3}).json()
        second = http.get("/v1/jobs", params={"limit": 3, "cursor": first["next"]}).json()
        assert [job["id"] for job in first["jobs"] + second["jobs"]] == made[::-1]
        assert http.get("/v1/jobs", params={"state": "succeeded"}).json()["jobs"] == []
        problem(http.get("/v1/jobs", params={"state": "nonsense"}), 422)
        problem(http.get("/v1/jobs", params={"limit": 0}), 422)


@pytest.mark.parametrize("cursor", ["%+ lX", "nonsense", "1.2.3 abc", "1 a b", "nan abc"])
def test_a_cursor_that_is_none_is_said_to_be_the_sender_s_mistake(server: Server, cursor: str) -> None:
    with server.http() as http:
        assert problem(http.get("/v1/jobs", params={"cursor": cursor}), 422)["field"] == "cursor"


def test_a_result_is_downloaded_in_parts(server: Server) -> None:
    parts = [b"a" * 1000, b"b" * 500, b"c" * 10]
    upload(server, *parts)
    job = server.submit()
    server.take(job)
    file = entry("out/résumé.blend", *parts, role="result")
    from sendoff.states import JobState

    done = server.store.run(
        jobs.finish(job, token="attempt1", state=JobState.SUCCEEDED, message="", result={"files": [file]},
                    retention_seconds=1000)
    )  # fmt: skip
    assert isinstance(done, JobRecord)
    whole = b"".join(parts)
    path = f"/v1/jobs/{job}/files/out/résumé.blend"
    with server.http() as http:
        answer = http.get(path)
        assert answer.content == whole
        etag = answer.headers["etag"]
        assert etag == f'"{file["sha256"]}"'
        assert answer.headers["repr-digest"].startswith("sha-256=:")
        for text, wanted in (
            ("bytes=990-1009", whole[990:1010]),
            ("bytes=1500-", whole[1500:]),
            ("bytes=-5", whole[-5:]),
        ):
            part = http.get(path, headers={"Range": text, "If-Range": etag})
            assert (part.status_code, part.content) == (206, wanted)
        assert http.get(path, headers={"Range": "bytes=5-", "If-Range": '"other"'}).status_code == 200
        beyond = http.get(path, headers={"Range": "bytes=1510-"})
        assert f"{len(whole)} bytes" in problem(beyond, 416)["detail"]
        assert beyond.headers["content-range"] == f"bytes */{len(whole)}"
        assert http.get(path, headers={"Range": "bytes=0-1,5-6"}).status_code == 200
        assert http.get(path, headers={"If-None-Match": etag}).status_code == 304
        assert http.head(path).headers["content-length"] == str(len(whole))
        problem(http.get(f"/v1/jobs/{job}/files/../../etc/passwd"), 404)
        problem(http.get(f"/v1/jobs/{job}/files/nothing"), 404)
        shown = http.get(f"/v1/jobs/{job}").json()["result"]["files"][0]
        assert "chunks" not in shown


def test_the_server_tells_what_it_is(server: Server) -> None:
    with server.http() as http:
        info = http.get("/v1/server").json()
        tasks = {task["name"]: task for task in http.get("/v1/tasks").json()["tasks"]}
    assert info["protocol"] == {"min": 1, "max": 1}
    assert info["person"] == "ada"
    assert tasks["test.blend"]["series"] == ["4.5"]
    assert {name: task["scoped"] for name, task in tasks.items() if name.startswith("test.")} == {
        "test.plain": False, "test.blend": False, "test.scoped": True,
    }  # fmt: skip
    assert tasks["test.plain"]["params"]["properties"]["levels"]["maximum"] == 8


def test_an_address_that_does_not_exist_is_a_problem_document(server: Server) -> None:
    problem(httpx.get(server.url + "/v2/jobs", trust_env=False), 404)
    with server.http() as http:
        problem(http.put("/v1/jobs", content=b""), 405)


def test_no_secret_stands_in_the_log(server: Server, tmp_path: Path) -> None:
    from tests.server.conftest import SECRET

    text = (server.data_dir / "server.log").read_text()
    assert SECRET not in text
    assert server.token()[:30] not in text
    assert json.dumps(SECRET) not in text
