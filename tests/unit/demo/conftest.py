"""Where the demos of these tests would run."""

from __future__ import annotations

from pathlib import Path

import pytest

from bjidp.demo.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A place on loopback, whose data are the test's own."""
    return Place("http", "127.0.0.1", "localhost", 9000, tmp_path, None)
