"""Chuanglan on the wire: both interfaces, with every code this sandbox gives, and the reports it hands out."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import Any

import pytest

from bjidp.sandbox.settings import ChuanglanRules
from tests.sandbox.conftest import Start
from tests.sandbox.driver import Sandbox

NUMBER = "15410000001"
NONCE = "0123456789abcdef0123456789abcdef"
TABLE = ("101", "102", "103", "104", "105", "106", "107", "108", "109", "110", "111", "112", "113", "114", "115",
         "116", "117", "118", "119", "120", "123", "124", "125", "127", "128", "129", "130")  # fmt: skip


def account(sandbox: Sandbox) -> dict[str, str]:
    known = sandbox.credentials.chuanglan
    return {"account": known.account, "password": known.password}


async def send(sandbox: Sandbox, path: str = "/v1/send/json", **changed: object) -> dict[str, Any]:
    body = {**account(sandbox), "msg": "【京通】您的验证码是：253018", "phone": NUMBER, **changed}
    return await sandbox.chuanglan(path, {name: value for name, value in body.items() if value is not None})


async def pull(sandbox: Sandbox, **changed: object) -> dict[str, Any]:
    return await sandbox.chuanglan("/pull/report", {**account(sandbox), **changed})


async def balance(sandbox: Sandbox) -> int:
    return int((await sandbox.chuanglan("/balance/json", account(sandbox)))["balance"])


class TestTexts:
    @pytest.mark.parametrize("path", ["/v1/send/json", "/send/json"])
    async def test_a_message_is_taken_and_delivered(self, sandbox: Sandbox, path: str) -> None:
        answer = await send(sandbox, path)
        assert set(answer) == {"code", "msgId", "time", "errorMsg"}
        assert answer["code"] == "0"
        assert re.fullmatch(r"270115160000\d{5}", answer["msgId"])
        assert answer["time"] == "20270115160000"
        assert answer["errorMsg"] == ""
        (message,) = await sandbox.inbox(NUMBER)
        assert (message["text"], message["code"]) == ("【京通】您的验证码是：253018", "253018")

    async def test_every_number_of_a_list_gets_it(self, sandbox: Sandbox) -> None:
        await send(sandbox, phone="15410000001,15410000002")
        assert [len(await sandbox.inbox(number)) for number in ("15410000001", "15410000002")] == [1, 1]

    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({"account": "N0000000"}, "101"),
            ({"password": "wrong"}, "102"),
            ({"password": ""}, "102"),
            ({"msg": "【京通】代开发票"}, "105"),
            ({"msg": ""}, "106"),
            ({"msg": "【京通】" + "一" * 533}, "106"),
            ({"phone": "13800138000"}, "107"),
            ({"phone": "15410000001,"}, "107"),
            ({"phone": "154100000011"}, "107"),
            ({"phone": "１5410000001"}, "107"),
            ({"phone": ""}, "108"),
            ({"phone": ",".join(["15410000001"] * 1001)}, "108"),
            ({"extend": "1234"}, "113"),
            ({"extend": "a"}, "113"),
            ({"msg": "您的验证码是：253018"}, "116"),
            ({"msg": "您的验证码是：253018【京通】"}, "116"),
            ({"msg": "【别人】您的验证码是：253018"}, "116"),
            ({"sendtime": "2017-04-10 14:00"}, "127"),
            ({"sendtime": "201713101400"}, "127"),
            ({"account": None}, "130"),
            ({"password": None}, "130"),
            ({"msg": None}, "130"),
            ({"phone": None}, "130"),
            ({"phone": 15410000001}, "130"),
            ({"report": True}, "130"),
            ({"report": "yes"}, "130"),
        ],
    )
    async def test_a_wrong_request_is_refused_and_nothing_is_sent(
        self, sandbox: Sandbox, changed: dict[str, Any], code: str
    ) -> None:
        before = await balance(sandbox)
        answer = await send(sandbox, **changed)
        assert (answer["code"], answer["msgId"]) == (code, "")
        assert answer["errorMsg"]
        assert await sandbox.inbox(NUMBER) == []
        assert await balance(sandbox) == before
        assert (await pull(sandbox))["result"] == []

    @pytest.mark.parametrize(
        "changed", [{"extend": "555"}, {"sendtime": "201704101400"}, {"msg": "【京通】" + "一" * 532}]
    )
    async def test_the_edges_of_what_is_allowed_are_allowed(self, sandbox: Sandbox, changed: dict[str, Any]) -> None:
        assert (await send(sandbox, **changed))["code"] == "0"

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 5000])
    async def test_a_body_that_is_no_object_is_answered_129(self, sandbox: Sandbox, body: bytes) -> None:
        assert (await sandbox.chuanglan("/v1/send/json", body))["code"] == "129"

    @pytest.mark.parametrize("code", TABLE)
    async def test_a_number_stands_for_each_code_of_the_table(self, sandbox: Sandbox, code: str) -> None:
        assert (await send(sandbox, phone=f"15400000{code}"))["code"] == code

    @pytest.mark.parametrize("code", ["000", "121", "122", "126", "131"])
    async def test_a_number_that_stands_for_no_code_is_an_ordinary_one(self, sandbox: Sandbox, code: str) -> None:
        assert (await send(sandbox, phone=f"15400000{code}"))["code"] == "0"

    async def test_so_many_requests_are_taken_a_second(self, start: Start) -> None:
        sandbox = await start(chuanglan=ChuanglanRules(requests_a_second=2))
        assert [(await send(sandbox))["code"] for _ in range(3)] == ["0", "0", "103"]
        sandbox.clock.advance(1)
        assert (await send(sandbox))["code"] == "0"

    async def test_an_address_that_is_not_on_the_list_is_refused(self, start: Start) -> None:
        sandbox = await start(chuanglan=ChuanglanRules(allowed_addresses=frozenset({"192.0.2.1"})))
        assert (await send(sandbox))["code"] == "117"
        assert (await pull(sandbox))["ret"] == 1
        allowed = await start(chuanglan=ChuanglanRules(allowed_addresses=frozenset({"127.0.0.1"})))
        assert (await send(allowed))["code"] == "0"

    @pytest.mark.parametrize(("length", "cost"), [(5, 1), (70, 1), (71, 2), (134, 2), (135, 3)])
    async def test_a_long_text_costs_by_its_parts(self, sandbox: Sandbox, length: int, cost: int) -> None:
        before = await balance(sandbox)
        await send(sandbox, msg="【京通】" + "一" * (length - 4), phone="15410000001,15410000002")
        assert before - await balance(sandbox) == 2 * cost

    async def test_what_was_not_paid_for_is_not_sent(self, start: Start) -> None:
        sandbox = await start(chuanglan=ChuanglanRules(balance=1))
        assert (await send(sandbox, phone="15410000001,15410000002"))["code"] == "109"
        assert await balance(sandbox) == 1
        assert (await send(sandbox))["code"] == "0"
        assert (await send(sandbox))["code"] == "109"

    async def test_the_balance_is_told_with_a_number_for_a_code(self, sandbox: Sandbox) -> None:
        answer = await sandbox.chuanglan("/balance/json", account(sandbox))
        assert answer == {"balance": "1000000", "time": "20270115160000", "errorMsg": "", "code": 0}
        assert (await sandbox.chuanglan("/balance/json", {**account(sandbox), "password": "x"}))["code"] == "102"


class TestReports:
    async def test_a_report_is_handed_out_once_in_the_documented_form(self, sandbox: Sandbox) -> None:
        sent = await send(sandbox, report="true", uid="125")
        sandbox.clock.advance(42)
        assert await pull(sandbox) == {
            "ret": 0,
            "result": [
                {
                    "uid": "125",
                    "msgId": sent["msgId"],
                    "mobile": NUMBER,
                    "status": "DELIVRD",
                    "statusDesc": "短信发送成功",
                    "reportTime": "2701151600",
                    "notifyTime": "270115160042",
                    "length": "1",
                }
            ],
        }
        assert await pull(sandbox) == {"ret": 0, "result": []}

    @pytest.mark.parametrize("report", [None, "false"])
    async def test_a_message_whose_report_nobody_wants_has_none(self, sandbox: Sandbox, report: str | None) -> None:
        await send(sandbox, report=report)
        assert (await pull(sandbox))["result"] == []

    async def test_some_numbers_are_never_reached(self, sandbox: Sandbox) -> None:
        numbers = [f"1540000100{last}" for last in range(1, 6)]
        assert (await send(sandbox, phone=",".join(numbers), report="true"))["code"] == "0"
        statuses = [report["status"] for report in (await pull(sandbox))["result"]]
        assert statuses == ["UNDELIV", "REJECTD", "EXPIRED", "MBBLACK", "UNKNOWN"]
        assert [await sandbox.inbox(number) for number in numbers] == [[]] * 5

    @pytest.mark.parametrize(("count", "got"), [(None, 20), ("1", 1), ("100", 30)])
    async def test_so_many_are_handed_out_at_a_time_the_oldest_first(
        self, sandbox: Sandbox, count: str | None, got: int
    ) -> None:
        for uid in range(30):
            await send(sandbox, report="true", uid=str(uid))
        answer = await pull(sandbox, **({} if count is None else {"count": count}))
        assert [report["uid"] for report in answer["result"]] == [str(uid) for uid in range(got)]

    @pytest.mark.parametrize(
        "changed", [{"account": "x"}, {"password": "x"}, {"count": "0"}, {"count": "101"}, {"count": 20}]
    )
    async def test_a_wrong_question_is_refused_in_words(self, sandbox: Sandbox, changed: dict[str, Any]) -> None:
        answer = await pull(sandbox, **changed)
        assert set(answer) == {"ret", "error"}
        assert answer["ret"] == 1


class TestTemplates:
    async def send(self, sandbox: Sandbox, *, key: str | None = None, **changed: object) -> dict[str, Any]:
        known = sandbox.credentials.chuanglan
        body: dict[str, object] = {
            "account": known.account,
            "timestamp": str(sandbox.clock.now() // 1000),
            "nonce": NONCE,
            "phoneNumbers": NUMBER,
            "templateId": "1000000001",
            "templateParamJson": json.dumps([{"param1": "1234"}]),
            "signature": "【京通】",
            "report": "true",
            "callbackUrl": "",
            "uid": "",
            "extend": "",
            **changed,
        }
        md5 = hashlib.md5((key or known.password).encode(), usedforsecurity=False).hexdigest()
        text = "".join(sorted([md5, str(body["timestamp"]), str(body["nonce"])]))
        mac = hmac.new(md5.encode(), text.encode(), hashlib.sha256).hexdigest()
        headers = {} if "password" in changed else {"X-QA-Hmac-Signature": mac}
        given = {name: value for name, value in body.items() if value is not None}
        return await sandbox.chuanglan("/sms/v2/tpl/send", given, headers)

    async def test_a_template_is_filled_signed_and_delivered(self, sandbox: Sandbox) -> None:
        answer = await self.send(sandbox)
        assert set(answer) == {"code", "msgId", "time", "successNum", "failNum", "errorMsg"}
        assert (answer["code"], answer["successNum"], answer["failNum"]) == ("000000", "1", "0")
        assert re.fullmatch(r"\d{32}", answer["msgId"])
        (message,) = await sandbox.inbox(NUMBER)
        assert message["text"] == "【京通】您的验证码是1234，五分钟内有效，请勿告诉他人。"
        assert message["code"] == "1234"
        assert [report["msgId"] for report in (await pull(sandbox))["result"]] == [answer["msgId"]]

    async def test_the_password_in_the_body_does_instead_of_a_signature(self, sandbox: Sandbox) -> None:
        assert (await self.send(sandbox, password=sandbox.credentials.chuanglan.password))["code"] == "000000"
        assert (await self.send(sandbox, password="wrong"))["code"] == "900102"

    async def test_each_number_has_values_of_its_own_and_a_wrong_one_is_counted(self, sandbox: Sandbox) -> None:
        answer = await self.send(
            sandbox,
            phoneNumbers="15410000001,13800138000,15410000002",
            templateParamJson=json.dumps([{"param1": "1111"}, {"param1": "2222"}, {"param1": "3333"}]),
        )
        assert (answer["code"], answer["successNum"], answer["failNum"]) == ("000000", "2", "1")
        assert [message["code"] for message in await sandbox.inbox("15410000002")] == ["3333"]

    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({"account": "N0000000"}, "900101"),
            ({"key": "wrong"}, "900102"),
            ({"timestamp": "1799999699"}, "900102"),
            ({"timestamp": "1800000301"}, "900102"),
            ({"timestamp": "now"}, "900130"),
            ({"nonce": "short"}, "900130"),
            ({"nonce": None}, "900130"),
            ({"phoneNumbers": ""}, "900108"),
            ({"phoneNumbers": None}, "900130"),
            ({"templateId": "1000000002"}, "900124"),
            ({"templateParamJson": "{"}, "900129"),
            ({"templateParamJson": "{}"}, "900114"),
            ({"templateParamJson": "[{}]"}, "900114"),
            ({"templateParamJson": '[{"param1":"1","param2":"2"}]'}, "900114"),
            ({"templateParamJson": '[{"param1":1}]'}, "900114"),
            ({"templateParamJson": '[{"param1":"代开发票"}]'}, "900105"),
            ({"signature": ""}, "900116"),
            ({"signature": "京通"}, "900116"),
            ({"extend": "1234"}, "900113"),
            ({"phoneNumbers": "15400000104"}, "900104"),
        ],
    )
    async def test_a_wrong_request_is_refused_and_nothing_is_sent(
        self, sandbox: Sandbox, changed: dict[str, Any], code: str
    ) -> None:
        answer = await self.send(sandbox, **changed)
        assert (answer["code"], answer["msgId"], answer["successNum"]) == (code, "", "0")
        assert await sandbox.inbox(NUMBER) == []

    @pytest.mark.parametrize("seconds", [-300, 300])
    async def test_a_time_may_be_off_by_five_minutes(self, sandbox: Sandbox, seconds: int) -> None:
        timestamp = str(sandbox.clock.now() // 1000 + seconds)
        assert (await self.send(sandbox, timestamp=timestamp))["code"] == "000000"
