"""银行卡认证: a person, their debit card, and the phone number reserved at its bank make L3 (RNV-4).

Owns the order in which everything is found wrong before anybody is asked, and the bank before anything is written. The
code by SMS proves the reserved number first: a bank that knows the four factors knows nothing of who types them. It is
not asked for again where the number is the account's own and 验证身份 has just proved it. Called by ``web``.

A number of a card is never written down: the register's question is kept as a keyed digest, and what it is proved by is
our own reference (attack B7).
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from bjidp.accounts import fields
from bjidp.accounts.ports import Evidence
from bjidp.accounts.settings.addresses import NewAddresses
from bjidp.accounts.settings.changes import Changes
from bjidp.accounts.settings.flow import Change
from bjidp.accounts.verifying import Verifying, Visit
from bjidp.clock import Clock
from bjidp.errors import FieldFault, InvalidRequest
from bjidp.person import DocumentType, Person
from bjidp.proofing.adjudication import Denied, by_bank
from bjidp.proofing.asking import Asking
from bjidp.proofing.bank_cards import CARD_FIELD, BankCard
from bjidp.proofing.claims import Claim, Claims
from bjidp.proofing.confirmation import confirmed
from bjidp.proofing.dates import beijing_date
from bjidp.proofing.errors import CardMismatch, IdentityOther, IdentityWorn, PhoneRequired
from bjidp.proofing.names import is_same, is_same_document
from bjidp.proofing.phone_first import phone_comes_first
from bjidp.proofing.ports import Bound, Held, IdentityStore, NewIdentity, Settled
from bjidp.proofing.settling import Settling, settled_in
from bjidp.proofing.stated_card import NOT_DEBIT, Served, Typed, read, reserved_number
from bjidp.proofing.terms import UNSTATED, Term, has_run_out
from bjidp.sessions.authentication import Method
from bjidp.vendors.ports.registers import CardFacts, Reason
from bjidp.verification.code import Binding, Purpose, by_sms
from bjidp.verification.number import MobileNumber
from bjidp.verification.proofs import Operation


class Factors(Struct, frozen=True):
    """The four, each of which could be somebody's."""

    person: Person
    card: BankCard
    number: MobileNumber
    claim: Claim | None
    """The claim to this very person, if the account has one."""
    was: str | None
    """The mark of the identity that the account had when it was looked at, None where it had none."""

    @property
    def exchange(self) -> bool:
        """Whether the identity that the account has gives way."""
        return self.claim is not None and self.claim.exchange

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "Factors(***)"


class BankCardProofs:
    """Proves persons by their cards. A store that is down raises ``StoreUnavailable``."""

    def __init__(
        self,
        *,
        changes: Changes,
        addresses: NewAddresses,
        verifying: Verifying,
        identities: IdentityStore,
        claims: Claims,
        asking: Asking,
        settling: Settling,
        served: Served,
        clock: Clock,
    ) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._changes = changes
        self._addresses = addresses
        self._verifying = verifying
        self._identities = identities
        self._claims = claims
        self._asking = asking
        self._settling = settling
        self._served = served
        self._clock = clock

    async def is_proved(self, visit: Visit, change: Change | None, number: MobileNumber | None) -> bool:
        """Return whether ``number`` needs no code: it is the account's own and just proved, or was proved here."""
        if change is None or number is None:
            return False
        if change.address == number.digits:
            return True
        if (await self._verifying.member(visit)).phone != number.digits:
            return False
        return await self._verifying.held_by_sms(visit, Operation.BANK_CARD)

    async def wants_new_document(self, account: str) -> bool:
        """Return whether the account's document has run out: a card tells no dates, so it would raise nothing.

        But for whom the account is to be exchanged for, whose claim has the dates of theirs.
        """
        bound = await self._identities.bound(account)
        if bound is None or not bound.has_run_out(self._clock.now()):
            return False
        claim = await self._claims.find(account)
        return claim is None or not claim.exchange

    async def send_code(self, visit: Visit, flow: str | None, typed: Typed) -> str:
        """Send a code to the reserved number; return the change's id.

        It counts as its owner's asking where the number is the account's own (FAQ-1). Raises ``InvalidRequest`` with
        what is wrong with number and captcha, :class:`IdentityWorn`, :class:`PhoneRequired`, ``CaptchaWrong``,
        ``AccountRefused``, :class:`bjidp.accounts.settings.changes.NotDue`, and what
        :meth:`bjidp.verification.dispatch.Dispatches.sms` raises.
        """
        faults: list[FieldFault] = []
        number = reserved_number(typed, faults)
        faults += fields.captcha_faults(typed.change.captcha)
        if number is None or faults:
            raise InvalidRequest(*faults)
        self._served.numbers.admit(number)
        draft = await self._changes.due(visit, Operation.BANK_CARD, flow)
        await self._looked(visit)
        if await self.wants_new_document(visit.account):
            raise IdentityWorn
        # Where 京通 has confirmed 验证身份, the account's own number is to be proved as well.
        own = (await self._verifying.member(visit)).phone == number.digits
        return await self._addresses.send_sms(visit, draft, _binding(draft.id, number), number, typed.change, owner=own)

    async def prove(self, visit: Visit, flow: str | None, typed: Typed) -> str:
        """Raise the account to L3, or bind the identity it claims or has none of; return the change's id.

        Raises ``InvalidRequest`` with what is wrong with the form, a card that is no debit card included;
        ``VerificationCodeWrong``, ``VerificationCodeExpired``, ``IdentityMismatch``, :class:`IdentityOther` for
        another person than the account's, :class:`IdentityWorn`, :class:`PhoneRequired`, ``RateLimited``,
        ``VendorUnavailable``, ``AccountRefused`` and :class:`bjidp.accounts.settings.changes.NotDue`.
        """
        progress = await self._changes.look(visit, Operation.BANK_CARD, flow)
        facts = None if progress.draft is None else progress.draft.facts
        proved = await self.is_proved(visit, facts, typed.change.number)
        factors = await self._factors(visit, typed, code=not proved)
        draft = await self._changes.due(visit, Operation.BANK_CARD, flow)
        if not proved:
            binding = _binding(draft.id, factors.number)
            draft = await self._addresses.prove(visit, draft, binding, typed.change.code)
        known = await self._known(visit.account, factors)
        # Before the bank is paid: for the identity of an account that is locked, or of one it came to a moment ago.
        held = await self._identities.prospect(visit.account, factors.person, Evidence.BANK_CARD, self._clock.now())
        new = known if held is not None else await self._with_card(visit.account, factors, known)

        async def settle() -> Settled | Held:
            if held is not None:
                return await self._settling.leave(visit.account, new, held, exchange=factors.exchange)
            return await self._settling.settle(
                visit.account, new, was=factors.was, keep=visit.session.id, exchange=factors.exchange
            )

        settled = await settled_in(self._changes, visit, draft, settle)
        if held is None:
            await self._verifying.note(visit, Method.BANK_CARD)
        return settled

    async def _factors(self, visit: Visit, typed: Typed, *, code: bool) -> Factors:
        """Return the factors.

        Raises ``InvalidRequest`` with all that is wrong with them, :class:`IdentityOther`, :class:`IdentityWorn` and
        :class:`PhoneRequired`.
        """
        bound, claim = await self._looked(visit)
        today = beijing_date(self._clock.now())
        stated = read(typed, _kinds(bound, claim), self._served, today, code=code)
        person = stated.person
        claimed = claim if claim is not None and is_same(claim.person, person) else None
        if (
            bound is not None
            and not is_same_document(bound.person, person)
            and (claimed is None or not claimed.exchange)
        ):
            raise IdentityOther
        if claimed is None and has_run_out(await self._term(visit.account, bound, person), self._clock.now()):
            # A card tells no dates, so it would raise nothing: nobody is asked in vain.
            raise IdentityWorn
        return Factors(person, stated.card, stated.number, claimed, None if bound is None else bound.mark)

    async def _looked(self, visit: Visit) -> tuple[Bound | None, Claim | None]:
        """Return what the account has; raise :class:`PhoneRequired` for who may ask about anybody and has no phone."""
        bound, claim = await self._identities.bound(visit.account), await self._claims.find(visit.account)
        if phone_comes_first(await self._verifying.member(visit), Operation.BANK_CARD):
            raise PhoneRequired
        return bound, claim

    async def _term(self, account: str, bound: Bound | None, person: Person) -> Term:
        """Return what the account has stated of its document; of one that it has given up and comes back to, too."""
        return await self._identities.stated(account, person) if bound is None else bound.term

    async def _known(self, account: str, factors: Factors) -> NewIdentity:
        """Ask the authority for the person: who does not exist has no card, and the bank is not paid to say so."""
        claim = factors.claim
        # What was stated beside it with the claim, since this form asks for neither.
        term, sex = (UNSTATED, None) if claim is None else (claim.new.term, claim.new.sex)
        return await confirmed(self._asking, account, factors.person, term=term, sex=sex)

    async def _with_card(self, account: str, factors: Factors, known: NewIdentity) -> NewIdentity:
        """Ask the bank for the four factors of who is ``known``; raise :class:`CardMismatch` unless it says yes."""
        facts = CardFacts(factors.person, factors.card.digits, factors.number.digits)
        answer = await self._asking.bank(account, facts)
        verdict = by_bank(answer.finding)
        if isinstance(verdict, Denied):
            if verdict.reason is Reason.CARD_NOT_DEBIT:
                raise InvalidRequest(FieldFault(CARD_FIELD, NOT_DEBIT))
            raise CardMismatch(verdict.advice)
        return replace(known, evidence=Evidence.BANK_CARD, evidence_reference=answer.reference)


def _kinds(bound: Bound | None, claim: Claim | None) -> list[DocumentType]:
    """Return what the number may be of: the claim's document, the account's own, else a resident card."""
    known = [held.person.document_type for held in (claim, bound) if held is not None]
    return known or [DocumentType.RESIDENT_ID]


def _binding(flow: str, number: MobileNumber) -> Binding:
    return Binding(Purpose.BANK_CARD, by_sms(number), flow)
