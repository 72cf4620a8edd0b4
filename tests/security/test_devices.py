"""Device codes: by another client, without their proof, by twenty at once, for another purpose (Q4, Q18-Q20, P2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from itertools import chain, repeat
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from msgspec import Struct

from bjidp.commands.registrar import Given
from tests.security.conftest import Own
from tests.support.browser import Browser
from tests.support.calls import Answer, Caller, at_once
from tests.support.consenting import CHALLENGE, VERIFIER, Consents
from tests.support.crowd import Crowd
from tests.support.device import GRANT, KIOSK, TERMINAL
from tests.support.phone import Phone
from tests.support.sites import register

pytestmark = pytest.mark.req("RP-3")

AT_ONCE: Final = 20
PKCE: Final = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


class Stand(Struct, frozen=True):
    """A kiosk that keeps a secret and a terminal that cannot, and somebody's phone."""

    caller: Caller
    phone: Phone
    kiosk: Consents
    terminal: Given

    async def kiosk_asks(self, **more: str) -> dict[str, Any]:
        answer = await self.kiosk.asks(self.caller, "/oauth/device", {"scope": "openid"} | more)
        assert answer.status == 200, answer
        return answer.json()

    async def kiosk_polls(self, codes: Mapping[str, Any], **more: str) -> Answer:
        return await self.kiosk.asks(self.caller, "/oauth/token", redeeming(codes) | more)

    async def terminal_sends(self, path: str, fields: Mapping[str, str]) -> Answer:
        shown = {"client_id": self.terminal.client_id} | {name: value for name, value in fields.items() if value}
        headers = {"Host": self.caller.to.authority} | FORM
        return await self.caller.send("POST", path, headers=headers, body=urlencode(shown).encode())

    async def terminal_asks(self, **more: str) -> Answer:
        return await self.terminal_sends("/oauth/device", {"scope": "openid"} | PKCE | more)

    async def terminal_polls(self, codes: Mapping[str, Any], **more: str) -> Answer:
        return await self.terminal_sends("/oauth/token", redeeming(codes) | {"code_verifier": VERIFIER} | more)

    async def confirms(self, codes: Mapping[str, Any]) -> dict[str, Any]:
        scanned = await self.phone.scan(str(codes["verification_uri_complete"]))
        assert scanned.status == 200, scanned
        assert (await self.phone.confirm(scanned.json())).status == 200
        return scanned.json()


def redeeming(codes: Mapping[str, Any]) -> dict[str, str]:
    return {"grant_type": GRANT, "device_code": str(codes["device_code"])}


def refusal(answer: Answer) -> tuple[int, str]:
    return answer.status, str(answer.json()["error"])


@pytest.fixture
async def stand(home: Own, crowd: Crowd) -> AsyncIterator[Stand]:
    kiosk = Consents(await register(home.demo.config, KIOSK))
    terminal = await register(home.demo.config, TERMINAL)
    async with Caller(home.at) as caller:
        yield Stand(caller, await crowd.phone(caller), kiosk, terminal)


@pytest.mark.attack("Q4")
async def test_of_twenty_questions_in_the_same_instant_one_is_given_tokens(stand: Stand) -> None:
    codes = await stand.kiosk_asks()
    await stand.confirms(codes)
    asked = stand.kiosk.as_request(stand.caller, "/oauth/token", redeeming(codes))
    answers = list(chain(await at_once(stand.caller.to, list(repeat(asked, AT_ONCE)))))
    assert Counter(answer.status for answer in answers) == {200: 1, 400: AT_ONCE - 1}
    assert {refusal(answer)[1] for answer in answers if answer.status == 400} == {"invalid_grant"}
    [given] = [answer.json() for answer in answers if answer.status == 200]
    assert await stand.kiosk.reads(stand.caller, given["access_token"]) == 200
    assert refusal(await stand.kiosk_polls(codes)) == (400, "invalid_grant")


@pytest.mark.attack("Q19")
async def test_what_was_confirmed_for_one_client_is_given_to_no_other(stand: Stand, home: Own) -> None:
    richer = Consents(await register(home.demo.config, KIOSK | {"scope": "openid identity"}))
    codes = await stand.kiosk_asks()
    await stand.confirms(codes)
    theirs = await richer.asks(stand.caller, "/oauth/token", redeeming(codes))
    assert refusal(theirs) == (400, "invalid_grant")
    assert refusal(await stand.terminal_polls(codes)) == (400, "invalid_grant")
    assert (await stand.kiosk_polls(codes)).status == 200, "nothing was consumed"


@pytest.mark.attack("Q19")
async def test_scopes_are_those_that_the_phone_has_shown(stand: Stand) -> None:
    codes = await stand.kiosk_asks()
    shown = await stand.confirms(codes)
    assert shown["request"]["reads"] == ["openid"]
    assert refusal(await stand.kiosk_polls(codes, scope="openid profile phone")) == (400, "invalid_scope")
    assert (await stand.kiosk_polls(codes)).json()["scope"] == "openid"


@pytest.mark.attack("Q20", "T6")
async def test_a_device_code_that_got_out_is_no_use_without_the_verifier(stand: Stand) -> None:
    for change in (
        {"code_challenge": "", "code_challenge_method": ""},
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": ""},
    ):
        assert refusal(await stand.terminal_asks(**change)) == (400, "invalid_request"), change
    codes = (await stand.terminal_asks()).json()
    await stand.confirms(codes)
    for verifier in ("", "v", "v" * 42, "w" * 43, CHALLENGE, "v" * 129):
        assert refusal(await stand.terminal_polls(codes, code_verifier=verifier)) == (400, "invalid_grant"), verifier
    assert (await stand.terminal_polls(codes)).status == 200, "nothing was consumed"


@pytest.mark.attack("Q20")
async def test_a_client_with_a_secret_is_held_to_the_challenge_it_has_sent(stand: Stand) -> None:
    proved, plain = await stand.kiosk_asks(**PKCE), await stand.kiosk_asks()
    await stand.confirms(proved)
    await stand.confirms(plain)
    assert refusal(await stand.kiosk_polls(proved)) == (400, "invalid_grant")
    assert refusal(await stand.kiosk_polls(plain, code_verifier=VERIFIER)) == (400, "invalid_grant")
    assert (await stand.kiosk_polls(proved, code_verifier=VERIFIER)).status == 200


@pytest.mark.attack("Q18")
async def test_a_ticket_is_shown_in_its_own_way_alone(stand: Stand) -> None:
    prefix = stand.caller.to.prefix
    browser = Browser(stand.caller)
    await browser.open()
    screen = await browser.screen()
    assert (await stand.phone.scan(f"{prefix}{screen.ticket}")).code == "ticket_unknown"
    codes = await stand.kiosk_asks()
    text = str(codes["verification_uri_complete"])
    assert (await stand.phone.scan(f"{text}.000.{screen.mac(0)}")).code == "ticket_unknown"
    moving = await stand.kiosk_asks(qr="frames")
    assert (await stand.phone.scan(str(moving["verification_uri_complete"]))).code == "ticket_unknown"


@pytest.mark.attack("P2")
@pytest.mark.parametrize("scene", [1007, 1012, 1048])
async def test_a_picture_that_was_sent_logs_no_device_in(stand: Stand, scene: int) -> None:
    codes = await stand.kiosk_asks()
    assert (await stand.phone.scan(str(codes["verification_uri_complete"]), scene)).code == "scene_refused"


@pytest.mark.attack("P7")
async def test_whoever_confirmed_ends_what_the_device_was_given(stand: Stand) -> None:
    codes = await stand.kiosk_asks(scope="openid offline_access")
    shown = await stand.confirms(codes)
    given = (await stand.kiosk_polls(codes)).json()
    assert (await stand.phone.undo(shown["ticket"])).status == 200
    assert await stand.kiosk.reads(stand.caller, given["access_token"]) == 401
    again = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
    assert (await stand.kiosk.asks(stand.caller, "/oauth/token", again)).status == 400


@pytest.mark.attack("Q6")
async def test_asking_again_and_again_revives_nothing(stand: Stand) -> None:
    codes = await stand.kiosk_asks()
    scanned = (await stand.phone.scan(str(codes["verification_uri_complete"]))).json()
    asked = stand.kiosk.as_request(stand.caller, "/oauth/token", redeeming(codes))
    answers = await at_once(stand.caller.to, list(repeat(asked, AT_ONCE)))
    assert {refusal(answer)[1] for answer in answers} <= {"authorization_pending", "slow_down"}
    assert (await stand.phone.reject(scanned)).status == 200
    for _ in range(3):
        assert refusal(await stand.kiosk_polls(codes)) == (400, "access_denied")
    assert (await stand.phone.confirm(scanned)).status == 409
