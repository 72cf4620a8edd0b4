"""The control calls: strict bodies, and what they move."""

from __future__ import annotations

import json

import pytest
from structlog.testing import capture_logs

from bjidp.sandbox.app import CAPTCHAS, INBOX
from bjidp.sandbox.inbox import code_in
from tests.sandbox.conftest import Start
from tests.sandbox.driver import Sandbox


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("login-code", {}),
        ("login-code", []),
        ("login-code", {"platform": "wechat"}),
        ("login-code", {"platform": "douyin", "user": "a"}),
        ("login-code", {"platform": "wechat", "user": ""}),
        ("login-code", {"platform": "wechat", "user": "a" * 65}),
        ("login-code", {"platform": "wechat", "user": 7}),
        ("login-code", {"platform": "wechat", "user": "a", "app": "b"}),
        ("phone-button", {"platform": "wechat"}),
        ("phone-button", {"platform": "wechat", "user": "a", "number": 15410000001}),
        ("phone-button", {"platform": "wechat", "user": "a", "number": "13800138000"}),
        ("phone-button", {"platform": "wechat", "user": "a", "number": "1541000000"}),
        ("phone-button", {"platform": "wechat", "user": "a", "phone": "15410000001"}),
        ("face", {"verification": "a"}),
        ("face", {"verification": "a", "outcome": "maybe"}),
        ("face", {"verification": None, "outcome": "pass"}),
        ("face", {"verification": "a", "outcome": "pass", "person": "b"}),
        ("faults", {"service": "post", "mode": "slow"}),
        ("faults", {"service": "wechat", "mode": "fire"}),
        ("faults", {"service": "wechat", "mode": "slow", "seconds": -1}),
        ("faults", {"service": "wechat", "mode": "slow", "seconds": "1"}),
        ("faults", {"service": "wechat", "mode": "http500", "seconds": 1}),
    ],
)
async def test_a_body_of_another_shape_is_refused_in_words(sandbox: Sandbox, path: str, body: object) -> None:
    answer = await sandbox.http.post(f"/control/{path}", json=body)
    assert answer.status == 400
    assert answer.content_type == "application/problem+json"
    problem = json.loads(await answer.text())
    assert problem["code"] == "invalid_request"
    assert problem["detail"]


async def test_a_body_that_another_site_could_post_unasked_is_refused(sandbox: Sandbox) -> None:
    body = json.dumps({"platform": "wechat", "user": "a"})
    answer = await sandbox.http.post("/control/login-code", data=body, headers={"Content-Type": "text/plain"})
    assert answer.status == 415


async def test_a_verification_nobody_issued_is_unknown(sandbox: Sandbox) -> None:
    assert (await sandbox.film("made up", "pass")).status == 404


async def test_the_inbox_shows_what_was_sent_to_an_address_newest_first(sandbox: Sandbox) -> None:
    answer = await sandbox.http.get("/control/inbox", params={"to": "15410000001"})
    assert await answer.json() == []
    inbox = sandbox.http.app[INBOX]
    inbox.deliver("15410000001", "【京通】您的验证码是 123456", "123456")
    inbox.deliver("15410000002", "给别人的", None)
    sandbox.clock.advance(1)
    inbox.deliver("15410000001", "第二条", None)
    answer = await sandbox.http.get("/control/inbox", params={"to": "15410000001"})
    assert await answer.json() == [
        {"at": "2027-01-15T08:00:01.000Z", "to": "15410000001", "text": "第二条", "code": None},
        {
            "at": "2027-01-15T08:00:00.000Z",
            "to": "15410000001",
            "text": "【京通】您的验证码是 123456",
            "code": "123456",
        },
    ]


async def test_an_inbox_keeps_fifty_messages_for_a_day(sandbox: Sandbox) -> None:
    inbox = sandbox.http.app[INBOX]
    for number in range(60):
        inbox.deliver("a@b.example", str(number), None)
    assert [message.text for message in inbox.sent_to("a@b.example")] == [str(n) for n in range(59, 9, -1)]
    sandbox.clock.advance(86400)
    assert inbox.sent_to("a@b.example") == ()


async def test_an_inbox_forgets_the_address_that_was_longest_without_a_message(sandbox: Sandbox) -> None:
    inbox = sandbox.http.app[INBOX]
    for number in range(10_000):
        inbox.deliver(str(number), "old", None)
    inbox.deliver("0", "new", None)
    inbox.deliver("another", "new", None)
    assert inbox.sent_to("1") == ()
    assert [message.text for message in inbox.sent_to("0")] == ["new", "old"]
    assert [message.text for message in inbox.sent_to("2")] == ["old"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("【京通】您的验证码是 042531，五分钟内有效。", "042531"),
        ("【京通】验证码：2530", "2530"),
        ("【京通】尾号610的证件", None),
        ("【京通】号码15410000001", None),
        ("您的手机号已修改", None),
    ],
)
def test_the_code_of_a_message_is_its_first_four_to_eight_digits_in_a_row(text: str, code: str | None) -> None:
    assert code_in(text) == code


async def test_a_captcha_is_known_once_its_answer_was_handed_over(sandbox: Sandbox) -> None:
    assert (await sandbox.http.get("/control/captcha", params={"id": "c1"})).status == 404
    sandbox.http.app[CAPTCHAS].learn("c1", "7K3P")
    assert await (await sandbox.http.get("/control/captcha", params={"id": "c1"})).json() == {"answer": "7K3P"}


async def test_a_server_in_another_process_tells_what_its_captchas_show(sandbox: Sandbox) -> None:
    told = await sandbox.http.post("/control/captcha", json={"id": "c2", "answer": "0420"})
    assert (told.status, await told.json()) == (200, {})
    assert await (await sandbox.http.get("/control/captcha", params={"id": "c2"})).json() == {"answer": "0420"}
    bodies: list[object] = [{}, {"id": "c3"}, {"id": "", "answer": "1"}, {"id": "c3", "answer": "1", "more": 1}, "c3"]
    for body in bodies:
        assert (await sandbox.http.post("/control/captcha", json=body)).status == 400


@pytest.mark.parametrize("path", ["/control/inbox", "/control/captcha", "/control/inbox?to=a&from=b"])
async def test_a_question_without_its_parameter_or_with_others_is_refused(sandbox: Sandbox, path: str) -> None:
    assert (await sandbox.http.get(path)).status == 400


async def test_health_says_that_this_is_a_sandbox(sandbox: Sandbox) -> None:
    body = await (await sandbox.http.get("/health")).json()
    assert (body["status"], body["sandbox"]) == ("ok", True)


async def test_the_start_says_loudly_that_nothing_here_is_real(start: Start) -> None:
    with capture_logs() as lines:
        await start()
    assert [(line["event"], line["log_level"]) for line in lines] == [("sandbox_not_real", "warning")]
    assert "SANDBOX" in lines[0]["warning"]


async def test_a_body_too_long_is_refused(sandbox: Sandbox) -> None:
    answer = await sandbox.http.post("/control/login-code", json={"platform": "wechat", "user": "a" * 100_000})
    assert answer.status == 413
