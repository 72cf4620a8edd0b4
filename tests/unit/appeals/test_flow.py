"""The form of an appeal: what it takes, and what it keeps of it (RNV-8)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.appeals.attachments import LARGEST, NAME_LONGEST, Kind, Sent, kind_of, shown_name
from bjidp.appeals.flow import CONTACT_MOST, REASON_LEAST, REASON_MOST, Typed, faults

pytestmark = pytest.mark.req("RNV-8")

JPEG, PNG, PDF = b"\xff\xd8\xff\xe0 photo", b"\x89PNG\r\n\x1a\n photo", b"%PDF-1.7 page"
REASON = "我的身份证被别人的账号占用了。"
PHOTO = Sent("attachment_1", "a.jpg", JPEG)


def told(typed: Typed) -> list[tuple[str, str]]:
    return [(fault.field, fault.code) for fault in faults(typed)]


def test_a_reason_and_a_file_suffice() -> None:
    assert told(Typed(reason=REASON, files=(PHOTO,))) == []
    assert told(Typed(reason=REASON, contact="010-12345678", files=(PHOTO, Sent("attachment_3", "", PDF)))) == []


@pytest.mark.parametrize(
    ("reason", "fault"),
    [
        ("", "missing"),
        (" \r\n\t\u200b\u202e ", "missing"),
        ("字" * (REASON_LEAST - 1), "too_short"),
        ("字" * (REASON_MOST + 1), "too_long"),
    ],
)
def test_what_is_wrong_with_a_reason_is_said_beside_it(reason: str, fault: str) -> None:
    assert told(Typed(reason=reason, files=(PHOTO,))) == [("reason", fault)]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    files = (
        Sent("attachment_1", "a.jpg", b""),
        Sent("attachment_2", "b.jpg", b"MZ\x90 program"),
        Sent("attachment_3", "c.jpg", JPEG, too_large=True),
    )
    assert told(Typed(contact="1" * (CONTACT_MOST + 1), files=files)) == [
        ("reason", "missing"),
        ("contact", "too_long"),
        ("attachment_1", "empty"),
        ("attachment_2", "kind"),
        ("attachment_3", "too_large"),
    ]
    assert told(Typed(reason=REASON)) == [("attachment_1", "missing")]
    assert told(Typed(reason=REASON, files=(Sent("attachment_1", "", JPEG + b" " * LARGEST),))) == [
        ("attachment_1", "too_large")
    ]


@pytest.mark.attack("U1")
@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (JPEG, Kind.JPEG),
        (PNG, Kind.PNG),
        (PDF, Kind.PDF),
        (b"GIF89a", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", None),
        (b"<html>%PDF-1.7", None),
        (b"\n%PDF-1.7", None),
        (b"PK\x03\x04", None),
        (b"\xff\xd8", None),
        (b"", None),
    ],
)
def test_a_file_is_what_its_first_bytes_say(data: bytes, kind: Kind | None) -> None:
    assert kind_of(data) is kind


@given(st.text(max_size=60))
def test_what_is_kept_of_a_text_moves_no_cursor_and_hides_nothing(text: str) -> None:
    typed = Typed(reason=text, contact=text)
    for kept, allowed in ((typed.written, "\n"), (typed.reachable, "")):
        unseen = [character for character in kept if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]
        assert set(unseen) <= set(allowed)
        assert kept == kept.strip()
    assert Typed(reason=typed.written).written == typed.written
    assert Typed(contact=typed.reachable).reachable == typed.reachable


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("证明.pdf", "证明.pdf"),
        ("C:\\Users\\zhang\\证明.pdf", "证明.pdf"),
        ("../../etc/passwd", "passwd"),
        ("a\x1b[2Jb\u202egpj.exe", "a[2Jbgpj.exe"),
        ("", "-"),
        ("/", "-"),
    ],
)
def test_a_file_is_called_by_its_own_name_alone(name: str, shown: str) -> None:
    assert shown_name(name) == shown


@given(st.text())
def test_a_name_is_short_and_can_be_seen(name: str) -> None:
    shown = shown_name(name)
    assert 0 < len(shown) <= NAME_LONGEST
    assert not {"/", "\\"} & set(shown)
    assert not any(unicodedata.category(character).startswith("C") for character in shown)


def test_nothing_of_a_form_is_shown_where_it_is_printed() -> None:
    assert repr(Typed(reason=REASON, files=(PHOTO,))) == "Typed(***)"
    assert repr(PHOTO) == "Sent('attachment_1', ***)"
