"""Sessions of an account end wherever they are."""

from __future__ import annotations

import pytest

from bjidp.accounts.endings import Endings
from bjidp.clock import HOUR, ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.errors import StoreUnavailable
from bjidp.sessions.ports import Login, SessionEnd, Way
from bjidp.sessions.service import Sessions
from tests.support.session_rows import SessionRows, Told

LOGIN = Login(Way.PASSWORD, None, None, "Chrome", "Windows", None, b"network", None)


class Phones:
    """The sessions of phones, as a list of what was asked of them."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, SessionEnd]] = []
        self.down = False

    async def end(self, account: str, reason: SessionEnd) -> None:
        if self.down:
            raise StoreUnavailable
        self.asked.append((account, reason))


@pytest.fixture
def phones() -> Phones:
    return Phones()


@pytest.fixture
def sessions(clock: ManualClock, entropy: SeededEntropy) -> Sessions:
    return Sessions(SessionRows(), clock, entropy, 12 * HOUR, Told())


@pytest.mark.req("REC-4")
async def test_every_session_but_the_one_that_is_kept_ends_in_browsers_and_on_phones(
    sessions: Sessions, phones: Phones
) -> None:
    for _ in range(3):
        await sessions.start("account-1", LOGIN, None)
    await sessions.start("account-2", LOGIN, None)
    kept, *_ = await sessions.of_account("account-1")
    endings = Endings(sessions, phones.end)
    await endings.end_others("account-1", kept.id, SessionEnd.PASSWORD_CHANGED)
    assert [session.id for session in await sessions.of_account("account-1")] == [kept.id]
    assert phones.asked == [("account-1", SessionEnd.PASSWORD_CHANGED)]
    await endings.end_others("account-1", None, SessionEnd.PASSWORD_CHANGED)
    assert await sessions.of_account("account-1") == []
    assert len(await sessions.of_account("account-2")) == 1


async def test_phones_may_stay(sessions: Sessions, phones: Phones) -> None:
    await sessions.start("account-1", LOGIN, None)
    await Endings(sessions, phones.end).end_browsers("account-1", None, SessionEnd.PHONE_CHANGED)
    assert (await sessions.of_account("account-1"), phones.asked) == ([], [])


async def test_a_store_that_is_down_is_told(sessions: Sessions, phones: Phones) -> None:
    phones.down = True
    with pytest.raises(StoreUnavailable):
        await Endings(sessions, phones.end).end_others("account-1", None, SessionEnd.PASSWORD_CHANGED)
