"""The login by password: what every try costs, and what is written down of it.

Every test runs on SQLite with what is short-lived in memory, and again with that and the sessions in Redis.
"""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from bjidp.accounts.errors import CredentialsWrong
from bjidp.accounts.login.password import PasswordWindows, Trier
from bjidp.clock import MINUTE
from bjidp.errors import RateLimited
from bjidp.throttle.ports import Window
from bjidp.throttle.source import Source
from tests.unit.accounts.login.room import HERE, PASSWORD, USERNAME, Room, nobody

TRIER = Trier(source=HERE, browser="Safari", os="iOS", known_as=nobody)


@pytest.mark.req("LOG-3")
@pytest.mark.attack("O4")
async def test_one_address_tries_so_many_passwords_whichever_names_they_are_for(room: Room) -> None:
    await room.someone()
    login = room.by_password(PasswordWindows(source=Window(2, 15 * MINUTE)))
    for name in ("nobody_one", "nobody_two"):
        with pytest.raises(CredentialsWrong):
            await login.check(name, PASSWORD, TRIER)
    with pytest.raises(RateLimited):
        await login.check(USERNAME, PASSWORD, TRIER)
    found = await login.check(USERNAME, PASSWORD, replace(TRIER, source=Source("elsewhere")))
    assert found.username == USERNAME


@pytest.mark.req("LOG-3", "SES-3")
async def test_every_wrong_password_is_written_down_with_the_account_if_there_is_one(room: Room) -> None:
    account = await room.someone()
    login = room.by_password()
    member = await login.check(USERNAME, PASSWORD, TRIER)
    assert member.standing.account == account
    for name in (USERNAME, "nobody_here"):
        with pytest.raises(CredentialsWrong):
            await login.check(name, "Wrong-horse7", TRIER)
    written = room.rows("SELECT account_ref, facts FROM audit_event WHERE kind = 'login.failed' ORDER BY id")
    assert [ref for ref, _ in written] == [member.standing.ref, None]
    # Its owner is shown on what somebody tried it.
    assert [json.loads(facts) for _, facts in written] == [{"way": "password", "browser": "Safari", "os": "iOS"}] * 2
