"""Face checks: counted, opened at the platform, judged; the same for registrations and for tickets (wire.md 3).

Owns the order of things. A check is counted before anything is opened, and what could not be opened is not counted
twice. A verdict is the platform's, asked for from server to server (attack B1), and is taken by moving a record on.
What a check is for, and where it is kept, is its caller's: the services of registrations and of tickets.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeAlias

from msgspec import Struct

from bjidp.clock import Clock, Instant
from bjidp.entropy import Entropy
from bjidp.errors import BjidpError, Retryable, StoreUnavailable
from bjidp.miniprogram.doors import Doors
from bjidp.miniprogram.errors import DocumentUnsupported, FacePending
from bjidp.miniprogram.limits import MiniProgramLimits
from bjidp.miniprogram.wire import FaceStarted
from bjidp.person import Person
from bjidp.platforms import PlatformIdentity
from bjidp.records import StaleRecord
from bjidp.vendors.ports.platforms import FaceCheck, FaceRequest, FaceStart, FaceVerdict

_REFERENCE_BYTES: Final = 16
_ATTEMPTS: Final = 8

Judging: TypeAlias = Callable[[FaceVerdict, Instant, Instant], Awaitable[object]]
"""Moves a record on by a verdict that was asked for and had been answered at these times; raises ``StaleRecord``."""


class Kept(Protocol):
    """Where a check is kept, as it was read last. What is written on an older read raises ``StaleRecord``."""

    gone: BjidpError
    """What is told where the app that it belongs to is served no more."""

    async def read(self) -> None:
        """Read it again."""
        ...

    def is_prepaid(self, document: str) -> bool:
        """Tell whether the next check of this document, by its counting key, was counted already."""
        ...

    async def restart(self, reference: str) -> None:
        """End earlier checks, to make room for the one under ``reference``; what was prepaid is spent by it."""
        ...

    async def give_back(self, document: str) -> None:
        """Note that the check was counted and could not be opened."""
        ...

    async def started(self, request: FaceRequest, start: FaceStart) -> None:
        """Write down what was opened since :meth:`restart`, and for which facts."""
        ...


class Begun(Struct, frozen=True):
    """A check that the platform has opened: our reference of it, and what the phone is told."""

    reference: str
    told: FaceStarted


class FaceChecks:
    """Opens checks and takes their verdicts. A store that is down raises ``StoreUnavailable``: nothing passes."""

    def __init__(self, doors: Doors, limits: MiniProgramLimits, clock: Clock, entropy: Entropy) -> None:
        """Ask the platforms behind ``doors``, within ``limits``."""
        self._doors = doors
        self._limits = limits
        self._clock = clock
        self._entropy = entropy

    async def start(
        self, kept: Kept, identity: PlatformIdentity, person: Person, *, own: Callable[[], Awaitable[bool]]
    ) -> Begun:
        """Open a check of ``person`` on the phone of ``identity``; earlier ones that are kept there count no more.

        ``own`` tells whether the document is that of the phone's own account. Raises ``DocumentUnsupported``,
        ``RateLimited``, and ``VendorUnavailable``, upon which the next start is not counted.
        """
        face = self._face(kept.gone, identity)
        if person.document_type not in face.documents:
            raise DocumentUnsupported(self._doors.platforms_for(person.document_type))
        request = FaceRequest(self._entropy.octets(_REFERENCE_BYTES).hex(), identity, person)
        await self._count(kept, request, own)
        try:
            await self._limits.face_of_all()
            start = await face.start(request)
        except Retryable:
            # Another check went on there meanwhile, or the store is down too: the count stands.
            with contextlib.suppress(StaleRecord, StoreUnavailable):
                await kept.give_back(self._limits.document(person))
            raise
        await self._freeze(kept, request, start)
        return Begun(request.reference, FaceStarted({**start.client, "verification": start.verification}))

    async def take_verdict(
        self, request: FaceRequest, verification: str, *, gone: BjidpError, read_at: Instant, judged: Judging
    ) -> None:
        """Ask the platform what came of a check that was read at ``read_at``, and move it on by ``judged``.

        Raises ``FacePending`` while there is no verdict, ``StaleRecord`` where somebody else was faster, and
        ``VendorUnavailable``; ``gone`` as in :class:`Kept`.
        """
        asked = self._clock.now()
        verdict = await self._face(gone, request.identity).verdict(request, verification)
        answered_at = read_at + (self._clock.now() - asked)
        if verdict is FaceVerdict.PENDING:
            with contextlib.suppress(StaleRecord):
                await judged(verdict, read_at, answered_at)
            raise FacePending
        await judged(verdict, read_at, answered_at)

    def _face(self, gone: BjidpError, identity: PlatformIdentity) -> FaceCheck:
        face = self._doors.face(identity)
        if face is None:
            raise gone
        return face

    async def _count(self, kept: Kept, request: FaceRequest, own: Callable[[], Awaitable[bool]]) -> None:
        """Count the check unless it was paid for already, and end earlier ones.

        What was prepaid is spent in the same compare-and-set: of parallel calls one goes free (attack O4).
        """
        document, counted = self._limits.document(request.person), False
        for _ in range(_ATTEMPTS):
            if not counted and not kept.is_prepaid(document):
                await self._limits.face_of_person(request.identity, request.person, own=await own())
                counted = True
            try:
                await kept.restart(request.reference)
            except StaleRecord:
                await kept.read()
            else:
                return
        raise StoreUnavailable(1)

    @staticmethod
    async def _freeze(kept: Kept, request: FaceRequest, start: FaceStart) -> None:
        """Write the check down. Of two at once, whichever is answered last is the one that counts."""
        for _ in range(_ATTEMPTS):
            try:
                await kept.started(request, start)
            except StaleRecord:
                await kept.read()
            else:
                return
        raise StoreUnavailable(1)
