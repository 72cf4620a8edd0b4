"""A mail server that says what a test tells it to, whatever it is asked."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class SmtpStand:
    """Answers each command by its first word, and remembers all it was told."""

    def __init__(self, answers: dict[str, str], tls: ssl.SSLContext | None = None) -> None:
        self.told: list[str] = []
        self.mails: list[bytes] = []
        self.hang_up_after: str | None = None
        self._tls = tls
        self._answers = {
            "": "220 stand.example",
            "EHLO": "250-stand.example\r\n250-STARTTLS\r\n250 AUTH PLAIN"
            if tls
            else "250-stand.example\r\n250 AUTH PLAIN",
            "STARTTLS": "220 go",
            "AUTH": "235 in",
            "MAIL": "250 ok",
            "RCPT": "250 ok",
            "DATA": "354 go on",
            ".": "250 taken",
            "RSET": "250 ok",
            "QUIT": "221 bye",
        } | answers
        self.port = 0

    @asynccontextmanager
    async def open(self, *, at_once: bool = False) -> AsyncIterator[SmtpStand]:
        """Listen on loopback; under TLS from the first byte if ``at_once``."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls if at_once else None)
        self.port = int(server.sockets[0].getsockname()[1])
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._talk(reader, writer)
        except (ConnectionError, ssl.SSLError):
            return
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._say(writer, "")
        while line := await reader.readline():
            self.told.append(line.decode().rstrip("\r\n"))
            word = self.told[-1].partition(" ")[0].upper()
            if word == self.hang_up_after:
                return
            await self._say(writer, word)
            if word == "STARTTLS":
                assert self._tls is not None
                await writer.start_tls(self._tls)
            if word == "DATA" and self._answers["DATA"].startswith("354"):
                self.mails.append(await reader.readuntil(b"\r\n.\r\n"))
                if self.hang_up_after == ".":
                    return
                await self._say(writer, ".")
            if word == "QUIT":
                return

    async def _say(self, writer: asyncio.StreamWriter, word: str) -> None:
        writer.write(self._answers.get(word, "502 what").encode() + b"\r\n")
        await writer.drain()


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return what a server called ``name`` shows, and what believes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    owner = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(owner)
        .issuer_name(owner)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    shown = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    shown.load_cert_chain(path)
    return shown, ssl.create_default_context(cafile=str(path))
