"""WeChat's face check: opened with a name and a number, judged by asking the server again.

Owns ``getverifyid`` and ``queryverifyinfo``. What ``wx.requestFacialVerify`` tells the phone is never read: its
success means that the camera was used, not that the face fits (attack B1). The query repeats verification, flow,
person and openid, and WeChat answers an error when one of them is not what the check was opened with (attack B2).
"""

from __future__ import annotations

import base64
import hashlib
from typing import Annotated, Final

from msgspec import Meta, Struct

from bjidp.errors import VendorUnavailable
from bjidp.person import DocumentType, Person
from bjidp.platforms import Platform
from bjidp.vendors.face import is_ours, require_ours
from bjidp.vendors.http import VendorHttp
from bjidp.vendors.ports.platforms import FaceRequest, FaceStart, FaceVerdict
from bjidp.vendors.wechat import codes
from bjidp.vendors.wechat.token import WechatCalls
from bjidp.vendors.wechat.verify_ret import VERDICTS

_CERT_TYPE: Final = "IDENTITY_CARD"


class _CertInfo(Struct, frozen=True):
    cert_type: str
    cert_name: str
    cert_no: str


class _GetVerifyId(Struct, frozen=True):
    out_seq_no: str
    cert_info: _CertInfo
    openid: str


class _VerifyId(Struct, frozen=True):
    errcode: int = codes.OK
    verify_id: Annotated[str, Meta(min_length=1, max_length=256)] | None = None


class _QueryVerifyInfo(Struct, frozen=True):
    verify_id: str
    out_seq_no: str
    cert_hash: str
    openid: str


class _VerifyInfo(Struct, frozen=True):
    errcode: int = codes.OK
    verify_ret: int | None = None


def cert_hash(person: Person) -> str:
    """Return WeChat's digest of the person: SHA-256 of the three values, each in Base64, in a fixed order."""
    fields = {"cert_type": _CERT_TYPE, "cert_name": person.name, "cert_no": person.number}
    text = "&".join(f"{name}={base64.b64encode(value.encode()).decode()}" for name, value in fields.items())
    return hashlib.sha256(text.encode()).hexdigest()


class WechatFace:
    """Implements :class:`bjidp.vendors.ports.platforms.FaceCheck`."""

    documents: frozenset[DocumentType] = frozenset({DocumentType.RESIDENT_ID})

    def __init__(self, http: VendorHttp, calls: WechatCalls, *, app_id: str) -> None:
        """Check faces of users of the mini-program ``app_id``."""
        self._http = http
        self._calls = calls
        self.app_id = app_id

    async def start(self, request: FaceRequest) -> FaceStart:
        require_ours(request, Platform.WECHAT, self.app_id, self.documents)
        operation = "getverifyid"
        answer = await self._calls.post(
            operation,
            "/cityservice/face/identify/getverifyid",
            _GetVerifyId(
                out_seq_no=request.reference,
                cert_info=_CertInfo(_CERT_TYPE, request.person.name, request.person.number),
                openid=request.identity.open_id,
            ),
            _VerifyId,
        )
        if answer.errcode != codes.OK:
            codes.unavailable(self._http, operation, answer.errcode)
        if answer.verify_id is None:
            self._http.alarm(operation, "no_verify_id")
            raise VendorUnavailable
        return FaceStart(verification=answer.verify_id, client={"verify_id": answer.verify_id})

    async def verdict(self, request: FaceRequest, verification: str) -> FaceVerdict:
        if not is_ours(request, Platform.WECHAT, self.app_id, self.documents):
            return FaceVerdict.FAILED
        operation = "queryverifyinfo"
        answer = await self._calls.post(
            operation,
            "/cityservice/face/identify/queryverifyinfo",
            _QueryVerifyInfo(
                verify_id=verification,
                out_seq_no=request.reference,
                cert_hash=cert_hash(request.person),
                openid=request.identity.open_id,
            ),
            _VerifyInfo,
        )
        if answer.errcode in codes.VERIFICATION_FOREIGN:
            self._http.refused(operation, str(answer.errcode))
            return FaceVerdict.FAILED
        if answer.errcode != codes.OK:
            codes.unavailable(self._http, operation, answer.errcode)
        return self._judged(operation, answer.verify_ret)

    def _judged(self, operation: str, verify_ret: int | None) -> FaceVerdict:
        verdict = None if verify_ret is None else VERDICTS.get(verify_ret)
        if verdict is None:
            self._http.alarm(operation, "no_verify_ret" if verify_ret is None else str(verify_ret))
            raise VendorUnavailable
        return verdict
