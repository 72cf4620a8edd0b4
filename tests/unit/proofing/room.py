"""The room where people prove who they are: the real services on real stores, with a register that can be told."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from bjidp.accounts.drafts import Sealed
from bjidp.accounts.endings import Endings
from bjidp.accounts.settings.addresses import NewAddresses
from bjidp.accounts.verifying import Visit
from bjidp.clock import ManualClock
from bjidp.entropy import Entropy
from bjidp.errors import VendorUnavailable
from bjidp.person import DocumentType, Person
from bjidp.privacy.sealing import Sealing
from bjidp.privacy.seals import RecordSeals
from bjidp.proofing.asking import Asking
from bjidp.proofing.bank_card_proofs import BankCardProofs
from bjidp.proofing.claims import Claims
from bjidp.proofing.ports import Bound
from bjidp.proofing.ranges import CardRange, DocumentRange
from bjidp.proofing.real_name import RealNames
from bjidp.proofing.settling import Settling
from bjidp.proofing.stated import Typed
from bjidp.proofing.stated_card import Served
from bjidp.proofing.unbinding import Unbinding
from bjidp.sessions.ports import SessionStore
from bjidp.storage.sql.catalog import SqlStores
from bjidp.vendors.ports.registers import CardFacts, Finding, RegisterAnswer
from bjidp.verification.proofs import Operation
from bjidp.verification.ranges import NumberRange
from tests.contracts.ephemeral import Ephemeral
from tests.support.phones import keyring
from tests.support.verification import PSEUDONYMS
from tests.unit.accounts.settings.room import Room

ZHANG = Person(DocumentType.RESIDENT_ID, "张三", "110101199003070011")
LI = Person(DocumentType.RESIDENT_ID, "李四", "11010119900307002X")


class Register:
    """Answers what it is told to, remembers what it was asked, and can be down."""

    def __init__(self) -> None:
        self.answers: dict[str, RegisterAnswer] = {}
        self.asked: list[Person] = []
        self.references: list[str] = []
        self.down = False

    async def check(self, person: Person, *, reference: str) -> Finding:
        self.asked.append(person)
        self.references.append(reference)
        if self.down:
            raise VendorUnavailable
        answer = self.answers.get(person.number, RegisterAnswer.MATCH)
        return Finding(answer, None, f"A{len(self.asked)}")


class BankDoor:
    """Knows cards by what it is told, and can be down."""

    def __init__(self) -> None:
        self.answer = Finding(RegisterAnswer.MATCH, None, "B1")
        self.asked: list[CardFacts] = []
        self.references: list[str] = []
        self.down = False

    async def check(self, facts: CardFacts, *, reference: str) -> Finding:
        self.asked.append(facts)
        self.references.append(reference)
        if self.down:
            raise VendorUnavailable
        return self.answer


class Study(Room):
    """The room, with what proofing adds to it."""

    def __init__(
        self, sql: SqlStores, sessions: SessionStore, brief: Ephemeral, file: Path, clock: ManualClock, entropy: Entropy
    ) -> None:
        super().__init__(sql, sessions, brief, file, clock, entropy)
        self.register = Register()
        self.bank = BankDoor()
        self.identities = self.meddler.between("identities", sql.identities)
        self.claims = Claims(
            self.meddler.between("claims", brief.records("claim", Sealed)),
            RecordSeals(Sealing(keyring(), entropy)),
            PSEUDONYMS,
        )
        self.asking = Asking(
            checks=self.meddler.between("checks", sql.checks),
            authority=self.register,
            bank=self.bank,
            business_register=None,
            pseudonyms=PSEUDONYMS,
            clock=clock,
        )
        self.settling = Settling(
            identities=self.identities,
            claims=self.claims,
            endings=Endings(self.sessions, self.phones_ended, self.aftercare),
            teller=self.teller,
            clock=clock,
        )
        self.real_names = RealNames(
            changes=self.changes,
            verifying=self.verifying,
            identities=self.identities,
            asking=self.asking,
            settling=self.settling,
            documents=DocumentRange.REAL,
            clock=clock,
        )

        self.bank_cards = BankCardProofs(
            changes=self.changes,
            addresses=NewAddresses(
                changes=self.changes, captchas=self.captchas, dispatches=self.dispatches, codes=self.codes
            ),
            verifying=self.verifying,
            identities=self.identities,
            claims=self.claims,
            asking=self.asking,
            settling=self.settling,
            served=Served(DocumentRange.REAL, CardRange.SYNTHETIC, NumberRange.SYNTHETIC),
            clock=clock,
        )
        self.unbinding = Unbinding(
            changes=self.changes,
            verifying=self.verifying,
            identities=self.identities,
            claims=self.claims,
            settling=self.settling,
            clock=clock,
        )

    async def bound(self, account: str) -> Bound | None:
        """Return the identity of an account."""
        return await self.sql.identities.bound(account)

    async def granted_visit(self, account: str, operation: Operation) -> Visit:
        """Log in, and be confirmed for the operation."""
        visit = await self.enter(account)
        await self.granted(visit, operation)
        return visit


def form(person: Person = ZHANG, **fields: str) -> Typed:
    """Return the form of 实名认证, filled in; ``fields`` are typed otherwise."""
    right = Typed(
        document_type=person.document_type,
        name=person.name,
        document_number=person.number,
        valid_from="2018-06-06",
        valid_to="2038-06-06",
    )
    return replace(right, **fields)
