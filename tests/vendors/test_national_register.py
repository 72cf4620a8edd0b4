"""Making users of the national platform: what is sent, and what each answer means."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any, Final, Literal

import pytest
from aiohttp.test_utils import TestClient, TestServer
from msgspec.structs import replace

from bjidp.clock import ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.errors import VendorUnavailable
from bjidp.person import DocumentType, Person
from bjidp.sandbox.app import build
from bjidp.sandbox.credentials import SandboxCredentials
from bjidp.sandbox.settings import NationalRules, SandboxSettings
from bjidp.secret import Secret
from bjidp.vendors.catalog import HttpClients, build_national_register
from bjidp.vendors.ecb import opened
from bjidp.vendors.http import HttpLimits
from bjidp.vendors.ports.registers import NationalAnswer, NationalRegister
from bjidp.vendors.settings import NationalRegisterSettings
from tests.support.program import national_register
from tests.vendors.cast import FOREIGNER, HK, MACAO, RESIDENT, TAIWAN
from tests.vendors.stand import Stand

pytestmark = pytest.mark.req("REG-1")

PATH: Final = "/open/api/register/doUserRegisterByCertInfo"
SECRET: Final = "00112233445566778899aabbccddeeff"
REFERENCE: Final = "mDq3vYdV0Yw4h8m0m1iX7A"
PHONE: Final = "15410000042"
GOOD: Final = {"meta": {"code": 0, "message": "success"}, "data": {"uniqueId": "u", "request_id": REFERENCE}}


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    stand = Stand()
    async with stand.open():
        stand.lie(PATH, GOOD)
        yield stand


def told(stand: Stand, **others: Any) -> NationalRegisterSettings:  # noqa: ANN401 - any setting
    settings = NationalRegisterSettings(
        client_id="app", client_secret=Secret(SECRET), url=stand.address + PATH, known=["20001"], refused=["20002"]
    )
    return replace(settings, **others)


@pytest.fixture
def register(stand: Stand, clients: HttpClients, clock: ManualClock) -> NationalRegister:
    return build_national_register(told(stand), http=clients, clock=clock)


def reasons(logged: list[MutableMapping[str, Any]], event: str) -> list[str]:
    return [entry["reason"] for entry in logged if entry["event"] == event]


@pytest.mark.parametrize(
    ("person", "number"), [(RESIDENT, "1"), (TAIWAN, "4"), (MACAO, "7"), (HK, "8"), (FOREIGNER, "9")]
)
async def test_the_person_is_sent_encrypted_and_the_reference_beside_them(
    stand: Stand, register: NationalRegister, clock: ManualClock, person: Person, number: str
) -> None:
    assert await register.register(person, PHONE, reference=REFERENCE) is NationalAnswer.JOINED
    [seen] = stand.calls(PATH)
    form, key = seen.form, bytes.fromhex(SECRET)
    assert list(form) == ["client_id", "auth_token", "request_id", "cert_info"]
    assert (form["client_id"], form["request_id"], seen.query) == ("app", REFERENCE, {})
    assert opened(form["auth_token"], key, "aes").decode() == f"app:{SECRET}:{clock.now()}"
    assert json.loads(opened(form["cert_info"], key, "aes")) == {
        "certName": person.name,
        "certNo": person.number,
        "certNoType": number,
        "mobile": PHONE,
    }


async def test_every_name_is_as_it_is_set(stand: Stand, clients: HttpClients, clock: ManualClock) -> None:
    settings = told(
        stand, cipher="sm4", reference_parameter="bizNo", person_parameter="user", status="code", echo="result.bizNo"
    )
    stand.lie(PATH, {"code": "0", "result": {"bizNo": REFERENCE}})
    register = build_national_register(settings, http=clients, clock=clock)
    assert await register.register(RESIDENT, PHONE, reference=REFERENCE) is NationalAnswer.JOINED
    form = stand.calls(PATH)[0].form
    assert form["bizNo"] == REFERENCE
    assert b"certNo" in opened(form["user"], bytes.fromhex(SECRET), "sm4")


@pytest.mark.parametrize(("code", "meant"), [(20001, NationalAnswer.KNOWN), ("20002", NationalAnswer.REFUSED)])
async def test_codes_that_are_set_are_answers(
    stand: Stand, register: NationalRegister, code: object, meant: NationalAnswer
) -> None:
    stand.lie(PATH, {"meta": {"code": code, "message": "王玉田"}})
    assert await register.register(RESIDENT, PHONE, reference=REFERENCE) is meant


@pytest.mark.attack("B2")
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"meta": {"code": 59999, "message": "未知异常"}}, "59999"),
        ({"meta": {"code": "Hush 王玉田"}}, "unreadable"),
        ({"meta": {"code": True}}, "no_status"),
        ({"meta": {"code": None}}, "no_status"),
        ({"meta": 0}, "no_status"),
        ({}, "no_status"),
        ({"meta": {"code": 0}}, "foreign_answer"),
        ({"meta": {"code": 0}, "data": {"request_id": "another"}}, "foreign_answer"),
        ({"meta": {"code": 0}, "data": [REFERENCE]}, "foreign_answer"),
    ],
)
async def test_what_has_no_meaning_is_no_answer_and_the_operator_is_told(
    stand: Stand,
    register: NationalRegister,
    logged: list[MutableMapping[str, Any]],
    answer: dict[str, object],
    reason: str,
) -> None:
    stand.lie(PATH, answer)
    with pytest.raises(VendorUnavailable):
        await register.register(RESIDENT, PHONE, reference=REFERENCE)
    assert reasons(logged, "vendor_alarm") == [reason]


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{" * 200_000, b"\xff", b'{"meta":', b"x" * 300_000])
async def test_what_is_no_answer_at_all_is_an_outage(stand: Stand, register: NationalRegister, body: bytes) -> None:
    stand.lie(PATH, body)
    with pytest.raises(VendorUnavailable):
        await register.register(RESIDENT, PHONE, reference=REFERENCE)


async def test_silence_ends_in_time(stand: Stand, clock: ManualClock) -> None:
    http = HttpClients(clock=clock, limits=HttpLimits(total=0.2))
    stand.silent.add(PATH)
    with pytest.raises(VendorUnavailable):
        await build_national_register(told(stand), http=http, clock=clock).register(
            RESIDENT, PHONE, reference=REFERENCE
        )
    await http.close()


# ----------------------------------------------------------------------------------------------- against the sandbox


class World:
    """A sandbox, and the client that makes users there."""

    def __init__(self, control: TestClient[Any, Any], register: NationalRegister, people: list[dict[str, Any]]) -> None:
        self.control, self.register, self.people = control, register, people

    def person(self, story: str = "ordinary") -> tuple[Person, str]:
        listed = next(one for one in self.people if one["story"] == story)
        person = Person(DocumentType(listed["document_type"]), listed["name"], listed["document_number"])
        return person, listed["phone"]

    async def users(self) -> list[str]:
        answer = await self.control.get("/control/charges", params={"service": "national"})
        users: list[str] = await answer.json()
        return users


Opener = Callable[..., Awaitable[World]]


@pytest.fixture
async def opened_world(
    credentials: SandboxCredentials, clock: ManualClock, clients: HttpClients
) -> AsyncIterator[Opener]:
    """Open a sandbox with rules of a test's choosing, and a client that is set so."""
    controls: list[TestClient[Any, Any]] = []

    async def open_world(rules: NationalRules | None = None, **others: Any) -> World:  # noqa: ANN401 - any setting
        settings = SandboxSettings(
            clock=clock,
            entropy=SeededEntropy("national"),
            credentials=credentials,
            base_url="http://127.0.0.1",
            server_url="http://127.0.0.1:8080",
            national=rules or NationalRules(),
        )
        server = TestServer(build(settings), host="127.0.0.1")
        controls.append(control := TestClient[Any, Any](server))
        await control.start_server()
        section = replace(national_register(credentials.client_settings(str(server.make_url("")))), **others)
        people = await (await control.get("/control/people")).json()
        return World(control, build_national_register(section, http=clients, clock=clock), people)

    yield open_world
    for control in controls:
        await control.close()


@pytest.mark.parametrize("cipher", ["aes", "sm4"])
async def test_a_person_is_made_a_user_once_however_often_the_same_is_asked(
    opened_world: Opener, cipher: Literal["aes", "sm4"]
) -> None:
    world = await opened_world(NationalRules(cipher=cipher), cipher=cipher)
    person, phone = world.person()
    for number in (phone, phone, "15499999999"):
        assert await world.register.register(person, number, reference=REFERENCE) is NationalAnswer.JOINED
    assert await world.register.register(person, phone, reference="another") is NationalAnswer.KNOWN
    assert await world.users() == [REFERENCE]


@pytest.mark.parametrize("document", list(DocumentType))
async def test_everybody_of_the_sandbox_may_be_a_user_with_each_document(
    opened_world: Opener, document: DocumentType
) -> None:
    world = await opened_world()
    listed = next(one for one in world.people if one["document_type"] == document and one["story"] == "ordinary")
    person = Person(document, listed["name"], listed["document_number"])
    assert await world.register.register(person, listed["phone"], reference=REFERENCE) is NationalAnswer.JOINED


async def test_who_is_no_such_person_is_refused_and_who_is_a_user_already_is_known(opened_world: Opener) -> None:
    world = await opened_world(NationalRules(users=frozenset({"chen-yutong"})))
    first = next(one for one in world.people if one["id"] == "chen-yutong")
    user = Person(DocumentType(first["document_type"]), first["name"], first["document_number"])
    assert await world.register.register(user, first["phone"], reference="a") is NationalAnswer.KNOWN
    for number, (person, phone) in enumerate(
        [world.person("mismatch"), world.person("unknown"), (RESIDENT, "15410000042"), (user, "13800138000")]
    ):
        assert await world.register.register(person, phone, reference=f"no-{number}") is NationalAnswer.REFUSED
    assert await world.users() == []


@pytest.mark.parametrize("wrong", [{"client_id": "another"}, {"client_secret": Secret("ff" * 16)}, {"cipher": "sm4"}])
async def test_a_caller_that_is_not_known_makes_nobody_a_user(opened_world: Opener, wrong: dict[str, Any]) -> None:
    world = await opened_world(**wrong)
    with pytest.raises(VendorUnavailable):
        await world.register.register(*world.person(), reference=REFERENCE)
    assert await world.users() == []


@pytest.mark.parametrize("mode", ["http500", "malformed", "refuse"])
async def test_an_answer_that_is_lost_is_asked_for_again(opened_world: Opener, mode: str) -> None:
    world = await opened_world()
    person, phone = world.person()
    await world.control.post("/control/faults", json={"service": "national", "mode": mode})
    with pytest.raises(VendorUnavailable):
        await world.register.register(person, phone, reference=REFERENCE)
    await world.control.post("/control/faults", json={"service": "national", "mode": "ok"})
    assert await world.register.register(person, phone, reference=REFERENCE) is NationalAnswer.JOINED
    assert await world.users() == [REFERENCE]
