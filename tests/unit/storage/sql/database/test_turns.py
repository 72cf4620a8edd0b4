"""Who writes next to a SQLite file: the group on the loop, or the thread that writes alone."""

from __future__ import annotations

import os
import threading

from bjidp.storage.sql.database.turns import Turns


class Writer:
    """A thread that takes the turn and keeps it until it is told to let go."""

    def __init__(self, turns: Turns) -> None:
        self.has_it, self.let_go = threading.Event(), threading.Event()
        self._turns = turns
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _write(self) -> None:
        with self._turns:
            self.has_it.set()
            assert self.let_go.wait(10)

    def ends(self) -> None:
        self.let_go.set()
        self._thread.join(10)
        assert not self._thread.is_alive()


def test_the_group_takes_a_turn_that_nobody_has_and_a_thread_waits_for_its_end() -> None:
    turns = Turns()
    assert turns.take()
    assert not turns.take()
    writer = Writer(turns)
    assert not writer.has_it.wait(0.01)
    turns.give_back()
    assert writer.has_it.wait(10)
    assert not turns.take()
    writer.ends()
    assert turns.take()


def test_a_thread_that_waits_goes_before_the_group_however_often_that_comes_back() -> None:
    turns = Turns()
    first = Writer(turns)
    assert first.has_it.wait(10)
    second = Writer(turns)
    while not turns.awaited:
        os.sched_yield()
    first.ends()
    # Whatever the thread needs to wake up, the group does not get in before it.
    while not second.has_it.is_set():
        assert not turns.take()
    second.ends()
    assert turns.take()
