"""What each page must be told: one frozen class a page.

Handlers build them, :class:`bjidp.web.rendering.Renderer` turns them into HTML. Every class has a ``sample``, with
which a test renders every template, so that neither a field nor a text can be missing when a person sees the page.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal, Protocol, Self, TypeAlias

import msgspec

from bjidp.accounts.registration.flow import Identity
from bjidp.person import DocumentType
from bjidp.proofing.adjudication import Advice
from bjidp.web import centre_pages, recovery_pages
from bjidp.web.form_view import FormView
from bjidp.web.qr_card import QrCard as QrCard  # noqa: PLC0414 - a part of pages

Platform: TypeAlias = Literal["wechat", "alipay", "baidu"]
"""Where the phone's 京通 runs; words under ``platform.*``."""

Tab: TypeAlias = Literal["scan", "account", "legal"]
"""What ``/login?tab=`` may say; anything else is ``scan``."""


class Shell(msgspec.Struct, frozen=True, kw_only=True):
    """What all pages of one server have in common."""

    sandbox: bool
    """Show the loud banner of a demonstration."""
    portal_url: str | None = None
    """Where 返回 leads; without one the link is not shown."""
    portal_name: str = ""
    """What is there, for whoever hears the link without seeing the page: 首都之窗."""


class Page(Protocol):
    """What :class:`bjidp.web.rendering.Renderer` can render.

    One that is made for phones, or that may be, says so by ``h5``: then it leads to the pages for phones.
    """

    template: ClassVar[str]

    @classmethod
    def sample(cls) -> Self:
        """Return an example with every field filled."""
        ...


class Away(StrEnum):
    """Why somebody is at the login page who asked for another; words under ``away.*``."""

    ENDED = "ended"
    """The session of this browser is over."""
    ENDED_BACK = "ended_back"
    """So it is, and the login leads back to the page they asked for."""
    FIRST = "first"
    """The page they asked for is that of whoever is logged in, and the login leads there."""


class LoginPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /login`` for a browser that is not logged in."""

    template: ClassVar[str] = "login.html"

    tab: Tab
    client: str
    """Display name of the site the login is for, for example 首都之窗."""
    flow: str
    basis_url: str
    """Address of :meth:`bjidp.qrlogin.matrix.Basis.encode`."""
    csrf: str
    """For the form of 换一个账号, which is posted to ``/logout``."""
    away: Away | None = None
    embedder: str | None = None
    """Origin of the demonstration page that frames this one and is told each frame; None everywhere else."""

    @property
    def form(self) -> FormView:
        """The form of 账号登录 as nobody has touched it: its captcha is fetched when it is turned to."""
        return FormView(csrf=self.csrf)

    @classmethod
    def sample(cls) -> LoginPage:
        """Return the page as opened from 首都之窗."""
        return cls(
            tab="scan",
            client="首都之窗",
            flow="mDq3vYdV0Yw4h8m0m1iX7A",
            basis_url="/static/qr/0123456789abcdef.bin",
            csrf="example",
            away=Away.ENDED_BACK,
            embedder="http://127.0.0.1:8081",
        )


class AccountLoginPage(msgspec.Struct, frozen=True, kw_only=True):
    """The login page with 账号登录 in front (LOG-3): opened at it, or come back to with something to correct."""

    template: ClassVar[str] = "login.html"
    tab: ClassVar[Tab] = "account"

    client: str
    flow: str
    basis_url: str
    form: FormView
    away: Away | None = None
    embedder: str | None = None

    @property
    def csrf(self) -> str:
        """The token, for the form of 换一个账号."""
        return self.form.csrf

    @classmethod
    def sample(cls) -> AccountLoginPage:
        """Return the page after a wrong password."""
        return cls(
            client="首都之窗",
            flow="mDq3vYdV0Yw4h8m0m1iX7A",
            basis_url="/static/qr/0123456789abcdef.bin",
            form=FormView(
                csrf="example",
                values={"account": "zhang_san"},
                faults={"captcha": "wrong", "password": "missing"},
                note="credentials_wrong",
                captcha="mDq3vYdV0Yw4h8m0m1iX7A",
            ),
        )


PhoneTab: TypeAlias = Literal["password", "code"]
"""What ``/h5/login?tab=`` may say; anything else is ``password``."""


class PhoneLoginPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /h5/login``: 密码登录 and 验证码登录 (LOG-5, LOG-6)."""

    template: ClassVar[str] = "h5_login.html"
    h5: ClassVar[bool] = True

    tab: PhoneTab
    client: str
    form: FormView
    away: Away | None = None

    @classmethod
    def sample(cls) -> PhoneLoginPage:
        """Return 验证码登录 after a wrong captcha."""
        return cls(
            tab="code",
            client="首都之窗",
            away=Away.FIRST,
            form=FormView(
                csrf="example",
                values={"phone": "15412345678", "agreed": "yes"},
                faults={"captcha": "wrong"},
                captcha="mDq3vYdV0Yw4h8m0m1iX7A",
                dispatch="mDq3vYdV0Yw4h8m0m1iX7A",
                wait=60,
            ),
        )


class DocumentTailPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /h5/login/document``: the last characters of the document, for a number long not used (LOG-6)."""

    template: ClassVar[str] = "h5_login_document.html"
    h5: ClassVar[bool] = True

    phone: str
    """Masked."""
    form: FormView
    tries_left: int | None = None
    """Said after a wrong try."""

    @classmethod
    def sample(cls) -> DocumentTailPage:
        """Return the page after a wrong try."""
        return cls(
            phone="154****5678",
            form=FormView(csrf="example", flow="mDq3vYdV0Yw4h8m0m1iX7A", faults={"tail": "wrong"}),
            tries_left=4,
        )


class NoAccountPage(msgspec.Struct, frozen=True, kw_only=True):
    """Says to whoever proved a number that no account has it, and offers to register."""

    template: ClassVar[str] = "h5_no_account.html"
    h5: ClassVar[bool] = True

    phone: str
    """Masked."""

    @classmethod
    def sample(cls) -> NoAccountPage:
        """Return the page."""
        return cls(phone="154****5678")


class VerifyPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /centre/verify/<operation>``: 验证身份 by QR, for whoever is logged in."""

    template: ClassVar[str] = "verify.html"

    operation: str
    """What it is for; words under ``operation.*``."""
    back: str
    """Where 改用短信验证码 leads: the operation's own page."""
    card: QrCard

    @classmethod
    def sample(cls) -> VerifyPage:
        """Return the page of 修改密码."""
        return cls(operation="password", back="/centre/password", card=QrCard.sample())


class SignedInPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /login`` for a browser that is logged in: it gets no ticket."""

    template: ClassVar[str] = "signed_in.html"

    h5: bool = False
    who: str
    """Masked display name."""
    client: str
    next: str
    """Where 继续 leads: the path a login would have led to."""
    csrf: str

    @classmethod
    def sample(cls) -> SignedInPage:
        """Return the page of 张**."""
        return cls(who="张**", client="首都之窗", next="/centre", csrf="example")


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


class RegisterPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /register``: the form for computers."""

    template: ClassVar[str] = "register.html"

    form: FormView
    proved: bool = False
    """The number was proved: it is shown, and no code is asked for."""
    taken: bool = False
    """It is another account's; offers to log in, to recover and to take another number."""

    @classmethod
    def sample(cls) -> RegisterPage:
        """Return the form as it is shown again after a first attempt."""
        return cls(form=_REGISTER_FORM)


class RegisterH5Page(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /h5/register``: the form for phones; otherwise as :class:`RegisterPage`."""

    template: ClassVar[str] = "register_h5.html"
    h5: ClassVar[bool] = True

    form: FormView
    proved: bool = False
    taken: bool = False

    @classmethod
    def sample(cls) -> RegisterH5Page:
        """Return the form as it is shown again after a first attempt."""
        return cls(form=_REGISTER_FORM)


_REGISTER_FORM = FormView(
    csrf="example",
    values={"username": "zhang_san", "phone": "15400000001", "agreed": "yes"},
    faults={"username": "taken", "code": "wrong"},
    flow="mDq3vYdV0Yw4h8m0m1iX7A",
    captcha="nEr4wZeW1Zx5i9n1n2jY8B",
    dispatch="0123456789abcdef0123456789abcdef",
    wait=42,
)


class RegisterIdentityPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /register/identity`` and its like for phones: 实名认证, which may be left for later."""

    template: ClassVar[str] = "register_identity.html"

    form: FormView
    h5: bool
    advice: tuple[Advice, ...] = ()
    """What to do after the authority's no, in its order; words under ``proofing.advice.*``."""
    kinds: tuple[DocumentType, ...] = tuple(DocumentType)

    @classmethod
    def sample(cls) -> RegisterIdentityPage:
        """Return the page for computers, after a no."""
        form = FormView(csrf="example", values={"name": "张三"}, note="identity_mismatch")
        return cls(form=form, h5=False, advice=(Advice.CHECK_AGAIN,))


class RegisteredPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /register/done`` and its like for phones: the end of a registration."""

    template: ClassVar[str] = "register_done.html"

    h5: bool
    username: str
    """Whole: on phones the system has made it, and nobody has seen it yet."""
    next: str | None
    """Where the person came from, unless that is the personal centre."""
    client: str
    """What that is called."""
    home: str
    """The personal centre."""
    identity: Identity = Identity.SKIPPED

    @classmethod
    def sample(cls) -> RegisteredPage:
        """Return the page of somebody who came from 首都之窗."""
        return cls(h5=False, username="zhang_san", next="/authorize", client="首都之窗", home="/centre")


class ScanHintPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /q/<anything>``: one answer for every text, since nothing is looked up."""

    template: ClassVar[str] = "q.html"

    @classmethod
    def sample(cls) -> ScanHintPage:
        """Return the page."""
        return cls()


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


class Article(StrEnum):
    """A page of the help; the value is the end of its address, words under ``help.title.*`` and ``help.text.*``."""

    PHONE_GONE = "phone-gone"
    NO_SMS = "no-sms"
    PERMITS = "permits"
    RARE_CHARACTERS = "rare-characters"
    BUSINESS = "business"
    REBIND = "rebind"
    CANCEL = "cancel"
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


ALL: tuple[type[Page], ...] = (
    LoginPage,
    AccountLoginPage,
    PhoneLoginPage,
    DocumentTailPage,
    NoAccountPage,
    VerifyPage,
    SignedInPage,
    QrStatePage,
    RegisterPage,
    RegisterH5Page,
    RegisterIdentityPage,
    RegisteredPage,
    ScanHintPage,
    *centre_pages.ALL,
    *recovery_pages.ALL,
    MessagePage,
    HelpPage,
    ArticlePage,
    ManualPage,
    ErrorPage,
)
"""Every page there is, for the test that renders them all."""
