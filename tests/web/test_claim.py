"""``POST /mp/v1/{platform}/registration/claim`` over the real wiring, with the sandbox's Chuanglan as the provider."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec import Struct

from bjidp.config.settings import Settings
from tests.support.calls import Answer, Caller
from tests.support.inbox import arrived, code_to
from tests.support.phone import Person, complete, pressed, start_session, state_identity
from tests.support.phone import before_the_camera as film
from tests.support.phone import people as everybody
from tests.support.program import Program
from tests.web.conftest import StartProgram

pytestmark = pytest.mark.req("RNV-7")

PHONE = "15400005678"
PATH = "/mp/v1/wechat/registration/claim"


class Claim(Struct):
    """A registration that has found an account, and how it is gone on with."""

    caller: Caller
    person: Person
    secret: str
    loser: str

    async def call(self, *, mine: bool = True, code: str | None = None) -> Answer:
        return await self.caller.post(PATH, {"registration": self.secret, "mine": mine, "code": code})

    async def sent(self) -> str:
        """Have a code sent, and read it."""
        assert (await self.call()).status == 202
        return await code_to(self.caller.sandbox, PHONE)


async def on_pages(program: Program, person: Person, phone: str | None = PHONE) -> str:
    """Let a person have an account as pages make one; return its id."""
    await program.phone(person.id)
    ((account,),) = program.sql("SELECT id FROM account")
    if phone is not None:
        await program.rooms.stores.members.set_phone(account, phone, program.clock.now())
    for table in ("mini_session", "platform_identity", "platform_link", "notice"):
        program.sql(f"DELETE FROM {table}")  # noqa: S608 - names of tables
    program.sql("UPDATE identity SET evidence = 'name_and_number'")
    return str(account)


async def claim(program: Program, phone: str | None = PHONE) -> Claim:
    """Return a claim to the account of a person who has passed the face check."""
    caller = await program.caller()
    person = next(someone for someone in await everybody(caller) if someone.id == "chen-yutong")
    loser = await on_pages(program, person, phone)
    session = await start_session(caller, "wechat", person.id)
    started = await state_identity(caller, "wechat", session["registration"], person)
    await film(caller, started.json()["face"]["verification"])
    found = await complete(caller, "wechat", session["registration"])
    assert found.json()["status"] == "account_found", found
    return Claim(caller, person, session["registration"], loser)


def account_of(program: Program, answer: Answer) -> str:
    """Return the account that the only phone there is was logged in to."""
    assert (answer.status, answer.json()["status"]) == (200, "ok"), answer
    ((account,),) = program.sql("SELECT account FROM mini_session")
    return str(account)


async def test_a_code_to_the_accounts_phone_logs_in_to_it(program: Program) -> None:
    found = await claim(program)
    asked = await found.call()
    assert (asked.status, asked.json()) == (202, {"status": "code_sent", "wait": 60})
    code = await code_to(found.caller.sandbox, PHONE)
    answer = await found.call(code=code)
    assert account_of(program, answer) == found.loser
    assert answer.json()["account"] == {"name": "陈**", "level": "L3"}
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    shown = (await found.caller.send("GET", "/mp/v1/account", headers=headers)).json()
    assert (shown["level"], shown["phone"]) == ("L3", "154****5678")
    # The login that began it all counts for the phone button too.
    given = await pressed(found.caller, "wechat", found.person.id)
    bound = await found.caller.post("/mp/v1/wechat/phone", given, headers=headers)
    assert bound.json() == {"phone": "154****0001"}


@pytest.mark.req("SES-2", "FAQ-1")
async def test_a_new_account_takes_the_identity_over_and_the_loser_hears_of_it(program: Program) -> None:
    found = await claim(program)
    answer = await found.call(mine=False)
    assert account_of(program, answer) != found.loser
    newest, *_ = await arrived(found.caller.sandbox, PHONE)
    assert "用于另一个账号" in newest["text"]
    assert newest["code"] is None
    kinds = [kind for (kind,) in program.sql("SELECT kind FROM audit_event ORDER BY id")]
    assert {"identity.lost", "identity.taken"} <= set(kinds)


async def test_the_body_may_leave_the_code_out(program: Program) -> None:
    found = await claim(program)
    answer = await found.caller.post(PATH, {"registration": found.secret, "mine": False})
    assert answer.status == 200


@pytest.mark.attack("O1", "O10")
async def test_wrong_and_dead_codes_are_told_apart(program: Program) -> None:
    found = await claim(program)
    code = await found.sent()
    other = f"{(int(code) + 1) % 1_000_000:06}"
    for left in (4, 3, 2, 1, 0):
        answer = await found.call(code=other)
        assert (answer.verdict, answer.json()["tries_left"]) == ((422, "verification_code_wrong"), left)
    assert (await found.call(code=code)).verdict == (410, "verification_code_expired")


@pytest.mark.req("FAQ-1")
async def test_messages_are_limited_by_the_number(program: Program) -> None:
    found = await claim(program)
    await found.sent()
    answer = await found.call()
    assert (answer.verdict, answer.header("Retry-After")) == ((429, "rate_limited"), "60")
    for _ in range(2):
        program.clock.advance(60)
        assert (await found.call()).status == 202
    program.clock.advance(60)
    assert (await found.call()).verdict == (429, "sms_hourly")


@pytest.mark.attack("Q9", "Q27")
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"mine": None}, ("mine", "invalid")),
        ({"mine": "yes"}, ("mine", "invalid")),
        ({"code": 123456}, ("code", "invalid")),
        ({"code": "1" * 33}, ("code", "invalid")),
        ({"registration": "x"}, ("registration", "invalid")),
        ({"registration": "x" * 43}, ("registration", "unknown")),
        ({"account": "x"}, ("account", "unknown")),
        ({"phone": PHONE}, ("phone", "unknown")),
    ],
)
async def test_a_body_of_another_shape_names_the_member(
    program: Program, change: dict[str, Any], expected: tuple[str, str]
) -> None:
    found = await claim(program)
    body = {"registration": found.secret, "mine": True, "code": None} | change
    answer = await found.caller.post(PATH, body)
    assert answer.verdict == (400, "invalid_request")
    assert [(fault["field"], fault["code"]) for fault in answer.json()["errors"]] == [expected]


async def test_an_account_without_a_phone_is_claimed_by_no_code(program: Program) -> None:
    found = await claim(program, phone=None)
    answer = await found.call()
    assert answer.verdict == (400, "invalid_request")
    assert answer.json()["errors"] == [{"field": "mine", "code": "no_phone"}]


async def test_nothing_is_claimed_where_no_account_was_found(program: Program) -> None:
    caller = await program.caller()
    session = await start_session(caller, "wechat", "chen-yutong")
    answer = await caller.post(PATH, {"registration": session["registration"], "mine": False})
    assert answer.json()["errors"] == [{"field": "registration", "code": "nothing_found"}]


@pytest.mark.attack("Q21")
async def test_a_locked_account_is_told_so(program: Program) -> None:
    found = await claim(program)
    program.sql("UPDATE account SET status = 'locked'")
    for mine in (True, False):
        answer = await found.call(mine=mine)
        assert (answer.verdict, answer.json()["reason"]) == ((403, "account_refused"), "locked")


async def test_without_a_provider_no_code_is_offered(start_program: StartProgram) -> None:
    def silent(settings: Settings) -> Settings:
        return msgspec.structs.replace(settings, chuanglan=None)

    program = await start_program(settings=silent)
    found = await claim(program)
    assert (await found.call()).verdict == (501, "sms_not_offered")
    assert (await found.call(mine=False)).status == 200


@pytest.mark.req("OPS-4")
async def test_stores_that_are_down_cost_no_code(program: Program) -> None:
    found = await claim(program)
    code = await found.sent()
    for store in ("accounts.holder_of", "members.member", "accounts.relink"):
        program.meddler.breaks(store)
        assert (await found.call(code=code)).verdict == (503, "service_unavailable")
        program.meddler.mends()
    assert account_of(program, await found.call(code=code)) == found.loser


@pytest.mark.req("PRV-1")
@pytest.mark.attack("Q24", "O7")
async def test_no_code_and_no_number_is_logged(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    found = await claim(program)
    capsys.readouterr()
    code = await found.sent()
    await found.call(code=code)
    logged = "".join(capsys.readouterr())
    assert not [secret for secret in (code, PHONE, found.secret, found.person.name) if secret in logged]
