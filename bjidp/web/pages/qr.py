"""What pages with a code, and the answers to one opened elsewhere, are told."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal, TypeAlias

import msgspec

from bjidp.web.pages.qr_card import QrCard

Platform: TypeAlias = Literal["wechat", "alipay", "baidu"]
"""Where the phone's 京通 runs; words under ``platform.*``."""


class VerifyPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /centre/verify/<operation>``: 验证身份 by QR, for whoever is logged in."""

    template: ClassVar[str] = "verify.html"

    operation: str
    """What it is for; words under ``operation.*``."""
    back: str
    """Where 换一种方式验证 leads: the operation's own page."""
    card: QrCard

    @classmethod
    def sample(cls) -> VerifyPage:
        """Return the page of 修改密码."""
        return cls(operation="password", back="/centre/password", card=QrCard.sample())


class QrState(StrEnum):
    """What the frame of a page without JavaScript shows."""

    WAITING = "waiting"
    SCANNED = "scanned"
    APPROVED = "approved"
    CODE = "code"
    REJECTED = "rejected"
    WRONG_CODE = "wrong_code"
    EXPIRED = "expired"
    ENDED = "ended"
    """The flow is not this browser's, or its time is over: open the page again."""


class QrStatePage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /qr/state``, inside a page with a QR when there is no JavaScript.

    Reloads itself every ``refresh`` seconds while waiting and scanned, never while it shows a field or the way in.
    """

    template: ClassVar[str] = "qr_state.html"

    state: QrState
    flow: str
    csrf: str
    who: str = ""
    """Masked display name: scanned, approved and code."""
    platform: Platform = "wechat"
    seconds_left: int = 0
    """To confirm on the phone: scanned."""
    grant: str = ""
    """For approved and code."""
    tries_left: int = 3
    code_was_wrong: bool = False
    verify: bool = False
    """It is 验证身份 and no login that waits here."""
    refresh: int = 5

    @classmethod
    def sample(cls) -> QrStatePage:
        """Return the state that has every field: a second try of the reverse code."""
        return cls(
            state=QrState.CODE,
            flow="mDq3vYdV0Yw4h8m0m1iX7A",
            csrf="example",
            who="张**",
            grant="example",
            tries_left=2,
            code_was_wrong=True,
        )


class ScanHintPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /q/<anything>``: one answer for every text, since nothing is looked up."""

    template: ClassVar[str] = "q.html"

    @classmethod
    def sample(cls) -> ScanHintPage:
        """Return the page."""
        return cls()
