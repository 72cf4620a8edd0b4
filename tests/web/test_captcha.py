"""The addresses of captchas: whose picture it is, and another one in its place."""

from __future__ import annotations

import io
import threading
import wave

import pytest
from PIL import Image

from bjidp.bootstrap import rooms as bootstrap_rooms
from bjidp.bootstrap import verification as bootstrap_verification
from bjidp.throttle.ports import per_minute
from bjidp.verification.captcha_picture import draw
from bjidp.verification.captchas import CaptchaWindows
from tests.support.browser import Browser
from tests.support.calls import Answer
from tests.support.program import Program
from tests.web.conftest import StartProgram


async def visitor(program: Program, *, process: int = 0) -> Browser:
    browser = await program.browser(process=process)
    await browser.open()
    return browser


async def renew(browser: Browser) -> str:
    """Ask for another captcha as the page's script does; return its id."""
    answer = await browser.caller.post("/captcha", {}, headers=browser.headers(browser.to.url))
    assert answer.status == 200, answer
    return str(answer.json()["id"])


async def picture(browser: Browser, captcha: str) -> Answer:
    return await browser.caller.send("GET", f"/captcha/{captcha}.png", headers=browser.headers())


async def sound(browser: Browser, captcha: str, **more: str) -> Answer:
    return await browser.caller.send("GET", f"/captcha/{captcha}.wav", headers=browser.headers(None, **more))


@pytest.mark.req("REG-2")
async def test_a_picture_is_shown_to_the_browser_it_was_made_for(program: Program) -> None:
    browser = await visitor(program)
    captcha = await renew(browser)
    answer = await picture(browser, captcha)
    assert answer.status == 200
    assert answer.header("Content-Type") == "image/png"
    assert answer.header("Cache-Control") == "no-store"
    with Image.open(io.BytesIO(answer.body)) as shown:
        assert shown.size == (240, 92)
    assert (await picture(browser, captcha)).body == answer.body


@pytest.mark.req("UX-2")
async def test_it_is_spoken_to_the_browser_it_was_made_for(program: Program) -> None:
    browser = await visitor(program)
    captcha = await renew(browser)
    answer = await sound(browser, captcha)
    assert answer.status == 200
    assert answer.header("Content-Type") == "audio/wav"
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("Accept-Ranges") == "bytes"
    with wave.open(io.BytesIO(answer.body)) as spoken:
        assert spoken.getnframes() / spoken.getframerate() > 3
    assert (await sound(browser, captcha)).body == answer.body


@pytest.mark.req("UX-2")
async def test_the_sound_comes_in_parts_to_who_asks_for_parts(program: Program) -> None:
    browser = await visitor(program)
    captcha = await renew(browser)
    whole = (await sound(browser, captcha)).body
    size = len(whole)
    for asked, start, end in (
        ("bytes=0-1", 0, 2),
        ("bytes=2-", 2, size),
        ("bytes=-9", size - 9, size),
        (f"bytes=9-{size + 9}", 9, size),
    ):
        part = await sound(browser, captcha, Range=asked)
        assert (part.status, part.body) == (206, whole[start:end])
        assert part.header("Content-Range") == f"bytes {start}-{end - 1}/{size}"
    for asked in ("bytes=0-1,4-5", "bytes=5-2", "lines=0-1", "bytes=" + "9" * 5000 + "-"):
        answer = await sound(browser, captcha, Range=asked)
        assert (answer.status, answer.body) == (200, whole)
    beyond = await sound(browser, captcha, Range=f"bytes={size}-")
    assert (beyond.status, beyond.header("Content-Range"), beyond.body) == (416, f"bytes */{size}", b"")


async def test_a_test_is_told_what_a_captcha_shows(program: Program) -> None:
    browser = await visitor(program)
    captcha = await renew(browser)
    assert await browser.caller.captcha(captcha) == program.captchas[captcha]


@pytest.mark.req("REG-2")
async def test_asking_anew_makes_another_captcha(program: Program) -> None:
    browser = await visitor(program)
    first, second = await renew(browser), await renew(browser)
    assert first != second
    assert (await picture(browser, first)).body != (await picture(browser, second)).body


@pytest.mark.req("REG-2")
async def test_what_is_foreign_over_or_was_never_made_is_not_found_and_all_alike(program: Program) -> None:
    browser, stranger, nobody = await visitor(program), await visitor(program), await program.browser()
    captcha = await renew(browser)
    answers = [
        await look(someone, shown)
        for look in (picture, sound)
        for someone, shown in (
            (stranger, captcha),
            (nobody, captcha),
            (browser, "x" * 22),
            (browser, "x"),
            (browser, "%ED%A0%80" * 22),
        )
    ]
    await program.advance(300)
    await browser.open()
    answers += [await picture(browser, captcha), await sound(browser, captcha)]
    assert {answer.status for answer in answers} == {404}
    assert len({answer.body for answer in answers}) == 1


@pytest.mark.req("REG-2")
async def test_a_captcha_outlives_a_new_secret_of_its_browser(program: Program) -> None:
    browser = await visitor(program)
    captcha = await renew(browser)
    await browser.open()
    assert (await picture(browser, captcha)).status == 200


@pytest.mark.req("REG-2")
async def test_after_a_login_captchas_are_the_sessions(program: Program) -> None:
    browser = await program.signed_in()
    captcha = await renew(browser)
    assert (await picture(browser, captcha)).status == 200
    browser.cookies.clear()
    assert (await picture(browser, captcha)).status == 404


async def test_any_process_shows_the_picture_that_one_has_made(start_program: StartProgram) -> None:
    program = await start_program(processes=2)
    browser = await visitor(program)
    captcha = await renew(browser)
    elsewhere = await program.browser(process=1)
    elsewhere.cookies = browser.cookies
    assert (await picture(elsewhere, captcha)).body == (await picture(browser, captcha)).body


@pytest.mark.attack("W4", "O11")
async def test_another_site_gets_neither_a_captcha_nor_its_picture(program: Program) -> None:
    browser = await visitor(program)
    captcha = await renew(browser)
    for origin in (None, "null", "https://evil.example"):
        sent = browser.headers(origin)
        assert (await browser.caller.post("/captcha", {}, headers=sent)).verdict == (403, "origin_refused")
    sent = browser.headers(None, **{"Sec-Fetch-Site": "cross-site"})
    for kind in ("png", "wav"):
        answer = await browser.caller.send("GET", f"/captcha/{captcha}.{kind}", headers=sent)
        assert answer.verdict == (403, "origin_refused")


async def test_who_has_opened_no_page_is_given_no_captcha(program: Program) -> None:
    nobody = await program.browser()
    answer = await nobody.caller.post("/captcha", {}, headers=nobody.headers(program.url))
    assert answer.verdict == (403, "browser_unknown")


async def test_the_body_is_an_empty_object_or_nothing(program: Program) -> None:
    browser = await visitor(program)
    sent = browser.headers(program.url)
    assert (await browser.caller.send("POST", "/captcha", headers=sent)).status == 200
    bodies: list[object] = [{"id": "x"}, [], "x"]
    for body in bodies:
        answer = await browser.caller.post("/captcha", body, headers=sent)
        assert answer.verdict == (400, "invalid_request")


@pytest.mark.attack("O11")
async def test_an_address_is_shown_so_many_a_minute(
    start_program: StartProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap_verification, "CaptchaWindows", lambda: CaptchaWindows(shown=per_minute(3)))
    program = await start_program()
    browsers = [await visitor(program) for _ in range(2)]
    for turn in range(3):
        await renew(browsers[turn % 2])
    refused = await browsers[1].caller.post("/captcha", {}, headers=browsers[1].headers(program.url))
    assert refused.verdict == (429, "rate_limited")
    assert refused.header("Retry-After") == "60"
    await program.advance(60)
    await renew(browsers[0])


async def test_pictures_are_drawn_off_the_event_loop(
    start_program: StartProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[int] = set()

    def drawn(answer: str) -> bytes:
        threads.add(threading.get_ident())
        return draw(answer)

    monkeypatch.setattr(bootstrap_rooms, "draw", drawn)
    program = await start_program()
    await renew(await visitor(program))
    assert threads
    assert threading.get_ident() not in threads


async def test_a_store_that_is_down_lets_nobody_past(program: Program) -> None:
    browser = await visitor(program)
    captcha = await renew(browser)
    program.meddler.breaks("captchas")
    assert (await picture(browser, captcha)).status == 503
    answer = await browser.caller.post("/captcha", {}, headers=browser.headers(program.url))
    assert answer.verdict == (503, "service_unavailable")
