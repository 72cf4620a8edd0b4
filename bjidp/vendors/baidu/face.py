"""Baidu's face check: the H5 scheme of its cloud.

Owns ``faceprint``: a verify token is generated, a name and a number are submitted for it, the phone opens a page with
it, and the result is asked for. ``result/getall`` is asked rather than ``result/detail``, which tells scores and
leaves the judging to us. Baidu knows no openid here, so what binds the check to a user is the record of our own that
holds the verify token, and that the page lets its user submit a name of his own is why the result's person is
compared with the one asked for (attack B2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import urlencode

from msgspec import Meta, Struct

from bjidp.errors import VendorUnavailable
from bjidp.person import DocumentType, Person
from bjidp.platforms import Platform
from bjidp.vendors.baidu.token import AipCalls
from bjidp.vendors.face import is_ours, require_ours
from bjidp.vendors.http import VendorHttp
from bjidp.vendors.ports.platforms import FaceRequest, FaceStart, FaceVerdict

_BASE: Final = "/rpc/2.0/brain/solution/faceprint"
_GENERATE: Final = "faceprint.generate"
_SUBMIT: Final = "faceprint.submit"
_RESULT: Final = "faceprint.getall"
_PASSED: Final = 0

_CERTIFICATE_TYPES: Final[Mapping[DocumentType, int]] = {
    DocumentType.RESIDENT_ID: 0,
    DocumentType.HK_PERMIT: 1,
    DocumentType.MACAO_PERMIT: 1,
    DocumentType.TAIWAN_PERMIT: 1,
    DocumentType.PERMANENT_RESIDENT: 2,
}


class _Generate(Struct, frozen=True):
    plan_id: int


class _VerifyToken(Struct, frozen=True):
    verify_token: Annotated[str, Meta(min_length=1, max_length=256)]


class _Generated(Struct, frozen=True):
    success: bool = False
    error_code: int = 0
    code: int | str | None = None
    result: _VerifyToken | None = None


class _Submit(Struct, frozen=True):
    verify_token: str
    id_name: str
    id_no: str
    certificate_type: int


class _Submitted(Struct, frozen=True):
    success: bool = False
    error_code: int = 0
    code: int | str | None = None


class _Confirmed(Struct, frozen=True):
    name: str | None = None
    idcard_number: str | None = None


class _Attempt(Struct, frozen=True):
    order: int = 0
    is_verify_passed: bool | int = False
    code: int | str | None = None
    idcard_confirm: _Confirmed | None = None


class _Attempts(Struct, frozen=True):
    verify_result: list[_Attempt] | None = None


class _Result(Struct, frozen=True):
    success: bool = False
    error_code: int = 0
    code: int | str | None = None
    result: _Attempts | None = None


class BaiduFace:
    """Implements :class:`bjidp.vendors.ports.platforms.FaceCheck`."""

    documents: frozenset[DocumentType] = frozenset(_CERTIFICATE_TYPES)

    def __init__(
        self,
        http: VendorHttp,
        calls: AipCalls,
        *,
        app_key: str,
        plan_id: int,
        page: str,
        success_url: str,
        failed_url: str,
    ) -> None:
        """Check faces of users of the smart program of ``app_key`` under the cloud's plan ``plan_id``.

        ``page`` is Baidu's H5 page; it leads on to ``success_url`` or ``failed_url``, which tell nobody anything.
        """
        self._http = http
        self._calls = calls
        self.app_id = app_key
        self._plan_id = plan_id
        self._page = page
        self._success_url = success_url
        self._failed_url = failed_url

    async def start(self, request: FaceRequest) -> FaceStart:
        require_ours(request, Platform.BAIDU, self.app_id, self.documents)
        generated = await self._calls.post(
            _GENERATE, f"{_BASE}/verifyToken/generate", _Generate(self._plan_id), _Generated
        )
        if not generated.success or generated.result is None:
            raise self._unavailable(_GENERATE, generated.code)
        token = generated.result.verify_token
        submitted = await self._calls.post(
            _SUBMIT,
            f"{_BASE}/idcard/submit",
            _Submit(
                verify_token=token,
                id_name=request.person.name,
                id_no=request.person.number,
                certificate_type=_CERTIFICATE_TYPES[request.person.document_type],
            ),
            _Submitted,
        )
        if not submitted.success:
            raise self._unavailable(_SUBMIT, submitted.code)
        query = urlencode({"token": token, "successUrl": self._success_url, "failedUrl": self._failed_url})
        return FaceStart(verification=token, client={"url": f"{self._page}?{query}"})

    async def verdict(self, request: FaceRequest, verification: str) -> FaceVerdict:
        if not is_ours(request, Platform.BAIDU, self.app_id, self.documents):
            return FaceVerdict.FAILED
        answer = await self._calls.post(_RESULT, f"{_BASE}/result/getall", _VerifyToken(verification), _Result)
        if not answer.success:
            # No published code tells "not yet" from "no such token"; neither is a pass, and our own deadline ends both.
            self._http.refused(_RESULT, str(answer.code))
            return FaceVerdict.PENDING
        attempts = (answer.result.verify_result if answer.result else None) or []
        if not attempts:
            return FaceVerdict.PENDING
        last = max(attempts, key=lambda attempt: attempt.order)
        if not last.is_verify_passed or str(last.code) != str(_PASSED):
            return FaceVerdict.FAILED
        if not _is_about(request.person, last.idcard_confirm):
            self._http.alarm(_RESULT, "other_person")
            return FaceVerdict.FAILED
        return FaceVerdict.PASSED

    def _unavailable(self, operation: str, code: int | str | None) -> VendorUnavailable:
        self._http.alarm(operation, "no_result" if code is None else str(code))
        return VendorUnavailable()


def _is_about(person: Person, seen: _Confirmed | None) -> bool:
    return seen is not None and seen.name == person.name and (seen.idcard_number or "").upper() == person.number
