"""Where relying parties send their users: a login, an agreement, and the way back (LOG-8).

Owns ``/oauth/authorize`` and ``/oauth/continue``, and the latter under ``/h5``. Nothing is decided here: each opening
of the page asks what is missing at that moment, and leads to whoever is to ask for it.
"""

from __future__ import annotations

import re
from typing import Final, assert_never

from aiohttp import web

from bjidp.clock import Clock
from bjidp.errors import FieldFault, InvalidRequest
from bjidp.oidc import discovery
from bjidp.oidc.authorize.pending import Look, Redirected, RequestOver
from bjidp.oidc.authorize.prompting import Agree, Answer, ChooseAccount, ChooseWhom, LogIn, ProveMore, Subject
from bjidp.oidc.authorizing import LIFETIME, Authorizing
from bjidp.oidc.errors import AccessDenied, ProtocolError, UnmetAuthenticationRequirements
from bjidp.oidc.grants.code import Approval, Authentication
from bjidp.oidc.parameters import Parameters
from bjidp.oidc.scopes import Scope
from bjidp.sessions.authentication import authenticated
from bjidp.throttle.ports import Throttle, Window
from bjidp.web.forms.desk import OPENED, Asker, Desk
from bjidp.web.forms.signed_in import Owner, SignedIn
from bjidp.web.forms.way_back import WayBack
from bjidp.web.http.visitor import Observer, is_phone, on_h5
from bjidp.web.oidc.answers import posted
from bjidp.web.oidc.choosing import SAID, Choosing
from bjidp.web.oidc.leading import Leading
from bjidp.web.oidc.returning import Returning, redirect
from bjidp.web.pages.form_view import Form, FormView
from bjidp.web.pages.oidc import ConsentPage
from bjidp.web.pages.organisations import ChoiceView

CONTINUE: Final = "/oauth/continue"

BEGUN: Final = (OPENED, Window(3600, LIFETIME))
"""Requests of one address, whoever sends them, and how many of it are kept at a time: each may be of some kilobytes."""

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{22}")
"""Of a request that waits."""


class ConsentForm(Form, frozen=True):
    """What somebody says to a site."""

    request: str = ""
    capacity: str = ""
    """The key of the capacity to act in, with ``act`` organisation; with agree, of the one that the page showed."""
    way: str = ""
    """The setting that proves more, or anew."""


class AuthorizePages:
    """Handlers of the authorization endpoint."""

    def __init__(
        self,
        *,
        authorizing: Authorizing,
        choosing: Choosing,
        leading: Leading,
        way_back: WayBack,
        desk: Desk,
        signed_in: SignedIn,
        returning: Returning,
        observer: Observer,
        throttle: Throttle,
        clock: Clock,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._authorizing = authorizing
        self._choosing = choosing
        self._leading = leading
        self._way_back = way_back
        self._desk = desk
        self._signed_in = signed_in
        self._returning = returning
        self._observer = observer
        self._throttle = throttle
        self._clock = clock

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get(discovery.AUTHORIZE, self.begin, allow_head=False)
        app.router.add_post(discovery.AUTHORIZE, self.begin)
        for prefix in ("", "/h5"):
            app.router.add_get(f"{prefix}{CONTINUE}", self.show, allow_head=False)
            app.router.add_post(f"{prefix}{CONTINUE}", self.say)

    async def begin(self, request: web.Request) -> web.Response:
        """Take a request, from the address or from a form (OpenID Connect Core, section 3.1.2.1)."""
        await self._observer.source(request).hit(self._throttle, "oauth.begun", *BEGUN)
        try:
            parameters = Parameters(request.query.items()) if request.method == "GET" else await posted(request)
        except ProtocolError:
            # A body that is no form says neither who asks nor where they are answered.
            raise InvalidRequest(FieldFault("", "form")) from None
        try:
            name = await self._authorizing.begin(parameters, self._clock.now())
        except Redirected as redirected:
            return redirect(redirected.where)
        prefix = "/h5" if is_phone(request) else ""
        raise web.HTTPSeeOther(f"{prefix}{CONTINUE}?request={name}")

    async def show(self, request: web.Request) -> web.Response:
        """Lead to what is missing, and to the site once nothing is."""
        name = request.query.get("request", "")
        # Whoever is nobody is led on at once: the login page they are led to opens the browser's record.
        owner = await self._signed_in.visiting(request)
        now = self._clock.now()
        try:
            look = await self._authorizing.look(name, _subject(owner), now)
        except Redirected as redirected:
            return self._returning.to(request, "", redirected.where)
        if owner is None:
            raise await self._leading.log_in(request, look, name)
        asker = self._desk.asker(request, owner)
        match look.step:
            case LogIn() | ChooseAccount() | ProveMore() as step:
                return await self._leading.page(request, asker, owner, look, name, step)
            case ChooseWhom():
                page = await self._choosing.page(request, asker, owner, look, name)
                return self._desk.answer(request, asker, page)
            case Agree(scopes=scopes):
                return self._desk.answer(request, asker, _consent(request, asker, owner, look, name, scopes))
            case Answer():
                await self._way_back.forget(owner.session)
                where = await self._authorizing.answer(name, look, _approval(look, owner), now)
                return self._returning.to(request, look.client.name, where)
            case _:
                assert_never(look.step)

    async def say(self, request: web.Request) -> web.Response:
        """Take what somebody says to a site."""
        await self._desk.received(request)
        asker, form = await self._desk.read(request, ConsentForm)
        if _NAME.fullmatch(form.request) is None:
            # It becomes part of an address.
            raise RequestOver
        if asker.owner is None:
            raise web.HTTPSeeOther(f"{request.path}?request={form.request}")
        try:
            return await self._said(request, asker, asker.owner, form)
        except Redirected as redirected:
            return self._returning.to(request, "", redirected.where)

    async def _said(self, request: web.Request, asker: Asker, owner: Owner, form: ConsentForm) -> web.Response:
        name, now = form.request, self._clock.now()
        match form.act:
            case "" if form.way:
                # Whether there is such a request, before its name becomes part of an address that is kept.
                await self._authorizing.look(name, _subject(owner), now)
                return await self._leading.prove(request, asker, owner, name, form.way)
            case "agree":
                look = await self._authorizing.look(name, _subject(owner), now)
                if form.capacity == ("" if look.whom.capacity is None else look.whom.capacity.key):
                    await self._authorizing.agree(name, owner.session.account, now)
                # Else whom they act for is another since, by another tab or by an end: they are asked anew.
                return self._desk.lead(asker, f"{request.path}?request={name}")
            case "self":
                return await self._choose(request, asker, owner, name, None)
            case "organisation":
                return await self._choose(request, asker, owner, name, form.capacity)
            case "whom":
                await self._authorizing.choose(name, None)
                return self._desk.lead(asker, f"{request.path}?request={name}")
            case "stay":
                return await self._leading.stay(request, asker, owner, name)
            case "other":
                look = await self._authorizing.look(name, _subject(owner), now)
                raise await self._leading.switch(request, owner, look, name)
            case "refuse":
                return await self._refused(request, owner, name, AccessDenied("the person said no"))
            case "unmet":
                unmet = UnmetAuthenticationRequirements("the person has not proved what acr_values asks for")
                return await self._refused(request, owner, name, unmet)
            case _:
                raise InvalidRequest(FieldFault("act", "unknown"))

    async def _refused(self, request: web.Request, owner: Owner, name: str, error: ProtocolError) -> web.Response:
        where = await self._authorizing.refuse(name, error)
        await self._way_back.forget(owner.session)
        return self._returning.to(request, "", where)

    async def _choose(
        self, request: web.Request, asker: Asker, owner: Owner, name: str, capacity: str | None
    ) -> web.Response:
        try:
            await self._choosing.choose(request, asker, owner, name, capacity)
        except SAID as error:
            look = await self._authorizing.look(name, _subject(owner), self._clock.now())
            page = await self._choosing.page(request, asker, owner, look, name, error)
            return self._desk.answer(request, asker, page, because=error)
        return self._desk.lead(asker, f"{request.path}?request={name}")


def _subject(owner: Owner | None) -> Subject | None:
    if owner is None:
        return None
    session = owner.session
    return Subject(session.account, authenticated(session).at, owner.standing.level, frozenset(), session.id)


def _approval(look: Look, owner: Owner) -> Approval:
    session, standing = owner.session, owner.standing
    request, proved = look.pending.request, authenticated(session)
    return Approval(
        client=look.client.id,
        account=session.account,
        ref=standing.ref,
        session=session.id,
        epoch=standing.epoch,
        scopes=request.scopes,
        authentication=Authentication(proved.at, standing.level, tuple(proved.methods)),
        nonce=request.nonce,
        organisation=None if look.whom.capacity is None else look.whom.capacity.key,
    )


def _consent(
    request: web.Request, asker: Asker, owner: Owner, look: Look, name: str, scopes: tuple[Scope, ...]
) -> ConsentPage:
    return ConsentPage(
        h5=on_h5(request),
        form=FormView(csrf=asker.csrf),
        client=look.client.name,
        domain=look.client.domain,
        who=owner.standing.name,
        scopes=scopes,
        request=name,
        whom=None if look.whom.capacity is None else ChoiceView.of(look.whom.capacity),
        chose=look.whom.said,
        ethnicity=look.client.reads_ethnicity,
    )
