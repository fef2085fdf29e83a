"""The OpenAPI description of the calls: what each takes and gives, as docs/wire.md tells it in words.

Bodies are read by hand, with limits, so that FastAPI knows nothing of them; the table here does. The server is held to
it by tests/server/test_described_calls.py.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts

from sendoff.encodings import available_encodings
from sendoff.protocol import MISSING_PER_CALL, PACK_MEDIA_TYPE, PROBLEM_MEDIA_TYPE, PROBLEM_PREFIX

from .auth import principal

Schema = Mapping[str, Any]

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_HTML = "text/html"
_SCHEME = "bearer"


def _object(required: Schema, **optional: Schema) -> Schema:
    return {"type": "object", "properties": {**required, **optional}, "required": list(required)}


def _list(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


_ANY: Schema = {"type": "object"}
_STRING: Schema = {"type": "string"}
_TEXT: Schema = {"type": "string", "pattern": r"[A-Za-z0-9]"}
_WHOLE: Schema = {"type": "integer", "minimum": 0}
_NUMBER: Schema = {"type": "number", "minimum": 0}
_MAYBE_NUMBER: Schema = {"type": ["number", "null"]}
_MAYBE_STRING: Schema = {"type": ["string", "null"]}
_MAYBE_ANY: Schema = {"type": ["object", "null"]}
_SERIES: Schema = {"type": "string", "pattern": r"^([0-9]{1,3}\.[0-9]{1,3})?$"}
_BOOLEAN: Schema = {"type": "boolean"}
_SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_PROBLEM = _object({
    "type": {"type": "string", "pattern": f"^{PROBLEM_PREFIX}[a-z-]+$"}, "title": _STRING,
    "status": {"type": "integer", "minimum": 400, "maximum": 599}, "detail": {"type": "string", "minLength": 1},
})  # fmt: skip
_SIGNED_IN = _object(
    {"person": _STRING, "sid": _STRING, "token": _STRING, "refresh_token": _STRING, "expires_seconds": _WHOLE}
)
_JOB = _object({
    "id": _STRING, "task": _STRING, "title": _STRING, "state": _STRING, "stage": _STRING, "message": _STRING,
    "fraction": _MAYBE_NUMBER, "done": _MAYBE_NUMBER, "total": _MAYBE_NUMBER, "eta_seconds": _MAYBE_NUMBER,
    "health": _STRING, "attempt": _WHOLE, "max_attempts": _WHOLE, "seq": _WHOLE, "epoch": _WHOLE, "owner": _STRING,
    "sid": _STRING, "created_at": _NUMBER, "started_at": _MAYBE_NUMBER, "finished_at": _MAYBE_NUMBER,
    "queue": _STRING, "queue_position": _MAYBE_NUMBER, "worker": _MAYBE_STRING, "retry_of": _MAYBE_STRING,
    "host": _ANY, "params": _ANY, "input_bytes": _WHOLE, "missing_files": _list(_STRING), "result": _MAYBE_ANY,
})  # fmt: skip
_FILE = _object(
    {"path": _STRING, "size": _WHOLE, "sha256": _SHA256, "chunks": _list(_list({}, minItems=2, maxItems=2))},
    role=_STRING, media_type=_STRING,
)  # fmt: skip
_SUBMIT = _object(
    {"task": _TEXT}, params=_ANY, manifest=_object({"files": _list(_FILE)}), title=_STRING,
    host=_object({}, application=_STRING, version=_STRING), missing_files=_list(_STRING),
)  # fmt: skip
_SESSION = _object({"sid": _STRING, "person": _STRING, "client": _STRING, "address": _STRING, "created_at": _NUMBER,
                    "used_at": _NUMBER, "current": _BOOLEAN})  # fmt: skip
_SERVER = _object({
    "name": _STRING, "version": _STRING, "protocol": _object({"min": _WHOLE, "max": _WHOLE}), "limits": _ANY,
    "pack_encodings": _list(_STRING), "request_encodings": _list(_STRING), "addon": _MAYBE_ANY, "maya": _MAYBE_ANY,
    "person": _STRING, "role": _STRING, "sid": _STRING, "time": _NUMBER,
})  # fmt: skip
_TASK = _object({
    "name": _STRING, "title": _STRING, "description": _STRING, "accepts": _list(_STRING), "params": _ANY,
    "blender": _BOOLEAN, "scoped": _BOOLEAN, "series": _list(_STRING), "workers": _WHOLE,
})  # fmt: skip
_WORKER = _object({
    "name": _STRING, "version": _STRING, "slots": _WHOLE, "busy": _WHOLE, "sandbox": _STRING, "queues": _list(_STRING),
    "series": _list(_STRING), "tasks": _list(_object({"name": _STRING, "title": _STRING})), "jobs": _list(_STRING),
})  # fmt: skip
_QUEUE = _object({"name": _STRING, "waiting": _WHOLE, "workers": _WHOLE})
_DEVICE = _object({"device_code": _STRING, "user_code": _STRING, "expires_seconds": _WHOLE, "interval_seconds": _WHOLE})
_ASKING = _object({"name": _STRING, "address": _STRING})
_STATUS = _object({"status": _STRING})


@dataclass(frozen=True, kw_only=True)
class Call:
    """What a call takes and gives, besides what FastAPI knows and what all calls have in common."""

    #: The JSON Schema of its body, None where it has none, and the body's media type.
    takes: Schema | None = None
    takes_media: str = _JSON
    #: That of its answer, None where that is no JSON, and the answer's media type, "" where it has no body.
    gives: Schema | None = None
    gives_media: str = _JSON
    #: The status where all is well, and others that are no problem.
    status: int = 200
    others: tuple[int, ...] = ()
    #: The statuses of problems of its own.
    refuses: tuple[int, ...] = ()


_PAGE = Call(gives_media=_HTML, others=(304,))
_FILE_OF_JOB = Call(gives_media="*/*", others=(206, 304), refuses=(410, 416))
_STATIC_FILE = Call(gives_media="*/*", others=(304,), refuses=(404,))

CALLS: Mapping[str, Call] = {
    "GET /v1/server": Call(gives=_SERVER),
    "GET /v1/tasks": Call(gives=_object({"tasks": _list(_TASK)})),
    "GET /v1/workers": Call(gives=_object({"workers": _list(_WORKER), "queues": _list(_QUEUE)})),
    "GET /v1/openapi.json": Call(gives=_object({"openapi": _STRING, "paths": _ANY})),
    "POST /v1/tasks/{name}/check": Call(
        takes=_object(
            {},
            params=_MAYBE_ANY,
            scene=_MAYBE_STRING,
            scoped=_BOOLEAN,
            series=_SERIES,
            big_endian=_BOOLEAN,
            host=_object({}, application=_STRING, version=_STRING),
            files=_WHOLE,
            bytes=_WHOLE,
            head=_STRING,
        ),
        gives=_object({"task": _STRING}),
    ),
    "POST /v1/chunks/missing": Call(
        takes=_object({"chunks": _list(_SHA256, maxItems=MISSING_PER_CALL)}),
        gives=_object({"missing": _list(_SHA256)}),
    ),
    "POST /v1/chunks": Call(
        takes={"type": "string", "format": "binary"},
        takes_media=PACK_MEDIA_TYPE,
        gives=_object({"chunks": _list(_SHA256), "stored": _WHOLE}),
        refuses=(507,),
    ),
    "POST /v1/jobs": Call(takes=_SUBMIT, gives=_JOB, status=202, refuses=(409, 429)),
    "GET /v1/jobs": Call(gives=_object({"jobs": _list(_JOB), "next": _MAYBE_STRING}), refuses=(403,)),
    "GET /v1/jobs/{job}": Call(gives=_JOB),
    "DELETE /v1/jobs/{job}": Call(status=204, gives_media="", refuses=(409,)),
    "POST /v1/jobs/{job}/cancel": Call(gives=_JOB),
    "POST /v1/jobs/{job}/retry": Call(gives=_JOB, status=202, refuses=(409,)),
    "GET /v1/jobs/{job}/files/{path}": _FILE_OF_JOB,
    "HEAD /v1/jobs/{job}/files/{path}": _FILE_OF_JOB,
    "POST /v1/jobs/{job}/files/{path}": Call(
        takes=_object({"access_token": _TEXT}),
        takes_media=_FORM,
        gives_media="*/*",
        others=(206, 304),
        refuses=(401, 410, 416),
    ),
    "GET /v1/jobs/{job}/log": Call(gives_media="text/plain"),
    "POST /v1/sessions": Call(
        takes=_object({"person": _TEXT, "password": _TEXT}, client=_STRING), gives=_SIGNED_IN, refuses=(401, 429)
    ),
    "GET /v1/sessions": Call(gives=_object({"sessions": _list(_SESSION)})),
    "DELETE /v1/sessions/{sid}": Call(status=204, gives_media=""),
    "POST /v1/sessions/refresh": Call(takes=_object({"refresh_token": _TEXT}), gives=_SIGNED_IN, refuses=(401,)),
    "GET /v1/sign-in": Call(gives=_object({"oidc": _MAYBE_ANY})),
    "POST /v1/device": Call(takes=_object({"name": _TEXT}), gives=_DEVICE, refuses=(429,)),
    "POST /v1/device/token": Call(takes=_object({"device_code": _TEXT}), gives=_SIGNED_IN, refuses=(401,)),
    "GET /v1/device/{user_code}": Call(gives=_ASKING, refuses=(429,)),
    "POST /v1/device/{user_code}/approve": Call(gives=_ASKING, refuses=(409, 429)),
    "POST /v1/page-codes": Call(gives=_object({"code": _STRING, "expires_seconds": _WHOLE})),
    "POST /v1/page-codes/redeem": Call(takes=_object({"code": _TEXT}), gives=_SIGNED_IN, refuses=(401, 429)),
    "GET /oidc/sign-in": Call(status=303, gives_media="", refuses=(404,)),
    "GET /oidc/callback": Call(status=303, gives_media=""),
    "GET /healthz": Call(gives=_STATUS),
    "GET /readyz": Call(gives=_STATUS),
    "GET /metrics": Call(gives_media="text/plain"),
    **{
        f"{method} {path}": _PAGE if path.startswith(("/jobs", "/device")) or path == "/" else _STATIC_FILE
        for path in (
            "/",
            "/jobs/{job}",
            "/device",
            "/page/{name}",
            "/addon/",
            "/addon/{name}",
            "/maya/",
            "/maya/{name}",
        )
        for method in ("GET", "HEAD")
    },
    **{
        f"{method} {path}": Call(status=308, gives_media="")
        for path in ("/addon", "/maya", "/jobs", "/jobs/")
        for method in ("GET", "HEAD")
    },
}


@cache
def describe(app: FastAPI) -> dict[str, Any]:
    """The whole description; raises KeyError for a call that the table lacks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # GET and HEAD share an id, which is replaced below
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
    needs_token = set(_calls_with_token(app))
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            name = f"{method.upper()} {path}"
            operation["operationId"] = name
            _describe(operation, name, CALLS[name], needs_token=name in needs_token)
    document["components"] = {
        "schemas": {"Problem": _PROBLEM},
        "securitySchemes": {_SCHEME: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
    }
    return document


def _describe(operation: dict[str, Any], name: str, call: Call, *, needs_token: bool) -> None:
    method, _, path = name.partition(" ")
    problems = {503, *call.refuses}
    if needs_token:
        operation["security"] = [{_SCHEME: []}]
        problems |= {401} if method in ("GET", "HEAD") else {401, 403}
    if "{" in path:
        problems |= {404, 405}  # 405: of another call, where a name has a slash
    if operation.get("parameters"):
        problems.add(422)
    if call.takes is not None:
        operation["requestBody"] = {"required": True, "content": {call.takes_media: {"schema": call.takes}}}
        problems |= {400, 408, 413, 422}
        if call.takes_media == _JSON:
            operation["requestBody"]["description"] = (
                f"May have a Content-Encoding: {', '.join(available_encodings())}."
            )
    well: dict[str, Any] = {"description": "As asked"}
    if call.gives_media:
        well["content"] = {call.gives_media: {} if call.gives is None else {"schema": call.gives}}
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    operation["responses"] = {
        str(call.status): well,
        **{str(status): {"description": "As asked, in another form"} for status in call.others},
        **{
            str(status): {"description": "A problem", "content": {PROBLEM_MEDIA_TYPE: problem}}
            for status in sorted(problems)
        },
    }


def _calls_with_token(app: FastAPI) -> Iterator[str]:
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and _asks_for_token(route.dependant):
            yield from (f"{method} {context.path_format}" for method in route.methods or ())


def _asks_for_token(dependant: Dependant) -> bool:
    return any(one.call is principal or _asks_for_token(one) for one in dependant.dependencies)
