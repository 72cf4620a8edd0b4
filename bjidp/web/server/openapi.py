"""``/openapi.json``: the JSON calls, described in OpenAPI 3.1 by the very types that decode and encode them.

Owns the description and its route.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from aiohttp import web

from bjidp.errors import FieldFault
from bjidp.web.http.calls import Call, Proof
from bjidp.web.server.problems import STATUS

PROBLEM: Final = {
    "type": "object",
    "description": "A problem document (RFC 9457). `code` is stable; further members depend on it.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"const": "about:blank"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/FieldFault"}},
    },
}


PLACES: Final = {"platform": {"enum": ["wechat", "alipay", "baidu"]}}
"""What may stand in a path, where that is a closed list."""


def describe(calls: tuple[Call, ...], *, version: str, url: str, browser_cookie: str) -> bytes:
    """Return the OpenAPI document of ``calls`` as JSON."""
    named_types = {kind for call in calls for kind in _types(call) if kind is not None}
    types = sorted(named_types | {FieldFault}, key=lambda kind: kind.__name__)
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    named = dict(zip(types, schemas, strict=True))
    paths: dict[str, dict[str, object]] = {}
    for call in calls:
        paths.setdefault(call.path, {})[call.method.lower()] = _operation(call, named)
    document = {
        "openapi": "3.1.0",
        "info": {"title": "bjidp", "version": version},
        "servers": [{"url": url}],
        "paths": paths,
        "components": {
            "schemas": components | {"Problem": PROBLEM},
            "securitySchemes": {
                Proof.BEARER.value: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                Proof.BROWSER.value: {"type": "apiKey", "in": "cookie", "name": browser_cookie},
            },
        },
    }
    return msgspec.json.encode(document)


def mount(app: web.Application, document: bytes) -> None:
    """Add the route."""

    async def serve(_: web.Request) -> web.Response:
        return web.Response(body=document, content_type="application/json")

    app.router.add_get("/openapi.json", serve)


def _types(call: Call) -> tuple[type[msgspec.Struct] | None, ...]:
    return (*call.answers, *(outcome.answer for outcome in call.others), call.body, call.form)


def _operation(call: Call, named: dict[type[msgspec.Struct], dict[str, Any]]) -> dict[str, object]:
    place = call.path.strip("/").translate(str.maketrans("/", "_", "{}"))
    names = [part[1:-1] for part in call.path.split("/") if part.startswith("{")]
    parameters: list[dict[str, object]] = [
        {"name": name, "in": "path", "required": True, "schema": PLACES.get(name, {"type": "string"})} for name in names
    ]
    parameters += [
        {"name": name, "in": "query", "required": False, "schema": {"type": kind}} for name, kind in call.query
    ]
    operation: dict[str, object] = {
        "summary": call.summary,
        "operationId": f"{call.method.lower()}_{place}",
        "responses": _responses(call, named),
    }
    if parameters:
        operation["parameters"] = parameters
    if call.proof is not Proof.NOTHING:
        operation["security"] = [{call.proof.value: []}]
    taken = {"application/json": call.body, "application/x-www-form-urlencoded": call.form}
    content = {kind: {"schema": named[body]} for kind, body in taken.items() if body is not None}
    if content:
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _responses(call: Call, named: dict[type[msgspec.Struct], dict[str, Any]]) -> dict[str, object]:
    good: dict[str, object] = {"description": call.summary}
    if call.answers:
        shapes = [named[kind] for kind in call.answers]
        good["content"] = {"application/json": {"schema": shapes[0] if len(shapes) == 1 else {"oneOf": shapes}}}
    responses: dict[str, object] = {str(int(call.status)): good}
    for outcome in call.others:
        other: dict[str, object] = {"description": outcome.when}
        if outcome.answer is not None:
            other["content"] = {"application/json": {"schema": named[outcome.answer]}}
        responses[str(int(outcome.status))] = other
    for code in call.errors:
        status = str(int(STATUS[code]))
        described = responses.get(status)
        known = described["description"] if isinstance(described, dict) else ""
        responses[status] = {
            "description": f"{known}, `{code}`" if known else f"`{code}`",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    return responses
