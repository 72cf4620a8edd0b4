"""Accounts that are there before a test begins, made in the database as the program itself makes them.

A code by SMS goes to a number once a minute, so a journey that needs one cannot begin with a registration by another.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Protocol

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from bjidp.accounts.member_ports import MemberStore, NewMember
from bjidp.accounts.ports import AccountStore, Evidence, NewAccount
from bjidp.audit.event import EventKind
from bjidp.bootstrap import read_keyring
from bjidp.clock import Instant, SystemClock
from bjidp.config.loader import load
from bjidp.entropy import SystemEntropy
from bjidp.person import DocumentType, Person
from bjidp.platforms import Platform, PlatformIdentity
from bjidp.storage.sql.catalog import SqlStores, open_sql

ZHANG: Final = Person(DocumentType.RESIDENT_ID, "张三", "101010199003070011")

_HASHER: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Stores(Protocol):
    """Where accounts are kept."""

    @property
    def accounts(self) -> AccountStore: ...

    @property
    def members(self) -> MemberStore: ...


async def member(
    stores: Stores,
    now: Instant,
    *,
    username: str,
    phone: str | None,
    password: str,
    document: Person | None = None,
    evidence: Evidence = Evidence.FACE,
) -> str:
    """Make an account, whose identity ``evidence`` has proved; return its id."""
    kept = _HASHER.hash(password)
    if document is None:
        assert phone is not None
        return (await stores.members.enrol(NewMember(username=username, phone=phone, password=kept), now)).account
    user = PlatformIdentity(Platform.WECHAT, "wx01", f"open-{username}")
    _, standing, *_ = await stores.accounts.register(NewAccount(document, user, 30, evidence, "F1", "A1"), now)
    await stores.members.set_username(standing.account, username, now)
    if phone is not None:
        await stores.members.set_phone(standing.account, phone, now)
    await stores.members.set_password(standing.account, kept, EventKind.PASSWORD_CHANGED, now, was=None)
    return standing.account


@asynccontextmanager
async def stores_at(config: Path) -> AsyncIterator[SqlStores]:
    """Open the database of a server that runs by the configuration file ``config``."""
    settings = load(config, {})
    stores = open_sql(settings.storage.database_url, read_keyring(settings), SystemEntropy(), SystemClock())
    try:
        yield stores
    finally:
        await stores.close()


async def member_at(
    config: Path,
    *,
    username: str,
    phone: str | None,
    password: str,
    document: Person | None = None,
    evidence: Evidence = Evidence.FACE,
) -> str:
    """Make an account at such a server; return its id."""
    async with stores_at(config) as stores:
        now = SystemClock().now()
        return await member(
            stores, now, username=username, phone=phone, password=password, document=document, evidence=evidence
        )


def is_password(kept: str | None, password: str) -> bool:
    """Tell whether ``kept`` is a hash of ``password``."""
    try:
        return kept is not None and _HASHER.verify(kept, password)
    except VerificationError:
        return False
