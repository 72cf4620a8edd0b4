"""H5人脸实名认证: a verify token is made, told about a person, filmed in a web page, and asked about.

One token may hold several attempts, in order. A good ``success`` says that the question was answered, not that the
person passed: that is ``is_verify_passed`` of ``getall``, or a ``score`` of ``detail`` at or above the plan's
threshold.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web
from yarl import URL

from bjidp.sandbox import camera
from bjidp.sandbox.baidu.answers import Answer, BaiduError, reply
from bjidp.sandbox.baidu.tokens import Tokens
from bjidp.sandbox.camera import Filmed, Outcome, VerificationOver
from bjidp.sandbox.clock import Clock, Instant, beijing_time
from bjidp.sandbox.credentials import BaiduApp
from bjidp.sandbox.entropy import Entropy, base64url, decimal
from bjidp.sandbox.expiring import Expiring
from bjidp.sandbox.people import DocumentType, Likeness, People, is_synthetic_document
from bjidp.sandbox.settings import BaiduRules

_CERTIFICATES: Final = {
    0: (DocumentType.RESIDENT_ID,),
    1: (DocumentType.HK_PERMIT, DocumentType.MACAO_PERMIT, DocumentType.TAIWAN_PERMIT),
    2: (DocumentType.PERMANENT_RESIDENT,),
}
"""``certificate_type`` by its number; nobody here has a document of 3 (passport) or 4 (residence permit)."""

_TOKEN_BAD: Final = ("283435", "Token无效或者已过期")
_BAD_PARAMETER: Final = ("283456", "参数错误")
_NOT_VERIFIED: Final = ("283460", "尚未核验")
"""Numbers of ours for what the documents tell in words alone."""


@dataclass(frozen=True, slots=True)
class _Finding:
    code: str
    message: str
    score: float | None


_FINDINGS: Final = {
    Likeness.SAME: _Finding("0", "核验成功", 93.4),
    Likeness.FACE_DIFFERS: _Finding("222361", "人脸比对不通过", 21.7),
    Likeness.NAME_DIFFERS: _Finding("222351", "身份证姓名不匹配", None),
    Likeness.NOBODY: _Finding("222354", "公安库里不存在此身份证号", None),
}
_NOT_ALIVE: Final = _Finding("223120", "活体检测不通过", None)


@dataclass(frozen=True, slots=True)
class _Attempt:
    finding: _Finding
    at: Instant

    @property
    def passed(self) -> bool:
        return self.finding.code == "0"


@dataclass(frozen=True, slots=True)
class _Subject:
    certificate_type: int
    document_type: DocumentType
    name: str
    number: str

    def confirm(self) -> dict[str, str]:
        return {"name": self.name, "idcard_number": self.number, "idcard_type": str(self.certificate_type)}


@dataclass(slots=True)
class _Verification:
    usable_until: Instant
    subject: _Subject | None = None
    attempts: list[_Attempt] = field(default_factory=list)


class Faceprint:
    """The face checks of one plan."""

    def __init__(
        self, *, clock: Clock, entropy: Entropy, app: BaiduApp, rules: BaiduRules, tokens: Tokens, people: People
    ) -> None:
        """Compare faces with ``people``."""
        self._clock = clock
        self._entropy = entropy
        self._app = app
        self._rules = rules
        self._tokens = tokens
        self._people = people
        self._verifications: Expiring[_Verification] = Expiring()

    async def generate(self, request: web.Request) -> web.StreamResponse:
        """Answer ``verifyToken/generate``."""
        return await self._handle(request, self._generate)

    async def submit(self, request: web.Request) -> web.StreamResponse:
        """Answer ``idcard/submit``."""
        return await self._handle(request, self._submit)

    async def detail(self, request: web.Request) -> web.StreamResponse:
        """Answer ``result/detail``."""
        return await self._handle(request, self._detail)

    async def get_all(self, request: web.Request) -> web.StreamResponse:
        """Answer ``result/getall``."""
        return await self._handle(request, self._get_all)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """Show the page ``/face/print/`` to a person."""
        verification = self._verifications.get(request.query.get("token", ""), self._clock.now())
        if verification is None or verification.subject is None or not self._is_open(verification):
            return camera.notice(_TOKEN_BAD[1], status=400)
        return camera.page("百度 人脸实名认证", request.rel_url.raw_path_qs)

    async def shown(self, request: web.Request) -> web.StreamResponse:
        """Take what the person chose on that page, and send them to the caller's address for it."""
        outcome = await camera.chosen(request)
        try:
            filmed = self.perform(request.query.get("token", ""), outcome) if outcome else None
        except VerificationOver:
            filmed = None
        if filmed is None:
            return camera.notice(_TOKEN_BAD[1], status=400)
        onward = request.query.get("successUrl" if filmed.passed else "failedUrl", "")
        if onward.startswith(("http://", "https://")):
            raise web.HTTPSeeOther(URL(onward))
        return camera.notice("核验流程结束，请返回应用")

    def perform(self, verification: str, outcome: Outcome) -> Filmed | None:
        """See :class:`bjidp.sandbox.camera.Camera`. The plan says whether a failed attempt may be repeated."""
        now = self._clock.now()
        found = self._verifications.get(verification, now)
        if found is None:
            return None
        if found.subject is None or not self._is_open(found):
            raise VerificationOver
        if outcome == "cancel":
            return Filmed("baidu", {"redirect": "failedUrl"}, passed=False)
        subject = found.subject
        likeness = self._people.likeness(subject.document_type, subject.name, subject.number)
        attempt = _Attempt(_NOT_ALIVE if outcome == "fail" else _FINDINGS[likeness], now)
        found.attempts.append(attempt)
        return Filmed("baidu", {"redirect": "successUrl" if attempt.passed else "failedUrl"}, passed=attempt.passed)

    def _is_open(self, verification: _Verification) -> bool:
        if self._clock.now() >= verification.usable_until:
            return False
        attempts = verification.attempts
        return not attempts or (self._rules.retry_after_failure and not attempts[-1].passed)

    async def _handle(self, request: web.Request, call: Callable[[Answer], object]) -> web.StreamResponse:
        log_id = decimal(self._entropy, 19)
        try:
            self._tokens.check_aip(request)
            result = call(_json_object(await request.read()))
        except BaiduError as error:
            return reply({**error.body, "log_id": log_id})
        return reply({"success": True, "result": result, "log_id": log_id})

    def _generate(self, body: Answer) -> object:
        plan = body.get("plan_id")
        # The documents say text, their example shows a number: both are taken.
        if plan not in (self._app.plan_id, str(self._app.plan_id)):
            raise _refusal(_BAD_PARAMETER)
        now = self._clock.now()
        token = base64url(self._entropy.octets(18))
        lifetime, kept = self._rules.verification_lifetime, self._rules.verdict_lifetime
        self._verifications.put(token, _Verification(now + lifetime), until=now + lifetime + kept, now=now)
        return {"verify_token": token}

    def _submit(self, body: Answer) -> object:
        verification = self._find(body)
        if not self._is_open(verification) or verification.attempts:
            raise _refusal(_TOKEN_BAD)
        name, number, kind = body.get("id_name"), body.get("id_no"), body.get("certificate_type", 0)
        if not isinstance(name, str) or not name or not isinstance(number, str):
            raise _refusal(_BAD_PARAMETER)
        if not isinstance(kind, int) or kind not in _CERTIFICATES:
            raise _refusal(_BAD_PARAMETER)
        for document_type in _CERTIFICATES[kind]:
            if is_synthetic_document(document_type, number):
                verification.subject = _Subject(kind, document_type, name, number)
                return 1
        raise _refusal(_BAD_PARAMETER)

    def _detail(self, body: Answer) -> object:
        verification = self._find(body)
        if verification.subject is None or not verification.attempts:
            raise _refusal(_NOT_VERIFIED)
        finding = verification.attempts[-1].finding
        confirm = verification.subject.confirm()
        return {
            "verify_result": {"score": finding.score or 0.0, "liveness_score": _liveness(finding), "spoofing": 0.0},
            "idcard_confirm": {"idcard_number": confirm["idcard_number"], "name": confirm["name"]},
            "idcard_ocr_result": {},
            "idcard_images": {},
        }

    def _get_all(self, body: Answer) -> object:
        verification = self._find(body)
        subject = verification.subject
        if subject is None or not verification.attempts:
            raise _refusal(_NOT_VERIFIED)
        return {
            "verify_count": len(verification.attempts),
            "ocr_charge_count": 0,
            "match_charge_count": 0,
            "verify_charge_count": sum(attempt.finding.score is not None for attempt in verification.attempts),
            "verify_result": [
                self._attempt(order, attempt, subject) for order, attempt in enumerate(verification.attempts, start=1)
            ],
        }

    def _attempt(self, order: int, attempt: _Attempt, subject: _Subject) -> Answer:
        at = beijing_time(attempt.at)
        charged = attempt.finding.score is not None
        return {
            "order": order,
            "is_verify_passed": attempt.passed,
            "code": attempt.finding.code,
            "message": attempt.finding.message,
            "verify_time": at,
            "is_charged": charged,
            "charge_type": "verify",
            "charge_time": at if charged else "",
            "verify_detail": {
                "score": attempt.finding.score,
                "threshold": self._rules.threshold,
                "face_image": "",
                "liveness_score": _liveness(attempt.finding),
                "spoofing_score": None,
                "risk_level": None,
                "risk_tag": None,
                "is_demote": False,
            },
            "idcard_confirm": subject.confirm(),
            "idcard_ocr_result": None,
            "idcard_images": None,
        }

    def _find(self, body: Answer) -> _Verification:
        token = body.get("verify_token")
        found = self._verifications.get(token, self._clock.now()) if isinstance(token, str) else None
        if found is None:
            raise _refusal(_TOKEN_BAD)
        return found


def _liveness(finding: _Finding) -> float:
    return 0.12 if finding is _NOT_ALIVE else 0.9998


def _json_object(octets: bytes) -> Answer:
    try:
        body = json.loads(octets)
    except (ValueError, RecursionError):
        raise _refusal(_BAD_PARAMETER) from None
    if not isinstance(body, dict):
        raise _refusal(_BAD_PARAMETER)
    return body


def _refusal(reason: tuple[str, str]) -> BaiduError:
    return BaiduError({"success": False, "code": reason[0], "message": reason[1]})
