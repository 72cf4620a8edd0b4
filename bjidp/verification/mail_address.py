"""Mail addresses, in the one form that is counted and compared. Pure.

Owns the form: the dot-atom of RFC 5321 at a domain of ASCII letters. Quoted local parts, comments and address literals
are nobody's. A domain in other letters is refused: two of them may look the same, and whoever has one knows its
``xn--``.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from bjidp.verification.typed import FULL_WIDTH, INVISIBLE

ADDRESS_MAX: Final = 254
"""RFC 5321, section 4.5.3.1.3, less the angle brackets."""

LOCAL_MAX: Final = 64

_ATOM: Final = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN: Final = re.compile(rf"(?:{_LABEL}\.)+(?!\d+\Z){_LABEL}", re.ASCII)

_PLAIN: Final = FULL_WIDTH | dict.fromkeys(map(ord, INVISIBLE))


class MailAddress(Struct, frozen=True):
    """A mail address; :func:`mail_address` makes it."""

    text: str

    def __repr__(self) -> str:
        """Show that there is one: the value is personal."""
        return "MailAddress(***)"

    @property
    def domain(self) -> str:
        """Where the mailbox is."""
        return self.text.rpartition("@")[2]

    @property
    def mailbox(self) -> str:
        """What limits count: with or without a tag after ``+`` it is the same person's (attack O11)."""
        local = self.text.rpartition("@")[0]
        return f"{local.partition('+')[0]}@{self.domain}"


def mail_address(text: str) -> MailAddress | None:
    """Read an address as people write it; None when it is none.

    Case is lost. RFC 5321 leaves that of the local part to its host, but none tells two mailboxes apart by it, and
    each spelling would have limits of its own.
    """
    plain = text.translate(_PLAIN).strip()
    if not plain.isascii() or len(plain) > ADDRESS_MAX:
        return None
    local, at, domain = plain.lower().rpartition("@")
    if not at or len(local) > LOCAL_MAX or _LOCAL.fullmatch(local) is None or _DOMAIN.fullmatch(domain) is None:
        return None
    return MailAddress(f"{local}@{domain}")
