"""What authority, bank and business register have in common: a signed question, one answer to it, one charge for it.

No public document tells the form of the real ones, so this one is the project's own: a JSON call whose raw body is
signed together with the time by a shared key. ``request_id`` is the caller's. The same question under the same one is
answered the same and charged once; another question under it is answered 409.
"""

from __future__ import annotations

import hmac
import json
import re
from collections import deque
from collections.abc import Callable
from typing import Annotated, Final, Generic, TypeAlias, TypeVar

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from bjidp.sandbox.clock import DAY, MINUTE, SECOND, Clock, Instant, beijing_date
from bjidp.sandbox.credentials import CallerKey
from bjidp.sandbox.entropy import Entropy, hexadecimal
from bjidp.sandbox.expiring import Expiring

Said: TypeAlias = dict[str, str | None]

_TOLERANCE: Final = 5 * MINUTE
_REMEMBERED: Final = 7 * DAY
_CHARGES_SHOWN: Final = 10_000
_TIMESTAMP: Final = re.compile(r"\d{1,12}", re.ASCII)


class Question(Struct, frozen=True, forbid_unknown_fields=True):
    """What every question begins with."""

    request_id: Annotated[str, Meta(pattern=r"^[0-9A-Za-z]{5,32}\Z")]


class Judgement(Struct, frozen=True):
    """What a register says, and what that costs."""

    said: Said
    charged: bool = True
    remembered: bool = True
    """Whether the same question is answered the same from now on; a busy register has not looked yet."""


class OutsideRange(Exception):
    """A number that somebody may have: nothing is said of it."""


Q = TypeVar("Q", bound=Question)


class Counter(Generic[Q]):
    """Where one caller puts questions to one register."""

    def __init__(
        self,
        *,
        clock: Clock,
        entropy: Entropy,
        key: CallerKey,
        header: str,
        letter: str,
        question: type[Q],
        judge: Callable[[Q, Instant], Judgement],
    ) -> None:
        """Take what ``key`` signed; ``header`` begins the headers' names, ``letter`` the register's references."""
        self._clock = clock
        self._entropy = entropy
        self._key = key
        self._header = header
        self._letter = letter
        self._question = question
        self._judge = judge
        self._answered: Expiring[tuple[Q, Said]] = Expiring()
        self._charged: deque[str] = deque(maxlen=_CHARGES_SHOWN)

    def charged(self) -> list[str]:
        """Return the ``request_id`` of every charge, oldest first: one that was charged twice is there twice."""
        return list(self._charged)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one question."""
        now = self._clock.now()
        body = await request.read()
        if not self._is_signed(request, body, now):
            return _json({"error": "signature"}, status=401)
        try:
            question = msgspec.json.decode(body, type=self._question)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _json({"error": "request"}, status=400)
        known = self._answered.get(question.request_id, now)
        if known is None:
            return self._answer_anew(question, now)
        asked, said = known
        return _json(said) if asked == question else _json({"error": "request_id"}, status=409)

    def _answer_anew(self, question: Q, now: Instant) -> web.Response:
        try:
            judgement = self._judge(question, now)
        except OutsideRange:
            return _json({"error": "outside_range"}, status=422)
        reference = f"{self._letter}{beijing_date(now):%Y%m%d}{hexadecimal(self._entropy, 16)}"
        said: Said = {"request_id": question.request_id, "reference": reference, **judgement.said}
        if judgement.charged:
            self._charged.append(question.request_id)
        if judgement.remembered:
            self._answered.put(question.request_id, (question, said), until=now + _REMEMBERED, now=now)
        return _json(said)

    def _is_signed(self, request: web.Request, body: bytes, now: Instant) -> bool:
        headers = request.headers
        timestamp = headers.get(f"{self._header}-Timestamp", "")
        if headers.get(f"{self._header}-Key") != self._key.key_id or not _TIMESTAMP.fullmatch(timestamp):
            return False
        if abs(now - int(timestamp) * SECOND) > _TOLERANCE:
            return False
        expected = signature(self._key.secret, timestamp, body)
        given = headers.get(f"{self._header}-Signature", "")
        return hmac.compare_digest(given.encode(errors="replace"), expected.encode())


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a call: hex HMAC-SHA256 over the timestamp, a line feed and the raw body."""
    return hmac.digest(secret.encode(), timestamp.encode() + b"\n" + body, "sha256").hex()


def _json(body: Said, *, status: int = 200) -> web.Response:
    return web.Response(text=json.dumps(body), status=status, content_type="application/json")
