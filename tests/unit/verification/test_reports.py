"""Asking for reports: all that is there, whatever fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from bjidp.errors import StoreUnavailable, VendorUnavailable
from bjidp.vendors.ports.sms import SmsReport
from bjidp.verification.reports import AT_ONCE, PAUSE, SmsReports


def report(reference: str, *, delivered: bool = True) -> SmsReport:
    status = "DELIVRD" if delivered else "UNDELIV"
    return SmsReport(message="1", reference=reference, to="15400000001", delivered=delivered, status=status, at=0)


class Pull:
    """Hands out what a test has put there."""

    def __init__(self, *pages: Sequence[SmsReport] | Exception) -> None:
        self.pages = list(pages)
        self.asked = 0

    async def pull(self) -> Sequence[SmsReport]:
        self.asked += 1
        page = self.pages.pop(0) if self.pages else ()
        if isinstance(page, Exception):
            raise page
        return page


class Desk:
    """Takes reports; cannot take those it is told to refuse."""

    def __init__(self, *refuses: str) -> None:
        self.taken: list[str] = []
        self._refuses = refuses

    async def take(self, taken: SmsReport) -> None:
        if taken.reference in self._refuses:
            raise StoreUnavailable
        self.taken.append(taken.reference)


async def test_all_that_is_there_is_taken() -> None:
    pull, desk = Pull([report("a"), report("b")], [report("c")]), Desk()
    await SmsReports([pull], desk.take).once()
    assert desk.taken == ["a", "b", "c"]
    assert pull.asked == 3


async def test_a_report_that_cannot_be_kept_takes_no_other_with_it() -> None:
    desk = Desk("a")
    with capture_logs() as lines:
        await SmsReports([Pull([report("a"), report("b")])], desk.take).once()
    assert desk.taken == ["b"]
    assert [line["event"] for line in lines] == ["sms_report_lost"]


@pytest.mark.parametrize("fault", [VendorUnavailable(), ZeroDivisionError("15400000001")], ids=str)
async def test_a_provider_that_fails_keeps_no_other_from_being_asked(fault: Exception) -> None:
    broken, desk = Pull(fault, [report("a")]), Desk()
    reports = SmsReports([broken, Pull([report("b")])], desk.take)
    with capture_logs() as lines:
        await reports.once()
    assert desk.taken == ["b"]
    assert "15400000001" not in str(lines)
    await reports.once()
    assert desk.taken == ["b", "a"]


async def test_a_provider_that_has_reports_without_end_does_not_keep_the_others_waiting() -> None:
    pull, desk = Pull(*([report(str(turn))] for turn in range(3 * AT_ONCE))), Desk()
    await SmsReports([pull, Pull([report("other")])], desk.take).once()
    assert len(desk.taken) == AT_ONCE + 1
    assert desk.taken[-1] == "other"


async def test_it_asks_again_after_every_pause_until_it_is_ended() -> None:
    pauses: list[float] = []
    rested = asyncio.Event()

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            rested.set()
            await asyncio.Event().wait()

    pull = Pull()
    running = asyncio.create_task(SmsReports([pull], Desk().take, sleep=sleep).run())
    async with asyncio.timeout(5):
        await rested.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert running.cancelled()
    assert (pull.asked, pauses) == (3, [PAUSE] * 3)
