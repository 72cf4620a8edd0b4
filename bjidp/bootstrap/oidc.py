"""The OpenID provider, wired: what relying parties ask by themselves.

Called by ``application``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

from aiohttp import web

from bjidp.bootstrap.front import Front, Part
from bjidp.bootstrap.qr import Qr
from bjidp.bootstrap.rooms import Rooms, is_sandbox, ticket_digester
from bjidp.clock import SECOND, Instant
from bjidp.entropy import base64url
from bjidp.mac import MacKey
from bjidp.oidc import discovery, id_token
from bjidp.oidc.authorizing import Authorizing
from bjidp.oidc.beijing.service import Beijing
from bjidp.oidc.clients import Clients
from bjidp.oidc.devices.asking import DeviceAsking
from bjidp.oidc.devices.redeeming import DeviceRedeeming
from bjidp.oidc.granting import Granting
from bjidp.oidc.grants.exchanging import Codes
from bjidp.oidc.grants.living import LiveGrants
from bjidp.oidc.logouts.asking import LogoutWishes
from bjidp.oidc.logouts.telling import Telling
from bjidp.oidc.reading import Reading
from bjidp.oidc.representing import Representing
from bjidp.oidc.sids import sid
from bjidp.oidc.signing import SigningKeys
from bjidp.oidc.tokens import Tokens
from bjidp.organisations.acting import Acting
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.vendors.catalog import build_logout_receivers
from bjidp.web.centre.acts import Acts
from bjidp.web.oidc.beijing import BeijingEndpoints
from bjidp.web.oidc.choosing import Choosing
from bjidp.web.oidc.leading import Leading
from bjidp.web.oidc.leaving import LogoutPages
from bjidp.web.oidc.machine import MachineEndpoints
from bjidp.web.oidc.pages import AuthorizePages


def oidc_part(rooms: Rooms, front: Front, qr: Qr, acting: Acting, acts: Acts) -> Part:
    """Return the endpoints that relying parties ask by themselves."""
    stores, keyring, clock = rooms.stores, rooms.keyring, rooms.clock
    tokens = Tokens(
        {version: MacKey(keyring.derive(version, "oidc/token")) for version in keyring.versions}, keyring.current
    )
    signing = SigningKeys(partial(keyring.derive, keyring.current), rooms.settings.oidc.series)
    lifetime = rooms.settings.sessions.lifetime_seconds * SECOND
    codes = Codes(
        stores.authorization_codes,
        stores.grants,
        stores.sessions,
        stores.consents,
        entropy=rooms.entropy,
        clock=clock,
        session_lifetime=lifetime,
    )

    authorizing = Authorizing(
        clients=stores.relying_parties,
        consents=stores.consents,
        codes=codes,
        pending=stores.authorizations,
        pushed=stores.pushed_authorizations,
        acting=acting,
        subjects=stores.grants,
        hints=partial(_hinted, signing, rooms.site.url),
        entropy=rooms.entropy,
        issuer=rooms.site.url,
    )
    representing = Representing(acting)
    endpoints = MachineEndpoints(
        site=rooms.site,
        clients=Clients(
            stores.relying_parties,
            stores.used_assertions,
            issuer=rooms.site.url,
            token_endpoint=rooms.site.url + discovery.TOKEN,
            clock=clock,
        ),
        authorizing=authorizing,
        devices=DeviceAsking(
            tickets=qr.devices,
            user_codes=stores.user_codes,
            pseudonyms=Pseudonyms(keyring),
            policy=qr.policy,
            entropy=rooms.entropy,
            url=rooms.site.url,
            session_lifetime=lifetime,
        ),
        granting=Granting(
            codes=codes,
            devices=DeviceRedeeming(
                tickets=qr.devices,
                paces=stores.paces,
                accounts=stores.accounts,
                consents=stores.consents,
                grants=stores.grants,
                ticket_digest=ticket_digester(rooms),
                entropy=rooms.entropy,
                clock=clock,
                session_lifetime=lifetime,
            ),
            grants=stores.grants,
            tokens=tokens,
            signing=signing,
            representing=representing,
            sid=lambda client, session: sid(client.id, session),
            issuer=rooms.site.url,
            clock=clock,
        ),
        reading=Reading(
            clients=stores.relying_parties,
            grants=stores.grants,
            live=LiveGrants(stores.grants, stores.sessions),
            members=stores.members,
            representing=representing,
            tokens=tokens,
            issuer=rooms.site.url,
            clock=clock,
        ),
        signing=signing,
        observer=front.observer,
        throttle=stores.throttle,
        clock=clock,
    )
    pages = AuthorizePages(
        site=rooms.site,
        authorizing=authorizing,
        choosing=Choosing(authorizing=authorizing, acting=acting, cookies=front.cookies),
        desk=front.desk,
        leading=Leading(
            authorizing=authorizing,
            desk=front.desk,
            login_first=front.login_first,
            sessions=front.sessions,
            browsers=qr.browsers,
            cookies=front.cookies,
            way_back=front.way_back,
            operations=frozenset(acts),
        ),
        way_back=front.way_back,
        renderer=front.renderer,
        observer=front.observer,
        throttle=stores.throttle,
        clock=clock,
    )
    leaving = LogoutPages(
        site=rooms.site,
        wishes=LogoutWishes(
            clients=stores.relying_parties,
            records=stores.logout_wishes,
            signing=signing,
            entropy=rooms.entropy,
            issuer=rooms.site.url,
        ),
        sessions=front.sessions,
        signed_in=front.signed_in,
        desk=front.desk,
        departures=front.departures,
        renderer=front.renderer,
        observer=front.observer,
        throttle=stores.throttle,
        clock=clock,
    )
    telling = Telling(
        outbox=stores.logouts,
        clients=stores.relying_parties,
        receivers=build_logout_receivers(http=rooms.http, demonstration=is_sandbox(rooms.settings)),
        signing=signing,
        issuer=rooms.site.url,
        clock=clock,
    )

    beijing = BeijingEndpoints(
        beijing=Beijing(
            clients=stores.relying_parties,
            authorizing=authorizing,
            codes=codes,
            live=LiveGrants(stores.grants, stores.sessions),
            members=stores.members,
            sessions=front.sessions,
            tokens=stores.beijing_tokens,
            used=stores.used_assertions,
            verifier=partial(_verifier, MacKey(keyring.derive(keyring.current, "oidc/beijing"))),
            ethnicity=lambda code: str(front.renderer.texts.of("ethnicity", code)),
            entropy=rooms.entropy,
            clock=clock,
        ),
        observer=front.observer,
        throttle=stores.throttle,
    )
    city = (beijing.mount,) if rooms.settings.beijing.enabled else ()

    async def told(_: web.Application) -> AsyncIterator[None]:
        running = asyncio.create_task(telling.run())
        yield
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    return Part(mounts=(endpoints.mount, pages.mount, leaving.mount, *city, lambda app: app.cleanup_ctx.append(told)))


def _verifier(key: MacKey, client: str) -> str:
    return base64url(key.mac(client.encode()))


def _hinted(signing: SigningKeys, issuer: str, text: str, client: str, now: Instant) -> str | None:
    claims = signing.verified(text, id_token.TYPE, client, issuer, now)
    return None if claims is None else str(claims["sub"])
