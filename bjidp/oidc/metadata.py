"""Registration metadata of a relying party (RFC 7591), read into a :class:`Client`.

Owns what may be registered, and tells every fault at once with the name of its member: whoever registers a site
corrects one file once. Pure; called by the command that adds clients, and by the store that reads them again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final
from urllib.parse import urljoin, urlsplit

from bjidp.oidc.addresses import LOOPBACK
from bjidp.oidc.beijing.sealing import is_secret
from bjidp.oidc.client import DEFAULT_GRANTS, Client, GrantType, Interface, Proof, SubjectType
from bjidp.oidc.members import Json, Members, MetadataRefused
from bjidp.oidc.public_keys import KeyRefused, public_key
from bjidp.oidc.scopes import USER_INFO, Scope
from bjidp.oidc.signing import ALGORITHM
from bjidp.standing import Level

NAME_MAX: Final = 40
"""Characters of a name: it has to fit on a phone, beside what it asks for."""

KEYS_MAX: Final = 8
"""Public keys: one that signs and those before and after it, of more than one machine."""

ADDRESSES_MAX: Final = 32

_ELSEWHERE: Final = "means nothing for this interface"
_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]|[\u0300-\u036f\u20d0-\u20ff]{2}"
)
"""What is printable and nothing to see (the letters that Unicode calls default ignorable, and an empty pattern of
Braille), or covers what stands around it: two sites that look alike, or one that has no name."""
_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,22}")

KNOWN: Final = frozenset(
    {
        "client_name", "client_uri", "redirect_uris", "post_logout_redirect_uris", "backchannel_logout_uri",
        "backchannel_logout_session_required",
        "grant_types", "response_types", "token_endpoint_auth_method", "jwks", "scope", "subject_type",
        "sector_identifier_host", "default_acr_values", "require_pushed_authorization_requests",
        "application_type", "id_token_signed_response_alg", "token_endpoint_auth_signing_alg", "contacts",
        "software_id", "software_version", "interface",
    }
)  # fmt: skip
"""The members that mean something here: RFC 7591, OpenID Connect Registration, RFC 9126; a host in place of
``sector_identifier_uri``, which would have to be fetched. Those of the last two lines change nothing: they say what is
so for every client, or whom to ask about it, but for ``interface``, for sites that are integrated with the city's own.
Any other is a fault: it would be believed and not kept."""

INSTEAD: Final = {
    "jwks_uri": "is never fetched: write the keys into jwks",
    "sector_identifier_uri": "is never fetched: write the host into sector_identifier_host",
    "client_id": "is given by the server",
    "client_secret": "is given by the server",
}
"""What to write in place of members that others take."""

BEIJING: Final = frozenset(
    {
        "client_name", "client_uri", "redirect_uris", "sector_identifier_host", "default_acr_values", "interface",
        "client_id", "client_secret",
    }
)  # fmt: skip
"""The members that mean something for the interface ``beijing``, which says itself what is read and how. A site that is
integrated already keeps the id and the secret it has (RP-5)."""


def is_client_id(text: str) -> bool:
    """Tell whether a client may have this id, whose words pass a Basic header, an address and a shell unchanged."""
    return _CLIENT_ID.fullmatch(text) is not None


def read(client_id: str, metadata: Json) -> Client:
    """Return the client; raise :class:`MetadataRefused` with everything that is wrong."""
    reading = _Reading(metadata)
    interface = reading.choice("interface", Interface, Interface.OPENID)
    for member in sorted(set(metadata) - (KNOWN if interface is Interface.OPENID else BEIJING)):
        reading.fault(member, INSTEAD.get(member, "means nothing here") if member not in KNOWN else _ELSEWHERE)
    if interface is Interface.BEIJING:
        client_id = reading.kept("client_id", is_client_id, "must be 1 to 22 letters, digits, _ and -") or client_id
        reading.kept("client_secret", is_secret, "must be 32 digits of hexadecimal, in small letters")
    grants = reading.grants() if interface is Interface.OPENID else DEFAULT_GRANTS
    redirects = reading.addresses("redirect_uris")
    if GrantType.AUTHORIZATION_CODE in grants and not redirects:
        reading.fault("redirect_uris", "must name at least one address for the authorization code grant")
    proof = reading.choice("token_endpoint_auth_method", Proof, Proof.CLIENT_SECRET_BASIC)
    home = reading.home(redirects)
    client = Client(
        id=client_id,
        name=reading.name(),
        home=home,
        redirect_uris=redirects,
        post_logout_redirect_uris=reading.addresses("post_logout_redirect_uris"),
        backchannel_logout_uri=reading.backchannel(),
        logout_by_session=reading.logout_by_session(),
        grants=grants,
        proof=proof,
        keys=reading.keys(needed=proof is Proof.PRIVATE_KEY_JWT),
        scopes=reading.scopes(grants) if interface is Interface.OPENID else USER_INFO,
        interface=interface,
        subjects=reading.choice("subject_type", SubjectType, SubjectType.PAIRWISE),
        # No host is called so.
        sector=reading.sector(redirects, home) or f"id:{client_id}",
        level=reading.level(),
        pushed_only=reading.flag("require_pushed_authorization_requests"),
    )
    reading.require_what_is_so()
    if reading.faults:
        raise MetadataRefused(reading.faults)
    return client


class _Reading(Members):
    """What each member means."""

    def name(self) -> str:
        name = self.text("client_name", "")
        if not name.strip() or len(name) > NAME_MAX or not name.isprintable():
            self.fault("client_name", f"must be 1 to {NAME_MAX} printable characters")
        elif _UNSEEN.search(name):
            self.fault("client_name", "must have no letters that nobody sees, nor marks upon marks")
        return name

    def home(self, redirects: Sequence[str]) -> str:
        """Return the site's own address, by default the front page of where its users are sent back to."""
        if "client_uri" in self._metadata or not redirects:
            text = self.text("client_uri", "")
            if not text and not self.is_faulty("redirect_uris"):
                self.fault("client_uri", "is needed where there are no redirect_uris")
            return text if text and self.is_address("client_uri", text) else ""
        return urljoin(redirects[0], "/")

    def kept(self, member: str, fits: Callable[[str], bool], words: str) -> str:
        """Return what a site keeps of what it was given elsewhere; nothing where it is given it here."""
        text = self.text(member, "")
        if text and not fits(text):
            self.fault(member, words)
        return text

    def grants(self) -> frozenset[GrantType]:
        found = frozenset(self.choices("grant_types", GrantType, DEFAULT_GRANTS))
        if found == {GrantType.REFRESH_TOKEN}:
            self.fault("grant_types", "must name a way to the first token besides refresh_token")
        return found

    def scopes(self, grants: Collection[GrantType]) -> frozenset[Scope]:
        words = self.text("scope", str(Scope.OPENID)).split()
        unknown = sorted(set(words) - set(map(str, Scope)))
        if unknown or Scope.OPENID not in words:
            self.fault("scope", f"must contain openid, and knows {' '.join(Scope)}")
            return frozenset({Scope.OPENID})
        if (
            Scope.OFFLINE_ACCESS in words
            and GrantType.REFRESH_TOKEN not in grants
            and not self.is_faulty("grant_types")
        ):
            # People would be asked for something that the site is never given.
            self.fault("scope", "offline_access means nothing without refresh_token in grant_types")
        return frozenset(map(Scope, words))

    def level(self) -> Level:
        words = self.texts("default_acr_values", ())
        names = {level.name: level for level in Level}
        if not set(words) <= set(names):
            self.fault("default_acr_values", f"knows {' '.join(names)}")
            return Level.L1
        return min((names[word] for word in words), default=Level.L1)

    def sector(self, redirects: Sequence[str], home: str) -> str:
        """Return the host that subjects are made under (OpenID Connect Core, section 8.1).

        Nothing where it is this machine, and nobody has said that it shall be that: every app with an address on its
        user's own machine would know people by one name, whoever made it.
        """
        hosts = {urlsplit(address).hostname or "" for address in redirects} or {urlsplit(home).hostname or ""}
        stated = self.text("sector_identifier_host", "")
        if stated:
            if stated not in hosts:
                self.fault("sector_identifier_host", "must be the host of one of redirect_uris")
            return stated
        if hosts <= LOOPBACK:
            return ""
        if len(hosts) > 1:
            self.fault("sector_identifier_host", "is needed, since redirect_uris have several hosts")
        return min(hosts)

    def backchannel(self) -> str | None:
        text = self.text("backchannel_logout_uri", "")
        return text if text and self.is_address("backchannel_logout_uri", text) else None

    def logout_by_session(self) -> bool:
        asked = self.flag("backchannel_logout_session_required")
        if asked and not self._metadata.get("backchannel_logout_uri"):
            self.fault("backchannel_logout_session_required", "means nothing without backchannel_logout_uri")
        return asked

    def addresses(self, member: str) -> tuple[str, ...]:
        found = self.texts(member, ())
        if len(found) > ADDRESSES_MAX or len(set(found)) != len(found):
            self.fault(member, f"must be at most {ADDRESSES_MAX} addresses, each once")
        return tuple(text for text in found if self.is_address(member, text))

    def keys(self, *, needed: bool) -> tuple[dict[str, str], ...]:
        """Return the public keys of ``jwks``."""
        stated = self._metadata.get("jwks")
        if stated is None:
            if needed:
                self.fault("jwks", "is needed for private_key_jwt")
            return ()
        found = stated.get("keys") if isinstance(stated, Mapping) else None
        if not isinstance(found, Sequence) or isinstance(found, str) or not 1 <= len(found) <= KEYS_MAX:
            self.fault("jwks", f"must have 1 to {KEYS_MAX} keys")
            return ()
        try:
            return tuple(public_key(each) for each in found)
        except KeyRefused as refused:
            self.fault("jwks", str(refused))
            return ()

    def require_what_is_so(self) -> None:
        """Look at what can be said and not chosen."""
        if set(self.texts("response_types", ("code",))) != {"code"}:
            self.fault("response_types", "must be code")
        for member in ("id_token_signed_response_alg", "token_endpoint_auth_signing_alg"):
            if self.text(member, ALGORITHM) != ALGORITHM:
                self.fault(member, f"must be {ALGORITHM}")
        if self.text("application_type", "web") not in {"web", "native"}:
            self.fault("application_type", "must be web or native")
        self.texts("contacts", ())
        for member in ("software_id", "software_version"):
            self.text(member, "")
