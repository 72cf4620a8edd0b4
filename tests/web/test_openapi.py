"""``/openapi.json``: a valid description of exactly the JSON calls there are, true for what they answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from aiohttp import web

from bjidp.web.server.problems import STATUS
from tests.support.calls import Answer
from tests.support.phone import pressed
from tests.support.program import Program

Document = dict[str, Any]

_METHODS: Final = {"get", "post", "put", "delete", "patch", "head", "options"}
_PYTHON_ONLY: Final = re.compile(r"\(\?[PiaLmsux#]|\\[AZz]|[*+?}]\+|\(\?>")
"""What Python's regular expressions have and ECMA-262's, which JSON Schema asks for, have not."""

_READ: Final = {
    "$ref", "type", "title", "description", "properties", "required", "additionalProperties", "items", "const", "enum",
    "anyOf", "oneOf", "default", "minLength", "maxLength", "pattern", "minimum", "maximum", "minItems", "maxItems",
    "discriminator",
}  # fmt: skip
"""Keywords of JSON Schema that the description may use; lengths and bounds are watched by the bodies' own tests."""

_IS: Final[dict[str, Callable[[object], bool]]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}


@pytest.fixture
async def document(program: Program) -> Document:
    answer = await (await program.caller()).send("GET", "/openapi.json")
    assert (answer.status, answer.header("Content-Type")) == (200, "application/json")
    return answer.json()


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def walk(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner)


# ------------------------------------------------------------------------------------------------- a JSON Schema reader


def faults(document: Document, schema: Document, value: object, at: str = "$") -> Iterator[str]:
    """Yield where a value does not fit a schema; a keyword that is not read here is a fault of the test."""
    assert set(schema) <= _READ, set(schema) - _READ
    if "$ref" in schema:
        yield from faults(document, resolved(document, schema["$ref"]), value, at)
        return
    for word, most in (("anyOf", 9), ("oneOf", 1)):
        fitting = [part for part in schema.get(word, ()) if not list(faults(document, part, value, at))]
        if word in schema and not 1 <= len(fitting) <= most:
            yield f"{at} fits {len(fitting)} of {word}"
    if ("const" in schema and value != schema["const"]) or value not in schema.get("enum", [value]):
        yield f"{at} is not one of the values"
    if "type" in schema and not _IS[schema["type"]](value):
        yield f"{at} is no {schema['type']}"
    elif isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{at} is not {schema['pattern']}"
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from faults(document, schema.get("items", {}), item, f"{at}[{number}]")
    elif isinstance(value, dict):
        yield from _member_faults(document, schema, value, at)


def _member_faults(document: Document, schema: Document, value: Document, at: str) -> Iterator[str]:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    yield from (f"{at}.{name} is missing" for name in schema.get("required", ()) if name not in value)
    for name, inner in value.items():
        described = properties.get(name, others)
        if isinstance(described, dict):
            yield from faults(document, described, inner, f"{at}.{name}")
        elif described is False:
            yield f"{at}.{name} is not described"


def resolved(document: Document, reference: str) -> Document:
    found: Any = document
    assert reference.startswith("#/")
    for step in reference[2:].split("/"):
        found = found[step]
    assert isinstance(found, dict)
    return found


def described(document: Document, method: str, path: str, answer: Answer) -> list[str]:
    """Return where an answer differs from what is described."""
    operation = document["paths"][path][method]
    response = operation["responses"].get(str(answer.status))
    assert response is not None, (method, path, answer.status)
    if "content" not in response:
        return [] if answer.body == b"" else ["a body nobody described"]
    content = response["content"][str(answer.header("Content-Type"))]
    if answer.status >= 400:
        assert f"`{answer.code}`" in response["description"], (path, answer.code)
    return list(faults(document, content["schema"], answer.json()))


# -------------------------------------------------------------------------------------------------------- its structure


@pytest.mark.req("OPS-5")
def test_it_is_an_openapi_3_1_document(document: Document) -> None:
    assert document["openapi"].startswith("3.1.")
    assert set(document) <= {"openapi", "info", "servers", "paths", "components", "tags", "security"}
    assert set(document["info"]) >= {"title", "version"}
    assert set(document["components"]) <= {"schemas", "securitySchemes", "parameters", "responses"}
    identifiers = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(identifiers) == len(set(identifiers))
    for method, path, operation in operations(document):
        assert method in _METHODS
        assert path.startswith("/")
        assert set(operation) <= {"summary", "operationId", "responses", "parameters", "security", "requestBody"}
        declared = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
        assert declared == set(re.findall(r"\{(\w+)\}", path))
        for parameter in operation.get("parameters", ()):
            assert set(parameter) == {"name", "in", "required", "schema"}
            assert parameter["in"] in {"path", "query"}
            assert parameter["required"] is (parameter["in"] == "path")
        for requirement in operation.get("security", ()):
            assert set(requirement) <= set(document["components"]["securitySchemes"])
        for status, response in operation["responses"].items():
            assert re.fullmatch(r"[2-5]\d\d", status)
            assert response["description"]
            assert set(response) <= {"description", "content"}
        if method == "get":
            assert "requestBody" not in operation


def test_every_reference_leads_somewhere_and_every_schema_is_used(document: Document) -> None:
    used = {part["$ref"] for part in walk(document) if "$ref" in part}
    for reference in used:
        resolved(document, reference)
    assert used == {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}


def test_every_pattern_is_one_that_ecmascript_reads_alike(document: Document) -> None:
    patterned = [part for part in walk(document) if isinstance(part.get("pattern"), str)]
    assert patterned
    for part in patterned:
        pattern = part["pattern"]
        re.compile(pattern)
        assert not _PYTHON_ONLY.search(pattern), pattern
        assert pattern.startswith("^")
        # In Python `$` also matches before a last line end, in ECMA-262 it does not: both have to refuse that.
        for text in ("07\n", "A" * 43 + "\n"):
            assert len(text) > part.get("maxLength", 512) or not re.search(pattern, text), pattern


def test_it_describes_exactly_the_calls_there_are(program: Program, document: Document) -> None:
    (application,) = [runner.app for runner in program.runners]
    assert isinstance(application, web.Application)
    mounted = {
        (route.method.lower(), route.resource.canonical)
        for route in application.router.routes()
        if route.resource is not None
    }
    calls = {(method, path) for method, path, _ in operations(document)}
    assert calls <= mounted
    of_programs = {call for call in mounted if call[1].startswith(("/mp/", "/qr/", "/captcha", "/dispatches/"))}
    of_pages = {
        ("get", "/qr/channel"), ("get", "/qr/image"), ("get", "/qr/state"), ("post", "/qr/renew"),
        ("get", "/captcha/{id}.png"), ("get", "/captcha/{id}.wav"),
    }  # fmt: skip
    assert of_programs - of_pages == calls


def test_every_error_it_names_has_its_status(document: Document) -> None:
    named = 0
    for _, _, operation in operations(document):
        for status, response in operation["responses"].items():
            for code in re.findall(r"`(\w+)`", response["description"]):
                assert int(STATUS[code]) == int(status)
                named += 1
    assert named > 50


# --------------------------------------------------------------------------------------------------------- its promises


@pytest.mark.req("LOG-2", "LOG-7", "REG-7")
async def test_the_answers_of_a_whole_login_are_as_described(program: Program, document: Document) -> None:
    asked: list[tuple[str, str, Answer]] = []
    browser = await program.browser()
    screen = await browser.screen()
    asked.append(("post", "/qr/tickets", browser.caller.heard[-1]))
    phone = await program.phone()
    mini = "/mp/v1/{platform}"
    registered = phone.caller.heard
    asked += zip(
        ["post"] * 3, [f"{mini}/session", f"{mini}/registration", f"{mini}/registration/complete"], registered,
        strict=True,
    )  # fmt: skip

    scanned = await phone.scan(program.frame(screen))
    asked.append(("post", "/mp/v1/qr/scan", scanned))
    asked.append(("get", "/qr/events", await browser.events()))
    asked.append(("get", "/qr/events", await browser.events(99)))
    asked.append(("post", "/mp/v1/qr/confirm", await phone.confirm(scanned.json())))
    asked.append(("post", "/mp/v1/qr/confirm", await phone.confirm(scanned.json())))
    approved = await browser.events()
    asked.append(("get", "/qr/events", approved))
    asked.append(("post", "/qr/redeem", await browser.copy().redeem("A" * 43)))
    asked.append(("post", "/qr/redeem", await browser.redeem(approved.json()["grant"])))
    asked.append(("post", "/qr/tickets", await browser.tickets()))
    asked.append(("get", "/mp/v1/account", await phone.account()))
    asked.append(("post", "/mp/v1/session/refresh", await phone.refresh()))
    given = await pressed(phone.caller, phone.platform, phone.person.id)
    asked += [("post", f"{mini}/phone", await phone.bind(given)) for _ in range(2)]
    nobodys = {"registration": "A" * 43, "mine": True}
    claimed = await phone.caller.post("/mp/v1/wechat/registration/claim", nobodys)
    asked.append(("post", f"{mini}/registration/claim", claimed))

    second = await (await program.browser()).screen()
    refused = await phone.scan(program.frame(second), 1012)
    asked.append(("post", "/mp/v1/qr/scan", refused))
    taken = (await phone.scan(program.frame(second))).json()
    asked.append(("post", "/mp/v1/qr/reject", await phone.reject(taken)))
    asked.append(("post", "/mp/v1/qr/scan", await phone.scan("nothing of ours")))
    asked.append(("post", f"{mini}/session", await phone.caller.post("/mp/v1/wechat/session", {})))
    asked.append(
        ("delete", "/mp/v1/session", await phone.caller.send("DELETE", "/mp/v1/session", headers=phone.bearer))
    )
    asked.append(("get", "/mp/v1/account", await phone.account()))

    assert {answer.status for _, _, answer in asked} >= {200, 204, 400, 401, 403, 404, 409}
    wrong = [
        (method, path, fault) for method, path, answer in asked for fault in described(document, method, path, answer)
    ]
    assert wrong == []


async def test_what_the_description_takes_the_calls_take(program: Program, document: Document) -> None:
    schema = document["paths"]["/qr/tickets"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    browser = await program.browser()
    await browser.open()
    bodies: list[object] = [{}, {"flow": None}, {"flow": browser.flow}, {"flow": 1}, {"more": 1}, []]
    for body in bodies:
        fits = not list(faults(document, schema, body))
        answer = await browser.caller.post("/qr/tickets", body, headers=browser.headers(program.url))
        assert (answer.status == 200) is fits, body


@pytest.mark.req("UX-4")
async def test_a_form_is_taken_and_answered_as_described(program: Program, document: Document) -> None:
    operation = document["paths"]["/qr/redeem"]["post"]
    schema = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    browser, _, message = await program.approved()
    for fields in ({"grant": message["grant"]}, {"grant": message["grant"], "csrf": browser.csrf}):
        fits = not list(faults(document, schema, fields))
        answer = await browser.submit("/qr/redeem", fields)
        assert (answer.status == 303) is fits
        assert str(answer.status) in operation["responses"]
    assert "content" not in operation["responses"]["303"]
