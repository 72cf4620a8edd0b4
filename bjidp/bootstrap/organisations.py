"""Organisations, wired: who leads them, who acts for them, and the pages of both.

Called by ``application``; 验证身份 and the changes are the personal centre's, which hands them in.
"""

from __future__ import annotations

from msgspec import Struct

from bjidp.accounts.settings.changes import Changes
from bjidp.accounts.verifying import Verifying
from bjidp.bootstrap.rooms import Rooms, is_sandbox
from bjidp.bootstrap.verification import Verification, served_numbers
from bjidp.organisations.acting import Acting
from bjidp.organisations.appointing import Appointing
from bjidp.organisations.confirming import Confirming
from bjidp.organisations.giving_up import GivingUp
from bjidp.organisations.proved import Proved
from bjidp.organisations.refusing import Refusing
from bjidp.organisations.registering import Registering
from bjidp.proofing.asking import Asking
from bjidp.proofing.ranges import OrganisationRange
from bjidp.sessions.service import Sessions


class Organisations(Struct, frozen=True, kw_only=True):
    """The services."""

    registering: Registering | None
    """None where there is no register to ask."""
    appointing: Appointing
    giving_up: GivingUp
    acting: Acting


def wire_organisations(
    rooms: Rooms, verification: Verification, changes: Changes, verifying: Verifying, sessions: Sessions, asking: Asking
) -> Organisations:
    """Return the services over the changes of the personal centre."""
    stores, clock = rooms.stores, rooms.clock
    proved = Proved(identities=stores.identities, accounts=stores.accounts, clock=clock)
    refusing = Refusing(organisations=stores.organisations, teller=verification.teller, clock=clock)
    return Organisations(
        registering=None
        if rooms.settings.business_register is None
        else Registering(
            changes=changes,
            proved=proved,
            organisations=stores.organisations,
            asking=asking,
            served=OrganisationRange.SYNTHETIC if is_sandbox(rooms.settings) else OrganisationRange.REAL,
            refusing=refusing,
            teller=verification.teller,
            clock=clock,
        ),
        appointing=Appointing(
            changes=changes,
            verifying=verifying,
            proved=proved,
            organisations=stores.organisations,
            served=served_numbers(rooms.settings),
            teller=verification.teller,
            clock=clock,
        ),
        giving_up=GivingUp(organisations=stores.organisations, teller=verification.teller, clock=clock),
        acting=Acting(
            organisations=stores.organisations,
            proved=proved,
            confirming=Confirming(
                organisations=stores.organisations,
                identities=stores.identities,
                asking=asking,
                refusing=refusing,
                clock=clock,
            ),
            verifying=verifying,
            sessions=sessions,
            audit=stores.audit,
            clock=clock,
        ),
    )
