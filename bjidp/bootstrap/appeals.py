"""Appeals, wired: their pages, and what follows a decision, in every process."""

from __future__ import annotations

from bjidp.accounts.endings import Endings
from bjidp.accounts.settings.changes import Changes
from bjidp.accounts.verifying import Verifying
from bjidp.appeals.filing import Filing
from bjidp.appeals.isolation import Isolation
from bjidp.appeals.outcomes import Outcomes
from bjidp.appeals.withdrawing import Withdrawing
from bjidp.bootstrap.front import Part
from bjidp.bootstrap.rooms import Rooms
from bjidp.bootstrap.running import beside
from bjidp.bootstrap.verification import Verification
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.proofing.claims import Claims


def outcomes_part(rooms: Rooms, verification: Verification, endings: Endings) -> Part:
    """Return what tells people of decisions for as long as the application runs."""
    outcomes = Outcomes(appeals=rooms.stores.appeals, endings=endings, teller=verification.teller, clock=rooms.clock)
    return Part(mounts=(beside(outcomes.run),))


def wire_withdrawing(rooms: Rooms, changes: Changes) -> Withdrawing:
    """Return what takes them back."""
    return Withdrawing(changes=changes, appeals=rooms.stores.appeals, clock=rooms.clock)


def wire_filing(rooms: Rooms, verifying: Verifying, claims: Claims) -> Filing:
    """Return what takes appeals."""
    return Filing(
        appeals=rooms.stores.appeals,
        claims=claims,
        verifying=verifying,
        sanitiser=Isolation(),
        throttle=rooms.stores.throttle,
        pseudonyms=Pseudonyms(rooms.keyring),
        clock=rooms.clock,
    )
