"""A request of a site that is integrated with the city's own interface (RP-5).

Owns its checks. The interface knows no PKCE: whoever exchanges a code proves to be the client, to which the code is
bound, and a code is exchanged by the interface it was asked for by alone. Pure; called by the endpoints that sites send
their users to.
"""

from __future__ import annotations

from typing import Final

from bjidp.errors import FieldFault, InvalidRequest
from bjidp.oidc.authorize.request import AuthorizationRequest
from bjidp.oidc.client import Client, Interface
from bjidp.oidc.errors import RedirectRefused
from bjidp.oidc.parameters import OPAQUE_MAX, Parameters
from bjidp.oidc.scopes import Scope

SCOPE: Final = "user_info"

NAMES: Final = ("client_id", "response_type", "scope", "state")

IGNORED: Final = frozenset({"personToken", "localCheck"})
"""Whoever holds a text of that kind is not somebody who is logged in here; whatever it is, nothing looks at it."""


def read(client: Client, parameters: Parameters) -> AuthorizationRequest:
    """Return the request.

    Raises ``RedirectRefused`` for an address that is not registered to the letter, and ``InvalidRequest`` for anything
    else. All of it is a page: the interface knows no errors in addresses.
    """
    address = parameters.get("redirect_uri")
    if address is None or not client.is_reached_at(address):
        raise RedirectRefused
    faults = [FieldFault(name, "form") for name in NAMES if name in parameters.faulty]
    state = parameters.get("state")
    if state is None or len(state) > OPAQUE_MAX:
        # Without one, or with one that a stranger can choose, the site would take anybody's login for its user's.
        faults.append(FieldFault("state", "missing" if state is None else "form"))
    faults += [
        FieldFault(name, "unknown")
        for name, only in (("response_type", "code"), ("scope", SCOPE))
        if parameters.get(name) != only
    ]
    if faults or parameters.faulty - IGNORED:
        raise InvalidRequest(*faults)
    return AuthorizationRequest(
        client=client.id,
        redirect_uri=address,
        scopes=tuple(scope for scope in Scope if scope in client.scopes),
        interface=Interface.BEIJING,
        # It knows no PKCE, and no verifier answers this.
        challenge="",
        state=state,
        level=client.level,
    )
