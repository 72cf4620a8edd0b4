"""An account as its owner is shown it in 个人中心 (ACC-1). Pure.

Owns which values are shown and how much of each: nothing here is in clear, so a page cannot show more by mistake. The
sex is the one a resident card's number tells; for other documents it is what its holder has stated (RNV-2).
"""

from __future__ import annotations

from msgspec import Struct

from bjidp.accounts import masks
from bjidp.accounts.member_ports import Member
from bjidp.accounts.ports import Evidence
from bjidp.person import Sex
from bjidp.standing import Level


class Overview(Struct, frozen=True, kw_only=True):
    """The account, every value masked."""

    username: str
    has_password: bool
    phone: str | None
    mail: str | None
    sex: Sex | None
    ethnicity: str | None
    """A code of :mod:`bjidp.accounts.ethnicity`."""
    level: Level
    name: str | None
    """Whose identity it holds, None where it holds none."""
    document: str | None
    evidence: Evidence | None
    """How that was proved."""


def overview(member: Member) -> Overview:
    """Return what the account's owner is shown."""
    document = member.document
    return Overview(
        username=masks.mask_username(member.username),
        has_password=member.password is not None,
        phone=None if member.phone is None else masks.mask_phone(member.phone),
        mail=None if member.mail is None else masks.mask_mail(member.mail),
        sex=member.sex if document is None else document.sex or member.sex,
        ethnicity=member.ethnicity,
        level=member.standing.level,
        name=None if document is None else masks.mask_name(document.name),
        document=None if document is None else masks.mask_document(document.number),
        evidence=member.evidence,
    )
