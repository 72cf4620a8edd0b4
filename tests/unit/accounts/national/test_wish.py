"""When a wish is due again."""

from __future__ import annotations

from bjidp.accounts.national.wish import FIRST_PAUSE, LONGEST_PAUSE, again_at
from bjidp.clock import HOUR, MINUTE


def test_pauses_double_from_a_minute_to_six_hours_and_stay_there() -> None:
    pauses = [again_at(attempts, 1000) - 1000 for attempts in range(1, 12)]
    assert (FIRST_PAUSE, LONGEST_PAUSE) == (MINUTE, 6 * HOUR)
    assert pauses == [MINUTE * times for times in (1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360)]
    assert again_at(2**31, 0) == 6 * HOUR
