"""Field encryption: one personal text, or picture, in one column of one row (PRV-1).

Owns what a field is bound to: table, column, row and key version, so a value copied to another place does not open.
Called by ``storage.sql``.
"""

from __future__ import annotations

from bjidp.privacy.sealing import Sealing
from bjidp.privacy.suites import SealBroken


class FieldUnreadable(Exception):
    """A sealed field does not open: changed, moved from another place, or of a key that is not configured."""

    def __init__(self, table: str, column: str) -> None:
        """Name the place, not the row and never the bytes."""
        super().__init__(f"{table}.{column}")


class FieldCipher:
    """Seals and opens fields, under a key per column."""

    def __init__(self, sealing: Sealing) -> None:
        """Seal with ``sealing``."""
        self._sealing = sealing

    def seal(self, table: str, column: str, row: str, text: str) -> bytes:
        """Return ``text`` sealed for exactly this place."""
        return self.seal_bytes(table, column, row, text.encode())

    def seal_bytes(self, table: str, column: str, row: str, data: bytes) -> bytes:
        """Do as :meth:`seal` does for what is no text."""
        return self._sealing.seal(f"field/{table}.{column}", (table, column, row), data)

    def open(self, table: str, column: str, row: str, sealed: bytes) -> str:
        """Return the text sealed for this place; raise :class:`FieldUnreadable`."""
        return self.open_bytes(table, column, row, sealed).decode()

    def open_bytes(self, table: str, column: str, row: str, sealed: bytes) -> bytes:
        """Do as :meth:`open` does for what is no text."""
        try:
            return self._sealing.open(f"field/{table}.{column}", (table, column, row), sealed)
        except SealBroken:
            raise FieldUnreadable(table, column) from None
