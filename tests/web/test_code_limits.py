"""Codes over hours and days: guesses that a new code does not bring back, messages that strangers leave to an owner."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import pytest

from bjidp.clock import HOUR, MINUTE, SECOND
from bjidp.standing import Standing
from tests.support.accounts import ZHANG
from tests.support.accounts import member as account
from tests.support.browser import Browser
from tests.support.calls import Answer
from tests.support.forgetful import Forgetful
from tests.support.forms import WebForm, form_of, forms, send
from tests.support.inbox import code_to, messages
from tests.support.members import PASSWORD, PHONE, USERNAME, enrolled
from tests.support.owner import Owner
from tests.support.program import Program
from tests.support.visitors import (
    BY_CODE,
    CODE_FORM,
    another,
    by_password,
    number,
    opened,
    registering,
    solved,
)

MINUTES: Final = MINUTE // SECOND
HOURS: Final = HOUR // SECOND
KNOWN: Final = "bjidp_known"
NEW_PASSWORD: Final = "Wansui-2027"
PAGES: Final = {CODE_FORM: BY_CODE, "/register": "/register", "/h5/register": "/h5/register"}


class Asker:
    """A browser that asks for codes to one number, on one page."""

    def __init__(self, browser: Browser, phone: str, way: str = CODE_FORM) -> None:
        self.browser = browser
        self.phone = phone
        self.way = way
        self.form = WebForm(way)

    async def asks(self) -> Answer:
        """Ask for a code."""
        typed = {"phone": self.phone, "agreed": "yes"}
        form = await opened(self.browser, PAGES[self.way], self.way)
        answer = await send(self.browser, form.typed(**typed), "code")
        if answer.status in {200, 303}:
            shown = answer if answer.status == 200 else await self.browser.get(str(answer.header("Location")))
            self.form = form_of(shown, self.way).typed(**typed)
        return answer

    async def gets(self) -> str:
        """Ask for a code, which has to be sent, and read it."""
        before = len(await messages(self.browser.caller.sandbox, self.phone))
        answer = await self.asks()
        assert answer.status in {200, 303}, answer
        return await code_to(self.browser.caller.sandbox, self.phone, count=before + 1)

    async def enters(self, code: str) -> Answer:
        """Type a code."""
        typed = {"code": code, "username": f"u_{self.phone}", "password": PASSWORD, "again": PASSWORD}
        return await send(
            self.browser, self.form.typed(**{name: typed[name] for name in typed if name in self.form.fields})
        )


def told(answer: Answer) -> str:
    """Return what became of a code."""
    for words, meaning in (
        ("验证码不对，请检查", "wrong"),
        ("验证码输错了5次", "wrong"),
        ("验证码已经失效", "expired"),
        ("还没有注册", "right"),
    ):
        if words in answer.text:
            return meaning
    return {303: "right", 429: "refused"}[answer.status]


@pytest.fixture
async def member(program: Program) -> Standing:
    return await enrolled(program)


async def known(program: Program, *, source: str | None = None) -> Browser:
    """Return a browser that the member has logged in on before, and nobody is logged in on."""
    browser = await program.browser()
    assert (await by_password(browser, USERNAME, PASSWORD)).status == 303
    again = await program.browser(source=source)
    name = program.deployments[0].cookie(KNOWN)
    again.cookies[name] = browser.cookies[name]
    return again


# ------------------------------------------------------------------------------------------------------------- guesses


@pytest.mark.attack("O6", "O2")
async def test_a_new_code_brings_no_new_guesses(program: Program) -> None:
    """Ten guesses an hour at a number, however many codes, browsers, addresses and pages they are spread over."""
    phone = number()
    guesses: list[str] = []
    for turn, way in enumerate((CODE_FORM, "/h5/register")):
        asker = Asker(await program.browser(source=f"127.0.0.{turn + 2}"), phone, way)
        code = await asker.gets()
        guesses += [told(await asker.enters(another(code, guess))) for guess in range(1, 7)]
        program.clock.advance(MINUTES)
    assert guesses == (["wrong"] * 5 + ["expired"]) * 2
    asker = Asker(await program.browser(), phone)
    code = await asker.gets()
    refused = await asker.enters(code)
    assert refused.status == 429
    assert HOURS - 5 * MINUTES < int(refused.header("Retry-After") or 0) <= HOURS
    # Nor does a refusal cost the code a try; but the code's own time is over first.
    program.clock.advance(5 * MINUTES)
    assert told(await asker.enters(code)) == "expired"
    program.clock.advance(HOURS)
    assert told(await asker.enters(await asker.gets())) == "right"


@pytest.mark.attack("O6", "O9")
@pytest.mark.parametrize("way", PAGES)
async def test_a_new_code_ends_the_one_before(program: Program, way: str) -> None:
    """Of two messages to one form the last one counts, so nobody has twice the luck."""
    asker = Asker(await program.browser(), number(), way)
    first = await asker.gets()
    program.clock.advance(MINUTES)
    # On the same form, as a person does who waits for a message.
    assert asker.form.captcha == ""
    answer = await send(asker.browser, asker.form, "code")
    form = await solved(asker.browser, form_of(answer, way))
    answer = await send(asker.browser, form, "code")
    assert answer.status in {200, 303}
    second = await code_to(asker.browser.caller.sandbox, asker.phone, count=2)
    assert first != second
    assert told(await asker.enters(first)) == "wrong"
    assert told(await asker.enters(second)) == "right"


@pytest.mark.attack("O8", "O3")
@pytest.mark.parametrize("way", PAGES)
async def test_a_code_is_over_after_five_minutes_whatever_was_typed_meanwhile(program: Program, way: str) -> None:
    asker = Asker(await program.browser(), number(), way)
    code = await asker.gets()
    for turn in range(1, 5):
        program.clock.advance(MINUTES)
        assert told(await asker.enters(another(code, turn))) == "wrong"
    program.clock.advance(MINUTES)
    assert told(await asker.enters(code)) == "expired"


# ------------------------------------------------------------------------------------------------------------ messages


@pytest.mark.attack("O11", "O12")
@pytest.mark.req("FAQ-1")
async def test_strangers_leave_the_owner_messages_by_the_hour_and_by_the_day(
    program: Program, member: Standing
) -> None:
    """Three an hour and six a day are strangers'; a browser that is known gets the rest of five and of ten."""
    own = await known(program)
    turns = 0

    async def stranger() -> Answer:
        nonlocal turns
        turns += 1
        asker = Asker(await program.browser(source=f"127.0.1.{turns}"), PHONE, list(PAGES)[turns % 3])
        answer = await asker.asks()
        program.clock.advance(MINUTES)
        return answer

    async def owner() -> Answer:
        answer = await Asker(own, PHONE).asks()
        program.clock.advance(MINUTES)
        return answer

    assert [(await stranger()).status for _ in range(4)][3] == 429
    assert (await stranger()).header("Retry-After") is not None
    assert [(await owner()).status for _ in range(3)] == [200, 200, 429]
    program.clock.advance(HOURS)
    assert [(await stranger()).status for _ in range(4)][3] == 429
    program.clock.advance(HOURS)
    refused = await stranger()
    assert refused.status == 429
    assert int(refused.header("Retry-After") or 0) > 10 * HOURS
    assert "请在24小时后再试" in refused.text
    # Six were strangers', two the owner's: two are left of ten.
    assert [(await owner()).status for _ in range(3)] == [200, 200, 429]
    assert len(await messages(own.caller.sandbox, PHONE)) == 10
    program.clock.advance(24 * HOURS)
    assert (await stranger()).status in {200, 303}


@pytest.mark.attack("O12")
async def test_who_is_known_to_another_account_is_a_stranger_to_this_number(program: Program, member: Standing) -> None:
    """What a browser is known by is good for the accounts that have logged in on it."""
    own = await known(program)
    await enrolled(program, username="wang_wu_wu", phone="15400007777")
    foreign = await program.browser()
    assert (await by_password(foreign, "wang_wu_wu", PASSWORD)).status == 303
    name = program.deployments[0].cookie(KNOWN)
    browser = await program.browser()
    browser.cookies[name] = foreign.cookies[name]
    statuses = []
    for _ in range(4):
        statuses.append((await Asker(browser, PHONE).asks()).status)
        program.clock.advance(MINUTES)
    assert statuses == [200, 200, 200, 429]
    assert (await Asker(own, PHONE).asks()).status == 200


async def by_another_password(program: Program, account: str) -> Browser:
    owner = await Owner.of(program, account)
    form = (await owner.may("password")).typed(old=PASSWORD, password=NEW_PASSWORD, again=NEW_PASSWORD)
    assert (await send(owner.browser, form)).status == 303
    return owner.browser


async def by_recovery(program: Program, account: str) -> Browser:
    owner = await Forgetful.comes(await program.browser(), "/h5/recover")
    await owner.names(PHONE)
    await owner.asks()
    await owner.send(code=await code_to(owner.browser.caller.sandbox, PHONE))
    assert (await owner.send(password=NEW_PASSWORD, again=NEW_PASSWORD)).status == 303
    return owner.browser


async def by_denial(program: Program, account: str) -> Browser:
    owner = await Owner.of(program, account)
    (form,) = [form for form in forms(await owner.get("/centre")) if form.values.get("change")][:1]
    assert (await send(owner.browser, form)).status == 200
    return owner.browser


@pytest.mark.attack("O12", "R4")
@pytest.mark.parametrize("put_out", [by_another_password, by_recovery, by_denial])
async def test_who_is_put_out_of_an_account_is_a_stranger_to_it(
    program: Program, member: Standing, put_out: Callable[[Program, str], Awaitable[Browser]]
) -> None:
    """Whoever was in it once keeps no share of its owner's; the browser that has put them out does."""
    for phone in ("15400008888", PHONE):
        await program.rooms.stores.members.set_phone(member.account, phone, program.clock.now())
    thief = await known(program)
    owner = await put_out(program, member.account)
    program.clock.advance(24 * HOURS)
    statuses = []
    for _ in range(4):
        statuses.append((await Asker(thief, PHONE).asks()).status)
        program.clock.advance(MINUTES)
    assert statuses == [200, 200, 200, 429]
    if put_out is not by_denial:
        name, again = program.deployments[0].cookie(KNOWN), await program.browser()
        again.cookies[name] = owner.cookies[name]
        assert (await Asker(again, PHONE).asks()).status == 200


@pytest.mark.attack("O12")
async def test_guesses_of_strangers_use_up_none_of_the_owners(program: Program, member: Standing) -> None:
    """Whoever has codes sent and guesses at them blocks strangers to the account for an hour, and not its owner.

    Neither in a browser that is known, nor in a session that verifies its own number.
    """
    stranger = Asker(await program.browser(source="127.0.0.9"), PHONE)
    for _ in range(2):
        code = await stranger.gets()
        for guess in range(1, 6):
            await stranger.enters(another(code, guess))
        program.clock.advance(MINUTES)
    unknown = Asker(await program.browser(), PHONE)
    assert told(await unknown.enters(await unknown.gets())) == "refused"
    program.clock.advance(MINUTES)
    asker = Asker(await known(program), PHONE)
    assert told(await asker.enters(await asker.gets())) == "right"
    program.clock.advance(MINUTES)
    owner = await Owner.of(program, member.account)
    asked = await owner.asks("password")
    assert (await send(owner.browser, asked.typed(code=await owner.code_to(PHONE)))).status == 303


@pytest.mark.attack("O4")
@pytest.mark.req("REG-8")
async def test_of_two_people_who_have_proved_one_number_one_has_an_account_by_it(program: Program) -> None:
    """Both got a code, one after the other, as when a number is handed on; both send the form in the same instant."""
    phone = number()
    forms = []
    for name in ("first_one", "second_one"):
        browser = await program.browser()
        before = len(await messages(browser.caller.sandbox, phone))
        form = await registering(browser, phone, name)
        code = await code_to(browser.caller.sandbox, phone, count=before + 1)
        chosen = f"Wansui-{name[:5]}-8"
        forms.append((browser, form.typed(code=code, password=chosen, again=chosen)))
        program.clock.advance(MINUTES)
    answers = await asyncio.gather(*(send(browser, form) for browser, form in forms))
    assert sorted(answer.status for answer in answers) == [303, 422]
    (refused,) = (answer for answer in answers if answer.status == 422)
    assert set(form_of(refused, "/register").faults) == {"phone"}
    assert program.sql("SELECT count(*) FROM account") == [(1,)]


@pytest.mark.attack("O4", "O1")
@pytest.mark.req("LOG-6")
async def test_twenty_ends_of_a_document_in_the_same_instant_are_five(program: Program) -> None:
    """Of a number long unused the document's end is asked; five are compared, also of many at once."""
    stores, phone = program.rooms.stores, number()
    await account(stores, program.clock.now(), username=USERNAME, phone=phone, password=PASSWORD, document=ZHANG)
    program.clock.advance(60 * 24 * HOURS + 1)
    asker = Asker(await program.browser(), phone)
    led = await asker.enters(await asker.gets())
    where = str(led.header("Location"))
    form = form_of(await asker.browser.get(where), "/h5/login/document")
    posts = (send(asker.browser.copy(), form.typed(tail=f"00{turn:02}")) for turn in range(20))
    answers = await asyncio.gather(*posts)
    assert len([answer for answer in answers if "还可以试" in answer.text]) < 5
    right = await send(asker.browser, form.typed(tail=ZHANG.number[-4:]))
    assert (right.status, asker.browser.session) == (410, None)
