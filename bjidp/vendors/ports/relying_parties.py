"""What relying parties are told without being asked."""

from __future__ import annotations

from typing import Protocol


class LogoutReceivers(Protocol):
    """Relying parties that are told when somebody is logged in no more."""

    async def tell(self, address: str, logout_token: str) -> None:
        """Bring a logout token to ``address``; raise ``VendorUnavailable`` unless it was taken."""
        ...
