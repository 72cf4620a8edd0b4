"""The tokens of a mini-program session. Pure.

Owns how an access token (a JWT, RFC 7519, of a type and audience of its own: RFC 8725, section 3.11) and a refresh
token (opaque) are made and read. Both are derived from the session's id, its generation and its times: none is
stored, and the same generation always has the very same pair, so a lost answer can be given again.
"""

from __future__ import annotations

import hmac
import re

import jwt
import msgspec
from msgspec import Struct

from bjidp.clock import MINUTE, SECOND, Instant, Millis
from bjidp.entropy import base64url, from_base64url
from bjidp.errors import TokenInvalid
from bjidp.mac import MacKey
from bjidp.miniprogram.ports import MiniSession
from bjidp.secret import Secret

ACCESS_LIFETIME: Millis = 15 * MINUTE
AUDIENCE = "urn:bjidp:mp"
TYPE = "mp+jwt"

_ALGORITHM = "HS256"
_KEY_SIZE = 32
_REFRESH_LABEL = "bjidp.mp.refresh.v1"

# The last character of a 256-bit value carries four bits: one spelling of each token, no other decodes to it.
_MAC = r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"
_ACCESS = re.compile(rf"[A-Za-z0-9_-]{{1,512}}\.[A-Za-z0-9_-]{{1,1024}}\.{_MAC}")
_REFRESH = re.compile(rf"(?P<session>[A-Za-z0-9_-]{{22}})\.(?P<generation>[1-9][0-9]{{0,8}})\.(?P<mac>{_MAC})")
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +(\S+)")


class Tokens(Struct, frozen=True):
    """A pair of tokens; ``expires_in`` is what is left of the access token, in seconds."""

    access: str
    expires_in: int
    refresh: str


class Named(Struct, frozen=True):
    """What a genuine token names: a session and one generation of it. Whether that is alive, only the store knows."""

    session: str
    generation: int


class _Claims(Struct, frozen=True, forbid_unknown_fields=True):
    iss: str
    aud: str
    sid: str
    gen: int
    iat: int
    exp: int


_claims = msgspec.json.Decoder(_Claims)


class MiniTokens:
    """Makes and reads the tokens of mini-program sessions."""

    def __init__(self, issuer: str, access_key: Secret, refresh_key: Secret) -> None:
        """Use one key for each kind, of at least 256 bits, shared with no other token of the server.

        Raises :class:`ValueError` for a short key, or one key given twice.
        """
        if min(len(access_key.reveal()), len(refresh_key.reveal())) < _KEY_SIZE or access_key == refresh_key:
            raise ValueError("mini-program tokens need two different keys of at least 32 bytes")
        self._issuer = issuer
        self._access_key = access_key.reveal()
        self._access_mac_key = MacKey(self._access_key)
        self._refresh_key = MacKey(refresh_key.reveal())
        self._header = jwt.encode({}, self._access_key, _ALGORITHM, headers={"typ": TYPE}).partition(".")[0]

    def pair(self, session: MiniSession, now: Instant) -> Tokens:
        """Return the pair of the session's generation: always the same two tokens."""
        issued = session.rotated_at // SECOND
        expires = min(issued + ACCESS_LIFETIME // SECOND, session.expires_at // SECOND)
        access = jwt.encode(
            {
                "iss": self._issuer,
                "aud": AUDIENCE,
                "sid": session.id,
                "gen": session.generation,
                "iat": issued,
                "exp": expires,
            },
            self._access_key,
            algorithm=_ALGORITHM,
            headers={"typ": TYPE},
        )
        mac = self._refresh_mac(session.id, session.generation)
        return Tokens(
            access=access,
            expires_in=max(0, expires - now // SECOND),
            refresh=f"{session.id}.{session.generation}.{mac}",
        )

    def read_bearer(self, authorization: str | None, now: Instant) -> Named:
        """Read an ``Authorization`` field with a bearer token (RFC 6750, section 2.1); raise :class:`TokenInvalid`."""
        match = _BEARER.fullmatch(authorization or "")
        if match is None:
            raise TokenInvalid
        return self.read_access(match[1], now)

    def read_access(self, token: str, now: Instant) -> Named:
        """Return what an access token of ours names, if its time is not over; raise :class:`TokenInvalid`.

        Refused before anything is looked up: another algorithm, type, audience, issuer or key, a header or claim
        that we do not write, another spelling (attacks T3, Q27; RFC 8725, sections 3.1 and 3.11). Checked here and
        not by the library, which takes 30 µs to be ready for every kind of token; this one kind takes 4 µs.
        """
        if not _ACCESS.fullmatch(token):
            raise TokenInvalid
        signed, _, mac = token.rpartition(".")
        header, _, payload = signed.partition(".")
        # A header is never interpreted: it is the one that we write, or the token is not ours.
        if header != self._header or not hmac.compare_digest(mac, self._access_mac(signed)):
            raise TokenInvalid
        try:
            claims = _claims.decode(from_base64url(payload))
        except (ValueError, msgspec.DecodeError):
            raise TokenInvalid from None
        if claims.aud != AUDIENCE or claims.iss != self._issuer or now >= claims.exp * SECOND:
            raise TokenInvalid
        return Named(claims.sid, claims.gen)

    def read_refresh(self, token: str) -> Named:
        """Return what a refresh token of ours names; raise :class:`TokenInvalid`."""
        match = _REFRESH.fullmatch(token)
        if match is None:
            raise TokenInvalid
        session, generation = match["session"], int(match["generation"])
        if not hmac.compare_digest(match["mac"], self._refresh_mac(session, generation)):
            raise TokenInvalid
        return Named(session, generation)

    def _access_mac(self, signed: str) -> str:
        return base64url(self._access_mac_key.mac(signed.encode("ascii")))

    def _refresh_mac(self, session: str, generation: int) -> str:
        message = f"{_REFRESH_LABEL}|{session}|{generation}".encode()
        return base64url(self._refresh_key.mac(message))
