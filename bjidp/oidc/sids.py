"""What relying parties know a session as (``sid``; OpenID Connect Back-Channel Logout, section 2.1).

Owns the one function. A session's own id is 128 random bits that no relying party learns, so a digest of it joins
nothing, without a key: a name under a key would be another one once the key is, and whoever logs in before a rotation
and out after it would stay logged in elsewhere. Pure.
"""

from __future__ import annotations

import hashlib

from bjidp.entropy import base64url


def sid(client: str, session: str) -> str:
    """Return what the relying party ``client`` knows ``session`` as; another one knows it by another name."""
    return base64url(hashlib.sha256(f"sid\0{client}\0{session}".encode()).digest()[:16])
