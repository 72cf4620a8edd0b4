"""People in front of a screen, as in the journeys."""

from __future__ import annotations

from tests.browser.conftest import computer, computer_at, handheld, handheld_at, phone, phone_at

__all__ = ["computer", "computer_at", "handheld", "handheld_at", "phone", "phone_at"]
