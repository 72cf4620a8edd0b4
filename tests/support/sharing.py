"""How the tests of a whole run are shared out among several processes: ``pytest --numprocesses 3``.

Servers, sandboxes and the browser are started once in each process that has a test for them. So a process stays in one
folder of ``tests/`` as long as it can, and helps another process out only when no folder is left that nobody is in.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Final

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

ORDER: Final = ("security", "browser", "web", "contracts", "vendors", "sandbox")
"""Folders in the order in which they are begun, the dearest to share first; those not named come after them."""
COST: Final = {"browser": 100, "interop": 100, "security": 35, "web": 8, "contracts": 5, "unit": 2}
"""What a test of a folder takes beside others, waiting included; one of those not named takes 1."""
TOGETHER: Final = frozenset({"security"})
"""Folders that one process keeps to itself: their tests have waits that are begun before the first of them."""


def unit(test: str) -> str:
    """Return what a test is handed out with: its file, or its whole folder."""
    path = test.partition("::")[0]
    return _folder(path) if _name(path) in TOGETHER else path


def choose(left: Mapping[str, int], here: str | None, elsewhere: Collection[str]) -> str:
    """Choose which of the units that are ``left``, with so many tests each, a process is given next.

    ``here`` is the unit that it was given last, ``elsewhere`` are those that the others were.
    """
    taken = {_folder(one) for one in elsewhere}
    work: dict[str, int] = {}
    for one, count in left.items():
        work[_folder(one)] = work.get(_folder(one), 0) + count * COST.get(_name(one), 1)
    if here is not None and _folder(here) in work:
        folder = _folder(here)
    elif free := work.keys() - taken:
        folder = min(free, key=_rank)
    else:
        folder = max(work, key=lambda name: (work[name], name))
    # What has the most tests first, so that all processes end at about the same time.
    return max((one for one in left if _folder(one) == folder), key=lambda one: (left[one], one))


def _folder(path: str) -> str:
    return "/".join(path.split("/")[:2])


def _name(path: str) -> str:
    return _folder(path).rpartition("/")[2]


def _rank(folder: str) -> tuple[int, str]:
    name = _name(folder)
    return (ORDER.index(name) if name in ORDER else len(ORDER), name)


class ByFolder(LoadScopeScheduling):
    """Hands out files, or whole folders, one after the other to whichever process has next to nothing left."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        """Know nobody yet."""
        super().__init__(config, log)
        self._at: dict[WorkerController, str] = {}

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        left = {one: len(tests) for one, tests in self.workqueue.items()}
        elsewhere = [self._at[other] for other in self.nodes if other is not node and other in self._at]
        self._at[node] = choose(left, self._at.get(node), elsewhere)
        self.workqueue.move_to_end(self._at[node], last=False)
        # What cannot be told to a process that has just died is shared out anew when that is known.
        with suppress(OSError):
            super()._assign_work_unit(node)

    def remove_node(self, node: WorkerController) -> str | None:
        """Share out anew what a process leaves behind that died; return the test over which it did.

        That test has failed. Run again, as is usual, it would end the next process too, and hide what comes after it.
        """
        self._at.pop(node, None)
        died_over: str | None = None
        for one, tests in self.assigned_work.pop(node).items():
            left = {test: False for test, done in tests.items() if not done}
            if left and died_over is None:
                died_over = next(iter(left))
                del left[died_over]
            if left:
                self.workqueue[one] = left
        if died_over is not None:
            for other in self.nodes:
                self._reschedule(other)
        return died_over

    def schedule(self) -> None:
        """Hand out what there is, at the start and when a process has taken the place of one that died."""
        super().schedule()
        # A process begins a test when it knows the one after it, or that there is none.
        for node in self.nodes:
            self._reschedule(node)

    def _reschedule(self, node: WorkerController) -> None:
        # Where two have died, one that takes their place is ready before the other has collected its tests.
        if node in self.registered_collections:
            super()._reschedule(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFolder:
    """Share out by folder."""
    return ByFolder(config, log)
