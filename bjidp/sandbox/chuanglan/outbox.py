"""What both interfaces do alike with a message: count it, refuse it by its number, deliver it, and report on it."""

from __future__ import annotations

import re
from collections import deque
from typing import Final

from msgspec import Struct

from bjidp.sandbox.chuanglan.answers import TEXTS, ChuanglanError
from bjidp.sandbox.clock import SECOND, Clock, Instant, beijing_time
from bjidp.sandbox.entropy import Entropy, decimal
from bjidp.sandbox.inbox import Inbox, code_in
from bjidp.sandbox.people.numbers import is_synthetic_phone
from bjidp.sandbox.settings import ChuanglanRules

UNREACHED: Final = {
    "15400001001": ("UNDELIV", "短信不可到达"),
    "15400001002": ("REJECTD", "短信被拒绝"),
    "15400001003": ("EXPIRED", "短信过期"),
    "15400001004": ("MBBLACK", "黑名单号码"),
    "15400001005": ("UNKNOWN", "未知状态"),
}
"""Numbers that are never reached, and the operator's word for it."""

TEXT_MAX: Final = 536
NUMBERS_MAX: Final = 1000

_WHOLE: Final = 70
_PART: Final = 67
_REPORTS_KEPT: Final = 10_000
_REFUSED: Final = re.compile(r"15400000([0-9]{3})")
_SIGNED: Final = re.compile(r"【([^【】]{2,16})】")
_EXTEND: Final = re.compile(r"[0-9]{0,3}")


class Report(Struct, frozen=True, rename="camel"):
    """What became of one message to one number. ``notifyTime`` is set when it is handed out."""

    uid: str
    msg_id: str
    mobile: str
    status: str
    status_desc: str
    report_time: str
    notify_time: str
    length: str


class Submission(Struct, frozen=True, kw_only=True):
    """A message that is in order: what each number is sent."""

    texts: dict[str, str]
    message: str
    uid: str
    report: bool


class Outbox:
    """Sends, and keeps reports until somebody asks."""

    def __init__(self, *, clock: Clock, entropy: Entropy, rules: ChuanglanRules, inbox: Inbox) -> None:
        """Deliver to ``inbox`` what ``rules`` allow."""
        self._clock = clock
        self._entropy = entropy
        self._rules = rules
        self._inbox = inbox
        self._second: Instant = 0
        self._taken = 0
        self._reports: deque[Report] = deque(maxlen=_REPORTS_KEPT)
        self.balance = rules.balance
        """Messages paid for and not yet sent."""

    def check_address(self, address: str | None) -> None:
        """Refuse a client whose address is not registered (117), where any is."""
        allowed = self._rules.allowed_addresses
        if allowed is not None and address not in allowed:
            raise ChuanglanError("117")

    def count(self) -> None:
        """Count a request; raise 103 where there are too many in this second."""
        second = self._clock.now() // SECOND
        if second != self._second:
            self._second, self._taken = second, 0
        self._taken += 1
        if self._taken > self._rules.requests_a_second:
            raise ChuanglanError("103")

    def check_text(self, text: str, signature: str, extend: str) -> None:
        """Refuse a text that has no length (106), not this signature first (116), or a word it may not have (105)."""
        if not 0 < len(text) <= TEXT_MAX:
            raise ChuanglanError("106")
        signed = _SIGNED.match(text)
        if signed is None or signed[1] != signature:
            raise ChuanglanError("116")
        if any(word in text for word in self._rules.sensitive_words):
            raise ChuanglanError("105")
        if _EXTEND.fullmatch(extend) is None:
            raise ChuanglanError("113")

    def check_number(self, number: str) -> None:
        """Refuse a number that somebody may have (107), or one that stands for a refusal."""
        if not is_synthetic_phone(number):
            raise ChuanglanError("107")
        told = _REFUSED.fullmatch(number)
        if told is not None and told[1] in TEXTS:
            raise ChuanglanError(told[1])

    def send(self, submission: Submission) -> None:
        """Deliver, and charge for it; raise 109 when that is more than was paid for."""
        cost = sum(parts(text) for text in submission.texts.values())
        if cost > self.balance:
            raise ChuanglanError("109")
        self.balance -= cost
        now = self._clock.now()
        for number, text in submission.texts.items():
            if number not in UNREACHED:
                self._inbox.deliver(number, text, code_in(text))
            if submission.report:
                status, words = UNREACHED.get(number, ("DELIVRD", "短信发送成功"))
                self._reports.append(
                    Report(
                        uid=submission.uid,
                        msg_id=submission.message,
                        mobile=number,
                        status=status,
                        status_desc=words,
                        report_time=compact(now)[2:12],
                        notify_time="",
                        length=str(parts(text)),
                    )
                )

    def hand_out(self, count: int) -> list[Report]:
        """Return the oldest reports, each once."""
        return [self._reports.popleft() for _ in range(min(count, len(self._reports)))]

    def message_id(self, digits: int) -> str:
        """Return an id of a message: the time in Beijing and random digits."""
        time = compact(self._clock.now())[2:]
        return time + decimal(self._entropy, digits - len(time))


def parts(text: str) -> int:
    """Return how many messages a text is charged as: one up to 70 characters, beyond it one for each 67."""
    return 1 if len(text) <= _WHOLE else -(-len(text) // _PART)


def compact(instant: Instant) -> str:
    """Write ``instant`` as ``yyyyMMddHHmmss``, Beijing time."""
    return "".join(character for character in beijing_time(instant) if character.isdecimal())
