"""What an account is told through its other channels when something about it changed. Pure.

Owns the closed list; a notice is queued in the transaction of the change it tells of.
"""

from __future__ import annotations

from enum import StrEnum


class NoticeKind(StrEnum):
    """Why a notice is sent."""

    RECOVERED = "account.recovered"
    """Another phone was linked to the account by a face check; the message offers 不是我 (wire.md 3)."""

    LOCKED = "account.locked"
    """Staff have locked the account (OPS-7)."""

    UNLOCKED = "account.unlocked"
    """Staff have unlocked it."""

    LINK_LOST = "link.lost"
    """The platform identity that stood for the account stands for another account now."""

    IDENTITY_BOUND = "identity.bound"
    """The account has an identity, and had none; it was nobody else's (SES-2)."""

    IDENTITY_LOST = "identity.lost"
    """Another account has proved the identity better; it is that one's now (RNV-7)."""

    IDENTITY_TAKEN = "identity.taken"
    """The identity was another account's, and is this one's now (RNV-7)."""

    IDENTITY_EXCHANGED = "identity.exchanged"
    """The account is another person's identity by now (RNV-5)."""

    IDENTITY_UNBOUND = "identity.unbound"
    """The account has no identity any more (RNV-6)."""

    IDENTITY_WORN = "identity.worn"
    """The document has run out: the identity stays, and counts for nothing until it is proved anew (RNV-1)."""

    APPEAL_GRANTED = "appeal.granted"
    """Staff have given the account the identity it appealed for (RNV-8)."""

    APPEAL_REFUSED = "appeal.refused"
    """Staff have not (RNV-8)."""

    PASSWORD_CHANGED = "password.changed"
    """A password was set, changed or replaced by recovery (SES-2)."""

    PHONE_CHANGED = "phone.changed"
    """Another number is the account's now (SES-2)."""

    ORGANISATION_REGISTERED = "organisation.registered"
    """The account leads an organisation (ORG-1)."""

    ORGANISATION_LOST = "organisation.lost"
    """It leads one no more: the register names somebody else, or the organisation has ended (ORG-1)."""

    MANDATE_ACCEPTED = "mandate.accepted"
    """To the 法定代表人: somebody has taken a mandate of an organisation of theirs (ORG-2)."""

    MANDATE_TAKEN = "mandate.taken"
    """To the 经办人: the account has taken one."""

    MANDATE_ENDED = "mandate.ended"
    """To either side: the other one, or what became of the organisation, has ended it (ORG-2)."""

    EXTERNAL_LINKED = "external.linked"
    """A provider's user may log in to the account (LOG-4)."""

    EXTERNAL_UNLINKED = "external.unlinked"
    """None of that provider's may any more."""
