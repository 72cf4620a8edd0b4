"""Authorization requests from their arrival to their answer, on real stores."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from msgspec.structs import replace

from bjidp.clock import HOUR
from bjidp.entropy import SystemEntropy
from bjidp.oidc.authorize.pending import Choice, Pending, Pushed, Redirected, RequestOver
from bjidp.oidc.authorize.prompting import Agree, Answer, ChooseWhom, LogIn, Reason, Subject
from bjidp.oidc.authorizing import Authorizing
from bjidp.oidc.errors import (
    AccessDenied,
    InvalidRequest,
    InvalidRequestUri,
    RedirectRefused,
    RelyingPartyUnknown,
)
from bjidp.oidc.grants.code import Approval, Code
from bjidp.oidc.grants.exchanging import Codes
from bjidp.oidc.metadata import read
from bjidp.oidc.parameters import Parameters
from bjidp.oidc.pkce import challenge_of
from bjidp.oidc.ports import RegisteredClient
from bjidp.oidc.scopes import Scope
from bjidp.standing import Level
from tests.contracts.ephemeral import Processes
from tests.contracts.house import House
from tests.contracts.test_relying_parties import (
    CALLBACK,
    METADATA,
    PORTAL,
    READS,
    VERIFIER,
    approval,
    grant_of,
    registered,
)
from tests.support.capacities import Capacities, capacity

pytestmark = [pytest.mark.req("RP-1"), pytest.mark.req("LOG-8")]

ISSUER = "https://id.example"

REQUEST = {
    "client_id": "portal",
    "response_type": "code",
    "redirect_uri": CALLBACK,
    "scope": "openid profile",
    "state": "s1",
    "code_challenge": challenge_of(VERIFIER),
    "code_challenge_method": "S256",
}


class Door:
    """The service under test, and somebody at it."""

    def __init__(self, house: House, processes: Processes) -> None:
        self.house = house
        self.capacities = Capacities()
        stores = processes.here
        self.codes = Codes(
            stores.records("oidc.code", Code),
            house.sql.grants,
            house.sessions,
            house.sql.consents,
            entropy=SystemEntropy(),
            clock=house.clock,
            session_lifetime=HOUR,
        )
        self.authorizing = Authorizing(
            clients=house.sql.clients,
            consents=house.sql.consents,
            codes=self.codes,
            pending=stores.records("oidc.pending", Pending),
            pushed=stores.records("oidc.pushed", Pushed),
            acting=self.capacities,
            subjects=house.sql.grants,
            hints=lambda text, client, _: text.removeprefix(client) if text.startswith(client) else None,
            entropy=SystemEntropy(),
            issuer=ISSUER,
        )

    async def begin(self, **change: str) -> str:
        return await self.authorizing.begin(Parameters((REQUEST | change).items()), self.house.now)

    async def somebody(self) -> tuple[Subject, Approval]:
        agreed = await approval(self.house)
        return Subject(agreed.account, self.house.now, Level.L1, frozenset()), agreed


@pytest.fixture
async def door(house: House, processes: Processes) -> Door:
    await registered(house)
    return Door(house, processes)


def told(where: str) -> tuple[str, dict[str, str]]:
    """Return the address somebody is sent to, and what it tells."""
    parts = urlsplit(where)
    return where.partition("?")[0], dict(parse_qsl(parts.query, strict_parsing=True))


async def test_somebody_logs_in_agrees_and_goes_back_with_a_code(door: Door) -> None:
    name = await door.begin()
    assert (await door.authorizing.look(name, None, door.house.now)).step == LogIn(Reason.NOBODY)
    subject, agreed = await door.somebody()
    assert (await door.authorizing.look(name, subject, door.house.now)).step == Agree(READS)
    await door.authorizing.agree(name, subject.account, door.house.now)
    look = await door.authorizing.look(name, subject, door.house.now)
    assert isinstance(look.step, Answer)
    address, answer = told(await door.authorizing.answer(name, look, agreed, door.house.now))
    assert address == CALLBACK
    assert (answer["state"], answer["iss"], len(answer)) == ("s1", ISSUER, 3)
    grant = await door.codes.exchange(answer["code"], PORTAL, CALLBACK, VERIFIER)
    assert grant.approval == agreed


async def test_who_agreed_once_is_not_asked_again(door: Door) -> None:
    subject, _ = await door.somebody()
    await door.authorizing.agree(await door.begin(), subject.account, door.house.now)
    look = await door.authorizing.look(await door.begin(), subject, door.house.now)
    assert isinstance(look.step, Answer)
    more = await door.authorizing.look(await door.begin(scope="openid identity"), subject, door.house.now)
    assert more.step == Agree((Scope.OPENID, Scope.IDENTITY))


async def test_a_button_that_is_pressed_twice_counts_and_no_press_is_told_that_all_is_over(door: Door) -> None:
    name = await door.begin(prompt="consent")
    subject, _ = await door.somebody()
    now = door.house.now
    await asyncio.gather(*(door.authorizing.agree(name, subject.account, now) for _ in range(3)))
    assert isinstance((await door.authorizing.look(name, subject, now)).step, Answer)


ASKS = "openid organisation"


@pytest.mark.req("ORG-3")
async def test_somebody_says_for_whom_they_act_and_the_request_remembers_it_for_their_session_alone(door: Door) -> None:
    door.capacities.counts = [capacity()]
    name = await door.begin(scope=ASKS)
    subject, _ = await door.somebody()
    here = replace(subject, session="here")
    assert (await door.authorizing.look(name, here, door.house.now)).step == ChooseWhom()
    await door.authorizing.choose(name, Choice("here", capacity().key))
    look = await door.authorizing.look(name, here, door.house.now)
    assert (look.step, look.whom.capacity) == (Agree((Scope.OPENID, Scope.ORGANISATION)), capacity())
    elsewhere = await door.authorizing.look(name, replace(subject, session="elsewhere"), door.house.now)
    assert (elsewhere.step, elsewhere.whom.capacity) == (ChooseWhom(), None)
    await door.authorizing.choose(name, Choice("here", None))
    look = await door.authorizing.look(name, here, door.house.now)
    assert (type(look.step), look.whom.capacity, look.whom.said) == (Agree, None, True)
    await door.authorizing.choose(name, None)
    assert (await door.authorizing.look(name, here, door.house.now)).step == ChooseWhom()


@pytest.mark.req("ORG-3")
async def test_nobody_is_asked_who_can_act_for_nobody_or_whose_site_does_not_ask(door: Door) -> None:
    subject, _ = await door.somebody()
    alone = await door.authorizing.look(await door.begin(scope=ASKS), subject, door.house.now)
    assert isinstance(alone.step, Agree)
    door.capacities.counts = [capacity()]
    look = await door.authorizing.look(await door.begin(), subject, door.house.now)
    assert isinstance(look.step, Agree)


@pytest.mark.req("ORG-3")
async def test_a_choice_that_lapses_before_the_answer_is_asked_for_anew(door: Door) -> None:
    door.capacities.counts = [capacity()]
    name = await door.begin(scope=ASKS)
    subject, _ = await door.somebody()
    await door.authorizing.choose(name, Choice(subject.session, capacity().key))
    await door.authorizing.agree(name, subject.account, door.house.now)
    assert isinstance((await door.authorizing.look(name, subject, door.house.now)).step, Answer)
    door.capacities.counts = []
    look = await door.authorizing.look(name, subject, door.house.now)
    assert (look.step, look.whom.capacity, look.whom.lapsed) == (ChooseWhom(), None, True)


async def test_a_choice_in_a_request_that_is_over_is_refused(door: Door) -> None:
    with pytest.raises(RequestOver):
        await door.authorizing.choose("unknown", None)


@pytest.mark.attack("P3")
async def test_what_one_person_agreed_to_is_nobody_elses_agreement(door: Door) -> None:
    name = await door.begin(prompt="consent")
    subject, _ = await door.somebody()
    await door.authorizing.agree(name, subject.account, door.house.now)
    other = (await door.house.member("13900139000", "lisi1")).account
    look = await door.authorizing.look(name, replace(subject, account=other), door.house.now)
    assert isinstance(look.step, Agree)


async def test_one_request_is_answered_once(door: Door) -> None:
    name = await door.begin()
    subject, agreed = await door.somebody()
    await door.authorizing.agree(name, subject.account, door.house.now)
    look = await door.authorizing.look(name, subject, door.house.now)
    tries = [door.authorizing.answer(name, look, agreed, door.house.now) for _ in range(10)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert len([outcome for outcome in outcomes if isinstance(outcome, str)]) == 1
    assert len([outcome for outcome in outcomes if isinstance(outcome, RequestOver)]) == 9


@pytest.mark.attack("T4")
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_id": "nobody"}, RelyingPartyUnknown),
        ({"client_id": ""}, RelyingPartyUnknown),
        ({"redirect_uri": "https://evil.example/"}, RedirectRefused),
        ({"redirect_uri": ""}, RedirectRefused),
    ],
)
async def test_nobody_is_sent_where_no_site_is_known(
    door: Door, change: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await door.begin(**change)


async def test_what_is_wrong_with_a_request_is_told_to_its_site(door: Door) -> None:
    with pytest.raises(Redirected) as raised:
        await door.begin(code_challenge_method="plain")
    address, answer = told(raised.value.where)
    assert address == CALLBACK
    assert answer == {
        "error": "invalid_request",
        "error_description": "code_challenge_method must be S256",
        "state": "s1",
        "iss": ISSUER,
    }


async def test_where_no_page_may_be_shown_its_site_is_told_what_is_missing(door: Door) -> None:
    name = await door.begin(prompt="none")
    with pytest.raises(Redirected) as raised:
        await door.authorizing.look(name, None, door.house.now)
    assert told(raised.value.where)[1]["error"] == "login_required"


async def test_who_says_no_goes_back_with_it(door: Door) -> None:
    name = await door.begin()
    where = await door.authorizing.refuse(name, AccessDenied("the person said no"))
    assert told(where)[1]["error"] == "access_denied"
    with pytest.raises(RequestOver):
        await door.authorizing.look(name, None, door.house.now)


async def test_an_answer_keeps_what_an_address_asks_already(door: Door) -> None:
    metadata = METADATA | {"redirect_uris": [f"{CALLBACK}?tenant=1"]}
    tenant = RegisteredClient(read("tenant", metadata), None)
    await door.house.sql.clients.add(tenant, msgspec.json.encode(metadata).decode(), door.house.now)
    name = await door.begin(client_id="tenant", redirect_uri=f"{CALLBACK}?tenant=1")
    where = await door.authorizing.refuse(name, AccessDenied("the person said no"))
    assert where.startswith(f"{CALLBACK}?tenant=1&error=access_denied&")


async def test_a_request_that_nobody_finishes_is_over(door: Door) -> None:
    name = await door.begin()
    door.house.clock.advance(30 * 60)
    with pytest.raises(RequestOver):
        await door.authorizing.look(name, None, door.house.now)
    with pytest.raises(RequestOver):
        await door.authorizing.agree(name, "zhang", door.house.now)
    with pytest.raises(RequestOver):
        await door.authorizing.refuse(name, AccessDenied("the person said no"))


async def pushed(door: Door, **change: str) -> str:
    portal = await door.house.sql.clients.find("portal")
    assert portal is not None
    return await door.authorizing.push(portal.client, Parameters((REQUEST | change).items()), door.house.now)


async def test_a_pushed_request_is_named_once_and_its_parameters_are_not_repeated(door: Door) -> None:
    named = {"client_id": "portal", "request_uri": await pushed(door, state="pushed")}
    name = await door.authorizing.begin(Parameters(named.items()), door.house.now)
    where = await door.authorizing.refuse(name, AccessDenied("the person said no"))
    assert told(where)[1]["state"] == "pushed"
    with pytest.raises(RequestOver):
        await door.authorizing.begin(Parameters(named.items()), door.house.now)


async def test_a_pushed_request_is_its_own_clients_and_soon_over(door: Door) -> None:
    metadata = METADATA | {"client_name": "别处"}
    other = RegisteredClient(read("other", metadata), None)
    await door.house.sql.clients.add(other, msgspec.json.encode(metadata).decode(), door.house.now)
    named = {"client_id": "other", "request_uri": await pushed(door)}
    with pytest.raises(RequestOver):
        await door.authorizing.begin(Parameters(named.items()), door.house.now)
    late = {"client_id": "portal", "request_uri": await pushed(door)}
    door.house.clock.advance(90)
    with pytest.raises(RequestOver):
        await door.authorizing.begin(Parameters(late.items()), door.house.now)


async def test_what_is_pushed_is_checked_as_what_is_asked(door: Door) -> None:
    with pytest.raises(InvalidRequest):
        await pushed(door, code_challenge="")
    with pytest.raises(InvalidRequest, match="redirect_uri"):
        await pushed(door, redirect_uri="https://evil.example/")
    with pytest.raises(InvalidRequestUri):
        await pushed(door, request_uri="urn:ietf:params:oauth:request_uri:x")


async def test_a_hint_names_whom_the_site_expects_and_nobody_else_will_do(door: Door) -> None:
    somebody, agreed = await door.somebody()
    kept = await door.house.sql.grants.begin(grant_of(door.house, agreed), "portal.example", door.house.now)
    await door.house.sql.consents.agree(agreed.account, "portal", frozenset(Scope), door.house.now)
    expected = await door.begin(id_token_hint=f"portal{kept.subject}")
    assert isinstance((await door.authorizing.look(expected, somebody, door.house.now)).step, Answer)
    other = await door.begin(id_token_hint="portalsomebody")
    assert (await door.authorizing.look(other, somebody, door.house.now)).step == LogIn(Reason.SOMEBODY_ELSE)


async def test_a_hint_that_is_no_token_of_this_client_is_an_error(door: Door) -> None:
    with pytest.raises(Redirected) as redirected:
        await door.begin(id_token_hint="another's")
    assert told(redirected.value.where)[1]["error"] == "invalid_request"
    with pytest.raises(InvalidRequest, match="id_token_hint"):
        await pushed(door, id_token_hint="another's")
