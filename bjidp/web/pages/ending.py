"""What the pages at the end of a step, or of a failure, are told."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

import msgspec


class Message(StrEnum):
    """A step that has ended; words under ``message.*``."""

    SIGNED_OUT = "signed_out"
    NOT_ME = "not_me"
    ALL_ENDED = "all_ended"
    """不是我 was said of a change: nobody is logged in any more."""
    CANCELLED = "cancelled"
    UNBOUND = "unbound"
    """解绑: the account has no identity any more, and nobody is logged in to it."""


class MessagePage(msgspec.Struct, frozen=True, kw_only=True):
    """Says that something is done and leads back to the login page, or to recovery first."""

    template: ClassVar[str] = "message.html"

    h5: bool = False
    message: Message

    @property
    def recover(self) -> bool:
        """Whether somebody else may know the password."""
        return self.message in {Message.NOT_ME, Message.ALL_ENDED}

    @classmethod
    def sample(cls) -> MessagePage:
        """Return the page after 退出."""
        return cls(message=Message.SIGNED_OUT)


class ErrorPage(msgspec.Struct, frozen=True, kw_only=True):
    """A problem document for people: the title and what to do next, by the problem's code."""

    template: ClassVar[str] = "error.html"

    code: str
    retry_after: int | None = None
    """Seconds to wait, when waiting helps."""
    h5: bool = False

    @classmethod
    def sample(cls) -> ErrorPage:
        """Return the page of a limit."""
        return cls(code="rate_limited", retry_after=30)
