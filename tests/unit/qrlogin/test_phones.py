"""What a phone may do, in the order of wire.md, sections 3 and 4."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import msgspec
import pytest

from bjidp.audit.event import EventKind
from bjidp.clock import ManualClock, rfc3339
from bjidp.entropy import SeededEntropy
from bjidp.errors import AccountRefused, RateLimited, StoreUnavailable
from bjidp.qrlogin import frame
from bjidp.qrlogin.errors import (
    ConfirmRefused,
    FrameStale,
    SceneRefused,
    TicketClosed,
    TicketExpired,
    TicketTaken,
    TicketUnknown,
)
from bjidp.qrlogin.flow import Flow
from bjidp.qrlogin.pages import Watch
from bjidp.qrlogin.policy import Purpose, QrPolicy, ReverseCode
from bjidp.qrlogin.ticket import Approved, Area, Pending, Rejected, Scanned, Superseded
from bjidp.throttle.ports import Window
from tests.support.qr import BEIJING, HEBEI, LI, OFFICE, ZHANG, ticket_id
from tests.unit.qrlogin.desk import CAMERA, PREFIX, Desk, a_phone, elsewhere

LATER = 20.0
"""Seconds after which a frame drawn at the beginning is stale in every scene."""


async def _unchanged(desk: Desk, watch: Watch, before: Flow, act: Awaitable[object], error: type[Exception]) -> None:
    with pytest.raises(error):
        await act
    assert await desk.flow(watch) == before


# ------------------------------------------------------------------------------------------------------------- scan


@pytest.mark.req("LOG-2")
async def test_the_first_scan_holds_the_ticket_and_shows_what_the_server_saw(desk: Desk) -> None:
    watch = await desk.page()
    ticket = await desk.ticket(watch)
    desk.advance(7.5)
    answer = await desk.scan(watch)
    assert answer.ticket == ticket.id
    assert answer.purpose == "login"
    assert answer.steps == ("confirm",)
    assert answer.expires_in == 60
    assert msgspec.to_builtins(answer.request) == {
        "client": {"name": "首都之窗", "domain": "127.0.0.1"},
        "action": "login",
        "requested_at": rfc3339(ticket.issued_at),
        "age": 7,
        "browser": "Chrome",
        "os": "Windows",
        "ip_area": "北京市",
        "location_mismatch": False,
        "ip_seen_before": False,
        "session_lifetime": 43200,
    }
    state = await desk.state(watch)
    assert isinstance(state, Scanned)
    assert state.holder == ZHANG


@pytest.mark.attack("Q9", "Q10")
async def test_a_scan_answers_no_account_and_no_grant(desk: Desk) -> None:
    answer = msgspec.json.encode(await desk.scan(await desk.page())).decode()
    assert ZHANG.account not in answer
    assert ZHANG.link not in answer
    assert "grant" not in answer


@pytest.mark.attack("Q7")
async def test_checks_come_in_their_order_and_none_changes_the_ticket(desk: Desk) -> None:
    """Each step mends the fault that was just reported and keeps all that come after it."""
    closed, approved = (await desk.page(), a_phone(LI))
    await desk.approve(closed, approved)
    before = await desk.flow(closed)
    stale = desk.frame(before.current)
    forged = stale[:-1] + ("A" if stale[-1] != "A" else "B")
    refused = a_phone(refusal="locked")
    noisy = a_phone(refusal="locked", holder=msgspec.structs.replace(ZHANG, account="noisy"))
    for _ in range(10):
        with pytest.raises(TicketUnknown):
            await desk.phones.scan(noisy, "nonsense", CAMERA)
    desk.advance(30)  # the approval has run out; the frame is stale

    await _unchanged(desk, closed, before, desk.phones.scan(noisy, forged, 9999), RateLimited)
    await _unchanged(desk, closed, before, desk.phones.scan(refused, forged, 9999), SceneRefused)
    await _unchanged(desk, closed, before, desk.phones.scan(refused, forged, CAMERA), TicketUnknown)
    await _unchanged(desk, closed, before, desk.phones.scan(refused, stale, CAMERA), TicketExpired)

    live = await desk.page()
    await desk.approve(live, approved)
    before = await desk.flow(live)
    stale = desk.frame(before.current)
    desk.advance(LATER)
    await _unchanged(desk, live, before, desk.phones.scan(refused, stale, CAMERA), TicketClosed)

    held = Desk(desk.clock, SeededEntropy("another desk"))
    watch = await held.page()
    stale = held.frame(await held.ticket(watch))
    await held.scan(watch, approved)
    held.advance(LATER)
    before = await held.flow(watch)
    fresh = held.frame(before.current)
    await _unchanged(held, watch, before, held.phones.scan(refused, stale, CAMERA), FrameStale)
    await _unchanged(held, watch, before, held.phones.scan(refused, fresh, CAMERA), AccountRefused)
    await _unchanged(held, watch, before, held.phones.scan(a_phone(), fresh, CAMERA), TicketTaken)


@pytest.mark.attack("P2")
@pytest.mark.parametrize(
    ("platform", "scene", "seconds"),
    [("wechat", 0, 6), ("wechat", 1011, 15), ("wechat", 1047, 15), ("alipay", 0, 6), ("baidu", 0, 6)],
)
async def test_a_frame_counts_for_as_long_as_its_scene_allows(
    desk: Desk, platform: str, scene: int, seconds: int
) -> None:
    phone = a_phone(msgspec.structs.replace(ZHANG, platform=platform))
    watch = await desk.page()
    text = desk.frame(await desk.ticket(watch))
    desk.advance(seconds + 0.001)
    with pytest.raises(FrameStale):
        await desk.phones.scan(phone, text, scene)
    watch = await desk.page()
    await desk.pages.renew(watch.entry)
    text = desk.frame(await desk.ticket(watch))
    desk.advance(seconds)
    assert (await desk.phones.scan(phone, text, scene)).confirm_token


@pytest.mark.attack("P2")
@pytest.mark.parametrize(
    ("platform", "scene"),
    [("wechat", scene) for scene in (1012, 1013, 1048, 1049, 1001, 1)]
    + [("alipay", 1011), ("baidu", 1011), ("alipay", 1047)],
)
async def test_what_is_no_live_camera_is_refused(desk: Desk, platform: str, scene: int) -> None:
    watch = await desk.page()
    phone = a_phone(msgspec.structs.replace(ZHANG, platform=platform))
    before = await desk.flow(watch)
    act = desk.phones.scan(phone, desk.frame(before.current), scene)
    await _unchanged(desk, watch, before, act, SceneRefused)


@pytest.mark.attack("Q16", "Q17")
async def test_a_frame_from_the_future_is_refused(desk: Desk) -> None:
    watch = await desk.page()
    before = await desk.flow(watch)
    ahead = desk.frame(before.current, behind=-2)
    await _unchanged(desk, watch, before, desk.phones.scan(a_phone(), ahead, CAMERA), FrameStale)


@pytest.mark.attack("Q17", "Q22")
async def test_texts_that_are_no_frame_of_ours_get_one_answer(desk: Desk) -> None:
    watch = await desk.page()
    before = await desk.flow(watch)
    own = desk.frame(before.current)
    ticket, t, mac = own.removeprefix(PREFIX).split(".")
    texts = [
        "",
        own + "A",
        own[:-1],
        own.replace("/q/", "/Q/"),
        f"{PREFIX}{ticket}",
        f"{PREFIX}{ticket}.{t}.",
        f"{PREFIX}{ticket}.{int(t) + 1:03d}.{mac}",
    ]
    unknown = ticket_id("unknown")
    key = desk.keys.frame_key(Purpose.LOGIN, unknown)
    texts.append(frame.text(PREFIX, key, Purpose.LOGIN, unknown, 0))
    for number, text in enumerate(texts):
        phone = a_phone(msgspec.structs.replace(ZHANG, account=f"account-{number}"))
        await _unchanged(desk, watch, before, desk.phones.scan(phone, text, CAMERA), TicketUnknown)


@pytest.mark.attack("Q7")
async def test_ten_misses_a_minute_are_all_an_account_has(desk: Desk) -> None:
    watch = await desk.page()
    for _ in range(10):
        with pytest.raises(TicketUnknown):
            await desk.phones.scan(a_phone(), "nonsense", CAMERA)
    with pytest.raises(RateLimited):
        await desk.scan(watch)
    answer = await desk.scan(watch, a_phone(LI))
    assert answer.ticket == (await desk.ticket(watch)).id, "another account is not held to it"
    desk.advance(60)
    renewed = await desk.page()
    await desk.scan(renewed)
    assert isinstance(await desk.state(renewed), Scanned)


@pytest.mark.attack("Q5")
@pytest.mark.req("LOG-2")
async def test_of_two_phones_that_race_one_holds_the_ticket(desk: Desk) -> None:
    watch = await desk.page()
    text = desk.frame(await desk.ticket(watch))
    holders = [msgspec.structs.replace(LI, account=f"account-{turn}") for turn in range(20)]
    outcomes = await asyncio.gather(
        *(desk.phones.scan(a_phone(holder), text, CAMERA) for holder in holders), return_exceptions=True
    )
    winners = [turn for turn, outcome in enumerate(outcomes) if not isinstance(outcome, BaseException)]
    assert len(winners) == 1
    assert {type(outcome) for turn, outcome in enumerate(outcomes) if turn not in winners} == {TicketTaken}
    state = await desk.state(watch)
    assert isinstance(state, Scanned)
    assert state.holder == holders[winners[0]]


@pytest.mark.attack("Q12")
async def test_the_holder_scans_again_with_an_old_frame_and_only_the_newest_token_counts(desk: Desk) -> None:
    watch = await desk.page()
    text = desk.frame(await desk.ticket(watch))
    first = await desk.phones.scan(a_phone(), text, CAMERA)
    desk.advance(LATER)
    second = await desk.phones.scan(a_phone(), text, CAMERA)
    assert second.confirm_token != first.confirm_token
    assert second.expires_in == 60 - LATER
    with pytest.raises(ConfirmRefused):
        await desk.phones.confirm(a_phone(), first.ticket, first.confirm_token)
    assert (await desk.phones.confirm(a_phone(), second.ticket, second.confirm_token)).status == "approved"


@pytest.mark.req("LOG-2")
async def test_a_scan_of_the_overlapped_old_ticket_supersedes_the_new_one(desk: Desk) -> None:
    watch = await desk.page()
    old = await desk.ticket(watch)
    desk.advance(55)
    await desk.pages.look(watch)
    new = await desk.ticket(watch)
    assert new.id != old.id
    answer = await desk.phones.scan(a_phone(), desk.frame(old), CAMERA)
    assert answer.ticket == old.id
    flow = await desk.flow(watch)
    superseded = flow.ticket(new.id)
    assert superseded is not None
    assert isinstance(superseded.state, Superseded)
    assert flow.current.id == old.id
    with pytest.raises(TicketClosed):
        await desk.phones.scan(a_phone(LI), desk.frame(new), CAMERA)


async def test_phones_that_scan_the_old_and_the_new_ticket_at_once_leave_one_holder(desk: Desk) -> None:
    watch = await desk.page()
    old = await desk.ticket(watch)
    desk.advance(55)
    await desk.pages.look(watch)
    new = await desk.ticket(watch)
    outcomes = await asyncio.gather(
        desk.phones.scan(a_phone(), desk.frame(old), CAMERA),
        desk.phones.scan(a_phone(LI), desk.frame(new), CAMERA),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ScanAnswer", "TicketClosed"]
    states = [type(ticket.state) for ticket in (await desk.flow(watch)).tickets]
    assert sorted(state.__name__ for state in states) == ["Scanned", "Superseded"]


@pytest.mark.attack("Q15")
async def test_an_overlapped_ticket_counts_until_its_own_deadline(desk: Desk) -> None:
    watch = await desk.page()
    old = await desk.ticket(watch)
    desk.advance(55)
    await desk.pages.look(watch)
    desk.advance(5)
    with pytest.raises(TicketExpired):
        await desk.phones.scan(a_phone(), desk.frame(old), CAMERA)
    assert isinstance(await desk.state(watch), Pending)


# ---------------------------------------------------------------------------------------------------------- confirm


async def test_a_confirm_approves(desk: Desk) -> None:
    watch = await desk.page()
    assert await desk.approve(watch) is None
    state = await desk.state(watch)
    assert isinstance(state, Approved)
    assert state.holder == ZHANG


@pytest.mark.attack("Q12", "Q9")
async def test_a_confirm_token_is_good_for_its_ticket_its_account_and_its_phone_alone(desk: Desk) -> None:
    watch = await desk.page()
    scanned = await desk.scan(watch)
    other = Desk(desk.clock, SeededEntropy("another desk"))
    foreign = await other.scan(await other.page())
    before = await desk.flow(watch)
    tries = [
        (a_phone(LI), scanned.confirm_token),
        (a_phone(elsewhere(ZHANG)), scanned.confirm_token),
        (a_phone(), foreign.confirm_token),
        (a_phone(), scanned.confirm_token[:-1]),
        (a_phone(), ""),
        (a_phone(), "京"),
        (a_phone(), "\udc80"),
    ]
    for phone, token in tries:
        confirm = desk.phones.confirm(phone, scanned.ticket, token)
        await _unchanged(desk, watch, before, confirm, ConfirmRefused)
        reject = desk.phones.reject(phone, scanned.ticket, token, report=True)
        await _unchanged(desk, watch, before, reject, ConfirmRefused)


@pytest.mark.attack("Q27")
@pytest.mark.parametrize("ticket", ["", "x", "x" * 21, "x" * 23, "京" * 22, "x" * 21 + "\n", ticket_id("unknown")])
async def test_a_ticket_that_is_none_is_unknown(desk: Desk, ticket: str) -> None:
    with pytest.raises(TicketUnknown):
        await desk.phones.confirm(a_phone(), ticket, "token")
    with pytest.raises(TicketUnknown):
        await desk.phones.reject(a_phone(), ticket, "token", report=False)


@pytest.mark.attack("Q13")
async def test_a_ticket_nobody_scanned_is_confirmed_by_nobody(desk: Desk) -> None:
    watch = await desk.page()
    before = await desk.flow(watch)
    act = desk.phones.confirm(a_phone(), before.current.id, "token")
    await _unchanged(desk, watch, before, act, ConfirmRefused)


@pytest.mark.attack("Q15")
async def test_a_confirm_at_the_deadline_is_too_late(desk: Desk) -> None:
    watch = await desk.page()
    scanned = await desk.scan(watch)
    before = await desk.flow(watch)
    desk.advance(60)
    act = desk.phones.confirm(a_phone(), scanned.ticket, scanned.confirm_token)
    await _unchanged(desk, watch, before, act, TicketExpired)


@pytest.mark.attack("Q15", "Q6")
async def test_a_confirm_whose_write_comes_after_the_deadline_is_too_late(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decided in time and written too late: the store's clock has the last word."""
    watch = await desk.page()
    scanned = await desk.scan(watch)
    before = await desk.flow(watch)
    desk.advance(59.999)
    replace = desk.store.replace

    async def slowly(flow: Flow, expected: int, lifetime: int, *, before: int | None = None) -> int:
        desk.advance(0.001)
        return await replace(flow, expected, lifetime, before=before)

    monkeypatch.setattr(desk.store, "replace", slowly)
    act = desk.phones.confirm(a_phone(), scanned.ticket, scanned.confirm_token)
    await _unchanged(desk, watch, before, act, TicketExpired)


@pytest.mark.attack("Q21")
async def test_an_account_locked_after_the_scan_may_refuse_but_not_confirm(desk: Desk) -> None:
    watch = await desk.page()
    scanned = await desk.scan(watch)
    before = await desk.flow(watch)
    locked = a_phone(refusal="locked")
    confirm = desk.phones.confirm(locked, scanned.ticket, scanned.confirm_token)
    await _unchanged(desk, watch, before, confirm, AccountRefused)
    await desk.phones.reject(locked, scanned.ticket, scanned.confirm_token, report=False)
    assert isinstance(await desk.state(watch), Rejected)


@pytest.mark.attack("Q5")
async def test_of_twenty_confirms_at_once_one_approves_and_the_others_carry_its_answer(
    clock: ManualClock, entropy: SeededEntropy
) -> None:
    desk = Desk(clock, entropy, QrPolicy(reverse_code=ReverseCode.ALWAYS))
    watch = await desk.page()
    scanned = await desk.scan(watch)
    outcomes = await asyncio.gather(
        *(desk.phones.confirm(a_phone(), scanned.ticket, scanned.confirm_token) for _ in range(20)),
        return_exceptions=True,
    )
    state = await desk.state(watch)
    assert isinstance(state, Approved)
    assert state.code is not None
    closed = [outcome for outcome in outcomes if isinstance(outcome, TicketClosed)]
    assert len(closed) == 19
    for outcome in closed:
        assert outcome.details == {"answer": {"status": "approved", "code": state.code}}


@pytest.mark.attack("Q14", "Q12")
async def test_a_repeated_call_carries_the_first_answer_whatever_it_asks_for(desk: Desk) -> None:
    for confirmed in (True, False):
        watch = await desk.page()
        scanned = await desk.scan(watch)
        call = (a_phone(), scanned.ticket, scanned.confirm_token)
        if confirmed:
            await desk.phones.confirm(*call)
        else:
            await desk.phones.reject(*call, report=False)
        before = await desk.flow(watch)
        desk.advance(120)
        wanted = {"status": "approved", "code": None} if confirmed else {"status": "rejected"}
        for again in (desk.phones.confirm(*call), desk.phones.reject(*call, report=False)):
            with pytest.raises(TicketClosed) as closed:
                await again
            assert closed.value.details == {"answer": wanted}
        assert await desk.flow(watch) == before
        with pytest.raises(ConfirmRefused):
            await desk.phones.confirm(a_phone(LI), *call[1:])
        await desk.navigate()


async def test_a_confirm_repeated_after_the_redeem_carries_the_first_answer(desk: Desk) -> None:
    watch = await desk.page()
    scanned = await desk.scan(watch)
    await desk.phones.confirm(a_phone(), scanned.ticket, scanned.confirm_token)
    await desk.redeem(await desk.grant(watch))
    with pytest.raises(TicketClosed) as closed:
        await desk.phones.confirm(a_phone(), scanned.ticket, scanned.confirm_token)
    assert closed.value.status == "approved"


async def test_a_confirm_of_a_ticket_the_page_gave_up_is_told_no_answer(desk: Desk) -> None:
    watch = await desk.page()
    scanned = await desk.scan(watch)
    await desk.pages.renew(watch.entry)
    with pytest.raises(TicketClosed) as closed:
        await desk.phones.confirm(a_phone(), scanned.ticket, scanned.confirm_token)
    assert closed.value.details == {}


# ----------------------------------------------------------------------------------------------------- reverse code


@pytest.mark.attack("P9")
@pytest.mark.parametrize(
    ("setting", "computer_known", "phone", "known", "required"),
    [
        (ReverseCode.NEVER, True, HEBEI, (), False),
        (ReverseCode.ALWAYS, True, BEIJING, ("here",), True),
        (ReverseCode.MISMATCH, True, BEIJING, (), False),
        (ReverseCode.MISMATCH, True, BEIJING, ("elsewhere",), False),
        (ReverseCode.MISMATCH, True, HEBEI, ("here",), True),
        (ReverseCode.MISMATCH, True, None, (), False),
        (ReverseCode.MISMATCH, True, None, ("here",), False),
        (ReverseCode.MISMATCH, True, None, ("elsewhere",), True),
        (ReverseCode.MISMATCH, False, HEBEI, ("elsewhere",), True),
        (ReverseCode.MISMATCH, False, HEBEI, ("elsewhere", "here"), False),
    ],
)
async def test_the_reverse_code_is_asked_when_the_policy_says_so(
    clock: ManualClock,
    entropy: SeededEntropy,
    setting: ReverseCode,
    computer_known: bool,
    phone: Area | None,
    known: tuple[str, ...],
    required: bool,
) -> None:
    desk = Desk(clock, entropy, QrPolicy(reverse_code=setting))
    for place in known:
        desk.accounts.seen.add((ZHANG.account, OFFICE if place == "here" else b"elsewhere"))
    watch = await desk.page()
    if not computer_known:
        flow = await desk.flow(watch)
        computer = msgspec.structs.replace(flow.current.computer, area=None)
        unplaced = msgspec.structs.replace(flow.current, computer=computer)
        held = await desk.store.read(flow.id)
        assert held is not None
        await desk.store.replace(msgspec.structs.replace(flow, tickets=(unplaced,)), held.version, 10**6)
    code = await desk.approve(watch, a_phone(area=phone))
    assert (code is not None) is required
    if code is not None:
        assert len(code) == 2
        assert code.isdigit()


async def test_areas_are_compared_by_region_and_not_by_their_label(clock: ManualClock, entropy: SeededEntropy) -> None:
    desk = Desk(clock, entropy, QrPolicy())
    answer = await desk.scan(await desk.page(), a_phone(area=Area("北京市朝阳区", "CN-BJ")))
    assert answer.request.location_mismatch is False


async def test_the_phone_is_told_whether_the_network_was_seen_before(desk: Desk) -> None:
    desk.accounts.seen.add((ZHANG.account, OFFICE))
    assert (await desk.scan(await desk.page())).request.ip_seen_before is True


async def test_a_network_is_known_by_its_digest_under_any_active_key(desk: Desk) -> None:
    desk.accounts.seen.add((ZHANG.account, b"under the former key"))
    watch = await desk.page()
    flow = await desk.flow(watch)
    computer = msgspec.structs.replace(flow.current.computer, other_networks=(b"under the former key",))
    held = await desk.store.read(flow.id)
    assert held is not None
    moved = msgspec.structs.replace(flow.current, computer=computer)
    await desk.store.replace(msgspec.structs.replace(flow, tickets=(moved,)), held.version, 10**6)
    assert (await desk.scan(watch)).request.ip_seen_before is True


@pytest.mark.attack("P9")
async def test_reports_of_one_network_raise_the_reverse_code_for_everybody_there(
    clock: ManualClock, entropy: SeededEntropy
) -> None:
    desk = Desk(clock, entropy, QrPolicy())

    async def reported(turn: int) -> None:
        watch = await desk.page()
        phone = a_phone(msgspec.structs.replace(ZHANG, account=f"account-{turn}"))
        scanned = await desk.scan(watch, phone)
        await desk.phones.reject(phone, scanned.ticket, scanned.confirm_token, report=True)
        with pytest.raises(TicketClosed):
            await desk.phones.reject(phone, scanned.ticket, scanned.confirm_token, report=True)

    for turn in range(3):
        watch = await desk.page()
        assert await desk.approve(watch, a_phone(LI)) is None
        desk.secret = None
        await reported(turn)
        desk.secret = None
    assert await desk.approve(await desk.page(), a_phone(LI)) is not None
    desk.secret = None
    desk.advance(24 * 3600)
    assert await desk.approve(await desk.page(), a_phone(LI)) is None


async def test_a_plain_reject_is_no_report(clock: ManualClock, entropy: SeededEntropy) -> None:
    desk = Desk(clock, entropy, QrPolicy())
    for _ in range(5):
        watch = await desk.page()
        scanned = await desk.scan(watch)
        await desk.phones.reject(a_phone(), scanned.ticket, scanned.confirm_token, report=False)
        desk.secret = None
    assert await desk.approve(await desk.page()) is None


@pytest.mark.req("LOG-2")
@pytest.mark.attack("P1")
@pytest.mark.parametrize(("report", "kind"), [(False, EventKind.LOGIN_REJECTED), (True, EventKind.LOGIN_REPORTED)])
async def test_a_refusal_is_written_down_by_references_alone(desk: Desk, report: bool, kind: EventKind) -> None:
    """wire.md 3: ``report`` is audited."""
    phone = a_phone()
    scanned = await desk.scan(await desk.page(), phone)
    await desk.phones.reject(phone, scanned.ticket, scanned.confirm_token, report=report)
    (event,) = desk.audit.events
    assert (event.kind, event.account_ref) == (kind, phone.account_ref)
    assert scanned.ticket not in repr(event)
    assert phone.holder.name not in repr(event)


@pytest.mark.req("LOG-2")
async def test_a_refusal_stands_when_it_cannot_be_written_down_or_counted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that was lost to an outage would leave the person unsure whether the stranger got in."""

    async def down(_key: str, *_windows: Window) -> None:
        raise StoreUnavailable

    phone = a_phone()
    scanned = await desk.scan(await desk.page(), phone)
    desk.audit.down = True
    monkeypatch.setattr(desk.throttle, "hit", down)
    answer = await desk.phones.reject(phone, scanned.ticket, scanned.confirm_token, report=True)
    assert answer.status == "rejected"
