"""How long a client waits for a vendor that a test makes fail."""

from __future__ import annotations


def patience(mode: str) -> float:
    """Return the seconds for one call: short where the fault is silence, else so long that a busy machine answers."""
    return 1.0 if mode in {"timeout", "slow"} else 5.0
