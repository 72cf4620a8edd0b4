"""The pages and calls of logins for websites, as the providers document them."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientResponse
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.padding import PKCS7

from tests.sandbox.driver import Sandbox

BACK: Final = "http://127.0.0.1:8080/back?a=1"


async def agree(sandbox: Sandbox, page: str, query: dict[str, str], user: str = "chen-yutong") -> dict[str, str]:
    """Agree at a page; return what comes back."""
    asked = {"redirect_uri": BACK, "state": "s", **query}
    answer = await sandbox.http.post(page, params=asked, data={"user": user, "answer": "agree"}, allow_redirects=False)
    assert answer.status == 303, await answer.text()
    back = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
    assert (back.pop("a"), back.pop("state")) == ("1", "s")
    return back


async def wechat_code(sandbox: Sandbox) -> str:
    query = {"appid": sandbox.credentials.wechat_website.app_id, "response_type": "code", "scope": "snsapi_login"}
    return (await agree(sandbox, "/pages/wechat/connect/qrconnect", query))["code"]


async def wechat_token(sandbox: Sandbox, code: str, changed: dict[str, str] | None = None) -> dict[str, Any]:
    app = sandbox.credentials.wechat_website
    asked = {"appid": app.app_id, "secret": app.secret, "code": code, "grant_type": "authorization_code"} | (
        changed or {}
    )
    return await sandbox.wechat("GET", "/sns/oauth2/access_token", params=asked)


async def test_wechats_code_is_good_once_and_for_ten_minutes(sandbox: Sandbox) -> None:
    code = await wechat_code(sandbox)
    token = await wechat_token(sandbox, code)
    assert {"access_token", "expires_in", "refresh_token", "openid", "scope"} == set(token)
    assert (await wechat_token(sandbox, code))["errcode"] == 40163
    late = await wechat_code(sandbox)
    sandbox.clock.advance(600)
    assert (await wechat_token(sandbox, late))["errcode"] == 40029


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [({"secret": "x"}, 40125), ({"appid": "x"}, 40013), ({"grant_type": "x"}, 40002), ({"code": "x"}, 40029)],
)
async def test_wechat_refuses_what_is_wrong_in_numbers_of_its_own(
    sandbox: Sandbox, changed: dict[str, str], errcode: int
) -> None:
    assert (await wechat_token(sandbox, await wechat_code(sandbox), changed))["errcode"] == errcode


async def test_wechat_tells_of_a_user_by_their_own_token_alone(sandbox: Sandbox) -> None:
    token = await wechat_token(sandbox, await wechat_code(sandbox))
    asked = {"access_token": token["access_token"], "openid": token["openid"], "lang": "zh_CN"}
    told = await sandbox.wechat("GET", "/sns/userinfo", params=asked)
    assert told["openid"] == token["openid"]
    assert (await sandbox.wechat("GET", "/sns/userinfo", params=asked | {"openid": "o"}))["errcode"] == 40003
    assert (await sandbox.wechat("GET", "/sns/userinfo", params=asked | {"access_token": "x"}))["errcode"] == 40001


async def test_alipay_comes_back_with_the_members_that_it_documents(sandbox: Sandbox) -> None:
    app_id = sandbox.credentials.alipay_website.app_id
    back = await agree(sandbox, "/pages/alipay/oauth2/publicAppAuthorize.htm", {"app_id": app_id, "scope": "auth_user"})
    assert back.pop("auth_code")
    assert back == {"app_id": app_id, "source": "alipay_wallet", "scope": "auth_user"}


async def baidu_token(sandbox: Sandbox, code: str, **changed: str) -> dict[str, Any]:
    client = sandbox.credentials.baidu_website
    asked = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": client.client_id,
        "client_secret": client.secret,
        "redirect_uri": BACK,
        **changed,
    }
    return await body(await sandbox.http.get("/baidu/oauth/2.0/token", params=asked))


async def body(answer: ClientResponse) -> dict[str, Any]:
    assert answer.status == 200
    read: dict[str, Any] = await answer.json()
    return read


async def test_baidus_code_is_of_its_address_and_its_client(sandbox: Sandbox) -> None:
    query = {"client_id": sandbox.credentials.baidu_website.client_id, "response_type": "code"}
    page = "/pages/baidu/oauth/2.0/authorize"
    for changed, error in (
        ({"redirect_uri": "http://127.0.0.1:8080/back"}, "invalid_grant"),
        ({"client_secret": "x"}, "invalid_client"),
        ({"client_id": "x"}, "invalid_client"),
    ):
        code = (await agree(sandbox, page, query))["code"]
        assert (await baidu_token(sandbox, code, **changed))["error"] == error
    code = (await agree(sandbox, page, query))["code"]
    token = (await baidu_token(sandbox, code))["access_token"]
    assert (await baidu_token(sandbox, code))["error"] == "invalid_grant"
    info = "/baidu/rest/2.0/passport/users/getInfo"
    assert "openid" in await body(await sandbox.http.get(info, params={"access_token": token}))
    assert (await body(await sandbox.http.post(info, data={"access_token": "x"})))["error_code"] == "110"


def proof(sandbox: Sandbox, *, late: int = 0, secret: str | None = None) -> str:
    client = sandbox.credentials.national
    padder = PKCS7(128).padder()
    text = f"{client.client_id}:{secret or client.secret}:{sandbox.clock.now() - late * 1000}".encode()
    encryptor = Cipher(AES(bytes.fromhex(client.secret)), ECB()).encryptor()  # noqa: S305 - the platform's
    return (encryptor.update(padder.update(text) + padder.finalize()) + encryptor.finalize()).hex()


async def test_the_national_stand_in_knows_its_caller_by_a_fresh_proof(sandbox: Sandbox) -> None:
    client = sandbox.credentials.national
    query = {"client_id": client.client_id, "response_type": "code", "scope": "user_info"}
    code = (await agree(sandbox, "/pages/national/open/login/goUserLogin", query))["code"]
    asked = {"client_id": client.client_id, "grant_type": "authorization_code", "grant_code": code}
    for wrong in ("", "zz", "00" * 16, proof(sandbox, late=301), proof(sandbox, late=-301), proof(sandbox, secret="x")):
        answer = await sandbox.http.post("/national/api/oauth/getAccessToken", data=asked | {"auth_token": wrong})
        assert (await body(answer))["meta"]["code"] == 10002
    asked["auth_token"] = proof(sandbox, late=299)
    given = await body(await sandbox.http.post("/national/api/oauth/getAccessToken", data=asked))
    assert given["meta"] == {"code": 0, "message": "success"}
    again = await body(await sandbox.http.post("/national/api/oauth/getAccessToken", data=asked))
    assert again["meta"]["code"] == 10003
    token = given["data"]["access_token"]
    told = await body(await sandbox.http.get("/national/api/info/getUserInfo", params={"access_token": token}))
    assert {"uniqueId", "certName", "certNo", "certNoType", "certLevel", "mobile"} <= set(told["data"])
    assert told["data"]["certNo"] != (await sandbox.person("ordinary"))["document_number"]


async def test_a_page_names_everybody_there_is(sandbox: Sandbox) -> None:
    app_id = sandbox.credentials.wechat_website.app_id
    query = {"appid": app_id, "response_type": "code", "scope": "snsapi_login", "redirect_uri": BACK}
    page = await (await sandbox.http.get("/pages/wechat/connect/qrconnect", params=query)).text()
    people = await (await sandbox.http.get("/control/people")).json()
    assert all(f'value="{person["id"]}"' in page for person in people)
    for form in ({}, {"user": "", "answer": "agree"}, {"user": "u", "answer": "perhaps"}, {"user": "u" * 65}):
        answer = await sandbox.http.post("/pages/wechat/connect/qrconnect", params=query, data=form)
        assert answer.status == 400
