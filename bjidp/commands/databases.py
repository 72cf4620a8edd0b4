"""The database of a server, for commands that run beside it.

Owns that they run on one of their own release alone. Called by ``staff``, ``registrar``, ``backlog`` and ``keys``.
"""

from __future__ import annotations

from bjidp.commands.ending import Refused
from bjidp.storage.sql.migrations import current_revision, newest_revision


def require_this_release(database_url: str) -> None:
    """Raise ``Refused`` for a database of another release, ``StoreUnavailable`` for one that does not answer."""
    if current_revision(database_url) != newest_revision():
        raise Refused("the database is not of this release: start the server first, which brings it up to date")
