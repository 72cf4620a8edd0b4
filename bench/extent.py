"""How much is measured."""

from __future__ import annotations

from typing import Final, NamedTuple


class Extent(NamedTuple):
    """Counts and times of every part."""

    rounds: int
    logins: int
    pages: int
    warm_pages: int
    latency_rounds: int
    latency_logins: int
    idle_seconds: float
    page_rounds: int
    page_requests: int
    """Fewer than the pictures that a server keeps drawn."""
    rushes: int
    rush: int
    registrations: int
    strangers: int


FULL: Final = Extent(
    rounds=12,
    logins=200,
    pages=1000,
    warm_pages=100,
    latency_rounds=8,
    latency_logins=50,
    idle_seconds=60.0,
    page_rounds=6,
    page_requests=40,
    rushes=10,
    rush=200,
    registrations=64,
    strangers=200,
)
QUICK: Final = Extent(
    rounds=4,
    logins=100,
    pages=200,
    warm_pages=50,
    latency_rounds=2,
    latency_logins=20,
    idle_seconds=5.0,
    page_rounds=2,
    page_requests=20,
    rushes=2,
    rush=200,
    registrations=16,
    strangers=40,
)
"""For trying a change; too little for a figure to be quoted."""
