"""Sealed records: personal values that wait in a short-lived store (a registration between two calls).

Owns the key for them, apart from those of fields. Called by ``miniprogram`` through its port ``Seals``.
"""

from __future__ import annotations

from bjidp.privacy.sealing import Sealing
from bjidp.privacy.suites import SealBroken


class RecordSeals:
    """Seals the bytes of a record for the key it lies under."""

    def __init__(self, sealing: Sealing) -> None:
        """Seal with ``sealing``."""
        self._sealing = sealing

    def seal(self, value: bytes, place: str) -> bytes:
        """Encrypt ``value`` for ``place``, the key of its record."""
        return self._sealing.seal("record", (place,), value)

    def unseal(self, sealed: bytes, place: str) -> bytes:
        """Decrypt what was sealed for ``place``; raise :class:`ValueError` for anything else."""
        try:
            return self._sealing.open("record", (place,), sealed)
        except SealBroken:
            raise ValueError("not sealed for this place") from None
