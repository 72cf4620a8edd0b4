"""Logging in by what somebody has elsewhere: 国家政务服务平台, 支付宝, 微信, 百度 (LOG-4).

Owns ``/login/third/{provider}`` and the same under ``/h5``, which send the browser there, and
``/login/third/{provider}/callback``, to which it comes back; on a way that an owner has begun, who is logged in, it is
answered by the pages of 个人中心. The first is a link, no form: browsers hold where a form
leads to the page's ``form-action``, which is this site alone. It changes nothing here but the browser's own cookie, so
another site gains nothing by leading somebody to it.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from aiohttp import web

from bjidp.accounts.errors import ExternalLoginOver, ExternalLoginRefused
from bjidp.accounts.external.arriving import Arriving, Known, Unknown
from bjidp.accounts.external.flow import Attempt
from bjidp.accounts.external.linking import Linking, Newcomer
from bjidp.errors import AccountRefused, BjidpError, VendorUnavailable
from bjidp.platforms import Provider
from bjidp.sessions.ports import Way
from bjidp.web.forms.arrival import Arrivals
from bjidp.web.forms.desk import Asker, Desk
from bjidp.web.forms.external_ways import CameBack, ExternalWays, ToOwner, is_inside
from bjidp.web.forms.login_first import LoginFirst, leads
from bjidp.web.http.visitor import at, is_phone, on_h5
from bjidp.web.pages.external import ExternalTroublePage, Trouble
from bjidp.web.pages.rendering import Renderer

THIRD: Final = "/login/third"
LINK: Final = f"{THIRD}/link"

_TROUBLES: Final = {
    ExternalLoginRefused: (Trouble.REFUSED, HTTPStatus.FORBIDDEN),
    ExternalLoginOver: (Trouble.OVER, HTTPStatus.GONE),
    VendorUnavailable: (Trouble.UNAVAILABLE, HTTPStatus.SERVICE_UNAVAILABLE),
    AccountRefused: (Trouble.LOCKED, HTTPStatus.FORBIDDEN),
}


class Troubles:
    """Says why somebody is not logged in."""

    def __init__(self, renderer: Renderer) -> None:
        """Render by ``renderer``."""
        self._renderer = renderer

    def page(self, request: web.Request, provider: Provider, error: BjidpError) -> web.Response:
        """Return the page for one of the errors that there is one for; raise any other."""
        found = next((told for kind, told in _TROUBLES.items() if isinstance(error, kind)), None)
        if found is None:
            raise error
        trouble, status = found
        after = error.retry_after if isinstance(error, VendorUnavailable) else None
        page = ExternalTroublePage(
            h5=on_h5(request) or is_phone(request), trouble=trouble, provider=provider, retry_after=after
        )
        headers = {"Cache-Control": "no-store"} | ({} if after is None else {"Retry-After": str(after)})
        body = self._renderer.render(page)
        return web.Response(body=body, status=status, content_type="text/html", charset="utf-8", headers=headers)


class ExternalPages:
    """Handlers of the way there and back."""

    def __init__(
        self,
        *,
        home: str,
        client: str,
        desk: Desk,
        ways: ExternalWays,
        arrivals: Arrivals,
        login_first: LoginFirst,
        arriving: Arriving,
        linking: Linking,
        troubles: Troubles,
        to_owner: ToOwner,
    ) -> None:
        """Take every dependency; a login that is for nobody else is for ``client`` and leads to ``home``."""
        self._home = home
        self._client = client
        self._desk = desk
        self._ways = ways
        self._arrivals = arrivals
        self._login_first = login_first
        self._arriving = arriving
        self._linking = linking
        self._troubles = troubles
        self._to_owner = to_owner

    def mount(self, app: web.Application) -> None:
        """Add the routes of the providers there are here."""
        names = "|".join(self._arriving.providers)
        if names:
            provider = f"{{provider:{names}}}"
            for prefix in ("", "/h5"):
                app.router.add_get(f"{prefix}{THIRD}/{provider}", self.leave, allow_head=False)
            # One for both: providers compare it with what was registered.
            app.router.add_get(f"{THIRD}/{provider}/callback", self.callback, allow_head=False)

    async def leave(self, request: web.Request) -> web.Response:
        """Send the browser to the provider."""
        asker = await self._desk.visit(request)
        if asker.owner is not None:
            # That page says who is logged in, and nobody becomes somebody else by a link (attack Q28).
            return self._desk.lead(asker, at(request, "/login"))
        provider = Provider(request.match_info["provider"])
        about = await self._login_first.about(request, asker)
        home = f"/h5{self._home}" if on_h5(request) or is_phone(request) else self._home
        attempt = Attempt(
            provider=provider,
            inside=is_inside(asker, provider),
            next=leads(about, home),
            client=self._client if about is None else about.client.name,
        )
        secret = self._ways.secret_to_leave_with(request)
        opened = await self._arriving.open(secret, attempt, asker.source)
        return self._ways.send(asker, opened.page, secret)

    async def callback(self, request: web.Request) -> web.Response:
        """Take whoever comes back: log them in, ask which account is theirs, or say why not."""
        provider = Provider(request.match_info["provider"])
        state = request.query.get("state", "")
        code = request.query.get(self._arriving.code_parameter(provider), "")
        secret = self._ways.secret(request)
        asker = await self._desk.visit(request)
        binding = await self._arriving.binding(secret, state)
        if binding is not None:
            return await self._to_owner(request, asker, CameBack(provider, secret, state, code), binding)
        if asker.owner is not None:
            # The second load of two, or somebody has logged in meanwhile.
            led = await self._arriving.led(secret, state, code, asker.owner.session.id)
            return self._desk.lead(asker, led or "/login")
        try:
            match await self._arriving.come(secret, provider, state, code, asker.source):
                case Known() as known:
                    return await self._enter(request, asker, secret or "", known)
                case Unknown(attempt=attempt):
                    newcomer = Newcomer(identity=attempt.names[0], next=attempt.next, client=attempt.client)
                    name = await self._linking.receive(asker.holder, newcomer)
                    return self._desk.lead(asker, f"{'/h5' if is_phone(request) else ''}{LINK}?of={name}")
        except BjidpError as error:
            return self._troubles.page(request, provider, error)

    async def _enter(self, request: web.Request, asker: Asker, secret: str, known: Known) -> web.Response:
        return await self._arrivals.let_in(
            request,
            asker,
            known.member.standing,
            Way.EXTERNAL,
            where=known.next,
            platform=known.way.facts.provider,
            still_right=lambda: self._arriving.require_unchanged(known),
            entered=lambda session: self._arriving.entered(secret, known, session),
        )
