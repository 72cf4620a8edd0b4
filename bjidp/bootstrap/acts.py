"""What every setting of 个人中心 does, wired: the one place that knows which of them there are here.

Called by ``application``. Whoever leads to a setting is told by its table whether there is one: without a bank nobody
is proved by a card, and without a business register no organisation is registered.
"""

from __future__ import annotations

from bjidp.accounts.external.binding import Bindings
from bjidp.accounts.external.linked import LinkedProviders
from bjidp.accounts.settings.cancelling import Cancelling
from bjidp.accounts.settings.mails import Mails
from bjidp.accounts.settings.passwords import Passwords
from bjidp.accounts.settings.phones import Phones
from bjidp.accounts.settings.reauthenticating import Reauthenticating
from bjidp.bootstrap.accounts import Own
from bjidp.bootstrap.rooms import Rooms, is_sandbox
from bjidp.bootstrap.verification import Verification, new_addresses, served_numbers
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.verification.ranges import MailRange
from bjidp.web.centre.acts import Acts, setting_acts


def wire_acts(
    rooms: Rooms, verification: Verification, own: Own, *, linked: LinkedProviders, bindings: Bindings
) -> Acts:
    """Return the table."""
    members, clock = rooms.stores.members, rooms.clock
    verifying, changes, endings = own.verifying, own.changes, own.endings
    addresses = new_addresses(changes, verification)
    return setting_acts(
        passwords=Passwords(
            changes=changes,
            verifying=verifying,
            members=members,
            hashes=verification.passwords,
            endings=endings,
            throttle=rooms.stores.throttle,
            pseudonyms=Pseudonyms(rooms.keyring),
            clock=clock,
        ),
        phones=Phones(
            changes=changes,
            addresses=addresses,
            verifying=verifying,
            members=members,
            numbers=served_numbers(rooms.settings),
            endings=endings,
            teller=verification.teller,
            clock=clock,
        ),
        mails=Mails(
            changes=changes,
            addresses=addresses,
            verifying=verifying,
            members=members,
            served=MailRange.SYNTHETIC if is_sandbox(rooms.settings) else MailRange.REAL,
            clock=clock,
        ),
        names=own.names,
        cancelling=Cancelling(changes=changes, members=members, endings=endings, clock=clock),
        reauthenticating=Reauthenticating(changes),
        real_names=own.proofing.real_names,
        bank_cards=own.proofing.bank_cards,
        faces=own.proofing.face_proofs,
        unbinding=own.proofing.unbinding,
        registering=own.organisations.registering,
        appointing=own.organisations.appointing,
        withdrawing=own.withdrawing,
        linked=linked,
        bindings=bindings,
    )
