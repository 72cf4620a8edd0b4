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
from bjidp.errors import AccountRefused, BjidpError, StoreUnavailable, TokenInvalid
from bjidp.miniprogram import ticket_check as rules
from bjidp.miniprogram.errors import FaceFailed, FaceFailure, FacePending
from bjidp.miniprogram.face_checks import FaceChecks
from bjidp.miniprogram.ports import Seals
from bjidp.miniprogram.ticket_check import Facts, Opening, Over, Passed, TicketCheck, Waiting
from bjidp.miniprogram.wire import FaceStarted
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.proofing.ports import IdentityStore
from bjidp.qrlogin.face_steps import FaceStep, FaceSteps
from bjidp.qrlogin.phones import Phone, QrPhones
from bjidp.qrlogin.wire import ConfirmAnswer
from bjidp.records import DuplicateRecord, Held, Records, StaleRecord
from bjidp.vendors.ports.platforms import FaceRequest, FaceStart, FaceVerdict

KEPT: Final[Millis] = 6 * MINUTE
"""How long a check is kept: longer than any face ticket lives."""

PREPAID: Final[Millis] = DAY
"""How long one that could not be opened is remembered: as long as it counts."""

_ATTEMPTS: Final = 8


class FaceTickets:
    """Checks faces for tickets. A store that is down raises ``StoreUnavailable``: nothing passes."""

    def __init__(
        self,
        *,
        phones: QrPhones,
        steps: FaceSteps,
        checks: FaceChecks,
        accounts: AccountStore,
        identities: IdentityStore,
        records: Records[TicketCheck],
        seals: Seals,
        pseudonyms: Pseudonyms,
        clock: Clock,
    ) -> None:
        """Take everything it asks."""
        self._phones = phones
        self._steps = steps
        self._checks = checks
        self._accounts = accounts
        self._identities = identities
        self._records = records
        self._seals = seals
        self._pseudonyms = pseudonyms
        self._clock = clock

    async def start(self, phone: Phone, ticket: str, confirm_token: str) -> FaceStarted:
        """Open a check of the account's own identity for a ticket that the phone holds; earlier ones count no more.

        Raises what :class:`bjidp.qrlogin.face_steps.FaceSteps` does, ``AccountRefused`` with ``level`` for an identity
        that is not the one the page was opened for any more, ``DocumentUnsupported``, ``RateLimited`` and
        ``VendorUnavailable``, upon which the next start is not counted.
        """
        facts = await self._facts(phone, await self._steps.at(phone, ticket, confirm_token))
        key = self._key(phone)
        sealed = self._seals.seal(msgspec.json.encode(facts), key)
        kept = _Kept(self._records, key, await self._records.get(key), sealed)
        begun = await self._checks.start(kept, facts.identity, facts.person, own=_own)
        await self._steps.started(phone, ticket, confirm_token, begun.reference)
        return begun.told

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
        if bound is None or step.mark not in {None, bound.mark} or not bound.shows_a_face(self._clock.now()):
            raise AccountRefused("level")
        return Facts(identity, bound.person, step.ticket, step.account, bound.mark)

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
        async def judged(verdict: FaceVerdict, asked_at: Instant, answered_at: Instant) -> None:
            following = rules.judged(held.value, waiting, verdict, asked_at=asked_at, answered_at=answered_at)
            await self._records.replace(key, following, held.version)

        request = FaceRequest(held.value.reference, facts.identity, facts.person)
        await self._checks.take_verdict(
            request, waiting.verification, gone=TokenInvalid(), read_at=held.now, judged=judged
        )

    def _unsealed(self, key: str, sealed: bytes) -> Facts:
        try:
            return msgspec.json.decode(self._seals.unseal(sealed, key), type=Facts)
        except ValueError:
            # Its key was retired, or the record was tampered with.
            raise FaceFailed(FaceFailure.TOO_OLD) from None

    def _key(self, phone: Phone) -> str:
        return self._pseudonyms.key("mp.ticket-check", phone.holder.link)


class _Kept:
    """The check of a platform identity for a ticket (:class:`bjidp.miniprogram.face_checks.Kept`)."""

    def __init__(self, records: Records[TicketCheck], key: str, held: Held[TicketCheck] | None, facts: bytes) -> None:
        self.gone: BjidpError = TokenInvalid()
        self._records = records
        self._key = key
        self._held = held
        self._facts = facts
        self._reference = ""
        self._without_verdict_at: Instant = 0

    async def read(self) -> None:
        self._held = await self._records.get(self._key)

    def is_prepaid(self, document: str) -> bool:
        # Whatever the document: there is none but the account's own.
        held = self._held
        return held is not None and isinstance(held.value.state, Opening) and held.value.state.prepaid

    async def restart(self, reference: str) -> None:
        await self._write(TicketCheck(reference, Opening()), KEPT)
        self._reference = reference
        await self.read()
        if self._held is None:
            raise StaleRecord
        self._without_verdict_at = self._held.now

    async def give_back(self, document: str) -> None:
        if self._held is not None and self._held.value.reference == self._reference:
            await self._write(TicketCheck(self._reference, Opening(prepaid=True)), PREPAID)

    async def started(self, request: FaceRequest, start: FaceStart) -> None:
        state = Waiting(start.verification, self._facts, self._without_verdict_at)
        await self._write(TicketCheck(request.reference, state), KEPT)

    async def _write(self, check: TicketCheck, lifetime: Millis) -> None:
        if self._held is not None:
            await self._records.replace(self._key, check, self._held.version, lifetime)
            return
        try:
            await self._records.add(self._key, check, lifetime)
        except DuplicateRecord:
            raise StaleRecord from None


async def _own() -> bool:
    return True
