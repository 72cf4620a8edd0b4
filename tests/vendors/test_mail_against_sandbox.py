"""The real client of mail against the sandbox's mail server, over loopback SMTP."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, MutableMapping
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer

from bjidp.clock import ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.errors import VendorUnavailable
from bjidp.sandbox.app import build
from bjidp.sandbox.credentials import default_credentials
from bjidp.sandbox.settings import SandboxSettings
from bjidp.secret import Secret
from bjidp.vendors.catalog import build_mail
from bjidp.vendors.ports.mail import MailAccepted, MailRefusal, MailRefused, MailSender
from bjidp.vendors.settings import MailSettings
from tests.vendors.cast import MAIL

CREDENTIALS = default_credentials(None)


@dataclass
class Post:
    """A sandbox with a mail server, and whoever sends through it."""

    control: TestClient[Any, Any]
    port: int
    clock: ManualClock

    def sender(self, *, patience: float = 8.0, **changes: object) -> MailSender:
        told = CREDENTIALS.client_settings("http://127.0.0.1", self.port).mail
        given: dict[str, Any] = {
            "host": told.host,
            "port": told.port,
            "security": "plain",
            "username": told.username,
            "password": Secret(told.password),
            "sender": told.sender,
            "sender_name": "北京市统一身份认证平台",
            **changes,
        }
        return build_mail(MailSettings(**given), clock=self.clock, patience=patience)

    async def inbox(self, address: str = MAIL.to) -> list[dict[str, Any]]:
        answer = await self.control.get("/control/inbox", params={"to": address})
        told: list[dict[str, Any]] = await answer.json()
        return told

    async def fault(self, mode: str, **more: float) -> None:
        answer = await self.control.post("/control/faults", json={"service": "mail", "mode": mode, **more})
        assert answer.status == 200

    async def held(self) -> int:
        return int((await (await self.control.get("/health")).json())["held"])


@pytest.fixture
async def post(clock: ManualClock, entropy: SeededEntropy) -> AsyncIterator[Post]:
    listener = socket.create_server(("127.0.0.1", 0))
    settings = SandboxSettings(
        clock=clock,
        entropy=entropy,
        credentials=CREDENTIALS,
        base_url="http://127.0.0.1",
        server_url="http://127.0.0.1",
        mail=listener,
    )
    port = int(listener.getsockname()[1])
    async with TestClient[Any, Any](TestServer(build(settings), host="127.0.0.1")) as control:
        yield Post(control, port, clock)


@pytest.mark.req("ACC-4")
async def test_a_mail_that_is_taken_is_in_the_inbox_of_its_address(post: Post) -> None:
    assert await post.sender().send(MAIL) == MailAccepted()
    (message,) = await post.inbox()
    assert (message["to"], message["code"]) == (MAIL.to, "042532")
    assert message["text"] == f"{MAIL.subject}\n\n{MAIL.text}"


@pytest.mark.attack("Q24")
async def test_of_a_mail_its_outcome_and_duration_are_logged(
    post: Post, logged: list[MutableMapping[str, Any]]
) -> None:
    await post.sender().send(MAIL)
    told = [line for line in logged if line["event"].startswith("vendor")]
    assert told == [
        {
            "event": "vendor_call",
            "log_level": "info",
            "service": "mail",
            "operation": "send",
            "outcome": "ok",
            "duration_ms": 0,
        }
    ]


@pytest.mark.parametrize(
    ("to", "kind"),
    [
        ("wang.fang@example.com", MailRefusal.ADDRESS),
        ("refuse-550@post.example", MailRefusal.ADDRESS),
        ("refuse-552@post.example", MailRefusal.ADDRESS),
        ("refuse-450@post.example", MailRefusal.BUSY),
        ("refuse-452@post.example", MailRefusal.BUSY),
    ],
)
async def test_a_mailbox_that_is_refused_is_no_outage(post: Post, to: str, kind: MailRefusal) -> None:
    assert await post.sender().send(msgspec.structs.replace(MAIL, to=to)) == MailRefused(kind)
    assert await post.inbox(to) == []
    assert await post.sender().send(MAIL) == MailAccepted()


async def test_wrong_credentials_are_an_alarm(post: Post, logged: list[MutableMapping[str, Any]]) -> None:
    sender = post.sender(password=Secret("wrong Hush"))
    assert await sender.send(MAIL) == MailRefused(MailRefusal.CREDENTIALS)
    assert {"vendor_alarm"} == {line["event"] for line in logged if line["log_level"] == "error"}


@pytest.mark.parametrize("changes", [{"sender": "else@id.example"}, {"username": None, "password": None}])
async def test_a_sender_that_may_not_is_an_alarm(
    post: Post, changes: dict[str, Any], logged: list[MutableMapping[str, Any]]
) -> None:
    assert await post.sender(**changes).send(MAIL) == MailRefused(MailRefusal.SENDER)
    assert {"vendor_alarm"} == {line["event"] for line in logged if line["log_level"] == "error"}
    assert await post.inbox() == []


@pytest.mark.parametrize("mode", ["refuse", "http500", "malformed"])
async def test_a_server_that_is_broken_is_an_outage_until_it_is_mended(post: Post, mode: str) -> None:
    await post.fault(mode)
    with pytest.raises(VendorUnavailable):
        await post.sender().send(MAIL)
    # Of a mail whose answer was lost nobody knows whether it arrives; here it does.
    assert len(await post.inbox()) == (1 if mode == "malformed" else 0)
    await post.fault("ok")
    assert await post.sender().send(MAIL) == MailAccepted()


async def test_a_server_without_an_answer_is_given_up_and_let_go(post: Post) -> None:
    await post.fault("timeout")
    with pytest.raises(VendorUnavailable):
        await post.sender(patience=0.05).send(MAIL)
    async with asyncio.timeout(5):
        while await post.held():
            pass


async def test_a_slow_server_takes_the_mail_in_the_end(post: Post) -> None:
    await post.fault("slow", seconds=0.1)
    assert await post.sender().send(MAIL) == MailAccepted()


async def test_nobody_there_is_an_outage(post: Post) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    with pytest.raises(VendorUnavailable):
        await post.sender(port=port).send(MAIL)


async def test_a_server_without_tls_is_not_told_the_password(post: Post) -> None:
    for security in ("tls", "starttls"):
        with pytest.raises(VendorUnavailable):
            await post.sender(security=security, patience=2.0).send(MAIL)


async def test_many_at_a_moment_all_arrive(post: Post) -> None:
    sender = post.sender()
    mails = [msgspec.structs.replace(MAIL, to=f"wang.fang{turn}@post.example") for turn in range(40)]
    assert set(await asyncio.gather(*(sender.send(mail) for mail in mails))) == {MailAccepted()}
    for mail in mails:
        assert len(await post.inbox(mail.to)) == 1
