"""The claim to an account that holds the identity by a weaker proof than a face (``registration/claim``, RNV-7).

Whoever gets here has passed the face check, and the authority knows the person. Either the account is theirs: a code to
its own phone proves that, and the phone is logged in to it, without probation. Or it is not, or its number is theirs no
more: a new account takes the identity over, and the other one keeps all else and is told.

**Crashes.** A right code is written down before the account is linked, and what was linked is found linked: the same
call goes on where it was. A takeover puts everybody out of the loser in its own transaction, and queues the notice
there; what a crash after it leaves are sessions that open nothing, and a message that is not sent.
"""

from __future__ import annotations

from typing import Final

from bjidp.accounts.endings import Endings
from bjidp.accounts.member_ports import Member, MemberStore
from bjidp.accounts.ports import AccountStore, Evidence, IdentityHolder, IdentityTaken
from bjidp.accounts.telling import Teller, Told
from bjidp.errors import AccountRefused, FieldFault, InvalidRequest, StoreUnavailable
from bjidp.miniprogram import registration as steps
from bjidp.miniprogram.book import Page, RegistrationBook
from bjidp.miniprogram.limits import MiniProgramLimits
from bjidp.miniprogram.linking import Linking, account_found, proved
from bjidp.miniprogram.registration import Done, Found
from bjidp.miniprogram.wire import AccountFound, ClaimRequest, CodeSent, SessionOk
from bjidp.platforms import Platform
from bjidp.proofing.binding import is_led_to
from bjidp.records import StaleRecord
from bjidp.sessions.ports import SessionEnd
from bjidp.throttle.source import Source
from bjidp.verification.code import Binding, Purpose, by_sms
from bjidp.verification.codes import Codes
from bjidp.verification.dispatch import Dispatches
from bjidp.verification.number import MobileNumber

_ATTEMPTS: Final = 8


class Claiming:
    """Settles claims."""

    def __init__(
        self,
        *,
        book: RegistrationBook,
        linking: Linking,
        accounts: AccountStore,
        members: MemberStore,
        codes: Codes,
        dispatches: Dispatches,
        endings: Endings,
        teller: Teller,
        limits: MiniProgramLimits,
    ) -> None:
        """Take everything it asks."""
        self._book = book
        self._linking = linking
        self._accounts = accounts
        self._members = members
        self._codes = codes
        self._dispatches = dispatches
        self._endings = endings
        self._teller = teller
        self._limits = limits

    async def claim(
        self, platform: Platform, body: ClaimRequest, source: Source
    ) -> SessionOk | AccountFound | CodeSent:
        """Send a code to the account's phone, take the code, or take the identity over; log the phone in.

        Answers ``AccountFound`` when it is another account's by now: the person is asked anew. Raises
        ``InvalidRequest``, ``AccountRefused``, ``VerificationCodeWrong``, ``VerificationCodeExpired``, ``RateLimited``,
        and what :meth:`bjidp.verification.dispatch.Dispatches.sms` raises.
        """
        await self._limits.from_address(source)
        page = await self._book.find(platform, body.registration)
        await self._limits.complete(page.identity)
        for _ in range(_ATTEMPTS):
            try:
                return await self._answer(page, body, source)
            except (StaleRecord, IdentityTaken):
                # Somebody else was faster: what is true now is decided by what is there now.
                page = await self._book.find(platform, body.registration)
        raise StoreUnavailable(1)

    async def _answer(self, page: Page, body: ClaimRequest, source: Source) -> SessionOk | AccountFound | CodeSent:
        match page.registration.state:
            case Done(session=session):
                return await self._linking.again(session)
            case Found() as found:
                holder = await self._accounts.holder_of(page.person(found.check))
                if holder is None or is_led_to(holder.evidence, Evidence.FACE):
                    # Nobody's by now, or proved by face meanwhile, by this very call before its answer was lost too.
                    linked = await self._linking.link(page, found.check, found.authority, holder)
                    return await self._linking.log_in(page, body.registration, linked)
                if holder.account != found.account:
                    return await self._found_anew(page, holder, body.registration)
                if not body.mine:
                    return await self._take_over(page, found, body.registration)
                return await self._prove(page, found, body, source)
            case _:
                raise InvalidRequest(FieldFault("registration", "nothing_found"))

    async def _found_anew(self, page: Page, holder: IdentityHolder, secret: str) -> AccountFound:
        """Put the claim to the account that holds the identity now."""
        page = await page.write(
            steps.found_anew(page.registration, account=holder.account, username=holder.username, phone=holder.phone)
        )
        return account_found(page, secret, holder.username, holder.phone)

    # ----------------------------------------------------------------------------------------------- it is the person's

    async def _prove(self, page: Page, found: Found, body: ClaimRequest, source: Source) -> SessionOk | CodeSent:
        if not found.proved:
            member, number = await self._phone_of(found.account)
            binding = Binding(Purpose.CLAIM, by_sms(number), page.key)
            if body.code is None:
                sent = await self._dispatches.sms(
                    binding, number, holder=page.key, browser=page.key, source=source, owner=False
                )
                return CodeSent(sent.wait)
            await self._codes.use(binding, body.code)
            page = await page.write(steps.proved(page.registration))
            await self._members.phone_proved(member.standing.account, page.now)
        new = proved(page, found.check, found.authority)
        # No probation: a code to the account's own phone is what would end it.
        linked = await self._accounts.relink(found.account, new, probation_until=None, now=page.now)
        return await self._linking.log_in(page, body.registration, linked)

    async def _phone_of(self, account: str) -> tuple[Member, MobileNumber]:
        member = await self._members.member(account)
        if member is None:
            raise IdentityTaken  # cancelled a moment ago
        if member.standing.refusal is not None:
            raise AccountRefused(member.standing.refusal)
        if member.phone is None:
            raise InvalidRequest(FieldFault("mine", "no_phone"))
        return member, MobileNumber(member.phone)

    # ------------------------------------------------------------------------------------------------ it is somebody's

    async def _take_over(self, page: Page, found: Found, secret: str) -> SessionOk:
        loser = await self._members.member(found.account)
        new = proved(page, found.check, found.authority)
        linked = await self._accounts.take_over(found.account, new, page.now)
        reference = None if loser is None else loser.standing.ref
        await self._endings.end_after(found.account, None, SessionEnd.IDENTITY_LOST, reference, linked.lost)
        if loser is not None and loser.phone is not None:
            self._teller.tell(MobileNumber(loser.phone), Told.IDENTITY_LOST)
        return await self._linking.log_in(page, secret, linked)
