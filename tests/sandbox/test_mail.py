"""The mail server alone, spoken to by hand."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bjidp.sandbox.app import build
from bjidp.sandbox.clock import ManualClock
from bjidp.sandbox.credentials import SandboxCredentials
from bjidp.sandbox.entropy import SeededEntropy
from bjidp.sandbox.settings import SandboxSettings

TO = "wang.fang@post.example"


class Talk:
    """One connection, line by line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sender: str) -> None:
        self.reader = reader
        self.writer = writer
        self.sender = sender

    async def hears(self) -> str:
        """Return the next answer's last line."""
        while True:
            line = (await self.reader.readline()).decode().rstrip("\r\n")
            if line[3:4] != "-":
                return line

    async def says(self, line: str) -> str:
        self.writer.write(line.encode() + b"\r\n")
        return await self.hears()

    async def logs_in(self, username: str, password: str) -> str:
        await self.says("EHLO id.example")
        shown = base64.b64encode(f"\0{username}\0{password}".encode()).decode()
        return await self.says(f"AUTH PLAIN {shown}")

    async def sends(self, *headers: str, text: str = "042531 是您的验证码") -> str:
        assert (await self.says(f"MAIL FROM:<{self.sender}>")).startswith("250")
        assert (await self.says(f"RCPT TO:<{TO}>")).startswith("250")
        assert (await self.says("DATA")).startswith("354")
        body = base64.b64encode(text.encode()).decode()
        lines = [*headers, "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8"]
        lines += ["Content-Transfer-Encoding: base64", "", body, "."]
        return await self.says("\r\n".join(lines))

    def headers(self, **changes: str) -> list[str]:
        told = {"From": self.sender, "To": TO, "Subject": "x", "Date": "Fri, 15 Jan 2027 08:00:00 +0000"}
        told |= {"Message-ID": "<1@id.example>"} | changes
        return [f"{name}: {value}" for name, value in told.items()]


@pytest.fixture
async def sandbox(credentials: SandboxCredentials) -> AsyncIterator[tuple[TestClient[Any, Any], int]]:
    listener = socket.create_server(("127.0.0.1", 0))
    settings = SandboxSettings(
        clock=ManualClock(),
        entropy=SeededEntropy("sandbox tests"),
        credentials=credentials,
        base_url="http://127.0.0.1:8081",
        server_url="http://127.0.0.1:8080",
        mail=listener,
    )
    port = int(listener.getsockname()[1])
    async with TestClient[Any, Any](TestServer(build(settings))) as control:
        yield control, port


@pytest.fixture
async def talk(sandbox: tuple[TestClient[Any, Any], int], credentials: SandboxCredentials) -> AsyncIterator[Talk]:
    reader, writer = await asyncio.open_connection("127.0.0.1", sandbox[1])
    talk = Talk(reader, writer, credentials.mail.sender)
    assert (await talk.hears()).startswith("220")
    yield talk
    writer.close()


@pytest.fixture
async def known(talk: Talk, credentials: SandboxCredentials) -> Talk:
    assert (await talk.logs_in(credentials.mail.username, credentials.mail.password)).startswith("235")
    return talk


async def inbox(control: TestClient[Any, Any], address: str = TO) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = await (await control.get("/control/inbox", params={"to": address})).json()
    return told


async def test_a_mail_lands_in_the_inbox_with_its_subject_and_code(
    sandbox: tuple[TestClient[Any, Any], int], known: Talk
) -> None:
    assert (await known.sends(*known.headers())).startswith("250")
    (message,) = await inbox(sandbox[0])
    assert (message["to"], message["text"], message["code"]) == (TO, "x\n\n042531 是您的验证码", "042531")


async def test_without_a_log_in_nothing_is_taken(talk: Talk) -> None:
    await talk.says("EHLO id.example")
    assert (await talk.says(f"MAIL FROM:<{talk.sender}>")).startswith("530")


@pytest.mark.parametrize(("username", "password"), [("sandbox-mail", "x"), ("x", "sandboxMailPassword01"), ("", "")])
async def test_nobody_else_logs_in(talk: Talk, username: str, password: str) -> None:
    assert (await talk.logs_in(username, password)).startswith("535")
    assert (await talk.says(f"MAIL FROM:<{talk.sender}>")).startswith("530")


async def test_an_account_sends_from_its_own_address_alone(known: Talk) -> None:
    assert (await known.says("MAIL FROM:<else@id.example>")).startswith("553")
    assert (await known.sends(*known.headers(From="else@id.example"))).startswith("554")


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("wang.fang@example.com", "550"),
        ("wang.fang@example", "550"),
        ("wang.fang@post.example.com", "550"),
        ("refuse-550@post.example", "550"),
        ("refuse-452@post.example", "452"),
        ("refuse-250@post.example", "250"),
        ("Wang.Fang@POST.EXAMPLE", "250"),
    ],
)
async def test_mail_under_example_is_taken_and_no_other(known: Talk, to: str, code: str) -> None:
    await known.says(f"MAIL FROM:<{known.sender}>")
    assert (await known.says(f"RCPT TO:<{to}>")).startswith(code)


@pytest.mark.parametrize("missing", ["From", "To", "Subject", "Date", "Message-ID"])
@pytest.mark.parametrize("times", [0, 2])
async def test_a_mail_has_each_header_once(
    sandbox: tuple[TestClient[Any, Any], int], known: Talk, missing: str, times: int
) -> None:
    headers = [line for line in known.headers() for _ in range(times if line.startswith(f"{missing}:") else 1)]
    assert (await known.sends(*headers)).startswith("554")
    assert await inbox(sandbox[0]) == []


async def test_a_stopping_sandbox_keeps_no_connection(sandbox: tuple[TestClient[Any, Any], int], known: Talk) -> None:
    await sandbox[0].post("/control/faults", json={"service": "mail", "mode": "timeout"})
    known.writer.write(b"EHLO id.example\r\n")
    async with asyncio.timeout(5):
        while (await (await sandbox[0].get("/health")).json())["held"] != 1:
            pass
        await sandbox[0].close()
        assert await known.reader.read() == b""
