"""The two forms: everything that is wrong is told beside its field, before anybody is asked."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from bjidp.errors import InvalidRequest
from bjidp.organisations.mandates import LONGEST, Scope, ends_after
from bjidp.organisations.ports import NewOffer
from bjidp.organisations.stated import TypedOffer, TypedOrganisation, read_offer, read_organisation
from bjidp.proofing.ranges import OrganisationRange
from bjidp.verification.ranges import NumberRange

TODAY = date(2027, 1, 15)
OFFER = TypedOffer(organisation="o", phone="154 0000 0005", scope="filing", ends_on="2027-12-31")


def faults(error: InvalidRequest) -> dict[str, str]:
    return {fault.field: fault.code for fault in error.errors}


@pytest.mark.req("ORG-1")
def test_a_code_and_a_name_are_put_into_their_normal_form() -> None:
    typed = TypedOrganisation(" 9111 0000 6000 3734 1l ", "香江(北京) 示例公司")
    stated = read_organisation(typed, OrganisationRange.REAL)
    assert (stated.credit_code, stated.name) == ("91110000600037341L", "香江（北京）示例公司")


@pytest.mark.req("ORG-1", "UX-5")
@pytest.mark.attack("Q27")
@pytest.mark.parametrize(
    ("code", "name", "told"),
    [
        ("", "", {"credit_code": "empty", "organisation_name": "empty"}),
        ("91110000600037341X", "公司", {"credit_code": "check_digit"}),
        ("9111000060003734", "\u202e公司", {"credit_code": "format", "organisation_name": "character"}),
        ("91000000MA990001X0", "公" * 121, {"credit_code": "check_digit", "organisation_name": "too_long"}),
    ],
)
def test_what_is_wrong_with_either_is_told_beside_it(code: str, name: str, told: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_organisation(TypedOrganisation(code, name), OrganisationRange.REAL)
    assert faults(refused.value) == told


@pytest.mark.req("ORG-1", "OPS-2")
def test_a_code_of_the_other_kind_of_deployment_is_not_served() -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_organisation(TypedOrganisation("91110000600037341L", "公司"), OrganisationRange.SYNTHETIC)
    assert faults(refused.value) == {"credit_code": "not_served"}


@pytest.mark.req("ORG-2")
def test_an_offer_is_of_a_number_a_scope_and_a_last_day() -> None:
    read = read_offer(OFFER, own="15400000001", served=NumberRange.SYNTHETIC, today=TODAY)
    assert read == NewOffer(scope=Scope.FILING, phone="15400000005", ends_at=ends_after(date(2027, 12, 31)))
    assert "154" not in f"{OFFER!r}"


@pytest.mark.req("ORG-2", "UX-5")
@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (TypedOffer(organisation="", phone="", scope="", ends_on=" "), {
            "organisation": "missing", "phone": "missing", "scope": "missing", "ends_on": "missing",
        }),
        (replace(OFFER, phone="1540000"), {"phone": "form"}),
        (replace(OFFER, phone="13800138000"), {"phone": "not_served"}),
        (replace(OFFER, phone="15400000001"), {"phone": "own"}),
        (replace(OFFER, scope="everything"), {"scope": "missing"}),
        (replace(OFFER, ends_on="2027-02-30"), {"ends_on": "form"}),
        (replace(OFFER, ends_on="2027-01-14"), {"ends_on": "past"}),
        (replace(OFFER, ends_on=(TODAY + LONGEST + timedelta(days=1)).isoformat()), {"ends_on": "too_far"}),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_offer_is_told_beside_each_field(typed: TypedOffer, told: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_offer(typed, own="15400000001", served=NumberRange.SYNTHETIC, today=TODAY)
    assert faults(refused.value) == told


@pytest.mark.req("ORG-2")
def test_a_mandate_may_be_as_long_as_may_be_and_not_a_day_longer() -> None:
    longest = replace(OFFER, ends_on=(TODAY + LONGEST).isoformat())
    assert read_offer(longest, own=None, served=NumberRange.SYNTHETIC, today=TODAY).ends_at == ends_after(
        TODAY + LONGEST
    )
