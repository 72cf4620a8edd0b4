"""What a platform's phone button gives the mini-program when a person presses it and agrees.

Each platform has one; the control call presses it, for the phone simulator and for tests.
"""

from __future__ import annotations

from typing import Protocol


class NoNumber(Exception):
    """The platform knows no number of this user, and its button says so on the phone."""


class NotLoggedIn(Exception):
    """The user has not logged in to this mini-program, so that there is no key to encrypt with."""


class PhoneButton(Protocol):
    """The phone button of one platform."""

    def press(self, user: str, number: str | None) -> dict[str, str]:
        """Return what the mini-program is given for a user with this number.

        Raises :class:`NoNumber` and :class:`NotLoggedIn` where the platform has nothing to give.
        """
        ...
