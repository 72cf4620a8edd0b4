"""Forms: who may post one, what is in it, where it leads, and the captcha on it (attacks Q25, Q27, Q28, T4, O11)."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

import pytest

from tests.support.addresses import GUESTS, OWNERS
from tests.support.browser import SECRET, Browser
from tests.support.calls import Answer, Caller, Line
from tests.support.forms import FORM, WebForm, form_of, multipart, post, post_raw, send
from tests.support.inbox import code_to, messages
from tests.support.visitors import (
    BY_CODE,
    CODE_FORM,
    PASSWORD,
    PC_LOGIN,
    number,
    opened,
    registered,
    solved,
    username,
)

LOGOUTS: Final = {"/logout", "/h5/logout"}
LOOSE: Final = {"/qr/renew"} | LOGOUTS
"""Forms of which nothing is read but the token and the flow."""

UPLOADS: Final = {"/centre/appeal", "/h5/centre/appeal"}
"""Forms that carry files, and are read as nothing else."""

ASKING: Final = {"/login": PC_LOGIN, "/h5/login": "/h5/login", CODE_FORM: BY_CODE} | {
    page: page for page in ("/register", "/h5/register", "/recover", "/h5/recover")
}
"""The page of each form with a captcha that nobody has to come to by another."""

LOCAL: Final = re.compile(r"(/[a-z0-9_-]+)+(\?((flow|request)=[A-Za-z0-9_-]{22}|[a-z]+=[a-z]+))?")

MARK: Final = "qx7"
VALUES: Final = {
    "nothing but blanks": " \t\u3000",
    "no characters": "\0",
    "a line break": "x\r\nSet-Cookie: a=b",
    "full-width": "１５４０００００００１",
    "emoji": "😀" * 20,
    "four bytes": "𠮷" * 64,
    "right to left": "\u202e154\u202c\u200f",
    "marks without end": "a" + "\u0301" * 500,
    "half a pair": "\ufffd\ufffe\uffff",
    "markup": f"\"><svg onload={MARK}(1)><script>{MARK}</script>'",
    "a template": "{{7*7}}${7*7}%(x)s%s{0}",
    "SQL": "' OR 1=1; DROP TABLE account --",
    "elsewhere": "//evil.example/\\evil.example",
    "signs": "$ne[]",
    "true": "true",
    "long": "a" * 12_000,
}
"""What somebody may type, or have typed, into any field."""

ELSEWHERE: Final = (
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "/x\r\nLocation: https://evil.example",
    "http://localhost:80@evil.example/",
)
LEADING: Final = ("next", "redirect", "redirect_uri", "return_to", "url", "client", "continue", "home", "page", "flow")


async def guest(caller: Caller) -> tuple[Browser, str]:
    """Return a browser that nobody is logged in on, and the token of its pages."""
    browser = Browser(caller)
    return browser, form_of(await browser.get("/h5/login"), "/h5/login").values["csrf"]


async def owner(caller: Caller) -> tuple[Browser, str]:
    """Return a browser that somebody is logged in on, and the token of its pages."""
    browser = (await registered(caller)).browser
    return browser, form_of(await browser.get("/register/identity"), "/register/identity").values["csrf"]


POSTERS: Final = {"a guest": (guest, GUESTS), "an owner": (owner, OWNERS)}
Poster = Callable[[Caller], Awaitable[tuple[Browser, str]]]
Forms = Mapping[str, tuple[str, ...]]


async def press(browser: Browser, path: str, fields: Mapping[str, str], **more: str) -> Answer:
    """Post fields as the form at ``path`` does; ``more`` are headers."""
    if path not in UPLOADS:
        return await post(browser, path, fields, **more)
    kind, body = multipart([*fields.items()])
    return await post_raw(browser, path, body, kind, **more)


def is_page(answer: Answer) -> bool:
    """Tell whether an answer is a page in words, or leads to a page of this server."""
    if answer.status == 303:
        return is_local(answer)
    return "<h1" in answer.text and (answer.header("Content-Type") or "").startswith("text/html")


def is_local(answer: Answer) -> bool:
    """Tell whether an answer leads nowhere, or to a path of this server that nothing was put into."""
    where = answer.header("Location")
    return (
        where is None or re.fullmatch(r"(/[a-z0-9_-]+)+(\?(flow=[A-Za-z0-9_-]{22}|[a-z]+=[a-z]+))?", where) is not None
    )


@pytest.mark.attack("Q28")
@pytest.mark.parametrize(("poster", "forms"), POSTERS.values(), ids=POSTERS)
async def test_a_form_counts_from_a_page_of_ours_in_this_very_browser_alone(
    apart: Caller, poster: Poster, forms: Forms
) -> None:
    """Another origin, none, no token or another browser's: refused in words, and the browser keeps its cookies."""
    browser, csrf = await poster(apart)
    _, theirs = await poster(apart)
    own = {"Origin": apart.to.url}
    wrong: dict[str, tuple[dict[str, str], dict[str, str]]] = {
        "another site": ({"csrf": csrf}, {"Origin": "https://evil.example"}),
        "a sandboxed frame": ({"csrf": csrf}, {"Origin": "null"}),
        "another scheme": ({"csrf": csrf}, {"Origin": apart.to.url.replace("http", "ws", 1)}),
        "no token": ({}, own),
        "an empty token": ({"csrf": ""}, own),
        "another browser's": ({"csrf": theirs}, own),
        "no text": ({"csrf": "中\0"}, own),
    }
    for path in forms:
        for what, (fields, headers) in wrong.items():
            answer = await press(browser, path, fields, **headers)
            assert answer.status == 403, (path, what, answer)
            assert "<h1" in answer.text, (path, what)
            assert not answer.cookies, (path, what)
        missing = browser.headers() | {"Content-Type": FORM, "Accept": "text/html"}
        answer = await apart.send("POST", path, headers=missing, body=urlencode({"csrf": csrf}).encode())
        assert answer.status == 403, path
        # Without cookies, as a browser sends it across sites: no other browser is given in answer.
        answer = await press(Browser(apart), path, {"csrf": csrf}, Origin="https://evil.example")
        assert answer.status in ({303, 403} if forms is OWNERS else {403}), path
        assert not answer.cookies, path
    if forms is OWNERS:
        assert (await browser.get("/centre")).status == 200


@pytest.mark.attack("Q28", "T4")
async def test_whoever_is_not_logged_in_is_led_to_where_that_is_done(apart: Caller) -> None:
    """Whatever is posted to a page of an owner's: nothing is read, and nothing is set but which page was asked for."""
    browser, csrf = await guest(apart)
    for path, fields in OWNERS.items():
        answer = await press(browser, path, {"csrf": csrf} | dict.fromkeys(fields, "x"))
        assert answer.status == 303, path
        assert re.fullmatch("(/h5)?/(login|register)", str(answer.header("Location"))), path
        foreign = await press(browser, path, {"csrf": csrf}, Origin="https://evil.example")
        assert foreign.status in {303, 403}, path
        assert all(cookie.startswith(f"{apart.to.cookie(SECRET)}=") for cookie in answer.cookies), path
        assert not foreign.cookies, path


@pytest.mark.attack("Q28")
async def test_a_login_that_another_site_posts_logs_nobody_in(apart: Caller) -> None:
    """Name, password and captcha are all right, and the form is the attacker's: the browser stays nobody's."""
    account = await registered(apart)
    browser, stranger = Browser(apart), Browser(apart)
    form = (await opened(browser, PC_LOGIN)).typed(account=account.username, password=PASSWORD)
    planted = (await opened(stranger, PC_LOGIN)).typed(account=account.username, password=PASSWORD)
    answers = [
        await send(browser, form, Origin="https://evil.example"),
        await send(browser, form.typed(csrf="")),
        # The attacker's own token and captcha, in the victim's browser.
        await send(browser, planted),
    ]
    assert [answer.status for answer in answers] == [403] * 3
    assert browser.session is None
    assert (await send(browser, form)).status == 303


@cache
def bomb(good: str, letters: int) -> bytes:
    """Return a body that is much larger than it looks."""
    return gzip.compress(f"{good}&flow={'a' * letters}".encode())


@pytest.mark.attack("Q27")
@pytest.mark.parametrize(("poster", "forms"), POSTERS.values(), ids=POSTERS)
async def test_no_body_breaks_a_form(apart: Caller, poster: Poster, forms: Forms) -> None:
    """Too much, twice, unknown, of another type or in no alphabet: refused in words, whatever form it is for."""
    browser, csrf = await poster(apart)
    for path in forms:
        if path in LOGOUTS:
            browser, csrf = await poster(apart)
        good = urlencode({"csrf": csrf})
        wrong: dict[str, tuple[bytes, str, set[int]]] = {
            "100 KB": (f"{good}&flow={'a' * 100_000}".encode(), FORM, {413}),
            "100 KB in many": (f"{good}{'&flow=a' * 20_000}".encode(), FORM, {413}),
            "twice": (f"{good}&flow=a&flow=b".encode(), FORM, {400}),
            "two tokens": (f"{good}&csrf=a".encode(), FORM, {400}),
            "no name": (f"{good}&=a".encode(), FORM, {400}),
            "a name of no characters": (f"{good}&%00=%00".encode(), FORM, {400}),
            "unknown": (f"{good}&is_admin=yes".encode(), FORM, {400}),
            "many unknown": (f"{good}{''.join(f'&f{number}=' for number in range(2000))}".encode(), FORM, {400, 413}),
            "no UTF-8": (good.encode() + b"&act=\xff\xfe", FORM, {400}),
            "JSON": (b'{"csrf":"x"}', "application/json", {400}),
            "several parts": (
                f'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{csrf}\r\n--x--\r\n'.encode(),
                "multipart/form-data; boundary=x",
                {400},
            ),
            "a file": (
                b'--x\r\nContent-Disposition: form-data; name="csrf"; filename="a"\r\n\r\nx\r\n--x--\r\n',
                "multipart/form-data; boundary=x",
                {400},
            ),
            "text": (good.encode(), "text/plain", {400}),
            "of no type": (good.encode(), "", {400}),
            "UTF-16": (good.encode(), f"{FORM}; charset=utf-16", {400}),
            "UTF-7": (good.encode(), f"{FORM}; charset=utf-7", {400}),
            "no alphabet": (good.encode(), f"{FORM}; charset=x\xff", {400}),
        }
        for what, (body, kind, statuses) in wrong.items():
            if path == "/qr/redeem" and what == "JSON":
                continue  # Its other shape; tests/security/test_bad_input.py has what is wrong with that.
            if path in UPLOADS and what == "several parts":
                continue  # Its own shape.
            answer = await post_raw(browser, path, body, kind)
            also = set()
            if path in UPLOADS:
                # Another kind of body is refused unread, and what is a file is no token.
                also = {403} if what == "a file" else {400}
            if path in LOOSE and what in {"no name", "a name of no characters", "unknown", "many unknown"}:
                also = {200, 303, 403}
            assert answer.status in statuses | also, (path, what, answer)
            assert is_page(answer), (path, what)
            assert answer.status == 200 or not answer.cookies, (path, what)
        for letters in (100_000, 5_000_000):
            answer = await post_raw(browser, path, bomb(good, letters), **{"Content-Encoding": "gzip"})
            # Another kind of body may be refused before it has come, or when it is too large.
            assert answer.status in ({400, 413} if path in UPLOADS else {413}), (path, letters)
        for octets in (b"%ED%A0%80", b"%FF%FE", b"%C0%80", b"%", b"%F4%90%80%80"):
            for field in forms[path] if path not in {"/not-me", "/h5/not-me"} else ():
                answer = await post_raw(browser, path, f"{good}&{field}=".encode() + octets)
                assert answer.status < 500, (path, field, octets)
                assert is_page(answer), (path, field, octets)


@pytest.mark.attack("Q27")
async def test_a_form_that_is_sent_in_pieces_is_counted_too(apart: Caller) -> None:
    """A body without a length is bounded as one with, and one that is cut off does nothing."""
    browser, csrf = await guest(apart)
    piece = b"a" * 8_000
    chunk = f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    start = f"csrf={csrf}&account=".encode()
    lines = [f"{name}: {value}" for name, value in browser.headers(apart.to.url, Accept="text/html").items()]
    for path in ("/login", "/register", "/recover"):
        head = f"POST {path} HTTP/1.1\r\nHost: {apart.to.authority}\r\nContent-Type: {FORM}\r\nConnection: close\r\n"
        head += "\r\n".join(lines) + "\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
        line = await Line.open(apart.to)
        await line.say(head.encode())
        assert (await line.answer()).status == 100
        await line.say(f"{len(start):x}\r\n".encode() + start + b"\r\n" + chunk * 10 + b"0\r\n\r\n")
        answer = await line.answer()
        await line.close()
        assert answer.status == 413, path
        assert "<h1" in answer.text


@pytest.mark.attack("Q27", "Q25")
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
async def test_whatever_is_typed_is_answered_with_a_page(apart: Caller, value: str) -> None:
    """Each form says what is wrong with it, as text; nothing that was typed becomes markup, a header or an address."""
    answers = []
    for poster, forms in POSTERS.values():
        browser, csrf = await poster(apart)
        for path, fields in forms.items():
            answer = await press(browser, path, {"csrf": csrf} | dict.fromkeys(fields, value))
            answers.append(answer)
    for action, page in ASKING.items():
        # With the captcha read well: what is behind it meets the value too.
        for act in ("", "code"):
            browser = Browser(apart)
            form = await opened(browser, page, action)
            if act in ("", *form.acts):
                typed = {field: value for field in form.fields if field != "captcha"}
                answers.append(await send(browser, form.typed(**typed), act))
    for answer in answers:
        assert answer.status < 500, answer
        assert is_page(answer), answer
        assert not re.search(rf"<svg onload|{MARK}\(1\)>|<script>", answer.text)
        assert "7*7" not in answer.text or "{{7*7}}" in answer.text
        assert "49" not in re.findall(r'value="([^"]*)"', answer.text)
        assert PASSWORD not in answer.text
        assert not [line for line in answer.cookies if "a=b" in line]


@pytest.mark.attack("Q28", "Q27")
async def test_a_form_does_nothing_by_any_other_method(apart: Caller) -> None:
    """No link, picture or preflight does what a form is for, whoever is logged in."""
    browser = Browser(apart)
    for poster, forms in POSTERS.values():
        browser, csrf = await poster(apart)
        for path in forms:
            for method in ("PUT", "PATCH", "DELETE", "OPTIONS"):
                sent = browser.headers(apart.to.url, Accept="text/html") | {"Content-Type": FORM}
                answer = await apart.send(method, path, headers=sent, body=urlencode({"csrf": csrf}).encode())
                assert (answer.status, answer.cookies) == (405, []), (path, method)
            looked = await browser.get(f"{path}?{urlencode({'csrf': csrf, 'act': 'others', 'agreed': 'yes'})}")
            # 404 is of a page about something that there is none of.
            assert looked.status in {200, 302, 303, 404, 405, 410}, path
    assert (await browser.get("/centre")).status == 200


@pytest.mark.attack("T4")
async def test_no_parameter_leads_anywhere_else(apart: Caller) -> None:
    """Where a page leads is the server's to say: no query, field or header is led to, before a login or after it."""
    query = "&".join(f"{name}={quote(ELSEWHERE[number % 8], safe='')}" for number, name in enumerate(LEADING))
    browser, csrf = await guest(apart)
    stranger = Browser(apart)
    account = await registered(apart)
    pages = [
        *ASKING.values(),
        "/",
        "/login",
        *GUESTS,
        *OWNERS,
        "/register/done",
        "/recover/done",
        "/help",
    ]
    headers = {"Referer": "https://evil.example/", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    answers: list[Answer] = []
    for visitor in (browser, stranger, account.browser):
        for page in pages:
            joint = "&" if "?" in page else "?"
            answers.append(await visitor.get(f"{page}{joint}{query}", **headers))
    for path in GUESTS:
        for where in ELSEWHERE:
            for name in ("next", "flow"):
                answer = await post(browser, f"{path}?{query}", {"csrf": csrf, name: where}, **headers)
                answers.append(answer)
            answers.append(await post(browser, path, {"csrf": csrf, "flow": where, "act": "number"}))
    for answer in answers:
        assert answer.status < 500, answer
        assert is_local(answer), answer.header("Location")
        assert "evil.example" not in "".join(value for _, value in answer.headers)
        for link in re.findall(r'(?:href|src|action|content)="([^"]*)"', answer.text):
            assert "evil" not in link, link


@pytest.mark.attack("T4")
async def test_a_login_leads_to_the_centre_whatever_its_page_was_opened_with(apart: Caller) -> None:
    """The address that a login page was opened under is worth nothing once it is over."""
    account = await registered(apart)
    for page, action, home in ((PC_LOGIN, "/login", "/centre"), ("/h5/login?tab=password", "/h5/login", "/h5/centre")):
        for where in ("https://evil.example/", "//evil.example", "/\\evil.example"):
            browser = Browser(apart)
            form = await opened(browser, f"{page}&next={quote(where, safe='')}", action)
            typed = form.typed(account=account.username, password=PASSWORD, agreed="yes")
            if action == "/login":
                typed.values.pop("agreed")
            answer = await send(browser, WebForm(f"{action}?next={quote(where, safe='')}", typed.values))
            assert (answer.status, urlsplit(str(answer.header("Location"))).geturl()) == (303, home)


# -------------------------------------------------------------------------------------------------------- the captcha


def _of_a_captcha(answer: Answer) -> bool:
    """Tell whether an answer says that the captcha was wrong."""
    return answer.status == 422 and "请重新输入新图中的4位数字" in answer.text


@pytest.mark.attack("O11", "O12")
@pytest.mark.parametrize("page", ASKING.values(), ids=ASKING)
async def test_a_captcha_serves_once_in_one_browser_and_before_anything_else(apart: Caller, page: str) -> None:
    """Wrong, missing, used, another browser's or another's answer: nothing is tried behind it, and nothing sent."""
    browser, other = Browser(apart), Browser(apart)
    action = CODE_FORM if page == BY_CODE else page.partition("?")[0]
    phone = number()
    act = "code" if action in {CODE_FORM, "/register", "/h5/register"} else ""
    typed = {"account": "nobody_at_all", "password": PASSWORD, "phone": phone, "agreed": "yes"}

    async def tried(form: WebForm, **more: str) -> Answer:
        fields = {field: value for field, value in typed.items() if field in form.fields}
        return await send(browser, form.typed(**fields).typed(**more), act)

    form = await opened(browser, page, action)
    theirs = await opened(other, page, action)
    right = form.values["captcha"]
    wrong = "".join(str((int(digit) + 1) % 10) for digit in right)
    assert _of_a_captcha(await tried(form, captcha_id=theirs.captcha, captcha=theirs.values["captcha"]))
    assert _of_a_captcha(await tried(form, captcha_id="A" * 22))
    assert _of_a_captcha(await tried(form, captcha_id=""))
    assert (await tried(form, captcha="")).status == 422
    assert _of_a_captcha(await tried(form, captcha=wrong))
    # The wrong answer has used it up, so that nobody tries ten thousand.
    assert _of_a_captcha(await tried(form, captcha=right))
    assert await messages(apart.sandbox, phone) == []
    form = await opened(browser, page, action)
    assert not _of_a_captcha(await tried(form))
    assert _of_a_captcha(await tried(form))
    if act:
        await code_to(apart.sandbox, phone)
        assert len(await messages(apart.sandbox, phone)) == 1
    # The other browser's own is untouched by whoever has only seen its id.
    assert not _of_a_captcha(await send(other, theirs.typed(**{f: typed[f] for f in theirs.fields if f in typed}), act))


@pytest.mark.attack("O11", "O4")
async def test_of_twenty_posts_with_one_captcha_one_gets_past_it(apart: Caller) -> None:
    """The captcha is taken in the look at it: racing posts do not share its answer."""
    browser = Browser(apart)
    form = (await opened(browser, "/h5/login")).typed(password=PASSWORD, agreed="yes")
    posts = [send(browser.copy(), form.typed(account=username())) for _ in range(20)]
    answers = await asyncio.gather(*posts)
    assert Counter(_of_a_captcha(answer) for answer in answers) == {True: 19, False: 1}
    (past,) = (answer for answer in answers if not _of_a_captcha(answer))
    assert "账号或密码不正确" in past.text

    phones = [number() for _ in range(20)]
    form = (await opened(browser, BY_CODE, CODE_FORM)).typed(agreed="yes")
    answers = await asyncio.gather(*(send(browser.copy(), form.typed(phone=phone), "code") for phone in phones))
    assert Counter(answer.status for answer in answers) == {422: 19, 200: 1}
    (sent,) = (phone for phone, answer in zip(phones, answers, strict=True) if answer.status == 200)
    await code_to(apart.sandbox, sent)
    assert [phone for phone in phones if await messages(apart.sandbox, phone)] == [sent]


@pytest.mark.attack("O11")
async def test_a_captcha_is_drawn_for_the_browser_that_it_is_for_and_named_by_chance(apart: Caller) -> None:
    """Picture and sound are nobody else's, ids are random, and no answer but the picture tells what it shows."""
    browser, other = Browser(apart), Browser(apart)
    form = await solved(browser, form_of(await browser.get(PC_LOGIN), "/login"))
    await other.get(PC_LOGIN)
    ids = {form.captcha}
    for kind in ("png", "wav"):
        path = f"/captcha/{form.captcha}.{kind}"
        assert (await apart.send("GET", path, headers=browser.headers())).status == 200
        for stranger in (other, Browser(apart)):
            foreign = await apart.send("GET", path, headers=stranger.headers())
            never = await apart.send("GET", f"/captcha/{'A' * 22}.{kind}", headers=stranger.headers())
            assert foreign.status == 404
            assert foreign.face == never.face
        cross = browser.headers() | {"Sec-Fetch-Site": "cross-site"}
        assert (await apart.send("GET", path, headers=cross)).status == 403
    for _ in range(20):
        ids.add(str((await apart.post("/captcha", {}, headers=browser.headers(apart.to.url))).json()["id"]))
    assert len(ids) == 21
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{22}", captcha) for captcha in ids)
    assert len({captcha[:3] for captcha in ids}) > 15
    for answer in apart.heard:
        if not (answer.header("Content-Type") or "").startswith(("image/", "audio/")):
            assert form.values["captcha"] not in re.findall(r"\b[0-9]{4}\b", answer.text)
