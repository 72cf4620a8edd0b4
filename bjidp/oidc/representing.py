"""Whom a grant's owner acts for at this moment, for whoever tells a relying party of it.

Owns the one look that the token endpoint, userinfo and introspection share. A grant that was agreed to for an
organisation is good for nothing while its owner cannot act for it (ADR 0025): what they agreed to was to be known there
as its representative, and what is done by it would be taken for their own affair. Nothing is written for that: a
mandate that is over stays over, and one that merely waits counts again.
"""

from __future__ import annotations

from bjidp.oidc.claims import ActsFor
from bjidp.oidc.grants.code import Approval
from bjidp.organisations.ports import ActingFor


class RepresentationOver(Exception):
    """Its owner cannot act for the organisation at this moment."""


class Representing:
    """Looks. A store that is down raises ``StoreUnavailable``."""

    def __init__(self, acting: ActingFor) -> None:
        """Ask ``acting`` who may act for whom."""
        self._acting = acting

    async def acts_for(self, approval: Approval) -> ActsFor | None:
        """Return the organisation, None for a person for themselves; raise :class:`RepresentationOver`."""
        if approval.organisation is None:
            return None
        capacity = await self._acting.counting(approval.account, approval.organisation)
        if capacity is None:
            raise RepresentationOver
        return ActsFor.by(capacity)
