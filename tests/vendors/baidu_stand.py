"""Baidu's login and its cloud's H5 face check, as far as its documents tell; errors in both dialects."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from tests.vendors.stand import Reply, Seen, Stand

APP_KEY: Final = "baiduAppKey0001"
APP_SECRET: Final = "baiduHushSecret"
AIP_KEY: Final = "aipApiKey0001"
AIP_SECRET: Final = "aipHushSecret"
PLAN: Final = 16144

SESSION: Final = "/oauth/jscode2sessionkey"
TOKEN: Final = "/oauth/2.0/token"
GENERATE: Final = "/rpc/2.0/brain/solution/faceprint/verifyToken/generate"
SUBMIT: Final = "/rpc/2.0/brain/solution/faceprint/idcard/submit"
GET_ALL: Final = "/rpc/2.0/brain/solution/faceprint/result/getall"


def answer(body: dict[str, Any]) -> web.Response:
    return web.Response(text=json.dumps(body), content_type="application/json")


def parameter_error(field_name: str) -> dict[str, Any]:
    """The published error of 2021, for one field."""
    return {
        "errno": 10010100,
        "error": "parameter is invalid",
        "error_description": f"Key: 'Code2SessionKeyParam.{field_name}' Error:Field validation for '{field_name}' "
        "failed on the 'required' tag",
    }


@dataclass
class BaiduStand(Stand):
    codes: dict[str, str] = field(default_factory=dict)
    tokens: int = 0
    live_token: str = ""
    checks: dict[str, dict[str, Any]] = field(default_factory=dict)
    attempts: list[dict[str, Any]] = field(default_factory=list)

    def replies(self) -> dict[str, Reply]:
        return {
            SESSION: self.session,
            TOKEN: self.token,
            GENERATE: self.generate,
            SUBMIT: self.submit,
            GET_ALL: self.get_all,
        }

    def session(self, seen: Seen) -> web.Response:
        form = seen.form
        if seen.method != "POST" or seen.query or set(form) != {"code", "client_id", "sk"}:
            return answer(parameter_error("Code"))
        if (form["client_id"], form["sk"]) != (APP_KEY, APP_SECRET):
            return answer({"error": "invalid_client", "error_description": "unknown client id"})
        if form["code"] not in self.codes:
            return answer({"error": "invalid_grant", "error_description": "Hush is used"})
        return answer({"openid": self.codes.pop(form["code"]), "session_key": "981ce8b151c0599acf7ad1a673c6ff5e"})

    def token(self, seen: Seen) -> web.Response:
        expected = {"grant_type": "client_credentials", "client_id": AIP_KEY, "client_secret": AIP_SECRET}
        if seen.query != expected:
            return answer({"error": "invalid_client", "error_description": "Client authentication failed"})
        if not self.live_token:
            self.tokens += 1
            self.live_token = f"24.tokenHush{self.tokens}"
        return answer(
            {"access_token": self.live_token, "expires_in": 2592000, "scope": "public", "refresh_token": "25.Hush"}
        )

    def admitted(self, seen: Seen) -> bool:
        return seen.method == "POST" and seen.query == {"access_token": self.live_token}

    def generate(self, seen: Seen) -> web.Response:
        if not self.admitted(seen):
            return answer({"error_code": 110, "error_msg": "Access token invalid or no longer valid"})
        if seen.json != {"plan_id": PLAN}:
            return answer({"success": False, "code": 216100, "message": "Hush"})
        token = f"verifyHush{len(self.checks) + 1}+/="
        self.checks[token] = {}
        return answer({"success": True, "result": {"verify_token": token}, "log_id": "1"})

    def submit(self, seen: Seen) -> web.Response:
        if not self.admitted(seen):
            return answer({"error_code": 111, "error_msg": "Access token expired"})
        submitted = seen.json
        self.checks[submitted.pop("verify_token")] = submitted
        return answer({"success": True, "result": 1, "log_id": "2"})

    def get_all(self, seen: Seen) -> web.Response:
        if not self.admitted(seen):
            return answer({"error_code": 110, "error_msg": "Access token invalid or no longer valid"})
        if seen.json["verify_token"] not in self.checks:
            return answer({"success": False, "code": 222001, "message": "Hush"})
        result = {"verify_count": len(self.attempts), "verify_result": self.attempts}
        return answer({"success": True, "result": result, "log_id": "3"})
