"""Names, and the accounts that may have them."""

from __future__ import annotations

import functools
from datetime import date
from typing import Final

from msgspec.structs import replace

from bjidp.accounts.member_ports import Member
from bjidp.accounts.names import DocumentReadings, TypedName, read_name
from bjidp.accounts.ports import Evidence
from bjidp.clock import Instant
from bjidp.person import DocumentType, Person
from bjidp.proofing.documents import readings
from bjidp.standing import Level, Standing, Status

RESIDENT: Final = "11010519491231002X"
NOW: Final[Instant] = 1_800_000_000_000

documents: DocumentReadings = functools.partial(readings, today=date(2026, 11, 23))

MEMBER: Final = Member(
    standing=Standing(account="a" * 22, ref="r" * 22, level=Level.L2, status=Status.ACTIVE, name="张**"),
    username="zhang_san",
    phone="15012347931",
    phone_used_at=NOW,
    password="$argon2id$kept",
    document=Person(DocumentType.RESIDENT_ID, "张三", RESIDENT),
    evidence=Evidence.NAME_AND_NUMBER,
    sex=None,
    mail=None,
    ethnicity=None,
    created_at=NOW,
)
"""Somebody with a phone and an identity."""

PLAIN: Final = replace(MEMBER, document=None, evidence=None)
"""The same without an identity."""


def read(typed: str) -> TypedName:
    """Read what somebody typed."""
    return read_name(typed, documents)
