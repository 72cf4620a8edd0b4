"""What the portal is started with, by the demo or by a test."""

from __future__ import annotations

import ssl

from msgspec import Struct

from bjidp.sandbox.clock import Clock
from bjidp.sandbox.entropy import Entropy


class PortalSettings(Struct, frozen=True, kw_only=True):
    """Everything :func:`bjidp.sandbox.portal.build_portal` needs."""

    clock: Clock
    entropy: Entropy
    base_url: str
    """Where people reach the portal, without a slash at the end: what its metadata was registered with."""
    issuer: str
    """Who logs its people in."""
    client_id: str
    client_secret: str
    side_by_side_url: str
    """The page of the demo that has a phone beside it."""
    tls: ssl.SSLContext | None = None
    """What trusts the server's certificate, if it was made on the spot."""

    def __repr__(self) -> str:
        return f"PortalSettings(base_url={self.base_url!r}, issuer={self.issuer!r}, ***)"

    @property
    def callback(self) -> str:
        """Where codes come to."""
        return f"{self.base_url}/login/callback"

    @property
    def logged_out(self) -> str:
        """Where people come back to after they have logged out everywhere."""
        return f"{self.base_url}/logged-out"
