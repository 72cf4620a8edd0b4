from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import pytest

from bjidp.clock import ManualClock
from bjidp.errors import VendorUnavailable
from bjidp.person import DocumentType, Person
from bjidp.platforms import Platform, PlatformIdentity
from bjidp.secret import Secret
from bjidp.vendors.catalog import HttpClients, build_platforms
from bjidp.vendors.ports.platforms import FaceRequest, FaceVerdict, LoginBlocked, LoginCodeInvalid, PlatformClients
from bjidp.vendors.settings import WechatSettings
from bjidp.vendors.wechat.face import cert_hash
from tests.vendors.cast import DONE, HK, OPEN_ID, OTHER_OPEN_ID, OTHER_RESIDENT, REFERENCE, asked
from tests.vendors.wechat_stand import (
    APP_ID,
    APP_SECRET,
    GET_VERIFY_ID,
    QUERY,
    SESSION,
    STABLE_TOKEN,
    WechatStand,
    error,
)

CODE = "codeHush+/=&?#中"


@pytest.fixture
async def stand() -> AsyncIterator[WechatStand]:
    stand = WechatStand()
    async with stand.open():
        yield stand


@pytest.fixture
def wechat(stand: WechatStand, clients: HttpClients, clock: ManualClock) -> PlatformClients:
    settings = WechatSettings(app_id=APP_ID, app_secret=Secret(APP_SECRET), base_url=stand.address)
    return build_platforms(wechat=settings, http=clients, clock=clock, face_done_url=DONE)[Platform.WECHAT]


def reasons(logged: list[MutableMapping[str, Any]], event: str = "vendor_alarm") -> list[str]:
    return [entry["reason"] for entry in logged if entry["event"] == event]


# ------------------------------------------------------------------------------------------------------------- sign-in


@pytest.mark.req("LOG-7")
@pytest.mark.attack("M4")
async def test_a_login_code_becomes_the_openid_at_this_app(wechat: PlatformClients, stand: WechatStand) -> None:
    stand.codes[CODE] = OPEN_ID
    login = await wechat.sign_in.exchange(CODE)
    assert login.identity == PlatformIdentity(Platform.WECHAT, APP_ID, OPEN_ID)


@pytest.mark.attack("M1")
async def test_the_session_key_of_a_login_is_never_printed(wechat: PlatformClients, stand: WechatStand) -> None:
    stand.codes[CODE] = OPEN_ID
    login = await wechat.sign_in.exchange(CODE)
    assert login.session_key == Secret("SHVzaEh1c2hIdXNoSHVzaA==")
    assert "SHVzaEh1" not in f"{login!r} {login!s}"


async def test_a_login_without_a_session_key_is_a_login(wechat: PlatformClients, stand: WechatStand) -> None:
    stand.lie(SESSION, {"openid": OPEN_ID})
    assert (await wechat.sign_in.exchange(CODE)).session_key is None


async def test_an_errcode_of_zero_in_a_success_is_a_success(wechat: PlatformClients, stand: WechatStand) -> None:
    stand.lie(SESSION, {"errcode": 0, "errmsg": "ok", "openid": OPEN_ID, "session_key": "x"})
    assert (await wechat.sign_in.exchange(CODE)).identity.open_id == OPEN_ID


@pytest.mark.attack("M2")
async def test_a_used_code_is_refused(wechat: PlatformClients, stand: WechatStand) -> None:
    stand.codes[CODE] = OPEN_ID
    await wechat.sign_in.exchange(CODE)
    with pytest.raises(LoginCodeInvalid):
        await wechat.sign_in.exchange(CODE)


@pytest.mark.attack("M2")
@pytest.mark.parametrize("errcode", [40029, 40163])
async def test_a_code_that_wechat_refuses_is_invalid_and_no_alarm(
    wechat: PlatformClients, stand: WechatStand, logged: list[MutableMapping[str, Any]], errcode: int
) -> None:
    # An openid beside an error is no success.
    stand.lie(SESSION, {"errcode": errcode, "errmsg": "invalid code, rid: Hush", "openid": OPEN_ID})
    with pytest.raises(LoginCodeInvalid):
        await wechat.sign_in.exchange(CODE)
    assert reasons(logged) == []
    assert reasons(logged, "vendor_refusal") == [str(errcode)]


@pytest.mark.req("RNV-10")
async def test_a_user_whom_wechat_blocks_is_told_so_and_no_alarm_is_raised(
    wechat: PlatformClients, stand: WechatStand, logged: list[MutableMapping[str, Any]]
) -> None:
    stand.lie(SESSION, {"errcode": 40226, "errmsg": "code blocked, rid: Hush", "openid": OPEN_ID})
    with pytest.raises(LoginBlocked):
        await wechat.sign_in.exchange(CODE)
    assert (reasons(logged), reasons(logged, "vendor_refusal")) == ([], ["40226"])


async def test_an_empty_code_is_not_worth_a_call(wechat: PlatformClients, stand: WechatStand) -> None:
    with pytest.raises(LoginCodeInvalid):
        await wechat.sign_in.exchange("")
    assert stand.seen == []


@pytest.mark.parametrize(
    ("errcode", "retry_after"),
    [(-1, 10), (45011, 60), (40013, 10), (40125, 10), (40002, 10), (41002, 10), (41004, 10), (99999, 10)],
)
async def test_a_busy_wechat_or_a_fault_of_ours_is_an_outage_with_an_alarm(
    wechat: PlatformClients,
    stand: WechatStand,
    logged: list[MutableMapping[str, Any]],
    errcode: int,
    retry_after: int,
) -> None:
    stand.lie(SESSION, {"errcode": errcode, "errmsg": "Hush"})
    with pytest.raises(VendorUnavailable) as caught:
        await wechat.sign_in.exchange(CODE)
    assert caught.value.retry_after == retry_after
    assert reasons(logged) == [str(errcode)]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"session_key": "x"},
        {"openid": ""},
        {"openid": 7},
        {"openid": None},
        {"openid": "o" * 129},
        {"errcode": "40029"},
        {"errcode": "0", "openid": OPEN_ID},
        [],
        b"busy",
    ],
)
async def test_a_login_answer_that_makes_no_sense_is_an_outage(
    wechat: PlatformClients, stand: WechatStand, body: object
) -> None:
    stand.lie(SESSION, body)
    with pytest.raises(VendorUnavailable):
        await wechat.sign_in.exchange(CODE)


# --------------------------------------------------------------------------------------------------------------- token


async def test_one_token_serves_many_calls(wechat: PlatformClients, stand: WechatStand, clock: ManualClock) -> None:
    start = await wechat.face.start(asked(Platform.WECHAT, APP_ID))
    for _ in range(3):
        await wechat.face.verdict(asked(Platform.WECHAT, APP_ID), start.verification)
    assert len(stand.calls(STABLE_TOKEN)) == 1


async def test_concurrent_calls_without_a_token_fetch_it_once(wechat: PlatformClients, stand: WechatStand) -> None:
    requests = [asked(Platform.WECHAT, APP_ID, reference=f"jt{number:018}") for number in range(20)]
    starts = await asyncio.gather(*(wechat.face.start(request) for request in requests))
    assert len({start.verification for start in starts}) == 20
    assert len(stand.calls(STABLE_TOKEN)) == 1


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
async def test_a_refused_token_is_replaced_and_the_call_repeated_once(
    wechat: PlatformClients, stand: WechatStand, errcode: int
) -> None:
    await wechat.face.start(asked(Platform.WECHAT, APP_ID))
    genuine = stand.get_verify_id
    stand.live_token = ""  # ended elsewhere: the next one is another
    stand.lies[GET_VERIFY_ID] = lambda seen: (
        genuine(seen) if seen.query == {"access_token": "tokenHush2"} else error(errcode)
    )
    start = await wechat.face.start(asked(Platform.WECHAT, APP_ID, reference="jt20270115000000000002"))
    assert start.verification == "verifyHush2"
    assert [seen.query["access_token"] for seen in stand.calls(GET_VERIFY_ID)] == [
        "tokenHush1",
        "tokenHush1",
        "tokenHush2",
    ]
    assert len(stand.calls(STABLE_TOKEN)) == 2


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
async def test_a_token_refused_again_is_an_outage_after_exactly_two_attempts(
    wechat: PlatformClients, stand: WechatStand, logged: list[MutableMapping[str, Any]], errcode: int
) -> None:
    stand.lie(GET_VERIFY_ID, {"errcode": errcode})
    with pytest.raises(VendorUnavailable):
        await wechat.face.start(asked(Platform.WECHAT, APP_ID))
    assert len(stand.calls(GET_VERIFY_ID)) == 2
    assert len(stand.calls(STABLE_TOKEN)) == 2
    assert reasons(logged) == [str(errcode)]


async def test_many_calls_refused_at_once_fetch_one_new_token(wechat: PlatformClients, stand: WechatStand) -> None:
    request = asked(Platform.WECHAT, APP_ID)
    start = await wechat.face.start(request)
    stand.live_token = ""
    verdicts = await asyncio.gather(*(wechat.face.verdict(request, start.verification) for _ in range(20)))
    assert set(verdicts) == {FaceVerdict.PENDING}
    assert len(stand.calls(STABLE_TOKEN)) == 2


@pytest.mark.parametrize("errcode", [-1, 48001, 41001])
async def test_other_errors_of_a_call_repeat_nothing(wechat: PlatformClients, stand: WechatStand, errcode: int) -> None:
    stand.lie(GET_VERIFY_ID, {"errcode": errcode})
    with pytest.raises(VendorUnavailable):
        await wechat.face.start(asked(Platform.WECHAT, APP_ID))
    assert len(stand.calls(GET_VERIFY_ID)) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"errcode": 40125, "errmsg": "invalid appsecret"},
        {"errcode": 40164},
        {"access_token": "tokenHush"},
        {"access_token": "tokenHush", "expires_in": 0},
        {"access_token": "tokenHush", "expires_in": "7200"},
        {"access_token": "", "expires_in": 7200},
        {"access_token": "t" * 513, "expires_in": 7200},
        {"expires_in": 7200},
    ],
)
async def test_without_a_token_there_is_an_outage_and_no_call(
    wechat: PlatformClients, stand: WechatStand, body: object
) -> None:
    stand.lie(STABLE_TOKEN, body)
    with pytest.raises(VendorUnavailable):
        await wechat.face.start(asked(Platform.WECHAT, APP_ID))
    assert stand.calls(GET_VERIFY_ID) == []


# ---------------------------------------------------------------------------------------------------------------- face


def test_the_published_vector_of_cert_hash() -> None:
    person = Person(DocumentType.RESIDENT_ID, "张三", "310101199801011234")
    assert cert_hash(person) == "3c241f7ff324977aeb91f173bb2a7b06569e6fd784d5573db34a636d8671108b"


def test_cert_hash_takes_names_as_they_are_written() -> None:
    # U+FA0C is changed by NFC, U+20BB7 is outside the basic plane, and the dot is U+00B7.
    person = Person(DocumentType.RESIDENT_ID, "\ufa0c·\U00020bb7", "11010519491231002X")
    text = "cert_type=SURFTlRJVFlfQ0FSRA==&cert_name=76iMwrfwoK63&cert_no=MTEwMTA1MTk0OTEyMzEwMDJY"
    assert cert_hash(person) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.req("REG-7")
async def test_a_face_check_is_opened_for_name_number_and_openid(wechat: PlatformClients, stand: WechatStand) -> None:
    start = await wechat.face.start(asked(Platform.WECHAT, APP_ID))
    assert start.client == {"verify_id": start.verification}
    assert stand.calls(GET_VERIFY_ID)[0].json == {
        "out_seq_no": REFERENCE,
        "cert_info": {"cert_type": "IDENTITY_CARD", "cert_name": "王玉田", "cert_no": "11010519491231002X"},
        "openid": OPEN_ID,
    }


@pytest.mark.attack("B1")
@pytest.mark.parametrize(
    ("verify_ret", "verdict"),
    [
        (10000, FaceVerdict.PASSED),
        *[(value, FaceVerdict.PENDING) for value in (10005, 10300)],
        *[(value, FaceVerdict.FAILED) for value in (10003, 10004, 10012, 10026)],
        *[(value, FaceVerdict.CANCELLED) for value in (90002, 90003, 90004, 90005, 90006)],
        # What a new attempt in front of the camera mends.
        *[(value, FaceVerdict.FAILED) for value in (10002, 10010, 10017, 10018, 10020, 10041)],
        *[(value, FaceVerdict.FAILED) for value in (90001, 90007, 90008, 90009, 90010, 90011, 90012, 90013)],
        *[(value, FaceVerdict.FAILED) for value in (90014, 90017, 90104, 90105, 90106, 90107, 90109, 90110)],
    ],
)
async def test_each_verify_ret_comes_to_its_verdict_and_one_alone_passes(
    wechat: PlatformClients, stand: WechatStand, verify_ret: int, verdict: FaceVerdict
) -> None:
    request = asked(Platform.WECHAT, APP_ID)
    start = await wechat.face.start(request)
    stand.verify_ret = verify_ret
    assert await wechat.face.verdict(request, start.verification) is verdict


@pytest.mark.attack("B1")
@pytest.mark.parametrize(
    "verify_ret",
    [
        *[10001, 10006, 10007, 10008, 10013, 10014, 10015, 10016, 10021, 10029, 10040, 10042, 10045, 10052],
        *[90018, 90199, 0, 1, -1, 99999],
    ],
)
async def test_a_verify_ret_that_is_no_judgement_is_an_outage(
    wechat: PlatformClients, stand: WechatStand, logged: list[MutableMapping[str, Any]], verify_ret: int
) -> None:
    request = asked(Platform.WECHAT, APP_ID)
    start = await wechat.face.start(request)
    stand.verify_ret = verify_ret
    with pytest.raises(VendorUnavailable):
        await wechat.face.verdict(request, start.verification)
    assert reasons(logged) == [str(verify_ret)]


@pytest.mark.attack("B1")
@pytest.mark.parametrize(
    "body",
    [
        {"errcode": 0},
        {"errcode": 0, "verify_ret": None},
        {"errcode": 0, "verify_ret": "10000"},
        {"errcode": 0, "verify_ret": True},
        {"errcode": 0, "verify_ret": 10000.5},
        {"errcode": -1, "verify_ret": 10000},
        {"errcode": 84011, "verify_ret": 10000},
        {"errcode": "0", "verify_ret": 10000},
        {"verify_ret": [10000]},
        b"",
    ],
)
async def test_a_verdict_that_makes_no_sense_is_an_outage_and_never_a_pass(
    wechat: PlatformClients, stand: WechatStand, body: object
) -> None:
    request = asked(Platform.WECHAT, APP_ID)
    start = await wechat.face.start(request)
    stand.lie(QUERY, body)
    with pytest.raises(VendorUnavailable):
        await wechat.face.verdict(request, start.verification)


@pytest.mark.attack("B2")
@pytest.mark.parametrize(
    "swapped",
    [
        asked(Platform.WECHAT, APP_ID, open_id=OTHER_OPEN_ID),
        asked(Platform.WECHAT, APP_ID, OTHER_RESIDENT),
        asked(Platform.WECHAT, APP_ID, reference="jt20270115000000000009"),
        asked(Platform.WECHAT, "wx0000000000000002"),
        asked(Platform.ALIPAY, APP_ID),
        asked(Platform.WECHAT, APP_ID, HK),
    ],
    ids=["openid", "person", "flow", "app", "platform", "document"],
)
async def test_a_pass_of_another_user_person_or_flow_does_not_count(
    wechat: PlatformClients, stand: WechatStand, swapped: FaceRequest
) -> None:
    request = asked(Platform.WECHAT, APP_ID)
    start = await wechat.face.start(request)
    stand.verify_ret = 10000
    assert await wechat.face.verdict(swapped, start.verification) is FaceVerdict.FAILED
    assert await wechat.face.verdict(request, start.verification) is FaceVerdict.PASSED


@pytest.mark.attack("B2")
@pytest.mark.parametrize("errcode", [84017, 84018, 84020, 84022])
async def test_a_pass_that_comes_with_a_mismatch_is_none(
    wechat: PlatformClients, stand: WechatStand, errcode: int
) -> None:
    request = asked(Platform.WECHAT, APP_ID)
    start = await wechat.face.start(request)
    stand.lie(QUERY, {"errcode": errcode, "verify_ret": 10000})
    assert await wechat.face.verdict(request, start.verification) is FaceVerdict.FAILED


async def test_a_verification_that_wechat_does_not_know_has_failed(wechat: PlatformClients, stand: WechatStand) -> None:
    assert await wechat.face.verdict(asked(Platform.WECHAT, APP_ID), "verifyHush404") is FaceVerdict.FAILED


@pytest.mark.parametrize(
    "body",
    [
        {"errcode": 84015},
        {"errcode": 40003},
        {"errcode": 0},
        {"errcode": 0, "verify_id": ""},
        {"errcode": 0, "verify_id": "v" * 257},
        {"errcode": 0, "verify_id": 1},
        {"errcode": 84015, "verify_id": "verifyHush"},
    ],
)
async def test_a_check_that_was_not_opened_is_an_outage(
    wechat: PlatformClients, stand: WechatStand, body: object
) -> None:
    stand.lie(GET_VERIFY_ID, body)
    with pytest.raises(VendorUnavailable):
        await wechat.face.start(asked(Platform.WECHAT, APP_ID))


@pytest.mark.parametrize(
    "request_",
    [
        asked(Platform.WECHAT, APP_ID, HK),
        asked(Platform.WECHAT, "wx0000000000000002"),
        asked(Platform.BAIDU, APP_ID),
    ],
    ids=["document", "app", "platform"],
)
async def test_what_wechat_can_not_check_is_not_sent_to_it(
    wechat: PlatformClients, stand: WechatStand, request_: FaceRequest
) -> None:
    assert wechat.face.documents == {DocumentType.RESIDENT_ID}
    with pytest.raises(ValueError) as caught:
        await wechat.face.start(request_)
    assert request_.person.name not in str(caught.value)
    assert stand.seen == []
