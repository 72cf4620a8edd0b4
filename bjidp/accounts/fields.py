"""The fields of the forms people fill in about an account, and what is wrong with one. Pure.

Owns what fields and faults are called, and every rule that more than one form has, as far as it can be told without
asking anybody. Called by the flows, each of which knows which fields its forms have.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from bjidp.accounts.password import password_fault
from bjidp.accounts.username import username_fault
from bjidp.errors import FieldFault, InvalidRequest
from bjidp.verification.code import as_typed
from bjidp.verification.number import mobile_number

REPEATED: Final = 64
"""Characters of what was typed that a record keeps, to show them again: longer than whatever is right."""


class Field(StrEnum):
    """The fields, as they are called in a posted form."""

    ACCOUNT = "account"
    """A name of any kind, of an account that is there."""
    USERNAME = "username"
    PHONE = "phone"
    MAIL = "mail"
    DOCUMENT = "document"
    TAIL = "tail"
    """The last characters of a document."""
    CAPTCHA = "captcha"
    CODE = "code"
    OLD = "old"
    """The password so far."""
    PASSWORD = "password"
    AGAIN = "again"
    AGREED = "agreed"
    ETHNICITY = "ethnicity"


class Fault(StrEnum):
    """What a field may be told besides the faults of passwords and usernames; words under ``fault.<field>.<fault>``."""

    MISSING = "missing"
    FORM = "form"
    MISMATCH = "mismatch"
    REQUIRED = "required"
    SAME = "same"
    """It is what it was."""
    WRONG = "wrong"
    UNKNOWN = "unknown"


def require_none(faults: Iterable[FieldFault]) -> None:
    """Raise ``InvalidRequest`` if there is a fault."""
    found = tuple(faults)
    if found:
        raise InvalidRequest(*found)


def missing(field: Field, typed: str) -> list[FieldFault]:
    """Return what is wrong where nothing but blanks was typed."""
    return [] if typed.strip() else [FieldFault(field, Fault.MISSING)]


def captcha_faults(typed: str) -> list[FieldFault]:
    """Return what keeps a captcha from being looked at."""
    return missing(Field.CAPTCHA, typed)


def code_faults(typed: str) -> list[FieldFault]:
    """Return what keeps a code from being tried: what cannot be one costs none of its tries."""
    if typed.strip() and not as_typed(typed):
        return [FieldFault(Field.CODE, Fault.FORM)]
    return missing(Field.CODE, typed)


def phone_faults(typed: str) -> list[FieldFault]:
    """Return what keeps a text from being a mobile number."""
    if typed.strip() and mobile_number(typed) is None:
        return [FieldFault(Field.PHONE, Fault.FORM)]
    return missing(Field.PHONE, typed)


def username_faults(name: str) -> list[FieldFault]:
    """Return what keeps somebody from choosing a username, apart from its being another's."""
    found = username_fault(name) if name else Fault.MISSING
    return [] if found is None else [FieldFault(Field.USERNAME, found)]


def password_faults(password: str, again: str | None, names: Iterable[str | None] = ()) -> list[FieldFault]:
    """Return what is wrong with a new password (REG-1) of the account with ``names``; None is a name it does not have.

    It is typed twice unless ``again`` is None. That the second differs is told once the first is one.
    """
    found = password_fault(password, [name for name in names if name]) if password else Fault.MISSING
    if found is not None:
        return [FieldFault(Field.PASSWORD, found)]
    if again is None or again == password:
        return []
    return [FieldFault(Field.AGAIN, Fault.MISMATCH if again else Fault.MISSING)]


def agreement_faults(*, agreed: bool) -> list[FieldFault]:
    """Return what is wrong where the box is not ticked."""
    return [] if agreed else [FieldFault(Field.AGREED, Fault.REQUIRED)]
