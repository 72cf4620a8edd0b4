"""The check digits of documents, cards and organisations. Pure arithmetic over characters whose form was checked."""

from __future__ import annotations

_MOD_11_2_CHARACTERS = "10X98765432"
GB_32100_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_GB_32100_VALUES = {character: value for value, character in enumerate(GB_32100_ALPHABET)}
_ICAO_WEIGHTS = (7, 3, 1)
_BASE_36 = {character: value for value, character in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")}


def mod_11_2(body: str) -> str:
    """Return the check character of 17 digits: ISO 7064 MOD 11-2, as GB 11643-1999 (section 4.1) uses it."""
    total = sum(int(digit) * pow(2, len(body) - place, 11) for place, digit in enumerate(body))
    return _MOD_11_2_CHARACTERS[total % 11]


def icao(body: str) -> str:
    """Return the check digit of ICAO Doc 9303 (part 3, section 4.9): weights 7, 3, 1 over digits and letters."""
    total = sum(_BASE_36[character] * _ICAO_WEIGHTS[place % 3] for place, character in enumerate(body))
    return str(total % 10)


def luhn(body: str) -> str:
    """Return the check digit of a card number (ISO/IEC 7812-1, annex B): every second digit from the right doubled."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (1 if place % 2 else 2)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - the sum of its two digits
    return str(-total % 10)


def gb_32100(body: str) -> str:
    """Return the check character of the 17 before it (GB 32100-2015): weights that are powers of 3, modulo 31."""
    total = sum(_GB_32100_VALUES[character] * pow(3, place, 31) for place, character in enumerate(body))
    return GB_32100_ALPHABET[-total % 31]
