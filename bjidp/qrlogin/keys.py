"""Values that are derived, never stored: frame keys, grants, confirm tokens.

Owns their derivation. A copy of the ticket store gives none of them away, since each needs a key that never leaves
the processes. Each kind has a server key of its own, so a value of one kind is never good as another.
"""

from __future__ import annotations

import msgspec

from bjidp.entropy import base64url
from bjidp.mac import MacKey, mac_once
from bjidp.qrlogin.policy import Purpose
from bjidp.qrlogin.ticket import Approved, Holder, Ticket
from bjidp.secret import Secret


class QrKeys:
    """Derives by HMAC-SHA256 over length-framed parts, so that no two lists of parts read the same."""

    def __init__(self, root: Secret) -> None:
        """Split ``root`` (at least 256 bits) into a key for each kind."""
        if len(root.reveal()) < 32:  # noqa: PLR2004 - 256 bits
            raise ValueError("the QR root key needs 256 bits")
        self._frame = _split(root, "frame")
        self._grant = _split(root, "grant")
        self._confirm = _split(root, "confirm")

    def frame_key(self, purpose: Purpose, ticket: str) -> bytes:
        """Return the key a page makes its frames with."""
        return _derive(self._frame, purpose, ticket)

    def grant(self, ticket: Ticket, approved: Approved, browser: str) -> str:
        """Return the grant of an approval: 256 bits, bound to ticket, browser record, account, scan and time."""
        approval = (approved.holder.account, str(approved.scans), str(approved.at))
        return base64url(_derive(self._grant, ticket.purpose, ticket.id, browser, *approval))

    def confirm_token(self, ticket: Ticket, holder: Holder, scans: int) -> str:
        """Return the confirm token of one scan: 256 bits, bound to ticket, account and platform link (attack Q12)."""
        return base64url(_derive(self._confirm, ticket.purpose, ticket.id, holder.account, holder.link, str(scans)))


def _split(root: Secret, kind: str) -> MacKey:
    return MacKey(mac_once(root.reveal(), f"bjidp.qr.{kind}".encode("ascii")))


_frame = msgspec.msgpack.Encoder().encode
"""Every text after its length (MessagePack, "str format family"): no two lists of texts give the same bytes."""


def _derive(key: MacKey, *parts: str) -> bytes:
    return key.mac(_frame(parts))
