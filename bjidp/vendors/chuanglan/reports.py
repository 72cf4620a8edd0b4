"""Reports of what became of messages, as Chuanglan hands them out and as it brings them.

Owns the reading of both, from bytes or a query to :class:`bjidp.vendors.ports.sms.SmsReport`; nothing is kept here. A
pull hands each report out once, so an unreadable one must not take its neighbours with it. A push is a GET that anybody
can make: it carries a name and a password of the console, and no signature.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct

from bjidp.clock import BEIJING, SECOND, Instant
from bjidp.secret import Secret
from bjidp.vendors.chuanglan import codes
from bjidp.vendors.http import VendorHttp
from bjidp.vendors.ports.sms import PushFault, SmsReport

PUSH_TAKEN: Final = b'{"clcode":"000000"}'
"""The body that tells Chuanglan not to bring a report again."""

PULLED_MOST: Final = 100
"""Reports handed out at a time."""

_OPERATION: Final = "pull_report"
_DELIVERED: Final = "DELIVRD"

_MESSAGE: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
_REFERENCE: Final = re.compile(r"[0-9A-Za-z]{0,32}")
_NUMBER: Final = re.compile(r"1[3-9][0-9]{9}")
_STATUS: Final = re.compile(r"[0-9A-Za-z:_-]{1,32}")
_TIME: Final = re.compile(r"[0-9]{10}")


class Unreadable(Exception):
    """No report, or not in Chuanglan's form."""


class PullRefused(Exception):
    """Chuanglan refuses to hand out reports."""


class PushForeign(Exception):
    """Whoever brings this report does not know the name and the password."""


class Pulled(Struct, frozen=True):
    """What one pull brought; ``unreadable`` counts the reports that are lost."""

    reports: tuple[SmsReport, ...]
    unreadable: int


class _Answer(Struct, frozen=True):
    ret: int
    result: list[msgspec.Raw] = []


class _Report(Struct, frozen=True, rename="camel"):
    msg_id: str
    mobile: str
    status: str
    report_time: str
    uid: str = ""


def read_pulled(answer: bytes) -> Pulled:
    """Read the answer of ``/msg/pull/report``; raise :class:`Unreadable` or :class:`PullRefused`."""
    try:
        pulled = msgspec.json.decode(answer, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pulled = None
    if pulled is None:
        # Raised here, outside the except block: the decoder's words quote what they could not read.
        raise Unreadable
    if pulled.ret != 0:
        raise PullRefused
    read = [_one(raw) for raw in pulled.result]
    reports = tuple(report for report in read if report is not None)
    return Pulled(reports, len(read) - len(reports))


def read_pushed(query: Iterable[tuple[str, str]], *, receiver: Secret, password: Secret) -> SmsReport:
    """Read the query of a push; raise :class:`PushForeign`, or :class:`Unreadable`, also for a name given twice."""
    pairs = list(query)
    fields = dict(pairs)
    # Both are compared, whatever comes of the first, and in constant time.
    known = [_is(fields, "receiver", receiver), _is(fields, "pswd", password)]
    if not all(known):
        raise PushForeign
    if len(fields) != len(pairs):
        raise Unreadable
    report = _report(
        message=fields.get("msgid", ""),
        reference=fields.get("uid", ""),
        to=fields.get("mobile", ""),
        status=fields.get("status", ""),
        time=fields.get("reportTime", ""),
    )
    if report is None:
        raise Unreadable
    return report


class ChuanglanPush:
    """Implements :class:`bjidp.vendors.ports.sms.SmsPush`."""

    taken = PUSH_TAKEN

    def __init__(self, *, receiver: Secret, password: Secret) -> None:
        """Believe whoever knows both."""
        self._receiver = receiver
        self._password = password

    def read(self, query: Iterable[tuple[str, str]]) -> SmsReport | PushFault:
        try:
            return read_pushed(query, receiver=self._receiver, password=self._password)
        except PushForeign:
            return PushFault.FOREIGN
        except Unreadable:
            return PushFault.UNREADABLE


class ChuanglanPull:
    """Implements :class:`bjidp.vendors.ports.sms.SmsPull`."""

    def __init__(self, http: VendorHttp, *, account: str, password: Secret) -> None:
        """Ask for the reports of ``account``."""
        self._http = http
        self._body = msgspec.json.encode({"account": account, "password": password.text(), "count": str(PULLED_MOST)})

    async def pull(self) -> Sequence[SmsReport]:
        octets = await self._http.octets(_OPERATION, "POST", "/msg/pull/report", body=self._body)
        try:
            pulled = read_pulled(octets)
        except PullRefused:
            codes.unavailable(self._http, _OPERATION, "refused")
        except Unreadable:
            codes.unavailable(self._http, _OPERATION, "unreadable")
        if pulled.unreadable:
            self._http.alarm(_OPERATION, "reports_unreadable")
        return pulled.reports


def _is(fields: Mapping[str, str], name: str, expected: Secret) -> bool:
    return hmac.compare_digest(fields.get(name, "").encode(errors="replace"), expected.reveal())


def _one(raw: msgspec.Raw) -> SmsReport | None:
    try:
        read = msgspec.json.decode(raw, type=_Report)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return _report(message=read.msg_id, reference=read.uid, to=read.mobile, status=read.status, time=read.report_time)


def _report(*, message: str, reference: str, to: str, status: str, time: str) -> SmsReport | None:
    at = _instant(time)
    patterns = ((_MESSAGE, message), (_REFERENCE, reference), (_NUMBER, to), (_STATUS, status))
    if at is None or not all(pattern.fullmatch(value) for pattern, value in patterns):
        return None
    return SmsReport(message=message, reference=reference, to=to, delivered=status == _DELIVERED, status=status, at=at)


def _instant(time: str) -> Instant | None:
    """Read ``yyMMddHHmm``, Beijing time."""
    # strptime alone takes fewer digits, and spaces.
    if _TIME.fullmatch(time) is None:
        return None
    try:
        moment = datetime.strptime(time, "%y%m%d%H%M").replace(tzinfo=BEIJING)
    except ValueError:
        return None
    return int(moment.timestamp()) * SECOND
