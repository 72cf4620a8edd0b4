"""Identities put into a store, as by somebody who looked at the account a moment ago."""

from __future__ import annotations

from bjidp.clock import Instant
from bjidp.proofing.ports import IdentityStore, NewIdentity, Settled


async def prove(
    identities: IdentityStore,
    account: str,
    new: NewIdentity,
    now: Instant,
    *,
    exchange: bool = False,
    keep: str | None = None,
) -> Settled:
    """Prove an identity for an account, decided on the one that it has at this moment."""
    bound = await identities.bound(account)
    was = None if bound is None else bound.mark
    return await identities.prove(account, new, now, was=was, exchange=exchange, keep=keep)
