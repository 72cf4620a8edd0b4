"""Sessions of an account end wherever they are."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from bjidp.accounts.endings import Endings
from bjidp.accounts.member_ports import Ended
from bjidp.accounts.ports import NOTHING, Gone
from bjidp.clock import HOUR, ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.errors import StoreUnavailable
from bjidp.sessions.ports import Login, SessionEnd, Way
from bjidp.sessions.service import Sessions
from tests.support.aftercare import HeardAftercare
from tests.support.session_rows import SessionRows, Told

LOGIN = Login(Way.PASSWORD, None, None, "Chrome", "Windows", None, b"network", None)


class Phones:
    """The sessions of phones, as a list of what was asked of them."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, SessionEnd]] = []
        self.gone: list[Gone] = []
        self.down = False

    async def end(self, account: str, reason: SessionEnd, gone: Gone = NOTHING) -> None:
        if self.down:
            raise StoreUnavailable
        self.asked.append((account, reason))
        self.gone.append(gone)


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
    endings = Endings(sessions, phones.end, HeardAftercare())
    await endings.end_others("account-1", kept.id, SessionEnd.PASSWORD_CHANGED)
    assert [session.id for session in await sessions.of_account("account-1")] == [kept.id]
    assert phones.asked == [("account-1", SessionEnd.PASSWORD_CHANGED)]
    await endings.end_others("account-1", None, SessionEnd.PASSWORD_CHANGED)
    assert await sessions.of_account("account-1") == []
    assert len(await sessions.of_account("account-2")) == 1


@pytest.mark.attack("P7", "R4")
async def test_what_a_phone_confirms_before_it_is_ended_is_over_when_browsers_have_been(
    sessions: Sessions, phones: Phones
) -> None:
    """A login that is opened in between is found among those in browsers."""

    async def end(account: str, reason: SessionEnd, gone: Gone = NOTHING) -> None:
        await sessions.start(account, LOGIN, None)
        await phones.end(account, reason, gone)

    endings = Endings(sessions, end, HeardAftercare())
    await endings.end_others("account-1", None, SessionEnd.PASSWORD_CHANGED)
    await endings.end_ended(Ended("account-2", "ref-2", NOTHING))
    for account in ("account-1", "account-2"):
        assert await sessions.of_account(account) == []


async def test_phones_may_stay(sessions: Sessions, phones: Phones) -> None:
    await sessions.start("account-1", LOGIN, None)
    endings = Endings(sessions, phones.end, HeardAftercare())
    await endings.end_fenced("account-1", None, SessionEnd.PHONE_CHANGED, "ref-1")
    assert (await sessions.of_account("account-1"), phones.asked) == ([], [])


@pytest.mark.attack("R4")
async def test_after_the_write_a_store_that_is_down_is_logged_with_the_reference_of_the_account(
    sessions: Sessions, phones: Phones
) -> None:
    phones.down = True
    endings = Endings(sessions, phones.end, HeardAftercare())
    with capture_logs() as lines:
        await endings.end_after("account-1", None, SessionEnd.PASSWORD_CHANGED, "ref-1")
        await endings.end_fenced("account-1", None, SessionEnd.PHONE_CHANGED, "ref-1")
        await endings.end_ended(Ended("account-2", "ref-2", NOTHING))
    assert [(line["event"], line["account_ref"], line["reason"]) for line in lines] == [
        ("sessions_not_ended", "ref-1", "password_changed"),
        ("sessions_not_ended", "ref-2", "cancelled"),
    ]


@pytest.mark.req("ACC-7", "RNV-6")
async def test_what_went_from_an_account_in_a_transaction_is_ended_wherever_it_is_left(
    sessions: Sessions, phones: Phones
) -> None:
    await sessions.start("account-1", LOGIN, None)
    gone = Gone(("link-1", "link-2"), ("session-1",))
    endings = Endings(sessions, phones.end, HeardAftercare())
    await endings.end_ended(Ended("account-1", "ref-1", gone))
    await endings.end_after("account-1", None, SessionEnd.IDENTITY_UNBOUND, "ref-1", gone)
    assert await sessions.of_account("account-1") == []
    assert phones.asked == [("account-1", SessionEnd.CANCELLED), ("account-1", SessionEnd.IDENTITY_UNBOUND)]
    assert phones.gone == [gone, gone]


@pytest.mark.req("ACC-7", "ORG-2", "RNV-7")
async def test_agents_are_told_and_the_claim_of_an_account_that_has_ended_goes_though_no_session_can_be_ended(
    sessions: Sessions, phones: Phones
) -> None:
    phones.down, aftercare = True, HeardAftercare()
    endings, gone = Endings(sessions, phones.end, aftercare), Gone(agents=("agent-1", "agent-2"))
    await endings.end_after("account-1", None, SessionEnd.IDENTITY_UNBOUND, "ref-1", gone)
    assert (aftercare.told, aftercare.forgotten) == (["agent-1", "agent-2"], [])
    await endings.end_ended(Ended("account-2", "ref-2", gone))
    assert (aftercare.told, aftercare.forgotten) == (["agent-1", "agent-2"] * 2, ["account-2"])


async def test_a_store_that_is_down_is_told(sessions: Sessions, phones: Phones) -> None:
    phones.down = True
    with pytest.raises(StoreUnavailable):
        await Endings(sessions, phones.end, HeardAftercare()).end_others("account-1", None, SessionEnd.PASSWORD_CHANGED)
