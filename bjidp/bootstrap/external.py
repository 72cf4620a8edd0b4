"""The login by what somebody has elsewhere, wired: the way there and back, what binds a newcomer or an owner."""

from __future__ import annotations

from msgspec import Struct

from bjidp.accounts.external.arriving import Arriving, ExternalWindows
from bjidp.accounts.external.binding import Bindings
from bjidp.accounts.external.flow import LIFETIME, Attempt
from bjidp.accounts.external.linked import LinkedProviders
from bjidp.accounts.external.linking import Linking, Newcomer
from bjidp.accounts.login.flow import SmsLoginFacts
from bjidp.accounts.login.sms import SmsLogin
from bjidp.accounts.login.tails import DocumentTails, TailWindows
from bjidp.accounts.registration.service import Registrations
from bjidp.bootstrap.accounts import Own
from bjidp.bootstrap.front import Front, Part
from bjidp.bootstrap.rooms import HOME, Rooms, open_drafts
from bjidp.bootstrap.verification import Verification, served_numbers
from bjidp.config.settings import Settings
from bjidp.platforms import Provider
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.vendors.catalog import build_web_sign_ins
from bjidp.verification.code import Purpose
from bjidp.web.centre.linking import BindingPages
from bjidp.web.centre.own_pages import OwnPages
from bjidp.web.forms.external_ways import ExternalWays
from bjidp.web.forms.form_again import FormViews
from bjidp.web.login.external import THIRD, ExternalPages, Troubles
from bjidp.web.login.linking import LinkingPages
from bjidp.web.login.linking_tail import LinkingTailPages


def providers_of(settings: Settings) -> tuple[Provider, ...]:
    """Return the providers that people log in by here, in the order of pages."""
    sections = {
        Provider.NATIONAL: settings.national_login,
        Provider.ALIPAY: settings.alipay_login,
        Provider.WECHAT: settings.wechat_login,
        Provider.BAIDU: settings.baidu_login,
    }
    return tuple(provider for provider in Provider if sections[provider] is not None)


class External(Struct, frozen=True):
    """The way to providers and back, and what its owner makes of it on the pages of an account."""

    arriving: Arriving
    ways: ExternalWays
    linked: LinkedProviders
    bindings: Bindings


def wire_external(rooms: Rooms, front: Front, verification: Verification, own: Own) -> External:
    """Return it."""
    settings, stores = rooms.settings, rooms.stores
    arriving = Arriving(
        logins=build_web_sign_ins(
            http=rooms.http,
            clock=rooms.clock,
            national=settings.national_login,
            alipay=settings.alipay_login,
            wechat=settings.wechat_login,
            baidu=settings.baidu_login,
        ),
        callback=lambda provider: f"{rooms.site.url}{THIRD}/{provider}/callback",
        members=stores.members,
        sessions=front.sessions,
        ways=open_drafts(rooms, Attempt, "login.external", LIFETIME),
        throttle=stores.throttle,
        windows=ExternalWindows(),
    )
    linked = LinkedProviders(
        externals=stores.externals,
        sessions=front.sessions,
        changes=own.changes,
        verifying=own.verifying,
        teller=verification.teller,
        providers=providers_of(settings),
        clock=rooms.clock,
    )
    bindings = Bindings(
        changes=own.changes,
        verifying=own.verifying,
        arriving=arriving,
        members=stores.members,
        externals=stores.externals,
        sessions=front.sessions,
        teller=verification.teller,
        clock=rooms.clock,
    )
    return External(arriving, ExternalWays(front.desk, front.cookies, rooms.entropy), linked, bindings)


def external_part(
    rooms: Rooms,
    front: Front,
    verification: Verification,
    registrations: Registrations,
    own: Own,
    *,
    external: External,
    own_pages: OwnPages,
) -> Part:
    """Return the pages before a login, and those that lead an owner to a provider and back."""
    settings, stores, pseudonyms = rooms.settings, rooms.stores, Pseudonyms(rooms.keyring)
    binding_pages = BindingPages(
        own=own_pages,
        desk=front.desk,
        cookies=front.cookies,
        renderer=front.renderer,
        ways=external.ways,
        changes=own.changes,
        linked=external.linked,
        bindings=external.bindings,
    )
    linking = Linking(
        externals=stores.externals,
        sessions=front.sessions,
        newcomers=open_drafts(rooms, Newcomer, "login.newcomer"),
        clock=rooms.clock,
    )
    drafts = open_drafts(rooms, SmsLoginFacts, "login.link")
    troubles = Troubles(front.renderer)
    ways = ExternalPages(
        home=HOME,
        client=settings.server.client_name,
        desk=front.desk,
        ways=external.ways,
        arrivals=front.arrivals,
        login_first=front.login_first,
        arriving=external.arriving,
        linking=linking,
        troubles=troubles,
        to_owner=binding_pages.back,
    )
    binding = LinkingPages(
        home=HOME,
        desk=front.desk,
        form_views=FormViews(verification.captchas),
        arrivals=front.arrivals,
        linking=linking,
        codes=SmsLogin(
            members=stores.members,
            numbers=served_numbers(settings),
            captchas=verification.captchas,
            codes=verification.codes,
            dispatches=verification.dispatches,
            drafts=drafts,
            clock=rooms.clock,
            purpose=Purpose.LINK,
        ),
        registrations=registrations,
        troubles=troubles,
    )
    tails = LinkingTailPages(
        desk=front.desk,
        linking_pages=binding,
        linking=linking,
        tails=DocumentTails(
            members=stores.members,
            drafts=drafts,
            throttle=stores.throttle,
            pseudonyms=pseudonyms,
            windows=TailWindows(),
        ),
        troubles=troubles,
    )
    return Part(mounts=(ways.mount, binding.mount, tails.mount, binding_pages.mount))
