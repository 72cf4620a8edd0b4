"""Where each step of a registration is, and who is at which.

Owns the addresses. Called by the pages of this room.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from bjidp.accounts.registration.flow import Registered, Step, Surface, next_step
from bjidp.accounts.registration.service import registered
from bjidp.qrlogin.flow import Client
from bjidp.web.forms.desk import Asker

_PATH: Final = {
    Step.ACCOUNT: "/register",
    Step.IDENTITY: "/register/identity",
    Step.DONE: "/register/done",
}


class RegistrationSettings(Struct, frozen=True):
    """Where somebody goes who came from nowhere else, the personal centre, and which outside services there are."""

    client: Client
    home: str
    bank_cards: bool
    national: bool


def facts_of(asker: Asker) -> Registered | None:
    """Return what the session of somebody who has registered a moment ago knows of that."""
    return None if asker.owner is None else registered(asker.owner.session)


def elsewhere(asker: Asker, surface: Surface, step: Step, home: str) -> str | None:
    """Return where somebody has to go who is not at ``step``, None for who is; ``home`` is for who has registered."""
    if asker.owner is not None and facts_of(asker) is None:
        return on_surface(home, surface)
    due = next_step(facts_of(asker))
    return None if due is step else at_step(surface, due)


def at_step(surface: Surface, step: Step) -> str:
    """Return the address of a step."""
    return on_surface(_PATH[step], surface)


def on_surface(path: str, surface: Surface) -> str:
    """Return the address of a page."""
    return f"/h5{path}" if surface is Surface.H5 else path
