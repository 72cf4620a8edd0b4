"""What holds for every answer: hosts, headers, and errors in the two shapes they come in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.browser import Screen
from tests.support.calls import Answer, Line, request
from tests.support.program import Program
from tests.web.conftest import StartProgram

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PLACES = (
    "/login",
    "/centre",
    "/qr/events",
    "/static/none.css",
    "/nothing",
    "/openapi.json",
    "/health",
    "/mp/v1/account",
)


async def raw(program: Program, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Answer:
    """Send a request as it is written, which no client library would."""
    line = await Line.open(program.deployments[0])
    await line.say(request(program.deployments[0], method, path, headers=headers, body=body))
    answer = await line.answer()
    await line.close()
    return answer


@pytest.mark.attack("W3", "Q25")
async def test_every_answer_carries_the_guarding_headers(program: Program) -> None:
    browser = await program.signed_in()
    answers = [await browser.get(path) for path in PLACES]
    answers += [await browser.submit("/logout", {}), await browser.get("/mp/v1/qr/scan")]
    answers += [await browser.caller.send("GET", "/login", headers={"Host": "other.example"})]
    style = (await (await program.browser()).open()).text.partition('rel="stylesheet" href="')[2].partition('"')[0]
    answers += [await browser.get(style)]
    assert {answer.status for answer in answers} >= {200, 308, 401, 403, 404, 405}
    for answer in answers:
        assert answer.header("X-Content-Type-Options") == "nosniff"
        assert answer.header("Referrer-Policy") == "same-origin"
        assert answer.header("Cross-Origin-Resource-Policy") == "same-origin"
        assert answer.header("Cache-Control") in {"no-store", "public, max-age=31536000, immutable"}
        assert answer.header("Server") in (None, "bjidp")
        assert answer.header("Strict-Transport-Security") is None
        assert not [name for name, _ in answer.headers if name.lower().startswith("access-control-")]
        if str(answer.header("Content-Type")).startswith("text/html"):
            policy = str(answer.header("Content-Security-Policy"))
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
            assert "unsafe" not in policy
            assert "form-action 'self'" in policy
            assert answer.header("Cross-Origin-Opener-Policy") == "same-origin"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "where"),
    [
        ("GET", "/login?tab=legal", {}, 308, "/login?tab=legal"),
        ("GET", "//evil.example/x", {}, 308, "//evil.example/x"),
        ("POST", "/qr/redeem", {}, 421, None),
        ("GET", "/mp/v1/account", {}, 421, None),
        ("GET", "/login", {"Authorization": "Bearer x"}, 421, None),
        ("GET", "/qr/channel", {"Upgrade": "websocket", "Connection": "Upgrade"}, 421, None),
        ("OPTIONS", "/login", {}, 421, None),
    ],
)
async def test_another_host_is_led_home_or_refused(
    program: Program, method: str, path: str, headers: dict[str, str], status: int, where: str | None
) -> None:
    named = request(program.deployments[0], method, path, headers=headers)
    own = f"Host: {program.deployments[0].authority}"
    for host in ("other.example", "127.0.0.1", "127.0.0.1:1", "localhost", f"{own[6:]}.", ""):
        line = await Line.open(program.deployments[0])
        await line.say(named.replace(own.encode(), f"Host: {host}".encode()))
        answer = await line.answer()
        await line.close()
        assert answer.verdict == (status, "misdirected" if status == 421 else "")
        assert answer.header("Location") == (None if where is None else program.url + where)


@pytest.mark.req("OPS-3")
@pytest.mark.parametrize("path", ["/health", "/ready"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("host", ["10.1.2.3:8080", "other.example", ""])
async def test_a_load_balancer_is_answered_under_the_address_it_probes(
    program: Program, method: str, path: str, host: str
) -> None:
    answer = await (await program.caller()).send(method, path, headers={"Host": host})
    assert answer.status == 200


async def test_an_absolute_request_target_does_not_choose_the_host(program: Program) -> None:
    answer = await raw(program, "GET", "http://evil.example/nothing", {})
    assert answer.verdict == (404, "not_found")


async def test_a_head_is_a_get_without_its_body(program: Program) -> None:
    browser = await program.signed_in()
    for path, status in (("/login", 200), ("/nothing", 404), ("/qr/channel", 405), ("/health", 200)):
        answer = await browser.caller.send("HEAD", path, headers=browser.headers())
        assert (answer.status, answer.body) == (status, b"")
        assert answer.header("X-Content-Type-Options") == "nosniff"


@pytest.mark.req("UX-5")
@pytest.mark.parametrize(
    ("method", "path", "body", "verdict"),
    [
        ("GET", "/nothing", b"", (404, "not_found")),
        ("GET", "/login/", b"", (404, "not_found")),
        ("GET", "/login/x", b"", (404, "not_found")),
        ("GET", "/LOGIN", b"", (404, "not_found")),
        ("GET", "/static/../../etc/passwd", b"", (404, "not_found")),
        ("GET", "/static/%2e%2e%2f%2e%2e%2fetc%2fpasswd", b"", (404, "not_found")),
        ("GET", "/mp/v1/nothing", b"", (404, "not_found")),
        ("POST", "/mp/v1/paypal/session", b"{}", (404, "not_found")),
        ("POST", "/mp/v1/baidu/session", b'{"code":"x"}', (404, "not_found")),
        ("POST", "/help", b"", (405, "method_not_allowed")),
        ("PUT", "/qr/redeem", b"", (405, "method_not_allowed")),
        ("OPTIONS", "/mp/v1/account", b"", (405, "method_not_allowed")),
        ("POST", "/mp/v1/wechat/session", b" " * (65 * 1024), (413, "too_large")),
    ],
)
async def test_what_is_not_there_is_told_in_one_shape(
    program: Program, method: str, path: str, body: bytes, verdict: tuple[int, str]
) -> None:
    answer = await raw(program, method, path, {"Content-Type": "application/json"}, body)
    assert answer.verdict == verdict
    if answer.status == 405:
        assert answer.header("Allow")


async def test_a_program_gets_a_problem_document_and_a_person_a_page(program: Program) -> None:
    caller = await program.caller()
    document = await caller.send("GET", "/nothing")
    assert document.header("Content-Type") == "application/problem+json"
    told = document.json()
    assert set(told) == {"type", "title", "status", "detail", "code"}
    assert (told["type"], told["status"], told["code"]) == ("about:blank", 404, "not_found")
    assert told["title"]
    assert told["detail"]

    page = await caller.send("GET", "/nothing", headers=HTML)
    assert (page.status, page.header("Content-Type")) == (404, "text/html; charset=utf-8")
    assert told["title"] in page.text
    assert told["detail"] in page.text
    assert 'href="/login"' in page.text


async def test_a_missing_token_is_answered_as_http_wants_it(program: Program) -> None:
    answer = await (await program.caller()).send("GET", "/mp/v1/account")
    assert answer.verdict == (401, "token_invalid")
    assert answer.header("WWW-Authenticate") == "Bearer"


@pytest.mark.attack("Q24")
@pytest.mark.parametrize("headers", [{}, HTML])
async def test_an_unexpected_error_says_nothing_and_logs_no_value(
    program: Program, capsys: pytest.CaptureFixture[str], headers: dict[str, str]
) -> None:
    values = ("陈雨桐", "11010119900307")

    async def fails() -> None:
        raise LookupError(*values)

    program.meddler.before_next("browsers.add", fails)
    capsys.readouterr()
    answer = await (await program.caller()).send("GET", "/login", headers=headers)
    assert answer.status == 500
    assert not any(value in answer.text for value in values)
    assert "LookupError" not in answer.text
    logged = "".join(capsys.readouterr())
    assert "unhandled_error" in logged
    assert "LookupError" in logged
    assert "meddling.py" in logged
    assert not any(value in logged for value in values)


# -------------------------------------------------------------------------------------------------------- JSON bodies

SESSION = "/mp/v1/wechat/session"
REGISTRATION = "/mp/v1/wechat/registration"
SECRET = "s" * 43
WHOLE: Mapping[str, object] = {
    "registration": SECRET,
    "document_type": "resident_id",
    "name": "x",
    "document_number": "x",
    "valid_days": 30,
    "agreed": ["terms", "privacy"],
}


def shape(path: str, value: Any, field: str, code: str) -> Any:  # noqa: ANN401 - any JSON
    return pytest.param(path, json.dumps(value).encode(), field, code, id=f"{path.rpartition('/')[2]}-{field}-{code}")


@pytest.mark.attack("Q9", "Q27")
@pytest.mark.parametrize(
    ("path", "body", "field", "code"),
    [
        (SESSION, b"", "", "json"),
        (SESSION, b"{", "", "json"),
        (SESSION, b"\xff\xfe", "", "json"),
        (SESSION, b'{"code":"\xff"}', "", "json"),
        (SESSION, b"[" * 30_000, "", "invalid"),
        (SESSION, b'{"code":' + b"[" * 20_000, "code", "invalid"),
        (SESSION, b'{"code":"\\ud800"}', "", "json"),
        shape(SESSION, [], "", "invalid"),
        shape(SESSION, "x", "", "invalid"),
        shape(SESSION, None, "", "invalid"),
        shape(SESSION, {}, "code", "missing"),
        shape(SESSION, {"code": None}, "code", "invalid"),
        shape(SESSION, {"code": 7}, "code", "invalid"),
        shape(SESSION, {"code": ""}, "code", "invalid"),
        shape(SESSION, {"code": ["x"]}, "code", "invalid"),
        shape(SESSION, {"code": {"$ne": 1}}, "code", "invalid"),
        shape(SESSION, {"code": "x" * 513}, "code", "invalid"),
        shape(SESSION, {"code": "x\n"}, "code", "invalid"),
        shape(SESSION, {"code": "中"}, "code", "invalid"),
        shape(SESSION, {"code": "x", "openid": "y"}, "openid", "unknown"),
        shape(REGISTRATION, {**WHOLE, "valid_days": 31}, "valid_days", "invalid"),
        shape(REGISTRATION, {**WHOLE, "valid_days": "30"}, "valid_days", "invalid"),
        shape(REGISTRATION, {**WHOLE, "valid_days": True}, "valid_days", "invalid"),
        shape(REGISTRATION, {**WHOLE, "document_type": "passport"}, "document_type", "invalid"),
        shape(REGISTRATION, {**WHOLE, "agreed": ["all"]}, "agreed[0]", "invalid"),
        shape(REGISTRATION, {**WHOLE, "agreed": "terms"}, "agreed", "invalid"),
        shape(REGISTRATION, {**WHOLE, "registration": SECRET + "\n"}, "registration", "invalid"),
        shape(REGISTRATION, {**WHOLE, "account": "x"}, "account", "unknown"),
        shape("/qr/tickets", {"flow": 1}, "flow", "invalid"),
        shape("/qr/tickets", {"ticket": "A" * 22}, "ticket", "unknown"),
        shape("/qr/redeem", {}, "grant", "missing"),
        shape("/qr/redeem", {"grant": "x", "code": 7}, "code", "invalid"),
        shape("/qr/redeem", {"grant": "x", "code": "07", "next": "https://evil.example"}, "next", "unknown"),
        shape("/mp/v1/qr/scan", {"text": "x"}, "scene", "missing"),
        shape("/mp/v1/qr/scan", {"text": "x", "scene": "0"}, "scene", "invalid"),
        shape("/mp/v1/qr/scan", {"text": "x", "scene": 1.5}, "scene", "invalid"),
        shape("/mp/v1/qr/scan", {"text": "x", "scene": -1}, "scene", "invalid"),
        shape("/mp/v1/qr/scan", {"text": "x" * 513, "scene": 0}, "text", "invalid"),
        shape("/mp/v1/qr/confirm", {"ticket": "x", "confirm_token": "y", "user_id": "z"}, "user_id", "unknown"),
        shape("/mp/v1/qr/reject", {"ticket": "x", "confirm_token": "y", "report": "no"}, "report", "invalid"),
        shape("/mp/v1/session/refresh", {"refresh_token": ""}, "refresh_token", "invalid"),
    ],
)
async def test_a_body_of_another_shape_names_the_field(
    program: Program, path: str, body: bytes, field: str, code: str
) -> None:
    browser = await program.browser()
    headers = browser.headers(program.url) | {"Content-Type": "application/json"}
    answer = await browser.caller.send("POST", path, headers=headers, body=body)
    assert answer.verdict == (400, "invalid_request")
    assert answer.json()["errors"] == [{"field": field, "code": code}]


@pytest.mark.attack("W1")
@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
async def test_json_has_to_be_called_json(program: Program, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = await (await program.caller()).send("POST", SESSION, headers=headers, body=b'{"code":"x"}')
    assert answer.verdict == (400, "invalid_request")
    assert answer.json()["errors"] == [{"field": "", "code": "content_type"}]


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", b"no gzip"), ("deflate", b"\x78\x9c\xff"), ("gzip", b""), ("br", b"x"), ("gzip, gzip", b"x")],
)
async def test_a_body_that_cannot_be_unpacked_is_no_fault_of_the_server(
    program: Program, encoding: str, body: bytes
) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    answer = await raw(program, "POST", SESSION, headers, body)
    assert answer.status == 400


# ------------------------------------------------------------------------------------------------------------- health


@pytest.mark.req("OPS-5", "OPS-4")
async def test_health_says_that_it_lives_and_ready_that_it_can_serve(program: Program) -> None:
    caller = await program.caller()
    for path in ("/health", "/ready"):
        answer = await caller.send("GET", path)
        assert (answer.status, answer.json()) == (200, {"status": "ok", "sandbox": True})
    await program.rooms.stores.closes[0]()
    assert (await caller.send("GET", "/health")).status == 200
    answer = await caller.send("GET", "/ready")
    assert (answer.status, answer.json()["status"]) == (503, "unavailable")


@pytest.mark.req("UX-6")
async def test_static_files_are_packed_for_who_accepts_it_and_never_change(program: Program) -> None:
    browser = await program.browser()
    page = await browser.open()
    addresses = {part.partition('"')[0] for part in page.text.split('"/static/')[1:]}
    assert len(addresses) > 5
    for address in addresses:
        plain = await raw(program, "GET", f"/static/{address}", {})
        assert plain.status == 200
        assert plain.header("Content-Encoding") is None
        assert plain.header("Cache-Control") == "public, max-age=31536000, immutable"
        assert plain.header("Vary") == "Accept-Encoding"
        packed = await raw(program, "GET", f"/static/{address}", {"Accept-Encoding": "gzip"})
        assert packed.header("Content-Encoding") == "gzip"
        assert len(packed.body) < len(plain.body)


@pytest.mark.attack("T10", "P4")
async def test_headers_of_a_proxy_nobody_trusts_change_nothing(start_program: StartProgram) -> None:
    program = await start_program()
    browser = await program.browser()
    await browser.open("/login", **{"X-Forwarded-For": "198.51.100.7", "X-Real-IP": "198.51.100.7"})
    browser.user_agent = "Safe - approve me"
    answer = await browser.tickets(**{"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"})
    prefix = answer.json()["prefix"]
    assert prefix == f"{program.url}/q/"
    scanned = await program.scanned(await program.phone(), Screen(answer.json()))
    assert (scanned["request"]["browser"], scanned["request"]["os"]) == ("unknown", "unknown")
