"""What follows a lock of an account, wired; in every process."""

from __future__ import annotations

from bjidp.accounts.endings import Endings
from bjidp.accounts.locking.following import Following
from bjidp.bootstrap.front import Part
from bjidp.bootstrap.rooms import Rooms
from bjidp.bootstrap.running import beside
from bjidp.bootstrap.verification import Verification


def locking_part(rooms: Rooms, verification: Verification, endings: Endings) -> Part:
    """Return what follows locks up for as long as the application runs."""
    following = Following(locks=rooms.stores.locks, endings=endings, teller=verification.teller, clock=rooms.clock)
    return Part(mounts=(beside(following.run),))
