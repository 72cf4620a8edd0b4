"""What the token of a notice says, and when one is brought again."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bjidp.clock import DAY, HOUR, SECOND
from bjidp.oidc.logouts.notice import LogoutNotice, claims_of, next_attempt, pause_after
from bjidp.oidc.sids import sid

pytestmark = pytest.mark.req("RP-1")

NOW = 1_800_000_000_000
NOTICE = LogoutNotice(
    id=7, client="portal", account_ref="r", subject="subject", session="session", created_at=NOW, attempts=1, due_at=NOW
)


def test_a_token_tells_which_session_of_whom_is_over_for_two_minutes() -> None:
    assert claims_of(NOTICE, issuer="https://id.example", now=NOW + 999) == {
        "iss": "https://id.example",
        "sub": "subject",
        "aud": "portal",
        "iat": NOW // SECOND,
        "exp": NOW // SECOND + 120,
        "jti": NOTICE.jti,
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        "sid": sid("portal", "session"),
    }


def test_a_token_of_all_sessions_names_none() -> None:
    assert "sid" not in claims_of(replace(NOTICE, session=None), issuer="https://id.example", now=NOW)


def test_a_notice_has_one_name_and_no_other_has_it() -> None:
    again = replace(NOTICE, attempts=5, due_at=NOW + DAY)
    assert again.jti == NOTICE.jti
    others = [replace(NOTICE, id=8), replace(NOTICE, client="other"), replace(NOTICE, created_at=NOW + 1)]
    assert NOTICE.jti not in {other.jti for other in others}


def test_a_session_is_known_by_another_name_to_each_site() -> None:
    names = {sid(client, session) for client in ("portal", "other") for session in ("a", "b")}
    assert len(names) == 4
    assert "a" not in names


def test_attempts_are_further_apart_each_time_up_to_an_hour() -> None:
    pauses = [pause_after(failures) // SECOND for failures in range(1, 40)]
    assert pauses[:4] == [10, 20, 40, 80]
    assert pauses == sorted(pauses)
    assert pauses[-1] == HOUR // SECOND


def test_a_notice_is_given_up_after_a_day() -> None:
    assert next_attempt(NOTICE, NOW + DAY - 1) == NOW + DAY - 1 + 10 * SECOND
    assert next_attempt(NOTICE, NOW + DAY) is None
