"""What people do with an account on pages, wired: registration, recovery, the centre, and what ends sessions."""

from __future__ import annotations

from msgspec import Struct

from bjidp.accounts.activity import Activity
from bjidp.accounts.endings import Endings
from bjidp.accounts.external.linked import LinkedProviders
from bjidp.accounts.names import DocumentReadings
from bjidp.accounts.ports import NOTHING, Gone
from bjidp.accounts.recovery.flow import Recovery
from bjidp.accounts.recovery.service import Recoveries, RecoveryWindows
from bjidp.accounts.registration.flow import Begun
from bjidp.accounts.registration.service import Registrations, RegistrationWindows
from bjidp.accounts.settings.changes import Changes
from bjidp.accounts.settings.flow import Change
from bjidp.accounts.settings.names import Names
from bjidp.accounts.verifying import Verifying
from bjidp.appeals.attachments import LARGEST
from bjidp.appeals.withdrawing import Withdrawing
from bjidp.bootstrap.appeals import wire_filing, wire_withdrawing
from bjidp.bootstrap.front import Front, Part
from bjidp.bootstrap.organisations import Organisations, wire_organisations
from bjidp.bootstrap.proofing import Proofing, open_claims, wire_proofing
from bjidp.bootstrap.qr import Qr
from bjidp.bootstrap.rooms import HOME, Rooms, open_drafts
from bjidp.bootstrap.verification import Verification, served_numbers
from bjidp.miniprogram.ports import MiniSessionEnd
from bjidp.miniprogram.sessions import MiniSessions
from bjidp.oidc.agreements import Agreements
from bjidp.oidc.devices.ending import EndDevices
from bjidp.oidc.devices.logins import DeviceLogins
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.proofing.aftercare import Aftercare
from bjidp.proofing.dates import beijing_date
from bjidp.proofing.documents import readings
from bjidp.qrlogin.flow import Client
from bjidp.sessions.ports import SessionEnd
from bjidp.verification.proofs import Operation
from bjidp.web.centre.acts import Acts
from bjidp.web.centre.appeal import AppealPages
from bjidp.web.centre.face import FacePages
from bjidp.web.centre.organisations import OrganisationPages
from bjidp.web.centre.overview import CentrePages
from bjidp.web.centre.own_pages import OwnPages
from bjidp.web.centre.settings import SettingsPages
from bjidp.web.centre.sites import SitesPages
from bjidp.web.centre.third import LinkedProviderPages
from bjidp.web.centre.views import SettingViews
from bjidp.web.forms.form_again import FormViews
from bjidp.web.forms.uploads import Uploads
from bjidp.web.recovery import RecoveryPages
from bjidp.web.registration.form import RegistrationPages
from bjidp.web.registration.identity import RegistrationIdentityPages
from bjidp.web.registration.steps import RegistrationSettings


def wire_endings(rooms: Rooms, front: Front, verification: Verification, mini_sessions: MiniSessions) -> Endings:
    """Return what ends the sessions of an account, in browsers and on phones, and does what else follows."""

    async def end_phones(account: str, reason: SessionEnd, gone: Gone = NOTHING) -> None:
        await mini_sessions.end_all(account, None, MiniSessionEnd(reason), gone)

    members = rooms.stores.members
    aftercare = Aftercare(members=members, claims=open_claims(rooms), teller=verification.teller)
    return Endings(front.sessions, end_phones, aftercare)


class Own(Struct, frozen=True):
    """What every change of an account stands on: 验证身份, the changes, the end of sessions, and what others share."""

    verifying: Verifying
    changes: Changes
    endings: Endings
    names: Names
    proofing: Proofing
    organisations: Organisations
    withdrawing: Withdrawing


def wire_own(rooms: Rooms, front: Front, verification: Verification, endings: Endings) -> Own:
    """Return it."""
    verifying = Verifying(
        members=rooms.stores.members,
        captchas=verification.captchas,
        dispatches=verification.dispatches,
        codes=verification.codes,
        proofs=verification.proofs,
        sessions=front.sessions,
        clock=rooms.clock,
    )
    changes = Changes(open_drafts(rooms, Change, "settings"), verification.proofs, verifying)
    proofing = wire_proofing(rooms, verification, changes, verifying, front.sessions, endings)
    organisations = wire_organisations(rooms, verification, changes, verifying, front.sessions, proofing.asking)
    names = Names(
        changes=changes,
        verifying=verifying,
        members=rooms.stores.members,
        throttle=rooms.stores.throttle,
        pseudonyms=Pseudonyms(rooms.keyring),
        clock=rooms.clock,
    )
    withdrawing = wire_withdrawing(rooms, changes)
    return Own(verifying, changes, endings, names, proofing, organisations, withdrawing)


def wire_registrations(rooms: Rooms, front: Front, verification: Verification) -> Registrations:
    """Return registration on pages."""
    stores, pseudonyms = rooms.stores, Pseudonyms(rooms.keyring)
    return Registrations(
        drafts=open_drafts(rooms, Begun, "registration"),
        members=stores.members,
        numbers=served_numbers(rooms.settings),
        captchas=verification.captchas,
        dispatches=verification.dispatches,
        codes=verification.codes,
        hashes=verification.passwords,
        sessions=front.sessions,
        throttle=stores.throttle,
        pseudonyms=pseudonyms,
        clock=rooms.clock,
        windows=RegistrationWindows(),
        national=rooms.settings.national_register is not None,
    )


def registration_part(
    rooms: Rooms,
    front: Front,
    qr: Qr,
    own: Own,
    acts: Acts,
    *,
    verification: Verification,
    registrations: Registrations,
) -> Part:
    """Return the pages of registration."""
    settings = rooms.settings
    about = RegistrationSettings(
        client=Client(settings.server.client_name, rooms.site.host),
        home=HOME,
        bank_cards=Operation.BANK_CARD in acts,
        national=settings.national_register is not None,
    )
    form = RegistrationPages(
        settings=about,
        desk=front.desk,
        registrations=registrations,
        form_views=FormViews(verification.captchas),
        browsers=qr.browsers,
        cookies=front.cookies,
        arrivals=front.arrivals,
    )
    identity = RegistrationIdentityPages(
        settings=about,
        desk=front.desk,
        registrations=registrations,
        real_names=own.proofing.real_names,
        cookies=front.cookies,
        renderer=front.renderer,
    )
    return Part(mounts=(form.mount, identity.mount))


def recovery_part(rooms: Rooms, front: Front, verification: Verification, endings: Endings) -> Part:
    """Return recovery."""
    stores, pseudonyms = rooms.stores, Pseudonyms(rooms.keyring)
    recoveries = Recoveries(
        drafts=open_drafts(rooms, Recovery, "recovery"),
        members=stores.members,
        documents=document_readings(rooms),
        numbers=served_numbers(rooms.settings),
        captchas=verification.captchas,
        dispatches=verification.dispatches,
        codes=verification.codes,
        proofs=verification.proofs,
        hashes=verification.passwords,
        endings=endings,
        throttle=stores.throttle,
        pseudonyms=pseudonyms,
        clock=rooms.clock,
        windows=RecoveryWindows(),
    )
    recovering = RecoveryPages(
        desk=front.desk,
        arrivals=front.arrivals,
        tickets=front.verify_tickets,
        recoveries=recoveries,
        form_views=FormViews(verification.captchas),
    )
    return Part(mounts=(recovering.mount,))


def wire_own_pages(front: Front) -> OwnPages:
    """Return what receives whoever is logged in at pages that nobody else is shown."""
    return OwnPages(
        desk=front.desk,
        signed_in=front.signed_in,
        cookies=front.cookies,
        login_first=front.login_first,
        uploads=Uploads(front.forms, file_max=LARGEST),
    )


def centre_part(
    rooms: Rooms,
    front: Front,
    verification: Verification,
    mini_sessions: MiniSessions,
    own: Own,
    acts: Acts,
    *,
    own_pages: OwnPages,
    linked: LinkedProviders,
) -> Part:
    """Return the personal centre, and every change that it leads to."""
    clock = rooms.clock
    verifying, changes, endings = own.verifying, own.changes, own.endings
    organisations = own.organisations
    filing = wire_filing(rooms, verifying, own.proofing.claims)
    agreements = Agreements(rooms.stores.consents, rooms.stores.relying_parties, front.sessions, clock)
    centre = CentrePages(
        own=own_pages,
        desk=front.desk,
        renderer=front.renderer,
        verifying=verifying,
        names=own.names,
        activity=Activity(
            members=rooms.stores.members,
            externals=rooms.stores.externals,
            sessions=front.sessions,
            devices=EndDevices(rooms.stores.grants, clock),
            endings=endings,
            clock=clock,
        ),
        sessions=front.sessions,
        mini_sessions=mini_sessions,
        device_logins=DeviceLogins(rooms.stores.grants, clock),
        endings=endings,
        clock=clock,
        departures=front.departures,
        settings=frozenset(acts),
        appointing=None if organisations.registering is None else organisations.appointing,
        acting=organisations.acting,
        filing=filing,
        providers=linked.offered,
        agreements=agreements,
    )
    sites = SitesPages(own=own_pages, desk=front.desk, renderer=front.renderer, agreements=agreements)
    third = LinkedProviderPages(own=own_pages, desk=front.desk, renderer=front.renderer, linked=linked)
    companies = OrganisationPages(
        own=own_pages,
        desk=front.desk,
        appointing=organisations.appointing,
        giving_up=organisations.giving_up,
        acting=organisations.acting,
        verifying=verifying,
        clock=clock,
        registers=organisations.registering is not None,
    )
    settings = SettingsPages(
        own=own_pages,
        arrivals=front.arrivals,
        desk=front.desk,
        cookies=front.cookies,
        renderer=front.renderer,
        views=SettingViews(
            form_views=FormViews(verification.captchas),
            verifying=verifying,
            bank_cards=own.proofing.bank_cards,
            appointing=organisations.appointing,
            withdrawing=own.withdrawing,
            linked=linked,
        ),
        verifying=verifying,
        changes=changes,
        acts=acts,
        faces=FacePages(
            faces=own.proofing.face_proofs,
            tickets=front.verify_tickets,
            desk=front.desk,
            cookies=front.cookies,
            renderer=front.renderer,
        ),
        departures=front.departures,
        way_back=front.way_back,
    )
    appeals = AppealPages(own=own_pages, desk=front.desk, filing=filing)
    return Part(mounts=(centre.mount, sites.mount, third.mount, appeals.mount, settings.mount, companies.mount))


def document_readings(rooms: Rooms) -> DocumentReadings:
    """Return what tells of which documents a text may be the number, by the date of today."""
    return lambda typed: readings(typed, beijing_date(rooms.clock.now()))
