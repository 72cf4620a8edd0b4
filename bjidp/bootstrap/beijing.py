"""The city's own interface, wired (RP-5).

Called by ``application``.
"""

from __future__ import annotations

from bjidp.bootstrap.front import Front, Part
from bjidp.bootstrap.oidc import Provider
from bjidp.bootstrap.rooms import Rooms
from bjidp.oidc.beijing.service import Beijing
from bjidp.web.oidc.beijing import BeijingEndpoints


def beijing_part(rooms: Rooms, front: Front, provider: Provider) -> Part:
    """Return its endpoints, none where it is switched off."""
    if not rooms.settings.beijing.enabled:
        return Part()
    stores = rooms.stores
    beijing = BeijingEndpoints(
        beijing=Beijing(
            clients=stores.relying_parties,
            authorizing=provider.authorizing,
            codes=provider.codes,
            live=provider.live,
            sessions=front.sessions,
            tokens=stores.beijing_tokens,
            used=stores.used_assertions,
            ethnicity=lambda code: str(front.renderer.texts.of("ethnicity", code)),
            entropy=rooms.entropy,
            clock=rooms.clock,
        ),
        observer=front.observer,
        throttle=stores.throttle,
    )
    return Part(mounts=(beijing.mount,))
