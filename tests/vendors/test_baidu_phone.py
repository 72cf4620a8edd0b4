"""Baidu's phone button: the number encrypted under the session key of the login that asked."""

from __future__ import annotations

from typing import Final

import pytest

from bjidp.platforms import Platform, PlatformIdentity
from bjidp.secret import Secret
from bjidp.vendors.baidu.phone import BaiduPhone
from bjidp.vendors.ports import PhoneCode, PhoneRefusal, PlatformLogin, SealedPhone, VerifiedPhone
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
    ],
)
async def test_a_text_that_is_no_number_is_refused_like_one_that_cannot_be_read(text: bytes) -> None:
    assert await PHONE.number(LOGIN, SealedPhone(*of_baidu(text, APP_KEY))) is PhoneRefusal.UNPROVED
    broken = base64_text(cbc(BAIDU_KEY, ZERO, padded(text, 32)[:-1] + b"\0"))
    assert await PHONE.number(LOGIN, SealedPhone(broken, base64_text(ZERO))) is PhoneRefusal.UNPROVED


async def test_a_user_without_a_number_has_none() -> None:
    sealed = SealedPhone(*of_baidu({"mobile": ""}, APP_KEY))
    assert await PHONE.number(LOGIN, sealed) is PhoneRefusal.ABSENT


async def test_what_another_platforms_button_gives_is_refused() -> None:
    assert PHONE.forms == (SealedPhone,)
    assert PHONE.distinct
    assert await PHONE.number(LOGIN, PhoneCode("x")) is PhoneRefusal.UNPROVED
