"""One-time codes under tries at one moment, on every short-lived store, over two processes."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest

from bjidp.clock import HOUR, ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.errors import RateLimited
from bjidp.throttle.ports import Window
from bjidp.verification.code import Purpose
from bjidp.verification.codes import Codes, CodeWindows
from bjidp.verification.errors import VerificationCodeExpired, VerificationCodeWrong
from tests.contracts.ephemeral import Processes
from tests.support.verification import another, binding, codes, outcome, outcomes

AT_ONCE = 50
MANY_GUESSES = CodeWindows(guesses=Window(1000, HOUR))
"""So that the tries of the code alone decide."""


@pytest.fixture
def rooms(processes: Processes, entropy: SeededEntropy) -> list[Codes]:
    return [codes(place, entropy, MANY_GUESSES) for place in processes.both(AT_ONCE)]


@pytest.mark.attack("O1", "O4")
async def test_of_fifty_wrong_tries_at_one_moment_five_are_compared_and_the_code_is_dead(rooms: list[Codes]) -> None:
    code = await rooms[0].issue(binding())
    wrong = another(code)
    ends = await outcomes(*(room.use(binding(), wrong) for room in rooms))
    assert ends == {VerificationCodeWrong: 5, VerificationCodeExpired: 45}
    with pytest.raises(VerificationCodeExpired):
        await rooms[1].use(binding(), code.text())


@pytest.mark.attack("O9")
async def test_of_fifty_right_tries_at_one_moment_one_succeeds(rooms: list[Codes]) -> None:
    code = await rooms[0].issue(binding())
    ends = await outcomes(*(room.use(binding(), code.text()) for room in rooms))
    assert ends == {None: 1, VerificationCodeExpired: 49}
    with pytest.raises(VerificationCodeExpired):
        await rooms[1].use(binding(), code.text())


@pytest.mark.attack("O4", "O9")
async def test_right_tries_among_wrong_ones_cost_as_much_and_succeed_once_at_most(rooms: list[Codes]) -> None:
    code = await rooms[0].issue(binding())
    typed = [code.text() if turn % 10 == 9 else another(code) for turn in range(AT_ONCE)]
    ends = await outcomes(*(room.use(binding(), text) for room, text in zip(rooms, typed, strict=True)))
    assert ends[None] <= 1
    assert ends[VerificationCodeWrong] <= 5 - ends[None]
    assert ends.total() - ends[VerificationCodeExpired] == ends[None] + ends[VerificationCodeWrong]


@pytest.mark.attack("O4", "O6")
async def test_guesses_at_many_codes_of_one_address_at_one_moment_are_ten_in_all(
    processes: Processes, entropy: SeededEntropy
) -> None:
    rooms = [codes(place, entropy) for place in processes.both(AT_ONCE)]
    bindings = [binding(purpose) for purpose in Purpose]
    sent = {bound.purpose: await rooms[0].issue(bound) for bound in bindings}
    acts: list[Awaitable[None]] = []
    for turn, room in enumerate(rooms):
        bound = bindings[turn % len(bindings)]
        acts.append(room.use(bound, another(sent[bound.purpose])))
    ends = await outcomes(*acts)
    assert 0 < ends[VerificationCodeWrong] <= 10
    assert ends[None] == 0
    for bound in bindings:
        assert await outcome(rooms[0].use(bound, sent[bound.purpose].text())) in {RateLimited, VerificationCodeExpired}


@pytest.mark.attack("O6")
async def test_a_code_sent_anew_by_one_process_ends_the_old_one_at_the_other(rooms: list[Codes]) -> None:
    here, there = rooms[:2]
    old = await here.issue(binding())
    new = await there.issue(binding())
    assert old != new
    with pytest.raises(VerificationCodeWrong):
        await here.use(binding(), old.text())
    await here.use(binding(), new.text())


@pytest.mark.attack("O6")
async def test_a_code_that_is_dead_is_followed_by_one_that_lives(rooms: list[Codes]) -> None:
    here, there = rooms[:2]
    await here.use(binding(), (await there.issue(binding())).text())
    await here.use(binding(), (await there.issue(binding())).text())


@pytest.mark.attack("O8")
async def test_a_code_lives_five_minutes_and_no_try_prolongs_it(rooms: list[Codes], clock: ManualClock) -> None:
    here, there = rooms[:2]
    code = await here.issue(binding())
    clock.advance(299.999)
    with pytest.raises(VerificationCodeWrong):
        await there.use(binding(), another(code))
    clock.advance(0.001)
    with pytest.raises(VerificationCodeExpired):
        await there.use(binding(), code.text())


@pytest.mark.attack("O8")
async def test_a_code_sent_anew_lives_its_own_five_minutes(rooms: list[Codes], clock: ManualClock) -> None:
    await rooms[0].issue(binding())
    clock.advance(200)
    code = await rooms[1].issue(binding())
    clock.advance(299.999)
    await rooms[0].use(binding(), code.text())
