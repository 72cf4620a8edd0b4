"""WeChat, as far as its documents tell: text/plain, 200 for every error, ``rid`` in the words."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from tests.vendors.stand import Reply, Seen, Stand

APP_ID: Final = "wx0000000000000001"
APP_SECRET: Final = "wechatHushSecret"

SESSION: Final = "/sns/jscode2session"
STABLE_TOKEN: Final = "/cgi-bin/stable_token"
GET_VERIFY_ID: Final = "/cityservice/face/identify/getverifyid"
QUERY: Final = "/cityservice/face/identify/queryverifyinfo"
PHONE: Final = "/wxa/business/getuserphonenumber"


def answer(body: dict[str, object]) -> web.Response:
    return web.Response(text=json.dumps(body), content_type="text/plain")


def error(errcode: int) -> web.Response:
    return answer({"errcode": errcode, "errmsg": "Hush said no, rid: 65a1b2c3-00000000-00000000"})


@dataclass
class WechatStand(Stand):
    codes: dict[str, str] = field(default_factory=dict)
    tokens: int = 0
    live_token: str = ""
    checks: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    verify_ret: object = 10300
    numbers: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    """Codes of the phone button, each with the openid it was given to and its ``phone_info``."""

    def replies(self) -> dict[str, Reply]:
        return {
            SESSION: self.session,
            STABLE_TOKEN: self.stable_token,
            GET_VERIFY_ID: self.get_verify_id,
            QUERY: self.query,
            PHONE: self.phone,
        }

    def session(self, seen: Seen) -> web.Response:
        expected = {"appid": APP_ID, "secret": APP_SECRET, "grant_type": "authorization_code"}
        if seen.method != "GET" or {**expected, "js_code": seen.query.get("js_code", "")} != seen.query:
            return error(40013)
        open_id = self.codes.pop(seen.query["js_code"], None)
        if open_id is None:
            return error(40029)
        return answer({"session_key": "SHVzaEh1c2hIdXNoSHVzaA==", "openid": open_id, "unionid": "uHush"})

    def stable_token(self, seen: Seen) -> web.Response:
        expected = {
            "grant_type": "client_credential",
            "appid": APP_ID,
            "secret": APP_SECRET,
            "force_refresh": False,
        }
        if seen.method != "POST" or seen.json != expected:
            return error(40125)
        if not self.live_token:
            self.tokens += 1
            self.live_token = f"tokenHush{self.tokens}"
        return answer({"access_token": self.live_token, "expires_in": 7200})

    def get_verify_id(self, seen: Seen) -> web.Response:
        if seen.query != {"access_token": self.live_token}:
            return error(40001)
        asked = seen.json
        info = asked["cert_info"]
        if set(asked) != {"out_seq_no", "cert_info", "openid"} or info["cert_type"] != "IDENTITY_CARD":
            return error(84013)
        if any(reference == asked["out_seq_no"] for reference, _, _ in self.checks.values()):
            return error(84019)
        packed = [base64.b64encode(info[key].encode()).decode() for key in ("cert_type", "cert_name", "cert_no")]
        digest = hashlib.sha256("cert_type={}&cert_name={}&cert_no={}".format(*packed).encode()).hexdigest()
        verify_id = f"verifyHush{len(self.checks) + 1}"
        self.checks[verify_id] = (asked["out_seq_no"], digest, asked["openid"])
        return answer({"errcode": 0, "errmsg": "ok", "verify_id": verify_id, "expires_in": 3600})

    def query(self, seen: Seen) -> web.Response:
        if seen.query != {"access_token": self.live_token}:
            return error(42001)
        asked = seen.json
        if asked["verify_id"] not in self.checks:
            return error(84022)
        reference, digest, open_id = self.checks[asked["verify_id"]]
        if asked["out_seq_no"] != reference:
            return error(84020)
        if asked["cert_hash"] != digest:
            return error(84018)
        if asked["openid"] != open_id:
            return error(84017)
        return answer({"errcode": 0, "errmsg": "ok", "verify_ret": self.verify_ret})

    def phone(self, seen: Seen) -> web.Response:
        if seen.query != {"access_token": self.live_token}:
            return error(40001)
        asked = seen.json
        if set(asked) - {"openid"} != {"code"} or asked["code"] not in self.numbers:
            return error(40029)
        open_id, info = self.numbers[asked["code"]]
        if asked.get("openid", open_id) != open_id:
            return error(40003)
        del self.numbers[asked["code"]]
        return answer({"errcode": 0, "errmsg": "ok", "phone_info": info})
