"""The room of one-time codes on given short-lived stores."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable
from typing import Protocol, TypeVar

from bjidp.entropy import Entropy
from bjidp.errors import BjidpError
from bjidp.privacy.keyring import Keyring, RootKey
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.records import Records
from bjidp.secret import Secret
from bjidp.throttle.ports import Throttle
from bjidp.verification.captcha import Captcha
from bjidp.verification.captcha_pool import Drawn
from bjidp.verification.captchas import Captchas, CaptchaWindows
from bjidp.verification.code import Binding, Code, Purpose, by_sms
from bjidp.verification.codes import Codes, CodeWindows
from bjidp.verification.limits import MailLimits, MailWindows, SmsLimits, SmsWindows
from bjidp.verification.mail_address import MailAddress, mail_address
from bjidp.verification.number import MobileNumber, mobile_number
from bjidp.verification.tally import Tally

T = TypeVar("T")

PSEUDONYMS = Pseudonyms(Keyring([RootKey(1, Secret(bytes(range(32))))]))


class Stores(Protocol):
    """What the room is built on."""

    @property
    def throttle(self) -> Throttle: ...

    def records(self, name: str, kind: type[T]) -> Records[T]: ...


def codes(stores: Stores, entropy: Entropy, windows: CodeWindows | None = None) -> Codes:
    """Return the use cases of codes; every room on the same stores finds the same codes."""
    return Codes(
        records=stores.records("code", Code),
        throttle=stores.throttle,
        pseudonyms=PSEUDONYMS,
        entropy=entropy,
        windows=windows or CodeWindows(),
    )


def captchas(stores: Stores, entropy: Entropy, answers: dict[str, str] | None = None) -> Captchas:
    """Return the use cases of captchas, with numbered answers for pictures; ``answers`` is told every one by its id."""

    async def witness(captcha: str, answer: str) -> None:
        if answers is not None:
            answers[captcha] = answer

    return Captchas(
        records=stores.records("captcha", Captcha),
        pictures=Album(),
        throttle=stores.throttle,
        pseudonyms=PSEUDONYMS,
        entropy=entropy,
        windows=CaptchaWindows(),
        witness=witness,
    )


class Album:
    """Pictures that are drawn already: the first shows 0000."""

    def __init__(self) -> None:
        self._next = 0

    async def take(self) -> Drawn:
        """Return the next picture."""
        answer = f"{self._next:04d}"
        self._next += 1
        return Drawn(answer, b"picture of " + answer.encode())


def limits(stores: Stores, windows: SmsWindows | None = None) -> SmsLimits:
    """Return the limits of SMS; every room on the same stores counts together."""
    return SmsLimits(
        tallies=stores.records("tally", Tally),
        throttle=stores.throttle,
        pseudonyms=PSEUDONYMS,
        windows=windows or SmsWindows(),
    )


def mail_limits(throttle: Throttle) -> MailLimits:
    """Return the limits of mail; every room on the same throttle counts together."""
    return MailLimits(throttle=throttle, pseudonyms=PSEUDONYMS, windows=MailWindows())


def mail(text: str = "chen@mail.example") -> MailAddress:
    """Read a mail address that must be one."""
    found = mail_address(text)
    assert found is not None
    return found


def number(text: str = "15400000001") -> MobileNumber:
    """Read a number that must be one."""
    found = mobile_number(text)
    assert found is not None
    return found


def binding(purpose: Purpose = Purpose.LOGIN, phone: str = "15400000001", flow: str = "flow-1") -> Binding:
    """Return what a code sent by SMS is bound to."""
    return Binding(purpose, by_sms(number(phone)), flow)


def another(code: Secret) -> str:
    """Return six digits that are not the code."""
    return f"{(int(code.text()) + 1) % 1_000_000:06d}"


async def outcomes(*acts: Awaitable[None]) -> Counter[type[BjidpError] | None]:
    """Count how calls at one moment end; None stands for a success."""
    return Counter(await asyncio.gather(*(outcome(act) for act in acts)))


async def outcome(act: Awaitable[None]) -> type[BjidpError] | None:
    """Return how a call ends."""
    try:
        await act
    except BjidpError as error:
        return type(error)
    return None
