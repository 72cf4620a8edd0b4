"""The composition root: settings in, a running application out.

Owns the wiring. This is the only place that knows every adapter and every service; it holds no rule of its own.
Called by ``serving`` and by tests that want a whole server in process.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

import aiohttp_session
from aiohttp import web
from msgspec import Struct

from bjidp.accounts.activity import Activity
from bjidp.accounts.drafts import Drafts, Sealed
from bjidp.accounts.endings import Endings
from bjidp.accounts.hashing import Cost, PasswordHashes
from bjidp.accounts.login.password import PasswordLogin, PasswordWindows
from bjidp.accounts.login.sms import SmsLogin, SmsLoginFacts, TailWindows
from bjidp.accounts.names import DocumentReadings
from bjidp.accounts.ports import AccountStore, MemberStore
from bjidp.accounts.recovery.flow import Recovery
from bjidp.accounts.recovery.service import Recoveries, RecoveryWindows
from bjidp.accounts.registration.flow import Begun
from bjidp.accounts.registration.service import Registrations, RegistrationWindows
from bjidp.accounts.settings.addresses import NewAddresses
from bjidp.accounts.settings.cancelling import Cancelling
from bjidp.accounts.settings.changes import Changes
from bjidp.accounts.settings.flow import Change
from bjidp.accounts.settings.mails import Mails
from bjidp.accounts.settings.names import Names
from bjidp.accounts.settings.passwords import Passwords
from bjidp.accounts.settings.phones import Phones
from bjidp.accounts.telling import Teller
from bjidp.accounts.verifying import Verifying
from bjidp.audit.ports import AuditLog
from bjidp.clock import HOUR, SECOND, Clock
from bjidp.config.settings import Settings
from bjidp.entropy import Entropy
from bjidp.miniprogram.book import RegistrationBook
from bjidp.miniprogram.claiming import Claiming
from bjidp.miniprogram.devices import Devices
from bjidp.miniprogram.doors import Doors, UsedCode
from bjidp.miniprogram.limits import MiniProgramLimits, MiniProgramWindows
from bjidp.miniprogram.phone import PhoneBinding
from bjidp.miniprogram.phone_payload import PhonePayload
from bjidp.miniprogram.phone_payloads import PhonePayloads
from bjidp.miniprogram.platform_logins import KeptLogin, PlatformLogins
from bjidp.miniprogram.ports import MiniSessionEnd, MiniSessionStore
from bjidp.miniprogram.registration import Registration
from bjidp.miniprogram.service import MiniProgram
from bjidp.miniprogram.sessions import MiniSessions
from bjidp.miniprogram.settling import Settling
from bjidp.miniprogram.tokens import MiniTokens
from bjidp.privacy.keyring import Keyring, RootKey
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.privacy.sealing import Sealing
from bjidp.privacy.seals import RecordSeals
from bjidp.proofing.dates import beijing_date
from bjidp.proofing.documents import readings
from bjidp.proofing.ranges import DocumentRange
from bjidp.qrlogin.browser import Browser
from bjidp.qrlogin.browsers import Browsers
from bjidp.qrlogin.changes import FlowChanges
from bjidp.qrlogin.errands import Errands, OpenFlows, Proving
from bjidp.qrlogin.flow import Client
from bjidp.qrlogin.keys import QrKeys
from bjidp.qrlogin.matrix import Basis
from bjidp.qrlogin.messages import Messages
from bjidp.qrlogin.pages import QrPages
from bjidp.qrlogin.phones import QrPhones
from bjidp.qrlogin.policy import QrPolicy, ReverseCode
from bjidp.qrlogin.ports import TicketStore
from bjidp.qrlogin.redeeming import Redeeming
from bjidp.qrlogin.refusals import Refusals
from bjidp.qrlogin.undoing import Undoing
from bjidp.records import Records
from bjidp.secret import Secret
from bjidp.sessions.known import KnownBrowsers
from bjidp.sessions.ports import SessionEnd, SessionStore
from bjidp.sessions.service import Sessions
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
    build_authority,
    build_mail,
    build_platforms,
    build_sms,
    build_sms_pull,
    build_sms_push,
)
from bjidp.vendors.ports import SmsSender
from bjidp.verification.captcha import Captcha
from bjidp.verification.captcha_picture import draw
from bjidp.verification.captcha_pool import CaptchaPool
from bjidp.verification.captchas import Captchas, CaptchaWindows, Witness
from bjidp.verification.code import Code
from bjidp.verification.codes import Codes, CodeWindows
from bjidp.verification.dispatch import ByMail, Dispatches
from bjidp.verification.limits import MailLimits, MailWindows, SmsLimits, SmsWindows
from bjidp.verification.proofs import Proof, Proofs
from bjidp.verification.ranges import MailRange, NumberRange
from bjidp.verification.reports import SmsReports
from bjidp.verification.sending import Dispatch
from bjidp.verification.tally import Tally
from bjidp.web import openapi, pages
from bjidp.web.account_login import AccountLogin, AccountLoginSettings
from bjidp.web.areas import MaxMindAreas
from bjidp.web.arrival import Arrivals
from bjidp.web.assets import StaticFiles
from bjidp.web.bodies import BODY_MAX
from bjidp.web.calls import Call, mount
from bjidp.web.captcha import CaptchaPages
from bjidp.web.centre import CentrePages
from bjidp.web.channel import QrChannel
from bjidp.web.code_words import CodeWords
from bjidp.web.cookies import Cookies
from bjidp.web.departure import Departures
from bjidp.web.desk import Desk
from bjidp.web.dispatches import DispatchCalls
from bjidp.web.drawing import Drawings
from bjidp.web.entering import Entrance
from bjidp.web.forms import Forms
from bjidp.web.guards import Guards
from bjidp.web.health import Health
from bjidp.web.help import HelpPages
from bjidp.web.login import LoginPages, LoginSettings
from bjidp.web.miniprogram import MiniProgramApi
from bjidp.web.own_pages import OwnPages
from bjidp.web.problems import PROBLEMS, Problems
from bjidp.web.recovery import RecoveryPages
from bjidp.web.redeem import QrRedeem
from bjidp.web.registration import RegistrationPages, RegistrationSettings
from bjidp.web.rendering import Renderer
from bjidp.web.scriptless import ScriptlessQr
from bjidp.web.settings import SettingsPages
from bjidp.web.signed_in import SessionStorage, SignedIn
from bjidp.web.sms_reports import SmsReportCalls
from bjidp.web.static_files import StaticPages
from bjidp.web.texts import Texts
from bjidp.web.told_words import ToldTexts
from bjidp.web.verify_qr import QrSettings, VerifyPages, VerifyTickets
from bjidp.web.visitor import OBSERVER, Addresses, AreaBook, NoAreas, Observer

HOME: Final = "/centre"
F = TypeVar("F", bound=Struct)

LANGUAGE: Final = "zh_CN"

HASHING_THREADS: Final = 1
"""A second one would take the other core from the event loops, and from the stores."""

HASHES_WAITING: Final = 32
"""Passwords that may wait for their turn: 0.6 s of it."""


Witnessing: TypeAlias = Callable[[HttpClients], Witness]
"""Makes who is told the answers of captchas; what it opens of the clients is closed with them."""


class Stores(Struct, frozen=True, kw_only=True):
    """Every store, whichever adapters are behind them."""

    accounts: AccountStore
    members: MemberStore
    sessions: SessionStore
    mini_sessions: MiniSessionStore
    audit: AuditLog
    tickets: TicketStore
    browsers: Records[Browser]
    open_flows: Records[OpenFlows]
    registrations: Records[Registration]
    used_codes: Records[UsedCode]
    logins: Records[KeptLogin]
    phone_payloads: Records[PhonePayload]
    captchas: Records[Captcha]
    codes: Records[Code]
    tallies: Records[Tally]
    proofs: Records[Proof]
    dispatches: Records[Dispatch]
    drafts: Records[Sealed]
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
    if witnessing is not None and not _is_sandbox(settings):
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


def build(rooms: Rooms) -> web.Application:
    """Wire the application. Raises :class:`ValueError` for what cannot be wired, in words for the operator."""
    qr = _qr(rooms)
    front = _front(rooms, qr)
    verification = _verification(rooms)
    mini_sessions = _mini_sessions(rooms)
    endings = _endings(front, mini_sessions)
    problems = Problems(front.renderer, Guards(rooms.site, rooms.settings.server.simulator_url))
    app = web.Application(middlewares=[problems.middleware], client_max_size=BODY_MAX)
    app[PROBLEMS] = problems
    app[OBSERVER] = front.observer
    aiohttp_session.setup(app, SessionStorage(front.sessions, front.cookies))
    parts = (
        _mini_program(rooms, front, qr, verification, mini_sessions, endings),
        _qr_channel(rooms, front, qr),
        _dispatches(rooms, front, verification),
        _sms_reports(rooms, front, verification),
        _captcha(rooms, front, verification),
        _registration(rooms, front, qr, verification),
        _recovery(rooms, front, verification, endings),
        _centre(rooms, front, verification, mini_sessions, endings),
        _pages(rooms, front, qr, verification),
    )
    calls = tuple(call for part in parts for call in part.calls)
    mount(app, calls)
    for part in parts:
        for add in part.mounts:
            add(app)
    described = openapi.describe(
        calls, version=version("bjidp"), url=rooms.site.url, browser_cookie=front.cookies.browser
    )
    openapi.mount(app, described)
    return app


class _Part(Struct, frozen=True, kw_only=True):
    """What one feature adds to the application."""

    calls: tuple[Call, ...] = ()
    mounts: tuple[Callable[[web.Application], None], ...] = ()


class _Qr(Struct, frozen=True, kw_only=True):
    """The QR login: its use cases, and what its handlers share."""

    policy: QrPolicy
    keys: QrKeys
    basis: Basis
    changes: FlowChanges
    browsers: Browsers
    errands: Errands
    proofs: Proofs
    refusals: Refusals
    pages: QrPages
    phones: QrPhones
    redeeming: Redeeming


class _Front(Struct, frozen=True, kw_only=True):
    """What handlers of every feature know of browsers, and of whoever is logged in."""

    cookies: Cookies
    forms: Forms
    observer: Observer
    renderer: Renderer
    files: StaticFiles
    sessions: Sessions
    signed_in: SignedIn
    desk: Desk
    verify_tickets: VerifyTickets
    arrivals: Arrivals
    departures: Departures


def _qr(rooms: Rooms) -> _Qr:
    stores, policy = rooms.stores, _policy(rooms.settings)
    keys = QrKeys(_derived(rooms.keyring, "qr"))
    changes = FlowChanges(stores.tickets, stores.signals)
    browsers = Browsers(stores.browsers, changes, policy, rooms.entropy)
    proofs = Proofs(stores.proofs, Pseudonyms(rooms.keyring))
    refusals = Refusals(stores.audit, stores.throttle, _ticket_digest(rooms))
    return _Qr(
        policy=policy,
        keys=keys,
        basis=Basis(rooms.site.qr_prefix),
        changes=changes,
        browsers=browsers,
        errands=Errands(browsers, changes, stores.open_flows),
        proofs=proofs,
        refusals=refusals,
        pages=QrPages(
            browsers=browsers,
            changes=changes,
            bus=stores.signals,
            throttle=stores.throttle,
            messages=Messages(keys, policy, rooms.site.qr_prefix),
            policy=policy,
            entropy=rooms.entropy,
        ),
        phones=QrPhones(
            changes=changes,
            accounts=stores.accounts,
            throttle=stores.throttle,
            refusals=refusals,
            keys=keys,
            policy=policy,
            entropy=rooms.entropy,
            prefix=rooms.site.qr_prefix,
        ),
        redeeming=Redeeming(
            browsers=browsers,
            changes=changes,
            proving=Proving(proofs, stores.accounts),
            throttle=stores.throttle,
            keys=keys,
            entropy=rooms.entropy,
        ),
    )


def _front(rooms: Rooms, qr: _Qr) -> _Front:
    settings = rooms.settings
    cookies = Cookies(rooms.site)
    files = StaticFiles.load()
    sessions = Sessions(
        rooms.stores.sessions,
        rooms.clock,
        rooms.entropy,
        settings.sessions.lifetime_seconds * SECOND,
        qr.errands,
    )
    shell = pages.Shell(
        sandbox=_is_sandbox(settings),
        portal_url=settings.server.portal_url,
        portal_name=settings.server.client_name,
    )
    forms = Forms(rooms.site, cookies, qr.browsers, _derived(rooms.keyring, "csrf"))
    observer = Observer(
        Addresses([ipaddress.ip_network(network) for network in settings.networks.trusted_proxies]),
        _areas(settings),
        Pseudonyms(rooms.keyring).digests,
        count_addresses=not settings.server.load,
        shared=[ipaddress.ip_network(network) for network in settings.networks.shared],
    )
    renderer = Renderer(shell, files, Texts.load(LANGUAGE))
    signed_in = SignedIn(sessions, cookies)
    return _Front(
        cookies=cookies,
        forms=forms,
        observer=observer,
        renderer=renderer,
        files=files,
        sessions=sessions,
        signed_in=signed_in,
        desk=Desk(
            forms=forms,
            cookies=cookies,
            browsers=qr.browsers,
            signed_in=signed_in,
            observer=observer,
            throttle=rooms.stores.throttle,
            renderer=renderer,
        ),
        verify_tickets=VerifyTickets(
            settings=QrSettings(
                client=_client(rooms), basis_url=_basis_url(qr), simulator=settings.server.simulator_url
            ),
            errands=qr.errands,
            cookies=cookies,
            throttle=rooms.stores.throttle,
        ),
        arrivals=Arrivals(
            sessions=sessions,
            browsers=qr.browsers,
            cookies=cookies,
            known=KnownBrowsers(_derived(rooms.keyring, "known"), rooms.entropy),
        ),
        departures=Departures(browsers=qr.browsers, cookies=cookies, renderer=renderer),
    )


class _Verification(Struct, frozen=True, kw_only=True):
    """How somebody proves who they are, whatever flow asks for it."""

    captchas: Captchas
    codes: Codes
    dispatches: Dispatches
    teller: Teller
    proofs: Proofs
    passwords: PasswordHashes


def _verification(rooms: Rooms) -> _Verification:
    stores, pseudonyms = rooms.stores, Pseudonyms(rooms.keyring)
    codes = Codes(
        records=stores.codes,
        throttle=stores.throttle,
        pseudonyms=pseudonyms,
        entropy=rooms.entropy,
        windows=CodeWindows(),
    )
    limits = SmsLimits(tallies=stores.tallies, throttle=stores.throttle, pseudonyms=pseudonyms, windows=SmsWindows())
    sender = _sms_sender(rooms)
    return _Verification(
        captchas=Captchas(
            records=stores.captchas,
            pictures=rooms.pictures,
            throttle=stores.throttle,
            pseudonyms=pseudonyms,
            entropy=rooms.entropy,
            windows=CaptchaWindows(),
            witness=rooms.witness,
        ),
        codes=codes,
        dispatches=Dispatches(
            codes=codes,
            numbers=_numbers(rooms.settings),
            limits=limits,
            sender=sender,
            mail=_by_mail(rooms),
            words=CodeWords(Texts.load(LANGUAGE)),
            records=stores.dispatches,
            pseudonyms=pseudonyms,
            entropy=rooms.entropy,
        ),
        teller=Teller(sender=sender, limits=limits, words=ToldTexts(Texts.load(LANGUAGE)), entropy=rooms.entropy),
        proofs=Proofs(stores.proofs, pseudonyms),
        passwords=PasswordHashes(rooms.entropy, Cost(), threads=HASHING_THREADS, waiting=HASHES_WAITING),
    )


def _sms_sender(rooms: Rooms) -> SmsSender | None:
    settings = rooms.settings
    if settings.chuanglan is None:
        return None
    return build_sms(
        settings.chuanglan, settings.chuanglan_second, http=rooms.http, clock=rooms.clock, entropy=rooms.entropy
    )


def _by_mail(rooms: Rooms) -> ByMail | None:
    if rooms.settings.mail is None:
        return None
    return ByMail(
        sender=build_mail(rooms.settings.mail, clock=rooms.clock),
        limits=MailLimits(throttle=rooms.stores.throttle, pseudonyms=Pseudonyms(rooms.keyring), windows=MailWindows()),
        words=CodeWords(Texts.load(LANGUAGE)),
    )


def _dispatches(rooms: Rooms, front: _Front, verification: _Verification) -> _Part:
    calls = DispatchCalls(
        site=rooms.site,
        desk=front.desk,
        dispatches=verification.dispatches,
        texts=front.renderer.texts,
    )

    async def close(_: web.Application) -> None:
        await asyncio.gather(
            verification.dispatches.close(), verification.teller.close(), verification.passwords.close()
        )

    return _Part(calls=calls.calls(), mounts=(lambda app: app.on_cleanup.append(close),))


def _sms_reports(rooms: Rooms, front: _Front, verification: _Verification) -> _Part:
    named = {"chuanglan": rooms.settings.chuanglan, "chuanglan_second": rooms.settings.chuanglan_second}
    accounts = {name: settings for name, settings in named.items() if settings is not None}
    pushes = {name: build_sms_push(settings) for name, settings in accounts.items()}
    pulls = [build_sms_pull(name, settings, http=rooms.http) for name, settings in accounts.items()]
    brought = SmsReportCalls(
        pushes={name: push for name, push in pushes.items() if push is not None},
        dispatches=verification.dispatches,
        observer=front.observer,
        throttle=rooms.stores.throttle,
    )
    asked = SmsReports([pull for pull in pulls if pull is not None], verification.dispatches.report)

    async def asking(_: web.Application) -> AsyncIterator[None]:
        running = asyncio.create_task(asked.run())
        yield
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    def mount_asking(app: web.Application) -> None:
        if any(pulls):
            app.cleanup_ctx.append(asking)

    return _Part(mounts=(brought.mount, mount_asking))


def _mini_sessions(rooms: Rooms) -> MiniSessions:
    return MiniSessions(
        store=rooms.stores.mini_sessions,
        tokens=MiniTokens(rooms.site.url, _derived(rooms.keyring, "mp.access"), _derived(rooms.keyring, "mp.refresh")),
        clock=rooms.clock,
        entropy=rooms.entropy,
    )


def _endings(front: _Front, mini_sessions: MiniSessions) -> Endings:
    async def end_phones(account: str, reason: SessionEnd) -> None:
        await mini_sessions.end_all(account, None, MiniSessionEnd(reason))

    return Endings(front.sessions, end_phones)


def _mini_program(
    rooms: Rooms, front: _Front, qr: _Qr, verification: _Verification, sessions: MiniSessions, endings: Endings
) -> _Part:
    settings, stores = rooms.settings, rooms.stores
    pseudonyms = Pseudonyms(rooms.keyring)
    seals = RecordSeals(Sealing(rooms.keyring, rooms.entropy))
    limits = MiniProgramLimits(stores.throttle, pseudonyms, MiniProgramWindows())
    logins = PlatformLogins(records=stores.logins, seals=seals, pseudonyms=pseudonyms)
    platforms = build_platforms(
        http=rooms.http,
        clock=rooms.clock,
        face_done_url=f"{rooms.site.url}/q/",
        wechat=settings.wechat,
        alipay=settings.alipay,
        baidu=settings.baidu,
    )
    book = RegistrationBook(records=stores.registrations, seals=seals, pseudonyms=pseudonyms)
    settling = Settling(
        accounts=stores.accounts,
        sessions=sessions,
        logins=logins,
        probation=settings.accounts.link_probation_hours * HOUR,
    )
    mini_program = MiniProgram(
        doors=Doors(
            platforms,
            used_codes=stores.used_codes,
            pseudonyms=pseudonyms,
            clock=rooms.clock,
        ),
        accounts=stores.accounts,
        authority=build_authority(settings.authority, http=rooms.http, clock=rooms.clock),
        sessions=sessions,
        book=book,
        logins=logins,
        settling=settling,
        limits=limits,
        documents=DocumentRange.SYNTHETIC if _is_sandbox(settings) else DocumentRange.REAL,
        clock=rooms.clock,
        entropy=rooms.entropy,
    )
    claiming = Claiming(
        book=book,
        settling=settling,
        accounts=stores.accounts,
        members=stores.members,
        codes=verification.codes,
        dispatches=verification.dispatches,
        endings=endings,
        teller=verification.teller,
        limits=limits,
    )
    binding = PhoneBinding(
        buttons={platform: clients.phone for platform, clients in platforms.items() if clients.phone is not None},
        logins=logins,
        payloads=PhonePayloads(records=stores.phone_payloads, seals=seals, pseudonyms=pseudonyms),
        accounts=stores.accounts,
        members=stores.members,
        endings=endings,
        teller=verification.teller,
        numbers=_numbers(settings),
        clock=rooms.clock,
    )
    api = MiniProgramApi(
        mini_program=mini_program,
        sessions=sessions,
        limits=limits,
        claiming=claiming,
        binding=binding,
        phones=qr.phones,
        undoing=Undoing(
            changes=qr.changes,
            sessions=front.sessions,
            proofs=qr.proofs,
            refusals=qr.refusals,
            ticket_digests=functools.partial(pseudonyms.digests, "ticket"),
        ),
        devices=Devices(front.sessions, sessions),
        observer=front.observer,
        platforms=frozenset(platforms),
    )
    return _Part(calls=api.calls())


def _qr_channel(rooms: Rooms, front: _Front, qr: _Qr) -> _Part:
    entrance = Entrance(
        cookies=front.cookies,
        observer=front.observer,
        pages=qr.pages,
        signed_in=front.signed_in,
        sessions=front.sessions,
    )
    channel = QrChannel(site=rooms.site, entrance=entrance, observer=front.observer, pages=qr.pages)
    redeem = QrRedeem(
        site=rooms.site,
        cookies=front.cookies,
        forms=front.forms,
        redeeming=qr.redeeming,
        browsers=qr.browsers,
        sessions=front.sessions,
        signed_in=front.signed_in,
        ticket_digest=_ticket_digest(rooms),
    )
    scriptless = ScriptlessQr(
        site=rooms.site,
        entrance=entrance,
        forms=front.forms,
        pages=qr.pages,
        keys=qr.keys,
        policy=qr.policy,
        drawings=Drawings(qr.basis, rooms.stores.throttle),
        renderer=front.renderer,
        signed_in=front.signed_in,
    )
    return _Part(calls=(*channel.calls(), *redeem.calls()), mounts=(channel.mount, scriptless.mount))


def _captcha(rooms: Rooms, front: _Front, verification: _Verification) -> _Part:
    captcha = CaptchaPages(site=rooms.site, desk=front.desk, captchas=verification.captchas)
    return _Part(calls=captcha.calls(), mounts=(captcha.mount,))


def _registration(rooms: Rooms, front: _Front, qr: _Qr, verification: _Verification) -> _Part:
    settings, stores, pseudonyms = rooms.settings, rooms.stores, Pseudonyms(rooms.keyring)
    registrations = Registrations(
        drafts=_drafts(rooms, Begun, "registration"),
        members=stores.members,
        captchas=verification.captchas,
        dispatches=verification.dispatches,
        codes=verification.codes,
        hashes=verification.passwords,
        sessions=front.sessions,
        throttle=stores.throttle,
        pseudonyms=pseudonyms,
        clock=rooms.clock,
        windows=RegistrationWindows(),
    )
    registering = RegistrationPages(
        settings=RegistrationSettings(Client(settings.server.client_name, rooms.site.host), HOME),
        desk=front.desk,
        registrations=registrations,
        captchas=verification.captchas,
        browsers=qr.browsers,
        cookies=front.cookies,
        arrivals=front.arrivals,
        renderer=front.renderer,
    )
    return _Part(mounts=(registering.mount,))


def _recovery(rooms: Rooms, front: _Front, verification: _Verification, endings: Endings) -> _Part:
    stores, pseudonyms = rooms.stores, Pseudonyms(rooms.keyring)
    recoveries = Recoveries(
        drafts=Drafts(
            Recovery,
            "recovery",
            records=stores.drafts,
            seals=RecordSeals(Sealing(rooms.keyring, rooms.entropy)),
            pseudonyms=pseudonyms,
            entropy=rooms.entropy,
        ),
        members=stores.members,
        documents=_document_readings(rooms),
        numbers=_numbers(rooms.settings),
        captchas=verification.captchas,
        dispatches=verification.dispatches,
        codes=verification.codes,
        proofs=verification.proofs,
        hashes=verification.passwords,
        endings=endings,
        throttle=stores.throttle,
        pseudonyms=pseudonyms,
        clock=rooms.clock,
        windows=RecoveryWindows(),
    )
    recovering = RecoveryPages(
        desk=front.desk,
        arrivals=front.arrivals,
        tickets=front.verify_tickets,
        recoveries=recoveries,
        captchas=verification.captchas,
    )
    return _Part(mounts=(recovering.mount,))


def _centre(
    rooms: Rooms, front: _Front, verification: _Verification, mini_sessions: MiniSessions, endings: Endings
) -> _Part:
    stores, clock, pseudonyms = rooms.stores, rooms.clock, Pseudonyms(rooms.keyring)
    members, throttle = stores.members, stores.throttle
    captchas, dispatches = verification.captchas, verification.dispatches
    own = OwnPages(desk=front.desk, signed_in=front.signed_in, cookies=front.cookies)
    verifying = Verifying(
        members=members,
        captchas=captchas,
        dispatches=dispatches,
        codes=verification.codes,
        proofs=verification.proofs,
        sessions=front.sessions,
        clock=clock,
    )
    drafts = Drafts(
        Change,
        "settings",
        records=stores.drafts,
        seals=RecordSeals(Sealing(rooms.keyring, rooms.entropy)),
        pseudonyms=pseudonyms,
        entropy=rooms.entropy,
    )
    changes = Changes(drafts, verification.proofs, verifying)
    addresses = NewAddresses(changes, verification.codes)
    names = Names(
        changes=changes,
        verifying=verifying,
        members=members,
        throttle=throttle,
        pseudonyms=pseudonyms,
        clock=clock,
    )
    centre = CentrePages(
        own=own,
        desk=front.desk,
        renderer=front.renderer,
        verifying=verifying,
        names=names,
        activity=Activity(members=members, sessions=front.sessions, endings=endings, clock=clock),
        sessions=front.sessions,
        mini_sessions=mini_sessions,
        departures=front.departures,
    )
    settings = SettingsPages(
        own=own,
        desk=front.desk,
        cookies=front.cookies,
        renderer=front.renderer,
        captchas=captchas,
        verifying=verifying,
        changes=changes,
        passwords=Passwords(
            changes=changes,
            verifying=verifying,
            members=members,
            hashes=verification.passwords,
            endings=endings,
            throttle=throttle,
            pseudonyms=pseudonyms,
            clock=clock,
        ),
        phones=Phones(
            changes=changes,
            addresses=addresses,
            verifying=verifying,
            members=members,
            numbers=_numbers(rooms.settings),
            captchas=captchas,
            dispatches=dispatches,
            endings=endings,
            teller=verification.teller,
            clock=clock,
        ),
        mails=Mails(
            changes=changes,
            addresses=addresses,
            verifying=verifying,
            members=members,
            served=MailRange.SYNTHETIC if _is_sandbox(rooms.settings) else MailRange.REAL,
            captchas=captchas,
            dispatches=dispatches,
            clock=clock,
        ),
        names=names,
        cancelling=Cancelling(changes=changes, members=members, endings=endings, clock=clock),
        departures=front.departures,
    )
    return _Part(mounts=(centre.mount, settings.mount))


def _pages(rooms: Rooms, front: _Front, qr: _Qr, verification: _Verification) -> _Part:
    settings = rooms.settings
    login = LoginPages(
        settings=LoginSettings(
            url=rooms.site.url,
            client=_client(rooms),
            home=HOME,
            basis_url=_basis_url(qr),
            simulator=settings.server.simulator_url,
        ),
        renderer=front.renderer,
        cookies=front.cookies,
        forms=front.forms,
        observer=front.observer,
        browsers=qr.browsers,
        sessions=front.sessions,
        signed_in=front.signed_in,
        throttle=rooms.stores.throttle,
        captchas=verification.captchas,
        desk=front.desk,
        departures=front.departures,
    )
    account_login = _account_login(rooms, front, verification, login)
    verify = VerifyPages(
        tickets=front.verify_tickets,
        proofs=qr.proofs,
        desk=front.desk,
        cookies=front.cookies,
        renderer=front.renderer,
    )
    files = front.files.including(_basis_url(qr), qr.basis.encode(), "application/octet-stream")
    health = Health(rooms.stores.pings, sandbox=_is_sandbox(settings))
    helping = HelpPages(front.renderer, front.files)
    mounts = (
        login.mount,
        account_login.mount,
        verify.mount,
        helping.mount,
        StaticPages(files).mount,
        health.mount,
    )
    return _Part(mounts=mounts)


def _account_login(rooms: Rooms, front: _Front, verification: _Verification, login: LoginPages) -> AccountLogin:
    stores, pseudonyms = rooms.stores, Pseudonyms(rooms.keyring)
    return AccountLogin(
        settings=AccountLoginSettings(HOME, f"/h5{HOME}", rooms.settings.server.client_name),
        desk=front.desk,
        renderer=front.renderer,
        login_pages=login,
        arrivals=front.arrivals,
        captchas=verification.captchas,
        passwords=PasswordLogin(
            members=stores.members,
            hashes=verification.passwords,
            throttle=stores.throttle,
            audit=stores.audit,
            pseudonyms=pseudonyms,
            documents=_document_readings(rooms),
            clock=rooms.clock,
            windows=PasswordWindows(),
        ),
        codes=SmsLogin(
            members=stores.members,
            codes=verification.codes,
            dispatches=verification.dispatches,
            drafts=_drafts(rooms, SmsLoginFacts, "login.tail"),
            throttle=stores.throttle,
            pseudonyms=pseudonyms,
            clock=rooms.clock,
            windows=TailWindows(),
        ),
    )


async def _open_stores(settings: Settings, keyring: Keyring, clock: Clock, entropy: Entropy) -> Stores:
    sql = open_sql(settings.storage.database_url, keyring, entropy)
    if settings.storage.redis_url is None:
        return Stores(
            accounts=sql.accounts,
            members=sql.members,
            sessions=sql.sessions,
            mini_sessions=sql.mini_sessions,
            audit=sql.audit,
            tickets=MemoryTicketStore(clock),
            browsers=MemoryRecords(clock),
            open_flows=MemoryRecords(clock),
            registrations=MemoryRecords(clock),
            used_codes=MemoryRecords(clock),
            logins=MemoryRecords(clock),
            phone_payloads=MemoryRecords(clock),
            captchas=MemoryRecords(clock),
            codes=MemoryRecords(clock),
            tallies=MemoryRecords(clock),
            proofs=MemoryRecords(clock),
            dispatches=MemoryRecords(clock),
            drafts=MemoryRecords(clock),
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
        sessions=redis.sessions(sql.accounts, sql.audit),
        mini_sessions=redis.mini_sessions(sql.accounts, sql.audit),
        audit=sql.audit,
        tickets=redis.tickets,
        browsers=redis.records("browser", Browser),
        open_flows=redis.records("session-flows", OpenFlows),
        registrations=redis.records("registration", Registration),
        used_codes=redis.records("used-code", UsedCode),
        logins=redis.records("platform-login", KeptLogin),
        phone_payloads=redis.records("phone-payload", PhonePayload),
        captchas=redis.records("captcha", Captcha),
        codes=redis.records("code", Code),
        tallies=redis.records("tally", Tally),
        proofs=redis.records("proof", Proof),
        dispatches=redis.records("dispatch", Dispatch),
        drafts=redis.records("draft", Sealed),
        signals=redis.signals,
        throttle=redis.throttle,
        pings=(sql.ping, redis.ping),
        closes=(redis.close, sql.close),
    )


def _drafts(rooms: Rooms, kind: type[F], name: str) -> Drafts[F]:
    return Drafts(
        kind,
        name,
        records=rooms.stores.drafts,
        seals=RecordSeals(Sealing(rooms.keyring, rooms.entropy)),
        pseudonyms=Pseudonyms(rooms.keyring),
        entropy=rooms.entropy,
    )


def _document_readings(rooms: Rooms) -> DocumentReadings:
    return lambda typed: readings(typed, beijing_date(rooms.clock.now()))


def _derived(keyring: Keyring, label: str) -> Secret:
    # By the current version, on which all processes agree while a rotation is rolled out.
    return Secret(keyring.derive(keyring.current, label))


def _ticket_digest(rooms: Rooms) -> Callable[[str], bytes]:
    return functools.partial(Pseudonyms(rooms.keyring).digest, "ticket")


def _client(rooms: Rooms) -> Client:
    return Client(rooms.settings.server.client_name, rooms.site.host)


def _basis_url(qr: _Qr) -> str:
    return f"/static/qr/{qr.basis.fingerprint}.bin"


def _is_sandbox(settings: Settings) -> bool:
    return settings.server.environment == "demo"


def _numbers(settings: Settings) -> NumberRange:
    return NumberRange.SYNTHETIC if _is_sandbox(settings) else NumberRange.REAL


def _policy(settings: Settings) -> QrPolicy:
    return QrPolicy(
        scan=settings.qr.scan_seconds * SECOND,
        confirm=settings.qr.confirm_seconds * SECOND,
        redeem=settings.qr.redeem_seconds * SECOND,
        reverse_code=ReverseCode(settings.qr.reverse_code),
        session=settings.sessions.lifetime_seconds * SECOND,
        launch_scenes={name: frozenset(scenes) for name, scenes in settings.qr.launch_scenes.items()},
    )


def _areas(settings: Settings) -> AreaBook:
    path = settings.networks.area_database
    return NoAreas() if path is None else MaxMindAreas(Path(path))
