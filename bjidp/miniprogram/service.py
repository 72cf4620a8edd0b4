"""Login and registration in the mini-program (REG-7, LOG-7).

Owns the order in which platform, limits, authority and accounts are asked (wire.md 3, "Face and accounts"). Called
by the web handlers of ``session``, ``registration``, ``registration/complete`` and ``account``.

Every step ends in one compare-and-set of the registration. What an outside service or a store did not answer, the
same call asks again; what was answered, it does not ask twice.
"""

from __future__ import annotations

from bjidp.accounts.ports import AccountStore, Evidence, IdentityTaken
from bjidp.clock import SECOND, Clock, Instant
from bjidp.entropy import Entropy
from bjidp.errors import (
    AccountRefused,
    BjidpError,
    FieldFault,
    InvalidRequest,
    StoreUnavailable,
    TokenInvalid,
)
from bjidp.miniprogram import registration as steps
from bjidp.miniprogram.book import Page, RegistrationBook
from bjidp.miniprogram.doors import Doors
from bjidp.miniprogram.errors import unknown_registration
from bjidp.miniprogram.face_checks import FaceChecks
from bjidp.miniprogram.limits import MiniProgramLimits
from bjidp.miniprogram.linking import Linking, account_found, session_ok
from bjidp.miniprogram.platform_logins import PlatformLogins
from bjidp.miniprogram.registration import (
    CLAIM_LIFETIME,
    KEPT,
    LIFETIME,
    Check,
    Checking,
    Done,
    Found,
    Opened,
    Passed,
)
from bjidp.miniprogram.sessions import Caller, MiniSessions
from bjidp.miniprogram.wire import (
    AccountFound,
    AccountView,
    CompleteRequest,
    FaceStarted,
    IdentityRequired,
    RegistrationRequest,
    SessionOk,
    SessionRequest,
    level_name,
)
from bjidp.person import Person
from bjidp.platforms import Platform, PlatformIdentity
from bjidp.proofing.binding import is_led_to
from bjidp.proofing.dates import beijing_date
from bjidp.proofing.documents import parse
from bjidp.proofing.ranges import DocumentRange
from bjidp.records import StaleRecord
from bjidp.throttle.source import Source
from bjidp.vendors.ports.platforms import FaceRequest, FaceStart, FaceVerdict
from bjidp.vendors.ports.registers import Authority

CONSENTS = frozenset({"terms", "privacy"})
VALID_DAYS = frozenset({0, 7, 30})

_ATTEMPTS = 8


class MiniProgram:
    """Logs phones in, and registers who is new."""

    def __init__(
        self,
        *,
        doors: Doors,
        checks: FaceChecks,
        accounts: AccountStore,
        authority: Authority,
        sessions: MiniSessions,
        book: RegistrationBook,
        logins: PlatformLogins,
        linking: Linking,
        limits: MiniProgramLimits,
        documents: DocumentRange,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        """Take everything it asks; ``documents`` says whose numbers are served here."""
        self._doors = doors
        self._checks = checks
        self._accounts = accounts
        self._authority = authority
        self._sessions = sessions
        self._book = book
        self._logins = logins
        self._linking = linking
        self._limits = limits
        self._documents = documents
        self._clock = clock
        self._entropy = entropy

    async def session(self, platform: Platform, body: SessionRequest, source: Source) -> SessionOk | IdentityRequired:
        """Log a platform identity in by the platform's own login code, or open a registration for it.

        Raises ``LoginCodeInvalid``, ``LoginBlocked``, ``AccountRefused``, ``RateLimited``, ``VendorUnavailable``.
        """
        await self._limits.from_address(source)
        login = await self._doors.exchange(platform, body.code)
        identity = login.identity
        await self._limits.sign_in(identity)
        known = await self._accounts.link_of(identity)
        if known is not None:
            link, standing = known
            if standing.refusal is not None:
                raise AccountRefused(standing.refusal)
            if await self._sessions.lives_on(link):
                opened = await self._sessions.open(platform, link)
                await self._logins.keep(opened.id, login)
                return session_ok(opened.tokens, standing)
        secret = await self._book.open(identity, self._entropy, self._clock.now())
        await self._logins.keep_for_registration(secret, login)
        return IdentityRequired(secret, LIFETIME // SECOND)

    async def account(self, caller: Caller) -> AccountView:
        """Return the caller's account, masked; raise ``TokenInvalid`` when it is gone."""
        profile = await self._accounts.profile(caller.account)
        if profile is None:
            raise TokenInvalid
        return AccountView(
            name=profile.standing.name,
            level=level_name(profile.standing.level),
            phone=profile.phone,
            username=profile.username,
        )

    # -------------------------------------------------------------------------------------------------- registration

    async def registration(self, platform: Platform, body: RegistrationRequest, source: Source) -> FaceStarted:
        """Start a face check for the person stated; earlier ones of this registration count no more.

        Whether name and number belong together is not asked here: nobody learns that for free. Raises
        ``InvalidRequest``, ``DocumentUnsupported``, ``RateLimited``, ``VendorUnavailable``.
        """
        await self._limits.from_address(source)
        page = await self._book.find(platform, body.registration)
        identity = page.identity
        await self._limits.sign_in(identity)
        person = self._stated_person(body)
        kept = _Kept(self._book, body.registration, page, body.valid_days)
        begun = await self._checks.start(kept, identity, person, own=lambda: self._is_own(identity, person))
        return begun.told

    def _stated_person(self, body: RegistrationRequest) -> Person:
        faults: list[FieldFault] = []
        if body.valid_days not in VALID_DAYS:
            faults.append(FieldFault("valid_days", "value"))
        if len(body.agreed) != len(CONSENTS) or set(body.agreed) != CONSENTS:
            faults.append(FieldFault("agreed", "required"))
        try:
            person = parse(body.document_type, body.name, body.document_number, beijing_date(self._clock.now()))
            self._documents.admit(person)
        except InvalidRequest as error:
            raise InvalidRequest(*error.errors, *faults) from None
        if faults:
            raise InvalidRequest(*faults)
        return person

    async def _is_own(self, identity: PlatformIdentity, person: Person) -> bool:
        known = await self._accounts.link_of(identity)
        if known is None:
            return False
        holder = await self._accounts.holder_of(person)
        return holder is not None and holder.account == known[0].account

    # ------------------------------------------------------------------------------------------------------ complete

    async def complete(self, platform: Platform, body: CompleteRequest, source: Source) -> SessionOk | AccountFound:
        """Take the platform's verdict, ask the authority, then log in to the person's one account.

        Repeated, it goes on where it was stopped. Raises ``FacePending``, ``FaceFailed``, ``IdentityMismatch``,
        ``AccountRefused``, ``InvalidRequest`` for a registration that is over, ``VendorUnavailable``.
        """
        await self._limits.from_address(source)
        page = await self._book.find(platform, body.registration)
        await self._limits.complete(page.identity)
        for _ in range(_ATTEMPTS):
            try:
                answer = await self._advance(page, body.registration)
            except (StaleRecord, IdentityTaken):
                # Somebody else was faster: what is true now is decided by what is there now.
                answer = None
            if answer is not None:
                return answer
            page = await self._book.find(platform, body.registration)
        raise StoreUnavailable(1)

    async def _advance(self, page: Page, secret: str) -> SessionOk | AccountFound | None:
        """Take one step; return the answer, or None when there is a next one."""
        match page.registration.state:
            case Opened(refusal=refusal):
                raise steps.error_of(refusal)
            case Checking(check=check):
                await self._take_verdict(page, check)
            case Passed() as passed if steps.overdue(passed, page.now):
                await page.write(steps.lapsed(page.registration))
            case Passed(check=check, authority=None):
                person = page.person(check)
                # The frozen reference: whoever crashed before the answer was written down repeats the question.
                finding = await self._authority.check(person, reference=check.reference)
                await page.write(steps.answered(page.registration, person, finding))
            case Passed(check=check, authority=str() as authority):
                return await self._settle(page, secret, check, authority)
            case Found() as claim:
                return account_found(page, secret, claim.username, claim.phone)
            case Done(session=session):
                return await self._linking.again(session)
        return None

    async def _take_verdict(self, page: Page, check: Check) -> None:
        async def judged(verdict: FaceVerdict, asked_at: Instant, answered_at: Instant) -> None:
            following = steps.judged(page.registration, verdict, asked_at=asked_at, answered_at=answered_at)
            # With a verdict the person has done their part: the record must not run out under the next steps.
            left = max(0, page.registration.expires_at - page.now) + KEPT - LIFETIME
            await page.write(following, None if verdict is FaceVerdict.PENDING else left)

        request = FaceRequest(check.reference, page.identity, page.person(check))
        await self._checks.take_verdict(
            request, check.verification, gone=unknown_registration(), read_at=page.now, judged=judged
        )

    async def _settle(self, page: Page, secret: str, check: Check, authority: str) -> SessionOk | None:
        """Decide whose account it is (wire.md 3, "Face and accounts" (3)), and log in to it."""
        holder = await self._accounts.holder_of(page.person(check))
        if holder is None or is_led_to(holder.evidence, Evidence.FACE):
            linked = await self._linking.link(page, check, authority, holder)
            return await self._linking.log_in(page, secret, linked)
        claim = steps.found(
            page.registration,
            account=holder.account,
            username=holder.username,
            phone=holder.phone,
            now=page.now,
        )
        await page.write(claim, CLAIM_LIFETIME)
        return None


class _Kept:
    """The check of a registration (:class:`bjidp.miniprogram.face_checks.Kept`)."""

    def __init__(self, book: RegistrationBook, secret: str, page: Page, valid_days: int) -> None:
        self.gone: BjidpError = unknown_registration()
        self._book = book
        self._secret = secret
        self._page = page
        self._valid_days = valid_days
        self._check: Check | None = None

    async def read(self) -> None:
        self._page = await self._book.find(self._page.registration.platform, self._secret)

    def is_prepaid(self, document: str) -> bool:
        return self._page.registration.prepaid == document

    async def restart(self, reference: str) -> None:
        self._page = await self._page.write(_restarted(self._page))

    async def give_back(self, document: str) -> None:
        await self._page.write(steps.not_started(self._page.registration, document))

    async def started(self, request: FaceRequest, start: FaceStart) -> None:
        if self._check is None:
            # By the read of the restart, before which there was no verdict, however often this is written.
            self._check = self._page.check(request, start, self._valid_days)
        await self._page.write(steps.started(_restarted(self._page), self._check))


def _restarted(page: Page) -> steps.Registration:
    try:
        return steps.restart(page.registration, page.now)
    except steps.InvalidTransition:
        raise unknown_registration() from None
