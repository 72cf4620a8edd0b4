"""同步成为国家政务服务平台用户: the box on the form, and what comes of it."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest

from tests.support.calls import until
from tests.support.forms import links, note, send
from tests.support.program import Program
from tests.web.conftest import StartProgram
from tests.web.test_real_name import person, stated
from tests.web.test_registration import FILLED, H5, Applicant, where

pytestmark = pytest.mark.req("REG-1")

LABEL: Final = "同步成为国家政务服务平台用户"
TICKED: Final = {"national": "yes"}
LOOK: Final = 6
"""Seconds after which a process has looked again whether somebody is due."""
PAUSE: Final = 61


async def users(program: Program) -> list[str]:
    """Return our references of the users that the platform has made."""
    made: list[str] = await (await program.caller()).sandbox("/control/charges?service=national")
    return made


async def breaks(program: Program, mode: str, **more: Any) -> None:  # noqa: ANN401 - whatever the fault takes
    await (await program.caller()).sandbox("/control/faults", {"service": "national", "mode": mode, **more})


def wishes(program: Program) -> list[tuple[str, int]]:
    return [
        (reference, attempts) for reference, attempts in program.sql("SELECT reference, attempts FROM national_wish")
    ]


async def handed_on(program: Program) -> None:
    """Wait until nobody waits to be handed on."""

    async def is_done() -> bool:
        await program.advance(LOOK)
        return not wishes(program)

    await until(is_done)


async def registers(program: Program, path: str = "/register", **boxes: str) -> Applicant:
    """Register with boxes ticked."""
    applicant = await Applicant.arrives(program, path)
    filled = await applicant.fills_in() | boxes
    assert where(await applicant.send(**filled)) == (303, f"{path}/identity")
    return applicant


async def proves(program: Program, applicant: Applicant) -> None:
    """Come through 实名认证."""
    form = stated(await applicant.identity(), await person(program))
    answer = await send(applicant.browser, form)
    assert where(answer) == (303, f"{applicant.path}/done"), note(answer)


async def log(applicant: Applicant) -> str:
    """Return 登录记录."""
    centre = await applicant.open("/centre")
    path = next(link for link in links(centre) if link.startswith("/centre/log"))
    return (await applicant.open(path)).text


async def test_whoever_ticks_the_box_is_handed_on_once_they_proved_who_they_are(program: Program) -> None:
    applicant = await Applicant.arrives(program)
    assert LABEL in applicant.page
    assert applicant.form.values.get("national") is None
    await applicant.asks(**TICKED)
    # It stays ticked while the code is on its way, and when something is wrong.
    assert 'name="national" value="yes" checked' in applicant.page
    assert (await applicant.send(**(FILLED | TICKED | {"code": "000000"}))).status == 422
    assert 'name="national" value="yes" checked' in applicant.page
    (code,) = await applicant.inbox()
    assert where(await applicant.send(code=code, **FILLED, **TICKED)) == (303, "/register/identity")
    await program.advance(LOOK)
    [(reference, attempts)] = wishes(program)
    assert (attempts, await users(program)) == (0, [])
    await proves(program, applicant)
    assert "正在为您同步成为国家政务服务平台用户" in (await applicant.open("/register/done")).text
    await handed_on(program)
    assert await users(program) == [reference]
    read = await log(applicant)
    assert "申请同步成为国家政务服务平台用户" in read
    assert "成为国家政务服务平台用户</" in read.replace("申请同步成为国家政务服务平台用户", "")


async def test_whoever_leaves_the_box_is_not(program: Program) -> None:
    applicant = await registers(program)
    await proves(program, applicant)
    assert "国家政务服务平台" not in (await applicant.open("/register/done")).text
    await program.advance(LOOK)
    assert (wishes(program), await users(program)) == ([], [])


async def test_whoever_leaves_their_identity_for_later_is_told_until_when_the_wish_holds(program: Program) -> None:
    applicant = await registers(program, **TICKED)
    assert where(await applicant.skips()) == (303, "/register/done")
    done = (await applicant.open("/register/done")).text
    assert "30天内完成实名认证，就会为您同步成为国家政务服务平台用户" in done


@pytest.mark.req("REG-3")
async def test_phones_have_no_such_box_and_what_is_sent_for_it_counts_for_nothing(program: Program) -> None:
    applicant = await registers(program, H5, **TICKED)
    assert wishes(program) == []
    assert LABEL not in (await (await program.browser()).get(H5)).text
    await proves(program, applicant)


async def test_where_there_is_no_national_platform_nobody_is_asked(start_program: StartProgram) -> None:
    program = await start_program(settings=lambda settings: msgspec.structs.replace(settings, national_register=None))
    assert LABEL not in (await Applicant.arrives(program)).page
    await registers(program, **TICKED)
    assert wishes(program) == []


@pytest.mark.req("OPS-4")
@pytest.mark.parametrize("mode", ["http500", "malformed", "refuse"])
async def test_a_platform_that_fails_makes_them_a_user_later_and_once(program: Program, mode: str) -> None:
    await breaks(program, mode)
    applicant = await registers(program, **TICKED)
    await proves(program, applicant)

    async def is_tried() -> bool:
        await program.advance(LOOK)
        return wishes(program)[0][1] >= 1

    await until(is_tried)
    assert (await applicant.open("/register/done")).status == 200
    [(reference, _)] = wishes(program)
    await breaks(program, "ok")
    await program.advance(PAUSE)
    await handed_on(program)
    assert await users(program) == [reference]


@pytest.mark.req("OPS-4")
async def test_a_process_that_is_killed_while_it_hands_on_leaves_it_to_the_next(program: Program) -> None:
    """The platform has done it, and its answer finds nobody any more."""
    await breaks(program, "slow", seconds=600)
    applicant = await registers(program, **TICKED)
    await proves(program, applicant)

    async def is_held() -> bool:
        await program.advance(LOOK)
        return bool(await users(program))

    await until(is_held)
    [(reference, attempts)] = wishes(program)
    assert attempts == 1
    await program.comes_back(memory=False)
    assert wishes(program) == [(reference, 1)]
    await breaks(program, "ok")
    await program.advance(PAUSE)
    await handed_on(program)
    assert await users(program) == [reference]


@pytest.mark.req("RNV-6", "ACC-7")
async def test_a_wish_goes_with_the_account(program: Program) -> None:
    await breaks(program, "http500")
    applicant = await registers(program, **TICKED)
    await proves(program, applicant)
    [(account,)] = program.sql("SELECT account FROM national_wish")
    await program.rooms.stores.members.cancel(account, program.clock.now())
    await breaks(program, "ok")
    await program.advance(PAUSE)
    assert (wishes(program), await users(program)) == ([], [])
