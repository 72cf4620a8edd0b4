"""Answers of image captchas, for tests that have to get past one.

A captcha is the server's, not an outside service's: the server of a demonstration tells each answer before it is shown,
and no other way of starting the server has anything that could.
"""

from __future__ import annotations

from bjidp.sandbox.clock import HOUR, Clock
from bjidp.sandbox.expiring import Expiring


class CaptchaAnswers:
    """Answers by captcha id, for an hour."""

    def __init__(self, clock: Clock) -> None:
        """Start empty."""
        self._clock = clock
        self._answers: Expiring[str] = Expiring()

    def learn(self, captcha: str, answer: str) -> None:
        """Remember the answer of a captcha that was just made."""
        now = self._clock.now()
        self._answers.put(captcha, answer, until=now + HOUR, now=now)

    def answer(self, captcha: str) -> str | None:
        """Return the answer, or None for a captcha not known."""
        return self._answers.get(captcha, self._clock.now())
