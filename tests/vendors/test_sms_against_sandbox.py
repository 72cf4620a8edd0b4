"""The real client of Chuanglan against the sandbox, over loopback HTTP, by both of its interfaces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer

from bjidp.clock import ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.errors import VendorUnavailable
from bjidp.sandbox.app import build
from bjidp.sandbox.chuanglan.answers import TEXTS
from bjidp.sandbox.chuanglan.template import made_up
from bjidp.sandbox.credentials import default_credentials
from bjidp.sandbox.settings import ChuanglanRules, SandboxSettings
from bjidp.secret import Secret
from bjidp.vendors.catalog import HttpClients, build_sms, build_sms_pull
from bjidp.vendors.chuanglan.codes import BUSY, REFUSALS
from bjidp.vendors.chuanglan.reports import read_pulled
from bjidp.vendors.http import HttpLimits
from bjidp.vendors.ports.sms import SmsAccepted, SmsPull, SmsRefusal, SmsRefused, SmsSender
from bjidp.vendors.settings import ChuanglanSettings
from tests.vendors.cast import SMS
from tests.vendors.patience import patience

Api: TypeAlias = Literal["v1", "v2"]
CREDENTIALS = default_credentials(None)


@dataclass
class Counter:
    """A sandbox, and whoever sends through it."""

    control: TestClient[Any, Any]
    http: HttpClients
    clock: ManualClock
    entropy: SeededEntropy

    def settings(self, api: Api, **changes: object) -> ChuanglanSettings:
        told = CREDENTIALS.client_settings(str(self.control.make_url(""))).chuanglan
        given: dict[str, Any] = {
            "account": told.account,
            "password": Secret(told.password),
            "signature": told.signature,
            "base_url": told.base_url,
            "api": api,
            "templates": {SMS.template: "1000000001"},
            "refusals": {made_up(code): kind for code, kind in REFUSALS.items()},
            **changes,
        }
        return ChuanglanSettings(**given)

    def sender(self, api: Api, **changes: object) -> SmsSender:
        return build_sms(
            self.settings(api, **changes), http=self.http, clock=self.clock, entropy=self.entropy, pause=0.0
        )

    async def inbox(self, number: str = SMS.to) -> list[dict[str, Any]]:
        answer = await self.control.get("/control/inbox", params={"to": number})
        told: list[dict[str, Any]] = await answer.json()
        return told

    async def fault(self, mode: str, **more: float) -> None:
        answer = await self.control.post("/control/faults", json={"service": "chuanglan", "mode": mode, **more})
        assert answer.status == 200


Opener: TypeAlias = Callable[..., Any]


@pytest.fixture
async def opened(clock: ManualClock, entropy: SeededEntropy) -> AsyncIterator[Opener]:
    """Open sandboxes with rules of a test's choosing."""
    counters: list[Counter] = []

    async def open_counter(*, limits: HttpLimits | None = None, **rules: Any) -> Counter:  # noqa: ANN401
        settings = SandboxSettings(
            clock=clock,
            entropy=entropy,
            credentials=CREDENTIALS,
            base_url="http://127.0.0.1",
            server_url="http://127.0.0.1",
            chuanglan=ChuanglanRules(**rules),
        )
        control = TestClient[Any, Any](TestServer(build(settings), host="127.0.0.1"))
        await control.start_server()
        counters.append(Counter(control, HttpClients(clock=clock, limits=limits), clock, entropy))
        return counters[-1]

    yield open_counter
    for counter in counters:
        await counter.http.close()
        await counter.control.close()


@pytest.fixture
async def counter(opened: Opener) -> Counter:
    opening: Counter = await opened()
    return opening


@pytest.fixture(params=["v1", "v2"])
def api(request: pytest.FixtureRequest) -> Api:
    found: Api = request.param
    return found


async def test_a_message_that_is_taken_is_in_the_inbox_of_its_number(counter: Counter, api: Api) -> None:
    answer = await counter.sender(api).send(SMS)
    assert isinstance(answer, SmsAccepted)
    assert answer.provider == "chuanglan"
    (message,) = await counter.inbox()
    assert message["to"] == SMS.to
    assert message["text"] == f"【京通】{SMS.text}"
    assert message["code"] == SMS.parameters[0]
    assert await counter.inbox("15410000043") == []


async def test_two_messages_have_two_ids(counter: Counter, api: Api) -> None:
    sender = counter.sender(api)
    assert await sender.send(SMS) != await sender.send(SMS)


async def test_what_became_of_a_message_is_pulled_under_its_id_and_our_reference(counter: Counter, api: Api) -> None:
    reached = await counter.sender(api).send(SMS)
    missed = await counter.sender(api).send(msgspec.structs.replace(SMS, to="15400001001", reference="sms2"))
    assert isinstance(reached, SmsAccepted)
    assert isinstance(missed, SmsAccepted)
    account = CREDENTIALS.chuanglan
    body = {"account": account.account, "password": account.password}
    pulled = read_pulled(await (await counter.control.post("/chuanglan/msg/pull/report", json=body)).read())
    assert pulled.unreadable == 0
    assert [(report.message, report.reference, report.to, report.delivered) for report in pulled.reports] == [
        (reached.message, SMS.reference, SMS.to, True),
        (missed.message, "sms2", "15400001001", False),
    ]
    assert 0 <= counter.clock.now() - pulled.reports[0].at < 60_000


@pytest.mark.parametrize("code", sorted(set(TEXTS) - BUSY))
async def test_each_code_of_the_table_is_the_refusal_it_means(counter: Counter, api: Api, code: str) -> None:
    number = f"15400000{code}"
    answer = await counter.sender(api).send(msgspec.structs.replace(SMS, to=number))
    assert answer == SmsRefused(REFUSALS[code])
    assert await counter.inbox(number) == []


@pytest.mark.parametrize("code", sorted(BUSY))
async def test_a_busy_service_is_an_outage(counter: Counter, api: Api, code: str) -> None:
    with pytest.raises(VendorUnavailable):
        await counter.sender(api).send(msgspec.structs.replace(SMS, to=f"15400000{code}"))


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"account": "N0000000"}, SmsRefusal.CREDENTIALS),
        ({"password": Secret("wrong Hush")}, SmsRefusal.CREDENTIALS),
        ({"signature": "别人"}, SmsRefusal.ACCOUNT),
    ],
)
async def test_wrong_credentials_are_an_alarm(
    counter: Counter, api: Api, changes: dict[str, object], kind: SmsRefusal
) -> None:
    assert await counter.sender(api, **changes).send(SMS) == SmsRefused(kind)
    assert await counter.inbox() == []


@pytest.mark.parametrize(
    ("rules", "kind"),
    [
        ({"allowed_addresses": frozenset({"192.0.2.1"})}, SmsRefusal.ADDRESS),
        ({"balance": 0}, SmsRefusal.BALANCE),
        ({"sensitive_words": frozenset({"验证码"})}, SmsRefusal.CONTENT),
    ],
)
async def test_an_account_that_may_not_send_says_why(
    opened: Opener, api: Api, rules: dict[str, object], kind: SmsRefusal
) -> None:
    counter = await opened(**rules)
    assert await counter.sender(api).send(SMS) == SmsRefused(kind)
    assert await counter.inbox() == []


async def test_a_number_that_somebody_may_have_is_refused(counter: Counter, api: Api) -> None:
    answer = await counter.sender(api).send(msgspec.structs.replace(SMS, to="13800138000"))
    assert answer == SmsRefused(SmsRefusal.NUMBER)


async def test_a_clock_that_is_wrong_is_refused_where_the_time_is_signed(counter: Counter) -> None:
    late = build_sms(
        counter.settings("v2"), http=counter.http, clock=ManualClock(counter.clock.now() - 3_600_000),
        entropy=counter.entropy,
    )  # fmt: skip
    assert await late.send(SMS) == SmsRefused(SmsRefusal.CREDENTIALS)


async def test_a_slow_service_is_waited_for(counter: Counter, api: Api) -> None:
    await counter.fault("slow", seconds=0.2)
    assert isinstance(await counter.sender(api).send(SMS), SmsAccepted)


@pytest.mark.parametrize("mode", ["timeout", "http500", "malformed", "refuse"])
async def test_a_service_that_misbehaves_is_an_outage_and_nothing_is_sent_twice(
    opened: Opener, api: Api, mode: str
) -> None:
    counter = await opened(limits=HttpLimits(total=patience(mode)))
    await counter.fault(mode)
    async with asyncio.timeout(5):
        with pytest.raises(VendorUnavailable):
            await counter.sender(api).send(SMS)
    # Half an answer tells nobody that the message has gone out.
    assert len(await counter.inbox()) == (1 if mode == "malformed" else 0)
    await counter.fault("ok")
    assert isinstance(await counter.sender(api).send(SMS), SmsAccepted)


async def test_a_second_account_sends_where_the_first_cannot(counter: Counter, opened: Opener) -> None:
    poor = await opened(balance=0)
    sender = build_sms(
        poor.settings("v1"), counter.settings("v2"), http=counter.http, clock=counter.clock, entropy=counter.entropy
    )
    answer = await sender.send(SMS)
    assert isinstance(answer, SmsAccepted)
    assert answer.provider == "chuanglan_second"
    assert len(await counter.inbox()) == 1
    assert await poor.inbox() == []
    await poor.fault("http500")
    assert isinstance(await sender.send(SMS), SmsAccepted)
    refused = msgspec.structs.replace(SMS, to="15400000107")
    await poor.fault("ok")
    assert await sender.send(refused) == SmsRefused(SmsRefusal.NUMBER)


def pull(counter: Counter, **changes: object) -> SmsPull:
    found = build_sms_pull("chuanglan", counter.settings("v1", pull_reports=True, **changes), http=counter.http)
    assert found is not None
    return found


async def test_reports_are_pulled_once_each(counter: Counter) -> None:
    for turn, to in enumerate((SMS.to, "15400001001")):
        await counter.sender("v1").send(msgspec.structs.replace(SMS, to=to, reference=f"r{turn}"))
    reports = await pull(counter).pull()
    assert [(report.reference, report.status, report.delivered) for report in reports] == [
        ("r0", "DELIVRD", True),
        ("r1", "UNDELIV", False),
    ]
    assert await pull(counter).pull() == ()


async def test_more_reports_than_a_hand_holds_come_with_the_next_pulls(counter: Counter) -> None:
    sender = counter.sender("v1")
    for turn in range(103):
        counter.clock.advance(1)
        await sender.send(msgspec.structs.replace(SMS, reference=f"r{turn}"))
    pulls = [await pull(counter).pull() for _ in range(3)]
    assert [len(reports) for reports in pulls] == [100, 3, 0]


@pytest.mark.parametrize("mode", ["http500", "malformed", "refuse"])
async def test_a_pull_that_is_not_answered_is_an_outage(counter: Counter, mode: str) -> None:
    await counter.fault(mode)
    with pytest.raises(VendorUnavailable):
        await pull(counter).pull()


async def test_a_pull_that_is_refused_is_an_outage_and_an_alarm(
    counter: Counter, logged: list[MutableMapping[str, Any]]
) -> None:
    with pytest.raises(VendorUnavailable):
        await pull(counter, password=Secret("Hush")).pull()
    assert [line["event"] for line in logged if line["log_level"] == "error"] == ["vendor_alarm"]


async def test_nobody_asks_where_nobody_is_to(counter: Counter) -> None:
    assert build_sms_pull("chuanglan", counter.settings("v1"), http=counter.http) is None
