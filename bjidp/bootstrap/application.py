"""One application, put together from its parts.

Called by ``serving``, once in each process.
"""

from __future__ import annotations

from importlib.metadata import version

from aiohttp import web

from bjidp.bootstrap.accounts import (
    centre_part,
    recovery_part,
    registration_part,
    wire_endings,
    wire_own,
    wire_own_pages,
    wire_registrations,
)
from bjidp.bootstrap.acts import wire_acts
from bjidp.bootstrap.appeals import outcomes_part
from bjidp.bootstrap.beijing import beijing_part
from bjidp.bootstrap.channel import qr_channel_part
from bjidp.bootstrap.devices import devices_part
from bjidp.bootstrap.external import external_part, wire_external
from bjidp.bootstrap.front import wire_front
from bjidp.bootstrap.locking import locking_part
from bjidp.bootstrap.logouts import logouts_part
from bjidp.bootstrap.miniprogram import mini_program_part, wire_mini_sessions
from bjidp.bootstrap.national import national_part
from bjidp.bootstrap.oidc import oidc_part, wire_provider
from bjidp.bootstrap.pages import pages_part
from bjidp.bootstrap.qr import wire_qr
from bjidp.bootstrap.rooms import Rooms
from bjidp.bootstrap.verification import captcha_part, dispatches_part, sms_reports_part, wire_verification
from bjidp.web.http.bodies import BODY_MAX
from bjidp.web.http.calls import mount
from bjidp.web.http.guards import Guards
from bjidp.web.http.visitor import OBSERVER
from bjidp.web.server import openapi
from bjidp.web.server.problems import PROBLEMS, Problems


def build(rooms: Rooms) -> web.Application:
    """Wire the application. Raises :class:`ValueError` for what cannot be wired, in words for the operator."""
    qr = wire_qr(rooms)
    front = wire_front(rooms, qr)
    verification = wire_verification(rooms)
    mini_sessions = wire_mini_sessions(rooms)
    endings = wire_endings(rooms, front, verification, mini_sessions)
    own = wire_own(rooms, front, verification, endings)
    external = wire_external(rooms, front, verification, own)
    acts = wire_acts(rooms, verification, own, linked=external.linked, bindings=external.bindings)
    registrations = wire_registrations(rooms, front, verification)
    own_pages = wire_own_pages(front)
    provider = wire_provider(rooms, own.organisations.acting)
    problems = Problems(front.renderer, Guards(rooms.site, rooms.settings.server.simulator_url))
    app = web.Application(middlewares=[problems.middleware], client_max_size=BODY_MAX)
    app[PROBLEMS] = problems
    app[OBSERVER] = front.observer
    parts = (
        mini_program_part(rooms, front, qr, verification, mini_sessions, endings),
        qr_channel_part(rooms, front, qr, own.proofing.faces),
        dispatches_part(rooms, front, verification),
        sms_reports_part(rooms, front, verification),
        captcha_part(rooms, front, verification),
        registration_part(rooms, front, qr, own, acts, verification=verification, registrations=registrations),
        external_part(rooms, front, verification, registrations, own, external=external, own_pages=own_pages),
        recovery_part(rooms, front, verification, endings),
        centre_part(rooms, front, verification, mini_sessions, own, acts, own_pages=own_pages, linked=external.linked),
        outcomes_part(rooms, verification, endings),
        locking_part(rooms, verification, endings),
        national_part(rooms),
        oidc_part(
            rooms,
            front,
            qr,
            provider,
            acting=own.organisations.acting,
            acts=acts,
            bank_cards=own.proofing.bank_cards,
        ),
        logouts_part(rooms, front, provider),
        beijing_part(rooms, front, provider),
        devices_part(rooms, front, qr),
        pages_part(rooms, front, qr, verification, acts),
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
