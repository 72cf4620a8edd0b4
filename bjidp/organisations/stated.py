"""What is typed about an organisation and about an agent: the fields, and their faults. Pure.

Owns both forms. Called by the use cases before anybody is asked.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from bjidp.accounts import fields
from bjidp.errors import FieldFault, InvalidRequest
from bjidp.organisations.mandates import LONGEST, Scope, ends_after
from bjidp.organisations.names import NAME_FIELD, organisation_name
from bjidp.organisations.ports import NewOffer
from bjidp.proofing.credit_codes import CREDIT_CODE_FIELD, credit_code
from bjidp.proofing.faults import Unacceptable
from bjidp.proofing.ranges import OrganisationRange
from bjidp.proofing.validity import typed_date
from bjidp.verification.number import mobile_number
from bjidp.verification.ranges import NumberRange

ORGANISATION_FIELD: Final = "organisation"
SCOPE_FIELD: Final = "scope"
END_FIELD: Final = "ends_on"
PHONE_FIELD: Final = "phone"

_SCOPES: Final = MappingProxyType({scope.value: scope for scope in Scope})


class Fault(StrEnum):
    """What the fields of an offer may be told; words under ``fault.<field>.<fault>``."""

    MISSING = "missing"
    FORM = "form"
    PAST = "past"
    TOO_FAR = "too_far"
    OWN = "own"
    """A 法定代表人 needs no mandate."""
    APPOINTED = "appointed"
    LATELY = "lately"


class TypedOrganisation(Struct, frozen=True):
    """The form of 登记法人."""

    credit_code: str
    name: str


class StatedOrganisation(Struct, frozen=True):
    """An organisation that could exist."""

    credit_code: str
    name: str


class TypedOffer(Struct, frozen=True, kw_only=True):
    """The form of 邀请经办人. ``organisation`` is our own id of one."""

    organisation: str
    phone: str
    scope: str
    ends_on: str

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "TypedOffer(***)"


def read_organisation(typed: TypedOrganisation, served: OrganisationRange) -> StatedOrganisation:
    """Return what was stated; raise ``InvalidRequest`` that names each faulty field."""
    faults: list[FieldFault] = []
    code, name = "", ""
    try:
        read = credit_code(typed.credit_code)
        served.admit(read)
        code = read.text
    except Unacceptable as error:
        faults.append(FieldFault(CREDIT_CODE_FIELD, error.fault))
    except InvalidRequest as error:
        faults += error.errors
    try:
        name = organisation_name(typed.name)
    except Unacceptable as error:
        faults.append(FieldFault(NAME_FIELD, error.fault))
    fields.require_none(faults)
    return StatedOrganisation(code, name)


def read_offer(typed: TypedOffer, *, own: str | None, served: NumberRange, today: date) -> NewOffer:
    """Return what is offered; raise ``InvalidRequest`` that names each faulty field.

    ``own`` is the number of whoever offers; ``today`` the civil date in Beijing.
    """
    faults = [] if typed.organisation else [FieldFault(ORGANISATION_FIELD, Fault.MISSING)]
    faults += fields.phone_faults(typed.phone)
    number = mobile_number(typed.phone)
    if number is not None:
        try:
            served.admit(number)
        except InvalidRequest as error:
            faults += error.errors
        if number.digits == own:
            faults.append(FieldFault(PHONE_FIELD, Fault.OWN))
    scope = _SCOPES.get(typed.scope)
    if scope is None:
        faults.append(FieldFault(SCOPE_FIELD, Fault.MISSING))
    last = typed_date(typed.ends_on)
    if last is None:
        faults.append(FieldFault(END_FIELD, Fault.FORM if typed.ends_on.strip() else Fault.MISSING))
    elif last < today:
        faults.append(FieldFault(END_FIELD, Fault.PAST))
    elif last > today + LONGEST:
        faults.append(FieldFault(END_FIELD, Fault.TOO_FAR))
    if faults or number is None or scope is None or last is None:
        raise InvalidRequest(*faults)
    return NewOffer(scope=scope, phone=number.digits, ends_at=ends_after(last))
