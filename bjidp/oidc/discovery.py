"""What the provider says of itself (OpenID Connect Discovery 1.0, section 3; RFC 8414).

Owns the document and the addresses in it. It promises what there is and nothing else. Pure; served by the endpoint that
libraries ask first.
"""

from __future__ import annotations

from typing import Final

from bjidp.oidc import pkce
from bjidp.oidc.authorize.request import Prompt
from bjidp.oidc.client import GrantType, Proof, SubjectType
from bjidp.oidc.scopes import Scope, claims_of
from bjidp.oidc.signing import ALGORITHM
from bjidp.site import Site
from bjidp.standing import Level

AUTHORIZE: Final = "/oauth/authorize"
PUSH: Final = "/oauth/par"
TOKEN: Final = "/oauth/token"  # noqa: S105 - an address
DEVICE: Final = "/oauth/device"
DEVICE_CHANNEL: Final = "/oauth/device/channel"
USERINFO: Final = "/oauth/userinfo"
LOGOUT: Final = "/oauth/logout"
REVOKE: Final = "/oauth/revoke"
INTROSPECT: Final = "/oauth/introspect"
KEYS: Final = "/oauth/keys"

ALWAYS: Final = ("sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid")


def document(site: Site) -> dict[str, object]:
    """Return the metadata of the provider at ``site``, whose address is the issuer."""
    proofs = [proof.value for proof in Proof]
    confidential = [proof for proof in proofs if proof != Proof.NONE]
    return {
        "issuer": site.url,
        "authorization_endpoint": site.url + AUTHORIZE,
        "pushed_authorization_request_endpoint": site.url + PUSH,
        "token_endpoint": site.url + TOKEN,
        "device_authorization_endpoint": site.url + DEVICE,
        # This server's own: who waits here is told at once what a device's code comes to (wire.md, section 2).
        "bjidp_device_channel_endpoint": site.url.replace("http", "ws", 1) + DEVICE_CHANNEL,
        "userinfo_endpoint": site.url + USERINFO,
        "revocation_endpoint": site.url + REVOKE,
        "introspection_endpoint": site.url + INTROSPECT,
        "jwks_uri": site.url + KEYS,
        "scopes_supported": [scope.value for scope in Scope],
        "claims_supported": [*ALWAYS, *(claim.value for claim in claims_of(Scope))],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [way.value for way in GrantType],
        "subject_types_supported": [kind.value for kind in SubjectType],
        "acr_values_supported": [level.name for level in Level],
        "prompt_values_supported": [prompt.value for prompt in Prompt],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "code_challenge_methods_supported": [pkce.METHOD],
        "token_endpoint_auth_methods_supported": proofs,
        "token_endpoint_auth_signing_alg_values_supported": [ALGORITHM],
        "revocation_endpoint_auth_methods_supported": proofs,
        "introspection_endpoint_auth_methods_supported": confidential,
        "authorization_response_iss_parameter_supported": True,
        "end_session_endpoint": site.url + LOGOUT,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "require_pushed_authorization_requests": False,
        "ui_locales_supported": ["zh-CN"],
    }
