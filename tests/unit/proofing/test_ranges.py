"""Production refuses exactly what the sandbox accepts, and the other way round (wire.md 5)."""

from __future__ import annotations

from datetime import date

import pytest

from bjidp.errors import InvalidRequest
from bjidp.person import DocumentType
from bjidp.proofing.checksums import mod_11_2
from bjidp.proofing.dates import beijing_date
from bjidp.proofing.documents import parse
from bjidp.proofing.ranges import DocumentRange, is_synthetic

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
