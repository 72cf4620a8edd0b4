"""The checks of an authorization request, in their order.

Owns the table :data:`CHECKS` and what a request that passes becomes. Each row is one sentence of a specification and
one function; each says at which endpoints it holds, since a pushed request (RFC 9126) is the same request without a
browser. :func:`addressed` comes before all of them: until it has passed there is nowhere to send an error (attack T4).
Pure; called by the endpoints.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Flag, auto
from typing import Final, NamedTuple, TypeAlias

from msgspec import Struct

from bjidp.oidc import pkce, scopes
from bjidp.oidc.authorize.request import AuthorizationRequest, Prompt
from bjidp.oidc.client import Client, GrantType
from bjidp.oidc.errors import (
    InvalidRequest,
    InvalidScope,
    RedirectRefused,
    RegistrationNotSupported,
    RequestNotSupported,
    RequestUriNotSupported,
    UnauthorizedClient,
    UnmetAuthenticationRequirements,
    UnsupportedResponseType,
)
from bjidp.oidc.parameters import OPAQUE_MAX, Parameters
from bjidp.oidc.scopes import Scope
from bjidp.standing import Level

AGE_MAX: Final = 10**9
"""Seconds: thirty years are as good as no limit, and every larger number is the same."""


class At(Flag):
    """Where a check holds."""

    AUTHORIZE = auto()
    PUSHED = auto()


BOTH: Final = At.AUTHORIZE | At.PUSHED


class Asked(Struct, frozen=True):
    """A request under check, and who sent it."""

    client: Client
    parameters: Parameters

    def __repr__(self) -> str:
        return f"Asked(client={self.client.id!r})"


Check: TypeAlias = Callable[[Asked], None]


class Row(NamedTuple):
    """A check and where it holds."""

    check: Check
    at: At


def addressed(client: Client, parameters: Parameters) -> str:
    """Return where the answer goes; raise :class:`RedirectRefused` unless the client has registered that very text.

    OpenID Connect wants it in every request (Core, section 3.1.2.1), also from a client with one address alone.
    """
    address = parameters.get("redirect_uri")
    if address is None or not client.is_reached_at(address):
        raise RedirectRefused
    return address


def every_parameter_once(asked: Asked) -> None:
    """RFC 6749, section 3.1: parameters must not be included more than once."""
    asked.parameters.require_sound()


def a_client_that_uses_codes(asked: Asked) -> None:
    """RFC 6749, section 4.1.2.1: ``unauthorized_client``."""
    if GrantType.AUTHORIZATION_CODE not in asked.client.grants:
        raise UnauthorizedClient("this client is not registered for the authorization code grant")


def pushed_where_it_must_be(asked: Asked) -> None:
    """RFC 9126, section 6: a client that requires pushed requests has no others."""
    if asked.client.pushed_only:
        raise InvalidRequest("this client is registered to push its requests: send request_uri")


def a_code_and_nothing_else(asked: Asked) -> None:
    """RFC 9700, section 2.1.2: no response type puts tokens into addresses."""
    wanted = asked.parameters.require("response_type", "response_type is missing")
    if wanted != "code":
        raise UnsupportedResponseType("response_type must be code")


def in_the_query(asked: Asked) -> None:
    """OAuth 2.0 Multiple Response Types, section 2.1: the mode is the query, by default and by name."""
    if asked.parameters.get("response_mode") not in {None, "query"}:
        raise InvalidRequest("response_mode must be query")


def no_request_object(asked: Asked) -> None:
    """OpenID Connect Core, section 6.1: ``request_not_supported``."""
    if "request" in asked.parameters:
        raise RequestNotSupported("request objects are not supported: push the request instead (RFC 9126)")


def no_request_elsewhere(asked: Asked) -> None:
    """RFC 9126, section 2.1: a pushed request names no other; OpenID Connect Core, section 6.2, for the rest."""
    if "request_uri" in asked.parameters:
        raise RequestUriNotSupported("request_uri must be one that was given for a pushed request, and come alone")


def no_registration(asked: Asked) -> None:
    """OpenID Connect Core, section 7.2.1: ``registration_not_supported``."""
    if "registration" in asked.parameters:
        raise RegistrationNotSupported("clients are registered beforehand")


def scopes_of_this_client(asked: Asked) -> None:
    """OpenID Connect Core, section 3.1.2.1: ``openid`` is among them; RFC 6749, section 3.3, for those not allowed."""
    wanted = scopes.known(asked.parameters.words("scope"))
    if Scope.OPENID not in wanted:
        raise InvalidScope("scope must contain openid")
    if not all(map(asked.client.may_ask_for, wanted)):
        raise InvalidScope("scope has one that this client is not registered for")


def a_challenge(asked: Asked) -> None:
    """RFC 7636, section 4.4.1: ``invalid_request`` where proof is required (attack T6)."""
    challenge = asked.parameters.require("code_challenge", "code_challenge is missing: PKCE is required (RFC 7636)")
    if asked.parameters.get("code_challenge_method") != pkce.METHOD:
        raise InvalidRequest("code_challenge_method must be S256")
    if not pkce.is_challenge(challenge):
        raise InvalidRequest("code_challenge must be 43 characters of base64url")


def opaque_values_of_a_size(asked: Asked) -> None:
    """What is given back as it came has to fit into an address."""
    for name in ("state", "nonce"):
        if len(asked.parameters.get(name) or "") > OPAQUE_MAX:
            raise InvalidRequest("state and nonce have at most 1024 characters")


def prompts_that_go_together(asked: Asked) -> None:
    """OpenID Connect Core, section 3.1.2.1: ``none`` comes alone."""
    words = asked.parameters.words("prompt")
    if not set(words) <= set(Prompt):
        raise InvalidRequest("prompt knows none, login, consent and select_account")
    if Prompt.NONE in words and len(words) > 1:
        raise InvalidRequest("prompt none comes alone")


def an_age_in_seconds(asked: Asked) -> None:
    """OpenID Connect Core, section 3.1.2.1: ``max_age`` in seconds."""
    age = asked.parameters.get("max_age")
    if age is not None and not (age.isdecimal() and age.isascii()):
        raise InvalidRequest("max_age must be a number of seconds")


def a_level_there_is(asked: Asked) -> None:
    """``unmet_authentication_requirements``: a request that names levels names at least one that exists."""
    words = asked.parameters.words("acr_values")
    if words and not levels(words):
        raise UnmetAuthenticationRequirements("acr_values knows L1, L2, L3 and L4")


CHECKS: Final = (
    Row(every_parameter_once, BOTH),
    Row(no_request_object, BOTH),
    Row(no_request_elsewhere, BOTH),
    Row(no_registration, BOTH),
    Row(a_client_that_uses_codes, BOTH),
    Row(pushed_where_it_must_be, At.AUTHORIZE),
    Row(a_code_and_nothing_else, BOTH),
    Row(in_the_query, BOTH),
    Row(scopes_of_this_client, BOTH),
    Row(a_challenge, BOTH),
    Row(opaque_values_of_a_size, BOTH),
    Row(prompts_that_go_together, BOTH),
    Row(an_age_in_seconds, BOTH),
    Row(a_level_there_is, BOTH),
)
"""In the order in which a developer would want to hear of them: what kind of request it is, then what is in it."""


def checked(asked: Asked, at: At) -> AuthorizationRequest:
    """Return what is asked for; raise :class:`RedirectRefused`, or the first check's :class:`ProtocolError`."""
    redirect_uri = addressed(asked.client, asked.parameters)
    for row in CHECKS:
        if at in row.at:
            row.check(asked)
    return _read(asked, redirect_uri)


def _read(asked: Asked, redirect_uri: str) -> AuthorizationRequest:
    parameters = asked.parameters
    wanted = scopes.known(parameters.words("scope"))
    prompts = frozenset(map(Prompt, parameters.words("prompt")))
    if Prompt.CONSENT not in prompts or GrantType.REFRESH_TOKEN not in asked.client.grants:
        # OpenID Connect Core, section 11: without consent the scope is ignored.
        wanted = tuple(scope for scope in wanted if scope is not Scope.OFFLINE_ACCESS)
    age = parameters.get("max_age")
    return AuthorizationRequest(
        client=asked.client.id,
        redirect_uri=redirect_uri,
        scopes=wanted,
        challenge=parameters.require("code_challenge", "code_challenge is missing"),
        state=parameters.get("state"),
        nonce=parameters.get("nonce"),
        prompts=prompts,
        max_age=None if age is None else _seconds(age),
        level=max(asked.client.level, min(levels(parameters.words("acr_values")), default=Level.L1)),
    )


def _seconds(text: str) -> int:
    # A number of thousands of digits is none that int() would read in time.
    return AGE_MAX if len(text) > len(str(AGE_MAX)) else min(int(text), AGE_MAX)


def levels(words: tuple[str, ...]) -> tuple[Level, ...]:
    """Return the levels that ``acr_values`` names, the least first."""
    return tuple(level for level in Level if level.name in words)
