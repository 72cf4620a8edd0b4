"""A device code, exchanged for a grant once somebody has confirmed (RFC 8628, sections 3.4 and 3.5).

Owns what each question of a device is answered with, and the one exchange of an approval: it is claimed by
compare-and-set before the grant is kept, so that twenty questions at once are given one (attack Q4), and given back
where a store is down. Called by the token endpoint with a client that has proved who it is.

A device code that comes again after its exchange is refused and ends nothing: unlike an authorization code it has
never been anywhere but between the client and this server, so whoever repeats it has lost an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, assert_never

from bjidp.clock import Clock, Instant, Millis
from bjidp.entropy import Entropy, token
from bjidp.errors import AccountRefused, StoreUnavailable
from bjidp.oidc import pkce
from bjidp.oidc.client import Client
from bjidp.oidc.devices import pacing
from bjidp.oidc.devices.agreeing import remembered
from bjidp.oidc.devices.asking import flow_of
from bjidp.oidc.devices.login import Origin
from bjidp.oidc.devices.pacing import Pace
from bjidp.oidc.errors import (
    AccessDenied,
    AuthorizationPending,
    ExpiredToken,
    InvalidGrant,
    InvalidScope,
    SlowDown,
)
from bjidp.oidc.grants.code import Approval, Authentication, of_ticket
from bjidp.oidc.grants.grant import Grant, GrantEnd, fresh
from bjidp.oidc.parameters import Parameters
from bjidp.oidc.ports import ConsentStore, GrantStore, LiveSessions
from bjidp.oidc.scopes import known
from bjidp.qrlogin import machine
from bjidp.qrlogin.devices import DeviceTickets, Seen
from bjidp.qrlogin.ports import Accounts
from bjidp.qrlogin.ticket import Approved, Pending, Redeemed, Rejected, Scanned, Superseded, Verifying
from bjidp.records import DuplicateRecord, Records, StaleRecord
from bjidp.sessions.authentication import Method
from bjidp.standing import Standing

OVER: Final = "the device code is unknown, spent, or was given for another client or verifier"
REFUSED: Final = "the person said no, or their account may not be used for this"

_ATTEMPTS: Final = 8


class DeviceRedeeming:
    """Answers devices that ask whether somebody has confirmed."""

    def __init__(
        self,
        *,
        tickets: DeviceTickets,
        paces: Records[Pace],
        accounts: Accounts,
        consents: ConsentStore,
        sessions: LiveSessions,
        grants: GrantStore,
        ticket_digest: Callable[[str], bytes],
        entropy: Entropy,
        clock: Clock,
        session_lifetime: Millis,
    ) -> None:
        """``ticket_digest`` is what grants remember a ticket by, so that the phone that confirmed can end them.

        ``sessions`` are those that somebody may confirm in on a page.
        """
        self._tickets = tickets
        self._paces = paces
        self._accounts = accounts
        self._consents = consents
        self._sessions = sessions
        self._grants = grants
        self._ticket_digest = ticket_digest
        self._entropy = entropy
        self._clock = clock
        self._session_lifetime = session_lifetime

    async def redeem(self, client: Client, parameters: Parameters) -> Grant:
        """Return the grant for a device code.

        Raises :class:`InvalidGrant` for one that is unknown, spent, another client's or shown with another verifier
        than it was asked for (attacks Q19, Q20), all of which change nothing; :class:`AuthorizationPending`,
        :class:`SlowDown`, :class:`ExpiredToken`, :class:`AccessDenied`; and ``StoreUnavailable``: nothing was consumed.
        """
        name = flow_of(parameters.require("device_code", "device_code is missing"))
        seen = await self._tickets.find(name)
        if seen is None or seen.device.client != client.id or not _proved(seen, parameters.get("code_verifier")):
            raise InvalidGrant(OVER)
        if not set(parameters.words("scope")) <= set(seen.device.scopes):
            raise InvalidScope("scope has one that the device did not ask for")
        if machine.has_expired(seen.ticket, seen.now):
            raise ExpiredToken("nobody has confirmed in time: ask for another device code")
        state = seen.ticket.state
        match state:
            case Pending() | Scanned() | Verifying():
                if await self._is_too_soon(name, seen.now):
                    raise SlowDown("asked too soon: wait five seconds longer from now on")
                raise AuthorizationPending("nobody has confirmed yet")
            case Approved():
                return await self._exchanged(client, name, seen, state)
            case Rejected():
                raise AccessDenied(REFUSED)
            case Redeemed() | Superseded():
                raise InvalidGrant(OVER)
            case _:
                assert_never(state)

    async def _is_too_soon(self, name: str, now: Instant) -> bool:
        """Count a question; tell whether it came too soon after the last."""
        for _ in range(_ATTEMPTS):
            held = await self._paces.get(name)
            try:
                if held is None:
                    await self._paces.add(name, pacing.first(now), pacing.REMEMBERED)
                    return False
                pace, too_soon = pacing.asked(held.value, now)
                await self._paces.replace(name, pace, held.version)
            except (DuplicateRecord, StaleRecord):
                continue
            return too_soon
        # That many questions at once are too many, whichever of them was counted.
        return True

    async def _exchanged(self, client: Client, name: str, seen: Seen, approved: Approved) -> Grant:
        claim = token(self._entropy, 128)
        if not await self._tickets.claim(seen.ticket, claim):
            raise InvalidGrant(OVER)
        try:
            grant = await self._begun(client, seen, approved)
        except AccountRefused:
            await self._tickets.refuse(seen.ticket, claim)
            raise AccessDenied(REFUSED) from None
        except StoreUnavailable:
            await self._tickets.release(seen.ticket, claim)
            raise
        if await self._tickets.withdrawn(name):
            # 不是我 came between the claim and the grant, and found none to end (attack P7).
            await self._grants.end(grant.id, GrantEnd.UNDONE, self._clock.now())
            raise AccessDenied(REFUSED)
        return grant

    async def _begun(self, client: Client, seen: Seen, approved: Approved) -> Grant:
        """Keep the grant; raise ``AccountRefused`` where the account may not be used for this by now (attack Q21)."""
        account = approved.holder.account
        standing = await self._accounts.standing(account)
        if standing is None or standing.refusal is not None:
            raise AccountRefused("cancelled" if standing is None else str(standing.refusal))
        if standing.level < seen.device.level:
            raise AccountRefused("level")
        now = self._clock.now()
        approval = Approval(
            client=client.id,
            account=account,
            ref=standing.ref,
            session=of_ticket(self._ticket_digest(seen.ticket.id)),
            epoch=approved.epoch,
            scopes=known(seen.device.scopes),
            authentication=_authentication(approved, standing),
            confirmed_in=None if approved.authenticated is None else approved.holder.link,
        )
        await self._require_meant(approval)
        begun = fresh(approval, self._session_lifetime, self._entropy, now)
        grant = await self._grants.begin(begun, client.subject_sector, now, _origin(seen, approved))
        try:
            # Once more: whoever ends either meanwhile finds the grant, or is found here.
            await self._require_meant(approval)
        except AccountRefused:
            await self._grants.end(grant.id, GrantEnd.TOO_LATE, now)
            raise
        return grant

    async def _require_meant(self, approval: Approval) -> None:
        """Raise ``AccountRefused`` unless the agreement is there, and the session of the page that confirmed."""
        session, now = approval.confirmed_in, self._clock.now()
        if session is not None and not await self._sessions.lives(approval.account, session, now, settled=True):
            raise AccountRefused("session_over")
        if not remembered(approval.scopes) <= await self._consents.agreed(approval.account, approval.client):
            raise AccountRefused("withdrawn")


def _proved(seen: Seen, verifier: str | None) -> bool:
    challenge = seen.device.challenge
    if challenge is None:
        # A verifier for no challenge is somebody else's request (RFC 9700, section 2.1.1).
        return verifier is None
    return pkce.answers(verifier, challenge)


def _origin(seen: Seen, approved: Approved) -> Origin:
    computer = seen.ticket.computer
    return Origin(
        platform=approved.holder.platform if approved.authenticated is None else None,
        browser=computer.browser,
        os=computer.os,
        area=None if computer.area is None else computer.area.label,
    )


def _authentication(approved: Approved, standing: Standing) -> Authentication:
    page = approved.authenticated
    if page is not None:
        return Authentication(page.at, standing.level, page.methods)
    methods = (Method.QR,) if approved.evidence is None else (Method.QR, Method.FACE)
    return Authentication(approved.at, standing.level, methods)
