"""From a proved person to a phone that is logged in: whose account it is, and the session that comes of it.

Owns the last step of a registration, which the face check and the claim to an account both come to (wire.md 3, "Face
and accounts" (3)). Called by ``service`` and by ``claiming``.
"""

from __future__ import annotations

from bjidp.accounts.ports import AccountStore, Evidence, IdentityHolder, Linked, NewAccount
from bjidp.clock import HOUR, SECOND, Instant, Millis
from bjidp.miniprogram import registration as steps
from bjidp.miniprogram.book import Page
from bjidp.miniprogram.errors import unknown_registration
from bjidp.miniprogram.platform_logins import PlatformLogins
from bjidp.miniprogram.ports import MiniSessionEnd
from bjidp.miniprogram.registration import DONE_LIFETIME, Check
from bjidp.miniprogram.sessions import MiniSessions
from bjidp.miniprogram.tokens import Tokens
from bjidp.miniprogram.wire import AccountFound, AccountSummary, FoundAccount, SessionOk, level_name
from bjidp.records import StaleRecord
from bjidp.standing import Standing

LINK_PROBATION: Millis = 72 * HOUR
"""How long a link made by recovery may not change the account (``accounts.link_probation``)."""


class Linking:
    """Logs phones in to accounts of people whose face has passed and whom the authority knows."""

    def __init__(
        self,
        *,
        accounts: AccountStore,
        sessions: MiniSessions,
        logins: PlatformLogins,
        probation: Millis = LINK_PROBATION,
    ) -> None:
        """Take everything it asks."""
        self._accounts = accounts
        self._sessions = sessions
        self._logins = logins
        self._probation = probation

    async def link(self, page: Page, check: Check, authority: str, holder: IdentityHolder | None) -> Linked:
        """Link the phone to the account that ``holder`` is, who proved the identity by face, or to a new one.

        Raises ``IdentityTaken`` when that is not so any more, and ``AccountRefused``.
        """
        new = proved(page, check, authority)
        if holder is None:
            return await self._accounts.register(new, page.now)
        return await self._link_again(holder, new, check, page.now)

    async def log_in(self, page: Page, secret: str, linked: Linked) -> SessionOk:
        """Open the session that the registration ends in; raise ``StaleRecord`` when another call has.

        What is left of links that went for this one ends before it.
        """
        await self._sessions.end_of_links(linked.gone)
        opened = await self._sessions.open(page.registration.platform, linked.link, repeatable=True)
        await self._logins.hand_on(secret, opened.id)
        try:
            await page.write(steps.done(page.registration, opened.id), DONE_LIFETIME)
        except StaleRecord:
            # The same call was made twice at once and the other one is further: its session is the one.
            await self._sessions.end(opened.id, MiniSessionEnd.SUPERSEDED)
            raise
        return session_ok(opened.tokens, linked.standing)

    async def again(self, session: str) -> SessionOk:
        """Answer a call that was answered before; raise ``InvalidRequest`` once that is not to be done any more."""
        again = await self._sessions.repeat(session)
        if again is None:
            raise unknown_registration()
        return session_ok(*again)

    async def _link_again(self, holder: IdentityHolder, new: NewAccount, check: Check, now: Instant) -> Linked:
        former = await self._accounts.link_of(new.identity)
        if former is None or former[0].account != holder.account:
            # Recovery (REG-7): the store tells the account's other channels in the same transaction.
            until = now + self._probation
            return await self._accounts.relink(holder.account, new, probation_until=until, now=now)
        if former[0].face_checked_at >= check.started_at:
            # This very check was settled before and its answer got lost: a verdict is not used a second time.
            return Linked(*former)
        # Linked already. A probation it is under goes on: a second face check is no second proof.
        until_as_before = former[0].probation_until
        return await self._accounts.relink(holder.account, new, probation_until=until_as_before, now=now)


def proved(page: Page, check: Check, authority: str) -> NewAccount:
    """Return what the registration has proved, as an account is made of it."""
    return NewAccount(
        person=page.person(check),
        identity=page.identity,
        valid_days=check.valid_days,
        evidence=Evidence.FACE,
        evidence_reference=check.reference,
        authority_reference=authority,
    )


def session_ok(tokens: Tokens, standing: Standing) -> SessionOk:
    """Return the answer of a phone that is logged in."""
    return SessionOk(
        access_token=tokens.access,
        expires_in=tokens.expires_in,
        refresh_token=tokens.refresh,
        account=AccountSummary(standing.name, level_name(standing.level)),
    )


def account_found(page: Page, secret: str, username: str, phone: str | None) -> AccountFound:
    """Return the answer that an account was found, with the seconds that its claim has left."""
    left = max(0, page.registration.expires_at - page.now) // SECOND
    return AccountFound(secret, FoundAccount(username, phone), left)
