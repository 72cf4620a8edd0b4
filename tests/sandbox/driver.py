"""What the tests drive the sandbox with: its control calls, and callers of each vendor written for tests alone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from json import dumps, loads
from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from bjidp.sandbox.clock import ManualClock, beijing_time
from bjidp.sandbox.credentials import SandboxCredentials

FACE = "/wechat/cityservice/face/identify"
AUTHORITY = "/authority/v1/check"
BANK = "/bank/v1/verify"
REGISTER = "/register/v1/check"
FACEPRINT = "/baidu/rpc/2.0/brain/solution/faceprint"


@dataclass
class Sandbox:
    """A running sandbox, its clock, and what its caller knows."""

    http: TestClient[Any, Any]
    clock: ManualClock
    credentials: SandboxCredentials

    async def code(self, platform: str, user: str = "chen-yutong") -> str:
        answer = await self.http.post("/control/login-code", json={"platform": platform, "user": user})
        assert answer.status == 200, await answer.text()
        return str((await answer.json())["code"])

    async def press(self, platform: str, user: str = "chen-yutong", number: str | None = None) -> dict[str, str]:
        body = {"platform": platform, "user": user} | ({} if number is None else {"number": number})
        answer = await self.http.post("/control/phone-button", json=body)
        assert answer.status == 200, await answer.text()
        given: dict[str, str] = await answer.json()
        return given

    async def film(self, verification: str, outcome: str) -> ClientResponse:
        return await self.http.post("/control/face", json={"verification": verification, "outcome": outcome})

    async def break_service(self, service: str, mode: str, **more: float) -> None:
        answer = await self.http.post("/control/faults", json={"service": service, "mode": mode, **more})
        assert answer.status == 200, await answer.text()

    async def person(self, story: str) -> dict[str, Any]:
        people = await (await self.http.get("/control/people")).json()
        found: dict[str, Any] = next(p for p in people if p["story"] == story)
        return found

    # Authority, bank and business register

    async def ask(
        self, path: str, body: dict[str, Any] | bytes, *, headers: dict[str, str] | None = None, late: int = 0
    ) -> ClientResponse:
        """Put a signed question to the register at ``path``, or one that is signed ``late`` seconds ago."""
        header, key = {
            AUTHORITY: ("X-Authority", self.credentials.authority),
            BANK: ("X-Bank", self.credentials.bank),
            REGISTER: ("X-Register", self.credentials.business_register),
        }[path]
        octets = body if isinstance(body, bytes) else dumps(body, ensure_ascii=False).encode()
        timestamp = str(self.clock.now() // 1000 - late)
        mac = hmac.new(key.secret.encode(), timestamp.encode() + b"\n" + octets, hashlib.sha256).hexdigest()
        signed = {f"{header}-Key": key.key_id, f"{header}-Timestamp": timestamp, f"{header}-Signature": mac}
        return await self.http.post(path, data=octets, headers={**signed, **(headers or {})})

    async def said(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a question."""
        answer = await self.ask(path, body)
        assert answer.status == 200, await answer.text()
        read: dict[str, Any] = await answer.json()
        return read

    async def charges(self, service: str) -> list[str]:
        answer = await self.http.get("/control/charges", params={"service": service})
        assert answer.status == 200, await answer.text()
        read: list[str] = await answer.json()
        return read

    # WeChat

    async def wechat(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        json: object = None,
        data: bytes | None = None,
    ) -> dict[str, Any]:
        answer = await self.http.request(method, f"/wechat{path}", params=params, json=json, data=data)
        assert answer.status == 200
        assert answer.content_type == "text/plain"
        body: dict[str, Any] = loads(await answer.text())
        return body

    async def session(self, code: str, **changed: str) -> dict[str, Any]:
        app = self.credentials.wechat
        query = {
            "appid": app.app_id,
            "secret": app.secret,
            "js_code": code,
            "grant_type": "authorization_code",
            **changed,
        }
        return await self.wechat("GET", "/sns/jscode2session", params={k: v for k, v in query.items() if v})

    async def stable_token(self, **changed: object) -> dict[str, Any]:
        app = self.credentials.wechat
        body = {"grant_type": "client_credential", "appid": app.app_id, "secret": app.secret, **changed}
        return await self.wechat("POST", "/cgi-bin/stable_token", json=body)

    async def token(self, **changed: str) -> dict[str, Any]:
        app = self.credentials.wechat
        query = {"grant_type": "client_credential", "appid": app.app_id, "secret": app.secret, **changed}
        return await self.wechat("GET", "/cgi-bin/token", params={k: v for k, v in query.items() if v})

    # Chuanglan

    async def chuanglan(self, path: str, body: object, headers: dict[str, str] | None = None) -> dict[str, Any]:
        octets = body if isinstance(body, bytes) else dumps(body, ensure_ascii=False).encode()
        answer = await self.http.post(
            f"/chuanglan/msg{path}", data=octets, headers={"Content-Type": "application/json", **(headers or {})}
        )
        assert answer.status == 200
        assert answer.content_type == "application/json"
        told: dict[str, Any] = await answer.json()
        return told

    async def inbox(self, number: str) -> list[dict[str, Any]]:
        answer = await self.http.get("/control/inbox", params={"to": number})
        told: list[dict[str, Any]] = await answer.json()
        return told

    # Alipay

    def alipay_request(self, method: str, **parameters: str) -> dict[str, str]:
        common = {
            "app_id": self.credentials.alipay.app_id,
            "method": method,
            "format": "json",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": beijing_time(self.clock.now()),
            "version": "1.0",
            **parameters,
        }
        return {**common, "sign": self.alipay_sign(common)}

    def alipay_sign(self, parameters: dict[str, str]) -> str:
        text = "&".join(f"{k}={parameters[k]}" for k in sorted(parameters) if parameters[k] and k != "sign")
        return base64.b64encode(self.credentials.alipay.app_key.sign(text.encode(), PKCS1v15(), SHA256())).decode()

    async def alipay(self, method: str, **parameters: str) -> dict[str, Any]:
        """Call as the official SDK does, common parameters in the query, and verify the answer."""
        signed = self.alipay_request(method, **parameters)
        body = {k: signed.pop(k) for k in ("biz_content", "grant_type", "code", "refresh_token") if k in signed}
        answer = await self.http.post("/alipay/gateway.do", params=signed, data=body)
        return self.alipay_verified(await answer.text())

    def alipay_verified(self, text: str) -> dict[str, Any]:
        """Verify the signature over the node exactly as it was received, and return the node with its name."""
        found = re.fullmatch(r'\{"([A-Za-z_]+_response)":(.*),"sign":"([A-Za-z0-9+/=]+)"\}', text, re.DOTALL)
        assert found, text
        key = self.credentials.alipay.gateway_key.public_key()
        key.verify(base64.b64decode(found[3]), found[2].encode(), PKCS1v15(), SHA256())
        node = loads(found[2])
        return {"node": found[1], **(node if isinstance(node, dict) else {"encrypted": node})}

    # Baidu

    async def baidu_session(self, code: str, path: str = "/oauth/jscode2sessionkey", **changed: str) -> dict[str, Any]:
        app = self.credentials.baidu
        form = {"code": code, "client_id": app.client_id, "sk": app.secret, **changed}
        answer = await self.http.post(f"/baidu{path}", data={k: v for k, v in form.items() if v})
        assert answer.status == 200
        body: dict[str, Any] = await answer.json()
        return body

    async def aip_token(self, **changed: str) -> dict[str, Any]:
        app = self.credentials.baidu
        query = {
            "grant_type": "client_credentials",
            "client_id": app.aip_key,
            "client_secret": app.aip_secret,
            **changed,
        }
        answer = await self.http.post("/baidu/oauth/2.0/token", params=query)
        assert answer.status == 200
        body: dict[str, Any] = await answer.json()
        return body
