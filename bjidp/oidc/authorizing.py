"""An authorization request from its arrival to its answer.

Owns what is kept while a person logs in, proves more or agrees: the request itself, by a name that the address of every
page in between carries. The name is no secret and proves nothing: what is missing is found out anew from the session of
whoever comes with it, an agreement counts for the account that gave it, and the answer goes to the relying party's own
address, in the browser of the person it is about, whose state the relying party compares. Called by the
pages of the authorization endpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias
from urllib.parse import urlencode, urlsplit

from msgspec.structs import replace

from bjidp.clock import MINUTE, SECOND, Instant, Millis
from bjidp.entropy import Entropy, token
from bjidp.errors import StoreUnavailable
from bjidp.oidc.authorize.checks import Asked, At, addressed, checked
from bjidp.oidc.authorize.pending import Choice, Look, Pending, Pushed, Redirected, RequestOver, Whom
from bjidp.oidc.authorize.prompting import Answer, Facts, Subject, next_step
from bjidp.oidc.authorize.request import AuthorizationRequest
from bjidp.oidc.client import Client, Interface
from bjidp.oidc.errors import (
    InvalidRequest,
    InvalidRequestUri,
    ProtocolError,
    RedirectRefused,
    RelyingPartyUnknown,
)
from bjidp.oidc.grants.code import Approval
from bjidp.oidc.grants.exchanging import Codes
from bjidp.oidc.parameters import Parameters
from bjidp.oidc.ports import ClientStore, ConsentStore, Subjects
from bjidp.oidc.scopes import Scope
from bjidp.organisations.ports import ActingFor
from bjidp.records import Records, StaleRecord

LIFETIME: Final[Millis] = 30 * MINUTE
"""How long a person may take to log in, to prove more and to agree."""

PUSHED: Final[Millis] = 90 * SECOND
"""How long a pushed request waits for its person (RFC 9126, section 2.2: a short time)."""

_ATTEMPTS: Final = 8
"""Presses of one button at once that are all answered."""

URN: Final = "urn:ietf:params:oauth:request_uri:"


Hints: TypeAlias = Callable[[str, str, Instant], str | None]
"""Returns the subject of an ID token, verified but for its time, that was made for a client; None if it was not."""


class Authorizing:
    """Takes requests and answers them."""

    def __init__(
        self,
        *,
        clients: ClientStore,
        consents: ConsentStore,
        codes: Codes,
        pending: Records[Pending],
        pushed: Records[Pushed],
        acting: ActingFor,
        subjects: Subjects,
        hints: Hints,
        entropy: Entropy,
        issuer: str,
    ) -> None:
        """Answer as ``issuer``; ``hints`` tells whom an ID token of ours names to a client."""
        self._clients = clients
        self._consents = consents
        self._codes = codes
        self._pending = pending
        self._pushed = pushed
        self._acting = acting
        self._subjects = subjects
        self._hints = hints
        self._entropy = entropy
        self._issuer = issuer

    async def push(self, client: Client, parameters: Parameters, now: Instant) -> str:
        """Keep a request that its client pushes; return the ``request_uri`` for it (RFC 9126).

        Raises :class:`ProtocolError`, also for an address that is not registered: here the client itself is told.
        """
        if "request_uri" in parameters:
            raise InvalidRequestUri("a pushed request names no other")
        try:
            request = self._checked(client, parameters, At.PUSHED, now)
        except RedirectRefused:
            # Nobody is on their way yet, and who asks has proved to be the client: it may know.
            raise InvalidRequest("redirect_uri is missing, or not one that was registered, to the letter") from None
        name = token(self._entropy, 256)
        await self._pushed.add(name, Pushed(request), PUSHED)
        return URN + name

    async def begin(self, parameters: Parameters, now: Instant) -> str:
        """Take a request from a browser; return the name it is kept under.

        Raises :class:`RelyingPartyUnknown` and ``RedirectRefused`` where nobody may be sent anywhere, and
        :class:`Redirected` with what is wrong, once it is certain where the relying party is.
        """
        client_id = parameters.get("client_id")
        found = None if client_id is None else await self._clients.find(client_id)
        if found is None or found.client.interface is not Interface.OPENID:
            raise RelyingPartyUnknown
        client = found.client
        named = parameters.get("request_uri")
        if named is not None and named.startswith(URN):
            request = await self._taken(client, named.removeprefix(URN))
        else:
            where = addressed(client, parameters)
            try:
                request = self._checked(client, parameters, At.AUTHORIZE, now)
            except ProtocolError as error:
                raise Redirected(self._refusal(where, parameters.get("state"), error)) from None
        return await self.admit(request, now)

    async def admit(self, request: AuthorizationRequest, now: Instant) -> str:
        """Keep a request that passed the checks of its interface; return the name it is kept under."""
        name = token(self._entropy, 128)
        await self._pending.add(name, Pending(request, now), LIFETIME)
        return name

    async def look(self, name: str, subject: Subject | None, now: Instant) -> Look:
        """Return what is missing for whoever comes with the name of a request.

        Raises :class:`RequestOver`, and :class:`Redirected` where no page may be shown.
        """
        held = await self._pending.get(name)
        if held is None:
            raise RequestOver
        pending = held.value
        client = await self._client(pending.request.client)
        if subject is not None:
            subject = replace(subject, agreed=await self._consents.agreed(subject.account, client.id))
        mine = subject is not None and pending.agreed_by == subject.account
        whom = await self._whom(pending, subject)
        facts = Facts(
            subject=subject,
            begun_at=pending.begun_at,
            agreed_at=pending.agreed_at if mine else None,
            stranger=not await self._is_expected(pending.request, subject, client),
            kept=subject is not None and pending.kept_in == subject.session,
            chooses=whom.chooses,
        )
        try:
            return Look(client, pending, next_step(pending.request, facts, now), whom)
        except ProtocolError as error:
            raise Redirected(self._refused(pending.request, error)) from None

    async def agree(self, name: str, account: str, now: Instant) -> None:
        """Note that ``account`` agrees to what is asked; raise :class:`RequestOver`."""
        held = await self._pending.get(name)
        if held is None:
            raise RequestOver
        remembered = frozenset(held.value.request.scopes) - {Scope.OFFLINE_ACCESS}
        await self._consents.agree(account, held.value.request.client, remembered, now)
        await self._change(name, lambda pending: replace(pending, agreed_by=account, agreed_at=now))

    async def choose(self, name: str, choice: Choice | None) -> None:
        """Note whom somebody acts for, who may at this moment; None to ask them anew. Raises :class:`RequestOver`."""
        await self._change(name, lambda pending: replace(pending, choice=choice))

    async def keep(self, name: str, session: str) -> None:
        """Note that the owner of a session goes on as who they are there; raise :class:`RequestOver`."""
        await self._change(name, lambda pending: replace(pending, kept_in=session))

    async def refuse(self, name: str, error: ProtocolError) -> str:
        """End a request with ``error``; return where the person goes. Raises :class:`RequestOver`."""
        pending = await self._pending.take(name)
        if pending is None:
            raise RequestOver
        return self._refused(pending.request, error)

    async def answer(self, name: str, look: Look, approval: Approval, now: Instant) -> str:
        """Give a code for ``approval``, once; return where the person goes with it. Raises :class:`RequestOver`."""
        assert isinstance(look.step, Answer)  # noqa: S101 - a page that asks for it too early is a mistake of ours
        # Of two tabs that are ready at once one takes the request, and the relying party hears of one.
        pending = await self._pending.take(name)
        if pending is None:
            raise RequestOver
        request = pending.request
        where, by = request.redirect_uri, request.interface
        code = await self._codes.give(approval, where, request.challenge, now, interface=by)
        return self._to(request, {"code": code, "state": request.state})

    def _checked(self, client: Client, parameters: Parameters, at: At, now: Instant) -> AuthorizationRequest:
        request, hint = checked(Asked(client, parameters), at), parameters.get("id_token_hint")
        if hint is None:
            return request
        expected = self._hints(hint, client.id, now)
        if expected is None:
            raise InvalidRequest("id_token_hint is no ID token that this client was given")
        return replace(request, hint=expected)

    async def _is_expected(self, request: AuthorizationRequest, subject: Subject | None, client: Client) -> bool:
        if request.hint is None or subject is None:
            return True
        return await self._subjects.subject(subject.account, client.subject_sector) == request.hint

    async def _change(self, name: str, change: Callable[[Pending], Pending]) -> None:
        for _ in range(_ATTEMPTS):
            held = await self._pending.get(name)
            if held is None:
                raise RequestOver
            try:
                await self._pending.replace(name, change(held.value), held.version)
            except StaleRecord:
                # A button pressed twice: both say the same, and the answer to the second is the one that is shown.
                continue
            return
        raise StoreUnavailable

    async def _whom(self, pending: Pending, subject: Subject | None) -> Whom:
        if subject is None or Scope.ORGANISATION not in pending.request.scopes:
            return Whom()
        choice = pending.choice
        # Of this very session: a login that may act for nobody goes on with no other login's choice.
        if choice is None or choice.session != subject.session:
            return Whom(chooses=bool(await self._acting.open_to(subject.account)))
        if choice.capacity is None:
            return Whom(said=True)
        capacity = await self._acting.counting(subject.account, choice.capacity)
        return Whom(capacity=capacity, said=True) if capacity is not None else Whom(lapsed=True, chooses=True)

    async def _taken(self, client: Client, name: str) -> AuthorizationRequest:
        pushed = await self._pushed.take(name)
        if pushed is None or pushed.request.client != client.id:
            # Where it would have gone is known to nobody any more: the person is told to begin again.
            raise RequestOver
        return pushed.request

    async def _client(self, client_id: str) -> Client:
        found = await self._clients.find(client_id)
        if found is None:
            raise RelyingPartyUnknown
        return found.client

    def _refusal(self, where: str, state: str | None, error: ProtocolError) -> str:
        return self._at(where, {"error": error.error, "error_description": error.description, "state": state})

    def _refused(self, request: AuthorizationRequest, error: ProtocolError) -> str:
        answer = {"error": error.error, "error_description": error.description, "state": request.state}
        return self._to(request, answer)

    def _to(self, request: AuthorizationRequest, members: dict[str, str | None]) -> str:
        if request.interface is Interface.OPENID:
            return self._at(request.redirect_uri, members)
        # The city's own interface knows no issuer.
        return _with(request.redirect_uri, members)

    def _at(self, where: str, members: dict[str, str | None]) -> str:
        """Return the address with the members of an answer, and who answers (RFC 9207)."""
        return _with(where, members | {"iss": self._issuer})


def _with(where: str, members: dict[str, str | None]) -> str:
    given = {name: value for name, value in members.items() if value is not None}
    return f"{where}{'&' if urlsplit(where).query else '?'}{urlencode(given)}"
