"""Members of registration metadata, each read as the type it has to be of (RFC 7591, section 2).

Owns the faults: all are told at once, one a member, by its name. Pure; called by ``metadata``, which knows what the
members mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TypeAlias, TypeVar

from msgspec import Struct

from bjidp.oidc.addresses import fault_of

E = TypeVar("E", bound=StrEnum)

Json: TypeAlias = Mapping[str, object]


class Fault(Struct, frozen=True):
    """What is wrong with one member, in words for whoever wrote it."""

    member: str
    words: str


class MetadataRefused(Exception):
    """The metadata cannot be registered; ``faults`` are all of them."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Name the faults."""
        super().__init__(*faults)
        self.faults = tuple(faults)


class Members:
    """Reads members, and collects what is wrong with them."""

    def __init__(self, metadata: Json) -> None:
        """Read those of ``metadata``."""
        self._metadata = metadata
        self.faults: list[Fault] = []

    def fault(self, member: str, words: str) -> None:
        """Note what is wrong with a member, in words for whoever wrote it."""
        # The first is the one to mend; what follows from it would mislead.
        if not self.is_faulty(member):
            self.faults.append(Fault(member, words))

    def is_faulty(self, member: str) -> bool:
        """Tell whether something is wrong with a member."""
        return any(fault.member == member for fault in self.faults)

    def is_address(self, member: str, text: str) -> bool:
        """Tell whether ``text``, of a member, is an address that may be registered."""
        words = fault_of(text)
        if words is not None:
            self.fault(member, words)
        return words is None

    def choices(self, member: str, kind: type[E], default: frozenset[E]) -> Iterator[E]:
        """Return the words of ``kind`` that a member lists; those of ``default`` where it is missing."""
        if member not in self._metadata:
            yield from default
            return
        for text in self.texts(member, ()):
            try:
                yield kind(text)
            except ValueError:
                self.fault(member, f"knows {' '.join(kind)}")

    def text(self, member: str, default: str) -> str:
        """Return the text of a member, or ``default``."""
        found = self._metadata.get(member, default)
        if not isinstance(found, str):
            self.fault(member, "must be text")
            return default
        return found

    def texts(self, member: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """Return the texts that a member lists, or ``default``."""
        found = self._metadata.get(member, default)
        if isinstance(found, str) or not isinstance(found, Sequence):
            self.fault(member, "must be a list of texts")
            return default
        if not all(isinstance(each, str) for each in found):
            self.fault(member, "must be a list of texts")
            return default
        return tuple(each for each in found if isinstance(each, str))

    def choice(self, member: str, kind: type[E], default: E) -> E:
        """Return the word of ``kind`` that a member says, or ``default``."""
        text = self.text(member, "")
        if not text:
            return default
        try:
            return kind(text)
        except ValueError:
            self.fault(member, f"must be one of {' '.join(kind)}")
            return default

    def flag(self, member: str) -> bool:
        """Tell whether a member is true; one that is missing is not."""
        found = self._metadata.get(member, False)
        if not isinstance(found, bool):
            self.fault(member, "must be true or false")
        return found is True
