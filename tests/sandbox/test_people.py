"""The synthetic persons: every number well formed, every number nobody's, every story told."""

from __future__ import annotations

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.sandbox.people import DocumentType, Likeness, People, Person, Story, numbers
from tests.sandbox.driver import Sandbox

PEOPLE = People()
DATES = st.dates(date(1900, 1, 1), date(2099, 12, 31))


def _id(person: Person) -> str:
    return person.id


@pytest.mark.parametrize("person", PEOPLE.all(), ids=_id)
def test_every_person_has_numbers_that_are_well_formed_and_nobodys(person: Person) -> None:
    assert numbers.is_synthetic_document(person.document_type, person.document_number)
    assert numbers.is_synthetic_phone(person.phone)
    assert numbers.is_synthetic_phone(person.bank_phone)
    assert all(numbers.is_synthetic_card(card) for card in person.cards)
    assert person.gender in {"male", "female"}


@pytest.mark.parametrize("person", PEOPLE.all(), ids=_id)
def test_the_sequence_of_an_18_character_number_tells_the_gender(person: Person) -> None:
    if len(person.document_number) == 18:
        assert (int(person.document_number[16]) % 2 == 1) == (person.gender == "male")


def test_no_two_persons_share_an_id_a_document_a_phone_or_a_card() -> None:
    people = PEOPLE.all()
    for facts in (
        [p.id for p in people],
        [(p.document_type, p.document_number) for p in people],
        [p.phone for p in people],
        [card for p in people for card in p.cards],
    ):
        assert len(facts) == len(set(facts))


def test_every_story_is_told_and_every_document_has_an_ordinary_holder() -> None:
    assert {p.story for p in PEOPLE.all()} == set(Story)
    assert {p.document_type for p in PEOPLE.all() if p.story is Story.ORDINARY} == set(DocumentType)


def test_names_that_test_encodings_still_do() -> None:
    by_story = {p.story: p.name for p in PEOPLE.all()}
    assert any(ord(c) > 0xFFFF for c in by_story[Story.RARE_CHARACTER])
    compatible = by_story[Story.COMPATIBILITY_CHARACTER]
    assert unicodedata.normalize("NFC", compatible) != compatible
    assert "\u00b7" in by_story[Story.DOTTED_NAME]
    assert len(by_story[Story.LONG_NAME]) > 25


def test_a_name_is_compared_code_point_by_code_point() -> None:
    person = next(p for p in PEOPLE.all() if p.story is Story.COMPATIBILITY_CHARACTER)
    kind, number = person.document_type, person.document_number
    assert PEOPLE.likeness(kind, person.name, number) is Likeness.SAME
    assert PEOPLE.likeness(kind, unicodedata.normalize("NFC", person.name), number) is Likeness.NAME_DIFFERS


async def test_the_list_tells_what_people_know_of_themselves_and_not_what_registers_know(sandbox: Sandbox) -> None:
    people = await (await sandbox.http.get("/control/people")).json()
    assert [p["id"] for p in people] == [p.id for p in PEOPLE.all()]
    assert set(people[0]) == {
        "id", "name", "document_type", "document_number", "valid_from", "valid_to", "gender", "phone", "cards", "story"
    }  # fmt: skip
    long_term = next(p for p in people if p["id"] == "wang-jianguo")
    assert (long_term["valid_from"], long_term["valid_to"]) == ("2019-10-08", None)


@given(area=st.integers(0, 9999), born=DATES, sequence=st.integers(0, 999))
def test_every_number_built_here_is_recognised_here(area: int, born: date, sequence: int) -> None:
    resident = numbers.resident_id(f"10{area:04d}", born, sequence)
    assert numbers.is_synthetic_document(DocumentType.RESIDENT_ID, resident)
    permanent = numbers.permanent_resident(f"{area % 1000:03d}", born, sequence)
    assert numbers.is_synthetic_document(DocumentType.PERMANENT_RESIDENT, permanent)


@given(born=DATES, sequence=st.integers(0, 999), position=st.integers(0, 16), step=st.integers(1, 9))
def test_a_number_with_one_digit_changed_is_not_recognised(born: date, sequence: int, position: int, step: int) -> None:
    number = numbers.resident_id("100101", born, sequence)
    changed = number[:position] + str((int(number[position]) + step) % 10) + number[position + 1 :]
    assert not numbers.is_synthetic_document(DocumentType.RESIDENT_ID, changed)


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        (DocumentType.RESIDENT_ID, "11010519491231002X"),
        (DocumentType.RESIDENT_ID, "100101199604122049 "),
        (DocumentType.RESIDENT_ID, "１００１０１１９９６０４１２２０４９"),
        (DocumentType.PERMANENT_RESIDENT, "932682198501010017"),
        (DocumentType.PERMANENT_RESIDENT, "KAZ110090123105"),
        (DocumentType.HK_PERMIT, "H12345678"),
        (DocumentType.HK_PERMIT, "M99990308"),
        (DocumentType.MACAO_PERMIT, "H99990126"),
        (DocumentType.TAIWAN_PERMIT, "9999041501"),
    ],
)
def test_a_number_that_somebody_may_have_or_of_another_form_is_not_recognised(kind: DocumentType, number: str) -> None:
    assert not numbers.is_synthetic_document(kind, number)
