"""What happened to somebody's account, as they are shown it, and 不是我 (SES-2, SES-3).

Owns which events are a reminder, and what ends when their owner says that it was not them. Called by the pages of
个人中心. A login by QR is denied by ending its session, that of a device by ending what the device was given. Who
denies that a password or a number was changed no longer knows which sessions are whose: all of them end, this one among
them, and recovery is what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, Protocol

from msgspec import Struct

from bjidp.accounts.endings import Endings
from bjidp.accounts.member_ports import ExternalStore, MemberStore, Notice
from bjidp.accounts.notices import NoticeKind
from bjidp.accounts.verifying import Visit
from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import DAY, Clock, Instant, Millis
from bjidp.sessions.ports import SessionEnd, Way
from bjidp.sessions.service import Sessions

RECENT: Final[Millis] = 7 * DAY
"""How long something is a reminder; 登录记录 has it for good."""

SHOWN: Final = 5
"""Reminders shown at most, the newest."""

READ: Final = 50
"""Logins looked through for those by QR: far more than a person makes in the time."""

_LOGINS: Final = (EventKind.LOGIN_BROWSER, EventKind.LOGIN_DEVICE)

PAGE: Final = 20
"""Entries on a page of 登录记录."""


class Denied(StrEnum):
    """What 不是我 has ended."""

    THIS = "this"
    """The session it was said in."""
    ANOTHER = "another"
    ALL = "all"


class Reminder(Struct, frozen=True, kw_only=True):
    """Something the account's owner has to know of: a login by QR or of a device, or a change.

    ``session`` is the public id of what a login made; ``notice`` is None for a login. ``client`` is the site of a
    device, by its id.
    """

    at: Instant
    notice: NoticeKind | None = None
    session: str | None = None
    platform: str | None = None
    provider: str | None = None
    browser: str | None = None
    os: str | None = None
    client: str | None = None
    new: bool = False
    """It was not shown before; a login's reminder is never told from an older one."""


class Entry(Struct, frozen=True, kw_only=True):
    """One line of 登录记录."""

    number: int
    kind: EventKind
    at: Instant
    facts: dict[Fact, str]
    here: bool
    """It is of the session that looks at it."""


class Log(Struct, frozen=True):
    """A page of 登录记录, newest first; ``older`` is what the next page is asked for with, None on the last."""

    entries: tuple[Entry, ...]
    older: int | None


class DeviceLogins(Protocol):
    """What devices were given."""

    async def end(self, account: str, session: str) -> str | None:
        """End what came of the login of one device; return the session of the page that had confirmed it, if one had.

        Raises ``StoreUnavailable``.
        """
        ...


class Activity:
    """What happened. A store that is down raises ``StoreUnavailable``."""

    def __init__(
        self,
        *,
        members: MemberStore,
        externals: ExternalStore,
        sessions: Sessions,
        devices: DeviceLogins,
        endings: Endings,
        clock: Clock,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._members = members
        self._externals = externals
        self._sessions = sessions
        self._devices = devices
        self._endings = endings
        self._clock = clock

    async def reminders(self, visit: Visit) -> list[Reminder]:
        """Return what is to be known, newest first; notices are remembered as shown."""
        now = self._clock.now()
        notices = await self._members.notices(visit.account, SHOWN)
        events = await self._members.history(visit.account, READ, kinds=_LOGINS)
        if any(notice.seen_at is None for notice in notices):
            await self._members.see_notices(visit.account, now, up_to=notices[0].id)
        return recent(notices, [event for _, event in events], here=visit.session.id, now=now)

    async def log(self, visit: Visit, before: int | None) -> Log:
        """Return a page of the account's own security log, from the event ``before`` on."""
        here = visit.session.id
        found = await self._members.history(visit.account, PAGE + 1, before)
        entries = tuple(
            Entry(number=number, kind=event.kind, at=event.at, facts=event.facts, here=event.session == here)
            for number, event in found[:PAGE]
        )
        return Log(entries, entries[-1].number if len(found) > PAGE else None)

    async def deny_login(self, visit: Visit, session: str) -> Denied:
        """End the session of a login that its account's owner did not make; one that is over is none the worse.

        Where a page confirmed the login of a device, whoever was at it was not the owner either.
        """
        if not await self._sessions.end_one(visit.account, session, SessionEnd.NOT_ME):
            page = await self._devices.end(visit.account, session)
            if page is not None and page != visit.session.id:
                await self._sessions.end_one(visit.account, page, SessionEnd.NOT_ME)
        return Denied.THIS if session == visit.session.id else Denied.ANOTHER

    async def deny_change(self, visit: Visit) -> Denied:
        """End every session, in browsers and on phones: somebody else has changed the account."""
        # This session until the rest has ended: whoever could not be told so says it again.
        keep = visit.session.id
        await put_out(self._members, self._externals, self._endings, self._clock, visit.account, keep=keep)
        return Denied.ALL


async def put_out(
    members: MemberStore,
    externals: ExternalStore,
    endings: Endings,
    clock: Clock,
    account: str,
    *,
    keep: str | None = None,
) -> None:
    """End every session of an account, in browsers and on phones, and what any browser is known by to it.

    The session ``keep`` ends last. What the account is logged in to by elsewhere is unlinked before the sessions end,
    or whoever has bound their own would come back by it; and after the epoch in which they have proved themselves, or
    they would bind it once more in between.
    """
    await members.fence(account, keep)
    await externals.unlink_all(account, clock.now())
    await endings.end_others(account, None, SessionEnd.NOT_ME)


def recent(notices: Sequence[Notice], events: Sequence[AuditEvent], *, here: str, now: Instant) -> list[Reminder]:
    """Return the newest reminders of notices, of devices, and of logins by QR but the one that looks at them. Pure."""
    told = [
        Reminder(
            at=notice.created_at,
            notice=notice.kind,
            platform=notice.facts.get("platform"),
            provider=notice.facts.get("provider"),
            new=notice.seen_at is None,
        )
        for notice in notices
    ]
    logins = [
        Reminder(
            at=event.at,
            session=event.session,
            platform=event.facts.get(Fact.PLATFORM),
            browser=event.facts.get(Fact.BROWSER),
            os=event.facts.get(Fact.OS),
        )
        for event in events
        if event.kind is EventKind.LOGIN_BROWSER and event.facts.get(Fact.WAY) == Way.QR and event.session != here
    ]
    devices = [
        Reminder(at=event.at, session=event.session, client=event.facts.get(Fact.CLIENT))
        for event in events
        if event.kind is EventKind.LOGIN_DEVICE
    ]
    found = [reminder for reminder in (*told, *logins, *devices) if reminder.at > now - RECENT]
    return sorted(found, key=lambda reminder: -reminder.at)[:SHOWN]
