"""The simulator's pages as they are served."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bjidp.sandbox import phone

Client = TestClient[web.Request, web.Application]


async def opened(server_host: str | None) -> Client:
    app = web.Application()
    phone.mount(app, server_url="http://127.0.0.1:8080/", server_host=server_host)
    client = TestClient(TestServer(app))
    await client.start_server()
    return client


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    found = await opened(None)
    yield found
    await found.close()


def policy(header: str) -> dict[str, str]:
    return {name: rest for name, _, rest in (part.strip().partition(" ") for part in header.split(";"))}


@pytest.mark.parametrize("path", ["/", "/phone", "/phone/beside", "/inbox", "/people"])
async def test_every_page_forbids_inline_script_and_other_hosts(client: Client, path: str) -> None:
    answer = await client.get(path)
    text = await answer.text()
    rules = policy(answer.headers["Content-Security-Policy"])

    assert answer.status == 200
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", text)
    addresses = re.findall(r'(?:src|href)="([^"]*)"', text)
    allowed = ("/", "http://127.0.0.1:8080/login") if path == "/" else ("/",)
    assert addresses
    assert all(address.startswith(allowed) for address in addresses)


async def test_only_the_demo_page_frames_the_server_and_only_it_may_hold_the_phone(client: Client) -> None:
    rules = {
        path: policy((await client.get(path)).headers["Content-Security-Policy"])
        for path in ("/", "/phone", "/phone/beside", "/inbox")
    }

    assert rules["/"]["frame-src"] == "'self' http://127.0.0.1:8080"
    assert rules["/phone"]["frame-src"] == rules["/inbox"]["frame-src"] == "'none'"
    assert rules["/phone"]["frame-ancestors"] == "'self'"
    assert rules["/phone/beside"]["frame-ancestors"] == "http://127.0.0.1:8080"
    assert rules["/phone/beside"]["frame-src"] == "'none'"
    assert rules["/"]["frame-ancestors"] == rules["/inbox"]["frame-ancestors"] == "'none'"


async def test_the_login_page_is_framed_under_the_server_s_public_host() -> None:
    client = await opened("localhost:9000")

    answer = await client.get("/")

    assert 'src="http://localhost:9000/login"' in await answer.text()
    assert "http://localhost:9000" in answer.headers["Content-Security-Policy"]
    await client.close()


async def test_every_module_style_and_picture_that_is_named_is_there(client: Client) -> None:
    waiting = {"/", "/phone", "/phone/beside", "/inbox", "/people"}
    seen: set[str] = set()
    while waiting:
        address = waiting.pop()
        seen.add(address)
        answer = await client.get(address)
        assert answer.status == 200, address
        if address.endswith(".svg"):
            continue
        text = await answer.text()
        named = re.findall(r'(?:src|href)="(/phone/static/[^"]+)"', text)
        named += [f"/phone/static/{name}" for name in re.findall(r'from "\./([^"]+)"', text)]
        waiting |= set(named) - seen

    assert {"/phone/static/app.js", "/phone/static/screen-confirm.js", "/phone/static/tokens.css"} <= seen


async def test_a_known_file_is_not_sent_twice(client: Client) -> None:
    first = await client.get("/phone/static/app.js")

    again = await client.get("/phone/static/app.js", headers={"If-None-Match": first.headers["ETag"]})

    assert (first.content_type, first.headers["X-Content-Type-Options"]) == ("text/javascript", "nosniff")
    assert (again.status, await again.read()) == (304, b"")


@pytest.mark.parametrize("name", ["missing.js", "..%2f__init__.py", "..%2fpages%2fphone.html", "%2fetc%2fpasswd"])
async def test_only_the_files_of_the_simulator_are_served(client: Client, name: str) -> None:
    answer = await client.get(f"/phone/static/{name}")

    assert answer.status == 404
