"""One field takes a username, a mobile number or a document number, however it is written."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.accounts.identifiers import IdentifierKind, of_document_number, of_phone, of_username
from bjidp.accounts.names import TYPED_LONGEST, TypedName, read_name
from bjidp.accounts.username import username_fault
from bjidp.person import DocumentType
from bjidp.privacy.framing import framed
from bjidp.proofing.documents import readings

RESIDENT = "11010519491231002X"
WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}

documents = functools.partial(readings, today=date(2026, 11, 23))


def read(typed: str) -> TypedName:
    return read_name(typed, documents)


@pytest.mark.req("LOG-3", "REC-1")
@pytest.mark.parametrize(
    "typed",
    ["15400000001", " 15400000001\n", "+86 154-0000-0001", "15400000001".translate(WIDE), "0086 15400000001"],
)
def test_a_mobile_number_is_one_in_every_spelling(typed: str) -> None:
    name = read(typed)
    assert name.identifiers[0] == of_phone("15400000001")
    assert (name.kind, name.shown) == (IdentifierKind.PHONE, "154****0001")
    assert name.parts == read("15400000001").parts


@pytest.mark.req("LOG-3", "REC-1")
@pytest.mark.parametrize(
    ("typed", "document_type", "number"),
    [
        (RESIDENT, DocumentType.RESIDENT_ID, RESIDENT),
        ("11010519491231002x", DocumentType.RESIDENT_ID, RESIDENT),
        ("110105 19491231 002x", DocumentType.RESIDENT_ID, RESIDENT),
        (RESIDENT.translate(WIDE), DocumentType.RESIDENT_ID, RESIDENT),
        ("610104620927690", DocumentType.RESIDENT_ID, "610104196209276908"),
        ("932682198501010017", DocumentType.PERMANENT_RESIDENT, "932682198501010017"),
        ("kaz110090123105", DocumentType.PERMANENT_RESIDENT, "KAZ110090123105"),
        ("h1234567801", DocumentType.HK_PERMIT, "H12345678"),
        ("M12345678", DocumentType.MACAO_PERMIT, "M12345678"),
        ("12345678", DocumentType.TAIWAN_PERMIT, "12345678"),
    ],
)
def test_a_document_number_is_read_by_the_rules_of_its_kind(
    typed: str, document_type: DocumentType, number: str
) -> None:
    name = read(typed)
    assert name.identifiers[0] == of_document_number(document_type, number)
    assert name.kind is IdentifierKind.DOCUMENT
    assert name.parts == read(number).parts
    assert name.shown == read(number).shown
    assert name.shown.startswith("***********")


@pytest.mark.req("LOG-3", "REC-1")
@pytest.mark.parametrize("typed", ["Zhang_San", "zhang_san", " ZHANG_SAN ", "Ｚｈａｎｇ＿Ｓａｎ"])
def test_a_username_is_one_in_capitals_and_in_full_width(typed: str) -> None:
    assert read(typed).identifiers == (of_username("zhang_san"),)


@pytest.mark.req("REC-2")
def test_a_username_is_repeated_by_its_ends_and_one_of_the_systems_by_its_last_seven() -> None:
    assert read("Zhang_San").shown == "Z***********n"
    assert read("bjt_23456789012").shown == "******6789012"


@pytest.mark.req("REG-8", "LOG-3")
def test_a_permits_number_that_may_be_a_username_is_its_holders_first() -> None:
    assert username_fault("H12345678") is None
    assert read("H12345678").identifiers == (
        of_document_number(DocumentType.HK_PERMIT, "H12345678"),
        of_username("H12345678"),
    )


@pytest.mark.attack("Q27")
@pytest.mark.parametrize(
    "typed", ["", " ", "\ud800", "😀" * 20, "张三", "ſmith_1", "zhang\u212a", "x" * 100_000, "\x00", "\u202eabcdef"]
)
def test_garbage_is_a_name_that_nobody_can_have(typed: str) -> None:
    name = read(typed)
    assert [identifier.kind for identifier in name.identifiers] == [IdentifierKind.USERNAME]
    assert username_fault(name.identifiers[0].value[0]) is not None
    assert name.shown == "*************"


@pytest.mark.attack("Q27")
def test_a_text_longer_than_any_name_is_not_cut_to_somebodys() -> None:
    assert read("15400000001" + " " * TYPED_LONGEST).kind is IdentifierKind.USERNAME
    assert read(RESIDENT + "9" * TYPED_LONGEST).parts == read("").parts


@given(st.text() | st.from_regex(r"[0-9A-Za-z_xX]{5,20}", fullmatch=True))
def test_whatever_is_typed_has_a_reading_that_can_be_digested_and_a_mask_of_one_width(typed: str) -> None:
    name = read(typed)
    assert framed(*name.parts)
    assert len(name.shown) == {"phone": 11, "document": 15, "username": 13}[name.kind]
    assert name.shown.count("*") >= 4


@pytest.mark.attack("R1")
def test_every_text_is_tried_as_a_document() -> None:
    asked: list[str] = []

    def spy(text: str) -> Sequence[tuple[DocumentType, str]]:
        asked.append(text)
        return ()

    for typed in ("15400000001", RESIDENT, "zhang_san", "\ud800"):
        read_name(typed, spy)
    assert asked == ["15400000001", RESIDENT, "zhang_san", "\ud800"]


@pytest.mark.req("PRV-1")
def test_a_name_is_not_printed() -> None:
    printed = f"{read('15400000001')!r} {read('zhang_san')}"
    assert printed == "TypedName(phone, ***) TypedName(username, ***)"
