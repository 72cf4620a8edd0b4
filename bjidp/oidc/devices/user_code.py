"""The code that a device shows for people to compare, or to type (RFC 8628, section 6.1).

Owns its letters, how it is written and how what somebody typed is read. Twenty consonants, so that no word comes of
them and none is taken for another or for a digit; eight of them are 34 bits, which the limits on tries make enough for
five minutes (section 5.1). Pure.
"""

from __future__ import annotations

from typing import Final

from bjidp.entropy import Entropy

LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
LENGTH: Final = 8
_HALF: Final = LENGTH // 2

TYPED_MAX: Final = 32
"""Characters of what somebody types that are looked at."""

_FAIR: Final = 256 // len(LETTERS) * len(LETTERS)
"""Octets from here on are thrown away: a bare modulo would favour the first letters."""

_KEPT: Final = frozenset(LETTERS)


def drawn(entropy: Entropy) -> str:
    """Return a code, such as ``WDJB-MJHT``, every one equally likely."""
    found = ""
    while len(found) < LENGTH:
        octets = entropy.octets(2 * LENGTH)
        found += "".join(LETTERS[octet % len(LETTERS)] for octet in octets if octet < _FAIR)
    return f"{found[:_HALF]}-{found[_HALF:LENGTH]}"


def read(typed: str) -> str | None:
    """Return the code that somebody means by what they typed, or None for what is none.

    Case, hyphens and spaces are theirs to choose, full-width letters are letters.
    """
    if len(typed) > TYPED_MAX:
        return None
    letters = "".join(letter for letter in map(_narrow, typed.upper()) if letter not in _BETWEEN)
    if len(letters) != LENGTH or not _KEPT.issuperset(letters):
        return None
    return f"{letters[:_HALF]}-{letters[_HALF:]}"


_BETWEEN: Final = frozenset(" \t-_.·‐‑–—－　")

_FULL_WIDTH: Final = {chr(ord(letter) + 0xFEE0): letter for letter in LETTERS}


def _narrow(letter: str) -> str:
    return _FULL_WIDTH.get(letter, letter)
