"""What a code serves for, how many guesses an address stands, and what is kept of it."""

from __future__ import annotations

import msgspec
import pytest

from bjidp.clock import MINUTE, ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.errors import RateLimited, StoreUnavailable
from bjidp.records import Held
from bjidp.storage.memory.records import MemoryRecords
from bjidp.storage.memory.throttle import MemoryThrottle
from bjidp.throttle.ports import Window
from bjidp.verification.code import Address, Binding, Channel, Code, Purpose
from bjidp.verification.codes import Codes, CodeWindows
from bjidp.verification.errors import VerificationCodeExpired, VerificationCodeWrong
from tests.contracts.ephemeral import MemoryStores
from tests.support.verification import PSEUDONYMS, another, binding, codes


@pytest.fixture
def room(clock: ManualClock, entropy: SeededEntropy) -> Codes:
    return codes(MemoryStores(clock), entropy)


async def exhaust(room: Codes, bound: Binding) -> None:
    """Have a code sent and guess wrong until it is dead."""
    code = await room.issue(bound)
    for _ in range(5):
        with pytest.raises(VerificationCodeWrong):
            await room.use(bound, another(code))


@pytest.mark.attack("O10")
@pytest.mark.parametrize(
    "other",
    [
        *(binding(purpose) for purpose in Purpose if purpose is not Purpose.LOGIN),
        binding(phone="15400000002"),
        binding(flow="flow-2"),
        Binding(Purpose.LOGIN, Address(Channel.MAIL, "15400000001"), "flow-1"),
    ],
    ids=lambda other: f"{other.purpose}, {other.address.channel}, {other.flow}",
)
async def test_a_code_is_unknown_for_another_purpose_address_or_flow(room: Codes, other: Binding) -> None:
    code = await room.issue(binding())
    with pytest.raises(VerificationCodeExpired):
        await room.use(other, code.text())
    await room.use(binding(), code.text())


@pytest.mark.attack("O10")
async def test_codes_of_two_flows_live_side_by_side(room: Codes) -> None:
    here, there = await room.issue(binding()), await room.issue(binding(flow="flow-2"))
    await room.use(binding(), here.text())
    await room.use(binding(flow="flow-2"), there.text())


@pytest.mark.attack("O6")
async def test_codes_sent_anew_bring_no_new_guesses_beyond_ten_an_hour(room: Codes, clock: ManualClock) -> None:
    await exhaust(room, binding())
    await exhaust(room, binding())
    code = await room.issue(binding())
    with pytest.raises(RateLimited):
        await room.use(binding(), code.text())
    clock.advance(3600)
    code = await room.issue(binding())
    await room.use(binding(), code.text())


@pytest.mark.attack("O6")
async def test_another_purpose_or_flow_brings_no_new_guesses_either(room: Codes) -> None:
    await exhaust(room, binding())
    await exhaust(room, binding(Purpose.RECOVER, flow="flow-2"))
    elsewhere = binding(Purpose.REGISTER, flow="flow-3")
    code = await room.issue(elsewhere)
    with pytest.raises(RateLimited):
        await room.use(elsewhere, code.text())


@pytest.mark.attack("O12")
async def test_guesses_at_one_address_leave_others_alone(room: Codes) -> None:
    await exhaust(room, binding())
    await exhaust(room, binding())
    other = binding(phone="15400000002")
    await room.use(other, (await room.issue(other)).text())


@pytest.mark.attack("O12", "O6")
async def test_guesses_at_codes_that_strangers_asked_for_leave_the_owners_alone_and_the_other_way_round(
    room: Codes,
) -> None:
    await exhaust(room, binding())
    await exhaust(room, binding())
    for _ in range(2):
        code = await room.issue(binding(Purpose.VERIFY), owner=True)
        for _ in range(4):
            with pytest.raises(VerificationCodeWrong):
                await room.use(binding(Purpose.VERIFY), another(code))
        await room.use(binding(Purpose.VERIFY), code.text())
    code = await room.issue(binding(Purpose.VERIFY), owner=True)
    with pytest.raises(RateLimited):
        await room.use(binding(Purpose.VERIFY), code.text())


@pytest.mark.attack("O12")
async def test_whose_asking_it_was_is_said_by_the_newest_code(room: Codes) -> None:
    await exhaust(room, binding())
    await exhaust(room, binding())
    await room.issue(binding(), owner=True)
    code = await room.issue(binding())
    with pytest.raises(RateLimited):
        await room.use(binding(), code.text())


@pytest.mark.attack("O12")
async def test_who_was_sent_no_code_cannot_use_up_the_guesses_of_an_address(room: Codes) -> None:
    code = await room.issue(binding())
    for _ in range(30):
        with pytest.raises(VerificationCodeExpired):
            await room.use(binding(flow="flow-2"), "000000")
    await exhaust(room, binding(flow="flow-3"))
    for _ in range(30):
        with pytest.raises(VerificationCodeExpired):
            await room.use(binding(flow="flow-3"), "000000")
    await room.use(binding(), code.text())


@pytest.mark.attack("O12")
async def test_a_guess_too_many_at_the_address_spends_no_try_of_the_code(
    clock: ManualClock, entropy: SeededEntropy
) -> None:
    room = codes(MemoryStores(clock), entropy, CodeWindows(guesses=Window(1, MINUTE)))
    code = await room.issue(binding())
    with pytest.raises(VerificationCodeWrong):
        await room.use(binding(), another(code))
    for _ in range(6):
        with pytest.raises(RateLimited):
            await room.use(binding(), code.text())
    clock.advance(60)
    await room.use(binding(), code.text())


@pytest.mark.parametrize("typed", ["", "12345", "abcdef", "\ud800", "1" * 10_000])
async def test_what_is_no_code_is_a_wrong_one(room: Codes, typed: str) -> None:
    await room.issue(binding())
    with pytest.raises(VerificationCodeWrong) as refusal:
        await room.use(binding(), typed)
    assert refusal.value.tries_left == 4


@pytest.mark.req("PRV-1")
@pytest.mark.attack("O7")
async def test_neither_code_nor_address_is_kept_or_printed(clock: ManualClock, entropy: SeededEntropy) -> None:
    records, throttle = MemoryRecords[Code](clock), MemoryThrottle(clock)
    room = Codes(records=records, throttle=throttle, pseudonyms=PSEUDONYMS, entropy=entropy, windows=CodeWindows())
    code = await room.issue(binding())
    with pytest.raises(VerificationCodeWrong):
        await room.use(binding(), another(code))
    kept = b"".join(key.encode() + msgspec.msgpack.encode(row.value) for key, row in records._rows.items())
    kept += "".join(throttle._events).encode()
    assert kept
    assert code.text().encode() not in kept
    assert b"15400000001" not in kept
    assert b"flow-1" not in kept
    assert code.text() not in f"{code!r} {code}"


@pytest.mark.attack("O7")
async def test_the_same_digits_for_another_flow_are_kept_as_another_digest(clock: ManualClock) -> None:
    records = MemoryRecords[Code](clock)
    for flow in ("flow-1", "flow-2"):
        room = Codes(
            records=records,
            throttle=MemoryThrottle(clock),
            pseudonyms=PSEUDONYMS,
            entropy=SeededEntropy("the same"),
            windows=CodeWindows(),
        )
        await room.issue(binding(flow=flow))
    assert len({row.value.digest for row in records._rows.values()}) == 2


class _SilentThrottle(MemoryThrottle):
    async def hit(self, key: str, *windows: Window) -> None:
        raise StoreUnavailable


class _SilentRecords(MemoryRecords[Code]):
    async def get(self, key: str) -> Held[Code] | None:
        raise StoreUnavailable


class _ContendedRecords(MemoryRecords[Code]):
    """Somebody else is always faster."""

    async def get(self, key: str) -> Held[Code] | None:
        held = await super().get(key)
        return None if held is None else Held(held.value, -1, held.now)


@pytest.mark.attack("O5")
async def test_guesses_that_cannot_be_counted_are_not_compared(clock: ManualClock, entropy: SeededEntropy) -> None:
    stores = MemoryStores(clock)
    code = await codes(stores, entropy).issue(binding())
    silent = Codes(
        records=stores.records("code", Code),
        throttle=_SilentThrottle(clock),
        pseudonyms=PSEUDONYMS,
        entropy=entropy,
        windows=CodeWindows(),
    )
    with pytest.raises(StoreUnavailable):
        await silent.use(binding(), code.text())
    await codes(stores, entropy).use(binding(), code.text())


@pytest.mark.attack("O5")
@pytest.mark.parametrize("kind", [_SilentRecords, _ContendedRecords])
async def test_without_a_record_that_can_be_written_no_code_is_accepted_or_replaced(
    clock: ManualClock, entropy: SeededEntropy, kind: type[MemoryRecords[Code]]
) -> None:
    records = kind(clock)
    room = Codes(
        records=records,
        throttle=MemoryThrottle(clock),
        pseudonyms=PSEUDONYMS,
        entropy=entropy,
        windows=CodeWindows(),
    )
    bound = binding()
    code = (await room.issue(bound)).text() if kind is _ContendedRecords else "000000"
    with pytest.raises(StoreUnavailable):
        await room.use(bound, code)
    with pytest.raises(StoreUnavailable):
        await room.issue(bound)
