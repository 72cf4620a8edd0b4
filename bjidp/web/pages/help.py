"""What the pages of 帮助中心 are told."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

import msgspec


class Article(StrEnum):
    """A page of the help; the value is the end of its address, words under ``help.title.*`` and ``help.text.*``."""

    PHONE_GONE = "phone-gone"
    NUMBER_USED = "number-used"
    """The number was somebody else's before; the manual does not ask this one."""
    NO_SMS = "no-sms"
    PERMITS = "permits"
    RARE_CHARACTERS = "rare-characters"
    BUSINESS = "business"
    REBIND = "rebind"
    APPEAL = "appeal"
    CANCEL = "cancel"
    ORGANISATIONS = "organisations"
    TERMS = "terms"
    PRIVACY = "privacy"


AGREEMENTS: tuple[Article, ...] = (Article.TERMS, Article.PRIVACY)
"""What a person agrees to; the other articles answer questions."""


class HelpLink(StrEnum):
    """Where the help leads; words under ``help.link.*``."""

    REGISTER = "/register"
    LOGIN = "/login"
    RECOVER = "/recover"
    CENTRE = "/centre"
    ORGANISATIONS = "/centre/organisations"
    ACTING = "/centre/acting"
    APPEAL = "/centre/appeal"


class HelpPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /help``: the questions (FAQ-2)."""

    template: ClassVar[str] = "help.html"
    questions: ClassVar[tuple[Article, ...]] = tuple(article for article in Article if article not in AGREEMENTS)
    agreements: ClassVar[tuple[Article, ...]] = AGREEMENTS

    h5: bool = False

    @classmethod
    def sample(cls) -> HelpPage:
        """Return the page."""
        return cls()


class ArticlePage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /help/<article>``."""

    template: ClassVar[str] = "article.html"

    h5: bool = False
    article: Article
    leads: tuple[HelpLink, ...]

    @classmethod
    def sample(cls) -> ArticlePage:
        """Return the answer that leads to two pages."""
        return cls(article=Article.REBIND, leads=(HelpLink.REGISTER, HelpLink.RECOVER))


class Task(StrEnum):
    """A task of the manual; words under ``manual.title.*`` and ``manual.steps.*``."""

    REGISTER = "register"
    SCAN = "scan"
    ACCOUNT = "account"
    PHONE_LOGIN = "phone_login"
    RECOVER = "recover"
    IDENTITY = "identity"
    FACE = "face"
    BANK_CARD = "bank_card"
    EXCHANGE = "exchange"
    APPEAL = "appeal"
    ORGANISATION = "organisation"
    ACTING = "acting"
    CANCEL = "cancel"
    PASSWORD = "password"  # noqa: S105 - a task
    PHONE = "phone"
    MAIL = "mail"
    USERNAME = "username"
    ETHNICITY = "ethnicity"
    DEVICES = "devices"
    LOG = "log"


class ManualPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /help/manual``: 用户操作手册, by task."""

    template: ClassVar[str] = "manual.html"
    tasks: ClassVar[tuple[Task, ...]] = tuple(Task)

    h5: bool = False
    pictures: dict[Task, str]
    """Addresses, of those tasks that have one: taken from the real pages by ``scripts/manual_pictures.py``."""

    @classmethod
    def sample(cls) -> ManualPage:
        """Return the page."""
        return cls(pictures={Task.SCAN: "/static/0123456789abcdef/manual/scan.webp"})
