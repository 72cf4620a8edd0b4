"""The phone button: what it gave serves once, whoever it was given to, and tells nothing of a text (M6, M7, Q9)."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from typing import Final

import pytest

from bjidp.entropy import SystemEntropy, digits
from tests.support.calls import Answer, Caller
from tests.support.crowd import Crowd
from tests.support.phone import Phone, pressed

BLOCK: Final = 16
ENCRYPTED: Final = ("wechat", "baidu")
"""Platforms that encrypt under the key of a login."""

BUTTONS: Final = [("wechat", False), ("wechat", True), ("baidu", False)]
"""Those whose every press gives another payload; the second of WeChat's is what its older clients give."""


def some_number() -> str:
    """Return a number that nobody has."""
    return f"1548{digits(SystemEntropy(), 7)}"


async def press(phone: Phone, number: str, *, older: bool = True) -> dict[str, str]:
    """Press the button of a phone's platform."""
    return await pressed(phone.caller, phone.platform, phone.person.id, number, older=older)


async def number_of(phone: Phone) -> str | None:
    """Return the number of a phone's account, masked."""
    shown = (await phone.account()).json()["phone"]
    assert shown is None or isinstance(shown, str)
    return shown


def is_refused(answer: Answer) -> bool:
    """Tell whether an answer says nothing but that the payload is good for nothing."""
    return answer.verdict == (400, "invalid_request") and [e["code"] for e in answer.json()["errors"]] == ["refused"]


@pytest.mark.attack("M6", "Q9")
@pytest.mark.req("LOG-7")
@pytest.mark.parametrize(("platform", "older"), BUTTONS)
async def test_what_a_button_gave_serves_once_and_whom_it_was_given_to(
    caller: Caller, crowd: Crowd, platform: str, *, older: bool
) -> None:
    """A replay and a payload of somebody else's login are refused alike, and change nobody's number."""
    owner, thief = await crowd.pair(caller, platform)
    number, had = some_number(), await number_of(thief)
    given = await press(owner, number, older=older)
    assert (await owner.bind(given)).json() == {"phone": f"154****{number[-4:]}"}
    stolen = await press(owner, some_number(), older=older)
    answers = [await owner.bind(given), await thief.bind(given), await thief.bind(stolen), await thief.bind(stolen)]
    assert all(map(is_refused, answers)), answers
    assert len({answer.face for answer in answers}) == 1
    assert await number_of(thief) == had
    assert await number_of(owner) == f"154****{number[-4:]}"


@pytest.mark.attack("M6")
@pytest.mark.parametrize(("platform", "older"), BUTTONS)
async def test_of_ten_presentations_in_the_same_instant_one_succeeds(
    caller: Caller, crowd: Crowd, platform: str, *, older: bool
) -> None:
    """What is used up is used up before it is asked about."""
    owner, _ = await crowd.pair(caller, platform)
    given = await press(owner, some_number(), older=older)
    answers = await asyncio.gather(*(owner.bind(given) for _ in range(10)))
    assert sorted(answer.status for answer in answers) == [200] + [400] * 9


@pytest.mark.attack("M6", "Q9")
async def test_alipays_which_names_nobody_serves_the_account_that_was_first(caller: Caller, crowd: Crowd) -> None:
    """It is the same at each press: no other account gets it for a day."""
    owner, thief = await crowd.pair(caller, "alipay")
    had = await number_of(thief)
    given = await press(owner, some_number())
    for _ in range(2):
        assert (await owner.bind(given)).status == 200
    assert is_refused(await thief.bind(given))
    assert await number_of(thief) == had


@pytest.mark.attack("M6")
async def test_what_alipay_did_not_sign_is_no_number(caller: Caller, crowd: Crowd) -> None:
    """Another text under a good signature, and a good text under another signature."""
    owner, other = await crowd.pair(caller, "alipay")
    first, second = await press(owner, some_number()), await press(owner, some_number())
    had = await number_of(other)
    for forged in (
        {"response": first["response"], "sign": second["sign"]},
        {"response": second["response"], "sign": first["sign"]},
        {"response": first["response"][:-4], "sign": first["sign"]},
        {"response": first["response"], "sign": ""},
    ):
        answer = await other.bind(forged)
        assert answer.verdict == (400, "invalid_request"), forged
    assert await number_of(other) == had


def altered(data: str) -> Iterator[str]:
    """Yield a text with one bit changed in each part that a padding oracle would look at, and texts that are cut."""
    octets = bytearray(base64.b64decode(data))
    last = len(octets)
    for place in (0, BLOCK, last - 2 * BLOCK, last - BLOCK - 1, last - 1):
        changed = octets.copy()
        changed[place] ^= 1
        yield base64.b64encode(changed).decode()
    for cut in (0, BLOCK, last - BLOCK, last - 1):
        yield base64.b64encode(octets[:cut]).decode() or "AA=="
    yield base64.b64encode(octets + octets[-BLOCK:]).decode()


@pytest.mark.attack("M7")
@pytest.mark.parametrize("platform", ENCRYPTED)
async def test_no_answer_tells_what_is_wrong_with_a_text(caller: Caller, crowd: Crowd, platform: str) -> None:
    """Wrong padding, a wrong form, a foreign key and half a block are one answer; the text itself is still good."""
    owner, _ = await crowd.pair(caller, platform)
    number = some_number()
    given = await press(owner, number)
    answers = [await owner.bind({"data": data, "iv": given["iv"]}) for data in altered(given["data"])]
    answers.append(await owner.bind({"data": given["data"][:-4] + "????", "iv": given["iv"]}))
    answers.append(await owner.bind({"data": (await press(owner, number))["data"], "iv": given["iv"][:-4]}))
    assert all(map(is_refused, answers)), answers
    assert len({answer.face for answer in answers}) == 1
    assert (await owner.bind(given)).json() == {"phone": f"154****{number[-4:]}"}


@pytest.mark.attack("M6")
async def test_another_initialisation_vector_makes_no_new_text(caller: Caller, crowd: Crowd) -> None:
    """What is sent beside a text can be changed at will: the text was used nonetheless."""
    for platform in ENCRYPTED:
        owner, _ = await crowd.pair(caller, platform)
        given = await press(owner, some_number())
        assert (await owner.bind(given)).status == 200
        iv = bytearray(base64.b64decode(given["iv"]))
        iv[-1] ^= 1
        assert is_refused(await owner.bind({"data": given["data"], "iv": base64.b64encode(iv).decode()}))


@pytest.mark.attack("Q9", "Q27")
async def test_a_body_names_neither_the_account_nor_the_number(caller: Caller, crowd: Crowd) -> None:
    """Whose account it is comes from the token, and the number from the platform: there is no place for either."""
    owner, other = await crowd.pair(caller, "wechat")
    given = await press(owner, some_number(), older=False)
    for more in ({"account": "1"}, {"openid": "o"}, {"phone": some_number()}, {"session_key": "AAAA"}):
        assert (await owner.bind({**given, **more})).verdict == (400, "invalid_request"), more
    path = "/mp/v1/wechat/phone"
    for headers in ({}, {"Authorization": f"Bearer {other.tokens.refresh}"}):
        assert (await caller.post(path, given, headers=headers)).verdict == (401, "token_invalid")
    assert (await caller.post("/mp/v1/baidu/phone", given, headers=owner.bearer)).verdict == (400, "invalid_request")
    assert (await owner.bind(given)).status == 200
