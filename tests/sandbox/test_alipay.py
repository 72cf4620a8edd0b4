"""Alipay's gateway on the wire."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from yarl import URL

from bjidp.sandbox.alipay import content
from bjidp.sandbox.settings import AlipayRules
from tests.sandbox.conftest import Start
from tests.sandbox.driver import Sandbox

TOKEN = "alipay.system.oauth.token"
INITIALIZE = "alipay.user.certify.open.initialize"
QUERY = "alipay.user.certify.open.query"
CERTIFY = "alipay.user.certify.open.certify"


def refusal(answer: dict[str, Any]) -> tuple[str, str, str]:
    assert answer["sub_msg"]
    return answer["node"], answer["code"], answer["sub_code"]


class TestGateway:
    async def send(self, sandbox: Sandbox, parameters: dict[str, str]) -> str:
        answer = await sandbox.http.post("/alipay/gateway.do", data=parameters)
        assert answer.status == 200
        return await answer.text()

    async def test_parameters_count_wherever_they_stand(self, sandbox: Sandbox) -> None:
        for where in range(3):
            parameters = sandbox.alipay_request(
                TOKEN, grant_type="authorization_code", code=await sandbox.code("alipay")
            )
            body = {0: parameters, 1: {}, 2: {"code": parameters["code"], "sign": parameters["sign"]}}[where]
            query = {k: v for k, v in parameters.items() if k not in body}
            answer = await sandbox.http.post("/alipay/gateway.do", params=query, data=body)
            assert "open_id" in sandbox.alipay_verified(await answer.text())

    @pytest.mark.parametrize(
        ("lacking", "sub_code"),
        [
            ("method", "isv.missing-method"),
            ("sign_type", "isv.missing-signature-type"),
            ("sign", "isv.missing-signature"),
            ("timestamp", "isv.missing-timestamp"),
            ("version", "isv.missing-version"),
        ],
    )
    async def test_a_missing_common_parameter_is_named(self, sandbox: Sandbox, lacking: str, sub_code: str) -> None:
        parameters = sandbox.alipay_request(TOKEN)
        del parameters[lacking]
        answer = sandbox.alipay_verified(await self.send(sandbox, parameters))
        assert refusal(answer) == ("error_response", "40001", sub_code)

    @pytest.mark.parametrize(
        ("changed", "code", "sub_code"),
        [
            ({"charset": "gb18030"}, "40002", "isv.invalid-charset"),
            ({"format": "xml"}, "40002", "isv.invalid-format"),
            ({"sign_type": "MD5"}, "40002", "isv.invalid-signature-type"),
            ({"sign_type": "RSA"}, "40003", "isv.missing-signature-config"),
            ({"timestamp": "2024-01-02T03:04:05Z"}, "40002", "isv.invalid-timestamp"),
            ({"version": "2.0"}, "40002", "isv.invalid-parameter"),
            ({"method": "alipay.trade.pay"}, "40002", "isv.invalid-method"),
            ({"encrypt_type": "DES"}, "40002", "isv.invalid-encrypt-type"),
            ({"encrypt_type": "AES", "biz_content": "{}"}, "40002", "isv.invalid-encrypt"),
        ],
    )
    async def test_a_wrong_common_parameter_is_refused(
        self, sandbox: Sandbox, changed: dict[str, str], code: str, sub_code: str
    ) -> None:
        answer = sandbox.alipay_verified(
            await self.send(sandbox, sandbox.alipay_request(**{"method": TOKEN, **changed}))
        )
        assert refusal(answer) == ("error_response", code, sub_code)

    @pytest.mark.parametrize("app_id", ["", "2021000000000001"])
    async def test_an_app_the_gateway_does_not_know_is_answered_unsigned(self, sandbox: Sandbox, app_id: str) -> None:
        text = await self.send(sandbox, sandbox.alipay_request(TOKEN, app_id=app_id))
        body = json.loads(text)
        assert set(body) == {"error_response"}
        assert body["error_response"]["sub_code"] == ("isv.invalid-app-id" if app_id else "isv.missing-app-id")

    @pytest.mark.parametrize("name", ["code", "timestamp", "sign", "notify_url"])
    async def test_a_request_changed_after_it_was_signed_is_refused(self, sandbox: Sandbox, name: str) -> None:
        code = await sandbox.code("alipay")
        parameters = sandbox.alipay_request(TOKEN, grant_type="authorization_code", code=code)
        answer = sandbox.alipay_verified(await self.send(sandbox, {**parameters, name: "2024-01-02 03:04:05"}))
        assert refusal(answer) == ("error_response", "40002", "isv.invalid-signature")
        assert "open_id" in await sandbox.alipay(TOKEN, grant_type="authorization_code", code=code)

    async def test_slashes_are_escaped_in_what_is_signed(self, sandbox: Sandbox) -> None:
        parameters = sandbox.alipay_request(TOKEN, notify_url="https://id.example/notify")
        text = await self.send(sandbox, {**parameters, "version": "1.1"})
        assert r"https:\/\/id.example\/notify" in text
        assert "https://" not in text
        assert "https://id.example/notify" in sandbox.alipay_verified(text)["sub_msg"]

    async def test_an_encrypted_call_is_answered_encrypted_and_the_signature_covers_the_quotes(
        self, sandbox: Sandbox
    ) -> None:
        key = sandbox.credentials.alipay.aes_key
        secret = content.encrypt(key, json.dumps({"certify_id": "unknown"}))
        answer = await sandbox.alipay(QUERY, encrypt_type="AES", biz_content=secret)
        assert answer["node"] == "alipay_user_certify_open_query_response"
        assert json.loads(content.decrypt(key, answer["encrypted"]))["sub_code"] == "OPEN_CERTIFY_BILL_NOT_EXIST"


class TestOAuth:
    async def test_an_auth_code_is_worth_an_open_id_in_a_node_without_code(self, sandbox: Sandbox) -> None:
        answer = await sandbox.alipay(TOKEN, grant_type="authorization_code", code=await sandbox.code("alipay"))
        assert answer["node"] == "alipay_system_oauth_token_response"
        assert set(answer) - {"node"} == {
            "access_token", "auth_start", "expires_in", "re_expires_in", "refresh_token", "open_id"
        }  # fmt: skip
        assert answer["expires_in"] == 500

    async def test_older_apps_hear_the_user_id_and_some_answers_have_numbers_as_text(self, start: Start) -> None:
        sandbox = await start(alipay=AlipayRules(tells_user_id=True, numbers_as_text=True))
        answer = await sandbox.alipay(TOKEN, grant_type="authorization_code", code=await sandbox.code("alipay"))
        assert answer["user_id"].startswith("2088")
        assert len(answer["user_id"]) == 16
        assert answer["expires_in"] == "500"

    async def test_an_auth_code_works_once_even_for_many_at_once(self, sandbox: Sandbox) -> None:
        code = await sandbox.code("alipay")
        answers = await asyncio.gather(
            *(sandbox.alipay(TOKEN, grant_type="authorization_code", code=code) for _ in range(16))
        )
        lost = [answer for answer in answers if "open_id" not in answer]
        assert len(lost) == 15
        assert {refusal(answer) for answer in lost} == {("error_response", "40002", "isv.code-invalid")}

    @pytest.mark.parametrize(("hours", "works"), [(23.99, True), (24, False)])
    async def test_an_auth_code_lives_a_day_at_most(self, sandbox: Sandbox, hours: float, *, works: bool) -> None:
        code = await sandbox.code("alipay")
        sandbox.clock.advance(hours * 3600)
        assert ("open_id" in await sandbox.alipay(TOKEN, grant_type="authorization_code", code=code)) is works

    async def test_a_refresh_token_rotates(self, sandbox: Sandbox) -> None:
        first = await sandbox.alipay(TOKEN, grant_type="authorization_code", code=await sandbox.code("alipay"))
        second = await sandbox.alipay(TOKEN, grant_type="refresh_token", refresh_token=first["refresh_token"])
        assert second["open_id"] == first["open_id"]
        reused = await sandbox.alipay(TOKEN, grant_type="refresh_token", refresh_token=first["refresh_token"])
        assert refusal(reused) == ("error_response", "40002", "isv.refreshed-token-invalid")
        sandbox.clock.advance(300)
        late = await sandbox.alipay(TOKEN, grant_type="refresh_token", refresh_token=second["refresh_token"])
        assert refusal(late) == ("error_response", "40002", "isv.refresh-token-time-out")
        unknown = await sandbox.alipay(TOKEN, grant_type="refresh_token", refresh_token="unknown")
        assert refusal(unknown) == ("error_response", "40002", "isv.refresh-token-invalid")

    async def test_another_grant_is_refused(self, sandbox: Sandbox) -> None:
        answer = await sandbox.alipay(TOKEN, grant_type="password")
        assert refusal(answer) == ("error_response", "40002", "isv.grant-type-invalid")


class TestCertify:
    number = 0

    async def open(
        self,
        sandbox: Sandbox,
        story: str = "ordinary",
        *,
        identity: dict[str, str] | None = None,
        as_text: bool = False,
        **changed: object,
    ) -> dict[str, Any]:
        person = await sandbox.person(story)
        TestCertify.number += 1
        asked = {
            "identity_type": "CERT_INFO",
            "cert_type": "IDENTITY_CARD",
            "cert_name": person["name"],
            "cert_no": person["document_number"],
            "open_id": "somebody",
            **(identity or {}),
        }
        biz = {
            "outer_order_no": f"BJ{TestCertify.number}",
            "biz_code": "FACE",
            "identity_param": json.dumps(asked) if as_text else asked,
            "merchant_config": {"return_url": "https://id.example/back?from=alipay"},
            **changed,
        }
        return await sandbox.alipay(INITIALIZE, biz_content=json.dumps(biz))

    async def ask(self, sandbox: Sandbox, certify_id: str) -> dict[str, Any]:
        return await sandbox.alipay(QUERY, biz_content=json.dumps({"certify_id": certify_id}))

    @pytest.mark.parametrize("as_text", [False, True])
    async def test_a_check_says_f_until_it_is_passed(self, sandbox: Sandbox, *, as_text: bool) -> None:
        opened = await self.open(sandbox, as_text=as_text)
        assert opened["code"] == "10000"
        waiting = await self.ask(sandbox, opened["certify_id"])
        assert (waiting["code"], waiting["passed"]) == ("10000", "F")
        filmed = await (await sandbox.film(opened["certify_id"], "pass")).json()
        assert filmed["client"] == {"resultStatus": "9000"}
        passed = await self.ask(sandbox, opened["certify_id"])
        assert passed["passed"] == "T"
        person = await sandbox.person("ordinary")
        told = json.loads(passed["identity_info"])
        assert told["cert_no"] == person["document_number"]
        assert told["open_id"] == "somebody"

    @pytest.mark.parametrize(
        ("story", "outcome", "status", "passed"),
        [
            ("unknown", "pass", "9000", "T"),
            ("face_fails", "pass", "4000", "F"),
            ("ordinary", "fail", "4000", "F"),
            ("ordinary", "cancel", "6001", "F"),
        ],
    )
    async def test_the_verdict_follows_from_who_stood_there(
        self, sandbox: Sandbox, story: str, outcome: str, status: str, passed: str
    ) -> None:
        certify_id = (await self.open(sandbox, story))["certify_id"]
        filmed = await (await sandbox.film(certify_id, outcome)).json()
        assert filmed["client"]["resultStatus"] == status
        answer = await self.ask(sandbox, certify_id)
        assert answer["passed"] == passed
        assert ("fail_reason" in answer) == (status == "4000")

    async def test_permits_are_known_by_their_own_type_and_nobody_does_not_pass(self, sandbox: Sandbox) -> None:
        for cert_type, name, number in (
            ("HOME_VISIT_PERMIT_HK_MC", "黄嘉慧", "H99990126"),
            ("HOME_VISIT_PERMIT_HK_MC", "何永健", "M99990308"),
            ("HOME_VISIT_PERMIT_TAIWAN", "林雅婷", "99990415"),
        ):
            for cert_name, expected in ((name, "T"), ("另一个", "F")):
                identity = {"cert_type": cert_type, "cert_name": cert_name, "cert_no": number}
                certify_id = (await self.open(sandbox, identity=identity))["certify_id"]
                await sandbox.film(certify_id, "pass")
                assert (await self.ask(sandbox, certify_id))["passed"] == expected

    @pytest.mark.parametrize(
        ("changed", "sub_code"),
        [
            ({"outer_order_no": "with-dash"}, "INVALID_PARAMETER"),
            ({"outer_order_no": "a" * 33}, "INVALID_PARAMETER"),
            ({"biz_code": "SELFIE"}, "UNSUPPORTED_BIZ_CODE"),
            ({"identity_param": None}, "INVALID_PARAMETER"),
            ({"identity_param": "{"}, "INVALID_PARAMETER"),
            ({"identity_param": "x" * 5000}, "INVALID_PARAMETER"),
            ({"identity": {"identity_type": "USER"}}, "INVALID_PARAMETER"),
            ({"identity": {"cert_type": "PASSPORT"}}, "INVALID_PARAMETER"),
            ({"identity": {"cert_name": ""}}, "INVALID_PARAMETER"),
            ({"identity": {"cert_no": "11010519491231002X"}}, "INVALID_PARAMETER"),
            ({"identity": {"cert_type": "HOME_VISIT_PERMIT_TAIWAN"}}, "INVALID_PARAMETER"),
            ({"merchant_config": {}}, "INVALID_PARAMETER"),
        ],
    )
    async def test_a_wrong_request_is_refused_under_its_usual_node(
        self, sandbox: Sandbox, changed: dict[str, Any], sub_code: str
    ) -> None:
        answer = await self.open(sandbox, **changed)
        assert refusal(answer) == ("alipay_user_certify_open_initialize_response", "40004", sub_code)

    async def test_an_order_number_is_used_once(self, sandbox: Sandbox) -> None:
        assert "certify_id" in await self.open(sandbox, outer_order_no="SAME")
        assert refusal(await self.open(sandbox, outer_order_no="SAME"))[2] == "OUTER_ORDER_NO_REPEAT"

    async def test_a_check_can_be_made_for_23_hours_and_a_verdict_asked_for_months(self, sandbox: Sandbox) -> None:
        made, waiting = [(await self.open(sandbox))["certify_id"] for _ in range(2)]
        await sandbox.film(made, "pass")
        sandbox.clock.advance(23 * 3600)
        assert (await sandbox.film(waiting, "pass")).status == 404
        assert refusal(await self.ask(sandbox, waiting)) == (
            "alipay_user_certify_open_query_response", "40004", "OPEN_CERTIFY_BILL_NOT_EXIST"
        )  # fmt: skip
        assert (await self.ask(sandbox, made))["passed"] == "T"
        sandbox.clock.advance(90 * 24 * 3600)
        assert refusal(await self.ask(sandbox, made))[2] == "OPEN_CERTIFY_BILL_NOT_EXIST"

    async def test_the_signed_address_opens_a_page_that_leads_back_to_the_caller(self, sandbox: Sandbox) -> None:
        certify_id = (await self.open(sandbox))["certify_id"]
        signed = sandbox.alipay_request(CERTIFY, biz_content=json.dumps({"certify_id": certify_id}))
        page = await sandbox.http.get("/alipay/gateway.do", params=signed)
        assert (page.status, page.content_type) == (200, "text/html")
        assert f'action="/alipay/camera/{certify_id}"' in await page.text()
        done = await sandbox.http.post(f"/alipay/camera/{certify_id}", data={"outcome": "pass"}, allow_redirects=False)
        assert done.status == 303
        assert URL(done.headers["Location"]) == URL("https://id.example/back?from=alipay")
        assert (await self.ask(sandbox, certify_id))["passed"] == "T"

    async def test_an_address_that_is_not_signed_opens_nothing(self, sandbox: Sandbox) -> None:
        certify_id = (await self.open(sandbox))["certify_id"]
        signed = sandbox.alipay_request(CERTIFY, biz_content=json.dumps({"certify_id": certify_id}))
        page = await sandbox.http.get("/alipay/gateway.do", params={**signed, "app_auth_token": "added"})
        assert page.status == 400
        assert "/alipay/camera/" not in await page.text()
