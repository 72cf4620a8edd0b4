"""Every store of a process, whichever adapters are behind them.

Owns :class:`Stores`, and what lies where: in one process what is short-lived is in its memory, and beside the accounts;
what several processes share of it is in Redis. Called by ``rooms``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias, TypeVar

from msgspec import Struct

from bjidp.accounts.drafts import Sealed
from bjidp.accounts.locking.ports import LockStore
from bjidp.accounts.member_ports import ExternalStore, MemberStore
from bjidp.accounts.national.ports import WishStore
from bjidp.accounts.ports import AccountStore
from bjidp.appeals.ports import AppealStore
from bjidp.audit.ports import AuditLog
from bjidp.clock import Clock
from bjidp.config.settings import Storage
from bjidp.entropy import Entropy
from bjidp.miniprogram.doors import UsedCode
from bjidp.miniprogram.phone_payload import PhonePayload
from bjidp.miniprogram.platform_logins import KeptLogin
from bjidp.miniprogram.ports import MiniSessionStore
from bjidp.miniprogram.registration import Registration
from bjidp.miniprogram.ticket_check import TicketCheck
from bjidp.oidc.authorize.pending import Pending as PendingAuthorization
from bjidp.oidc.authorize.pending import Pushed as PushedAuthorization
from bjidp.oidc.beijing.service import BeijingToken
from bjidp.oidc.clients import UsedAssertion
from bjidp.oidc.devices.asking import UserCode
from bjidp.oidc.devices.pacing import Pace
from bjidp.oidc.grants.code import Code as AuthorizationCode
from bjidp.oidc.logouts.asking import LogoutWish
from bjidp.oidc.ports import ClientStore, ConsentStore, GrantStore, LogoutOutbox
from bjidp.organisations.ports import OrganisationStore
from bjidp.privacy.keyring import Keyring
from bjidp.proofing.ports import CheckStore, IdentityStore
from bjidp.qrlogin.browser import Browser
from bjidp.qrlogin.errands import OpenFlows
from bjidp.qrlogin.ports import TicketStore
from bjidp.records import Records
from bjidp.sessions.ports import SessionStore
from bjidp.signals.ports import SignalBus
from bjidp.storage.memory.records import MemoryRecords
from bjidp.storage.memory.signals import MemorySignalBus
from bjidp.storage.memory.throttle import MemoryThrottle
from bjidp.storage.memory.tickets import MemoryTicketStore
from bjidp.storage.redis.catalog import open_redis
from bjidp.storage.sql.catalog import SqlStores, open_sql
from bjidp.throttle.ports import Throttle
from bjidp.verification.captcha import Captcha
from bjidp.verification.code import Code
from bjidp.verification.proofs import Proof
from bjidp.verification.sending import Dispatch
from bjidp.verification.tally import Tally

T = TypeVar("T")

_Calls: TypeAlias = tuple[Callable[[], Awaitable[None]], ...]


class Stores(Struct, frozen=True, kw_only=True):
    """Every store, whichever adapters are behind them."""

    accounts: AccountStore
    members: MemberStore
    wishes: WishStore
    externals: ExternalStore
    identities: IdentityStore
    checks: CheckStore
    organisations: OrganisationStore
    appeals: AppealStore
    locks: LockStore
    relying_parties: ClientStore
    consents: ConsentStore
    grants: GrantStore
    logouts: LogoutOutbox
    sessions: SessionStore
    mini_sessions: MiniSessionStore
    audit: AuditLog
    tickets: TicketStore
    browsers: Records[Browser]
    open_flows: Records[OpenFlows]
    registrations: Records[Registration]
    ticket_checks: Records[TicketCheck]
    used_codes: Records[UsedCode]
    logins: Records[KeptLogin]
    phone_payloads: Records[PhonePayload]
    captchas: Records[Captcha]
    codes: Records[Code]
    tallies: Records[Tally]
    proofs: Records[Proof]
    dispatches: Records[Dispatch]
    drafts: Records[Sealed]
    claims: Records[Sealed]
    authorizations: Records[PendingAuthorization]
    pushed_authorizations: Records[PushedAuthorization]
    authorization_codes: Records[AuthorizationCode]
    used_assertions: Records[UsedAssertion]
    beijing_tokens: Records[BeijingToken]
    logout_wishes: Records[LogoutWish]
    user_codes: Records[UserCode]
    paces: Records[Pace]
    signals: SignalBus
    throttle: Throttle
    pings: _Calls
    closes: _Calls


class _Records(Protocol):
    """Opens the store of one kind of records, ``name`` for those who keep several in one place."""

    def __call__(self, name: str, kind: type[T], /) -> Records[T]: ...


class _Shared(Struct, frozen=True, kw_only=True):
    """What lies in memory where there is one process, and in Redis where there are several, or beside accounts."""

    sessions: SessionStore
    mini_sessions: MiniSessionStore
    tickets: TicketStore
    signals: SignalBus
    throttle: Throttle
    records: _Records


async def open_stores(storage: Storage, keyring: Keyring, clock: Clock, entropy: Entropy) -> Stores:
    """Open them; raise ``StoreUnavailable``."""
    sql = open_sql(storage.database_url, keyring, entropy, clock)
    if storage.redis_url is None:

        def in_memory(_: str, __: type[T]) -> Records[T]:
            return MemoryRecords(clock)

        alone = _Shared(
            sessions=sql.sessions,
            mini_sessions=sql.mini_sessions,
            tickets=MemoryTicketStore(clock),
            signals=MemorySignalBus(),
            throttle=MemoryThrottle(clock),
            records=in_memory,
        )
        return _stores(sql, alone, pings=(sql.ping,), closes=(sql.close,))
    try:
        redis = await open_redis(storage.redis_url, entropy=entropy, prefix=storage.redis_prefix)
    except BaseException:
        await sql.close()
        raise
    shared = _Shared(
        sessions=redis.sessions(sql.accounts, sql.audit, sql.grants),
        mini_sessions=redis.mini_sessions(sql.accounts, sql.audit),
        tickets=redis.tickets,
        signals=redis.signals,
        throttle=redis.throttle,
        records=redis.records,
    )
    return _stores(sql, shared, pings=(sql.ping, redis.ping), closes=(redis.close, sql.close))


def _stores(sql: SqlStores, shared: _Shared, *, pings: _Calls, closes: _Calls) -> Stores:
    records = shared.records
    return Stores(
        accounts=sql.accounts,
        members=sql.members,
        wishes=sql.wishes,
        externals=sql.externals,
        identities=sql.identities,
        checks=sql.checks,
        organisations=sql.organisations,
        appeals=sql.appeals,
        locks=sql.locks,
        relying_parties=sql.clients,
        consents=sql.consents,
        grants=sql.grants,
        logouts=sql.logouts,
        audit=sql.audit,
        sessions=shared.sessions,
        mini_sessions=shared.mini_sessions,
        tickets=shared.tickets,
        browsers=records("browser", Browser),
        open_flows=records("session-flows", OpenFlows),
        registrations=records("registration", Registration),
        ticket_checks=records("ticket-check", TicketCheck),
        used_codes=records("used-code", UsedCode),
        logins=records("platform-login", KeptLogin),
        phone_payloads=records("phone-payload", PhonePayload),
        captchas=records("captcha", Captcha),
        codes=records("code", Code),
        tallies=records("tally", Tally),
        proofs=records("proof", Proof),
        dispatches=records("dispatch", Dispatch),
        drafts=records("draft", Sealed),
        claims=records("claim", Sealed),
        authorizations=records("authorization", PendingAuthorization),
        pushed_authorizations=records("pushed-authorization", PushedAuthorization),
        authorization_codes=records("authorization-code", AuthorizationCode),
        used_assertions=records("used-assertion", UsedAssertion),
        beijing_tokens=records("beijing-token", BeijingToken),
        logout_wishes=records("logout-wish", LogoutWish),
        user_codes=records("user-code", UserCode),
        paces=records("device-pace", Pace),
        signals=shared.signals,
        throttle=shared.throttle,
        pings=pings,
        closes=closes,
    )
