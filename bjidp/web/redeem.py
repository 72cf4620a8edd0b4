"""``POST /qr/redeem``: the page exchanges its grant for a session cookie.

Owns the one place where a QR login sets a session. Takes JSON from the page's script and a form from a page without
one; a GET never redeems (attack Q28).
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

import msgspec
from aiohttp import web

from bjidp.qrlogin.errors import CodeWrong, TicketUnknown
from bjidp.qrlogin.redeeming import Redeeming, Redemption
from bjidp.qrlogin.wire import RedeemAnswer, RedeemBody, RedeemForm
from bjidp.sessions.ports import Login, Way
from bjidp.sessions.service import Sessions
from bjidp.site import Site
from bjidp.web.bodies import decode, is_json, read_json
from bjidp.web.calls import Call, Outcome, Proof
from bjidp.web.cookies import Cookies
from bjidp.web.forms import Forms
from bjidp.web.origin import require_origin
from bjidp.web.signed_in import SignedIn

_body = msgspec.json.Decoder(RedeemBody)


class QrRedeem:
    """Handler of the redeem."""

    def __init__(
        self,
        *,
        site: Site,
        cookies: Cookies,
        forms: Forms,
        redeeming: Redeeming,
        sessions: Sessions,
        signed_in: SignedIn,
        ticket_digest: Callable[[str], bytes],
    ) -> None:
        """Take every dependency; ``ticket_digest`` is what a session remembers its ticket by."""
        self._site = site
        self._cookies = cookies
        self._forms = forms
        self._redeeming = redeeming
        self._sessions = sessions
        self._signed_in = signed_in
        self._ticket_digest = ticket_digest

    def calls(self) -> tuple[Call, ...]:
        """Return the call."""
        return (
            Call(
                method="POST",
                path="/qr/redeem",
                summary="Exchange the grant of an approved ticket for a session cookie",
                handler=self.redeem,
                proof=Proof.BROWSER,
                body=RedeemBody,
                form=RedeemForm,
                answers=(RedeemAnswer,),
                others=(Outcome(HTTPStatus.SEE_OTHER, "To a form: on to where the login is for, or back to its page"),),
                errors=(
                    "invalid_request", "origin_refused", "account_refused", "ticket_unknown", "already_signed_in",
                    "code_wrong", "rate_limited", "service_unavailable",
                ),
            ),
        )  # fmt: skip

    async def redeem(self, request: web.Request) -> web.Response:
        """Redeem for a script, which is told where to go, or for a form, which is led there."""
        require_origin(self._site, request)
        if is_json(request):
            body = await read_json(request, _body)
            cookie, where = await self._redeemed(request, body)
            response = web.Response(body=msgspec.json.encode(RedeemAnswer(where)), content_type="application/json")
        else:
            try:
                cookie, where = await self._redeemed(request, await self._form(request))
            except (CodeWrong, TicketUnknown):
                # The login page shows what is true now: the field again with the tries left, or a new code.
                raise web.HTTPSeeOther("/login") from None
            response = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": where})
        self._cookies.set_session(response, cookie)
        self._cookies.drop_browser(response)
        return response

    async def _form(self, request: web.Request) -> RedeemBody:
        fields = await self._forms.read(request, await self._signed_in.of(request))
        return decode(msgspec.json.encode(fields), _body)

    async def _redeemed(self, request: web.Request, body: RedeemBody) -> tuple[str, str]:
        owner = await self._signed_in.of(request)
        old = self._cookies.session_cookie(request)
        cookies: list[str] = []

        async def open_session(redemption: Redemption) -> None:
            cookies.append(await self._sessions.start(redemption.holder.account, self._login(redemption), old))

        redemption = await self._redeeming.redeem(
            self._cookies.browser_secret(request),
            body.grant,
            body.code,
            signed_in=None if owner is None else owner.session.account,
            open_session=open_session,
        )
        return cookies[-1], redemption.next

    def _login(self, redemption: Redemption) -> Login:
        computer = redemption.computer
        return Login(
            way=Way.QR,
            platform=redemption.holder.platform,
            link=redemption.holder.link,
            browser=computer.browser,
            os=computer.os,
            area=None if computer.area is None else computer.area.label,
            network=computer.network,
            ticket=self._ticket_digest(redemption.ticket),
        )
