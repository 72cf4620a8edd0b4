"""Whose ticket it is: binding, single use, races, and what no client may choose (attacks Q1 to Q14, Q18)."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from collections import Counter
from contextlib import closing

import pytest

from tests.security.conftest import Own
from tests.support.browser import Browser, Screen
from tests.support.calls import Answer, Caller, Line, at_once, request
from tests.support.crowd import Crowd
from tests.support.login import approved, logged_in
from tests.support.phone import as_json

NOBODYS = "A" * 22
MADE_UP = "A" * 43


def redeem_request(browser: Browser, grant: str) -> bytes:
    headers = browser.headers(browser.to.url) | {"Content-Type": "application/json"}
    return request(browser.to, "POST", "/qr/redeem", headers=headers, body=as_json({"grant": grant}))


@pytest.mark.attack("Q1")
async def test_a_flow_is_told_to_the_browser_that_opened_it_and_to_no_other(caller: Caller, crowd: Crowd) -> None:
    """A page's ticket is watched with that browser's secret alone; a foreign flow looks like one that never was."""
    mine, theirs, stranger = Browser(caller), Browser(caller), Browser(caller)
    await mine.screen()
    await (await crowd.phone(caller)).approves(await theirs.screen())
    for ask in (mine.events, mine.tickets):
        foreign = await ask(flow=theirs.flow)
        assert foreign.verdict == (403, "flow_unknown")
        assert foreign.face == (await ask(flow=NOBODYS)).face
    assert await mine.knock(theirs.flow) == await mine.knock(NOBODYS) == 403
    for path in ("/qr/state", "/qr/image"):
        foreign = await mine.caller.send("GET", f"{path}?flow={theirs.flow}", headers=mine.headers())
        assert foreign.face == (await mine.caller.send("GET", f"{path}?flow={NOBODYS}", headers=mine.headers())).face
    for ask in (stranger.events, stranger.tickets):
        assert (await ask(flow=theirs.flow)).face == (await ask(flow=NOBODYS)).face
        assert (await ask(flow=theirs.flow)).verdict == (403, "browser_unknown")
    assert await stranger.knock(theirs.flow) == 403


@pytest.mark.attack("Q1", "Q22")
async def test_a_grant_is_worth_nothing_in_another_browser(caller: Caller, crowd: Crowd) -> None:
    """Redeeming takes the secret of the browser whose page was approved; nothing is consumed by who lacks it."""
    ready = await approved(caller, await crowd.phone(caller))
    other, none = Browser(caller), Browser(caller)
    await other.screen()
    refusals = [await other.redeem(ready.grant), await none.redeem(ready.grant), await other.redeem(MADE_UP)]
    assert {answer.verdict for answer in refusals} == {(404, "ticket_unknown")}
    assert len({answer.face for answer in refusals}) == 1
    assert other.session is None
    assert (await ready.browser.redeem(ready.grant, ready.code)).status == 200


@pytest.mark.attack("Q1", "Q2")
async def test_an_approval_is_redeemed_by_its_own_grant_and_no_other(caller: Caller, crowd: Crowd) -> None:
    """The browser's secret is not enough: what is presented must be the grant of this browser's own approval."""
    one, two = await crowd.phones(caller, 2)
    mine, theirs = await approved(caller, one), await approved(caller, two)
    for grant in (MADE_UP, "", mine.grant[:-1], mine.grant + "A", theirs.grant, mine.screen.ticket, mine.grant.lower()):
        answer = await mine.browser.redeem(grant, mine.code)
        assert answer.verdict == (404, "ticket_unknown")
        assert not answer.cookies
    assert (await mine.browser.redeem(mine.grant, mine.code)).status == 200
    assert await mine.browser.who() == one.tokens.account["name"]


@pytest.mark.attack("Q2")
async def test_who_sees_the_code_learns_nothing_and_redeems_nothing(caller: Caller, crowd: Crowd) -> None:
    """The public id in the picture opens no watch, no state and no session."""
    owner, observer, stranger = Browser(caller), Browser(caller), Browser(caller)
    screen = await owner.screen()
    picture = screen.frame()
    await observer.screen()
    phone = await crowd.phone(caller)
    before = len(caller.heard)
    seen: list[Answer] = []

    async def observe() -> None:
        for browser in (observer, stranger):
            for name in ("flow", "ticket", "id", "state"):
                sent = browser.headers()
                seen.append(await caller.send("GET", f"/qr/events?{name}={screen.ticket}", headers=sent))
            seen.append(await browser.tickets(flow=screen.ticket))
            assert await browser.knock(screen.ticket) == 403
            seen.append(await browser.redeem(screen.ticket))
            seen.append(await browser.get(picture.removeprefix(caller.to.url)))

    scanned = await phone.takes(screen)
    await observe()
    assert (await phone.confirm(scanned)).status == 200
    await observe()
    grant = (await owner.message("approved"))["grant"]
    assert len(caller.heard) > before
    for answer in seen:
        assert grant not in answer.text
        assert str(screen.message["key"]) not in answer.text
        assert not any(kind in answer.text for kind in ('"scanned"', '"approved"', phone.person.shown))
        assert answer.status != 200 or screen.ticket not in answer.text
    assert observer.session is None
    assert stranger.session is None


@pytest.mark.attack("Q3")
async def test_a_login_cannot_be_played_again(caller: Caller, crowd: Crowd) -> None:
    """The winning redeem, repeated byte by byte, gives nothing; nor does its picture to another phone."""
    first, second = await crowd.phones(caller, 2)
    ready = await approved(caller, first)
    before = ready.browser.copy()
    picture = ready.screen.frame()
    assert (await ready.browser.redeem(ready.grant, ready.code)).status == 200
    replayed = await before.redeem(ready.grant, ready.code)
    assert replayed.verdict == (404, "ticket_unknown")
    assert not replayed.cookies
    assert (await before.events()).verdict == (403, "browser_unknown")
    assert await before.knock() == 403
    assert (await second.scan(picture)).verdict == (409, "ticket_closed")


@pytest.mark.attack("Q4")
@pytest.mark.req("LOG-2")
async def test_of_fifty_redeems_in_the_same_instant_one_succeeds(caller: Caller, crowd: Crowd) -> None:
    """An approval is claimed by one compare-and-set, before a session is made."""
    ready = await approved(caller, await crowd.phone(caller))
    answers = await at_once(caller.to, [redeem_request(ready.browser, ready.grant)] * 50)
    assert Counter(answer.verdict for answer in answers) == {(200, ""): 1, (404, "ticket_unknown"): 49}
    session = caller.to.cookie("bjidp_session")
    given = [line for answer in answers for line in answer.cookies if line.startswith(f"{session}=")]
    assert len(given) == 1


@pytest.mark.attack("Q4")
async def test_fifty_redeems_leave_one_session_row(home: Own, crowd: Crowd) -> None:
    """No session is written for a redeem that loses."""

    def sessions() -> int:
        with closing(sqlite3.connect(f"file:{home.database}?mode=ro", uri=True)) as database:
            (count,) = database.execute("SELECT count(*) FROM browser_session").fetchone()
            return int(count)

    async with Caller(home.at) as caller:
        ready = await approved(caller, await crowd.phone(caller))
        before = sessions()
        await at_once(caller.to, [redeem_request(ready.browser, ready.grant)] * 50)
        assert sessions() == before + 1


@pytest.mark.attack("Q5")
async def test_the_first_to_scan_holds_the_ticket(caller: Caller, crowd: Crowd) -> None:
    """A second account neither takes a scanned ticket over nor confirms it, and the page shows who is first."""
    first, second = await crowd.phones(caller, 2)
    browser = Browser(caller)
    screen = await browser.screen()
    scanned = await first.takes(screen)
    assert (await second.scan(screen)).verdict == (409, "ticket_taken")
    assert (await second.confirm(scanned)).verdict == (403, "confirm_refused")
    assert (await browser.message("scanned"))["who"] == first.tokens.account["name"]
    assert (await first.confirm(scanned)).status == 200
    grant = (await browser.message("approved"))["grant"]
    assert (await browser.redeem(grant)).status == 200
    assert await browser.who() == first.tokens.account["name"]


@pytest.mark.attack("Q5")
async def test_of_many_scans_in_the_same_instant_one_succeeds(caller: Caller, crowd: Crowd) -> None:
    """The claim of a ticket is a compare-and-set: the last scanner never wins."""
    phones = await crowd.everybody(caller)
    screen = await Browser(caller).screen()
    text = screen.frame()
    scans = [
        request(
            caller.to,
            "POST",
            "/mp/v1/qr/scan",
            headers={**phone.bearer, "Content-Type": "application/json"},
            body=as_json({"text": text, "scene": 0}),
        )
        for phone in phones
    ]
    answers = await at_once(caller.to, scans)
    assert Counter(answer.verdict for answer in answers) == {(200, ""): 1, (409, "ticket_taken"): len(phones) - 1}


@pytest.mark.attack("Q5")
async def test_of_twenty_confirms_in_the_same_instant_one_succeeds(caller: Caller, crowd: Crowd) -> None:
    """A confirm counts once; whoever repeats it is told the first answer inside the refusal."""
    phone = await crowd.phone(caller)
    browser = Browser(caller)
    scanned = await phone.takes(await browser.screen())
    body = as_json({"ticket": scanned["ticket"], "confirm_token": scanned["confirm_token"]})
    headers = {**phone.bearer, "Content-Type": "application/json"}
    confirm = request(caller.to, "POST", "/mp/v1/qr/confirm", headers=headers, body=body)
    answers = await at_once(caller.to, [confirm] * 20)
    assert Counter(answer.verdict for answer in answers) == {(200, ""): 1, (409, "ticket_closed"): 19}
    (won,) = (answer.json() for answer in answers if answer.status == 200)
    assert all(answer.json()["answer"] == won for answer in answers if answer.status == 409)


@pytest.mark.attack("Q6", "Q14")
async def test_a_confirm_that_arrives_after_the_rejection_revives_nothing(caller: Caller, crowd: Crowd) -> None:
    """A rejection is final, for the same token too, and for a confirm that was on its way before."""
    phone = await crowd.phone(caller)
    browser = Browser(caller)
    screen = await browser.screen()
    socket = await browser.connect()
    await socket.screen()
    scanned = await phone.takes(screen)
    body = as_json({"ticket": scanned["ticket"], "confirm_token": scanned["confirm_token"]})
    headers = {**phone.bearer, "Content-Type": "application/json"}
    confirm = request(caller.to, "POST", "/mp/v1/qr/confirm", headers=headers, body=body)
    line = await Line.open(caller.to)
    await line.say(confirm[:-5])
    assert (await phone.reject(scanned)).status == 200
    await line.say(confirm[-5:])
    late = await line.answer()
    await line.close()
    assert late.verdict == (409, "ticket_closed")
    assert late.json()["answer"] == {"status": "rejected"}
    assert (await phone.confirm(scanned)).verdict == (409, "ticket_closed")
    assert [(await socket.next())["type"] for _ in range(2)] == ["scanned", "rejected"]
    assert (await browser.events()).json()["type"] == "rejected"
    assert (await browser.redeem(MADE_UP)).verdict == (404, "ticket_unknown")
    await socket.close()


@pytest.mark.attack("Q6")
async def test_polls_during_the_redeem_do_not_bring_the_approval_back(caller: Caller, crowd: Crowd) -> None:
    """Looking at a ticket writes nothing over what was decided about it."""
    ready = await approved(caller, await crowd.phone(caller))
    before = ready.browser.copy()
    polls = [before.events() for _ in range(20)]
    redeemed, *_ = await asyncio.gather(ready.browser.redeem(ready.grant, ready.code), *polls)
    assert redeemed.status == 200
    assert (await before.redeem(ready.grant, ready.code)).verdict == (404, "ticket_unknown")


@pytest.mark.attack("Q7")
async def test_a_thousand_ticket_ids_show_no_pattern(home: Own) -> None:
    """Ids are 128 random bits: nothing of one tells anything of the next."""
    per_browser, addresses = 12, ("127.0.78.1", "127.0.78.2")

    async def mint(caller: Caller) -> list[str]:
        browser = Browser(caller)
        await browser.open()
        socket = await browser.connect()
        minted = [(await socket.screen()).ticket]
        while len(minted) < per_browser:
            await socket.renew()
            minted.append((await socket.screen()).ticket)
        await socket.close()
        return minted

    ids: list[str] = []
    for address in addresses:
        async with Caller(home.at, address) as caller:
            batches = await asyncio.gather(*(mint(caller) for _ in range(42)))
            ids += itertools.chain.from_iterable(batches)
    assert len(ids) == len(set(ids)) == 1008
    assert {len(ticket) for ticket in ids} == {22}
    ascending = sum(one < two for one, two in itertools.pairwise(ids))
    assert 400 < ascending < 610
    alike = max(_common(one, two) for one, two in itertools.pairwise(sorted(ids)))
    assert alike < 8
    counts = Counter(itertools.chain.from_iterable(ticket[:21] for ticket in ids))
    expected = 21 * len(ids) / 64
    spread = sum((count - expected) ** 2 / expected for count in counts.values())
    assert len(counts) == 64
    assert spread < 63 + 6 * (2 * 63) ** 0.5


def _common(one: str, two: str) -> int:
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, two, strict=True)))


@pytest.mark.attack("Q7")
async def test_who_guesses_ids_is_stopped(caller: Caller, crowd: Crowd) -> None:
    """Ten texts that name no ticket, and an account has to wait."""
    phone = await crowd.apart(caller)
    verdicts = []
    for number in range(30):
        text = f"{caller.to.prefix}{number:022d}.000.{'A' * 12}"
        answer = await phone.scan(text)
        verdicts.append(answer.verdict)
        if answer.status == 429:
            assert int(answer.header("Retry-After") or "") > 0
    assert verdicts == [(404, "ticket_unknown")] * 10 + [(429, "rate_limited")] * 20
    assert (await phone.scan(await Browser(caller).screen())).status == 429


@pytest.mark.attack("Q8")
async def test_no_client_chooses_the_id_of_its_ticket(caller: Caller) -> None:
    """The id comes from the server's answer, whatever query, body or cookie ask for."""
    chosen = "c" * 22
    browser = Browser(caller)
    asked = "&".join(f"{name}={chosen}" for name in ("id", "uuid", "ticket", "state", "flow", "scene"))
    await browser.open(f"/login?{asked}")
    for name in ("id", "uuid", "ticket", "state", "bjidp_ticket", "bjidp_flow"):
        browser.cookies[name] = chosen
    assert browser.flow != chosen
    for name in ("ticket", "id", "uuid", "state"):
        body = {"flow": browser.flow, name: chosen}
        refused = await caller.post("/qr/tickets", body, headers=browser.headers(caller.to.url))
        assert refused.verdict == (400, "invalid_request")
    answer = await caller.post(f"/qr/tickets?{asked}", {"flow": browser.flow}, headers=browser.headers(caller.to.url))
    assert answer.json()["ticket"] != chosen
    opened = await browser.knock(query=f"&ticket={chosen}&id={chosen}")
    assert not isinstance(opened, int)
    assert chosen not in (await opened.receive_str())
    await opened.close()
    planted = Browser(caller)
    planted.cookies[caller.to.cookie("bjidp_browser")] = "d" * 43
    await planted.open()
    assert planted.secret != "d" * 43


@pytest.mark.attack("Q9")
async def test_the_account_is_that_of_the_phone_whatever_the_body_says(caller: Caller, crowd: Crowd) -> None:
    """A member that names a user is refused, and the login is the caller's."""
    phone, victim = await crowd.phones(caller, 2)
    browser = Browser(caller)
    screen = await browser.screen()
    for name in ("user_id", "phone", "openid", "account", "name"):
        body = {"text": screen.frame(), "scene": 0, name: victim.person.phone}
        assert (await phone.call("scan", body)).verdict == (400, "invalid_request")
    scanned = await phone.takes(screen)
    for name in ("user_id", "phone", "openid", "account", "status"):
        body = {"ticket": scanned["ticket"], "confirm_token": scanned["confirm_token"], name: victim.person.phone}
        assert (await phone.call("confirm", body)).verdict == (400, "invalid_request")
    assert (await browser.events()).json()["type"] == "scanned"
    assert (await phone.confirm(scanned)).status == 200
    grant = (await browser.message("approved"))["grant"]
    for name in ("user_id", "account", "next"):
        body = {"grant": grant, name: "/"}
        answer = await caller.post("/qr/redeem", body, headers=browser.headers(caller.to.url))
        assert answer.verdict == (400, "invalid_request")
    assert (await browser.redeem(grant)).status == 200
    assert await browser.who() == phone.tokens.account["name"]


@pytest.mark.attack("Q10")
async def test_nothing_personal_is_answered_before_the_redeem(caller: Caller, crowd: Crowd) -> None:
    """The page is told a masked name; neither side is told a number, an internal id or the other side's secrets."""
    phone = await crowd.phone(caller)
    browser = Browser(caller)
    caller.heard.clear()
    screen = await browser.screen()
    scanned = await phone.takes(screen)
    page = await browser.events()
    assert (await phone.confirm(scanned)).status == 200
    grant = str((await browser.message("approved"))["grant"])
    person = phone.person
    for answer in caller.heard:
        for value in (person.phone, person.document_number, person.name, person.id, phone.tokens.access):
            assert value not in answer.text
    assert set(page.json()) == {"type", "ticket", "seq", "platform", "who", "expires_in"}
    assert browser.secret is not None
    for answer in caller.heard:
        to_phone = "confirm_token" in answer.text or '"approved","code"' in answer.text.replace(" ", "")
        if to_phone:
            assert grant not in answer.text
            assert browser.secret not in answer.text
            assert browser.flow not in answer.text
        else:
            assert scanned["confirm_token"] not in answer.text


@pytest.mark.attack("Q11")
async def test_a_scan_alone_logs_nobody_in(caller: Caller, crowd: Crowd) -> None:
    """Until the person confirms there is no grant, and nothing that was seen so far is one."""
    phone = await crowd.phone(caller)
    browser = Browser(caller)
    screen = await browser.screen()
    scanned = await phone.takes(screen)
    for guess in (scanned["confirm_token"], screen.ticket, str(screen.message["key"]), "", MADE_UP):
        answer = await browser.redeem(guess)
        assert answer.verdict == (404, "ticket_unknown")
        assert not answer.cookies
    message = (await browser.events()).json()
    assert message["type"] == "scanned"
    assert "grant" not in message


@pytest.mark.attack("Q12")
async def test_a_confirm_token_is_good_in_one_persons_hand_on_one_platform(caller: Caller, crowd: Crowd) -> None:
    """It is bound to ticket, account and platform identity, and a later scan replaces it."""
    phone, thief = await crowd.resident(caller), await crowd.phone(caller)
    elsewhere = await crowd.phone_of(caller, phone.person, "baidu")
    browser, other = Browser(caller), Browser(caller)
    screen = await browser.screen()
    first = await phone.takes(screen)
    for act in (thief.confirm, thief.reject, elsewhere.confirm, elsewhere.reject):
        assert (await act(first)).verdict == (403, "confirm_refused")
    second = await phone.takes(screen)
    assert second["confirm_token"] != first["confirm_token"]
    assert (await phone.confirm(first)).verdict == (403, "confirm_refused")
    foreign = await phone.takes(await other.screen())
    crossed = {"ticket": foreign["ticket"], "confirm_token": second["confirm_token"]}
    assert (await phone.confirm(crossed)).verdict == (403, "confirm_refused")
    for token in ("", MADE_UP, second["confirm_token"][:-1], second["confirm_token"] + "A"):
        forged = {"ticket": second["ticket"], "confirm_token": token}
        assert (await phone.confirm(forged)).verdict == (403, "confirm_refused")
    assert (await browser.events()).json()["type"] == "scanned"
    assert (await phone.confirm(second)).status == 200


@pytest.mark.attack("Q17", "Q22")
async def test_every_forged_frame_is_answered_alike(caller: Caller, crowd: Crowd) -> None:
    """The MAC covers ticket and number; whatever is wrong with it, the ticket is unknown and untouched."""
    mine, theirs = Browser(caller), Browser(caller)
    screen, other = await mine.screen(), await theirs.screen()
    phone, reader = await crowd.apart(caller), await crowd.phone(caller)
    prefix, ticket, now = caller.to.prefix, screen.ticket, screen.number
    mac = screen.mac(now)
    another_key = Screen(screen.message | {"key": other.message["key"]})
    forged = [  # at most ten: then the account has to wait
        f"{prefix}{ticket}.{now:03d}.{other.mac(now)}",
        f"{prefix}{ticket}.{now:03d}.{another_key.mac(now)}",
        f"{prefix}{ticket}.{now:03d}.{mac[:-1]}",
        f"{prefix}{ticket}.{now:03d}.",
        f"{prefix}{ticket}.{now + 1:03d}.{mac}",
        f"{prefix}{ticket}",
        f"{prefix}{ticket}.{now:03d}.{mac}=",
        f"{prefix}{NOBODYS}.{now:03d}.{mac}",
        f"https://evil.example/q/{ticket}.{now:03d}.{mac}",
        screen.frame().upper(),
    ]
    answers = [await phone.scan(text) for text in forged]
    assert {answer.verdict for answer in answers} == {(404, "ticket_unknown")}
    assert len({answer.face for answer in answers}) == 1
    ahead = await reader.scan(screen.frame(screen.number + 30))
    assert ahead.verdict == (409, "frame_stale")
    assert (await mine.events()).json()["type"] == "ticket"
    assert (await reader.scan(screen)).status == 200


@pytest.mark.attack("Q22")
async def test_a_wrong_mac_tells_nobody_what_state_a_ticket_is_in(caller: Caller, crowd: Crowd) -> None:
    """Without the frame key a live, a used and an invented ticket answer the same to a phone."""
    phone = await crowd.phone(caller)
    live = await Browser(caller).screen()
    used = await approved(caller, phone)
    assert (await used.browser.redeem(used.grant, used.code)).status == 200
    stranger = await crowd.apart(caller)
    texts = [f"{caller.to.prefix}{ticket}.000.{'A' * 12}" for ticket in (live.ticket, used.screen.ticket, NOBODYS)]
    answers = [await stranger.scan(text) for text in texts]
    assert answers[0].verdict == (404, "ticket_unknown")
    assert len({answer.face for answer in answers}) == 1


@pytest.mark.attack("Q23")
async def test_a_browser_has_one_live_ticket_and_twelve_a_minute(caller: Caller, crowd: Crowd) -> None:
    """A renewal supersedes what was shown before, and a flood is closed with the seconds to wait."""
    browser = Browser(caller)
    await browser.open()
    socket = await browser.connect()
    screens = [await socket.screen()]
    while len(screens) < 12:
        await socket.renew()
        screens.append(await socket.screen())
    phone = await crowd.phone(caller)
    for old in screens[-3:-1]:
        assert (await phone.scan(old)).verdict == (409, "ticket_closed")
    assert (await phone.scan(screens[0])).verdict == (404, "ticket_unknown")
    await socket.renew()
    assert await socket.ends() == 4029
    assert (await phone.scan(screens[-1])).status == 200
    # The limit is the browser's, not the page's: a navigation gives no new dozen.
    await browser.open()
    again = await browser.connect()
    await again.next("scanned")
    await again.renew()
    assert await again.ends() == 4029


@pytest.mark.attack("Q23", "T10")
async def test_an_address_that_floods_waits_and_other_addresses_do_not(home: Own) -> None:
    """Tickets are counted by the address the server sees; a forwarded-for header of the client's changes nothing."""

    async def mint(caller: Caller, number: int) -> Answer:
        browser = Browser(caller)
        forged = f"198.51.{number // 250}.{number % 250 + 1}"
        more = {"X-Forwarded-For": forged, "X-Real-IP": forged, "Forwarded": f"for={forged}"}
        await browser.open(**more)
        return await browser.tickets(**more)

    async with Caller(home.at, "127.0.79.1") as flooder, Caller(home.at, "127.0.79.2") as neighbour:
        answers: list[Answer] = []
        for start in range(0, 620, 31):
            answers += await asyncio.gather(*(mint(flooder, start + step) for step in range(31)))
        refused = [answer for answer in answers if answer.status != 200]
        assert {answer.verdict for answer in refused} == {(429, "rate_limited")}
        assert len(refused) == 20
        assert all(int(answer.header("Retry-After") or "") > 0 for answer in refused)
        assert (await mint(neighbour, 1)).status == 200


@pytest.mark.attack("Q28")
async def test_a_grant_is_never_redeemed_by_a_navigation_or_by_another_sites_form(caller: Caller, crowd: Crowd) -> None:
    """Redeeming takes this site's own Origin and, for a form, the page's token: nobody is logged in from outside."""
    ready = await approved(caller, await crowd.phone(caller))
    browser = ready.browser
    assert (await browser.get(f"/qr/redeem?grant={ready.grant}")).status == 405
    fields = {"grant": ready.grant, "csrf": browser.csrf}
    evil = [await browser.submit("/qr/redeem", fields, Origin="https://evil.example")]
    evil.append(await browser.submit("/qr/redeem", fields, Origin="null"))
    evil.append(await browser.submit("/qr/redeem", {"grant": ready.grant}))
    evil.append(await browser.submit("/qr/redeem", fields | {"csrf": MADE_UP}))
    evil.append(await browser.redeem(ready.grant, Origin="https://evil.example"))
    evil.append(await browser.redeem(ready.grant, Origin="null"))
    sent = browser.headers() | {"Content-Type": "application/json"}
    evil.append(await caller.send("POST", "/qr/redeem", headers=sent, body=as_json({"grant": ready.grant})))
    for answer in evil:
        assert answer.verdict == (403, "origin_refused")
        assert not answer.cookies
    plain = browser.headers(caller.to.url) | {"Content-Type": "text/plain"}
    smuggled = await caller.send("POST", "/qr/redeem", headers=plain, body=as_json({"grant": ready.grant}))
    assert smuggled.status == 400
    assert (await browser.redeem(ready.grant, ready.code)).status == 200


@pytest.mark.attack("Q28")
async def test_a_browser_that_is_logged_in_asks_before_it_becomes_somebody_else(caller: Caller, crowd: Crowd) -> None:
    """A grant of another account is refused while a session lives, and consumed by nothing."""
    owner, other = await crowd.phones(caller, 2)
    session = await logged_in(caller, owner)
    ready = await approved(caller, other)
    both = ready.browser.copy()
    both.cookies[caller.to.cookie("bjidp_session")] = session.session or ""
    answer = await both.redeem(ready.grant, ready.code)
    assert answer.verdict == (409, "already_signed_in")
    assert not answer.cookies
    assert await both.who() == owner.tokens.account["name"]
    assert (await both.tickets()).verdict == (409, "already_signed_in")
    assert await both.knock() == 409
    assert (await ready.browser.redeem(ready.grant, ready.code)).status == 200


@pytest.mark.attack("Q29")
async def test_nothing_is_told_of_a_ticket_that_was_replaced(caller: Caller, crowd: Crowd) -> None:
    """Messages carry ticket and number; after a renewal none names the old ticket, and the number only rises."""
    phone = await crowd.phone(caller)
    browser = Browser(caller)
    await browser.open()
    socket = await browser.connect()
    old = await socket.screen()
    scanned = await phone.takes(old)
    await socket.next("scanned")
    await socket.renew()
    new = await socket.screen()
    assert (await phone.confirm(scanned)).verdict == (409, "ticket_closed")
    assert (await phone.reject(scanned)).verdict == (409, "ticket_closed")
    assert (await phone.confirm(await phone.takes(new))).status == 200
    await socket.next("scanned")
    await socket.next("approved")
    told = [message["ticket"] for message in socket.heard]
    assert told == [old.ticket, old.ticket, new.ticket, new.ticket, new.ticket]
    numbers = [message["seq"] for message in socket.heard]
    assert numbers == sorted(set(numbers))
    await socket.close()


@pytest.mark.attack("Q29", "T1")
async def test_a_navigation_sends_the_old_pages_away(caller: Caller, crowd: Crowd) -> None:
    """Each opening of the login page replaces the browser's secret: the old one is dead, its sockets are closed."""
    browser = Browser(caller)
    await browser.open()
    socket = await browser.connect()
    await socket.screen()
    old = browser.copy()
    await browser.open()
    assert await socket.ends(within=2) == 1012
    assert browser.secret != old.secret
    assert browser.flow == old.flow
    assert await old.knock() == 403
    assert (await old.tickets()).verdict == (403, "browser_unknown")
    again = await browser.connect()
    await (await crowd.phone(caller)).approves(await again.screen())
    grant = [await again.next("scanned"), await again.next("approved")][-1]["grant"]
    assert (await old.redeem(grant)).verdict == (404, "ticket_unknown")
    assert (await browser.redeem(grant)).status == 200
    await again.close()


@pytest.mark.attack("Q18", "Q27")
async def test_a_ticket_is_no_good_where_it_does_not_belong(caller: Caller, crowd: Crowd) -> None:
    """A login ticket is never read as a device's, and no value of one kind passes as another."""
    phone = await crowd.phone(caller)
    browser = Browser(caller)
    screen = await browser.screen()
    assert (await phone.scan(f"{caller.to.prefix}{screen.ticket}")).verdict == (404, "ticket_unknown")
    scanned = await phone.takes(screen)
    for token in (screen.ticket, str(screen.message["key"]), browser.secret, browser.csrf):
        swapped = {"ticket": scanned["ticket"], "confirm_token": token}
        assert (await phone.confirm(swapped)).verdict == (403, "confirm_refused")
