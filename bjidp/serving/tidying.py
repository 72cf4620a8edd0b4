"""Deleting what is over, and telling of what has worn (PRV-4, RNV-1).

Owns what is deleted, when, and how much at a time. Started by ``server`` in every process; the stores share the work
out. What lives for minutes is forgotten by its own store and needs none of this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import structlog

from bjidp.accounts.member_ports import MemberStore
from bjidp.accounts.national.ports import WishStore
from bjidp.accounts.national.wish import KEPT as WISHES_KEPT
from bjidp.accounts.ports import AccountStore
from bjidp.appeals.appeal import ATTACHMENTS_KEPT
from bjidp.appeals.appeal import KEPT as APPEALS_KEPT
from bjidp.appeals.ports import AppealStore
from bjidp.clock import DAY, Clock, Instant, Millis
from bjidp.errors import StoreUnavailable
from bjidp.miniprogram.ports import MiniSessionStore
from bjidp.oidc.ports import GrantStore, LogoutOutbox
from bjidp.organisations.ports import OrganisationStore
from bjidp.proofing.ports import CheckStore, IdentityStore
from bjidp.sessions.ports import SessionStore
from bjidp.unexpected import outline

PAUSE: Final = 600.0
"""Seconds between two clean-ups."""

AT_ONCE: Final = 500
"""Rows deleted in one go: requests get in between two of them, however much has piled up."""

NETWORKS_KEPT: Final[Millis] = 180 * DAY
"""How long an account is known by a network it no longer logs in from: it is a trace of where somebody was."""

NOTICES_KEPT: Final[Millis] = 180 * DAY
"""How long an account can read what it was told, seen or not."""

NOTICED_KEPT: Final[Millis] = 30 * DAY
"""How long it can be looked up when relying parties were told of something, or that they were not."""

CHECKS_KEPT: Final[Millis] = 2 * DAY
"""How long it is known what registers were asked: twice as long as it counts."""

MANDATES_KEPT: Final[Millis] = 30 * DAY
"""How long either side can see what became of a mandate or an offer that is over."""

Purge: TypeAlias = Callable[[Instant, int], Awaitable[int]]
"""Deletes at most so many rows, or sees to at most so many, and returns how many."""

Duty: TypeAlias = Callable[[Instant, int], Awaitable[bool]]
"""Does at most so much, and returns whether there may be more to do."""

log = structlog.get_logger(__name__)


class Tidying:
    """The clean-up of one process."""

    def __init__(
        self,
        *,
        sessions: SessionStore,
        grants: GrantStore,
        logouts: LogoutOutbox,
        mini_sessions: MiniSessionStore,
        accounts: AccountStore,
        members: MemberStore,
        wishes: WishStore,
        identities: IdentityStore,
        checks: CheckStore,
        organisations: OrganisationStore,
        appeals: AppealStore,
        clock: Clock,
    ) -> None:
        """Clean these up, by ``clock``."""
        self._clock = clock

        async def worn(now: Instant, limit: int) -> bool:
            return (await identities.wear(now, limit)).more

        self._duties: dict[str, Duty] = {
            "sessions": _deleting(sessions.purge, 0),
            "ended_sessions": _doing(sessions.settle),
            "fenced_grants": _doing(grants.end_fenced),
            "grants": _deleting(grants.purge, 0),
            "mini_sessions": _deleting(mini_sessions.purge, 0),
            "networks": _deleting(accounts.forget_networks, NETWORKS_KEPT),
            "notices": _deleting(members.forget_notices, NOTICES_KEPT),
            "national_wishes": _deleting(wishes.forget, WISHES_KEPT),
            "identity_checks": _deleting(checks.forget, CHECKS_KEPT),
            "mandates": _deleting(organisations.forget, MANDATES_KEPT),
            "attachments": _deleting(appeals.forget_attachments, ATTACHMENTS_KEPT),
            "appeals": _deleting(appeals.forget, APPEALS_KEPT),
            "worn_identities": worn,
            "logout_notices": _deleting(logouts.forget, NOTICED_KEPT),
        }

    async def run(self) -> None:
        """Clean up now and after every pause, until cancelled."""
        while True:
            await self.once()
            await asyncio.sleep(PAUSE)

    async def once(self) -> None:
        """Do all that is due. What fails is logged, keeps nothing else from it, and is tried again next time."""
        for what, duty in self._duties.items():
            try:
                while await duty(self._clock.now(), AT_ONCE):
                    pass
            except StoreUnavailable:
                log.warning("tidying_put_off", what=what)
            except Exception as error:  # noqa: BLE001 - one fault must not end all cleaning for the process's life
                log.error("tidying_failed", what=what, **outline(error))  # noqa: TRY400 - without its text


def _doing(work: Purge) -> Duty:
    """Return the duty to do as much as there is."""

    async def duty(now: Instant, limit: int) -> bool:
        return await work(now, limit) >= limit

    return duty


def _deleting(purge: Purge, kept: Millis) -> Duty:
    """Return the duty to delete what was over so long ago."""

    async def duty(now: Instant, limit: int) -> bool:
        return await purge(now - kept, limit) >= limit

    return duty
