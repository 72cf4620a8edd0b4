"""Connections below the requests: silence, noise, and how many of them one peer may have."""

from __future__ import annotations

import asyncio
import json

import pytest
from structlog.testing import capture_logs

from bjidp.throttle.source import Source
from bjidp.web.server.connections import HEAD, IDLE, LINGER, PEER_MAX, Peers, TooManyConnections
from tests.support.calls import Line, request
from tests.support.program import Program
from tests.web.conftest import StartProgram

SECRET = "value-of-a-session-that-must-not-be-logged"


@pytest.fixture
async def lines(program: Program) -> dict[str, Line]:
    """Connections that have sent nothing, half a head, and a head with half a body of JSON and of a form."""
    to = program.deployments[0]
    page = {"Origin": to.url}
    types = {"json": "application/json", "form": "application/x-www-form-urlencoded"}
    bodies = {
        name: request(to, "POST", path, headers=page | {"Content-Type": types[kind]}, body=b"x" * 40)[:-20]
        for name, path, kind in (
            ("half a document", "/qr/redeem", "json"),
            ("half a form", "/logout", "form"),
            ("half a body for a phone", "/mp/v1/wechat/session", "json"),
        )
    }
    sent = {"nothing": b"", "half a head": request(to, "GET", "/login")[:-10], **bodies}
    opened = {name: await program.line() for name in sent}
    for name, octets in sent.items():
        await opened[name].say(octets)
    await program.settle()
    return opened


@pytest.mark.attack("W9")
async def test_a_connection_without_a_whole_head_is_closed_after_ten_seconds(
    program: Program, lines: dict[str, Line]
) -> None:
    await program.advance(HEAD - 1)
    assert not lines["nothing"].ended
    assert not lines["half a head"].ended
    await program.advance(2)
    assert await lines["nothing"].rest() == b""
    assert await lines["half a head"].rest() == b""


@pytest.mark.attack("W9")
@pytest.mark.parametrize("name", ["half a document", "half a form", "half a body for a phone"])
async def test_a_body_that_does_not_come_is_answered_and_the_connection_closed(
    program: Program, lines: dict[str, Line], name: str
) -> None:
    await program.advance(11)
    answer = await lines[name].answer()
    assert answer.verdict == (408, "request_timeout")
    assert answer.header("Connection") == "close"
    await program.advance(LINGER + 1)
    assert await lines[name].rest() == b""


@pytest.mark.attack("W9")
async def test_drops_of_a_head_or_a_body_win_no_time(program: Program, lines: dict[str, Line]) -> None:
    for _ in range(6):
        await lines["half a head"].say(b"X")
        await lines["half a document"].say(b"x")
        await program.advance(2)
    assert await lines["half a head"].rest() == b""
    assert (await lines["half a document"].answer()).status == 408


@pytest.mark.attack("W9")
async def test_an_answered_connection_is_kept_for_thirty_seconds(program: Program) -> None:
    to = program.deployments[0]
    line = await program.line()
    for pause in (HEAD + 5, IDLE - 1):
        await line.say(f"GET /health HTTP/1.1\r\nHost: {to.authority}\r\n\r\n".encode())
        assert (await line.answer()).status == 200
        await program.advance(pause)
        assert not line.ended
    await line.say(b"GET /health HTTP/1.1\r\n")
    await program.advance(2)
    assert await line.rest() == b""


@pytest.mark.attack("W9")
async def test_an_unread_body_is_thrown_away_for_a_moment_only(program: Program) -> None:
    to = program.deployments[0]
    line = await program.line()
    head = f"POST /qr/tickets HTTP/1.1\r\nHost: {to.authority}\r\nContent-Length: 40\r\n\r\n"
    await line.say(head.encode() + b"x" * 20)
    assert (await line.answer()).status == 403
    await program.advance(LINGER - 2)
    assert not line.ended
    await program.advance(3)
    assert await line.rest() == b""


@pytest.mark.req("UX-4")
async def test_neither_a_socket_nor_a_poll_is_cut(program: Program) -> None:
    browser, page, screen = await program.opened()
    poll = asyncio.create_task(browser.events(after=screen.message["seq"] + 1, wait=25))
    await program.settle()
    await program.advance(24)
    assert not poll.done()
    await program.advance(2)
    assert (await poll).status == 204
    await program.advance(3 * IDLE)
    assert page.is_open
    await page.renew()


@pytest.mark.attack("W9")
async def test_no_timer_runs_for_a_socket(program: Program) -> None:
    _, page, _ = await program.opened()
    assert page.is_open
    server = program.runners[0].server
    assert server is not None
    waiting = [one for one in server.connections if one._current_request is not None]
    assert len(waiting) == 1
    assert waiting[0]._keepalive_handle is None


@pytest.mark.attack("W9")
async def test_one_peer_has_half_of_what_the_process_can_open(start_program: StartProgram) -> None:
    program = await start_program(files=12)
    to = program.deployments[0]
    with capture_logs() as logged:
        lines = [await program.line() for _ in range(9)]
        await program.settle()
    assert [line.ended for line in lines] == [False] * 6 + [True] * 3
    assert [entry for entry in logged if entry["event"] == "peer_has_too_many_connections"] == [
        {"event": "peer_has_too_many_connections", "log_level": "warning", "most": 6}
    ]
    elsewhere = await program.caller(source="127.0.0.2")
    assert (await elsewhere.send("GET", "/health")).status == 200
    await lines[0].close()
    await program.settle()
    again = await program.line()
    await again.say(request(to, "GET", "/health"))
    assert (await again.answer()).status == 200


def test_a_crowded_network_has_tenfold_and_a_proxy_without_end() -> None:
    sources = {"one": Source("one"), "crowd": Source("crowd", shared=True), "lifted": Source(None), "proxy": None}
    peers = Peers(sources.__getitem__, files=8)
    for name, most in (("one", 4), ("crowd", 40)):
        for _ in range(most):
            assert peers.arrive(name) == name
        with pytest.raises(TooManyConnections):
            peers.arrive(name)
        peers.leave(name)
        assert peers.arrive(name) == name
    for name in ("lifted", "proxy"):
        for _ in range(100):
            assert peers.arrive(name) is None
        peers.leave(None)


def test_a_peer_is_told_of_again_after_it_has_gone() -> None:
    peers = Peers(lambda _: Source("one"), files=2)
    with capture_logs() as logged:
        for _ in range(2):
            key = peers.arrive("one")
            for _ in range(3):
                with pytest.raises(TooManyConnections):
                    peers.arrive("one")
            peers.leave(key)
    assert len(logged) == 2


def test_however_many_files_there_are_a_peer_has_no_more_than_its_cap() -> None:
    peers = Peers(lambda _: Source("one"), files=1_000_000)
    for _ in range(PEER_MAX):
        peers.arrive("one")
    with pytest.raises(TooManyConnections):
        peers.arrive("one")


@pytest.mark.attack("Q24", "Q27")
@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("too long", f"Cookie: {SECRET}{'x' * 9000}"),
        ("a control byte", f"Cookie: {SECRET}\x01"),
        ("a bare line feed", f"Cookie: {SECRET}\nX\x00: y"),
        ("an unknown expectation", f"Expect: {SECRET}"),
    ],
)
async def test_what_cannot_be_read_is_repeated_to_nobody(program: Program, name: str, header: str) -> None:
    to = program.deployments[0]
    line = await program.line()
    with capture_logs() as logged:
        await line.say(f"GET /login HTTP/1.1\r\nHost: {to.authority}\r\n{header}\r\n\r\n".encode("latin-1"))
        answer = await line.answer()
    assert answer.verdict == (400, "invalid_request"), name
    assert SECRET[:20] not in repr(answer)
    assert SECRET[:20] not in json.dumps(logged, default=repr)
    assert answer.header("Server") in (None, "bjidp")
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("Referrer-Policy") == "same-origin"
    assert answer.header("Cache-Control") == "no-store"
    assert await line.rest() == b""


@pytest.mark.attack("Q27")
@pytest.mark.parametrize(
    "noise", [b"\x16\x03\x01\x02\x00\x01\x00", b"GET /login HTTP/x\r\n\r\n", b"\r\n\r\nnoise\r\n\r\n"]
)
async def test_what_is_no_http_is_answered_as_a_bad_request(program: Program, noise: bytes) -> None:
    line = await program.line()
    with capture_logs() as logged:
        await line.say(noise)
        answer = await line.answer()
    assert answer.verdict == (400, "invalid_request")
    assert [entry["event"] for entry in logged] == ["request_unreadable"]
    assert set(logged[0]) == {"event", "log_level", "kind"}
