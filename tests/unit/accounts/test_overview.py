"""What of an account is shown in 个人中心, and that nothing of it is in clear."""

from __future__ import annotations

from typing import Final

import pytest
from msgspec.structs import replace

from bjidp.accounts.member_ports import Member
from bjidp.accounts.overview import overview
from bjidp.accounts.ports import Evidence
from bjidp.person import DocumentType, Person, Sex
from bjidp.standing import Level, Standing, Status

CLEAR: Final = (
    "bjt_24563217931",
    "18012349749",
    "qiuxiu@example.com",
    "王秋秀",
    "11010119900307261X",
    "$argon2id$kept",
)

MEMBER: Final = Member(
    standing=Standing("a" * 22, "r" * 22, Status.ACTIVE, "王**", Level.L3),
    username=CLEAR[0],
    phone=CLEAR[1],
    phone_used_at=None,
    password=CLEAR[5],
    document=Person(DocumentType.RESIDENT_ID, CLEAR[3], CLEAR[4]),
    evidence=Evidence.FACE,
    sex=None,
    mail=CLEAR[2],
    ethnicity="HA",
    created_at=1_800_000_000_000,
)


@pytest.mark.req("ACC-1")
def test_values_are_masked_as_in_the_manual() -> None:
    shown = overview(MEMBER)
    assert (shown.username, shown.phone, shown.mail) == ("******3217931", "180****9749", "q***@example.com")
    assert (shown.name, shown.document) == ("王**", "***********261X")
    assert (shown.sex, shown.ethnicity, shown.has_password) == (Sex.MALE, "HA", True)
    assert (shown.level, shown.evidence) == (Level.L3, Evidence.FACE)


@pytest.mark.req("PRV-1", "ACC-1")
def test_nothing_of_an_account_is_shown_in_clear() -> None:
    assert not [value for value in CLEAR if value in repr(overview(MEMBER))]


@pytest.mark.req("ACC-1")
def test_what_an_account_does_not_have_is_shown_as_nothing() -> None:
    bare = replace(MEMBER, phone=None, password=None, document=None, evidence=None, mail=None, ethnicity=None)
    shown = overview(bare)
    assert not shown.has_password
    values = (shown.phone, shown.mail, shown.sex, shown.ethnicity, shown.name, shown.document, shown.evidence)
    assert values == (None,) * 7
