"""The rotating frame: the text inside the QR code.

Owns how the text is made, read and judged (wire.md, section 2): ``<prefix><ticket>.<t>.<mac>``, or for a device
ticket ``<prefix><ticket>``. Pure. What the rotation buys: a photograph, a poster or a forwarded picture is useless
within seconds. It does not stop a live relay, whose page owns the key.
"""

from __future__ import annotations

import hmac
import re
from typing import Final

from msgspec import Struct

from bjidp.clock import Instant, Millis
from bjidp.entropy import base64url
from bjidp.mac import mac_once
from bjidp.qrlogin.policy import Purpose

MAC_LENGTH: Final = 12
TICKET_LENGTH: Final = 22
VARIABLE_LENGTH: Final = TICKET_LENGTH + 1 + 3 + 1 + MAC_LENGTH
"""Characters of a frame behind the prefix: ticket, dot, three digits, dot, MAC."""

_FRAME = re.compile(r"([A-Za-z0-9_-]{22})\.([0-9]{3})\.([A-Za-z0-9_-]{12})", re.ASCII)
_DEVICE = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
_TICKET = _DEVICE


class Frame(Struct, frozen=True):
    """A frame as read: the ticket it names, its number, and its MAC; all still unproven."""

    ticket: str
    t: int
    mac: str


def is_ticket_id(text: str) -> bool:
    """Tell whether ``text`` has the shape of a ticket: exactly 22 characters of base64url (attack Q27)."""
    return _TICKET.fullmatch(text) is not None


def mac(key: bytes, purpose: Purpose, ticket: str, t: int) -> str:
    """Return the MAC of frame ``t``: 72 bits of HMAC-SHA256 over version, purpose, ticket and number (attack Q17)."""
    message = f"bjidp.qr.v1|{purpose}|{ticket}|{t:03d}"
    return base64url(mac_once(key, message.encode("ascii")))[:MAC_LENGTH]


def text(prefix: str, key: bytes, purpose: Purpose, ticket: str, t: int) -> str:
    """Return the text of frame ``t``."""
    return f"{prefix}{ticket}.{t:03d}.{mac(key, purpose, ticket, t)}"


def read(prefix: str, scanned: str) -> Frame | str | None:
    """Read a scanned text: a :class:`Frame`, the id of a device ticket, or None when it is neither."""
    if not scanned.startswith(prefix):
        return None
    rest = scanned[len(prefix) :]
    if found := _FRAME.fullmatch(rest):
        return Frame(found[1], int(found[2]), found[3])
    return rest if _DEVICE.fullmatch(rest) else None


def is_genuine(frame: Frame, key: bytes, purpose: Purpose) -> bool:
    """Tell, in constant time, whether the MAC was made with this ticket's key."""
    return hmac.compare_digest(frame.mac, mac(key, purpose, frame.ticket, frame.t))


def number_at(elapsed: Millis, step: Millis) -> int:
    """Return the number of the frame a screen shows ``elapsed`` after the ticket was issued."""
    return elapsed // step


def is_fresh(frame: Frame, issued_at: Instant, now: Instant, *, step: Millis, window: Millis) -> bool:
    """Tell whether a live screen can show this frame now: neither ahead of the clock nor older than ``window``."""
    return 0 <= now - issued_at - frame.t * step <= window
