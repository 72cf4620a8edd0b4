"""Handing mail to a mail server.

Owns the connection and what each answer comes to. One mail, one connection: codes are few, and what is kept open is
closed by the server when nobody looks. What is logged is the outcome and the duration; the server's words are not,
since they repeat addresses (attack Q24).
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from typing import Final, Literal, TypeAlias

import structlog
from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from bjidp.clock import Clock
from bjidp.errors import VendorUnavailable
from bjidp.secret import Secret
from bjidp.vendors.ports.mail import Mail, MailAccepted, MailAnswer, MailRefusal, MailRefused
from bjidp.vendors.smtp.message import composed

Security: TypeAlias = Literal["tls", "starttls", "plain"]

PORTS: Final = {"tls": 465, "starttls": 587, "plain": 25}

FAREWELL: Final = 1.0
"""Seconds that a server is left to say goodbye after it has taken the mail."""

CONNECTIONS: Final = 16
"""Connections at a time; a slow server can't use up what others need."""

_PERMANENT: Final = range(500, 600)
_TRANSIENT: Final = range(400, 500)

_POLICY: Final = "5.7."
"""Enhanced codes that are about who sends (RFC 3463, section 3.8)."""


class SmtpMail:
    """Implements :class:`bjidp.vendors.ports.mail.MailSender`, in one attempt."""

    def __init__(
        self,
        *,
        host: str,
        port: int | None,
        security: Security,
        username: str | None,
        password: Secret | None,
        sender: str,
        sender_name: str,
        clock: Clock,
        patience: float,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """Send from ``sender`` by the server at ``host``, which may take ``patience`` seconds.

        ``trust`` says whose certificate is believed, by default what the machine trusts.
        """
        self._host = host
        self._port = port or PORTS[security]
        self._security = security
        self._username = username
        self._password = password
        self._sender = sender
        self._sender_name = sender_name
        self._clock = clock
        self._patience = patience
        self._trust = None if security == "plain" else trust or ssl.create_default_context()
        self._free = asyncio.Semaphore(CONNECTIONS)
        self._log = structlog.get_logger("bjidp.vendors")

    async def send(self, mail: Mail) -> MailAnswer:
        started = self._clock.now()
        octets = composed(mail, sender=self._sender, sender_name=self._sender_name, now=started)
        outcome, answer = await self._exchange(mail.to, octets)
        self._report(outcome, answer, max(0, self._clock.now() - started))
        if answer is None:
            # Raised here, outside any except block: the server's words as context would carry the address.
            raise VendorUnavailable
        return answer

    async def _exchange(self, to: str, octets: bytes) -> tuple[str, MailAnswer | None]:
        smtp = self._opened()
        try:
            async with asyncio.timeout(self._patience), self._free:
                await smtp.connect()
                await smtp.sendmail(self._sender, [to], octets)
            with suppress(SMTPException, OSError):
                # It is taken, whatever comes of this.
                await smtp.quit(timeout=FAREWELL)
            return "ok", MailAccepted()
        except SMTPRecipientsRefused as refusal:
            code, words = refusal.recipients[0].code, refusal.recipients[0].message
            return _outcome(code), _of_address(code, words)
        except (SMTPAuthenticationError, SMTPSenderRefused, SMTPDataError) as refusal:
            kind = _REFUSALS[type(refusal)]
            return _outcome(refusal.code), MailRefused(kind) if refusal.code in _PERMANENT else None
        except SMTPResponseException as refusal:
            return _outcome(refusal.code), None
        except TimeoutError:
            return "timeout", None
        except OSError:
            return "unreachable", None
        except SMTPException:
            # All others are about what the server cannot do: the protection that is asked for, or a log-in.
            return "unsupported", None
        finally:
            smtp.close()

    def _opened(self) -> SMTP:
        return SMTP(
            hostname=self._host,
            port=self._port,
            # Not the machine's own name, which it would ask the network for.
            local_hostname=self._sender.rpartition("@")[2],
            username=self._username,
            password=None if self._password is None else self._password.text(),
            use_tls=self._security == "tls",
            start_tls=self._security == "starttls",
            tls_context=self._trust,
            timeout=self._patience,
        )

    def _report(self, outcome: str, answer: MailAnswer | None, duration: int) -> None:
        called = {"service": "mail", "operation": "send"}
        if outcome == "ok":
            self._log.info("vendor_call", **called, outcome=outcome, duration_ms=duration)
            return
        self._log.warning("vendor_call", **called, outcome=outcome, duration_ms=duration)
        if isinstance(answer, MailRefused):
            if answer.kind.alarm:
                self._log.error("vendor_alarm", **called, reason=answer.kind.value)
            else:
                self._log.warning("vendor_refusal", **called, reason=answer.kind.value)
        elif outcome == "unsupported":
            self._log.error("vendor_alarm", **called, reason=outcome)


_REFUSALS: Final[dict[type[SMTPResponseException], MailRefusal]] = {
    SMTPAuthenticationError: MailRefusal.CREDENTIALS,
    SMTPSenderRefused: MailRefusal.SENDER,
    SMTPDataError: MailRefusal.CONTENT,
}


def _outcome(code: int) -> str:
    return f"status_{code}" if code > 0 else "malformed"


def _of_address(code: int, words: str) -> MailRefused | None:
    if code in _TRANSIENT:
        return MailRefused(MailRefusal.BUSY)
    if code not in _PERMANENT:
        return None
    return MailRefused(MailRefusal.SENDER if words.startswith(_POLICY) else MailRefusal.ADDRESS)
