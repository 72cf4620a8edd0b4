"""Face tickets on the phone's side: a check of the account's own identity, and the confirm that its verdict allows.

Owns the order in which ticket, account, limits and platform are asked (wire.md, sections 3 and 4; RNV-3). Called by the
web handlers of ``qr/face`` and ``qr/confirm``. Whose face it has to be is read from the account, and from nothing that
a phone or a page sends (attack B4); what came of it the platform is asked, from server to server (attack B1).

**What a crash leaves.** Before the ticket knows of a check, the phone starts another one. Once the verdict is taken,
the same confirm goes on from it, and the platform is not asked again.
"""

from __future__ import annotations

import contextlib
from typing import Final

import msgspec

from bjidp.accounts.ports import AccountStore
from bjidp.clock import DAY, MINUTE, Clock, Instant, Millis
from bjidp.entropy import Entropy
from bjidp.errors import AccountRefused, Retryable, StoreUnavailable, TokenInvalid
from bjidp.miniprogram import ticket_check as rules
from bjidp.miniprogram.doors import Doors
from bjidp.miniprogram.errors import DocumentUnsupported, FaceFailed, FaceFailure, FacePending
from bjidp.miniprogram.limits import MiniProgramLimits
from bjidp.miniprogram.ports import Seals
from bjidp.miniprogram.ticket_check import Facts, Opening, Over, Passed, TicketCheck, Waiting
from bjidp.miniprogram.wire import FaceStarted
from bjidp.platforms import PlatformIdentity
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.proofing.ports import IdentityStore
from bjidp.qrlogin.face_steps import FaceStep, FaceSteps
from bjidp.qrlogin.phones import Phone, QrPhones
from bjidp.qrlogin.wire import ConfirmAnswer
from bjidp.records import DuplicateRecord, Held, Records, StaleRecord
from bjidp.vendors.ports import FaceCheck, FaceRequest, FaceVerdict

KEPT: Final[Millis] = 6 * MINUTE
"""How long a check is kept: longer than any face ticket lives."""

PREPAID: Final[Millis] = DAY
"""How long one that could not be opened is remembered: as long as it counts."""

_REFERENCE_BYTES: Final = 16
_ATTEMPTS: Final = 8


class FaceTickets:
    """Checks faces for tickets. A store that is down raises ``StoreUnavailable``: nothing passes."""

    def __init__(
        self,
        *,
        phones: QrPhones,
        steps: FaceSteps,
        doors: Doors,
        accounts: AccountStore,
        identities: IdentityStore,
        limits: MiniProgramLimits,
        records: Records[TicketCheck],
        seals: Seals,
        pseudonyms: Pseudonyms,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        """Take everything it asks."""
        self._phones = phones
        self._steps = steps
        self._doors = doors
        self._accounts = accounts
        self._identities = identities
        self._limits = limits
        self._records = records
        self._seals = seals
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._entropy = entropy

    async def start(self, phone: Phone, ticket: str, confirm_token: str) -> FaceStarted:
        """Open a check of the account's own identity for a ticket that the phone holds; earlier ones count no more.

        Raises what :class:`bjidp.qrlogin.face_steps.FaceSteps` does, ``AccountRefused`` with ``level`` for an identity
        that is not the one the page was opened for any more, ``DocumentUnsupported``, ``RateLimited`` and
        ``VendorUnavailable``, upon which the next start is not counted.
        """
        facts = await self._facts(phone, await self._steps.at(phone, ticket, confirm_token))
        face = self._face(facts.identity)
        if facts.person.document_type not in face.documents:
            raise DocumentUnsupported(self._doors.platforms_for(facts.person.document_type))
        reference = self._entropy.octets(_REFERENCE_BYTES).hex()
        key = self._key(phone)
        counted_at = await self._count(key, facts, reference)
        try:
            await self._limits.face_of_all()
            start = await face.start(FaceRequest(reference, facts.identity, facts.person))
        except Retryable:
            await self._give_back(key, reference)
            raise
        sealed = self._seals.seal(msgspec.json.encode(facts), key)
        await self._freeze(key, TicketCheck(reference, Waiting(start.verification, sealed, counted_at)))
        await self._steps.started(phone, ticket, confirm_token, reference)
        return FaceStarted({**start.client, "verification": start.verification})

    async def confirm(self, phone: Phone, ticket: str, confirm_token: str) -> ConfirmAnswer:
        """Confirm a ticket of whatever purpose; one that waits for a face takes the platform's verdict first.

        Raises what :meth:`bjidp.qrlogin.phones.QrPhones.confirm` and :meth:`start` do, ``FacePending`` and
        ``FaceFailed``.
        """
        try:
            return await self._phones.confirm(phone, ticket, confirm_token)
        except FacePending:
            await self._pass(phone, ticket, confirm_token)
        return await self._phones.confirm(phone, ticket, confirm_token)

    async def _facts(self, phone: Phone, step: FaceStep) -> Facts:
        """Return what a check of this phone for this ticket is about, as it is at this moment."""
        if step.account != phone.holder.account:
            raise AccountRefused("other_account")
        identity = await self._accounts.linked_identity(phone.holder.link)
        if identity is None:
            raise TokenInvalid
        bound = await self._identities.bound(phone.holder.account)
        if bound is None or bound.mark != step.mark or not bound.shows_a_face(self._clock.now()):
            raise AccountRefused("level")
        return Facts(identity, bound.person, step.ticket, step.account, bound.mark)

    def _face(self, identity: PlatformIdentity) -> FaceCheck:
        """Return the face check; raise ``TokenInvalid`` for a phone in an app that is served no more."""
        face = self._doors.face(identity)
        if face is None:
            raise TokenInvalid
        return face

    async def _pass(self, phone: Phone, ticket: str, confirm_token: str) -> None:
        """Let the ticket know that its check has passed, if it has."""
        key = self._key(phone)
        for _ in range(_ATTEMPTS):
            step = await self._steps.at(phone, ticket, confirm_token)
            if step.passed:
                return
            if step.reference is None:
                raise FacePending
            held = await self._records.get(key)
            if held is None or held.value.reference != step.reference:
                # Another check of this platform identity took its place, or it is long over.
                raise FaceFailed(FaceFailure.TOO_OLD)
            found = await self._facts(phone, step)
            try:
                if await self._advance(key, held, found):
                    await self._steps.passed(phone, ticket, confirm_token, step.reference)
                    # The ticket knows, and no other one shall.
                    with contextlib.suppress(StaleRecord):
                        await self._records.replace(key, rules.used(held.value), held.version)
                    return
            except StaleRecord:
                # The same call was made twice at once: what is true now is decided by what is there now.
                continue
        raise StoreUnavailable(1)

    async def _advance(self, key: str, held: Held[TicketCheck], found: Facts) -> bool:
        """Take one step; return whether the check has passed. Raises ``StaleRecord``."""
        match held.value.state:
            case Waiting() as waiting:
                rules.require_same(self._unsealed(key, waiting.facts), found)
                await self._take_verdict(key, held, waiting, found)
                return False
            case Passed() as passed:
                rules.require_same(self._unsealed(key, passed.facts), found)
                rules.require_usable(passed, held.now)
                return True
            case Over(reason=reason):
                raise FaceFailed(reason)
            case Opening():
                raise FacePending

    async def _take_verdict(self, key: str, held: Held[TicketCheck], waiting: Waiting, facts: Facts) -> None:
        asked = self._clock.now()
        request = FaceRequest(held.value.reference, facts.identity, facts.person)
        verdict = await self._face(facts.identity).verdict(request, waiting.verification)
        following = rules.judged(
            held.value,
            waiting,
            verdict,
            asked_at=held.now,
            answered_at=held.now + (self._clock.now() - asked),
        )
        if verdict is FaceVerdict.PENDING:
            with contextlib.suppress(StaleRecord):
                await self._records.replace(key, following, held.version)
            raise FacePending
        await self._records.replace(key, following, held.version)

    # --------------------------------------------------------------------------------------------- what is written down

    async def _count(self, key: str, facts: Facts, reference: str) -> Instant:
        """Count the check unless it was paid for already, and end earlier ones; return the store's time after that.

        What was prepaid is spent in the same compare-and-set: of parallel calls one goes free (attack O4).
        """
        counted = False
        for _ in range(_ATTEMPTS):
            held = await self._records.get(key)
            if not counted and not _is_prepaid(held):
                await self._limits.face_of_person(facts.identity, facts.person, own=True)
                counted = True
            if await self._write(key, held, TicketCheck(reference, Opening()), KEPT):
                opening = await self._records.get(key)
                if opening is not None:
                    return opening.now
        raise StoreUnavailable(1)

    async def _give_back(self, key: str, reference: str) -> None:
        with contextlib.suppress(StoreUnavailable):
            held = await self._records.get(key)
            # Another one of this platform identity went on meanwhile, or the store is down too: the count stands.
            if held is not None and held.value.reference == reference:
                await self._write(key, held, TicketCheck(reference, Opening(prepaid=True)), PREPAID)

    async def _freeze(self, key: str, check: TicketCheck) -> None:
        """Write down what the check is about. Of two at once, whichever is answered last is the one that counts."""
        for _ in range(_ATTEMPTS):
            if await self._write(key, await self._records.get(key), check, KEPT):
                return
        raise StoreUnavailable(1)

    async def _write(self, key: str, held: Held[TicketCheck] | None, check: TicketCheck, lifetime: Millis) -> bool:
        """Write on what was read; return False when somebody was faster."""
        try:
            if held is None:
                await self._records.add(key, check, lifetime)
            else:
                await self._records.replace(key, check, held.version, lifetime)
        except (DuplicateRecord, StaleRecord):
            return False
        return True

    def _unsealed(self, key: str, sealed: bytes) -> Facts:
        try:
            return msgspec.json.decode(self._seals.unseal(sealed, key), type=Facts)
        except ValueError:
            # Its key was retired, or the record was tampered with.
            raise FaceFailed(FaceFailure.TOO_OLD) from None

    def _key(self, phone: Phone) -> str:
        return self._pseudonyms.key("mp.ticket-check", phone.holder.link)


def _is_prepaid(held: Held[TicketCheck] | None) -> bool:
    return held is not None and isinstance(held.value.state, Opening) and held.value.state.prepaid
