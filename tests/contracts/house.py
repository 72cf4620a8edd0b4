"""What the contract suites of accounts and sessions share: the stores under test, nouns to put in them, raw rows."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

from redis import Redis
from sqlalchemy import NullPool, create_engine, func, literal, select, text, union_all

from bjidp.accounts.member_ports import MemberStore, NewMember
from bjidp.accounts.ports import AccountStore, Evidence, Link, NewAccount
from bjidp.clock import HOUR, ManualClock
from bjidp.entropy import Entropy, token
from bjidp.miniprogram.ports import MiniSession, MiniSessionStore
from bjidp.person import DocumentType, Person
from bjidp.platforms import Platform, PlatformIdentity
from bjidp.privacy.keyring import Keyring, RootKey
from bjidp.secret import Secret
from bjidp.sessions.ports import Login, Session, SessionStore, Way
from bjidp.standing import Standing
from bjidp.storage.sql.catalog import SqlStores
from bjidp.storage.sql.schema import metadata

ZHANG = Person(DocumentType.RESIDENT_ID, "张三", "110101199003074530")
LI = Person(DocumentType.RESIDENT_ID, "李思思", "11010119900307221X")
OFFICE = hashlib.sha256(b"office").digest()
HOME = hashlib.sha256(b"home").digest()
TICKET = hashlib.sha256(b"ticket").digest()


def keyring(*versions: int, current: int | None = None) -> Keyring:
    """Return a keyring of the given versions, by default of version 1."""
    roots = [RootKey(version, Secret(bytes([version]) * 32)) for version in versions or (1,)]
    return Keyring(roots, current)


def identity(open_id: str = "oZhang-1", platform: Platform = Platform.WECHAT, app: str = "wx01") -> PlatformIdentity:
    """Return a platform identity."""
    return PlatformIdentity(platform, app, open_id)


def applicant(person: Person = ZHANG, user: PlatformIdentity | None = None, valid_days: int = 30) -> NewAccount:
    """Return somebody whose face passed."""
    return NewAccount(person, user or identity(), valid_days, Evidence.FACE, "F20270115", "A-77")


def cookie(name: str) -> bytes:
    """Return the key a cookie's row is found by."""
    return hashlib.sha256(name.encode()).digest()


@dataclass
class House:
    """The stores under test, the database behind them, and the Redis where sessions are kept there."""

    url: str
    accounts: AccountStore
    sessions: SessionStore
    mini_sessions: MiniSessionStore
    sql: SqlStores
    clock: ManualClock
    entropy: Entropy
    redis_url: str | None = None

    @property
    def members(self) -> MemberStore:
        """The accounts as their owners keep them."""
        return self.sql.members

    @property
    def now(self) -> int:
        """The time."""
        return self.clock.now()

    async def someone(self, person: Person = ZHANG, user: PlatformIdentity | None = None) -> tuple[Link, Standing]:
        """Register somebody by face."""
        link, standing, *_ = await self.accounts.register(applicant(person, user), self.now)
        return link, standing

    async def member(
        self, phone: str = "13800138000", username: str | None = "zhangsan1", password: str | None = "hash-1"
    ) -> Standing:
        """Enrol somebody on a page."""
        return await self.members.enrol(NewMember(username=username, phone=phone, password=password), self.now)

    def login(self, *, network: bytes = OFFICE, ticket: bytes | None = TICKET) -> Login:
        """Return the facts of a login by QR."""
        return Login(Way.QR, "wechat", None, "Chrome 120", "Windows", "北京市", network, ticket)

    def session(self, account: str, login: Login | None = None, data: dict[str, str] | None = None) -> Session:
        """Return a new browser session, live for an hour."""
        return Session(
            id=token(self.entropy, 128),
            account=account,
            login=login or self.login(),
            created_at=self.now,
            last_used_at=self.now,
            expires_at=self.now + HOUR,
            csrf=token(self.entropy, 128),
            data=data or {},
            version=1,
        )

    def mini_session(self, link: Link) -> MiniSession:
        """Return a new mini-program session, live for an hour."""
        now = self.now
        return MiniSession(token(self.entropy, 128), link.account, link.id, "wechat", 1, now, False, now, now + HOUR, 1)

    def rows(self, statement: str, **values: object) -> list[tuple[Any, ...]]:
        """Run SQL beside the stores and return its rows."""
        engine = create_engine(self.url, poolclass=NullPool)
        with engine.begin() as connection:
            result = connection.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []

    def counts(self) -> dict[str, int]:
        """Return how many rows each table has, and how many entries each kind of key."""
        tables = [select(literal(name), func.count()).select_from(table) for name, table in metadata.tables.items()]
        engine = create_engine(self.url, poolclass=NullPool)
        with engine.begin() as connection:
            rows = {str(name): int(rows) for name, rows in connection.execute(union_all(*tables))}
        return rows | self._redis_counts()

    def _redis_counts(self) -> dict[str, int]:
        if self.redis_url is None:
            return {}
        kinds = Counter[str]()
        with Redis.from_url(self.redis_url, decode_responses=True) as redis:
            sizes = {"string": lambda _: 1, "hash": redis.hlen, "zset": redis.zcard}
            for key in redis.scan_iter():
                kinds[key.partition("{")[0]] += sizes[redis.type(key)](key)
        return dict(kinds)

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        return self.counts()[table]

    def set_status(self, account: str, status: str) -> None:
        """Lock, cancel or unlock an account, as the administration does."""
        self.rows("UPDATE account SET status = :status WHERE id = :account", status=status, account=account)

    def audit(self) -> list[tuple[str, str | None, str | None]]:
        """Return kind, account reference and session of every audit event, in the order they were written."""
        return [
            (kind, ref, session)
            for kind, ref, session in self.rows("SELECT kind, account_ref, session FROM audit_event ORDER BY id")
        ]

    def logouts(self) -> list[tuple[str, str, str | None]]:
        """Return relying party, subject and session of what relying parties are to be told."""
        return [tuple(row) for row in self.rows("SELECT client, subject, session FROM logout_outbox ORDER BY id")]

    def notices(self) -> list[tuple[str, str]]:
        """Return account and kind of every notice queued."""
        return [(account, kind) for account, kind in self.rows("SELECT account, kind FROM notice ORDER BY id")]
