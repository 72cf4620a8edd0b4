"""Baidu's phone button: the number encrypted under the session key of the login that asked."""

from __future__ import annotations

import base64
import json
from typing import Final

import pytest

from bjidp.platforms import Platform, PlatformIdentity
from bjidp.secret import Secret
from bjidp.vendors.baidu.phone import BaiduPhone
from bjidp.vendors.baidu.sealed import opened
from bjidp.vendors.ports.platforms import PhoneCode, PhoneRefusal, PlatformLogin, SealedPhone, VerifiedPhone
from tests.vendors.baidu_stand import APP_KEY
from tests.vendors.cast import OPEN_ID
from tests.vendors.ciphers import BAIDU_KEY, ZERO, base64_text, cbc, of_baidu, padded

pytestmark = pytest.mark.req("LOG-7")

NUMBER: Final = "15410000042"
LOGIN: Final = PlatformLogin(PlatformIdentity(Platform.BAIDU, APP_KEY, OPEN_ID), Secret(BAIDU_KEY))
PHONE: Final = BaiduPhone(app_key=APP_KEY)


async def test_the_number_is_read_with_the_key_of_the_login() -> None:
    sealed = SealedPhone(*of_baidu({"mobile": NUMBER}, APP_KEY))
    assert await PHONE.number(LOGIN, sealed) == VerifiedPhone(NUMBER)


@pytest.mark.attack("M6", "Q9")
async def test_another_logins_key_reads_nothing() -> None:
    sealed = SealedPhone(*of_baidu({"mobile": NUMBER}, APP_KEY))
    for key in (Secret("1df09d0a1677dd72b8325aec59576e0c"), None):
        assert await PHONE.number(PlatformLogin(LOGIN.identity, key), sealed) is PhoneRefusal.UNPROVED


@pytest.mark.attack("M4")
async def test_a_number_of_another_app_is_refused() -> None:
    sealed = SealedPhone(*of_baidu({"mobile": NUMBER}, "baiduAppKey0002"))
    assert await PHONE.number(LOGIN, sealed) is PhoneRefusal.UNPROVED


@pytest.mark.attack("M7")
@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b'{"mobile":null}',
        b'{"mobile":15410000042}',
        b'{"mobile":"1541',
        b'{"openid":"open_id","nickname":"15410000042","sex":1}',
        b"\xff",
        b"[" * 2000,
        b'{"mobile":"\\ud800"}',
        b'{"mobile": "15410000042"}',
        b'{"mobile":"15410000042"}\n',
        b'{"mobile":"15410000042","sex":1}',
        b'{"openid":"open_id","mobile":"15410000042"}',
        b'{"mobile":"15410000043","mobile":"15410000042"}',
        b'{"mobile":"1541000004"}',
        b'{"mobile":"154100000421"}',
        b'{"mobile":"+8615410000042"}',
        '{"mobile":"１５４１００００042"}'.encode(),
    ],
)
async def test_a_text_that_is_no_number_is_refused_like_one_that_cannot_be_read(text: bytes) -> None:
    assert await PHONE.number(LOGIN, SealedPhone(*of_baidu(text, APP_KEY))) is PhoneRefusal.UNPROVED
    broken = base64_text(cbc(BAIDU_KEY, ZERO, padded(text, 32)[:-1] + b"\0"))
    assert await PHONE.number(LOGIN, SealedPhone(broken, base64_text(ZERO))) is PhoneRefusal.UNPROVED


@pytest.mark.attack("M6", "Q9")
async def test_a_number_in_a_nickname_is_nobodys_after_the_profile_was_cut_before_it() -> None:
    """Whoever knows their profile chooses the block before the number by the cipher of the one before that."""
    head = json.dumps({"openid": OPEN_ID, "nickname": ""}, separators=(",", ":")).removesuffix('"}').encode()
    filling = b"x" * (-(20 + len(head)) % 32 + 32)
    content = head + filling + NUMBER[1:].encode() + b'","headimgurl":"https://hush.example/1.png","sex":1}'
    data, iv = of_baidu(content, APP_KEY)
    cipher = base64.b64decode(data)
    at = 20 + len(head) + len(filling)
    before = at - 16
    plain = (bytes(20) + content)[before:at]
    start = (12 + len(content) - (at - 20)).to_bytes(4, "big") + b'{"mobile":"1'
    chosen = bytes(c ^ p ^ s for c, p, s in zip(cipher[before - 16 : before], plain, start, strict=True))
    forged = base64_text(chosen + cipher[before:])
    assert json.loads(opened(forged, iv, Secret(BAIDU_KEY), APP_KEY))["mobile"] == NUMBER
    assert await PHONE.number(LOGIN, SealedPhone(forged, iv)) is PhoneRefusal.UNPROVED


async def test_a_user_without_a_number_has_none() -> None:
    sealed = SealedPhone(*of_baidu({"mobile": ""}, APP_KEY))
    assert await PHONE.number(LOGIN, sealed) is PhoneRefusal.ABSENT


async def test_what_another_platforms_button_gives_is_refused() -> None:
    assert PHONE.forms == (SealedPhone,)
    assert PHONE.distinct
    assert await PHONE.number(LOGIN, PhoneCode("x")) is PhoneRefusal.UNPROVED
