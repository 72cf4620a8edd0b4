"""What is left of a person: looks for values in octets, in every form in which something may have been written down."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote

SHORTEST: Final = 6
"""Octets below which a form is found anywhere, by chance."""

_WIDE: Final = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def traces(hidden: Mapping[str, str], octets: bytes) -> list[str]:
    """Return which of the values are in ``octets``, by their names, and in which form."""
    folded = octets.lower()
    return [
        f"{name}: {form}"
        for name, value in hidden.items()
        for form, sought in forms(value)
        # Letters of either size stand for the same octets in hexadecimal alone.
        if len(sought) >= SHORTEST and sought in (folded if form.startswith("hex") else octets)
    ]


def forms(value: str) -> Iterator[tuple[str, bytes]]:
    """Return every form of a value with its name: plain, reversed, wide, encoded, and hashed without a key."""
    texts = {"plain": value, "reversed": value[::-1], "wide": value.translate(_WIDE)}
    for name, text in texts.items():
        for coding in ("utf-8", "utf-16-le", "utf-16-be", "gb18030"):
            plain = text.encode(coding)
            yield f"{name} {coding}", plain
            yield f"hex of {name} {coding}", plain.hex().encode()
            yield from ((f"base64 of {name} {coding}", found) for found in _base64(plain))
        yield f"escaped {name}", json.dumps(text)[1:-1].encode()
        yield f"quoted {name}", quote(text, safe="").encode()
    for algorithm in ("md5", "sha1", "sha256"):
        digest = hashlib.new(algorithm, value.encode(), usedforsecurity=False).digest()
        yield f"{algorithm}", digest
        yield f"hex of {algorithm}", digest.hex().encode()
        yield f"base64 of {algorithm}", base64.b64encode(digest).rstrip(b"=")


def _base64(plain: bytes) -> Iterator[bytes]:
    """Return what stands for it in the middle of whatever was encoded with it, in both alphabets."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + plain)
        first = -(-before * 8 // 6)
        last = (before + len(plain)) * 8 // 6
        found = encoded[first:last]
        yield found
        if (other := found.translate(bytes.maketrans(b"+/", b"-_"))) != found:
            yield other
