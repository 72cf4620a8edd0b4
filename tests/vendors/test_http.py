from __future__ import annotations

import asyncio
import gzip
import json
import traceback
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from msgspec import Struct

from bjidp.clock import ManualClock
from bjidp.errors import VendorUnavailable
from bjidp.vendors.catalog import HttpClients
from bjidp.vendors.http import HttpLimits, VendorHttp, open_session
from tests.vendors.stand import Stand

pytestmark = [pytest.mark.attack("Q24")]


SECRET = "Hush-in-the-query"


class Answer(Struct, frozen=True):
    number: int
    text: str = ""


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    stand = Stand()
    async with stand.open():
        stand.lie("/ask", {"number": 7})
        yield stand


@pytest.fixture
def http(stand: Stand, clients: HttpClients) -> VendorHttp:
    return clients.open("vendor", stand.address, HttpLimits(max_bytes=4096))


async def refused(http: VendorHttp, path: str = "/ask") -> VendorUnavailable:
    query = {"secret": SECRET}
    with pytest.raises(VendorUnavailable) as caught:
        await http.json("ask", "GET", path, Answer, query=query)
    # What is raised may reach a log with its traceback and its context; neither may hold the query.
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None
    return caught.value


async def test_an_answer_is_read_into_its_type_whatever_content_type_it_claims(http: VendorHttp, stand: Stand) -> None:
    stand.lies["/ask"] = lambda _: web.Response(text='{"number": 7, "new": true}', content_type="text/plain")
    assert await http.json("ask", "GET", "/ask", Answer, query={"q": "a b&c+d/=中"}) == Answer(7)
    assert stand.seen[0].query == {"q": "a b&c+d/=中"}


async def test_a_json_body_is_sent_byte_for_byte(http: VendorHttp, stand: Stand) -> None:
    body = '{"a" : "中"}'.encode()
    await http.json("ask", "POST", "/ask", Answer, body=body, headers={"X-Key": "k"})
    assert stand.seen[0].body == body
    assert stand.seen[0].headers["Content-Type"] == "application/json; charset=utf-8"
    assert stand.seen[0].headers["X-Key"] == "k"


async def test_a_form_is_sent_as_a_form(http: VendorHttp, stand: Stand) -> None:
    assert await http.octets("ask", "POST", "/ask", form={"a": "b +&中"}) == json.dumps({"number": 7}).encode()
    assert stand.seen[0].form == {"a": "b +&中"}


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b"", "malformed"),
        (b"<html>busy</html>", "malformed"),
        (b'{"number": ', "malformed"),
        (b'{"number": "7"}', "malformed"),
        (b'{"number": null}', "malformed"),
        (b"{}", "malformed"),
        (b'{"number": 7, "text": "\xff"}', "malformed"),
        (b'{"new": ' + b"[" * 4000, "malformed"),
        (b'{"number": 7}' + b" " * 4096, "oversize"),
    ],
)
async def test_an_answer_of_another_shape_or_too_long_is_an_outage(
    http: VendorHttp, stand: Stand, logged: list[MutableMapping[str, Any]], body: bytes, outcome: str
) -> None:
    stand.lie("/ask", body)
    await refused(http)
    assert [entry["outcome"] for entry in logged] == [outcome]


async def test_a_packed_answer_is_not_unpacked_so_that_a_small_one_can_not_grow(
    http: VendorHttp, stand: Stand, logged: list[MutableMapping[str, Any]]
) -> None:
    packed = gzip.compress(b'{"number": 7}' + b" " * 1_000_000)
    stand.lies["/ask"] = lambda _: web.Response(body=packed, headers={"Content-Encoding": "gzip"})
    await refused(http)
    # Short enough as it came; unpacked it would have been cut off as too long.
    assert [entry["outcome"] for entry in logged] == ["malformed"]
    assert stand.seen[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("status", [301, 302, 304, 307, 308, 400, 401, 403, 404, 429, 500, 502, 503])
async def test_every_status_but_success_is_an_outage(
    http: VendorHttp, stand: Stand, logged: list[MutableMapping[str, Any]], status: int
) -> None:
    stand.lie("/ask", {"number": 7}, status=status)
    await refused(http)
    assert [entry["outcome"] for entry in logged] == [f"status_{status}"]


async def test_a_redirect_is_not_followed_and_takes_no_secret_elsewhere(http: VendorHttp, stand: Stand) -> None:
    stand.lies["/ask"] = lambda _: web.Response(status=302, headers={"Location": f"{stand.address}/elsewhere"})
    stand.lie("/elsewhere", {"number": 7})
    await refused(http)
    assert [seen.path for seen in stand.seen] == ["/ask"]


async def test_a_vendor_that_never_answers_is_given_up_in_time(
    stand: Stand, clients: HttpClients, logged: list[MutableMapping[str, Any]]
) -> None:
    stand.silent.add("/ask")
    http = clients.open("vendor", stand.address, HttpLimits(total=0.05))
    async with asyncio.timeout(5):
        await refused(http)
    assert [entry["outcome"] for entry in logged] == ["timeout"]


async def test_a_vendor_that_stops_in_the_middle_of_its_answer_is_given_up_in_time(
    clients: HttpClients, logged: list[MutableMapping[str, Any]]
) -> None:
    hold = asyncio.Event()

    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"number":')
        await writer.drain()
        await hold.wait()
        writer.close()

    async with await asyncio.start_server(half, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        http = clients.open("vendor", f"http://127.0.0.1:{port}", HttpLimits(total=0.1))
        async with asyncio.timeout(5):
            await refused(http)
        hold.set()
    assert [entry["outcome"] for entry in logged] == ["timeout"]


async def test_a_connection_cut_in_the_middle_of_an_answer_is_an_outage(clients: HttpClients) -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"number": 7}')
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(cut, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await refused(clients.open("vendor", f"http://127.0.0.1:{port}", HttpLimits()))


async def test_a_vendor_that_is_not_there_is_an_outage(
    clients: HttpClients, unused_tcp_port: int, logged: list[MutableMapping[str, Any]]
) -> None:
    await refused(clients.open("vendor", f"http://127.0.0.1:{unused_tcp_port}", HttpLimits()))
    assert [entry["outcome"] for entry in logged] == ["unreachable"]


async def test_an_address_that_is_none_is_an_outage_too(clients: HttpClients) -> None:
    await refused(clients.open("vendor", "http://[broken", HttpLimits()))


async def test_nothing_is_retried_here(http: VendorHttp, stand: Stand) -> None:
    stand.lie("/ask", {}, status=503)
    await refused(http)
    assert len(stand.seen) == 1


async def test_each_call_leaves_one_line_with_service_operation_outcome_and_duration(
    stand: Stand, clock: ManualClock, clients: HttpClients, logged: list[MutableMapping[str, Any]]
) -> None:
    def slowly(_: object) -> web.Response:
        clock.advance(1.5)
        return web.Response(text='{"number": 7}')

    stand.lies["/ask"] = slowly
    await clients.open("vendor", stand.address, HttpLimits()).json("ask", "GET", "/ask", Answer, query={"s": "Hush"})
    assert logged == [
        {
            "event": "vendor_call",
            "log_level": "info",
            "service": "vendor",
            "operation": "ask",
            "outcome": "ok",
            "duration_ms": 1500,
        }
    ]


@pytest.mark.parametrize("text", ["invalid code: Hush", "王玉田", "a\nb", "x" * 65, ""])
async def test_a_reason_that_is_no_error_code_is_withheld(
    http: VendorHttp, logged: list[MutableMapping[str, Any]], text: str
) -> None:
    http.alarm("ask", text)
    http.refused("ask", text)
    assert [entry["reason"] for entry in logged] == ["unreadable", "unreadable"]


async def test_a_reason_that_is_an_error_code_is_told(http: VendorHttp, logged: list[MutableMapping[str, Any]]) -> None:
    http.alarm("ask", "isv.invalid-signature")
    assert logged[0] == {
        "event": "vendor_alarm",
        "log_level": "error",
        "service": "vendor",
        "operation": "ask",
        "reason": "isv.invalid-signature",
    }


async def test_cookies_of_a_vendor_are_not_kept(http: VendorHttp, stand: Stand) -> None:
    stand.lies["/ask"] = lambda _: web.Response(text='{"number": 7}', headers={"Set-Cookie": "a=b; Path=/"})
    await http.json("ask", "GET", "/ask", Answer)
    await http.json("ask", "GET", "/ask", Answer)
    assert all("Cookie" not in seen.headers for seen in stand.seen)


async def test_one_session_serves_all_calls_and_a_closed_client_calls_nobody(stand: Stand, clock: ManualClock) -> None:
    opened: list[aiohttp.ClientSession] = []  # noqa: TID251  # named for its type alone

    def session(limits: HttpLimits) -> aiohttp.ClientSession:  # noqa: TID251  # same
        opened.append(open_session(limits))
        return opened[-1]

    http = VendorHttp("vendor", stand.address + "/", clock=clock, sessions=session)
    assert http.base_url == stand.address
    await http.json("ask", "GET", "/ask", Answer)
    await http.json("ask", "GET", "/ask", Answer)
    assert len(opened) == 1
    await http.close()
    assert opened[0].closed
    await refused(http)
    assert len(stand.seen) == 2


async def test_a_slow_vendor_holds_no_more_than_its_own_connections(stand: Stand, clients: HttpClients) -> None:
    stand.silent.add("/slow")
    stand.lie("/slow", {"number": 1})
    http = clients.open("vendor", stand.address, HttpLimits(connections=2, total=5, connect=0.05))
    slow = [asyncio.create_task(http.json("slow", "GET", "/slow", Answer)) for _ in range(2)]
    async with asyncio.timeout(5):
        await stand.until("/slow", 2)
        await refused(http)
    stand.released.set()
    assert await asyncio.gather(*slow) == [Answer(1), Answer(1)]
