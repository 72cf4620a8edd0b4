"""What is forgotten when its time is over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bjidp.sandbox.expiring import Expiring

STEPS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 50), st.integers(0, 20)), max_size=40)


@given(STEPS)
def test_a_value_is_there_until_its_time_and_nothing_is_kept_after_it(steps: list[tuple[str, int, int]]) -> None:
    kept: Expiring[int] = Expiring()
    model: dict[str, tuple[int, int]] = {}
    now = 0
    for value, (key, lifetime, pause) in enumerate(steps):
        now += pause
        kept.put(key, value, until=now + lifetime, now=now)
        model[key] = (value, now + lifetime)
        for known in "abc":
            expected = model.get(known)
            assert kept.get(known, now) == (expected[0] if expected and now < expected[1] else None)
        assert len(kept) == sum(now < until for _, until in model.values())
