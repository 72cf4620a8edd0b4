"""Appeals as rows: sealed on the way in, opened on the way out.

Owns the columns of ``appeal`` and ``appeal_picture`` and what is sealed in them. Called by ``appeals``,
``appeal_decisions`` and ``appeal_rotation``.
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import bindparam, func, insert, or_, select, update

from bjidp.accounts.identifiers import of_document
from bjidp.accounts.masks import mask_phone
from bjidp.accounts.ports import Evidence
from bjidp.appeals.appeal import OPEN, Appeal, Attachment, Side, State
from bjidp.appeals.attachments import Picture
from bjidp.appeals.ports import NewAppeal
from bjidp.clock import Instant
from bjidp.person import Person, Sex
from bjidp.privacy.fields import FieldCipher
from bjidp.privacy.index import BlindIndex, Digest
from bjidp.proofing.levels import level
from bjidp.proofing.ports import NewIdentity, mark
from bjidp.proofing.terms import FOR_LIFE, ForLife, Until
from bjidp.standing import Level, Status
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Row, Value
from bjidp.storage.sql.database.transaction import Contended, Transaction
from bjidp.storage.sql.schema import account, appeal, appeal_picture, identity
from bjidp.storage.sql.terms import term_from

_INDEX: Final = "appeal"
"""The kind of digest a document has here: another one than where accounts are found by it."""

APPEAL: Final = (
    appeal.c.id,
    appeal.c.account,
    appeal.c.state,
    appeal.c.new_sealed,
    appeal.c.exchange,
    appeal.c.reason_sealed,
    appeal.c.contact_sealed,
    appeal.c.filed_at,
    appeal.c.reviewed_at,
    appeal.c.reviewer,
    appeal.c.decided_at,
    appeal.c.decider,
    appeal.c.explanation_sealed,
)

IS_OPEN: Final = or_(*(appeal.c.state == state.value for state in sorted(OPEN)))

IS_WHOLE: Final = func.length(appeal.c.new_sealed) > 0
"""Not one whose account has ended, of which nothing is left but whom it is yet to be told to (:mod:`erasure`)."""

ATTACHMENT: Final = (
    appeal_picture.c.number,
    appeal_picture.c.file,
    appeal_picture.c.name_sealed,
    appeal_picture.c.kind,
    appeal_picture.c.size,
)

_SIDE: Final = (
    account.c.ref,
    account.c.status,
    account.c.created_at,
    account.c.phone_sealed,
    identity.c.evidence,
    identity.c.runs_out_at,
    identity.c.bound_at,
    identity.c.proved_at,
    identity.c.moved_at,
    identity.c.version,
    identity.c.newest_reference,
    account.c.epoch,
)


class _KeptIdentity(Struct, frozen=True, kw_only=True):
    """An identity as an appeal keeps it, for as long as appeals are kept: a row outlives the shape of the noun."""

    person: Person
    evidence: Evidence
    evidence_reference: str
    authority_reference: str
    runs_out_at: Instant | None = None
    for_life: bool = False
    sex: Sex | None = None


_KEPT: Final = msgspec.msgpack.Decoder(_KeptIdentity)


def picture_row(appeal_id: str, number: int) -> str:
    """Return what a picture's sealed values are bound to."""
    return f"{appeal_id}.{number}"


def _identity_bytes(new: NewIdentity) -> bytes:
    return msgspec.msgpack.encode(
        _KeptIdentity(
            person=new.person,
            evidence=new.evidence,
            evidence_reference=new.evidence_reference,
            authority_reference=new.authority_reference,
            runs_out_at=new.term.end if isinstance(new.term, Until) else None,
            for_life=isinstance(new.term, ForLife),
            sex=new.sex,
        )
    )


def _identity_from(data: bytes) -> NewIdentity:
    kept = _KEPT.decode(data)
    return NewIdentity(
        person=kept.person,
        evidence=kept.evidence,
        evidence_reference=kept.evidence_reference,
        authority_reference=kept.authority_reference,
        term=FOR_LIFE if kept.for_life else term_from(kept.runs_out_at),
        sex=kept.sex,
    )


class AppealRows:
    """Reads and writes appeals within a transaction."""

    def __init__(self, engine: SqlEngine, cipher: FieldCipher, index: BlindIndex) -> None:
        """Compile the statements for ``engine``."""
        compile_ = engine.compile
        self._cipher = cipher
        self._index = index
        self._add = compile_(insert(appeal))
        self._add_picture = compile_(insert(appeal_picture))
        by_id = select(*APPEAL).where(appeal.c.id == bindparam("appeal"), IS_WHOLE)
        self._get = compile_(by_id)
        self._lock = compile_(by_id.with_for_update())
        self.newest = compile_(
            select(*APPEAL)
            .where(appeal.c.account == bindparam("account"), IS_WHOLE)
            .order_by(appeal.c.filed_at.desc(), appeal.c.id)
            .limit(1)
        )
        self.attachments = compile_(
            select(*ATTACHMENT).where(appeal_picture.c.appeal == bindparam("appeal")).order_by(appeal_picture.c.number)
        )
        self._pictures = compile_(
            select(appeal_picture.c.number, appeal_picture.c.picture_sealed)
            .where(appeal_picture.c.appeal == bindparam("appeal"))
            .order_by(appeal_picture.c.number)
        )
        self._crowd = compile_(
            select(func.count())
            .select_from(appeal)
            .where(
                appeal.c.key_version == bindparam("key_version"), appeal.c.document == bindparam("document"), IS_OPEN
            )
        )
        self._side = compile_(
            select(*_SIDE)
            .select_from(account.outerjoin(identity, identity.c.account == account.c.id))
            .where(account.c.id == bindparam("account"))
        )
        self._move = compile_(
            update(appeal)
            .where(appeal.c.id == bindparam("appeal"))
            .values(
                state=bindparam("new_state"),
                reviewed_at=bindparam("new_reviewed_at"),
                reviewer=bindparam("new_reviewer"),
                decided_at=bindparam("new_decided_at"),
                decider=bindparam("new_decider"),
                explanation_sealed=bindparam("new_explanation"),
            )
        )

    def add(self, transaction: Transaction, appeal_id: str, new: NewAppeal, now: Instant) -> None:
        """Write an appeal, with its pictures."""
        document = self.document(new.new.person)
        transaction.run(
            self._add,
            {
                "id": appeal_id,
                "account": new.account,
                "state": State.FILED.value,
                "key_version": document.version,
                "document": document.value,
                "new_sealed": self._cipher.seal_bytes("appeal", "new", appeal_id, _identity_bytes(new.new)),
                "exchange": int(new.exchange),
                "reason_sealed": self._cipher.seal("appeal", "reason", appeal_id, new.reason),
                "contact_sealed": self._cipher.seal("appeal", "contact", appeal_id, new.contact),
                "filed_at": now,
                "reviewed_at": None,
                "reviewer": None,
                "decided_at": None,
                "decider": None,
                "explanation_sealed": None,
                "loser": None,
                "exchanged": 0,
                "tell_at": None,
                "told_at": None,
                "loser_told_at": None,
                "gone": None,
                "loser_gone": None,
            },
        )
        for number, picture in enumerate(new.pictures, start=1):
            transaction.run(self._add_picture, self._picture(appeal_id, number, picture))

    def _picture(self, appeal_id: str, number: int, picture: Picture) -> dict[str, Value]:
        row = picture_row(appeal_id, number)
        return {
            "appeal": appeal_id,
            "number": number,
            "file": picture.file,
            "kind": picture.kind.value,
            "size": len(picture.data),
            "name_sealed": self._cipher.seal("appeal_picture", "name", row, picture.name),
            "picture_sealed": self._cipher.seal_bytes("appeal_picture", "picture", row, picture.data),
        }

    def document(self, person: Person) -> Digest:
        """Return what an appeal for this person's identity is written under."""
        return self._index.digest(_INDEX, *of_document(person).value)

    def crowd(self, transaction: Transaction, person: Person) -> int:
        """Return how many appeals for this person's identity are open."""
        found = 0
        for document in self._index.digests(_INDEX, *of_document(person).value):
            values: dict[str, Value] = {"key_version": document.version, "document": document.value}
            found += (transaction.one(self._crowd, values) or (0,))[0]
        return found

    def get(self, transaction: Transaction, appeal_id: str, *, lock: bool = False) -> Appeal | None:
        """Return an appeal without its attachments; with ``lock`` nobody else moves it until the transaction ends."""
        row = transaction.one(self._lock if lock else self._get, {"appeal": appeal_id})
        return None if row is None else self.opened(row)

    def move(self, transaction: Transaction, moved: Appeal) -> None:
        """Write where an appeal that is locked stands by now."""
        explanation = moved.explanation
        transaction.run(
            self._move,
            {
                "appeal": moved.id,
                "new_state": moved.state.value,
                "new_reviewed_at": moved.reviewed_at,
                "new_reviewer": moved.reviewer,
                "new_decided_at": moved.decided_at,
                "new_decider": moved.decider,
                "new_explanation": None
                if explanation is None
                else self._cipher.seal("appeal", "explanation", moved.id, explanation),
            },
        )

    def with_attachments(self, found: Appeal, attachments: list[Row]) -> Appeal:
        """Return an appeal with its attachments, rows of :data:`ATTACHMENT`."""
        return replace(found, attachments=tuple(self._attachment(found.id, row) for row in attachments))

    def opened(self, row: Row) -> Appeal:
        """Read the columns :data:`APPEAL`, in clear."""
        appeal_id, holder, state, new, exchange, reason, contact, filed_at, *later = row
        reviewed_at, reviewer, decided_at, decider, explanation = later
        return Appeal(
            id=appeal_id,
            account=holder,
            state=State(state),
            new=_identity_from(self._cipher.open_bytes("appeal", "new", appeal_id, new)),
            exchange=bool(exchange),
            reason=self._cipher.open("appeal", "reason", appeal_id, reason),
            contact=self._cipher.open("appeal", "contact", appeal_id, contact),
            filed_at=filed_at,
            reviewed_at=reviewed_at,
            reviewer=reviewer,
            decided_at=decided_at,
            decider=decider,
            explanation=None
            if explanation is None
            else self._cipher.open("appeal", "explanation", appeal_id, explanation),
        )

    def _attachment(self, appeal_id: str, row: Row) -> Attachment:
        number, file, name, kind, size = row
        name = self._cipher.open("appeal_picture", "name", picture_row(appeal_id, number), name)
        return Attachment(number=number, file=file, name=name, kind=kind, size=size)

    def side(self, transaction: Transaction, account_id: str, now: Instant) -> Side:
        """Return an account that is there as staff see it."""
        row = transaction.one(self._side, {"account": account_id})
        if row is None:
            raise Contended
        ref, status, created_at, sealed, proof, runs_out_at, *times, version, reference, epoch = row
        bound_at, proved_at, moved_at = times
        phone = self._phone(account_id, sealed)
        evidence = None if proof is None else Evidence(proof)
        return Side(
            ref=ref,
            status=Status(status),
            created_at=created_at,
            phone=None if phone is None else mask_phone(phone),
            level=Level.L1 if evidence is None else level(evidence, term_from(runs_out_at), now),
            evidence=evidence,
            bound_at=bound_at,
            proved_at=proved_at,
            moved_at=moved_at,
            mark=None if bound_at is None else mark(bound_at, version, reference),
            # Not of the number itself: four digits are masked, and who has a plain digest finds them in no time.
            number=None if sealed is None else hashlib.sha256(sealed).hexdigest(),
            epoch=epoch,
        )

    def digests(self, transaction: Transaction, appeal_id: str) -> tuple[str, ...]:
        """Return a digest of each picture of an appeal, as it is shown to whoever looks."""
        rows = transaction.all(self._pictures, {"appeal": appeal_id})
        return tuple(hashlib.sha256(self.picture(appeal_id, *row)).hexdigest() for row in rows)

    def picture(self, appeal_id: str, number: int, sealed: bytes) -> bytes:
        """Return a picture in clear."""
        return self._cipher.open_bytes("appeal_picture", "picture", picture_row(appeal_id, number), sealed)

    def reached(self, transaction: Transaction, account_id: str) -> tuple[str, str | None]:
        """Return the reference of an account that is there, and its number in clear."""
        row = transaction.one(self._side, {"account": account_id})
        if row is None:
            raise Contended
        return row[0], self._phone(account_id, row[3])

    def _phone(self, account_id: str, sealed: bytes | None) -> str | None:
        return None if sealed is None else self._cipher.open("account", "phone", account_id, sealed)
