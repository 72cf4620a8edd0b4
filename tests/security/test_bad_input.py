"""Bodies, values and paths nobody sends in good faith: a 4xx that names the fault, nothing changed (attack Q27)."""

from __future__ import annotations

import gzip
import json
from typing import Any, Final

import pytest

from tests.support.browser import Browser
from tests.support.calls import Answer, Caller, Line, request
from tests.support.crowd import Crowd
from tests.support.login import approved

VALUES: Final[tuple[Any, ...]] = (
    "",
    None,
    True,
    -1,
    0.5,
    10**30,
    [],
    ["A" * 22],
    {},
    {"$ne": 1},
    "A" * 10_240,
    "Ａ" * 22,
    "А" * 22,
    "\u202e" + "A" * 21,
    "A" * 21 + "\u0000",
    "../" * 8,
    "A" * 22 + "\n",
)
"""Whatever a field is not: wrong types, look-alikes, operators of other languages, too much of it."""

BODIES: Final[tuple[bytes, ...]] = (
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"{",
    b"{}x",
    b"\xff\xfe{}",
    b'{"text":"\xc3\x28"}',
    b'{"text":"\\ud800","scene":0}',
    b'{"ticket":"\\udfff","confirm_token":"\\ud800"}',
    b'{"grant":"\\ud800"}',
    b'{"code":"\\ud800"}',
    b'{"a":1e999999}',
    b"[" * 30_000,
    b'{"text":' + b"[" * 20_000 + b"]" * 20_000 + b',"scene":0}',
    b'{"a":' * 8_000 + b"1" + b"}" * 8_000,
    json.dumps({f"field{number}": number for number in range(2000)}).encode(),
)


def calls(caller: Caller, browser: Browser, bearer: dict[str, str]) -> dict[str, tuple[dict[str, str], dict[str, Any]]]:
    """Return every call that takes a body: its headers and a body of the right shape with values of nobody's."""
    page = browser.headers(caller.to.url)
    registration = {
        "registration": "A" * 43,
        "document_type": "resident_id",
        "name": "张三",
        "document_number": "100101199604122049",
        "valid_days": 7,
        "agreed": ["terms", "privacy"],
    }
    return {
        "/mp/v1/wechat/session": ({}, {"code": "nobody"}),
        "/mp/v1/alipay/registration": ({}, registration),
        "/mp/v1/baidu/registration/complete": ({}, {"registration": "A" * 43}),
        "/mp/v1/session/refresh": ({}, {"refresh_token": "nobody"}),
        "/mp/v1/qr/scan": (bearer, {"text": "nothing of ours", "scene": 1012}),
        "/mp/v1/qr/confirm": (bearer, {"ticket": "A" * 22, "confirm_token": "A" * 43}),
        "/mp/v1/qr/reject": (bearer, {"ticket": "A" * 22, "confirm_token": "A" * 43, "report": False}),
        "/qr/redeem": (page, {"grant": "A" * 43, "code": "00"}),
        "/qr/tickets": (page, {"flow": "A" * 22}),
    }


def assert_refused(answer: Answer, what: object) -> None:
    """Check that an answer is a problem document that blames the caller."""
    assert 400 <= answer.status < 500, (what, answer)
    assert answer.code, (what, answer)
    assert not answer.cookies


@pytest.mark.attack("Q27", "Q9")
async def test_no_field_takes_what_it_is_not(caller: Caller, crowd: Crowd) -> None:
    """Each field has a type, a length and an alphabet, checked before anything is looked up; others are unknown."""
    phone = await crowd.apart(caller)
    browser = Browser(caller)
    screen = await browser.screen()
    scanned = await phone.takes(screen)
    for path, (headers, good) in calls(caller, browser, phone.bearer).items():
        for field in good:
            for value in VALUES:
                if value is None and field in {"flow", "code"} and path.startswith("/qr/"):
                    continue  # These two may be left out, and so be null.
                answer = await caller.post(path, good | {field: value}, headers=headers)
                assert_refused(answer, (path, field, str(value)[:40]))
            without = {name: value for name, value in good.items() if name != field}
            if field not in {"report", "code", "flow"} or path == "/mp/v1/wechat/session":
                assert (await caller.post(path, without, headers=headers)).verdict == (400, "invalid_request")
        for name in ("user_id", "__proto__", "constructor", "", "status", "$where", "类型"):
            answer = await caller.post(path, good | {name: 1}, headers=headers)
            assert answer.verdict == (400, "invalid_request"), (path, name)
            (fault,) = answer.json()["errors"]
            assert fault["code"] in {"unknown", "invalid"}
    assert (await phone.confirm(scanned)).status == 200


@pytest.mark.attack("Q27")
async def test_no_body_breaks_the_server(caller: Caller, crowd: Crowd) -> None:
    """Half a document, a deep one, a big one, a packed one, another type: refused, and the ticket is as it was."""
    phone = await crowd.phone(caller)
    browser = Browser(caller)
    screen = await browser.screen()
    scanned = await phone.takes(screen)
    json_type = {"Content-Type": "application/json"}
    for path, (headers, good) in calls(caller, browser, phone.bearer).items():
        for body in BODIES:
            answer = await caller.send("POST", path, headers={**headers, **json_type}, body=body)
            assert answer.verdict == (400, "invalid_request"), (path, body[:40])
        whole = json.dumps(good).encode()
        for kind in ("text/plain", "text/json", "application/xml", "multipart/form-data; boundary=x", "", "x"):
            answer = await caller.send("POST", path, headers={**headers, "Content-Type": kind}, body=whole)
            assert answer.verdict == (400, "invalid_request"), (path, kind)
        padded = whole[:-1] + b" " * 70_000 + whole[-1:]
        answer = await caller.send("POST", path, headers={**headers, **json_type}, body=padded)
        assert answer.verdict == (413, "too_large"), path
        packed = {**headers, **json_type, "Content-Encoding": "gzip"}
        # The first is unpacked by the time its head is read; the second has to be waited for.
        for blanks in (100_000, 5_000_000):
            bomb = gzip.compress(whole[:-1] + b" " * blanks + whole[-1:])
            answer = await caller.send("POST", path, headers=packed, body=bomb)
            assert answer.verdict == (413, "too_large"), (path, blanks)
    assert (await browser.events()).json()["type"] == "scanned"
    assert (await phone.confirm(scanned)).status == 200


@pytest.mark.attack("Q27", "Q12")
async def test_a_member_given_twice_gains_nothing(caller: Caller, crowd: Crowd) -> None:
    """Of two values of one member the last is read, by every part of the server alike."""
    phone = await crowd.phone(caller)
    browser = Browser(caller)
    scanned = await phone.takes(await browser.screen())
    good, bad = scanned["confirm_token"], "A" * 43
    body = f'{{"ticket":"{scanned["ticket"]}","confirm_token":"{good}","confirm_token":"{bad}"}}'
    headers = {**phone.bearer, "Content-Type": "application/json"}
    answer = await caller.send("POST", "/mp/v1/qr/confirm", headers=headers, body=body.encode())
    assert answer.verdict in {(403, "confirm_refused"), (400, "invalid_request")}
    assert (await browser.events()).json()["type"] == "scanned"


@pytest.mark.attack("Q27")
async def test_a_body_that_is_sent_in_pieces_is_counted_too(caller: Caller) -> None:
    """A body without a length is bounded as one with."""
    piece = b" " * 8_000
    chunk = f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    head = (
        f"POST /qr/redeem HTTP/1.1\r\nHost: {caller.to.authority}\r\nOrigin: {caller.to.url}\r\nConnection: close\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
    ).encode()
    line = await Line.open(caller.to)
    await line.say(head)
    # It waits for the body by now: what came with the head would be counted at another place.
    assert (await line.answer()).status == 100
    await line.say(chunk * 10 + b"0\r\n\r\n")
    answer = await line.answer()
    await line.close()
    assert answer.verdict == (413, "too_large")


@pytest.mark.attack("Q27")
async def test_no_header_query_or_path_breaks_the_server(caller: Caller, crowd: Crowd) -> None:
    """Whatever comes in a cookie, a header, a query or a path: an answer of the 4xx kind, or the page itself."""
    browser = Browser(caller)
    await browser.screen()
    answers: list[Answer] = []
    for value in ("abc", "-1", "1.5", "٣", "1" * 30, "", "%00", "1;2"):
        for name in ("after", "wait"):
            path = f"/qr/events?flow={browser.flow}&{name}={value}"
            answers.append(await caller.send("GET", path, headers=browser.headers()))
    for flow in ("", "%00", "%ff", "A" * 4000, "../..", "a&flow=b"):
        for path in ("/qr/events", "/qr/image", "/qr/state", "/qr/channel"):
            asked = caller.send("GET", f"{path}?flow={flow}", headers=browser.headers())
            answers.append(await asked)
    for path in (
        "/%00",
        "/%ff",
        "/q/%ff%00",
        "/static/%2e%2e/%2e%2e/server.toml",
        "/static//etc/passwd",
        "/mp/v1/%00/session",
    ):
        asked = caller.send("GET", path)
        answers.append(await asked)
    for cookie in ("\xff" * 43, "A" * 4000, "\x01", '"' * 10, "=;=;=", "A" * 43, "é" * 43):
        for name in ("bjidp_browser", "bjidp_session"):
            sent = {"Cookie": f"{caller.to.cookie(name)}={cookie}"}
            for path in ("/login", "/centre", "/qr/events"):
                line = await Line.open(caller.to)
                await line.say(request(caller.to, "GET", path, headers=sent))
                answers.append(await line.answer())
                await line.close()
    for value in ("Bearer \xff", "Bearer", "Basic QTpB", "Bearer " + "A" * 4000, "Bearer a.b.c", "bearer \x00"):
        line = await Line.open(caller.to)
        await line.say(request(caller.to, "GET", "/mp/v1/account", headers={"Authorization": value}))
        answers.append(await line.answer())
        await line.close()
    assert not [answer for answer in answers if answer.status >= 500]
    assert not [answer for answer in answers if b"root:" in answer.body or b"Traceback" in answer.body]
    assert (await browser.events()).status == 200


@pytest.mark.attack("Q28", "Q27")
async def test_every_address_takes_its_own_methods_only(caller: Caller, crowd: Crowd) -> None:
    """What changes something is no GET, and a grant in an address redeems nothing."""
    ready = await approved(caller, await crowd.phone(caller))
    posts = [*calls(caller, ready.browser, {}), "/logout", "/not-me", "/qr/renew"]
    for path in posts:
        for method in ("GET", "HEAD", "PUT", "PATCH", "OPTIONS"):
            sent = ready.browser.headers(caller.to.url)
            answer = await caller.send(method, f"{path}?grant={ready.grant}", headers=sent)
            assert answer.status == 405, (method, path)
            assert not answer.cookies
    assert (await ready.browser.redeem(ready.grant, ready.code)).status == 200
