"""The dates on a document."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.clock import DAY
from bjidp.errors import FieldFault
from bjidp.person import DocumentType
from bjidp.proofing.dates import beijing_date
from bjidp.proofing.terms import FOR_LIFE, Until
from bjidp.proofing.validity import Fault, Field, TypedDates, Validity, read_validity, typed_date

TODAY = date(2026, 7, 1)
CARD = DocumentType.RESIDENT_ID


@pytest.mark.req("RNV-2")
@pytest.mark.parametrize(
    "text",
    ["2018-06-06", "2018/6/6", "2018.06.06", "2018年6月6日", "20180606", " ２０１８-０６-０６ ", "2018 - 06 - 06"],
)
def test_a_day_is_read_however_it_is_written(text: str) -> None:
    assert typed_date(text) == date(2018, 6, 6)


@pytest.mark.req("RNV-2")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "2018",
        "2018-13-01",
        "2018-02-30",
        "06-06-2018",
        "2018-06-06T00:00",
        "２０１８年",
        "①⑧",
        "0" * 100_000,
        "2018112",
        "201866",
        "2018\n66",
    ],
)
def test_what_is_no_day_is_none(text: str) -> None:
    assert typed_date(text) is None


@pytest.mark.req("RNV-2")
@given(st.dates(date(2006, 7, 2), TODAY), st.dates(TODAY, date(2046, 7, 1)))
def test_two_days_in_their_order_are_kept_and_run_out_at_the_midnight_in_beijing_after_the_last(
    start: date, to: date
) -> None:
    to = min(max(to, start + timedelta(days=1)), start.replace(day=1, year=start.year + 20))
    found = read_validity(CARD, TypedDates(start.isoformat(), to.isoformat(), for_life=False), TODAY)
    assert found == Validity(start, to)
    assert isinstance(found, Validity)
    assert isinstance(found.term, Until)
    assert beijing_date(found.term.end - 1) == to
    assert beijing_date(found.term.end) == to + timedelta(days=1)
    assert (found.term.end + 8 * DAY // 24) % DAY == 0


@pytest.mark.req("RNV-2")
def test_a_card_without_an_end_runs_out_never_and_other_documents_have_one() -> None:
    typed = TypedDates("2018-06-06", "", for_life=True)
    found = read_validity(CARD, typed, TODAY)
    assert isinstance(found, Validity)
    assert found.term is FOR_LIFE
    for kind in set(DocumentType) - {CARD}:
        assert read_validity(kind, typed, TODAY) == [FieldFault(Field.TO, Fault.NOT_FOR_LIFE)]


@pytest.mark.req("RNV-10")
def test_a_choice_that_was_left_from_another_kind_of_document_counts_for_nothing_beside_a_date() -> None:
    typed = TypedDates("2022-06-06", "2027-06-06", for_life=True)
    for kind in set(DocumentType) - {CARD}:
        assert read_validity(kind, typed, TODAY) == Validity(date(2022, 6, 6), date(2027, 6, 6))


@pytest.mark.req("RNV-2")
@pytest.mark.parametrize(
    ("start", "to", "faults"),
    [
        ("", "", [(Field.FROM, Fault.MISSING), (Field.TO, Fault.MISSING)]),
        ("yesterday", "2030-02-30", [(Field.FROM, Fault.FORM), (Field.TO, Fault.FORM)]),
        ("2026-07-02", "2036-07-02", [(Field.FROM, Fault.FUTURE)]),
        ("1984-04-05", "2036-07-02", [(Field.FROM, Fault.TOO_EARLY)]),
        ("2018-06-06", "2018-06-06", [(Field.TO, Fault.ORDER)]),
        ("2016-06-30", "2026-06-30", [(Field.TO, Fault.EXPIRED)]),
    ],
)
def test_each_fault_of_the_dates_is_named_beside_its_field(
    start: str, to: str, faults: list[tuple[Field, Fault]]
) -> None:
    typed = TypedDates(start, to, for_life=False)
    assert read_validity(CARD, typed, TODAY) == [FieldFault(*fault) for fault in faults]


@pytest.mark.req("RNV-2", "UX-5")
@pytest.mark.parametrize("kind", DocumentType)
def test_an_end_that_is_left_out_leads_to_the_choice_only_where_there_is_one(kind: DocumentType) -> None:
    typed = TypedDates("2022-06-06", " ", for_life=False)
    told = Fault.MISSING if kind is CARD else Fault.NO_LAST_DAY
    assert read_validity(kind, typed, TODAY) == [FieldFault(Field.TO, told)]


@pytest.mark.req("RNV-1", "RNV-2")
@pytest.mark.parametrize(
    ("kind", "start", "last"),
    [
        (CARD, "2018-06-06", "2038-06-06"),
        (CARD, "2016-02-29", "2036-02-29"),
        (DocumentType.HK_PERMIT, "2018-06-06", "2028-06-06"),
        (DocumentType.MACAO_PERMIT, "2020-02-29", "2030-03-01"),
        (DocumentType.TAIWAN_PERMIT, "2022-06-06", "2027-06-06"),
        (DocumentType.PERMANENT_RESIDENT, "2018-06-06", "2028-06-06"),
    ],
)
def test_no_document_is_valid_for_longer_than_its_kind_is_issued_for(kind: DocumentType, start: str, last: str) -> None:
    after = (date.fromisoformat(last) + timedelta(days=1)).isoformat()
    assert isinstance(read_validity(kind, TypedDates(start, last, for_life=False), TODAY), Validity)
    for to in (after, "2199-01-01", "2999-01-01", "9999-12-30"):
        typed = TypedDates(start, to, for_life=False)
        assert read_validity(kind, typed, TODAY) == [FieldFault(Field.TO, Fault.TOO_LATE)]


@pytest.mark.req("RNV-2")
@pytest.mark.parametrize("kind", DocumentType)
def test_the_end_that_machines_write_for_none_leads_to_the_choice(kind: DocumentType) -> None:
    typed = TypedDates("2018-06-06", "9999-12-31", for_life=False)
    told = Fault.FOR_LIFE if kind is CARD else Fault.NOT_FOR_LIFE
    assert read_validity(kind, typed, TODAY) == [FieldFault(Field.TO, told)]


@pytest.mark.req("RNV-2")
def test_a_card_is_no_older_than_its_holder() -> None:
    born = date(2018, 6, 6)
    for start, faults in (("2018-06-05", [FieldFault(Field.FROM, Fault.TOO_EARLY)]), ("2018-06-06", None)):
        found = read_validity(CARD, TypedDates(start, "2028-06-06", for_life=False), TODAY, born)
        assert isinstance(found, Validity) if faults is None else found == faults


@pytest.mark.req("RNV-2", "RNV-1")
def test_a_card_without_an_end_is_issued_from_the_age_of_forty_six_on() -> None:
    typed = TypedDates("2018-06-06", "", for_life=True)
    assert isinstance(read_validity(CARD, typed, TODAY, date(1972, 6, 6)), Validity)
    assert isinstance(read_validity(CARD, typed, TODAY, None), Validity), "no number tells an age here"
    refused = [FieldFault(Field.TO, Fault.NOT_YET_FOR_LIFE)]
    assert read_validity(CARD, typed, TODAY, date(1972, 6, 7)) == refused


@pytest.mark.req("RNV-2")
def test_a_document_is_good_on_its_last_day() -> None:
    typed = TypedDates("2016-07-01", "2026-07-01", for_life=False)
    assert isinstance(read_validity(CARD, typed, TODAY), Validity)
