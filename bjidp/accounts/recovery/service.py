"""Recovering an account: naming it, sending the code, checking who asks, setting the password.

Owns the order of things. Called by ``web``. A name that nobody has takes every step that another one takes, on the same
limits and stores, up to the code, which nobody is sent (attack R1).

**The document number** is compared after a right code alone. Whoever does not hold the phone learns nothing of it and
uses up none of its tries; whoever does has five of them, in a recovery and with an account in a quarter of an hour.

**What a crash leaves.** The recovery is used up before the password is written, so it writes one password at most
(attack R3); if the write never came, the old password holds and the person begins again. Sessions are ended before the
write and after it: after it, since a login with the old password may have been under way; before it, so that a process
that dies in between has not left the sessions of whoever the new password shuts out. A recovery that was proved by a
confirmation in 京通 alone is void once sessions are ended by anybody (ADR 0015): where this fails after that, it is
confirmed anew.

**Two posts at once** have one winner; the other is led to where the recovery stands, and that is its end.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from msgspec import Struct

from bjidp.accounts import fields
from bjidp.accounts.drafts import Draft, Drafts, DraftUnknown
from bjidp.accounts.endings import Endings
from bjidp.accounts.evenly import evenly
from bjidp.accounts.hashing import PasswordHashes
from bjidp.accounts.identifiers import of_phone
from bjidp.accounts.member_ports import Member, MemberStore, PasswordStale
from bjidp.accounts.names import DocumentReadings, read_name
from bjidp.accounts.once import prove_once
from bjidp.accounts.recovery import flow as rules
from bjidp.accounts.recovery import forms
from bjidp.accounts.recovery.decoys import decoy
from bjidp.accounts.recovery.flow import Recovery, Step
from bjidp.accounts.recovery.forms import Choosing, Naming, Proving
from bjidp.accounts.surface import Surface
from bjidp.audit.event import EventKind
from bjidp.clock import HOUR, MINUTE, SECOND, Clock
from bjidp.errors import InvalidRequest, StoreUnavailable
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.records import StaleRecord
from bjidp.sessions.ports import SessionEnd
from bjidp.standing import Standing
from bjidp.throttle.ports import Throttle, Window
from bjidp.throttle.source import Source
from bjidp.verification.captchas import Captchas
from bjidp.verification.code import Binding, Purpose, by_sms
from bjidp.verification.codes import Codes
from bjidp.verification.dispatch import Dispatches
from bjidp.verification.errors import VerificationCodeExpired, VerificationRequired
from bjidp.verification.number import MobileNumber
from bjidp.verification.proofs import Operation, Proofs
from bjidp.verification.ranges import NumberRange


class Asking(Struct, frozen=True, kw_only=True):
    """Who asks, from facts the server saw itself."""

    holder: str
    """The id of the browser's record."""
    source: Source
    knows: Callable[[Standing], bool]
    """Tells whether an account has logged in on this browser before: then it has its owner's share of messages."""


class RecoveryWindows(Struct, frozen=True, kw_only=True):
    """The windows."""

    browser: Window = Window(30, HOUR)
    """Names that one browser asks about."""
    source: Window = Window(300, 15 * MINUTE)
    documents: Window = Window(5, 15 * MINUTE)
    """Document numbers tried on one account, by whoever holds its phone."""


class NotDue(Exception):
    """Another step is due: the page leads there. Nothing was done."""

    def __init__(self, draft: Draft[Recovery], step: Step) -> None:
        """Name the step, and the facts it follows from."""
        super().__init__(step)
        self.draft = draft
        self.step = step


class Recoveries:
    """The life of recoveries. A store that is down raises ``StoreUnavailable``.

    Every method that takes the id of a recovery raises :class:`bjidp.accounts.drafts.DraftUnknown` for one that is over
    or another browser's, and all but :meth:`look` raise :class:`NotDue`.
    """

    def __init__(
        self,
        *,
        drafts: Drafts[Recovery],
        members: MemberStore,
        documents: DocumentReadings,
        numbers: NumberRange,
        captchas: Captchas,
        dispatches: Dispatches,
        codes: Codes,
        proofs: Proofs,
        hashes: PasswordHashes,
        endings: Endings,
        throttle: Throttle,
        pseudonyms: Pseudonyms,
        clock: Clock,
        windows: RecoveryWindows,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._drafts = drafts
        self._members = members
        self._documents = documents
        self._numbers = numbers
        self._captchas = captchas
        self._dispatches = dispatches
        self._codes = codes
        self._proofs = proofs
        self._hashes = hashes
        self._endings = endings
        self._throttle = throttle
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._windows = windows

    async def begin(self, asking: Asking, surface: Surface, typed: Naming) -> str:
        """Take the name of an account and return the id of the new recovery.

        Raises ``InvalidRequest`` with what is wrong with the form, ``CaptchaWrong`` and ``RateLimited``; the first of
        them costs no captcha.
        """
        fields.require_none(forms.naming_faults(surface, typed))
        number = typed.number if surface is Surface.H5 else None
        if number is not None:
            self._numbers.admit(number)
        windows = self._windows
        await asking.source.hit(self._throttle, "recovery.source", windows.source)
        await self._captchas.use(asking.holder, typed.captcha_id, typed.captcha)
        await self._throttle.hit(self._pseudonyms.key("recovery.browser", asking.holder), windows.browser)
        if number is not None:
            return await self._drafts.open(asking.holder, rules.of_number(number))
        async with evenly():
            return await self._drafts.open(asking.holder, await self._named(typed.name))

    async def look(self, asking: Asking, recovery: str | None) -> tuple[Draft[Recovery], Step]:
        """Return the recovery and the step that is due."""
        draft = await self._drafts.read(asking.holder, recovery)
        confirmed = await self._is_confirmed(asking, draft.facts.account)
        return draft, rules.next_step(draft.facts, draft.now, confirmed=confirmed)

    async def send_code(self, asking: Asking, recovery: str | None, typed: Proving) -> None:
        """Send a code to the account's phone, or to nobody for a decoy.

        Raises ``InvalidRequest``, ``CaptchaWrong``, and what :meth:`bjidp.verification.dispatch.Dispatches.sms` raises.
        """
        draft = await self._due(asking, recovery, Step.IDENTITY)
        number = _number(draft.facts)
        if number is None or not draft.facts.asks_code:
            raise NotDue(draft, Step.IDENTITY)
        fields.require_none(fields.captcha_faults(typed.captcha))
        await self._captchas.use(asking.holder, typed.captcha_id, typed.captcha)
        sent = await self._dispatches.sms(
            _binding(draft.id, number),
            number,
            holder=asking.holder,
            browser=asking.holder,
            source=asking.source,
            owner=await self._is_owners(asking, draft.facts),
            real=draft.facts.real,
        )
        again_at = draft.now + sent.wait * SECOND
        await self._drafts.change(
            asking.holder,
            draft,
            lambda facts: rules.with_code_sent(facts, sent.id, again_at, typed.document),
            still=_still_asked,
        )

    async def prove(self, asking: Asking, recovery: str | None, typed: Proving) -> Step:
        """Check the code, and the document number where one is asked; return the step that is due then.

        A right code is not asked again. Raises ``InvalidRequest`` with what is wrong with the form, also when the
        document is another one; ``VerificationCodeWrong``, ``VerificationCodeExpired`` and ``RateLimited``.
        """
        draft = await self._due(asking, recovery, Step.IDENTITY)
        if draft.facts.number is None:
            raise NotDue(draft, Step.IDENTITY)
        fields.require_none(forms.proving_faults(draft.facts, typed, self._documents))
        if draft.facts.asks_code:
            draft = await self._prove_phone(asking, draft, typed.code)
        draft, member = await self._owner(asking, draft)
        if member is None:
            return Step.NOBODY
        if draft.facts.document_shown:
            if not typed.document:
                # Asked on a phone from now on.
                return Step.IDENTITY
            draft = await self._try_document(asking, draft, member, typed.document)
        await self._members.phone_proved(draft.facts.account, self._clock.now())
        draft = await self._drafts.change(asking.holder, draft, lambda facts: rules.with_proof(facts, draft.now))
        return rules.next_step(draft.facts, draft.now)

    async def set_password(self, asking: Asking, recovery: str | None, typed: Choosing) -> Standing | None:
        """Set the password and end every session of the account (REC-4). Nobody is logged in by it (attack R2).

        Returns how the account stands then, None when that cannot be told.
        Raises ``InvalidRequest`` with what is wrong with the form, ``TooBusy``, and ``AccountRefused``.
        ``DraftUnknown`` tells as well that the account has another phone or password since.
        """
        draft = await self._due(asking, recovery, Step.PASSWORD)
        member = await self._member(asking, draft)
        fields.require_none(fields.password_faults(typed.password, typed.again, (member.username, member.phone)))
        account = draft.facts.account
        password = await self._hashes.hash(typed.password)
        member = await self._member(asking, draft)
        await self._endings.end_others(account, None, SessionEnd.PASSWORD_CHANGED)
        if not rules.is_proved(draft.facts, draft.now):
            # The epoch that was seen before: ending sessions has ended it.
            await self._consume_confirmation(asking, draft, member.standing.epoch)
        draft = await self._claim(asking, draft)
        try:
            await self._members.set_password(
                account, password, EventKind.PASSWORD_RESET, self._clock.now(), was=member.password
            )
        except PasswordStale:
            await self._drafts.close(asking.holder, draft.id)
            raise DraftUnknown from None
        await self._endings.end_after(account, None, SessionEnd.PASSWORD_CHANGED, member.standing.ref)
        await self._drafts.change(asking.holder, draft, rules.finished)
        return await self._standing(account)

    async def _standing(self, account: str) -> Standing | None:
        with suppress(StoreUnavailable):
            member = await self._members.member(account)
            return None if member is None else member.standing
        return None

    async def _named(self, typed: str) -> Recovery:
        name = read_name(typed, self._documents)
        stand_in = decoy(name, self._numbers, self._pseudonyms)
        member = await self._members.find(name.identifiers)
        if member is None:
            return stand_in
        return rules.of_member(name, member, self._mark(member), self._clock.now())

    async def _is_owners(self, asking: Asking, facts: Recovery) -> bool:
        # Whose the number is decides a share, and nothing that is shown.
        if facts.account:
            member = await self._members.member(facts.account)
        else:
            member = await self._members.find([of_phone(facts.number or "")])
        return member is not None and asking.knows(member.standing)

    async def _prove_phone(self, asking: Asking, draft: Draft[Recovery], code: str) -> Draft[Recovery]:
        number = _number(draft.facts)
        if number is None:
            raise VerificationCodeExpired
        flow = draft.id

        async def noted() -> Draft[Recovery] | None:
            again = await self._due(asking, flow, Step.IDENTITY)
            return again if again.facts.phone_proved else None

        proved = await prove_once(self._codes, _binding(flow, number), code, noted)
        if proved is not None:
            return proved
        if not draft.facts.real:
            # One guess in a million hits a code that nobody was sent.
            raise VerificationCodeExpired
        return await self._drafts.change(asking.holder, draft, rules.with_phone_proved, still=_still_asked)

    async def _owner(self, asking: Asking, draft: Draft[Recovery]) -> tuple[Draft[Recovery], Member | None]:
        """Return the account that is being recovered; None when the number that was proved on a phone is nobody's."""
        if draft.facts.account:
            return draft, await self._member(asking, draft)
        number = draft.facts.number or ""
        member = await self._members.find([of_phone(number)])
        if member is None:
            return draft, None
        mark = self._mark(member)
        now = draft.now
        draft = await self._drafts.change(
            asking.holder, draft, lambda facts: rules.with_owner(facts, member, mark, now), still=_still_asked
        )
        return draft, member

    async def _member(self, asking: Asking, draft: Draft[Recovery]) -> Member:
        """Return the account as it is now; a recovery of one that has changed is over."""
        member = await self._members.member(draft.facts.account)
        if member is None or self._mark(member) != draft.facts.mark:
            again, step = await self.look(asking, draft.id)
            if again.facts.claimed_at is not None:
                # It was this recovery that has changed it, by another post of the form.
                raise NotDue(again, step)
            await self._drafts.close(asking.holder, draft.id)
            raise DraftUnknown
        return member

    async def _try_document(
        self, asking: Asking, draft: Draft[Recovery], member: Member, typed: str
    ) -> Draft[Recovery]:
        of_account = self._pseudonyms.key("recovery.documents", draft.facts.account)
        await self._throttle.hit(of_account, self._windows.documents)
        draft = await self._drafts.change(asking.holder, draft, rules.with_document_tried, still=_still_asked)
        if not forms.is_document_of(member, typed, self._documents):
            raise InvalidRequest(forms.document_fault())
        return draft

    async def _is_confirmed(self, asking: Asking, account: str) -> bool:
        epoch = await self._proofs.epoch_of(asking.holder, account, Operation.RECOVER) if account else None
        if epoch is None:
            return False
        member = await self._members.member(account)
        return member is not None and member.standing.epoch == epoch

    async def _consume_confirmation(self, asking: Asking, draft: Draft[Recovery], epoch: int) -> None:
        try:
            await self._proofs.consume(asking.holder, draft.facts.account, Operation.RECOVER, epoch)
        except VerificationRequired:
            # Over, taken back, void since sessions were ended, or used by another post of this form.
            again, step = await self.look(asking, draft.id)
            raise NotDue(again, step) from None

    async def _claim(self, asking: Asking, draft: Draft[Recovery]) -> Draft[Recovery]:
        try:
            return await self._drafts.write(asking.holder, draft, rules.claimed(draft.facts, draft.now))
        except StaleRecord:
            again, step = await self.look(asking, draft.id)
            raise NotDue(again, step) from None

    async def _due(self, asking: Asking, recovery: str | None, step: Step) -> Draft[Recovery]:
        draft, due = await self.look(asking, recovery)
        if due is not step:
            raise NotDue(draft, due)
        return draft

    def _mark(self, member: Member) -> str:
        return self._pseudonyms.key("recovery.mark", member.standing.account, member.phone or "", member.password or "")


def _still_asked(draft: Draft[Recovery]) -> None:
    """Raise :class:`NotDue` where another post has gone past the step at which the account is proved."""
    step = rules.next_step(draft.facts, draft.now)
    if step is not Step.IDENTITY:
        raise NotDue(draft, step)


def _binding(recovery: str, number: MobileNumber) -> Binding:
    return Binding(Purpose.RECOVER, by_sms(number), recovery)


def _number(facts: Recovery) -> MobileNumber | None:
    return None if facts.number is None else MobileNumber(facts.number)
