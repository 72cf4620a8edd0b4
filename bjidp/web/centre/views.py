"""What a step of a setting shows: the facts of the change, what was typed, what is wrong with it.

Owns the form of every step and the way from it to a page. Called by :mod:`bjidp.web.centre.settings`.
"""

from __future__ import annotations

from typing import Final, cast

from msgspec.structs import replace

from bjidp.accounts.drafts import Draft
from bjidp.accounts.errors import PhoneTaken, UsernameTaken
from bjidp.accounts.external.linked import LinkedProviders
from bjidp.accounts.member_ports import Member
from bjidp.accounts.overview import Overview, overview
from bjidp.accounts.settings.changes import Progress
from bjidp.accounts.settings.flow import OF_ONE, Change, Sent, Step, Typed
from bjidp.accounts.verifying import Verifying, Visit
from bjidp.appeals.withdrawing import Withdrawing
from bjidp.clock import Instant
from bjidp.errors import InvalidRequest
from bjidp.organisations.appointing import Appointing
from bjidp.organisations.errors import OrganisationRefused
from bjidp.platforms import Provider
from bjidp.proofing.bank_card_proofs import BankCardProofs
from bjidp.proofing.errors import IdentityMismatch
from bjidp.proofing.identity_first import identity_comes_first
from bjidp.proofing.phone_first import phone_comes_first
from bjidp.verification.proofs import Operation
from bjidp.web.centre.appeal import PATH as APPEAL
from bjidp.web.centre.appeal import masked
from bjidp.web.centre.setting_forms import SettingForm
from bjidp.web.centre.third import OVER, THIRD
from bjidp.web.forms.desk import Asker, FormPage
from bjidp.web.forms.field_faults import Beside
from bjidp.web.forms.form_again import FormViews, Posted
from bjidp.web.pages import organisations as organisation_pages
from bjidp.web.pages import settings as pages
from bjidp.web.pages.appeal import WithdrawAppealPage
from bjidp.web.pages.external import BindPage, UnbindProviderPage
from bjidp.web.pages.form_view import FormView, with_code

BESIDE: Final[Beside] = {UsernameTaken: ("username", "taken"), PhoneTaken: ("phone", "anothers")}
"""Which field an error of the settings is told beside, and in which words."""


IDENTITIES: Final = frozenset({Operation.REAL_NAME, Operation.EXCHANGE})
"""Settings whose form states an identity."""


class NothingToDo(Exception):
    """There is nothing that this setting could do for the account: the page ``at`` says how that stands."""

    def __init__(self, at: str) -> None:
        """Name the page."""
        super().__init__(at)
        self.at = at


class SettingViews:
    """Makes the pages of the steps that have a form."""

    def __init__(
        self,
        *,
        form_views: FormViews,
        verifying: Verifying,
        bank_cards: BankCardProofs | None,
        appointing: Appointing,
        withdrawing: Withdrawing,
        linked: LinkedProviders,
    ) -> None:
        """Fill them in by ``form_views``; ``verifying`` tells whose they are, ``bank_cards`` what needs no code.

        ``appointing`` tells for which organisations there may be agents, ``withdrawing`` which appeal is open, and
        ``linked`` what is bound.
        """
        self._linked = linked
        self._withdrawing = withdrawing
        self._bank_cards = bank_cards
        self._appointing = appointing
        self._form_views = form_views
        self._verifying = verifying

    async def has_form(self, visit: Visit, operation: Operation) -> bool:
        """Tell whether the account may go on with a setting at all; :meth:`page` says why it may not."""
        if operation is Operation.WITHDRAW_APPEAL:
            return await self._withdrawing.open(visit) is not None
        return not await self._identity_first(visit, await self._verifying.member(visit), operation)

    async def page(
        self,
        asker: Asker,
        visit: Visit,
        operation: Operation,
        progress: Progress,
        *,
        h5: bool,
        posted: Posted[SettingForm] | None,
    ) -> FormPage:
        """Return the page of the step that is due; with ``posted`` as it was typed, and what is wrong with it.

        Raises :class:`NothingToDo`.
        """
        draft = progress.draft
        facts = Change(operation=operation) if draft is None else draft.facts
        view = FormView(csrf=asker.csrf, flow="" if draft is None else draft.id)
        member = await self._verifying.member(visit)
        provider = await self._provider(visit, operation, draft)
        if provider is not None and progress.step is not Step.VERIFY:
            return _of_provider(provider, operation, view, h5=h5, posted=posted)
        asked = await self._asked(visit, member, operation, progress, view, h5=h5, posted=posted)
        if asked is not None:
            return asked
        account = overview(member)
        former = _former(account, operation)
        setting = cast("pages.Setting", operation.value)
        now = 0 if draft is None else draft.now
        if phone_comes_first(member, operation):
            return pages.PhoneFirstPage(h5=h5, setting=setting, form=view)
        if progress.step is Step.VERIFY:
            # Who comes back to it is told why: what was to be written failed, or the proof has run out.
            back = facts.failed or ("verification_required" if facts.identity_proved else None)
            view = _with_sent(replace(view, note=back if posted is None else None), facts.identity_code, now)
            view = await self._form_views.fill(
                view, asker.holder, asker.source, posted, captcha=account.phone is not None
            )
            first = operation in {Operation.PASSWORD, Operation.PHONE} and former is None
            linked = await self._verifying.by_jingtong(visit)
            return pages.IdentityPage(
                h5=h5,
                setting=setting,
                phone=account.phone,
                linked=linked,
                form=view,
                first=first,
                provider=provider,
            )
        if operation in IDENTITIES:
            return self._identity(view, setting, h5=h5, posted=posted)
        if operation is Operation.ORGANISATION:
            return self._organisation(view, h5=h5, posted=posted)
        if operation is Operation.APPOINT:
            return await self._appoint(visit, view, h5=h5, posted=posted)
        if operation is Operation.BANK_CARD:
            return await self._bank_card(asker, visit, view, facts, now, h5=h5, posted=posted)
        values = _addresses(facts) if posted is None else _typed(posted)
        view = _with_sent(replace(view, values=values), facts.address_code, now)
        typed = Typed(phone=values.get("phone", ""), mail=values.get("mail", ""))
        proved = facts.address is not None and facts.address in _meant(typed)
        asks_code = operation in {Operation.PHONE, Operation.MAIL} and not proved
        view = await self._form_views.fill(view, asker.holder, asker.source, posted, captcha=asks_code)
        return pages.SettingPage(h5=h5, setting=setting, former=former, form=view, proved=proved)

    async def _provider(self, visit: Visit, operation: Operation, draft: Draft[Change] | None) -> Provider | None:
        """Return whose user a setting is to bind or to unbind, None of one that is about none."""
        if operation not in OF_ONE:
            return None
        provider = await self._linked.chosen(visit, None if draft is None else draft.facts)
        if provider is None:
            raise NothingToDo(THIRD if draft is not None else f"{THIRD}?said={OVER}")
        return provider

    async def _asked(
        self,
        visit: Visit,
        member: Member,
        operation: Operation,
        progress: Progress,
        view: FormView,
        *,
        h5: bool,
        posted: Posted[SettingForm] | None,
    ) -> FormPage | None:
        """Return the page of a setting that gives something up, which asks once more; None where another is due."""
        proving = progress.step is Step.VERIFY
        match operation:
            case Operation.CANCEL if not proving:
                if posted is not None and posted.error is not None:
                    view = replace(view, note=posted.error.code)
                return pages.CancelPage(h5=h5, proved=await self._verifying.held(visit, operation), form=view)
            case _ if await self._identity_first(visit, member, operation):
                return pages.IdentityFirstPage(h5=h5, setting=cast("pages.Setting", operation.value), form=view)
            case Operation.UNBIND if not proving:
                return pages.UnbindPage(h5=h5, form=view)
            case Operation.WITHDRAW_APPEAL:
                appeal = await self._withdrawing.open(visit)
                if appeal is None:
                    raise NothingToDo(APPEAL)
                if proving:
                    return None
                return WithdrawAppealPage(h5=h5, form=view, person=masked(appeal.person), filed_at=appeal.filed_at)
            case _:
                return None

    async def _identity_first(self, visit: Visit, member: Member, operation: Operation) -> bool:
        if operation is Operation.BANK_CARD and self._bank_cards is not None:
            return await self._bank_cards.wants_new_document(visit.account)
        return identity_comes_first(member, operation)

    @staticmethod
    def _identity(
        view: FormView, setting: pages.Setting, *, h5: bool, posted: Posted[SettingForm] | None
    ) -> pages.RealNamePage:
        if posted is None:
            return pages.RealNamePage(h5=h5, setting=setting, form=view)
        error = posted.error
        told = posted.told(replace(view, values=posted.form.kept))
        advice = error.advice if isinstance(error, IdentityMismatch) else ()
        return pages.RealNamePage(h5=h5, setting=setting, form=told, advice=advice)

    @staticmethod
    def _organisation(
        view: FormView, *, h5: bool, posted: Posted[SettingForm] | None
    ) -> organisation_pages.RegisterOrganisationPage:
        if posted is None:
            return organisation_pages.RegisterOrganisationPage(h5=h5, form=view)
        error = posted.error
        told = posted.told(replace(view, values=posted.form.kept))
        advice = error.refusal if isinstance(error, OrganisationRefused) else None
        return organisation_pages.RegisterOrganisationPage(h5=h5, form=told, advice=advice)

    async def _appoint(
        self, visit: Visit, view: FormView, *, h5: bool, posted: Posted[SettingForm] | None
    ) -> organisation_pages.AppointPage:
        if posted is not None:
            view = posted.told(replace(view, values=posted.form.kept))
        led = tuple((one.id, one.name) for one in await self._appointing.led(visit))
        return organisation_pages.AppointPage(h5=h5, form=view, organisations=led)

    async def _bank_card(
        self,
        asker: Asker,
        visit: Visit,
        view: FormView,
        facts: Change,
        now: Instant,
        *,
        h5: bool,
        posted: Posted[SettingForm] | None,
    ) -> pages.BankCardPage:
        values = {"phone": _addresses(facts)["phone"]} if posted is None else _typed(posted)
        number = Typed(phone=values["phone"]).number
        proved = self._bank_cards is not None and await self._bank_cards.is_proved(visit, facts, number)
        view = _with_sent(replace(view, values=values), facts.address_code, now)
        view = await self._form_views.fill(view, asker.holder, asker.source, posted, captcha=not proved)
        error = None if posted is None else posted.error
        advice = error.advice if isinstance(error, IdentityMismatch) else ()
        return pages.BankCardPage(h5=h5, form=view, advice=advice, proved=proved)


def _of_provider(
    provider: Provider, operation: Operation, view: FormView, *, h5: bool, posted: Posted[SettingForm] | None
) -> FormPage:
    if posted is not None:
        view = posted.told(view)
    if operation is Operation.LINK:
        return BindPage(h5=h5, provider=provider, form=view)
    return UnbindProviderPage(h5=h5, provider=provider, form=view)


def _former(account: Overview, operation: Operation) -> str | None:
    match operation:
        case Operation.PASSWORD:
            return "yes" if account.has_password else None
        case Operation.PHONE:
            return account.phone
        case Operation.MAIL:
            return account.mail
        case Operation.USERNAME:
            return account.username
        case _:
            return None


def _addresses(facts: Change) -> dict[str, str]:
    asked = "" if facts.address_code is None else facts.address_code.to
    address = facts.address or asked
    return {"phone": address, "mail": address}


def _typed(posted: Posted[SettingForm]) -> dict[str, str]:
    # A code beside which nothing is wrong was not used: it need not be looked up again.
    unused = isinstance(posted.error, InvalidRequest) and "code" not in posted.faults
    return {**posted.form.kept, "code": posted.form.code} if unused else posted.form.kept


def _meant(typed: Typed) -> set[str]:
    number, address = typed.number, typed.address
    return {found for found in (number and number.digits, address and address.text) if found}


def _with_sent(view: FormView, sent: Sent | None, now: Instant) -> FormView:
    return view if sent is None else with_code(view, sent.dispatch, sent.again_at, now)
