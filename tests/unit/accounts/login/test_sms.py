"""The login by a code, posted twice.

Runs on SQLite with what is short-lived in memory, and again with that and the sessions in Redis.
"""

from __future__ import annotations

import pytest

from bjidp.accounts.login.flow import Proved
from tests.support.twice import posted_twice
from tests.unit.accounts.login.room import HOLDER, PHONE, Room


@pytest.mark.req("LOG-6")
@pytest.mark.attack("O9")
async def test_a_form_posted_twice_waits_for_what_the_first_post_is_about_to_note(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await room.someone()
    login = room.by_code()
    flow = await room.asked(login)
    code = await room.last_code()
    both = await posted_twice(
        monkeypatch, room.meddler, "drafts.replace", lambda: login.check(HOLDER, flow, PHONE, code)
    )
    before = []
    for number, found in enumerate(both):
        assert isinstance(found, Proved)
        assert found.member.standing.account == account
        before.append(await login.entered(HOLDER, found, f"session {number}"))
    assert before == [None, "session 0"]
