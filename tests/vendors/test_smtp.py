"""What each answer of a mail server comes to, what goes over the wire, and to whom."""

from __future__ import annotations

import email
import email.policy
import ssl
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bjidp.clock import ManualClock
from bjidp.errors import VendorUnavailable
from bjidp.secret import Secret
from bjidp.vendors.ports.mail import MailAccepted, MailAnswer, MailRefusal, MailRefused
from bjidp.vendors.smtp.client import Security, SmtpMail
from bjidp.vendors.smtp.message import composed
from tests.vendors.cast import MAIL
from tests.vendors.smtp_stand import SmtpStand, certificate

SENDER = "noreply@id.example"


def client(
    stand: SmtpStand,
    clock: ManualClock,
    *,
    security: Security = "plain",
    trust: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    patience: float = 5.0,
) -> SmtpMail:
    return SmtpMail(
        host=host,
        port=stand.port,
        security=security,
        username="bjidp",
        password=Secret("Hush"),
        sender=SENDER,
        sender_name="北京通",
        clock=clock,
        patience=patience,
        trust=trust,
    )


@pytest.mark.parametrize(
    ("answers", "answer"),
    [
        ({}, MailAccepted()),
        ({"QUIT": "500 never"}, MailAccepted()),
        ({"QUIT": "\xff"}, MailAccepted()),
        ({"RCPT": "550 5.1.1 <wang.fang@post.example> unknown"}, MailRefused(MailRefusal.ADDRESS)),
        ({"RCPT": "551 5.1.6 moved"}, MailRefused(MailRefusal.ADDRESS)),
        ({"RCPT": "550 5.7.1 relaying denied"}, MailRefused(MailRefusal.SENDER)),
        ({"RCPT": "450 4.2.0 greylisted"}, MailRefused(MailRefusal.BUSY)),
        ({"MAIL": "550 5.7.1 not you"}, MailRefused(MailRefusal.SENDER)),
        ({"AUTH": "535 5.7.8 wrong"}, MailRefused(MailRefusal.CREDENTIALS)),
        ({"DATA": "554 no"}, MailRefused(MailRefusal.CONTENT)),
        ({".": "554 5.7.1 looks like spam"}, MailRefused(MailRefusal.CONTENT)),
    ],
    ids=str,
)
async def test_each_answer_has_one_meaning(clock: ManualClock, answers: dict[str, str], answer: MailAnswer) -> None:
    async with SmtpStand(answers).open() as stand:
        assert await client(stand, clock).send(MAIL) == answer


@pytest.mark.parametrize(
    "answers",
    [
        {"": "554 go away"},
        {"": "421 later"},
        {"": "<html>"},
        {"EHLO": "500 what", "HELO": "500 what"},
        {"EHLO": "250 stand.example"},
        {"EHLO": "250-stand.example\r\n250 AUTH KERBEROS"},
        {"AUTH": "454 4.7.0 later"},
        {"MAIL": "451 4.3.0 later"},
        {"MAIL": "999"},
        {"RCPT": "999"},
        {"RCPT": "xyz"},
        {".": "451 4.3.0 later"},
        {".": "2"},
        {".": "\xff\xfe"},
    ],
    ids=str,
)
async def test_whatever_else_it_says_is_an_outage(clock: ManualClock, answers: dict[str, str]) -> None:
    async with SmtpStand(answers).open() as stand:
        with pytest.raises(VendorUnavailable) as outage:
            await client(stand, clock).send(MAIL)
    assert outage.value.__context__ is None


@pytest.mark.parametrize("word", ["EHLO", "AUTH", "MAIL", "RCPT", "DATA", "."])
async def test_a_server_that_hangs_up_is_an_outage(clock: ManualClock, word: str) -> None:
    async with SmtpStand({}).open() as stand:
        stand.hang_up_after = word
        with pytest.raises(VendorUnavailable):
            await client(stand, clock).send(MAIL)


async def test_a_server_that_hangs_up_after_it_has_taken_the_mail_has_taken_it(clock: ManualClock) -> None:
    async with SmtpStand({}).open() as stand:
        stand.hang_up_after = "QUIT"
        assert await client(stand, clock).send(MAIL) == MailAccepted()


async def test_the_envelope_names_two_addresses_and_no_more(clock: ManualClock) -> None:
    async with SmtpStand({}).open() as stand:
        await client(stand, clock).send(MAIL)
    assert stand.told[0] == "EHLO id.example"
    assert [line for line in stand.told if line.startswith(("MAIL", "RCPT"))] == [
        f"MAIL FROM:<{SENDER}>",
        f"RCPT TO:<{MAIL.to}>",
    ]


def test_a_mail_has_the_headers_it_needs_and_its_text(clock: ManualClock) -> None:
    octets = composed(MAIL, sender=SENDER, sender_name="北京通", now=clock.now())
    assert octets.isascii()
    assert max(map(len, octets.split(b"\r\n"))) <= 78
    message = email.message_from_bytes(octets, policy=email.policy.default)
    assert dict(message.items()) | {"From": "", "Content-Type": ""} == {
        "From": "",
        "To": MAIL.to,
        "Subject": MAIL.subject,
        "Date": "Fri, 15 Jan 2027 08:00:00 +0000",
        "Message-ID": f"<{MAIL.reference}@id.example>",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": "",
        "Content-Transfer-Encoding": "base64",
    }
    (sender,) = message["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("北京通", SENDER)
    body = message.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == MAIL.text


@pytest.mark.parametrize("field", ["to", "subject", "reference"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_no_value_makes_a_header(clock: ManualClock, field: str, end: str) -> None:
    value = f"{getattr(MAIL, field)}{end}Bcc: else@post.example"
    try:
        octets = composed(
            msgspec.structs.replace(MAIL, **{field: value}), sender=SENDER, sender_name="x", now=clock.now()
        )
    except ValueError:
        return
    assert email.message_from_bytes(octets, policy=email.policy.default)["Bcc"] is None


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_over_tls_the_mail_goes_to_whom_the_certificate_names(
    clock: ManualClock, tmp_path: Path, security: Security
) -> None:
    shown, trust = certificate(tmp_path, "localhost")
    async with SmtpStand({}, shown).open(at_once=security == "tls") as stand:
        sender = client(stand, clock, security=security, trust=trust, host="localhost")
        assert await sender.send(MAIL) == MailAccepted()
    assert len(stand.mails) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("flaw", ["another's", "unknown"])
async def test_a_server_that_is_not_the_one_is_told_nothing(
    clock: ManualClock, tmp_path: Path, security: Security, flaw: str
) -> None:
    shown, trust = certificate(tmp_path, "localhost" if flaw == "unknown" else "else.example")
    async with SmtpStand({}, shown).open(at_once=security == "tls") as stand:
        sender = client(stand, clock, security=security, trust=None if flaw == "unknown" else trust, host="localhost")
        with pytest.raises(VendorUnavailable):
            await sender.send(MAIL)
    assert not [line for line in stand.told if line.startswith(("AUTH", "MAIL"))]


@pytest.mark.parametrize(
    "answers", [{"EHLO": "250-stand.example\r\n250 AUTH PLAIN"}, {"STARTTLS": "454 not now"}], ids=str
)
async def test_where_starttls_is_taken_out_nothing_is_told_in_the_open(
    clock: ManualClock, tmp_path: Path, answers: dict[str, str], logged: list[MutableMapping[str, Any]]
) -> None:
    async with SmtpStand(answers).open() as stand:
        with pytest.raises(VendorUnavailable):
            await client(stand, clock, security="starttls", host="localhost").send(MAIL)
    assert not [line for line in stand.told if line.startswith(("AUTH", "MAIL"))]
    if "EHLO" in answers:
        assert {"vendor_alarm"} == {line["event"] for line in logged if line["log_level"] == "error"}
