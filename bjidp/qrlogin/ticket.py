"""One ticket, and the states it may be in.

Owns the nouns: a frozen class for each state, with the data that are valid in it and no others. What moves a ticket
from one to the next is :mod:`bjidp.qrlogin.machine`; stores keep it as it is. Pure.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from bjidp.clock import Instant, Millis
from bjidp.qrlogin.policy import Purpose
from bjidp.sessions.authentication import Authenticated
from bjidp.standing import Level


class Holder(Struct, frozen=True, gc=False):
    """Who scanned: the account, the platform link the phone is logged in by, and the masked name the page may show."""

    account: str
    link: str
    platform: str
    name: str


class Area(Struct, frozen=True, gc=False):
    """A place as the address database knows it; ``region`` is what two places are compared by."""

    label: str
    region: str


class Computer(Struct, frozen=True, gc=False):
    """What the server itself saw of the browser that shows the ticket.

    ``browser`` and ``os`` come from closed lists (attack P4); ``network`` is a keyed digest, not an address.
    ``other_networks`` are its digests under the other active key versions, by which it may be known as well.
    """

    browser: str
    os: str
    network: bytes
    area: Area | None
    other_networks: tuple[bytes, ...] = ()

    @property
    def networks(self) -> tuple[bytes, ...]:
        """Every digest its network may be known by."""
        return (self.network, *self.other_networks)


class Device(Struct, frozen=True, gc=False):
    """What a device ticket is bound to from its making on (RFC 8628; attack Q19): who asks, for what, by what proof.

    ``user_code`` is what the device shows beside the code. An account below ``level`` may not confirm. ``face`` tells
    that more is asked than the client is given for a confirmation alone, ``frames`` that the device shows rotating
    frames and that nothing else counts. ``lifetime`` is how long what comes of it goes on.
    """

    client: str
    scopes: tuple[str, ...]
    challenge: str | None
    user_code: str
    level: Level
    lifetime: Millis
    face: bool = False
    frames: bool = False


class Pending(Struct, frozen=True, gc=False, tag="pending"):
    """Shown, not scanned."""

    deadline: Instant


class Scanned(Struct, frozen=True, gc=False, tag="scanned"):
    """Held by one account. ``scans`` numbers its scans: only the confirm token of the newest counts."""

    holder: Holder
    scans: int
    code_required: bool
    deadline: Instant


class Verifying(Struct, frozen=True, gc=False, tag="verifying"):
    """Held, and a face check is under way, under our own ``reference``; ``passed`` once its verdict is in."""

    holder: Holder
    scans: int
    code_required: bool
    # Under the name that it has in tickets which a process of the release before has written.
    reference: str = msgspec.field(name="verification")
    passed: bool
    deadline: Instant


class Approved(Struct, frozen=True, gc=False, omit_defaults=True, tag="approved"):
    """Confirmed on the phone; waits for its own page to redeem it. A ticket is approved at most once.

    It is good for nothing once the account has left the ``epoch`` that the phone confirmed in. ``authenticated`` is
    set where somebody on a page confirmed it, in the place of a phone: how they had proved who they are.
    """

    holder: Holder
    scans: int
    at: Instant
    code: str | None
    tries_left: int
    evidence: str | None
    deadline: Instant
    epoch: int = 0
    authenticated: Authenticated | None = None


class Redeemed(Struct, frozen=True, gc=False, tag="redeemed"):
    """Exchanged once. ``claim`` names the one request that won; ``approved`` is what it can be returned to."""

    approved: Approved
    claim: str


class Rejected(Struct, frozen=True, gc=False, tag="rejected"):
    """Refused for good: by the person, by a reverse code wrong too often, or by policy at redeem."""

    reason: Literal["person", "code", "policy"]
    holder: Holder
    scans: int
    code: str | None


class Superseded(Struct, frozen=True, gc=False, tag="superseded"):
    """Another ticket of the same page took its place; ``holder`` is set if somebody had scanned it."""

    holder: Holder | None
    scans: int


State: TypeAlias = Pending | Scanned | Verifying | Approved | Redeemed | Rejected | Superseded
Live: TypeAlias = Pending | Scanned | Verifying | Approved

LIVE = (Pending, Scanned, Verifying, Approved)


class Ticket(Struct, frozen=True, gc=False, omit_defaults=True):
    """One QR ticket. ``id`` is public (128 random bits); ``slow`` if its page has no JavaScript.

    ``device`` is set exactly for a device ticket.
    """

    id: str
    purpose: Purpose
    issued_at: Instant
    slow: bool
    computer: Computer
    state: State
    device: Device | None = None
