"""Proving who one is on pages: from stores and registers to services.

Called by ``application``. What belongs to 验证身份 is the personal centre's, which hands it in.
"""

from __future__ import annotations

from msgspec import Struct

from bjidp.accounts.endings import Endings
from bjidp.accounts.settings.changes import Changes
from bjidp.accounts.verifying import Verifying
from bjidp.bootstrap.rooms import Rooms, is_sandbox, ticket_digester
from bjidp.bootstrap.verification import Verification, new_addresses, served_numbers
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.privacy.sealing import Sealing
from bjidp.privacy.seals import RecordSeals
from bjidp.proofing.asking import Asking
from bjidp.proofing.bank_card_proofs import BankCardProofs
from bjidp.proofing.claims import Claims
from bjidp.proofing.face_proofs import FaceProofs
from bjidp.proofing.faces import Faces
from bjidp.proofing.ranges import CardRange, DocumentRange
from bjidp.proofing.real_name import RealNames
from bjidp.proofing.settling import Settling
from bjidp.proofing.stated_card import Served
from bjidp.proofing.unbinding import Unbinding
from bjidp.sessions.service import Sessions
from bjidp.vendors.catalog import build_authority, build_bank, build_business_register


class Proofing(Struct, frozen=True):
    """The services."""

    asking: Asking
    real_names: RealNames
    bank_cards: BankCardProofs | None
    """None where there is no bank to ask."""
    face_proofs: FaceProofs
    faces: Faces
    unbinding: Unbinding
    claims: Claims


def served_documents(rooms: Rooms) -> DocumentRange:
    """Return whose numbers are served here."""
    return DocumentRange.SYNTHETIC if is_sandbox(rooms.settings) else DocumentRange.REAL


def open_claims(rooms: Rooms) -> Claims:
    """Return the claims to identities that are other accounts'."""
    seals = RecordSeals(Sealing(rooms.keyring, rooms.entropy))
    return Claims(rooms.stores.claims, seals, Pseudonyms(rooms.keyring))


def wire_proofing(
    rooms: Rooms,
    verification: Verification,
    changes: Changes,
    verifying: Verifying,
    sessions: Sessions,
    endings: Endings,
) -> Proofing:
    """Return the services over the changes of the personal centre."""
    settings = rooms.settings
    stores, clock, pseudonyms = rooms.stores, rooms.clock, Pseudonyms(rooms.keyring)
    claims = open_claims(rooms)
    settling = Settling(
        identities=stores.identities,
        claims=claims,
        endings=endings,
        teller=verification.teller,
        clock=clock,
    )
    asking = Asking(
        checks=stores.checks,
        authority=build_authority(settings.authority, http=rooms.http, clock=clock),
        bank=None if settings.bank is None else build_bank(settings.bank, http=rooms.http, clock=clock),
        business_register=None
        if settings.business_register is None
        else build_business_register(settings.business_register, http=rooms.http, clock=clock),
        pseudonyms=pseudonyms,
        clock=clock,
    )
    return Proofing(
        asking=asking,
        real_names=RealNames(
            changes=changes,
            verifying=verifying,
            identities=stores.identities,
            asking=asking,
            settling=settling,
            documents=served_documents(rooms),
            clock=clock,
        ),
        bank_cards=None
        if settings.bank is None
        else BankCardProofs(
            changes=changes,
            addresses=new_addresses(changes, verification),
            verifying=verifying,
            identities=stores.identities,
            claims=claims,
            asking=asking,
            settling=settling,
            served=Served(
                served_documents(rooms),
                CardRange.SYNTHETIC if is_sandbox(settings) else CardRange.REAL,
                served_numbers(settings),
            ),
            clock=clock,
        ),
        face_proofs=FaceProofs(changes, verifying, stores.identities, claims, clock),
        faces=Faces(
            identities=stores.identities,
            accounts=stores.accounts,
            sessions=sessions,
            ticket_digest=ticket_digester(rooms),
            clock=clock,
        ),
        unbinding=Unbinding(
            changes=changes,
            verifying=verifying,
            identities=stores.identities,
            claims=claims,
            settling=settling,
            clock=clock,
        ),
        claims=claims,
    )
