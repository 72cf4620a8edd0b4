"""What a session tells of how its owner has proved who they are."""

from __future__ import annotations

import pytest

from bjidp.sessions.authentication import Authenticated, Method, authenticated, proved
from bjidp.sessions.ports import Login, Session, Way

pytestmark = pytest.mark.req("RP-2")


def session(way: Way = Way.QR) -> Session:
    login = Login(way, None, None, "Chrome", "Windows", None, b"network", None)
    return Session(
        id="s",
        account="a",
        login=login,
        created_at=1000,
        last_used_at=1000,
        expires_at=9000,
        csrf="c",
        data={"k": "v"},
        version=1,
    )


@pytest.mark.attack("P10")
def test_a_login_by_qr_is_told_as_nothing_else() -> None:
    assert authenticated(session()) == Authenticated(1000, (Method.QR,))


@pytest.mark.parametrize("way", Way)
def test_every_way_in_has_a_method(way: Way) -> None:
    assert authenticated(session(way)).at == 1000


def test_each_proof_since_is_an_authentication_and_told_once() -> None:
    one = proved(session(), Method.SMS, 2000)
    assert authenticated(one) == Authenticated(2000, (Method.QR, Method.SMS))
    two = proved(proved(one, Method.FACE, 3000), Method.SMS, 4000)
    assert authenticated(two) == Authenticated(4000, (Method.QR, Method.FACE, Method.SMS))
    again = proved(two, Method.QR, 5000)
    assert authenticated(again) == Authenticated(5000, (Method.QR, Method.FACE, Method.SMS))
    assert again.data["k"] == "v"
