"""What every test has: a closed network, real servers and a real browser on request."""

from __future__ import annotations

import gc
from collections.abc import Generator

import pytest
from hypothesis import settings

from bjidp.clock import ManualClock
from bjidp.entropy import SeededEntropy
from tests.support import backends, network

pytest_plugins = [
    "tests.support.labels",
    "tests.support.chromium",
    "tests.support.demo",
    "tests.support.gallery",
    "tests.support.postgres",
    "tests.support.redis",
    "tests.support.sharing",
    "tests.support.sqlite",
    "tests.support.stage",
    "tests.support.statements",
    "tests.support.stencil",
]


# A slow machine is no fault of the code. Under continuous integration Hypothesis also picks the same examples each run.
settings.register_profile("bjidp", parent=settings(), deadline=None)
settings.load_profile("bjidp")


def pytest_configure() -> None:
    """Close the network before any test module is imported."""
    network.close()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect tests without looking for garbage: there is next to none, and looking took a third of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Leave what was imported and collected out of every later collection of garbage, which took a tenth of the run."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Let what was left out go in the end: extension modules count what they still have."""
    gc.unfreeze()


def pytest_report_header() -> list[str]:
    """Say which servers and which browser the tests run against."""
    return backends.report()[0]


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still until the test moves it."""
    return ManualClock()


@pytest.fixture
def entropy(request: pytest.FixtureRequest) -> SeededEntropy:
    """Randomness that is the same in every run of this test, and different in every other test."""
    return SeededEntropy(request.node.nodeid)
