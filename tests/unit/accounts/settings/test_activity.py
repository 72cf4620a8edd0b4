"""Reminders, 登录记录 and 不是我.

Every test of the service runs on SQLite with what is short-lived in memory, and again with that and the sessions in
Redis.
"""

from __future__ import annotations

import pytest

from bjidp.accounts.activity import PAGE, READ, RECENT, SHOWN, Denied, Reminder, recent
from bjidp.accounts.member_ports import Notice
from bjidp.accounts.notices import NoticeKind
from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import SECOND
from bjidp.errors import StoreUnavailable
from bjidp.sessions.ports import SessionEnd
from bjidp.verification.proofs import Operation
from tests.unit.accounts.settings.room import BY_QR, NEW_PASSWORDS, Room

NOW = 1_800_000_000_000
QR = {Fact.WAY: "qr", Fact.PLATFORM: "wechat", Fact.BROWSER: "Edge", Fact.OS: "macOS"}


def login(at: int, session: str = "there", facts: dict[Fact, str] | None = None) -> AuditEvent:
    return AuditEvent(EventKind.LOGIN_BROWSER, at, "ref", session, None, facts or QR)


@pytest.mark.req("SES-2")
def test_logins_by_qr_elsewhere_and_changes_are_reminders_newest_first() -> None:
    notices = [
        Notice(1, NoticeKind.PASSWORD_CHANGED, {}, NOW - 5, None),
        Notice(2, NoticeKind.RECOVERED, {"platform": "alipay"}, NOW - 9, NOW),
    ]
    found = recent(notices, [login(NOW - 7), login(NOW, "here")], here="here", now=NOW)
    assert found == [
        Reminder(at=NOW - 5, notice=NoticeKind.PASSWORD_CHANGED, new=True),
        Reminder(at=NOW - 7, session="there", platform="wechat", browser="Edge", os="macOS"),
        Reminder(at=NOW - 9, notice=NoticeKind.RECOVERED, platform="alipay"),
    ]


@pytest.mark.req("SES-2")
def test_other_logins_and_old_ones_are_none() -> None:
    by_password = login(NOW, facts={Fact.WAY: "password"})
    ended = AuditEvent(EventKind.SESSION_ENDED, NOW, "ref", "there", None, {Fact.WAY: "qr"})
    old = Notice(1, NoticeKind.PHONE_CHANGED, {}, NOW - RECENT, None)
    assert recent([old], [by_password, ended, login(NOW - RECENT)], here="here", now=NOW) == []
    assert len(recent([], [login(NOW - RECENT + 1)], here="here", now=NOW)) == 1
    assert len(recent([], [login(NOW - at) for at in range(9)], here="here", now=NOW)) == SHOWN


@pytest.mark.req("SES-2")
async def test_a_change_is_a_reminder_and_new_once(room: Room) -> None:
    visit, flow = await room.proved(await room.enter(await room.someone()), Operation.PASSWORD)
    assert await room.activity.reminders(visit) == []
    await room.passwords.change(visit, flow, NEW_PASSWORDS)
    changed = Reminder(at=room.clock.now(), notice=NoticeKind.PASSWORD_CHANGED, new=True)
    assert await room.activity.reminders(visit) == [changed]
    (again,) = await room.activity.reminders(visit)
    assert not again.new
    room.clock.advance(RECENT / SECOND)
    assert await room.activity.reminders(visit) == []


@pytest.mark.req("SES-2")
async def test_a_change_while_the_reminders_are_read_is_new_the_next_time(room: Room) -> None:
    visit, flow = await room.proved(await room.enter(await room.someone()), Operation.PASSWORD)
    await room.passwords.change(visit, flow, NEW_PASSWORDS)

    async def change() -> None:
        await room.sql.members.set_phone(visit.account, "15400000009", room.clock.now())

    room.meddler.before_next("members.history", change)
    assert [reminder.notice for reminder in await room.activity.reminders(visit)] == [NoticeKind.PASSWORD_CHANGED]
    again = {reminder.notice: reminder.new for reminder in await room.activity.reminders(visit)}
    assert again == {NoticeKind.PASSWORD_CHANGED: False, NoticeKind.PHONE_CHANGED: True}


@pytest.mark.req("SES-2")
@pytest.mark.attack("P7")
async def test_who_says_not_me_ends_that_session_and_no_other(room: Room) -> None:
    account = await room.someone()
    visit, stolen, other = await room.enter(account), await room.enter(account, BY_QR), await room.enter(account)
    (reminder,) = await room.activity.reminders(visit)
    assert (reminder.session, reminder.platform, reminder.browser, reminder.os) == (
        stolen.session.id, "wechat", "Edge", "macOS",
    )  # fmt: skip
    assert await room.activity.deny_login(visit, reminder.session or "") is Denied.ANOTHER
    assert await room.sessions.find(stolen.cookie) is None
    assert [live.id for live in await room.sessions.of_account(account)] != []
    assert (await room.session(other.cookie)).id == other.session.id
    assert room.rows("SELECT facts FROM audit_event WHERE kind = 'session.ended'") == [('{"reason":"not_me"}',)]
    assert await room.activity.deny_login(visit, reminder.session or "") is Denied.ANOTHER, "it is over already"
    assert await room.activity.deny_login(visit, visit.session.id) is Denied.THIS
    assert await room.sessions.find(visit.cookie) is None


@pytest.mark.req("SES-2")
@pytest.mark.attack("P7")
async def test_wrong_passwords_of_a_stranger_hide_no_login(room: Room) -> None:
    account = await room.someone()
    visit, stolen = await room.enter(account), await room.enter(account, BY_QR)
    reference = (await room.member(account)).standing.ref
    for _ in range(READ + 1):
        await room.sql.audit.append(AuditEvent(EventKind.LOGIN_FAILED, room.clock.now(), reference))
    (reminder,) = await room.activity.reminders(visit)
    assert reminder.session == stolen.session.id


@pytest.mark.req("SES-2")
async def test_nobody_ends_anothers_session(room: Room) -> None:
    visit = await room.enter(await room.someone())
    foreign = await room.enter(await room.someone("15400000009", "li_sisi"))
    await room.activity.deny_login(visit, foreign.session.id)
    assert (await room.session(foreign.cookie)).id == foreign.session.id


@pytest.mark.req("SES-2")
@pytest.mark.attack("R4")
async def test_who_denies_a_change_ends_every_session_in_browsers_and_on_phones(room: Room) -> None:
    account = await room.someone()
    visits = [await room.enter(account), await room.enter(account, BY_QR)]
    assert await room.activity.deny_change(visits[0]) is Denied.ALL
    for visit in visits:
        assert await room.sessions.find(visit.cookie) is None
    assert room.phones_ended.ended == [(account, SessionEnd.NOT_ME)]


@pytest.mark.req("SES-3")
async def test_the_log_has_everything_of_the_account_page_by_page_and_nothing_of_others(room: Room) -> None:
    account = await room.someone()
    for _ in range(PAGE):
        room.clock.advance(1)
        await room.enter(account)
    await room.enter(await room.someone("15400000009", "li_sisi"))
    visit = await room.enter(account)
    first = await room.activity.log(visit, None)
    assert len(first.entries) == PAGE
    assert (first.entries[0].kind, first.entries[0].here, first.entries[0].at) == (
        EventKind.LOGIN_BROWSER, True, room.clock.now(),
    )  # fmt: skip
    assert not any(entry.here for entry in first.entries[1:])
    second = await room.activity.log(visit, first.older)
    assert [entry.kind for entry in second.entries] == [EventKind.LOGIN_BROWSER, EventKind.ACCOUNT_REGISTERED]
    assert second.older is None
    numbers = [entry.number for entry in (*first.entries, *second.entries)]
    assert numbers == sorted(numbers, reverse=True)


@pytest.mark.attack("O5")
async def test_a_store_that_is_down_is_not_taken_for_a_quiet_week(room: Room) -> None:
    visit = await room.enter(await room.someone())
    room.meddler.breaks("members.history")
    with pytest.raises(StoreUnavailable):
        await room.activity.reminders(visit)
    with pytest.raises(StoreUnavailable):
        await room.activity.log(visit, None)
