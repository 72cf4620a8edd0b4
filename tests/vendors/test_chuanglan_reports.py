"""Status reports: the document's own example, pulled and pushed, and everything that is none."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from bjidp.secret import Secret
from bjidp.vendors.chuanglan.reports import (
    PUSH_TAKEN,
    ChuanglanPush,
    PullRefused,
    PushForeign,
    Unreadable,
    read_pulled,
    read_pushed,
)
from bjidp.vendors.ports.sms import PushFault, SmsReport

DOCUMENTED: dict[str, Any] = {
    "uid": "125",
    "msgId": "19011716074111111",
    "mobile": "15300000000",
    "status": "DELIVRD",
    "statusDesc": "短信发送成功",
    "reportTime": "1901171607",
    "notifyTime": "190117160742",
    "length": "1",
}
AT = int(datetime(2019, 1, 17, 16, 7, tzinfo=timezone(timedelta(hours=8))).timestamp()) * 1000
REPORT = SmsReport(
    message="19011716074111111", reference="125", to="15300000000", delivered=True, status="DELIVRD", at=AT
)

PUSHED = {
    "receiver": "admin",
    "pswd": "12345",
    "msgid": "19011716074111111",
    "reportTime": "1901171607",
    "mobile": "15300000000",
    "status": "DELIVRD",
    "notifyTime": "190117160742",
    "statusDesc": "短信发送成功",
    "uid": "125",
    "length": "1",
}
KNOWN: dict[str, Secret] = {"receiver": Secret("admin"), "password": Secret("12345")}

ODD: list[dict[str, str]] = [
    {"mobile": ""},
    {"mobile": "1530000000"},
    {"mobile": "15300000000,15300000001"},
    {"mobile": "+8615300000000"},
    {"mobile": "１5300000000"},
    {"status": ""},
    {"status": "DELIVRD\n"},
    {"status": "短信发送成功"},
    {"status": "D" * 33},
    {"reportTime": ""},
    {"reportTime": "190117160"},
    {"reportTime": "190117160742"},
    {"reportTime": "1913171607"},
    {"reportTime": "1902301607"},
    {"reportTime": "1901172507"},
    {"reportTime": " 901171607"},
    {"uid": "a b"},
    {"uid": "u" * 33},
]
"""Values that no report has; in a pull and in a push alike."""


def pull(*reports: object) -> bytes:
    return json.dumps({"ret": 0, "result": list(reports)}).encode()


def push(**changed: str | None) -> list[tuple[str, str]]:
    return [(name, value) for name, value in {**PUSHED, **changed}.items() if value is not None]


def test_the_documents_own_report_is_read() -> None:
    assert read_pulled(pull(DOCUMENTED)).reports == (REPORT,)
    assert read_pushed(push(), **KNOWN) == REPORT


@pytest.mark.parametrize(
    "status", ["UNDELIV", "EXPIRED", "REJECTD", "MBBLACK", "MBBLK", "UNKNOWN", "MK:0013", "delivrd"]
)
def test_every_status_but_one_is_no_delivery(status: str) -> None:
    (report,) = read_pulled(pull({**DOCUMENTED, "status": status})).reports
    assert (report.delivered, report.status) == (False, status)
    assert not read_pushed(push(status=status), **KNOWN).delivered


def test_a_report_without_our_reference_is_one_all_the_same() -> None:
    bare = {name: value for name, value in DOCUMENTED.items() if name not in {"uid", "statusDesc", "length"}}
    (report,) = read_pulled(pull(bare)).reports
    assert report.reference == ""
    assert read_pushed(push(uid=None, statusDesc=None, length=None), **KNOWN).reference == ""


def test_a_pull_that_brings_nothing_is_empty() -> None:
    assert read_pulled(pull()).reports == ()
    assert read_pulled(b'{"ret":0}').reports == ()


@pytest.mark.parametrize("odd", [*ODD, {"msgId": ""}, {"msgId": "a b"}, {"msgId": "1" * 65}])
def test_a_report_that_cannot_be_read_takes_no_other_with_it(odd: dict[str, str]) -> None:
    pulled = read_pulled(pull({**DOCUMENTED, **odd}, DOCUMENTED))
    assert pulled.reports == (REPORT,)
    assert pulled.unreadable == 1


@pytest.mark.parametrize("odd", [{}, [], "DELIVRD", None, {**DOCUMENTED, "mobile": 15300000000}])
def test_what_is_no_report_is_counted(odd: object) -> None:
    pulled = read_pulled(pull(DOCUMENTED, odd))
    assert (len(pulled.reports), pulled.unreadable) == (1, 1)


@pytest.mark.parametrize("answer", [b"", b"{", b"[]", b"{}", b'{"ret":"0"}', b'{"ret":0,"result":{}}', b"\xff"])
def test_a_pull_of_another_shape_is_unreadable(answer: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        read_pulled(answer)
    assert caught.value.__context__ is None


def test_a_pull_that_is_refused_is_told_from_an_empty_one() -> None:
    with pytest.raises(PullRefused):
        read_pulled('{"ret":1,"error":"账号和密码不能为空"}'.encode())


@pytest.mark.parametrize(
    "changed",
    [
        {"receiver": "another"},
        {"receiver": None},
        {"pswd": "1234"},
        {"pswd": "123456"},
        {"pswd": ""},
        {"pswd": None},
        {"pswd": "\ud800"},
    ],
)
def test_a_push_of_somebody_else_is_foreign(changed: dict[str, str | None]) -> None:
    with pytest.raises(PushForeign):
        read_pushed(push(**changed), **KNOWN)


def test_a_console_without_name_and_password_pushes_without_them() -> None:
    nobody = {"receiver": Secret(""), "password": Secret("")}
    assert read_pushed(push(receiver="", pswd=""), **nobody) == REPORT
    assert read_pushed(push(receiver=None, pswd=None), **nobody) == REPORT
    with pytest.raises(PushForeign):
        read_pushed(push(), **nobody)


@pytest.mark.parametrize("odd", [*ODD, {"msgid": ""}, {"msgid": "a b"}, {"msgid": "1" * 65}])
def test_a_push_that_is_no_report_is_unreadable(odd: dict[str, str]) -> None:
    with pytest.raises(Unreadable):
        read_pushed(push(**odd), **KNOWN)


@pytest.mark.parametrize("name", ["msgid", "mobile", "status", "reportTime"])
def test_a_push_that_leaves_something_out_or_says_it_twice_is_unreadable(name: str) -> None:
    with pytest.raises(Unreadable):
        read_pushed(push(**{name: None}), **KNOWN)
    with pytest.raises(Unreadable):
        read_pushed([*push(), (name, PUSHED[name])], **KNOWN)


def test_the_id_in_a_push_is_written_otherwise_than_in_a_pull() -> None:
    with pytest.raises(Unreadable):
        read_pushed(push(msgid=None, msgId="19011716074111111"), **KNOWN)


def test_what_a_push_is_answered_is_the_vendors_word_for_taken() -> None:
    assert json.loads(PUSH_TAKEN) == {"clcode": "000000"}


@pytest.mark.attack("Q24")
def test_a_report_shows_no_number_when_it_is_printed() -> None:
    assert "15300000000" not in f"{REPORT!r} {REPORT}"


def test_what_was_brought_is_a_report_or_one_of_two_faults() -> None:
    push = ChuanglanPush(**KNOWN)
    assert push.read(PUSHED.items()) == REPORT
    assert push.read((PUSHED | {"pswd": "x"}).items()) is PushFault.FOREIGN
    assert push.read((PUSHED | {"status": ""}).items()) is PushFault.UNREADABLE
    assert push.taken == PUSH_TAKEN
