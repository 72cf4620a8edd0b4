"""The contract of ``MemberStore``, on every backend."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import pytest

from bjidp.accounts.identifiers import Identifier, IdentifierKind, of_document, of_phone, of_username
from bjidp.accounts.member_ports import Ended, IdentifierTaken, Member, NewMember, NumberGiven, PasswordStale
from bjidp.accounts.notices import NoticeKind
from bjidp.accounts.ports import Gone
from bjidp.accounts.username import is_system_username
from bjidp.appeals.appeal import ROOM
from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.clock import DAY, SECOND
from bjidp.entropy import SystemEntropy, token
from bjidp.errors import AccountRefused
from bjidp.oidc.grants.code import Approval, Authentication
from bjidp.oidc.grants.grant import Grant
from bjidp.oidc.scopes import Scope
from bjidp.privacy.fields import FieldCipher
from bjidp.proofing.ports import Register
from bjidp.standing import Level, Standing, Status
from bjidp.storage.sql.catalog import SqlStores, open_sql
from bjidp.storage.sql.database.engine import SqlEngine
from bjidp.storage.sql.database.statements import Row, Statement, Value
from bjidp.storage.sql.schema import metadata
from tests.contracts.house import LI, ZHANG, House, applicant, cookie, identity, keyring
from tests.contracts.test_appeals import new as new_appeal

PHONE, OTHER_PHONE = "13800138000", "13900139000"


async def member(house: House, account: str) -> Member:
    """Return an account that is there."""
    found = await house.members.member(account)
    assert found is not None
    return found


async def new_password(house: House, account: str, password: str) -> None:
    """Change a password, whatever it was."""
    was = (await member(house, account)).password
    await house.members.set_password(account, password, EventKind.PASSWORD_CHANGED, house.now, was=was)


class Change(NamedTuple):
    """A change of an account: how it is made, what it is audited as, what the account is told."""

    make: Callable[[House, str], Awaitable[object]]
    audited: str
    told: str | None = None


CHANGES: dict[str, Change] = {
    "set_password": Change(
        lambda h, a: h.members.set_password(a, "hash-2", EventKind.PASSWORD_CHANGED, h.now, was="hash-1"),
        "password.changed",
        "password.changed",
    ),
    "reset_password": Change(
        lambda h, a: h.members.set_password(a, "hash-2", EventKind.PASSWORD_RESET, h.now, was="hash-1"),
        "password.reset",
        "password.changed",
    ),
    "set_phone": Change(lambda h, a: h.members.set_phone(a, OTHER_PHONE, h.now), "phone.changed", "phone.changed"),
    "merge_phone": Change(lambda h, a: h.members.merge_phone(a, OTHER_PHONE, h.now), "phone.changed", "phone.changed"),
    "set_mail": Change(lambda h, a: h.members.set_mail(a, "zhang@example.cn", h.now), "mail.changed"),
    "set_username": Change(lambda h, a: h.members.set_username(a, "lisisi_9", h.now), "username.changed"),
    "set_ethnicity": Change(lambda h, a: h.members.set_ethnicity(a, "HA", h.now), "ethnicity.changed"),
}
UNHEARD: dict[str, Callable[[House, str], Awaitable[object]]] = {
    "rehash": lambda h, a: h.members.rehash(a, "hash-1", "hash-2"),
    "phone_proved": lambda h, a: h.members.phone_proved(a, h.now),
    "cancel": lambda h, a: h.members.cancel(a, h.now),
}


# Enrolling and finding.


@pytest.mark.req("REG-1")
async def test_who_enrols_is_found_by_name_and_by_number_with_everything_that_was_given(house: House) -> None:
    standing = await house.member()
    assert (standing.status, standing.level) == (Status.ACTIVE, Level.L1)
    expected = Member(
        standing=standing,
        username="zhangsan1",
        phone=PHONE,
        phone_used_at=house.now,
        password="hash-1",
        document=None,
        evidence=None,
        sex=None,
        mail=None,
        ethnicity=None,
        created_at=house.now,
    )
    for name in (of_username("zhangsan1"), of_username("ZhangSan1"), of_phone(PHONE)):
        assert await house.members.find([name]) == expected
        assert await house.members.is_held(name)
    assert await house.members.member(standing.account) == expected
    assert house.audit() == [("account.registered", standing.ref, None)]
    assert house.rows("SELECT password_changed_at FROM account") == [(house.now,)]


@pytest.mark.req("ACC-8")
async def test_an_account_is_linked_while_a_platform_identity_stands_for_it(house: House) -> None:
    (_, zhang), enrolled = await house.someone(), await house.member()
    asked = [zhang.account, enrolled.account, "nobody"]
    assert [await house.members.is_linked(account) for account in asked] == [True, False, False]
    # The same platform identity registers somebody else: the link stands for that account from then on.
    _, li = await house.someone(LI)
    assert [await house.members.is_linked(account) for account in (zhang.account, li.account)] == [False, True]
    await house.members.cancel(li.account, house.now)
    assert not await house.members.is_linked(li.account)


@pytest.mark.req("REG-3")
async def test_an_account_without_a_name_is_given_one_by_the_system(house: House) -> None:
    standing = await house.member(username=None, password=None)
    made = await member(house, standing.account)
    assert is_system_username(made.username)
    assert made.password is None
    assert await house.members.find([of_username(made.username)]) == made
    assert house.rows("SELECT password_changed_at FROM account") == [(None,)]


@pytest.mark.req("REG-3")
async def test_a_name_made_by_the_system_that_is_taken_is_made_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = iter(["bjt_21234567890", "bjt_21234567890", "bjt_21234567890", "bjt_29876543210"])
    monkeypatch.setattr("bjidp.storage.sql.members.system_username", lambda _: next(names))
    first = await house.member(username=None)
    second = await house.member(OTHER_PHONE, username=None)
    assert (await member(house, first.account)).username == "bjt_21234567890"
    assert (await member(house, second.account)).username == "bjt_29876543210"
    assert house.count("account") == 2


async def test_an_account_that_registered_by_face_is_found_by_its_document_too(house: House) -> None:
    _, standing = await house.someone()
    found = await house.members.find([of_document(ZHANG)])
    assert found is not None
    assert (found.standing, found.document, found.phone, found.phone_used_at) == (standing, ZHANG, None, None)
    assert found == await house.members.member(standing.account)


@pytest.mark.attack("R1")
async def test_of_several_names_the_first_that_is_held_is_found(house: House) -> None:
    zhang = await house.member()
    li = await house.member(OTHER_PHONE, "lisisi_9")
    nobody = of_username("nobody99")

    async def found(*names: Identifier) -> Standing | None:
        looked = await house.members.find(names)
        return None if looked is None else looked.standing

    assert await found(of_phone(OTHER_PHONE), of_phone(PHONE)) == li
    assert await found(of_phone(PHONE), of_phone(OTHER_PHONE)) == zhang
    assert await found(nobody, of_document(ZHANG), of_phone(OTHER_PHONE)) == li
    assert await found(*[nobody] * 12, of_username("zhangsan1")) == zhang
    assert await found(nobody, of_document(ZHANG)) is None


@pytest.mark.attack("R1")
async def test_a_name_that_nobody_has_costs_what_another_costs(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    _, standing = await house.someone()
    await house.members.set_phone(standing.account, PHONE, house.now)
    readings = [of_username("someone99"), of_phone("13600136000"), of_document(LI)]
    work: list[str] = []
    opened, asked = FieldCipher.open, type(house.sql.engine).one

    def unseal(self: FieldCipher, table: str, column: str, row: str, sealed: bytes) -> str:
        work.append(f"{table}.{column}")
        return opened(self, table, column, row, sealed)

    async def one(self: SqlEngine, statement: Statement, values: Mapping[str, Value]) -> Row | None:
        work.append(statement.sql)
        return await asked(self, statement, values)

    monkeypatch.setattr(FieldCipher, "open", unseal)
    monkeypatch.setattr(type(house.sql.engine), "one", one)
    costs = []
    for names in (readings, [*readings[:1], of_phone(PHONE), *readings[2:]]):
        await house.members.find(names)  # what a name is masked as is remembered
        work.clear()
        found = await house.members.find(names)
        costs.append((found is None, sorted(work)))
    assert costs == [(True, costs[0][1]), (False, costs[0][1])]
    assert len(costs[0][1]) == 1 + 4, "one statement; name, number, username and phone"


async def test_what_is_not_there_is_none(house: House) -> None:
    assert await house.members.find([]) is None
    assert await house.members.find([of_phone(PHONE)]) is None
    assert await house.members.member("nobody") is None
    assert not await house.members.is_held(of_phone(PHONE))
    assert await house.members.notices("nobody", 9) == []
    assert await house.members.history("nobody", 9) == []


async def test_a_name_of_one_kind_is_not_found_as_another(house: House) -> None:
    await house.member()
    assert not await house.members.is_held(of_username(PHONE))
    assert await house.members.find([Identifier(IdentifierKind.DOCUMENT, (PHONE,))]) is None


def test_a_member_is_not_printed() -> None:
    new = NewMember(username="zhangsan1", phone=PHONE, password="hash-1")
    assert not any(value in repr(new) for value in ("zhangsan1", PHONE, "hash-1"))


# Who may hold what.


@pytest.mark.req("REG-8")
@pytest.mark.parametrize(
    ("phone", "username", "kind"),
    [(PHONE, "lisisi_9", IdentifierKind.PHONE), (OTHER_PHONE, "ZHANGSAN1", IdentifierKind.USERNAME)],
)
async def test_what_somebody_holds_is_nobody_elses_to_enrol_with(
    house: House, phone: str, username: str, kind: IdentifierKind
) -> None:
    await house.member()
    before = house.counts()
    with pytest.raises(IdentifierTaken) as taken:
        await house.member(phone, username)
    assert taken.value.kind is kind
    assert house.counts() == before


@pytest.mark.req("REG-8")
async def test_what_somebody_holds_is_nobody_elses_to_change_to(house: House) -> None:
    await house.member()
    li = await house.member(OTHER_PHONE, "lisisi_9")
    before, kept = house.counts(), await member(house, li.account)
    for change, kind in (
        (house.members.set_phone(li.account, PHONE, house.now), IdentifierKind.PHONE),
        (house.members.set_username(li.account, "zhangSan1", house.now), IdentifierKind.USERNAME),
    ):
        with pytest.raises(IdentifierTaken) as taken:
            await change
        assert taken.value.kind is kind
    assert house.counts() == before
    assert await member(house, li.account) == kept
    assert await house.members.find([of_phone(OTHER_PHONE)]) == kept


async def _race(house: House, attempts: Callable[[SqlStores, int], Awaitable[object]]) -> list[object]:
    """Make sixteen attempts at once, from two processes in turn; return what came of each."""
    other = open_sql(house.url, keyring(), SystemEntropy(), house.clock)
    try:
        stores = [house.sql, other] * 8
        return await asyncio.gather(
            *(attempts(one, number) for number, one in enumerate(stores)), return_exceptions=True
        )
    finally:
        await other.close()


@pytest.mark.req("REG-8")
@pytest.mark.parametrize("kind", [IdentifierKind.PHONE, IdentifierKind.USERNAME])
async def test_of_sixteen_enrolments_with_one_name_or_number_at_once_one_wins(
    house: House, kind: IdentifierKind
) -> None:
    def enrolment(number: int) -> NewMember:
        if kind is IdentifierKind.PHONE:
            return NewMember(username=f"person_{number}", phone=PHONE, password=None)
        return NewMember(username="zhangsan1", phone=f"138001380{number:02d}", password=None)

    results = await _race(house, lambda stores, number: stores.members.enrol(enrolment(number), house.now))
    lost = [result.kind for result in results if isinstance(result, IdentifierTaken)]
    assert lost == [kind] * 15
    (won,) = [result for result in results if isinstance(result, Standing)]
    assert (house.count("account"), house.count("identifier"), house.count("audit_event")) == (1, 2, 1)
    held = of_phone(PHONE) if kind is IdentifierKind.PHONE else of_username("zhangsan1")
    found = await house.members.find([held])
    assert found is not None
    assert found.standing == won


@pytest.mark.req("REG-8")
@pytest.mark.parametrize("kind", [IdentifierKind.PHONE, IdentifierKind.USERNAME])
async def test_of_sixteen_accounts_that_change_to_one_name_or_number_at_once_one_wins(
    house: House, kind: IdentifierKind
) -> None:
    people = [await house.member(f"138001380{number:02d}", f"person_{number}") for number in range(16)]

    async def change(stores: SqlStores, number: int) -> int:
        if kind is IdentifierKind.PHONE:
            await stores.members.set_phone(people[number].account, OTHER_PHONE, house.now)
        else:
            await stores.members.set_username(people[number].account, "wanted_by_all", house.now)
        return number

    results = await _race(house, change)
    assert [result.kind for result in results if isinstance(result, IdentifierTaken)] == [kind] * 15
    (winner,) = [result for result in results if isinstance(result, int)]
    found = await house.members.find([of_phone(OTHER_PHONE), of_username("wanted_by_all")])
    assert found is not None
    assert found.standing.account == people[winner].account
    assert house.count("identifier") == 32
    for number in range(16):
        held = of_phone(f"138001380{number:02d}") if kind is IdentifierKind.PHONE else of_username(f"person_{number}")
        assert await house.members.is_held(held) is (number != winner)


@pytest.mark.req("REG-8")
async def test_sixteen_changes_of_one_account_take_turns_and_leave_one_number(house: House) -> None:
    standing = await house.member()
    results = await _race(
        house,
        lambda stores, number: stores.members.set_phone(standing.account, f"139001390{number:02d}", house.now),
    )
    assert house.count("identifier") == 2
    kept = await member(house, standing.account)
    assert kept.phone is not None
    given = {PHONE, *(f"139001390{number:02d}" for number in range(16))}
    formers = [result.former for result in results if isinstance(result, NumberGiven)]
    assert sorted(map(str, formers)) == sorted(given - {kept.phone}), "each that is replaced is told by one of them"
    assert await house.members.find([of_phone(kept.phone)]) == kept
    assert not await house.members.is_held(of_phone(PHONE))


@pytest.mark.req("REG-8", "ACC-3")
async def test_a_number_is_free_once_its_account_has_another(house: House) -> None:
    zhang = await house.member()
    house.clock.advance(60)
    assert await house.members.set_phone(zhang.account, OTHER_PHONE, house.now) == NumberGiven(former=PHONE)
    changed = await member(house, zhang.account)
    assert (changed.phone, changed.phone_used_at) == (OTHER_PHONE, house.now)
    assert await house.members.find([of_phone(OTHER_PHONE)]) == changed
    assert not await house.members.is_held(of_phone(PHONE))
    li = await house.member(PHONE, "lisisi_9")
    assert await house.members.find([of_phone(PHONE)]) == await member(house, li.account)


@pytest.mark.req("ACC-3")
async def test_an_account_that_has_the_number_already_is_not_told_again(house: House) -> None:
    zhang = await house.member()
    before = house.counts()
    house.clock.advance(60)
    for give in (house.members.set_phone, house.members.merge_phone):
        assert await give(zhang.account, PHONE, house.now) == NumberGiven()
    assert house.counts() == before
    assert (await member(house, zhang.account)).phone_used_at == house.now


@pytest.mark.req("REG-8", "ACC-6")
async def test_a_name_is_free_once_its_account_has_another(house: House) -> None:
    zhang = await house.member()
    await house.members.set_username(zhang.account, "ZhangSan1", house.now)
    assert (await member(house, zhang.account)).username == "ZhangSan1", "the same name, written otherwise"
    await house.members.set_username(zhang.account, "zhangsan2", house.now)
    assert (await member(house, zhang.account)).username == "zhangsan2"
    assert not await house.members.is_held(of_username("zhangsan1"))
    await house.member(OTHER_PHONE, "zhangsan1")


# Changes, and what is written down about them.


@pytest.mark.req("OPS-8", "SES-2")
@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_is_audited_and_told_in_its_own_transaction(house: House, name: str) -> None:
    zhang = await house.member()
    change = CHANGES[name]
    await change.make(house, zhang.account)
    assert house.audit()[1:] == [(change.audited, zhang.ref, None)]
    assert house.notices() == ([] if change.told is None else [(zhang.account, change.told)])


@pytest.mark.attack("Q21")
@pytest.mark.parametrize("status", ["locked", "cancelled"])
@pytest.mark.parametrize("name", [*CHANGES, *UNHEARD])
async def test_an_account_that_may_not_be_used_is_not_changed(house: House, name: str, status: str) -> None:
    zhang = await house.member()
    house.set_status(zhang.account, status)
    before, rows = house.counts(), house.rows("SELECT * FROM account")
    make = CHANGES[name].make if name in CHANGES else UNHEARD[name]
    house.clock.advance(2 * DAY // SECOND)
    with pytest.raises(AccountRefused) as refused:
        await make(house, zhang.account)
    assert refused.value.reason == status
    with pytest.raises(AccountRefused):
        await make(house, "nobody")
    assert (house.counts(), house.rows("SELECT * FROM account")) == (before, rows)


@pytest.mark.req("ACC-2", "REC-4")
async def test_a_password_is_replaced(house: House) -> None:
    zhang = await house.member()
    house.clock.advance(60)
    await house.members.set_password(zhang.account, "hash-2", EventKind.PASSWORD_RESET, house.now, was="hash-1")
    assert (await member(house, zhang.account)).password == "hash-2"
    assert house.rows("SELECT password_changed_at FROM account") == [(house.now,)]


@pytest.mark.attack("R3")
async def test_a_password_takes_the_place_of_the_one_that_was_decided_on_and_of_no_other(house: House) -> None:
    zhang, li = await house.member(), await house.member(OTHER_PHONE, "lisisi_9", None)
    await house.members.set_password(li.account, "first", EventKind.PASSWORD_CHANGED, house.now, was=None)
    before, rows = house.counts(), house.rows("SELECT * FROM account ORDER BY id")
    house.clock.advance(60)
    for account, was in ((zhang.account, "hash-0"), (zhang.account, None), (li.account, None), (li.account, "hash-1")):
        with pytest.raises(PasswordStale):
            await house.members.set_password(account, "hash-2", EventKind.PASSWORD_RESET, house.now, was=was)
    assert (house.counts(), house.rows("SELECT * FROM account ORDER BY id")) == (before, rows)


@pytest.mark.attack("R3")
@pytest.mark.parametrize("was", ["hash-1", None])
async def test_of_sixteen_changes_that_decided_on_one_password_each_one_is_written(
    house: House, was: str | None
) -> None:
    zhang = await house.member(password=was)
    results = await _race(
        house,
        lambda stores, number: stores.members.set_password(
            zhang.account, f"hash-2-{number}", EventKind.PASSWORD_RESET, house.now, was=was
        ),
    )
    assert sum(isinstance(result, PasswordStale) for result in results) == 15
    winner = results.index(None)
    assert (await member(house, zhang.account)).password == f"hash-2-{winner}"
    assert house.audit().count(("password.reset", zhang.ref, None)) == 1
    assert house.notices() == [(zhang.account, "password.changed")]


async def test_a_new_hash_takes_the_place_of_the_one_it_was_made_for_and_of_no_other(house: House) -> None:
    zhang = await house.member()
    before, since = house.counts(), house.now
    house.clock.advance(60)
    await house.members.rehash(zhang.account, "hash-1", "hash-1-anew")
    assert (await member(house, zhang.account)).password == "hash-1-anew"
    assert house.rows("SELECT password_changed_at FROM account") == [(since,)]
    assert house.counts() == before, "the password is the same: nobody is told"
    await house.members.set_password(zhang.account, "hash-2", EventKind.PASSWORD_CHANGED, house.now, was="hash-1-anew")
    with pytest.raises(PasswordStale):
        await house.members.rehash(zhang.account, "hash-1-anew", "hash-1-late")
    assert (await member(house, zhang.account)).password == "hash-2"


async def test_of_sixteen_new_hashes_of_one_login_each_one_is_kept(house: House) -> None:
    zhang = await house.member()
    results = await _race(
        house, lambda stores, number: stores.members.rehash(zhang.account, "hash-1", f"hash-1-{number}")
    )
    assert sum(isinstance(result, PasswordStale) for result in results) == 15
    winner = results.index(None)
    assert (await member(house, zhang.account)).password == f"hash-1-{winner}"


@pytest.mark.req("LOG-6")
async def test_that_a_number_was_proved_is_noted_at_most_once_a_day(house: House) -> None:
    zhang = await house.member()
    first = house.now
    seen = []
    for hours in (1, 22, 1, 23):
        house.clock.advance(hours * 3600)
        await house.members.phone_proved(zhang.account, house.now)
        seen.append((await member(house, zhang.account)).phone_used_at)
    assert seen == [first, first, first + DAY, first + DAY]
    assert len(house.audit()) == 1


async def test_an_account_without_a_number_has_none_to_prove(house: House) -> None:
    _, standing = await house.someone()
    await house.members.phone_proved(standing.account, house.now)
    assert (await member(house, standing.account)).phone_used_at is None


@pytest.mark.req("ACC-4", "ACC-5")
async def test_a_mail_address_and_an_ethnic_group_come_back_as_they_were_given(house: House) -> None:
    zhang = await house.member()
    await house.members.set_mail(zhang.account, "张三@example.cn", house.now)
    await house.members.set_ethnicity(zhang.account, "UG", house.now)
    found = await member(house, zhang.account)
    assert (found.mail, found.ethnicity) == ("张三@example.cn", "UG")


# Two accounts, one number.


@pytest.mark.req("ACC-7", "REG-8")
async def test_a_number_that_moves_ends_the_account_that_held_it(house: House) -> None:
    former = await house.member()
    await house.sessions.open(house.session(former.account), cookie("former"), None)
    _, zhang = await house.someone()
    house.clock.advance(60)
    ended = Ended(former.account, former.ref, Gone())
    assert await house.members.merge_phone(zhang.account, PHONE, house.now) == NumberGiven(ended=ended)
    moved = await member(house, zhang.account)
    assert (moved.phone, moved.phone_used_at) == (PHONE, house.now)
    assert await house.members.find([of_phone(PHONE)]) == moved
    assert await house.members.member(former.account) is None
    assert not await house.members.is_held(of_username("zhangsan1"))
    assert await house.sessions.find(cookie("former"), house.now) is None
    assert [kind for kind, ref, _ in house.audit() if ref == former.ref][-2:] == ["session.ended", "account.merged"]
    assert ("phone.changed", zhang.ref, None) in house.audit()
    assert house.notices() == [(zhang.account, "phone.changed")]


@pytest.mark.req("REG-8")
async def test_a_number_that_nobody_holds_moves_without_an_end(house: House) -> None:
    _, zhang = await house.someone()
    assert await house.members.merge_phone(zhang.account, PHONE, house.now) == NumberGiven()
    assert (await member(house, zhang.account)).phone == PHONE


@pytest.mark.req("REG-8")
@pytest.mark.parametrize("stays_because", ["identity", "locked"])
async def test_an_account_with_an_identity_or_a_lock_keeps_its_number(house: House, stays_because: str) -> None:
    _, zhang = await house.someone()
    if stays_because == "identity":
        _, holder = await house.someone(LI, identity("oLi"))
        await house.members.set_phone(holder.account, PHONE, house.now)
    else:
        holder = await house.member()
        house.set_status(holder.account, "locked")
    before = house.counts()
    with pytest.raises(IdentifierTaken) as taken:
        await house.members.merge_phone(zhang.account, PHONE, house.now)
    assert taken.value.kind is IdentifierKind.PHONE
    assert house.counts() == before
    assert (await member(house, holder.account)).phone == PHONE


@pytest.mark.req("REG-8")
async def test_of_sixteen_accounts_that_take_one_number_over_at_once_one_keeps_it(house: House) -> None:
    """Whoever comes later ends whoever came before: all but the last have no identity."""
    former = await house.member()
    people = [await house.member(f"139001390{number:02d}", f"person_{number}") for number in range(16)]
    results = await _race(
        house, lambda stores, number: stores.members.merge_phone(people[number].account, PHONE, house.now)
    )
    ended = {result.ended.account for result in results if isinstance(result, NumberGiven) and result.ended}
    assert former.account in ended
    found = await house.members.find([of_phone(PHONE)])
    assert found is not None
    assert found.standing.account in {one.account for one in people} - ended
    left = [one for one in people if await house.members.member(one.account) is not None]
    assert len(left) == 17 - len(ended)
    assert house.rows("SELECT count(*) FROM identifier WHERE kind = 'phone'") == [(len(left),)]
    assert [kind for kind, _, _ in house.audit()].count("account.merged") == len(ended)


@pytest.mark.req("REG-8")
async def test_two_accounts_that_take_each_others_numbers_do_not_wait_for_each_other(house: House) -> None:
    """One ends the other, which then may not be used: of the two one is left, with both numbers' fate decided once."""
    for round_ in range(4):
        a = await house.member(f"1380013800{round_}", f"person_a{round_}")
        b = await house.member(f"1390013900{round_}", f"person_b{round_}")
        results = await asyncio.gather(
            house.members.merge_phone(a.account, f"1390013900{round_}", house.now),
            house.members.merge_phone(b.account, f"1380013800{round_}", house.now),
            return_exceptions=True,
        )
        left = [one for one in (a, b) if await house.members.member(one.account) is not None]
        assert len(left) == 1
        assert [type(result) for result in results if not isinstance(result, NumberGiven)] == [AccountRefused]


# The end of an account.


def a_grant(house: House, account: str) -> Grant:
    """Return what an account has let a relying party read."""
    agreed = Approval(
        client="portal",
        account=account,
        ref="r",
        session=token(house.entropy, 128),
        epoch=100,
        scopes=(Scope.OPENID,),
        authentication=Authentication(house.now, Level.L1, ("qr",)),
    )
    return Grant(
        id=token(house.entropy, 128),
        approval=agreed,
        subject=token(house.entropy, 128),
        family=None,
        created_at=house.now,
        expires_at=house.now + DAY,
    )


@pytest.mark.req("ACC-7", "PRV-1", "PRV-4")
async def test_a_cancelled_account_leaves_its_reference_and_nothing_personal(house: House) -> None:
    link, zhang = await house.someone()
    other_link, li = await house.someone(LI, identity("oLi"))
    house.rows("INSERT INTO relying_party (id, metadata, created_at) VALUES ('portal', '{}', 1)")
    for account, phone, session, of in (
        (zhang.account, PHONE, "zhang", link),
        (li.account, OTHER_PHONE, "li", other_link),
    ):
        await house.members.set_phone(account, phone, house.now)
        await house.members.set_mail(account, f"{session}@example.cn", house.now)
        await house.members.set_password(account, "hash-1", EventKind.PASSWORD_CHANGED, house.now, was=None)
        await house.members.set_ethnicity(account, "HA", house.now)
        await house.sessions.open(house.session(account), cookie(session), None)
        await house.mini_sessions.open(house.mini_session(of))
        await house.sql.checks.begin(account, Register.BANK, bytes(32), house.now, most=1)
        await house.sql.consents.agree(account, "portal", frozenset(Scope), house.now)
        await house.sql.grants.begin(a_grant(house, account), "portal.example", house.now)
        house.rows(
            "INSERT INTO former_document SELECT account, key_version, digest, 1 FROM identifier"
            " WHERE account = :account AND kind = 'document'",
            account=account,
        )
        house.rows("INSERT INTO national_wish VALUES (:account, :account, 1, 1, 0)", account=account)
        house.rows("INSERT INTO account_lock VALUES (:account, 'active', 1, 1, 1)", account=account)
        house.rows(
            "INSERT INTO external_link VALUES (:account, 'wechat', 'wx', 'openid', :value, 1)",
            account=account,
            value=session.encode(),
        )
    for account, person in ((zhang.account, LI), (li.account, ZHANG)):
        await house.sql.appeals.file(new_appeal(account, person, exchange=True), house.now, room=ROOM)
    house.clock.advance(60)
    kept = await member(house, li.account)
    audited = len(house.audit())
    await house.members.cancel(zhang.account, house.now)

    owned = [table.name for table in metadata.sorted_tables if "account" in table.columns]
    assert len(owned) == 16
    for table in owned:
        assert set(house.rows(f"SELECT account FROM {table}")) == {(li.account,)}, table  # noqa: S608 - our own names
    assert house.count("platform_identity") == 1
    (left,) = house.rows("SELECT * FROM account WHERE id = :id", id=zhang.account)
    assert [value for value in left if value is not None] == [
        zhang.account, zhang.ref, "cancelled", house.now - 60 * SECOND, house.now, zhang.epoch + 1, zhang.fence + 1,
    ]  # fmt: skip
    assert sorted(kind for kind, ref, _ in house.audit()[audited:] if ref == zhang.ref) == [
        "account.cancelled",
        "mini_session.ended",
        "session.ended",
    ]
    assert await member(house, li.account) == kept
    assert await house.sessions.find(cookie("li"), house.now) is not None


@pytest.mark.req("ACC-7")
async def test_what_a_cancelled_account_held_is_free_and_it_is_nobody(house: House) -> None:
    _, zhang = await house.someone()
    await house.members.set_phone(zhang.account, PHONE, house.now)
    await house.members.set_username(zhang.account, "zhangsan1", house.now)
    await house.members.cancel(zhang.account, house.now)
    assert await house.members.member(zhang.account) is None
    names = [of_phone(PHONE), of_username("zhangsan1"), of_document(ZHANG)]
    assert await house.members.find(names) is None
    stub = await house.accounts.standing(zhang.account)
    assert stub is not None
    assert stub.refusal == "cancelled"
    with pytest.raises(AccountRefused):
        await house.members.cancel(zhang.account, house.now)
    _, anew = await house.someone()
    again = await house.member()
    assert len({zhang.account, anew.account, again.account}) == 3


@pytest.mark.req("ACC-7")
async def test_of_sixteen_cancellations_at_once_one_is_made(house: House) -> None:
    zhang = await house.member()
    results = await _race(house, lambda stores, _: stores.members.cancel(zhang.account, house.now))
    assert sum(isinstance(result, Ended) for result in results) == 1
    assert sum(isinstance(result, AccountRefused) for result in results) == 15
    assert [kind for kind, _, _ in house.audit()].count("account.cancelled") == 1


@pytest.mark.req("ACC-7")
@pytest.mark.attack("Q21")
async def test_no_login_gets_past_a_cancellation(house: House) -> None:
    zhang = await house.member()
    logins = [house.sessions.open(house.session(zhang.account), cookie(f"{n}"), None) for n in range(8)]
    await asyncio.gather(*logins, house.members.cancel(zhang.account, house.now), return_exceptions=True)
    assert house.count("browser_session") == 0


# What an account is told, and its security log.


@pytest.mark.req("SES-2")
async def test_the_newest_notices_come_first_and_are_seen_once(house: House) -> None:
    zhang, li = await house.member(), await house.member(OTHER_PHONE, "lisisi_9")
    for number in range(3):
        await new_password(house, zhang.account, f"h{number}")
        house.clock.advance(60)
    await new_password(house, li.account, "h")
    told = await house.members.notices(zhang.account, 2)
    assert [notice.created_at for notice in told] == [house.now - 60 * SECOND, house.now - 120 * SECOND]
    assert {(notice.kind, len(notice.facts), notice.seen_at) for notice in told} == {
        (NoticeKind.PASSWORD_CHANGED, 0, None)
    }
    seen_at = house.now
    await house.members.see_notices(zhang.account, seen_at, up_to=told[1].id)
    newest = await house.members.notices(zhang.account, 9)
    assert [notice.seen_at for notice in newest] == [None, seen_at, seen_at], "nobody was shown the newest yet"
    await house.members.see_notices(zhang.account, seen_at, up_to=told[0].id)
    house.clock.advance(60)
    await house.members.set_phone(zhang.account, "13700137000", house.now)
    (last,) = await house.members.notices(zhang.account, 1)
    await house.members.see_notices(zhang.account, house.now, up_to=last.id)
    assert [notice.seen_at for notice in await house.members.notices(zhang.account, 9)] == [house.now, *[seen_at] * 3]
    assert [notice.seen_at for notice in await house.members.notices(li.account, 9)] == [None]


@pytest.mark.req("REG-7")
async def test_a_notice_keeps_its_facts(house: House) -> None:
    _, zhang = await house.someone()
    new = applicant(user=identity("oNew"))
    await house.accounts.relink(zhang.account, new, probation_until=None, now=house.now)
    (told,) = await house.members.notices(zhang.account, 9)
    assert (told.kind, told.facts) == (NoticeKind.RECOVERED, {"platform": "wechat"})


@pytest.mark.req("SES-3")
async def test_an_account_reads_its_own_log_piece_by_piece_newest_first(house: House) -> None:
    link, zhang = await house.someone()
    await house.someone(LI, identity("oLi"))
    await house.sessions.open(house.session(zhang.account), cookie("a"), None)
    await house.mini_sessions.open(house.mini_session(link))
    whole = await house.members.history(zhang.account, 9)
    assert [event.kind for _, event in whole] == [
        EventKind.LOGIN_MINI,
        EventKind.LOGIN_BROWSER,
        EventKind.ACCOUNT_REGISTERED,
    ]
    assert {event.account_ref for _, event in whole} == {zhang.ref}
    _, login = whole[1]
    assert (login.at, login.facts[Fact.WAY], login.facts[Fact.OS]) == (house.now, "qr", "Windows")
    first = await house.members.history(zhang.account, 2)
    rest = await house.members.history(zhang.account, 2, first[-1][0])
    assert first + rest == whole
    assert await house.members.history(zhang.account, 2, rest[-1][0]) == []


@pytest.mark.req("SES-2")
@pytest.mark.attack("P7")
async def test_events_of_other_kinds_push_none_of_those_that_are_asked_for_out(house: House) -> None:
    link, zhang = await house.someone()
    await house.sessions.open(house.session(zhang.account), cookie("a"), None)
    await house.mini_sessions.open(house.mini_session(link))
    for _ in range(3):
        await house.sql.audit.append(AuditEvent(EventKind.LOGIN_FAILED, house.now, zhang.ref))
    whole = await house.members.history(zhang.account, 9)
    logins = (EventKind.LOGIN_BROWSER, EventKind.LOGIN_MINI)
    for kinds in (logins[:1], logins[1:], logins):
        expected = [one for one in whole if one[1].kind in kinds]
        assert len(expected) == len(kinds)
        assert await house.members.history(zhang.account, 2, kinds=kinds) == expected
    assert await house.members.history(zhang.account, 2, whole[-2][0], logins) == []


@pytest.mark.req("PRV-4")
async def test_old_notices_are_forgotten_piece_by_piece(house: House) -> None:
    zhang = await house.member()
    for number in range(3):
        await new_password(house, zhang.account, f"h{number}")
        one = await house.member(f"1390013900{number}", f"person_{number}")
        await house.members.cancel(one.account, house.now)
    assert await house.members.forget_notices(house.now, 9) == 0, "that very instant is not before it"
    house.clock.advance(60)
    await house.members.set_phone(zhang.account, OTHER_PHONE, house.now)
    assert [await house.members.forget_notices(house.now, 2) for _ in range(3)] == [2, 1, 0]
    assert house.notices() == [(zhang.account, "phone.changed")]
