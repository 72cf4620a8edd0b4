"""The rotating frame: what it looks like, what it is worth, and for how long."""

from __future__ import annotations

import hashlib
import hmac
import string
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.qrlogin import frame
from bjidp.qrlogin.frame import Frame
from bjidp.qrlogin.keys import QrKeys
from bjidp.qrlogin.policy import Purpose
from bjidp.secret import Secret
from tests.support.qr import POLICY, ticket_id

PREFIX = "https://login.example/q/"
TICKET = ticket_id("shown")
ALPHABET = string.ascii_letters + string.digits + "-_"
KEYS = QrKeys(Secret(b"k" * 32))


def a_text(t: int = 7, ticket: str = TICKET, purpose: Purpose = Purpose.LOGIN) -> str:
    return frame.text(PREFIX, KEYS.frame_key(purpose, ticket), purpose, ticket, t)


def accepted(text: str, purpose: Purpose = Purpose.LOGIN) -> bool:
    """Judge a text as the server does: by the key of the ticket that it names itself."""
    read = frame.read(PREFIX, text)
    return isinstance(read, Frame) and frame.is_genuine(read, KEYS.frame_key(purpose, read.ticket), purpose)


def test_a_frame_is_what_the_page_computes() -> None:
    """The page's script makes the same by WebCrypto: the recipe of wire.md, section 2, written out once more."""
    key = KEYS.frame_key(Purpose.LOGIN, TICKET)
    digest = hmac.new(key, f"bjidp.qr.v1|login|{TICKET}|007".encode(), hashlib.sha256).digest()
    assert a_text() == f"{PREFIX}{TICKET}.007.{urlsafe_b64encode(digest).decode()[:12]}"
    assert len(a_text()) == len(PREFIX) + frame.VARIABLE_LENGTH


@given(t=st.integers(0, 999), seed=st.text(), purpose=st.sampled_from(Purpose))
def test_a_frame_that_was_made_is_read_and_genuine(t: int, seed: str, purpose: Purpose) -> None:
    text = a_text(t, ticket_id(seed), purpose)
    read = frame.read(PREFIX, text)
    assert isinstance(read, Frame)
    assert (read.ticket, read.t) == (ticket_id(seed), t)
    assert accepted(text, purpose)


@pytest.mark.attack("Q17")
@pytest.mark.parametrize("position", range(len(PREFIX), len(PREFIX) + frame.VARIABLE_LENGTH))
def test_every_forgery_of_one_character_is_refused(position: int) -> None:
    text = a_text()
    for character in ALPHABET + ". |\n京":
        if character != text[position]:
            assert not accepted(text[:position] + character + text[position + 1 :])


@pytest.mark.attack("Q17", "Q18")
def test_parts_of_different_frames_make_no_frame() -> None:
    ticket, t, mac = a_text(7).removeprefix(PREFIX).split(".")
    other = a_text(7, ticket_id("other")).rpartition(".")[2]
    later = a_text(8).rpartition(".")[2]
    device = a_text(7, purpose=Purpose.DEVICE).rpartition(".")[2]
    assert accepted(f"{PREFIX}{ticket}.{t}.{mac}")
    for stranger in (other, later, device):
        assert not accepted(f"{PREFIX}{ticket}.{t}.{stranger}")


@pytest.mark.attack("Q18")
def test_a_frame_of_one_purpose_is_worth_nothing_for_another() -> None:
    for made in Purpose:
        for asked in Purpose:
            assert accepted(a_text(purpose=made), asked) is (made is asked)


@pytest.mark.attack("Q27")
@pytest.mark.parametrize(
    "text",
    [
        "",
        PREFIX,
        TICKET,
        a_text() + "\n",
        " " + a_text(),
        a_text().upper(),
        a_text() + "?x=1",
        f"{PREFIX}{TICKET}.07.{'A' * 12}",
        f"{PREFIX}{TICKET}.0007.{'A' * 12}",
        f"{PREFIX}{TICKET}.-07.{'A' * 12}",
        f"{PREFIX}{TICKET}.٠٠٧.{'A' * 12}",
        f"{PREFIX}{TICKET}.007.{'A' * 11}",
        f"{PREFIX}{TICKET}.007.",
        f"{PREFIX}{TICKET[:-1]}.007.{'A' * 12}",
        f"{PREFIX}{TICKET[:-1]}\n",
        a_text().replace("https", "http"),
    ],
)
def test_what_has_not_the_shape_of_a_frame_is_read_as_nothing(text: str) -> None:
    assert frame.read(PREFIX, text) is None


@given(text=st.text())
def test_reading_never_fails(text: str) -> None:
    assert frame.read(PREFIX, PREFIX + text) is None or len(text) >= frame.TICKET_LENGTH


def test_a_device_ticket_is_read_as_its_id() -> None:
    assert frame.read(PREFIX, PREFIX + TICKET) == TICKET


@pytest.mark.attack("Q16")
@pytest.mark.parametrize("window", [POLICY.fresh, POLICY.fresh_launch])
@pytest.mark.parametrize("t", [0, 1, 29])
def test_the_window_is_exact_at_both_edges(window: int, t: int) -> None:
    issued = 1_800_000_000_000
    shown = Frame(TICKET, t, "")
    drawn = issued + t * POLICY.step

    def fresh(now: int) -> bool:
        return frame.is_fresh(shown, issued, now, step=POLICY.step, window=window)

    assert [fresh(drawn + late) for late in (-1, 0, window, window + 1)] == [False, True, True, False]


def test_a_screen_shows_each_frame_for_one_step() -> None:
    assert [frame.number_at(elapsed, 2000) for elapsed in (0, 1999, 2000, 59_999)] == [0, 0, 1, 29]


@pytest.mark.attack("Q27")
@pytest.mark.parametrize(
    ("text", "shaped"),
    [(TICKET, True), (TICKET[:-1], False), (TICKET + "A", False), (TICKET[:-1] + "\n", False), ("京" * 22, False)],
)
def test_the_shape_of_a_ticket(text: str, shaped: bool) -> None:
    assert frame.is_ticket_id(text) is shaped
