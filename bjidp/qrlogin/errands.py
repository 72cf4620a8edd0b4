"""Verify tickets: opened by a session, or by a browser that nobody is logged in on, for one operation of one account.

Owns what an approval of one is exchanged for, the proof of ACC-8 and nothing else, and which flows belong to a session,
so that they end with it on whatever process their pages are (attack W6). Called by ``web`` for pages that show one, by
:mod:`bjidp.qrlogin.redeeming`, and by :mod:`bjidp.sessions.service` when a session has ended.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog
from msgspec import Struct

from bjidp.errors import AccountRefused, BjidpError, StoreUnavailable
from bjidp.qrlogin import flow as flows
from bjidp.qrlogin.browsers import Browsers, OpenedPage
from bjidp.qrlogin.changes import ATTEMPTS, LIFETIME, FlowChanges
from bjidp.qrlogin.errors import TicketUnknown
from bjidp.qrlogin.flow import Purposeful
from bjidp.qrlogin.ports import Accounts
from bjidp.qrlogin.redeeming import Redemption
from bjidp.records import DuplicateRecord, Records, StaleRecord
from bjidp.sessions.authentication import Method
from bjidp.sessions.service import Sessions
from bjidp.verification.proofs import Means, Proofs

OPEN_MAX: Final = 8
"""Flows of one session at a time: more than a person opens. The oldest gives way."""

log = structlog.get_logger(__name__)


class OpenFlows(Struct, frozen=True, gc=False):
    """The flows of one session, oldest first."""

    flows: tuple[str, ...]


class Errands:
    """The verify flows of sessions."""

    def __init__(self, browsers: Browsers, changes: FlowChanges, records: Records[OpenFlows]) -> None:
        """Note in ``records`` which flows are whose."""
        self._browsers = browsers
        self._changes = changes
        self._records = records

    async def open_page(self, secret: str | None, about: Purposeful) -> OpenedPage:
        """Give the browser a flow for ``about``, as :meth:`bjidp.qrlogin.browsers.Browsers.open_page` does.

        Noted before it is shown: a session that ends from here on ends it. A page may come to watch it at that very
        moment, and has to look at its session once more when it does.
        """
        opened = await self._browsers.open_page(secret, about)
        if about.errand is not None and about.errand.session is not None:
            await self._note(about.errand.session, opened.flow)
        return opened

    async def session_ended(self, session: str) -> None:
        """End every flow of a session; its pages are told that the session has ended (4005).

        A store that does not answer costs the pages that: what they show can be redeemed by no session but this.
        """
        try:
            noted = await self._records.take(session)
            for flow_id in () if noted is None else noted.flows:
                await self._end(flow_id)
        except StoreUnavailable:
            log.warning("flows_of_session_left", session=session)

    async def _note(self, session: str, flow_id: str) -> None:
        for _ in range(ATTEMPTS):
            held = await self._records.get(session)
            if held is None:
                with suppress(DuplicateRecord):
                    return await self._records.add(session, OpenFlows((flow_id,)), LIFETIME)
                continue
            known = (*(known for known in held.value.flows if known != flow_id), flow_id)
            with suppress(StaleRecord):
                await self._records.replace(session, OpenFlows(known[-OPEN_MAX:]), held.version, LIFETIME)
                for crowded_out in known[:-OPEN_MAX]:
                    await self._end(crowded_out)
                return None
        raise StoreUnavailable

    async def _end(self, flow_id: str) -> None:
        await self._changes.on_flow(flow_id, lambda held: flows.close(held.value))


class Proving:
    """Exchanges the approval of a verify ticket for a proof."""

    def __init__(
        self, proofs: Proofs, accounts: Accounts, sessions: Sessions, ticket_digest: Callable[[str], bytes]
    ) -> None:
        """Grant ``proofs``; ``accounts`` says how the account stands at that moment.

        ``ticket_digest`` is what ``sessions`` remember a ticket by.
        """
        self._proofs = proofs
        self._accounts = accounts
        self._sessions = sessions
        self._ticket_digest = ticket_digest

    async def give(self, redemption: Redemption) -> None:
        """See :meth:`bjidp.qrlogin.redeeming.Exchange.give`."""
        errand, account = redemption.errand, redemption.holder.account
        if errand is None:
            raise ValueError("not a verify ticket")
        await require_standing(self._accounts, redemption)
        if errand.session is not None:
            # First: whoever takes it back when the ticket is long forgotten ends whatever session used the proof.
            digest = self._ticket_digest(redemption.ticket)
            await self._sessions.note_verification(account, errand.session, digest, Method.QR)
        await self._proofs.grant(redemption.asker, account, errand.operation, Means.QR, redemption.epoch)
        try:
            # Again: who has ended the sessions in between has found no proof to end.
            await require_standing(self._accounts, redemption)
        except BjidpError:
            await self.take_back(redemption)
            raise

    async def take_back(self, redemption: Redemption) -> None:
        """See :meth:`bjidp.qrlogin.redeeming.Exchange.take_back`."""
        if redemption.errand is not None:
            await self._proofs.revoke(redemption.asker, redemption.holder.account, redemption.errand.operation)


async def require_standing(accounts: Accounts, redemption: Redemption) -> None:
    """Raise unless the account may be used at this moment, and no session of it was ended since it confirmed.

    ``AccountRefused`` in the one case, :class:`TicketUnknown` in the other.
    """
    standing = await accounts.standing(redemption.holder.account)
    if standing is None:
        raise AccountRefused("cancelled")
    if standing.refusal is not None:
        raise AccountRefused(standing.refusal)
    if standing.epoch != redemption.epoch:
        raise TicketUnknown
