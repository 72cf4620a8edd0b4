"""Alipay's gateway, as far as its documents tell: parameters merged, answers signed over their own bytes."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from tests.vendors.stand import Reply, Seen, Stand

APP_ID: Final = "2021000000000001"
GATEWAY: Final = "/gateway.do"

TOKEN: Final = "alipay.system.oauth.token"
INITIALIZE: Final = "alipay.user.certify.open.initialize"
CERTIFY: Final = "alipay.user.certify.open.certify"
QUERY: Final = "alipay.user.certify.open.query"


def node_name(method: str) -> str:
    return method.replace(".", "_") + "_response"


def sign(key: RSAPrivateKey, content: bytes) -> str:
    return base64.b64encode(key.sign(content, padding.PKCS1v15(), hashes.SHA256())).decode()


def envelope(name: str, node: bytes, signature: str | None) -> bytes:
    """Return the answer with blanks where the gateway has been seen to leave some."""
    end = b"" if signature is None else b' ,\n"sign" : "' + signature.encode() + b'"'
    return b'{"' + name.encode() + b'" : ' + node + end + b"}"


@dataclass
class AlipayStand(Stand):
    app_key: RSAPrivateKey | None = None
    gateway_key: RSAPrivateKey | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    checks: dict[str, dict[str, object]] = field(default_factory=dict)
    result: dict[str, object] = field(default_factory=lambda: {"passed": "F"})
    node: bytes | None = None
    """A node to sign and answer in place of the real one."""
    name: str | None = None
    """The name to answer it under."""

    def replies(self) -> dict[str, Reply]:
        return {GATEWAY: self.gateway}

    def merged(self, seen: Seen) -> dict[str, str]:
        return {**seen.query, **seen.form} if seen.body else dict(seen.query)

    def is_signed(self, parameters: dict[str, str]) -> bool:
        pairs = sorted((name, value) for name, value in parameters.items() if name != "sign" and value != "")
        text = "&".join("=".join(pair) for pair in pairs)
        assert self.app_key is not None
        try:
            self.app_key.public_key().verify(
                base64.b64decode(parameters["sign"]), text.encode("utf-8"), padding.PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature:
            return False
        return True

    def gateway(self, seen: Seen) -> web.Response:
        assert self.gateway_key is not None
        parameters = self.merged(seen)
        name, node = self.answered(parameters)
        content = self.node if self.node is not None else json.dumps(node).replace("/", "\\/").encode()
        name = self.name or name
        return web.Response(body=envelope(name, content, sign(self.gateway_key, content)), content_type="text/html")

    def answered(self, parameters: dict[str, str]) -> tuple[str, dict[str, object]]:
        method = parameters["method"]
        if parameters.get("app_id") != APP_ID or not self.is_signed(parameters):
            return "error_response", refusal("40002", "isv.invalid-signature")
        business = json.loads(parameters["biz_content"]) if "biz_content" in parameters else {}
        match method:
            case "alipay.system.oauth.token":
                told = self.codes.pop(parameters["code"], None)
                if told is None or parameters["grant_type"] != "authorization_code":
                    return "error_response", refusal("40002", "isv.code-invalid")
                tokens = {"access_token": "authusrHush", "refresh_token": "authusrHush", "expires_in": 1296000}
                return node_name(method), {**tokens, "auth_start": "2027-01-15 16:00:00", **told}
            case "alipay.user.certify.open.initialize":
                certify_id = f"certifyHush{len(self.checks) + 1}"
                self.checks[certify_id] = business
                return node_name(method), {"code": "10000", "msg": "Success", "certify_id": certify_id}
            case "alipay.user.certify.open.query":
                if business["certify_id"] not in self.checks:
                    return node_name(method), refusal("40004", "OPEN_CERTIFY_BILL_NOT_EXIST")
                return node_name(method), {"code": "10000", "msg": "Success", **self.result}
            case _:
                return "error_response", refusal("40002", "isv.invalid-method")


def refusal(code: str, sub_code: str) -> dict[str, object]:
    return {"code": code, "msg": "Hush", "sub_code": sub_code, "sub_msg": "授权码code无效 Hush"}
