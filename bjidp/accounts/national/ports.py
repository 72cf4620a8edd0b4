"""What handing accounts on to 国家政务服务平台 needs: the wishes that wait. ``storage.sql`` implements it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bjidp.accounts.national.wish import Waiting, Wish, WishEnd
from bjidp.clock import Instant


class WishStore(Protocol):
    """Wishes, each written with its account and deleted with it. Raises ``StoreUnavailable``.

    They hold nothing of the person: what is handed on is read from the account when it is.
    """

    async def take_on(self, now: Instant) -> Wish | None:
        """Return the wish that has been due the longest, and let it fall due again later; None when none is.

        Of several who ask at once, each gets another. An account that may not be used at this moment, or has no number,
        is passed by.
        """
        ...

    async def settle(self, reference: str, end: WishEnd, now: Instant) -> None:
        """Delete a wish that has come to an end, and audit it; do nothing when it is gone."""
        ...

    async def forget(self, before: Instant, limit: int) -> int:
        """Delete at most ``limit`` wishes from before ``before`` that wait for an identity; return how many."""
        ...


class WaitingWishes(Protocol):
    """The same wishes, for whoever runs the server and has no keys at hand. Raises ``StoreUnavailable``."""

    async def waiting(self, limit: int) -> Sequence[Waiting]:
        """Return at most ``limit`` wishes, the oldest first."""
        ...
