"""Handing accounts on to the national platform, wired; in every process, where there is one."""

from __future__ import annotations

from bjidp.accounts.national.handing_on import HandingOn
from bjidp.bootstrap.front import Part
from bjidp.bootstrap.rooms import Rooms
from bjidp.bootstrap.running import beside
from bjidp.vendors.catalog import build_national_register


def national_part(rooms: Rooms) -> Part:
    """Return what hands accounts on for as long as the application runs."""
    settings = rooms.settings.national_register
    if settings is None:
        return Part()
    handing_on = HandingOn(
        wishes=rooms.stores.wishes,
        platform=build_national_register(settings, http=rooms.http, clock=rooms.clock),
        clock=rooms.clock,
    )

    return Part(mounts=(beside(handing_on.run),))
