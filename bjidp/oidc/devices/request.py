"""What a device asks for (RFC 8628, section 3.1), and whether its client may.

Owns the checks of a device authorization request, in their order, and what a request that passes becomes: the facts
that are frozen into the ticket and compared when it is redeemed (attack Q19). Pure.

Who cannot keep a secret has to prove by PKCE that who redeems is who asked (attack Q20): nothing else ties to it a
device code that got out. A client that proves who it is at both ends need not, since the code is no use to anybody
else, and the ordinary device flow of libraries has no PKCE; one that sends a challenge is held to it.
"""

from __future__ import annotations

from typing import Final

from bjidp.clock import Millis
from bjidp.oidc.authorize.checks import (
    Asked,
    a_challenge,
    a_level_there_is,
    levels,
    scopes_of_this_client,
)
from bjidp.oidc.client import Client, GrantType, Proof
from bjidp.oidc.errors import InvalidRequest, UnauthorizedClient
from bjidp.oidc.grants import refreshing
from bjidp.oidc.parameters import Parameters
from bjidp.oidc.scopes import Scope, known
from bjidp.qrlogin.ticket import Device
from bjidp.standing import Level

FRAMES: Final = "frames"
"""The value of ``qr`` by which a client says that it draws rotating frames."""


def check(client: Client, parameters: Parameters) -> None:
    """Raise the first check's :class:`ProtocolError`."""
    parameters.require_sound()
    if GrantType.DEVICE_CODE not in client.grants:
        raise UnauthorizedClient("this client is not registered for the device grant")
    asked = Asked(client, parameters)
    scopes_of_this_client(asked)
    _require_challenge(asked)
    a_level_there_is(asked)
    if parameters.get("qr") not in {None, FRAMES}:
        raise InvalidRequest("qr knows frames")


def read(client: Client, parameters: Parameters, user_code: str, session_lifetime: Millis) -> Device:
    """Return what a request asks for that has passed :func:`check`."""
    wanted = known(parameters.words("scope"))
    if GrantType.REFRESH_TOKEN not in client.grants:
        wanted = tuple(scope for scope in wanted if scope is not Scope.OFFLINE_ACCESS)
    least = min(levels(parameters.words("acr_values")), default=Level.L1)
    return Device(
        client=client.id,
        scopes=tuple(scope.value for scope in wanted),
        challenge=parameters.get("code_challenge"),
        user_code=user_code,
        level=max(client.level, least),
        lifetime=refreshing.LONGEST if Scope.OFFLINE_ACCESS in wanted else session_lifetime,
        face=least > client.level,
        frames=parameters.get("qr") == FRAMES,
    )


def _require_challenge(asked: Asked) -> None:
    sent = "code_challenge" in asked.parameters or "code_challenge_method" in asked.parameters
    if sent or asked.client.proof is Proof.NONE:
        a_challenge(asked)
