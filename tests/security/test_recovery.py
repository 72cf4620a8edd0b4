"""A forgotten password: what a stranger learns of an account, and what the way back into one is good for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from statistics import median
from typing import Final

import pytest

from bjidp.clock import SystemClock
from tests.security.conftest import Own
from tests.support.accounts import ZHANG, member, stores_at
from tests.support.browser import Browser
from tests.support.calls import Answer, Caller
from tests.support.forgetful import Forgetful, form_on
from tests.support.forms import WebForm, forms, send
from tests.support.inbox import messages
from tests.support.visitors import by_password

KNOWN: Final = [(f"known_{number:03d}", f"1540009{number:04d}") for number in range(100)]
"""People who have an account, and their numbers."""

NOBODY: Final = [(f"nobody_{number:03d}", f"1540008{number:04d}") for number in range(100)]
"""The same of people who have none."""

BATCH: Final = 14
"""Names that one browser asks about, before the next one comes."""

OLD, NEW = "Old-wansui-7", "New-wansui-8"

_LOOSE: Final = re.compile(r"[A-Za-z0-9_-]{22,43}|[0-9a-f]{32}|[0-9]+X?|【[^】]*】")


@pytest.fixture(scope="module")
def town(home: Own) -> Own:
    """A demo where the known have accounts without an identity."""

    async def settle() -> None:
        async with stores_at(home.demo.config) as stores:
            for username, phone in KNOWN:
                await member(stores, SystemClock().now(), username=username, phone=phone, password=OLD)

    asyncio.run(settle())
    return home


@pytest.fixture
async def calling(town: Own) -> AsyncIterator[Caller]:
    """A client of that demo."""
    async with Caller(town.at) as caller:
        yield caller


def face(answer: Answer) -> tuple[int, tuple[str, ...], str]:
    """Return an answer but for its ids and for the characters that masks show."""
    headers = tuple(sorted(name for name, _ in answer.headers if name != "Set-Cookie"))
    return answer.status, headers, _LOOSE.sub("-", answer.text)


async def recovers(calling: Caller, name: str, start: str = "/recover") -> Forgetful:
    """Come as far as the page that asks the code."""
    somebody = await Forgetful.comes(Browser(calling), start)
    await somebody.comes_to_the_code(name)
    return somebody


@pytest.mark.attack("R1")
@pytest.mark.req("REC-2", "REC-4")
async def test_a_hundred_names_that_somebody_has_and_a_hundred_that_nobody_has_are_answered_alike(
    calling: Caller,
) -> None:
    """The same bytes but for masks, in the same time, for everybody whose page shows the same way of proof."""
    clock = asyncio.get_running_loop().time
    faces: dict[str, set[tuple[object, ...]]] = {"known": set(), "nobody": set()}
    times: dict[str, list[float]] = {"known": [], "nobody": []}
    somebody = await Forgetful.comes(Browser(calling))
    for number, pair in enumerate(zip(KNOWN, NOBODY, strict=True)):
        if number % BATCH == 0:
            somebody = await Forgetful.comes(Browser(calling))
        for group, (username, _) in zip(faces, pair, strict=True):
            await somebody.open("/recover")
            form = somebody.form.typed(account=username, captcha=await somebody.captcha())
            started = clock()
            named = await send(somebody.browser, form)
            ways = await somebody.browser.get(named.header("Location") or "")
            times[group].append(clock() - started)
            faces[group].add((face(named)[:2], face(ways)))
    assert len(faces["known"]) == 1
    assert faces["known"] <= faces["nobody"]
    medians = {group: median(values) for group, values in times.items()}
    assert max(medians.values()) < 1.5 * min(medians.values()) + 0.0005, medians


async def captcha_of(browser: Browser) -> str:
    """Have a captcha made that no page shows; return its id."""
    answer = await browser.caller.post("/captcha", {}, headers=browser.headers(browser.to.url))
    return str(answer.json()["id"])


@pytest.mark.attack("R1", "O11")
@pytest.mark.req("REC-2")
async def test_asking_for_a_code_and_guessing_it_is_the_same_for_a_number_that_nobody_has(calling: Caller) -> None:
    """What is answered, how many guesses there are, and when another message may be asked for."""
    seen = []
    for _, number in (KNOWN[0], NOBODY[0]):
        somebody = await recovers(calling, number)
        answers = []
        captcha = somebody.form.captcha
        # To ask again too early, with and without a captcha.
        for given in (captcha, "", await captcha_of(somebody.browser)):
            read = await calling.captcha(given) if given else ""
            fields = somebody.form.values | {"captcha_id": given, "captcha": read, "act": "code"}
            answers.append(
                face(await send(somebody.browser, WebForm("/recover/code", fields), Accept="application/json"))
            )
        answers += [face(await somebody.send(document=ZHANG.number, code="000000")) for _ in range(6)]
        seen.append(answers)
    # A decoy may be asked its document too, which is a field more: what a code is worth is compared.
    assert [answer[0] for answer in seen[0]] == [answer[0] for answer in seen[1]]
    assert seen[0][:3] == seen[1][:3]
    assert await messages(calling.sandbox, KNOWN[0][1]) != []
    assert await messages(calling.sandbox, NOBODY[0][1]) == []


@pytest.mark.attack("R2", "R3")
@pytest.mark.req("REC-1", "REC-4")
async def test_a_recovery_serves_once_and_logs_nobody_in(calling: Caller) -> None:
    """No cookie of a session comes of it, and the form that set the password sets no other."""
    username, number = KNOWN[1]
    somebody = await recovers(calling, username)
    await somebody.asks()
    code = await somebody.reads(number)
    await somebody.send(code=code)
    form = somebody.form
    done = await somebody.send(password=NEW, again=NEW)
    assert (done.status, somebody.heading) == (303, "新密码已设置")
    assert somebody.browser.session is None
    other = await send(somebody.browser, form.typed(password="Other-wansui-9", again="Other-wansui-9"))
    assert (other.status, somebody.browser.session) == (303, None)
    assert await logs_in(calling, username, NEW)
    assert not await logs_in(calling, username, "Other-wansui-9")
    assert not await logs_in(calling, username, OLD)


@pytest.mark.attack("R2", "T3")
@pytest.mark.req("REC-4")
async def test_a_recovery_ends_every_session_of_the_account_and_of_no_other(calling: Caller) -> None:
    """Whoever was in before is out with the new password, and a login needs it from then on."""
    username, number = KNOWN[8]
    inside, other = Browser(calling), Browser(calling)
    assert (await by_password(inside, username, OLD)).status == 303
    assert (await by_password(other, KNOWN[9][0], OLD)).status == 303
    somebody = await recovers(calling, number, "/h5/recover")
    await somebody.asks()
    await somebody.send(code=await somebody.reads(number))
    assert (await inside.get("/centre")).status == 200
    await somebody.send(password=NEW, again=NEW)
    assert (await inside.get("/centre")).status == 303
    assert (await other.get("/centre")).status == 200
    assert (await by_password(Browser(calling), username, OLD)).status == 422
    assert somebody.browser.session is None


@pytest.mark.attack("R3", "O9")
async def test_of_eight_new_passwords_in_the_same_instant_one_is_set(calling: Caller) -> None:
    username, number = KNOWN[3]
    somebody = await recovers(calling, username)
    await somebody.asks()
    await somebody.send(code=await somebody.reads(number))
    passwords = [f"Wansui-{turn:02d}x" for turn in range(8)]
    posts = [
        send(somebody.browser.copy(), somebody.form.typed(password=password, again=password)) for password in passwords
    ]
    answers = await asyncio.gather(*posts)
    assert {answer.status for answer in answers} == {303}
    good = [password for password in passwords if await logs_in(calling, username, password)]
    assert len(good) == 1


@pytest.mark.attack("O1")
async def test_the_sixth_guess_finds_the_code_dead_and_so_does_the_right_one(calling: Caller) -> None:
    username, number = KNOWN[4]
    somebody = await recovers(calling, username)
    await somebody.asks()
    code = await somebody.reads(number)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    said = []
    for typed in [wrong] * 6 + [code]:
        assert (await somebody.send(code=typed)).status == 422
        said.append(somebody.form.faults["code"])
    # The last two that count are told as that.
    assert said[:3] == said[:1] * 3
    assert len(set(said[:5])) == 3
    assert said[5] == said[6] not in said[:5]


@pytest.mark.attack("O4")
async def test_fifty_guesses_in_the_same_instant_are_five(calling: Caller) -> None:
    username, number = KNOWN[5]
    somebody = await recovers(calling, username)
    await somebody.asks()
    code = int(await somebody.reads(number))
    guesses = [f"{(code + turn) % 1_000_000:06d}" for turn in range(1, 51)]
    form = somebody.form
    other = await recovers(calling, username)
    await other.send(code="000000")
    dead = other.form.faults["code"]
    answers = await asyncio.gather(*(send(somebody.browser.copy(), form.typed(code=guess)) for guess in guesses))
    said = [form_on(answer).faults.get("code") for answer in answers if answer.status == 422]
    assert sum(words != dead for words in said) == 5
    assert (await send(somebody.browser, form.typed(code=f"{code:06d}"))).status in {422, 429}


@pytest.mark.attack("O10")
async def test_a_code_serves_the_recovery_and_the_browser_it_was_sent_for_and_nothing_else(calling: Caller) -> None:
    username, number = KNOWN[6]
    somebody, other = await recovers(calling, username), await recovers(calling, username)
    phone = await recovers(calling, number, "/h5/recover")
    await somebody.asks()
    code = await somebody.reads(number)
    for stranger in (other, phone):
        answer = await stranger.send(code=code)
        assert (answer.status, set(stranger.form.faults)) == (422, {"code"})
    form = WebForm("/recover/code", other.form.values | {"flow": somebody.flow, "code": code})
    assert (await send(other.browser, form)).status == 410
    login = await Browser(calling).get("/h5/login?tab=code")
    assert login.status == 200
    assert (await somebody.send(code=code)).status == 303
    assert "新密码" in somebody.page


@pytest.mark.attack("R3")
async def test_a_step_that_was_not_proved_is_reached_by_nobody(calling: Caller) -> None:
    """Neither by its address nor by its form, with one's own recovery or with somebody else's."""
    username, _ = KNOWN[7]
    somebody = await recovers(calling, username)
    for path in ("/recover/password", "/recover/done", "/h5/recover/password", "/h5/recover/done"):
        answer = await somebody.browser.get(f"{path}?flow={somebody.flow}")
        assert (answer.status, answer.header("Location")) == (303, f"/recover/ways?flow={somebody.flow}")
    for flow, status in ((somebody.flow, 303), ("A" * 22, 410), ("", 410)):
        fields = somebody.form.values | {"flow": flow, "password": NEW, "again": NEW}
        assert (await send(somebody.browser, WebForm("/recover/password", fields))).status == status
    assert not await logs_in(calling, username, NEW)


async def logs_in(calling: Caller, username: str, password: str) -> bool:
    """Tell whether the password opens the account, in a browser of its own."""
    browser = Browser(calling)
    page = await browser.get("/login?tab=account")
    (form,) = [form for form in forms(page) if "password" in form.values]
    told = await calling.sandbox(f"/control/captcha?id={form.captcha}")
    answer = await send(browser, form.typed(account=username, password=password, captcha=str(told["answer"])))
    assert answer.status in {303, 401, 403, 422}, answer
    return answer.status == 303
