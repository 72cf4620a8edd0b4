"""A request under way, and how it is seen by whoever comes with its name.

Owns what is kept of it between two pages. What is missing is never kept: it follows from this and from the session of
whoever comes. Called by ``authorizing`` and the pages of the authorization endpoint.
"""

from __future__ import annotations

from msgspec import Struct

from bjidp.clock import Instant
from bjidp.errors import BjidpError
from bjidp.oidc.authorize.prompting import Step
from bjidp.oidc.authorize.request import AuthorizationRequest
from bjidp.oidc.client import Client
from bjidp.organisations.organisation import Capacity


class RequestOver(BjidpError):
    """Nobody knows this request any more: the person begins again at the site they came from."""

    code = "authorization_over"


class Choice(Struct, frozen=True):
    """Whom somebody acts for in one request, said in one session: the key of a capacity, or None for themselves."""

    session: str
    capacity: str | None


class Pending(Struct, frozen=True):
    """A request under way, who has agreed to it, and whom they act for."""

    request: AuthorizationRequest
    begun_at: Instant
    agreed_by: str | None = None
    agreed_at: Instant | None = None
    choice: Choice | None = None
    kept_in: str | None = None
    """The session whose owner has said that they go on as who they are there."""


class Pushed(Struct, frozen=True):
    """A request that its client has pushed."""

    request: AuthorizationRequest


class Redirected(Exception):
    """The relying party is answered, at ``where``, and the person with it."""

    def __init__(self, where: str) -> None:
        """Say where the person goes."""
        super().__init__("to the relying party")
        self.where = where


class Whom(Struct, frozen=True, kw_only=True):
    """Whom a person acts for in a request at this moment."""

    capacity: Capacity | None = None
    """In what they act for an organisation; None for themselves, and until they have said."""
    said: bool = False
    """They have chosen, themselves or an organisation."""
    lapsed: bool = False
    """They have chosen an organisation, and cannot act for it any more."""
    chooses: bool = False
    """They have to choose."""


class Look(Struct, frozen=True):
    """A request as it is at this moment: for whom, and what is missing."""

    client: Client
    pending: Pending
    step: Step
    whom: Whom
