"""The life of a one-time code, in every order of events."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.clock import HOUR, ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.secret import Secret
from bjidp.throttle.ports import Window
from bjidp.verification import code as rules
from bjidp.verification.codes import CodeWindows
from bjidp.verification.errors import VerificationCodeExpired, VerificationCodeWrong
from tests.contracts.ephemeral import MemoryStores
from tests.support.verification import another, binding, codes

RIGHT, WRONG = b"r" * 32, b"w" * 32


@pytest.mark.attack("O1", "O9")
@given(st.lists(st.booleans(), max_size=12))
def test_a_code_is_right_once_and_never_after_five_wrong_tries(tries: list[bool]) -> None:
    code = rules.issued(RIGHT)
    over = False
    for before, right in enumerate(tries):
        if over:
            with pytest.raises(VerificationCodeExpired):
                rules.tried(code, RIGHT if right else WRONG)
            continue
        outcome = rules.tried(code, RIGHT if right else WRONG)
        assert outcome.right is right
        over = right or before == 4
        code = outcome.code
        assert code.tries_left == (0 if over else 4 - before)


@pytest.mark.attack("O7", "O9")
def test_a_dead_code_keeps_nothing_of_the_digits() -> None:
    code = rules.issued(RIGHT)
    assert rules.tried(code, RIGHT).code.digest == b""
    for _ in range(5):
        code = rules.tried(code, WRONG).code
    assert code.digest == b""


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("012345", "012345"),
        (" 012 345 ", "012345"),
        ("０１２３４５", "012345"),
        ("01234", ""),
        ("0123456", ""),
        ("01234a", ""),
        ("٠١٢٣٤٥", ""),
        ("\ud80012345", ""),
        ("", ""),
    ],
)
def test_six_digits_are_read_as_they_are_typed_and_nothing_else_is(text: str, digits: str) -> None:
    assert rules.as_typed(text) == digits


@pytest.mark.req("PRV-1")
def test_what_a_code_is_bound_to_does_not_print_the_address() -> None:
    assert "15400000001" not in f"{binding()!r} {binding()}"


@dataclass
class Model:
    """What should be true of the one code of a binding."""

    code: Secret
    end: int
    wrong: int = 0
    used: bool = False

    def live(self, now: int) -> bool:
        return now < self.end and self.wrong < 5 and not self.used


_EVENTS = st.lists(
    st.sampled_from(["issue", "right", "wrong", "earlier"]) | st.sampled_from([0.001, 1.0, 59.0, 299.999, 300.0]),
    max_size=25,
)


@pytest.mark.attack("O1", "O6", "O8", "O9")
@given(_EVENTS)
def test_in_every_order_of_events_only_the_newest_code_works_once_in_time_and_within_its_tries(
    events: list[str | float],
) -> None:
    asyncio.run(_replay(events))


async def _replay(events: list[str | float]) -> None:
    clock, entropy = ManualClock(), SeededEntropy("events")
    room = codes(MemoryStores(clock), entropy, CodeWindows(guesses=Window(100, HOUR)))
    model: Model | None = None
    earlier: list[Secret] = []
    for event in events:
        if isinstance(event, float):
            clock.advance(event)
            continue
        if event == "issue":
            if model is not None:
                earlier.append(model.code)
            model = Model(await room.issue(binding()), clock.now() + rules.LIFETIME)
            continue
        if model is None:
            with pytest.raises(VerificationCodeExpired):
                await room.use(binding(), "000000")
            continue
        typed = {
            "right": model.code.text(),
            "wrong": another(model.code),
            "earlier": next((old.text() for old in earlier if old != model.code), another(model.code)),
        }[event]
        if not model.live(clock.now()):
            with pytest.raises(VerificationCodeExpired):
                await room.use(binding(), typed)
        elif event == "right":
            await room.use(binding(), typed)
            model.used = True
        else:
            with pytest.raises(VerificationCodeWrong) as refusal:
                await room.use(binding(), typed)
            model.wrong += 1
            assert refusal.value.tries_left == 5 - model.wrong
