"""What relying parties ask by themselves.

Owns the endpoints without a person: pushed requests, device codes, tokens, userinfo, revocation, introspection,
metadata. Whoever asks proves who they are before anything is looked at; wrong proofs are counted by address, since a
secret is all that stands between a stranger and somebody's codes.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Final

from aiohttp import web

from bjidp.clock import SECOND, Clock
from bjidp.oidc import discovery
from bjidp.oidc.authorizing import PUSHED, Authorizing
from bjidp.oidc.client import Client, Proof
from bjidp.oidc.clients import Clients
from bjidp.oidc.devices.asking import DeviceAsking
from bjidp.oidc.errors import InvalidClient, UnauthorizedClient
from bjidp.oidc.granting import Granting
from bjidp.oidc.parameters import Parameters
from bjidp.oidc.reading import Reading
from bjidp.oidc.signing import SigningKeys
from bjidp.site import Site
from bjidp.throttle.ports import Throttle, per_minute
from bjidp.web.http.visitor import Observer
from bjidp.web.oidc.answers import by_the_protocol, given, posted

WRONG: Final = per_minute(60)
"""Wrong proofs of one address: a site behind it that is set up wrongly is told what is wrong sixty times a minute."""

UNPROVED: Final = per_minute(60)
"""Requests of one address for clients that cannot keep a secret, pushed or for a device: each is kept, and anybody can
make it."""

PUSHES: Final = per_minute(6000)
"""Requests pushed by one client that has proved who it is, each kept for a minute and a half: far more than people come
with, and few enough to be kept."""

DEVICES: Final = per_minute(600)
"""Device codes of one client that has proved who it is: each is kept for some minutes."""

KEPT: Final = "public, max-age=3600"
"""How long others may keep what changes once in months: keys are published a week before they sign."""

_BEARER: Final = re.compile(r"bearer +([A-Za-z0-9._~+/=-]+)", re.IGNORECASE)


class MachineEndpoints:
    """Handlers of what relying parties ask by themselves."""

    def __init__(
        self,
        *,
        site: Site,
        clients: Clients,
        authorizing: Authorizing,
        devices: DeviceAsking,
        granting: Granting,
        reading: Reading,
        signing: SigningKeys,
        observer: Observer,
        throttle: Throttle,
        clock: Clock,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._site = site
        self._clients = clients
        self._authorizing = authorizing
        self._devices = devices
        self._granting = granting
        self._reading = reading
        self._signing = signing
        self._observer = observer
        self._throttle = throttle
        self._clock = clock

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        router = app.router
        router.add_get("/.well-known/openid-configuration", self.configuration)
        router.add_get(discovery.KEYS, self.keys)
        router.add_post(discovery.PUSH, by_the_protocol(self.push))
        router.add_post(discovery.DEVICE, by_the_protocol(self.device))
        router.add_post(discovery.TOKEN, by_the_protocol(self.token))
        router.add_get(discovery.USERINFO, by_the_protocol(self.userinfo), allow_head=False)
        router.add_post(discovery.USERINFO, by_the_protocol(self.userinfo))
        router.add_post(discovery.REVOKE, by_the_protocol(self.revoke))
        router.add_post(discovery.INTROSPECT, by_the_protocol(self.introspect))

    async def configuration(self, _: web.Request) -> web.Response:
        """Say what there is to ask."""
        return _kept(given(discovery.document(self._site)))

    async def keys(self, _: web.Request) -> web.Response:
        """Publish the keys that ID tokens are signed with."""
        return _kept(given({"keys": self._signing.published(self._clock.now())}))

    async def push(self, request: web.Request) -> web.Response:
        """Keep an authorization request until its person comes (RFC 9126, section 2)."""
        parameters = await posted(request)
        client = await self._client(request, parameters)
        if client.proof is Proof.NONE:
            await self._observer.source(request).hit(self._throttle, "oauth.pushed", UNPROVED)
        else:
            await self._throttle.hit(f"oauth.pushed.client:{client.id}", PUSHES)
        name = await self._authorizing.push(client, parameters, self._clock.now())
        return given({"request_uri": name, "expires_in": PUSHED // SECOND}, HTTPStatus.CREATED)

    async def device(self, request: web.Request) -> web.Response:
        """Give a device the codes that somebody confirms it by (RFC 8628, section 3.1)."""
        parameters = await posted(request)
        client = await self._client(request, parameters)
        if client.proof is Proof.NONE:
            await self._observer.source(request).hit(self._throttle, "oauth.device", UNPROVED)
        else:
            await self._throttle.hit(f"oauth.device.client:{client.id}", DEVICES)
        return given(await self._devices.ask(client, parameters, self._observer.visitor(request).computer))

    async def token(self, request: web.Request) -> web.Response:
        """Give tokens."""
        parameters = await posted(request)
        client = await self._client(request, parameters)
        return given(await self._granting.give(client, parameters))

    async def userinfo(self, request: web.Request) -> web.Response:
        """Tell what the owner of a token agreed may be read; the token comes in the header alone (RFC 9700, 2.2)."""
        shown = _BEARER.fullmatch(request.headers.get("Authorization", ""))
        return given(await self._reading.userinfo(None if shown is None else shown[1]))

    async def revoke(self, request: web.Request) -> web.Response:
        """End a grant by a token of it; whatever was shown, the answer is the same (RFC 7009, section 2.2)."""
        parameters = await posted(request)
        client = await self._client(request, parameters)
        await self._reading.revoke(client, parameters.require("token", "token is missing"))
        return given({})

    async def introspect(self, request: web.Request) -> web.Response:
        """Tell a resource server what a token is good for."""
        parameters = await posted(request)
        client = await self._client(request, parameters)
        if client.proof is Proof.NONE:
            # Anybody could ask as a client that cannot keep a secret (RFC 7662, section 2.1).
            raise UnauthorizedClient("this client cannot prove who it is")
        return given(await self._reading.introspected(client, parameters.require("token", "token is missing")))

    async def _client(self, request: web.Request, parameters: Parameters) -> Client:
        parameters.require_sound()
        try:
            return await self._clients.recognised(request.headers.get("Authorization"), parameters)
        except InvalidClient:
            await self._observer.source(request).hit(self._throttle, "oauth.client_wrong", WRONG)
            raise


def _kept(response: web.Response) -> web.Response:
    response.headers["Cache-Control"] = KEPT
    # Pages of single-page clients read it; there is nothing in it that is anybody's.
    response.headers["Access-Control-Allow-Origin"] = "*"
    del response.headers["Pragma"]
    return response
