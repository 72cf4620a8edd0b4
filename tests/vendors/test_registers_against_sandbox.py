"""The clients of authority, bank and business register against the sandbox: each story, and nobody charged twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bjidp.clock import ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.errors import VendorUnavailable
from bjidp.person import DocumentType, Person
from bjidp.sandbox.app import build
from bjidp.sandbox.credentials import RegisterClient, SandboxCredentials
from bjidp.sandbox.settings import BankRules, SandboxSettings
from bjidp.secret import Secret
from bjidp.vendors.catalog import HttpClients, build_authority, build_bank, build_business_register
from bjidp.vendors.http import HttpLimits
from bjidp.vendors.ports.registers import (
    Authority,
    Bank,
    BusinessRegister,
    CardFacts,
    Finding,
    OrganisationFacts,
    Reason,
    RegisterAnswer,
)
from bjidp.vendors.settings import AuthoritySettings, BankSettings, BusinessRegisterSettings
from tests.vendors.patience import patience
from tests.vendors.register_stand import Asked

REFERENCE: Final = "0123456789abcdef0123456789abcdef"
SERVICES: Final = ("authority", "bank", "register")


@dataclass
class Registers:
    """A sandbox, and its three registers by their clients."""

    control: TestClient[Any, Any]
    authority: Authority
    bank: Bank
    business_register: BusinessRegister
    people: dict[str, dict[str, Any]]
    organisations: dict[str, dict[str, Any]]

    def person(self, who: str) -> Person:
        listed = self.people[who]
        return Person(DocumentType(listed["document_type"]), listed["name"], listed["document_number"])

    def card(self, who: str, place: int = 0) -> CardFacts:
        listed = self.people[who]
        return CardFacts(self.person(who), listed["cards"][place], listed["phone"])

    def organisation(self, which: str, who: str | None = None) -> OrganisationFacts:
        listed = self.organisations[which]
        return OrganisationFacts(listed["credit_code"], listed["name"], self.person(who or listed["representative"]))

    def question(self, service: str, who: str = "chen-yutong", *, reference: str = REFERENCE) -> Asked:
        """Return a question to a register that it says yes to."""
        if service == "authority":
            return lambda: self.authority.check(self.person(who), reference=reference)
        if service == "bank":
            return lambda: self.bank.check(self.card(who), reference=reference)
        which = {"chen-yutong": "qinghe", "wang-jianguo": "guangsha"}[who]
        return lambda: self.business_register.check(self.organisation(which), reference=reference)

    async def fault(self, service: str, mode: str, **more: float) -> None:
        answer = await self.control.post("/control/faults", json={"service": service, "mode": mode, **more})
        assert answer.status == 200

    async def charges(self, service: str) -> list[str]:
        answer = await self.control.get("/control/charges", params={"service": service})
        charged: list[str] = await answer.json()
        return charged


Opener = Callable[..., Any]


@pytest.fixture
async def opened(
    credentials: SandboxCredentials,
    clock: ManualClock,
    entropy: SeededEntropy,
    logged: list[MutableMapping[str, Any]],
) -> AsyncIterator[Opener]:
    """Open sandboxes; nothing of their people may be logged."""
    controls: list[TestClient[Any, Any]] = []
    clients: list[HttpClients] = []
    known: dict[str, dict[str, Any]] = {}

    async def opening(*, total: float = 5.0, bank: BankRules | None = None) -> Registers:
        settings = SandboxSettings(
            clock=clock,
            entropy=entropy,
            credentials=credentials,
            base_url="http://127.0.0.1",
            server_url="http://127.0.0.1",
            bank=bank or BankRules(),
        )
        server = TestServer(build(settings), host="127.0.0.1")
        controls.append(control := TestClient[Any, Any](server))
        await control.start_server()
        told = credentials.client_settings(str(server.make_url("")))
        clients.append(http := HttpClients(clock=clock, limits=HttpLimits(total=total)))
        known.update({one["id"]: one for one in await (await control.get("/control/people")).json()})
        organisations = await (await control.get("/control/organisations")).json()
        return Registers(
            control=control,
            authority=build_authority(AuthoritySettings(**section(told.authority)), http=http, clock=clock),
            bank=build_bank(BankSettings(**section(told.bank)), http=http, clock=clock),
            business_register=build_business_register(
                BusinessRegisterSettings(**section(told.business_register)), http=http, clock=clock
            ),
            people=known,
            organisations={one["id"]: one for one in organisations},
        )

    yield opening
    for http in clients:
        await http.close()
    for control in controls:
        await control.close()
    said = "".join(str(entry) for entry in logged)
    for person in known.values():
        assert not [fact for fact in (person["name"], person["document_number"], person["phone"]) if fact in said]
        assert not [card for card in person["cards"] if card in said]


def section(told: RegisterClient) -> dict[str, Any]:
    return {"base_url": told.base_url, "key_id": told.key_id, "secret": Secret(told.secret)}


@pytest.fixture
async def registers(opened: Opener) -> Registers:
    opening: Registers = await opened()
    return opening


# ------------------------------------------------------------------------------------------------------------- stories


@pytest.mark.req("RNV-4")
@pytest.mark.parametrize(
    ("who", "place", "answer", "reason"),
    [
        ("chen-yutong", 0, RegisterAnswer.MATCH, None),
        ("huang-jiahui", 0, RegisterAnswer.MATCH, None),
        ("anna-schmidt", 0, RegisterAnswer.MATCH, None),
        ("wang-lang", 0, RegisterAnswer.MATCH, None),
        ("chen-yutong", 1, RegisterAnswer.REFUSED, Reason.CARD_NOT_DEBIT),
        ("xu-jing", 0, RegisterAnswer.MISMATCH, None),
        ("luo-bin", 0, RegisterAnswer.REFUSED, Reason.CARD_LOST),
        ("jiang-wen", 0, RegisterAnswer.EXPIRED, Reason.CARD_EXPIRED),
    ],
)
async def test_the_bank_tells_each_story(
    registers: Registers, who: str, place: int, answer: RegisterAnswer, reason: Reason | None
) -> None:
    finding = await registers.bank.check(registers.card(who, place), reference=REFERENCE)
    assert (finding.answer, finding.reason) == (answer, reason)
    assert finding.reference


@pytest.mark.req("RNV-4")
async def test_a_card_of_somebody_else_proves_nobody(registers: Registers) -> None:
    card = registers.card("chen-yutong")
    facts = CardFacts(registers.person("li-siyuan"), card.card_number, card.phone)
    finding = await registers.bank.check(facts, reference=REFERENCE)
    assert (finding.answer, finding.reason) == (RegisterAnswer.MISMATCH, Reason.HOLDER)


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize(("card_number", "phone"), [("6222021234567890128", None), (None, "13800138000")])
async def test_the_sandbox_judges_no_card_and_no_phone_that_somebody_may_have(
    registers: Registers, card_number: str | None, phone: str | None
) -> None:
    own = registers.card("chen-yutong")
    facts = CardFacts(own.person, card_number or own.card_number, phone or own.phone)
    with pytest.raises(VendorUnavailable):
        await registers.bank.check(facts, reference=REFERENCE)


async def test_a_busy_bank_is_an_outage_and_the_same_question_is_answered_afterwards(
    opened: Opener, clock: ManualClock
) -> None:
    registers = await opened(bank=BankRules(calls_a_second=1))
    await registers.question("bank", "wang-jianguo", reference="first")()
    with pytest.raises(VendorUnavailable):
        await registers.question("bank")()
    clock.advance(1)
    assert (await registers.question("bank")()).answer is RegisterAnswer.MATCH
    assert await registers.charges("bank") == ["first", REFERENCE]


@pytest.mark.req("ORG-1")
@pytest.mark.parametrize(
    ("which", "answer", "reason"),
    [
        ("qinghe", RegisterAnswer.MATCH, None),
        ("zhaohui-school", RegisterAnswer.MATCH, None),
        ("xiangjiang", RegisterAnswer.MATCH, None),
        ("chunfeng", RegisterAnswer.MISMATCH, Reason.ORGANISATION_NAME),
        ("changan", RegisterAnswer.MISMATCH, Reason.REPRESENTATIVE),
        ("wuyou", RegisterAnswer.UNKNOWN, None),
        ("jinqiu", RegisterAnswer.REFUSED, Reason.ORGANISATION_REVOKED),
        ("wangri", RegisterAnswer.REFUSED, Reason.ORGANISATION_DEREGISTERED),
        ("qimian", RegisterAnswer.EXPIRED, Reason.ORGANISATION_TERM_OVER),
    ],
)
async def test_the_business_register_tells_each_story(
    registers: Registers, which: str, answer: RegisterAnswer, reason: Reason | None
) -> None:
    finding = await registers.business_register.check(registers.organisation(which), reference=REFERENCE)
    assert (finding.answer, finding.reason) == (answer, reason)


@pytest.mark.req("ORG-1")
async def test_whoever_does_not_lead_an_organisation_is_not_its_representative(registers: Registers) -> None:
    facts = registers.organisation("qinghe", who="li-siyuan")
    finding = await registers.business_register.check(facts, reference=REFERENCE)
    assert (finding.answer, finding.reason) == (RegisterAnswer.MISMATCH, Reason.REPRESENTATIVE)


# ------------------------------------------------------------------------------------------------ one question, once


@pytest.mark.parametrize("service", SERVICES)
async def test_a_question_that_is_repeated_is_answered_the_same_and_charged_once(
    registers: Registers, clock: ManualClock, service: str
) -> None:
    ask = registers.question(service)
    first = await ask()
    assert first.answer is RegisterAnswer.MATCH
    clock.advance(48 * 3600)
    assert await ask() == first
    assert await registers.charges(service) == [REFERENCE]


@pytest.mark.parametrize("service", SERVICES)
async def test_a_question_that_is_asked_eight_times_at_once_is_charged_once(registers: Registers, service: str) -> None:
    ask = registers.question(service)
    findings: list[Finding] = await asyncio.gather(*(ask() for _ in range(8)))
    assert len({finding.reference for finding in findings}) == 1
    assert await registers.charges(service) == [REFERENCE]


@pytest.mark.attack("B2")
@pytest.mark.parametrize("service", SERVICES)
async def test_other_facts_under_the_same_reference_are_no_question_at_all(registers: Registers, service: str) -> None:
    first = await registers.question(service)()
    with pytest.raises(VendorUnavailable):
        await registers.question(service, "wang-jianguo")()
    assert await registers.question(service)() == first
    assert await registers.charges(service) == [REFERENCE]


@pytest.mark.parametrize("service", SERVICES)
async def test_an_answer_that_was_lost_on_the_way_is_told_again_and_charged_once(
    registers: Registers, service: str
) -> None:
    ask = registers.question(service)
    await registers.fault(service, "malformed")
    with pytest.raises(VendorUnavailable):
        await ask()
    assert await registers.charges(service) == [REFERENCE]
    await registers.fault(service, "ok")
    assert (await ask()).answer is RegisterAnswer.MATCH
    assert await registers.charges(service) == [REFERENCE]


@pytest.mark.parametrize("service", SERVICES)
async def test_an_answer_that_came_too_late_is_told_again_and_charged_once(opened: Opener, service: str) -> None:
    registers = await opened(total=patience("slow"))
    ask = registers.question(service)
    await registers.fault(service, "slow", seconds=5)
    with pytest.raises(VendorUnavailable):
        await ask()
    assert await registers.charges(service) == [REFERENCE]
    await registers.fault(service, "ok")
    assert (await ask()).answer is RegisterAnswer.MATCH
    assert await registers.charges(service) == [REFERENCE]


async def test_a_slow_register_that_answers_in_time_is_heard(registers: Registers) -> None:
    await registers.fault("bank", "slow", seconds=0.1)
    assert (await registers.question("bank")()).answer is RegisterAnswer.MATCH


@pytest.mark.parametrize("mode", ["timeout", "http500", "refuse"])
@pytest.mark.parametrize("service", SERVICES)
async def test_a_register_that_does_not_answer_charges_nothing_until_it_does(
    opened: Opener, service: str, mode: str
) -> None:
    registers = await opened(total=patience(mode))
    ask = registers.question(service)
    await registers.fault(service, mode)
    with pytest.raises(VendorUnavailable):
        await ask()
    assert await registers.charges(service) == []
    await registers.fault(service, "ok")
    assert (await ask()).answer is RegisterAnswer.MATCH
    assert await registers.charges(service) == [REFERENCE]
