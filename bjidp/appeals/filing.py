"""Filing an appeal, and looking how it stands (RNV-8, REG-4).

Owns what comes before an appeal: an account with a phone, and a claim, that is an identity which the authority has
confirmed within the last half hour and which stayed another account's. So nobody learns from an appeal whose an
identity is, and what staff look at are real people. Called by ``web``.

Files are read only of who may file at this moment, and looked into only when everything else is right: both cost, and
there is room for few at a time (attacks U5, U11).
"""

from __future__ import annotations

import asyncio
import hmac
from typing import Final

import structlog
from msgspec import Struct

from bjidp.accounts.verifying import Verifying, Visit
from bjidp.appeals import flow
from bjidp.appeals.appeal import ROOM, Appeal, State
from bjidp.appeals.attachments import PICTURES, Fault, Kind, Picture, kind_of, shown_name
from bjidp.appeals.errors import AppealOpen, AppealsFull, ClaimOver
from bjidp.appeals.flow import FIELDS, Typed
from bjidp.appeals.ports import AppealStore, AttachmentRefused, NewAppeal, Sanitiser
from bjidp.clock import HOUR, Clock
from bjidp.errors import FieldFault, InvalidRequest, TooBusy
from bjidp.person import Person
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.proofing.claims import Claim, Claims
from bjidp.proofing.names import is_same_document
from bjidp.throttle.ports import Throttle, Window

UPLOADS: Final = Window(20, HOUR)
"""Forms with files that an account may post."""

OF_A_SOURCE: Final = Window(100, HOUR)
"""Of them from one address."""

PATIENCE: Final = 15.0
"""Seconds that one file may wait and be looked into: all of them in less than a proxy waits for an answer."""

BUSY: Final = 10
"""Seconds after which to try again."""

log = structlog.get_logger(__name__)


class Counter(Struct, frozen=True):
    """What somebody finds who wants to appeal."""

    appeal: Appeal | None
    """The one they filed last."""
    person: Person | None
    """Whose identity they may appeal for, None without a claim, and once it is theirs."""
    about: str | None
    """What a form for that person carries, so that no page appeals for somebody whom another page has stated since."""
    phone: bool
    """Whether there is a number to tell the outcome to."""
    named: bool
    """Whether they have an identity."""


class Filing:
    """Takes appeals. A store that is down raises ``StoreUnavailable``."""

    def __init__(
        self,
        *,
        appeals: AppealStore,
        claims: Claims,
        verifying: Verifying,
        sanitiser: Sanitiser,
        throttle: Throttle,
        pseudonyms: Pseudonyms,
        clock: Clock,
        room: int = ROOM,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them. ``room`` is how many bytes all attachments may take."""
        self._appeals = appeals
        self._claims = claims
        self._verifying = verifying
        self._sanitiser = sanitiser
        self._throttle = throttle
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._room = room

    async def look(self, visit: Visit) -> Counter:
        """Return what there is to show; raise ``AccountRefused``."""
        member = await self._verifying.member(visit)
        claim = await self._claims.find(visit.account)
        appeal = await self._appeals.newest(visit.account)
        held, person = member.document, None if claim is None else claim.person
        if held is not None and person is not None and is_same_document(held, person):
            # What the claim was for came by an appeal, and the claim lives on for what is left of its time.
            person = None
        about = None if person is None else self._about(visit.account, person)
        return Counter(appeal, person, about, phone=member.phone is not None, named=held is not None)

    async def state(self, visit: Visit) -> State | None:
        """Return how the newest appeal of the account stands, None without one."""
        return await self._appeals.state(visit.account)

    async def admit(self, visit: Visit) -> None:
        """Let an account begin to send files, which is counted.

        Raises :class:`bjidp.appeals.errors.AppealOpen`, :class:`bjidp.appeals.errors.ClaimOver`, ``AccountRefused`` and
        ``RateLimited``.
        """
        await self._claimed(visit)
        self._sanitiser.require_time(visit.account)
        # The account first: one that may not any more takes nothing from others behind its address.
        await self._throttle.hit(self._pseudonyms.key("appeals.uploads", visit.account), UPLOADS)
        await visit.source.hit(self._throttle, "appeals.uploads", OF_A_SOURCE)

    async def file(self, visit: Visit, typed: Typed) -> str:
        """File an appeal for the identity that is claimed, once its files are there; return its id.

        Raises ``InvalidRequest`` with what is wrong with the form, ``RateLimited``, ``TooBusy``,
        ``VerificationRequired`` where the session has ended meanwhile, what :meth:`admit` raises, and what
        :meth:`bjidp.appeals.ports.AppealStore.file` raises.
        """
        claim = await self._claimed(visit)
        wrong = flow.faults(typed)
        if wrong:
            raise InvalidRequest(*wrong)
        if not hmac.compare_digest(
            typed.about.encode("utf-8", "surrogatepass"), self._about(visit.account, claim.person).encode()
        ):
            raise ClaimOver
        pictures = await self._pictures(visit.account, typed)
        # Files took their time: whoever's session ended meanwhile is nobody (attack P7).
        await self._verifying.require_session(visit)
        new = NewAppeal(
            account=visit.account,
            new=claim.new,
            exchange=claim.exchange,
            reason=typed.written,
            contact=typed.reachable,
            pictures=tuple(pictures),
        )
        try:
            return await self._appeals.file(new, self._clock.now(), room=self._room)
        except AppealsFull:
            # Nobody can appeal until some of what waits is decided; to staff it looks like a quiet week.
            log.error("appeals_full")  # noqa: TRY400 - there is no fault to trace
            raise

    def _about(self, account: str, person: Person) -> str:
        return self._pseudonyms.key("appeals.about", account, person.document_type, person.number, person.name)

    async def _claimed(self, visit: Visit) -> Claim:
        """Return whose identity somebody may appeal for at this moment."""
        member = await self._verifying.member(visit)
        newest = await self._appeals.newest(visit.account)
        if newest is not None and newest.is_open:
            raise AppealOpen
        claim = await self._claims.find(visit.account)
        if claim is None or member.phone is None:
            raise ClaimOver
        return claim

    async def _pictures(self, account: str, typed: Typed) -> list[Picture]:
        wrong: list[FieldFault] = []
        pictures: list[Picture] = []
        for sent in typed.files:
            # The form was looked at: each is of a kind.
            kind = kind_of(sent.data) or Kind.PDF
            try:
                async with asyncio.timeout(PATIENCE):
                    found = await self._sanitiser.pictures(account, kind, sent.data)
            except TimeoutError:
                raise TooBusy(BUSY) from None
            except AttachmentRefused as refused:
                wrong.append(FieldFault(sent.field, refused.fault))
                if refused.given_up:
                    # It took all the time that a file has: the others of its form wait until it is mended.
                    break
                continue
            number = FIELDS.index(sent.field) + 1
            pictures += [Picture(file=number, name=shown_name(sent.name), kind=kind, data=one) for one in found]
            if len(pictures) > PICTURES:
                wrong.append(FieldFault(sent.field, Fault.PAGES))
        if wrong:
            raise InvalidRequest(*wrong)
        return pictures
