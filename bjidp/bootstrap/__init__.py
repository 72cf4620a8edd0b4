"""The composition root: settings in, a running application out.

Owns the wiring. This is the only place that knows every adapter and every service; it holds no rule of its own. Each
part has its module; ``rooms`` opens what a process is made of, and ``application`` puts the parts together. Called by
``serving`` and by tests that want a whole server in process.
"""

from __future__ import annotations

from bjidp.bootstrap.application import build
from bjidp.bootstrap.rooms import Rooms, Witnessing, close_rooms, open_rooms, read_keyring
from bjidp.bootstrap.stores import Stores

__all__ = ["Rooms", "Stores", "Witnessing", "build", "close_rooms", "open_rooms", "read_keyring"]
