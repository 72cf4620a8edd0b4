"""What lies in the database: nothing that names a person in clear (PRV-1, attack B7)."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, select

from bjidp.accounts.ports import Evidence
from bjidp.appeals.appeal import ROOM, Verdict
from bjidp.appeals.attachments import Kind, Picture
from bjidp.appeals.ports import Decision, NewAppeal
from bjidp.clock import HOUR
from bjidp.organisations.mandates import Scope
from bjidp.organisations.ports import NewOffer, NewOrganisation
from bjidp.person import DocumentType, Person
from bjidp.platforms import ExternalIdentity, ExternalKind, Provider
from bjidp.privacy.fields import FieldUnreadable
from bjidp.proofing.ports import NewIdentity
from bjidp.storage.sql.schema import metadata
from tests.contracts.house import House, applicant, cookie, identity

SECRETS = (
    "司马相如",
    "110101199003074530",
    "oSecretOpenId",
    "oOtherOpenId",
    "bjt_",
    "13800138000",
    "13900139000",
    "sima@example.cn",
    "xiangru1",
    "13700137000",
    "琴台被占用了",
    "010-87654321",
    "凤求凰.jpg",
    "like a photo",
    "材料与本人相符",
    "oExternalUser",
)
PERSON = Person(DocumentType.RESIDENT_ID, SECRETS[0], SECRETS[1])


async def _live(house: House) -> None:
    link, standing = await house.someone(PERSON, identity(SECRETS[2]))
    await house.mini_sessions.open(house.mini_session(link))
    await house.sessions.open(house.session(standing.account), cookie("a"), None)
    new = applicant(PERSON, identity(SECRETS[3]))
    await house.accounts.relink(standing.account, new, probation_until=house.now + HOUR, now=house.now)
    enrolled = await house.member(SECRETS[5], SECRETS[8])
    await house.members.set_mail(enrolled.account, SECRETS[7], house.now)
    await house.members.set_phone(standing.account, SECRETS[6], house.now)
    external = ExternalIdentity(Provider.BAIDU, "app", ExternalKind.OPEN_ID, SECRETS[15])
    await house.sql.externals.link(enrolled.account, external, SECRETS[5], house.now)
    bound = await house.sql.identities.bound(standing.account)
    assert bound is not None
    organisations = house.sql.organisations
    led = NewOrganisation(
        credit_code="91110000600037341L", name="示例公司", bound_at=bound.bound_at, asked_at=house.now
    )
    await organisations.register(standing.account, led, house.now)
    [organisation] = await organisations.led(standing.account)
    offer = NewOffer(scope=Scope.ALL, phone=SECRETS[9], ends_at=house.now + HOUR)
    await organisations.offer(standing.account, organisation.id, offer, house.now)
    picture = Picture(file=1, name=SECRETS[12], kind=Kind.JPEG, data=SECRETS[13].encode())
    proved = NewIdentity(
        person=PERSON, evidence=Evidence.NAME_AND_NUMBER, evidence_reference="E-1", authority_reference="A-77"
    )
    filed = await house.sql.appeals.file(
        NewAppeal(
            account=enrolled.account,
            new=proved,
            exchange=False,
            reason=SECRETS[10],
            contact=SECRETS[11],
            pictures=(picture,),
        ),
        house.now,
        room=ROOM,
    )
    case = await house.sql.appeals.review(filed, "wang", house.now)
    await house.sql.appeals.decide(
        Decision(appeal=filed, verdict=Verdict.GRANT, facts=case.facts, staff="wang", explanation=SECRETS[14]),
        house.now,
    )


@pytest.mark.req("PRV-1")
@pytest.mark.attack("B7")
async def test_no_row_holds_a_personal_value_in_clear(house: House) -> None:
    await _live(house)
    engine = create_engine(house.url, poolclass=NullPool)
    dump = b""
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)):
                for value in row:
                    dump += (value if isinstance(value, bytes) else str(value).encode()) + b"\n"
    assert b"account.registered" in dump
    for secret in SECRETS:
        assert secret.encode() not in dump
        assert secret.encode("utf-16-le") not in dump


@pytest.mark.req("PRV-1")
async def test_no_file_of_the_database_holds_a_personal_value_in_clear(sqlite_house: House, tmp_path: Path) -> None:
    await _live(sqlite_house)
    stored = b"".join((tmp_path / name).read_bytes() for name in ("bjidp.db", "bjidp.db-wal"))
    assert b"account.registered" in stored
    for secret in SECRETS:
        assert secret.encode() not in stored


@pytest.mark.req("PRV-1")
async def test_a_sealed_name_moved_to_another_row_does_not_open(house: House) -> None:
    _, standing = await house.someone(PERSON, identity("a"))
    other = Person(DocumentType.RESIDENT_ID, "卓文君", "110101199003071111")
    _, victim = await house.someone(other, identity("b"))
    house.rows(
        "UPDATE identity SET name_sealed = (SELECT name_sealed FROM identity WHERE account = :a) WHERE account = :b",
        a=standing.account,
        b=victim.account,
    )
    with pytest.raises(FieldUnreadable):
        await house.accounts.standing(victim.account)
