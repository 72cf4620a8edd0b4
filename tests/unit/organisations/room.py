"""The room where organisations are dealt with: the real services on real stores, with a register that can be told."""

from __future__ import annotations

from pathlib import Path

from bjidp.accounts.ports import Evidence
from bjidp.accounts.verifying import Visit
from bjidp.clock import DAY, ManualClock
from bjidp.entropy import Entropy
from bjidp.errors import VendorUnavailable
from bjidp.organisations.acting import Acting
from bjidp.organisations.appointing import Appointing
from bjidp.organisations.confirming import Confirming
from bjidp.organisations.organisation import Organisation
from bjidp.organisations.proved import Proved
from bjidp.organisations.refusing import Refusing
from bjidp.organisations.registering import Registering
from bjidp.organisations.stated import TypedOffer, TypedOrganisation
from bjidp.person import DocumentType, Person
from bjidp.proofing.asking import Asking
from bjidp.proofing.dates import beijing_date
from bjidp.proofing.ports import NewIdentity
from bjidp.proofing.ranges import OrganisationRange
from bjidp.sessions.ports import SessionStore
from bjidp.storage.sql.catalog import SqlStores
from bjidp.vendors.ports.registers import Finding, OrganisationFacts, Reason, RegisterAnswer
from bjidp.verification.proofs import Operation
from bjidp.verification.ranges import NumberRange
from tests.contracts.ephemeral import Ephemeral
from tests.support.identities import prove
from tests.support.verification import PSEUDONYMS
from tests.unit.accounts.settings.room import NUMBER
from tests.unit.proofing.room import LI, ZHANG, Study

__all__ = ["LI", "ZHANG"]

LIS, WANGS = "15400000005", "15400000006"
WANG = Person(DocumentType.RESIDENT_ID, "王五", "110101199003071111")
CODE, NAME = "91110000600037341L", "北京示例公司"
FORM = TypedOrganisation(CODE, NAME)

YES = Finding(RegisterAnswer.MATCH, None, "R1")
NO = Finding(RegisterAnswer.MISMATCH, Reason.REPRESENTATIVE, "R2")


class CompanyRegister:
    """Answers what it is told to, remembers what it was asked, and can be down."""

    def __init__(self) -> None:
        self.answer = YES
        self.asked: list[OrganisationFacts] = []
        self.references: list[str] = []
        self.down = False

    async def check(self, facts: OrganisationFacts, *, reference: str) -> Finding:
        self.asked.append(facts)
        self.references.append(reference)
        if self.down:
            raise VendorUnavailable
        return self.answer


class Office(Study):
    """The room, with what organisations add to it."""

    def __init__(
        self, sql: SqlStores, sessions: SessionStore, brief: Ephemeral, file: Path, clock: ManualClock, entropy: Entropy
    ) -> None:
        super().__init__(sql, sessions, brief, file, clock, entropy)
        self.companies = CompanyRegister()
        self.organisations = self.meddler.between("organisations", sql.organisations)
        asking = Asking(
            checks=self.meddler.between("checks", sql.checks),
            authority=self.register,
            bank=None,
            business_register=self.companies,
            pseudonyms=PSEUDONYMS,
            clock=clock,
        )
        proved = Proved(identities=self.identities, accounts=sql.accounts, clock=clock)
        refusing = Refusing(organisations=self.organisations, teller=self.teller, clock=clock)
        self.registering = Registering(
            changes=self.changes,
            proved=proved,
            organisations=self.organisations,
            asking=asking,
            served=OrganisationRange.REAL,
            refusing=refusing,
            teller=self.teller,
            clock=clock,
        )
        self.appointing = Appointing(
            changes=self.changes,
            verifying=self.verifying,
            proved=proved,
            organisations=self.organisations,
            served=NumberRange.SYNTHETIC,
            teller=self.teller,
            clock=clock,
        )
        self.acting = Acting(
            organisations=self.organisations,
            proved=proved,
            confirming=Confirming(
                organisations=self.organisations,
                identities=self.identities,
                asking=asking,
                refusing=refusing,
                clock=clock,
            ),
            verifying=self.verifying,
            sessions=self.sessions,
            audit=self.meddler.between("audit", sql.audit),
            clock=clock,
        )

    async def person(
        self, who: Person = ZHANG, phone: str = NUMBER, username: str = "zhang_san", by: Evidence = Evidence.FACE
    ) -> str:
        """Return an account with a number and an identity."""
        account = await self.someone(phone, username)
        new = NewIdentity(person=who, evidence=by, evidence_reference="E1", authority_reference="A1")
        await prove(self.sql.identities, account, new, self.clock.now())
        return account

    async def agent(self) -> str:
        """Return the account of 李四."""
        return await self.person(LI, LIS, "li_si")

    async def leads(self, account: str, form: TypedOrganisation = FORM) -> tuple[Visit, Organisation]:
        """Register an organisation for an account; return a session of it, and the organisation."""
        visit = await self.granted_visit(account, Operation.ORGANISATION)
        await self.registering.register(visit, None, form)
        return visit, (await self.sql.organisations.led(account))[-1]

    def offer(self, organisation: str, phone: str = LIS, days: int = 30, **other: str) -> TypedOffer:
        """Return the form of an offer, filled in."""
        last = beijing_date(self.clock.now() + days * DAY).isoformat()
        fields = {"organisation": organisation, "phone": phone, "scope": "filing", "ends_on": last} | other
        return TypedOffer(**fields)

    async def offered(self, visit: Visit, organisation: str, phone: str = LIS, days: int = 30) -> str:
        """Offer a mandate; return its id."""
        await self.granted(visit, Operation.APPOINT)
        await self.appointing.offer(visit, None, self.offer(organisation, phone, days))
        known = [one.mandate for one in await self.sql.organisations.appointed(visit.account, self.clock.now())]
        return next(one.id for one in known if one.phone == phone and one.is_live(self.clock.now()))

    async def acts(self, visit: Visit) -> str | None:
        """Return the name of the organisation that a session acts for."""
        current = await self.acting.current(await self.session(visit.cookie))
        return None if current is None else current.organisation.name

    async def again(self, visit: Visit) -> Visit:
        """Return the visit of the same session's next request."""
        return Visit(
            session=await self.session(visit.cookie), cookie=visit.cookie, source=visit.source, epoch=visit.epoch
        )
