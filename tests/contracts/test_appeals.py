"""Appeals, and what deciding one moves (RNV-8), on every backend."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from bjidp.accounts.ports import Evidence, Gone
from bjidp.appeals.appeal import (
    A_DAY,
    IN_A_CROWD,
    OF_AN_IDENTITY,
    ROOM,
    TELL_AGAIN,
    AppealClosed,
    Attachment,
    State,
    Verdict,
)
from bjidp.appeals.attachments import Kind, Picture
from bjidp.appeals.errors import AppealNotNeeded, AppealOpen, AppealsCrowded, AppealsFull
from bjidp.appeals.ports import AppealStore, AppealUnknown, Decision, FactsChanged, NewAppeal, NotGrantable
from bjidp.clock import DAY, HOUR, SECOND
from bjidp.entropy import SystemEntropy
from bjidp.errors import AccountRefused, RateLimited
from bjidp.person import DocumentType, Person
from bjidp.privacy.fields import FieldUnreadable
from bjidp.proofing.ports import NewIdentity
from bjidp.proofing.terms import FOR_LIFE, UNSTATED, Term, Until
from bjidp.standing import Level, Status
from bjidp.storage.sql.catalog import open_sql
from tests.contracts.house import LI, ZHANG, House, cookie, identity, keyring
from tests.support.identities import prove

pytestmark = pytest.mark.req("RNV-8")

REASON = "我的身份证被别人的账号占用了。"
PHOTO = Picture(file=1, name="手持身份证.jpg", kind=Kind.JPEG, data=b"\xff\xd8photo")
PAGE = Picture(file=2, name="证明.pdf", kind=Kind.PDF, data=b"\xff\xd8page")


def proof(person: Person = ZHANG, evidence: Evidence = Evidence.NAME_AND_NUMBER) -> NewIdentity:
    """Return a person whom the authority has confirmed."""
    return NewIdentity(person=person, evidence=evidence, evidence_reference="E-1", authority_reference="A-77")


def new(account: str, person: Person = ZHANG, *, exchange: bool = False) -> NewAppeal:
    """Return what an account files."""
    return NewAppeal(
        account=account,
        new=proof(person),
        exchange=exchange,
        reason=REASON,
        contact="010-12345678",
        pictures=(PHOTO, PAGE),
    )


@pytest.fixture
def appeals(house: House) -> AppealStore:
    """The store under test."""
    return house.sql.appeals


async def sides(house: House, evidence: Evidence = Evidence.FACE) -> tuple[str, str]:
    """Return the account that appeals, and the one that holds 张三's identity."""
    claimant = await house.member("13800138000", "zhangsan1")
    holder = await house.member("13800138001", "zhangsan2")
    await prove(house.sql.identities, holder.account, proof(evidence=evidence), house.now)
    return claimant.account, holder.account


async def decision(house: House, appeal: str, verdict: Verdict = Verdict.GRANT, staff: str = "wang") -> Decision:
    """Return what somebody decides who has just looked."""
    case = await house.sql.appeals.review(appeal, staff, house.now)
    return Decision(appeal=appeal, verdict=verdict, facts=case.facts, staff=staff, explanation="材料属实")


async def holder_of(house: House, person: Person = ZHANG) -> str | None:
    held = await house.accounts.holder_of(person)
    return None if held is None else held.account


async def test_an_appeal_is_kept_whole_and_its_pictures_apart(house: House, appeals: AppealStore) -> None:
    claimant, _ = await sides(house)
    assert await appeals.newest(claimant) is None
    assert await appeals.state(claimant) is None
    filed = await appeals.file(new(claimant), house.now, room=ROOM)
    found = await appeals.newest(claimant)
    assert found is not None
    assert (found.id, found.account, found.state, found.filed_at) == (filed, claimant, State.FILED, house.now)
    assert (found.new, found.exchange, found.reason, found.contact) == (proof(), False, REASON, "010-12345678")
    assert found.attachments == (
        Attachment(number=1, file=1, name="手持身份证.jpg", kind="jpeg", size=7),
        Attachment(number=2, file=2, name="证明.pdf", kind="pdf", size=6),
    )
    assert await appeals.picture(filed, 2, "wang", house.now) == b"\xff\xd8page"
    for appeal, number in ((filed, 3), ("nothing", 1)):
        with pytest.raises(AppealUnknown):
            await appeals.picture(appeal, number, "wang", house.now)
    assert [kind for kind, *_ in house.audit()[-2:]] == ["appeal.filed", "appeal.picture_read"]
    # Only the account's own: another account has filed nothing.
    assert await appeals.newest(await holder_of(house) or "") is None


async def test_whoever_looks_first_takes_an_appeal_into_review(house: House, appeals: AppealStore) -> None:
    claimant, holder = await sides(house)
    filed = await appeals.file(new(claimant), house.now, room=ROOM)
    ((waiting),) = await appeals.waiting("wang", house.now, 10)
    assert (waiting.id, waiting.state, waiting.reviewer, waiting.pictures) == (filed, State.FILED, None, 2)
    case = await appeals.review(filed, "wang", house.now)
    house.clock.advance(60)
    again = await appeals.review(filed, "li", house.now)
    assert (again.appeal.state, again.appeal.reviewer) == (State.IN_REVIEW, "wang")
    assert again.appeal.reviewed_at == case.appeal.reviewed_at == house.now - 60 * SECOND
    assert again.facts == case.facts
    assert (case.claimant.level, case.claimant.phone, case.claimant.evidence) == (Level.L1, "138****8000", None)
    assert case.holder is not None
    assert (case.holder.level, case.holder.phone, case.holder.evidence) == (Level.L3, "138****8001", Evidence.FACE)
    looks = [(kind, ref) for kind, ref, _ in house.audit() if kind.startswith("appeal")]
    assert looks[1:] == [
        ("appeals.listed", None),
        ("appeal.read", case.claimant.ref),
        ("appeal.read", case.claimant.ref),
    ]
    facts = house.rows("SELECT facts FROM audit_event WHERE kind = 'appeal.read' ORDER BY id")
    assert facts[0] == (f'{{"appeal":"{filed}","staff":"wang"}}',)
    assert holder == await holder_of(house)


@pytest.mark.parametrize("evidence", list(Evidence))
async def test_a_grant_moves_the_identity_and_puts_the_loser_out(
    house: House, appeals: AppealStore, evidence: Evidence
) -> None:
    claimant, holder = await sides(house, evidence)
    await house.sessions.open(house.session(holder), cookie("holder"), None)
    await house.sessions.open(house.session(claimant), cookie("claimant"), None)
    filed = await appeals.file(new(claimant), house.now, room=ROOM)
    decided = await appeals.decide(await decision(house, filed), house.now)
    assert (decided.state, decided.decider, decided.explanation) == (State.GRANTED, "wang", "材料属实")

    bound = await house.sql.identities.bound(claimant)
    assert bound is not None
    assert (bound.person, bound.level(house.now), bound.evidence) == (ZHANG, Level.L2, Evidence.NAME_AND_NUMBER)
    assert (bound.evidence_reference, bound.authority_reference) == (filed, "A-77")
    left = await house.members.member(holder)
    assert left is not None
    assert (left.standing.level, left.document, left.phone, left.password) == (Level.L1, None, "13800138001", "hash-1")
    assert await house.sessions.find(cookie("holder"), house.now) is None
    assert await house.sessions.find(cookie("claimant"), house.now) is not None
    assert house.notices()[-3:] == [
        (holder, "identity.lost"),
        (claimant, "identity.taken"),
        (claimant, "appeal.granted"),
    ]
    kinds = [kind for kind, *_ in house.audit()]
    assert kinds[-4:] == ["identity.lost", "identity.proved", "identity.taken", "appeal.granted"]
    # It moved a moment ago: a weaker holder cannot be pulled back to by a face for a day.
    with pytest.raises(RateLimited):
        await prove(house.sql.identities, holder, proof(evidence=Evidence.FACE), house.now)


async def test_a_refusal_moves_nothing_and_is_told(house: House, appeals: AppealStore) -> None:
    claimant, holder = await sides(house)
    filed = await appeals.file(new(claimant), house.now, room=ROOM)
    decided = await appeals.decide(await decision(house, filed, Verdict.REFUSE), house.now)
    assert (decided.state, await holder_of(house)) == (State.REFUSED, holder)
    found = await appeals.newest(claimant)
    assert found is not None
    assert (found.explanation, found.decided_at) == ("材料属实", house.now)
    assert house.notices()[-1] == (claimant, "appeal.refused")
    (outcome,) = await appeals.outcomes(house.now, 10)
    assert (outcome.state, outcome.loser) == (State.REFUSED, None)


@pytest.mark.req("REG-8")
async def test_of_two_who_decide_at_once_one_does(house: House, appeals: AppealStore) -> None:
    """Two processes, eight deciders: grants and refusals of one and the same appeal."""
    claimant, holder = await sides(house)
    filed = await appeals.file(new(claimant), house.now, room=ROOM)
    made = await decision(house, filed)
    verdicts = [Verdict.GRANT, Verdict.REFUSE] * 4
    other = open_sql(house.url, keyring(), SystemEntropy(), house.clock)
    try:
        stores = [appeals, other.appeals] * 4
        results = await asyncio.gather(
            *(
                store.decide(replace(made, verdict=verdict, staff=f"s{number}"), house.now)
                for number, (store, verdict) in enumerate(zip(stores, verdicts, strict=True))
            ),
            return_exceptions=True,
        )
    finally:
        await other.close()
    (decided,) = [result for result in results if not isinstance(result, BaseException)]
    assert sum(isinstance(result, AppealClosed) for result in results) == 7
    assert await holder_of(house) == (claimant if decided.state is State.GRANTED else holder)
    kinds = [kind for kind, *_ in house.audit()]
    assert sum(kind in {"appeal.granted", "appeal.refused"} for kind in kinds) == 1
    found = await appeals.newest(claimant)
    assert found is not None
    assert (found.state, found.decider) == (decided.state, decided.decider)


@pytest.mark.req("REG-8")
async def test_two_appeals_for_one_identity_that_are_granted_at_once_move_it_once(
    house: House, appeals: AppealStore
) -> None:
    one, holder = await sides(house)
    two = (await house.member("13800138002", "zhangsan3")).account
    made = [await decision(house, await appeals.file(new(account), house.now, room=ROOM)) for account in (one, two)]
    results = await asyncio.gather(*(appeals.decide(each, house.now) for each in made), return_exceptions=True)
    winner = next(number for number, result in enumerate(results) if not isinstance(result, BaseException))
    assert isinstance(results[1 - winner], FactsChanged), "the other was decided on a holder that is it no more"
    assert await holder_of(house) == (one, two)[winner]
    assert [account for account, kind in house.notices() if kind == "identity.lost"] == [holder]


async def test_nothing_is_decided_on_what_is_not_so_any_more(house: House, appeals: AppealStore) -> None:
    claimant, holder = await sides(house, Evidence.NAME_AND_NUMBER)
    filed = await appeals.file(new(claimant), house.now, room=ROOM)
    made = await decision(house, filed)
    await prove(house.sql.identities, holder, proof(evidence=Evidence.FACE), house.now)
    before = house.counts()
    for verdict in Verdict:
        with pytest.raises(FactsChanged):
            await appeals.decide(replace(made, verdict=verdict), house.now)
    assert house.counts() == before
    with pytest.raises(AppealUnknown):
        await appeals.decide(replace(made, appeal="nothing"), house.now)
    await appeals.decide(await decision(house, filed), house.now)
    with pytest.raises(AppealClosed) as closed:
        await appeals.decide(made, house.now)
    assert closed.value.appeal.state is State.GRANTED


@pytest.mark.attack("U7")
async def test_nothing_is_decided_on_other_hands_or_other_pictures_than_were_seen(
    house: House, appeals: AppealStore
) -> None:
    """Another number of the account that appeals, everybody put out of it, or other pictures: each alone."""
    claimant, holder = await sides(house)
    filed = await appeals.file(new(claimant), house.now, room=ROOM)

    async def is_so_no_more(made: Decision) -> None:
        with pytest.raises(FactsChanged):
            await appeals.decide(made, house.now)
        assert await holder_of(house) == holder

    made = await decision(house, filed)
    await house.members.fence(holder, None)
    # Its number is another, and nothing besides: that sessions end with a new one is another rule's business.
    house.rows("UPDATE account SET phone_sealed = NULL WHERE id = :account", account=claimant)
    await is_so_no_more(made)
    made = await decision(house, filed)
    await house.members.fence(claimant, None)
    await is_so_no_more(made)
    made = await decision(house, filed)
    house.rows("DELETE FROM appeal_picture WHERE number = 2")
    await is_so_no_more(made)
    # Whoever is to lose the identity keeps no decision off by being put out again and again.
    made = await decision(house, filed)
    await house.members.fence(holder, None)
    await appeals.decide(made, house.now)
    assert await holder_of(house) == claimant


@pytest.mark.attack("Q21")
async def test_an_account_that_may_not_be_used_is_granted_nothing(house: House, appeals: AppealStore) -> None:
    claimant, holder = await sides(house)
    filed = await appeals.file(new(claimant), house.now, room=ROOM)
    house.set_status(claimant, "locked")
    made = await decision(house, filed)
    before = house.counts()
    with pytest.raises(NotGrantable) as refused:
        await appeals.decide(made, house.now)
    assert (refused.value.reason, house.counts(), await holder_of(house)) == ("locked", before, holder)
    with pytest.raises(AccountRefused):
        await appeals.withdraw(claimant, filed, house.now)
    decided = await appeals.decide(replace(made, verdict=Verdict.REFUSE), house.now)
    assert decided.state is State.REFUSED


@pytest.mark.attack("Q21")
async def test_people_may_move_an_identity_out_of_an_account_that_is_locked(house: House, appeals: AppealStore) -> None:
    claimant, holder = await sides(house)
    filed = await appeals.file(new(claimant), house.now, room=ROOM)
    seen = await decision(house, filed)
    house.set_status(holder, "locked")
    with pytest.raises(FactsChanged):
        await appeals.decide(seen, house.now)
    made = await decision(house, filed)
    case = await appeals.review(filed, "wang", house.now)
    assert case.holder is not None
    assert case.holder.status is Status.LOCKED
    await appeals.decide(made, house.now)
    assert await holder_of(house) == claimant


async def test_an_identity_that_came_by_another_way_is_not_granted_again(house: House, appeals: AppealStore) -> None:
    claimant, _ = await sides(house, Evidence.NAME_AND_NUMBER)
    filed = await appeals.file(new(claimant), house.now, room=ROOM)
    await prove(house.sql.identities, claimant, proof(evidence=Evidence.FACE), house.now)
    made = await decision(house, filed)
    with pytest.raises(NotGrantable) as refused:
        await appeals.decide(made, house.now)
    assert refused.value.reason == "own"
    bound = await house.sql.identities.bound(claimant)
    assert bound is not None
    assert bound.level(house.now) is Level.L3, "a grant lowers nothing"


async def test_an_identity_that_nobody_holds_any_more_is_granted(house: House, appeals: AppealStore) -> None:
    claimant, holder = await sides(house)
    filed = await appeals.file(new(claimant), house.now, room=ROOM)
    await house.members.cancel(holder, house.now)
    await appeals.decide(await decision(house, filed), house.now)
    assert await holder_of(house) == claimant
    (outcome,) = await appeals.outcomes(house.now, 10)
    assert outcome.loser is None


@pytest.mark.req("RNV-5")
async def test_another_identity_gives_way_only_where_the_appeal_was_for_an_exchange(
    house: House, appeals: AppealStore
) -> None:
    claimant, holder = await sides(house)
    filed = await appeals.file(new(claimant), house.now, room=ROOM)
    await prove(house.sql.identities, claimant, proof(LI), house.now)
    made = await decision(house, filed)
    with pytest.raises(NotGrantable) as refused:
        await appeals.decide(made, house.now)
    assert (refused.value.reason, await holder_of(house, LI)) == ("other_identity", claimant)
    await appeals.withdraw(claimant, filed, house.now)

    await house.sessions.open(house.session(claimant), cookie("claimant"), None)
    filed = await appeals.file(new(claimant, exchange=True), house.now, room=ROOM)
    await appeals.decide(await decision(house, filed), house.now)
    assert (await holder_of(house), await holder_of(house, LI)) == (claimant, None)
    assert await house.sessions.find(cookie("claimant"), house.now) is None
    (outcome,) = await appeals.outcomes(house.now, 10)
    assert outcome.exchanged
    assert outcome.loser is not None
    assert outcome.loser.account == holder


@pytest.mark.req("RNV-5")
async def test_phones_that_go_with_an_identity_are_named_to_whoever_follows_it_up(
    house: House, appeals: AppealStore
) -> None:
    await sides(house)
    link, standing = await house.someone(LI, identity("oLi"))
    await house.members.set_phone(standing.account, "13800138009", house.now)
    session = house.mini_session(link)
    await house.mini_sessions.open(session)
    filed = await appeals.file(new(standing.account, exchange=True), house.now, room=ROOM)
    await appeals.decide(await decision(house, filed), house.now)
    (outcome,) = await appeals.outcomes(house.now, 10)
    assert outcome.claimant is not None
    assert outcome.claimant.gone == Gone((link.id,), (session.id,))
    assert await house.accounts.link_of(identity("oLi")) is None


async def test_an_outcome_is_taken_on_by_one_and_again_where_nobody_was_told(
    house: House, appeals: AppealStore
) -> None:
    claimant, holder = await sides(house)
    filed = await appeals.file(new(claimant), house.now, room=ROOM)
    assert await appeals.outcomes(house.now, 10) == []
    await appeals.decide(await decision(house, filed), house.now)
    taken = await asyncio.gather(*(appeals.outcomes(house.now, 10) for _ in range(6)))
    ((outcome,),) = [found for found in taken if found]
    assert (outcome.appeal, outcome.state, outcome.decided_at) == (filed, State.GRANTED, house.now)
    assert (outcome.exchanged, outcome.claimant is not None) == (False, True)
    assert outcome.loser is not None
    assert (outcome.loser.account, outcome.loser.phone) == (holder, "13800138001")

    await appeals.told(filed, house.now, loser=True)
    house.clock.advance(TELL_AGAIN // SECOND - 1)
    assert await appeals.outcomes(house.now, 10) == []
    house.clock.advance(1)
    (again,) = await appeals.outcomes(house.now, 10)
    assert again.loser is None
    assert again.claimant is not None
    assert (again.claimant.account, again.claimant.phone) == (claimant, "13800138000")
    await appeals.told(filed, house.now, loser=False)
    await appeals.followed(filed)
    house.clock.advance(DAY // SECOND)
    assert await appeals.outcomes(house.now, 10) == []


async def test_one_appeal_at_a_time_and_a_few_a_day(house: House, appeals: AppealStore) -> None:
    claimant, _ = await sides(house)
    results = await asyncio.gather(
        *(appeals.file(new(claimant), house.now, room=ROOM) for _ in range(6)), return_exceptions=True
    )
    (filed,) = [result for result in results if isinstance(result, str)]
    assert sum(isinstance(result, AppealOpen) for result in results) == 5
    house.clock.advance(HOUR // SECOND)
    for _ in range(A_DAY - 1):
        assert await appeals.withdraw(claimant, filed, house.now)
        filed = await appeals.file(new(claimant), house.now, room=ROOM)
    await appeals.withdraw(claimant, filed, house.now)
    with pytest.raises(RateLimited) as limited:
        await appeals.file(new(claimant), house.now, room=ROOM)
    assert limited.value.retry_after == (DAY - HOUR) // SECOND
    house.clock.advance((DAY - HOUR) // SECOND)
    await appeals.file(new(claimant), house.now, room=ROOM)


async def test_an_appeal_is_for_an_identity_that_another_account_holds(house: House, appeals: AppealStore) -> None:
    claimant, holder = await sides(house)
    before = house.counts()
    for account, person in ((claimant, LI), (holder, ZHANG)):
        with pytest.raises(AppealNotNeeded):
            await appeals.file(new(account, person), house.now, room=ROOM)
    with pytest.raises(AccountRefused):
        await appeals.file(new("nobody"), house.now, room=ROOM)
    assert house.counts() == before


@pytest.mark.attack("U9")
async def test_strangers_who_appeal_for_an_identity_keep_nobody_from_it(house: House, appeals: AppealStore) -> None:
    """Of a crowd that files at once the first few have all their pictures, and nobody is refused who has a few."""
    claimant, _ = await sides(house)
    crowd = [
        (await house.member(f"1380013900{number}", f"crowd_{number}")).account for number in range(OF_AN_IDENTITY + 2)
    ]
    large = (PHOTO, *(replace(PAGE, file=2) for _ in range(IN_A_CROWD)))
    results = await asyncio.gather(
        *(appeals.file(replace(new(account), pictures=large), house.now, room=ROOM) for account in crowd),
        return_exceptions=True,
    )
    assert sum(isinstance(result, AppealsCrowded) for result in results) == 2
    assert sum(isinstance(result, str) for result in results) == OF_AN_IDENTITY
    left = [account for account, result in zip(crowd, results, strict=True) if not isinstance(result, str)]
    filed = {}
    for account in (*left, claimant):
        with pytest.raises(AppealsCrowded):
            await appeals.file(replace(new(account), pictures=large), house.now, room=ROOM)
        filed[account] = await appeals.file(replace(new(account), pictures=large[:IN_A_CROWD]), house.now, room=ROOM)
    case = await appeals.review(filed[claimant], "wang", house.now)
    assert (case.appeal.account, case.others) == (claimant, OF_AN_IDENTITY + 2)
    await appeals.withdraw(left[0], filed[left[0]], house.now)
    again = await appeals.review(filed[claimant], "wang", house.now)
    assert again.others == OF_AN_IDENTITY + 1
    assert again.facts == case.facts, "strangers who come and go keep no decision off"


@pytest.mark.attack("U5")
async def test_of_many_who_file_at_once_no_more_are_taken_than_there_is_room_for(
    house: House, appeals: AppealStore
) -> None:
    """Each for another identity, in two processes: they have no row in common for which one waits for the other."""
    everybody: list[tuple[str, Person]] = []
    for number in range(8):
        who = Person(DocumentType.HK_PERMIT, f"某{number}", f"H1234567{number}")
        holder = await house.member(f"1380013700{number}", f"holder_{number}")
        await prove(house.sql.identities, holder.account, proof(who), house.now)
        everybody.append(((await house.member(f"1380013800{number}", f"asker_{number}")).account, who))
    other = open_sql(house.url, keyring(), SystemEntropy(), house.clock)
    try:
        results = await asyncio.gather(
            *(
                store.file(new(*one), house.now, room=3 * 13 + 12)
                for store, one in zip([appeals, other.appeals] * 4, everybody, strict=True)
            ),
            return_exceptions=True,
        )
    finally:
        await other.close()
    assert sum(isinstance(result, AppealsFull) for result in results) == 5
    assert house.count("appeal") == 3


async def test_attachments_take_no_more_room_than_there_is(house: House, appeals: AppealStore) -> None:
    claimant, _ = await sides(house)
    with pytest.raises(AppealsFull):
        await appeals.file(new(claimant), house.now, room=12)
    assert house.count("appeal") == house.count("appeal_picture") == 0
    await appeals.file(new(claimant), house.now, room=13)


@pytest.mark.attack("U9")
async def test_pictures_of_what_is_decided_give_way_and_those_of_what_waits_do_not(
    house: House, appeals: AppealStore
) -> None:
    claimant, _ = await sides(house)
    refused = await appeals.file(new(claimant), house.now, room=13)
    await appeals.decide(await decision(house, refused, Verdict.REFUSE), house.now)
    other = (await house.member("13700137000", "another1")).account
    waiting = await appeals.file(new(other), house.now, room=13)
    third = (await house.member("13600136000", "another2")).account
    with pytest.raises(AppealsFull):
        await appeals.file(new(third), house.now, room=13)
    assert set(house.rows("SELECT DISTINCT appeal FROM appeal_picture")) == {(waiting,)}
    assert await appeals.state(claimant) is State.REFUSED


async def test_an_owner_takes_an_appeal_back_and_its_pictures_go(house: House, appeals: AppealStore) -> None:
    claimant, holder = await sides(house)
    filed = await appeals.file(new(claimant), house.now, room=ROOM)
    made = await decision(house, filed)
    assert not await appeals.withdraw(holder, filed, house.now), "another account's"
    assert not await appeals.withdraw(claimant, "nothing", house.now)
    assert await appeals.withdraw(claimant, filed, house.now)
    assert not await appeals.withdraw(claimant, filed, house.now)
    assert await appeals.state(claimant) is State.WITHDRAWN
    assert house.count("appeal_picture") == 0
    assert await appeals.waiting("wang", house.now, 10) == []
    with pytest.raises(AppealClosed):
        await appeals.decide(made, house.now)
    assert await appeals.outcomes(house.now, 10) == []


@pytest.mark.req("PRV-4")
async def test_what_is_closed_is_forgotten_the_pictures_first(house: House, appeals: AppealStore) -> None:
    claimant, _ = await sides(house)
    filed = await appeals.file(new(claimant), house.now, room=ROOM)
    later = house.now + DAY
    assert await appeals.forget_attachments(later, 10) == await appeals.forget(later, 10) == 0, "it is open"
    await appeals.decide(await decision(house, filed), house.now)
    assert await appeals.forget_attachments(house.now, 10) == 0
    assert await appeals.forget_attachments(later, 1) == 1
    assert await appeals.forget_attachments(later, 10) == 1
    found = await appeals.newest(claimant)
    assert found is not None
    assert (found.attachments, found.state) == ((), State.GRANTED)
    assert await appeals.forget(house.now, 10) == 0
    assert await appeals.forget(later, 10) == 1
    assert await appeals.newest(claimant) is None


@pytest.mark.req("PRV-4")
async def test_an_appeal_and_its_pictures_go_with_the_account(house: House, appeals: AppealStore) -> None:
    claimant, _ = await sides(house)
    filed = await appeals.file(new(claimant), house.now, room=ROOM)
    made = await decision(house, filed)
    await house.members.cancel(claimant, house.now)
    assert house.count("appeal") == house.count("appeal_picture") == 0
    for gone in (appeals.review(filed, "wang", house.now), appeals.decide(made, house.now)):
        with pytest.raises(AppealUnknown):
            await gone


@pytest.mark.req("PRV-4")
async def test_what_a_loser_was_to_be_told_is_nothing_once_it_has_gone(house: House, appeals: AppealStore) -> None:
    claimant, holder = await sides(house)
    filed = await appeals.file(new(claimant), house.now, room=ROOM)
    await appeals.decide(await decision(house, filed), house.now)
    await house.members.cancel(holder, house.now)
    (outcome,) = await appeals.outcomes(house.now, 10)
    assert outcome.loser is not None
    assert outcome.loser.phone is None


@pytest.mark.req("RNV-8")
@pytest.mark.parametrize("term", [UNSTATED, FOR_LIFE, Until(7)])
async def test_an_appeal_keeps_what_was_stated_of_the_document(house: House, appeals: AppealStore, term: Term) -> None:
    claimant, _ = await sides(house)
    stated = replace(new(claimant), new=replace(proof(), term=term))
    await appeals.file(stated, house.now, room=ROOM)
    found = await appeals.newest(claimant)
    assert found is not None
    assert found.new == stated.new


@pytest.mark.req("PRV-4")
@pytest.mark.attack("U10")
@pytest.mark.parametrize("told", [False, True])
async def test_a_winner_who_goes_leaves_nothing_but_what_the_loser_is_to_be_told(
    house: House, appeals: AppealStore, *, told: bool
) -> None:
    claimant, holder = await sides(house)
    filed = await appeals.file(new(claimant), house.now, room=ROOM)
    await appeals.decide(await decision(house, filed), house.now)
    if told:
        await appeals.told(filed, house.now, loser=True)
    await house.members.cancel(claimant, house.now)
    assert house.count("appeal_picture") == 0
    assert house.count("appeal") == (0 if told else 1)
    assert await appeals.newest(claimant) is None
    for gone in (appeals.review(filed, "wang", house.now), appeals.picture(filed, 1, "wang", house.now)):
        with pytest.raises(AppealUnknown):
            await gone
    if told:
        assert await appeals.outcomes(house.now, 10) == []
        return
    sealed = ("document", "new_sealed", "reason_sealed", "contact_sealed", "explanation_sealed", "gone")
    ((*left,),) = house.rows(f"SELECT {', '.join(sealed)} FROM appeal")  # noqa: S608 - written in this file
    assert not any(left)
    moving = open_sql(house.url, keyring(1, 2), SystemEntropy(), house.clock, threads=1)
    try:
        await moving.rotation.fill()
        (outcome,) = await moving.appeals.outcomes(house.now, 10)
    finally:
        await moving.close()
    assert (outcome.appeal, outcome.state, outcome.claimant) == (filed, State.GRANTED, None)
    assert outcome.loser is not None
    assert (outcome.loser.account, outcome.loser.phone) == (holder, "13800138001")
    await appeals.told(filed, house.now, loser=True)
    await appeals.followed(filed)
    assert house.count("appeal") == 0


@pytest.mark.req("PRV-1")
async def test_a_rotation_seals_appeals_anew(house: House, appeals: AppealStore) -> None:
    claimant, _ = await sides(house)
    other = await house.member("13800138002", "zhangsan3")
    filed = await appeals.file(new(claimant), house.now, room=ROOM)
    await appeals.decide(await decision(house, filed, Verdict.REFUSE), house.now)
    await appeals.file(new(other.account), house.now, room=ROOM)
    moving = open_sql(house.url, keyring(1, 2), SystemEntropy(), house.clock, threads=1)
    alone = open_sql(house.url, keyring(2), SystemEntropy(), house.clock, threads=1)
    try:
        with pytest.raises(FieldUnreadable):
            await alone.appeals.newest(claimant)
        await moving.rotation.fill()
        found = await alone.appeals.newest(claimant)
        assert found == await moving.appeals.newest(claimant)
        assert found is not None
        assert (found.reason, found.explanation, found.attachments[0].name) == (REASON, "材料属实", PHOTO.name)
        assert await alone.appeals.picture(filed, 1, "wang", house.now) == PHOTO.data
        assert house.rows("SELECT DISTINCT key_version FROM appeal") == [(2,)]
    finally:
        await moving.close()
        await alone.close()


def test_nothing_of_an_appeal_is_shown_where_it_is_printed() -> None:
    for shown in (repr(new("account")), repr(PHOTO), str(new("account")), repr(proof())):
        assert not any(word in shown for word in (REASON, PHOTO.name, "010", ZHANG.name, ZHANG.number))
