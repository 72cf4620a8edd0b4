"""What is written of a draft while others write it too."""

from __future__ import annotations

import asyncio

import pytest
from msgspec import Struct
from msgspec.structs import replace

from bjidp.accounts.drafts import ATTEMPTS, Draft, Drafts, DraftUnknown, Sealed
from bjidp.clock import ManualClock
from bjidp.entropy import SystemEntropy
from bjidp.errors import StoreUnavailable
from bjidp.privacy.sealing import Sealing
from bjidp.privacy.seals import RecordSeals
from bjidp.storage.memory.records import MemoryRecords
from tests.support.meddling import Meddler
from tests.support.phones import keyring
from tests.support.verification import PSEUDONYMS

HOLDER = "browser-1"


class Tally(Struct, frozen=True):
    """Facts of a flow."""

    count: int = 0
    over: bool = False


class NoMore(Exception):
    """The facts leave nothing to be counted."""


@pytest.fixture
def meddler() -> Meddler:
    return Meddler()


@pytest.fixture
def drafts(meddler: Meddler, clock: ManualClock) -> Drafts[Tally]:
    entropy = SystemEntropy()
    return Drafts(
        Tally,
        "tally",
        records=meddler.between("drafts", MemoryRecords[Sealed](clock)),
        seals=RecordSeals(Sealing(keyring(), entropy)),
        pseudonyms=PSEUDONYMS,
        entropy=entropy,
    )


def one_more(facts: Tally) -> Tally:
    return replace(facts, count=facts.count + 1)


def require_open(draft: Draft[Tally]) -> None:
    if draft.facts.over:
        raise NoMore


async def opened(drafts: Drafts[Tally], facts: Tally | None = None) -> Draft[Tally]:
    return await drafts.begin(HOLDER, facts or Tally())


async def counted(drafts: Drafts[Tally], draft: Draft[Tally]) -> int:
    return (await drafts.read(HOLDER, draft.id)).facts.count


async def test_of_changes_at_one_moment_none_is_lost(drafts: Drafts[Tally]) -> None:
    draft = await opened(drafts)
    written = await asyncio.gather(*(drafts.change(HOLDER, draft, one_more) for _ in range(8)))
    assert sorted(each.facts.count for each in written) == list(range(1, 9))
    assert await counted(drafts, draft) == 8


async def test_whoever_was_faster_may_have_left_nothing_to_be_changed(drafts: Drafts[Tally]) -> None:
    draft = await opened(drafts)
    await drafts.write(HOLDER, draft, Tally(over=True))
    with pytest.raises(NoMore):
        await drafts.change(HOLDER, draft, one_more, still=require_open)
    assert await counted(drafts, draft) == 0


async def test_what_was_read_is_not_judged_a_second_time(drafts: Drafts[Tally]) -> None:
    draft = await opened(drafts, Tally(over=True))
    assert (await drafts.change(HOLDER, draft, one_more, still=require_open)).facts.count == 1


async def test_a_draft_that_ended_meanwhile_is_unknown(drafts: Drafts[Tally]) -> None:
    draft = await opened(drafts)
    await drafts.close(HOLDER, draft.id)
    with pytest.raises(DraftUnknown):
        await drafts.change(HOLDER, draft, one_more)


async def test_whoever_always_loses_gives_up(drafts: Drafts[Tally], meddler: Meddler) -> None:
    draft = await opened(drafts)

    async def another_is_faster() -> None:
        await drafts.write(HOLDER, await drafts.read(HOLDER, draft.id), Tally(count=100))
        meddler.before_next("drafts.replace", another_is_faster)

    meddler.before_next("drafts.replace", another_is_faster)
    with pytest.raises(StoreUnavailable):
        await drafts.change(HOLDER, draft, one_more)
    assert meddler.calls["drafts.replace"] == 2 * ATTEMPTS
    assert await counted(drafts, draft) == 100


async def test_a_draft_is_found_by_its_holder_alone(drafts: Drafts[Tally]) -> None:
    draft = await drafts.begin(HOLDER, Tally(count=3))
    assert await drafts.find(HOLDER, draft.id) == draft
    assert await drafts.find("browser-2", draft.id) is None
    assert await drafts.find(HOLDER, None) is None
    assert await drafts.find(HOLDER, "no id") is None
