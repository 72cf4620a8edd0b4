"""What the pages of 我的法人 and 法人登录 are told: one frozen class a page.

Numbers and people's names are masked before they get here; codes and names of organisations are public.
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal

import msgspec

from bjidp.clock import Instant
from bjidp.organisations.errors import Refusal
from bjidp.organisations.mandates import Scope, State
from bjidp.organisations.organisation import Capacity, Role
from bjidp.web.pages.form_view import FormView

_AT: Final = 1_800_000_000_000
_CODE: Final = "91000000MA990001X0"


class MandateView(msgspec.Struct, frozen=True, kw_only=True):
    """A mandate, or an offer, to either side. ``who`` is the other one: masked, empty while nobody has taken it."""

    id: str
    who: str
    phone: str = ""
    """Masked; empty for the agent, who knows their own."""
    name: str = ""
    """Of the organisation; empty below it."""
    credit_code: str = ""
    scope: Scope
    last: Instant
    """Within its last day."""
    answer_by: Instant
    state: State
    ended_at: Instant | None = None
    """When somebody has ended it, before its time."""
    waits: bool = False
    """To the agent: the level of who leads keeps them from acting."""


class LedView(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation of whoever is logged in, with its mandates."""

    id: str
    name: str
    credit_code: str
    confirmed_at: Instant
    refused: bool
    """The register has said no since: nobody acts for it before that is put right."""
    mandates: tuple[MandateView, ...]


Done = Literal["accepted", "declined", "ended", "given_up"]
"""What was pressed a moment ago; words under ``organisations.done.*``."""


class OrganisationsPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /centre/organisations`` and its like for phones: 我的法人."""

    template: ClassVar[str] = "organisations.html"

    h5: bool
    form: FormView
    led: tuple[LedView, ...]
    entrusted: tuple[MandateView, ...]
    offered: tuple[MandateView, ...]
    proved: bool
    """Whoever is logged in is at the level that all of this needs."""
    registers: bool = True
    """There is a register to ask."""
    done: Done | None = None

    @classmethod
    def sample(cls) -> OrganisationsPage:
        """Return the page of somebody who leads one organisation, acts for another, and is offered a third."""
        given = MandateView(
            id="a", who="李**", phone="154****0002", scope=Scope.FILING, last=_AT, answer_by=_AT, state=State.ACCEPTED
        )
        offer = msgspec.structs.replace(given, id="b", who="", state=State.OFFERED)
        over = msgspec.structs.replace(given, id="c", state=State.ENDED)
        taken = msgspec.structs.replace(
            given, waits=True, name="北京朝晖示例商贸有限公司", credit_code=_CODE, who="赵**", phone=""
        )
        waiting = msgspec.structs.replace(taken, id="d", state=State.OFFERED)
        led = LedView(
            id="a",
            name="北京青禾示例科技有限公司",
            credit_code=_CODE,
            confirmed_at=_AT,
            refused=True,
            mandates=(given, offer, over),
        )
        return cls(
            h5=False,
            form=FormView(csrf="example"),
            led=(led,),
            entrusted=(taken, msgspec.structs.replace(taken, state=State.EXPIRED)),
            offered=(waiting,),
            proved=False,
            done="accepted",
        )


class MandateHistoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /centre/organisations/history`` and its like for phones: 委托记录."""

    template: ClassVar[str] = "organisation_history.html"

    h5: bool
    form: FormView
    """None is shown."""
    id: str | None
    """Our own id of the organisation whose mandates these are; None for those of whoever is logged in."""
    name: str | None
    """Of it."""
    mandates: tuple[MandateView, ...]
    older: str | None
    """What the next page begins after; None on the last one."""
    newest: bool
    """It is the first page."""

    @classmethod
    def sample(cls) -> MandateHistoryPage:
        """Return a page of the middle of what was entrusted to somebody."""
        over = MandateView(
            id="a",
            who="赵**",
            name="北京朝晖示例商贸有限公司",
            credit_code=_CODE,
            scope=Scope.FILING,
            last=_AT,
            answer_by=_AT,
            state=State.ENDED,
            ended_at=_AT,
        )
        older = f"{_AT}.mDq3vYdV0Yw4h8m0m1iX7A"
        return cls(
            h5=False,
            form=FormView(csrf="example"),
            id=None,
            name=None,
            mandates=(over, msgspec.structs.replace(over, state=State.EXPIRED, ended_at=None)),
            older=older,
            newest=False,
        )


class GiveUpPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /centre/organisations/give_up`` and its like for phones: 解除登记, before it is done."""

    template: ClassVar[str] = "organisation_give_up.html"

    h5: bool
    form: FormView
    id: str
    name: str
    credit_code: str
    agents: int
    offers: int

    @classmethod
    def sample(cls) -> GiveUpPage:
        """Return the page of an organisation that somebody acts for."""
        return cls(
            h5=False,
            form=FormView(csrf="example"),
            id="a",
            name="北京青禾示例科技有限公司",
            credit_code=_CODE,
            agents=2,
            offers=1,
        )


class RegisterOrganisationPage(msgspec.Struct, frozen=True, kw_only=True):
    """The second step of 登记法人."""

    template: ClassVar[str] = "settings_organisation.html"

    h5: bool
    form: FormView
    advice: Refusal | None = None
    """What the register's no is about; words under ``organisation.advice.*``."""
    setting: Literal["organisation"] = "organisation"

    @classmethod
    def sample(cls) -> RegisterOrganisationPage:
        """Return the form as it is shown again after a first attempt."""
        form = FormView(
            csrf="example",
            flow="mDq3vYdV0Yw4h8m0m1iX7A",
            values={"credit_code": _CODE, "organisation_name": "北京青禾示例科技有限公司"},
            faults={"credit_code": "check_digit", "organisation_name": "empty"},
            note="organisation_refused",
        )
        return cls(h5=False, form=form, advice=Refusal.REPRESENTATIVE)


class AppointPage(msgspec.Struct, frozen=True, kw_only=True):
    """The second step of 邀请经办人."""

    template: ClassVar[str] = "settings_appoint.html"

    h5: bool
    form: FormView
    organisations: tuple[tuple[str, str], ...]
    """Our own id and the name of each that may be chosen."""
    scopes: tuple[Scope, ...] = tuple(Scope)
    setting: Literal["appoint"] = "appoint"

    @classmethod
    def sample(cls) -> AppointPage:
        """Return the form as it is shown again after a first attempt."""
        form = FormView(
            csrf="example",
            flow="mDq3vYdV0Yw4h8m0m1iX7A",
            values={"organisation": "a", "phone": "15400000002", "scope": "filing", "ends_on": "2027-12-31"},
            faults={"organisation": "missing", "phone": "own", "scope": "missing", "ends_on": "past"},
        )
        return cls(h5=False, form=form, organisations=(("a", "北京青禾示例科技有限公司"), ("b", "北京示例研究所")))


class ChoiceView(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation that whoever is logged in may act for."""

    key: str
    name: str
    credit_code: str
    role: Role
    scope: Scope
    last: Instant | None
    """Within the last day of a mandate."""
    current: bool
    waits: bool = False
    """It can be acted in once the 法定代表人 is at the level that it needs."""

    @classmethod
    def of(cls, capacity: Capacity, current: Capacity | None = None, *, waits: bool = False) -> ChoiceView:
        """Return what somebody may act in, beside what they act in now."""
        return cls(
            key=capacity.key,
            name=capacity.organisation.name,
            credit_code=capacity.organisation.credit_code,
            role=capacity.role,
            scope=capacity.scope,
            # A moment of the last day: people say until when, not from when on no more.
            last=None if capacity.until is None else capacity.until - 1,
            current=current is not None and current.key == capacity.key,
            waits=waits,
        )


class ActingPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /centre/acting`` and its like for phones: 法人登录, the choice of whom to act for."""

    template: ClassVar[str] = "acting.html"

    h5: bool
    who: str
    """Masked."""
    form: FormView
    choices: tuple[ChoiceView, ...]
    proved: bool
    """As of :class:`OrganisationsPage`."""
    over: bool = False
    """The session acted for an organisation until now, and does so no more."""
    advice: Refusal | None = None
    """As of :class:`RegisterOrganisationPage`."""

    @property
    def acting(self) -> bool:
        """Whether the session acts for one of them."""
        return any(choice.current for choice in self.choices)

    @classmethod
    def sample(cls) -> ActingPage:
        """Return the page of somebody who leads one and acts for another, after the register said no about it."""
        leads = ChoiceView(
            key="r.a.1",
            name="北京青禾示例科技有限公司",
            credit_code=_CODE,
            role=Role.REPRESENTATIVE,
            scope=Scope.ALL,
            last=None,
            current=True,
        )
        agent = msgspec.structs.replace(
            leads, key="m.b", name="北京示例研究所", role=Role.AGENT, scope=Scope.QUERY, last=_AT, current=False
        )
        form = FormView(csrf="example", note="organisation_refused")
        waits = msgspec.structs.replace(agent, key="m.c", waits=True)
        return cls(
            h5=False,
            who="张**",
            form=form,
            choices=(leads, agent, waits),
            proved=False,
            over=True,
            advice=Refusal.REVOKED,
        )


class Line(msgspec.Struct, frozen=True):
    """An organisation in the panel of 个人中心."""

    name: str
    role: Role


class OrganisationsPanel(msgspec.Struct, frozen=True, kw_only=True):
    """What 个人中心 says of organisations."""

    lines: tuple[Line, ...] = ()
    offers: int = 0
    """Offers that wait for an answer."""
    acting: str | None = None
    """The name of the one that the session acts for."""
    over: bool = False
    """As of :class:`ActingPage`."""


ALL: Final = (OrganisationsPage, MandateHistoryPage, GiveUpPage, RegisterOrganisationPage, AppointPage, ActingPage)
