"""The contract of ``SessionStore``, on every backend."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from sqlalchemy import NullPool, create_engine, text

from bjidp.accounts.member_ports import IdentifierTaken
from bjidp.errors import AccountRefused
from bjidp.miniprogram.ports import MiniSession, MiniSessionEnd
from bjidp.sessions.ports import ConfirmationOver, SessionEnd, StaleSession
from tests.contracts.house import HOME, LI, OFFICE, TICKET, House, applicant, cookie, identity


@pytest.fixture
def house(session_house: House) -> House:
    """Every kind of store that sessions are kept in."""
    return session_house


@pytest.mark.req("LOG-2")
async def test_a_session_comes_back_as_it_was_with_the_standing_of_its_account(house: House) -> None:
    _, standing = await house.someone()
    session = house.session(standing.account, data={"办理": "社保 😀 \U00020bb7", "": ""})
    await house.sessions.open(session, cookie("a"), None)
    assert await house.sessions.find(cookie("a"), house.now) == (session, standing)
    bare = msgspec.structs.replace(
        house.session(standing.account),
        login=msgspec.structs.replace(house.login(ticket=None), platform=None, link=None, area=None),
    )
    await house.sessions.open(bare, cookie("b"), None)
    assert await house.sessions.find(cookie("b"), house.now) == (bare, standing)


async def test_an_unknown_cookie_has_no_session(house: House) -> None:
    assert await house.sessions.find(cookie("nothing"), house.now) is None
    assert await house.sessions.of_account("nobody", house.now) == []
    assert not await house.sessions.end("nothing", SessionEnd.LOGOUT, house.now)
    assert await house.sessions.end_by_ticket("nobody", [TICKET], SessionEnd.UNDO, house.now) == []


async def test_a_session_is_over_at_its_deadline(house: House) -> None:
    _, standing = await house.someone()
    session = house.session(standing.account)
    await house.sessions.open(session, cookie("a"), None)
    assert await house.sessions.find(cookie("a"), session.expires_at - 1) is not None
    assert await house.sessions.find(cookie("a"), session.expires_at) is None
    assert await house.sessions.of_account(standing.account, session.expires_at) == []
    assert not await house.sessions.end(session.id, SessionEnd.LOGOUT, session.expires_at)


@pytest.mark.attack("Q21")
@pytest.mark.parametrize("status", ["locked", "cancelled"])
async def test_an_account_that_may_not_log_in_opens_no_session_and_nothing_is_written(
    house: House, status: str
) -> None:
    _, standing = await house.someone()
    await house.sessions.open(house.session(standing.account), cookie("old"), None)
    house.set_status(standing.account, status)
    before = house.counts()
    with pytest.raises(AccountRefused) as refused:
        await house.sessions.open(house.session(standing.account), cookie("new"), cookie("old"))
    assert refused.value.reason == status
    assert house.counts() == before
    assert await house.sessions.find(cookie("old"), house.now) is None, "a session of a refused account is not found"


@pytest.mark.attack("Q21")
async def test_a_login_that_meets_a_lock_in_the_making_waits_and_is_refused(postgres_house: House) -> None:
    """Read before the lock and written after it, the session would wake up when the account is unlocked."""
    house = postgres_house
    _, standing = await house.someone()
    engine = create_engine(house.url, poolclass=NullPool)
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with engine.connect() as administration:
        administration.execute(text("UPDATE account SET status = 'locked'"))
        opening = asyncio.ensure_future(house.sessions.open(house.session(standing.account), cookie("a"), None))
        async with asyncio.timeout(5):
            while not opening.done() and not administration.execute(waiting).scalar_one():  # noqa: ASYNC110 - a lock tells nobody
                await asyncio.sleep(0)
        assert not opening.done()
        administration.commit()
    with pytest.raises(AccountRefused):
        await opening
    assert house.count("browser_session") == 0


Ending = Callable[[House, MiniSession], Awaitable[object]]

ENDINGS: dict[str, Ending] = {
    "browsers end": lambda h, phone: h.sessions.end_others(phone.account, None, SessionEnd.PASSWORD_CHANGED, h.now),
    "a phone ends": lambda h, phone: h.mini_sessions.end(phone.id, MiniSessionEnd.LOGOUT, h.now),
    "phones end": lambda h, phone: h.mini_sessions.end_others(phone.account, None, MiniSessionEnd.CHOSEN, h.now),
    "its link goes": lambda h, phone: h.accounts.relink(
        phone.account, applicant(user=identity("oNew")), probation_until=None, now=h.now
    ),
}


@pytest.mark.attack("P7", "R2", "R4")
@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
async def test_what_a_phone_confirmed_before_sessions_were_ended_opens_none_and_nothing_is_written(
    house: House, ending: Ending
) -> None:
    link, _ = await house.someone()
    _, li = await house.someone(LI, identity("oLi"))
    phone = house.mini_session(link)
    await house.mini_sessions.open(phone)
    found = await house.mini_sessions.find(phone.id, house.now)
    assert found is not None
    epoch = found[1].epoch
    await ending(house, phone)
    before = house.counts()
    with pytest.raises(ConfirmationOver):
        await house.sessions.open(house.session(link.account), cookie("late"), None, epoch)
    assert house.counts() == before
    now = await house.accounts.standing(link.account)
    assert now is not None
    await house.sessions.open(house.session(link.account), cookie("again"), None, now.epoch)
    await house.sessions.open(house.session(li.account), cookie("li"), None, li.epoch)


async def test_a_phone_that_makes_room_for_another_ends_no_epoch(house: House) -> None:
    link, standing = await house.someone()
    for _ in range(2):
        await house.mini_sessions.open(house.mini_session(link), newest=1)
        house.clock.advance(1)
    assert not await house.mini_sessions.end("nothing", MiniSessionEnd.LOGOUT, house.now)
    assert await house.accounts.standing(link.account) == standing


@pytest.mark.attack("P7", "R4")
async def test_a_login_that_meets_the_end_of_its_epoch_in_the_making_waits_and_gets_no_session(
    postgres_house: House,
) -> None:
    """Read before that end and written after it, the session would be among none that are ended."""
    house = postgres_house
    _, standing = await house.someone()
    engine = create_engine(house.url, poolclass=NullPool)
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with engine.connect() as elsewhere:
        elsewhere.execute(text("UPDATE account SET epoch = epoch + 1"))
        session = house.session(standing.account)
        opening = asyncio.ensure_future(house.sessions.open(session, cookie("a"), None, standing.epoch))
        async with asyncio.timeout(5):
            while not opening.done() and not elsewhere.execute(waiting).scalar_one():  # noqa: ASYNC110 - a lock tells nobody
                await asyncio.sleep(0)
        assert not opening.done()
        elsewhere.commit()
    with pytest.raises(ConfirmationOver):
        await opening
    assert house.count("browser_session") == 0


async def test_an_unknown_account_opens_no_session(house: House) -> None:
    before = house.counts()
    with pytest.raises(AccountRefused):
        await house.sessions.open(house.session("nobody"), cookie("a"), None)
    assert house.counts() == before


@pytest.mark.attack("T1")
async def test_a_login_puts_a_new_session_in_place_of_the_old_one(house: House) -> None:
    _, standing = await house.someone()
    old, new = house.session(standing.account), house.session(standing.account)
    await house.sessions.open(old, cookie("old"), None)
    await house.sessions.open(new, cookie("new"), cookie("old"))
    assert await house.sessions.find(cookie("old"), house.now) is None
    assert await house.sessions.find(cookie("new"), house.now) == (new, standing)
    assert ("session.ended", standing.ref, old.id) in house.audit()


@pytest.mark.attack("T1")
async def test_a_session_of_another_account_is_replaced_too(house: House) -> None:
    _, zhang = await house.someone()
    _, li = await house.someone(LI, identity("oLi"))
    old = house.session(zhang.account)
    await house.sessions.open(old, cookie("old"), None)
    await house.sessions.open(house.session(li.account), cookie("new"), cookie("old"))
    assert await house.sessions.of_account(zhang.account, house.now) == []
    assert ("session.ended", zhang.ref, old.id) in house.audit()


async def test_replacing_what_is_not_there_opens_all_the_same(house: House) -> None:
    _, standing = await house.someone()
    await house.sessions.open(house.session(standing.account), cookie("new"), cookie("never was"))
    assert await house.sessions.find(cookie("new"), house.now) is not None


async def test_a_save_writes_data_and_use_and_raises_the_version(house: House) -> None:
    _, standing = await house.someone()
    session = house.session(standing.account)
    await house.sessions.open(session, cookie("a"), None)
    house.clock.advance(5)
    saved = await house.sessions.save(msgspec.structs.replace(session, data={"k": "值"}, last_used_at=house.now))
    assert (saved.version, saved.data, saved.last_used_at) == (2, {"k": "值"}, house.now)
    assert await house.sessions.find(cookie("a"), house.now) == (saved, standing)


@pytest.mark.attack("Q6")
async def test_a_stale_save_changes_nothing(house: House) -> None:
    _, standing = await house.someone()
    session = house.session(standing.account)
    await house.sessions.open(session, cookie("a"), None)
    saved = await house.sessions.save(msgspec.structs.replace(session, data={"k": "first"}))
    with pytest.raises(StaleSession):
        await house.sessions.save(msgspec.structs.replace(session, data={"k": "second"}))
    assert await house.sessions.find(cookie("a"), house.now) == (saved, standing)


@pytest.mark.attack("Q6")
async def test_of_sixteen_saves_of_one_version_one_wins(house: House) -> None:
    _, standing = await house.someone()
    session = house.session(standing.account)
    await house.sessions.open(session, cookie("a"), None)
    results = await asyncio.gather(
        *(house.sessions.save(msgspec.structs.replace(session, data={"k": str(n)})) for n in range(16)),
        return_exceptions=True,
    )
    won = [result for result in results if not isinstance(result, BaseException)]
    assert len(won) == 1
    assert sum(isinstance(result, StaleSession) for result in results) == 15
    assert await house.sessions.find(cookie("a"), house.now) == (won[0], standing)


@pytest.mark.attack("Q6")
async def test_a_save_never_brings_an_ended_session_back(house: House) -> None:
    _, standing = await house.someone()
    session = house.session(standing.account)
    await house.sessions.open(session, cookie("a"), None)
    assert await house.sessions.end(session.id, SessionEnd.LOGOUT, house.now)
    with pytest.raises(StaleSession):
        await house.sessions.save(session)
    assert await house.sessions.find(cookie("a"), house.now) is None
    assert not await house.sessions.end(session.id, SessionEnd.LOGOUT, house.now)
    assert house.audit().count(("session.ended", standing.ref, session.id)) == 1


async def test_words_lie_in_the_database_as_they_are_written_and_no_other_is_read(sqlite_house: House) -> None:
    house = sqlite_house
    _, standing = await house.someone()
    session = house.session(standing.account)
    await house.sessions.open(session, cookie("a"), None)
    assert house.rows("SELECT way FROM browser_session") == [("qr",)]
    house.rows("UPDATE browser_session SET way = 'guess'")
    with pytest.raises(ValueError):
        await house.sessions.find(cookie("a"), house.now)
    assert await house.sessions.end(session.id, SessionEnd.NOT_ME, house.now)
    facts = house.rows("SELECT facts FROM audit_event WHERE kind = 'session.ended'")
    assert facts == [('{"reason":"not_me"}',)]


@pytest.mark.attack("Q6")
async def test_a_save_never_creates_a_session(house: House) -> None:
    _, standing = await house.someone()
    with pytest.raises(StaleSession):
        await house.sessions.save(house.session(standing.account))
    assert await house.sessions.of_account(standing.account, house.now) == []


@pytest.mark.attack("P7")
async def test_whoever_confirmed_a_ticket_ends_what_came_of_it_and_only_that(house: House) -> None:
    _, zhang = await house.someone()
    _, li = await house.someone(LI, identity("oLi"))
    mine, other = house.session(zhang.account), house.session(zhang.account, house.login(ticket=OFFICE))
    await house.sessions.open(mine, cookie("mine"), None)
    await house.sessions.open(other, cookie("other"), None)
    assert await house.sessions.end_by_ticket(li.account, [TICKET], SessionEnd.UNDO, house.now) == []
    assert await house.sessions.end_by_ticket(zhang.account, [TICKET], SessionEnd.UNDO, house.now) == [mine.id]
    assert await house.sessions.find(cookie("mine"), house.now) is None
    assert await house.sessions.find(cookie("other"), house.now) is not None
    assert await house.sessions.end_by_ticket(zhang.account, [TICKET], SessionEnd.UNDO, house.now) == []


@pytest.mark.attack("P7")
async def test_a_ticket_is_found_by_its_digest_under_any_active_key(house: House) -> None:
    _, standing = await house.someone()
    before, after = house.session(standing.account), house.session(standing.account, house.login(ticket=OFFICE))
    other = house.session(standing.account, house.login(ticket=HOME))
    for number, session in enumerate((before, after, other)):
        await house.sessions.open(session, cookie(f"{number}"), None)
    ended = await house.sessions.end_by_ticket(standing.account, [OFFICE, TICKET], SessionEnd.UNDO, house.now)
    assert set(ended) == {before.id, after.id}
    assert await house.sessions.of_account(standing.account, house.now) == [other]


@pytest.mark.req("SES-1", "REC-4")
@pytest.mark.attack("T3")
async def test_every_session_of_an_account_but_one_is_ended_and_audited_and_nobody_elses(house: House) -> None:
    _, zhang = await house.someone()
    _, li = await house.someone(LI, identity("oLi"))
    opened = [house.session(zhang.account) for _ in range(3)]
    for number, session in enumerate(opened):
        await house.sessions.open(session, cookie(f"{number}"), None)
    other = house.session(li.account)
    await house.sessions.open(other, cookie("li"), None)
    # One that is over is ended by nobody.
    over = msgspec.structs.replace(house.session(zhang.account), expires_at=house.now + 1)
    await house.sessions.open(over, cookie("over"), None)
    house.clock.advance(1)
    ended = await house.sessions.end_others(zhang.account, opened[1].id, SessionEnd.PASSWORD_CHANGED, house.now)
    assert set(ended) == {opened[0].id, opened[2].id}
    assert await house.sessions.of_account(zhang.account, house.now) == [opened[1]]
    assert await house.sessions.find(cookie("0"), house.now) is None
    assert await house.sessions.end_others(zhang.account, opened[1].id, SessionEnd.CHOSEN, house.now) == []
    assert await house.sessions.end_others(zhang.account, other.id, SessionEnd.CHOSEN, house.now) == [opened[1].id]
    assert await house.sessions.end_others(zhang.account, None, SessionEnd.CHOSEN, house.now) == []
    assert await house.sessions.of_account(li.account, house.now) == [other]
    audited = [event for event in house.audit() if event[0] == "session.ended"]
    assert len(audited) == 3
    assert set(audited) == {("session.ended", zhang.ref, session.id) for session in opened}
    facts = house.rows("SELECT facts FROM audit_event WHERE kind = 'session.ended' ORDER BY id")
    assert facts == [('{"reason":"password_changed"}',)] * 2 + [('{"reason":"chosen"}',)]


@pytest.mark.req("SES-1")
async def test_of_sixteen_who_end_every_session_each_is_ended_by_one(house: House) -> None:
    _, standing = await house.someone()
    for number in range(4):
        await house.sessions.open(house.session(standing.account), cookie(f"{number}"), None)
    results = await asyncio.gather(
        *(house.sessions.end_others(standing.account, None, SessionEnd.CHOSEN, house.now) for _ in range(16))
    )
    assert len([session for ended in results for session in ended]) == 4
    assert await house.sessions.of_account(standing.account, house.now) == []


@pytest.mark.attack("R4", "T3")
async def test_a_new_number_ends_every_other_session_in_a_browser_by_itself(house: House) -> None:
    """In the transaction that gives it, wherever sessions lie and whatever becomes of them afterwards."""
    link, zhang = await house.someone()
    _, li = await house.someone(LI, identity("oLi"))
    own, other, lis = (house.session(account) for account in (zhang.account, zhang.account, li.account))
    for name, session in (("own", own), ("other", other), ("li", lis)):
        await house.sessions.open(session, cookie(name), None)
    phone = house.mini_session(link)
    await house.mini_sessions.open(phone)
    await house.members.set_phone(zhang.account, "13800138000", house.now)
    assert await house.sessions.find(cookie("other"), house.now) is not None, "a first number ends none"
    await house.members.set_phone(zhang.account, "13900139000", house.now, own.id)
    found = await house.sessions.find(cookie("own"), house.now)
    assert found is not None
    assert await house.sessions.find(cookie("other"), house.now) is None
    assert await house.sessions.find(cookie("li"), house.now) is not None
    assert await house.mini_sessions.find(phone.id, house.now) is not None
    assert await house.sessions.of_account(zhang.account, house.now) == [own]
    with pytest.raises(ConfirmationOver):
        await house.sessions.open(house.session(zhang.account), cookie("late"), None, zhang.epoch)
    # Opened since, whether or not the login knew the epoch; and renewed or saved, a session is the same.
    for name, epoch in (("by a form", None), ("by QR", found[1].epoch)):
        await house.sessions.open(house.session(zhang.account), cookie(name), None, epoch)
        assert await house.sessions.find(cookie(name), house.now) is not None
    own = await house.sessions.save(own)
    assert await house.sessions.rekey(own, cookie("own"), cookie("renewed"), house.now)
    assert await house.sessions.find(cookie("renewed"), house.now) is not None
    # What is left of them is ended by name, so that pages are told.
    await house.sessions.end_others(zhang.account, own.id, SessionEnd.PHONE_CHANGED, house.now)
    assert ("session.ended", zhang.ref, other.id) in house.audit()
    # The next change keeps another one.
    await house.members.set_phone(zhang.account, "13700137000", house.now)
    assert await house.sessions.find(cookie("renewed"), house.now) is None


@pytest.mark.attack("R4")
async def test_a_number_that_is_anothers_or_ones_own_already_ends_no_session(house: House) -> None:
    _, zhang = await house.someone()
    await house.member("13900139000", "lisisi_1")
    await house.members.set_phone(zhang.account, "13800138000", house.now)
    await house.sessions.open(house.session(zhang.account), cookie("a"), None)
    with pytest.raises(IdentifierTaken):
        await house.members.set_phone(zhang.account, "13900139000", house.now)
    await house.members.set_phone(zhang.account, "13800138000", house.now)
    assert await house.sessions.find(cookie("a"), house.now) is not None


@pytest.mark.attack("T1")
async def test_a_renewed_session_is_found_by_its_new_cookie_alone(house: House) -> None:
    _, standing = await house.someone()
    session = house.session(standing.account, data={"k": "v"})
    await house.sessions.open(session, cookie("old"), None)
    assert await house.sessions.find(cookie("old"), house.now) is not None, "where it led is remembered"
    assert await house.sessions.rekey(session, cookie("old"), cookie("new"), house.now)
    assert await house.sessions.find(cookie("old"), house.now) is None
    found = await house.sessions.find(cookie("new"), house.now)
    assert found is not None
    assert msgspec.structs.replace(found[0], version=1) == session
    assert [row.id for row in await house.sessions.of_account(standing.account, house.now)] == [session.id]
    assert (await house.sessions.save(msgspec.structs.replace(found[0], data={}))).data == {}
    assert await house.sessions.end(session.id, SessionEnd.LOGOUT, house.now)
    assert await house.sessions.find(cookie("new"), house.now) is None


@pytest.mark.attack("T1")
async def test_of_sixteen_renewals_of_one_session_one_counts(house: House) -> None:
    _, standing = await house.someone()
    session = house.session(standing.account)
    await house.sessions.open(session, cookie("old"), None)
    fresh = [cookie(f"new {number}") for number in range(16)]
    won = await asyncio.gather(*(house.sessions.rekey(session, cookie("old"), key, house.now) for key in fresh))
    assert won.count(True) == 1
    live = [key for key in (cookie("old"), *fresh) if await house.sessions.find(key, house.now) is not None]
    assert live == [fresh[won.index(True)]]


@pytest.mark.attack("T1")
async def test_a_cookie_that_is_dead_renews_and_replaces_nothing(house: House) -> None:
    _, standing = await house.someone()
    session = house.session(standing.account)
    await house.sessions.open(session, cookie("old"), None)
    assert await house.sessions.rekey(session, cookie("old"), cookie("new"), house.now)
    assert not await house.sessions.rekey(session, cookie("old"), cookie("third"), house.now)
    await house.sessions.open(house.session(standing.account), cookie("other"), cookie("old"))
    assert await house.sessions.find(cookie("new"), house.now) is not None
    assert await house.sessions.find(cookie("third"), house.now) is None


@pytest.mark.attack("T3")
async def test_a_renewal_never_brings_an_ended_session_back(house: House) -> None:
    _, standing = await house.someone()
    ended, over = house.session(standing.account), house.session(standing.account)
    await house.sessions.open(ended, cookie("a"), None)
    await house.sessions.open(over, cookie("b"), None)
    assert await house.sessions.end(ended.id, SessionEnd.LOGOUT, house.now)
    assert not await house.sessions.rekey(ended, cookie("a"), cookie("c"), house.now)
    assert not await house.sessions.rekey(over, cookie("b"), cookie("d"), over.expires_at)
    assert await house.sessions.find(cookie("c"), house.now) is None


async def test_an_account_sees_its_own_live_sessions_newest_first(house: House) -> None:
    _, zhang = await house.someone()
    _, li = await house.someone(LI, identity("oLi"))
    opened = []
    for name in ("first", "second", "third"):
        session = house.session(zhang.account)
        await house.sessions.open(session, cookie(name), None)
        opened.append(session)
        house.clock.advance(60)
    await house.sessions.open(house.session(li.account), cookie("li"), None)
    assert await house.sessions.of_account(zhang.account, house.now) == opened[::-1]
    assert await house.sessions.of_account(zhang.account, opened[0].expires_at) == opened[:0:-1]


async def test_an_opened_session_is_remembered_by_its_network(house: House) -> None:
    _, standing = await house.someone()
    await house.sessions.open(house.session(standing.account), cookie("a"), None)
    assert await house.accounts.networks(standing.account, [OFFICE]) == (True, True)
    assert await house.accounts.networks(standing.account, [HOME]) == (True, False)


@pytest.mark.attack("Q4")
async def test_of_sixteen_logins_in_place_of_one_session_the_old_one_ends_once(house: House) -> None:
    _, standing = await house.someone()
    old = house.session(standing.account)
    await house.sessions.open(old, cookie("old"), None)
    await asyncio.gather(
        *(
            house.sessions.open(house.session(standing.account), cookie(f"new {number}"), cookie("old"))
            for number in range(16)
        )
    )
    assert house.audit().count(("session.ended", standing.ref, old.id)) == 1
    assert len(await house.sessions.of_account(standing.account, house.now)) == 16


@pytest.mark.req("PRV-4")
async def test_purging_removes_what_is_over_and_spares_what_is_live(house: House) -> None:
    _, standing = await house.someone()
    over, ended = house.session(standing.account), house.session(standing.account)
    await house.sessions.open(over, cookie("over"), None)
    await house.sessions.open(ended, cookie("ended"), None)
    assert await house.sessions.end(ended.id, SessionEnd.LOGOUT, house.now)
    house.clock.advance(1)
    live = house.session(standing.account)
    await house.sessions.open(live, cookie("live"), None)
    assert await house.sessions.purge(over.expires_at, 9) == 1
    assert await house.sessions.purge(over.expires_at, 9) == 0
    assert await house.sessions.find(cookie("live"), over.expires_at) == (live, standing)


@pytest.mark.req("PRV-4")
async def test_a_backlog_is_purged_a_bounded_piece_at_a_time(house: House) -> None:
    _, standing = await house.someone()
    rows = "browser_session" if house.redis_url is None else "bjidp:session:of:"
    over = house.session(standing.account)
    for number in range(5):
        await house.sessions.open(msgspec.structs.replace(over, id=f"{number}" * 22), cookie(f"{number}"), None)
    left = []
    for _ in range(4):
        purged = await house.sessions.purge(over.expires_at, 2)
        left.append((purged, house.counts().get(rows, 0)))
    assert left == [(2, 3), (2, 1), (1, 0), (0, 0)]


@pytest.mark.req("PRV-4")
async def test_processes_that_purge_at_once_leave_nothing_and_wait_for_nobody(house: House) -> None:
    _, standing = await house.someone()
    over = house.session(standing.account)
    for number in range(10, 30):
        await house.sessions.open(msgspec.structs.replace(over, id=f"{number}" * 11), cookie(f"{number}"), None)
    for _ in range(3):
        await asyncio.gather(*(house.sessions.purge(over.expires_at, 3) for _ in range(4)))
    while await house.sessions.purge(over.expires_at, 3):
        pass
    before = house.counts()
    assert before.get("bjidp:session:of:", before["browser_session"]) == 0
