"""The rules that are numbers or choices: deadlines, scenes, the reverse code, caps.

Owns them as one frozen value that ``bootstrap`` builds from the configuration and passes in. Pure.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct, field

from bjidp.clock import MINUTE, SECOND, Millis

RENEW_AHEAD: Final[Millis] = 6 * SECOND
"""How long before a scan deadline the next ticket is shown (wire.md, section 2)."""


class Purpose(StrEnum):
    """What a ticket is for. A ticket of one purpose is unknown to the others (attack Q18)."""

    LOGIN = "login"
    FACE = "face"
    VERIFY = "verify"
    DEVICE = "device"


class ReverseCode(StrEnum):
    """When two digits shown on the phone must be typed on the computer (attack P9)."""

    NEVER = "never"
    MISMATCH = "mismatch"
    ALWAYS = "always"


class QrPolicy(Struct, frozen=True):
    """Deadlines of wire.md, section 2, in milliseconds, and the caps beside them."""

    scan: Millis = 60 * SECOND
    confirm: Millis = 60 * SECOND
    confirm_face: Millis = 180 * SECOND
    redeem: Millis = 30 * SECOND
    redeem_slow: Millis = 90 * SECOND
    whole: Millis = 240 * SECOND
    whole_face: Millis = 330 * SECOND
    device: Millis = 300 * SECOND
    renewals: int = 5
    step: Millis = 2 * SECOND
    fresh: Millis = 6 * SECOND
    fresh_launch: Millis = 15 * SECOND
    code_tries: int = 3
    reverse_code: ReverseCode = ReverseCode.MISMATCH
    reports_until_code: int = 3
    session: Millis = 12 * 60 * MINUTE
    browser: Millis = 15 * MINUTE
    flows: int = 3
    watchers: int = 2
    remembered: int = 4
    in_app_scenes: frozenset[int] = frozenset({0})
    launch_scenes: dict[str, frozenset[int]] = field(default_factory=lambda: {"wechat": frozenset({1011, 1047})})

    @property
    def renew_ahead(self) -> Millis:
        """How long before its scan deadline a ticket is joined by the next one.

        Never more than half of its time: all renewals of a short one would follow at once.
        """
        return min(RENEW_AHEAD, self.scan // 2)

    def confirm_span(self, purpose: Purpose) -> Millis:
        """Return how long a phone has between scan and confirm; a device ticket is held as long as it lives."""
        if purpose is Purpose.DEVICE:
            return self.device
        return self.confirm_face if purpose is Purpose.FACE else self.confirm

    def scan_span(self, purpose: Purpose) -> Millis:
        """Return how long a ticket waits to be scanned."""
        return self.device if purpose is Purpose.DEVICE else self.scan

    def whole_span(self, purpose: Purpose) -> Millis:
        """Return the cap on a ticket's whole life, which nothing prolongs (attack Q15)."""
        if purpose is Purpose.DEVICE:
            return self.device
        return self.whole_face if purpose is Purpose.FACE else self.whole

    def redeem_span(self, *, slow: bool) -> Millis:
        """Return how long the page has to redeem; ``slow`` where a person must type or press first."""
        return self.redeem_slow if slow else self.redeem

    def frame_window(self, platform: str, scene: int) -> Millis | None:
        """Return how old a frame may be for this scene, or None when the scene is no live camera (attack P2)."""
        if scene in self.in_app_scenes:
            return self.fresh
        if scene in self.launch_scenes.get(platform, frozenset()):
            return self.fresh_launch
        return None
