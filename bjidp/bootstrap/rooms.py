"""What one process is made of, opened and closed: keys, clock, stores, clients of outside services.

Owns :class:`Stores` and :class:`Rooms`, and what every part asks of a process: derived keys, drafts, which persons it
serves. Called by ``serving``, and by the other modules of this package.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final, TypeAlias, TypeVar

from msgspec import Struct

from bjidp.accounts.drafts import LIFETIME, Drafts, Sealed
from bjidp.accounts.member_ports import ExternalStore, MemberStore
from bjidp.accounts.national.ports import WishStore
from bjidp.accounts.ports import AccountStore
from bjidp.appeals.ports import AppealStore
from bjidp.audit.ports import AuditLog
from bjidp.clock import Clock, Millis
from bjidp.config.settings import Settings
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
from bjidp.privacy.keyring import Keyring, RootKey
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.privacy.sealing import Sealing
from bjidp.privacy.seals import RecordSeals
from bjidp.proofing.ports import CheckStore, IdentityStore
from bjidp.qrlogin.browser import Browser
from bjidp.qrlogin.errands import OpenFlows
from bjidp.qrlogin.ports import TicketStore
from bjidp.records import Records
from bjidp.secret import Secret
from bjidp.sessions.ports import SessionStore
from bjidp.signals.ports import SignalBus
from bjidp.site import Site, read_base_url
from bjidp.storage.memory.records import MemoryRecords
from bjidp.storage.memory.signals import MemorySignalBus
from bjidp.storage.memory.throttle import MemoryThrottle
from bjidp.storage.memory.tickets import MemoryTicketStore
from bjidp.storage.redis.catalog import open_redis
from bjidp.storage.sql.catalog import open_sql
from bjidp.throttle.ports import Throttle
from bjidp.vendors.catalog import (
    HttpClients,
)
from bjidp.verification.captcha import Captcha
from bjidp.verification.captcha_picture import draw
from bjidp.verification.captcha_pool import CaptchaPool
from bjidp.verification.captchas import Witness
from bjidp.verification.code import Code
from bjidp.verification.proofs import Proof
from bjidp.verification.sending import Dispatch
from bjidp.verification.tally import Tally

HOME: Final = "/centre"

F = TypeVar("F", bound=Struct)

LANGUAGE: Final = "zh_CN"

Witnessing: TypeAlias = Callable[[HttpClients], Witness]
"""Makes who is told the answers of captchas; what it opens of the clients is closed with them."""


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
    pings: tuple[Callable[[], Awaitable[None]], ...]
    closes: tuple[Callable[[], Awaitable[None]], ...]


class Rooms(Struct, frozen=True, kw_only=True):
    """What one process is made of; :func:`open_rooms` opens it and :func:`close_rooms` closes it."""

    settings: Settings
    site: Site
    clock: Clock
    entropy: Entropy
    keyring: Keyring
    stores: Stores
    http: HttpClients
    pictures: CaptchaPool
    witness: Witness | None = None


async def open_rooms(settings: Settings, clock: Clock, entropy: Entropy, witnessing: Witnessing | None = None) -> Rooms:
    """Open keys, stores and clients.

    That asks nothing of the schema; before a request is taken it has to be up to date
    (:func:`bjidp.storage.sql.migrations.migrate`). ``witnessing`` makes who is told the answers of captchas, in a
    demonstration.

    Raises :class:`bjidp.site.BaseUrlFault`, ``StoreUnavailable`` and, for a witness anywhere else, :class:`ValueError`.
    """
    if witnessing is not None and not is_sandbox(settings):
        raise ValueError("server.environment: the answers of captchas are told in a demonstration alone")
    keyring = read_keyring(settings)
    http = HttpClients(clock=clock)
    return Rooms(
        settings=settings,
        site=read_base_url(settings.server.base_url),
        clock=clock,
        entropy=entropy,
        keyring=keyring,
        stores=await _open_stores(settings, keyring, clock, entropy),
        http=http,
        pictures=CaptchaPool(draw, entropy),
        witness=None if witnessing is None else witnessing(http),
    )


async def close_rooms(rooms: Rooms) -> None:
    """Close what :func:`open_rooms` opened, clients before stores; what cannot be closed keeps nothing else open."""
    async with AsyncExitStack() as closing:
        for close in reversed((rooms.pictures.close, rooms.http.close, *rooms.stores.closes)):
            closing.push_async_callback(close)


def read_keyring(settings: Settings) -> Keyring:
    """Return the root keys of the settings."""
    roots = [
        RootKey(int(number), Secret(base64.b64decode(root.reveal()))) for number, root in settings.keys.roots.items()
    ]
    return Keyring(roots, settings.keys.current)


async def _open_stores(settings: Settings, keyring: Keyring, clock: Clock, entropy: Entropy) -> Stores:
    sql = open_sql(settings.storage.database_url, keyring, entropy, clock)
    if settings.storage.redis_url is None:
        return Stores(
            accounts=sql.accounts,
            members=sql.members,
            wishes=sql.wishes,
            externals=sql.externals,
            identities=sql.identities,
            checks=sql.checks,
            organisations=sql.organisations,
            appeals=sql.appeals,
            relying_parties=sql.clients,
            consents=sql.consents,
            grants=sql.grants,
            logouts=sql.logouts,
            sessions=sql.sessions,
            mini_sessions=sql.mini_sessions,
            audit=sql.audit,
            tickets=MemoryTicketStore(clock),
            browsers=MemoryRecords(clock),
            open_flows=MemoryRecords(clock),
            registrations=MemoryRecords(clock),
            ticket_checks=MemoryRecords(clock),
            used_codes=MemoryRecords(clock),
            logins=MemoryRecords(clock),
            phone_payloads=MemoryRecords(clock),
            captchas=MemoryRecords(clock),
            codes=MemoryRecords(clock),
            tallies=MemoryRecords(clock),
            proofs=MemoryRecords(clock),
            dispatches=MemoryRecords(clock),
            drafts=MemoryRecords(clock),
            claims=MemoryRecords(clock),
            authorizations=MemoryRecords(clock),
            pushed_authorizations=MemoryRecords(clock),
            authorization_codes=MemoryRecords(clock),
            used_assertions=MemoryRecords(clock),
            beijing_tokens=MemoryRecords(clock),
            logout_wishes=MemoryRecords(clock),
            user_codes=MemoryRecords(clock),
            paces=MemoryRecords(clock),
            signals=MemorySignalBus(),
            throttle=MemoryThrottle(clock),
            pings=(sql.ping,),
            closes=(sql.close,),
        )
    try:
        redis = await open_redis(settings.storage.redis_url, entropy=entropy, prefix=settings.storage.redis_prefix)
    except BaseException:
        await sql.close()
        raise
    return Stores(
        accounts=sql.accounts,
        members=sql.members,
        wishes=sql.wishes,
        externals=sql.externals,
        identities=sql.identities,
        checks=sql.checks,
        organisations=sql.organisations,
        appeals=sql.appeals,
        relying_parties=sql.clients,
        consents=sql.consents,
        grants=sql.grants,
        logouts=sql.logouts,
        sessions=redis.sessions(sql.accounts, sql.audit, sql.grants),
        mini_sessions=redis.mini_sessions(sql.accounts, sql.audit),
        audit=sql.audit,
        tickets=redis.tickets,
        browsers=redis.records("browser", Browser),
        open_flows=redis.records("session-flows", OpenFlows),
        registrations=redis.records("registration", Registration),
        ticket_checks=redis.records("ticket-check", TicketCheck),
        used_codes=redis.records("used-code", UsedCode),
        logins=redis.records("platform-login", KeptLogin),
        phone_payloads=redis.records("phone-payload", PhonePayload),
        captchas=redis.records("captcha", Captcha),
        codes=redis.records("code", Code),
        tallies=redis.records("tally", Tally),
        proofs=redis.records("proof", Proof),
        dispatches=redis.records("dispatch", Dispatch),
        drafts=redis.records("draft", Sealed),
        claims=redis.records("claim", Sealed),
        authorizations=redis.records("authorization", PendingAuthorization),
        pushed_authorizations=redis.records("pushed-authorization", PushedAuthorization),
        authorization_codes=redis.records("authorization-code", AuthorizationCode),
        used_assertions=redis.records("used-assertion", UsedAssertion),
        beijing_tokens=redis.records("beijing-token", BeijingToken),
        logout_wishes=redis.records("logout-wish", LogoutWish),
        user_codes=redis.records("user-code", UserCode),
        paces=redis.records("device-pace", Pace),
        signals=redis.signals,
        throttle=redis.throttle,
        pings=(sql.ping, redis.ping),
        closes=(redis.close, sql.close),
    )


def open_drafts(rooms: Rooms, kind: type[F], name: str, lifetime: Millis = LIFETIME) -> Drafts[F]:
    """Return the drafts of one flow, with facts of type ``kind``."""
    return Drafts(
        kind,
        name,
        records=rooms.stores.drafts,
        seals=RecordSeals(Sealing(rooms.keyring, rooms.entropy)),
        pseudonyms=Pseudonyms(rooms.keyring),
        entropy=rooms.entropy,
        lifetime=lifetime,
    )


def derived_key(keyring: Keyring, label: str) -> Secret:
    """Return the key for ``label``."""
    # By the current version, on which all processes agree while a rotation is rolled out.
    return Secret(keyring.derive(keyring.current, label))


def ticket_digester(rooms: Rooms) -> Callable[[str], bytes]:
    """Return what audit log and sessions call a ticket."""
    return functools.partial(Pseudonyms(rooms.keyring).digest, "ticket")


def is_sandbox(settings: Settings) -> bool:
    """Tell whether it serves the synthetic persons of the sandbox."""
    return settings.server.environment == "demo"
