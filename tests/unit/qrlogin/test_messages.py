"""What a page is told in each state, and what it is told once."""

from __future__ import annotations

import msgspec
import pytest

from bjidp.clock import SECOND, Instant
from bjidp.entropy import base64url
from bjidp.qrlogin import flow as flows
from bjidp.qrlogin import frame, machine
from bjidp.qrlogin.flow import Flow
from bjidp.qrlogin.keys import QrKeys
from bjidp.qrlogin.messages import Heard, Messages
from bjidp.qrlogin.policy import Purpose
from bjidp.qrlogin.ticket import Approved, Ticket
from bjidp.secret import Secret
from tests.support.qr import POLICY, ZHANG, a_flow, a_ticket

START: Instant = 1_800_000_000_000
PREFIX = "https://login.example/q/"
KEYS = QrKeys(Secret(b"k" * 32))
MESSAGES = Messages(KEYS, POLICY, PREFIX)


def at(seconds: float) -> Instant:
    return START + round(seconds * SECOND)


def a_page(*, slow: bool = False) -> Flow:
    return a_flow(a_ticket("0", at(0), slow=slow))


def put(flow: Flow, changed: Ticket, seconds: float) -> Flow:
    return flows.put(flow, changed, at(seconds))


def scanned(*, code: bool = False) -> Flow:
    flow = a_page()
    return put(flow, machine.scan(flow.current, ZHANG, POLICY, at(5), code_required=code), 5)


def approved(*, code: str | None = None) -> Flow:
    flow = scanned(code=code is not None)
    return put(flow, machine.confirm(flow.current, POLICY, at(10), code=code), 10)


def told(flow: Flow, seconds: float) -> object:
    """Return the newest message as it goes over the wire."""
    return msgspec.to_builtins(MESSAGES.newest(flow, at(seconds)))


def test_a_ticket_to_show() -> None:
    flow = a_page()
    key = base64url(KEYS.frame_key(Purpose.LOGIN, flow.current.id))
    assert told(flow, 7.25) == {
        "type": "ticket",
        "ticket": flow.current.id,
        "seq": 0,
        "purpose": "login",
        "prefix": PREFIX,
        "key": key,
        "step": 2.0,
        "elapsed": 7.25,
        "expires_in": 52.75,
    }


@pytest.mark.attack("Q10")
def test_a_scan_shows_a_masked_name_and_nothing_else_of_the_person() -> None:
    flow = scanned()
    wanted = {"type": "scanned", "ticket": flow.current.id, "seq": 1, "platform": "wechat", "who": "张**"}
    assert told(flow, 6) == wanted | {"expires_in": 59.0}
    verifying = put(flow, machine.start_face(flow.current, "v", at(7)), 7)
    assert told(verifying, 8) == wanted | {"expires_in": 57.0}


@pytest.mark.parametrize(("code", "required", "seconds"), [(None, False, 30.0), ("07", True, 90.0)])
def test_an_approval_gives_the_grant_and_keeps_the_code(code: str | None, required: bool, seconds: float) -> None:
    flow = approved(code=code)
    assert isinstance(flow.current.state, Approved)
    assert told(flow, 10) == {
        "type": "approved",
        "ticket": flow.current.id,
        "seq": 2,
        "grant": KEYS.grant(flow.current, flow.current.state, flow.browser),
        "code_required": required,
        "expires_in": seconds,
    }


def test_refusals() -> None:
    flow = scanned()
    person = put(flow, machine.reject(flow.current, at(6)), 6)
    assert told(person, 7) == {"type": "rejected", "ticket": flow.current.id, "seq": 2, "reason": "person"}
    flow = approved(code="07")
    code = put(flow, machine.exhaust(flow.current, at(11)), 11)
    assert told(code, 12) == {"type": "rejected", "ticket": flow.current.id, "seq": 3, "reason": "code"}
    redeemed = put(flow, machine.redeem(flow.current, "claim", at(11)), 11)
    policy = put(redeemed, machine.refuse(redeemed.current, "claim"), 11)
    assert told(policy, 12) == {"type": "expired", "ticket": flow.current.id, "seq": 3, "renewed": False}
    assert MESSAGES.newest(redeemed, at(11)) is None


@pytest.mark.parametrize(("flow", "seconds"), [(a_page(), 60), (scanned(), 65), (approved(), 40)])
def test_time_that_is_over(flow: Flow, seconds: float) -> None:
    assert MESSAGES.newest(flow, at(seconds - 0.001)) is not None
    wanted = {"type": "expired", "ticket": flow.current.id, "seq": flow.seq + 1, "renewed": False}
    assert told(flow, seconds) == wanted


def test_a_page_is_told_each_thing_once() -> None:
    heard = Heard()
    stories = [(a_page(), 0), (a_page(), 1), (scanned(), 5), (scanned(), 6), (approved(), 10), (approved(), 11)]
    kinds = [[type(message).__name__ for message in MESSAGES.unheard(flow, heard, at(s))] for flow, s in stories]
    assert kinds == [["TicketMessage"], [], ["ScannedMessage"], [], ["ApprovedMessage"], []]


def test_a_page_that_looks_late_is_told_what_is_true_now() -> None:
    heard = Heard()
    MESSAGES.unheard(a_page(), heard, at(0))
    assert [type(message).__name__ for message in MESSAGES.unheard(approved(), heard, at(10))] == ["ApprovedMessage"]


def test_another_page_that_connects_is_no_news_to_this_one() -> None:
    heard = Heard()
    flow = a_page()
    MESSAGES.unheard(flow, heard, at(0))
    joined = flows.watch(flow, flows.Watcher("inbox", "b"), POLICY, announce=True)
    assert MESSAGES.unheard(joined, heard, at(1)) == ()


def test_a_ticket_renewed_ahead_follows_without_a_word_of_expiry() -> None:
    heard = Heard()
    flow = a_page()
    MESSAGES.unheard(flow, heard, at(0))
    renewed = flows.renew_ahead(flow, a_ticket("1", at(54)), POLICY, at(54))
    (message,) = MESSAGES.unheard(renewed, heard, at(70))
    assert (message.ticket, message.seq) == (renewed.current.id, 1)


def test_a_ticket_that_ran_out_before_its_successor_is_said_to_have() -> None:
    heard = Heard()
    flow = scanned()
    MESSAGES.unheard(flow, heard, at(5))
    renewed = flows.renew_ahead(flow, a_ticket("1", at(65)), POLICY, at(65))
    messages = MESSAGES.unheard(renewed, heard, at(65))
    assert [msgspec.to_builtins(message)["type"] for message in messages] == ["expired", "ticket"]
    assert [message.seq for message in messages] == [flow.seq + 1, flow.seq + 2]
    assert msgspec.to_builtins(messages[0])["renewed"] is True
    assert messages[0].ticket == flow.current.id


def test_who_was_told_of_the_expiry_is_not_told_again_with_the_successor() -> None:
    heard = Heard()
    flow = scanned()
    MESSAGES.unheard(flow, heard, at(5))
    (expired,) = MESSAGES.unheard(flow, heard, at(65))
    renewed = flows.renew(flow, a_ticket("1", at(70)), POLICY, at(70))
    (ticket,) = MESSAGES.unheard(renewed, heard, at(70))
    assert (expired.seq, ticket.seq) == (flow.seq + 1, flow.seq + 2)


def test_the_frames_of_a_page_without_javascript_end_with_its_deadline() -> None:
    flow = a_page(slow=True)
    frames = MESSAGES.frames(flow.current, at(0))
    assert (len(frames.texts), frames.first, frames.step) == (30, 2.0, 2.0)
    read = [frame.read(PREFIX, text) for text in frames.texts]
    assert [shown.t for shown in read if isinstance(shown, frame.Frame)] == list(range(30))
    late = MESSAGES.frames(flow.current, at(55.5))
    assert (late.texts, late.first) == (frames.texts[27:], 0.5)
    over, held = MESSAGES.frames(flow.current, at(60)), MESSAGES.frames(scanned().current, at(6))
    assert (over.texts, over.scanned) == ((), False)
    assert (held.texts, held.scanned) == ((), True)


@pytest.mark.req("UX-4")
def test_a_ticket_without_frames_was_scanned_unless_the_page_is_told_that_it_expired() -> None:
    held, coded = scanned(), approved(code="07")
    redeemed = machine.redeem(coded.current, "claim", at(11))
    told_scanned = [
        (held.current, 64.9),
        (machine.reject(held.current, at(6)), 7),
        (coded.current, 11),
        (machine.exhaust(coded.current, at(11)), 12),
        (redeemed, 12),
    ]
    told_expired = [(held.current, 65), (coded.current, 100), (machine.refuse(redeemed, "claim"), 12)]
    assert [MESSAGES.frames(ticket, at(seconds)).scanned for ticket, seconds in told_scanned] == [True] * 5
    assert [MESSAGES.frames(ticket, at(seconds)).scanned for ticket, seconds in told_expired] == [False] * 3
