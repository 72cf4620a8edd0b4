"""The form of an appeal, and what is wrong with it. Pure.

Owns the fields, and what a reason may say. Called by :mod:`bjidp.appeals.filing`.
"""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from typing import Final

from msgspec import Struct

from bjidp.appeals.attachments import MOST, Fault, Sent, fault_of
from bjidp.errors import FieldFault

REASON_LEAST: Final = 10
REASON_MOST: Final = 1000
"""Characters."""

CONTACT_MOST: Final = 60

FIELDS: Final = tuple(f"attachment_{number}" for number in range(1, MOST + 1))
"""The fields of the files, in their order."""


class ReasonFault(StrEnum):
    """What may be wrong with what is written; words under ``fault.reason.<fault>`` and ``fault.contact.<fault>``."""

    MISSING = "missing"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"


class Typed(Struct, frozen=True, kw_only=True):
    """A posted form; ``files`` are those that were chosen, in the order of their fields."""

    reason: str = ""
    contact: str = ""
    about: str = ""
    """Whose identity the page said that it is about (:attr:`bjidp.appeals.filing.Counter.about`)."""
    files: tuple[Sent, ...] = ()

    @property
    def written(self) -> str:
        """The reason as it is kept: lines end in one way, and nothing moves a screen's cursor."""
        lines = self.reason.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        return "\n".join(readable(line).rstrip() for line in lines).strip()

    @property
    def reachable(self) -> str:
        """How its owner wants to be reached, as it is kept: one line."""
        return " ".join(readable(" ".join(self.contact.splitlines())).split())

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "Typed(***)"


def readable(line: str) -> str:
    """Return a line without control, bidirectional and other characters that nobody sees."""
    return "".join(" " if character == "\t" else character for character in line if _is_seen(character))


def faults(typed: Typed) -> list[FieldFault]:
    """Return what is wrong with a form, before anybody looks into its files."""
    found = []
    reason = typed.written
    if not reason:
        found.append(FieldFault("reason", ReasonFault.MISSING))
    elif len(reason) < REASON_LEAST:
        found.append(FieldFault("reason", ReasonFault.TOO_SHORT))
    elif len(reason) > REASON_MOST:
        found.append(FieldFault("reason", ReasonFault.TOO_LONG))
    if len(typed.reachable) > CONTACT_MOST:
        found.append(FieldFault("contact", ReasonFault.TOO_LONG))
    if not typed.files:
        found.append(FieldFault(FIELDS[0], Fault.MISSING))
    of_files = ((sent.field, fault_of(sent)) for sent in typed.files)
    return found + [FieldFault(field, fault) for field, fault in of_files if fault is not None]


def _is_seen(character: str) -> bool:
    return character == "\t" or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}
