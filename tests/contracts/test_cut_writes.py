"""A process that dies in the middle of a write: the database holds the whole of it, or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from typing import Any, cast

import psycopg
import pytest
from msgspec.structs import replace
from sqlalchemy import NullPool, create_engine, select

from bjidp.accounts.ports import Evidence
from bjidp.audit.event import EventKind
from bjidp.clock import DAY, HOUR
from bjidp.errors import StoreUnavailable
from bjidp.miniprogram.ports import MiniSessionEnd
from bjidp.organisations.mandates import Scope
from bjidp.organisations.ports import NewOffer, NewOrganisation
from bjidp.person import DocumentType, Person
from bjidp.proofing.ports import NewIdentity
from bjidp.sessions.ports import SessionEnd
from bjidp.storage.sql.database.dialects import Postgresql, Sqlite
from bjidp.storage.sql.database.statements import Value
from bjidp.storage.sql.database.transaction import Connection, Cursor
from bjidp.storage.sql.schema import metadata
from tests.contracts.house import LI, ZHANG, House, applicant, cookie, identity
from tests.support.identities import prove

NEW = "13900139000"
FIRST, SECOND, THIRD = "91000000MA990001X0", "91000000MA990002X0", "91000000MA990003X0"
AGENTS = "13600136000"
ZHAO = Person(DocumentType.RESIDENT_ID, "赵六", "110101199003079999")
WANG = Person(DocumentType.RESIDENT_ID, "王五", "110101199003078179")

Write = Callable[[House, str], Awaitable[object]]
WRITES: dict[str, Write] = {
    "enrol": lambda h, _: h.member(NEW, "lisisi_9"),
    "set_password": lambda h, a: h.members.set_password(a, "hash-2", EventKind.PASSWORD_RESET, h.now, was="hash-1"),
    "set_phone": lambda h, a: h.members.set_phone(a, NEW, h.now),
    "rehash": lambda h, a: h.members.rehash(a, "hash-1", "hash-2"),
    "set_ethnicity": lambda h, a: h.members.set_ethnicity(a, "HA", h.now),
    "set_mail": lambda h, a: h.members.set_mail(a, "zhang@example.cn", h.now),
    "set_username": lambda h, a: h.members.set_username(a, "lisisi_9", h.now),
    "merge_phone": lambda h, a: h.members.merge_phone(a, "13700137000", h.now),
    "cancel": lambda h, a: h.members.cancel(a, h.now),
    "register": lambda h, _: h.accounts.register(applicant(WANG, identity("oWang-1")), h.now),
    "relink": lambda h, _: _relinked(h),
    "take_over": lambda h, _: _taken_over(h),
    "open": lambda h, a: h.sessions.open(h.session(a), cookie("new"), cookie("old")),
    "end_others": lambda h, a: h.sessions.end_others(a, None, SessionEnd.PASSWORD_CHANGED, h.now),
    "mini open": lambda h, _: _opened_on_phone(h),
    "mini end": lambda h, _: _ended_on_phone(h),
    "mini end_others": lambda h, _: _all_ended_on_phones(h),
    "unbind": lambda h, a: h.sql.identities.unbind(a, h.now),
    "organisation": lambda h, a: _led(h, a, THIRD),
    "organisation taken over": lambda h, _: _led_by_another(h),
    "mandate offer": lambda h, a: _offered(h, a, FIRST, NEW),
    "mandate accept": lambda h, _: _taken(h),
    "mandate end": lambda h, a: _ended(h, leader=a),
}


async def _led(house: House, account: str, code: str, later: int = 0) -> object:
    bound = await house.sql.identities.bound(account)
    assert bound is not None
    asked_at = house.now + later
    new = NewOrganisation(credit_code=code, name="示例公司", bound_at=bound.bound_at, asked_at=asked_at)
    return await house.sql.organisations.register(account, new, house.now)


async def _led_by_another(house: House) -> object:
    return await _led(house, await _agent(house), FIRST, later=1)


async def _offered(house: House, account: str, code: str, phone: str) -> str:
    led = next(one for one in await house.sql.organisations.led(account) if one.credit_code == code)
    new = NewOffer(scope=Scope.ALL, phone=phone, ends_at=house.now + DAY)
    return await house.sql.organisations.offer(account, led.id, new, house.now)


async def _taken(house: House) -> object:
    """In the place of nothing: it is of the second organisation."""
    [offered] = await house.sql.organisations.offered(AGENTS, house.now)
    await house.sql.organisations.accept(await _agent(house), offered.mandate.id, house.now)
    return None


async def _ended(house: House, *, leader: str) -> object:
    [taken] = await house.sql.organisations.entrusted(await _agent(house), house.now)
    return await house.sql.organisations.end(leader, taken.mandate.id, house.now)


async def _agent(house: House) -> str:
    holder = await house.accounts.holder_of(ZHAO)
    assert holder is not None
    return holder.account


async def _taken_over(house: House) -> object:
    return await house.accounts.take_over(await _li(house), applicant(LI, identity("oLi-2")), house.now)


async def _relinked(house: House) -> object:
    new = applicant(LI, identity("oLi-2"))
    return await house.accounts.relink(await _li(house), new, probation_until=house.now + HOUR, now=house.now)


async def _opened_on_phone(house: House) -> object:
    """In the place of the session that is there."""
    link = await house.accounts.link_of(identity("oLi-1"))
    assert link is not None
    await house.mini_sessions.open(house.mini_session(link[0]), newest=1)
    return None


async def _ended_on_phone(house: House) -> object:
    (session,) = await house.mini_sessions.of_account(await _li(house), house.now)
    return await house.mini_sessions.end(session.id, MiniSessionEnd.LOGOUT, house.now)


async def _all_ended_on_phones(house: House) -> object:
    return await house.mini_sessions.end_others(await _li(house), None, MiniSessionEnd.PASSWORD_CHANGED, house.now)


async def _li(house: House) -> str:
    holder = await house.accounts.holder_of(LI)
    assert holder is not None
    return holder.account


class Wire:
    """What the process has to the database: it can be cut before any statement, and then nothing more gets through."""

    def __init__(self) -> None:
        """Let everything through."""
        self._left: int | None = None

    def cut_before(self, statement: int) -> None:
        """Let the process die before the statement of this number, from now on."""
        self._left = statement

    def mend(self) -> bool:
        """Let everything through again; tell whether the process had died."""
        left, self._left = self._left, None
        return left == 0

    def goes_through(self) -> bool:
        """Tell whether the process lives to send one more."""
        if self._left:
            self._left -= 1
        return self._left != 0


class Wired:
    """A connection over a wire. Where it ends, the database rolls back what was begun on it, as for the dead."""

    def __init__(self, real: Connection, wire: Wire, ends: Callable[[], Exception]) -> None:
        """Send what ``real`` is asked over ``wire``; ``ends`` makes the error of its driver when there is no answer."""
        self._real = real
        self._wire = wire
        self._ends = ends

    def execute(self, sql: str, values: Sequence[Value] = (), /) -> Cursor:
        """Run a statement, or end."""
        if not self._wire.goes_through():
            self._real.close()
            raise self._ends()
        return self._real.execute(sql, values)

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """The wire that every connection for writing goes over."""
    wire = Wire()

    def over(connect: Callable[[Any], Connection], ends: Callable[[], Exception]) -> Callable[[Any], Connection]:
        return lambda database: cast("Connection", Wired(connect(database), wire, ends))

    for kind, name, ends in (
        (Sqlite, "connect", _no_file),
        (Sqlite, "connect_loop", _no_file),
        (Postgresql, "connect", psycopg.OperationalError),
    ):
        monkeypatch.setattr(kind, name, over(getattr(kind, name), ends))
    return wire


def _no_file() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError()
    error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_IOERR, "SQLITE_IOERR"
    return error


class Copies:
    """Takes everything that a database holds."""

    def __init__(self, url: str) -> None:
        """Look at the database at ``url``."""
        self._engine = create_engine(url, poolclass=NullPool)

    def take(self) -> dict[str, list[str]]:
        """Return every row of every table."""
        with self._engine.connect() as connection:
            return {
                name: sorted(map(repr, connection.execute(select(table)))) for name, table in metadata.tables.items()
            }


@pytest.fixture
async def account(wire: Wire, house: House) -> str:
    """Somebody logged in on two computers, somebody with a number alone, somebody on a phone with a weaker proof.

    The first one leads two organisations: somebody else acts for one, and is offered to act for the other.
    """
    standing = await house.member()
    await house.member("13700137000", "lisisi_1", None)
    weak = replace(applicant(LI, identity("oLi-1")), evidence=Evidence.BANK_CARD)
    link, *_ = await house.accounts.register(weak, house.now)
    await house.mini_sessions.open(house.mini_session(link))
    for name in ("old", "other"):
        await house.sessions.open(house.session(standing.account), cookie(name), None)
    agent = (await house.member(AGENTS, "zhaoliu_1", None)).account
    for holder, person in ((standing.account, ZHANG), (agent, ZHAO)):
        new = NewIdentity(person=person, evidence=Evidence.FACE, evidence_reference="E1", authority_reference="A1")
        await prove(house.sql.identities, holder, new, house.now)
    for code in (FIRST, SECOND):
        await _led(house, standing.account, code)
    taken = await _offered(house, standing.account, FIRST, AGENTS)
    await house.sql.organisations.accept(agent, taken, house.now)
    await _offered(house, standing.account, SECOND, AGENTS)
    return standing.account


@pytest.mark.req("REG-8", "ACC-7", "ORG-1", "ORG-2", "OPS-4", "OPS-8")
@pytest.mark.parametrize("name", WRITES)
async def test_a_process_that_dies_before_any_statement_of_a_write_has_written_nothing(
    house: House, account: str, wire: Wire, name: str
) -> None:
    copies = Copies(house.url)
    before = copies.take()
    for statement in count(1):
        wire.cut_before(statement)
        try:
            await WRITES[name](house, account)
        except StoreUnavailable:
            assert wire.mend()
            assert copies.take() == before, statement
        else:
            break
    assert not wire.mend()
    assert statement > 3, "begun, written, written down, committed"
    assert copies.take() != before
