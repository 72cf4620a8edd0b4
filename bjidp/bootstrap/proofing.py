"""Proving who one is on pages: from stores and registers to services.

Called by ``application``. What belongs to 验证身份 is the personal centre's, which hands it in.
"""

from __future__ import annotations

from msgspec import Struct

from bjidp.accounts.endings import Endings
from bjidp.accounts.settings.changes import Changes
from bjidp.accounts.verifying import Verifying
from bjidp.bootstrap.rooms import Rooms, is_sandbox
from bjidp.bootstrap.verification import Verification
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.privacy.sealing import Sealing
from bjidp.privacy.seals import RecordSeals
from bjidp.proofing.asking import Asking
from bjidp.proofing.claims import Claims
from bjidp.proofing.ranges import DocumentRange
from bjidp.proofing.real_name import RealNames
from bjidp.proofing.settling import Settling
from bjidp.proofing.unbinding import Unbinding
from bjidp.vendors.catalog import build_authority


class Proofing(Struct, frozen=True):
    """The services."""

    real_names: RealNames
    unbinding: Unbinding


def served_documents(rooms: Rooms) -> DocumentRange:
    """Return whose numbers are served here."""
    return DocumentRange.SYNTHETIC if is_sandbox(rooms.settings) else DocumentRange.REAL


def wire_proofing(
    rooms: Rooms, verification: Verification, changes: Changes, verifying: Verifying, endings: Endings
) -> Proofing:
    """Return the services over the changes of the personal centre."""
    stores, clock, pseudonyms = rooms.stores, rooms.clock, Pseudonyms(rooms.keyring)
    claims = Claims(stores.claims, RecordSeals(Sealing(rooms.keyring, rooms.entropy)), pseudonyms)
    settling = Settling(
        identities=stores.identities, claims=claims, endings=endings, teller=verification.teller, clock=clock
    )
    asking = Asking(
        checks=stores.checks,
        authority=build_authority(rooms.settings.authority, http=rooms.http, clock=clock),
        pseudonyms=pseudonyms,
        clock=clock,
    )
    return Proofing(
        real_names=RealNames(
            changes=changes,
            verifying=verifying,
            asking=asking,
            settling=settling,
            documents=served_documents(rooms),
            teller=verification.teller,
            clock=clock,
        ),
        unbinding=Unbinding(
            changes=changes,
            verifying=verifying,
            identities=stores.identities,
            claims=claims,
            endings=endings,
            teller=verification.teller,
            clock=clock,
        ),
    )
