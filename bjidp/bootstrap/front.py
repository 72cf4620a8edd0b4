"""What handlers of every feature know of browsers, and of whoever is logged in."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from pathlib import Path

from aiohttp import web
from msgspec import Struct

from bjidp.bootstrap.qr import Qr, basis_address, own_client
from bjidp.bootstrap.rooms import LANGUAGE, Rooms, derived_key, is_sandbox
from bjidp.config.settings import Settings
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.sessions.known import KnownBrowsers
from bjidp.sessions.service import Sessions
from bjidp.web.forms.arrival import Arrivals
from bjidp.web.forms.departure import Departures
from bjidp.web.forms.desk import Desk
from bjidp.web.forms.login_first import LoginFirst
from bjidp.web.forms.reading import Forms
from bjidp.web.forms.signed_in import SignedIn
from bjidp.web.forms.way_back import WayBack
from bjidp.web.http.areas import MaxMindAreas
from bjidp.web.http.calls import Call
from bjidp.web.http.cookies import Cookies
from bjidp.web.http.visitor import Addresses, AreaBook, NoAreas, Observer
from bjidp.web.pages.assets import StaticFiles
from bjidp.web.pages.rendering import Renderer
from bjidp.web.pages.shell import Shell
from bjidp.web.qr.verifying import QrSettings, VerifyTickets
from bjidp.web.words.texts import Texts


class Part(Struct, frozen=True, kw_only=True):
    """What one feature adds to the application."""

    calls: tuple[Call, ...] = ()
    mounts: tuple[Callable[[web.Application], None], ...] = ()


class Front(Struct, frozen=True, kw_only=True):
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
    login_first: LoginFirst
    way_back: WayBack


def wire_front(rooms: Rooms, qr: Qr) -> Front:
    """Return what handlers share."""
    settings = rooms.settings
    cookies = Cookies(rooms.site)
    files = StaticFiles.load()
    sessions = qr.sessions
    shell = Shell(
        sandbox=is_sandbox(settings),
        portal_url=settings.server.portal_url,
        portal_name=settings.server.client_name,
    )
    forms = Forms(rooms.site, cookies, qr.browsers, derived_key(rooms.keyring, "csrf"))
    observer = Observer(
        Addresses([ipaddress.ip_network(network) for network in settings.networks.trusted_proxies]),
        _areas(settings),
        Pseudonyms(rooms.keyring).digests,
        count_addresses=not settings.server.load,
        shared=[ipaddress.ip_network(network) for network in settings.networks.shared],
    )
    renderer = Renderer(shell, files, Texts.load(LANGUAGE, demonstration=shell.sandbox))
    signed_in = SignedIn(sessions, cookies)
    return Front(
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
                client=own_client(rooms), basis_url=basis_address(qr), simulator=settings.server.simulator_url
            ),
            errands=qr.errands,
            cookies=cookies,
            throttle=rooms.stores.throttle,
        ),
        arrivals=Arrivals(
            sessions=sessions,
            browsers=qr.browsers,
            cookies=cookies,
            known=KnownBrowsers(derived_key(rooms.keyring, "known"), rooms.entropy, rooms.clock),
        ),
        departures=Departures(browsers=qr.browsers, cookies=cookies, renderer=renderer),
        login_first=LoginFirst(
            client=own_client(rooms),
            browsers=qr.browsers,
            cookies=cookies,
            observer=observer,
            throttle=rooms.stores.throttle,
        ),
        way_back=WayBack(sessions, rooms.clock),
    )


def _areas(settings: Settings) -> AreaBook:
    path = settings.networks.area_database
    return NoAreas() if path is None else MaxMindAreas(Path(path))
