"""What the kiosk is started with, by the demo or by a test."""

from __future__ import annotations

import ssl
from typing import Final

from msgspec import Struct

from bjidp.sandbox.clock import Clock
from bjidp.sandbox.entropy import Entropy

GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
SCOPE: Final = "openid profile"

METADATA: Final[dict[str, object]] = {
    "client_name": "政务服务自助终端",
    "client_uri": "http://localhost/",
    "grant_types": [GRANT],
    "token_endpoint_auth_method": "client_secret_basic",
    "scope": SCOPE,
}
"""What it registers with an identity server (RFC 7591)."""


class KioskSettings(Struct, frozen=True, kw_only=True):
    """Everything :func:`bjidp.sandbox.kiosk.mount` needs."""

    clock: Clock
    entropy: Entropy
    issuer: str
    """Who logs its people in."""
    client_id: str
    client_secret: str
    tls: ssl.SSLContext | None = None
    """What trusts the server's certificate, if it was made on the spot."""

    def __repr__(self) -> str:
        return f"KioskSettings(issuer={self.issuer!r}, ***)"
