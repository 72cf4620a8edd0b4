from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from bjidp.clock import ManualClock
from bjidp.errors import VendorUnavailable
from bjidp.person import Person
from bjidp.secret import Secret
from bjidp.vendors.authority.client import signature
from bjidp.vendors.catalog import HttpClients, build_authority
from bjidp.vendors.ports import Authority, AuthorityAnswer, AuthorityFinding
from bjidp.vendors.settings import AuthoritySettings
from tests.vendors.cast import EVERYBODY, FOREIGNER, RESIDENT
from tests.vendors.stand import Reply, Seen, Stand

CHECK = "/authority/v1/check"
KEY = "key-0001"
SECRET = "authorityHushSecret"


@dataclass
class AuthorityStand(Stand):
    """The authority, by its one page of wire."""

    now: int = 1_800_000_000
    finding: dict[str, Any] = field(default_factory=lambda: {"result": "match", "reason": None, "reference": "r-1"})

    def replies(self) -> dict[str, Reply]:
        return {CHECK: self.check}

    def check(self, seen: Seen) -> web.Response:
        timestamp = seen.headers["X-Authority-Timestamp"]
        signed = f"{timestamp}\n".encode() + seen.body
        expected = hmac.digest(SECRET.encode(), signed, hashlib.sha256).hex()
        known = seen.headers["X-Authority-Key"] == KEY and timestamp == str(self.now)
        if seen.method != "POST" or not known or seen.headers["X-Authority-Signature"] != expected:
            return web.json_response({"error": "signature"}, status=401)
        return web.json_response(self.finding)


@pytest.fixture
async def stand() -> AsyncIterator[AuthorityStand]:
    stand = AuthorityStand()
    async with stand.open():
        yield stand


@pytest.fixture
def authority(stand: AuthorityStand, clients: HttpClients, clock: ManualClock) -> Authority:
    settings = AuthoritySettings(base_url=f"{stand.address}/authority", key_id=KEY, secret=Secret(SECRET))
    return build_authority(settings, http=clients, clock=clock)


@pytest.mark.parametrize("person", EVERYBODY, ids=lambda person: str(person.document_type))
async def test_a_person_is_asked_about_in_three_fields(
    authority: Authority, stand: AuthorityStand, person: Person
) -> None:
    assert await authority.check(person) == AuthorityFinding(AuthorityAnswer.MATCH, None, "r-1")
    assert stand.seen[0].query == {}
    assert stand.seen[0].json == {
        "document_type": person.document_type.value,
        "name": person.name,
        "document_number": person.number,
    }


@pytest.mark.parametrize("result", ["match", "mismatch", "unknown", "expired", "refused"])
@pytest.mark.parametrize("reason", [None, "name_differs"])
async def test_each_answer_is_told_as_it_is(
    authority: Authority, stand: AuthorityStand, result: str, reason: str | None
) -> None:
    stand.finding = {"result": result, "reason": reason, "reference": "r-2", "new": True}
    finding = await authority.check(FOREIGNER)
    assert finding == AuthorityFinding(AuthorityAnswer(result), reason, "r-2")


async def test_a_reason_left_out_is_none(authority: Authority, stand: AuthorityStand) -> None:
    stand.finding = {"result": "mismatch", "reference": "r-3"}
    assert (await authority.check(RESIDENT)).reason is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"result": "match"},
        {"reference": "r"},
        {"result": "Match", "reference": "r"},
        {"result": True, "reference": "r"},
        {"result": "match", "reference": ""},
        {"result": "match", "reference": "r" * 129},
        {"result": "mismatch", "reason": "王玉田 is another", "reference": "r"},
        {"result": "mismatch", "reason": "ok\n", "reference": "r"},
        ["match"],
        b"match",
    ],
)
async def test_an_answer_that_makes_no_sense_is_an_outage(
    authority: Authority, stand: AuthorityStand, body: object
) -> None:
    stand.lie(CHECK, body)
    with pytest.raises(VendorUnavailable):
        await authority.check(RESIDENT)


async def test_a_signature_the_authority_refuses_is_an_outage(
    authority: Authority, stand: AuthorityStand, clock: ManualClock
) -> None:
    clock.advance(1)
    with pytest.raises(VendorUnavailable):
        await authority.check(RESIDENT)
    stand.now += 1
    assert (await authority.check(RESIDENT)).answer is AuthorityAnswer.MATCH


def test_a_signature_covers_the_time_and_every_byte_of_the_body() -> None:
    body = json.dumps({"name": "中"}).encode()
    # Computed with openssl.
    assert signature(Secret("key"), "1800000000", b"{}") == (
        "6440e921b4011ae4b3f85f6cf79a95d6d5dd47dc5ebc31326715160f614b7300"
    )
    signatures = {
        signature(Secret(secret), time, text)
        for secret, time, text in [("a", "1", body), ("b", "1", body), ("a", "2", body), ("a", "1", body + b" ")]
    }
    assert len(signatures) == 4
