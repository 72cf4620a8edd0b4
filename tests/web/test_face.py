"""人脸识别认证 over HTTP: the page, its code, the phone, and what becomes of the level (RNV-3)."""

from __future__ import annotations

from itertools import count
from typing import Any, Final

import pytest

from bjidp.accounts.ports import Evidence
from bjidp.clock import DAY, SECOND
from bjidp.proofing.ports import Bound
from bjidp.standing import Standing
from tests.support.browser import SESSION, Browser, Screen
from tests.support.calls import Answer
from tests.support.forms import forms as forms_of
from tests.support.forms import heading, links, send
from tests.support.members import enrolled
from tests.support.owner import Owner
from tests.support.phone import PLATFORMS, Phone
from tests.support.program import LiveSocket, Program, always_a_code
from tests.web.conftest import StartProgram
from tests.web.test_real_name import bound, give, person, stated
from tests.web.test_verify import approved, changed, leads_on

pytestmark = pytest.mark.req("RNV-3")

PAGE: Final = "/centre/face"
VERIFY: Final = "/centre/verify/face"


def where(answer: Answer) -> tuple[int, str]:
    """Return the status of an answer, and where it leads."""
    return answer.status, answer.header("Location") or ""


async def account_of(program: Program) -> str:
    """Return the one account there is."""
    ((account,),) = program.sql("SELECT id FROM account")
    return str(account)


async def identity_of(program: Program, account: str | None = None) -> Bound:
    """Return the identity of an account, of the one there is by default."""
    found = await bound(program, account or await account_of(program))
    assert found is not None
    return found


async def weakened(program: Program, account: str | None = None) -> Bound:
    """Have an identity count as proved by name and number alone, as 换绑 leaves it; return it."""
    program.sql(
        "UPDATE identity SET evidence = 'name_and_number', version = version + 1 WHERE account = ?",
        account or await account_of(program),
    )
    return await identity_of(program, account)


async def named(program: Program, who: str) -> dict[str, Any]:
    """Return a person of the sandbox by their id."""
    listed = await (await program.browser()).caller.sandbox("/control/people")
    return next(one for one in listed if one["id"] == who)


async def asking(program: Program, phone: Phone) -> Browser:
    """Return a browser that is logged in to the phone's account, at L2, and is just verified for 人脸识别认证."""
    browser = await program.signed_in(phone)
    await weakened(program)
    _, grant = await approved(program, phone, browser, VERIFY)
    assert (await browser.redeem(grant, program.code)).status == 200
    return browser


async def at_the_end(browser: Browser, address: str) -> Answer:
    """Return the last page of 人脸识别认证, which the one with the code leads to."""
    assert where(await browser.get(address)) == (303, address)
    return await browser.get(address)


async def at_the_code(program: Program, browser: Browser) -> tuple[LiveSocket, Screen, str]:
    """Open the page with the code; return its socket, the code, and its address."""
    status, address = where(await browser.get(PAGE))
    assert status == 303
    await browser.open(address)
    socket = await program.socket(browser)
    return socket, await socket.screen(), address


async def shown(program: Program, phone: Phone, browser: Browser) -> tuple[LiveSocket, str, dict[str, Any], str]:
    """Let the phone scan, show the face and confirm; return the socket, the grant, what was scanned, and the page."""
    socket, screen, address = await at_the_code(program, browser)
    scanned = await program.scanned(phone, screen)
    await socket.next("scanned")
    await phone.shows_face(scanned)
    answer = await phone.confirm(scanned)
    assert answer.status == 200, answer
    program.code = answer.json()["code"]
    return socket, str((await socket.next("approved"))["grant"]), scanned, address


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_face_on_the_phone_makes_l3_and_the_page_moves_on_by_itself(
    start_program: StartProgram, platform: str
) -> None:
    program = await start_program(everywhere=True)
    phone = await program.phone(platform=platform)
    browser = await asking(program, phone)
    before = await identity_of(program)
    assert PAGE in links(await browser.get("/centre"))
    socket, screen, address = await at_the_code(program, browser)
    page = await browser.open(address)
    assert heading(page) == "人脸识别认证"
    for said in (
        "请使用微信、支付宝、百度小程序扫码完成人脸识别验证",
        "手机端打开并登录京通小程序",
        "小程序内部点击左下方首页页签",
        "点击小程序上方扫一扫",
        "扫描本页上方二维码，根据引导完成后续操作",
    ):
        assert said in page.text
    assert await socket.ends() == 1012, "a reload gives the browser a new secret"
    socket = await program.socket(browser)
    screen = await socket.screen()
    assert screen.message["purpose"] == "face"
    scanned = await program.scanned(phone, screen)
    assert (scanned["purpose"], scanned["steps"]) == ("face", ["face", "confirm"])
    assert (scanned["request"]["action"], scanned["request"]["session_lifetime"]) == ("face", 0)
    assert (await socket.next("scanned"))["expires_in"] == 180
    assert (await phone.confirm(scanned)).verdict == (409, "face_pending")
    await phone.shows_face(scanned)
    assert (await phone.confirm(scanned)).json() == {"status": "approved", "code": None}
    old = browser.copy()
    answer = await browser.redeem((await socket.next("approved"))["grant"])
    assert (answer.status, answer.json()) == (200, {"next": address})
    assert changed(browser, answer.cookies) == {SESSION}
    assert await old.who() is None
    assert heading(await at_the_end(browser, address)) == "人脸识别认证成功"
    found = await identity_of(program)
    assert (found.evidence, found.level(program.clock.now()), found.person) == (Evidence.FACE, 3, before.person)
    assert found.authority_reference == before.authority_reference
    assert PAGE not in links(await browser.get("/centre"))


@pytest.mark.attack("B4")
async def test_the_face_is_compared_with_the_accounts_own_identity_whatever_a_body_says(program: Program) -> None:
    phone = await program.phone()
    browser = await asking(program, phone)
    _, screen, _ = await at_the_code(program, browser)
    scanned = await program.scanned(phone, screen)
    body = {"ticket": scanned["ticket"], "confirm_token": scanned["confirm_token"]}
    named: tuple[dict[str, object], ...] = (
        {"name": "李思远"},
        {"document_number": "100101199003070016"},
        {"person": {}},
        {"cert_hash": "x"},
    )
    for beside in named:
        assert (await phone.call("face", body | beside)).verdict == (400, "invalid_request")


@pytest.mark.attack("B5")
async def test_another_accounts_phone_cannot_even_take_the_code(program: Program) -> None:
    phone = await program.phone()
    browser = await asking(program, phone)
    stranger = await program.phone("li-siyuan")
    socket, screen, _ = await at_the_code(program, browser)
    refused = await stranger.scan(program.frame(screen))
    assert (refused.verdict, refused.json()["reason"]) == ((403, "account_refused"), "other_account")
    await program.settle()
    assert socket.unread() == []


@pytest.mark.attack("B5")
async def test_without_a_session_there_is_no_code(program: Program) -> None:
    browser = await program.browser()
    for page in (PAGE, f"{PAGE}?flow={'A' * 22}", VERIFY):
        assert where(await browser.get(page)) == (303, "/login")


@pytest.mark.attack("B5", "R4")
async def test_a_session_that_was_not_verified_is_asked_to_be_first_and_the_proof_serves_once(program: Program) -> None:
    phone = await program.phone()
    browser = await program.signed_in(phone)
    await weakened(program)
    page = await browser.get(PAGE)
    assert (page.status, "data-flow" in page.text) == (200, False)
    _, grant = await approved(program, phone, browser, VERIFY)
    await browser.redeem(grant)
    status, address = where(await browser.get(PAGE))
    assert status == 303
    assert not await leads_on(browser, VERIFY), "the proof went with the first look at the page"
    assert "data-flow" not in (await browser.get(PAGE)).text
    assert "data-flow" in (await browser.get(address)).text
    await program.advance(599)
    assert "data-flow" in (await browser.get(address)).text
    await program.advance(1)
    assert "data-flow" not in (await browser.get(address)).text
    _, grant = await approved(program, phone, browser, VERIFY)
    await browser.redeem(grant)
    assert where(await browser.get(address)) == (303, address)
    assert not await leads_on(browser, VERIFY), "nor does a second proof serve twice"
    assert "data-flow" in (await browser.get(address)).text


@pytest.mark.attack("B5", "T3")
async def test_the_page_of_one_session_is_none_of_anothers(program: Program) -> None:
    phone = await program.phone()
    browser = await asking(program, phone)
    other = await program.signed_in(phone)
    _, _, address = await at_the_code(program, browser)
    assert "data-flow" not in (await other.get(address)).text


@pytest.mark.attack("Q18", "B5")
async def test_an_approval_is_worth_nothing_to_another_session_of_the_same_account_or_to_none(program: Program) -> None:
    phone = await program.phone()
    browser = await asking(program, phone)
    other = await program.signed_in(phone)
    _, grant, _, _ = await shown(program, phone, browser)
    before = await identity_of(program)
    swapped, none = browser.copy(), browser.copy()
    swapped.cookies[browser.to.cookie(SESSION)] = other.session or ""
    del none.cookies[browser.to.cookie(SESSION)]
    for wrong in (swapped, none):
        assert (await wrong.redeem(grant, program.code)).verdict == (404, "ticket_unknown")
    assert none.session is None
    assert await identity_of(program) == before
    assert (await browser.redeem(grant, program.code)).status == 200


@pytest.mark.attack("B2", "Q21")
@pytest.mark.parametrize("change", ["exchanged", "given up", "proved anew", "locked", "logged out elsewhere"])
async def test_what_has_changed_since_the_phone_confirmed_is_found_at_the_redeem(program: Program, change: str) -> None:
    phone = await program.phone()
    browser = await asking(program, phone)
    _, grant, _, address = await shown(program, phone, browser)
    account, stores, now = await account_of(program), program.rooms.stores, program.clock.now()
    expected = (403, "account_refused")
    match change:
        case "exchanged":
            await stores.identities.unbind(account, now)
            await give(program, account, await person(program, "minor"), Evidence.NAME_AND_NUMBER)
            # Whoever was confirmed before it is put out with it.
            expected = (404, "ticket_unknown")
        case "given up":
            await stores.identities.unbind(account, now)
            expected = (404, "ticket_unknown")
        case "proved anew":
            await give(program, account, await named(program, "chen-yutong"), Evidence.NAME_AND_NUMBER)
        case "locked":
            program.sql("UPDATE account SET status = 'locked'")
            # Whoever is locked has no session, and to nobody's grant there is one answer.
            expected = (404, "ticket_unknown")
        case _:
            for device in await phone.devices():
                if device["current"]:
                    await phone.end(device["id"])
            expected = (404, "ticket_unknown")
    assert (await browser.redeem(grant, program.code)).verdict == expected
    found = await bound(program, account)
    assert found is None or found.evidence is Evidence.NAME_AND_NUMBER
    if change == "proved anew":
        assert "data-flow" not in (await browser.get(address)).text, "the page begins anew"


@pytest.mark.req("OPS-4")
async def test_a_process_that_dies_while_the_level_is_written_costs_nobody_another_face(program: Program) -> None:
    seams: list[str] = []
    for writes in count(1):
        # A platform identity shows so many faces a day.
        program.clock.advance(DAY // SECOND)
        phone = await program.phone()
        browser = await asking(program, phone)
        _, grant, _, address = await shown(program, phone, browser)
        life = program.lives[0]
        life.ends_after(writes)
        answer = await program.survives(browser.redeem(grant, program.code))
        life.lives_on()
        if answer is not None:
            assert answer.status == 200
            break
        await program.comes_back(memory=True)
        program.clock.advance(1)
        seam = life.written[-1]
        again = await browser.redeem(grant, program.code)
        assert again.status == 200 or "tickets.replace" in life.written, "the ticket is claimed when the level is there"
        assert (await identity_of(program)).evidence is Evidence.FACE, seam
        # Or the answer with the session's new cookie got lost with its process.
        if await browser.who() is not None:
            assert heading(await at_the_end(browser, address)) == "人脸识别认证成功", seam
        seams.append(seam)
    assert {"identities.prove", "tickets.replace"} <= set(seams), seams


@pytest.mark.attack("P7")
@pytest.mark.parametrize("minutes", [0, 25], ids=["at once", "when the ticket is forgotten"])
async def test_whoever_confirmed_ends_the_session_that_asked(program: Program, minutes: int) -> None:
    phone = await program.phone()
    browser = await asking(program, phone)
    _, grant, scanned, _ = await shown(program, phone, browser)
    assert (await browser.redeem(grant, program.code)).status == 200
    await program.advance(minutes * 60)
    assert await browser.who() is not None
    assert (await (await program.phone()).undo(scanned["ticket"])).status == 200
    assert await browser.who() is None
    assert (await identity_of(program)).evidence is Evidence.FACE, "whose face it was stays true"


@pytest.mark.req("UX-5")
@pytest.mark.parametrize("prefix", ["", "/h5"])
async def test_an_account_without_an_identity_is_told_to_prove_its_name_first(program: Program, prefix: str) -> None:
    member = await enrolled(program)
    owner = await Owner.of(program, member.account, prefix)
    page = await owner.get(PAGE)
    assert "请先完成实名认证" in page.text
    assert f"{prefix}/centre/real_name" in links(page)
    assert "data-flow" not in page.text


@pytest.mark.req("RNV-7", "UX-5")
@pytest.mark.parametrize("prefix", ["", "/h5"])
async def test_whom_another_account_has_is_not_sent_to_state_it_once_more(program: Program, prefix: str) -> None:
    member, holder = await enrolled(program), await enrolled(program, username="lisi_2000", phone="15400000099")
    who = await person(program)
    await give(program, holder.account, who)
    owner = await Owner.of(program, member.account, prefix)
    await send(owner.browser, stated(await owner.may("real_name"), who))
    page = await owner.get(PAGE)
    assert "身份还在另一个账号上" in page.text
    assert f"{prefix}/centre/appeal" in links(page)
    assert f"{prefix}/centre/real_name" not in links(page)


async def test_a_worn_identity_is_proved_anew_first(program: Program) -> None:
    phone = await program.phone()
    browser = await program.signed_in(phone)
    program.sql("UPDATE identity SET runs_out_at = ?", program.clock.now())
    assert "请先完成实名认证" in (await browser.get(PAGE)).text


@pytest.mark.req("UX-5")
@pytest.mark.parametrize("prefix", ["", "/h5"])
async def test_an_account_without_jingtong_is_told_how_it_gets_one(program: Program, prefix: str) -> None:
    member = await enrolled(program)
    await give(program, member.account, await person(program), Evidence.NAME_AND_NUMBER)
    owner = await Owner.of(program, member.account, prefix)
    page = await owner.get(PAGE)
    assert "请先用京通登录本账号" in page.text
    assert "再用手机号认领本账号" in page.text


@pytest.mark.req("RNV-7")
async def test_whoever_claims_an_account_by_its_phone_in_jingtong_needs_no_code_any_more(program: Program) -> None:
    member: Standing = await enrolled(program)
    await give(program, member.account, await named(program, "chen-yutong"), Evidence.FACE)
    phone = await program.phone()
    assert (await phone.account()).json()["level"] == "L3"
    owner = await Owner.of(program, member.account)
    assert PAGE not in links(await owner.get("/centre"))


@pytest.mark.req("UX-5")
async def test_a_page_for_phones_says_that_another_screen_is_needed(program: Program) -> None:
    phone = await program.phone()
    await program.signed_in(phone)
    await weakened(program)
    owner = await Owner.of(program, await account_of(program), "/h5")
    page = await owner.get(PAGE)
    assert "请在电脑上办理" in page.text
    assert "data-flow" not in page.text


@pytest.mark.req("UX-4")
async def test_without_a_script_the_page_is_a_picture_and_a_button(program: Program) -> None:
    phone = await program.phone()
    browser = await asking(program, phone)
    _, address = where(await browser.get(PAGE))
    page = await browser.open(address)
    assert f"/qr/image?flow={browser.flow}" in page.text
    assert (await browser.get(f"/qr/image?flow={browser.flow}")).header("Content-Type") == "image/gif"
    state = await browser.get(f"/qr/state?flow={browser.flow}")
    assert heading(state) == "请用京通“扫一扫”"
    scanned = await program.scanned(phone, Screen((await browser.tickets()).json()))
    await phone.shows_face(scanned)
    assert (await phone.confirm(scanned)).status == 200
    state = await browser.get(f"/qr/state?flow={browser.flow}")
    (fields,) = [form.values for form in forms_of(state)]
    answer = await browser.submit("/qr/redeem", fields)
    assert where(answer) == (303, address)
    assert heading(await at_the_end(browser, address)) == "人脸识别认证成功"


@pytest.mark.req("UX-4")
async def test_a_new_code_is_asked_for_without_a_script(program: Program) -> None:
    phone = await program.phone()
    browser = await asking(program, phone)
    _, address = where(await browser.get(PAGE))
    await browser.open(address)
    first = (await browser.tickets()).json()["ticket"]
    state = await browser.get(f"/qr/state?flow={browser.flow}")
    scanned = await program.scanned(phone, Screen((await browser.tickets()).json()))
    assert (await phone.reject(scanned)).status == 200
    state = await browser.get(f"/qr/state?flow={browser.flow}")
    (fields,) = [form.values for form in forms_of(state)]
    assert where(await browser.submit("/qr/renew", fields)) == (303, address)
    await browser.open(address)
    assert (await browser.tickets()).json()["ticket"] != first


@pytest.mark.attack("P9")
async def test_the_reverse_code_is_asked_for_a_face_too(start_program: StartProgram) -> None:
    program = await start_program(settings=always_a_code)
    phone = await program.phone()
    browser, _, message = await program.approved(phone)
    assert (await browser.redeem(message["grant"], program.code)).status == 200
    await weakened(program)
    _, grant = await approved(program, phone, browser, VERIFY)
    assert (await browser.redeem(grant, program.code)).status == 200
    _, grant, _, _ = await shown(program, phone, browser)
    wrong = f"{(int(program.code or '0') + 1) % 100:02d}"
    assert (await browser.redeem(grant, wrong)).verdict == (422, "code_wrong")
    assert (await browser.redeem(grant, program.code)).status == 200
    assert (await identity_of(program)).evidence is Evidence.FACE


async def test_a_phone_that_takes_longer_than_the_page_can_be_shown_still_ends_at_the_end(program: Program) -> None:
    phone = await program.phone()
    browser = await asking(program, phone)
    _, address = where(await browser.get(PAGE))
    await program.advance(599)
    await browser.open(address)
    socket = await program.socket(browser)
    scanned = await program.scanned(phone, await socket.screen())
    await program.advance(170)
    await phone.shows_face(scanned)
    assert (await phone.confirm(scanned)).status == 200
    assert (await browser.redeem(str((await browser.message("approved"))["grant"]))).status == 200
    assert heading(await at_the_end(browser, address)) == "人脸识别认证成功"


async def test_a_store_that_is_away_at_the_redeem_consumes_nothing(program: Program) -> None:
    phone = await program.phone()
    browser = await asking(program, phone)
    _, grant, _, address = await shown(program, phone, browser)
    program.meddler.breaks("identities.prove")
    assert (await browser.redeem(grant, program.code)).verdict == (503, "service_unavailable")
    program.meddler.mends()
    assert (await identity_of(program)).evidence is Evidence.NAME_AND_NUMBER
    assert (await browser.redeem(grant, program.code)).status == 200
    assert heading(await at_the_end(browser, address)) == "人脸识别认证成功"
