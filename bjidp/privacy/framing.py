"""How several texts become one message for a keyed digest, so that no two lists of texts look alike. Pure."""

from __future__ import annotations


def framed(*parts: str) -> bytes:
    """Return every part in UTF-8, each after its length in four bytes: ``("ab", "c")`` is not ``("a", "bc")``."""
    out = b""
    for part in parts:
        data = part.encode()
        out += len(data).to_bytes(4, "big") + data
    return out
