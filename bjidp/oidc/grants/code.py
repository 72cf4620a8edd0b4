"""An authorization code: what it stands for, and its one exchange.

Owns the states of a code and the transition between them. A code that was exchanged is remembered until its time is
over, since a second exchange means that somebody else has it and ends what came of the first (RFC 6749, section 4.1.2;
attack T5). The machine decides, the store compares and sets: of twenty exchanges at once one writes, and the others
read what it wrote. Pure; called by the token endpoint.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias, assert_never

from msgspec import Struct
from msgspec.structs import replace

from bjidp.clock import SECOND, Instant, Millis
from bjidp.entropy import base64url
from bjidp.oidc import pkce
from bjidp.oidc.client import Interface
from bjidp.oidc.errors import InvalidGrant
from bjidp.oidc.scopes import Scope
from bjidp.standing import Level, Standing

LIFETIME: Final[Millis] = 60 * SECOND
"""How long a code may be exchanged (ASVS 10.4.3 asks for at most a minute at its highest level)."""

REMEMBERED: Final[Millis] = 600 * SECOND
"""How long a spent one is remembered: as long as RFC 6749 lets a code live at all."""

LIFE_OVER: Final = "the code is unknown, spent, over, or was given for another client, address or verifier"


OF_A_DEVICE: Final = "d."
"""What the sessions of device grants begin with, which no session of a browser does: they are named by their ticket."""


def of_ticket(digest: bytes) -> str:
    """Return the session of what came of a device ticket, given by a digest of it: 120 bits of that."""
    return OF_A_DEVICE + base64url(digest[:15])


_TICKETS: Final = re.compile(re.escape(OF_A_DEVICE) + r"[A-Za-z0-9_-]{20}")


def is_of_ticket(text: str) -> bool:
    """Tell whether ``text``, which anybody may have written, is the name of such a session (attack Q27)."""
    return _TICKETS.fullmatch(text) is not None


class Authentication(Struct, frozen=True):
    """How and when the person proved who they are, as tokens tell it."""

    at: Instant
    level: Level
    methods: tuple[str, ...]
    """Values of ``amr``, in the order in which they came."""


class Approval(Struct, frozen=True, kw_only=True):
    """What somebody agreed to, in one browser, for one relying party."""

    client: str
    account: str
    ref: str
    """The account in the audit log."""
    session: str
    epoch: int
    """The account's when they agreed: sessions that were ended since ended what they agreed to (ADR 0015)."""
    scopes: tuple[Scope, ...]
    authentication: Authentication
    nonce: str | None = None
    organisation: str | None = None
    """The key of the capacity in which they act for an organisation; None for themselves. It is a choice and no right:
    whether it counts is asked for whenever something is told."""
    confirmed_in: str | None = None
    """The session on whose page it was confirmed for a device; None where a phone did, and for what a browser has."""

    @property
    def is_of_a_device(self) -> bool:
        """Whether it was given to a device, on a phone or on a page."""
        return self.session.startswith(OF_A_DEVICE)

    def as_of(self, standing: Standing) -> Approval:
        """Return it at no higher level than its account is at by now: a document may have run out since."""
        level = min(self.authentication.level, standing.level)
        return replace(self, authentication=replace(self.authentication, level=level))

    def counts(self, standing: Standing) -> bool:
        """Tell whether nothing has ended it that its account's ``standing`` tells of.

        What a device was given has no session to end with: whatever ends sessions of its account ends it.
        """
        if self.is_of_a_device:
            return standing.epoch == self.epoch
        return standing.counts(self.session, self.epoch)


class Unspent(Struct, frozen=True, tag=True, kw_only=True):
    """A code that waits to be exchanged."""

    approval: Approval
    redirect_uri: str
    challenge: str
    issued_at: Instant
    interface: Interface = Interface.OPENID
    """What it was asked for by, and is exchanged by alone, whatever its client is by then."""

    def is_proved(self, redirect_uri: str | None, verifier: str | None) -> bool:
        """Tell whether who exchanges it has sent what its interface asks for besides the client's own proof."""
        if self.interface is Interface.OPENID:
            return self.redirect_uri == redirect_uri and pkce.answers(verifier, self.challenge)
        # The city's own interface knows no PKCE, and an address may be left out.
        return redirect_uri is None or self.redirect_uri == redirect_uri


class Spent(Struct, frozen=True, tag=True):
    """A code that was exchanged, and the grant that came of it."""

    client: str
    grant: str


State: TypeAlias = Unspent | Spent


class Code(Struct, frozen=True):
    """A code as it is kept."""

    state: State


class Replayed(Exception):
    """The code was exchanged already: ``grant`` has to end, whoever asks now (RFC 6749, section 4.1.2)."""

    def __init__(self, grant: str) -> None:
        """Name the grant."""
        super().__init__(grant)
        self.grant = grant


def exchanged(
    code: State | None,
    client: str,
    redirect_uri: str | None,
    verifier: str | None,
    grant: str,
    now: Instant,
    *,
    interface: Interface = Interface.OPENID,
) -> tuple[Approval, Spent]:
    """Return what the code was for, and the code as it is from now on: spent for ``grant``, by ``interface``.

    Raises :class:`InvalidGrant`, whatever of it does not fit, and :class:`Replayed`, which is answered the same way. A
    request that does not fit changes nothing: who holds neither verifier nor client cannot spend somebody's code.
    """
    match code:
        case Unspent():
            fits = (
                code.approval.client == client
                and code.interface is interface
                and code.is_proved(redirect_uri, verifier)
                and now - code.issued_at < LIFETIME
            )
            if not fits:
                raise InvalidGrant(LIFE_OVER)
            return code.approval, Spent(client, grant)
        case Spent(client=owner, grant=given):
            if owner != client:
                # Another client that got hold of a spent code must not be able to end somebody's tokens with it.
                raise InvalidGrant(LIFE_OVER)
            raise Replayed(given)
        case None:
            raise InvalidGrant(LIFE_OVER)
        case _:
            assert_never(code)
