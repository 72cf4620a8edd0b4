"""The socket of the page: who may open it, what it says, when it ends (attacks W1 to W9, W11)."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed

from tests.security.conftest import Patient
from tests.support.browser import SUBPROTOCOL, Browser, Socket
from tests.support.calls import PATIENCE, Caller, Deployment, Line, request
from tests.support.crowd import Crowd
from tests.support.login import logged_in

HEARTBEAT: Final = 25.0
"""Seconds between two pings of the server; a pong is awaited half as long."""

FOREIGN_ORIGINS: Final = (
    "https://evil.example",
    "null",
    "{scheme}://{host}.evil.example:{port}",
    "{scheme}://evil{host}:{port}",
    "{scheme}://sibling.{host}:{port}",
    "{other}://{host}:{port}",
    "{scheme}://{host}",
    "{scheme}://{host}:1{port}",
    "{scheme}://{host}:{port}/",
    "{scheme}://{host}:{port}.",
    "{scheme}://{host}.:{port}",
    "{scheme}://user@{host}:{port}",
    "{SCHEME}://{host}:{port}",
    "{host}:{port}",
    " {scheme}://{host}:{port} evil.example",
    "{scheme}://{host}:{port}, https://evil.example",
    "https://evil.example {scheme}://{host}:{port}",
    "{scheme}://127.1:{port}",
    "{scheme}://localhost:{port}",
    "",
)


def foreign_origins(deployment: Deployment) -> list[str]:
    parts = urlsplit(deployment.url)
    port = parts.port or (443 if deployment.secure else 80)
    names = {"scheme": parts.scheme, "host": parts.hostname, "port": port, "SCHEME": parts.scheme.upper()}
    names["other"] = "http" if deployment.secure else "https"
    made = [pattern.format(**names) for pattern in FOREIGN_ORIGINS]
    # Over the default port the form without a number is the right one.
    return [origin for origin in made if origin != deployment.url]


@pytest.mark.attack("W1", "W2", "W3", "W4")
async def test_only_a_page_of_this_very_origin_opens_a_socket(caller: Caller) -> None:
    """Scheme, host and port of Origin are those of the base URL, before the upgrade; absent and null are refused."""
    browser = Browser(caller)
    await browser.open()
    for origin in foreign_origins(caller.to):
        headers = [*browser.headers().items(), ("Origin", origin)]
        opened = await caller.upgrade(f"/qr/channel?flow={browser.flow}", protocols=(SUBPROTOCOL,), headers=headers)
        assert opened == 403, origin
    assert await browser.knock(origin=None) == 403
    twice = [*browser.headers().items(), ("Origin", caller.to.url), ("Origin", "https://evil.example")]
    assert await caller.upgrade(f"/qr/channel?flow={browser.flow}", protocols=(SUBPROTOCOL,), headers=twice) == 403
    socket = await browser.connect()
    await socket.screen()
    await socket.close()


@pytest.mark.attack("W2", "W3")
@pytest.mark.parametrize(
    "origin",
    [
        "https://id.example.com.evil.com",
        "https://evilid.example.com",
        "http://id.example.com",
        "https://id.example.com:8443",
        "https://id.example.com:443",
        "https://ID.EXAMPLE.COM",
        "https://id.example.com.",
        "https://x.id.example.com",
        "https://example.com",
        "https://other.example.com",
    ],
)
async def test_no_neighbour_of_a_public_host_opens_a_socket(variant: Callable[[str], Deployment], origin: str) -> None:
    """A sibling of the same site has the cookies of SameSite; the exact Origin keeps it out."""
    async with Caller(variant("proxied")) as caller:
        browser = Browser(caller)
        await browser.open()
        assert await browser.knock(origin=origin) == 403
        opened = await browser.knock(origin="https://id.example.com")
        assert not isinstance(opened, int)
        await opened.close()


@pytest.mark.attack("W1", "Q28")
async def test_every_other_call_of_a_page_asks_for_the_same_origin(caller: Caller) -> None:
    """The long poll and the picture refuse another site's page; posts need the exact Origin."""
    browser = Browser(caller)
    await browser.open()
    for origin in foreign_origins(caller.to):
        headers = [*browser.headers().items(), ("Origin", origin)]
        for path in (f"/qr/events?flow={browser.flow}", f"/qr/image?flow={browser.flow}"):
            assert (await caller.send("GET", path, headers=headers)).verdict == (403, "origin_refused"), origin
        for path in ("/qr/tickets", "/qr/redeem"):
            body = {"flow": browser.flow} if path == "/qr/tickets" else {"grant": "A" * 43}
            assert (await caller.post(path, body, headers=headers)).verdict == (403, "origin_refused"), origin
    for site in ("cross-site", "same-site", "none"):
        sent = browser.headers() | {"Sec-Fetch-Site": site}
        refused = await caller.send("GET", f"/qr/events?flow={browser.flow}", headers=sent)
        assert refused.verdict == (403, "origin_refused")
    assert (await browser.events()).status == 200


@pytest.mark.attack("W1")
async def test_no_answer_lets_another_origin_read_it(caller: Caller) -> None:
    """There is no CORS header anywhere, preflights included."""
    browser = Browser(caller)
    await browser.open()
    headers = browser.headers("https://evil.example") | {"Access-Control-Request-Method": "POST"}
    for path in ("/login", "/qr/events", "/qr/tickets", "/qr/redeem", "/mp/v1/qr/scan", "/openapi.json", "/centre"):
        for method in ("OPTIONS", "GET"):
            answer = await caller.send(method, path, headers=headers)
            assert not [name for name, _ in answer.headers if name.lower().startswith("access-control-")]


@pytest.mark.attack("W1", "W4", "W7")
async def test_the_checks_before_the_upgrade_come_in_their_order(caller: Caller) -> None:
    """Subprotocol, Origin, cookie, flow: each refusal is made before a socket exists."""
    browser, nobody, other = Browser(caller), Browser(caller), Browser(caller)
    await browser.open()
    await other.open()
    assert await nobody.knock("A" * 22, origin=None, protocol="") == 400
    assert await nobody.knock("A" * 22, origin="https://evil.example", protocol="another.protocol") == 400
    assert await nobody.knock("A" * 22, origin="https://evil.example") == 403
    refusals = {}
    for name, who, flow, origin in (
        ("origin_refused", nobody, "A" * 22, "https://evil.example"),
        ("browser_unknown", nobody, "A" * 22, caller.to.url),
        ("flow_unknown", browser, other.flow, caller.to.url),
    ):
        headers = who.headers(origin) | {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Protocol": SUBPROTOCOL,
        }
        refusals[name] = await caller.send("GET", f"/qr/channel?flow={flow}", headers=headers)
    assert {name: answer.verdict for name, answer in refusals.items()} == {name: (403, name) for name in refusals}


@pytest.mark.attack("W5", "W8")
async def test_no_frame_of_a_page_gains_anything(caller: Caller, crowd: Crowd) -> None:
    """The socket decides nothing: of all a page says only a renewal is heard, and an approval stays as it is."""
    phone = await crowd.phone(caller)
    browser = Browser(caller)
    await browser.open()
    socket = await browser.connect()
    screen = await socket.screen()
    said = [
        {"type": "login", "user": "admin"},
        {"type": "subscribe", "ticket": "A" * 22},
        {"type": "redeem", "grant": "A" * 43},
        {"type": "scanned"},
        {"type": "approved", "ticket": screen.ticket},
        {"type": "renew", "ticket": "A" * 22},
        {"type": "Renew"},
        {"renew": True},
        [],
        "renew",
        None,
    ]
    for value in said:
        await socket.ws.send_str(json.dumps(value))
    for text in ("", "{", '{"type":"renew"', "\u0000", '{"type":"renew"}{"type":"renew"}', "[" * 3000):
        await socket.ws.send_str(text)
    await socket.ws.send_bytes(b'{"type":"renew"}')
    await phone.approves(screen)
    await socket.next("scanned")
    message = await socket.next("approved")
    await socket.renew()
    redeemed = await browser.redeem(message["grant"])
    assert redeemed.status == 200
    assert await socket.ends(within=2) == 1000
    assert [message["type"] for message in socket.heard] == ["ticket", "scanned", "approved"]


@pytest.mark.attack("W8", "Q10", "Q24")
async def test_no_frame_carries_a_session(caller: Caller, crowd: Crowd) -> None:
    """Messages have the members of wire.md and no more; the session travels in the redeem's cookie alone."""
    members = {
        "ticket": {"type", "ticket", "seq", "purpose", "prefix", "key", "step", "elapsed", "expires_in"},
        "scanned": {"type", "ticket", "seq", "platform", "who", "expires_in"},
        "approved": {"type", "ticket", "seq", "grant", "code_required", "expires_in"},
    }
    phone = await crowd.phone(caller)
    browser = Browser(caller)
    await browser.open()
    secret = browser.secret
    socket = await browser.connect()
    await phone.approves(await socket.screen())
    await socket.next("scanned")
    grant = (await socket.next("approved"))["grant"]
    assert (await browser.redeem(grant)).status == 200
    await socket.ends()
    text = json.dumps(socket.heard)
    for value in (secret, browser.session, phone.tokens.access, phone.tokens.refresh, phone.person.name):
        assert value is not None
        assert value not in text
    assert {message["type"]: set(message) for message in socket.heard} == members


@pytest.mark.attack("W6")
async def test_a_login_in_one_tab_ends_the_sockets_of_the_others(caller: Caller, crowd: Crowd) -> None:
    """The redeem kills the browser's secret: its other sockets are closed at once, and none opens with it again."""
    phone = await crowd.phone(caller)
    browser = Browser(caller)
    await browser.open()
    socket = await browser.connect()
    await phone.approves(await socket.screen())
    before = browser.copy()
    assert (await browser.redeem((await browser.message("approved"))["grant"])).status == 200
    assert await socket.ends(within=2) == 1000
    assert await before.knock() == 403
    assert (await before.events()).verdict == (403, "browser_unknown")


@pytest.mark.attack("W6", "T1")
async def test_a_log_out_ends_the_sockets_and_the_session(caller: Caller, crowd: Crowd) -> None:
    """What a log-out ends, hears nothing more: socket, secret and session are dead within two seconds."""
    phone = await crowd.phone(caller)
    session = await logged_in(caller, phone)
    browser = Browser(caller)
    await browser.open()
    socket = await browser.connect()
    await socket.screen()
    both = browser.copy()
    both.cookies |= session.cookies
    csrf = browser.csrf
    assert (await both.submit("/logout", {"csrf": csrf})).status == 200
    assert await socket.ends(within=2) == 4005
    assert await browser.knock() == 403
    assert await session.who() is None


@pytest.mark.attack("W6", "W9")
async def test_a_third_page_sends_the_oldest_away(caller: Caller, crowd: Crowd) -> None:
    """Two sockets watch a ticket; the third closes the first with 4004, and the first hears no more."""
    browser = Browser(caller)
    await browser.open()
    first, second = await browser.connect(), await browser.connect()
    await first.screen()
    screen = await second.screen()
    third = await browser.connect()
    await third.screen()
    assert await first.ends(within=2) == 4004
    await (await crowd.phone(caller)).takes(screen)
    await second.next("scanned")
    await third.next("scanned")
    assert [message["type"] for message in first.heard] == ["ticket"]
    # Polls count with sockets.
    poll = asyncio.create_task(browser.events(after=1 << 29, wait=20))
    assert await second.ends(within=2) == 4004
    another = await browser.connect()
    await another.next("scanned")
    assert await third.ends(within=2) == 4004
    assert not poll.done()
    more = await browser.connect()
    assert (await asyncio.wait_for(poll, 2)).verdict == (409, "page_superseded")
    await more.close()
    await another.close()


@pytest.mark.attack("W7")
async def test_no_page_names_the_ticket_it_watches(caller: Caller, crowd: Crowd) -> None:
    """The flow comes from the cookie; a foreign one is refused, other names are not read."""
    mine, theirs = Browser(caller), Browser(caller)
    await mine.open()
    target = await theirs.screen()
    assert await mine.knock(theirs.flow) == 403
    assert await mine.knock(target.ticket) == 403
    opened = await mine.knock(query=f"&ticket={target.ticket}&flow={theirs.flow}")
    assert not isinstance(opened, int)
    socket = Socket(opened)
    assert (await socket.screen()).ticket != target.ticket
    await socket.ws.send_str(json.dumps({"type": "subscribe", "flow": theirs.flow}))
    await (await crowd.phone(caller)).takes(target)
    await theirs.message("scanned")
    await socket.renew()
    assert (await socket.next("ticket"))["ticket"] != target.ticket
    await socket.close()


@pytest.mark.attack("W9")
@pytest.mark.parametrize("binary", [False, True])
async def test_a_frame_beyond_four_kibibytes_ends_the_socket(caller: Caller, *, binary: bool) -> None:
    """A page has one thing to say; what is bigger is not read to its end."""
    browser = Browser(caller)
    await browser.open()
    socket = await browser.connect()
    await socket.screen()
    big = "x" * (5 * 1024)
    await (socket.ws.send_bytes(big.encode()) if binary else socket.ws.send_str(big))
    assert await socket.ends(within=2) == 1009


@pytest.mark.attack("W9")
async def test_a_page_that_talks_without_end_is_sent_away(caller: Caller) -> None:
    """Two hundred frames on one socket, whatever they say, are more than any page of ours sends."""
    browser = Browser(caller)
    await browser.open()
    socket = await browser.connect()
    await socket.screen()
    with contextlib.suppress(ConnectionError):
        for _ in range(400):
            await socket.ws.send_str("{}")
    assert await socket.ends(within=5) == 4029


@pytest.mark.attack("W9")
async def test_a_compressed_frame_is_not_agreed_to(caller: Caller) -> None:
    """Without compression no small frame becomes a big one."""
    browser = Browser(caller)
    await browser.open()
    headers = browser.headers(caller.to.url) | {"Sec-WebSocket-Extensions": "permessage-deflate"}
    opened = await caller.upgrade(f"/qr/channel?flow={browser.flow}", protocols=(SUBPROTOCOL,), headers=headers)
    assert not isinstance(opened, int)
    assert "Sec-WebSocket-Extensions" not in opened._response.headers
    await opened.close()


@pytest.mark.attack("W11")
async def test_a_page_that_lost_its_socket_is_told_the_approval_again(caller: Caller, crowd: Crowd) -> None:
    """Whoever comes back is told the present state, with the same grant, by socket and by poll; it redeems once."""
    phone = await crowd.phone(caller)
    browser = Browser(caller)
    await browser.open()
    socket = await browser.connect()
    screen = await socket.screen()
    scanned = await phone.takes(screen)
    assert socket.ws._response.connection is not None
    transport = socket.ws._response.connection.transport
    assert transport is not None
    # No farewell: the network is gone between the scan and the confirm.
    assert isinstance(transport, asyncio.WriteTransport)
    transport.abort()
    assert (await phone.confirm(scanned)).status == 200
    again = await browser.connect()
    message = await again.next("approved")
    assert (await browser.events()).json()["grant"] == message["grant"]
    assert (await browser.tickets()).json()["grant"] == message["grant"]
    before = browser.copy()
    assert (await browser.redeem(message["grant"])).status == 200
    assert (await before.redeem(message["grant"])).verdict == (404, "ticket_unknown")
    assert await again.ends(within=2) == 1000


@pytest.mark.attack("W1")
async def test_an_upgrade_under_another_host_is_refused_and_never_redirected(caller: Caller) -> None:
    """A socket is not led to another address, and a call is not answered under one (ASVS 4.1.2)."""
    browser = Browser(caller)
    await browser.open()
    stranger = Deployment("http://evil.example", caller.to.sandbox, caller.to.at)
    upgrade = browser.headers(caller.to.url) | {
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Protocol": SUBPROTOCOL,
    }
    verdicts = []
    for method, path, headers in (
        ("GET", f"/qr/channel?flow={browser.flow}", upgrade),
        ("POST", "/qr/redeem", browser.headers(caller.to.url)),
        ("POST", "/mp/v1/qr/scan", {"Content-Type": "application/json"}),
        ("GET", "/mp/v1/account", {}),
        ("GET", "/login", {"Authorization": "Bearer somebodys"}),
        ("GET", "/login", {}),
    ):
        line = await Line.open(stranger)
        await line.say(request(stranger, method, path, headers=headers))
        answer = await line.answer()
        await line.close()
        verdicts.append((answer.status, answer.header("Location")))
    assert verdicts == [(421, None)] * 5 + [(308, f"{caller.to.url}/login")]


@pytest.mark.attack("W9")
async def test_a_page_that_answers_no_ping_is_cut_off(patient: Patient) -> None:
    """A dead connection is found within two heartbeats; one that answers stays."""
    patient.mute.setblocking(False)
    received = b""
    try:
        # It hears of "alive" all the while: the time is for all of it, not for each read.
        async with asyncio.timeout(2 * HEARTBEAT + 5):
            while octets := await asyncio.get_running_loop().sock_recv(patient.mute, 4096):
                received += octets
    except TimeoutError:
        pytest.fail("the socket that answers no ping is still open")
    assert received.startswith(b"HTTP/1.1 101 ")
    try:
        answered = patient.lively.ping()
        async with asyncio.timeout(PATIENCE):
            # The answer comes after all that was told since the run began, which may be more than a client keeps.
            while not answered.wait(0):
                with contextlib.suppress(TimeoutError):
                    patient.lively.recv(timeout=0)
                await asyncio.sleep(0)
    except ConnectionClosed as closed:
        pytest.fail(f"the socket that answers was closed too: {closed}")
