"""Where registrations wait.

Owns the keys they lie under and the sealing of the person in them. A registration's secret is the phone's alone: the
store knows its digest, so whoever reads the store can neither continue a registration nor learn whose it is. Called
by ``service``, ``claiming`` and ``linking``.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from bjidp.clock import Instant, Millis
from bjidp.entropy import Entropy, token
from bjidp.miniprogram.errors import unknown_registration
from bjidp.miniprogram.ports import Seals
from bjidp.miniprogram.registration import KEPT, LIFETIME, Check, Registration
from bjidp.person import Person
from bjidp.platforms import Platform, PlatformIdentity
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.records import Held, Records
from bjidp.vendors.ports.platforms import FaceRequest, FaceStart

T = TypeVar("T")

_SECRET_BITS = 256


class Page:
    """One registration as read: its record, and how to write it on. A write says :class:`StaleRecord` when late."""

    __slots__ = ("_book", "held", "key")

    def __init__(self, book: RegistrationBook, key: str, held: Held[Registration]) -> None:
        """Bundle one read."""
        self._book = book
        self.key = key
        self.held = held

    @property
    def registration(self) -> Registration:
        """The registration."""
        return self.held.value

    @property
    def now(self) -> Instant:
        """The store's time at the read."""
        return self.held.now

    @property
    def identity(self) -> PlatformIdentity:
        """The platform identity the registration was opened for."""
        return self._book.unsealed(f"{self.key}/identity", self.registration.identity, PlatformIdentity)

    def person(self, check: Check) -> Person:
        """Return the person frozen in ``check``."""
        return self._book.unsealed(f"{self.key}/person", check.person, Person)

    def check(self, request: FaceRequest, start: FaceStart, valid_days: int) -> Check:
        """Freeze the facts of a face check that was opened after this read."""
        return Check(
            reference=request.reference,
            verification=start.verification,
            person=self._book.sealed(f"{self.key}/person", request.person),
            valid_days=valid_days,
            started_at=self.now,
            without_verdict_at=self.now,
        )

    async def write(self, following: Registration, lifetime: Millis | None = None) -> Page:
        """Replace what was read; return the page as it is now. Raises :class:`StaleRecord`."""
        version = await self._book.records.replace(self.key, following, self.held.version, lifetime)
        return Page(self._book, self.key, Held(following, version, self.held.now))


class RegistrationBook:
    """Opens and finds registrations."""

    def __init__(self, *, records: Records[Registration], seals: Seals, pseudonyms: Pseudonyms) -> None:
        """Keep registrations in ``records``."""
        self.records = records
        self._seals = seals
        self._pseudonyms = pseudonyms

    async def open(self, identity: PlatformIdentity, entropy: Entropy, now: Instant) -> str:
        """Open a registration for ``identity``; return its secret."""
        secret = token(entropy, _SECRET_BITS)
        key = self._key(secret)
        sealed = self.sealed(f"{key}/identity", identity)
        await self.records.add(key, Registration(identity.platform, sealed, now + LIFETIME), KEPT)
        return secret

    async def find(self, platform: Platform, secret: str) -> Page:
        """Return the live registration of ``platform`` under ``secret``; raise :class:`InvalidRequest`."""
        key = self._key(secret)
        held = await self.records.get(key)
        if held is None or held.value.platform is not platform:
            raise unknown_registration()
        return Page(self, key, held)

    def sealed(self, place: str, value: PlatformIdentity | Person) -> bytes:
        """Seal a personal value for its place."""
        return self._seals.seal(msgspec.json.encode(value), place)

    def unsealed(self, place: str, sealed: bytes, kind: type[T]) -> T:
        """Open what was sealed for its place; raise :class:`InvalidRequest` when it can't be read any more."""
        try:
            return msgspec.json.decode(self._seals.unseal(sealed, place), type=kind)
        except ValueError:
            # Its key was retired, or the record was tampered with: the registration is over.
            raise unknown_registration() from None

    def _key(self, secret: str) -> str:
        return self._pseudonyms.key("mp.registration", secret)
