"""法人登录: whom a session acts for, and whom somebody acts for at a relying party (ORG-3, LOG-9).

Owns the choice, and the answer to whoever has to know: relying parties, and the pages themselves. What is
remembered is one mandate, or one time of leading, and no right: at every look the store says whether that is there
still, and the rules whether it counts at this moment. So a mandate that ends, a level that falls or a register that
says no ends it by itself, in every session at once, and nothing has to be found and put out.

There is no password of an organisation (ADR 0019): whoever acts has logged in as themselves.
"""

from __future__ import annotations

from typing import Final

from bjidp.accounts.verifying import Verifying, Visit
from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.audit.ports import AuditLog
from bjidp.clock import Clock
from bjidp.organisations.confirming import Confirming
from bjidp.organisations.errors import OrganisationUnknown
from bjidp.organisations.organisation import Capacity
from bjidp.organisations.ports import OrganisationStore
from bjidp.organisations.proved import Proved
from bjidp.sessions.ports import Session, StaleSession
from bjidp.sessions.service import Sessions
from bjidp.standing import Standing
from bjidp.verification.errors import VerificationRequired

_DATA: Final = "acting"
"""What a session's data call it."""


class Acting:
    """Implements :class:`bjidp.organisations.ports.ActingFor`. A store that is down raises ``StoreUnavailable``."""

    def __init__(
        self,
        *,
        organisations: OrganisationStore,
        proved: Proved,
        confirming: Confirming,
        verifying: Verifying,
        sessions: Sessions,
        audit: AuditLog,
        clock: Clock,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._organisations = organisations
        self._proved = proved
        self._confirming = confirming
        self._verifying = verifying
        self._sessions = sessions
        self._audit = audit
        self._clock = clock

    async def current(self, session: Session) -> Capacity | None:
        """Return in what capacity the session acts for an organisation; None for a person for themselves."""
        key = session.data.get(_DATA)
        return None if key is None else await self.counting(session.account, key)

    async def counting(self, account: str, key: str) -> Capacity | None:
        """Return the capacity of a ``key`` that was chosen earlier; None when nobody acts in it at this moment."""
        now = self._clock.now()
        found = await self._named(account, key)
        if found is None or not found.acts(now) or found.organisation.must_be_confirmed(now):
            return None
        return found

    async def open_to(self, account: str) -> list[Capacity]:
        """Return everything that the account may act in at this moment, if the register says nothing else."""
        now = self._clock.now()
        return [one for one in await self._organisations.capacities(account) if one.acts(now)]

    async def choices(self, visit: Visit) -> list[Capacity]:
        """Return everything that the account may act in at this moment."""
        return await self.open_to(visit.account)

    async def waiting(self, visit: Visit) -> list[Capacity]:
        """Return what the account may act in again once the 法定代表人 is at the level that it needs."""
        now = self._clock.now()
        return [one for one in await self._organisations.capacities(visit.account) if one.waits(now)]

    async def begin(self, visit: Visit, key: str) -> Capacity:
        """Let the session act in the capacity of this key from now on; return it. Raises what :meth:`choose` does."""
        standing, chosen = await self._chosen(visit, key)
        # Before it is so: nobody ever acts without a line that says since when.
        await self._note(EventKind.ACTING_BEGUN, visit, standing.ref, chosen)
        await self._keep(visit, key)
        return chosen

    async def choose(self, visit: Visit, key: str) -> Capacity:
        """Return the capacity of this key, in which whoever is at the page may begin to act at this moment.

        Raises :class:`OrganisationUnknown`, :class:`bjidp.organisations.errors.LevelRequired`,
        :class:`bjidp.organisations.errors.ActingOnProbation`,
        :class:`bjidp.organisations.errors.OrganisationRefused`, ``VendorUnavailable``,
        :class:`bjidp.verification.errors.VerificationRequired` for a session that has ended, and ``AccountRefused``.
        """
        return (await self._chosen(visit, key))[1]

    async def end(self, visit: Visit) -> None:
        """Let the session be of its person alone again; one that is so already is left as it is.

        Raises :class:`bjidp.verification.errors.VerificationRequired` and ``AccountRefused``.
        """
        standing = await self._verifying.require_session(visit)
        key = visit.session.data.get(_DATA)
        if key is None:
            return
        await self._keep(visit, None)
        await self._note(EventKind.ACTING_ENDED, visit, standing.ref, await self._named(visit.account, key))

    async def look(self, visit: Visit) -> tuple[Capacity | None, bool]:
        """Return what :meth:`current` does, and whether the session acted until now and does so no more.

        That is told once, and the choice forgotten: what ends does not come back by itself.
        """
        current = await self.current(visit.session)
        if current is not None or _DATA not in visit.session.data:
            return current, False
        await self.end(visit)
        return None, True

    async def _chosen(self, visit: Visit, key: str) -> tuple[Standing, Capacity]:
        standing = await self._verifying.require_session(visit)
        await self._proved.identity(visit.account)
        await self._proved.require_settled(visit.session)
        chosen = await self._named(visit.account, key)
        if chosen is None or not chosen.acts(self._clock.now()):
            raise OrganisationUnknown
        await self._confirming.require(chosen.organisation)
        return standing, chosen

    async def _named(self, account: str, key: str) -> Capacity | None:
        return next((one for one in await self._organisations.capacities(account) if one.key == key), None)

    async def _keep(self, visit: Visit, key: str | None) -> None:
        try:
            await self._sessions.keep(visit.session, _DATA, key)
        except StaleSession:
            raise VerificationRequired from None

    async def _note(self, kind: EventKind, visit: Visit, ref: str, capacity: Capacity | None) -> None:
        facts: dict[Fact, str] = {}
        if capacity is not None:
            facts[Fact.ORGANISATION] = capacity.organisation.id
            if capacity.mandate is not None:
                facts[Fact.MANDATE] = capacity.mandate
        await self._audit.append(AuditEvent(kind, self._clock.now(), ref, visit.session.id, facts=facts))
