"""重新登录: somebody who is logged in proves anew who they are, because a site asks for it.

Owns what comes of it, which is nothing but the proof itself: the session remembers when and by what (RP-2) and goes on.
A new login would end it, and with it what other sites have of it. Called by the settings.
"""

from __future__ import annotations

from bjidp.accounts.settings.changes import Changes
from bjidp.accounts.verifying import Visit
from bjidp.verification.proofs import Operation


class Reauthenticating:
    """Lets whoever has proved themselves go on."""

    def __init__(self, changes: Changes) -> None:
        """Take the life of changes."""
        self._changes = changes

    async def go_on(self, visit: Visit, flow: str | None) -> None:
        """Use the proof up.

        Raises :class:`bjidp.accounts.settings.changes.NotDue` without one, and ``StoreUnavailable``.
        """
        draft = await self._changes.due(visit, Operation.REAUTHENTICATE, flow)

        async def nothing() -> None:
            return

        await self._changes.save(visit, draft, nothing)
