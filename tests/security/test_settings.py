"""A session in the wrong hands, and what of the account it can change (attacks R4, T1, T3, P7, O10)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import Final
from urllib.parse import urlencode

import pytest

from tests.security.conftest import Own
from tests.support.accounts import member_at
from tests.support.browser import Browser
from tests.support.calls import Answer, Caller, Line
from tests.support.forms import WebForm, form_of, forms, post, send
from tests.support.inbox import code_to, messages

PASSWORD, NEW_PASSWORD = "Old-wansui-7", "New-wansui-8"
ATTACKER: Final = "15400079999"
CODE: Final = {"code": "123456"}
TYPED: Final = {
    "password": {"old": PASSWORD, "password": NEW_PASSWORD, "again": NEW_PASSWORD},
    "phone": {"phone": ATTACKER, **CODE},
    "mail": {"mail": "attacker@mail.example", **CODE},
    "username": {"username": "attacker_1"},
    "organisation": {"credit_code": "91000000MA990001X0", "organisation_name": "北京青禾示例科技有限公司"},
    "appoint": {"organisation": "A" * 22, "phone": ATTACKER, "scope": "all", "ends_on": "2027-12-31"},
    "cancel": CODE,
}
"""What a thief types into the form of each setting."""

_NUMBERS = count(1)


class Victim:
    """Somebody with an account, at the server under attack."""

    def __init__(self, caller: Caller, number: int) -> None:
        self.caller = caller
        self.username = f"victim_{number:03d}"
        self.phone = f"1540007{number:04d}"

    async def logs_in(self) -> Browser:
        """Log in by the password in a new browser."""
        browser = Browser(self.caller)
        form = form_of(browser.keep(await browser.get("/login?tab=account")), "/login")
        typed = form.typed(account=self.username, password=PASSWORD, captcha=await self.captcha(form))
        answer = await send(browser, typed)
        assert (answer.status, answer.header("Location")) == (303, "/centre"), answer
        return browser

    async def captcha(self, form: WebForm) -> str:
        """Return what the captcha of a form shows."""
        found = await self.caller.sandbox(f"/control/captcha?id={form.captcha}")
        return str(found["answer"])

    async def asks(self, browser: Browser, setting: str) -> tuple[WebForm, str]:
        """Have the code of 验证身份 sent; return the form of that step and the code."""
        form = form_of(await browser.get(f"/centre/{setting}"), f"/centre/{setting}/identity")
        sent = await send(browser, form.typed(captcha=await self.captcha(form)), "code")
        assert sent.status == 303, sent
        page = await browser.get(sent.header("Location") or "")
        return form_of(page, f"/centre/{setting}/identity"), await code_to(self.caller.sandbox, self.phone)


@pytest.fixture
async def victim(home: Own) -> AsyncIterator[Victim]:
    """Somebody new for each test: a number is sent one code a minute."""
    async with Caller(home.at) as caller:
        somebody = Victim(caller, next(_NUMBERS))
        await member_at(home.demo.config, username=somebody.username, phone=somebody.phone, password=PASSWORD)
        yield somebody


def where(answer: Answer) -> tuple[int, str]:
    """Return the status, and where it leads without what is asked there."""
    return answer.status, (answer.header("Location") or "").partition("?")[0]


async def csrf(browser: Browser) -> str:
    """Return the token that the session's pages hold."""
    return forms(await browser.get("/centre"))[0].values["csrf"]


@pytest.mark.attack("R4")
@pytest.mark.req("ACC-8")
async def test_a_stolen_session_changes_nothing_without_the_owners_phone(victim: Victim) -> None:
    thief = (await victim.logs_in()).copy()
    token = await csrf(thief)
    for setting, typed in TYPED.items():
        for act in ("", "code", "other"):
            for flow in ("", "A" * 22):
                fields = {"csrf": token, "act": act, "flow": flow, **typed}
                answer = await post(thief, f"/centre/{setting}", fields)
                assert answer.status in ({303, 400} if act else {303}), (setting, act, answer)
        page = await thief.get(f"/centre/{setting}")
        assert f'action="/centre/{setting}/identity"' in page.text or setting == "cancel"
    assert await messages(victim.caller.sandbox, ATTACKER) == []
    assert (await victim.logs_in()).session is not None, "the password is what it was"
    assert victim.phone[-4:] in (await thief.get("/centre")).text


@pytest.mark.attack("R4", "T1", "T3")
@pytest.mark.req("ACC-8", "REC-4")
async def test_the_owners_own_proof_puts_the_thief_out_and_a_new_password_everybody_else(victim: Victim) -> None:
    owner = await victim.logs_in()
    thief, other = owner.copy(), await victim.logs_in()
    form, code = await victim.asks(owner, "password")
    before = owner.session
    proved = await send(owner, form.typed(code=code))
    assert where(proved) == (303, "/centre/password")
    assert owner.session not in {None, before}
    assert where(await thief.get("/centre")) == (303, "/login")
    assert where(await post(thief, "/centre/password", {"csrf": form.values["csrf"], **TYPED["password"]})) == (
        303,
        "/login",
    )
    assert (await other.get("/centre")).status == 200
    page = await owner.get(proved.header("Location") or "")
    done = await send(
        owner, form_of(page, "/centre/password").typed(old=PASSWORD, password=NEW_PASSWORD, again=NEW_PASSWORD)
    )
    assert where(done) == (303, "/centre/password")
    assert where(await other.get("/centre")) == (303, "/login")
    assert (await owner.get("/centre")).status == 200


@pytest.mark.attack("R4")
@pytest.mark.req("ACC-8")
async def test_of_twenty_posts_at_once_one_proof_lets_one_through(victim: Victim) -> None:
    owner = await victim.logs_in()
    form, code = await victim.asks(owner, "username")
    proved = await send(owner, form.typed(code=code))
    change = form_of(await owner.get(proved.header("Location") or ""), "/centre/username")
    names = [f"twenty_{number:02d}_{victim.phone[-3:]}" for number in range(20)]
    # Without the change that they belong to, so that each is one of its own and the proof alone decides.
    fields = {"csrf": change.values["csrf"]}
    answers = await asyncio.gather(*(post(owner, "/centre/username", fields | {"username": name}) for name in names))
    pages = [await owner.get(answer.header("Location") or "") for answer in answers if answer.status == 303]
    assert sum("修改成功" in page.text for page in pages) == 1


@pytest.mark.attack("O10")
@pytest.mark.req("ACC-8")
async def test_a_code_for_one_operation_proves_no_other(victim: Victim) -> None:
    owner = await victim.logs_in()
    _, code = await victim.asks(owner, "mail")
    for setting in ("password", "phone", "username"):
        form = form_of(await owner.get(f"/centre/{setting}"), f"/centre/{setting}/identity")
        answer = await send(owner, form.typed(code=code))
        assert (answer.status, form_of(answer, f"/centre/{setting}/identity").faults) == (
            422, {"code": "验证码已经失效（过期、用过，或有更新的一条），请重新获取"},
        )  # fmt: skip
    elsewhere = await victim.logs_in()
    form = form_of(await elsewhere.get("/centre/mail"), "/centre/mail/identity")
    assert (await send(elsewhere, form.typed(code=code))).status == 422, "nor in another session"


@pytest.mark.attack("P7", "T3")
@pytest.mark.req("SES-1")
async def test_a_session_that_its_owner_ends_is_out_at_its_next_request(victim: Victim) -> None:
    owner, thief, other = [await victim.logs_in() for _ in range(3)]
    page = await owner.get("/centre/devices")
    (form,) = [form for form in forms(page) if form.acts == ["others"]]
    assert where(await send(owner, form, "others")) == (303, "/centre/devices")
    for stolen in (thief, other):
        assert where(await stolen.get("/centre")) == (303, "/login")
        assert where(await post(stolen, "/centre/devices", {"csrf": form.values["csrf"]})) == (303, "/login")
    assert (await owner.get("/centre")).status == 200


async def held_back(browser: Browser, path: str, fields: dict[str, str]) -> tuple[Line, bytes]:
    """Post a form up to its body, which the server waits for; return the connection and the body."""
    line = await Line.open(browser.to)
    body = urlencode(fields).encode()
    head = browser.headers(browser.to.url, Accept="text/html") | {
        "Host": browser.to.authority,
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": str(len(body)),
        "Expect": "100-continue",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    await line.say(f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode())
    assert (await line.answer()).status == 100
    return line, body


@pytest.mark.attack("P7", "R4", "T1")
async def test_a_request_that_holds_its_body_back_does_not_outlive_the_session_it_began_in(victim: Victim) -> None:
    """Head first, the body once the owner has proved who they are, or has ended everything."""
    owner = await victim.logs_in()
    thief = owner.copy()
    name = f"thief_{victim.phone[-4:]}"
    form, code = await victim.asks(owner, "username")
    fields = {"csrf": await csrf(thief), "act": "", "flow": form.values.get("flow", ""), "username": name}
    renewed, body = await held_back(thief, "/centre/username", fields)
    assert where(await send(owner, form.typed(code=code))) == (303, "/centre/username")
    await renewed.say(body)
    assert where(await renewed.answer()) == (303, "/login")
    await renewed.close()

    fields["csrf"] = await csrf(owner)
    ended, body = await held_back(owner.copy(), "/centre/username", fields)
    await post(owner, "/not-me", {"csrf": fields["csrf"], "change": "yes"})
    await ended.say(body)
    assert where(await ended.answer()) == (303, "/login")
    await ended.close()
    assert name[0] + "***********" + name[-1] not in (await (await victim.logs_in()).get("/centre")).text
