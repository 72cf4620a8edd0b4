from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from aiohttp import web

from bjidp.clock import ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.errors import VendorUnavailable
from bjidp.secret import Secret
from bjidp.vendors.catalog import HttpClients, build_sms
from bjidp.vendors.chuanglan.codes import BUSY, REFUSALS
from bjidp.vendors.chuanglan.templates import request_signature
from bjidp.vendors.http import HttpLimits
from bjidp.vendors.ports.sms import SmsAccepted, SmsRefusal, SmsRefused, SmsSender
from bjidp.vendors.settings import ChuanglanSettings
from tests.vendors.cast import SMS
from tests.vendors.stand import Reply, Seen, Stand

ACCOUNT = "N6000001"
PASSWORD = "chuanglanHush"
SEND = "/msg/v1/send/json"
TEMPLATE = "/msg/sms/v2/tpl/send"
TAKEN = {"code": "0", "msgId": "17041010383624511", "time": "20170410103836", "errorMsg": ""}
TAKEN_V2 = {
    "code": "000000",
    "msgId": "12345678901234567890123456789012",
    "time": "20270115160000",
    "successNum": "1",
    "failNum": "0",
    "errorMsg": "",
}


@dataclass
class ChuanglanStand(Stand):
    """Takes everything, until told otherwise."""

    answers: list[object] = field(default_factory=list)
    """What is answered first, one by one."""

    def replies(self) -> dict[str, Reply]:
        return {SEND: self.send, TEMPLATE: self.template}

    def send(self, _seen: Seen) -> web.Response:
        return web.json_response(self.answers.pop(0) if self.answers else TAKEN)

    def template(self, _seen: Seen) -> web.Response:
        return web.json_response(self.answers.pop(0) if self.answers else TAKEN_V2)


@pytest.fixture
async def stand() -> AsyncIterator[ChuanglanStand]:
    stand = ChuanglanStand()
    async with stand.open():
        yield stand


def settings(address: str, **changes: object) -> ChuanglanSettings:
    told: dict[str, Any] = {
        "account": ACCOUNT,
        "password": Secret(PASSWORD),
        "signature": "京通",
        "base_url": address,
        **changes,
    }
    return ChuanglanSettings(**told)


@pytest.fixture
def texts(stand: ChuanglanStand, clients: HttpClients, clock: ManualClock, entropy: SeededEntropy) -> SmsSender:
    return build_sms(settings(stand.address), http=clients, clock=clock, entropy=entropy, pause=0.0)


@pytest.fixture
def templates(stand: ChuanglanStand, clients: HttpClients, clock: ManualClock, entropy: SeededEntropy) -> SmsSender:
    second = settings(
        stand.address,
        api="v2",
        templates={"login_code": "1000000001"},
        refusals={"000107": SmsRefusal.NUMBER, "000109": SmsRefusal.BALANCE},
    )
    return build_sms(second, http=clients, clock=clock, entropy=entropy)


@pytest.fixture(params=["v1", "v2"])
def either(request: pytest.FixtureRequest, texts: SmsSender, templates: SmsSender) -> SmsSender:
    return texts if request.param == "v1" else templates


def told(logged: list[MutableMapping[str, Any]], event: str = "vendor_alarm") -> list[str]:
    return [entry["reason"] for entry in logged if entry["event"] == event]


# ------------------------------------------------------------------------------------------------------------ v1, texts


async def test_a_text_is_sent_in_the_documented_fields(texts: SmsSender, stand: ChuanglanStand) -> None:
    assert await texts.send(SMS) == SmsAccepted("chuanglan", "17041010383624511")
    (seen,) = stand.seen
    assert (seen.method, seen.path, seen.query) == ("POST", SEND, {})
    assert seen.headers["Content-Type"] == "application/json; charset=utf-8"
    assert seen.json == {
        "account": ACCOUNT,
        "password": PASSWORD,
        "msg": f"【京通】{SMS.text}",
        "phone": SMS.to,
        "report": "true",
        "uid": SMS.reference,
    }


async def test_reports_and_an_extension_are_a_matter_of_settings(
    stand: ChuanglanStand, clients: HttpClients, clock: ManualClock, entropy: SeededEntropy
) -> None:
    sender = build_sms(settings(stand.address, report=False, extend="555"), http=clients, clock=clock, entropy=entropy)
    await sender.send(SMS)
    assert stand.seen[0].json["report"] == "false"
    assert stand.seen[0].json["extend"] == "555"


@pytest.mark.parametrize("answer", [{**TAKEN, "code": 0}, {"code": "0", "msgId": "1" * 64}, {**TAKEN, "new": True}])
async def test_an_acceptance_is_one_however_it_is_written(
    texts: SmsSender, stand: ChuanglanStand, answer: object
) -> None:
    stand.answers = [answer]
    assert isinstance(await texts.send(SMS), SmsAccepted)


@pytest.mark.parametrize("number", [False, True])
@pytest.mark.parametrize("code", REFUSALS)
async def test_each_refusal_is_told_by_its_kind_and_an_operators_fault_is_an_alarm(
    texts: SmsSender, stand: ChuanglanStand, logged: list[MutableMapping[str, Any]], code: str, number: bool
) -> None:
    # An id beside a refusal is no acceptance, and the words may quote what was sent.
    stand.answers = [{"code": int(code) if number else code, "msgId": "1", "errorMsg": f"Hush {SMS.to}"}]
    answer = await texts.send(SMS)
    assert answer == SmsRefused(REFUSALS[code])
    assert told(logged) == ([code] if REFUSALS[code].alarm else [])
    assert told(logged, "vendor_refusal") == ([] if REFUSALS[code].alarm else [code])
    assert len(stand.seen) == 1


def test_the_faults_that_the_document_leaves_to_an_operator_are_alarms() -> None:
    for code in ("101", "102", "109", "111", "112", "116", "117", "118", "119"):
        assert REFUSALS[code].alarm
    assert {code for code, kind in REFUSALS.items() if not kind.alarm} == {
        "105", "106", "107", "115", "120", "124", "125", "128",
    }  # fmt: skip
    assert {*REFUSALS, *BUSY} == {
        *(str(code) for code in range(101, 121)), "123", "124", "125", "127", "128", "129", "130",
    }  # fmt: skip


@pytest.mark.parametrize("code", sorted(BUSY))
async def test_a_busy_chuanglan_is_asked_once_more(texts: SmsSender, stand: ChuanglanStand, code: str) -> None:
    stand.answers = [{"code": code, "msgId": ""}]
    assert isinstance(await texts.send(SMS), SmsAccepted)
    assert len(stand.seen) == 2
    assert stand.seen[0].body == stand.seen[1].body


@pytest.mark.parametrize("code", sorted(BUSY))
async def test_a_chuanglan_that_stays_busy_is_an_outage_and_no_alarm(
    texts: SmsSender, stand: ChuanglanStand, logged: list[MutableMapping[str, Any]], code: str
) -> None:
    stand.answers = [{"code": code, "msgId": ""}] * 3
    with pytest.raises(VendorUnavailable):
        await texts.send(SMS)
    assert len(stand.seen) == 2
    assert told(logged) == []
    assert told(logged, "vendor_refusal") == [code]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        b"busy",
        {"msgId": "1"},
        {"code": None, "msgId": "1"},
        {"code": True, "msgId": "1"},
        {"code": 0.0, "msgId": "1"},
        {"code": "", "msgId": "1"},
        {"code": "00", "msgId": "1"},
        {"code": "000000", "msgId": "1"},
        {"code": "100", "msgId": "1"},
        {"code": "121", "msgId": "1"},
        {"code": "0"},
        {"code": "0", "msgId": ""},
        {"code": "0", "msgId": None},
        {"code": "0", "msgId": 17041010383624511},
        {"code": "0", "msgId": "1" * 65},
    ],
)
async def test_an_answer_to_a_text_that_makes_no_sense_is_an_outage(
    texts: SmsSender, stand: ChuanglanStand, answer: object
) -> None:
    stand.lie(SEND, answer)
    with pytest.raises(VendorUnavailable):
        await texts.send(SMS)
    assert len(stand.seen) == 1


# -------------------------------------------------------------------------------------------------------- v2, templates


def test_the_signature_of_a_template_call_is_the_one_computed_with_openssl() -> None:
    assert request_signature(Secret("P4ssw0rd"), "1700000000", "0123456789abcdef0123456789abcdef") == (
        "4047d9ab74206a73b4bce183c198d84b36b7fbdf8d03443e870f33e839438d60"
    )


async def test_a_template_is_sent_in_the_documented_fields_without_the_password(
    templates: SmsSender, stand: ChuanglanStand, clock: ManualClock
) -> None:
    assert await templates.send(SMS) == SmsAccepted("chuanglan", TAKEN_V2["msgId"])
    (seen,) = stand.seen
    assert (seen.method, seen.path, seen.query) == ("POST", TEMPLATE, {})
    sent = seen.json
    timestamp, nonce = sent.pop("timestamp"), sent.pop("nonce")
    assert timestamp == str(clock.now() // 1000)
    assert len(nonce) == 32
    assert json.loads(sent.pop("templateParamJson")) == [{"param1": "042531"}]
    assert sent == {
        "account": ACCOUNT,
        "phoneNumbers": SMS.to,
        "templateId": "1000000001",
        "signature": "【京通】",
        "report": "true",
        "callbackUrl": "",
        "uid": SMS.reference,
        "extend": "",
    }
    key = hashlib.md5(PASSWORD.encode(), usedforsecurity=False).hexdigest()
    ordered = sorted([key, timestamp, nonce])
    expected = hmac.digest(key.encode(), "".join(ordered).encode(), "sha256").hex()
    assert seen.headers["X-QA-Hmac-Signature"] == expected
    assert PASSWORD not in seen.body.decode()
    assert key not in seen.body.decode()


async def test_values_are_numbered_in_their_order_and_written_as_json(
    templates: SmsSender, stand: ChuanglanStand
) -> None:
    values = ("042531", '中"}],{', "5")
    await templates.send(msgspec.structs.replace(SMS, parameters=values))
    await templates.send(msgspec.structs.replace(SMS, parameters=()))
    first, second = (json.loads(seen.json["templateParamJson"]) for seen in stand.seen)
    assert first == [{"param1": values[0], "param2": values[1], "param3": values[2]}]
    assert second == [{}]


async def test_no_two_calls_have_the_same_nonce(templates: SmsSender, stand: ChuanglanStand) -> None:
    for _ in range(3):
        await templates.send(SMS)
    assert len({seen.json["nonce"] for seen in stand.seen}) == 3


async def test_a_template_that_the_settings_do_not_name_is_an_alarm_and_not_worth_a_call(
    templates: SmsSender, stand: ChuanglanStand, logged: list[MutableMapping[str, Any]]
) -> None:
    answer = await templates.send(msgspec.structs.replace(SMS, template="notice"))
    assert answer == SmsRefused(SmsRefusal.REQUEST)
    assert told(logged) == ["no_template"]
    assert stand.seen == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"code": "000107", "errorMsg": "Hush"}, SmsRefusal.NUMBER),
        ({"code": "000107", "msgId": None, "successNum": None, "failNum": None}, SmsRefusal.NUMBER),
        ({**TAKEN_V2, "code": "000109"}, SmsRefusal.BALANCE),
        ({**TAKEN_V2, "successNum": "0", "failNum": "1"}, SmsRefusal.NUMBER),
        ({**TAKEN_V2, "successNum": 0, "failNum": 1, "msgId": ""}, SmsRefusal.NUMBER),
    ],
)
async def test_a_code_that_the_settings_explain_is_a_refusal(
    templates: SmsSender, stand: ChuanglanStand, answer: object, kind: SmsRefusal
) -> None:
    stand.answers = [answer]
    assert await templates.send(SMS) == SmsRefused(kind)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        b"{",
        {**TAKEN_V2, "code": "0"},
        {**TAKEN_V2, "code": "000001"},
        {**TAKEN_V2, "code": None},
        {**TAKEN_V2, "successNum": "0"},
        {**TAKEN_V2, "successNum": "2"},
        {**TAKEN_V2, "successNum": None},
        {**TAKEN_V2, "successNum": True},
        {**TAKEN_V2, "msgId": ""},
        {**TAKEN_V2, "msgId": None},
        {**TAKEN_V2, "msgId": "1" * 65},
        {"code": "000000", "msgId": "1"},
    ],
)
async def test_an_answer_to_a_template_that_makes_no_sense_is_an_outage(
    templates: SmsSender, stand: ChuanglanStand, answer: object
) -> None:
    stand.lie(TEMPLATE, answer)
    with pytest.raises(VendorUnavailable):
        await templates.send(SMS)
    assert len(stand.seen) == 1


# ----------------------------------------------------------------------------------------------------------------- both


@pytest.mark.parametrize(
    "to",
    [
        "",
        "1541000004",
        "154100000420",
        "12410000042",
        "15410000042,15410000043",
        "15410000042\n",
        "+8615410000042",
        "１5410000042",
        "15410000042 ",
    ],
)
async def test_what_is_not_one_mobile_number_is_refused_without_a_call(
    either: SmsSender, stand: ChuanglanStand, to: str
) -> None:
    assert await either.send(msgspec.structs.replace(SMS, to=to)) == SmsRefused(SmsRefusal.NUMBER)
    assert stand.seen == []


@pytest.mark.parametrize("status", [301, 400, 401, 403, 429, 500, 502, 503])
async def test_a_message_that_was_not_answered_rightly_is_an_outage_and_not_sent_again(
    either: SmsSender, stand: ChuanglanStand, status: int
) -> None:
    for path in (SEND, TEMPLATE):
        stand.lie(path, TAKEN, status=status)
    with pytest.raises(VendorUnavailable):
        await either.send(SMS)
    assert len(stand.seen) == 1


async def test_silence_ends_in_time_and_is_not_followed_by_another_message(
    stand: ChuanglanStand, clock: ManualClock, entropy: SeededEntropy
) -> None:
    stand.silent.add(SEND)
    http = HttpClients(clock=clock, limits=HttpLimits(total=0.2))
    async with asyncio.timeout(5):
        with pytest.raises(VendorUnavailable):
            await build_sms(settings(stand.address), http=http, clock=clock, entropy=entropy).send(SMS)
    await http.close()
    assert len(stand.seen) == 1


@pytest.mark.attack("Q24")
async def test_secrets_numbers_and_words_are_in_no_address_and_in_no_line_of_the_log(
    either: SmsSender, stand: ChuanglanStand, logged: list[MutableMapping[str, Any]]
) -> None:
    stand.answers = [{"code": f"{SMS.to} {SMS.text} {PASSWORD}", "msgId": "1"}]
    with pytest.raises(VendorUnavailable) as caught:
        await either.send(SMS)
    assert caught.value.__context__ is None
    assert told(logged) == ["unreadable"]
    lines = "".join(str(entry) for entry in logged)
    assert all(value not in lines for value in (SMS.to, SMS.text, PASSWORD, ACCOUNT, SMS.parameters[0]))
    assert all(not seen.query for seen in stand.seen)


async def test_a_second_account_sends_where_the_first_cannot(
    stand: ChuanglanStand, clients: HttpClients, clock: ManualClock, entropy: SeededEntropy
) -> None:
    first = settings(stand.address)
    second = settings(stand.address, api="v2", templates={"login_code": "1"})
    sender = build_sms(first, second, http=clients, clock=clock, entropy=entropy)
    assert await sender.send(SMS) == SmsAccepted("chuanglan", TAKEN["msgId"])
    stand.answers = [{"code": "109", "msgId": ""}]
    assert await sender.send(SMS) == SmsAccepted("chuanglan_second", TAKEN_V2["msgId"])
    stand.answers = [{"code": "107", "msgId": ""}]
    assert await sender.send(SMS) == SmsRefused(SmsRefusal.NUMBER)
    assert [seen.path for seen in stand.seen] == [SEND, SEND, TEMPLATE, SEND]
