"""Which requests the table answers, and which the router."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from aiohttp.typedefs import Handler

from bjidp.web.http.dispatch import Answering, straight


@pytest.fixture
def answer() -> Answering:
    """Answers with the names of the middlewares it came through, outermost first, and of what answered."""

    def called(name: str) -> Handler:
        async def handler(_: web.Request) -> web.StreamResponse:
            return web.Response(text=name)

        return handler

    def layer(name: str) -> Handler:
        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            inner = await handler(request)
            assert isinstance(inner, web.Response)
            return web.Response(text=f"{name} {inner.text}")

        return middleware  # type: ignore[return-value]

    async def router(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="router")

    app = web.Application(middlewares=[layer("outer"), layer("inner")])  # type: ignore[list-item]
    app.router.add_get("/login", called("login"))
    app.router.add_post("/qr/redeem", called("redeem"))
    app.router.add_get("/qr/channel", called("channel"), allow_head=False)
    app.router.add_get("/q/{text:.*}", called("code"))
    return straight(app, router)


async def answered(answer: Answering, method: str, path: str, **headers: str) -> str | None:
    response = await answer(make_mocked_request(method, path, headers=headers))
    assert isinstance(response, web.Response)
    return response.text


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/login", "login"),
        ("HEAD", "/login", "login"),
        ("GET", "/login?tab=account", "login"),
        ("POST", "/qr/redeem", "redeem"),
        ("GET", "/qr/channel?flow=a", "channel"),
    ],
)
async def test_an_address_that_is_written_out_is_answered_within_all_middlewares(
    answer: Answering, method: str, path: str, name: str
) -> None:
    assert await answered(answer, method, path) == f"outer inner {name}"


@pytest.mark.attack("Q27")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/login"),
        ("HEAD", "/qr/channel"),
        ("GET", "/q/abc"),
        ("GET", "/login/"),
        ("GET", "//login"),
        ("GET", "/qr%2Fchannel"),
        ("GET", "/LOGIN"),
        ("OPTIONS", "/login"),
        ("GET", "/nothing"),
    ],
)
async def test_everything_else_is_left_to_the_router(answer: Answering, method: str, path: str) -> None:
    assert await answered(answer, method, path) == "router"


async def test_an_expectation_is_left_to_the_router(answer: Answering) -> None:
    assert await answered(answer, "POST", "/qr/redeem", Expect="100-continue") == "router"
