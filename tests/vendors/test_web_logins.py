"""Logins for websites, whose providers answer what no document tells: nothing but a clear name logs anybody in."""

from __future__ import annotations

from collections.abc import AsyncIterator, MutableMapping
from typing import Any, Final

import msgspec
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bjidp.clock import ManualClock
from bjidp.errors import VendorUnavailable
from bjidp.platforms import ExternalIdentity, ExternalKind, Provider
from bjidp.sandbox.credentials import private_pem, public_base64
from bjidp.secret import Secret
from bjidp.vendors.catalog import HttpClients, build_web_sign_ins
from bjidp.vendors.ecb import opened, read_key, sealed
from bjidp.vendors.http import HttpLimits
from bjidp.vendors.ports.platforms import LoginCodeInvalid
from bjidp.vendors.ports.providers import WebSignIn
from bjidp.vendors.settings import (
    AlipayLoginSettings,
    BaiduLoginSettings,
    NationalLoginSettings,
    WechatLoginSettings,
)
from tests.vendors.alipay_stand import envelope, node_name, sign
from tests.vendors.stand import Seen, Stand

APP: Final = "app0000000000000001"
SECRET: Final = "00112233445566778899aabbccddeeff"
CALLBACK: Final = "https://id.example/login/third/x/callback"
STATE: Final = "0123456789abcdef0123456789abcdef"
CODE: Final = "codeHush+/=&中@"
NAME: Final = "oUserHush1"

WECHAT_TOKEN: Final = "/sns/oauth2/access_token"
WECHAT_USER: Final = "/sns/userinfo"
BAIDU_TOKEN: Final = "/oauth/2.0/token"
BAIDU_USER: Final = "/rest/2.0/passport/users/getInfo"
NATIONAL_TOKEN: Final = "/token"
NATIONAL_USER: Final = "/user"
GATEWAY: Final = "/gateway.do"

GOOD: Final[dict[Provider, tuple[tuple[str, Any], tuple[str, Any]]]] = {
    Provider.WECHAT: (
        (WECHAT_TOKEN, {"access_token": "tHush", "openid": NAME}),
        (WECHAT_USER, {"openid": NAME, "nickname": "Hush"}),
    ),
    Provider.BAIDU: ((BAIDU_TOKEN, {"access_token": "tHush"}), (BAIDU_USER, {"openid": NAME, "username": "Hush"})),
    Provider.NATIONAL: (
        (NATIONAL_TOKEN, {"meta": {"code": 0}, "data": {"access_token": "tHush"}}),
        (NATIONAL_USER, {"meta": {"code": 0}, "data": {"uniqueId": NAME, "mobile": "15400000001"}}),
    ),
}
JSON_PROVIDERS: Final = list(GOOD)


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    stand = Stand()
    async with stand.open():
        for (token, token_body), (user, user_body) in GOOD.values():
            stand.lie(token, token_body)
            stand.lie(user, user_body)
        yield stand


def signing_in(
    stand: Stand, http: HttpClients, clock: ManualClock, app_key: RSAPrivateKey, gateway_key: RSAPrivateKey
) -> dict[Provider, WebSignIn]:
    return dict(
        build_web_sign_ins(
            http=http,
            clock=clock,
            national=NationalLoginSettings(
                client_id=APP,
                client_secret=Secret(SECRET),
                page_url="https://national.example/login",
                token_url=f"{stand.address}{NATIONAL_TOKEN}",
                user_url=f"{stand.address}{NATIONAL_USER}",
            ),
            alipay=AlipayLoginSettings(
                app_id=APP,
                private_key=Secret(private_pem(app_key)),
                alipay_public_key=public_base64(gateway_key),
                gateway_url=f"{stand.address}{GATEWAY}",
            ),
            wechat=WechatLoginSettings(app_id=APP, app_secret=Secret("wechatHush"), base_url=stand.address),
            baidu=BaiduLoginSettings(client_id=APP, client_secret=Secret("baiduHush"), base_url=stand.address),
        )
    )


@pytest.fixture
def logins(
    stand: Stand, clients: HttpClients, clock: ManualClock, app_key: RSAPrivateKey, gateway_key: RSAPrivateKey
) -> dict[Provider, WebSignIn]:
    return signing_in(stand, clients, clock, app_key, gateway_key)


def reasons(logged: list[MutableMapping[str, Any]], event: str = "vendor_alarm") -> list[str]:
    return [entry["reason"] for entry in logged if entry["event"] == event]


async def names(login: WebSignIn) -> tuple[ExternalIdentity, ...]:
    return (await login.exchange(CODE, CALLBACK, inside=False)).names


def test_each_page_is_asked_for_as_its_provider_documents(logins: dict[Provider, WebSignIn]) -> None:
    pages = {
        provider: login.page("https://id.example/b?c=1", STATE, inside=False) for provider, login in logins.items()
    }
    back = "https%3A%2F%2Fid.example%2Fb%3Fc%3D1"
    assert pages == {
        Provider.NATIONAL: f"https://national.example/login?client_id={APP}&redirect_uri={back}&response_type=code"
        f"&scope=user_info&state={STATE}",
        Provider.ALIPAY: f"https://openauth.alipay.com/oauth2/publicAppAuthorize.htm?app_id={APP}&scope=auth_user"
        f"&redirect_uri={back}&state={STATE}",
        Provider.WECHAT: f"https://open.weixin.qq.com/connect/qrconnect?appid={APP}&redirect_uri={back}"
        f"&response_type=code&scope=snsapi_login&state={STATE}#wechat_redirect",
        Provider.BAIDU: f"https://openapi.baidu.com/oauth/2.0/authorize?response_type=code&client_id={APP}"
        f"&redirect_uri={back}&scope=basic&state={STATE}&display=page",
    }
    # Without a public account the page for computers is all there is.
    wechat = logins[Provider.WECHAT]
    assert wechat.page(CALLBACK, STATE, inside=True) == wechat.page(CALLBACK, STATE, inside=False)


@pytest.mark.attack("T9")
@pytest.mark.parametrize("provider", JSON_PROVIDERS)
async def test_a_code_becomes_a_name_at_this_app(logins: dict[Provider, WebSignIn], provider: Provider) -> None:
    assert await names(logins[provider]) == (ExternalIdentity(provider, APP, ExternalKind.OPEN_ID, NAME),)


async def test_secrets_and_codes_travel_in_bodies_where_the_provider_lets_them(
    logins: dict[Provider, WebSignIn], stand: Stand
) -> None:
    await names(logins[Provider.BAIDU])
    await names(logins[Provider.NATIONAL])
    assert [seen.query for seen in stand.seen if seen.path != BAIDU_USER] == [{}] * 3
    assert stand.calls(BAIDU_TOKEN)[0].form == {
        "grant_type": "authorization_code",
        "code": CODE,
        "client_id": APP,
        "client_secret": "baiduHush",
        "redirect_uri": CALLBACK,
    }


async def test_the_national_proof_is_id_secret_and_time_under_the_secret(
    logins: dict[Provider, WebSignIn], stand: Stand, clock: ManualClock
) -> None:
    await names(logins[Provider.NATIONAL])
    sent = stand.calls(NATIONAL_TOKEN)[0].form
    assert sent.pop("auth_token") == sealed(f"{APP}:{SECRET}:{clock.now()}", bytes.fromhex(SECRET), "aes")
    assert sent == {"client_id": APP, "grant_type": "authorization_code", "grant_code": CODE}


def test_the_published_vectors_of_the_profile_hold() -> None:
    key = read_key(Secret(SECRET))
    number, own = "11010519491231002X", f"100100000001:{SECRET}:1700000000000"
    assert sealed(number, key, "aes") == "89555bc8ffbbd9918c0dbb574ef42b9f2f750f599d9c191300c56ff1ee599937"
    assert sealed(own, key, "aes") == (
        "eb4877f8ef5572ccfd436b85ee571553f582c19f6f1d06046595d4a44ee03c6b97833cfffe1aca0a34f0ae3b59fabac7203442dfb411fd"
        "c47dbe2d8ddc32b950"
    )
    for suite in ("aes", "sm4"):
        assert opened(sealed(number, key, suite), key, suite) == number.encode()
    assert sealed(number, key, "sm4") != sealed(number, key, "aes")


@pytest.mark.parametrize("text", ["", "0", "zz", "00" * 16, "11" * 15, "中" * 32])
def test_what_was_not_encrypted_under_the_key_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match="not encrypted under this key"):
        opened(text, bytes.fromhex(SECRET), "aes")


@pytest.mark.parametrize("secret", ["", SECRET[:-1], SECRET + "0", "z" * 32, " ".join(SECRET), "é" * 16])
def test_a_secret_that_is_no_key_is_told_without_quoting_it(secret: str) -> None:
    with pytest.raises(ValueError, match=r"^must be 32 hexadecimal digits$"):
        read_key(Secret(secret))


# Answers to the question about the token, and to the one about the user, with what the operator is told.
LIES: Final = [
    (Provider.WECHAT, WECHAT_TOKEN, {}, "no_openid"),
    (Provider.WECHAT, WECHAT_TOKEN, {"openid": NAME}, "no_openid"),
    (Provider.WECHAT, WECHAT_TOKEN, {"access_token": "tHush"}, "no_openid"),
    (Provider.WECHAT, WECHAT_TOKEN, {"errcode": 40125, "openid": NAME, "access_token": "tHush"}, "40125"),
    (Provider.WECHAT, WECHAT_USER, {"openid": "oOtherHush"}, "another_openid"),
    (Provider.WECHAT, WECHAT_USER, {"unionid": "uHush"}, "another_openid"),
    (Provider.WECHAT, WECHAT_USER, {"errcode": 40003, "openid": NAME}, "40003"),
    (Provider.BAIDU, BAIDU_TOKEN, {}, "no_token"),
    (Provider.BAIDU, BAIDU_TOKEN, {"error": "invalid_client", "access_token": "tHush"}, "invalid_client"),
    (Provider.BAIDU, BAIDU_TOKEN, {"error": "Hush said no"}, "unreadable"),
    (Provider.BAIDU, BAIDU_USER, {}, "no_openid"),
    (Provider.BAIDU, BAIDU_USER, {"userid": 0}, "no_openid"),
    (Provider.BAIDU, BAIDU_USER, {"error_code": "110", "openid": NAME}, "110"),
    (Provider.BAIDU, BAIDU_USER, {"error_code": 111, "openid": NAME}, "111"),
    (Provider.NATIONAL, NATIONAL_TOKEN, {}, "no_status"),
    (Provider.NATIONAL, NATIONAL_TOKEN, {"meta": {"code": True}, "data": {"access_token": "tHush"}}, "no_status"),
    (Provider.NATIONAL, NATIONAL_TOKEN, {"meta": {"code": 59999}}, "59999"),
    (Provider.NATIONAL, NATIONAL_TOKEN, {"meta": {"code": 0}, "data": ["tHush"]}, "no_token"),
    (Provider.NATIONAL, NATIONAL_USER, {"meta": {"code": 10004}, "data": {"uniqueId": NAME}}, "10004"),
    (Provider.NATIONAL, NATIONAL_USER, {"meta": "Hush", "data": {"uniqueId": NAME}}, "no_status"),
    (Provider.NATIONAL, NATIONAL_USER, {"meta": {"code": 0}, "data": {"uniqueId": {"$ne": ""}}}, "no_user"),
    (Provider.NATIONAL, NATIONAL_USER, {"meta": {"code": 0}, "data": {"uniqueId": "Hush" * 33}}, "no_user"),
    (Provider.NATIONAL, NATIONAL_USER, {"meta": {"code": 0}, "data": {"mobile": "15400000001"}}, "no_user"),
]


@pytest.mark.attack("T9")
@pytest.mark.parametrize(("provider", "path", "body", "reason"), LIES)
async def test_an_answer_without_a_clear_name_is_an_outage_that_the_operator_is_told_of(
    logins: dict[Provider, WebSignIn],
    stand: Stand,
    logged: list[MutableMapping[str, Any]],
    provider: Provider,
    path: str,
    body: object,
    reason: str,
) -> None:
    stand.lie(path, body)
    with pytest.raises(VendorUnavailable):
        await names(logins[provider])
    assert reasons(logged) == [reason]


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize("provider", JSON_PROVIDERS)
async def test_wrong_types_and_endless_answers_are_an_outage(
    logins: dict[Provider, WebSignIn], stand: Stand, provider: Provider, step: int
) -> None:
    path = GOOD[provider][step][0]
    for body in (
        b"",
        b"[]",
        b"null",
        b'"Hush"',
        b"<html>Hush</html>",
        b'{"openid": 1, "access_token": [], "errcode": "Hush", "error": 1, "error_code": {}, "meta": 0}',
        b'{"openid": "\xff"}',
        b"[" * 20_000,
        b'{"a": "' + b"x" * 300_000 + b'"}',
    ):
        stand.lie(path, body)
        with pytest.raises(VendorUnavailable):
            await names(logins[provider])


@pytest.mark.parametrize(
    ("provider", "path", "body"),
    [
        (Provider.WECHAT, WECHAT_TOKEN, {"errcode": 40029, "errmsg": "Hush", "openid": NAME}),
        (Provider.WECHAT, WECHAT_TOKEN, {"errcode": 40163}),
        (Provider.BAIDU, BAIDU_TOKEN, {"error": "invalid_grant", "error_description": "Hush"}),
        (Provider.NATIONAL, NATIONAL_TOKEN, {"meta": {"code": 10003, "message": "Hush"}}),
        (Provider.NATIONAL, NATIONAL_TOKEN, {"meta": {"code": "10003"}}),
    ],
)
async def test_a_code_that_is_refused_is_no_alarm(
    logins: dict[Provider, WebSignIn],
    stand: Stand,
    logged: list[MutableMapping[str, Any]],
    provider: Provider,
    path: str,
    body: object,
) -> None:
    stand.lie(path, body)
    with pytest.raises(LoginCodeInvalid):
        await names(logins[provider])
    assert reasons(logged) == []
    assert len(reasons(logged, "vendor_refusal")) == 1


async def test_an_empty_code_is_not_worth_a_call(logins: dict[Provider, WebSignIn], stand: Stand) -> None:
    for login in logins.values():
        with pytest.raises(LoginCodeInvalid):
            await login.exchange("", CALLBACK, inside=False)
    assert stand.seen == []


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize("provider", JSON_PROVIDERS)
async def test_a_provider_that_never_answers_is_waited_for_so_long(
    stand: Stand,
    clock: ManualClock,
    app_key: RSAPrivateKey,
    gateway_key: RSAPrivateKey,
    provider: Provider,
    step: int,
) -> None:
    http = HttpClients(clock=clock, limits=HttpLimits(total=0.2))
    stand.silent.add(GOOD[provider][step][0])
    with pytest.raises(VendorUnavailable):
        await names(signing_in(stand, http, clock, app_key, gateway_key)[provider])
    await http.close()


async def test_an_encrypted_user_is_read_and_a_garbled_one_is_not(
    stand: Stand, clients: HttpClients, clock: ManualClock, logged: list[MutableMapping[str, Any]]
) -> None:
    settings = NationalLoginSettings(
        client_id=APP,
        client_secret=Secret(SECRET),
        page_url="https://national.example/login",
        token_url=f"{stand.address}{NATIONAL_TOKEN}",
        user_url=f"{stand.address}{NATIONAL_USER}",
        cipher="sm4",
        sealed="data",
    )
    login = build_web_sign_ins(http=clients, clock=clock, national=settings)[Provider.NATIONAL]
    key = bytes.fromhex(SECRET)
    told = sealed(msgspec.json.encode({"uniqueId": NAME}).decode(), key, "sm4")
    stand.lie(NATIONAL_USER, {"meta": {"code": 0}, "data": told})
    assert [name.value for name in await names(login)] == [NAME]
    for garbled in (told[:-2], told[2:] + "00", sealed("[]", key, "sm4"), sealed("Hush", key, "aes"), ""):
        stand.lie(NATIONAL_USER, {"meta": {"code": 0}, "data": garbled})
        with pytest.raises(VendorUnavailable):
            await names(login)
    assert set(reasons(logged)) == {"undecipherable"}


# Alipay signs what it says, so a stand has to.

TOKEN: Final = "alipay.system.oauth.token"
SHARE: Final = "alipay.user.info.share"


def gateway(stand: Stand, key: RSAPrivateKey, token: dict[str, object], share: dict[str, object]) -> None:
    nodes = {TOKEN: token, SHARE: share}

    def answer(seen: Seen) -> web.Response:
        method = seen.query["method"]
        node = msgspec.json.encode(nodes[method])
        name = "error_response" if "sub_code" in nodes[method] else node_name(method)
        return web.Response(body=envelope(name, node, sign(key, node)))

    stand.lies[GATEWAY] = answer


GRANTED: Final[dict[str, object]] = {"access_token": "tHush", "open_id": NAME}
SHARED: Final[dict[str, object]] = {"code": "10000", "msg": "Success", "open_id": NAME, "nick_name": "Hush"}


async def test_alipays_code_becomes_an_open_id_and_the_token_stays_out_of_the_address(
    logins: dict[Provider, WebSignIn], stand: Stand, gateway_key: RSAPrivateKey
) -> None:
    gateway(stand, gateway_key, GRANTED, SHARED)
    assert await names(logins[Provider.ALIPAY]) == (ExternalIdentity(Provider.ALIPAY, APP, ExternalKind.OPEN_ID, NAME),)
    asked = stand.calls(GATEWAY)
    assert [seen.query["method"] for seen in asked] == [TOKEN, SHARE]
    assert asked[1].form == {"auth_token": "tHush"}
    assert all("Hush" not in str(seen.query) for seen in asked)


@pytest.mark.attack("T9")
@pytest.mark.parametrize(
    ("token", "share", "reason"),
    [
        ({"access_token": "tHush"}, SHARED, "no_open_id"),
        ({"open_id": NAME}, SHARED, "no_open_id"),
        (GRANTED, SHARED | {"open_id": "oOtherHush"}, "another_open_id"),
        (GRANTED, {"code": "10000"}, "another_open_id"),
        (GRANTED, {"code": "10000", "user_id": "2088000000000001"}, "another_open_id"),
        (GRANTED | {"user_id": "2088000000000001"}, SHARED | {"user_id": "2088000000000002"}, "another_open_id"),
        (GRANTED, {"code": "20001", "sub_code": "aop.invalid-auth-token"}, "aop.invalid-auth-token"),
        ({"code": "40002", "sub_code": "isv.invalid-signature"}, SHARED, "isv.invalid-signature"),
        ({"access_token": [], "open_id": NAME}, SHARED, "malformed"),
        (GRANTED, SHARED | {"open_id": 1}, "malformed"),
    ],
)
async def test_alipays_answer_about_another_user_logs_nobody_in(
    logins: dict[Provider, WebSignIn],
    stand: Stand,
    gateway_key: RSAPrivateKey,
    logged: list[MutableMapping[str, Any]],
    token: dict[str, object],
    share: dict[str, object],
    reason: str,
) -> None:
    gateway(stand, gateway_key, token, share)
    with pytest.raises(VendorUnavailable):
        await names(logins[Provider.ALIPAY])
    assert reasons(logged) == [reason]


async def test_alipays_answer_counts_only_under_its_own_signature(
    logins: dict[Provider, WebSignIn], stand: Stand, app_key: RSAPrivateKey
) -> None:
    gateway(stand, app_key, GRANTED, SHARED)
    with pytest.raises(VendorUnavailable):
        await names(logins[Provider.ALIPAY])


async def test_alipays_refusal_of_a_code_is_no_alarm(
    logins: dict[Provider, WebSignIn],
    stand: Stand,
    gateway_key: RSAPrivateKey,
    logged: list[MutableMapping[str, Any]],
) -> None:
    gateway(stand, gateway_key, {"code": "40002", "sub_code": "isv.code-invalid"}, SHARED)
    with pytest.raises(LoginCodeInvalid):
        await names(logins[Provider.ALIPAY])
    assert reasons(logged) == []
