"""What a document's number tells of its holder."""

from __future__ import annotations

import pytest

from bjidp.person import DocumentType, Person, Sex


@pytest.mark.req("ACC-1", "RNV-2")
@pytest.mark.parametrize(
    ("kind", "number", "sex"),
    [
        (DocumentType.RESIDENT_ID, "110101199003074530", Sex.MALE),
        (DocumentType.RESIDENT_ID, "11010119900307221X", Sex.MALE),
        (DocumentType.RESIDENT_ID, "110101199003077221", Sex.FEMALE),
        (DocumentType.RESIDENT_ID, "11010519491231002X", Sex.FEMALE),
        (DocumentType.PERMANENT_RESIDENT, "911124198108030024", None),
        (DocumentType.HK_PERMIT, "H12345678", None),
        (DocumentType.MACAO_PERMIT, "M12345678", None),
        (DocumentType.TAIWAN_PERMIT, "12345678", None),
    ],
)
def test_the_sex_is_told_by_a_resident_cards_number_alone(kind: DocumentType, number: str, sex: Sex | None) -> None:
    assert Person(kind, "王秋秀", number).sex is sex
