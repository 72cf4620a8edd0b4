"""What organisations need from outside, and what others need from them.

Owns the port and its nouns. Implemented by ``storage.sql``; called by the use cases of this room. One call is one
transaction, with its audit events and notices in it. :class:`ActingFor` is the port of this room for others: relying
parties and pages ask it for whom a session acts.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from bjidp.clock import Instant
from bjidp.organisations.mandates import Made, Mandate, Place, Scope
from bjidp.organisations.organisation import Capacity, Loss, Organisation, Worth
from bjidp.sessions.ports import Session


class NewOrganisation(Struct, frozen=True, kw_only=True):
    """An organisation that the register has confirmed for a person."""

    credit_code: str
    name: str
    bound_at: Instant
    """Of the identity that the register was asked about: when the account came to it."""
    asked_at: Instant
    """When the question was begun. Of two accounts that were confirmed, the later question's leads."""


class NewOffer(Struct, frozen=True, kw_only=True):
    """A mandate that is offered to whoever has the number."""

    scope: Scope
    phone: str
    ends_at: Instant

    def __repr__(self) -> str:
        """Leave the number out."""
        return f"NewOffer({self.scope}, ***)"


class Aftermath(Struct, frozen=True):
    """Who has lost what: the numbers to tell of it, eleven digits each."""

    representative: str | None = None
    agents: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "Aftermath(***)"


class Appointed(Struct, frozen=True):
    """A mandate as the 法定代表人 sees it; ``who`` is the agent's masked name, once somebody has accepted."""

    mandate: Mandate
    who: str | None


class Entrusted(Struct, frozen=True):
    """A mandate, or an offer of one, as the agent sees it; ``by`` is the masked name of who leads the organisation."""

    mandate: Mandate
    organisation: Organisation
    by: str
    leader: Worth
    """Of their identity."""


class IdentityLacking(Exception):
    """The account has not the identity that was decided on, or it is not worth enough; nothing was changed."""


class ActingFor(Protocol):
    """Knows whom somebody acts for. Raises ``StoreUnavailable`` when its store does not answer."""

    async def current(self, session: Session) -> Capacity | None:
        """Return in what capacity the session acts for an organisation; None for a person for themselves.

        What is returned counts at this moment and no other: it is asked for whenever something is done with it.
        """
        ...

    async def open_to(self, account: str) -> list[Capacity]:
        """Return everything that the account may act in at this moment, if the register says nothing else."""
        ...

    async def counting(self, account: str, key: str) -> Capacity | None:
        """Return the capacity of a ``key`` that was chosen earlier; None when nobody acts in it at this moment."""
        ...


class OrganisationStore(Protocol):
    """Organisations and mandates. Raises ``StoreUnavailable`` when it does not answer.

    An organisation is led only while its account may be used and has the very identity that the register has confirmed;
    one that is not led is nobody's here: it is not listed, nobody acts for it, and it can be registered anew. With the
    identity, or the account, goes what it has led, and what it has acted for.
    """

    async def register(self, account: str, new: NewOrganisation, now: Instant) -> Aftermath:
        """Let the account lead the organisation; who led it before does so no more, and all mandates of theirs end.

        Registered again by who leads it, only the name and the time of the register's word change. Raises
        :class:`bjidp.organisations.errors.OrganisationHeld` when another account was confirmed by a later question,
        :class:`IdentityLacking`, and ``AccountRefused``.
        """
        ...

    async def confirm(self, organisation: Organisation, asked_at: Instant) -> None:
        """Note that the register has confirmed it by a question begun then; never an earlier one, nor before a no."""
        ...

    async def refuse(self, organisation: Organisation, asked_at: Instant) -> None:
        """Note that the register has not confirmed it, by a question begun then: nobody acts before it does.

        Does nothing where it was led anew, or confirmed by a later question than ``asked_at``.
        """
        ...

    async def lose(self, organisation: Organisation, loss: Loss, asked_at: Instant, now: Instant) -> Aftermath:
        """Let nobody lead it any more, and end all mandates of it.

        Does nothing where it was led anew, or confirmed by a later question than ``asked_at``.
        """
        ...

    async def give_up(self, account: str, organisation: str, now: Instant) -> Aftermath:
        """Let the account lead the organisation no more, and end all mandates of it.

        Raises :class:`bjidp.organisations.errors.OrganisationUnknown` unless the account leads it, and
        ``AccountRefused``.
        """
        ...

    async def led(self, account: str) -> list[Organisation]:
        """Return the organisations that the account leads, the newest last."""
        ...

    async def capacities(self, account: str) -> list[Capacity]:
        """Return all that the account may act in, by who they are and not by what time it is: the rules tell that."""
        ...

    async def appointed(self, account: str, now: Instant) -> list[Appointed]:
        """Return the offers and mandates of the organisations that the account leads that are live, newest first."""
        ...

    async def appointed_before(
        self, account: str, organisation: str, now: Instant, limit: int, before: Place | None
    ) -> list[Appointed]:
        """Return at most ``limit`` of an organisation that are over, newest first; none unless the account leads it.

        Those after ``before``, the last one that was seen.
        """
        ...

    async def made(self, account: str, organisation: str, phone: str, now: Instant) -> list[Made]:
        """Return what an offer to ``phone`` depends on; nothing of an organisation that the account does not lead."""
        ...

    async def entrusted(self, account: str, now: Instant) -> list[Entrusted]:
        """Return the mandates that the account has accepted and that are in force, newest first."""
        ...

    async def entrusted_before(self, account: str, now: Instant, limit: int, before: Place | None) -> list[Entrusted]:
        """Return at most ``limit`` that the account has accepted and that are over, newest first, after ``before``."""
        ...

    async def offered(self, phone: str, now: Instant) -> list[Entrusted]:
        """Return the offers to this number that can be taken, newest first."""
        ...

    async def offer(self, account: str, organisation: str, new: NewOffer, now: Instant) -> str:
        """Offer a mandate; return its id.

        Raises :class:`bjidp.organisations.errors.OrganisationUnknown` unless the account leads the organisation,
        :class:`IdentityLacking`, ``AccountRefused``, and what :func:`bjidp.organisations.mandates.require_room` raises.
        """
        ...

    async def accept(self, account: str, mandate: str, now: Instant) -> None:
        """Accept an offer to the account's own number; another mandate of the same organisation gives way.

        Raises :class:`bjidp.organisations.errors.OrganisationUnknown` unless it is open and to this number,
        :class:`IdentityLacking` and ``AccountRefused``.
        """
        ...

    async def end(self, account: str, mandate: str, now: Instant) -> str | None:
        """End a mandate, withdraw an offer, or decline it; return the agent's number where somebody else has ended it.

        Raises :class:`bjidp.organisations.errors.OrganisationUnknown` unless the account leads the organisation, is the
        agent, or has the number that it is offered to, and ``AccountRefused``.
        """
        ...

    async def forget(self, before: Instant, limit: int) -> int:
        """Delete at most ``limit`` mandates and offers that were over before ``before``; return how many."""
        ...
