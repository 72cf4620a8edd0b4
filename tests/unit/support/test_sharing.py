"""Who of several processes runs which tests, and what is told of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from xdist.remote import Producer
from xdist.workermanage import WorkerController

from tests.support.sharing import ByFolder, choose, unit

ROOT = Path(__file__).resolve().parents[3]

SUITE = {
    "tests/architecture/test_make.py": 5,
    "tests/browser/test_help.py": 3,
    "tests/browser/test_journeys.py": 9,
    "tests/security": 60,
    "tests/unit/test_mac.py": 8,
    "tests/unit/web/test_forms.py": 40,
    "tests/web/test_centre.py": 20,
    "tests/web/test_login.py": 30,
}


def handed_out(suite: Mapping[str, int], processes: int) -> list[list[str]]:
    """Return what each process is given, in order, where every test takes as long as every other."""
    left, given, busy_until = dict(suite), [list[str]() for _ in range(processes)], [0] * processes
    while left:
        idle = busy_until.index(min(busy_until))
        last = [units[-1] if units else None for units in given]
        chosen = choose(left, last[idle], [one for other, one in enumerate(last) if one and other != idle])
        given[idle].append(chosen)
        busy_until[idle] += left.pop(chosen)
    return given


def test_tests_are_handed_out_by_file_and_those_that_wait_together_by_folder() -> None:
    assert unit("tests/unit/web/test_forms.py::test_a[x::y]") == "tests/unit/web/test_forms.py"
    assert unit("tests/security/test_face.py::test_b") == "tests/security"


def test_a_process_ends_a_folder_before_it_begins_another() -> None:
    first, second = handed_out(SUITE, 2)
    assert first == ["tests/security", "tests/architecture/test_make.py", "tests/unit/test_mac.py"]
    assert second == [
        "tests/browser/test_journeys.py",
        "tests/browser/test_help.py",
        "tests/web/test_login.py",
        "tests/web/test_centre.py",
        "tests/unit/web/test_forms.py",
    ]


def test_where_no_folder_is_left_to_begin_the_largest_is_shared_and_both_end_together() -> None:
    suite = {"tests/security": 10, **{f"tests/web/test_{name}.py": 10 for name in "abcdefg"}}
    first, second = handed_out(suite, 2)
    assert len(first) == len(second)
    assert sorted(first + second) == sorted(suite)


def test_of_two_folders_the_one_that_takes_longer_is_helped_though_it_has_fewer_tests() -> None:
    left = {"tests/browser/test_centre.py": 7, "tests/unit/test_mac.py": 80}
    taken = ["tests/browser/test_journeys.py", "tests/unit/web/test_forms.py"]
    assert choose(left, "tests/web/test_login.py", taken) == "tests/browser/test_centre.py"
    assert choose(left, "tests/unit/test_mac.py", taken) == "tests/unit/test_mac.py"


def test_one_process_is_given_everything() -> None:
    (only,) = handed_out(SUITE, 1)
    assert sorted(only) == sorted(SUITE)
    assert only[:2] == ["tests/security", "tests/browser/test_journeys.py"]


def test_more_processes_than_folders_share_them() -> None:
    given = handed_out({f"tests/web/test_{name}.py": 10 for name in "abcd"}, 4)
    assert [len(units) for units in given] == [1, 1, 1, 1]


class Worker:
    """A process as the scheduler sees it: what it was told to run is in ``told``."""

    def __init__(self) -> None:
        self.gateway = SimpleNamespace(id="gw")
        self.told: list[int] = []
        self.shutting_down = False
        self.has_died = False

    def send_runtest_some(self, indices: list[int]) -> None:
        if self.has_died:
            raise OSError
        self.told += indices

    def shutdown(self) -> None:
        self.shutting_down = True


def started(tests: list[str]) -> tuple[ByFolder, list[Worker], Callable[[], Worker]]:
    """Return a scheduler that has shared ``tests`` among two processes, the two, and what puts another beside them."""
    option = SimpleNamespace(loadscopereorder=True)
    config = SimpleNamespace(option=option, getvalue={"tx": ["2*popen"]}.__getitem__)
    scheduler = ByFolder(cast("pytest.Config", config), Producer("test"))

    def another() -> Worker:
        worker = Worker()
        scheduler.add_node(cast("WorkerController", worker))
        return worker

    workers = [another(), another()]
    for worker in workers:
        scheduler.add_node_collection(cast("WorkerController", worker), tests)
    scheduler.schedule()
    return scheduler, workers, another


ONE_EACH = [f"tests/web/test_{name}.py::test_it" for name in "abcdefgh"]


def test_who_takes_the_place_of_a_process_that_died_is_told_two_tests_to_begin_the_first() -> None:
    scheduler, (first, second), another = started(ONE_EACH)
    assert scheduler.remove_node(cast("WorkerController", first)) == ONE_EACH[first.told[0]]
    third = another()
    scheduler.add_node_collection(cast("WorkerController", third), ONE_EACH)
    scheduler.schedule()
    assert len(third.told) == 2
    assert not set(third.told) & set(second.told)
    assert first.told[0] not in third.told


def test_a_process_is_told_nothing_before_it_has_collected_its_tests() -> None:
    scheduler, (first, second), another = started(ONE_EACH)
    scheduler.remove_node(cast("WorkerController", first))
    third, fourth = another(), another()
    scheduler.remove_node(cast("WorkerController", second))
    scheduler.add_node_collection(cast("WorkerController", third), ONE_EACH)
    scheduler.schedule()
    assert (len(third.told), fourth.told) == (2, [])


def test_what_cannot_be_told_to_a_process_that_has_just_died_is_told_to_another() -> None:
    scheduler, (first, second), _ = started(ONE_EACH)
    first.has_died = True
    scheduler.mark_test_complete(cast("WorkerController", first), first.told[0])
    assert scheduler.remove_node(cast("WorkerController", first)) == ONE_EACH[first.told[1]]
    while scheduler.has_pending:
        scheduler.mark_test_complete(cast("WorkerController", second), second.told.pop(0))
    assert second.shutting_down


DYING = """
import os, pytest

def test_before(): pass

@pytest.mark.attack("Q1")
def test_that_ends_its_process(): os._exit(1)

@pytest.mark.attack("Q1")
def test_after(): pass
"""
FAILING = """
def test_that_fails():
    seen = ["one", "two"]
    assert seen == ["one", "three"]
"""


def test_processes_that_die_fail_one_test_each_and_hide_none(tmp_path: Path) -> None:
    written = {"a/test_dying.py": DYING, "b/test_dying.py": DYING, "c/test_failing.py": FAILING}
    written |= {f"d/test_{number}.py": "def test_passing(): pass" for number in range(10)}
    for name, tests in written.items():
        file = tmp_path / "tests" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(tests)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\nmarkers =\n  req\n  attack\n")
    plugins = ["-p", "tests.support.sharing", "-p", "tests.support.labels", "-p", "no:cacheprovider"]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "--numprocesses", "2", "--req-report", *plugins],
        cwd=tmp_path,
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1, ended.stdout
    lines = ended.stdout.splitlines()
    assert "3 failed, 14 passed" in lines[-1]
    for folder in "ab":
        died_over = f"tests/{folder}/test_dying.py::test_that_ends_its_process"
        assert any("crashed while running" in line and died_over in line for line in lines)
    assert "E         At index 1 diff: 'two' != 'three'" in lines
    # The marks of tests in a process that died are told by the one that took its place.
    assert "Q1         2/4" in lines
