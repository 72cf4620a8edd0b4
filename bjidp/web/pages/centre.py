"""What 个人中心 and the settings must be told: one frozen class a page, as in :mod:`bjidp.web.pages`.

Every value is masked before it gets here (:mod:`bjidp.accounts.overview`).
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal, TypeAlias

import msgspec

from bjidp.accounts.activity import Entry, Log, Reminder
from bjidp.accounts.notices import NoticeKind
from bjidp.accounts.overview import Overview
from bjidp.accounts.ports import Evidence
from bjidp.appeals.appeal import State
from bjidp.audit.event import EventKind, Fact
from bjidp.clock import Instant
from bjidp.oidc.scopes import Scope
from bjidp.organisations.organisation import Role
from bjidp.person import DocumentType, Sex
from bjidp.proofing.adjudication import Advice
from bjidp.sessions.ports import Login, Way
from bjidp.standing import Level
from bjidp.web.pages.form_view import FormView
from bjidp.web.pages.organisations import Line, OrganisationsPanel
from bjidp.web.pages.qr_card import QrCard

_FORM: Final = FormView(
    csrf="example",
    values={"phone": "15400000002", "mail": "zhang@example.com", "username": "zhang_san"},
    faults={"captcha": "wrong", "code": "wrong"},
    flow="mDq3vYdV0Yw4h8m0m1iX7A",
    captcha="nEr4wZeW1Zx5i9n1n2jY8B",
    dispatch="0123456789abcdef0123456789abcdef",
    wait=42,
)


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One session in 我的设备: of a browser, or of a phone's 京通, which has no ``way``."""

    id: str
    way: str | None
    platform: str | None
    browser: str = ""
    os: str = ""
    area: str | None = None
    first_at: Instant
    last_at: Instant
    here: bool = False


class CentrePage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /centre`` and its like for phones."""

    template: ClassVar[str] = "centre.html"

    h5: bool
    who: str
    """Masked display name."""
    account: Overview
    login: Login
    signed_in_at: Instant
    devices: int
    """How many sessions there are, this one among them."""
    sites: int
    """How many sites may read something."""
    reminders: list[Reminder]
    csrf: str
    names: dict[str, str] = {}
    """What the sites of its reminders are called, by their ids."""
    ethnicities: tuple[str, ...] = ()
    """The codes to choose from while 民族 is being changed."""
    ethnicity: str = ""
    """The one that is chosen."""
    fault: str | None = None
    """What is wrong with the choice; words under ``fault.ethnicity.*``."""
    saved: bool = False
    """民族 was changed a moment ago."""
    username: str = ""
    """Whole, where its owner has asked to see it."""
    bank_cards: bool = True
    appeal: State | None = None
    """How the appeal stands that was filed last."""
    """Whether there is a bank to ask."""
    organisations: OrganisationsPanel | None = None
    """None where no register of organisations can be asked."""
    providers: bool = True
    """Whether people may log in by what they have elsewhere."""
    focus: Literal["username", "ethnicity"] | None = None
    """The row whose link was pressed: a keyboard goes on from there."""

    @classmethod
    def sample(cls) -> CentrePage:
        """Return the page of 张**, who changes 民族 and has something to be reminded of."""
        return cls(
            h5=False,
            who="张**",
            account=Overview(
                username="******3217931",
                has_password=True,
                phone="150****7931",
                mail=None,
                sex=Sex.FEMALE,
                ethnicity=None,
                level=Level.L3,
                name="张**",
                document="***********2610",
                evidence=Evidence.FACE,
            ),
            login=Login(Way.QR, "wechat", None, "Chrome", "Windows", "北京市", b"", None),
            signed_in_at=1_800_000_000_000,
            devices=3,
            sites=2,
            reminders=[
                Reminder(at=1_800_000_000_000, notice=NoticeKind.PASSWORD_CHANGED, new=True),
                Reminder(at=1_799_990_000_000, session="s", platform="alipay", browser="Edge", os="macOS"),
                Reminder(at=1_799_980_000_000, session="d.s", client="kiosk"),
                Reminder(at=1_799_970_000_000, session="d.t", client="removed"),
            ],
            csrf="example",
            names={"kiosk": "政务大厅自助机"},
            ethnicities=("HA", "MA"),
            ethnicity="MA",
            fault="missing",
            saved=True,
            username="bjt_48213217931",
            organisations=OrganisationsPanel(
                lines=(Line("北京青禾示例科技有限公司", Role.REPRESENTATIVE), Line("北京示例研究所", Role.AGENT)),
                offers=1,
                acting="北京青禾示例科技有限公司",
                over=True,
            ),
            focus="username",
        )


class DevicesPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /centre/devices`` and its like for phones: 我的设备."""

    template: ClassVar[str] = "centre_devices.html"

    h5: bool
    devices: list[Device]
    csrf: str
    ended: Literal["one", "others", "none"] | None = None
    """What was ended a moment ago; words under ``devices.ended.*``."""

    @classmethod
    def sample(cls) -> DevicesPage:
        """Return a list of every kind."""
        at = 1_800_000_000_000
        here = Device(
            id="a", way="qr", platform="wechat", browser="Chrome", os="Windows", area="北京市", first_at=at, last_at=at,
            here=True,
        )  # fmt: skip
        other = Device(id="b", way="password", platform=None, browser="unknown", os="unknown", first_at=at, last_at=at)
        phone = Device(id="c", way=None, platform="baidu", first_at=at, last_at=at)
        return cls(h5=False, devices=[here, other, phone], csrf="example", ended="one")


class AgreedSite(msgspec.Struct, frozen=True, kw_only=True):
    """A site that may read something."""

    client: str
    name: str
    domain: str
    """The host that was registered, beside the name that anybody could have chosen."""
    scopes: tuple[Scope, ...]
    agreed_at: Instant
    is_in: bool = False
    away: bool = False
    ethnicity: bool = False
    """As of :class:`bjidp.web.pages.oidc.ConsentPage`."""


class SitesPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /centre/sites`` and its like for phones: 授权管理."""

    template: ClassVar[str] = "centre_sites.html"

    h5: bool
    sites: tuple[AgreedSite, ...]
    csrf: str
    done: Literal["withdrawn", "none"] | None = None
    """What was done a moment ago; words under ``sites.done.*``."""

    @classmethod
    def sample(cls) -> SitesPage:
        """Return a list of two."""
        at = 1_800_000_000_000
        portal = AgreedSite(
            client="a", name="首都之窗", domain="portal.example", scopes=(Scope.OPENID, Scope.IDENTITY), agreed_at=at,
            is_in=True, away=True,
        )  # fmt: skip
        other = AgreedSite(
            client="b",
            name="网上办事大厅",
            domain="banshi.example",
            scopes=(Scope.OPENID,),
            agreed_at=at,
            ethnicity=True,
        )
        return cls(h5=False, sites=(portal, other), csrf="example", done="withdrawn")


class LogPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /centre/log`` and its like for phones: 登录记录."""

    template: ClassVar[str] = "centre_log.html"

    h5: bool
    log: Log
    newest: bool
    """It is the first page."""
    sites: dict[str, str] = {}
    """The names of the sites in it, by their ids."""

    @classmethod
    def sample(cls) -> LogPage:
        """Return a page of the middle."""
        at = 1_800_000_000_000
        facts = {Fact.WAY: "qr", Fact.PLATFORM: "wechat", Fact.BROWSER: "Chrome", Fact.OS: "Windows"}
        entries = (
            Entry(number=9, kind=EventKind.LOGIN_BROWSER, at=at, facts=facts, here=True),
            Entry(number=8, kind=EventKind.LOGIN_MINI, at=at, facts={Fact.PLATFORM: "alipay"}, here=False),
            Entry(number=7, kind=EventKind.SESSION_ENDED, at=at, facts={Fact.REASON: "chosen"}, here=False),
            Entry(number=6, kind=EventKind.PASSWORD_CHANGED, at=at, facts={}, here=False),
            Entry(number=5, kind=EventKind.GRANT_BEGUN, at=at, facts={Fact.CLIENT: "a"}, here=False),
        )
        return cls(h5=False, log=Log(entries, 5), newest=False, sites={"a": "首都之窗"})


class DeniedPage(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to 不是我 about another login: it is over, and what to do next."""

    template: ClassVar[str] = "centre_denied.html"

    h5: bool

    @classmethod
    def sample(cls) -> DeniedPage:
        """Return the page for computers."""
        return cls(h5=False)


Setting: TypeAlias = Literal[
    "password",
    "phone",
    "mail",
    "username",
    "real_name",
    "bank_card",
    "face",
    "exchange",
    "unbind",
    "organisation",
    "appoint",
    "withdraw_appeal",
    "reauthenticate",
    "cancel",
]
"""What 个人中心 changes after 验证身份; words under ``settings.title.*`` and ``settings.step.*``."""


class IdentityPage(msgspec.Struct, frozen=True, kw_only=True):
    """验证身份 by SMS, the first step of every setting."""

    template: ClassVar[str] = "settings_identity.html"

    h5: bool
    setting: Setting
    phone: str | None
    """The masked number the code goes to; without one the step is done in 京通."""
    linked: bool
    """There is a 京通 of the account, which can be asked in the place of a code."""
    form: FormView
    first: bool = False
    """The account has no password, or no number, to change: it gets its first one."""

    @classmethod
    def sample(cls) -> IdentityPage:
        """Return the step as it is shown again after a first attempt."""
        return cls(h5=False, setting="password", phone="180****9749", linked=True, form=_FORM)


class SettingPage(msgspec.Struct, frozen=True, kw_only=True):
    """The second step of a setting: what is to be changed."""

    template: ClassVar[str] = "settings_change.html"

    h5: bool
    setting: Setting
    former: str | None
    """What it is now, masked; for a password whether there is one."""
    form: FormView
    proved: bool = False
    """The new number or address was proved: it is shown, and no code is asked for."""

    @property
    def first(self) -> bool:
        """As of :class:`IdentityPage`."""
        return self.setting in {"password", "phone"} and self.former is None

    @classmethod
    def sample(cls) -> SettingPage:
        """Return the form of a new number as it is shown again after a first attempt."""
        return cls(h5=False, setting="phone", former="180****9749", form=_FORM)


class CancelPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /centre/cancel`` and its like for phones: what the end of an account means."""

    template: ClassVar[str] = "settings_cancel.html"

    h5: bool
    proved: bool
    """It is proved who is here: the button ends the account."""
    form: FormView

    @classmethod
    def sample(cls) -> CancelPage:
        """Return the notice."""
        return cls(h5=False, proved=True, form=FormView(csrf="example", flow="mDq3vYdV0Yw4h8m0m1iX7A"))


class RealNamePage(msgspec.Struct, frozen=True, kw_only=True):
    """The second step of 实名认证 and of 换绑: who somebody is."""

    template: ClassVar[str] = "settings_real_name.html"

    h5: bool
    setting: Setting
    form: FormView
    advice: tuple[Advice, ...] = ()
    """What to do after the authority's no, in its order; words under ``proofing.advice.*``."""
    kinds: tuple[DocumentType, ...] = tuple(DocumentType)

    @classmethod
    def sample(cls) -> RealNamePage:
        """Return the form as it is shown again after a first attempt."""
        values = {"document_type": "hk_permit", "name": "张三", "document_number": "H99990001", "term": "until"}
        faults = {"valid_from": "missing", "valid_to": "missing", "sex": "missing"}
        form = msgspec.structs.replace(_FORM, values=values, faults=faults, note="identity_mismatch")
        return cls(h5=False, setting="real_name", form=form, advice=(Advice.ASK_ISSUER, Advice.GO_OFFLINE))


class BankCardPage(msgspec.Struct, frozen=True, kw_only=True):
    """The second step of 银行卡认证: the four factors."""

    template: ClassVar[str] = "settings_bank_card.html"

    h5: bool
    form: FormView
    advice: tuple[Advice, ...] = ()
    """As of :class:`RealNamePage`."""
    proved: bool = False
    """The reserved number needs no code."""
    setting: Setting = "bank_card"

    @classmethod
    def sample(cls) -> BankCardPage:
        """Return the form as it is shown again after a first attempt."""
        form = msgspec.structs.replace(
            _FORM, values=_FORM.values | {"name": "张三"}, faults={"card_number": "not_debit"}, note="identity_mismatch"
        )
        return cls(h5=False, form=form, advice=(Advice.ASK_BANK,))


class FacePage(msgspec.Struct, frozen=True, kw_only=True):
    """The second step of 人脸识别认证: the code for the phone. There is none on phones."""

    template: ClassVar[str] = "settings_face.html"

    card: QrCard
    setting: Setting = "face"

    @classmethod
    def sample(cls) -> FacePage:
        """Return the page."""
        return cls(card=QrCard.sample())


class FaceFirstPage(msgspec.Struct, frozen=True, kw_only=True):
    """What comes before 人脸识别认证; words under ``face.first.*``."""

    template: ClassVar[str] = "settings_face_first.html"

    h5: bool
    need: Literal["real_name", "held", "jingtong", "screen"]
    """``screen``: another one than the phone's own, which it cannot scan."""
    onward: str | None = None
    """Where a site waits that has asked for it."""

    @classmethod
    def sample(cls) -> FaceFirstPage:
        """Return what an account without an identity is told that a site has asked for more."""
        return cls(h5=False, need="real_name", onward="/oauth/continue?request=mDq3vYdV0Yw4h8m0m1iX7A")


class PhoneFirstPage(msgspec.Struct, frozen=True, kw_only=True):
    """What comes before stating anybody for an account without a phone; words under ``phone.first.*``."""

    template: ClassVar[str] = "settings_phone_first.html"

    h5: bool
    setting: Setting
    form: FormView
    """None is shown."""

    @classmethod
    def sample(cls) -> PhoneFirstPage:
        """Return what an account that was born in 京通 is told."""
        return cls(h5=False, setting="exchange", form=FormView(csrf="example"))


class IdentityFirstPage(msgspec.Struct, frozen=True, kw_only=True):
    """换绑 and 解绑 for an account without an identity; words under ``identity.first.*``."""

    template: ClassVar[str] = "settings_identity_first.html"

    h5: bool
    setting: Setting
    form: FormView
    """None is shown."""

    @classmethod
    def sample(cls) -> IdentityFirstPage:
        """Return what such an account is told."""
        return cls(h5=False, setting="unbind", form=FormView(csrf="example"))


class UnbindPage(msgspec.Struct, frozen=True, kw_only=True):
    """解绑, once it is proved who is here: the button gives the identity up."""

    template: ClassVar[str] = "settings_unbind.html"

    h5: bool
    form: FormView

    @classmethod
    def sample(cls) -> UnbindPage:
        """Return the page."""
        return cls(h5=False, form=FormView(csrf="example", flow="mDq3vYdV0Yw4h8m0m1iX7A"))


class SettingDonePage(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a setting, or the wait for it; the answer leads on by itself after a while."""

    template: ClassVar[str] = "settings_done.html"

    h5: bool
    setting: Setting
    saving: bool = False
    """Another post of the same form is being written: this page looks again in a second."""
    held_by: tuple[Evidence, ...] | None = None
    """The identity is another account's; these proofs bring it here, none where only people decide (RNV-7)."""
    bank_cards: bool = False
    """Whether there is a bank to ask."""
    onward: str | None = None
    """Where a site waits that has asked for more than there was."""

    @property
    def back(self) -> Literal["organisations", "appeal"] | None:
        """The page of 个人中心 that it was begun on, and leads back to; words under ``settings.done.back.*``."""
        match self.setting:
            case "organisation" | "appoint":
                return "organisations"
            case "withdraw_appeal":
                return "appeal"
            case _:
                return None

    @classmethod
    def sample(cls) -> SettingDonePage:
        """Return the end of 修改密码."""
        return cls(h5=False, setting="password")


ALL: Final = (
    CentrePage,
    DevicesPage,
    SitesPage,
    LogPage,
    DeniedPage,
    IdentityPage,
    SettingPage,
    CancelPage,
    RealNamePage,
    BankCardPage,
    FacePage,
    FaceFirstPage,
    PhoneFirstPage,
    IdentityFirstPage,
    UnbindPage,
    SettingDonePage,
)
