"""WeChat on the wire: codes, tokens and the face check, with every error this sandbox gives."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from bjidp.sandbox.people.numbers import resident_id
from bjidp.sandbox.settings import WechatRules
from tests.sandbox.conftest import Start
from tests.sandbox.driver import FACE, Sandbox

RID = re.compile(r".+, rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}")


def is_refused(answer: dict[str, Any], errcode: int) -> bool:
    return (
        set(answer) == {"errcode", "errmsg"} and answer["errcode"] == errcode and bool(RID.fullmatch(answer["errmsg"]))
    )


class TestLogin:
    async def test_a_login_code_is_worth_an_openid_and_a_session_key(self, sandbox: Sandbox) -> None:
        answer = await sandbox.session(await sandbox.code("wechat"))
        assert set(answer) == {"openid", "session_key"}
        assert re.fullmatch(r"o[A-Za-z0-9_-]{27}", answer["openid"])
        assert len(base64.b64decode(answer["session_key"])) == 16

    async def test_one_user_has_one_openid_and_each_login_a_new_session_key(self, sandbox: Sandbox) -> None:
        first, again, other = [await sandbox.session(await sandbox.code("wechat", u)) for u in ("a", "a", "b")]
        assert first["openid"] == again["openid"] != other["openid"]
        assert first["session_key"] != again["session_key"]

    async def test_an_openid_is_the_same_after_a_restart(self, sandbox: Sandbox, start: Start) -> None:
        before = await sandbox.session(await sandbox.code("wechat"))
        restarted = await start()
        assert (await restarted.session(await restarted.code("wechat")))["openid"] == before["openid"]

    async def test_a_code_works_once(self, sandbox: Sandbox) -> None:
        code = await sandbox.code("wechat")
        await sandbox.session(code)
        assert is_refused(await sandbox.session(code), 40163)

    async def test_of_many_who_redeem_one_code_at_once_one_wins(self, sandbox: Sandbox) -> None:
        code = await sandbox.code("wechat")
        answers = await asyncio.gather(*(sandbox.session(code) for _ in range(16)))
        assert sum("openid" in answer for answer in answers) == 1
        assert sum(is_refused(answer, 40163) for answer in answers) == 15

    @pytest.mark.parametrize(("seconds", "works"), [(299.9, True), (300, False)])
    async def test_a_code_lives_five_minutes(self, sandbox: Sandbox, seconds: float, *, works: bool) -> None:
        code = await sandbox.code("wechat")
        sandbox.clock.advance(seconds)
        answer = await sandbox.session(code)
        assert ("openid" in answer) if works else is_refused(answer, 40029)

    @pytest.mark.parametrize(
        ("changed", "errcode"),
        [
            ({"appid": ""}, 41002),
            ({"secret": ""}, 41004),
            ({"js_code": ""}, 41008),
            ({"grant_type": ""}, 40002),
            ({"grant_type": "client_credential"}, 40002),
            ({"appid": "wx0000000000000000"}, 40013),
            ({"secret": "0" * 32}, 40125),
            ({"js_code": "made up"}, 40029),
        ],
    )
    async def test_a_wrong_request_is_refused_and_leaves_the_code_alone(
        self, sandbox: Sandbox, changed: dict[str, str], errcode: int
    ) -> None:
        code = await sandbox.code("wechat")
        assert is_refused(await sandbox.session(code, **changed), errcode)
        assert "openid" in await sandbox.session(code)

    async def test_a_code_of_another_platform_is_no_code(self, sandbox: Sandbox) -> None:
        assert is_refused(await sandbox.session(await sandbox.code("alipay")), 40029)

    async def test_the_login_of_a_high_risk_user_is_intercepted(self, sandbox: Sandbox) -> None:
        person = await sandbox.person("high_risk")
        assert is_refused(await sandbox.session(await sandbox.code("wechat", person["id"])), 40226)

    async def test_one_user_may_log_in_so_often_a_minute(self, start: Start) -> None:
        sandbox = await start(wechat=WechatRules(logins_a_minute=2))
        answers = [await sandbox.session(await sandbox.code("wechat")) for _ in range(3)]
        assert ["openid" in answer for answer in answers] == [True, True, False]
        assert is_refused(answers[2], 45011)
        assert "openid" in await sandbox.session(await sandbox.code("wechat", "another"))
        sandbox.clock.advance(60)
        assert "openid" in await sandbox.session(await sandbox.code("wechat"))


class TestTokens:
    async def works(self, sandbox: Sandbox, token: str) -> int:
        """Return the errcode of a call with this token; 84010 tells that it got past the token."""
        answer = await sandbox.wechat("POST", f"{FACE[7:]}/getverifyid", params={"access_token": token}, json={})
        return int(answer["errcode"])

    async def test_a_stable_token_stays_the_same_and_its_time_runs(self, sandbox: Sandbox) -> None:
        first = await sandbox.stable_token()
        assert first["expires_in"] == 7200
        sandbox.clock.advance(6000)
        assert await sandbox.stable_token() == {"access_token": first["access_token"], "expires_in": 1200}

    async def test_a_stable_token_is_renewed_shortly_before_its_end_and_both_work_till_then(
        self, sandbox: Sandbox
    ) -> None:
        old = (await sandbox.stable_token())["access_token"]
        sandbox.clock.advance(6900)
        new = (await sandbox.stable_token())["access_token"]
        assert new != old
        assert [await self.works(sandbox, token) for token in (old, new)] == [84010, 84010]
        sandbox.clock.advance(300)
        assert [await self.works(sandbox, token) for token in (old, new)] == [42001, 84010]

    async def test_a_forced_refresh_ends_the_old_stable_token_at_once(self, sandbox: Sandbox) -> None:
        old = (await sandbox.stable_token())["access_token"]
        new = (await sandbox.stable_token(force_refresh=True))["access_token"]
        assert [await self.works(sandbox, token) for token in (old, new)] == [40001, 84010]

    async def test_forced_refreshes_are_thirty_seconds_apart_and_twenty_a_day(self, sandbox: Sandbox) -> None:
        assert "access_token" in await sandbox.stable_token(force_refresh=True)
        assert is_refused(await sandbox.stable_token(force_refresh=True), 45011)
        for _ in range(19):
            sandbox.clock.advance(30)
            assert "access_token" in await sandbox.stable_token(force_refresh=True)
        sandbox.clock.advance(30)
        assert is_refused(await sandbox.stable_token(force_refresh=True), 45009)
        sandbox.clock.advance(86400)
        assert "access_token" in await sandbox.stable_token(force_refresh=True)

    async def test_fetching_an_ordinary_token_again_leaves_the_former_five_minutes(self, sandbox: Sandbox) -> None:
        old = (await sandbox.token())["access_token"]
        new = (await sandbox.token())["access_token"]
        assert [await self.works(sandbox, token) for token in (old, new)] == [84010, 84010]
        sandbox.clock.advance(300)
        assert [await self.works(sandbox, token) for token in (old, new)] == [40001, 84010]

    async def test_the_two_kinds_of_token_do_not_end_each_other(self, sandbox: Sandbox) -> None:
        stable = (await sandbox.stable_token())["access_token"]
        ordinary = (await sandbox.token())["access_token"]
        await sandbox.stable_token(force_refresh=True)
        assert await self.works(sandbox, ordinary) == 84010
        assert await self.works(sandbox, stable) == 40001

    async def test_a_token_that_ran_out_says_so_and_a_made_up_one_something_else(self, sandbox: Sandbox) -> None:
        token = (await sandbox.stable_token())["access_token"]
        sandbox.clock.advance(7200)
        assert await self.works(sandbox, token) == 42001
        assert await self.works(sandbox, "99_" + "x" * 132) == 40001
        assert await self.works(sandbox, "rubbish") == 40014
        assert await self.works(sandbox, "") == 41001

    @pytest.mark.parametrize(
        ("changed", "errcode"),
        [
            ({"grant_type": "authorization_code"}, 40002),
            ({"appid": ""}, 41002),
            ({"secret": ""}, 41004),
            ({"appid": "wx0000000000000000"}, 40013),
            ({"secret": "0" * 32}, 40125),
        ],
    )
    async def test_a_wrong_request_for_a_token_is_refused(
        self, sandbox: Sandbox, changed: dict[str, str], errcode: int
    ) -> None:
        assert is_refused(await sandbox.stable_token(**changed), errcode)
        assert is_refused(await sandbox.token(**changed), errcode)

    async def test_an_address_outside_the_white_list_is_refused(self, start: Start) -> None:
        sandbox = await start(wechat=WechatRules(allowed_addresses=frozenset({"192.0.2.1"})))
        assert is_refused(await sandbox.stable_token(), 40164)
        at_home = await start(wechat=WechatRules(allowed_addresses=frozenset({"127.0.0.1"})))
        assert "access_token" in await at_home.stable_token()

    async def test_what_wants_post_says_so_to_get_and_what_wants_json_to_rubbish(self, sandbox: Sandbox) -> None:
        assert is_refused(await sandbox.wechat("GET", "/cgi-bin/stable_token"), 43002)
        for rubbish in (b"{", b"[]", b"\xff", b"[" * 50_000):
            assert is_refused(await sandbox.wechat("POST", "/cgi-bin/stable_token", data=rubbish), 47001)


class TestFace:
    number = 0

    async def open(
        self,
        sandbox: Sandbox,
        story: str = "ordinary",
        *,
        cert: Mapping[str, object] | None = None,
        **changed: object,
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Open a check for a person of this story; return the answer, and the question that belongs to it."""
        person = await sandbox.person(story)
        token = (await sandbox.stable_token())["access_token"]
        user = await sandbox.session(await sandbox.code("wechat", "somebody"))
        asked = {
            "cert_type": "IDENTITY_CARD",
            "cert_name": person["name"],
            "cert_no": person["document_number"],
            **(cert or {}),
        }
        TestFace.number += 1
        body = {"out_seq_no": f"order_{TestFace.number}", "cert_info": asked, "openid": user["openid"], **changed}
        answer = await sandbox.wechat(
            "POST",
            f"{FACE[7:]}/getverifyid",
            params={"access_token": token},
            json={k: v for k, v in body.items() if v is not None},
        )
        joined = "&".join(f"{k}={base64.b64encode(str(v).encode()).decode()}" for k, v in asked.items())
        return answer, {
            "verify_id": answer.get("verify_id", ""),
            "out_seq_no": body["out_seq_no"],
            "cert_hash": hashlib.sha256(joined.encode()).hexdigest(),
            "openid": body["openid"],
        }

    async def ask(self, sandbox: Sandbox, question: dict[str, Any], **changed: object) -> dict[str, Any]:
        token = (await sandbox.stable_token())["access_token"]
        body = {k: v for k, v in {**question, **changed}.items() if v is not None}
        return await sandbox.wechat("POST", f"{FACE[7:]}/queryverifyinfo", params={"access_token": token}, json=body)

    async def test_a_check_is_pending_until_the_person_looked_into_the_camera(self, sandbox: Sandbox) -> None:
        answer, question = await self.open(sandbox)
        assert (answer["errcode"], answer["errmsg"], answer["expires_in"]) == (0, "ok", 3600)
        assert await self.ask(sandbox, question) == {"errcode": 0, "errmsg": "ok", "verify_ret": 10300}
        filmed = await (await sandbox.film(question["verify_id"], "pass")).json()
        assert filmed["client"] == {"errMsg": "requestFacialVerify:ok", "errCode": 0}
        assert await self.ask(sandbox, question) == {"errcode": 0, "errmsg": "ok", "verify_ret": 10000}

    @pytest.mark.parametrize(
        ("story", "outcome", "verdict"),
        [
            ("ordinary", "pass", 10000),
            ("rare_character", "pass", 10000),
            ("compatibility_character", "pass", 10000),
            ("mismatch", "pass", 10000),
            ("unknown", "pass", 10000),
            ("expired", "pass", 10000),
            ("face_fails", "pass", 10004),
            ("ordinary", "fail", 10012),
            ("ordinary", "cancel", 10300),
        ],
    )
    async def test_the_verdict_follows_from_who_stood_there(
        self, sandbox: Sandbox, story: str, outcome: str, verdict: int
    ) -> None:
        _, question = await self.open(sandbox, story)
        filmed = await (await sandbox.film(question["verify_id"], outcome)).json()
        # Face and person are the server's to ask about: the client hears that the flow ended, whatever the verdict.
        assert filmed["client"]["errCode"] == (90002 if outcome == "cancel" else 0)
        assert (await self.ask(sandbox, question))["verify_ret"] == verdict

    async def test_nobodys_name_or_number_does_not_pass(self, sandbox: Sandbox) -> None:
        nobody = resident_id("100199", date(2000, 1, 1), 1)
        for cert, verdict in (({"cert_name": "另一个"}, 10003), ({"cert_no": nobody}, 10026)):
            _, question = await self.open(sandbox, cert=cert)
            await sandbox.film(question["verify_id"], "pass")
            assert (await self.ask(sandbox, question))["verify_ret"] == verdict

    async def test_a_verdict_is_final_and_a_cancelled_check_may_be_made(self, sandbox: Sandbox) -> None:
        _, question = await self.open(sandbox)
        assert (await sandbox.film(question["verify_id"], "cancel")).status == 200
        assert (await sandbox.film(question["verify_id"], "fail")).status == 200
        assert (await sandbox.film(question["verify_id"], "pass")).status == 409
        assert (await self.ask(sandbox, question))["verify_ret"] == 10012

    @pytest.mark.parametrize(
        ("changed", "errcode"),
        [
            ({"out_seq_no": None}, 84010),
            ({"out_seq_no": "abc"}, 84011),
            ({"out_seq_no": "a" * 33}, 84011),
            ({"out_seq_no": "with space"}, 84011),
            ({"cert_info": None}, 84012),
            ({"cert_info": "text"}, 84012),
            ({"cert": {"cert_type": "PASSPORT"}}, 84013),
            ({"cert": {"cert_name": ""}}, 84014),
            ({"cert": {"cert_name": "名" * 129}}, 84014),
            ({"cert": {"cert_no": "310101199801011234"}}, 84015),
            ({"cert": {"cert_no": "11010519491231002X"}}, 84015),
            ({"cert": {"cert_no": 7}}, 84015),
            ({"openid": None}, 84016),
            ({"openid": "oGZUI0egBJY1zhBYw2KhdUfwVJJE"}, 40003),
            ({"openid": "名"}, 40003),
        ],
    )
    async def test_a_wrong_request_is_refused(self, sandbox: Sandbox, changed: dict[str, Any], errcode: int) -> None:
        answer, _ = await self.open(sandbox, **changed)
        assert is_refused(answer, errcode)

    async def test_a_name_that_is_half_a_character_is_refused(self, sandbox: Sandbox) -> None:
        token = (await sandbox.stable_token())["access_token"]
        body = (
            b'{"out_seq_no":"order-half","cert_info":{"cert_type":"IDENTITY_CARD","cert_name":"\\ud83d","cert_no":"1"}}'
        )
        answer = await sandbox.wechat("POST", f"{FACE[7:]}/getverifyid", params={"access_token": token}, data=body)
        assert is_refused(answer, 84014)

    async def test_an_order_number_is_used_once(self, sandbox: Sandbox) -> None:
        _, question = await self.open(sandbox)
        answer, _ = await self.open(sandbox, out_seq_no=question["out_seq_no"])
        assert is_refused(answer, 84019)

    async def test_only_the_question_that_fits_is_answered(self, sandbox: Sandbox) -> None:
        _, question = await self.open(sandbox)
        other = await sandbox.session(await sandbox.code("wechat", "somebody else"))
        await sandbox.film(question["verify_id"], "pass")
        for changed, errcode in (
            ({"verify_id": None}, 84021),
            ({"out_seq_no": None}, 84010),
            ({"openid": None}, 84016),
            ({"openid": other["openid"]}, 84017),
            ({"out_seq_no": "order_of_another"}, 84020),
            ({"cert_hash": None}, 84018),
            ({"cert_hash": question["cert_hash"].upper()}, 84018),
        ):
            assert is_refused(await self.ask(sandbox, question, **changed), errcode), changed
        assert (await self.ask(sandbox, question, verify_id="made-up"))["verify_ret"] == 10017
        assert (await self.ask(sandbox, question))["verify_ret"] == 10000

    async def test_a_check_ends_after_an_hour_made_or_not(self, sandbox: Sandbox) -> None:
        _, made = await self.open(sandbox)
        _, waiting = await self.open(sandbox)
        await sandbox.film(made["verify_id"], "pass")
        sandbox.clock.advance(3599)
        assert (await self.ask(sandbox, made))["verify_ret"] == 10000
        sandbox.clock.advance(1)
        assert is_refused(await self.ask(sandbox, made), 84022)
        assert (await sandbox.film(waiting["verify_id"], "pass")).status == 409
