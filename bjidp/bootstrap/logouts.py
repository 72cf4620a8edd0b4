"""The end of logins at relying parties, wired: where they ask for one, and what tells them of one.

Called by ``application``.
"""

from __future__ import annotations

from bjidp.bootstrap.front import Front, Part
from bjidp.bootstrap.oidc import Provider
from bjidp.bootstrap.rooms import Rooms, is_sandbox
from bjidp.bootstrap.running import beside
from bjidp.oidc.logouts.asking import LogoutWishes
from bjidp.oidc.logouts.telling import Telling
from bjidp.vendors.catalog import build_logout_receivers
from bjidp.web.oidc.leaving import LogoutPages
from bjidp.web.oidc.returning import Returning


def logouts_part(rooms: Rooms, front: Front, provider: Provider) -> Part:
    """Return the pages, and what brings relying parties their notices."""
    stores, clock = rooms.stores, rooms.clock
    leaving = LogoutPages(
        wishes=LogoutWishes(
            clients=stores.relying_parties,
            records=stores.logout_wishes,
            signing=provider.signing,
            entropy=rooms.entropy,
            issuer=rooms.site.url,
        ),
        sessions=front.sessions,
        signed_in=front.signed_in,
        desk=front.desk,
        departures=front.departures,
        renderer=front.renderer,
        returning=Returning(rooms.site, front.renderer),
        observer=front.observer,
        throttle=stores.throttle,
        clock=clock,
    )
    telling = Telling(
        outbox=stores.logouts,
        clients=stores.relying_parties,
        receivers=build_logout_receivers(http=rooms.http, demonstration=is_sandbox(rooms.settings)),
        signing=provider.signing,
        issuer=rooms.site.url,
        clock=clock,
    )
    return Part(mounts=(leaving.mount, beside(telling.run)))
