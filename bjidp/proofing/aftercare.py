"""What follows for others, and elsewhere, where an account has ended or is another person's (ACC-7, RNV-7, ORG-2).

Owns that agents who lose their mandates with a 法定代表人 are told as those are whose mandate was ended by hand, and
that no claim outlives its account. Called by :class:`bjidp.accounts.endings.Endings`, after the write: a store that is
down costs a message, whose notice is there, and leaves a claim to its own end.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from bjidp.accounts.member_ports import MemberStore
from bjidp.accounts.telling import Teller, Told
from bjidp.errors import StoreUnavailable
from bjidp.proofing.claims import Claims
from bjidp.verification.number import MobileNumber


class Aftercare:
    """Implements :class:`bjidp.accounts.endings.Aftercare`."""

    def __init__(self, *, members: MemberStore, claims: Claims, teller: Teller) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._members = members
        self._claims = claims
        self._teller = teller

    async def tell_agents(self, accounts: Sequence[str]) -> None:
        """Tell each once, however many of its mandates have ended."""
        for account in dict.fromkeys(accounts):
            with suppress(StoreUnavailable):
                member = await self._members.member(account)
                if member is not None and member.phone is not None:
                    self._teller.tell(MobileNumber(member.phone), Told.MANDATE_ENDED)

    async def forget(self, account: str) -> None:
        """Drop the claim of an account that has ended: nothing proves it any more."""
        with suppress(StoreUnavailable):
            await self._claims.drop(account)
