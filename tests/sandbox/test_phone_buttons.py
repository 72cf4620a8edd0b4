"""The phone buttons: what they give the mini-program, and what WeChat tells for its code."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256

from tests.sandbox.driver import Sandbox
from tests.sandbox.test_wechat import is_refused

NUMBER = "15410000001"
NOW = 1_800_000_000


def decrypted(key: str, iv: bytes, data: str) -> bytes:
    """Decrypt, and take off as many bytes as the last one says."""
    decryptor = Cipher(AES(base64.b64decode(key)), CBC(iv)).decryptor()
    text = decryptor.update(base64.b64decode(data)) + decryptor.finalize()
    assert text.endswith(bytes([text[-1]]) * text[-1])
    return text[: -text[-1]]


class TestWechat:
    async def asked(self, sandbox: Sandbox, **body: object) -> dict[str, Any]:
        token = (await sandbox.stable_token())["access_token"]
        return await sandbox.wechat(
            "POST", "/wxa/business/getuserphonenumber", params={"access_token": token}, json=body
        )

    def told(self, sandbox: Sandbox) -> dict[str, Any]:
        mark = {"timestamp": NOW, "appid": sandbox.credentials.wechat.app_id}
        return {"phoneNumber": NUMBER, "purePhoneNumber": NUMBER, "countryCode": "86", "watermark": mark}

    async def test_the_code_is_worth_the_number(self, sandbox: Sandbox) -> None:
        code = (await sandbox.press("wechat"))["code"]
        answer = await self.asked(sandbox, code=code)
        assert answer == {"errcode": 0, "errmsg": "ok", "phone_info": self.told(sandbox)}

    async def test_of_many_who_ask_with_one_code_one_is_told(self, sandbox: Sandbox) -> None:
        code = (await sandbox.press("wechat"))["code"]
        answers = await asyncio.gather(*(self.asked(sandbox, code=code) for _ in range(16)))
        assert sum("phone_info" in answer for answer in answers) == 1
        assert sum(is_refused(answer, 40029) for answer in answers) == 15

    @pytest.mark.parametrize(("seconds", "works"), [(299.9, True), (300, False)])
    async def test_a_code_lives_five_minutes(self, sandbox: Sandbox, seconds: float, *, works: bool) -> None:
        code = (await sandbox.press("wechat"))["code"]
        sandbox.clock.advance(seconds)
        answer = await self.asked(sandbox, code=code)
        assert ("phone_info" in answer) if works else is_refused(answer, 40029)

    @pytest.mark.parametrize("body", [{}, {"code": ""}, {"code": 7}, {"code": "made up"}])
    async def test_a_code_that_is_none_is_invalid(self, sandbox: Sandbox, body: dict[str, object]) -> None:
        assert is_refused(await self.asked(sandbox, **body), 40029)

    async def test_the_code_of_a_login_is_none_of_the_button(self, sandbox: Sandbox) -> None:
        assert is_refused(await self.asked(sandbox, code=await sandbox.code("wechat")), 40029)

    async def test_a_code_is_told_to_its_own_user_where_one_is_named(self, sandbox: Sandbox) -> None:
        own, other = [(await sandbox.session(await sandbox.code("wechat", u)))["openid"] for u in ("chen-yutong", "b")]
        code = (await sandbox.press("wechat"))["code"]
        assert is_refused(await self.asked(sandbox, code=code, openid=other), 40003)
        assert "phone_info" in await self.asked(sandbox, code=code, openid=own)

    async def test_a_call_needs_a_token_and_a_post(self, sandbox: Sandbox) -> None:
        path = "/wxa/business/getuserphonenumber"
        assert is_refused(await sandbox.wechat("POST", path, json={"code": "x"}), 41001)
        assert is_refused(await sandbox.wechat("GET", path), 43002)

    async def test_who_is_logged_in_gets_it_encrypted_under_the_newest_session_key(self, sandbox: Sandbox) -> None:
        assert set(await sandbox.press("wechat")) == {"code"}
        keys = [(await sandbox.session(await sandbox.code("wechat")))["session_key"] for _ in range(2)]
        given = await sandbox.press("wechat")
        text = decrypted(keys[1], base64.b64decode(given["iv"]), given["encryptedData"])
        assert json.loads(text) == self.told(sandbox)
        assert given["encryptedData"] != (await sandbox.press("wechat"))["encryptedData"]

    async def test_a_user_without_a_number_is_told_so_on_the_phone(self, sandbox: Sandbox) -> None:
        answer = await sandbox.http.post("/control/phone-button", json={"platform": "wechat", "user": "somebody"})
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (409, "number_unknown")
        assert "code" in await sandbox.press("wechat", "somebody", NUMBER)


class TestAlipay:
    async def test_the_number_comes_encrypted_and_signed_over_its_quotes(self, sandbox: Sandbox) -> None:
        given = await sandbox.press("alipay")
        assert set(given) == {"response", "sign"}
        key = sandbox.credentials.alipay.gateway_key.public_key()
        key.verify(base64.b64decode(given["sign"]), f'"{given["response"]}"'.encode(), PKCS1v15(), SHA256())
        text = decrypted(sandbox.credentials.alipay.aes_key, bytes(16), given["response"])
        assert json.loads(text) == {"code": "10000", "msg": "Success", "mobile": NUMBER}

    async def test_it_is_the_same_for_every_press_and_every_user(self, sandbox: Sandbox) -> None:
        assert await sandbox.press("alipay") == await sandbox.press("alipay", "somebody", NUMBER)

    async def test_a_user_without_a_number_has_an_empty_one(self, sandbox: Sandbox) -> None:
        given = await sandbox.press("alipay", "somebody")
        text = decrypted(sandbox.credentials.alipay.aes_key, bytes(16), given["response"])
        assert json.loads(text)["mobile"] == ""


class TestBaidu:
    async def test_the_number_comes_encrypted_under_the_newest_session_key(self, sandbox: Sandbox) -> None:
        keys = [(await sandbox.baidu_session(await sandbox.code("baidu")))["session_key"] for _ in range(2)]
        given = await sandbox.press("baidu")
        assert set(given) == {"data", "iv"}
        assert len(base64.b64decode(given["data"])) % 32 == 0
        text = decrypted(keys[1], base64.b64decode(given["iv"]), given["data"])
        content = b'{"mobile":"15410000001"}'
        assert text[16:] == len(content).to_bytes(4, "big") + content + sandbox.credentials.baidu.client_id.encode()

    @pytest.mark.parametrize(("user", "code"), [("chen-yutong", "not_logged_in"), ("somebody", "number_unknown")])
    async def test_who_is_not_logged_in_or_has_no_number_gets_nothing(
        self, sandbox: Sandbox, user: str, code: str
    ) -> None:
        answer = await sandbox.http.post("/control/phone-button", json={"platform": "baidu", "user": user})
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (409, code)
