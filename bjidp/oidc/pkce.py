"""Proof that who exchanges a code is who asked for it (RFC 7636), by S256 alone.

Owns the shape of a challenge and the check of a verifier. ``plain`` shows the verifier to whoever sees the request and
is refused, and so is a code without a challenge (attack T6). Pure.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

from bjidp.entropy import base64url

METHOD: Final = "S256"

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def is_challenge(text: str) -> bool:
    """Tell whether this is a SHA-256 in base64url (RFC 7636, section 4.2)."""
    return _CHALLENGE.fullmatch(text) is not None


def challenge_of(verifier: str) -> str:
    """Return the challenge that a verifier answers (RFC 7636, section 4.2)."""
    return base64url(hashlib.sha256(verifier.encode("ascii")).digest())


def answers(verifier: str | None, challenge: str) -> bool:
    """Tell whether ``verifier`` has the shape of RFC 7636, section 4.1, and is what ``challenge`` was made from."""
    if verifier is None or not _VERIFIER.fullmatch(verifier):
        return False
    return hmac.compare_digest(challenge_of(verifier), challenge)
