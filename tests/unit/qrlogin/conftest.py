"""The desk that the tests of the QR services sit at."""

from __future__ import annotations

import pytest

from bjidp.clock import ManualClock
from bjidp.entropy import SeededEntropy
from tests.unit.qrlogin.desk import Desk


@pytest.fixture
def desk(clock: ManualClock, entropy: SeededEntropy) -> Desk:
    """One browser, the services, and no reverse code."""
    return Desk(clock, entropy)
