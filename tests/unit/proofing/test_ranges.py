"""Production refuses exactly what the sandbox accepts, and the other way round (wire.md 5)."""

from __future__ import annotations

from datetime import date

import pytest

from bjidp.errors import InvalidRequest
from bjidp.person import DocumentType
from bjidp.proofing.bank_cards import BankCard, bank_card
from bjidp.proofing.card_bins import CardType
from bjidp.proofing.checksums import gb_32100, mod_11_2
from bjidp.proofing.credit_codes import credit_code
from bjidp.proofing.dates import beijing_date
from bjidp.proofing.documents import parse
from bjidp.proofing.ranges import (
    CardRange,
    DocumentRange,
    OrganisationRange,
    is_synthetic,
    is_synthetic_card,
    is_synthetic_organisation,
)
from bjidp.sandbox.business_register.organisations import organisations
from bjidp.sandbox.people.population import population

TODAY = date(2026, 11, 23)


def with_check(body: str) -> str:
    return body + mod_11_2(body)


SYNTHETIC = [
    (DocumentType.RESIDENT_ID, with_check("10010119900307001")),
    (DocumentType.RESIDENT_ID, "100101900307001"),
    (DocumentType.PERMANENT_RESIDENT, with_check("90084019900307001")),
    (DocumentType.PERMANENT_RESIDENT, "XXA110190030719"),
    (DocumentType.PERMANENT_RESIDENT, "XXZ110190030719"),
    (DocumentType.HK_PERMIT, "H99990001"),
    (DocumentType.HK_PERMIT, "H9999000101"),
    (DocumentType.MACAO_PERMIT, "M99990001"),
    (DocumentType.TAIWAN_PERMIT, "99990001"),
]
REAL = [
    (DocumentType.RESIDENT_ID, "110101199003070011"),
    (DocumentType.RESIDENT_ID, "810000199408230021"),
    (DocumentType.PERMANENT_RESIDENT, "932682198501010017"),
    (DocumentType.PERMANENT_RESIDENT, "KAZ110090123105"),
    (DocumentType.HK_PERMIT, "H99980001"),
    (DocumentType.HK_PERMIT, "HA9999001"),
    (DocumentType.MACAO_PERMIT, "M12345678"),
    (DocumentType.TAIWAN_PERMIT, "12345678"),
]


@pytest.mark.req("REG-7")
@pytest.mark.parametrize(
    ("document_type", "number", "home", "elsewhere"),
    [(kind, number, DocumentRange.SYNTHETIC, DocumentRange.REAL) for kind, number in SYNTHETIC]
    + [(kind, number, DocumentRange.REAL, DocumentRange.SYNTHETIC) for kind, number in REAL],
)
def test_a_number_is_served_in_its_own_place_only(
    document_type: DocumentType, number: str, home: DocumentRange, elsewhere: DocumentRange
) -> None:
    person = parse(document_type, "张三", number, TODAY)
    assert is_synthetic(person) == (home is DocumentRange.SYNTHETIC)
    home.admit(person)
    with pytest.raises(InvalidRequest) as caught:
        elsewhere.admit(person)
    assert [(fault.field, fault.code) for fault in caught.value.errors] == [("document_number", "not_served")]


def test_the_day_begins_in_beijing() -> None:
    midnight_utc = 1_795_392_000_000
    assert beijing_date(midnight_utc) == date(2026, 11, 23)
    assert beijing_date(midnight_utc + 16 * 3_600_000 - 1) == date(2026, 11, 23)
    assert beijing_date(midnight_utc + 16 * 3_600_000) == date(2026, 11, 24)


@pytest.mark.req("OPS-2", "RNV-4")
@pytest.mark.parametrize(
    ("digits", "home"),
    [
        ("9999010000000000019", CardRange.SYNTHETIC),
        ("9999020000000018", CardRange.SYNTHETIC),
        ("999901000000000", CardRange.SYNTHETIC),
        ("9999000000000000000", CardRange.REAL),
        ("9999030000000000000", CardRange.REAL),
        ("9999990000000000", CardRange.REAL),
        ("6222021234567890128", CardRange.REAL),
    ],
)
def test_a_card_is_served_in_its_own_place_only(digits: str, home: CardRange) -> None:
    card = BankCard(digits)
    assert is_synthetic_card(card) == (home is CardRange.SYNTHETIC)
    home.admit(card)
    [elsewhere] = set(CardRange) - {home}
    with pytest.raises(InvalidRequest) as caught:
        elsewhere.admit(card)
    assert [(fault.field, fault.code) for fault in caught.value.errors] == [("card_number", "not_served")]


@pytest.mark.req("OPS-2", "ORG-1")
@pytest.mark.parametrize(
    ("body", "home"),
    [
        ("91000000MA990001X", OrganisationRange.SYNTHETIC),
        ("52000000600037341", OrganisationRange.SYNTHETIC),
        ("91110000600037341", OrganisationRange.REAL),
        ("91100000600037341", OrganisationRange.REAL),
        ("91000001600037341", OrganisationRange.REAL),
    ],
)
def test_an_organisation_is_served_in_its_own_place_only(body: str, home: OrganisationRange) -> None:
    code = credit_code(body + gb_32100(body))
    assert is_synthetic_organisation(code) == (home is OrganisationRange.SYNTHETIC)
    home.admit(code)
    [elsewhere] = set(OrganisationRange) - {home}
    with pytest.raises(InvalidRequest) as caught:
        elsewhere.admit(code)
    assert [(fault.field, fault.code) for fault in caught.value.errors] == [("credit_code", "not_served")]


@pytest.mark.req("OPS-2")
def test_what_the_sandbox_has_is_what_production_refuses() -> None:
    cards = [bank_card(card) for person in population().values() for card in person.cards]
    assert cards
    assert all(is_synthetic_card(card) for card in cards)
    assert {card.type for card in cards} == {CardType.DEBIT, CardType.CREDIT}
    assert not [card for card in cards if card.check_digit_doubtful]
    codes = [credit_code(organisation.credit_code) for organisation in organisations().values()]
    assert codes
    assert all(is_synthetic_organisation(code) for code in codes)
