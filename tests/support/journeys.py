"""People on their way through the flows, one posted form at a time, in plain HTTP at any server by its address.

Owns what a step of each flow is, and how one tells whether the flow has done what it is for. What happens between two
steps, or within one, is the test's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final, Protocol

from bjidp.accounts.identifiers import of_phone, of_username
from bjidp.accounts.member_ports import Member, MemberStore
from bjidp.accounts.ports import AccountStore
from bjidp.audit.event import EventKind
from bjidp.clock import Instant
from bjidp.organisations.ports import OrganisationStore
from bjidp.proofing.ports import IdentityStore
from tests.support.accounts import is_password, member
from tests.support.browser import Browser
from tests.support.calls import Answer, Caller
from tests.support.forms import WebForm, form_of, forms, note, send
from tests.support.inbox import code_to, messages
from tests.support.visitors import (
    ANOTHER,
    BY_CODE,
    CODE_FORM,
    PASSWORD,
    by_password,
    number,
    username,
)

SEND_PROOF: Final = "send the code of 验证身份"
PROVE: Final = "prove"
SEND: Final = "send the code"
SAVE: Final = "save"


class Stores(Protocol):
    """Where a server keeps accounts."""

    @property
    def accounts(self) -> AccountStore: ...

    @property
    def members(self) -> MemberStore: ...

    @property
    def identities(self) -> IdentityStore: ...

    @property
    def organisations(self) -> OrganisationStore: ...


class Journey:
    """Somebody at one flow, in a browser of their own. ``steps`` are the forms that are posted, in order."""

    steps: ClassVar[tuple[str, ...]]
    own: ClassVar[tuple[str, ...]]
    """The steps that no other flow has as well."""
    written: ClassVar[str]
    """The call of a store by which the flow does what it is for."""
    spends: ClassVar[frozenset[str]]
    """Calls of the last step after which something that was proved is used up, and nothing is done with it yet."""
    logged: ClassVar[EventKind]
    """What the account's own log says once when the flow has done what it is for."""
    ends_others: ClassVar[bool] = False
    """Whether no other session of the account outlives it."""

    def __init__(self, caller: Caller, stores: Stores, now: Callable[[], Instant]) -> None:
        """Call through ``caller``; the server has ``stores``, and ``now`` is its time."""
        self.caller = caller
        self.stores = stores
        self.now = now
        self.browser = Browser(caller)
        self.elsewhere = Browser(caller)
        self.phone = number()
        self.name = username()
        self.password = PASSWORD
        self.account = ""
        self.flow = ""
        self._read: dict[str, int] = {}

    async def begins(self) -> None:
        """Have an account, and be logged in to it on another computer."""
        self.account = await member(
            self.stores, self.now(), username=self.name, phone=self.phone, password=self.password
        )
        assert (await by_password(self.elsewhere, self.name, self.password)).status == 303

    async def due(self) -> int:
        """Return which step comes next for somebody who begins again."""
        self.flow = ""
        return 0

    async def form(self, step: str) -> tuple[WebForm, str]:
        """Open the page of a step and fill its form in; return it with the button to press."""
        raise NotImplementedError

    async def is_done(self) -> bool:
        """Tell whether the flow has done what it is for; it has all of it, or nothing."""
        raise NotImplementedError

    async def goes(self, step: str) -> Answer:
        """Do one step."""
        return await self.posts(*await self.form(step))

    async def posts(self, form: WebForm, act: str) -> Answer:
        """Post a form and remember where it leads."""
        return self.took(await send(self.browser, form, act))

    def took(self, answer: Answer) -> Answer:
        """Remember which flow an answer leads to."""
        _, _, flow = (answer.header("Location") or "").partition("?flow=")
        self.flow = flow or self.flow
        return answer

    async def follows(self, answer: Answer) -> Answer:
        """Go wherever an answer leads."""
        while answer.status == 303:
            answer = await self.browser.get(answer.header("Location") or "")
        return answer

    async def times(self) -> int:
        """Return how often the account's log says that it was done."""
        if not self.account:
            return 0
        return sum(event.kind is self.logged for _, event in await self.stores.members.history(self.account, 50))

    async def owner(self) -> Member:
        """Return the account."""
        found = await self.stores.members.member(self.account)
        assert found is not None
        return found

    async def page(self, path: str, action: str | None = None) -> WebForm:
        """Open a page of the flow; return its form with the captcha typed."""
        answer = await self.browser.get(f"{path}?flow={self.flow}" if self.flow else path)
        return await self._solved(form_of(answer, action or path))

    async def code(self, to: str) -> str:
        """Return the code that was sent to a number or an address since the last one was read."""
        found = await code_to(self.caller.sandbox, to, count=self._read.get(to, 0) + 1)
        self._read[to] = len(await messages(self.caller.sandbox, to))
        return found

    async def looks(self, *addresses: str) -> None:
        """Look what has arrived: it is old when the next code is waited for."""
        for to in (self.phone, *addresses):
            self._read[to] = len(await messages(self.caller.sandbox, to))

    async def _solved(self, form: WebForm) -> WebForm:
        if not form.values.get("captcha_id"):
            return form
        return form.typed(captcha=await self.caller.captcha(form.captcha))


class Recovers(Journey):
    """找回密码."""

    steps = own = ("name", SEND, PROVE, SAVE)
    written = "members.set_password"
    spends = frozenset({"drafts.replace"})
    logged = EventKind.PASSWORD_RESET
    ends_others = True

    async def form(self, step: str) -> tuple[WebForm, str]:
        """See :meth:`Journey.form`."""
        match step:
            case "name":
                return (await self.page("/recover")).typed(account=self.name), ""
            case _ if step == SEND:
                await self.looks()
                return await self.page("/recover/code"), "code"
            case _ if step == PROVE:
                form = await self.page("/recover/code")
                return form.typed(code=await self.code(self.phone)), ""
            case _:
                return (await self.page("/recover/password")).typed(password=ANOTHER, again=ANOTHER), ""

    async def is_done(self) -> bool:
        """See :meth:`Journey.is_done`."""
        return await _has_new_password(self)


class Registers(Journey):
    """注册账号."""

    steps = own = (SEND, SAVE)
    written = "members.enrol"
    spends = frozenset({"codes.replace"})
    logged = EventKind.ACCOUNT_REGISTERED

    async def begins(self) -> None:
        """Have no account."""

    async def form(self, step: str) -> tuple[WebForm, str]:
        """See :meth:`Journey.form`."""
        form = await self.page("/register")
        if step == SEND:
            await self.looks()
            return form.typed(username=self.name, phone=self.phone), "code"
        typed = {"password": self.password, "again": self.password, "agreed": "yes"}
        return form.typed(code=await self.code(self.phone), **typed), ""

    async def is_done(self) -> bool:
        """See :meth:`Journey.is_done`."""
        by_phone = await self.stores.members.find([of_phone(self.phone)])
        by_name = await self.stores.members.find([of_username(self.name)])
        assert by_phone == by_name
        if by_phone is None:
            return False
        assert is_password(by_phone.password, self.password)
        self.account = by_phone.standing.account
        return True


class LogsIn(Journey):
    """验证码登录."""

    steps = own = (SEND, SAVE)
    written = "sessions.open"
    spends = frozenset({"codes.replace", "browsers.take"})
    logged = EventKind.LOGIN_BROWSER

    def __init__(self, caller: Caller, stores: Stores, now: Callable[[], Instant]) -> None:
        """See :class:`Journey`."""
        super().__init__(caller, stores, now)
        self._asked: WebForm | None = None

    async def form(self, step: str) -> tuple[WebForm, str]:
        """See :meth:`Journey.form`."""
        if step == SEND:
            await self.looks()
            form = await self._solved(form_of(await self.browser.get(BY_CODE), CODE_FORM))
            return form.typed(phone=self.phone, agreed="yes"), "code"
        assert self._asked is not None
        return self._asked.typed(code=await self.code(self.phone), agreed="yes"), ""

    def took(self, answer: Answer) -> Answer:
        """Keep the form that the code is typed into."""
        asked = [form for form in forms(answer) if form.action == CODE_FORM]
        self._asked = asked[0] if asked else self._asked
        return answer

    async def is_done(self) -> bool:
        """See :meth:`Journey.is_done`."""
        return (await self.browser.get("/h5/centre")).status == 200

    async def times(self) -> int:
        """Return whether it came to a session here; one whose cookie got lost on its way opens nothing to anybody."""
        return int(await self.is_done())


class Changes(Journey):
    """One of the settings of 个人中心, behind 验证身份."""

    setting: ClassVar[str]
    steps: ClassVar[tuple[str, ...]] = (SEND_PROOF, PROVE, SAVE)
    own: ClassVar[tuple[str, ...]] = (SAVE,)
    spends = frozenset({"codes.replace", "proofs.take"})

    async def begins(self) -> None:
        """Be logged in here too."""
        await super().begins()
        await self._logs_in()

    async def due(self) -> int:
        """Log in if need be, and see what the page asks."""
        self.flow = ""
        home = f"/centre/{self.setting}"
        if (await self.browser.get("/centre")).status != 200:
            await self._logs_in()
        proved = not any(form.action == f"{home}/identity" for form in forms(await self.browser.get(home)))
        return self.steps.index(PROVE) + 1 if proved else 0

    async def form(self, step: str) -> tuple[WebForm, str]:
        """See :meth:`Journey.form`."""
        home = f"/centre/{self.setting}"
        if step == SEND_PROOF:
            await self.looks()
            return await self.page(home, f"{home}/identity"), "code"
        if step == PROVE:
            form = await self.page(home, f"{home}/identity")
            return form.typed(code=await self.code(self.phone)), ""
        return await self.change(await self.page(home), step)

    async def change(self, form: WebForm, step: str) -> tuple[WebForm, str]:
        """Fill in what is changed."""
        raise NotImplementedError

    async def _logs_in(self) -> None:
        assert (await by_password(self.browser, self.name, self.password)).status == 303


class ChangesPassword(Changes):
    """修改密码."""

    setting = "password"
    own = (SEND_PROOF, PROVE, SAVE)
    # From where it ends sessions on: what was proved before they were ended counts no more.
    spends = Changes.spends | {"mini_sessions.end_others", "sessions.end_others", "drafts.replace", "sessions.find"}
    written = "members.set_password"
    logged = EventKind.PASSWORD_CHANGED
    ends_others = True

    async def change(self, form: WebForm, step: str) -> tuple[WebForm, str]:
        """See :meth:`Changes.change`."""
        return form.typed(old=PASSWORD, password=ANOTHER, again=ANOTHER), ""

    async def is_done(self) -> bool:
        """See :meth:`Journey.is_done`."""
        return await _has_new_password(self)


class ChangesPhone(Changes):
    """修改手机号."""

    setting = "phone"
    steps = (SEND_PROOF, PROVE, SEND, SAVE)
    own = (SEND, SAVE)
    written = "members.set_phone"
    logged = EventKind.PHONE_CHANGED
    ends_others = True

    def __init__(self, caller: Caller, stores: Stores, now: Callable[[], Instant]) -> None:
        """See :class:`Journey`."""
        super().__init__(caller, stores, now)
        self.new = number()

    async def change(self, form: WebForm, step: str) -> tuple[WebForm, str]:
        """See :meth:`Changes.change`."""
        if step == SEND:
            await self.looks(self.new)
            return form.typed(phone=self.new), "code"
        return form.typed(phone=self.new, code=await self.code(self.new)), ""

    async def is_done(self) -> bool:
        """See :meth:`Journey.is_done`."""
        phone = (await self.owner()).phone
        holds = [await self.stores.members.is_held(of_phone(number)) for number in (self.phone, self.new)]
        assert (phone, holds) in [(self.phone, [True, False]), (self.new, [False, True])]
        return phone == self.new


class ChangesMail(Changes):
    """绑定邮箱."""

    setting = "mail"
    steps = (SEND_PROOF, PROVE, SEND, SAVE)
    written = "members.set_mail"
    logged = EventKind.MAIL_CHANGED

    @property
    def new(self) -> str:
        """The address."""
        return f"{self.name}@mail.example"

    async def change(self, form: WebForm, step: str) -> tuple[WebForm, str]:
        """See :meth:`Changes.change`."""
        if step == SEND:
            await self.looks(self.new)
            return form.typed(mail=self.new), "code"
        return form.typed(mail=self.new, code=await self.code(self.new)), ""

    async def is_done(self) -> bool:
        """See :meth:`Journey.is_done`."""
        mail = (await self.owner()).mail
        assert mail in {None, self.new}
        return mail is not None


class ChangesUsername(Changes):
    """修改用户名."""

    setting = "username"
    written = "members.set_username"
    logged = EventKind.USERNAME_CHANGED

    def __init__(self, caller: Caller, stores: Stores, now: Callable[[], Instant]) -> None:
        """See :class:`Journey`."""
        super().__init__(caller, stores, now)
        self.new = username()

    async def change(self, form: WebForm, step: str) -> tuple[WebForm, str]:
        """See :meth:`Changes.change`."""
        return form.typed(username=self.new), ""

    async def is_done(self) -> bool:
        """See :meth:`Journey.is_done`."""
        held = (await self.owner()).username
        holds = [await self.stores.members.is_held(of_username(name)) for name in (self.first, self.new)]
        assert (held, holds) in [(self.first, [True, False]), (self.new, [False, True])]
        self.name = held
        return held == self.new

    async def begins(self) -> None:
        """Remember the name it began with."""
        self.first = self.name
        await super().begins()


class Cancels(Changes):
    """账号注销."""

    setting = "cancel"
    steps = ("notice", SEND_PROOF, PROVE)
    own = ("notice", PROVE)
    written = "members.cancel"
    logged = EventKind.ACCOUNT_CANCELLED
    ends_others = True

    async def due(self) -> int:
        """Begin with the notice."""
        await super().due()
        return 0

    async def form(self, step: str) -> tuple[WebForm, str]:
        """See :meth:`Journey.form`."""
        return (await self.page("/centre/cancel"), "") if step == "notice" else await super().form(step)

    async def is_done(self) -> bool:
        """See :meth:`Journey.is_done`."""
        found = await self.stores.members.member(self.account)
        names = of_phone(self.phone), of_username(self.name)
        holds = [await self.stores.members.is_held(name) for name in names]
        assert holds == [found is not None] * 2
        return found is None


def tells(answer: Answer) -> bool:
    """Tell whether a page says in words that something has not gone on: above its form or beside a field."""
    return bool(note(answer)) or any(form.faults for form in forms(answer))


async def _has_new_password(journey: Journey) -> bool:
    kept = (await journey.owner()).password
    new = is_password(kept, ANOTHER)
    assert new or is_password(kept, PASSWORD)
    journey.password = ANOTHER if new else PASSWORD
    return new


JOURNEYS: Final = (
    Registers,
    LogsIn,
    Recovers,
    ChangesPassword,
    ChangesPhone,
    ChangesMail,
    ChangesUsername,
    Cancels,
)
