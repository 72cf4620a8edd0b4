"""The keys that ID tokens are signed with, and when each of them counts.

Owns their making, their calendar and what others are told of them. A key follows from the root and the calendar: every
process has the same one at the same moment, none is stored, and none has to be handed on. One signs for :data:`PERIOD`;
it is published for :data:`AHEAD` before, so that who keeps our keys has it in time, and for :data:`BEHIND` after, so
that what it signed last is still verified (OpenID Connect Core, section 10.1.1). So it is while one root key takes
another's place: those of both are published, and the current one signs. A key that got out is given up by raising the
``series`` in the configuration: every key from then on is another one. Called by ``granting``, by ``logouts`` and by
the endpoint that publishes keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import Any, Final, TypeAlias

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct

from bjidp.clock import DAY, Instant, Millis
from bjidp.entropy import base64url

ALGORITHM: Final = "ES256"

PERIOD: Final[Millis] = 90 * DAY
"""How long one key signs."""

AHEAD: Final[Millis] = 7 * DAY
"""How long before it signs a key is published: who keeps our keys for a week has it in time."""

BEHIND: Final[Millis] = 2 * DAY
"""How long after it signed last a key is published: no token lives longer than a day."""

_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the group of P-256 (FIPS 186-5, SP 800-186 section 3.2.1.3)."""

_KEPT: Final = 8
"""Keys of one root that are kept made: those published, and what hints were signed with in the two years before."""

_CURRENT: Final = 0


Derive: TypeAlias = Callable[[str], bytes]


class _Key(Struct, frozen=True):
    id: str
    private: ec.EllipticCurvePrivateKey
    public: Mapping[str, str]


class SigningKeys:
    """Signs for one issuer. Shows no private key in any form."""

    def __init__(self, derive: Derive, series: int, others: Sequence[Derive] = ()) -> None:
        """``derive`` gives 32 bytes of key for a label; ``series`` is raised when a key got out.

        ``others`` do so under the root keys that are not the current one while one takes another's place: what they
        make is published and verified, and signs nothing.
        """
        self._derives = (derive, *others)
        self._series = series
        self._key: Callable[[int, int], _Key] = lru_cache(_KEPT * len(self._derives))(self._make)

    def __repr__(self) -> str:
        return f"SigningKeys(series={self._series})"

    def sign(self, claims: Mapping[str, object], kind: str, now: Instant) -> str:
        """Return ``claims`` as a JWT of type ``kind`` (RFC 8725, section 3.11), signed with the key that signs now."""
        key = self._key(_CURRENT, now // PERIOD)
        encoded: str = jwt.encode(dict(claims), key.private, ALGORITHM, headers={"typ": kind, "kid": key.id})
        return encoded

    def published(self, now: Instant) -> list[Mapping[str, str]]:
        """Return the public keys that count for somebody at this moment, the one that signs first (RFC 7517)."""
        current = now // PERIOD
        periods = dict.fromkeys((current, (now + AHEAD) // PERIOD, (now - BEHIND) // PERIOD))
        roots = range(len(self._derives))
        return [self._key(root, period).public for period in periods if period >= 0 for root in roots]

    def verified(self, text: str, kind: str, audience: str, issuer: str, now: Instant) -> dict[str, Any] | None:
        """Return the claims of a JWT of ours that was made for ``audience``, though its time may be over; else None.

        For the hints that clients give back (OpenID Connect Core, section 3.1.2.1; RP-Initiated Logout, section 2),
        which may have expired. Nothing is taken from the token to choose how it is verified (RFC 8725, section 3.1).
        """
        roots = range(len(self._derives))
        for root, period in product(roots, range(now // PERIOD, -1, -1)[:_KEPT]):
            try:
                claims: dict[str, Any] = jwt.decode(
                    text,
                    self._key(root, period).private.public_key(),
                    [ALGORITHM],
                    audience=audience,
                    issuer=issuer,
                    options={
                        "verify_exp": False,
                        "verify_iat": False,
                        "verify_nbf": False,
                        "require": ["sub", "aud", "iss", "iat"],
                    },
                )
            except jwt.PyJWTError:
                continue
            return claims if jwt.get_unverified_header(text).get("typ") == kind else None
        return None

    def _make(self, root: int, period: int) -> _Key:
        derive, label = self._derives[root], f"oidc/signing/{self._series}/{period}"
        # FIPS 186-5, A.2.1: far more bits than the order has, so that no scalar is likelier than another.
        drawn = int.from_bytes(derive(f"{label}/high") + derive(f"{label}/low"))
        private = ec.derive_private_key(drawn % (_ORDER - 1) + 1, ec.SECP256R1())
        numbers = private.public_key().public_numbers()
        x, y = (base64url(number.to_bytes(32)) for number in (numbers.x, numbers.y))
        # RFC 7638: the digest of the members that make the key, in this order and without blanks.
        thumbprint = hashlib.sha256(f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'.encode()).digest()
        key_id = base64url(thumbprint)
        public = {"kty": "EC", "crv": "P-256", "x": x, "y": y, "use": "sig", "alg": ALGORITHM, "kid": key_id}
        return _Key(key_id, private, public)
