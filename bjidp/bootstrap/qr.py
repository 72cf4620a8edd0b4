"""The QR login, wired: its use cases, what its handlers share, and the sessions whose pages end with them."""

from __future__ import annotations

from msgspec import Struct

from bjidp.bootstrap.rooms import Rooms, derived_key, ticket_digester
from bjidp.clock import SECOND
from bjidp.config.settings import Settings
from bjidp.oidc.devices.agreeing import DeviceAgreeing
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.qrlogin.browsers import Browsers
from bjidp.qrlogin.changes import FlowChanges
from bjidp.qrlogin.devices import DeviceTickets
from bjidp.qrlogin.errands import Errands
from bjidp.qrlogin.face_steps import FaceSteps
from bjidp.qrlogin.flow import Client
from bjidp.qrlogin.keys import QrKeys
from bjidp.qrlogin.matrix import Basis
from bjidp.qrlogin.messages import Messages
from bjidp.qrlogin.pages import QrPages
from bjidp.qrlogin.phones import QrPhones
from bjidp.qrlogin.policy import QrPolicy, ReverseCode
from bjidp.qrlogin.refusals import Refusals
from bjidp.sessions.service import Sessions
from bjidp.verification.proofs import Proofs


class Qr(Struct, frozen=True, kw_only=True):
    """The QR login: its use cases, and what its handlers share."""

    policy: QrPolicy
    keys: QrKeys
    basis: Basis
    changes: FlowChanges
    browsers: Browsers
    errands: Errands
    sessions: Sessions
    proofs: Proofs
    refusals: Refusals
    pages: QrPages
    devices: DeviceTickets
    phones: QrPhones
    face_steps: FaceSteps


def wire_qr(rooms: Rooms) -> Qr:
    """Return the QR login."""
    stores, policy = rooms.stores, _policy(rooms.settings)
    keys = QrKeys(derived_key(rooms.keyring, "qr"))
    changes = FlowChanges(stores.tickets, stores.signals)
    browsers = Browsers(stores.browsers, changes, policy, rooms.entropy)
    errands = Errands(browsers, changes, stores.open_flows)
    lifetime = rooms.settings.sessions.lifetime_seconds * SECOND
    sessions = Sessions(stores.sessions, rooms.clock, rooms.entropy, lifetime, errands)
    proofs = Proofs(stores.proofs, Pseudonyms(rooms.keyring))
    refusals = Refusals(stores.audit, stores.throttle, ticket_digester(rooms))
    return Qr(
        policy=policy,
        keys=keys,
        basis=Basis(rooms.site.qr_prefix),
        changes=changes,
        browsers=browsers,
        errands=errands,
        sessions=sessions,
        proofs=proofs,
        refusals=refusals,
        pages=QrPages(
            browsers=browsers,
            changes=changes,
            bus=stores.signals,
            throttle=stores.throttle,
            messages=Messages(keys, policy, rooms.site.qr_prefix),
            policy=policy,
            entropy=rooms.entropy,
        ),
        devices=DeviceTickets(
            changes=changes,
            bus=stores.signals,
            keys=keys,
            policy=policy,
            entropy=rooms.entropy,
            prefix=rooms.site.qr_prefix,
        ),
        phones=QrPhones(
            changes=changes,
            accounts=stores.accounts,
            throttle=stores.throttle,
            refusals=refusals,
            keys=keys,
            policy=policy,
            entropy=rooms.entropy,
            agree=DeviceAgreeing(stores.consents, rooms.clock),
            prefix=rooms.site.qr_prefix,
        ),
        face_steps=FaceSteps(changes, keys),
    )


def own_client(rooms: Rooms) -> Client:
    """Return the site that a login on our own pages is for."""
    return Client(rooms.settings.server.client_name, rooms.site.host)


def basis_address(qr: Qr) -> str:
    """Return where pages find what they draw codes from."""
    return f"/static/qr/{qr.basis.fingerprint}.bin"


def _policy(settings: Settings) -> QrPolicy:
    return QrPolicy(
        scan=settings.qr.scan_seconds * SECOND,
        confirm=settings.qr.confirm_seconds * SECOND,
        redeem=settings.qr.redeem_seconds * SECOND,
        reverse_code=ReverseCode(settings.qr.reverse_code),
        session=settings.sessions.lifetime_seconds * SECOND,
        launch_scenes={name: frozenset(scenes) for name, scenes in settings.qr.launch_scenes.items()},
    )
