"""The one way out: how every vendor client speaks HTTP.

Owns the ``aiohttp`` client session: time-outs, bounds, the log line of each call, and the translation of everything
that can go wrong on a wire into :class:`bjidp.errors.VendorUnavailable`. Called by the clients beside it, opened by
``bjidp.vendors.catalog``. It never retries: whether an attempt may be repeated is known only to the client that
knows what was asked.

What is logged is the service, the name of the operation, the outcome and the duration. Addresses, queries, headers
and bodies are not: vendors put secrets in queries and openids in bodies (attack Q24).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias, TypeVar

import aiohttp
import msgspec
import structlog
from msgspec import Struct

from bjidp.clock import Clock
from bjidp.errors import VendorUnavailable

T = TypeVar("T")

Method: TypeAlias = Literal["GET", "POST"]

_CHUNK: Final = 16 * 1024
_SUCCESS: Final = range(200, 300)

# Vendors' error codes are logged, their error texts are not: those quote what they were sent.
_CODE: Final = re.compile(r"[A-Za-z0-9_.\-]{1,64}")


class HttpLimits(Struct, frozen=True, kw_only=True):
    """How long and how much one vendor may take. Times in seconds, size in bytes."""

    total: float = 5.0
    """For the whole call: waiting for a connection, the answer, and reading it to the end."""

    connect: float = 2.0
    """For getting a connection, out of the pool or new."""

    max_bytes: int = 256 * 1024
    """The longest answer read; a longer one is refused unread."""

    connections: int = 32
    """Open connections to this vendor: a slow one can't use up what the others need."""


SessionFactory: TypeAlias = Callable[[HttpLimits], aiohttp.ClientSession]


def open_session(limits: HttpLimits) -> aiohttp.ClientSession:
    """Open a client session that keeps no cookies, reads no proxy settings and unpacks nothing.

    Without unpacking, ``max_bytes`` bounds what arrives and what it becomes alike; requests ask for ``identity``.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=limits.connections),
        timeout=aiohttp.ClientTimeout(total=limits.total, connect=limits.connect),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    )


class VendorHttp:
    """Calls one service below one base URL."""

    def __init__(
        self,
        service: str,
        base_url: str,
        *,
        clock: Clock,
        limits: HttpLimits | None = None,
        sessions: SessionFactory = open_session,
    ) -> None:
        """Speak for ``service`` (its name in the log) to ``base_url``; nothing is opened before the first call."""
        self._service = service
        self._base_url = base_url.rstrip("/")
        self._clock = clock
        self._limits = limits or HttpLimits()
        self._sessions = sessions
        self._session: aiohttp.ClientSession | None = None
        self._closed = False
        self._log = structlog.get_logger("bjidp.vendors")

    @property
    def service(self) -> str:
        """The service's name, as the log has it."""
        return self._service

    @property
    def base_url(self) -> str:
        """The address all paths are below, without a slash at the end."""
        return self._base_url

    async def json(
        self,
        operation: str,
        method: Method,
        path: str,
        answer: type[T],
        *,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """Call and read the answer as JSON of the type ``answer``, whatever content type it claims.

        ``body`` is JSON text, sent as it is. Raises :class:`VendorUnavailable` when there is no answer in time, its
        status is not 2xx (a redirect is not followed), or it is too long, no JSON, or of another shape.
        """
        started = self._clock.now()
        outcome, octets = await self._exchange(method, path, query=query, form=form, body=body, headers=headers)
        value: T | None = None
        if octets is not None:
            try:
                value = msgspec.json.decode(octets, type=answer)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                outcome = "malformed"
        self._report(operation, outcome, started)
        if value is None:
            # Raised here, outside any except block: a wire error as context would carry the address with its query.
            raise VendorUnavailable
        return value

    async def octets(
        self,
        operation: str,
        method: Method,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> bytes:
        """Call and return the answer's bytes as they came, for clients that have a way of their own to read them.

        Raises :class:`VendorUnavailable` as :meth:`json` does.
        """
        started = self._clock.now()
        outcome, octets = await self._exchange(method, path, query=query, form=form, body=body)
        self._report(operation, outcome, started)
        if octets is None:
            raise VendorUnavailable
        return octets

    def alarm(self, operation: str, reason: str) -> None:
        """Log a fault that only an operator can mend: a wrong key, a used-up quota, a lying answer.

        ``reason`` is a word of ours or the vendor's error code; anything that does not look like one is withheld.
        """
        self._log.error("vendor_alarm", service=self._service, operation=operation, reason=_coded(reason))

    def refused(self, operation: str, reason: str) -> None:
        """Log that the vendor said no to a person; one is ordinary, many in a row tell of a fault."""
        self._log.warning("vendor_refusal", service=self._service, operation=operation, reason=_coded(reason))

    async def close(self) -> None:
        """Close the connections; later calls raise :class:`VendorUnavailable`."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    async def _exchange(
        self,
        method: Method,
        path: str,
        *,
        query: Mapping[str, str] | None,
        form: Mapping[str, str] | None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[str, bytes | None]:
        if self._closed:
            return "closed", None
        if self._session is None:
            # Here and not in the constructor: a client session belongs to the running loop.
            self._session = self._sessions(self._limits)
        sent = {"Accept-Encoding": "identity", **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json; charset=utf-8"
        try:
            async with self._session.request(
                method,
                self._base_url + path,
                params=query,
                data=form if body is None else body,
                headers=sent,
                allow_redirects=False,
            ) as response:
                if response.status not in _SUCCESS:
                    return f"status_{response.status}", None
                octets = bytearray()
                async for chunk in response.content.iter_chunked(_CHUNK):
                    octets += chunk
                    if len(octets) > self._limits.max_bytes:
                        return "oversize", None
                return "ok", bytes(octets)
        except TimeoutError:
            return "timeout", None
        except aiohttp.ClientConnectionError:
            return "unreachable", None
        except (aiohttp.ClientError, OSError, ValueError):
            return "broken", None

    def _report(self, operation: str, outcome: str, started: int) -> None:
        fields = {"service": self._service, "operation": operation, "outcome": outcome}
        duration = max(0, self._clock.now() - started)
        if outcome == "ok":
            self._log.info("vendor_call", **fields, duration_ms=duration)
        else:
            self._log.warning("vendor_call", **fields, duration_ms=duration)


def _coded(reason: str) -> str:
    return reason if _CODE.fullmatch(reason) else "unreadable"
