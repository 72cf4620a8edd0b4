"""Browser sessions: the cookie and its hash, the one lifetime, the note of a visit."""

from __future__ import annotations

import hashlib

import pytest

from bjidp.clock import HOUR, MINUTE, ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.errors import AccountRefused, StoreUnavailable
from bjidp.sessions.authentication import Method
from bjidp.sessions.ports import VERIFIED_KEPT, Login, Session, SessionEnd, StaleSession, Way
from bjidp.sessions.service import COOKIE_LENGTH, Sessions
from tests.support.session_rows import SessionRows, Told

LIFETIME = 12 * HOUR
LOGIN = Login(Way.QR, "wechat", "link", "Chrome", "Windows", None, b"network", b"ticket")


@pytest.fixture
def rows() -> SessionRows:
    return SessionRows()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def sessions(rows: SessionRows, told: Told, clock: ManualClock, entropy: SeededEntropy) -> Sessions:
    return Sessions(rows, clock, entropy, LIFETIME, told)


async def test_the_store_knows_a_hash_of_the_cookie_alone(sessions: Sessions, rows: SessionRows) -> None:
    cookie = await sessions.start("account", LOGIN, None)
    assert len(cookie) == COOKIE_LENGTH
    ((key, session),) = rows.rows.items()
    assert key == hashlib.sha256(cookie.encode()).digest()
    assert cookie not in repr(session)
    assert len({cookie, session.id, session.csrf}) == 3
    assert (len(session.id), len(session.csrf)) == (22, 43)


async def test_what_was_started_is_found_by_its_cookie(sessions: Sessions, clock: ManualClock) -> None:
    cookie = await sessions.start("account", LOGIN, None)
    found = await sessions.find(cookie)
    assert found is not None
    session, standing = found
    assert (session.account, session.login, session.data, session.version) == ("account", LOGIN, {}, 1)
    assert (session.created_at, session.last_used_at) == (clock.now(), clock.now())
    assert standing.name == "张**"


@pytest.mark.attack("P7")
async def test_a_session_remembers_the_newest_tickets_its_owner_was_verified_by(sessions: Sessions) -> None:
    await sessions.start("account", LOGIN, None, {"next": "/"})
    (session,) = await sessions.of_account("account")
    tickets = [hashlib.sha256(bytes([number])).digest() for number in range(VERIFIED_KEPT + 1)]
    for ticket in tickets:
        await sessions.note_verification("account", session.id, ticket, Method.QR)
    await sessions.note_verification("another", session.id, b"another's".ljust(32), Method.QR)
    await sessions.note_verification("account", "no session", b"nobody's".ljust(32), Method.QR)
    (session,) = await sessions.of_account("account")
    assert [session.was_verified_by([ticket]) for ticket in tickets] == [False] + [True] * VERIFIED_KEPT
    assert session.was_verified_by([tickets[0], tickets[1]])
    assert not session.was_verified_by([b"another's".ljust(32), b"nobody's".ljust(32)])
    assert session.data["next"] == "/"


@pytest.mark.attack("P7")
async def test_a_verification_is_remembered_though_the_session_is_saved_at_the_same_moment(
    sessions: Sessions, rows: SessionRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sessions.start("account", LOGIN, None)
    (session,) = await sessions.of_account("account")
    save = rows.save

    async def overtaken(late: Session) -> Session:
        monkeypatch.setattr(rows, "save", save)
        await sessions.save(session, {"k": "v"})
        return await save(late)

    monkeypatch.setattr(rows, "save", overtaken)
    await sessions.note_verification("account", session.id, b"ticket".ljust(32), Method.QR)
    (session,) = await sessions.of_account("account")
    assert session.was_verified_by([b"ticket".ljust(32)])
    assert session.data["k"] == "v"


@pytest.mark.req("ORG-3")
async def test_one_thing_is_kept_though_the_session_is_saved_at_the_same_moment_and_never_once_it_has_ended(
    sessions: Sessions, rows: SessionRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sessions.start("account", LOGIN, None, {"next": "/"})
    (session,) = await sessions.of_account("account")
    save = rows.save

    async def overtaken(late: Session) -> Session:
        monkeypatch.setattr(rows, "save", save)
        await sessions.save(session, session.data | {"k": "v"})
        return await save(late)

    monkeypatch.setattr(rows, "save", overtaken)
    await sessions.keep(session, "acting", "m.1")
    (session,) = await sessions.of_account("account")
    assert session.data == {"next": "/", "k": "v", "acting": "m.1"}
    await sessions.keep(session, "acting", None)
    await sessions.keep(session, "acting", None)
    (session,) = await sessions.of_account("account")
    assert session.data == {"next": "/", "k": "v"}
    await sessions.end(session, SessionEnd.LOGOUT)
    with pytest.raises(StaleSession):
        await sessions.keep(session, "acting", "m.1")


@pytest.mark.attack("T1")
async def test_the_session_before_a_login_is_dead(sessions: Sessions, rows: SessionRows) -> None:
    old = await sessions.start("account", LOGIN, None)
    new = await sessions.start("account", LOGIN, old)
    assert new != old
    assert await sessions.find(old) is None
    assert len(rows.rows) == 1


@pytest.mark.attack("T1")
async def test_a_renewed_session_has_another_cookie_and_nothing_else(sessions: Sessions, rows: SessionRows) -> None:
    old = await sessions.start("account", LOGIN, None)
    found = await sessions.find(old)
    assert found is not None
    new = await sessions.renew(found[0], old)
    assert len(new) == COOKIE_LENGTH
    assert new != old
    assert await sessions.find(old) is None
    assert await sessions.find(new) == found
    with pytest.raises(StaleSession):
        await sessions.renew(found[0], old)
    assert len(rows.rows) == 1


@pytest.mark.attack("Q21")
async def test_an_account_that_is_refused_gets_no_row(sessions: Sessions, rows: SessionRows) -> None:
    rows.refusal = "locked"
    with pytest.raises(AccountRefused):
        await sessions.start("account", LOGIN, None)
    assert rows.rows == {}


@pytest.mark.attack("P8")
async def test_use_does_not_prolong_a_session(sessions: Sessions, clock: ManualClock) -> None:
    cookie = await sessions.start("account", LOGIN, None)
    for _ in range(12):
        found = await sessions.find(cookie)
        assert found is not None
        await sessions.touch(found[0])
        clock.advance(3600)
    assert await sessions.find(cookie) is None


@pytest.mark.attack("Q27")
@pytest.mark.parametrize("cookie", [None, "", "x", "x" * 42, "x" * 44, "x" * 10_000])
async def test_what_is_no_cookie_of_ours_is_not_looked_up(
    sessions: Sessions, rows: SessionRows, cookie: str | None
) -> None:
    assert await sessions.find(cookie) is None
    assert rows.asked == 0


async def test_a_cookie_of_strange_characters_is_simply_unknown(sessions: Sessions) -> None:
    assert await sessions.find("\ud800" * COOKIE_LENGTH) is None
    assert await sessions.find("密" * COOKIE_LENGTH) is None


async def test_a_visit_is_noted_at_most_every_five_minutes(
    sessions: Sessions, rows: SessionRows, clock: ManualClock
) -> None:
    cookie = await sessions.start("account", LOGIN, None)
    started = clock.now()
    seen = set()
    for _ in range(12):
        clock.advance(60)
        found = await sessions.find(cookie)
        assert found is not None
        await sessions.touch(found[0])
        (session,) = rows.rows.values()
        seen.add((session.last_used_at - started) // MINUTE)
    assert seen == {0, 5, 10}


@pytest.mark.attack("T3", "Q6")
async def test_neither_a_visit_nor_a_save_brings_an_ended_session_back(
    sessions: Sessions, rows: SessionRows, clock: ManualClock
) -> None:
    cookie = await sessions.start("account", LOGIN, None)
    found = await sessions.find(cookie)
    assert found is not None
    session = found[0]
    await sessions.end(session, SessionEnd.LOGOUT)
    clock.advance(600)
    assert await sessions.touch(session) == session
    with pytest.raises(StaleSession):
        await sessions.save(session, {"a": "1"})
    assert rows.rows == {}
    assert rows.ended == [(session.id, "logout", clock.now() - 600_000)]


@pytest.mark.attack("Q6")
async def test_of_two_saves_of_one_reading_the_second_is_stale(sessions: Sessions) -> None:
    cookie = await sessions.start("account", LOGIN, None)
    found = await sessions.find(cookie)
    assert found is not None
    saved = await sessions.save(found[0], {"a": "1"})
    assert (saved.data, saved.version) == ({"a": "1"}, 2)
    with pytest.raises(StaleSession):
        await sessions.save(found[0], {"b": "1"})


async def started(sessions: Sessions, account: str = "account") -> Session:
    found = await sessions.find(await sessions.start(account, LOGIN, None))
    assert found is not None
    return found[0]


@pytest.mark.req("SES-1")
@pytest.mark.attack("W6")
async def test_an_account_lists_its_sessions_and_ends_one_of_them(
    sessions: Sessions, told: Told, clock: ManualClock
) -> None:
    first = await started(sessions)
    clock.advance(60)
    second = await started(sessions)
    assert await sessions.of_account("account") == [second, first]
    assert await sessions.end_one("account", first.id, SessionEnd.CHOSEN)
    assert not await sessions.end_one("account", first.id, SessionEnd.CHOSEN)
    assert await sessions.of_account("account") == [second]
    assert [await sessions.lives(session) for session in (first, second)] == [False, True]
    assert told.ended == [first.id]


@pytest.mark.req("SES-1")
@pytest.mark.attack("Q9")
async def test_nobody_ends_a_session_of_another_account(sessions: Sessions, rows: SessionRows) -> None:
    mine = await started(sessions, "other")
    assert not await sessions.end_one("account", mine.id, SessionEnd.CHOSEN)
    assert not await sessions.end_one("account", "nothing", SessionEnd.CHOSEN)
    await sessions.end_others("account", None, SessionEnd.CHOSEN)
    assert await sessions.of_account("other") == [mine]
    assert rows.ended == []


@pytest.mark.req("REC-4")
@pytest.mark.attack("W6")
async def test_all_sessions_but_one_are_ended_and_those_that_come_meanwhile(
    sessions: Sessions, rows: SessionRows, told: Told
) -> None:
    kept = await started(sessions)
    for _ in range(2):
        await started(sessions)
    rows.coming = [started(sessions) for _ in range(3)]
    await sessions.end_others("account", kept.id, SessionEnd.PASSWORD_CHANGED)
    assert rows.coming == []
    assert await sessions.of_account("account") == [kept]
    assert [reason for _, reason, _ in rows.ended] == ["password_changed"] * 5
    assert told.ended == [session for session, _, _ in rows.ended]


@pytest.mark.req("SES-1")
async def test_sessions_that_never_cease_to_come_are_an_outage(sessions: Sessions, rows: SessionRows) -> None:
    await started(sessions)
    rows.coming = [started(sessions) for _ in range(100)]
    with pytest.raises(StoreUnavailable):
        await sessions.end_others("account", None, SessionEnd.CHOSEN)
    for left in rows.coming:
        left.close()  # type: ignore[attr-defined]


@pytest.mark.req("SES-1")
@pytest.mark.attack("W6", "P7")
async def test_what_is_open_for_a_session_is_told_of_its_end_whatever_ends_it(sessions: Sessions, told: Told) -> None:
    by_ticket, by_logout = await started(sessions), await started(sessions, "other")
    assert await sessions.end_by_ticket("other", [b"another ticket"], SessionEnd.UNDO) == []
    assert told.ended == []
    assert await sessions.end_by_ticket("account", [b"other", b"ticket"], SessionEnd.UNDO) == [by_ticket.id]
    await sessions.end(by_logout, SessionEnd.LOGOUT)
    assert told.ended == [by_ticket.id, by_logout.id]
    await sessions.end(by_logout, SessionEnd.LOGOUT)
    assert told.ended[2:] == [by_logout.id], "who ended it first may have come no further"
