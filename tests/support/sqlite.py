"""SQLite in the tests' own process: it waits for no disk, as the tests' PostgreSQL does not.

A commit waits two milliseconds for the disk, and a write that comes after another up to twenty for those it is to share
a commit with; there are many thousands. Processes end in these tests, and what they have committed is there; no test
cuts the power. Servers that tests start wait as anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from bjidp.storage.sql.database import dialects, group_commit

AS_SHIPPED: Final = dialects.SQLITE_PRAGMAS
PACE: Final = group_commit.PACE
"""As shipped, too."""
_HASTY: Final = tuple(pragma.replace("synchronous = FULL", "synchronous = OFF") for pragma in AS_SHIPPED)


@pytest.fixture(scope="session", autouse=True)
def hasty_sqlite() -> Iterator[None]:
    """Open files in haste, and commit at once, for the whole run."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(dialects, "SQLITE_PRAGMAS", _HASTY)
        patched.setattr(group_commit, "PACE", 0.0)
        yield
