"""The calls of the mini-program, wired."""

from __future__ import annotations

import functools

from bjidp.accounts.activity import put_out
from bjidp.accounts.endings import Endings
from bjidp.bootstrap.front import Front, Part
from bjidp.bootstrap.proofing import served_documents
from bjidp.bootstrap.qr import Qr
from bjidp.bootstrap.rooms import Rooms, derived_key
from bjidp.bootstrap.verification import Verification, served_numbers
from bjidp.clock import HOUR
from bjidp.miniprogram.book import RegistrationBook
from bjidp.miniprogram.claiming import Claiming
from bjidp.miniprogram.devices import Devices
from bjidp.miniprogram.doors import Doors
from bjidp.miniprogram.face_checks import FaceChecks
from bjidp.miniprogram.face_tickets import FaceTickets
from bjidp.miniprogram.limits import MiniProgramLimits, MiniProgramWindows
from bjidp.miniprogram.linking import Linking
from bjidp.miniprogram.phone import PhoneBinding
from bjidp.miniprogram.phone_payloads import PhonePayloads
from bjidp.miniprogram.platform_logins import PlatformLogins
from bjidp.miniprogram.service import MiniProgram
from bjidp.miniprogram.sessions import MiniSessions
from bjidp.miniprogram.tokens import MiniTokens
from bjidp.oidc.devices.ending import EndDevices
from bjidp.oidc.devices.logins import DeviceLogins
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.privacy.sealing import Sealing
from bjidp.privacy.seals import RecordSeals
from bjidp.qrlogin.undoing import Undoing
from bjidp.vendors.catalog import (
    build_authority,
    build_platforms,
)
from bjidp.web.miniprogram.callers import Callers
from bjidp.web.miniprogram.platforms import PlatformCalls
from bjidp.web.miniprogram.sessions import SessionCalls
from bjidp.web.miniprogram.tickets import TicketCalls


def _platform_logins(rooms: Rooms) -> PlatformLogins:
    seals = RecordSeals(Sealing(rooms.keyring, rooms.entropy))
    return PlatformLogins(records=rooms.stores.logins, seals=seals, pseudonyms=Pseudonyms(rooms.keyring))


def wire_mini_sessions(rooms: Rooms) -> MiniSessions:
    """Return the sessions of phones."""
    return MiniSessions(
        store=rooms.stores.mini_sessions,
        logins=_platform_logins(rooms),
        tokens=MiniTokens(
            rooms.site.url, derived_key(rooms.keyring, "mp.access"), derived_key(rooms.keyring, "mp.refresh")
        ),
        clock=rooms.clock,
        entropy=rooms.entropy,
    )


def mini_program_part(
    rooms: Rooms, front: Front, qr: Qr, verification: Verification, sessions: MiniSessions, endings: Endings
) -> Part:
    """Return the calls of the mini-program."""
    settings, stores = rooms.settings, rooms.stores
    pseudonyms = Pseudonyms(rooms.keyring)
    seals = RecordSeals(Sealing(rooms.keyring, rooms.entropy))
    limits = MiniProgramLimits(stores.throttle, pseudonyms, MiniProgramWindows())
    logins = _platform_logins(rooms)
    platforms = build_platforms(
        http=rooms.http,
        clock=rooms.clock,
        face_done_url=f"{rooms.site.url}/q/",
        wechat=settings.wechat,
        alipay=settings.alipay,
        baidu=settings.baidu,
    )
    book = RegistrationBook(records=stores.registrations, seals=seals, pseudonyms=pseudonyms)
    linking = Linking(
        accounts=stores.accounts,
        sessions=sessions,
        logins=logins,
        probation=settings.accounts.link_probation_hours * HOUR,
    )
    doors = Doors(platforms, used_codes=stores.used_codes, pseudonyms=pseudonyms, clock=rooms.clock)
    checks = FaceChecks(doors, limits, rooms.clock, rooms.entropy)
    mini_program = MiniProgram(
        doors=doors,
        checks=checks,
        accounts=stores.accounts,
        authority=build_authority(settings.authority, http=rooms.http, clock=rooms.clock),
        sessions=sessions,
        book=book,
        logins=logins,
        linking=linking,
        limits=limits,
        documents=served_documents(rooms),
        clock=rooms.clock,
        entropy=rooms.entropy,
    )
    claiming = Claiming(
        book=book,
        linking=linking,
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
        numbers=served_numbers(settings),
        clock=rooms.clock,
    )
    callers = Callers(sessions, limits)
    entering = PlatformCalls(
        mini_program=mini_program,
        claiming=claiming,
        binding=binding,
        callers=callers,
        observer=front.observer,
        platforms=frozenset(platforms),
    )
    staying = SessionCalls(
        mini_program=mini_program,
        sessions=sessions,
        limits=limits,
        devices=Devices(front.sessions, sessions, DeviceLogins(stores.grants, rooms.clock)),
        callers=callers,
    )
    tickets = TicketCalls(
        phones=qr.phones,
        face_tickets=FaceTickets(
            phones=qr.phones,
            steps=qr.face_steps,
            checks=checks,
            accounts=stores.accounts,
            identities=stores.identities,
            records=stores.ticket_checks,
            seals=seals,
            pseudonyms=pseudonyms,
            clock=rooms.clock,
        ),
        undoing=Undoing(
            changes=qr.changes,
            sessions=front.sessions,
            proofs=qr.proofs,
            refusals=qr.refusals,
            ticket_digests=functools.partial(pseudonyms.digests, "ticket"),
            put_out=functools.partial(put_out, stores.members, stores.externals, endings, rooms.clock),
            end_devices=EndDevices(stores.grants, rooms.clock),
        ),
        callers=callers,
        observer=front.observer,
    )
    return Part(calls=(*entering.calls(), *staying.calls(), *tickets.calls()))
