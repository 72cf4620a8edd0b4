"""What is done with files that harm what looks into them, before an appeal is filed (RNV-8)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from bjidp.accounts.ports import Evidence
from bjidp.appeals.attachments import Fault, Kind, Sent
from bjidp.appeals.errors import AppealsFull
from bjidp.appeals.filing import Filing
from bjidp.appeals.flow import FIELDS, Typed
from bjidp.appeals.ports import AttachmentRefused, NewAppeal
from bjidp.clock import ManualClock
from bjidp.errors import FieldFault, InvalidRequest, RateLimited
from bjidp.person import DocumentType, Person
from bjidp.proofing.claims import Claim
from bjidp.proofing.ports import NewIdentity
from bjidp.storage.memory.throttle import MemoryThrottle
from bjidp.throttle.source import Source

pytestmark = pytest.mark.req("RNV-8")

CLAIM = Claim(
    new=NewIdentity(
        person=Person(DocumentType.RESIDENT_ID, "张三", "110101199003074530"),
        evidence=Evidence.NAME_AND_NUMBER,
        evidence_reference="E-1",
        authority_reference="A-77",
    ),
    exchange=False,
)
VISIT: Any = SimpleNamespace(account="one", source=Source("here"))
ABOUT = f"appeals.about.one.{CLAIM.person.document_type}.{CLAIM.person.number}.{CLAIM.person.name}"
FILES = tuple(Sent(field, "a.pdf", b"%PDF-1.7") for field in FIELDS)
THREE = Typed(reason="我的身份证被别人的账号占用了。", about=ABOUT, files=FILES)


async def answer(value: object) -> object:
    return value


class Looking:
    """Refuses every file, and remembers of whom it was asked to look into one."""

    def __init__(self, *, given_up: bool) -> None:
        self.given_up = given_up
        self.asked: list[str] = []
        self.has_time = True

    def require_time(self, account: str) -> None:
        if not self.has_time:
            raise RateLimited(7)

    async def pictures(self, account: str, kind: Kind, data: bytes) -> list[bytes]:
        self.asked.append(account)
        raise AttachmentRefused(Fault.UNREADABLE, given_up=self.given_up)


class Drawing(Looking):
    """Makes one picture of every file."""

    def __init__(self) -> None:
        super().__init__(given_up=False)

    async def pictures(self, account: str, kind: Kind, data: bytes) -> list[bytes]:
        return [b"\xff\xd8\xff"]


def filing(looking: Looking, clock: ManualClock, **instead: object) -> Filing:
    """Return what takes appeals of somebody who may file one."""
    others: dict[str, Any] = {
        "sanitiser": looking,
        "throttle": MemoryThrottle(clock),
        "clock": clock,
        "verifying": SimpleNamespace(
            member=lambda _: answer(SimpleNamespace(phone="13800138000")), require_session=lambda _: answer(None)
        ),
        "appeals": SimpleNamespace(newest=lambda _: answer(None)),
        "claims": SimpleNamespace(find=lambda _: answer(CLAIM)),
        "pseudonyms": SimpleNamespace(key=lambda *parts: ".".join(parts)),
    }
    return Filing(**others | instead)


@pytest.mark.attack("U11")
@pytest.mark.parametrize(("given_up", "looked_into"), [(True, 1), (False, 3)])
async def test_after_a_file_that_was_given_up_no_other_of_its_form_is_looked_into(
    clock: ManualClock, *, given_up: bool, looked_into: int
) -> None:
    looking = Looking(given_up=given_up)
    with pytest.raises(InvalidRequest) as refused:
        await filing(looking, clock).file(VISIT, THREE)
    assert looking.asked == ["one"] * looked_into
    assert refused.value.errors == tuple(FieldFault(field, Fault.UNREADABLE) for field in FIELDS[:looked_into])


@pytest.mark.attack("U11")
async def test_whoever_has_used_up_the_time_for_files_is_not_read_at_all(clock: ManualClock) -> None:
    looking = Looking(given_up=True)
    await filing(looking, clock).admit(VISIT)
    looking.has_time = False
    with pytest.raises(RateLimited) as limited:
        await filing(looking, clock).admit(VISIT)
    assert limited.value.retry_after == 7


@pytest.mark.attack("U5")
async def test_the_operator_hears_that_there_is_no_room_for_another_appeal(clock: ManualClock) -> None:
    class Full:
        async def newest(self, _: str) -> None:
            return None

        async def file(self, new: NewAppeal, now: int, *, room: int) -> str:
            raise AppealsFull

    taking = filing(Drawing(), clock, appeals=Full())
    with structlog.testing.capture_logs() as logged, pytest.raises(AppealsFull):
        await taking.file(VISIT, THREE)
    assert logged == [{"event": "appeals_full", "log_level": "error"}]
