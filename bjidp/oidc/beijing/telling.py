"""What a site of the city's own interface is told of somebody (RP-5).

Owns the members of ``getUserInfo``. Who somebody is is told from L2 on alone, as it is to any site; the number of the
document is sealed with the site's secret, in a way that hides nothing from whoever has seen another answer: it is told
to nobody who may not read it in clear. Pure.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from typing import Final

from bjidp.accounts.member_ports import Member
from bjidp.entropy import from_base64url
from bjidp.oidc.beijing.sealing import sealed
from bjidp.person import DocumentType, Sex
from bjidp.standing import Level

VERSION: Final = "1.0"

KINDS: Final[dict[DocumentType, tuple[str, str]]] = {
    DocumentType.RESIDENT_ID: ("1", "中国居民身份证"),
    DocumentType.HK_PERMIT: ("8", "港澳居民来往内地通行证(香港)"),
    DocumentType.MACAO_PERMIT: ("7", "港澳居民来往内地通行证(澳门)"),
    DocumentType.TAIWAN_PERMIT: ("4", "台湾来往大陆通行证"),
    DocumentType.PERMANENT_RESIDENT: ("9", "外国人永久居留身份证"),
}
"""``certNoType`` and ``certNoTypeName``."""

_SEX: Final = {Sex.MALE: 0, Sex.FEMALE: 1}


def told(
    member: Member, *, client: str, secret: str, subject: str, ethnicity: Callable[[str], str]
) -> dict[str, object]:
    """Return the members for the ``client`` with ``secret``, which knows the person as ``subject``.

    ``ethnicity`` words the code of an ethnic group. What there is nothing of is an empty text, as sites expect it.
    """
    level = member.standing.level
    document = member.document if level >= Level.L2 else None
    kind, called = ("", "") if document is None else KINDS[document.document_type]
    sex = None if document is None else document.sex or member.sex
    return {
        "uniqueId": str(uuid.UUID(bytes=_octets(subject))),
        "userName": member.username,
        "certName": "" if document is None else document.name,
        "certNo": "" if document is None else sealed(document.number, secret),
        "certNoType": kind,
        "certNoTypeName": called,
        "certLevel": level.name,
        "sex": "" if sex is None else _SEX[sex],
        "birthDay": document.number[6:14] if document is not None and kind == "1" else "",
        "ethnicity": "" if member.ethnicity is None else ethnicity(member.ethnicity),
        "toonNo": toon_number(subject),
        "mobile": member.phone or "",
        "mail": member.mail or "",
        # A text by which a site could bring somebody who is not logged in here: there is none.
        "personToken": "",
        "clientId": client,
        "version": VERSION,
    }


def toon_number(subject: str) -> str:
    """Return twelve digits that stand for a person at one site, and for nobody at another."""
    return f"{int.from_bytes(hashlib.sha256(b'toonNo|' + _octets(subject)).digest()[:8]) % 10**12:012d}"


def _octets(subject: str) -> bytes:
    return from_base64url(subject)[:16]
