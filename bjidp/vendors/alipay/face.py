"""Alipay's face check: opened with a name and a number, run by the phone at a signed address, judged by asking again.

Owns ``alipay.user.certify.open.initialize``, ``certify`` and ``query``. The ``resultStatus`` the phone gets is never
read (attack B1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from bjidp.person import DocumentType
from bjidp.platforms import Platform
from bjidp.vendors.alipay.gateway import AlipayGateway, Refusal
from bjidp.vendors.face import is_ours, require_ours
from bjidp.vendors.ports.platforms import FaceRequest, FaceStart, FaceVerdict

_INITIALIZE: Final = "alipay.user.certify.open.initialize"
_CERTIFY: Final = "alipay.user.certify.open.certify"
_QUERY: Final = "alipay.user.certify.open.query"
_NO_SUCH_CHECK: Final = "OPEN_CERTIFY_BILL_NOT_EXIST"

# An Alipay account number, which older apps get in place of an open_id.
_USER_ID: Final = re.compile(r"2088\d{12}")

_CERT_TYPES: Final[Mapping[DocumentType, str]] = {
    DocumentType.RESIDENT_ID: "IDENTITY_CARD",
    DocumentType.HK_PERMIT: "HOME_VISIT_PERMIT_HK_MC",
    DocumentType.MACAO_PERMIT: "HOME_VISIT_PERMIT_HK_MC",
    DocumentType.TAIWAN_PERMIT: "HOME_VISIT_PERMIT_TAIWAN",
}


class _Certified(Struct, frozen=True):
    certify_id: Annotated[str, Meta(min_length=1, max_length=64)]


class _Result(Struct, frozen=True):
    passed: Literal["T", "F"]
    fail_reason: str | None = None
    identity_info: str | None = None


class _IdentityInfo(Struct, frozen=True):
    cert_name: str | None = None
    cert_no: str | None = None
    open_id: str | None = None
    user_id: str | None = None


class AlipayFace:
    """Implements :class:`bjidp.vendors.ports.platforms.FaceCheck`."""

    documents: frozenset[DocumentType] = frozenset(_CERT_TYPES)

    def __init__(self, gateway: AlipayGateway, *, app_id: str, biz_code: str, return_url: str, page: str) -> None:
        """Check faces of users of the mini-program ``app_id``.

        ``biz_code`` is the product the contract is for; ``return_url`` is where a check that was opened in a browser
        leads back to; ``page`` is the gateway's address as phones reach it.
        """
        self._gateway = gateway
        self.app_id = app_id
        self._biz_code = biz_code
        self._return_url = return_url
        self._page = page

    async def start(self, request: FaceRequest) -> FaceStart:
        require_ours(request, Platform.ALIPAY, self.app_id, self.documents)
        person = request.person
        business = {
            "outer_order_no": request.reference,
            "biz_code": self._biz_code,
            "identity_param": {
                "identity_type": "CERT_INFO",
                "cert_type": _CERT_TYPES[person.document_type],
                "cert_name": person.name,
                "cert_no": person.number,
                _holder(request): request.identity.open_id,
            },
            # We keep the verdict and nothing of the face; Alipay need not keep it for us either (attack B7).
            "merchant_config": {"return_url": self._return_url, "face_reserve_strategy": "never"},
        }
        answer = await self._gateway.execute(_INITIALIZE, _biz_content(business), _Certified)
        if isinstance(answer, Refusal):
            raise self._gateway.unavailable(_INITIALIZE, answer)
        certify_id = answer.certify_id
        url = self._gateway.page(self._page, _CERTIFY, _biz_content({"certify_id": certify_id}))
        return FaceStart(verification=certify_id, client={"certify_id": certify_id, "url": url})

    async def verdict(self, request: FaceRequest, verification: str) -> FaceVerdict:
        if not is_ours(request, Platform.ALIPAY, self.app_id, self.documents):
            return FaceVerdict.FAILED
        answer = await self._gateway.execute(_QUERY, _biz_content({"certify_id": verification}), _Result)
        if isinstance(answer, Refusal):
            if answer.sub_code == _NO_SUCH_CHECK:
                self._gateway.refused(_QUERY, answer)
                return FaceVerdict.FAILED
            raise self._gateway.unavailable(_QUERY, answer)
        if answer.passed == "F":
            # F alone is also the answer before the person is done; only a reason tells that it is final.
            return FaceVerdict.FAILED if answer.fail_reason else FaceVerdict.PENDING
        if not self._is_about(request, answer.identity_info):
            return FaceVerdict.FAILED
        return FaceVerdict.PASSED

    def _is_about(self, request: FaceRequest, identity_info: str | None) -> bool:
        """Return whether nothing Alipay tells of the person it saw speaks against ``request`` (attack B2)."""
        if not identity_info:
            return True
        try:
            seen = msgspec.json.decode(identity_info, type=_IdentityInfo)
        except (msgspec.DecodeError, RecursionError):
            seen = None
        if seen is None:
            raise self._gateway.lying(_QUERY, "malformed")
        told = (
            (seen.cert_name, request.person.name),
            (seen.cert_no, request.person.number),
            (getattr(seen, _holder(request)), request.identity.open_id),
        )
        # A value with asterisks is masked: it proves nothing either way.
        if all(value == ours for value, ours in told if value and "*" not in value):
            return True
        self._gateway.lying(_QUERY, "other_person")
        return False


def _holder(request: FaceRequest) -> Literal["user_id", "open_id"]:
    return "user_id" if _USER_ID.fullmatch(request.identity.open_id) else "open_id"


def _biz_content(business: Mapping[str, object]) -> dict[str, str]:
    return {"biz_content": msgspec.json.encode(business).decode()}
