"""Registering on a page: sending the code, making the account, what is left to do then.

Owns the order of things. Called by ``web``, which logs the owner of a new account in. Everything that can be told
without asking anybody is told first; a code that was right is a fact of the draft, so that no later fault costs a
second one; the account is written last.

**What a crash leaves.** Nothing is ever half made, since :meth:`MemberStore.enrol` is one transaction.

- Between the use of the code and the note of it the code is lost, and another has to be sent.
- From that note on the form can be sent again as it is, for as long as the draft lives.
- That the account is about to be made is noted before it is. Whoever sends the form again after that, because the
  answer did not come or the button was pressed twice, has the account looked for by the number they proved: it is
  theirs if the password is the one they type, and so are the sessions that were opened for answers nobody got. If the
  draft is over by then, they log in with what they chose.

**Two posts at once** make one account, since a number belongs to one: the second waits for what the first has proved,
finds name or number taken, and then the account as above.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from bjidp.accounts import fields
from bjidp.accounts.drafts import LIFETIME, Draft, Drafts
from bjidp.accounts.errors import PhoneTaken, UsernameTaken
from bjidp.accounts.hashing import PasswordHashes
from bjidp.accounts.identifiers import IdentifierKind, of_phone, of_username
from bjidp.accounts.member_ports import IdentifierTaken, MemberStore, NewMember
from bjidp.accounts.once import prove_once
from bjidp.accounts.ports import Evidence
from bjidp.accounts.registration import flow as rules
from bjidp.accounts.registration.flow import Begun, Identity, Registered, Surface, Typed
from bjidp.clock import HOUR, SECOND, Clock
from bjidp.errors import StoreUnavailable
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.sessions.ports import Session, SessionEnd, StaleSession, Way
from bjidp.sessions.service import Sessions
from bjidp.standing import Standing
from bjidp.throttle.ports import Throttle, Window
from bjidp.throttle.source import Source
from bjidp.verification.captchas import Captchas
from bjidp.verification.code import Binding, Purpose, by_sms
from bjidp.verification.codes import Codes
from bjidp.verification.dispatch import Dispatches
from bjidp.verification.errors import VerificationCodeExpired
from bjidp.verification.number import MobileNumber
from bjidp.verification.ranges import NumberRange

_ATTEMPTS: Final = 24
"""Lost races for a session in a row before giving up with a 503."""


class Applicant(Struct, frozen=True, kw_only=True):
    """Who is at the form, from facts the server saw itself."""

    holder: str
    """The id of the browser's record."""
    source: Source
    next: str
    client: str


class Made(Struct, frozen=True):
    """An account whose owner is to be logged in, and what their session is to remember."""

    account: Standing
    facts: Registered


class RegistrationWindows(Struct, frozen=True, kw_only=True):
    """How often it is told whether a username is free."""

    browser: Window = Window(30, HOUR)
    source: Window = Window(600, HOUR)


class Registrations:
    """The life of registrations. A store that is down raises ``StoreUnavailable``."""

    def __init__(
        self,
        *,
        drafts: Drafts[Begun],
        members: MemberStore,
        numbers: NumberRange,
        captchas: Captchas,
        dispatches: Dispatches,
        codes: Codes,
        hashes: PasswordHashes,
        sessions: Sessions,
        throttle: Throttle,
        pseudonyms: Pseudonyms,
        clock: Clock,
        windows: RegistrationWindows,
        national: bool,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them.

        ``national`` tells whether there is a national platform to hand accounts on to.
        """
        self._drafts = drafts
        self._members = members
        self._numbers = numbers
        self._captchas = captchas
        self._dispatches = dispatches
        self._codes = codes
        self._hashes = hashes
        self._sessions = sessions
        self._throttle = throttle
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._windows = windows
        self._national = national

    async def find(self, holder: str, flow: str | None) -> Draft[Begun] | None:
        """Return a registration of this browser, None when there is none: never begun, over, another's.

        A form is not worse for it: its first code begins one.
        """
        return await self._drafts.find(holder, flow)

    async def begin(self, holder: str, begun: Begun) -> str:
        """Begin a registration of which something is known before its form is; return its id."""
        return await self._drafts.open(holder, begun)

    async def ask_code(self, applicant: Applicant, flow: str | None, surface: Surface, typed: Typed) -> str:
        """Send a code to the number; return the registration's id, which is a new one unless ``flow`` was live.

        Whether the number is somebody's is neither looked up nor told (attack R1). Raises ``InvalidRequest`` with what
        is wrong with username, number and captcha, ``UsernameTaken``, ``CaptchaWrong``, ``SmsHourly``, ``SmsDaily``
        and ``RateLimited``. Only the last four cost the captcha.
        """
        fields.require_none([*rules.username_faults(surface, typed, required=False), *rules.code_faults(typed)])
        number = _number(typed)
        self._numbers.admit(number)
        await self._require_free(applicant, surface, typed)
        await self._captchas.use(applicant.holder, typed.captcha_id, typed.captcha)
        draft = await self.find(applicant.holder, flow)
        if draft is None:
            draft = await self._drafts.begin(applicant.holder, Begun(next=applicant.next, client=applicant.client))
        sent = await self._dispatches.sms(
            _binding(draft.id, number),
            number,
            holder=applicant.holder,
            browser=applicant.holder,
            source=applicant.source,
            owner=False,
        )
        again_at = draft.now + sent.wait * SECOND
        await self._drafts.change(
            applicant.holder, draft, lambda facts: rules.asked(facts, typed, number, sent.id, again_at)
        )
        return draft.id

    async def forget_number(self, applicant: Applicant, flow: str | None) -> Draft[Begun] | None:
        """Let another number be typed in place of the one that was proved; return the registration, if there is one."""
        draft = await self.find(applicant.holder, flow)
        return None if draft is None else await self._drafts.change(applicant.holder, draft, rules.without_number)

    async def register(self, applicant: Applicant, flow: str | None, surface: Surface, typed: Typed) -> Made:
        """Make the account, or find it made by an earlier post of this form.

        Raises ``InvalidRequest`` with everything that is wrong with the form, ``UsernameTaken``,
        ``VerificationCodeWrong``, ``VerificationCodeExpired``, :class:`PhoneTaken` once the number was proved, and
        ``TooBusy``. None of them costs what was proved before.
        """
        draft = await self.find(applicant.holder, flow)
        facts = Begun(next=applicant.next, client=applicant.client) if draft is None else draft.facts
        fields.require_none(rules.account_faults(surface, typed, facts))
        number = _number(typed)
        try:
            account = await self._make(applicant, draft, surface, typed, number)
        except (UsernameTaken, PhoneTaken, VerificationCodeExpired):
            found = await self._made_before(applicant, flow, number, typed.password)
            if found is None:
                raise
            account = found
        national = self._wishes(surface, typed)
        return Made(account, Registered(next=facts.next, client=facts.client, national=national))

    async def username(self, account: str) -> str:
        """Return the name the account has, which may be one that the system has made; empty where it is over."""
        member = await self._members.member(account)
        return "" if member is None else member.username

    def is_fresh(self, session: Session) -> bool:
        """Return whether the number was proved so lately that 实名认证 needs no other proof."""
        return self._clock.now() - session.created_at < LIFETIME

    async def leave_identity(self, cookie: str | None, identity: Identity, held_by: tuple[Evidence, ...] = ()) -> None:
        """Note what has become of 实名认证, if that is the step the person is at; ``held_by`` as in ``Registered``."""
        for _ in range(_ATTEMPTS):
            found = await self._sessions.find(cookie)
            facts = None if found is None else registered(found[0])
            if found is None or facts is None or facts.identity is not Identity.OPEN:
                return
            left = rules.to_session(replace(facts, identity=identity, held_by=held_by))
            try:
                await self._sessions.save(found[0], found[0].data | left)
            except StaleSession:
                continue
            return
        raise StoreUnavailable

    def _wishes(self, surface: Surface, typed: Typed) -> bool:
        """Tell whether the box was there to be ticked, and is."""
        return self._national and surface is Surface.PC and typed.national

    async def _require_free(self, applicant: Applicant, surface: Surface, typed: Typed) -> None:
        if surface is Surface.H5 or not typed.name:
            return
        await applicant.source.hit(self._throttle, "registration.username", self._windows.source)
        of_browser = self._pseudonyms.key("registration.username", applicant.holder)
        await self._throttle.hit(of_browser, self._windows.browser)
        if await self._members.is_held(of_username(typed.name)):
            raise UsernameTaken

    async def _proved(self, applicant: Applicant, draft: Draft[Begun], number: MobileNumber, code: str) -> Draft[Begun]:
        if draft.facts.proved == number.digits:
            return draft
        flow = draft.id

        async def noted() -> Draft[Begun] | None:
            again = await self._drafts.read(applicant.holder, flow)
            return again if again.facts.proved == number.digits else None

        proved = await prove_once(self._codes, _binding(flow, number), code, noted)
        if proved is not None:
            return proved
        return await self._drafts.change(applicant.holder, draft, lambda facts: rules.proved(facts, number))

    async def _make(
        self, applicant: Applicant, draft: Draft[Begun] | None, surface: Surface, typed: Typed, number: MobileNumber
    ) -> Standing:
        await self._require_free(applicant, surface, typed)
        if draft is None:
            # Each code belongs to a registration, so there is none that this one could be.
            raise VerificationCodeExpired
        draft = await self._proved(applicant, draft, number, typed.code)
        if await self._members.is_held(of_phone(number.digits)):
            raise PhoneTaken
        new = NewMember(
            username=typed.name if surface is Surface.PC else None,
            phone=number.digits,
            password=await self._hashes.hash(typed.password),
            national=self._wishes(surface, typed),
            external=draft.facts.external,
        )
        await self._drafts.change(applicant.holder, draft, lambda facts: replace(facts, attempted=True))
        try:
            return await self._members.enrol(new, self._clock.now())
        except IdentifierTaken as taken:
            raise (UsernameTaken if taken.kind is IdentifierKind.USERNAME else PhoneTaken) from None

    async def _made_before(
        self, applicant: Applicant, flow: str | None, number: MobileNumber, password: str
    ) -> Standing | None:
        """Return the account that another post of this form has made, or None; the sessions it opened are over.

        One that has the number and another password is somebody else's; then this registration asks no more, so that
        nobody guesses a password here.
        """
        draft = await self.find(applicant.holder, flow)
        if draft is None or not draft.facts.attempted or draft.facts.proved != number.digits:
            return None
        member = await self._members.find([of_phone(number.digits)])
        if member is None:
            return None
        if not (await self._hashes.verify(member.password, password)).right:
            await self._drafts.change(applicant.holder, draft, lambda facts: replace(facts, attempted=False))
            return None
        account = member.standing.account
        for session in await self._sessions.of_account(account):
            if session.login.way is Way.REGISTRATION:
                # Its cookie was in an answer that did not arrive, or that the next one takes the place of.
                await self._sessions.end_one(account, session.id, SessionEnd.REPLACED)
        return member.standing


def registered(session: Session) -> Registered | None:
    """Return what a session knows of the registration it began with, None when it began otherwise."""
    return rules.of_session(session.data)


def _binding(flow: str, number: MobileNumber) -> Binding:
    return Binding(Purpose.REGISTER, by_sms(number), flow)


def _number(typed: Typed) -> MobileNumber:
    number = typed.number
    if number is None:
        raise AssertionError("a form without a number has a fault")
    return number
