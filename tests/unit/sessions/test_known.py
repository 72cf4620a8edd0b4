"""What a browser is known by to the accounts that have logged in on it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.clock import DAY, SECOND, ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.secret import Secret
from bjidp.sessions.known import ACCOUNTS, LIFETIME_SECONDS, KnownBrowsers
from bjidp.standing import Level, Standing, Status


def somebody(account: str, fence: int = 0) -> Standing:
    return Standing(account, f"ref of {account}", Status.ACTIVE, "*三", Level.L3, fence=fence)


ONE, TWO = somebody("one"), somebody("two")


def known(key: bytes = b"k" * 32, clock: ManualClock | None = None) -> KnownBrowsers:
    return KnownBrowsers(Secret(key), SeededEntropy("known"), clock or ManualClock())


@pytest.mark.attack("O12")
def test_a_browser_is_known_to_whoever_logged_in_on_it_and_to_nobody_else() -> None:
    browsers = known()
    cookie = browsers.remembering(None, ONE)
    assert browsers.known_as(cookie, ONE) == cookie.split(".")[0]
    assert browsers.known_as(cookie, TWO) is None
    assert browsers.known_as(None, ONE) is None


@pytest.mark.attack("O12")
def test_a_browser_is_a_stranger_once_its_account_has_put_others_out() -> None:
    browsers = known()
    cookie = browsers.remembering(None, ONE)
    after = somebody("one", fence=1)
    assert browsers.known_as(cookie, after) is None
    assert browsers.known_as(browsers.remembering(cookie, after), after) == cookie.split(".")[0]


def test_it_stays_the_same_browser_for_the_next_account() -> None:
    browsers = known()
    first = browsers.remembering(None, ONE)
    second = browsers.remembering(first, TWO)
    assert browsers.known_as(second, ONE) == browsers.known_as(second, TWO) == browsers.known_as(first, ONE)
    assert browsers.remembering(second, TWO) == second


def test_the_account_that_logged_in_longest_ago_is_forgotten_first() -> None:
    browsers = known()
    cookie = None
    for number in range(ACCOUNTS + 1):
        cookie = browsers.remembering(cookie, somebody(f"account {number}"))
    assert browsers.known_as(cookie, somebody("account 0")) is None
    assert all(browsers.known_as(cookie, somebody(f"account {number}")) for number in range(1, ACCOUNTS + 1))


@pytest.mark.attack("O12")
def test_a_tag_is_worth_nothing_with_another_browser_or_another_key() -> None:
    browsers = known()
    own, other = browsers.remembering(None, ONE), browsers.remembering(None, TWO)
    moved = f"{other.split('.')[0]}.{own.split('.')[1]}"
    assert browsers.known_as(moved, ONE) is None
    assert known(b"j" * 32).known_as(own, ONE) is None


@pytest.mark.attack("O12")
def test_a_copy_of_the_cookie_is_worth_nothing_for_ever() -> None:
    clock = ManualClock()
    browsers = known(clock=clock)
    cookie = browsers.remembering(None, ONE)
    clock.advance(LIFETIME_SECONDS)
    assert browsers.known_as(cookie, ONE) is not None
    clock.advance(DAY // SECOND)
    assert browsers.known_as(cookie, ONE) is None
    day, tag = cookie.split(".")[1][:4], cookie.split(".")[1][4:]
    assert browsers.known_as(f"{cookie.split('.')[0]}.{int(day, 16) + 30:04x}{tag}", ONE) is None


@given(st.text(max_size=200))
def test_whatever_else_is_in_the_cookie_is_no_known_browser(text: str) -> None:
    browsers = known()
    assert browsers.known_as(text, ONE) is None
    assert browsers.known_as(browsers.remembering(text, ONE), ONE) is not None
