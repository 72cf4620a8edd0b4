"""Identities that are proved on pages: whose they are, and for how long, on every backend."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from bjidp.accounts.identifiers import of_external
from bjidp.accounts.ports import Evidence
from bjidp.clock import DAY, HOUR, SECOND
from bjidp.errors import AccountRefused, RateLimited
from bjidp.person import Person
from bjidp.platforms import ExternalIdentity, ExternalKind, Provider
from bjidp.proofing.errors import IdentityOther
from bjidp.proofing.ports import EpochOver, Held, IdentityChanged, IdentityStore, NewIdentity, Settled, Worn
from bjidp.proofing.terms import FOR_LIFE, UNSTATED, Term, Until
from bjidp.storage.sql.identity_store import AT_ONCE
from tests.contracts.house import LI, ZHANG, House, applicant, cookie, identity
from tests.support.identities import held, prove

NAME, BANK, FACE = Evidence.NAME_AND_NUMBER, Evidence.BANK_CARD, Evidence.FACE


def proof(evidence: Evidence = NAME, person: Person = ZHANG, term: Term = UNSTATED) -> NewIdentity:
    """Return a person who was proved."""
    return NewIdentity(
        person=person,
        evidence=evidence,
        evidence_reference="E-1",
        authority_reference="A-77",
        term=term,
    )


@pytest.fixture
def identities(house: House) -> IdentityStore:
    """The store under test."""
    return house.sql.identities


async def two(house: House) -> tuple[str, str]:
    """Return two accounts of pages."""
    one = await house.member("13800138000", "zhangsan1")
    other = await house.member("13800138001", "zhangsan2")
    return one.account, other.account


@pytest.mark.req("RNV-2", "SES-2")
@pytest.mark.parametrize(("evidence", "level"), [(NAME, 2), (BANK, 3), (FACE, 3)])
async def test_an_identity_nobody_has_becomes_the_accounts(
    house: House, identities: IdentityStore, evidence: Evidence, level: int
) -> None:
    standing = await house.member()
    assert await identities.bound(standing.account) is None
    settled = await prove(identities, standing.account, proof(evidence, term=Until(house.now + DAY)), house.now)
    assert settled.loser is None
    assert (settled.standing.level, settled.standing.name) == (level, "张**")
    bound = await identities.bound(standing.account)
    assert bound is not None
    assert (bound.person, bound.evidence, bound.level(house.now)) == (ZHANG, evidence, level)
    assert bound.term == Until(house.now + DAY)
    holder = await house.accounts.holder_of(ZHANG)
    assert holder is not None
    assert holder.account == standing.account
    assert house.audit()[-1] == ("identity.proved", standing.ref, None)
    assert house.notices() == [(standing.account, "identity.bound")]
    await prove(identities, standing.account, proof(FACE), house.now)
    await prove(identities, standing.account, proof(NAME, LI), house.now, exchange=True)
    told = [kind for _, kind in house.notices()]
    assert told == ["identity.bound", "identity.exchanged"], "proved anew it is the same, and an exchange is one thing"


@pytest.mark.req("REG-4")
@pytest.mark.attack("P7")
async def test_nothing_is_bound_once_the_sessions_of_an_epoch_were_ended(
    house: House, identities: IdentityStore
) -> None:
    account = (await house.member()).account
    with pytest.raises(EpochOver):
        await identities.prove(account, proof(), house.now, was=None, epoch=1)
    assert await identities.bound(account) is None
    # A number in the place of another ends every session in its own transaction.
    await house.members.set_phone(account, "13600136000", house.now)
    with pytest.raises(EpochOver):
        await identities.prove(account, proof(), house.now, was=None, epoch=0)
    house.set_status(account, "locked")
    with pytest.raises(AccountRefused):
        await identities.prove(account, proof(), house.now, was=None, epoch=1)
    house.set_status(account, "active")
    assert isinstance(await identities.prove(account, proof(), house.now, was=None, epoch=1), Settled)


@pytest.mark.req("RNV-7")
async def test_a_better_proof_raises_the_level_and_a_weaker_one_lowers_nothing(
    house: House, identities: IdentityStore
) -> None:
    account = (await house.member()).account
    await prove(identities, account, proof(NAME, term=Until(house.now + DAY)), house.now)
    first = await identities.bound(account)
    await prove(identities, account, replace(proof(FACE), evidence_reference="E-2"), house.now)
    shown = await identities.bound(account)
    await prove(identities, account, replace(proof(NAME), evidence_reference="E-3"), house.now)
    bound = await identities.bound(account)
    assert bound is not None
    assert first is not None
    assert shown is not None
    # The reference is that of what counts; and yet whoever has decided on what was there before the last proof waits.
    assert (shown.evidence_reference, shown.newest_reference) == ("E-2", "E-2")
    assert (bound.evidence_reference, bound.newest_reference) == ("E-2", "E-3")
    assert (bound.came_with(first.mark), bound.mark == shown.mark) == (True, False)
    assert (bound.evidence, bound.level(house.now), bound.term) == (FACE, 3, Until(house.now + DAY))
    assert bound.mark != first.mark


@pytest.mark.req("RNV-1")
async def test_a_card_that_is_valid_for_life_ends_the_date_of_the_one_before(
    house: House, identities: IdentityStore
) -> None:
    account = (await house.member()).account
    await prove(identities, account, proof(BANK, term=Until(house.now + DAY)), house.now)
    await prove(identities, account, proof(NAME, term=FOR_LIFE), house.now)
    house.clock.advance(2 * DAY // SECOND)
    assert await identities.wear(house.now, 10) == Worn(0, more=False)
    bound = await identities.bound(account)
    assert bound is not None
    assert (bound.evidence, bound.level(house.now), bound.term) == (BANK, 3, FOR_LIFE)


@pytest.mark.attack("B2")
async def test_an_identity_is_proved_only_as_long_as_it_is_the_one_that_was_decided_on(
    house: House, identities: IdentityStore
) -> None:
    one, other = await two(house)
    with pytest.raises(IdentityChanged):
        await identities.prove(one, proof(FACE), house.now, was="none")
    await prove(identities, one, proof(NAME), house.now)
    first = await identities.bound(one)
    assert first is not None
    assert (first.evidence_reference, first.authority_reference) == ("E-1", "A-77")
    with pytest.raises(IdentityChanged):
        await identities.prove(one, proof(BANK), house.now, was=None)
    await identities.prove(one, proof(BANK), house.now, was=first.mark)
    before = house.counts()
    for account in (one, other):
        with pytest.raises(IdentityChanged):
            await identities.prove(account, proof(FACE), house.now, was=first.mark)
    assert house.counts() == before
    second = await identities.bound(one)
    assert second is not None
    assert (second.evidence, second.bound_at == first.bound_at, second.mark == first.mark) == (BANK, True, False)
    results = await asyncio.gather(
        *(identities.prove(one, proof(FACE), house.now, was=second.mark) for _ in range(6)), return_exceptions=True
    )
    assert sum(isinstance(result, Settled) for result in results) == 1
    assert sum(isinstance(result, IdentityChanged) for result in results) == 5


@pytest.mark.req("RNV-7")
@pytest.mark.parametrize("held_by", Evidence)
@pytest.mark.parametrize("by", [BANK, FACE])
async def test_an_equal_or_better_proof_takes_an_identity_and_leaves_the_loser_all_else(
    house: House, identities: IdentityStore, held_by: Evidence, by: Evidence
) -> None:
    loser, winner = await two(house)
    await prove(identities, loser, proof(held_by), house.now)
    before = house.counts()
    if held_by.outweighs(by):
        assert await held(identities, winner, proof(by), house.now) == (FACE,)
        assert house.counts() == before
        return
    settled = await prove(identities, winner, proof(by), house.now)
    assert settled.loser is not None
    assert (settled.loser.account, settled.loser.phone) == (loser, "13800138000")
    assert settled.standing.level == 3
    assert await identities.bound(loser) is None
    left = await house.members.member(loser)
    assert left is not None
    assert (left.standing.level, left.phone, left.password) == (1, "13800138000", "hash-1")
    assert house.notices()[-2:] == [(loser, "identity.lost"), (winner, "identity.taken")]
    assert [kind for kind, _, _ in house.audit()[-3:]] == ["identity.lost", "identity.proved", "identity.taken"]


@pytest.mark.req("RNV-7")
@pytest.mark.parametrize(("held_by", "by"), [(NAME, (BANK, FACE)), (BANK, (BANK, FACE)), (FACE, (FACE,))])
async def test_a_name_and_a_number_take_nothing_and_are_told_what_would(
    house: House, identities: IdentityStore, held_by: Evidence, by: tuple[Evidence, ...]
) -> None:
    holder, other = await two(house)
    await prove(identities, holder, proof(held_by), house.now)
    before = house.counts()
    assert await held(identities, other, proof(NAME), house.now) == by
    assert house.counts() == before


@pytest.mark.req("RNV-7")
async def test_an_identity_that_moved_stays_for_a_day(house: House, identities: IdentityStore) -> None:
    one, other = await two(house)
    await prove(identities, one, proof(FACE), house.now)
    await prove(identities, other, proof(FACE), house.now)
    house.clock.advance((DAY - HOUR) // SECOND)
    before = house.counts()
    with pytest.raises(RateLimited) as limited:
        await prove(identities, one, proof(FACE), house.now)
    assert limited.value.retry_after == HOUR // SECOND
    assert house.counts() == before
    house.clock.advance(HOUR // SECOND)
    assert (await prove(identities, one, proof(FACE), house.now)).loser is not None


@pytest.mark.req("RNV-5")
async def test_another_identity_takes_the_place_of_ones_own_only_when_it_is_exchanged(
    house: House, identities: IdentityStore
) -> None:
    account = (await house.member()).account
    await prove(identities, account, proof(FACE), house.now)
    before = house.counts()
    with pytest.raises(IdentityOther):
        await prove(identities, account, proof(NAME, LI), house.now)
    assert house.counts() == before
    settled = await prove(identities, account, proof(NAME, LI), house.now, exchange=True)
    assert (settled.standing.level, settled.standing.name) == (2, "李**")
    bound = await identities.bound(account)
    assert bound is not None
    assert (bound.person, bound.evidence) == (LI, NAME)
    assert await house.accounts.holder_of(ZHANG) is None
    assert house.audit()[-1][0] == "identity.exchanged"
    assert house.count("identity") == 1


@pytest.mark.req("RNV-6")
async def test_an_identity_is_given_up_and_is_anybodys_then(house: House, identities: IdentityStore) -> None:
    one, other = await two(house)
    await prove(identities, one, proof(FACE), house.now)
    assert await identities.unbind(one, house.now) is not None
    assert await identities.unbind(one, house.now) is None
    standing = await house.accounts.standing(one)
    assert standing is not None
    assert (standing.level, standing.name) == (1, "z***********1")
    assert [kind for kind, _, _ in house.audit()].count("identity.unbound") == 1
    assert (await prove(identities, other, proof(NAME), house.now)).loser is None


@pytest.mark.attack("Q21")
async def test_nobody_gets_into_or_out_of_a_lock_by_an_identity(house: House, identities: IdentityStore) -> None:
    locked, other = await two(house)
    await prove(identities, locked, proof(NAME), house.now)
    house.set_status(locked, "locked")
    before = house.counts()
    for evidence in Evidence:
        assert await held(identities, other, proof(evidence), house.now) == ()
    for attempt in (prove(identities, locked, proof(FACE, LI), house.now), identities.unbind(locked, house.now)):
        with pytest.raises(AccountRefused):
            await attempt
    assert house.counts() == before


@pytest.mark.req("RNV-7")
@pytest.mark.parametrize("by", Evidence)
@pytest.mark.parametrize("held_by", Evidence)
async def test_what_comes_of_a_proof_is_known_before_anybody_is_paid_for_it(
    house: House, identities: IdentityStore, held_by: Evidence, by: Evidence
) -> None:
    holder, other = await two(house)
    assert await identities.prospect(other, ZHANG, by, house.now) is None
    await prove(identities, holder, proof(held_by), house.now)
    before = house.counts()
    assert await identities.prospect(holder, ZHANG, by, house.now) is None
    assert await identities.prospect(other, LI, by, house.now) is None
    told = await identities.prospect(other, ZHANG, by, house.now)
    assert house.counts() == before
    bound = await identities.bound(other)
    came = await identities.prove(other, proof(by), house.now, was=None if bound is None else bound.mark)
    assert (told is None) == isinstance(came, Settled)
    assert told is None or told == came
    if told is None:
        with pytest.raises(RateLimited):
            await identities.prospect(holder, ZHANG, FACE, house.now)
        holder, other = other, holder
    house.set_status(holder, "locked")
    assert await identities.prospect(other, ZHANG, by, house.now) == Held(())


async def levels_of(house: House, *accounts: str) -> list[int]:
    """Return the levels of accounts, wherever they are looked at."""
    seen = []
    for account in accounts:
        standing, bound = await house.accounts.standing(account), await house.sql.identities.bound(account)
        member = await house.members.member(account)
        profile = await house.accounts.profile(account)
        assert standing is not None
        assert bound is not None
        assert member is not None
        assert profile is not None
        (level,) = {standing.level, bound.level(house.now), member.standing.level, profile.standing.level}
        seen.append(int(level))
    return seen


@pytest.mark.req("RNV-1")
async def test_a_document_that_has_run_out_lowers_the_level_and_says_so_once(
    house: House, identities: IdentityStore
) -> None:
    one, other = await two(house)
    await prove(identities, one, proof(FACE, ZHANG, Until(house.now + DAY)), house.now)
    await prove(identities, other, proof(NAME, LI, Until(house.now + 2 * DAY)), house.now)
    assert await identities.wear(house.now, 10) == Worn(0, more=False)
    house.clock.advance((DAY - 1) / SECOND)
    assert await levels_of(house, one, other) == [3, 2]
    house.clock.advance(0.001)
    assert await levels_of(house, one, other) == [1, 2], "from that very moment on, whoever is told of it when"
    assert await identities.wear(house.now, 10) == Worn(1, more=False)
    assert await identities.wear(house.now, 10) == Worn(0, more=False)
    assert await levels_of(house, one, other) == [1, 2]
    assert house.notices()[2:] == [(one, "identity.worn")]
    # It is the account's still, and nobody takes it more easily.
    assert await held(identities, other, proof(BANK), house.now, exchange=True) == (FACE,)
    # What was proved with the old document counts no more, and the next one's end is told anew.
    await prove(identities, one, proof(NAME, term=Until(house.now + DAY)), house.now)
    bound = await identities.bound(one)
    assert bound is not None
    assert (bound.evidence, bound.level(house.now)) == (NAME, 2)
    house.clock.advance(DAY // SECOND)
    assert await identities.wear(house.now, 10) == Worn(2, more=False)
    assert await levels_of(house, one, other) == [1, 1]


@pytest.mark.attack("R4")
@pytest.mark.req("RNV-5", "RNV-6")
@pytest.mark.parametrize("way", ["exchange", "unbind"])
async def test_everybody_is_put_out_of_an_account_that_changes_its_person_in_that_very_transaction(
    house: House, identities: IdentityStore, way: str
) -> None:
    link, standing = await house.someone()
    account = standing.account
    kept, other = house.session(account), house.session(account)
    await house.sessions.open(kept, cookie("kept"), None)
    await house.sessions.open(other, cookie("other"), None)
    await house.mini_sessions.open(house.mini_session(link))
    if way == "exchange":
        await prove(identities, account, proof(NAME, LI), house.now, exchange=True, keep=kept.id)
    else:
        await identities.unbind(account, house.now)
    assert await house.sessions.find(cookie("other"), house.now) is None
    assert (await house.sessions.find(cookie("kept"), house.now) is not None) == (way == "exchange")
    # The phone that the former face has linked is a stranger: its days without another check are over.
    assert await house.accounts.link_of(identity()) is None
    assert house.count("mini_session") == 0
    assert house.notices() == [(account, f"identity.{'exchanged' if way == 'exchange' else 'unbound'}")]


@pytest.mark.attack("R4")
@pytest.mark.req("RNV-5", "RNV-6", "LOG-4")
@pytest.mark.parametrize("way", ["exchange", "unbind"])
async def test_what_the_former_person_logs_in_by_elsewhere_goes_with_them(
    house: House, identities: IdentityStore, way: str
) -> None:
    account = (await house.member()).account
    await prove(identities, account, proof(), house.now)
    user = ExternalIdentity(Provider.ALIPAY, "2021", ExternalKind.OPEN_ID, "oZhang")
    await house.sql.externals.link(account, user, "13800138000", house.now)
    if way == "exchange":
        await prove(identities, account, proof(NAME, LI), house.now, exchange=True)
    else:
        await identities.unbind(account, house.now)
    assert await house.members.find([of_external(user)]) is None
    assert await house.sql.externals.linked(account) == []
    assert "external.unlinked" in [event for event, *_ in house.rows("SELECT kind FROM audit_event")]


@pytest.mark.req("RNV-7")
async def test_whoever_loses_an_identity_is_put_out_in_that_very_transaction_and_keeps_their_phone(
    house: House, identities: IdentityStore
) -> None:
    link, loser = await house.someone()
    winner = await house.member()
    await house.sessions.open(house.session(loser.account), cookie("loser"), None)
    await house.mini_sessions.open(house.mini_session(link))
    await prove(identities, winner.account, proof(FACE), house.now)
    assert await house.sessions.find(cookie("loser"), house.now) is None
    assert house.count("mini_session") == 0
    assert await house.accounts.link_of(identity()) is not None


@pytest.mark.req("RNV-7")
async def test_who_has_an_identity_is_not_told_who_has_another(house: House, identities: IdentityStore) -> None:
    one, other = await two(house)
    await prove(identities, one, proof(FACE, LI), house.now)
    await prove(identities, other, proof(NAME), house.now)
    before = house.counts()
    with pytest.raises(IdentityOther):
        await prove(identities, one, proof(NAME), house.now)
    assert house.counts() == before


async def test_two_accounts_that_take_each_others_identities_do_not_wait_for_each_other(
    house: House, identities: IdentityStore
) -> None:
    one, other = await two(house)
    for _ in range(10):
        await prove(identities, one, proof(BANK, ZHANG), house.now, exchange=True)
        await prove(identities, other, proof(BANK, LI), house.now, exchange=True)
        house.clock.advance(2 * DAY // SECOND)
        marks = [bound.mark for account in (one, other) if (bound := await identities.bound(account))]
        results = await asyncio.gather(
            identities.prove(one, proof(FACE, LI), house.now, was=marks[0], exchange=True),
            identities.prove(other, proof(FACE, ZHANG), house.now, was=marks[1], exchange=True),
            return_exceptions=True,
        )
        # Whoever comes second has lost by then what this was decided on.
        assert {type(result) for result in results} <= {Settled, IdentityChanged}
        won = [result.standing.account for result in results if isinstance(result, Settled)]
        assert len(won) == 1
        bound = await identities.bound(won[0])
        assert bound is not None
        assert bound.person == (LI if won == [one] else ZHANG)
        await identities.unbind(won[0], house.now)
        house.clock.advance(2 * DAY // SECOND)


@pytest.mark.req("REG-7")
async def test_who_comes_by_face_on_a_phone_keeps_the_dates_that_were_stated_on_a_page(
    house: House, identities: IdentityStore
) -> None:
    account = (await house.member()).account
    await prove(identities, account, proof(FACE, term=Until(house.now + DAY)), house.now)
    await house.accounts.relink(account, applicant(user=identity("oNew")), probation_until=None, now=house.now)
    bound = await identities.bound(account)
    assert bound is not None
    assert bound.term == Until(house.now + DAY)
    house.clock.advance(DAY // SECOND)


@pytest.mark.req("RNV-1")
@pytest.mark.parametrize("evidence", [BANK, FACE])
@pytest.mark.parametrize("told", [True, False])
async def test_a_level_that_is_worn_comes_back_by_the_dates_of_another_document_alone(
    house: House, identities: IdentityStore, evidence: Evidence, *, told: bool
) -> None:
    account = (await house.member()).account
    await prove(identities, account, proof(BANK, term=Until(house.now + DAY)), house.now)
    house.clock.advance(DAY // SECOND)
    if told:
        await identities.wear(house.now, 10)
    ran_out = house.now
    await prove(identities, account, proof(evidence), house.now)
    await house.accounts.relink(account, applicant(user=identity("oNew")), probation_until=None, now=house.now)
    bound = await identities.bound(account)
    assert bound is not None
    # And nobody takes it more easily than before.
    assert (bound.evidence, bound.level(house.now), bound.term) == (FACE, 1, Until(ran_out))
    await prove(identities, account, proof(NAME, term=Until(house.now + DAY)), house.now)
    await prove(identities, account, proof(evidence), house.now)
    bound = await identities.bound(account)
    assert bound is not None
    assert (bound.evidence, bound.level(house.now), bound.term) == (evidence, 3, Until(house.now + DAY))


@pytest.mark.req("RNV-1")
@pytest.mark.parametrize("way", ["given up", "exchanged", "lost"])
async def test_a_document_comes_back_to_its_account_with_the_date_it_went_with(
    house: House, identities: IdentityStore, way: str
) -> None:
    account, other = await two(house)
    await prove(identities, account, proof(NAME, term=Until(house.now + DAY)), house.now)
    until = Until(house.now + DAY)
    match way:
        case "given up":
            await identities.unbind(account, house.now)
        case "exchanged":
            await prove(identities, account, proof(NAME, LI), house.now, exchange=True)
        case _:
            await prove(identities, other, proof(BANK), house.now)
    assert await identities.stated(account, ZHANG) == until
    house.clock.advance(2 * DAY // SECOND)
    await prove(identities, account, proof(FACE), house.now, exchange=True)
    bound = await identities.bound(account)
    assert bound is not None
    assert (bound.evidence, bound.level(house.now), bound.term) == (FACE, 1, until)
    assert await identities.stated(account, ZHANG) == UNSTATED, "its identity knows by now"
    assert (await identities.wear(house.now, 10)).told == 1, "it is told why"


@pytest.mark.req("RNV-1")
@pytest.mark.parametrize("term", [FOR_LIFE, UNSTATED])
async def test_a_document_without_a_date_leaves_none_behind(
    house: House, identities: IdentityStore, term: Term
) -> None:
    account = (await house.member()).account
    await prove(identities, account, proof(NAME, term=Until(house.now + DAY)), house.now)
    await identities.unbind(account, house.now)
    await prove(identities, account, proof(NAME, term=FOR_LIFE), house.now)
    bound = await identities.bound(account)
    assert bound is not None
    assert bound.term == FOR_LIFE, "stated anew"
    await prove(identities, account, proof(NAME, LI, term), house.now, exchange=True)
    await identities.unbind(account, house.now)
    house.clock.advance(2 * DAY // SECOND)
    for person in (ZHANG, LI):
        assert await identities.stated(account, person) == UNSTATED
        await prove(identities, account, proof(BANK, person), house.now, exchange=True)
        bound = await identities.bound(account)
        assert bound is not None
        assert (bound.level(house.now), bound.term) == (3, UNSTATED)
    assert house.count("former_document") == 0


@pytest.mark.req("RNV-1", "PRV-4")
async def test_what_was_stated_is_the_accounts_own_and_goes_with_it(house: House, identities: IdentityStore) -> None:
    account, other = await two(house)
    await prove(identities, account, proof(NAME, term=Until(house.now + DAY)), house.now)
    await identities.unbind(account, house.now)
    await prove(identities, other, proof(BANK), house.now)
    bound = await identities.bound(other)
    assert bound is not None
    assert bound.term == UNSTATED, "another one has stated it"
    assert house.count("former_document") == 1
    await house.members.cancel(account, house.now)
    assert house.count("former_document") == 0


@pytest.mark.req("RNV-1")
async def test_many_are_told_in_pieces_each_once_however_many_processes_tell(
    house: House, identities: IdentityStore
) -> None:
    def told() -> list[str]:
        return [account for account, kind in house.notices() if kind == "identity.worn"]

    people = [Person(ZHANG.document_type, "张三", f"11010119900307{number:04}") for number in range(AT_ONCE + 3)]
    for number, person in enumerate(people):
        account = (await house.member(f"139001380{number:02}", f"zhangsan{number:02}")).account
        await prove(identities, account, proof(FACE, person, Until(house.now + 1 + number % 2)), house.now)
    house.clock.advance(0.001)
    assert await identities.wear(house.now, 3) == Worn(3, more=True)
    assert len(told()) == 3
    house.clock.advance(0.001)
    first, second = await asyncio.gather(identities.wear(house.now, 500), identities.wear(house.now, 500))
    assert first.more or second.more
    third = await identities.wear(house.now, 500)
    assert (first.told + second.told + third.told, third.more) == (AT_ONCE, False)
    assert sorted(set(told())) == sorted(told())
