"""The OpenID provider, wired: where relying parties send people, and what they ask by themselves.

Called by ``application``.
"""

from __future__ import annotations

from functools import partial

from msgspec import Struct

from bjidp.bootstrap.front import Front, Part
from bjidp.bootstrap.qr import Qr
from bjidp.bootstrap.rooms import Rooms, ticket_digester
from bjidp.clock import SECOND, Instant, Millis
from bjidp.mac import MacKey
from bjidp.oidc import discovery, id_token
from bjidp.oidc.authorizing import Authorizing
from bjidp.oidc.clients import Clients
from bjidp.oidc.devices.asking import DeviceAsking
from bjidp.oidc.devices.redeeming import DeviceRedeeming
from bjidp.oidc.granting import Granting
from bjidp.oidc.grants.exchanging import Codes
from bjidp.oidc.grants.living import LiveGrants
from bjidp.oidc.reading import Reading
from bjidp.oidc.representing import Representing
from bjidp.oidc.signing import SigningKeys
from bjidp.oidc.tokens import Tokens
from bjidp.organisations.acting import Acting
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.proofing.bank_card_proofs import BankCardProofs
from bjidp.web.centre.acts import Acts
from bjidp.web.oidc.choosing import Choosing
from bjidp.web.oidc.leading import Leading
from bjidp.web.oidc.machine import MachineEndpoints
from bjidp.web.oidc.pages import AuthorizePages
from bjidp.web.oidc.returning import Returning


class Provider(Struct, frozen=True, kw_only=True):
    """What every endpoint of relying parties stands on, whatever they are integrated by."""

    authorizing: Authorizing
    codes: Codes
    live: LiveGrants
    representing: Representing
    signing: SigningKeys
    session_lifetime: Millis


def wire_provider(rooms: Rooms, acting: Acting) -> Provider:
    """Return what endpoints of relying parties stand on."""
    stores, keyring = rooms.stores, rooms.keyring
    derives = {version: partial(keyring.derive, version) for version in keyring.versions}
    signing = SigningKeys(derives.pop(keyring.current), rooms.settings.oidc.series, tuple(derives.values()))
    lifetime = rooms.settings.sessions.lifetime_seconds * SECOND
    codes = Codes(
        stores.authorization_codes,
        stores.grants,
        stores.sessions,
        stores.consents,
        entropy=rooms.entropy,
        clock=rooms.clock,
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
    return Provider(
        authorizing=authorizing,
        codes=codes,
        live=LiveGrants(stores.grants, stores.sessions),
        representing=Representing(acting),
        signing=signing,
        session_lifetime=lifetime,
    )


def oidc_part(
    rooms: Rooms,
    front: Front,
    qr: Qr,
    provider: Provider,
    *,
    acting: Acting,
    acts: Acts,
    bank_cards: BankCardProofs | None,
) -> Part:
    """Return the endpoints of OpenID Connect but those of a log-out."""
    stores, keyring, clock = rooms.stores, rooms.keyring, rooms.clock
    tokens = Tokens(
        {version: MacKey(keyring.derive(version, "oidc/token")) for version in keyring.versions}, keyring.current
    )
    endpoints = MachineEndpoints(
        site=rooms.site,
        clients=Clients(
            stores.relying_parties,
            stores.used_assertions,
            issuer=rooms.site.url,
            token_endpoint=rooms.site.url + discovery.TOKEN,
            clock=clock,
        ),
        authorizing=provider.authorizing,
        devices=DeviceAsking(
            tickets=qr.devices,
            user_codes=stores.user_codes,
            pseudonyms=Pseudonyms(keyring),
            policy=qr.policy,
            entropy=rooms.entropy,
            url=rooms.site.url,
            session_lifetime=provider.session_lifetime,
        ),
        granting=Granting(
            codes=provider.codes,
            devices=DeviceRedeeming(
                tickets=qr.devices,
                paces=stores.paces,
                accounts=stores.accounts,
                consents=stores.consents,
                sessions=stores.sessions,
                grants=stores.grants,
                ticket_digest=ticket_digester(rooms),
                entropy=rooms.entropy,
                clock=clock,
                session_lifetime=provider.session_lifetime,
            ),
            grants=stores.grants,
            tokens=tokens,
            signing=provider.signing,
            representing=provider.representing,
            issuer=rooms.site.url,
            clock=clock,
        ),
        reading=Reading(
            clients=stores.relying_parties,
            grants=stores.grants,
            live=provider.live,
            representing=provider.representing,
            tokens=tokens,
            issuer=rooms.site.url,
            clock=clock,
        ),
        signing=provider.signing,
        observer=front.observer,
        throttle=stores.throttle,
        clock=clock,
    )
    pages = AuthorizePages(
        authorizing=provider.authorizing,
        choosing=Choosing(authorizing=provider.authorizing, acting=acting, cookies=front.cookies),
        desk=front.desk,
        signed_in=front.signed_in,
        leading=Leading(
            authorizing=provider.authorizing,
            desk=front.desk,
            login_first=front.login_first,
            sessions=front.sessions,
            browsers=qr.browsers,
            cookies=front.cookies,
            way_back=front.way_back,
            operations=frozenset(acts),
            bank_cards=bank_cards,
        ),
        way_back=front.way_back,
        returning=Returning(rooms.site, front.renderer),
        observer=front.observer,
        throttle=stores.throttle,
        clock=clock,
    )
    return Part(mounts=(endpoints.mount, pages.mount))


def _hinted(signing: SigningKeys, issuer: str, text: str, client: str, now: Instant) -> str | None:
    claims = signing.verified(text, id_token.TYPE, client, issuer, now)
    return None if claims is None else str(claims["sub"])
