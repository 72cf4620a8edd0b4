"""From when until when a document is valid: 生效日期, 失效日期 or 长期 (REG-5, RNV-2).

Owns what is wrong with the two dates before anybody outside is asked, and the moment a document runs out. Pure; called
by the real-name pages. The dates are what the person states: the authority is asked for name and number alone, and of
that document says itself whether it has run out. So they lower a level and raise none, and are held to what the number
and the law tell: a document without an end, or with one that is far off, would never be asked for again.
"""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from bjidp.errors import FieldFault
from bjidp.person import DocumentType
from bjidp.proofing.characters import SPACES
from bjidp.proofing.dates import end_of_day, read_date
from bjidp.proofing.terms import FOR_LIFE as RUNS_OUT_NEVER
from bjidp.proofing.terms import Term, Until
from bjidp.verification.typed import FULL_WIDTH

EARLIEST: Final = date(1984, 4, 6)
"""No document of the five kinds is older: the day of 居民身份证试行条例, by which the first of them were issued."""

FOR_LIFE: Final = frozenset({DocumentType.RESIDENT_ID})
"""The kinds that are issued without an end."""

FOR_LIFE_FROM: Final = 46
"""How old people are whose cards are (居民身份证法, article 5; the same in the 条例 before it)."""

LONGEST: Final = MappingProxyType(
    {
        DocumentType.RESIDENT_ID: 20,
        DocumentType.HK_PERMIT: 10,
        DocumentType.MACAO_PERMIT: 10,
        DocumentType.TAIWAN_PERMIT: 5,
        DocumentType.PERMANENT_RESIDENT: 10,
    }
)
"""For how many years each kind is issued at most where it has an end: 居民身份证法, article 5, and the rules of the
permits and of the permanent residence card, by which children have less."""

NO_END: Final = date.max
"""How machines write 长期; no document bears it."""

_TYPED_LONGEST = 32
_DATE = re.compile(r"([0-9]{4})\s*[-/.年\s]\s*([0-9]{1,2})\s*[-/.月\s]\s*([0-9]{1,2})\s*日?")
_COMPACT = re.compile(r"[0-9]{8}")


class Field(StrEnum):
    """The two fields, as they are called in a posted form."""

    FROM = "valid_from"
    TO = "valid_to"


class Fault(StrEnum):
    """What a date may be told; words under ``fault.<field>.<fault>``."""

    MISSING = "missing"
    NO_LAST_DAY = "no_last_day"
    """Missing on a document that is never for life: there is nothing else to choose."""
    FORM = "form"
    FUTURE = "future"
    TOO_EARLY = "too_early"
    ORDER = "order"
    EXPIRED = "expired"
    TOO_LATE = "too_late"
    FOR_LIFE = "for_life"
    NOT_FOR_LIFE = "not_for_life"
    NOT_YET_FOR_LIFE = "not_yet_for_life"


class Validity(Struct, frozen=True):
    """The dates on a document; ``to`` is its last day, None for 长期."""

    start: date
    to: date | None

    @property
    def term(self) -> Term:
        """Until the first moment, in Beijing, at which it is valid no more."""
        if self.to is None:
            return RUNS_OUT_NEVER
        return Until(end_of_day(self.to))


class TypedDates(Struct, frozen=True):
    """The fields as they were posted; ``for_life`` is 长期."""

    start: str
    to: str
    for_life: bool


def read_validity(
    kind: DocumentType, typed: TypedDates, today: date, born: date | None = None
) -> Validity | list[FieldFault]:
    """Return the dates, or everything that is wrong with them. ``today`` is the civil date in Beijing.

    ``born`` is when their holder was, where the number tells it. Beside a date, 长期 counts for nothing with a kind
    that never has it: the form hides the choice then, however it was left. Accepted are ``2018-06-06``, the same with
    slashes, full stops or 年月日, and eight digits.
    """
    start, faults = _start(typed.start, today, born)
    to: date | None = None
    if typed.for_life and (kind in FOR_LIFE or not typed.to.strip(SPACES)):
        if kind not in FOR_LIFE:
            faults.append(FieldFault(Field.TO, Fault.NOT_FOR_LIFE))
        elif not faults and start is not None and born is not None and _age(born, start) < FOR_LIFE_FROM:
            faults.append(FieldFault(Field.TO, Fault.NOT_YET_FOR_LIFE))
    else:
        to, fault = _end(kind, typed.to, start, today)
        if not (faults or fault) and start is not None and to is not None and to > _years_after(start, LONGEST[kind]):
            fault = [FieldFault(Field.TO, Fault.TOO_LATE)]
        faults += fault
    if faults or start is None:
        return faults
    return Validity(start, to)


def typed_date(text: str) -> date | None:
    """Return the day that ``text`` writes, None when it writes none."""
    if len(text) > _TYPED_LONGEST:
        return None
    plain = text.translate(FULL_WIDTH).strip(SPACES)
    if _COMPACT.fullmatch(plain):
        return read_date(plain)
    found = _DATE.fullmatch(plain)
    if found is None:
        return None
    year, month, day = found.groups()
    return read_date(f"{year}{month:0>2}{day:0>2}")


def _age(born: date, at: date) -> int:
    return at.year - born.year - ((at.month, at.day) < (born.month, born.day))


def _start(text: str, today: date, born: date | None) -> tuple[date | None, list[FieldFault]]:
    if not text.strip(SPACES):
        return None, [FieldFault(Field.FROM, Fault.MISSING)]
    start = typed_date(text)
    if start is None:
        return None, [FieldFault(Field.FROM, Fault.FORM)]
    if start > today:
        return start, [FieldFault(Field.FROM, Fault.FUTURE)]
    if start < EARLIEST or (born is not None and start < born):
        return start, [FieldFault(Field.FROM, Fault.TOO_EARLY)]
    return start, []


def _end(kind: DocumentType, text: str, start: date | None, today: date) -> tuple[date | None, list[FieldFault]]:
    if not text.strip(SPACES):
        return None, [FieldFault(Field.TO, Fault.MISSING if kind in FOR_LIFE else Fault.NO_LAST_DAY)]
    to = typed_date(text)
    if to is None:
        return None, [FieldFault(Field.TO, Fault.FORM)]
    if to == NO_END:
        return to, [FieldFault(Field.TO, Fault.FOR_LIFE if kind in FOR_LIFE else Fault.NOT_FOR_LIFE)]
    if start is not None and to <= start:
        return to, [FieldFault(Field.TO, Fault.ORDER)]
    if to < today:
        return to, [FieldFault(Field.TO, Fault.EXPIRED)]
    return to, []


def _years_after(start: date, years: int) -> date:
    """Return the same day ``years`` later, the first of March where that is none."""
    try:
        return start.replace(year=start.year + years)
    except ValueError:
        return date(start.year + years, 3, 1)
