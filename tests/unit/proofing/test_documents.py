"""The five document types: vectors of the standards, slips that must be caught, forms that are one number."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.errors import FieldFault, InvalidRequest
from bjidp.person import DocumentType, Person
from bjidp.proofing.checksums import icao, mod_11_2
from bjidp.proofing.documents import birth_date, check_digit_doubtful, normal_number, parse
from bjidp.proofing.faults import Fault, Unacceptable

TODAY = date(2026, 11, 23)

RESIDENT = DocumentType.RESIDENT_ID
PERMANENT = DocumentType.PERMANENT_RESIDENT
HK = DocumentType.HK_PERMIT
MACAO = DocumentType.MACAO_PERMIT
TAIWAN = DocumentType.TAIWAN_PERMIT

pytestmark = pytest.mark.req("RNV-10")


def refusal(document_type: DocumentType, number: str) -> Fault:
    with pytest.raises(Unacceptable) as caught:
        normal_number(document_type, number, TODAY)
    return caught.value.fault


PUBLISHED = [
    (RESIDENT, "11010519491231002X"),
    (RESIDENT, "440524188001010014"),
    (RESIDENT, "440308199901101512"),
    (RESIDENT, "360426199101010071"),
    (RESIDENT, "110101199003070011"),
    (RESIDENT, "810000199408230021"),
    (RESIDENT, "830000199201300022"),
    (PERMANENT, "932682198501010017"),
    (PERMANENT, "911840199003070014"),
    (PERMANENT, "931840198506150023"),
    (PERMANENT, "91139219881123013X"),
    (PERMANENT, "KAZ110090123105"),
    (PERMANENT, "CAN310188061504"),
    (PERMANENT, "USA110190030719"),
]


@pytest.mark.parametrize(("document_type", "number"), PUBLISHED)
def test_every_published_number_is_accepted_and_kept(document_type: DocumentType, number: str) -> None:
    assert normal_number(document_type, number, TODAY) == number


def test_a_resident_id_of_fifteen_digits_becomes_the_one_of_eighteen() -> None:
    assert normal_number(RESIDENT, "610104620927690", TODAY) == "610104196209276908"


@pytest.mark.parametrize(
    ("document_type", "typed", "kept"),
    [
        (HK, "H12345678", "H12345678"),
        (HK, "h1234567801", "H12345678"),
        (HK, "HA1234567", "HA1234567"),
        (MACAO, "M12345678", "M12345678"),
        (MACAO, "M1234567802", "M12345678"),
        (MACAO, "ma1234567", "MA1234567"),
        (TAIWAN, "12345678", "12345678"),
        (TAIWAN, "1234567801", "12345678"),
    ],
)
def test_a_permit_is_known_by_its_lifelong_number_alone(document_type: DocumentType, typed: str, kept: str) -> None:
    assert normal_number(document_type, typed, TODAY) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "11010519491231002x",
        " 110105 19491231 002X ",
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105\u300019491231\u00a0002ｘ",
    ],
)
def test_spaces_width_and_case_do_not_matter(typed: str) -> None:
    assert normal_number(RESIDENT, typed, TODAY) == "11010519491231002X"


@pytest.mark.parametrize(
    ("document_type", "typed", "fault"),
    [
        (RESIDENT, "", Fault.EMPTY),
        (RESIDENT, " \u3000 ", Fault.EMPTY),
        (RESIDENT, "110101199003070012", Fault.CHECK_DIGIT),
        (RESIDENT, "160101199003070011", Fault.REGION),
        (RESIDENT, "910101199003070011", Fault.FORMAT),
        (RESIDENT, "11010119900307001", Fault.FORMAT),
        (RESIDENT, "1101011990030700111", Fault.FORMAT),
        (RESIDENT, "110101199002300011", Fault.BIRTH_DATE),
        (RESIDENT, "110101184912310011", Fault.BIRTH_DATE),
        (RESIDENT, "110101202611240011", Fault.BIRTH_DATE),
        (RESIDENT, "1101011990030700X1", Fault.FORMAT),
        (RESIDENT, "11010519491231002\u00d7", Fault.FORMAT),
        (RESIDENT, "110105194912310\u200b02X", Fault.FORMAT),
        (RESIDENT, "110105194912310\n02X", Fault.FORMAT),
        (RESIDENT, "١١٠١٠٥١٩٤٩١٢٣١٠٠٢X", Fault.FORMAT),
        (RESIDENT, "1" * 100_000, Fault.FORMAT),
        (RESIDENT, "H12345678", Fault.FORMAT),
        (PERMANENT, "932682198501010018", Fault.CHECK_DIGIT),
        (PERMANENT, "916682198501010017", Fault.REGION),
        (PERMANENT, "932682198513010017", Fault.BIRTH_DATE),
        (PERMANENT, "11010519491231002X", Fault.FORMAT),
        (PERMANENT, "USA110190130719", Fault.BIRTH_DATE),
        (PERMANENT, "US1110190030719", Fault.FORMAT),
        # ı is I in upper case: it must not pass as one.
        (PERMANENT, "ıRN110190030719", Fault.FORMAT),
        (HK, "M12345678", Fault.FORMAT),
        (HK, "H1234567", Fault.FORMAT),
        (HK, "H123456789", Fault.FORMAT),
        (HK, "HA123456789", Fault.FORMAT),
        (MACAO, "H12345678", Fault.FORMAT),
        (TAIWAN, "123456789", Fault.FORMAT),
        (TAIWAN, "A1234567", Fault.FORMAT),
    ],
)
@pytest.mark.attack("Q27")
def test_a_wrong_number_is_refused_with_the_reason(document_type: DocumentType, typed: str, fault: Fault) -> None:
    assert refusal(document_type, typed) is fault


def test_who_is_born_today_has_a_valid_number_and_who_is_born_tomorrow_has_not() -> None:
    def born(day: date) -> str:
        body = f"110101{day:%Y%m%d}001"
        return body + mod_11_2(body)

    assert normal_number(RESIDENT, born(TODAY), TODAY)
    assert refusal(RESIDENT, born(TODAY + timedelta(days=1))) is Fault.BIRTH_DATE


def test_both_fields_are_told_at_once_and_in_no_message_is_what_was_typed() -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(RESIDENT, "张\u202e三", "110101199003070012", TODAY)
    assert [(fault.field, fault.code) for fault in caught.value.errors] == [
        ("name", "character"),
        ("document_number", "check_digit"),
    ]
    assert "110101" not in str(caught.value)
    assert "张" not in str(caught.value)


def test_a_person_is_name_and_number_in_their_kept_form() -> None:
    person = parse(RESIDENT, " 阿卜杜拉•买买提 ", "11010519491231002x", TODAY)
    assert person == Person(RESIDENT, "阿卜杜拉·买买提", "11010519491231002X")


@pytest.mark.parametrize(
    ("document_type", "number", "born"),
    [
        (RESIDENT, "11010519491231002X", date(1949, 12, 31)),
        (PERMANENT, "932682198501010017", date(1985, 1, 1)),
        (PERMANENT, "KAZ110090123105", date(1990, 12, 31)),
        (PERMANENT, "CAN310115061504", date(2015, 6, 15)),
        (PERMANENT, "CAN310100022904", date(2000, 2, 29)),
        (PERMANENT, "CAN310126112404", date(1926, 11, 24)),
        (HK, "H12345678", None),
        (TAIWAN, "12345678", None),
    ],
)
def test_the_day_of_birth_is_told_where_the_number_holds_it(
    document_type: DocumentType, number: str, born: date | None
) -> None:
    assert birth_date(Person(document_type, "无", number), TODAY) == born


def test_the_published_sample_of_an_old_card_has_the_digit_of_icao_and_a_slip_is_only_doubtful() -> None:
    assert icao("KAZ11009012310") == "5"
    assert not check_digit_doubtful(Person(PERMANENT, "无", "KAZ110090123105"))
    slip = normal_number(PERMANENT, "KAZ110090123106", TODAY)
    assert check_digit_doubtful(Person(PERMANENT, "无", slip))
    assert not check_digit_doubtful(Person(PERMANENT, "无", "932682198501010017"))
    assert not check_digit_doubtful(Person(HK, "无", "H12345678"))


resident_ids = st.builds(
    lambda province, county, born, order: (body := f"{province}{county:04d}{born:%Y%m%d}{order:03d}") + mod_11_2(body),
    st.sampled_from(["11", "15", "21", "37", "46", "54", "65", "71", "83"]),
    st.integers(0, 9999),
    st.dates(date(1900, 1, 1), TODAY),
    st.integers(0, 999),
)


@given(resident_ids)
def test_a_kept_number_is_its_own_normal_form(number: str) -> None:
    assert normal_number(RESIDENT, number, TODAY) == number


@given(resident_ids, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_no_single_slip_passes_as_another_number(number: str, place: int, wrong: str) -> None:
    slipped = number[:place] + wrong + number[place + 1 :]
    if slipped != number:
        assert refusal(RESIDENT, slipped) in {Fault.FORMAT, Fault.REGION, Fault.BIRTH_DATE, Fault.CHECK_DIGIT}


@given(resident_ids, st.integers(0, 16))
def test_no_swap_of_neighbours_passes_as_another_number(number: str, place: int) -> None:
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if swapped != number:
        assert refusal(RESIDENT, swapped)


@given(st.sampled_from(DocumentType), st.text(max_size=30), st.text(max_size=80))
@pytest.mark.attack("Q27")
def test_any_text_is_a_person_or_a_named_fault_and_nothing_else(
    document_type: DocumentType, name: str, number: str
) -> None:
    faults: tuple[FieldFault, ...] = ()
    try:
        person = parse(document_type, name, number, TODAY)
        assert parse(document_type, person.name, person.number, TODAY) == person
    except InvalidRequest as error:
        faults = error.errors
    assert {fault.field for fault in faults} <= {"name", "document_number"}
    assert all(fault.code in set(Fault) for fault in faults)
