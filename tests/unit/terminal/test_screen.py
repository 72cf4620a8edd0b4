"""What a terminal shows: a code that a phone reads, drawn in place."""

from __future__ import annotations

import io
import os
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bjidp.entropy import base64url
from bjidp.qrlogin import frame
from bjidp.qrlogin.policy import Purpose
from bjidp.terminal import drawing
from bjidp.terminal.screen import Screen, text
from bjidp.terminal.talking import Codes, Frames, LoginFailed, Server, printable
from bjidp.terminal.words import CHINESE, ENGLISH, Words
from tests.support.terminal import Grid

pytestmark = pytest.mark.req("RP-3")

WORDS = Words(ENGLISH)
TICKET = "A" * 22
CODES = Codes(
    device_code="device-code",
    user_code="WDJB-MJHT",
    verification_uri="https://id.example/device",
    verification_uri_complete=f"https://id.example/q/{TICKET}",
    expires_in=300,
    qr=Frames(base64url(b"k" * 32), 2.0, 0.5),
)


class Tty(io.StringIO):
    """A terminal that keeps what is written to it."""

    def isatty(self) -> bool:
        return True


def shown(out: Tty) -> Grid:
    grid = Grid()
    grid.feed(out.getvalue())
    return grid


@pytest.fixture(autouse=True)
def size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((80, 24)))


@settings(max_examples=20, deadline=None)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=150), st.sampled_from([2, 4]))
def test_whatever_is_drawn_is_read(words: str, quiet: int) -> None:
    grid = Grid()
    grid.feed("\n".join(drawing.lines(words, quiet)))
    assert grid.read() == words


def test_a_login_fits_into_a_terminal_of_the_usual_size_and_is_the_frame_of_this_moment() -> None:
    out = Tty()
    screen = Screen(WORDS, out)
    grid = Grid()
    for elapsed, number in ((0.0, 0), (1.6, 1), (61.6, 31)):
        screen.ask(CODES, elapsed)
        grid = shown(out)
        assert grid.read() == frame.text("https://id.example/q/", b"k" * 32, Purpose.DEVICE, TICKET, number)
        assert len(grid.lines) <= 24, "drawn in place"
    assert "WDJB-MJHT" in grid.text
    assert "3:58 left" in grid.text
    assert "https://id.example/device" in grid.text


def test_what_somebody_has_taken_is_shown_to_nobody_else_and_nothing_stays() -> None:
    out = Tty()
    screen = Screen(WORDS, out)
    screen.ask(CODES, 0.0)
    screen.scanned(CODES)
    grid = shown(out)
    assert grid.read() is None
    assert grid.text.split("\n")[0] == "Code: WDJB-MJHT"
    screen.clear()
    screen.say("failed.no")
    assert shown(out).text.strip() == "the login was refused"
    assert out.getvalue().count("\x1b[?25l") == out.getvalue().count("\x1b[?25h") == 1, "the cursor is back"


def test_a_code_without_frames_is_drawn_as_it_is() -> None:
    still = Codes(
        device_code="d",
        user_code="WDJB-MJHT",
        verification_uri="https://id.example/device",
        verification_uri_complete=f"https://id.example/q/{TICKET}",
        expires_in=300,
    )
    assert text(still, 100) == f"https://id.example/q/{TICKET}"


def test_what_is_no_terminal_is_told_once_and_without_colours() -> None:
    out = io.StringIO()
    screen = Screen(WORDS, out)
    assert not screen.draws
    screen.ask(CODES, 0.0)
    screen.ask(CODES, 2.0)
    screen.clear()
    assert out.getvalue().count("WDJB-MJHT") == 1
    assert "\x1b" not in out.getvalue()


@pytest.mark.req("UX-1")
def test_chinese_lines_stay_one_line_each_in_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((40, 12)))
    out = Tty()
    screen = Screen(Words(CHINESE), out)
    screen.ask(CODES, 0.0)
    lines = [line.strip("\r") for line in out.getvalue().split("\n")][:3]
    assert "WDJB-MJHT" in lines[0]
    for line in lines:
        drawn = line.replace("\x1b[K", "").replace("\x1b[?25l", "")
        assert sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in drawn) < 40


class Old(io.TextIOWrapper):
    """A terminal of another age."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_that_draws_nothing_or_knows_no_such_letters_is_told_words() -> None:
    assert Screen(WORDS, Tty()).draws
    assert not Screen(WORDS, Tty(), plain=True).draws
    assert not Screen(WORDS, Old(io.BytesIO(), encoding="latin-1")).draws
    assert Screen(WORDS, Old(io.BytesIO(), encoding="utf-8")).draws


def test_nothing_that_a_server_sends_is_obeyed_by_a_terminal() -> None:
    hostile = "\x1b]0;owned\x07\x1b[2J\r\n" + "x" * 500
    assert printable(hostile).startswith("]0;owned[2Jx")
    assert len(printable(hostile)) < 200
    out = io.StringIO()
    Screen(WORDS, out).ask(Codes(device_code="d", user_code=hostile, verification_uri=hostile, expires_in=300), 0.0)
    assert not {"\x1b", "\x07", "\r"} & set(out.getvalue())


@pytest.mark.parametrize(
    "url", ["http://id.example", "ftp://id.example", "id.example", "https://", "https://id.example/?a=1"]
)
def test_tokens_travel_to_no_such_address(url: str) -> None:
    with pytest.raises(LoginFailed):
        Server(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:1", "https://id.example/"])
def test_tokens_travel_over_https_or_on_this_machine(url: str) -> None:
    assert Server(url).url == url.rstrip("/")
