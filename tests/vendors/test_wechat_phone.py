"""WeChat's phone button: the code of newer clients, the encrypted number of older ones."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, MutableMapping
from typing import Any, Final

import pytest

from bjidp.clock import ManualClock
from bjidp.errors import VendorUnavailable
from bjidp.platforms import Platform, PlatformIdentity
from bjidp.secret import Secret
from bjidp.vendors.catalog import HttpClients, build_platforms
from bjidp.vendors.ports.platforms import (
    PhoneCode,
    PhoneNumbers,
    PhoneRefusal,
    PlatformLogin,
    SealedPhone,
    SignedPhone,
    VerifiedPhone,
)
from bjidp.vendors.settings import WechatSettings
from bjidp.vendors.wechat.sealed import opened
from tests.vendors.cast import DONE, OPEN_ID, OTHER_OPEN_ID
from tests.vendors.ciphers import WECHAT_KEY, ZERO, base64_text, cbc, of_wechat, padded, wechat_number
from tests.vendors.wechat_stand import APP_ID, APP_SECRET, PHONE, WechatStand

pytestmark = pytest.mark.req("LOG-7")

NOW: Final = 1_800_000_000
"""The second at which the tests' clock stands."""
NUMBER: Final = "15410000042"
LOGIN: Final = PlatformLogin(PlatformIdentity(Platform.WECHAT, APP_ID, OPEN_ID), Secret(WECHAT_KEY))
CODE: Final = PhoneCode("phoneHush1")


@pytest.fixture
async def stand() -> AsyncIterator[WechatStand]:
    stand = WechatStand()
    async with stand.open():
        yield stand


@pytest.fixture
def phone(stand: WechatStand, clients: HttpClients, clock: ManualClock) -> PhoneNumbers:
    settings = WechatSettings(app_id=APP_ID, app_secret=Secret(APP_SECRET), base_url=stand.address)
    built = build_platforms(wechat=settings, http=clients, clock=clock, face_done_url=DONE)[Platform.WECHAT].phone
    assert built is not None
    return built


def told(number: str = NUMBER, **changed: Any) -> dict[str, Any]:  # noqa: ANN401
    return wechat_number(number, APP_ID, NOW) | changed


def reasons(logged: list[MutableMapping[str, Any]], event: str) -> list[str]:
    return [entry["reason"] for entry in logged if entry["event"] == event]


# ---------------------------------------------------------------------------------------------------------- by the code


async def test_the_code_is_asked_about_with_the_openid_it_has_to_be_of(phone: PhoneNumbers, stand: WechatStand) -> None:
    stand.numbers[CODE.code] = OPEN_ID, told()
    assert await phone.number(LOGIN, CODE) == VerifiedPhone(NUMBER)
    assert stand.calls(PHONE)[0].json == {"code": CODE.code, "openid": OPEN_ID}


@pytest.mark.attack("M6")
async def test_a_code_works_once(
    phone: PhoneNumbers, stand: WechatStand, logged: list[MutableMapping[str, Any]]
) -> None:
    stand.numbers[CODE.code] = OPEN_ID, told()
    await phone.number(LOGIN, CODE)
    assert await phone.number(LOGIN, CODE) is PhoneRefusal.UNPROVED
    assert reasons(logged, "vendor_refusal") == ["40029"]
    assert reasons(logged, "vendor_alarm") == []


@pytest.mark.attack("M6", "Q9")
async def test_a_code_of_another_user_is_refused(phone: PhoneNumbers, stand: WechatStand) -> None:
    stand.numbers[CODE.code] = OTHER_OPEN_ID, told()
    assert await phone.number(LOGIN, CODE) is PhoneRefusal.UNPROVED


@pytest.mark.parametrize("errcode", [40029, 40163, 40013, 40003])
async def test_a_refused_code_is_no_alarm(
    phone: PhoneNumbers, stand: WechatStand, logged: list[MutableMapping[str, Any]], errcode: int
) -> None:
    stand.lie(PHONE, {"errcode": errcode, "errmsg": "Hush", "phone_info": told()})
    assert await phone.number(LOGIN, CODE) is PhoneRefusal.UNPROVED
    assert reasons(logged, "vendor_alarm") == []


@pytest.mark.parametrize(("errcode", "retry_after"), [(-1, 10), (45011, 60), (48001, 10), (1, 10)])
async def test_a_busy_wechat_or_a_fault_of_ours_is_an_outage_with_an_alarm(
    phone: PhoneNumbers,
    stand: WechatStand,
    logged: list[MutableMapping[str, Any]],
    errcode: int,
    retry_after: int,
) -> None:
    stand.lie(PHONE, {"errcode": errcode, "errmsg": "Hush", "phone_info": told()})
    with pytest.raises(VendorUnavailable) as caught:
        await phone.number(LOGIN, CODE)
    assert caught.value.retry_after == retry_after
    assert reasons(logged, "vendor_alarm") == [str(errcode)]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"errcode": 0},
        {"errcode": 0, "phone_info": None},
        {"errcode": 0, "phone_info": {"purePhoneNumber": NUMBER, "countryCode": "86"}},
        {"errcode": 0, "phone_info": told(purePhoneNumber=15410000042)},
        {"errcode": 0, "phone_info": told(watermark={"appid": APP_ID, "timestamp": str(NOW)})},
        {"errcode": "0", "phone_info": told()},
        b"busy",
    ],
)
async def test_an_answer_that_makes_no_sense_is_an_outage(
    phone: PhoneNumbers, stand: WechatStand, body: object
) -> None:
    stand.lie(PHONE, body)
    with pytest.raises(VendorUnavailable):
        await phone.number(LOGIN, CODE)


@pytest.mark.parametrize("country", ["86", 86])
async def test_the_country_is_read_however_it_is_written(
    phone: PhoneNumbers, stand: WechatStand, country: object
) -> None:
    stand.numbers[CODE.code] = OPEN_ID, told(countryCode=country, phoneNumber="+8615410000042")
    assert await phone.number(LOGIN, CODE) == VerifiedPhone(NUMBER)


async def test_what_wechat_answers_may_have_more_members(phone: PhoneNumbers, stand: WechatStand) -> None:
    mark = {"appid": APP_ID, "timestamp": NOW, "more": 1}
    stand.numbers[CODE.code] = OPEN_ID, told(watermark=mark, more=1)
    assert await phone.number(LOGIN, CODE) == VerifiedPhone(NUMBER)


async def test_a_number_of_another_country_is_told_apart(phone: PhoneNumbers, stand: WechatStand) -> None:
    stand.numbers[CODE.code] = OPEN_ID, wechat_number("15410000042", APP_ID, NOW, country="852")
    assert await phone.number(LOGIN, CODE) is PhoneRefusal.FOREIGN


async def test_a_user_without_a_number_has_none(phone: PhoneNumbers, stand: WechatStand) -> None:
    stand.numbers[CODE.code] = OPEN_ID, told("")
    assert await phone.number(LOGIN, CODE) is PhoneRefusal.ABSENT


# ---------------------------------------------------------------------------------------------------------- encrypted


async def test_the_encrypted_number_is_read_with_the_key_of_the_login(phone: PhoneNumbers, stand: WechatStand) -> None:
    assert await phone.number(LOGIN, SealedPhone(*of_wechat(told()))) == VerifiedPhone(NUMBER)
    assert stand.seen == []


@pytest.mark.attack("M6", "Q9")
async def test_another_logins_key_reads_nothing(phone: PhoneNumbers) -> None:
    sealed = SealedPhone(*of_wechat(told()))
    for key in (Secret(base64_text(bytes(16))), None):
        other = PlatformLogin(LOGIN.identity, key)
        assert await phone.number(other, sealed) is PhoneRefusal.UNPROVED


@pytest.mark.attack("M7")
@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"null",
        b'{"phoneNumber":"1',
        b"\xff\xfe",
        b"[" * 2000,
        b'{"purePhoneNumber":"\\ud800"}',
        json.dumps(told(openId=OPEN_ID)).encode(),
        json.dumps(told(watermark={"appid": APP_ID, "timestamp": NOW, "nickName": NUMBER})).encode(),
        json.dumps({"nickName": NUMBER, "watermark": {"appid": APP_ID, "timestamp": NOW}}).encode(),
    ],
)
async def test_a_text_that_is_no_number_is_refused_like_one_that_cannot_be_read(
    phone: PhoneNumbers, text: bytes
) -> None:
    assert await phone.number(LOGIN, SealedPhone(*of_wechat(text))) is PhoneRefusal.UNPROVED
    broken = base64_text(cbc(WECHAT_KEY, ZERO, padded(text, 16)[:-1] + b"\0"))
    assert await phone.number(LOGIN, SealedPhone(broken, base64_text(ZERO))) is PhoneRefusal.UNPROVED


@pytest.mark.attack("M4", "M6")
@pytest.mark.parametrize(
    "mark",
    [
        {"appid": "wx0000000000000002", "timestamp": NOW},
        {"appid": "", "timestamp": NOW},
        {"appid": APP_ID, "timestamp": NOW - 601},
        {"appid": APP_ID, "timestamp": NOW + 61},
        {"appid": APP_ID, "timestamp": 0},
    ],
)
async def test_a_number_of_another_app_or_another_time_is_refused_in_both_forms(
    phone: PhoneNumbers, stand: WechatStand, mark: dict[str, Any]
) -> None:
    stand.numbers[CODE.code] = OPEN_ID, told(watermark=mark)
    assert await phone.number(LOGIN, CODE) is PhoneRefusal.UNPROVED
    assert await phone.number(LOGIN, SealedPhone(*of_wechat(told(watermark=mark)))) is PhoneRefusal.UNPROVED


@pytest.mark.attack("M6")
async def test_blocks_that_were_left_out_at_the_beginning_are_missed(phone: PhoneNumbers) -> None:
    """Whoever sends a text chooses its first block by the IV, and so may begin it anywhere."""
    text = json.dumps(told(), separators=(",", ":")).encode()
    assert (text[:16], text[16:32]) == (b'{"phoneNumber":"', b'15410000042","pu')
    cipher = cbc(WECHAT_KEY, ZERO, padded(text, 16))
    chosen = b'{            "pu'
    iv = bytes(before ^ was ^ wanted for before, was, wanted in zip(cipher, text[16:32], chosen, strict=False))
    forged = SealedPhone(base64_text(cipher[16:]), base64_text(iv))
    read = json.loads(opened(forged.data, forged.iv, Secret(WECHAT_KEY)))
    assert read == {name: value for name, value in told().items() if name != "phoneNumber"}
    assert await phone.number(LOGIN, forged) is PhoneRefusal.UNPROVED


async def test_what_another_platforms_button_gives_is_refused(phone: PhoneNumbers, stand: WechatStand) -> None:
    assert phone.forms == (PhoneCode, SealedPhone)
    assert await phone.number(LOGIN, SignedPhone("x", "y")) is PhoneRefusal.UNPROVED
    assert stand.seen == []


@pytest.mark.attack("Q24")
def test_nothing_of_a_number_or_what_proves_it_is_printed() -> None:
    for value in (CODE, SealedPhone("dataHush", "ivHush"), SignedPhone("dataHush", "signHush"), VerifiedPhone(NUMBER)):
        assert "Hush" not in f"{value!r}{value!s}"
        assert NUMBER not in f"{value!r}{value!s}"
