"""A server that is killed between two steps of a flow, or in the middle of one: no account is lost, none is half made.

Every flow, at every step, after every single thing that the step writes: the process ends there, another one takes its
place, and the person goes on or begins again. With ``kept`` what the process had in memory is kept elsewhere, as with
Redis; with ``lost`` it died with it.
"""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from tests.support.calls import until
from tests.support.forms import note, send
from tests.support.journeys import JOURNEYS, SAVE, Cancels, Journey, tells
from tests.support.leading import Leads
from tests.support.program import Program
from tests.support.proving import MOVES, PROOFS, Proves
from tests.support.visitors import by_password

ACCOUNTS = ("accounts", "members", "identities", "checks", "organisations", "sessions", "mini_sessions")
"""Stores that outlive every process."""
SAVING = 11
"""Seconds after which whoever was about to write is believed to have died."""
MINUTE = 61
"""Seconds after which a number is sent the next message."""


async def person(program: Program, journey: type[Journey]) -> Journey:
    """Return somebody who is about to begin."""
    somebody = journey(await program.caller(), program.rooms.stores, program.clock.now)
    await somebody.begins()
    return somebody


async def come_to(program: Program, journey: type[Journey], step: str) -> Journey:
    """Return somebody who has come as far as ``step``."""
    somebody = await person(program, journey)
    for before in journey.steps[: journey.steps.index(step)]:
        answer = await somebody.goes(before)
        assert answer.status in {200, 303}, (before, answer.text)
    return somebody


async def finish(program: Program, somebody: Journey) -> None:
    """Begin again, if it is not done yet, and come through; then it is done, once, and nothing is half made."""
    if not await somebody.is_done():
        program.clock.advance(MINUTE)
        for step in somebody.steps[await somebody.due() :]:
            if await somebody.is_done():
                break
            answer = await somebody.goes(step)
            assert answer.status in {200, 303}, (step, answer.status, answer.text)
            assert not tells(answer), (step, note(answer))
    assert await somebody.is_done()
    assert await somebody.times() == 1
    if isinstance(somebody, Proves):
        # Whatever was repeated: each register is paid for one answer.
        assert set((await somebody.paid()).values()) == {1}
    if somebody.ends_others:
        assert (await somebody.elsewhere.get("/centre")).status == 303
    if not isinstance(somebody, Cancels):
        assert (await by_password(await program.browser(), somebody.name, somebody.password)).status == 303


def whole(program: Program) -> bool:
    """Tell whether every number and every name belongs to an account that has it, and to one."""
    held = set(program.sql("SELECT kind, account FROM identifier"))
    has = {
        (kind, account)
        for kind in ("phone", "username")
        for (account,) in program.sql(f"SELECT id FROM account WHERE {kind}_sealed IS NOT NULL")  # noqa: S608
    }
    has |= {("document", account) for (account,) in program.sql("SELECT account FROM identity")}
    dead = set(program.sql("SELECT id FROM account WHERE status = 'cancelled'"))
    return held == has and not dead & {(account,) for _, account in held}


REQUIREMENTS = (
    "REG-1", "REG-8", "LOG-6", "REC-1", "ACC-2", "ACC-3", "ACC-4", "ACC-6", "ACC-7", "RNV-2", "RNV-4",
    "RNV-5", "RNV-6", "ORG-1", "OPS-4",
)  # fmt: skip
memories = pytest.mark.parametrize("memory", [pytest.param(True, id="kept"), pytest.param(False, id="lost")])
journeys = pytest.mark.parametrize("journey", [*JOURNEYS, *PROOFS, *MOVES, Leads])


@pytest.mark.req(*REQUIREMENTS)
@pytest.mark.attack("R3", "O9")
@memories
@journeys
async def test_a_process_that_dies_within_a_step_leaves_the_account_as_it_was_or_as_it_is_to_be(
    program: Program, journey: type[Journey], *, memory: bool
) -> None:
    seams: list[str] = []
    for step in journey.own:
        for writes in count(1):
            somebody = await come_to(program, journey, step)
            form, act = await somebody.form(step)
            life = program.lives[0]
            life.ends_after(writes, of=None if memory else ACCOUNTS)
            answer = await program.survives(send(somebody.browser, form, act))
            life.lives_on()
            if answer is not None:
                assert answer.status in {200, 303}, answer.text
                break
            seams += life.written[-1:]
            await program.comes_back(memory=memory)
            somebody.stores = program.rooms.stores
            done = await somebody.is_done()
            # As the browser does when it is told to try again.
            answer = await somebody.follows(await somebody.posts(form, act))
            assert answer.status < 500, (step, seams[-1], answer.text)
            assert "<main" in answer.text, (step, seams[-1], answer.text)
            assert await somebody.is_done() >= done
            if memory:
                assert not (done and tells(answer)), (step, seams[-1], answer.text)
                program.clock.advance(SAVING)
                await somebody.follows(await somebody.posts(form, act))
                assert await somebody.is_done() or step != SAVE or seams[-1] in journey.spends, (step, seams[-1])
            await finish(program, somebody)
            # What was proved is used up, whoever posts it again.
            assert (await somebody.posts(form, act)).status < 500
            assert await somebody.times() == 1
            assert whole(program), (step, seams[-1])
    assert journey.written in seams


@pytest.mark.req("RNV-2", "RNV-4", "OPS-4")
@memories
@pytest.mark.parametrize("journey", PROOFS)
async def test_a_process_that_dies_while_a_register_answers_it_leaves_what_costs_nothing_to_complete(
    program: Program, journey: type[Proves], *, memory: bool
) -> None:
    somebody = journey(await program.caller(), program.rooms.stores, program.clock.now)
    await somebody.begins()
    for step in journey.steps[:-1]:
        assert (await somebody.goes(step)).status in {200, 303}
    form, act = await somebody.form(SAVE)
    asked = {"service": journey.registers[-1]}
    await somebody.caller.sandbox("/control/faults", asked | {"mode": "slow", "seconds": MINUTE})
    posting = asyncio.create_task(program.survives(send(somebody.browser, form, act)))

    async def has_cost() -> bool:
        return set((await somebody.paid()).values()) == {1}

    await until(has_cost)
    program.lives[0].over.set()
    assert await posting is None
    await somebody.caller.sandbox("/control/faults", asked | {"mode": "ok"})
    await program.comes_back(memory=memory)
    somebody.stores = program.rooms.stores
    assert not await somebody.is_done()
    answer = await somebody.follows(await somebody.posts(form, act))
    assert (await somebody.is_done(), tells(answer)) == (memory, not memory)
    await finish(program, somebody)


@pytest.mark.req(*REQUIREMENTS)
@journeys
async def test_a_process_that_dies_between_two_steps_is_not_noticed_where_its_memory_is_kept(
    program: Program, journey: type[Journey]
) -> None:
    somebody = await person(program, journey)
    for step in journey.steps:
        form, act = await somebody.form(step)
        await program.comes_back(memory=True)
        answer = await somebody.follows(await somebody.posts(form, act))
        assert answer.status == 200, (step, answer.text)
        assert not tells(answer), (step, note(answer))
    assert await somebody.is_done()
    assert whole(program)


@pytest.mark.req(*REQUIREMENTS, "UX-5")
@journeys
async def test_a_process_that_dies_between_two_steps_is_told_in_words_where_its_memory_is_lost(
    program: Program, journey: type[Journey]
) -> None:
    for step in journey.steps:
        somebody = await come_to(program, journey, step)
        form, act = await somebody.form(step)
        await program.comes_back(memory=False)
        somebody.stores = program.rooms.stores
        answer = await somebody.follows(await somebody.posts(form, act))
        # The notice before an account ends is read by whoever is logged in, and sessions are kept.
        assert tells(answer) == (step != "notice"), (step, answer.text)
        assert not await somebody.is_done()
        await finish(program, somebody)
        assert whole(program)
