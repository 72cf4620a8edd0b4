"""Who is at a page with a form, what they posted, and how they are answered.

Owns the way from a request to an :class:`Asker` and a typed form, and from a page's facts to the answer: a page or, for
a script that asked for a code, JSON. Called by every page with a form; what is right and wrong in a form is the
business of the feature it is for.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar, Final, Protocol, Self, TypeVar, cast

import msgspec
from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from bjidp.errors import BjidpError, FieldFault, InvalidRequest, RateLimited, Retryable
from bjidp.qrlogin.browsers import Browsers
from bjidp.qrlogin.pages import Visitor
from bjidp.throttle.ports import Throttle, per_minute
from bjidp.throttle.source import Source
from bjidp.web.forms.reading import FORM_TOKEN, Forms
from bjidp.web.forms.signed_in import Owner, SignedIn
from bjidp.web.http.bodies import JSON
from bjidp.web.http.cookies import Cookies
from bjidp.web.http.visitor import Observer
from bjidp.web.pages.form_view import Form, FormView, live
from bjidp.web.pages.rendering import Renderer
from bjidp.web.server.problems import STATUS

OPENED: Final = per_minute(1200)
"""Pages an address may open: each may cost a browser record, whatever cookie it comes with (attack Q23)."""

F = TypeVar("F", bound=Form)


class Asker(Struct, frozen=True, kw_only=True):
    """Who is at the page: a browser, and whoever is logged in on it.

    ``holder`` owns captchas, drafts and codes: the browser record's id before a login, the session's after it.
    ``secret`` is set when the browser has to be given a new one with the answer.
    """

    holder: str
    csrf: str
    visitor: Visitor
    owner: Owner | None
    secret: str | None = None

    @property
    def source(self) -> Source:
        """What limits by address count the asker as."""
        return self.visitor.source


class FormPage(Protocol):
    """A page with a form, as :class:`bjidp.web.pages.rendering.Renderer` renders it."""

    template: ClassVar[str]

    @property
    def form(self) -> FormView:
        """The form on it."""
        ...

    @classmethod
    def sample(cls) -> Self:
        """Return an example with every field filled."""
        ...


class StaleForm(BjidpError):
    """The form is from a page of ours that this browser has had open for too long; nothing was done.

    ``fields`` are what was typed, for the page to be shown again with it; uncaught it is a page that says so.
    """

    code = "form_expired"

    def __init__(self, asker: Asker, fields: dict[str, str]) -> None:
        """Say who asks, now with a browser record, and what they typed."""
        super().__init__()
        self.asker = asker
        self.fields = fields

    def form(self, kind: type[F]) -> F:
        """Return what was typed as the form ``kind``."""
        return typed(self.fields, kind)


class Desk:
    """Receives people at pages with forms."""

    def __init__(
        self,
        *,
        forms: Forms,
        cookies: Cookies,
        browsers: Browsers,
        signed_in: SignedIn,
        observer: Observer,
        throttle: Throttle,
        renderer: Renderer,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._forms = forms
        self._cookies = cookies
        self._browsers = browsers
        self._signed_in = signed_in
        self._observer = observer
        self._throttle = throttle
        self._renderer = renderer

    async def visit(self, request: web.Request) -> Asker:
        """Return who opens a page; a browser that nobody is logged in on is known from then on.

        Raises ``RateLimited`` and ``StoreUnavailable``.
        """
        owner = await self._signed_in.visiting(request)
        return await self._guest(request) if owner is None else self._owner(request, owner)

    async def known(self, request: web.Request) -> Asker | None:
        """Return who asks for a part of a page, such as a picture; None for a browser that has no page of ours open."""
        owner = await self._signed_in.of(request)
        if owner is not None:
            return self._owner(request, owner)
        browser = await self._forms.browser(request)
        return None if browser is None else self._browser(request, browser)

    async def received(self, request: web.Request) -> None:
        """Wait for the whole of a form, before anybody looks at who posts it; :meth:`read` finds it there."""
        await self._forms.posted(request)

    async def read(self, request: web.Request, kind: type[F]) -> tuple[Asker, F]:
        """Return who posts a form, and the form; fields that ``kind`` does not have are refused.

        Raises what :meth:`bjidp.web.forms.reading.Forms.read` raises, and :class:`StaleForm` when nobody is logged in
        and the browser's record is over.
        """
        # The body first: it may take its time to come, and whoever's session ends meanwhile is nobody (attack P7).
        fields = await self._forms.posted(request)
        owner = await self._signed_in.of(request)
        browser = await self._forms.browser(request)
        if owner is None and browser is None:
            fields.pop(FORM_TOKEN, None)
            raise StaleForm(await self._guest(request), fields)
        self._forms.require_token(fields, owner, browser)
        if owner is not None:
            return self._owner(request, owner), typed(fields, kind)
        return self._browser(request, browser or ""), typed(fields, kind)

    def asker(self, request: web.Request, owner: Owner) -> Asker:
        """Return whoever is known to be logged in."""
        return self._owner(request, owner)

    def answer(
        self, request: web.Request, asker: Asker | str, page: FormPage, *, because: BjidpError | None = None
    ) -> web.Response:
        """Show ``page``, or tell a script what of its form has changed.

        A page that has given the browser a new secret itself names that in the place of the asker. The status says
        whether something is wrong: with the fields, or ``because`` of an error; or that it is too early for what was
        pressed.
        """
        if because is None and page.form.pause is not None:
            because = RateLimited(page.form.pause)
        status = STATUS[because.code] if because is not None else HTTPStatus.OK
        if because is None and page.form.faults:
            status = HTTPStatus.UNPROCESSABLE_ENTITY
        if isinstance(because, Retryable):
            page = _with_pause(page, because.retry_after)
        if JSON in request.headers.get("Accept", ""):
            told = live(page.form, self._renderer.texts)
            response = web.Response(body=msgspec.json.encode(told), status=status, content_type=JSON)
        else:
            response = web.Response(body=self._renderer.render(page), status=status, content_type="text/html")
            response.charset = "utf-8"
        if isinstance(because, Retryable):
            response.headers["Retry-After"] = str(because.retry_after)
        return self._dressed(asker if isinstance(asker, str) else asker.secret, response)

    def lead(self, asker: Asker, where: str) -> web.Response:
        """Lead the browser to a page of ours after a post, so that going back or reloading posts nothing again."""
        response = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": where})
        return self._dressed(asker.secret, response)

    def _dressed(self, secret: str | None, response: web.Response) -> web.Response:
        response.headers["Cache-Control"] = "no-store"
        if secret is not None:
            self._cookies.set_browser(response, secret)
        return response

    async def _guest(self, request: web.Request) -> Asker:
        await self._observer.source(request).hit(self._throttle, "page.opened", OPENED)
        visited = await self._browsers.visit(self._cookies.browser_secret(request))
        return self._browser(request, visited.browser, visited.secret if visited.renewed else None)

    def _browser(self, request: web.Request, browser: str, secret: str | None = None) -> Asker:
        return Asker(
            holder=browser,
            csrf=self._forms.token(browser),
            visitor=self._observer.visitor(request),
            owner=None,
            secret=secret,
        )

    def _owner(self, request: web.Request, owner: Owner) -> Asker:
        return Asker(
            holder=owner.session.id,
            csrf=owner.session.csrf,
            visitor=self._observer.visitor(request),
            owner=owner,
        )


def _with_pause(page: FormPage, seconds: int) -> FormPage:
    # Every page with a form is a struct, which its protocol cannot say.
    return cast("FormPage", replace(cast("Struct", page), form=replace(page.form, pause=seconds)))


def typed(fields: dict[str, str], kind: type[F]) -> F:
    """Return the fields of a form as ``kind``; raise :class:`InvalidRequest` for one that it does not have."""
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError:
        # The error's own text would repeat what was typed.
        unknown = sorted(set(fields) - {field.name for field in msgspec.structs.fields(kind)})
        raise InvalidRequest(FieldFault(unknown[0][:64] if unknown else "", "unknown")) from None
