"""``cityservice/face/identify``: a face check is opened, filmed on the phone, and asked about.

The phone's ``wx.requestFacialVerify`` tells only that the flow ended; what counts is ``queryverifyinfo``, and there
only ``errcode`` 0 together with ``verify_ret`` 10000.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from bjidp.sandbox.camera import Filmed, Outcome, VerificationOver
from bjidp.sandbox.clock import DAY, SECOND, Clock, Instant
from bjidp.sandbox.entropy import Entropy, base64url
from bjidp.sandbox.expiring import Expiring
from bjidp.sandbox.openids import OpenIds
from bjidp.sandbox.people import DocumentType, Likeness, People, is_synthetic_document
from bjidp.sandbox.settings import WechatRules
from bjidp.sandbox.wechat.answers import Answer, WechatError, json_object
from bjidp.sandbox.wechat.tokens import AccessTokens

_OUT_SEQ_NO: Final = re.compile(r"[0-9A-Za-z_-]{5,32}")
_NAME_LIMIT: Final = 128

PASSED: Final = 10000
NUMBER_MISMATCH: Final = 10003
FACE_MISMATCH: Final = 10004
COMPARISON_FAILED: Final = 10012
ILLEGAL_ID: Final = 10017
NOT_IN_SOURCE: Final = 10026
NOT_DONE: Final = 10300

_VERDICTS: Final = {
    Likeness.SAME: PASSED,
    Likeness.FACE_DIFFERS: FACE_MISMATCH,
    Likeness.NAME_DIFFERS: NUMBER_MISMATCH,
    Likeness.NOBODY: NOT_IN_SOURCE,
}


@dataclass(slots=True)
class _Verification:
    out_seq_no: str
    open_id: str
    cert_type: str
    name: str
    number: str
    expires: Instant
    verdict: int = NOT_DONE


class Face:
    """The face checks of one app."""

    def __init__(
        self,
        *,
        clock: Clock,
        entropy: Entropy,
        rules: WechatRules,
        tokens: AccessTokens,
        open_ids: OpenIds,
        people: People,
    ) -> None:
        """Compare faces with ``people``."""
        self._clock = clock
        self._entropy = entropy
        self._rules = rules
        self._tokens = tokens
        self._open_ids = open_ids
        self._people = people
        self._verifications: Expiring[_Verification] = Expiring()
        self._used_numbers: Expiring[bool] = Expiring()

    async def getverifyid(self, request: web.Request) -> Answer:
        """Answer ``POST /cityservice/face/identify/getverifyid``."""
        self._tokens.check(request)
        body = await json_object(request)
        out_seq_no = _text(body, "out_seq_no", missing=84010)
        if not _OUT_SEQ_NO.fullmatch(out_seq_no):
            raise WechatError(84011)
        cert_type, name, number = _cert_info(body)
        open_id = _text(body, "openid", missing=84016)
        if not self._open_ids.is_wechat(open_id):
            raise WechatError(40003)
        now = self._clock.now()
        if self._used_numbers.get(out_seq_no, now):
            raise WechatError(84019)
        lifetime = self._rules.verification_lifetime
        # Kept beyond its end, so that a late question hears "expired" and not "never heard of it".
        kept_until = now + lifetime + DAY
        verify_id = base64url(self._entropy.octets(48))
        verification = _Verification(out_seq_no, open_id, cert_type, name, number, now + lifetime)
        self._used_numbers.put(out_seq_no, value=True, until=kept_until, now=now)
        self._verifications.put(verify_id, verification, until=kept_until, now=now)
        return {"errcode": 0, "errmsg": "ok", "verify_id": verify_id, "expires_in": lifetime // SECOND}

    async def queryverifyinfo(self, request: web.Request) -> Answer:
        """Answer ``POST /cityservice/face/identify/queryverifyinfo``."""
        self._tokens.check(request)
        body = await json_object(request)
        verify_id = _text(body, "verify_id", missing=84021)
        out_seq_no = _text(body, "out_seq_no", missing=84010)
        open_id = _text(body, "openid", missing=84016)
        now = self._clock.now()
        verification = self._verifications.get(verify_id, now)
        if verification is None:
            return _verdict(ILLEGAL_ID)
        if now >= verification.expires:
            raise WechatError(84022)
        if open_id != verification.open_id:
            raise WechatError(84017)
        if out_seq_no != verification.out_seq_no:
            raise WechatError(84020)
        expected = cert_hash(verification.cert_type, verification.name, verification.number)
        given = body.get("cert_hash")
        if not isinstance(given, str) or not hmac.compare_digest(given.encode(errors="replace"), expected.encode()):
            raise WechatError(84018)
        return _verdict(verification.verdict)

    def perform(self, verification: str, outcome: Outcome) -> Filmed | None:
        """See :class:`bjidp.sandbox.camera.Camera`. A person who cancels may begin again with the same verify_id."""
        now = self._clock.now()
        found = self._verifications.get(verification, now)
        if found is None:
            return None
        if now >= found.expires or found.verdict != NOT_DONE:
            raise VerificationOver
        match outcome:
            case "cancel":
                client: dict[str, str | int] = {"errMsg": "requestFacialVerify:fail cancel", "errCode": 90002}
                return Filmed("wechat", client, passed=False)
            case "fail":
                found.verdict = COMPARISON_FAILED
            case "pass":
                found.verdict = _VERDICTS[self._people.likeness(DocumentType.RESIDENT_ID, found.name, found.number)]
        # "ok" tells that the flow came to its end, whatever the verdict.
        client = {"errMsg": "requestFacialVerify:ok", "errCode": 0}
        return Filmed("wechat", client, passed=found.verdict == PASSED)


def cert_hash(cert_type: str, name: str, number: str) -> str:
    """Return the hash by which a query proves that it asks about the same person."""
    parts = {"cert_type": cert_type, "cert_name": name, "cert_no": number}
    joined = "&".join(f"{key}={base64.b64encode(value.encode()).decode()}" for key, value in parts.items())
    return hashlib.sha256(joined.encode()).hexdigest()


def _cert_info(body: Answer) -> tuple[str, str, str]:
    info = body.get("cert_info")
    if not isinstance(info, dict):
        raise WechatError(84012)
    if info.get("cert_type") != "IDENTITY_CARD":
        raise WechatError(84013)
    name, number = info.get("cert_name"), info.get("cert_no")
    if not isinstance(name, str) or not 0 < len(name) <= _NAME_LIMIT or not _is_utf8(name):
        raise WechatError(84014)
    if not isinstance(number, str) or not is_synthetic_document(DocumentType.RESIDENT_ID, number):
        raise WechatError(84015)
    return "IDENTITY_CARD", name, number


def _text(body: Answer, field: str, *, missing: int) -> str:
    value = body.get(field)
    if not isinstance(value, str) or not value:
        raise WechatError(missing)
    return value


def _is_utf8(text: str) -> bool:
    # JSON can carry half of a surrogate pair, which no UTF-8 text can.
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _verdict(verify_ret: int) -> Answer:
    return {"errcode": 0, "errmsg": "ok", "verify_ret": verify_ret}
