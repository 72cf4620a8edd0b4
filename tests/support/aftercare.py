"""What follows the end of an account's sessions, remembered."""

from __future__ import annotations

from collections.abc import Sequence


class HeardAftercare:
    """Remembers whom it was to tell, and what it was to forget."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.told: list[str] = []
        self.forgotten: list[str] = []

    async def tell_agents(self, accounts: Sequence[str]) -> None:
        """Remember whom."""
        self.told += accounts

    async def forget(self, account: str) -> None:
        """Remember which."""
        self.forgotten.append(account)
