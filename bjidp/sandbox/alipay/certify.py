"""``alipay.user.certify.open.*``: a face check is opened, filmed, and asked about.

``certify`` is no call: its signed address is opened by the person's phone. ``passed`` is ``F`` for a failed check and
for one that has not been made yet, alike.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from bjidp.sandbox import camera
from bjidp.sandbox.alipay.errors import Node, failed
from bjidp.sandbox.alipay.gateway import Parameters
from bjidp.sandbox.camera import Filmed, Outcome, VerificationOver
from bjidp.sandbox.clock import Clock
from bjidp.sandbox.entropy import Entropy, hexadecimal
from bjidp.sandbox.expiring import Expiring
from bjidp.sandbox.people import DocumentType, Likeness, People, is_synthetic_document
from bjidp.sandbox.settings import AlipayRules

CAMERA_PATH: Final = "/alipay/camera/"

_ORDER: Final = re.compile(r"[0-9A-Za-z]{1,32}")
_BIZ_CODES: Final = frozenset({"FACE", "CERT_PHOTO", "CERT_PHOTO_FACE", "SMART_FACE"})
_DOCUMENTS: Final = {
    "IDENTITY_CARD": (DocumentType.RESIDENT_ID,),
    "HOME_VISIT_PERMIT_HK_MC": (DocumentType.HK_PERMIT, DocumentType.MACAO_PERMIT),
    "HOME_VISIT_PERMIT_TAIWAN": (DocumentType.TAIWAN_PERMIT,),
}
"""Alipay's two residence permits are not here: no synthetic person has one."""
_IDENTITY_LIMIT: Final = 4096

_REASONS: Final = {
    Likeness.SAME: "",
    Likeness.FACE_DIFFERS: "人脸比对不通过",
    Likeness.NAME_DIFFERS: "姓名与证件号码不匹配",
    Likeness.NOBODY: "证件号码不存在",
}


@dataclass(slots=True)
class _Certification:
    identity: dict[str, str]
    document_type: DocumentType
    return_url: str
    passed: bool | None = None
    reason: str = ""


class Certify:
    """The face checks of one app."""

    def __init__(self, *, clock: Clock, entropy: Entropy, rules: AlipayRules, people: People) -> None:
        """Compare faces with ``people``."""
        self._clock = clock
        self._entropy = entropy
        self._rules = rules
        self._people = people
        self._certifications: Expiring[_Certification] = Expiring()
        self._orders: Expiring[bool] = Expiring()

    def initialize(self, parameters: Parameters) -> Node:
        """Answer ``alipay.user.certify.open.initialize``."""
        biz = _biz_content(parameters)
        order = biz.get("outer_order_no")
        if not isinstance(order, str) or not _ORDER.fullmatch(order):
            raise _wrong("outer_order_no")
        if biz.get("biz_code") not in _BIZ_CODES:
            raise failed("UNSUPPORTED_BIZ_CODE", "不支持的biz_code")
        document_type, identity = _identity(biz)
        return_url = _object(biz.get("merchant_config"), "merchant_config").get("return_url")
        if not isinstance(return_url, str) or not return_url:
            raise _wrong("merchant_config.return_url")
        now = self._clock.now()
        if self._orders.get(order, now):
            raise failed("OUTER_ORDER_NO_REPEAT", "商户请求号重复")
        self._orders.put(order, value=True, until=now + self._rules.verdict_lifetime, now=now)
        certify_id = hexadecimal(self._entropy, 32)
        certification = _Certification(identity, document_type, return_url)
        self._certifications.put(certify_id, certification, until=now + self._rules.certification_lifetime, now=now)
        return {"code": "10000", "msg": "Success", "certify_id": certify_id}

    def query(self, parameters: Parameters) -> Node:
        """Answer ``alipay.user.certify.open.query``."""
        certification = self._find(parameters)[1]
        node: Node = {"code": "10000", "msg": "Success", "passed": "T" if certification.passed else "F"}
        if certification.passed:
            node["identity_info"] = json.dumps(certification.identity, ensure_ascii=False)
            node["material_info"] = "{}"
        elif certification.reason:
            node["fail_reason"] = certification.reason
        return node

    def certify(self, parameters: Parameters) -> web.Response:
        """Show the page behind the signed address of ``alipay.user.certify.open.certify``."""
        certify_id, certification = self._find(parameters)
        if certification.passed is not None:
            return camera.notice("本次认证已经结束")
        return camera.page("支付宝 身份认证", CAMERA_PATH + certify_id)

    async def camera(self, request: web.Request) -> web.StreamResponse:
        """Take what the person chose on that page, and send them back to the caller's address."""
        certify_id = request.match_info["certify_id"]
        outcome = await camera.chosen(request)
        certification = self._certifications.get(certify_id, self._clock.now())
        if outcome is None or certification is None:
            return camera.notice("认证请求无效", status=400)
        try:
            self.perform(certify_id, outcome)
        except VerificationOver:
            return camera.notice("本次认证已经结束", status=400)
        if certification.return_url.startswith(("http://", "https://")):
            raise web.HTTPSeeOther(certification.return_url)
        return camera.notice("认证流程结束，请返回应用")

    def perform(self, verification: str, outcome: Outcome) -> Filmed | None:
        """See :class:`bjidp.sandbox.camera.Camera`. A person who cancels may begin again with the same certify_id."""
        now = self._clock.now()
        found = self._certifications.get(verification, now)
        if found is None:
            return None
        if found.passed is not None:
            raise VerificationOver
        if outcome == "cancel":
            return Filmed("alipay", {"resultStatus": "6001"}, passed=False)
        likeness = self._people.likeness(found.document_type, found.identity["cert_name"], found.identity["cert_no"])
        found.passed = outcome == "pass" and likeness is Likeness.SAME
        found.reason = "活体检测不通过" if outcome == "fail" else _REASONS[likeness]
        # A verdict can be asked for much longer than the check could be made.
        self._certifications.put(verification, found, until=now + self._rules.verdict_lifetime, now=now)
        return Filmed("alipay", {"resultStatus": "9000" if found.passed else "4000"}, passed=found.passed)

    def _find(self, parameters: Parameters) -> tuple[str, _Certification]:
        certify_id = _biz_content(parameters).get("certify_id")
        if not isinstance(certify_id, str) or not certify_id:
            raise _wrong("certify_id")
        found = self._certifications.get(certify_id, self._clock.now())
        if found is None:
            raise failed("OPEN_CERTIFY_BILL_NOT_EXIST", "无效的certify_id")
        return certify_id, found


def _identity(biz: dict[str, Any]) -> tuple[DocumentType, dict[str, str]]:
    given = biz.get("identity_param")
    if isinstance(given, str) and len(given) > _IDENTITY_LIMIT:
        raise _wrong("identity_param")
    identity = _object(given, "identity_param")
    if identity.get("identity_type") != "CERT_INFO":
        raise _wrong("identity_param.identity_type")
    cert_type, name, number = identity.get("cert_type"), identity.get("cert_name"), identity.get("cert_no")
    if not isinstance(cert_type, str) or cert_type not in _DOCUMENTS:
        raise _wrong("identity_param.cert_type")
    if not isinstance(name, str) or not name:
        raise _wrong("identity_param.cert_name")
    if not isinstance(number, str):
        raise _wrong("identity_param.cert_no")
    asked = {"identity_type": "CERT_INFO", "cert_type": cert_type, "cert_name": name, "cert_no": number}
    for holder in ("open_id", "user_id"):
        if isinstance(identity.get(holder), str):
            asked[holder] = identity[holder]
    for document_type in _DOCUMENTS[cert_type]:
        if is_synthetic_document(document_type, number):
            return document_type, asked
    raise _wrong("identity_param.cert_no")


def _biz_content(parameters: Parameters) -> dict[str, Any]:
    return _object(parameters.get("biz_content"), "biz_content")


def _object(value: object, name: str) -> dict[str, Any]:
    """Return a JSON object that callers send as an object or, as older documents say, as text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise _wrong(name) from None
    if not isinstance(value, dict):
        raise _wrong(name)
    return value


def _wrong(name: str) -> Exception:
    return failed("INVALID_PARAMETER", f"参数有误：{name}")
