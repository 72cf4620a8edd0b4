"""The texts a login got from the server, for the floor to answer the same number of bytes."""

from __future__ import annotations

import json
from typing import NamedTuple

from bench.login import Login


class Shape(NamedTuple):
    """Bodies and messages, with ``{ticket}`` where the floor puts a ticket of its own."""

    page: str
    shown: str
    scanned: str
    scan: str
    approved: str
    confirm: str
    redeem: str


def shape_of(login: Login) -> Shape:
    """Return the texts of one login."""
    page, scan, confirm, redeem = (answer.body.decode() for answer in login.answers)
    shown, scanned, approved = login.messages
    ticket = str(json.loads(shown)["ticket"])
    texts = (page, shown, scanned, scan, approved, confirm, redeem)
    return Shape(*(text.replace(ticket, "{ticket}") for text in texts))
