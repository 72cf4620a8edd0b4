"""Deleting what is over, and telling of what has worn (PRV-4, RNV-1).

Owns what is deleted, when, and how much at a time. Started by ``serving`` in every process; the stores share the work
out. What lives for minutes is forgotten by its own store and needs none of this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import structlog

from bjidp.accounts.ports import AccountStore, MemberStore
from bjidp.appeals.appeal import ATTACHMENTS_KEPT
from bjidp.appeals.appeal import KEPT as APPEALS_KEPT
from bjidp.appeals.ports import AppealStore
from bjidp.clock import DAY, Clock, Instant, Millis
from bjidp.errors import StoreUnavailable
from bjidp.miniprogram.ports import MiniSessionStore
from bjidp.organisations.ports import OrganisationStore
from bjidp.proofing.ports import CheckStore, IdentityStore
from bjidp.sessions.ports import SessionStore
from bjidp.web.http.unexpected import outline

PAUSE: Final = 600.0
"""Seconds between two clean-ups."""

AT_ONCE: Final = 500
"""Rows deleted in one go: requests get in between two of them, however much has piled up."""

NETWORKS_KEPT: Final[Millis] = 180 * DAY
"""How long an account is known by a network it no longer logs in from: it is a trace of where somebody was."""

NOTICES_KEPT: Final[Millis] = 180 * DAY
"""How long an account can read what it was told, seen or not."""

DELIVERIES_KEPT: Final[Millis] = 30 * DAY
"""How long it can be looked up when relying parties were told of something; what they were not told waits."""

CHECKS_KEPT: Final[Millis] = 2 * DAY
"""How long it is known what registers were asked: twice as long as it counts."""

MANDATES_KEPT: Final[Millis] = 30 * DAY
"""How long either side can see what became of a mandate or an offer that is over."""

Purge: TypeAlias = Callable[[Instant, int], Awaitable[int]]

log = structlog.get_logger(__name__)


class Tidying:
    """The clean-up of one process."""

    def __init__(
        self,
        *,
        sessions: SessionStore,
        mini_sessions: MiniSessionStore,
        accounts: AccountStore,
        members: MemberStore,
        identities: IdentityStore,
        checks: CheckStore,
        organisations: OrganisationStore,
        appeals: AppealStore,
        clock: Clock,
    ) -> None:
        """Clean these up, by ``clock``."""
        self._clock = clock
        self._duties: dict[str, Purge] = {
            "sessions": sessions.purge,
            "mini_sessions": mini_sessions.purge,
            "networks": lambda now, limit: accounts.forget_networks(now - NETWORKS_KEPT, limit),
            "notices": lambda now, limit: members.forget_notices(now - NOTICES_KEPT, limit),
            "identity_checks": lambda now, limit: checks.forget(now - CHECKS_KEPT, limit),
            "mandates": lambda now, limit: organisations.forget(now - MANDATES_KEPT, limit),
            "attachments": lambda now, limit: appeals.forget_attachments(now - ATTACHMENTS_KEPT, limit),
            "appeals": lambda now, limit: appeals.forget(now - APPEALS_KEPT, limit),
            "worn_identities": identities.wear,
            "deliveries": lambda now, limit: members.forget_deliveries(now - DELIVERIES_KEPT, limit),
        }

    async def run(self) -> None:
        """Clean up now and after every pause, until cancelled."""
        while True:
            await self.once()
            await asyncio.sleep(PAUSE)

    async def once(self) -> None:
        """Delete all that is over. What fails is logged, keeps nothing else from it, and is tried again next time."""
        for what, purge in self._duties.items():
            try:
                while await purge(self._clock.now(), AT_ONCE) >= AT_ONCE:
                    pass
            except StoreUnavailable:
                log.warning("tidying_put_off", what=what)
            except Exception as error:  # noqa: BLE001 - one fault must not end all cleaning for the process's life
                log.error("tidying_failed", what=what, **outline(error))  # noqa: TRY400 - without its text
