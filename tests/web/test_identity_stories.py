"""Every document and every story of the synthetic persons, wherever somebody proves who they are.

Over HTTP: what a story changes is what a register, a camera or a platform answers, and what the server makes of it. The
same pages, words and screens are walked in Chromium in ``tests/browser/test_identity_stories.py``, where a browser adds
something; that nothing is missing in either is held by ``tests/architecture/test_journeys.py``. One program serves them
all; every test has an account, a number and an hour of its own, and nobody is bound to anything when it begins.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count
from typing import Any, Final

import pytest
import pytest_asyncio
from msgspec.structs import asdict

from bjidp.accounts.ports import Evidence
from bjidp.clock import DAY, HOUR, SECOND
from bjidp.proofing.terms import ForLife, Until
from bjidp.sandbox.people import DocumentType, Person, Story
from bjidp.sandbox.people.population import population
from bjidp.standing import Standing
from tests.support import phone as phones
from tests.support.calls import Answer
from tests.support.cast import PAGES, PHONES, Place, played
from tests.support.forms import WebForm, form_of, heading, note, send
from tests.support.members import enrolled
from tests.support.owner import Owner
from tests.support.phone import Phone
from tests.support.program import Program, Town, running
from tests.web.test_bank_card import coded
from tests.web.test_face import at_the_code
from tests.web.test_real_name import bound, give
from tests.web.test_registration import H5, PC, Applicant
from tests.web.test_settings import where
from tests.web.test_verify import approved

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNCONFIRMED: Final = frozenset({Story.MISMATCH, Story.UNKNOWN, Story.DOCUMENT_WITHDRAWN})
"""The authority says no, and has nothing better to say than to read the document again."""
DENIED: Final = UNCONFIRMED | {Story.EXPIRED}
BY_BANK: Final = frozenset({Story.BANK_PHONE_DIFFERS, Story.BANK_CARD_LOST, Story.BANK_CARD_EXPIRED})

ADVICE: Final = {Story.EXPIRED: ["renew"], Story.DOCUMENT_WITHDRAWN: ["check_again", "ask_issuer"]}

SHOWN_BY: Final = {
    Place.WECHAT: {DocumentType.RESIDENT_ID},
    Place.ALIPAY: set(DocumentType) - {DocumentType.PERMANENT_RESIDENT},
    Place.BAIDU: set(DocumentType),
}
"""Whose face each platform can compare (docs/mini-program.md, "Documents")."""

NEIGHBOUR: Final = population()["pan-haoran"]
"""Somebody ordinary, who is somebody else than anybody of the cast."""

_NUMBERS: Final = count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(town: Town) -> AsyncIterator[Program]:
    """The program of all these tests, with the mini-program on all three platforms."""
    async with running(town, "identity stories", everywhere=True) as program:
        yield program


@pytest_asyncio.fixture(loop_scope="module")
async def stage(shared: Program) -> Program:
    """The program, hours later, with nobody in it."""
    await shared.empty()
    shared.clock.advance(3 * HOUR / SECOND)
    return shared


def told(who: Person) -> dict[str, Any]:
    """Return what a person can tell of themselves, as forms have it."""
    return asdict(who) | {"document_type": who.document_type.value}


def filled(form: WebForm, who: Person) -> WebForm:
    """Return the form of an identity with everything that stands on somebody's document."""
    fields = {
        "document_type": who.document_type.value,
        "name": who.name,
        "document_number": who.document_number,
        "sex": who.gender,
        "valid_from": who.valid_from.isoformat(),
        "valid_to": who.valid_to.isoformat() if who.valid_to else "",
        "term": "until" if who.valid_to else "life",
    }
    return form.typed(**{name: value for name, value in fields.items() if name in form.fields})


def prefix(place: Place) -> str:
    """Return what addresses of a place begin with."""
    return "/h5" if place is Place.H5 else ""


async def member(program: Program) -> tuple[Standing, str]:
    """Register somebody on a page; return their account and their number."""
    number = f"1540003{next(_NUMBERS):04}"
    return await enrolled(program, username=f"story_{number[-4:]}", phone=number), number


async def member_at(program: Program, place: Place) -> tuple[Standing, Owner]:
    """Register somebody, and log a browser in to their account."""
    account, number = await member(program)
    return account, await Owner.of(program, account.account, prefix(place), phone=number)


def says_no(answer: Answer, who: Person) -> bool:
    """Tell whether a page refuses an identity, with the next step that fits this person's story."""
    step = "请换领新证件后再" if who.story is Story.EXPIRED else "请核对后重新校验"
    return answer.status == 422 and step in answer.text


@pytest.mark.req("REG-4")
@played(Place.PC)
async def test_whoever_registers_on_a_computer_states_name_and_number(
    stage: Program, place: Place, who: Person
) -> None:
    await registers_as(stage, PC, who)


@pytest.mark.req("REG-5")
@played(Place.H5)
async def test_whoever_registers_on_a_phone_states_the_whole_document(
    stage: Program, place: Place, who: Person
) -> None:
    await registers_as(stage, H5, who)


async def registers_as(program: Program, path: str, who: Person) -> None:
    """Register, state who one is, and find the account at the level that comes of it."""
    number = f"1540003{next(_NUMBERS):04}"
    applicant = await Applicant.arrives(program, path)
    await applicant.registers(number, f"story_{number[-4:]}")
    form = await applicant.identity()
    answer = await send(applicant.browser, filled(form, who))
    proofs = program.sql("SELECT evidence, document_type FROM identity")
    if path == PC and who.document_type is not DocumentType.RESIDENT_ID:
        # The short form is for resident cards.
        assert answer.status == 422
        assert form_of(answer, f"{path}/identity").faults["document_number"]
        assert proofs == []
    elif who.story in DENIED:
        assert says_no(answer, who)
        assert proofs == []
    else:
        assert where(answer) == (303, f"{path}/done")
        assert "认证成功，您的账号达到初级认证" in (await applicant.open(f"{path}/done")).text
        assert proofs == [("name_and_number", who.document_type.value)]


@pytest.mark.req("RNV-1", "RNV-2", "RNV-10")
@played(*PAGES)
async def test_a_name_and_a_number_make_l2_if_the_authority_says_so(stage: Program, place: Place, who: Person) -> None:
    account, owner = await member_at(stage, place)
    answer = await send(owner.browser, filled(await owner.may("real_name"), who))
    found = await bound(stage, account.account)
    centre = (await owner.get("/centre")).text
    if who.story in DENIED:
        assert says_no(answer, who)
        assert form_of(answer, f"{prefix(place)}/centre/real_name").values["name"] == who.name
        assert found is None
        assert ">未实名</span>" in centre
        return
    assert heading(await owner.follow(answer)) == "认证成功"
    assert found is not None
    assert (found.person.name, found.person.document_type) == (who.name, who.document_type.value)
    assert found.level(stage.clock.now()) == 2
    assert isinstance(found.term, ForLife if who.valid_to is None else Until)
    assert ">初级认证</span>" in centre
    assert who.document_number not in centre


@pytest.mark.req("RNV-4", "RNV-10")
@played(*PAGES)
async def test_a_debit_card_makes_l3_if_authority_and_bank_say_so(stage: Program, place: Place, who: Person) -> None:
    account, owner = await member_at(stage, place)
    if who.document_type is not DocumentType.RESIDENT_ID:
        # What kind of number it is, is known by the identity that the account has.
        await give(stage, account.account, told(who), Evidence.NAME_AND_NUMBER)
    form = await owner.may("bank_card")
    card = who.cards[0] if who.cards else NEIGHBOUR.cards[0]
    form = form.typed(name=who.name, document_number=who.document_number, card_number=card, phone=who.phone)
    answer = await send(owner.browser, await coded(owner, form, who.phone))
    found = await bound(stage, account.account)
    if who.story in DENIED:
        assert says_no(answer, who)
        assert found is None
    elif who.story in BY_BANK or not who.cards:
        assert answer.status == 422
        assert "银行核对的信息不一致" in note(answer)
        assert "请联系发卡银行" in answer.text
        assert found is None
    else:
        assert heading(await owner.follow(answer)) == "银行卡认证成功"
        assert found is not None
        assert (found.person.name, found.evidence) == (who.name, Evidence.BANK_CARD)


@pytest.mark.req("RNV-5", "RNV-10")
@played(*PAGES)
async def test_an_identity_gives_way_to_one_that_the_authority_knows(stage: Program, place: Place, who: Person) -> None:
    account, owner = await member_at(stage, place)
    await give(stage, account.account, told(NEIGHBOUR))
    answer = await send(owner.browser, filled(await owner.may("exchange"), who))
    found = await bound(stage, account.account)
    assert found is not None
    if who.story in DENIED:
        assert says_no(answer, who)
        assert (found.person.name, found.level(stage.clock.now())) == (NEIGHBOUR.name, 3)
        return
    assert heading(await owner.follow(answer)) == "换绑成功，账号已是新的实名身份"
    assert (found.person.name, found.level(stage.clock.now())) == (who.name, 2)


@pytest.mark.req("RNV-6")
@played(*PAGES)
async def test_an_identity_is_given_up_whosever_it_is(stage: Program, place: Place, who: Person) -> None:
    account, owner = await member_at(stage, place)
    await give(stage, account.account, told(who), Evidence.NAME_AND_NUMBER)
    form = await owner.asks("unbind")
    assert heading(await send(owner.browser, form.typed(code=owner.code or ""))) == "已解绑"
    assert await bound(stage, account.account) is None
    assert where(await owner.get("/centre"))[0] == 303


@pytest.mark.req("RNV-7")
@played(*PAGES)
async def test_an_identity_of_another_account_comes_over_by_a_card(stage: Program, place: Place, who: Person) -> None:
    other, _ = await member(stage)
    await give(stage, other.account, told(who), Evidence.NAME_AND_NUMBER)
    account, owner = await member_at(stage, place)
    answer = await send(owner.browser, filled(await owner.may("real_name"), who))
    if who.story in DENIED:
        assert says_no(answer, who)
    else:
        assert heading(await owner.follow(answer)) == "这个身份已绑定另一个账号"
        # A number is sent a code once a minute.
        stage.clock.advance(60)
        form = await owner.may("bank_card")
        card = who.cards[0] if who.cards else NEIGHBOUR.cards[0]
        form = form.typed(name=who.name, document_number=who.document_number, card_number=card, phone=who.phone)
        await send(owner.browser, await coded(owner, form, who.phone))
    moves = who.story not in DENIED | BY_BANK and bool(who.cards)
    assert (await bound(stage, account.account) is not None) == moves
    assert (await bound(stage, other.account) is None) == moves


# ------------------------------------------------------------------------------------------------------- the phone


async def logs_in(program: Program, place: Place, who: Person) -> tuple[phones.Person, dict[str, Any]] | Answer:
    """Log somebody in by the platform's own code; return them and what they are asked for, or the refusal."""
    caller = await program.caller()
    person = next(someone for someone in await phones.people(caller) if someone.id == who.id)
    code = await phones.login_code(caller, place, who.id)
    answer = await caller.post(f"/mp/v1/{place}/session", {"code": code})
    return (person, answer.json()) if answer.status == 200 else answer


async def shows_a_face(program: Program, place: Place, who: Person) -> Answer:
    """Log in, state who one is, and pass before the camera; return the answer that ends it."""
    opened = await logs_in(program, place, who)
    if isinstance(opened, Answer):
        return opened
    person, session = opened
    caller = await program.caller()
    assert session["status"] == "identity_required"
    started = await phones.state_identity(caller, place, session["registration"], person)
    if started.status != 200:
        return started
    await phones.before_the_camera(caller, started.json()["face"]["verification"])
    return await phones.complete(caller, place, session["registration"])


def refusal(place: Place, who: Person) -> tuple[int, str] | None:
    """Return how a person's first login in the mini-program is refused, None if it is not."""
    if place is Place.WECHAT and who.story is Story.HIGH_RISK:
        return 403, "login_blocked"
    if who.document_type not in SHOWN_BY[place]:
        return 422, "document_unsupported"
    if who.story is Story.FACE_FAILS:
        return 422, "face_failed"
    if who.story in DENIED:
        return 422, "identity_mismatch"
    return None


@pytest.mark.req("REG-7", "LOG-7", "RNV-1", "RNV-10")
@played(*PHONES)
async def test_a_first_login_in_the_mini_program_registers_and_later_ones_ask_for_nothing(
    stage: Program, place: Place, who: Person
) -> None:
    answer = await shows_a_face(stage, place, who)
    refused = refusal(place, who)
    if refused is not None:
        assert answer.verdict == refused
        assert answer.json()["detail"]
        assert stage.sql("SELECT * FROM identity") == []
        if answer.code == "document_unsupported":
            assert answer.json()["platforms"] == [other for other in PHONES if who.document_type in SHOWN_BY[other]]
        if answer.code == "identity_mismatch":
            assert answer.json()["advice"] == ADVICE.get(who.story, ["check_again"])
        return
    assert answer.json()["account"]["level"] == "L3"
    assert stage.sql("SELECT document_type, evidence FROM identity") == [(who.document_type.value, "face")]
    again = await logs_in(stage, place, who)
    assert not isinstance(again, Answer)
    person, session = again
    assert (session["status"], session["account"]) == ("ok", answer.json()["account"])
    tokens = phones.Tokens(session["access_token"], session["refresh_token"], session["account"])
    phone = Phone(await stage.caller(), place, person, tokens)
    bound_number = await phone.bind(await phones.pressed(phone.caller, place, who.id))
    assert bound_number.json() == {"phone": f"{who.phone[:3]}****{who.phone[-4:]}"}


@pytest.mark.req("RNV-7")
@played(*PHONES)
async def test_an_identity_of_an_account_of_pages_comes_over_by_a_face(
    stage: Program, place: Place, who: Person
) -> None:
    other, _ = await member(stage)
    await give(stage, other.account, told(who), Evidence.NAME_AND_NUMBER)
    answer = await shows_a_face(stage, place, who)
    refused = refusal(place, who)
    if refused is not None:
        assert answer.verdict == refused
        assert await bound(stage, other.account) is not None
        return
    found = answer.json()
    assert found["status"] == "account_found"
    caller = await stage.caller()
    body = {"registration": found["registration"], "mine": False}
    taken = await caller.post(f"/mp/v1/{place}/registration/claim", body)
    assert taken.json()["account"]["level"] == "L3"
    assert await bound(stage, other.account) is None


@pytest.mark.req("RNV-3", "RNV-10")
@played(*PHONES)
async def test_a_face_on_the_phone_raises_the_identity_that_the_account_has(
    stage: Program, place: Place, who: Person
) -> None:
    # 京通 is logged in as somebody whom every platform knows, once a day; the identity is exchanged after that.
    stage.clock.advance(DAY / SECOND)
    phone = await stage.phone(NEIGHBOUR.id, place)
    ((account,),) = stage.sql("SELECT account FROM identity")
    browser = await stage.signed_in(phone)
    stage.sql("DELETE FROM identity")
    stage.sql("DELETE FROM identifier WHERE kind NOT IN ('username', 'phone')")
    await give(stage, account, told(who), Evidence.NAME_AND_NUMBER)
    _, grant = await approved(stage, phone, browser, "/centre/verify/face")
    assert (await browser.redeem(grant, stage.code)).status == 200
    socket, screen, address = await at_the_code(stage, browser)
    scanned = await stage.scanned(phone, screen)
    started = await phone.starts_face(scanned)
    if who.document_type not in SHOWN_BY[place]:
        assert started.verdict == (422, "document_unsupported")
        level = 2
    else:
        await phones.before_the_camera(phone.caller, started.json()["face"]["verification"])
        answer = await phone.confirm(scanned)
        if who.story is Story.FACE_FAILS:
            assert answer.verdict == refusal(place, who)
            level = 2
        else:
            assert answer.status == 200, answer
            await socket.next("scanned")
            assert (await browser.redeem((await socket.next("approved"))["grant"])).json() == {"next": address}
            level = 3
    found = await bound(stage, account)
    assert found is not None
    assert (found.person.name, found.level(stage.clock.now())) == (who.name, level)
