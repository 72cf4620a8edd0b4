"""What staff do at a command line: appeals are listed, looked at and decided (RNV-8).

Owns what they are shown and asked. It needs the database and the root keys and nothing else of a server, which may run
beside it or not: what follows a decision is done by the servers (:mod:`bjidp.appeals.outcomes`). Called by ``appeals``.

Every look is written down under the name that was given. Who may run the command at all is the machine's business.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar

from msgspec import Struct

from bjidp.appeals.appeal import AppealClosed, Case, Side, Verdict
from bjidp.appeals.flow import readable
from bjidp.appeals.ports import AppealStore, AppealUnknown, Decision, FactsChanged, NotGrantable
from bjidp.bootstrap import read_keyring
from bjidp.clock import Clock, Instant, SystemClock, in_beijing
from bjidp.commands.databases import require_this_release
from bjidp.commands.ending import Refused
from bjidp.config.settings import Settings
from bjidp.entropy import SystemEntropy
from bjidp.storage.sql.catalog import SqlStores, open_sql

LISTED: Final = 200
"""Appeals shown at once."""

EXPLANATION: Final = range(2, 501)
"""How many characters an explanation has."""

ROW: Final = 76
"""Columns of a row of what somebody else wrote: a terminal has more, so it breaks none into rows without a mark."""

STAFF: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")

_WHY: Final = {
    "own": "the account that appeals has the identity already",
    "other_identity": "the account that appeals has another identity by now, and did not ask for an exchange",
    "locked": "the account that appeals is locked",
    "cancelled": "the account that appeals has ended",
}

T = TypeVar("T")


class Desk(Struct, frozen=True):
    """Who sits at the command line, and what they look through."""

    appeals: AppealStore
    clock: Clock
    staff: str
    say: Callable[[str], None] = print

    async def list_waiting(self) -> None:
        """Say what waits, the oldest first."""
        found = await self.appeals.waiting(self.staff, self.clock.now(), LISTED)
        for appeal in found:
            by = "" if appeal.reviewer is None else f"  looked at by {appeal.reviewer}"
            self.say(f"{appeal.id}  {_moment(appeal.filed_at)}  {appeal.state}  {_pictures(appeal.pictures)}{by}")
        if len(found) == LISTED:
            self.say(f"these are the oldest {LISTED}")
        if not found:
            self.say("no appeal waits")

    async def show(self, appeal: str, to: Path | None) -> None:
        """Say everything about an appeal, and write its pictures ``to`` a folder that is named; raise Refused."""
        try:
            case = await self.appeals.review(appeal, self.staff, self.clock.now())
        except AppealUnknown:
            raise Refused("there is no such appeal") from None
        for line in told(case):
            self.say(line)
        if to is not None:
            await self._write(case, to)
        if case.appeal.is_open:
            self.say(f"decide on this with --seen {case.facts}")
        # Last: whatever it pretends to be, nothing of ours follows it.
        for line in ("reason", *quoted(case.appeal.reason)):
            self.say(line)

    async def decide(self, appeal: str, verdict: Verdict, seen: str, explanation: str) -> None:
        """Decide an appeal on what ``seen`` stands for; raise Refused."""
        written = " ".join(readable(" ".join(explanation.splitlines())).split())
        if len(written) not in EXPLANATION:
            raise Refused(f"the reason has {EXPLANATION.start} to {EXPLANATION.stop - 1} characters")
        decision = Decision(appeal=appeal, verdict=verdict, facts=seen, staff=self.staff, explanation=written)
        try:
            decided = await self.appeals.decide(decision, self.clock.now())
        except AppealUnknown:
            raise Refused("there is no such appeal") from None
        except AppealClosed as closed:
            by = "by its owner" if closed.appeal.decider is None else f"by {closed.appeal.decider}"
            raise Refused(f"it was {closed.appeal.state} {by} already") from None
        except FactsChanged:
            raise Refused("what you were shown is not so any more: look again, then decide") from None
        except NotGrantable as refused:
            why = _WHY.get(refused.reason, refused.reason)
            raise Refused(f"it cannot be granted: {why}") from None
        self.say(f"{decided.id} is {decided.state}; the servers tell everybody concerned by SMS")

    async def _write(self, case: Case, to: Path) -> None:
        _make_folder(to)
        for attachment in case.appeal.attachments:
            data = await self.appeals.picture(case.appeal.id, attachment.number, self.staff, self.clock.now())
            path = to / f"{case.appeal.id}-{attachment.number}.jpg"
            _write_file(path, data)
            self.say(f"wrote {path}")


def told(case: Case) -> list[str]:
    """Return an appeal as staff see it but for its reason, line by line.

    Numbers of accounts are masked, what is appealed for is not.
    """
    appeal, person = case.appeal, case.appeal.person
    lines = [
        f"appeal      {appeal.id}",
        f"state       {appeal.state}",
        f"filed       {_moment(appeal.filed_at)}",
    ]
    if appeal.reviewed_at is not None:
        lines.append(f"looked at   {_moment(appeal.reviewed_at)} by {appeal.reviewer}")
    if appeal.decided_at is not None:
        lines.append(f"decided     {_moment(appeal.decided_at)} by {appeal.decider or 'its owner'}")
    lines += [
        f"for         {readable(person.name)}  {person.document_type}  {readable(person.number)}",
        f"confirmed   by the authority, reference {appeal.new.authority_reference}",
        f"exchange    {'in place of the identity the account has' if appeal.exchange else 'no'}",
    ]
    if appeal.explanation is not None:
        lines += ["decided because", f"  {appeal.explanation}"]
    lines += ["account that appeals", *_side(case.claimant)]
    if case.holder is None:
        lines.append("nobody holds the identity by now")
    elif case.holder.ref == case.claimant.ref:
        lines.append("the identity is its own by now")
    else:
        lines += ["account that holds the identity", *_side(case.holder)]
    if case.others:
        lines.append(f"others      appeal for the same identity: {case.others} more that are open")
    for found in appeal.attachments:
        kilobytes = -(-found.size // 1024)
        lines.append(f"picture {found.number}   from file {found.file}, {found.kind}, {kilobytes} KB, which was called")
        lines += quoted(found.name)
    return [*lines, "contact", *quoted(appeal.contact or "-")]


def quoted(text: str) -> list[str]:
    """Return what somebody else wrote as rows with a mark, none of which passes for a line of ours (attack U8)."""
    return [f"| {row}" for line in text.split("\n") for row in _rows(readable(line))]


def _rows(line: str) -> list[str]:
    rows, width = [""], 0
    for character in line:
        columns = _columns(character)
        if width + columns > ROW:
            rows.append("")
            width = 0
        rows[-1] += character
        width += columns
    return rows


def _columns(character: str) -> int:
    # Tables of widths differ from one terminal to the next, above all for marks that are set on a letter and for what
    # Unicode has widened since. None draws anything in more than two columns, or ASCII in more than one.
    return 1 if character.isascii() else 2


def run(settings: Settings, staff: str, act: Callable[[Desk], Awaitable[T]]) -> T:
    """Do ``act`` at a desk over the database of ``settings``; raise as :func:`attend` does."""
    return attend(settings, staff, lambda stores, clock: act(Desk(stores.appeals, clock, staff)))


def attend(settings: Settings, staff: str, act: Callable[[SqlStores, Clock], Awaitable[T]]) -> T:
    """Do ``act`` over the stores of the database of ``settings``, in the name of ``staff``.

    Raises :class:`Refused`, and ``StoreUnavailable`` when the database does not answer.
    """
    if not STAFF.fullmatch(staff):
        raise Refused("--staff is your own name: letters, digits, dots and dashes, forty at most")
    require_this_release(settings.storage.database_url)

    async def doing() -> T:
        clock = SystemClock()
        stores = open_sql(settings.storage.database_url, read_keyring(settings), SystemEntropy(), clock, threads=1)
        try:
            return await act(stores, clock)
        finally:
            await stores.close()

    return asyncio.run(doing())


def _make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _write_file(path: Path, data: bytes) -> None:
    # Only ever a new file of this name, which nobody else reads: not what somebody has put there.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(data)


def _side(side: Side) -> list[str]:
    lines = [
        f"  {side.ref}  {side.status}, since {_moment(side.created_at)}, phone {side.phone or 'none'}",
        f"  L{side.level.value}, proved by {'nothing' if side.evidence is None else side.evidence}",
    ]
    if side.bound_at is not None and side.proved_at is not None:
        lines.append(f"  identity there since {_moment(side.bound_at)}, last proved {_moment(side.proved_at)}")
    if side.moved_at is not None:
        lines.append(f"  it came there from another account {_moment(side.moved_at)}")
    return lines


def _pictures(number: int) -> str:
    return f"{number} picture" if number == 1 else f"{number} pictures"


def _moment(instant: Instant) -> str:
    return in_beijing(instant).strftime("%Y-%m-%d %H:%M")
