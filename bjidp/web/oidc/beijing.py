"""The city's own interface on HTTP, for sites that are integrated with it already (RP-5).

Owns the addresses below ``/renzheng``, which are mounted where the configuration says so and nowhere else. Secrets,
codes and tokens are in these addresses by the interface's own rules: no address is written into any log.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import structlog
from aiohttp import web

from bjidp.errors import BjidpError, RateLimited, Retryable
from bjidp.oidc.beijing.errors import BeijingError, Busy, ClientRefused, Malformed, Unknown
from bjidp.oidc.beijing.service import Beijing
from bjidp.oidc.parameters import Parameters
from bjidp.throttle.ports import Throttle
from bjidp.unexpected import outline
from bjidp.web.http.bodies import posted_form
from bjidp.web.http.visitor import Observer
from bjidp.web.oidc.answers import FORM, given
from bjidp.web.oidc.machine import WRONG
from bjidp.web.oidc.pages import BEGUN, CONTINUE

BASE: Final = "/renzheng"

log = structlog.get_logger(__name__)

Asked = Callable[[web.Request, Parameters], Awaitable[object]]


class BeijingEndpoints:
    """Handlers of the interface."""

    def __init__(self, *, beijing: Beijing, observer: Observer, throttle: Throttle) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._beijing = beijing
        self._observer = observer
        self._throttle = throttle

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        router = app.router
        for path, prefix in (
            ("/open/login/goUserLogin", ""),
            ("/open/m/login/goUserLogin", "/h5"),
            ("/open/auth/authorize", "/h5"),
        ):
            router.add_get(BASE + path, self._begins(prefix), allow_head=False)
        router.add_post(f"{BASE}/api/oauth/getAccessToken", self._answers(self._token))
        for path, asked in (
            ("/api/info/getUserInfo", self._userinfo),
            ("/api/login/getSSOStatus", self._status),
            ("/api/login/doSSOLogout", self._logout),
        ):
            router.add_get(BASE + path, self._answers(asked), allow_head=False)
            router.add_post(BASE + path, self._answers(asked))

    def _begins(self, prefix: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def begin(request: web.Request) -> web.Response:
            """Take a request, and lead on to what is missing for it."""
            await self._observer.source(request).hit(self._throttle, "oauth.begun", *BEGUN)
            name = await self._beijing.begin(Parameters(request.query.items()))
            raise web.HTTPSeeOther(f"{prefix}{CONTINUE}?request={name}")

        return begin

    def _answers(self, asked: Asked) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            """Answer in the form of the interface, whatever becomes of what was asked."""
            try:
                found = await asked(request, await _sent(request))
                return given({"meta": {"code": 0, "message": "success"}, "data": found})
            except BeijingError as error:
                return given(_failure(error))
            except Retryable as busy:
                limited = isinstance(busy, RateLimited)
                status = HTTPStatus.TOO_MANY_REQUESTS if limited else HTTPStatus.SERVICE_UNAVAILABLE
                response = given(_failure(Busy()), status)
                response.headers["Retry-After"] = str(busy.retry_after)
                return response
            except (BjidpError, web.HTTPException):
                # A body that is too large, or slow.
                raise
            except Exception as error:  # noqa: BLE001 - sites know one number for whatever it was
                log.error("unhandled_error", **outline(error))  # noqa: TRY400 - without its text
                return given(_failure(Unknown()), HTTPStatus.INTERNAL_SERVER_ERROR)

        return answer

    async def _token(self, request: web.Request, parameters: Parameters) -> object:
        try:
            return await self._beijing.token(parameters)
        except ClientRefused:
            await self._observer.source(request).hit(self._throttle, "oauth.client_wrong", WRONG)
            raise

    async def _userinfo(self, _: web.Request, parameters: Parameters) -> object:
        return await self._beijing.userinfo(parameters.get("access_token"))

    async def _status(self, _: web.Request, parameters: Parameters) -> object:
        return {"status": await self._beijing.is_logged_in(parameters.get("access_token"))}

    async def _logout(self, _: web.Request, parameters: Parameters) -> object:
        await self._beijing.log_out(parameters.get("access_token"))
        return None


async def _sent(request: web.Request) -> Parameters:
    """Return what stands in the address and in the form together; a name in both came twice."""
    pairs = list(request.query.items())
    if request.can_read_body:
        if request.content_type != FORM:
            raise Malformed
        try:
            fields = await posted_form(request)
        except (ValueError, LookupError, web.RequestPayloadError):
            raise Malformed from None
        pairs += [(name, value) for name, value in fields.items() if isinstance(value, str)]
    return Parameters(pairs)


def _failure(error: BeijingError) -> object:
    return {"meta": {"code": error.number, "message": error.text}}
