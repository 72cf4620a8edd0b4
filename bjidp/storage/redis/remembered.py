"""Pointers a process has followed before.

Owns a bounded memory of where names lead, for stores whose pointers never change once they are written: a process asks
for one once. That what it leads to is still there is another question, and always asked.
"""

from __future__ import annotations

from collections import OrderedDict

REMEMBERED = 16_384
"""Pointers a process remembers for each store: those of some minutes under load, in about 3 MB."""


class Remembered:
    """Where names lead; the oldest are forgotten first."""

    def __init__(self, most: int = REMEMBERED) -> None:
        """Remember so many at ``most``."""
        self._most = most
        self._targets: OrderedDict[str, str] = OrderedDict()

    def get(self, name: str) -> str | None:
        """Return where ``name`` leads, or None when that is not known here."""
        return self._targets.get(name)

    def keep(self, name: str, target: str) -> None:
        """Remember that ``name`` leads to ``target``."""
        self._targets.setdefault(name, target)
        while len(self._targets) > self._most:
            self._targets.popitem(last=False)
