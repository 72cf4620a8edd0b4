"""What people and devices have of a device ticket besides its code: the page and the channel, wired.

Called by ``application``.
"""

from __future__ import annotations

from bjidp.bootstrap.front import Front, Part
from bjidp.bootstrap.qr import Qr
from bjidp.bootstrap.rooms import Rooms
from bjidp.oidc.devices.deciding import DeviceDeciding
from bjidp.oidc.devices.watching import DeviceWatching
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.web.oidc.device_channel import DeviceChannel
from bjidp.web.oidc.devices import DevicePages


def devices_part(rooms: Rooms, front: Front, qr: Qr) -> Part:
    """Return the page and the channel."""
    channel = DeviceChannel(watching=DeviceWatching(qr.devices), observer=front.observer)
    pages = DevicePages(
        deciding=DeviceDeciding(
            tickets=qr.devices,
            user_codes=rooms.stores.user_codes,
            phones=qr.phones,
            pseudonyms=Pseudonyms(rooms.keyring),
            throttle=rooms.stores.throttle,
        ),
        desk=front.desk,
        login_first=front.login_first,
        observer=front.observer,
    )
    return Part(mounts=(pages.mount, channel.mount))
