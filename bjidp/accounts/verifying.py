"""验证身份 (ACC-8): whoever is logged in proves once more that the account is theirs, for one operation.

Owns the step as every operation has it: a captcha, a code by SMS to the account's own phone, the proof, and a new
cookie for the session. Called by the settings, and by whatever else asks for the step. The other way, a confirmation in
京通, grants the same proof from the phone's side. The proof is consumed by the service of the operation, in the step
that writes.

**What a crash leaves.** A code is used up before the proof is granted, so a process that dies in between costs a code
and proves nothing. The cookie is renewed last: if that fails the proof is taken back, and if the answer gets lost after
it, the browser has a cookie that is dead and logs in again. Where a process dies between the two, the proof is left
with the session under its old cookie for as long as a proof lives; the other order would cost the login there.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Literal

from msgspec import Struct

from bjidp.accounts.member_ports import Member, MemberStore
from bjidp.accounts.once import prove_once
from bjidp.clock import Clock
from bjidp.errors import AccountRefused, StoreUnavailable
from bjidp.sessions.authentication import Method
from bjidp.sessions.ports import Session, StaleSession
from bjidp.sessions.service import Sessions
from bjidp.standing import Standing
from bjidp.throttle.source import Source
from bjidp.verification.captchas import Captchas
from bjidp.verification.code import Binding, Purpose, by_sms
from bjidp.verification.codes import Codes
from bjidp.verification.dispatch import Dispatches, Sent
from bjidp.verification.errors import VerificationRequired
from bjidp.verification.number import MobileNumber
from bjidp.verification.proofs import Means, Operation, Proofs


class Visit(Struct, frozen=True, kw_only=True):
    """Whoever is logged in at the page, from what the server knows itself."""

    session: Session
    cookie: str
    source: Source
    epoch: int
    """The account's when the session was found: what was proved in another counts no more (ADR 0015)."""

    @property
    def account(self) -> str:
        """The account."""
        return self.session.account

    @property
    def holder(self) -> str:
        """Who captchas, codes, drafts and proofs belong to."""
        return self.session.id

    def __repr__(self) -> str:
        """Show the session's public id alone: the cookie is a secret."""
        return f"Visit({self.session.id!r}, ***)"


class Verifying:
    """The step by SMS. A store that is down raises ``StoreUnavailable``: nothing passes."""

    def __init__(
        self,
        *,
        members: MemberStore,
        captchas: Captchas,
        dispatches: Dispatches,
        codes: Codes,
        proofs: Proofs,
        sessions: Sessions,
        clock: Clock,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._members = members
        self._captchas = captchas
        self._dispatches = dispatches
        self._codes = codes
        self._proofs = proofs
        self._sessions = sessions
        self._clock = clock

    async def require_session(self, visit: Visit) -> Standing:
        """Return how the account stands; the visit's session lives, under the very cookie it came with.

        Raises :class:`VerificationRequired` when it does not, and ``AccountRefused`` when that is because the account
        may not be used at this moment.
        """
        found = await self._sessions.find(visit.cookie)
        if found is not None and found[0].id == visit.session.id:
            return found[1]
        member = await self._members.member(visit.account)
        if member is not None and member.standing.refusal is not None:
            raise AccountRefused(member.standing.refusal)
        raise VerificationRequired

    async def member(self, visit: Visit) -> Member:
        """Return the account whose owner is at the page; raise ``AccountRefused`` for one that ended meanwhile."""
        member = await self._members.member(visit.account)
        if member is None:
            raise AccountRefused("cancelled")
        return member

    async def by_jingtong(self, visit: Visit) -> bool:
        """Return whether the account has a 京通 that could confirm the step in the place of a code."""
        return await self._members.is_linked(visit.account)

    async def held(self, visit: Visit, operation: Operation) -> bool:
        """Return whether the session has a live proof for ``operation``, whatever it was proved by."""
        return await self._proofs.held(visit.holder, visit.account, operation, visit.epoch)

    async def held_by_sms(self, visit: Visit, operation: Operation) -> bool:
        """Return whether the proof the session has was given by a code to the account's own number."""
        return await self._proofs.is_by_sms(visit.holder, visit.account, operation, visit.epoch)

    async def ask(self, visit: Visit, operation: Operation, captcha: str, typed: str) -> Sent:
        """Send a code to the account's own phone, which counts as its owner's asking.

        Raises ``CaptchaWrong``, :class:`VerificationRequired` for an account without a phone, which proves itself in
        京通, and what :meth:`bjidp.verification.dispatch.Dispatches.sms` raises.
        """
        number = _number(await self.member(visit))
        await self._captchas.use(visit.holder, captcha, typed)
        return await self._dispatches.sms(
            _binding(visit, operation, number),
            number,
            holder=visit.holder,
            browser=visit.holder,
            source=visit.source,
            owner=True,
        )

    async def prove(self, visit: Visit, operation: Operation, code: str) -> str | None:
        """Grant the proof for a right code; return the session's new cookie, its old one is dead (attack T1).

        None where another post of the very same form has come first: its answer has the cookie. Raises
        ``VerificationCodeWrong``, ``VerificationCodeExpired``, ``RateLimited`` and ``AccountRefused``.
        """
        member = await self.member(visit)
        number = _number(member)

        async def noted() -> Literal[True] | None:
            return True if await self.held(visit, operation) else None

        if await prove_once(self._codes, _binding(visit, operation, number), code, noted):
            return None
        await self._members.phone_proved(visit.account, self._clock.now())
        await self._proofs.grant(visit.holder, visit.account, operation, Means.SMS, member.standing.epoch)
        try:
            renewed = await self._sessions.renew(visit.session, visit.cookie)
        except StaleSession:
            # The session has ended, or is another cookie's by now.
            await self._withdraw(visit, operation)
            raise VerificationRequired from None
        except StoreUnavailable:
            await self._withdraw(visit, operation)
            raise
        await self.note(visit, Method.SMS)
        return renewed

    async def note(self, visit: Visit, method: Method) -> None:
        """Let the session remember that its owner was authenticated anew.

        It is what relying parties are told, and nothing that is allowed here: what was proved stays so without it.
        """
        with suppress(StoreUnavailable):
            await self._sessions.note_proof(visit.account, visit.session.id, method)

    async def _withdraw(self, visit: Visit, operation: Operation) -> None:
        with suppress(StoreUnavailable):
            await self._proofs.revoke(visit.holder, visit.account, operation)


def _binding(visit: Visit, operation: Operation, number: MobileNumber) -> Binding:
    # By the operation too: a code that somebody was talked into for one change serves for no other.
    return Binding(Purpose.VERIFY, by_sms(number), f"{visit.holder} {operation}")


def _number(member: Member) -> MobileNumber:
    if member.phone is None:
        raise VerificationRequired
    return MobileNumber(member.phone)
