"""The phone's line to the server: what passes, what does not, and what a silent server looks like."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from bjidp.sandbox import phone
from bjidp.sandbox.phone import relay

Client = TestClient[web.Request, web.Application]


class Recorder:
    """An identity server that remembers each call and answers as told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, str, bytes]] = []
        self.headers: list[dict[str, str]] = []
        self.answer = web.Response
        self.release = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.calls.append((request.method, request.raw_path, request.host, await request.read()))
        self.headers.append(dict(request.headers))
        if request.path.endswith("/slow"):
            await self.release.wait()
        if request.path.endswith("/moved"):
            raise web.HTTPFound("http://127.0.0.1:1/elsewhere")
        if request.path.endswith("/long"):
            return web.Response(body=b"x" * (relay.ANSWER_LIMIT + 1))
        return web.json_response(
            {"code": "rate_limited"},
            status=429,
            content_type="application/problem+json",
            headers={"Retry-After": "17", "Set-Cookie": "a=b", "X-Internal": "1"},
        )


@pytest.fixture
async def recorder() -> AsyncIterator[tuple[Recorder, str]]:
    seen = Recorder()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", seen.handle)
    async with TestServer(app) as server:
        yield seen, str(server.make_url("/")).rstrip("/")
        seen.release.set()


async def relay_to(server_url: str, *, host: str | None = None, time_out: float = 5.0) -> Client:
    app = web.Application()
    line = relay.Relay(URL(server_url), host=host, time_out=time_out)
    app.cleanup_ctx.append(line.lifespan)
    app.router.add_route("*", "/phone/relay/{tail:.*}", line.handle)
    client = TestClient(TestServer(app))
    await client.start_server()
    return client


@pytest.fixture
async def client(recorder: tuple[Recorder, str]) -> AsyncIterator[Client]:
    opened = await relay_to(recorder[1], host="login.example:8443")
    yield opened
    await opened.close()


async def code_of(answer: ClientResponse) -> str:
    assert answer.content_type == "application/problem+json"
    body = await answer.json()
    assert body["status"] == answer.status
    assert body["title"]
    return str(body["code"])


async def test_a_call_passes_whole_and_its_answer_comes_back_whole(
    client: Client, recorder: tuple[Recorder, str]
) -> None:
    answer = await client.post(
        "/phone/relay/wechat/session",
        data=b'{"code": "abc"',
        headers={
            "Content-Type": "application/json",
            "Authorization": "Bearer t",
            "Cookie": "s=1",
            "X-Forwarded-For": "9",
        },
    )

    seen = recorder[0]
    assert seen.calls == [("POST", "/mp/v1/wechat/session", "login.example:8443", b'{"code": "abc"')]
    assert seen.headers[0]["Authorization"] == "Bearer t"
    assert {"Cookie", "X-Forwarded-For", "Origin"}.isdisjoint(seen.headers[0])
    assert answer.status == 429
    assert answer.content_type == "application/problem+json"
    assert answer.headers["Retry-After"] == "17"
    assert await answer.json() == {"code": "rate_limited"}
    assert {"Set-Cookie", "X-Internal"}.isdisjoint(answer.headers)


@pytest.mark.parametrize(
    "path",
    [
        "/phone/relay/",
        "/phone/relay/../../qr/redeem",
        "/phone/relay/%2e%2e/%2e%2e/qr/redeem",
        "/phone/relay/..%2f..%2fqr/redeem",
        "/phone/relay/wechat/%2e%2e/session",
        "/phone/relay//qr/scan",
        "/phone/relay/qr//scan",
        "/phone/relay/qr/scan/",
        "/phone/relay/qr%2Fscan",
        "/phone/relay/http://127.0.0.1:1/",
        "/phone/relay/@127.0.0.1:1/x",
        "/phone/relay/qr/scan.json",
        "/phone/relay/%E6%89%AB%E7%A0%81",
        "/phone/relay/qr/scan%00",
    ],
)
async def test_no_path_leaves_the_mini_program_api(client: Client, recorder: tuple[Recorder, str], path: str) -> None:
    status = await status_of_raw_post(client, path)

    assert status == 404
    assert recorder[0].calls == []


async def status_of_raw_post(client: Client, path: str) -> int:
    """Post to a path exactly as written: clients tidy up what an attacker would not."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}"
    writer.write(head.encode("ascii"))
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(answer.split(b" ", 2)[1])


async def test_a_query_is_refused_instead_of_dropped(client: Client, recorder: tuple[Recorder, str]) -> None:
    answer = await client.get("/phone/relay/account?as=somebody")

    assert (answer.status, await code_of(answer)) == (400, "invalid_request")
    assert recorder[0].calls == []


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_the_limit_is_not_sent_on(
    client: Client, recorder: tuple[Recorder, str], chunked: bool
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b"x" * 8192

    body = pieces() if chunked else b"x" * (relay.REQUEST_LIMIT + 1)
    answer = await client.post("/phone/relay/qr/scan", data=body)

    assert (answer.status, await code_of(answer)) == (413, "body_too_large")
    assert recorder[0].calls == []


async def test_a_redirect_is_not_followed(client: Client, recorder: tuple[Recorder, str]) -> None:
    answer = await client.get("/phone/relay/moved", allow_redirects=False)

    assert answer.status == 302
    assert "Location" not in answer.headers


async def test_an_answer_without_end_is_cut_off(client: Client) -> None:
    answer = await client.get("/phone/relay/long")

    assert (answer.status, await code_of(answer)) == (503, "server_unreachable")


async def test_a_server_that_is_down_is_said_to_be_down(unused_tcp_port: int) -> None:
    client = await relay_to(f"http://127.0.0.1:{unused_tcp_port}")

    answer = await client.get("/phone/relay/account")

    assert (answer.status, await code_of(answer)) == (503, "server_unreachable")
    assert int(answer.headers["Retry-After"]) > 0
    await client.close()


async def test_a_server_that_keeps_silent_is_given_up(recorder: tuple[Recorder, str]) -> None:
    client = await relay_to(recorder[1], time_out=0.2)

    answer = await client.get("/phone/relay/slow")

    assert (answer.status, await code_of(answer)) == (504, "server_timeout")
    recorder[0].release.set()
    await client.close()


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "/relative", "ftp://127.0.0.1"])
def test_mount_refuses_an_address_that_is_no_server(url: str) -> None:
    with pytest.raises(ValueError, match="absolute"):
        phone.mount(web.Application(), server_url=url, server_host=None)
