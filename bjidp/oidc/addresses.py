"""Which addresses a relying party may register (attack T4).

Owns the rules for whatever people, or notices about them, are sent to. What is registered is compared to the letter
later on, so nothing is made equal here. Pure; called by ``metadata``.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

ADDRESS_MAX: Final = 512

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
"""Hosts that are everybody's own machine."""

_NAMED: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def fault_of(text: str) -> str | None:
    """Return what is wrong with an address, the first thing first; None when nothing is."""
    if len(text) > ADDRESS_MAX or not text.isascii() or not text.isprintable() or set(text) & set(' \\"<>`'):
        return f"must be at most {ADDRESS_MAX} characters of an address, others percent-encoded"
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return "must be an address with a port up to 65535"
    host = parts.hostname or ""
    if not _NAMED.match(text) or not host:
        return "must name scheme and host"
    if parts.username is not None or parts.password is not None:
        return "must have no user name"
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        return "must be https, or http on this machine"
    if "#" in text:
        return "must have no fragment"
    if "*" in text:
        # It would be believed to stand for any name.
        return "must have no *, since it is compared character by character"
    return None
