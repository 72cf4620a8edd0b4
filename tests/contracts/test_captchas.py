"""Captchas on every short-lived store, over two processes."""

from __future__ import annotations

import pytest

from bjidp.clock import ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.errors import RateLimited
from bjidp.throttle.source import Source
from bjidp.verification.captchas import Captchas
from bjidp.verification.errors import CaptchaWrong
from tests.contracts.ephemeral import Processes
from tests.support.verification import captchas, outcomes

HOLDER = "browser-1"
HERE = Source("address-1")
AT_ONCE = 16


@pytest.fixture
def answers() -> dict[str, str]:
    return {}


@pytest.fixture
def rooms(processes: Processes, entropy: SeededEntropy, answers: dict[str, str]) -> list[Captchas]:
    return [captchas(place, entropy, answers) for place in processes.both(AT_ONCE)]


@pytest.mark.req("REG-2")
async def test_what_one_process_shows_the_other_draws_and_takes(rooms: list[Captchas], answers: dict[str, str]) -> None:
    here, there = rooms[:2]
    captcha = await here.show(HOLDER, HERE)
    assert await there.picture(HOLDER, captcha) == b"picture of " + answers[captcha].encode()
    await there.use(HOLDER, captcha, answers[captcha])
    assert await here.picture(HOLDER, captcha) is None


@pytest.mark.req("UX-2")
async def test_every_process_speaks_it_alike_and_no_other_captcha_sounds_so(
    processes: Processes, entropy: SeededEntropy
) -> None:
    here, there = captchas(processes.here, entropy), captchas(processes.there, entropy)
    first, second = await here.show(HOLDER, HERE), await there.show(HOLDER, HERE)
    sound = await here.sound(HOLDER, first)
    assert sound is not None
    assert await there.sound(HOLDER, first) == sound
    # Both show 0000.
    assert await here.picture(HOLDER, second) == await here.picture(HOLDER, first)
    assert await here.sound(HOLDER, second) != sound
    assert await here.sound("browser-2", first) is None


@pytest.mark.req("REG-2")
async def test_a_captcha_serves_once_whatever_is_typed(rooms: list[Captchas], answers: dict[str, str]) -> None:
    here, there = rooms[:2]
    for typed in ("9999", "", "0"):
        captcha = await here.show(HOLDER, HERE)
        with pytest.raises(CaptchaWrong):
            await there.use(HOLDER, captcha, typed)
        with pytest.raises(CaptchaWrong):
            await here.use(HOLDER, captcha, answers[captcha])
    captcha = await here.show(HOLDER, HERE)
    await there.use(HOLDER, captcha, answers[captcha])
    with pytest.raises(CaptchaWrong):
        await here.use(HOLDER, captcha, answers[captcha])


@pytest.mark.req("REG-2")
@pytest.mark.attack("O11")
async def test_of_sixteen_right_answers_at_one_moment_one_counts(
    rooms: list[Captchas], answers: dict[str, str]
) -> None:
    captcha = await rooms[0].show(HOLDER, HERE)
    ends = await outcomes(*(room.use(HOLDER, captcha, answers[captcha]) for room in rooms))
    assert ends == {None: 1, CaptchaWrong: AT_ONCE - 1}


@pytest.mark.req("REG-2")
async def test_a_captcha_is_unknown_to_every_other_holder_and_is_not_used_up_by_them(
    rooms: list[Captchas], answers: dict[str, str]
) -> None:
    here, there = rooms[:2]
    captcha = await here.show(HOLDER, HERE)
    assert await there.picture("browser-2", captcha) is None
    with pytest.raises(CaptchaWrong):
        await there.use("browser-2", captcha, answers[captcha])
    await there.use(HOLDER, captcha, answers[captcha])


@pytest.mark.req("REG-2")
async def test_a_captcha_lives_five_minutes(rooms: list[Captchas], answers: dict[str, str], clock: ManualClock) -> None:
    here, there = rooms[:2]
    slow, late = await here.show(HOLDER, HERE), await here.show(HOLDER, HERE)
    clock.advance(299.999)
    await there.use(HOLDER, slow, answers[slow])
    clock.advance(0.001)
    assert await there.picture(HOLDER, late) is None
    with pytest.raises(CaptchaWrong):
        await there.use(HOLDER, late, answers[late])


@pytest.mark.parametrize("text", ["", "x", "x" * 22, "\ud800" * 22, "../" * 7 + "x"])
async def test_what_is_no_captcha_is_answered_like_one_that_is_over(rooms: list[Captchas], text: str) -> None:
    assert await rooms[0].picture(HOLDER, text) is None
    with pytest.raises(CaptchaWrong):
        await rooms[0].use(HOLDER, text, "0000")


@pytest.mark.attack("O11")
async def test_an_address_is_shown_six_hundred_a_minute_whichever_browsers_it_has(
    rooms: list[Captchas], clock: ManualClock
) -> None:
    for turn in range(600):
        await rooms[turn % 2].show(f"browser-{turn}", HERE)
    with pytest.raises(RateLimited):
        await rooms[0].show(HOLDER, HERE)
    await rooms[0].show(HOLDER, Source("address-2"))
    clock.advance(60)
    await rooms[1].show(HOLDER, HERE)
