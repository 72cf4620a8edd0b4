"""Requests of the city's own interface, and what its sites are told of somebody (RP-5)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bjidp.accounts.member_ports import Member
from bjidp.accounts.ports import Evidence
from bjidp.entropy import base64url
from bjidp.errors import InvalidRequest
from bjidp.oidc.authorize.request import AuthorizationRequest
from bjidp.oidc.beijing import requesting, telling
from bjidp.oidc.beijing.sealing import opened, sealed
from bjidp.oidc.client import Interface
from bjidp.oidc.errors import RedirectRefused
from bjidp.oidc.members import MetadataRefused
from bjidp.oidc.metadata import read
from bjidp.oidc.parameters import OPAQUE_MAX, Parameters
from bjidp.oidc.scopes import USER_INFO, Scope
from bjidp.person import DocumentType, Person, Sex
from bjidp.standing import Level, Standing, Status

pytestmark = pytest.mark.req("RP-5")

ID, SECRET = "100100000001", "00112233445566778899aabbccddeeff"
CALLBACK = "https://service.example/callback"
METADATA: dict[str, object] = {
    "client_name": "社保查询",
    "client_uri": "https://service.example/",
    "redirect_uris": [CALLBACK, f"{CALLBACK}?from=phone"],
    "interface": "beijing",
}
CLIENT = read(ID, METADATA)
REQUEST = {
    "client_id": ID,
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": "user_info",
    "state": "s1",
}

PERSONS = (
    Person(DocumentType.RESIDENT_ID, "张三", "11010519491231002X"),
    Person(DocumentType.RESIDENT_ID, "李四", "110101199003070011"),
    Person(DocumentType.HK_PERMIT, "陈大文", "H12345678"),
    Person(DocumentType.MACAO_PERMIT, "何小明", "M12345678"),
    Person(DocumentType.TAIWAN_PERMIT, "林美玲", "12345678"),
    Person(DocumentType.PERMANENT_RESIDENT, "SMITH JOHN", "911840199003070014"),
    Person(DocumentType.PERMANENT_RESIDENT, "SMITH JANE", "CAN310188061504"),
)
MEMBER = Member(
    standing=Standing("a", "r", Status.ACTIVE, "", Level.L3),
    username="zhangsan",
    phone="13800138000",
    phone_used_at=0,
    password=None,
    document=PERSONS[0],
    evidence=Evidence.FACE,
    sex=None,
    mail=None,
    ethnicity="HA",
    created_at=0,
)
SUBJECT = base64url(bytes(range(16)))


def asked(**change: str) -> AuthorizationRequest:
    return requesting.read(CLIENT, Parameters((REQUEST | change).items()))


def faults(**change: str) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as raised:
        asked(**change)
    return [(fault.field, fault.code) for fault in raised.value.errors]


def told(member: Member, subject: str = SUBJECT) -> dict[str, object]:
    return telling.told(member, client=ID, secret=SECRET, subject=subject, ethnicity=lambda code: f"{code}族")


def at(level: Level, person: Person | None, sex: Sex | None = None) -> Member:
    return replace(MEMBER, standing=replace(MEMBER.standing, level=level), document=person, sex=sex)


def test_a_request_reads_all_that_the_interface_reads() -> None:
    assert asked(personToken="p" * 256, localCheck="1", toonType="102") == AuthorizationRequest(
        client=ID,
        redirect_uri=CALLBACK,
        scopes=tuple(scope for scope in Scope if scope in USER_INFO),
        interface=Interface.BEIJING,
        challenge="",
        state="s1",
        level=Level.L1,
    )


def test_a_site_that_needs_more_is_registered_with_its_level() -> None:
    strict = read(ID, METADATA | {"default_acr_values": ["L3"]})
    assert requesting.read(strict, Parameters(REQUEST.items())).level is Level.L3


@pytest.mark.attack("T4")
@pytest.mark.parametrize(
    "address", ["", f"{CALLBACK}/", f"{CALLBACK}?", CALLBACK.upper(), f"{CALLBACK}#x", "https://service.example/"]
)
def test_an_address_is_compared_to_the_letter_before_anything_else(address: str) -> None:
    with pytest.raises(RedirectRefused):
        asked(redirect_uri=address, state="", scope="openid")


@pytest.mark.attack("Q28")
def test_everything_that_is_wrong_is_named_at_once() -> None:
    assert faults(state="", response_type="token", scope="openid") == [
        ("state", "missing"),
        ("response_type", "unknown"),
        ("scope", "unknown"),
    ]
    assert faults(state="x" * (OPAQUE_MAX + 1)) == [("state", "form")]
    assert faults(toonType="密") == []
    assert asked(personToken="密", localCheck="x" * 5_000) == asked()


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*REQUEST, "personToken", "other"]),
            st.text(max_size=8) | st.sampled_from([*REQUEST.values()]),
        ),
        max_size=8,
    )
)
def test_whatever_comes_is_a_sound_request_or_refused(pairs: list[tuple[str, str]]) -> None:
    try:
        request = requesting.read(CLIENT, Parameters(pairs))
    except (RedirectRefused, InvalidRequest):
        return
    sent = dict(pairs)
    assert request.redirect_uri in CLIENT.redirect_uris
    assert (request.redirect_uri, request.state) == (sent["redirect_uri"], sent["state"])
    assert (sent["response_type"], sent["scope"]) == ("code", "user_info")
    assert request.state


@pytest.mark.parametrize("person", PERSONS)
@pytest.mark.parametrize("level", [Level.L2, Level.L3, Level.L4])
def test_each_document_is_told_by_its_own_number(person: Person, level: Level) -> None:
    found = told(at(level, person))
    numbers = {
        DocumentType.RESIDENT_ID: "1",
        DocumentType.TAIWAN_PERMIT: "4",
        DocumentType.MACAO_PERMIT: "7",
        DocumentType.HK_PERMIT: "8",
        DocumentType.PERMANENT_RESIDENT: "9",
    }
    assert (found["certName"], found["certNoType"], found["certLevel"]) == (
        person.name,
        numbers[person.document_type],
        level.name,
    )
    assert found["certNoTypeName"]
    assert opened(str(found["certNo"]), SECRET) == person.number
    resident = person.document_type is DocumentType.RESIDENT_ID
    assert found["birthDay"] == (person.number[6:14] if resident else "")


@pytest.mark.parametrize(
    ("person", "stated", "sex"),
    [
        (PERSONS[0], Sex.MALE, 1),
        (PERSONS[1], None, 0),
        (PERSONS[2], Sex.MALE, 0),
        (PERSONS[2], Sex.FEMALE, 1),
        (PERSONS[2], None, ""),
    ],
)
def test_a_sex_is_the_numbers_before_what_was_stated(person: Person, stated: Sex | None, sex: object) -> None:
    assert told(at(Level.L3, person, stated))["sex"] == sex


def test_what_there_is_nothing_of_is_an_empty_text() -> None:
    bare = replace(at(Level.L1, None), phone=None, ethnicity=None)
    found = told(bare)
    assert [found[name] for name in ("mobile", "mail", "ethnicity", "personToken", "sex")] == [""] * 5
    assert told(replace(bare, mail="z@example.com", ethnicity="MA"))["ethnicity"] == "MA族"


@given(
    st.sampled_from([*PERSONS, None]),
    st.sampled_from(Level),
    st.sampled_from([*Sex, None]),
    st.binary(min_size=16, max_size=32),
)
def test_who_somebody_is_is_told_from_l2_on_alone(
    person: Person | None, level: Level, sex: Sex | None, octets: bytes
) -> None:
    found = told(at(level, person, sex), base64url(octets))
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", str(found["uniqueId"]))
    assert re.fullmatch(r"\d{12}", str(found["toonNo"]))
    if level is Level.L1 or person is None:
        who = ("certName", "certNo", "certNoType", "certNoTypeName", "birthDay", "sex")
        assert {name: found[name] for name in who} == dict.fromkeys(who, "")
    if person is not None:
        # In clear to nobody, at no level.
        assert person.number not in repr(found)
        assert (sealed(person.number, SECRET) in repr(found)) is (level > Level.L1)


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"client_id": "1" * 23}, "client_id"),
        ({"client_id": "a:b"}, "client_id"),
        ({"client_id": 100100000001}, "client_id"),
        ({"client_secret": SECRET.upper()}, "client_secret"),
        ({"client_secret": "secret"}, "client_secret"),
        ({"client_secret": [SECRET]}, "client_secret"),
        ({"interface": "toon"}, "interface"),
        ({"interface": ["beijing"]}, "interface"),
        ({"scope": "openid"}, "scope"),
        ({"grant_types": ["refresh_token"]}, "grant_types"),
        ({"token_endpoint_auth_method": "none"}, "token_endpoint_auth_method"),
        ({"post_logout_redirect_uris": ["https://service.example/"]}, "post_logout_redirect_uris"),
        ({"subject_type": "public"}, "subject_type"),
        ({"redirect_uris": []}, "redirect_uris"),
        ({"interface": "openid", "client_secret": SECRET}, "client_secret"),
        ({"interface": "openid", "client_id": ID}, "client_id"),
    ],
)
def test_what_means_nothing_for_the_interface_is_a_fault(change: dict[str, object], member: str) -> None:
    with pytest.raises(MetadataRefused) as raised:
        read(ID, METADATA | change)
    assert member in [fault.member for fault in raised.value.faults]


def test_a_site_keeps_its_own_id() -> None:
    assert read("given", METADATA | {"client_id": ID, "client_secret": SECRET}).id == ID
    assert read("given", METADATA).id == "given"
