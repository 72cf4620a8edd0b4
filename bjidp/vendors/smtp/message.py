"""A mail as it goes over the wire (RFC 5322).

Owns the headers. Every value goes through the standard library's header types, which refuse a line break, so that no
value ever makes a header of its own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from bjidp.clock import SECOND, Instant
from bjidp.vendors.ports.mail import Mail


def composed(mail: Mail, *, sender: str, sender_name: str, now: Instant) -> bytes:
    """Return ``mail`` as bytes of ASCII; raise :class:`ValueError` for a value with a line break in it."""
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(sender_name, addr_spec=sender)
    message["To"] = Address(addr_spec=mail.to)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(datetime.fromtimestamp(now // SECOND, UTC))
    message["Message-ID"] = f"<{mail.reference}@{sender.rpartition('@')[2]}>"
    # So that nobody's holiday notice is sent in answer (RFC 3834, section 5).
    message["Auto-Submitted"] = "auto-generated"
    # Not every server on the way takes eight bits.
    message.set_content(mail.text, cte="base64")
    return message.as_bytes()
