"""Derived values are bound to everything they stand for."""

from __future__ import annotations

import msgspec
import pytest

from bjidp.entropy import from_base64url
from bjidp.qrlogin import machine
from bjidp.qrlogin.keys import QrKeys
from bjidp.qrlogin.policy import Purpose
from bjidp.qrlogin.ticket import Approved, Ticket
from bjidp.secret import Secret
from tests.support.qr import LI, POLICY, ZHANG, a_ticket

KEYS = QrKeys(Secret(b"k" * 32))


def approved(ticket: Ticket, now: int = 2) -> tuple[Ticket, Approved]:
    done = machine.confirm(machine.scan(ticket, ZHANG, POLICY, 1, code_required=False), POLICY, now, code=None)
    assert isinstance(done.state, Approved)
    return done, done.state


@pytest.mark.attack("Q2", "Q20")
def test_a_grant_is_bound_to_ticket_purpose_browser_account_scan_and_time() -> None:
    ticket, state = approved(a_ticket("a"))
    again = msgspec.structs.replace
    grants = [
        KEYS.grant(ticket, state, "browser"),
        KEYS.grant(ticket, state, "another"),
        KEYS.grant(again(ticket, id=a_ticket("b").id), state, "browser"),
        KEYS.grant(again(ticket, purpose=Purpose.VERIFY), state, "browser"),
        KEYS.grant(ticket, again(state, holder=LI), "browser"),
        KEYS.grant(ticket, again(state, scans=2), "browser"),
        KEYS.grant(ticket, again(state, at=3), "browser"),
        QrKeys(Secret(b"l" * 32)).grant(ticket, state, "browser"),
    ]
    assert len(set(grants)) == len(grants)
    assert {len(from_base64url(grant)) for grant in grants} == {32}
    assert KEYS.grant(ticket, state, "browser") == grants[0], "every socket is given the same one"


@pytest.mark.attack("Q12")
def test_a_confirm_token_is_bound_to_ticket_purpose_account_phone_and_scan() -> None:
    ticket = a_ticket("a")
    again = msgspec.structs.replace
    tokens = [
        KEYS.confirm_token(ticket, ZHANG, 1),
        KEYS.confirm_token(a_ticket("b"), ZHANG, 1),
        KEYS.confirm_token(again(ticket, purpose=Purpose.VERIFY), ZHANG, 1),
        KEYS.confirm_token(ticket, again(ZHANG, account="another"), 1),
        KEYS.confirm_token(ticket, again(ZHANG, link="another"), 1),
        KEYS.confirm_token(ticket, ZHANG, 2),
    ]
    assert len(set(tokens)) == len(tokens)
    assert {len(from_base64url(token)) for token in tokens} == {32}


def test_no_value_of_one_kind_is_one_of_another() -> None:
    """Same parts, three kinds: a key of its own for each keeps them apart."""
    ticket, state = approved(a_ticket())
    frame_key = KEYS.frame_key(ticket.purpose, ticket.id)
    grant = from_base64url(KEYS.grant(ticket, state, "browser"))
    token = from_base64url(KEYS.confirm_token(ticket, ZHANG, 1))
    assert len({frame_key, grant, token}) == 3


def test_parts_cannot_be_shifted_into_each_other() -> None:
    ticket = a_ticket()
    one = msgspec.structs.replace(ZHANG, account="ab", link="c")
    two = msgspec.structs.replace(ZHANG, account="a", link="bc")
    assert KEYS.confirm_token(ticket, one, 1) != KEYS.confirm_token(ticket, two, 1)


@pytest.mark.parametrize("length", [0, 16, 31])
def test_a_short_root_is_refused(length: int) -> None:
    with pytest.raises(ValueError):
        QrKeys(Secret(b"k" * length))
