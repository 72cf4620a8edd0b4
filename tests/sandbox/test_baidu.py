"""Baidu on the wire: both dialects of errors, tokens of two products, and the face check with its page."""

from __future__ import annotations

import asyncio
import base64
from datetime import date
from typing import Any

import pytest

from bjidp.sandbox.baidu.answers import MISSING_PARAMETER
from bjidp.sandbox.people.numbers import resident_id
from bjidp.sandbox.settings import BaiduRules
from tests.sandbox.conftest import Start
from tests.sandbox.driver import FACEPRINT, Sandbox

OLDER = "/nalogin/getSessionKeyByCode"


class TestSession:
    @pytest.mark.parametrize("path", ["/oauth/jscode2sessionkey", OLDER])
    async def test_a_login_code_is_worth_an_openid_and_a_key_of_24_bytes(self, sandbox: Sandbox, path: str) -> None:
        answer = await sandbox.baidu_session(await sandbox.code("baidu"), path)
        assert set(answer) == {"openid", "session_key"}
        assert len(answer["openid"]) == 26
        assert len(base64.b64decode(answer["session_key"], validate=True)) == 24

    async def test_real_clients_use_get_as_well(self, sandbox: Sandbox) -> None:
        app = sandbox.credentials.baidu
        query = {"code": await sandbox.code("baidu"), "client_id": app.client_id, "sk": app.secret}
        answer = await sandbox.http.get("/baidu/oauth/jscode2sessionkey", params=query)
        assert "openid" in await answer.json()

    async def test_a_code_works_once_even_for_many_at_once(self, sandbox: Sandbox) -> None:
        code = await sandbox.code("baidu")
        answers = await asyncio.gather(*(sandbox.baidu_session(code) for _ in range(16)))
        assert sum("openid" in answer for answer in answers) == 1

    @pytest.mark.parametrize(("seconds", "works"), [(299, True), (300, False)])
    async def test_a_code_lives_five_minutes(self, sandbox: Sandbox, seconds: float, *, works: bool) -> None:
        code = await sandbox.code("baidu")
        sandbox.clock.advance(seconds)
        assert ("openid" in await sandbox.baidu_session(code)) is works

    async def test_the_newer_address_names_a_missing_field_as_the_documents_show(self, sandbox: Sandbox) -> None:
        answer = await sandbox.baidu_session("", client_id="")
        assert (answer["errno"], answer["error"]) == (MISSING_PARAMETER, "parameter is invalid")
        lacking_id = await sandbox.baidu_session("code", client_id="")
        assert lacking_id["error_description"] == (
            "Key: 'Code2SessionKeyParam.ClientID' Error:Field validation for 'ClientID' failed on the 'required' tag"
        )

    @pytest.mark.parametrize(
        ("changed", "error"),
        [
            ({"code": "made up"}, "invalid_grant"),
            ({"client_id": "another"}, "invalid_client"),
            ({"sk": "wrong"}, "invalid_client"),
        ],
    )
    async def test_a_refusal_comes_in_the_dialect_of_its_address(
        self, sandbox: Sandbox, start: Start, changed: dict[str, str], error: str
    ) -> None:
        newer = await sandbox.baidu_session(**{"code": "x", **changed})
        assert newer["errno"] != 0
        assert newer["error"] == error
        older = await sandbox.baidu_session(**{"code": "x", "path": OLDER, **changed})
        assert set(older) == {"error", "error_description"}
        assert older["error"] == error
        as_in_2020 = await start(baidu=BaiduRules(dialect="oauth"))
        assert await as_in_2020.baidu_session(**{"code": "x", **changed}) == older

    async def test_a_code_of_another_platform_is_no_code(self, sandbox: Sandbox) -> None:
        assert (await sandbox.baidu_session(await sandbox.code("wechat")))["error"] == "invalid_grant"


class TestTokens:
    async def test_a_token_lives_thirty_days_and_leaves_earlier_ones_alone(self, sandbox: Sandbox) -> None:
        first, second = await sandbox.aip_token(), await sandbox.aip_token()
        assert first["expires_in"] == 2592000
        assert first["access_token"] != second["access_token"]
        for token in (first, second):
            assert (await TestFaceprint.generate(sandbox, token["access_token"]))["success"] is True

    @pytest.mark.parametrize(
        ("changed", "error", "description"),
        [
            ({"client_id": "another"}, "invalid_client", "unknown client id"),
            ({"client_secret": "wrong"}, "invalid_client", "Client authentication failed"),
            ({"grant_type": "password"}, "unsupported_grant_type", ""),
        ],
    )
    async def test_a_wrong_request_is_refused_the_oauth_way(
        self, sandbox: Sandbox, changed: dict[str, str], error: str, description: str
    ) -> None:
        answer = await sandbox.aip_token(**changed)
        assert answer["error"] == error
        assert answer["error_description"].startswith(description)

    async def test_a_bad_an_expired_and_the_smart_programs_token_do_not_open_the_face_service(
        self, sandbox: Sandbox
    ) -> None:
        app = sandbox.credentials.baidu
        other = await sandbox.aip_token(client_id=app.client_id, client_secret=app.secret)
        for token in ("", "made up", other["access_token"]):
            answer = await TestFaceprint.generate(sandbox, token)
            assert (answer["error_code"], answer["error_msg"]) == (110, "Access token invalid or no longer valid")
        own = (await sandbox.aip_token())["access_token"]
        sandbox.clock.advance(2592000)
        assert (await TestFaceprint.generate(sandbox, own))["error_code"] == 111


class TestFaceprint:
    @staticmethod
    async def call(sandbox: Sandbox, path: str, body: object, token: str | None = None) -> dict[str, Any]:
        token = (await sandbox.aip_token())["access_token"] if token is None else token
        answer = await sandbox.http.post(f"{FACEPRINT}/{path}", params={"access_token": token}, json=body)
        assert answer.status == 200
        found: dict[str, Any] = await answer.json()
        assert found["log_id"].isdigit()
        return found

    @staticmethod
    async def generate(sandbox: Sandbox, token: str | None = None) -> dict[str, Any]:
        body = {"plan_id": sandbox.credentials.baidu.plan_id, "match_source": 0}
        return await TestFaceprint.call(sandbox, "verifyToken/generate", body, token)

    async def open(self, sandbox: Sandbox, story: str = "ordinary", **changed: object) -> str:
        person = await sandbox.person(story)
        token = str((await self.generate(sandbox))["result"]["verify_token"])
        body = {
            "verify_token": token,
            "id_name": person["name"],
            "id_no": person["document_number"],
            "certificate_type": 0,
            **changed,
        }
        answer = await self.call(sandbox, "idcard/submit", body)
        assert (answer["success"], answer["result"]) == (True, 1)
        return token

    async def ask(self, sandbox: Sandbox, token: str, path: str = "result/getall") -> dict[str, Any]:
        return await self.call(sandbox, path, {"verify_token": token})

    async def test_a_check_has_no_result_until_the_person_looked_into_the_camera(self, sandbox: Sandbox) -> None:
        token = await self.open(sandbox)
        for path in ("result/getall", "result/detail"):
            answer = await self.ask(sandbox, token, path)
            assert answer["success"] is False
            assert answer["code"]
        assert (await (await sandbox.film(token, "pass")).json())["client"] == {"redirect": "successUrl"}
        result = (await self.ask(sandbox, token))["result"]
        assert result["verify_count"] == 1
        attempt = result["verify_result"][0]
        assert (attempt["order"], attempt["is_verify_passed"], attempt["code"]) == (1, True, "0")
        assert attempt["verify_detail"]["score"] >= attempt["verify_detail"]["threshold"]
        person = await sandbox.person("ordinary")
        assert attempt["idcard_confirm"] == {
            "name": person["name"], "idcard_number": person["document_number"], "idcard_type": "0"
        }  # fmt: skip

    async def test_success_of_detail_is_no_verdict(self, sandbox: Sandbox) -> None:
        for story, passes in (("ordinary", True), ("face_fails", False)):
            token = await self.open(sandbox, story)
            await sandbox.film(token, "pass")
            answer = await self.ask(sandbox, token, "result/detail")
            assert answer["success"] is True
            assert (answer["result"]["verify_result"]["score"] >= 80) is passes
            assert answer["result"]["idcard_confirm"]["name"] == (await sandbox.person(story))["name"]

    async def test_one_token_may_hold_several_attempts_and_ends_with_the_first_good_one(self, sandbox: Sandbox) -> None:
        token = await self.open(sandbox)
        for outcome, status in (("cancel", 200), ("fail", 200), ("pass", 200), ("fail", 409)):
            assert (await sandbox.film(token, outcome)).status == status
        attempts = (await self.ask(sandbox, token))["result"]["verify_result"]
        assert [(a["order"], a["is_verify_passed"], a["code"]) for a in attempts] == [
            (1, False, "223120"), (2, True, "0")
        ]  # fmt: skip

    async def test_a_plan_may_end_the_token_with_a_failure(self, start: Start) -> None:
        sandbox = await start(baidu=BaiduRules(retry_after_failure=False))
        token = await self.open(sandbox)
        assert [(await sandbox.film(token, outcome)).status for outcome in ("fail", "pass")] == [200, 409]

    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({}, "0"),
            ({"id_name": "另一个"}, "222351"),
            ({"id_no": resident_id("100199", date(2000, 1, 1), 1)}, "222354"),
            ({"id_name": "黄嘉慧", "id_no": "H99990126", "certificate_type": 1}, "0"),
            ({"id_name": "何永健", "id_no": "M99990308", "certificate_type": 1}, "0"),
            ({"id_name": "林雅婷", "id_no": "99990415", "certificate_type": 1}, "0"),
            ({"id_name": "HOLM ANDERS", "id_no": "XXN000077030437", "certificate_type": 2}, "0"),
        ],
    )
    async def test_the_verdict_follows_from_who_was_asked_about(
        self, sandbox: Sandbox, changed: dict[str, Any], code: str
    ) -> None:
        token = await self.open(sandbox, **changed)
        await sandbox.film(token, "pass")
        assert (await self.ask(sandbox, token))["result"]["verify_result"][-1]["code"] == code

    @pytest.mark.parametrize(
        "changed",
        [
            {"verify_token": "made up"},
            {"verify_token": None},
            {"id_name": ""},
            {"id_no": "11010519491231002X"},
            {"id_no": None},
            {"certificate_type": 1},
            {"certificate_type": 3},
            {"certificate_type": "0"},
        ],
    )
    async def test_a_wrong_submission_is_refused(self, sandbox: Sandbox, changed: dict[str, Any]) -> None:
        person = await sandbox.person("ordinary")
        token = (await self.generate(sandbox))["result"]["verify_token"]
        body = {"verify_token": token, "id_name": person["name"], "id_no": person["document_number"], **changed}
        answer = await self.call(sandbox, "idcard/submit", body)
        assert answer["success"] is False
        assert answer["message"]
        assert (await sandbox.film(token, "pass")).status == 409

    async def test_another_plan_or_no_object_is_refused(self, sandbox: Sandbox) -> None:
        wrong: tuple[object, ...] = ({"plan_id": 1}, {"plan_id": True}, {}, [], "text")
        for body in wrong:
            assert (await self.call(sandbox, "verifyToken/generate", body))["success"] is False
        as_text = {"plan_id": str(sandbox.credentials.baidu.plan_id)}
        assert (await self.call(sandbox, "verifyToken/generate", as_text))["success"] is True

    async def test_the_person_cannot_be_changed_after_an_attempt(self, sandbox: Sandbox) -> None:
        token = await self.open(sandbox, "face_fails")
        await sandbox.film(token, "pass")
        person = await sandbox.person("ordinary")
        body = {"verify_token": token, "id_name": person["name"], "id_no": person["document_number"]}
        assert (await self.call(sandbox, "idcard/submit", body))["success"] is False

    async def test_a_token_is_good_for_two_hours_and_its_result_for_three_days_more(self, sandbox: Sandbox) -> None:
        made, waiting = await self.open(sandbox), await self.open(sandbox)
        await sandbox.film(made, "pass")
        sandbox.clock.advance(2 * 3600)
        assert (await sandbox.film(waiting, "pass")).status == 409
        assert (await self.ask(sandbox, made))["success"] is True
        sandbox.clock.advance(3 * 24 * 3600)
        assert (await self.ask(sandbox, made))["message"] == "Token无效或者已过期"

    async def test_the_page_sends_the_person_where_the_caller_said(self, sandbox: Sandbox) -> None:
        token = await self.open(sandbox)
        query = {"token": token, "successUrl": "https://id.example/ok?a=1&b=2", "failedUrl": "https://id.example/no"}
        page = await sandbox.http.get("/baidu/face/print/", params=query)
        assert (page.status, page.content_type) == (200, "text/html")
        for outcome, location in (("fail", query["failedUrl"]), ("pass", query["successUrl"])):
            done = await sandbox.http.post(
                "/baidu/face/print/", params=query, data={"outcome": outcome}, allow_redirects=False
            )
            assert (done.status, done.headers["Location"]) == (303, location)
        over = await sandbox.http.get("/baidu/face/print/", params=query)
        assert over.status == 400

    async def test_the_page_follows_no_address_that_is_not_one(self, sandbox: Sandbox) -> None:
        token = await self.open(sandbox)
        query = {"token": token, "successUrl": "javascript:alert(1)"}
        done = await sandbox.http.post(
            "/baidu/face/print/", params=query, data={"outcome": "pass"}, allow_redirects=False
        )
        assert done.status == 200
        assert "Location" not in done.headers
