"""Identity documents: the five kinds, their numbers' form, and what a number tells (RNV-2, RNV-10).

Owns the rules a number must pass before anybody outside is asked. They refuse slips of the finger, not persons:
whether a well-formed number exists is the authority's to say. Pure; called by ``miniprogram`` and by every
proof on pages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date

from bjidp.errors import FieldFault, InvalidRequest
from bjidp.person import DocumentType, Person
from bjidp.proofing.characters import SPACES
from bjidp.proofing.checksums import icao, mod_11_2
from bjidp.proofing.dates import read_date
from bjidp.proofing.faults import Fault, Unacceptable
from bjidp.proofing.names import written_name
from bjidp.verification.typed import FULL_WIDTH

NAME_FIELD = "name"
NUMBER_FIELD = "document_number"

SYNTHETIC_PROVINCE = "10"
"""A province code that GB/T 2260 never gave out: numbers of the sandbox's persons (:mod:`bjidp.proofing.ranges`)."""

SYNTHETIC_ACCEPTING_PLACE = "00"
"""The same on permanent residence cards."""

_PROVINCES = frozenset(
    str(code)
    for first, last in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83))
    for code in range(first, last + 1)
)
_EARLIEST_BIRTH = date(1850, 1, 1)
_TYPED_LONGEST = 64

_RESIDENT_ID = re.compile(r"[1-8][0-9]{16}[0-9X]")
_RESIDENT_ID_OF_15 = re.compile(r"[1-8][0-9]{14}")
_PERMANENT_RESIDENT_2023 = re.compile(r"9[0-9]{16}[0-9X]")
_PERMANENT_RESIDENT_2017 = re.compile(r"[A-Z]{3}[0-9]{12}")
_HK_PERMIT = re.compile(r"(H[0-9]{8})(?:[0-9]{2})?|(HA[0-9]{7})")
_MACAO_PERMIT = re.compile(r"(M[0-9]{8})(?:[0-9]{2})?|(MA[0-9]{7})")
_TAIWAN_PERMIT = re.compile(r"([0-9]{8})(?:[0-9]{2})?")
"""The booklets that bore a letter and seven digits ran out in 2020, five years after the last one was issued."""

_CARD_2017_LENGTH = 15


def parse(document_type: DocumentType, name: str, number: str, today: date) -> Person:
    """Return the person with name and number in the form they are kept in.

    ``today`` is the civil date in Beijing: nobody is born after it. Raises :class:`InvalidRequest` that names
    each faulty field, ``name`` and ``document_number``, with a word of :class:`Fault`.
    """
    faults: list[FieldFault] = []
    kept_name = kept_number = ""
    try:
        kept_name = written_name(name)
    except Unacceptable as error:
        faults.append(FieldFault(NAME_FIELD, error.fault))
    try:
        kept_number = normal_number(document_type, number, today)
    except Unacceptable as error:
        faults.append(FieldFault(NUMBER_FIELD, error.fault))
    if faults:
        raise InvalidRequest(*faults)
    return Person(document_type, kept_name, kept_number)


def normal_number(document_type: DocumentType, typed: str, today: date) -> str:
    """Return the number in its one normal form: ASCII, upper case, no spaces, no renewal count.

    A resident id of 15 digits becomes the one of 18 that its holder bears today (GB 11643-1999, section 4). Raises
    :class:`Unacceptable`.
    """
    if len(typed) > _TYPED_LONGEST:
        raise Unacceptable(Fault.FORMAT)
    text = "".join(character for character in typed.translate(FULL_WIDTH) if character not in SPACES)
    if not text:
        raise Unacceptable(Fault.EMPTY)
    # Before upper(), which would turn letters of other alphabets (ı, ſ) into ASCII ones (attack Q27).
    if not text.isascii():
        raise Unacceptable(Fault.FORMAT)
    return _RULES[document_type](text.upper(), today)


def readings(typed: str, today: date) -> tuple[tuple[DocumentType, str], ...]:
    """Return every kind of document that ``typed`` may be the number of, each with the number in its normal form."""
    found: list[tuple[DocumentType, str]] = []
    for document_type in DocumentType:
        with suppress(Unacceptable):
            found.append((document_type, normal_number(document_type, typed, today)))
    return tuple(found)


def birth_date(person: Person, today: date) -> date | None:
    """Return the day of birth where the number tells it, else None.

    Cards of 2017 and before write the year in two digits: the latest such day that is not in the future.
    """
    number = person.number
    match person.document_type:
        case DocumentType.RESIDENT_ID:
            return read_date(number[6:14])
        case DocumentType.PERMANENT_RESIDENT if len(number) == _CARD_2017_LENGTH:
            return _birth_of_two_digit_year(number, today)
        case DocumentType.PERMANENT_RESIDENT:
            return read_date(number[6:14])
        case _:
            return None


def check_digit_doubtful(person: Person) -> bool:
    """Tell whether a permanent residence card of 2017 or before has an unexpected last digit.

    Its rule is not published: a sample card agrees with ICAO's. Good for a hint after a refusal, not for refusing.
    """
    number = person.number
    old_card = person.document_type is DocumentType.PERMANENT_RESIDENT and len(number) == _CARD_2017_LENGTH
    return old_card and icao(number[:-1]) != number[-1]


def _resident_id(text: str, today: date) -> str:
    if _RESIDENT_ID_OF_15.fullmatch(text):
        body = f"{text[:6]}19{text[6:]}"
        text = body + mod_11_2(body)
    if not _RESIDENT_ID.fullmatch(text):
        raise Unacceptable(Fault.FORMAT)
    # Counties come and go, and codes that no list has are printed on cards: the province is all that is checked.
    if text[:2] not in _PROVINCES and text[:2] != SYNTHETIC_PROVINCE:
        raise Unacceptable(Fault.REGION)
    return _dated_and_checked(text, today)


def _permanent_resident(text: str, today: date) -> str:
    if _PERMANENT_RESIDENT_2017.fullmatch(text):
        if _birth_of_two_digit_year(text, today) is None:
            raise Unacceptable(Fault.BIRTH_DATE)
        return text
    if not _PERMANENT_RESIDENT_2023.fullmatch(text):
        raise Unacceptable(Fault.FORMAT)
    if text[1:3] not in _PROVINCES and text[1:3] != SYNTHETIC_ACCEPTING_PLACE:
        raise Unacceptable(Fault.REGION)
    return _dated_and_checked(text, today)


def _dated_and_checked(text: str, today: date) -> str:
    born = read_date(text[6:14])
    if born is None or not _EARLIEST_BIRTH <= born <= today:
        raise Unacceptable(Fault.BIRTH_DATE)
    if mod_11_2(text[:17]) != text[17]:
        raise Unacceptable(Fault.CHECK_DIGIT)
    return text


def _birth_of_two_digit_year(number: str, today: date) -> date | None:
    readings = (read_date(f"{century}{number[7:13]}") for century in ("20", "19"))
    return next((born for born in readings if born is not None and born <= today), None)


def _permit(pattern: re.Pattern[str]) -> Callable[[str, date], str]:
    """Permits bear a number for life, some with the count of renewals behind it; no check digit, no date."""

    def rule(text: str, _today: date) -> str:
        match = pattern.fullmatch(text)
        if match is None:
            raise Unacceptable(Fault.FORMAT)
        return next(group for group in match.groups() if group is not None)

    return rule


_RULES: Mapping[DocumentType, Callable[[str, date], str]] = {
    DocumentType.RESIDENT_ID: _resident_id,
    DocumentType.HK_PERMIT: _permit(_HK_PERMIT),
    DocumentType.MACAO_PERMIT: _permit(_MACAO_PERMIT),
    DocumentType.TAIWAN_PERMIT: _permit(_TAIWAN_PERMIT),
    DocumentType.PERMANENT_RESIDENT: _permanent_resident,
}
