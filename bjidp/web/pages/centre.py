"""What 个人中心 must be told: one frozen class a page, as in :mod:`bjidp.web.pages`.

Every value is masked before it gets here (:mod:`bjidp.accounts.overview`).
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal

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
from bjidp.person import Sex
from bjidp.sessions.ports import Login, Way
from bjidp.standing import Level
from bjidp.web.pages.organisations import Line, OrganisationsPanel


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One session in 我的设备: of a browser, of a phone's 京通, which has no ``way``, or of a ``site``'s device."""

    id: str
    way: str | None
    platform: str | None
    browser: str = ""
    os: str = ""
    area: str | None = None
    first_at: Instant
    last_at: Instant
    here: bool = False
    site: str | None = None
    domain: str = ""
    """The host that was registered, beside the name that anybody could have chosen."""
    until: Instant | None = None
    """When the login of a device is over."""

    @property
    def field(self) -> str:
        """What the form says of it by its id."""
        if self.site is not None:
            return "device"
        return "phone" if self.way is None else "session"

    @property
    def is_told(self) -> bool:
        """Whether anything is known of what a device runs, or of where: most do not say."""
        return self.area is not None or not {self.browser, self.os} <= {"", "unknown", "other"}


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
    """Whether there is a bank to ask."""
    appeal: State | None = None
    """How the appeal stands that was filed last."""
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
        kiosk, terminal = (
            Device(
                id="d.a", way=None, platform=platform, browser="unknown", os=os, first_at=at, last_at=at,
                site="政务大厅自助机", domain="kiosk.example", until=at,
            )
            for platform, os in (("wechat", "unknown"), (None, "Linux"))
        )  # fmt: skip
        return cls(h5=False, devices=[here, other, phone, kiosk, terminal], csrf="example", ended="one")


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
        over = {Fact.ORGANISATION: "o", Fact.MANDATE: "m", Fact.REASON: "representative"}
        entries = (
            Entry(number=9, kind=EventKind.LOGIN_BROWSER, at=at, facts=facts, here=True),
            Entry(number=8, kind=EventKind.LOGIN_MINI, at=at, facts={Fact.PLATFORM: "alipay"}, here=False),
            Entry(number=7, kind=EventKind.SESSION_ENDED, at=at, facts={Fact.REASON: "chosen"}, here=False),
            Entry(number=6, kind=EventKind.PASSWORD_CHANGED, at=at, facts={}, here=False),
            Entry(number=5, kind=EventKind.GRANT_BEGUN, at=at, facts={Fact.CLIENT: "a"}, here=False),
            Entry(number=4, kind=EventKind.MANDATE_ENDED, at=at, facts=over, here=False),
        )
        return cls(h5=False, log=Log(entries, 4), newest=False, sites={"a": "首都之窗"})


class DeniedPage(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to 不是我 about another login: it is over, and what to do next."""

    template: ClassVar[str] = "centre_denied.html"

    h5: bool

    @classmethod
    def sample(cls) -> DeniedPage:
        """Return the page for computers."""
        return cls(h5=False)


ALL: Final = (CentrePage, DevicesPage, SitesPage, LogPage, DeniedPage)
