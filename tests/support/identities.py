"""Identities put into a store, as by somebody who looked at the account a moment ago."""

from __future__ import annotations

from bjidp.accounts.ports import Evidence
from bjidp.clock import Instant
from bjidp.proofing.ports import Held, IdentityStore, NewIdentity, Settled


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
    settled = await identities.prove(account, new, now, was=was, exchange=exchange, keep=keep)
    assert isinstance(settled, Settled), settled
    return settled


async def held(
    identities: IdentityStore, account: str, new: NewIdentity, now: Instant, *, exchange: bool = False
) -> tuple[Evidence, ...]:
    """Prove an identity that stays another account's; return what would take it."""
    bound = await identities.bound(account)
    was = None if bound is None else bound.mark
    kept = await identities.prove(account, new, now, was=was, exchange=exchange)
    assert isinstance(kept, Held), kept
    return kept.by
