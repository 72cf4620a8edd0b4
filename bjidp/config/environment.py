"""The environment of this process.

Owns the one place that reads it. Called by ``cli`` and by the demonstration, which hand it on.
"""

from __future__ import annotations

import os
from collections.abc import Mapping


def system_environment() -> Mapping[str, str]:
    """Return the environment variables of this process: the one place that reads them."""
    return os.environ
