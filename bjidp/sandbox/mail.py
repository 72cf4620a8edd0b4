"""A mail server: SMTP on loopback (RFC 5321), after a log-in (RFC 4954), into the sandbox's inbox.

It knows mail under ``.example`` alone. ``refuse-ccc@`` anywhere there is refused with the reply code ``ccc``. Faults
show in the answer to ``EHLO``, but for ``malformed``: then the mail is taken, and the answer to it cut.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import hmac
import logging
import re
import socket
from collections.abc import AsyncIterator
from typing import Final, cast
from weakref import WeakSet

from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from bjidp.sandbox.credentials import MailAccount
from bjidp.sandbox.faults import Faults
from bjidp.sandbox.inbox import Inbox, code_in

_HOST: Final = "mail.sandbox.example"
_SIZE: Final = 64 * 1024
_RECIPIENTS: Final = 10

_OURS: Final = re.compile(r"[^@\s]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+example", re.IGNORECASE)
_REFUSED: Final = re.compile(r"refuse-([45][0-9]{2})@.*")
_ONCE: Final = ("From", "To", "Subject", "Date", "Message-ID")


class MailServer:
    """The server, and what it does at each command: the handler of :class:`aiosmtpd.smtp.SMTP`."""

    def __init__(self, *, account: MailAccount, inbox: Inbox, faults: Faults) -> None:
        """Serve ``account`` alone, and deliver to ``inbox``."""
        self._account = account
        self._inbox = inbox
        self._faults = faults
        self._open: WeakSet[SMTP] = WeakSet()

    async def lifespan(self, listener: socket.socket, _app: web.Application) -> AsyncIterator[None]:
        """Listen on ``listener`` while the sandbox runs."""
        # It warns of its own habits with every log-in.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        # On the sandbox's own loop: the controllers of the library would each start a thread.
        server = await asyncio.get_running_loop().create_server(self._connection, sock=listener)
        yield
        server.close()
        for connection in tuple(self._open):
            _abort(connection)
        await server.wait_closed()

    def _connection(self) -> SMTP:
        connection = SMTP(
            self,
            hostname=_HOST,
            ident="sandbox",
            data_size_limit=_SIZE,
            auth_require_tls=False,
            authenticator=self._known,
            loop=asyncio.get_running_loop(),
        )
        self._open.add(connection)
        return connection

    def _known(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, shown: object) -> AuthResult:
        right = isinstance(shown, LoginPassword) and all(
            [
                hmac.compare_digest(shown.login, self._account.username.encode()),
                hmac.compare_digest(shown.password, self._account.password.encode()),
            ]
        )
        return AuthResult(success=right, handled=False)

    async def handle_EHLO(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, answer: list[str]
    ) -> list[str]:
        """Greet, or misbehave."""
        fault = self._faults.of("mail")
        session.host_name = hostname
        match fault.mode:
            case "slow":
                await self._faults.keep(lambda: _left(server), fault)
            case "timeout":
                await self._faults.keep(lambda: _left(server), fault)
                await _hang_up(server)
            case "refuse":
                await _hang_up(server)
            case "http500":
                return ["421 4.3.2 Service not available"]
            case "ok" | "malformed":
                pass
        return answer

    async def handle_MAIL(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the sender."""
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        if address != self._account.sender:
            return "553 5.7.1 Not an address of this account"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient."""
        if len(envelope.rcpt_tos) >= _RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        if _OURS.fullmatch(address) is None:
            return "550 5.1.2 The sandbox knows mail under .example alone"
        refused = _REFUSED.fullmatch(address)
        if refused is not None:
            return f"{refused[1]} {refused[1][0]}.1.1 Refused, as the address says"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        """Take the mail."""
        octets = envelope.content if isinstance(envelope.content, bytes) else b""
        message = email.message_from_bytes(octets, policy=email.policy.default)
        body = message.get_body(("plain",))
        if body is None or any(len(message.get_all(name, ())) != 1 for name in _ONCE):
            return "554 5.6.0 Not a mail with one of each header, and a text"
        if message["From"].addresses[0].addr_spec != envelope.mail_from:
            return "554 5.7.1 The sender on the mail is another"
        text = str(body.get_content()).replace("\r\n", "\n")
        for address in envelope.rcpt_tos:
            self._inbox.deliver(address, f"{message['Subject']}\n\n{text}", code_in(text))
        return "2" if self._faults.of("mail").mode == "malformed" else "250 2.0.0 Taken"


def _left(server: SMTP) -> bool:
    return server.transport is None or server.transport.is_closing()


def _abort(server: SMTP) -> None:
    # By type alone: uvloop's transports are none of asyncio's classes.
    transport = cast("asyncio.WriteTransport | None", server.transport)
    if transport is not None:
        transport.abort()


async def _hang_up(server: SMTP) -> None:
    _abort(server)
    # Whoever loses the connection ends this.
    await asyncio.Event().wait()
