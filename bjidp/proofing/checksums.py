"""The two check digits of identity documents. Pure arithmetic over characters whose form was checked before."""

from __future__ import annotations

_MOD_11_2_CHARACTERS = "10X98765432"
_ICAO_WEIGHTS = (7, 3, 1)
_ICAO_VALUES = {character: value for value, character in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")}


def mod_11_2(body: str) -> str:
    """Return the check character of 17 digits: ISO 7064 MOD 11-2, as GB 11643-1999 (section 4.1) uses it."""
    total = sum(int(digit) * pow(2, len(body) - place, 11) for place, digit in enumerate(body))
    return _MOD_11_2_CHARACTERS[total % 11]


def icao(body: str) -> str:
    """Return the check digit of ICAO Doc 9303 (part 3, section 4.9): weights 7, 3, 1 over digits and letters."""
    total = sum(_ICAO_VALUES[character] * _ICAO_WEIGHTS[place % 3] for place, character in enumerate(body))
    return str(total % 10)
