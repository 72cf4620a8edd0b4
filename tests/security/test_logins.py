"""Logins by a form and registration: guesses, lock-outs, races, and what a stranger learns (attacks O2 to O12, R1)."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from statistics import median
from typing import Final

import pytest
from argon2 import PasswordHasher
from msgspec import Struct

from bjidp.accounts.member_ports import NewMember
from bjidp.audit.event import EventKind
from bjidp.clock import SystemClock
from bjidp.platforms import Platform, PlatformIdentity
from tests.security.conftest import Own
from tests.security.test_miniprogram import configured, open_id_of
from tests.support.accounts import stores_at
from tests.support.browser import Browser
from tests.support.calls import Answer, Caller
from tests.support.crowd import Crowd
from tests.support.forms import form_of, note, send
from tests.support.inbox import code_to
from tests.support.login import logged_in
from tests.support.phone import Phone
from tests.support.visitors import (
    ANOTHER,
    BY_CODE,
    CODE_FORM,
    H5_LOGIN,
    PASSWORD,
    PC_LOGIN,
    another,
    by_password,
    login_code,
    number,
    opened,
    registering,
    solved,
    username,
)

PEOPLE: Final = 100
WRONG: Final = "账号或密码不正确"
KNOWN: Final = "bjidp_known"

_LOOSE: Final = re.compile(r"[A-Za-z0-9_-]{22,43}|[0-9a-f]{32}|\b(5[0-9]|60)\b")
"""Ids, tokens, and the seconds until another message may be asked for."""


class Member(Struct, frozen=True):
    """Somebody with an account whose number was sent nothing yet."""

    account: str
    username: str
    phone: str


class Town(Struct, frozen=True):
    """A demo of the run's own, and people who have an account there with :data:`PASSWORD`."""

    home: Own
    people: list[Member]

    def somebody(self) -> Member:
        """Return a person whom no other test meets."""
        return self.people.pop()


@pytest.fixture(scope="module")
def town(home: Own) -> Town:
    """The run's own demo with people."""
    kept = hashed()

    async def settle() -> list[Member]:
        people = []
        async with stores_at(home.demo.config) as stores:
            for _ in range(PEOPLE + 60):
                new = NewMember(username=username(), phone=number(), password=kept)
                standing = await stores.members.enrol(new, SystemClock().now())
                people.append(Member(standing.account, str(new.username), str(new.phone)))
        return people

    return Town(home, asyncio.run(settle()))


@pytest.fixture
async def calling(town: Town, request: pytest.FixtureRequest) -> AsyncIterator[Caller]:
    """A client of that demo, from an address of its own."""
    octet = sum(request.node.name.encode()) % 250 + 1
    async with Caller(town.home.at, f"127.0.85.{octet}") as caller:
        yield caller


def sql(home: Own, statement: str, *values: object) -> None:
    """Change a row of the server's database, as its operator would."""
    with closing(sqlite3.connect(home.database, timeout=10)) as database, database:
        database.execute(statement, values)


def face(answer: Answer, typed: str) -> tuple[int, tuple[tuple[str, str], ...], str]:
    """Return an answer but for its ids and for what was typed."""
    headers = tuple((name, _LOOSE.sub("-", value)) for name, value in answer.headers if name != "Date")
    return answer.status, headers, _LOOSE.sub("-", answer.text.replace(typed, "-"))


def is_separable(times: dict[str, list[float]]) -> bool:
    """Tell whether the medians of two groups are far enough apart for a stranger to tell them by."""
    medians = [median(values) for values in times.values()]
    return max(medians) > 1.5 * min(medians) + 0.0005


# ----------------------------------------------------------------------------------------------- what a stranger learns


@pytest.mark.attack("R1")
@pytest.mark.req("LOG-3", "LOG-5")
async def test_a_wrong_password_is_answered_alike_for_a_hundred_people_and_a_hundred_whom_nobody_knows(
    town: Town, calling: Caller
) -> None:
    """The same bytes in the same time, whichever name is typed."""
    clock = asyncio.get_running_loop().time
    faces: dict[str, set[object]] = {"known": set(), "nobody": set()}
    times: dict[str, list[float]] = {"known": [], "nobody": []}
    browser = Browser(calling)
    form = await opened(browser, H5_LOGIN)
    for turn, person in enumerate(town.people[:PEOPLE]):
        known = person.username if turn % 2 else person.phone
        nobody = username() if turn % 2 else number()
        for group, name in (("known", known), ("nobody", nobody)):
            typed = form.typed(account=name, password=ANOTHER, agreed="yes")
            started = clock()
            answer = await send(browser, typed)
            times[group].append(clock() - started)
            assert WRONG in answer.text
            faces[group].add(face(answer, name))
            form = await solved(browser, form_of(answer, H5_LOGIN))
    assert faces["known"] == faces["nobody"]
    # A name is longer than a number, and so is a page with it.
    assert len(faces["known"]) == 2
    assert not is_separable(times), times


@pytest.mark.attack("R1")
@pytest.mark.req("LOG-6", "REG-2")
@pytest.mark.parametrize(
    ("page", "way"), [(BY_CODE, CODE_FORM), ("/register", "/register"), ("/h5/register", "/h5/register")]
)
async def test_a_code_is_asked_for_alike_whoever_the_number_belongs_to(
    town: Town, calling: Caller, page: str, way: str
) -> None:
    """The first and the one that comes too soon, by page and by script; and a message goes out to either."""
    faces: dict[str, set[object]] = {"known": set(), "nobody": set()}
    for turn in range(6):
        accept = "application/json" if turn % 2 else "text/html"
        for group, phone in (("known", town.somebody().phone), ("nobody", number())):
            for which, statuses in (("first", {200, 303}), ("too soon", {429})):
                browser = Browser(calling)
                form = (await opened(browser, page, way)).typed(phone=phone)
                answer = await send(browser, form, "code", Accept=accept)
                assert answer.status in statuses
                faces[group].add((accept, which, face(answer, phone)))
            await code_to(calling.sandbox, phone)
    assert faces["known"] == faces["nobody"]
    assert len(faces["known"]) == 4


@pytest.mark.attack("R1", "O12")
async def test_a_name_that_nobody_has_is_guarded_like_one_that_somebody_has(town: Town, calling: Caller) -> None:
    """Ten tries in a quarter of an hour, then the same refusal: a limit tells no more than a password."""
    told: list[list[tuple[int, set[str], str]]] = []
    for name in (town.somebody().phone, number()):
        said: list[tuple[int, set[str], str]] = []
        for _ in range(12):
            answer = await by_password(Browser(calling), name, ANOTHER, H5_LOGIN)
            headers = {header for header, _ in answer.headers}
            said.append((answer.status, headers, note(answer)))
        told.append(said)
    assert told[0] == told[1]
    assert [status for status, *_ in told[0]] == [422] * 10 + [429] * 2


# ------------------------------------------------------------------------------------------------------------- guesses


@pytest.mark.attack("O2", "O4", "T10")
async def test_forty_passwords_in_the_same_instant_from_twenty_addresses_are_ten(town: Town) -> None:
    """Tries are counted by account before they are compared, whichever address, browser, header and name they have."""
    person = town.somebody()
    names = [person.username, person.phone, f"+86 {person.phone}", person.username.upper()]
    told: Counter[int] = Counter()
    for turn in range(20):
        async with Caller(town.home.at, f"127.0.84.{turn + 1}") as elsewhere:
            posts = []
            for half in range(2):
                browser = Browser(elsewhere)
                form = (await opened(browser, PC_LOGIN)).typed(account=names[(turn + half) % 4], password=ANOTHER)
                posts.append(send(browser, form, **{"X-Forwarded-For": f"198.51.100.{turn}"}))
            told.update(answer.status for answer in await asyncio.gather(*posts))
    assert told == {422: 10, 429: 30}
    async with Caller(town.home.at, "127.0.84.99") as elsewhere:
        refused = await by_password(Browser(elsewhere), person.username, PASSWORD)
        assert refused.status == 429
        assert 0 < int(refused.header("Retry-After") or 0) <= 15 * 60


@pytest.mark.attack("O4")
async def test_thirty_passwords_in_one_instant_are_ten(town: Town, calling: Caller) -> None:
    """Parallel posts do not share a try: what is not refused at once has been counted."""
    person = town.somebody()
    browsers = [Browser(calling) for _ in range(30)]
    forms = [
        (await opened(browser, H5_LOGIN)).typed(account=person.phone, password=ANOTHER, agreed="yes")
        for browser in browsers
    ]
    answers = await asyncio.gather(*(send(*pair) for pair in zip(browsers, forms, strict=True)))
    told = Counter(answer.status for answer in answers)
    # The hasher turns away what would wait too long (503): that is counted, and nothing is learnt from it.
    assert told[422] + told[503] == 10, told
    assert told[429] == 20


@pytest.mark.attack("O12")
@pytest.mark.req("LOG-1")
async def test_whoever_guesses_locks_no_owner_out(town: Town, calling: Caller, crowd: Crowd) -> None:
    """After twenty bad passwords and ten bad codes of a stranger's: the browser that is known, and the phone's QR."""
    # Their first login by QR is from a network of this test's: to all others they would be asked for a code.
    phone = await crowd.apart(calling, resident=True)
    person = await named(town.home, calling, phone)
    own = Browser(calling)
    assert (await by_password(own, person.username, PASSWORD)).status == 303
    async with Caller(town.home.at, "127.0.84.120") as elsewhere:
        for turn in range(20):
            told = await by_password(Browser(elsewhere), (person.username, person.phone)[turn % 2], ANOTHER)
            # The owner's first login, on a browser that nobody knew, was a stranger's try like these.
            assert told.status == (422 if turn < 9 else 429), turn
        guesser = Browser(elsewhere)
        form, code = await login_code(guesser, person.phone)
        for turn in range(10):
            assert (await send(guesser, form.typed(code=another(code, turn + 1)))).status in {422, 429}
        # The right password too: a guesser is not told that it was.
        assert (await by_password(Browser(elsewhere), person.username, PASSWORD)).status == 429

    again = Browser(calling)
    known = town.home.at.cookie(KNOWN)
    again.cookies[known] = own.cookies[known]
    assert (await by_password(again, person.username, PASSWORD)).status == 303
    by_qr = await logged_in(calling, phone)
    for browser in (own, again, by_qr):
        assert "您已登录" in (await browser.get("/login")).text


@pytest.mark.attack("O12")
async def test_what_a_browser_is_known_by_is_good_for_its_own_account_and_unforged_alone(
    town: Town, calling: Caller
) -> None:
    """A share of the tries is for a browser that the account has logged in on; any other cookie is a stranger's."""
    victim, thief = town.somebody(), town.somebody()
    known = calling.to.cookie(KNOWN)
    theirs = Browser(calling)
    assert (await by_password(theirs, thief.username, PASSWORD)).status == 303
    for _ in range(10):
        assert (await by_password(Browser(calling), victim.username, ANOTHER)).status == 422
    name, _, tag = theirs.cookies[known].partition(".")
    for forged in (theirs.cookies[known], name, f"{name}.{tag[::-1]}", f"{name}.{'A' * 22}", f"{tag}.{name}", "", "."):
        browser = Browser(calling)
        browser.cookies[known] = forged
        assert (await by_password(browser, victim.username, PASSWORD)).status == 429, forged


# ---------------------------------------------------------------------------------------------------- who may not be in


@pytest.mark.attack("Q21", "T3")
@pytest.mark.parametrize("status", ["locked", "cancelled"])
async def test_an_account_that_may_not_be_used_is_let_in_by_no_form(town: Town, calling: Caller, status: str) -> None:
    """Neither by password nor by code, as by QR; a session it had is over; and only its owner is told of it."""
    person = town.somebody()
    inside = Browser(calling)
    assert (await by_password(inside, person.username, PASSWORD)).status == 303
    asking = Browser(calling)
    form, code = await login_code(asking, person.phone)
    sql(town.home, "UPDATE account SET status = ? WHERE id = ?", status, person.account)
    wrong, nobody = [await by_password(Browser(calling), name, ANOTHER, H5_LOGIN) for name in (person.phone, number())]
    assert (wrong.status, note(wrong)) == (nobody.status, note(nobody)) == (422, note(nobody))
    for page in (PC_LOGIN, H5_LOGIN):
        browser = Browser(calling)
        assert (await by_password(browser, person.phone, PASSWORD, page)).status == 403
        assert browser.session is None
    assert (await send(asking, form.typed(code=code))).status == 403
    assert asking.session is None
    assert (await inside.get("/centre")).status == 303


@pytest.mark.attack("T1", "Q28")
@pytest.mark.parametrize("way", ["password", "password on a phone", "code", "registration"])
async def test_every_way_in_makes_a_session_that_nobody_chose(town: Town, calling: Caller, way: str) -> None:
    """Cookies from before the login are worth nothing after it, whoever planted them; the browser's secret ends."""
    person = town.somebody()
    to = calling.to
    browser = Browser(calling)
    browser.cookies[to.cookie("bjidp_browser")] = browser.cookies[to.cookie("bjidp_session")] = "x" * 43
    page = {"password": PC_LOGIN, "password on a phone": H5_LOGIN, "code": BY_CODE, "registration": "/register"}[way]
    await browser.get(page)
    assert browser.secret not in {None, "x" * 43}
    if way == "code":
        form, code = await login_code(browser, person.phone)
        form = form.typed(code=code)
    elif way == "registration":
        form = await registering(browser, number(), username())
    else:
        form = (await opened(browser, page)).typed(account=person.phone, password=PASSWORD)
        form = form if page == PC_LOGIN else form.typed(agreed="yes")
    before = browser.copy()
    assert (await send(browser, form)).status == 303
    assert browser.session not in {None, "x" * 43, before.secret}
    assert len(browser.session or "") == 43
    assert "您已登录" in (await browser.get("/login")).text
    if way != "registration":
        renewed = await calling.post("/captcha", {}, headers=before.headers(to.url))
        assert renewed.verdict == (403, "browser_unknown")
    for swapped in (before.secret, "x" * 43):
        stranger = Browser(calling)
        stranger.cookies[to.cookie("bjidp_session")] = swapped or ""
        assert (await stranger.get("/centre")).status == 303
    # The form again, with the cookies of before: nobody gets in by it a second time.
    replayed = before.copy()
    answer = await send(replayed, form)
    if way == "registration":
        # It is the same person's, who may not have got the answer: the session of the first is over then.
        assert (answer.status, (await browser.get("/centre")).status) == (303, 303)
    else:
        assert replayed.session in {None, "x" * 43}


@pytest.mark.attack("O9", "T1")
@pytest.mark.req("LOG-6")
async def test_a_form_with_a_code_that_is_sent_twenty_times_leaves_one_session(town: Town, calling: Caller) -> None:
    """Whoever presses the button again and again is in once; the cookies of all other answers are worth nothing."""
    person = town.somebody()
    browser = Browser(calling)
    form, code = await login_code(browser, person.phone)
    copies = [browser.copy() for _ in range(20)]
    answers = await asyncio.gather(*(send(copy, form.typed(code=code)) for copy in copies))
    assert {answer.status for answer in answers} <= {303, 410, 422}
    alive = [copy for copy in copies if copy.session and (await copy.get("/centre")).status == 200]
    assert len(alive) == 1


@pytest.mark.attack("Q28")
async def test_a_browser_that_is_logged_in_becomes_nobody_else_by_a_form(town: Town, calling: Caller) -> None:
    """Whoever plants a login in somebody's browser finds it taken; the page says whose it is."""
    theirs = town.somebody()
    browser = Browser(calling)
    planted = [
        (await opened(browser, PC_LOGIN)).typed(account=theirs.username, password=PASSWORD),
        (await opened(browser, H5_LOGIN)).typed(account=theirs.username, password=PASSWORD, agreed="yes"),
    ]
    code, digits = await login_code(browser, theirs.phone)
    # By a registration, after which the browser is still the one that these forms are from.
    assert (await send(browser, await registering(browser, number(), username()))).status == 303
    session = browser.session
    for form in (*planted, code.typed(code=digits)):
        answer = await send(browser, form)
        assert answer.status == 303
        assert str(answer.header("Location")).partition("?")[0] in {"/login", "/h5/login"}
        assert not answer.cookies
    assert browser.session == session
    assert "您已登录" in (await browser.get("/login")).text


# --------------------------------------------------------------------------------------------------------- registration


@pytest.mark.attack("O9", "O4")
@pytest.mark.req("REG-8")
async def test_of_twenty_posts_of_one_registration_one_account_comes(town: Town, calling: Caller) -> None:
    """However often the button is pressed, number and name are one person's, who can log in."""
    browser, phone, name = Browser(calling), number(), username()
    form = await registering(browser, phone, name)
    before = accounts(town.home)
    copies = [browser.copy() for _ in range(20)]
    answers = await asyncio.gather(*(send(copy, form) for copy in copies))
    assert {answer.status for answer in answers} <= {303, 422, 503}, Counter(answer.status for answer in answers)
    assert 303 in {answer.status for answer in answers}
    assert accounts(town.home) == before + 1
    assert (await by_password(Browser(calling), name, PASSWORD)).status == 303
    assert (await by_password(Browser(calling), phone, PASSWORD)).status == 303


@pytest.mark.attack("O4")
@pytest.mark.req("REG-8", "REG-1")
async def test_of_twenty_people_who_choose_one_name_in_the_same_instant_one_has_it(calling: Caller) -> None:
    """The others are told beside the field, keep what they have proved, and choose another."""
    name = username()
    browsers = [Browser(calling) for _ in range(20)]
    forms = [await registering(browser, number()) for browser in browsers]
    forms = [form.typed(username=name if turn % 2 else name.upper()) for turn, form in enumerate(forms)]
    answers = await asyncio.gather(*(send(*pair) for pair in zip(browsers, forms, strict=True)))
    told = Counter(answer.status for answer in answers)
    assert told[303] == 1, told
    for browser, form, answer in zip(browsers, forms, answers, strict=True):
        if answer.status == 422:
            again = form_of(answer, "/register")
            assert set(again.faults) == {"username"}
            assert browser.session is None
            other = again.typed(username=username(), password=PASSWORD, again=PASSWORD)
            last = await send(browser, other if "code" not in again.fields else other.typed(code=form.values["code"]))
            assert last.status == 303
            break
    else:
        raise AssertionError(told)


@pytest.mark.attack("R1", "O10")
async def test_a_number_is_told_to_be_taken_to_whoever_proves_it_alone(town: Town, calling: Caller) -> None:
    """Its owner, who has forgotten the account; nobody who has merely typed it, and no password opens it there."""
    person = town.somebody()
    browser = Browser(calling)
    form = await registering(browser, person.phone, username())
    told = await send(browser, form.typed(code=another(form.values["code"])))
    assert set(form_of(told, "/register").faults) == {"code"}
    told = await send(browser, form)
    assert set(form_of(told, "/register").faults) == {"phone"}
    assert browser.session is None
    for _ in range(3):
        told = await send(browser, form_of(told, "/register").typed(password=PASSWORD, again=PASSWORD))
        assert (told.status, browser.session) == (422, None)


def accounts(home: Own) -> int:
    """Count the accounts there are."""
    with closing(sqlite3.connect(f"file:{home.database}?mode=ro", uri=True)) as database:
        return int(database.execute("SELECT count(*) FROM account").fetchone()[0])


async def named(home: Own, caller: Caller, phone: Phone) -> Member:
    """Give the account of a phone's owner a name, a number and a password, as the personal centre does."""
    app = str(configured(home)["wechat"]["app_id"])
    identity = PlatformIdentity(Platform.WECHAT, app, await open_id_of(home, caller, phone.person.id))
    person_name, person_number, now = username(), number(), SystemClock().now()
    async with stores_at(home.demo.config) as stores:
        found = await stores.accounts.link_of(identity)
        assert found is not None
        account = found[1].account
        await stores.members.set_username(account, person_name, now)
        await stores.members.set_phone(account, person_number, now)
        await stores.members.set_password(account, hashed(), EventKind.PASSWORD_CHANGED, now, was=None)
    return Member(account, person_name, person_number)


def hashed() -> str:
    """Return a hash of :data:`PASSWORD` as costly as the server's own: no time tells it apart."""
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash(PASSWORD)
