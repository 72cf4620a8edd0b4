"""What a browser is known by to the accounts that have logged in on it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.clock import DAY, SECOND, ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.secret import Secret
from bjidp.sessions.known import ACCOUNTS, LIFETIME_SECONDS, KnownBrowsers


def known(key: bytes = b"k" * 32, clock: ManualClock | None = None) -> KnownBrowsers:
    return KnownBrowsers(Secret(key), SeededEntropy("known"), clock or ManualClock())


@pytest.mark.attack("O12")
def test_a_browser_is_known_to_whoever_logged_in_on_it_and_to_nobody_else() -> None:
    browsers = known()
    cookie = browsers.remembering(None, "one")
    assert browsers.known_as(cookie, "one") == cookie.split(".")[0]
    assert browsers.known_as(cookie, "two") is None
    assert browsers.known_as(None, "one") is None


def test_it_stays_the_same_browser_for_the_next_account() -> None:
    browsers = known()
    first = browsers.remembering(None, "one")
    second = browsers.remembering(first, "two")
    assert browsers.known_as(second, "one") == browsers.known_as(second, "two") == browsers.known_as(first, "one")
    assert browsers.remembering(second, "two") == second


def test_the_account_that_logged_in_longest_ago_is_forgotten_first() -> None:
    browsers = known()
    cookie = None
    for number in range(ACCOUNTS + 1):
        cookie = browsers.remembering(cookie, f"account {number}")
    assert browsers.known_as(cookie, "account 0") is None
    assert all(browsers.known_as(cookie, f"account {number}") for number in range(1, ACCOUNTS + 1))


@pytest.mark.attack("O12")
def test_a_tag_is_worth_nothing_with_another_browser_or_another_key() -> None:
    browsers = known()
    own, other = browsers.remembering(None, "one"), browsers.remembering(None, "two")
    moved = f"{other.split('.')[0]}.{own.split('.')[1]}"
    assert browsers.known_as(moved, "one") is None
    assert known(b"j" * 32).known_as(own, "one") is None


@pytest.mark.attack("O12")
def test_a_copy_of_the_cookie_is_worth_nothing_for_ever() -> None:
    clock = ManualClock()
    browsers = known(clock=clock)
    cookie = browsers.remembering(None, "one")
    clock.advance(LIFETIME_SECONDS)
    assert browsers.known_as(cookie, "one") is not None
    clock.advance(DAY // SECOND)
    assert browsers.known_as(cookie, "one") is None
    day, tag = cookie.split(".")[1][:4], cookie.split(".")[1][4:]
    assert browsers.known_as(f"{cookie.split('.')[0]}.{int(day, 16) + 30:04x}{tag}", "one") is None


@given(st.text(max_size=200))
def test_whatever_else_is_in_the_cookie_is_no_known_browser(text: str) -> None:
    browsers = known()
    assert browsers.known_as(text, "one") is None
    assert browsers.known_as(browsers.remembering(text, "one"), "one") is not None
