"""``GET /dispatches/{id}`` over the real wiring, with the sandbox's Chuanglan as the provider."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from structlog.testing import capture_logs

from bjidp.bootstrap.verification import wire_verification
from bjidp.config.settings import Settings
from bjidp.qrlogin.browser import key_of
from bjidp.secret import Secret
from bjidp.throttle.source import Source
from bjidp.verification.code import Binding, Purpose, by_mail
from bjidp.verification.dispatch import Dispatches
from bjidp.verification.errors import SmsNotOffered
from tests.support.browser import Browser
from tests.support.calls import PATIENCE, Answer
from tests.support.inbox import messages
from tests.support.program import Program
from tests.support.verification import binding, mail, number
from tests.web.conftest import StartProgram

PHONE = "15420000001"


@asynccontextmanager
async def sending(program: Program) -> AsyncIterator[Dispatches]:
    """Send as one more process of a program would."""
    room = wire_verification(program.rooms)
    yield room.dispatches
    await room.dispatches.close(0)
    await room.passwords.close()


@pytest.fixture
async def dispatches(program: Program) -> AsyncIterator[Dispatches]:
    async with sending(program) as found:
        yield found


async def holder(program: Program, browser: Browser) -> str:
    """Return the id that a browser's flows are kept under."""
    assert browser.secret is not None
    held = await program.rooms.stores.browsers.get(key_of(browser.secret))
    assert held is not None
    return held.value.id


async def asked(program: Program, dispatches: Dispatches, browser: Browser, phone: str = PHONE) -> str:
    """Have a code sent from a browser; return the id of the sending."""
    of_browser = await holder(program, browser)
    sent = await dispatches.sms(
        binding(phone=phone), number(phone), holder=of_browser, browser=of_browser, source=Source(None), owner=False
    )
    return sent.id


async def told(browser: Browser, dispatch: str, **headers: str) -> Answer:
    return await browser.caller.send("GET", f"/dispatches/{dispatch}", headers=browser.headers(**headers))


async def end(browser: Browser, dispatch: str) -> dict[str, object]:
    """Ask until the sending has ended."""
    async with asyncio.timeout(PATIENCE):
        while True:
            state = (await told(browser, dispatch)).json()
            if state["state"] != "sending":
                return state


async def breaks(browser: Browser, mode: str) -> None:
    """Let Chuanglan misbehave."""
    await browser.caller.sandbox("/control/faults", {"service": "chuanglan", "mode": mode})


@pytest.fixture
async def browser(program: Program) -> Browser:
    browser = await program.browser()
    await browser.open()
    return browser


@pytest.mark.req("FAQ-1")
async def test_a_message_arrives_with_a_code_and_the_page_is_told(
    program: Program, dispatches: Dispatches, browser: Browser
) -> None:
    dispatch = await asked(program, dispatches, browser)
    assert await end(browser, dispatch) == {"state": "sent", "message": "已发送"}
    (message,) = await messages(browser.caller.sandbox, PHONE)
    assert message["text"].startswith("【")
    assert "不要告诉任何人" in message["text"]
    assert message["code"].isdecimal()


@pytest.mark.req("UX-5")
async def test_a_slow_provider_holds_up_no_page(program: Program, dispatches: Dispatches, browser: Browser) -> None:
    await breaks(browser, "timeout")
    dispatch = await asked(program, dispatches, browser)
    assert (await told(browser, dispatch)).json() == {"state": "sending", "message": "正在发送…"}
    await breaks(browser, "ok")


@pytest.mark.req("UX-5")
@pytest.mark.parametrize("mode", ["http500", "malformed", "refuse"])
async def test_a_provider_that_is_down_means_a_clear_message(
    program: Program, dispatches: Dispatches, browser: Browser, mode: str
) -> None:
    await breaks(browser, mode)
    state = await end(browser, await asked(program, dispatches, browser))
    assert (state["state"], state["reason"]) == ("failed", "unavailable")
    assert str(state["message"]).startswith("短信没有发出")


@pytest.mark.req("UX-5")
async def test_a_number_that_the_provider_refuses_is_named_as_the_reason(
    program: Program, dispatches: Dispatches, browser: Browser
) -> None:
    state = await end(browser, await asked(program, dispatches, browser, "15400000107"))
    assert (state["state"], state["reason"]) == ("failed", "number")


@pytest.mark.req("ACC-4")
async def test_a_mail_arrives_with_a_code_and_the_page_is_told(
    program: Program, dispatches: Dispatches, browser: Browser
) -> None:
    of_browser = await holder(program, browser)
    sent = await dispatches.mail(
        Binding(Purpose.BIND_MAIL, by_mail(mail()), "flow"),
        mail(),
        holder=of_browser,
        browser=of_browser,
        source=Source(None),
    )
    assert await end(browser, sent.id) == {"state": "sent", "message": "已发送"}
    (message,) = await messages(browser.caller.sandbox, mail().text)
    assert "不要告诉任何人" in message["text"]
    assert message["code"].isdecimal()


@pytest.mark.req("UX-5", "ACC-4")
async def test_a_mailbox_that_there_is_not_is_named_as_the_reason(
    program: Program, dispatches: Dispatches, browser: Browser
) -> None:
    of_browser = await holder(program, browser)
    address = mail("refuse-550@mail.example")
    sent = await dispatches.mail(
        Binding(Purpose.BIND_MAIL, by_mail(address), "flow"),
        address,
        holder=of_browser,
        browser=of_browser,
        source=Source(None),
    )
    state = await end(browser, sent.id)
    assert (state["state"], state["reason"]) == ("failed", "address")
    assert str(state["message"]).startswith("没有这个邮箱")


async def test_another_browser_and_nobody_are_told_the_same_as_of_what_never_was(
    program: Program, dispatches: Dispatches, browser: Browser
) -> None:
    dispatch = await asked(program, dispatches, browser)
    await end(browser, dispatch)
    other, nobody = await program.browser(), await program.browser()
    await other.open()
    answers = [
        await told(other, dispatch),
        await told(nobody, dispatch),
        await told(browser, "0" * 32),
        await told(browser, "x"),
    ]
    assert {(answer.status, answer.body) for answer in answers} == {(404, answers[0].body)}
    assert answers[0].json()["code"] == "dispatch_unknown"


async def test_whoever_is_logged_in_asks_under_their_session(program: Program, dispatches: Dispatches) -> None:
    browser = await program.signed_in()
    ((session,),) = program.sql("SELECT id FROM browser_session")
    sent = await dispatches.sms(
        binding(), number(PHONE), holder=str(session), browser="b", source=Source(None), owner=True
    )
    assert (await end(browser, sent.id))["state"] == "sent"


async def test_another_sites_page_cannot_ask(program: Program, dispatches: Dispatches, browser: Browser) -> None:
    dispatch = await asked(program, dispatches, browser)
    answer = await told(browser, dispatch, **{"Sec-Fetch-Site": "cross-site"})
    assert (answer.status, answer.json()["code"]) == (403, "origin_refused")


async def test_without_an_account_for_messages_none_is_offered(start_program: StartProgram) -> None:
    def without(settings: Settings) -> Settings:
        return msgspec.structs.replace(settings, chuanglan=None, mail=None)

    program = await start_program(settings=without)
    browser = await program.browser()
    await browser.open()
    async with sending(program) as dispatches:
        with pytest.raises(SmsNotOffered):
            await asked(program, dispatches, browser)


# -------------------------------------------------------------------------------------------------------------- reports


def reporting(**changes: object) -> Callable[[Settings], Settings]:
    """Return a change of settings: of how Chuanglan's reports come."""

    def changed(settings: Settings) -> Settings:
        assert settings.chuanglan is not None
        given: dict[str, Any] = changes
        return msgspec.structs.replace(settings, chuanglan=msgspec.structs.replace(settings.chuanglan, **given))

    return changed


BRINGS = reporting(push_receiver=Secret("bjidp"), push_password=Secret("agreed"))


def brought(dispatch: str, **changes: str) -> str:
    """Return the path of a report as Chuanglan brings it."""
    query = {
        "receiver": "bjidp",
        "pswd": "agreed",
        "msgid": "19011716074111111",
        "reportTime": "1901171607",
        "mobile": PHONE,
        "status": "UNDELIV",
        "notifyTime": "190117160742",
        "statusDesc": "短信不可到达",
        "uid": dispatch,
        "length": "1",
    }
    return f"/reports/sms/chuanglan?{urlencode(query | changes)}"


@pytest.mark.req("UX-5")
async def test_a_report_that_is_brought_is_told_to_the_page(start_program: StartProgram) -> None:
    program = await start_program(settings=BRINGS)
    browser = await program.browser()
    await browser.open()
    async with sending(program) as dispatches:
        dispatch = await asked(program, dispatches, browser)
        assert (await end(browser, dispatch))["state"] == "sent"
    with capture_logs() as lines:
        for _ in range(2):
            answer = await browser.caller.send("GET", brought(dispatch))
            assert (answer.status, answer.json()) == (200, {"clcode": "000000"})
    assert PHONE not in str(lines)
    state = (await told(browser, dispatch)).json()
    assert (state["state"], state["reason"]) == ("failed", "undelivered")
    assert state["message"].startswith("运营商报告短信没有送达")


@pytest.mark.parametrize(
    "changes", [{"pswd": "x"}, {"receiver": "x"}, {"pswd": ""}, {"pswd": "agreed", "receiver": ""}], ids=str
)
async def test_whoever_does_not_know_the_words_changes_nothing_and_is_told_nothing(
    start_program: StartProgram, changes: dict[str, str]
) -> None:
    program = await start_program(settings=BRINGS)
    browser = await program.browser()
    await browser.open()
    async with sending(program) as dispatches:
        dispatch = await asked(program, dispatches, browser)
        assert (await end(browser, dispatch))["state"] == "sent"
    with capture_logs() as lines:
        foreign = await browser.caller.send("GET", brought(dispatch, **changes))
        nowhere = await browser.caller.send("GET", "/reports/sms/chuanglan_second")
    assert (foreign.status, foreign.body) == (404, nowhere.body)
    assert lines == [{"event": "sms_report_foreign", "log_level": "warning", "dispatch": dispatch}]
    assert (await told(browser, dispatch)).json()["state"] == "sent"


async def test_foreign_reports_do_not_fill_the_log(start_program: StartProgram) -> None:
    caller = await (await start_program(settings=BRINGS)).caller()
    with capture_logs() as lines:
        answers = [(await caller.send("GET", brought("x" * 33, pswd="x"))).status for _ in range(33)]
    assert answers == [404] * 30 + [429] * 3
    assert lines == [{"event": "sms_report_foreign", "log_level": "warning", "dispatch": None}] * 30
    assert (await caller.send("GET", brought("125"))).status == 200


@pytest.mark.parametrize("changes", [{"status": "短信"}, {"mobile": "1"}, {"uid": "../.."}], ids=str)
async def test_what_is_no_report_is_refused(start_program: StartProgram, changes: dict[str, str]) -> None:
    caller = await (await start_program(settings=BRINGS)).caller()
    answer = await caller.send("GET", brought("125", **changes))
    assert (answer.status, answer.json()["code"]) == (400, "invalid_request")


async def test_a_report_that_cannot_be_kept_is_brought_again(start_program: StartProgram) -> None:
    program = await start_program(settings=BRINGS)
    caller = await program.caller()
    program.meddler.breaks("dispatches")
    answer = await caller.send("GET", brought("0" * 32))
    assert (answer.status, answer.json()["code"]) == (503, "service_unavailable")


async def test_without_agreed_words_nothing_is_taken(program: Program) -> None:
    answer = await (await program.caller()).send("GET", brought("125"))
    assert (answer.status, answer.json()["code"]) == (404, "not_found")


@pytest.mark.req("UX-5")
async def test_a_report_that_is_asked_for_is_told_to_the_page(start_program: StartProgram) -> None:
    program = await start_program(settings=reporting(pull_reports=True))
    browser = await program.browser()
    await browser.open()
    async with sending(program) as dispatches:
        dispatch = await asked(program, dispatches, browser, "15400001001")
        assert (await end(browser, dispatch))["state"] == "sent"
    await program.advance(15)
    async with asyncio.timeout(PATIENCE):
        while True:
            state = (await told(browser, dispatch)).json()
            if state["state"] == "failed":
                break
    assert state["reason"] == "undelivered"
