"""How the protocol fails: one class for each error a relying party may be answered with.

Owns the error codes of OAuth and OpenID Connect and who may be told of them. A failure before it is certain where the
relying party is reached is a page for the person and never a redirect: an address that nobody registered is told
nothing (RFC 6749, section 4.1.2.1; attack T4). Descriptions are fixed texts in ASCII, for the relying party's
developer: what was sent is never repeated in them.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar

from bjidp.errors import BjidpError


class RelyingPartyUnknown(BjidpError):
    """No relying party has this ``client_id``: the person is told to go back to where they came from."""

    code = "relying_party_unknown"


class RedirectRefused(BjidpError):
    """The relying party has not registered the address it wants its user sent to; nobody is sent there."""

    code = "redirect_refused"


class ProtocolError(Exception):
    """A failure as the protocol tells it.

    ``error`` is its code, ``description`` says what to mend (RFC 6749, sections 4.1.2.1 and 5.2: printable ASCII
    without quotes and backslashes).
    """

    error: ClassVar[str]
    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST
    """What the token endpoint and its like answer; a redirect has no status of its own."""

    def __init__(self, description: str) -> None:
        """Say what to mend."""
        super().__init__(self.error, description)
        self.description = description


class InvalidRequest(ProtocolError):
    """A parameter is missing, repeated, malformed, or does not go with another."""

    error = "invalid_request"


class InvalidClient(ProtocolError):
    """The client is unknown, or did not prove who it is in its registered way: one and the same answer."""

    error = "invalid_client"
    status = HTTPStatus.UNAUTHORIZED


class InvalidGrant(ProtocolError):
    """The code or token is unknown, spent, revoked, over, or another client's: one and the same answer."""

    error = "invalid_grant"


class UnauthorizedClient(ProtocolError):
    """The client is not registered for this way."""

    error = "unauthorized_client"


class UnsupportedGrantType(ProtocolError):
    """There is no such way here."""

    error = "unsupported_grant_type"


class UnsupportedResponseType(ProtocolError):
    """Codes are all that is given at the authorization endpoint."""

    error = "unsupported_response_type"


class InvalidScope(ProtocolError):
    """The scope is none that this client may ask for."""

    error = "invalid_scope"


class AccessDenied(ProtocolError):
    """The person said no."""

    error = "access_denied"


class AuthorizationPending(ProtocolError):
    """Nobody has confirmed or refused yet (RFC 8628, section 3.5)."""

    error = "authorization_pending"


class SlowDown(ProtocolError):
    """Nobody has yet, and the device asks too often (RFC 8628, section 3.5)."""

    error = "slow_down"


class ExpiredToken(ProtocolError):
    """Nobody has, and the time of the device code is over (RFC 8628, section 3.5)."""

    error = "expired_token"


class LoginRequired(ProtocolError):
    """Nobody is logged in and no page may be shown (OpenID Connect Core, section 3.1.2.6)."""

    error = "login_required"


class ConsentRequired(ProtocolError):
    """The person has not agreed yet and no page may be shown (OpenID Connect Core, section 3.1.2.6)."""

    error = "consent_required"


class InteractionRequired(ProtocolError):
    """Something else has to be asked and no page may be shown (OpenID Connect Core, section 3.1.2.6)."""

    error = "interaction_required"


class UnmetAuthenticationRequirements(ProtocolError):
    """The level asked for cannot be reached (OpenID Connect Core Error Code unmet_authentication_requirements 1.0)."""

    error = "unmet_authentication_requirements"


class RequestNotSupported(ProtocolError):
    """A request object was sent (OpenID Connect Core, section 3.1.2.6)."""

    error = "request_not_supported"


class RequestUriNotSupported(ProtocolError):
    """A request object was named that is not one of our own pushed requests (OpenID Connect Core, section 3.1.2.6)."""

    error = "request_uri_not_supported"


class RegistrationNotSupported(ProtocolError):
    """A client described itself in its request (OpenID Connect Core, section 3.1.2.6)."""

    error = "registration_not_supported"


class InvalidRequestUri(ProtocolError):
    """The pushed request is unknown, used, over, or another client's: one and the same answer."""

    error = "invalid_request_uri"


class InvalidToken(ProtocolError):
    """The access token is unknown, over or revoked (RFC 6750, section 3.1): one and the same answer."""

    error = "invalid_token"
    status = HTTPStatus.UNAUTHORIZED
