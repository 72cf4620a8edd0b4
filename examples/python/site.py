"""A website whose users log in at bjidp: Authlib's client behind an aiohttp server.

    pip install aiohttp authlib httpx2 joserfc
    ISSUER=http://127.0.0.1:8080 CLIENT_ID=… CLIENT_SECRET=… python site.py

Registered beforehand (bjidp clients add) with http://127.0.0.1:3000/callback among its redirect_uris and, to be told of
log-outs elsewhere, http://127.0.0.1:3000/backchannel-logout as its backchannel_logout_uri.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from html import escape
from typing import Any

from aiohttp import ClientConnectionError, ClientSession, web
from aiohttp.typedefs import Handler
from authlib.integrations.base_client import BaseApp, OAuthError
from authlib.integrations.base_client.async_app import AsyncOAuth2Mixin
from authlib.integrations.base_client.async_openid import AsyncOpenIDMixin
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ISSUER = os.environ.get("ISSUER", "http://127.0.0.1:8080")
CLIENT_ID = os.environ["CLIENT_ID"]
CLIENT_SECRET = os.environ["CLIENT_SECRET"]
PORT = int(os.environ.get("PORT", "3000"))
RECORDS = os.environ.get("RECORDS", "http://127.0.0.1:3001/records")
OWN = f"http://127.0.0.1:{PORT}"
LOGGED_OUT = "http://schemas.openid.net/event/backchannel-logout"


class Provider(AsyncOAuth2Mixin, AsyncOpenIDMixin, BaseApp):  # type: ignore[misc]  # Authlib has no types
    """Authlib's client, put together as its integrations for web frameworks are."""

    client_cls = AsyncOAuth2Client


provider = Provider(
    None,
    "bjidp",
    client_id=CLIENT_ID,
    client_secret=CLIENT_SECRET,
    server_metadata_url=f"{ISSUER}/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile", "code_challenge_method": "S256", "timeout": 10},
)
routes = web.RouteTableDef()

# A real site keeps these in its database, and by a cookie that says __Host- and Secure.
visitors: dict[str, dict[str, Any]] = {}


@routes.get("/")
async def home(request: web.Request) -> web.Response:
    visitor = visitors.get(request.cookies.get("visitor", ""), {})
    if "claims" not in visitor:
        return page('<p>尚未登录</p><a href="/login">登录</a>')
    return page(
        f"<p>您好，{escape(visitor['read']['nickname'])}（{escape(visitor['claims']['acr'])}）</p>"
        '<a href="/records">我的记录</a> <form method="post" action="/logout"><button>退出</button></form>'
    )


@routes.get("/login")
async def login(request: web.Request) -> web.Response:
    return await sent(request)


async def sent(request: web.Request, back: str = "/", **asked: str) -> web.Response:
    """Send the visitor to log in, with a level or an age besides where that is needed."""
    begun = await provider.create_authorization_url(f"{OWN}/callback", **asked)
    # Kept for this browser alone: an answer that does not fit them is somebody else's (login CSRF).
    return redirect(begun["url"], {"begun": begun, "back": back})


@routes.get("/callback")
async def callback(request: web.Request) -> web.Response:
    visitor = visitors.pop(request.cookies.get("visitor", ""), {})
    begun, answer = visitor.get("begun"), request.query
    if begun is None or answer.get("state") != begun["state"] or answer.get("iss") != ISSUER:
        return page('<p>登录没有完成</p><a href="/login">重新登录</a>', status=400)
    if "error" in answer:
        return page('<p>您没有同意登录</p><a href="/login">重新登录</a>', status=403)
    tokens = await provider.fetch_access_token(
        f"{OWN}/callback", code=answer["code"], code_verifier=begun["code_verifier"]
    )
    ours = {"iss": {"essential": True, "value": ISSUER}, "aud": {"essential": True, "value": CLIENT_ID}}
    claims = await provider.parse_id_token(tokens, begun["nonce"], claims_options=ours)
    read = await provider.userinfo(token=tokens)
    if read["sub"] != claims["sub"]:
        return page("<p>登录没有完成</p>", status=502)
    # Under a new cookie: one from before the login would be known to whoever has planted it.
    return redirect(visitor["back"], {"tokens": tokens, "claims": claims, "read": read})


@routes.get("/records")
async def records(request: web.Request) -> web.Response:
    """Show what a resource server has, and lead through what it wants first (RFC 9470)."""
    visitor = visitors.get(request.cookies.get("visitor", ""), {})
    if "tokens" not in visitor:
        return await sent(request, "/records")
    bearer = {"Authorization": f"Bearer {visitor['tokens']['access_token']}"}
    try:
        async with ClientSession() as http, http.get(RECORDS, headers=bearer) as answer:
            if answer.status == 200:
                return page(f"<p>{escape((await answer.json())['records'][0])}</p>")
            told = dict(re.findall(r'(\w+)="([^"]*)"', answer.headers.get("WWW-Authenticate", "")))
    except ClientConnectionError:
        # Nobody runs resource_server.py, or RECORDS names another place.
        return page("<p>现在读不到您的记录，请过一会儿再试</p>", status=503)
    if told.get("error") == "insufficient_user_authentication":
        wanted = {name: told[name] for name in ("acr_values", "max_age") if name in told}
        return await sent(request, "/records", **wanted)
    if visitor["claims"]["iat"] > time.time() - 30:
        # No login mends this, and whoever is logged in already would be sent round and round: the service is of
        # another sector, or this site has not the scope that it wants.
        return page("<p>记录服务不接受本站的登录</p>", status=502)
    return await sent(request, "/records")


@routes.post("/logout")
async def logout(request: web.Request) -> web.Response:
    if request.headers.get("Origin") != OWN:
        return page("", status=403)
    visitor = visitors.pop(request.cookies.get("visitor", ""), {})
    if "tokens" not in visitor:
        return redirect("/")
    ending = await provider.create_logout_url(f"{OWN}/", id_token_hint=visitor["tokens"]["id_token"])
    return redirect(ending["url"])


@routes.post("/backchannel-logout")
async def told_of_a_logout(request: web.Request) -> web.Response:
    """End what a log-out elsewhere has ended (OpenID Connect Back-Channel Logout 1.0, section 2.6)."""
    keys = KeySet.import_key_set(await provider.fetch_jwk_set())
    wanted = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": CLIENT_ID},
        exp={"essential": True},
        jti={"essential": True},
    )
    try:
        token = jwt.decode(str((await request.post()).get("logout_token")), keys, ["ES256"])
        wanted.validate(token.claims)
    except (JoseError, ValueError):
        return web.Response(status=400)
    claims, name = token.claims, "sid" if "sid" in token.claims else "sub"
    is_meant = token.header.get("typ") == "logout+jwt" and LOGGED_OUT in claims.get("events", {})
    if not is_meant or "nonce" in claims or name not in claims:
        return web.Response(status=400)
    for cookie, visitor in list(visitors.items()):
        if visitor.get("claims", {}).get(name) == claims[name]:
            del visitors[cookie]
    return web.Response(headers={"Cache-Control": "no-store"})


def page(body: str, status: int = 200) -> web.Response:
    text = f'<!doctype html><html lang="zh-CN"><title>示例网站</title>{body}</html>'
    return web.Response(text=text, status=status, content_type="text/html", headers={"Cache-Control": "no-store"})


def redirect(to: str, visitor: dict[str, Any] | None = None) -> web.Response:
    answer = web.Response(status=303, headers={"Location": to, "Cache-Control": "no-store"})
    if visitor is not None:
        cookie = secrets.token_urlsafe(32)
        visitors[cookie] = visitor
        answer.set_cookie("visitor", cookie, httponly=True, samesite="Lax")
    return answer


@web.middleware
async def failures(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say to the visitor that it did not work, and to whoever runs the site why."""
    try:
        return await handler(request)
    except OAuthError as error:
        print(error.error, error.description, flush=True)
        return page('<p>登录没有完成</p><a href="/login">重新登录</a>', status=502)


if __name__ == "__main__":
    app = web.Application(middlewares=[failures])
    app.add_routes(routes)
    web.run_app(app, host="127.0.0.1", port=PORT, print=lambda _: print(f"ready {OWN}", flush=True))
