"""What a device is logged in by, as its owner is shown it (SES-1). Pure."""

from __future__ import annotations

from msgspec import Struct

from bjidp.clock import Instant
from bjidp.oidc.client import Client


class Origin(Struct, frozen=True, kw_only=True):
    """How a device came to its login, from facts the server saw itself."""

    platform: str | None
    """The 京通 that confirmed; None where it was a page."""
    browser: str
    os: str
    area: str | None


UNKNOWN = Origin(platform=None, browser="unknown", os="unknown", area=None)
"""That of a login from before any was kept."""


class DeviceLogin(Struct, frozen=True, kw_only=True):
    """A device that is logged in; ``id`` is the public name of its session."""

    id: str
    client: Client
    origin: Origin
    confirmed_in: str | None
    """The session on whose page it was confirmed."""
    created_at: Instant
    used_at: Instant
    """When it was last given tokens: what they are shown for is written nowhere."""
    expires_at: Instant
