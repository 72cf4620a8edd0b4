"""The audit log as features see it: they add, nobody changes.

Owns the port for events that stand alone; ``storage.sql`` implements it. What belongs to a change is written by the
store that makes the change, in the same transaction.
"""

from __future__ import annotations

from typing import Protocol

from bjidp.audit.event import AuditEvent


class AuditLog(Protocol):
    """Appends events. Raises ``StoreUnavailable`` when it does not answer."""

    async def append(self, event: AuditEvent) -> None:
        """Write ``event``; it is durable when this returns."""
        ...
