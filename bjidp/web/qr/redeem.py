"""``POST /qr/redeem``: the page exchanges its grant for a session cookie, or for what it asked a phone to confirm.

Owns the one place where a QR login sets a session. Takes JSON from the page's script and a form from a page without
one; a GET never redeems (attack Q28).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Final

import msgspec
from aiohttp import web
from msgspec import Struct

from bjidp.errors import StoreUnavailable
from bjidp.qrlogin.browsers import Browsers
from bjidp.qrlogin.errors import BrowserUnknown, CodeWrong, TicketUnknown
from bjidp.qrlogin.redeeming import Redeeming, Redemption
from bjidp.qrlogin.wire import RedeemAnswer, RedeemBody, RedeemForm
from bjidp.sessions.ports import ConfirmationOver, Login, Session, SessionEnd, StaleSession, Way
from bjidp.sessions.service import Sessions
from bjidp.site import Site
from bjidp.web.forms.reading import Forms
from bjidp.web.forms.signed_in import SignedIn
from bjidp.web.http.bodies import decode, is_json, read_json
from bjidp.web.http.calls import Call, Outcome, Proof
from bjidp.web.http.cookies import Cookies
from bjidp.web.http.origin import require_origin

LOGIN_PAGE: Final = "/login"

_body = msgspec.json.Decoder(RedeemBody)
_form = msgspec.json.Decoder(RedeemForm)


class QrRedeem:
    """Handler of the redeem."""

    def __init__(
        self,
        *,
        site: Site,
        cookies: Cookies,
        forms: Forms,
        redeeming: Redeeming,
        browsers: Browsers,
        sessions: Sessions,
        signed_in: SignedIn,
        ticket_digest: Callable[[str], bytes],
    ) -> None:
        """Take every dependency; ``ticket_digest`` is what a session remembers its ticket by."""
        self._site = site
        self._cookies = cookies
        self._forms = forms
        self._redeeming = redeeming
        self._browsers = browsers
        self._sessions = sessions
        self._signed_in = signed_in
        self._ticket_digest = ticket_digest

    def calls(self) -> tuple[Call, ...]:
        """Return the call."""
        return (
            Call(
                method="POST",
                path="/qr/redeem",
                summary="Exchange the grant of an approved ticket for a session cookie, or for what was confirmed",
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
            redeemed = await self._redeemed(request, await read_json(request, _body))
            answered = msgspec.json.encode(RedeemAnswer(redeemed.next))
            response = web.Response(body=answered, content_type="application/json")
        else:
            form = await self._form(request)
            try:
                redeemed = await self._redeemed(request, form)
            except (CodeWrong, TicketUnknown):
                # The page shows what is true now: the field again with the tries left, or a new code.
                raise web.HTTPSeeOther(await self._page_of(request, form.flow)) from None
            response = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": redeemed.next})
        if redeemed.cookie is not None:
            self._cookies.set_session(response, redeemed.cookie)
        if redeemed.logged_in:
            self._cookies.drop_browser(response)
        return response

    async def _form(self, request: web.Request) -> RedeemForm:
        fields = await self._forms.read(request, await self._signed_in.of(request))
        return decode(msgspec.json.encode(fields | {"csrf": ""}), _form)

    async def _page_of(self, request: web.Request, flow: str | None) -> str:
        """Return where the page of a flow is; the login page unless it is a flow of this browser."""
        try:
            browser = (await self._browsers.find(self._cookies.browser_secret(request))).value
        except BrowserUnknown:
            return LOGIN_PAGE
        ref = browser.flow(flow)
        return LOGIN_PAGE if ref is None else ref.about.page

    async def _redeemed(self, request: web.Request, body: RedeemBody) -> _Redeemed:
        owner = await self._signed_in.of(request)
        session = None if owner is None else owner.session
        old = self._cookies.session_cookie(request)
        login = _Login(self._sessions, self._ticket_digest, old)
        redemption = await self._redeeming.redeem(
            self._cookies.browser_secret(request), body.grant, body.code, signed_in=session, login=login
        )
        if redemption.errand is None:
            return _Redeemed(redemption.next, login.cookie, logged_in=True)
        try:
            return _Redeemed(redemption.next, await self._renewed(session, old), logged_in=False)
        except StoreUnavailable:
            with suppress(StoreUnavailable):
                await self._redeeming.take_back(redemption)
            raise

    async def _renewed(self, session: Session | None, cookie: str | None) -> str | None:
        """Give a session whose owner was just verified a new cookie (attack T1); a browser without one gets none."""
        if session is None or cookie is None:
            return None
        try:
            return await self._sessions.renew(session, cookie)
        except StaleSession:
            # Another answer has brought the browser a new one, or the session has ended, and with it the proof.
            return None


class _Redeemed(Struct, frozen=True):
    """What a redeem comes to for the browser; ``cookie`` is a new session cookie."""

    next: str
    cookie: str | None
    logged_in: bool


class _Login:
    """Exchanges the approval of a login for a session."""

    def __init__(self, sessions: Sessions, ticket_digest: Callable[[str], bytes], old: str | None) -> None:
        """A session under the cookie ``old`` is replaced."""
        self._sessions = sessions
        self._ticket_digest = ticket_digest
        self._old = old
        self.cookie: str | None = None

    async def give(self, redemption: Redemption) -> None:
        """See :meth:`bjidp.qrlogin.redeeming.Exchange.give`."""
        try:
            self.cookie = await self._sessions.start(
                redemption.holder.account, self._login(redemption), self._old, epoch=redemption.epoch
            )
        except ConfirmationOver:
            raise TicketUnknown from None

    async def take_back(self, redemption: Redemption) -> None:
        """See :meth:`bjidp.qrlogin.redeeming.Exchange.take_back`."""
        digest = self._ticket_digest(redemption.ticket)
        await self._sessions.end_by_ticket(redemption.holder.account, [digest], SessionEnd.UNDO)

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
