"""How 国家政务服务平台 is addressed and understood, whatever it is asked: the caller's proof, and places in an answer.

Pure.
"""

from __future__ import annotations

from bjidp.clock import Instant
from bjidp.secret import Secret
from bjidp.vendors.ecb import Suite, sealed


def proof(client_id: str, client_secret: Secret, key: bytes, suite: Suite, now: Instant) -> str:
    """Return the caller's ``auth_token``: its id, its secret and the time, encrypted under the secret."""
    return sealed(f"{client_id}:{client_secret.text()}:{now}", key, suite)


def text_at(answer: dict[str, object], place: str) -> str:
    """Return the text or whole number at ``place``, member by member; empty where there is none."""
    found: object = answer
    for name in place.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    if isinstance(found, bool):
        return ""
    return str(found) if isinstance(found, str | int) else ""
