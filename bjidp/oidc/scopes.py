"""What a relying party may read, in the units a person agrees to.

Owns the scopes and the claims each of them stands for. The consent page names them by ``oidc.scope.<scope>`` in the
catalogue; userinfo gives the claims of those that were agreed to. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final


class Scope(StrEnum):
    """The scopes there are (OpenID Connect Core, section 5.4; the last two are this server's own)."""

    OPENID = "openid"
    PROFILE = "profile"
    """The username and the masked name."""
    EMAIL = "email"
    PHONE = "phone"
    IDENTITY = "identity"
    """The proved person: whole name, kind and number of the document."""
    ORGANISATION = "organisation"
    """The organisation somebody acts for, if they choose one, and who acts."""
    OFFLINE_ACCESS = "offline_access"
    """To go on reading while the person is away: a refresh token (OpenID Connect Core, section 11)."""


class Claim(StrEnum):
    """The claims that scopes stand for."""

    PREFERRED_USERNAME = "preferred_username"
    NICKNAME = "nickname"
    EMAIL = "email"
    EMAIL_VERIFIED = "email_verified"
    PHONE_NUMBER = "phone_number"
    PHONE_NUMBER_VERIFIED = "phone_number_verified"
    NAME = "name"
    GENDER = "gender"
    BIRTHDATE = "birthdate"
    DOCUMENT_TYPE = "document_type"
    DOCUMENT_NUMBER = "document_number"
    ORGANISATION = "organisation"
    ACT = "act"


CLAIMS: Final[dict[Scope, tuple[Claim, ...]]] = {
    Scope.OPENID: (),
    Scope.PROFILE: (Claim.PREFERRED_USERNAME, Claim.NICKNAME),
    Scope.EMAIL: (Claim.EMAIL, Claim.EMAIL_VERIFIED),
    Scope.PHONE: (Claim.PHONE_NUMBER, Claim.PHONE_NUMBER_VERIFIED),
    Scope.IDENTITY: (Claim.NAME, Claim.GENDER, Claim.BIRTHDATE, Claim.DOCUMENT_TYPE, Claim.DOCUMENT_NUMBER),
    Scope.ORGANISATION: (Claim.ORGANISATION, Claim.ACT),
    Scope.OFFLINE_ACCESS: (),
}

USER_INFO: Final = frozenset({Scope.OPENID, Scope.PROFILE, Scope.EMAIL, Scope.PHONE, Scope.IDENTITY})
"""What the city's own interface reads, which has one scope for all of it (``user_info``)."""

_KNOWN: Final = {str(scope): scope for scope in Scope}


def known(words: Iterable[str]) -> tuple[Scope, ...]:
    """Return the scopes among ``words``; others are ignored (OpenID Connect Core, section 3.1.2.1)."""
    return tuple(_KNOWN[word] for word in words if word in _KNOWN)


def claims_of(scopes: Iterable[Scope]) -> tuple[Claim, ...]:
    """Return what somebody who was granted ``scopes`` may read."""
    return tuple(claim for scope in scopes for claim in CLAIMS[scope])
