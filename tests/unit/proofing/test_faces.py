"""What a redeemed face ticket gives: L3 of the account's own identity, as it was when the page was opened."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from bjidp.accounts.ports import Evidence
from bjidp.accounts.verifying import Visit
from bjidp.clock import DAY
from bjidp.errors import AccountRefused, StoreUnavailable
from bjidp.person import Person
from bjidp.proofing.claims import Claim
from bjidp.proofing.faces import Faces
from bjidp.proofing.ports import NewIdentity
from bjidp.proofing.terms import Until
from bjidp.qrlogin.errors import TicketUnknown
from bjidp.qrlogin.flow import Errand
from bjidp.qrlogin.redeeming import Redemption
from bjidp.qrlogin.ticket import Computer, Holder
from bjidp.sessions.authentication import Method, authenticated
from bjidp.verification.operation import Operation
from tests.support.identities import prove
from tests.unit.proofing.room import LI, ZHANG, Study

pytestmark = pytest.mark.req("RNV-3")


def digest(ticket: str) -> bytes:
    """Return what sessions call a ticket."""
    return ticket.encode().ljust(32, b".")


@pytest.fixture
def faces(room: Study) -> Faces:
    """What face tickets are exchanged with."""
    return Faces(
        identities=room.identities,
        accounts=room.sql.accounts,
        sessions=room.sessions,
        ticket_digest=digest,
        clock=room.clock,
    )


def proved(person: Person = ZHANG, evidence: Evidence = Evidence.NAME_AND_NUMBER, reference: str = "E1") -> NewIdentity:
    return NewIdentity(person=person, evidence=evidence, evidence_reference=reference, authority_reference="A1")


async def at_l2(room: Study) -> Visit:
    """Return somebody at L2 who is logged in."""
    account = await room.someone()
    await prove(room.sql.identities, account, proved(), room.clock.now())
    return await room.enter(account)


async def redemption(room: Study, visit: Visit, *, epoch: int | None = None, reference: str = "F1") -> Redemption:
    """Return the redemption of a ticket that their page shows now."""
    bound, member = await room.bound(visit.account), await room.member(visit.account)
    return Redemption(
        holder=Holder(visit.account, "link", "wechat", "张**"),
        ticket="ticket",
        computer=Computer("Chrome", "Windows", b"network", None),
        next="/next",
        asker=visit.session.id,
        epoch=member.standing.epoch if epoch is None else epoch,
        errand=Errand(Operation.FACE, visit.account, visit.session.id, None if bound is None else bound.mark),
        evidence=reference,
    )


async def methods(room: Study, visit: Visit) -> tuple[Method, ...]:
    """Return what is told of how the owners of their account's sessions have proved who they are."""
    sessions = await room.sessions.of_account(visit.account)
    return tuple(method for session in sessions for method in authenticated(session).methods)


@pytest.mark.attack("B4")
async def test_the_accounts_own_identity_counts_as_proved_by_a_face(room: Study, faces: Faces) -> None:
    visit = await at_l2(room)
    await faces.give(await redemption(room, visit))
    bound = await room.bound(visit.account)
    assert bound is not None
    assert (bound.person, bound.evidence, bound.level(room.clock.now())) == (ZHANG, Evidence.FACE, 3)
    assert (bound.evidence_reference, bound.authority_reference) == ("F1", "A1")
    assert room.events()[-1] == "identity.proved"
    assert await room.told() == []
    assert room.phones_ended.ended == []
    assert Method.FACE in await methods(room, visit)


async def test_the_dates_of_its_document_stay(room: Study, faces: Faces) -> None:
    visit = await at_l2(room)
    until = room.clock.now() + DAY
    await prove(room.sql.identities, visit.account, replace(proved(), term=Until(until)), room.clock.now())
    await faces.give(await redemption(room, visit))
    bound = await room.bound(visit.account)
    assert bound is not None
    assert (bound.level(room.clock.now()), bound.term) == (3, Until(until))


async def test_given_twice_it_is_written_once(room: Study, faces: Faces) -> None:
    visit = await at_l2(room)
    given = await redemption(room, visit)
    for _ in range(2):
        await faces.give(given)
    assert room.events().count("identity.proved") == 2, "one of them is that of its name and number"


async def test_given_once_more_after_another_proof_it_is_found_done(room: Study, faces: Faces) -> None:
    visit = await at_l2(room)
    given = await redemption(room, visit)
    await faces.give(given)
    await prove(room.sql.identities, visit.account, proved(reference="E2"), room.clock.now())
    await faces.give(given)
    bound = await room.bound(visit.account)
    assert bound is not None
    assert (bound.evidence_reference, bound.newest_reference) == ("F1", "E2")


async def test_one_approval_that_is_redeemed_twice_at_once_is_written_once(room: Study, faces: Faces) -> None:
    visit = await at_l2(room)
    given = await redemption(room, visit)
    room.meddler.before_next("identities.prove", lambda: faces.give(given))
    await faces.give(given)
    assert room.events().count("identity.proved") == 2, "one of them is that of its name and number"


async def test_of_two_at_once_one_is_written(room: Study, faces: Faces) -> None:
    visit = await at_l2(room)
    given, other = await redemption(room, visit), await redemption(room, visit, reference="F2")
    outcomes = await asyncio.gather(faces.give(given), faces.give(other), return_exceptions=True)
    assert sum(isinstance(outcome, AccountRefused) for outcome in outcomes) == 1
    assert room.events().count("identity.proved") == 2


@pytest.mark.attack("B2", "B4", "P10")
@pytest.mark.parametrize("change", ["proved anew", "exchanged", "given up", "worn", "run out"])
async def test_an_identity_that_is_not_the_one_any_more_is_left_as_it_is(
    room: Study, faces: Faces, change: str
) -> None:
    visit = await at_l2(room)
    given, now = await redemption(room, visit), room.clock.now()
    store = room.sql.identities
    match change:
        case "proved anew":
            await prove(store, visit.account, proved(reference="E2"), now)
        case "exchanged":
            await prove(store, visit.account, proved(LI, reference="E2"), now, exchange=True)
        case "given up":
            await store.unbind(visit.account, now)
        case _:
            await prove(store, visit.account, replace(proved(), term=Until(now + 1)), now)
            given = await redemption(room, visit)
            room.clock.advance(1)
            if change == "worn":
                await store.wear(room.clock.now(), 10)
    before = await room.bound(visit.account)
    # As if no session had been ended with it, which is looked at first.
    given = replace(given, epoch=(await room.member(visit.account)).standing.epoch)
    with pytest.raises(AccountRefused, match="level"):
        await faces.give(given)
    assert await room.bound(visit.account) == before
    assert Method.FACE not in await methods(room, visit)


@pytest.mark.attack("B2", "Q5")
async def test_an_identity_that_changes_at_the_very_moment_is_not_proved(room: Study, faces: Faces) -> None:
    """Another account takes it between the look and the write: the face does not take it back."""
    visit = await at_l2(room)
    given = await redemption(room, visit)
    other = await room.someone("15400000009", "zhang_san2")

    async def meanwhile() -> None:
        await prove(room.sql.identities, other, proved(evidence=Evidence.FACE, reference="E9"), room.clock.now())

    room.meddler.before_next("identities.prove", meanwhile)
    with pytest.raises(AccountRefused, match="level"):
        await faces.give(given)
    assert await room.bound(visit.account) is None
    held = await room.bound(other)
    assert held is not None
    assert held.evidence_reference == "E9"


@pytest.mark.attack("Q21", "P7")
async def test_an_account_that_may_not_be_used_or_has_ended_its_sessions_since_gets_nothing(
    room: Study, faces: Faces
) -> None:
    visit = await at_l2(room)
    before = await room.bound(visit.account)
    with pytest.raises(TicketUnknown):
        await faces.give(await redemption(room, visit, epoch=7))
    room.rows("UPDATE account SET status = 'locked'")
    with pytest.raises(AccountRefused, match="locked"):
        await faces.give(await redemption(room, visit))
    room.rows("DELETE FROM account WHERE id = ?", visit.account)
    with pytest.raises(AccountRefused, match="cancelled"):
        await faces.give(replace(await _kept(visit), epoch=0))
    assert before is not None


async def _kept(visit: Visit) -> Redemption:
    errand = Errand(Operation.FACE, visit.account, visit.session.id, "1.1")
    holder = Holder(visit.account, "link", "wechat", "张**")
    return Redemption(holder, "ticket", Computer("", "", b"", None), "/", visit.session.id, 0, errand, "F1")


@pytest.mark.attack("Q18", "B5")
@pytest.mark.parametrize("missing", ["errand", "mark", "session", "evidence"])
async def test_what_is_no_face_ticket_of_a_session_is_unknown(room: Study, faces: Faces, missing: str) -> None:
    visit = await at_l2(room)
    given = await redemption(room, visit)
    assert given.errand is not None
    others = {
        "errand": replace(given, errand=None),
        "mark": replace(given, errand=replace(given.errand, mark=None)),
        "session": replace(given, errand=replace(given.errand, session=None)),
        "evidence": replace(given, evidence=None),
    }
    with pytest.raises(TicketUnknown):
        await faces.give(others[missing])


@pytest.mark.req("RNV-7")
async def test_a_claim_to_another_identity_waits_on(room: Study, faces: Faces) -> None:
    """A face that fits one's own identity says nothing of another."""
    visit = await at_l2(room)
    claim = Claim(new=proved(LI), exchange=True)
    await room.claims.keep(visit.account, claim)
    await faces.give(await redemption(room, visit))
    assert await room.claims.find(visit.account) == claim


@pytest.mark.attack("P7")
async def test_the_session_that_asked_remembers_its_ticket_before_anything_is_written(
    room: Study, faces: Faces
) -> None:
    visit = await at_l2(room)
    given = await redemption(room, visit)
    room.meddler.breaks("identities.prove")
    with pytest.raises(StoreUnavailable):
        await faces.give(given)
    session = await room.session(visit.cookie)
    assert session.was_verified_by([digest("ticket")])
    room.meddler.mends()
    await faces.give(given)
    await faces.take_back(given)
    bound = await room.bound(visit.account)
    assert bound is not None
    assert bound.level(room.clock.now()) == 3
    assert await room.sessions.find(visit.cookie) is not None, "whoever hears the undo ends it"
