"""The QR channel without JavaScript: the animated picture, the state in its frame, and renewing by a button."""

from __future__ import annotations

import io
import re
from itertools import pairwise

import pytest
import zxingcpp
from PIL import Image, ImageSequence

from bjidp.qrlogin.matrix import Basis
from bjidp.qrlogin.picture import animated_image
from tests.support.browser import Browser
from tests.support.calls import Answer
from tests.support.phone import Phone
from tests.support.program import Program, always_a_code
from tests.web.conftest import StartProgram


async def picture(browser: Browser) -> tuple[list[str], list[float]]:
    """Return the texts in the picture's frames, empty for one without a code, and the seconds each is shown."""
    answer = await browser.get(f"/qr/image?flow={browser.flow}")
    assert answer.status == 200
    assert answer.header("Content-Type") == "image/gif"
    assert answer.header("Cache-Control") == "no-store"
    texts, times = [], []
    with Image.open(io.BytesIO(answer.body)) as image:
        assert "loop" not in image.info
        for frame in ImageSequence.Iterator(image):
            times.append(frame.info["duration"] / 1000)
            found = zxingcpp.read_barcodes(frame.convert("RGB"))
            texts.append(found[0].text if found else "")
    return texts, times


async def says_scanned(program: Program, browser: Browser) -> bool:
    """Tell whether the picture without a code says 已扫码; it says 已过期 otherwise."""
    shown = (await browser.get(f"/qr/image?flow={browser.flow}")).body
    basis = Basis(f"{program.url}/q/")
    scanned, expired = (animated_image(basis, [], 0, scanned=scanned) for scanned in (True, False))
    assert shown in {scanned, expired}
    return shown == scanned


async def state(browser: Browser) -> Answer:
    """Return the page inside the frame."""
    answer = await browser.get(f"/qr/state?flow={browser.flow}")
    assert answer.status == 200
    assert answer.header("Cache-Control") == "no-store"
    return answer


def reloads(answer: Answer) -> bool:
    """Tell whether a page reloads itself."""
    return 'http-equiv="refresh"' in answer.text


async def scan(program: Program, phone: Phone, browser: Browser) -> dict[str, object]:
    """Let a phone scan the first frame of the picture."""
    texts, _ = await picture(browser)
    answer = await phone.scan(texts[0])
    assert answer.status == 200, answer
    return answer.json()


@pytest.mark.req("UX-4", "LOG-2")
async def test_a_login_works_without_javascript(program: Program) -> None:
    browser = await program.browser()
    await browser.open()
    phone = await program.phone()
    scanned = await scan(program, phone, browser)
    await program.advance(12)
    shown = await state(browser)
    assert "陈**" in shown.text
    assert "还剩约 48 秒" in shown.text
    assert reloads(shown)

    assert (await phone.confirm(scanned)).status == 200
    shown = await state(browser)
    assert not reloads(shown)
    fields = dict(re.findall(r'name="(grant|csrf)" value="([^"]*)"', shown.text))
    assert (await browser.submit("/qr/redeem", fields)).status == 303
    assert await browser.who() == "陈**"


@pytest.mark.req("UX-4")
async def test_the_picture_has_every_frame_until_the_deadline_and_then_none(program: Program) -> None:
    browser = await program.browser()
    await browser.open()
    texts, times = await picture(browser)
    prefix = f"{program.url}/q/"
    frames = [re.fullmatch(rf"{re.escape(prefix)}([\w-]{{22}})\.(\d{{3}})\.([\w-]{{12}})", text) for text in texts[:-1]]
    assert [int(frame[2]) for frame in frames if frame] == list(range(30))
    assert len({frame[1] for frame in frames if frame}) == 1
    assert texts[-1] == ""
    assert times[:-1] == [2.0] * 30


@pytest.mark.attack("Q16")
async def test_a_picture_asked_for_later_begins_with_the_frame_of_now(program: Program) -> None:
    browser = await program.browser()
    await browser.open()
    first, _ = await picture(browser)
    await program.advance(33)
    texts, times = await picture(browser)
    assert texts == first[16:]
    assert times[0] == 1.0
    assert sum(times[:-1]) == 27.0

    phone = await program.phone()
    assert (await phone.scan(first[0])).verdict == (409, "frame_stale")
    assert (await phone.scan(texts[1])).verdict == (409, "frame_stale")
    assert (await phone.scan(texts[0])).status == 200


async def test_every_frame_of_the_picture_is_good_at_its_moment(program: Program) -> None:
    browser = await program.browser()
    await browser.open()
    texts, _ = await picture(browser)
    phone = await program.phone()
    await program.advance(6)
    for text in (texts[3], texts[4]):
        answer = await phone.scan(text)
        assert answer.status == 200, answer
        await program.advance(2)
    assert len(set(texts)) == len(texts)
    assert all(before != after for before, after in pairwise(texts))


@pytest.mark.req("UX-4")
async def test_after_the_scan_the_picture_shows_no_code_and_does_not_say_that_it_expired(program: Program) -> None:
    browser = await program.browser()
    await browser.open()
    await scan(program, await program.phone(), browser)
    texts, _ = await picture(browser)
    assert texts == [""]
    assert await says_scanned(program, browser)
    await program.advance(60)
    assert not await says_scanned(program, browser)


@pytest.mark.attack("Q1")
async def test_the_picture_is_for_its_browser_alone(program: Program) -> None:
    owner, stranger, nobody = await program.browser(), await program.browser(), await program.browser()
    await owner.open()
    await stranger.open()
    for browser, code in ((stranger, "flow_unknown"), (nobody, "browser_unknown")):
        answer = await browser.caller.send("GET", f"/qr/image?flow={owner.flow}", headers=browser.headers())
        assert answer.verdict == (403, code)


@pytest.mark.attack("Q1", "Q22")
async def test_the_state_of_another_browsers_flow_looks_like_one_that_is_over(program: Program) -> None:
    owner, stranger, nobody = await program.browser(), await program.browser(), await program.browser()
    await owner.open()
    await stranger.open()
    await scan(program, await program.phone(), owner)
    stranger.flow = nobody.flow = owner.flow
    pages = [(await state(browser)).text for browser in (stranger, nobody)]
    assert not any("陈**" in page for page in pages)
    assert len({re.sub(r'value="[^"]*"', "", page) for page in pages}) == 1


async def test_waiting_reloads_itself_and_a_deadline_ends_that(program: Program) -> None:
    browser = await program.browser()
    await browser.open()
    waiting = await state(browser)
    assert reloads(waiting)
    assert 'content="5"' in waiting.text
    await program.advance(60)
    expired = await state(browser)
    assert not reloads(expired)
    assert 'action="/qr/renew"' in expired.text


async def test_an_approval_has_ninety_seconds_where_a_person_has_to_press(program: Program) -> None:
    browser = await program.browser()
    await browser.open()
    phone = await program.phone()
    await phone.confirm(await scan(program, phone, browser))
    await program.advance(89)
    shown = await state(browser)
    fields = dict(re.findall(r'name="(grant|csrf)" value="([^"]*)"', shown.text))
    assert (await browser.submit("/qr/redeem", fields)).header("Location") == "/centre"


async def test_a_refusal_is_shown_with_a_way_on(program: Program) -> None:
    browser = await program.browser()
    await browser.open()
    phone = await program.phone()
    await phone.reject(await scan(program, phone, browser))
    rejected = await state(browser)
    assert not reloads(rejected)
    assert 'action="/qr/renew"' in rejected.text
    assert "陈" not in rejected.text


@pytest.mark.attack("P9")
async def test_the_code_is_a_field_and_three_wrong_ones_end_it(start_program: StartProgram) -> None:
    program = await start_program(settings=always_a_code)
    browser = await program.browser()
    await browser.open()
    phone = await program.phone()
    answer = await phone.confirm(await scan(program, phone, browser))
    code = str(answer.json()["code"])
    wrong = f"{(int(code) + 1) % 100:02d}"
    shown = await state(browser)
    assert 'name="code"' in shown.text
    assert "aria-invalid" not in shown.text
    assert not re.search(rf"\b{code}\b", re.sub(r'value="[^"]*"', "", shown.text))
    for _ in range(3):
        shown = await state(browser)
        fields = dict(re.findall(r'name="(grant|csrf)" value="([^"]*)"', shown.text))
        assert (await browser.submit("/qr/redeem", fields | {"code": wrong})).header("Location") == "/login"
        assert await says_scanned(program, browser)
    shown = await state(browser)
    assert 'name="code"' not in shown.text
    assert 'action="/qr/renew"' in shown.text


@pytest.mark.req("UX-4")
async def test_who_did_not_scan_gets_another_code_by_a_button(program: Program) -> None:
    browser = await program.browser()
    await browser.open()
    phone = await program.phone()
    scanned = await scan(program, phone, browser)
    shown = await state(browser)
    assert "不是您？换一个二维码" in shown.text
    fields = dict(re.findall(r'name="(flow|csrf)" value="([^"]*)"', shown.text))
    assert (await browser.submit("/qr/renew", fields)).header("Location") == "/login"
    assert (await phone.confirm(scanned)).verdict == (409, "ticket_closed")


async def test_renew_shows_another_code_and_leads_back_to_the_page(program: Program) -> None:
    browser = await program.browser()
    await browser.open()
    before, _ = await picture(browser)
    answer = await browser.submit("/qr/renew", {"flow": browser.flow, "csrf": browser.csrf})
    assert (answer.status, answer.header("Location")) == (303, "/login")
    await browser.open()
    after, _ = await picture(browser)
    assert len(after) == 31
    assert not set(before[:-1]) & set(after)
    assert (await (await program.phone()).scan(before[0])).verdict == (409, "ticket_closed")


@pytest.mark.attack("Q28", "Q23")
async def test_renew_needs_the_form_of_this_browser(program: Program) -> None:
    browser, stranger = await program.browser(), await program.browser()
    await browser.open()
    await stranger.open()
    before, _ = await picture(browser)
    for csrf in ("", "x", stranger.csrf):
        answer = await browser.submit("/qr/renew", {"flow": browser.flow, "csrf": csrf})
        assert answer.verdict == (403, "origin_refused")
    answer = await browser.submit("/qr/renew", {"flow": browser.flow, "csrf": browser.csrf}, Origin="null")
    assert answer.verdict == (403, "origin_refused")
    assert (await stranger.submit("/qr/renew", {"flow": browser.flow, "csrf": stranger.csrf})).verdict == (
        403,
        "flow_unknown",
    )
    assert (await picture(browser))[0] == before


async def test_the_state_may_be_framed_by_the_login_page_alone(program: Program) -> None:
    browser = await program.browser()
    await browser.open()
    assert "frame-ancestors 'self'" in str((await state(browser)).header("Content-Security-Policy"))
    login = await browser.get("/login")
    assert "frame-ancestors 'none'" in str(login.header("Content-Security-Policy"))


async def test_a_page_with_a_script_that_loses_it_goes_on_with_the_same_ticket(program: Program) -> None:
    browser, _, screen = await program.opened()
    texts, _ = await picture(browser)
    assert texts[0] == program.frame(screen)


@pytest.mark.attack("W9")
async def test_a_browser_has_twelve_pictures_a_minute_drawn(program: Program) -> None:
    browser = await program.browser()
    await browser.open()
    for _ in range(20):
        assert (await browser.get(f"/qr/image?flow={browser.flow}")).status == 200
    for _ in range(11):
        await program.advance(2)
        assert (await browser.get(f"/qr/image?flow={browser.flow}")).status == 200
    await program.advance(2)
    refused = await browser.get(f"/qr/image?flow={browser.flow}")
    assert refused.status == 429
    assert refused.header("Retry-After") is not None


@pytest.mark.attack("Q28")
async def test_a_browser_that_is_logged_in_is_given_no_code(program: Program) -> None:
    page = await program.browser()
    await page.open()
    elsewhere = await program.signed_in()
    page.cookies |= elsewhere.cookies
    assert (await page.get(f"/qr/image?flow={page.flow}")).status == 409
    answer = await page.submit("/qr/renew", {"flow": page.flow, "csrf": page.csrf})
    assert answer.status == 409
    shown = await state(page)
    assert not reloads(shown)
    assert 'href="/login"' in shown.text
