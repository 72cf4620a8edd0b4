"""What each setting does once its form is posted, by its operation.

Owns the table. Made by ``bootstrap`` from the services; called by :mod:`bjidp.web.centre.settings`, which knows steps
and pages and no service of a setting.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeAlias, TypeVar

from msgspec import Struct

from bjidp.accounts.external.binding import Bindings
from bjidp.accounts.external.linked import LinkedProviders
from bjidp.accounts.settings.cancelling import Cancelling
from bjidp.accounts.settings.mails import Mails
from bjidp.accounts.settings.names import Names
from bjidp.accounts.settings.passwords import Passwords
from bjidp.accounts.settings.phones import Phones
from bjidp.accounts.settings.reauthenticating import Reauthenticating
from bjidp.accounts.verifying import Visit
from bjidp.appeals.withdrawing import Withdrawing
from bjidp.organisations.appointing import Appointing
from bjidp.organisations.registering import Registering
from bjidp.proofing.bank_card_proofs import BankCardProofs
from bjidp.proofing.face_proofs import FaceProofs
from bjidp.proofing.real_name import RealNames
from bjidp.proofing.unbinding import Unbinding
from bjidp.verification.proofs import Operation
from bjidp.web.centre.setting_forms import (
    CardForm,
    IdentityForm,
    MailForm,
    NameForm,
    OfferForm,
    OrganisationForm,
    PasswordForm,
    PhoneForm,
    SettingForm,
)
from bjidp.web.pages.ending import Message

F = TypeVar("F", bound=SettingForm)


class Act(Struct, Generic[F], frozen=True):
    """A setting that its owner stays logged in after, and its form.

    ``write`` returns the change's id, and so does ``send``, which sends a code to a new address, where there is one.
    """

    form: type[F]
    write: Callable[[Visit, F], Awaitable[str]]
    send: Callable[[Visit, F], Awaitable[str]] | None = None


class Ending(Struct, frozen=True):
    """A setting after which nobody is logged in: ``write`` is given the change's id, ``message`` says the end."""

    write: Callable[[Visit, str | None], Awaitable[None]]
    message: Message


class Passing(Struct, frozen=True):
    """A setting that is over once somebody has proved who they are: they go on to what asked them to."""

    write: Callable[[Visit, str | None], Awaitable[None]]


Acts: TypeAlias = dict[Operation, Act[Any] | Ending | Passing]


def setting_acts(
    *,
    passwords: Passwords,
    phones: Phones,
    mails: Mails,
    names: Names,
    cancelling: Cancelling,
    reauthenticating: Reauthenticating,
    real_names: RealNames,
    bank_cards: BankCardProofs | None,
    faces: FaceProofs,
    unbinding: Unbinding,
    registering: Registering | None,
    appointing: Appointing,
    withdrawing: Withdrawing,
    linked: LinkedProviders,
    bindings: Bindings,
) -> Acts:
    """Return what every setting does; one that nobody is there to ask for is left out."""
    by_card: Acts = {}
    if bank_cards is not None:
        by_card[Operation.BANK_CARD] = Act(
            CardForm,
            lambda visit, form: bank_cards.prove(visit, form.flow, form.factors),
            lambda visit, form: bank_cards.send_code(visit, form.flow, form.factors),
        )
    of_organisations: Acts = {}
    if registering is not None:
        of_organisations = {
            Operation.ORGANISATION: Act(
                OrganisationForm, lambda visit, form: registering.register(visit, form.flow, form.company)
            ),
            Operation.APPOINT: Act(OfferForm, lambda visit, form: appointing.offer(visit, form.flow, form.offer)),
        }
    return {
        Operation.PASSWORD: Act(PasswordForm, lambda visit, form: passwords.change(visit, form.flow, form.typed)),
        Operation.PHONE: Act(
            PhoneForm,
            lambda visit, form: phones.change(visit, form.flow, form.typed),
            lambda visit, form: phones.send_code(visit, form.flow, form.typed),
        ),
        Operation.MAIL: Act(
            MailForm,
            lambda visit, form: mails.change(visit, form.flow, form.typed),
            lambda visit, form: mails.send_code(visit, form.flow, form.typed),
        ),
        Operation.USERNAME: Act(NameForm, lambda visit, form: names.change_username(visit, form.flow, form.typed)),
        Operation.REAL_NAME: Act(IdentityForm, lambda visit, form: real_names.prove(visit, form.flow, form.stated)),
        Operation.EXCHANGE: Act(IdentityForm, lambda visit, form: real_names.exchange(visit, form.flow, form.stated)),
        **by_card,
        # What is written is written by a phone; this opens the page for it.
        Operation.FACE: Act(SettingForm, lambda visit, form: faces.begin(visit, form.flow)),
        **of_organisations,
        Operation.WITHDRAW_APPEAL: Act(SettingForm, lambda visit, form: withdrawing.withdraw(visit, form.flow)),
        # What is written is written on the way back from the provider; this opens the way there.
        Operation.LINK: Act(SettingForm, lambda visit, form: bindings.open(visit, form.flow)),
        Operation.UNLINK: Act(SettingForm, lambda visit, form: linked.unlink(visit, form.flow)),
        Operation.REAUTHENTICATE: Passing(reauthenticating.go_on),
        Operation.UNBIND: Ending(unbinding.unbind, Message.UNBOUND),
        Operation.CANCEL: Ending(cancelling.cancel, Message.CANCELLED),
    }
