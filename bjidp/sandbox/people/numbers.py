"""Numbers of documents, phones and cards: their check digits, and the ranges that belong to nobody.

The sandbox knows exactly these ranges, and production refuses exactly these: no real person can have such a number.
Check digits are written out again here on purpose; see :mod:`bjidp.sandbox`.
"""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import Final


class DocumentType(StrEnum):
    """The identity documents of the synthetic persons."""

    RESIDENT_ID = "resident_id"
    HK_PERMIT = "hk_permit"
    MACAO_PERMIT = "macao_permit"
    TAIWAN_PERMIT = "taiwan_permit"
    PERMANENT_RESIDENT = "permanent_resident"


_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"
_MRZ_WEIGHTS: Final = (7, 3, 1)

_RESIDENT: Final = re.compile(r"10\d{4}(\d{8})\d{3}[\dX]", re.ASCII)
_PERMANENT: Final = re.compile(r"900\d{3}(\d{8})\d{3}[\dX]", re.ASCII)
_PERMANENT_OLD: Final = re.compile(r"XX[A-Z]\d{12}", re.ASCII)
_PERMITS: Final = {
    DocumentType.HK_PERMIT: re.compile(r"H9999\d{4}", re.ASCII),
    DocumentType.MACAO_PERMIT: re.compile(r"M9999\d{4}", re.ASCII),
    DocumentType.TAIWAN_PERMIT: re.compile(r"9999\d{4}", re.ASCII),
}
_PHONE: Final = re.compile(r"154\d{8}", re.ASCII)
_CARD: Final = re.compile(r"99990[12]\d{9,13}", re.ASCII)

DEBIT: Final = "999901"
"""Begins debit cards that no bank issues."""
CREDIT: Final = "999902"
"""The same of credit cards."""


def check_digit_17(first: str) -> str:
    """Return the check character of 17 digits by ISO 7064 MOD 11-2 (GB 11643-1999, section 4.2.4)."""
    total = sum(int(digit) * weight for digit, weight in zip(first, _WEIGHTS, strict=True))
    return _CHECKS[total % 11]


def check_digit_14(first: str) -> str:
    """Return the last digit of an old permanent residence card: weights 7, 3, 1 in turn, A is 10, Z is 35."""
    return str(sum(int(c, 36) * _MRZ_WEIGHTS[i % 3] for i, c in enumerate(first)) % 10)


def luhn_digit(first: str) -> str:
    """Return the digit that makes ``first`` a card number (ISO/IEC 7812-1, annex B)."""
    total = 0
    for position, character in enumerate(reversed(first)):
        doubled = int(character) * (2 if position % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return str(-total % 10)


def resident_id(area: str, born: date, sequence: int) -> str:
    """Return a resident id number of ``area``, six digits that begin with 10; odd sequences are men's."""
    first = f"{area}{born:%Y%m%d}{sequence:03d}"
    return first + check_digit_17(first)


def permanent_resident(nationality: str, born: date, sequence: int) -> str:
    """Return a card number in the form of 2023, issued by province 00; ``nationality`` is ISO 3166-1 numeric."""
    return resident_id(f"900{nationality}", born, sequence)


def permanent_resident_old(country: str, born: date, sequence: int) -> str:
    """Return a card number in the form before December 2023 for a country of XXA to XXZ."""
    first = f"{country}0000{born:%y%m%d}{sequence}"
    return first + check_digit_14(first)


def debit_card(serial: int) -> str:
    """Return a 19-digit debit card number."""
    first = f"{DEBIT}{serial:012d}"
    return first + luhn_digit(first)


def credit_card(serial: int) -> str:
    """Return a 16-digit credit card number."""
    first = f"{CREDIT}{serial:09d}"
    return first + luhn_digit(first)


def is_synthetic_document(document_type: DocumentType, number: str) -> bool:
    """Tell whether ``number`` is well formed and of a range that belongs to nobody."""
    if document_type is DocumentType.RESIDENT_ID:
        return _checked_18(_RESIDENT, number)
    if document_type is DocumentType.PERMANENT_RESIDENT:
        if _PERMANENT_OLD.fullmatch(number):
            return _real_date("20" + number[7:13]) and check_digit_14(number[:14]) == number[14]
        return _checked_18(_PERMANENT, number)
    return _PERMITS[document_type].fullmatch(number) is not None


def is_synthetic_phone(number: str) -> bool:
    """Tell whether ``number`` is a mobile number that no operator assigns."""
    return _PHONE.fullmatch(number) is not None


def has_synthetic_issuer(number: str) -> bool:
    """Tell whether ``number`` begins as no bank's cards do, whatever its last digit."""
    return _CARD.fullmatch(number) is not None


def is_synthetic_card(number: str) -> bool:
    """Tell whether ``number`` is a card number that no bank issues, with its right check digit."""
    return has_synthetic_issuer(number) and luhn_digit(number[:-1]) == number[-1]


def _checked_18(form: re.Pattern[str], number: str) -> bool:
    found = form.fullmatch(number)
    return found is not None and _real_date(found[1]) and check_digit_17(number[:17]) == number[17]


def _real_date(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True
