"""The login page, the help, files that never change, and whether the process is well."""

from __future__ import annotations

from bjidp.bootstrap.external import providers_of
from bjidp.bootstrap.front import Front, Part
from bjidp.bootstrap.logins import form_logins_part
from bjidp.bootstrap.qr import Qr, basis_address, own_client
from bjidp.bootstrap.rooms import HOME, Rooms, is_sandbox
from bjidp.bootstrap.verification import Verification
from bjidp.web.centre.acts import Acts
from bjidp.web.forms.form_again import FormViews
from bjidp.web.help import HelpPages
from bjidp.web.login.opening import LoginPages, LoginSettings
from bjidp.web.qr.verifying import VerifyPages
from bjidp.web.server.health import Health
from bjidp.web.server.static_files import StaticPages


def pages_part(rooms: Rooms, front: Front, qr: Qr, verification: Verification, acts: Acts) -> Part:
    """Return the pages before a login, and what every page needs."""
    settings = rooms.settings
    login = LoginPages(
        settings=LoginSettings(
            url=rooms.site.url,
            client=own_client(rooms),
            home=HOME,
            basis_url=basis_address(qr),
            simulator=settings.server.simulator_url,
            providers=providers_of(settings),
        ),
        renderer=front.renderer,
        cookies=front.cookies,
        forms=front.forms,
        observer=front.observer,
        browsers=qr.browsers,
        sessions=front.sessions,
        signed_in=front.signed_in,
        throttle=rooms.stores.throttle,
        form_views=FormViews(verification.captchas),
        desk=front.desk,
        departures=front.departures,
        login_first=front.login_first,
    )
    verify = VerifyPages(
        operations=frozenset(acts),
        tickets=front.verify_tickets,
        proofs=qr.proofs,
        desk=front.desk,
        cookies=front.cookies,
        renderer=front.renderer,
        login_first=front.login_first,
    )
    files = front.files.including(basis_address(qr), qr.basis.encode(), "application/octet-stream")
    health = Health(rooms.stores.pings, sandbox=is_sandbox(settings))
    helping = HelpPages(front.renderer, front.files)
    mounts = (
        login.mount,
        *form_logins_part(rooms, front, verification, login).mounts,
        verify.mount,
        helping.mount,
        StaticPages(files).mount,
        health.mount,
    )
    return Part(mounts=mounts)
