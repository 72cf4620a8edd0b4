"""Codes by SMS: how often they are sent, guessed and used, and where they are never seen (attacks O1 to O12)."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from typing import Final

import pytest

from tests.security.conftest import Own
from tests.support.browser import Browser
from tests.support.calls import Answer, Caller
from tests.support.forms import WebForm, form_of, send
from tests.support.inbox import code_to, messages
from tests.support.visitors import (
    BY_CODE,
    CODE_FORM,
    PASSWORD,
    another,
    login_code,
    number,
    opened,
    registered,
    registering,
    solved,
    username,
)

WAYS: Final = (CODE_FORM, "/register", "/h5/register")
"""Forms that a code is typed into, whose number need not be anybody's."""

SENDING: Final = {CODE_FORM: BY_CODE, "/register": "/register", "/h5/register": "/h5/register"}
"""The forms that send a code to a number that is typed, and their pages."""

SIX_DIGITS: Final = re.compile(r"(?<![0-9A-Za-z_-])[0-9]{6}(?![0-9A-Za-z_-])")

FOREIGN: Final = (
    "+1 202 555 0123",
    "+1 154 7777 0001",
    "+49 154 7777 0001",
    "0044 154 7777 0001",
    "+852 5123 4567",
    "00447700900123",
    "+86 010 6555 1234",
    "8610655512345",
    "1065551234567",
    "12345678901",
    "1540000000",
    "154000000000",
    "+86+8615477770001",
    "860086154 7777 0001",
    "+7 9154 000 000",
    "15477770001,15477770002",
    "15477770001;15477770002",
    "tel:15477770001",
    "1.54e10",
)
"""What is no mobile number of the mainland: no message goes there, whatever it costs."""


async def asked(browser: Browser, way: str, phone: str) -> tuple[WebForm, str]:
    """Have a code sent; return the form it is typed into, complete but for it, and the code."""
    if way == CODE_FORM:
        return await login_code(browser, phone)
    form = await registering(browser, phone, username(), way)
    return form, form.values["code"]


def spelled(phone: str) -> list[str]:
    """Return a number in the ways that people write it, and in some that only machines do."""
    wide = phone.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
    parts = phone[:3], phone[3:7], phone[7:]
    return [
        f"+86{phone}",
        f"+86 {' '.join(parts)}",
        f"0086{phone}",
        f"86{phone}",
        f" {phone} ",
        "-".join(parts),
        "\u3000".join(parts),
        "\u00a0".join(parts),
        f"(+86) {phone}",
        f"\u202d{phone}\u202c",
        f"\u200b{phone}\ufeff",
        wide,
        f"＋８６{wide}",
    ]


def outcome(answer: Answer) -> str:
    """Return what became of a code that was typed."""
    for words, told in (
        ("验证码不对，请检查", "wrong"),
        ("验证码输错了5次", "wrong"),
        ("验证码已经失效", "expired"),
        ("还没有注册", "right"),
    ):
        if words in answer.text:
            return told
    return {303: "right", 429: "refused"}[answer.status]


async def enters(browser: Browser, form: WebForm, code: str) -> str:
    """Type a code and send the form; return what became of it."""
    return outcome(await send(browser, form.typed(code=code)))


# -------------------------------------------------------------------------------------------------------------- guesses


@pytest.mark.attack("O1", "O3")
@pytest.mark.parametrize("way", WAYS)
async def test_the_fifth_wrong_guess_is_the_last(apart: Caller, way: str) -> None:
    """The code is dead then, and the right one is refused like any other."""
    browser = Browser(apart)
    form, code = await asked(browser, way, number())
    assert [await enters(browser, form, another(code, turn)) for turn in range(1, 7)] == ["wrong"] * 5 + ["expired"]
    assert await enters(browser, form, code) == "expired"


@pytest.mark.attack("O1", "O3")
async def test_what_cannot_be_a_code_is_never_right(apart: Caller) -> None:
    """Nothing but its own six digits passes for a code, in whichever alphabet they are typed."""
    browser = Browser(apart)
    form, code = await login_code(browser, number())
    for typed in ("", "0", code[:5], f"{code}0", "*", "%", "$ne", "null", "\0", f"{code}\0", f"{code},{another(code)}"):
        answer = await send(browser, form.typed(code=typed))
        assert answer.status in {422, 429}, typed
        assert "还没有注册" not in answer.text


@pytest.mark.attack("O4", "O1")
@pytest.mark.parametrize("way", WAYS)
async def test_fifty_guesses_in_the_same_instant_are_five(apart: Caller, way: str) -> None:
    """Each answer that tells whether a guess was right has cost a try before it was given."""
    browser = Browser(apart)
    form, code = await asked(browser, way, number())
    guesses = (send(browser.copy(), form.typed(code=another(code, turn))) for turn in range(1, 51))
    told = Counter(outcome(answer) for answer in await asyncio.gather(*guesses))
    assert told["wrong"] == 5, told
    assert told["right"] == 0
    assert await enters(browser, form, code) in {"expired", "refused"}


@pytest.mark.attack("O9")
async def test_a_code_is_used_up_by_the_post_that_finds_it_right(apart: Caller) -> None:
    """The flow that has proved the number may be posted again; the code proves nothing in another one."""
    browser = Browser(apart)
    form, code = await login_code(browser, number())
    posts = (send(browser.copy(), form.typed(code=code, flow="")) for _ in range(20))
    told = Counter(outcome(answer) for answer in await asyncio.gather(*posts))
    assert told["right"] == 1, told
    assert told["wrong"] == 0
    assert await enters(browser, form.typed(flow=""), code) == "expired"


@pytest.mark.attack("O9", "O10")
async def test_what_a_code_has_proved_is_known_to_its_own_login_alone(apart: Caller) -> None:
    """A form that is sent twice is answered twice; in another flow, for another number, elsewhere the code is used."""
    browser, thief = Browser(apart), Browser(apart)
    form, code = await login_code(browser, number())
    assert [await enters(browser, form, code) for _ in range(3)] == ["right"] * 3
    another_form, _ = await login_code(browser, number())
    theirs, _ = await login_code(thief, number())
    phone, flow = form.values["phone"], form.values["flow"]
    for typed in (form.typed(flow=""), form.typed(flow="A" * 22), another_form.typed(phone=phone)):
        assert await enters(browser, typed, code) == "expired"
    assert await enters(browser, another_form.typed(flow=flow), code) == "wrong"
    for typed in (theirs.typed(phone=phone), theirs.typed(phone=phone, flow=flow)):
        assert await enters(thief, typed, code) == "expired"


@pytest.mark.attack("O10")
async def test_a_code_serves_nothing_but_what_it_was_sent_for(apart: Caller) -> None:
    """Not in another browser, for another number, a registration or a recovery; and none of that costs a try."""
    browser, thief = Browser(apart), Browser(apart)
    phone, other = number(), number()
    form, code = await login_code(browser, phone)
    theirs, theirs_code = await login_code(thief, other)

    assert await enters(thief, theirs.typed(phone=phone), code) == "expired"
    assert await enters(browser, form.typed(phone=other), code) == "expired"
    assert await enters(browser, form.typed(phone=other), theirs_code) == "expired"
    for page in ("/register", "/h5/register"):
        begun = await registering(browser, number(), username(), page)
        for typed in (begun.typed(phone=phone), begun.typed(phone=phone, flow="")):
            assert await enters(browser, typed, code) == "expired"
    named = await send(browser, (await opened(browser, "/h5/recover")).typed(phone=phone))
    proving = form_of(await browser.get(str(named.header("Location"))), "/h5/recover/code")
    assert await enters(browser, proving, code) == "expired"

    assert await enters(browser, form, code) == "right"
    assert await enters(thief, theirs, theirs_code) == "right"


# -------------------------------------------------------------------------------------------------------------- sending


@pytest.mark.attack("O11")
async def test_a_number_is_sent_one_message_a_minute_however_it_is_written(apart: Caller) -> None:
    """Whichever page asks, in whichever browser, in whichever spelling: it is one number, and the next has to wait."""
    phone = number()
    await login_code(Browser(apart), phone)
    for turn, spelling in enumerate([phone, *spelled(phone)]):
        for way in WAYS if spelling == phone else (WAYS[turn % 3],):
            browser = Browser(apart)
            answer = await send(browser, (await opened(browser, SENDING[way], way)).typed(phone=spelling), "code")
            assert answer.status == 429, (spelling, way, answer.status)
            assert 0 < int(answer.header("Retry-After") or 0) <= 60
    assert len(await messages(apart.sandbox, phone)) == 1


@pytest.mark.attack("O11")
async def test_a_number_is_read_as_one_in_every_spelling(apart: Caller) -> None:
    """A spelling that was not read as the number it is would be refused here, and counted apart there."""
    for turn in range(len(spelled(number()))):
        phone, browser = number(), Browser(apart)
        form = (await opened(browser, BY_CODE, CODE_FORM)).typed(phone=spelled(phone)[turn], agreed="yes")
        answer = await send(browser, form, "code")
        assert answer.status == 200, form.values["phone"]
        code = await code_to(apart.sandbox, phone)
        # Typed in yet another way, it is the same number still.
        assert await enters(browser, form_of(answer, CODE_FORM).typed(phone=phone), code) == "right"


@pytest.mark.attack("O11", "O4")
async def test_of_twenty_askings_in_the_same_instant_one_is_sent(apart: Caller) -> None:
    """Browsers of their own, each with a captcha of its own: the number counts them all in one step."""
    phone = number()
    browsers = [Browser(apart) for _ in range(20)]
    forms = [(await opened(browser, BY_CODE, CODE_FORM)).typed(phone=phone) for browser in browsers]
    posts = (send(browser, form, "code") for browser, form in zip(browsers, forms, strict=True))
    answers = await asyncio.gather(*posts)
    assert Counter(answer.status for answer in answers) == {200: 1, 429: 19}
    await code_to(apart.sandbox, phone)
    assert len(await messages(apart.sandbox, phone)) == 1


@pytest.mark.attack("O11")
async def test_nothing_is_sent_to_what_is_no_number_of_the_mainland(apart: Caller) -> None:
    """Neither abroad nor to a service that pays whoever runs it, nor to two numbers at once."""
    for way, page in SENDING.items():
        for phone in FOREIGN:
            browser = Browser(apart)
            answer = await send(browser, (await opened(browser, page, way)).typed(phone=phone), "code")
            assert answer.status == 422, (way, phone)
            assert "phone" in form_of(answer, way).faults, (way, phone)
    for phone in ("15477770001", "15477770002"):
        assert not await messages(apart.sandbox, phone)


@pytest.mark.attack("O11")
async def test_a_browser_asks_for_five_messages_an_hour_wherever_they_go(apart: Caller) -> None:
    """The sixth number waits, on every page alike; another browser does not."""
    browser = Browser(apart)
    phones = [number() for _ in range(7)]
    for turn, phone in enumerate(phones[:5]):
        await asked(browser, WAYS[turn % 3], phone)
    for way, phone in zip(WAYS, phones[5:], strict=False):
        answer = await send(browser, (await opened(browser, SENDING[way], way)).typed(phone=phone), "code")
        assert answer.status == 429
        assert int(answer.header("Retry-After") or 0) > 60
        assert await messages(apart.sandbox, phone) == []
    await login_code(Browser(apart), phones[5])


@pytest.mark.attack("O2", "T10")
async def test_another_address_gains_no_message_and_no_guess(home: Own) -> None:
    """Limits are kept by number and by code: twenty addresses, and headers that claim twenty more, are one asker."""
    phone = number()
    async with Caller(home.at) as caller:
        browser = Browser(caller)
        form, code = await login_code(browser, phone)
        told: Counter[str] = Counter()
        for turn in range(20):
            async with Caller(home.at, f"127.0.88.{turn + 1}") as elsewhere:
                stranger = Browser(elsewhere)
                claims = {"X-Forwarded-For": f"198.51.100.{turn}", "X-Real-IP": f"198.51.100.{turn}"}
                asking = (await opened(stranger, BY_CODE, CODE_FORM)).typed(phone=phone)
                assert (await send(stranger, asking, "code", **claims)).status == 429
                same = Browser(elsewhere)
                same.cookies = dict(browser.cookies)
                told[outcome(await send(same, form.typed(code=another(code, turn + 1)), **claims))] += 1
        assert told["wrong"] == 5, told
        assert await enters(browser, form, code) in {"expired", "refused"}
        assert len(await messages(caller.sandbox, phone)) == 1


@pytest.mark.attack("O11")
async def test_an_address_asks_for_two_hundred_messages_an_hour_and_the_next_is_free(home: Own) -> None:
    """Whoever goes through numbers with ever new browsers is stopped; others are not."""
    async with Caller(home.at, "127.0.87.1") as flooder, Caller(home.at, "127.0.87.2") as neighbour:
        refused = None
        for turn in range(201):
            browser = Browser(flooder)
            form = (await opened(browser, BY_CODE, CODE_FORM)).typed(phone=number())
            refused = await send(browser, form, "code")
            assert refused.status == (200 if turn < 200 else 429), turn
        assert refused is not None
        assert int(refused.header("Retry-After") or 0) > 60
        await login_code(Browser(neighbour), number())


@pytest.mark.attack("O12")
async def test_guesses_at_no_code_take_nothing_from_the_number(apart: Caller) -> None:
    """Whoever types codes that nobody was sent, twenty times, keeps its owner from nothing."""
    phone = number()
    stranger, browser = Browser(apart), Browser(apart)
    guessing = (await opened(stranger, BY_CODE, CODE_FORM)).typed(phone=phone, agreed="yes")
    for turn in range(20):
        assert await enters(stranger, guessing, f"{turn:06d}") == "expired"
    form, code = await login_code(browser, phone)
    for turn in range(20, 40):
        assert await enters(stranger, guessing, f"{turn:06d}") == "expired"
    assert await enters(browser, form, code) == "right"


# --------------------------------------------------------------------------------------------------------- what is told


@pytest.mark.attack("O7", "Q24")
@pytest.mark.req("PRV-1")
async def test_a_code_is_read_on_the_phone_and_nowhere_else(home: Own) -> None:
    """No page, header, cookie, JSON, log or file has the code in it, nor the number, the password or the captcha."""
    async with Caller(home.at, "127.0.86.1") as caller:
        account = await registered(caller)
        browser, phone = Browser(caller), number()
        form, code = await login_code(browser, phone)
        (dispatch,) = re.findall(r'data-dispatch="([0-9a-f]+)"', caller.heard[-1].text)
        await send(browser, form.typed(code=another(code)), Accept="application/json")
        await browser.get(f"/dispatches/{dispatch}")
        assert await enters(browser, form, code) == "right"
        asking = await solved(browser, form_of(await browser.get("/register"), "/register"))
        live = await send(browser, asking.typed(phone=(third := number())), "code", Accept="application/json")
        assert live.status == 200
        codes = {code, await code_to(caller.sandbox, account.phone), await code_to(caller.sandbox, third)}
        for answer in caller.heard:
            kind = answer.header("Content-Type") or ""
            said = json.dumps(answer.headers) + ("" if kind.startswith(("image", "audio")) else answer.text)
            assert not codes & set(SIX_DIGITS.findall(said))
            assert PASSWORD not in said
    log = home.demo.process.log.read_text()
    kept = b"".join(path.read_bytes() for path in sorted(home.demo.data.glob("bjidp.sqlite*")))
    assert '"dispatched"' in log
    for place, octets in (("log", log.encode()), ("database", kept)):
        for hidden in (phone, third, account.phone, PASSWORD):
            assert hidden.encode() not in octets, place
    # Microseconds have six digits too.
    assert not codes & set(SIX_DIGITS.findall(re.sub(r'"timestamp": "[^"]*"', "", log)))


@pytest.mark.attack("O7", "R1")
async def test_what_became_of_a_message_is_told_to_whoever_had_it_sent(apart: Caller) -> None:
    """Another browser, and another site's page, are told what is told of a message that never was."""
    browser, stranger = Browser(apart), Browser(apart)
    await login_code(browser, number())
    (dispatch,) = re.findall(r'data-dispatch="([0-9a-f]+)"', apart.heard[-1].text)
    await stranger.get(BY_CODE)
    own = await browser.get(f"/dispatches/{dispatch}")
    assert own.json()["state"] in {"sending", "sent"}
    foreign, never = [await stranger.get(f"/dispatches/{known}") for known in (dispatch, "0" * 32)]
    assert foreign.status == 404
    assert foreign.face == never.face
    across = await browser.get(f"/dispatches/{dispatch}", **{"Sec-Fetch-Site": "cross-site"})
    assert across.status == 403
