"""What the page of 人工申诉 is told (RNV-8). Names and numbers are masked before they get here."""

from __future__ import annotations

from typing import ClassVar, Final, Literal, TypeAlias

import msgspec

from bjidp.appeals.appeal import State
from bjidp.clock import Instant
from bjidp.person import DocumentType
from bjidp.web.pages.form_view import FormView


class Masked(msgspec.Struct, frozen=True):
    """Whose identity it is about."""

    document_type: DocumentType
    name: str
    number: str


class Filed(msgspec.Struct, frozen=True, kw_only=True):
    """The appeal that was filed last, as its owner sees it."""

    state: State
    person: Masked
    reason: str
    contact: str
    files: tuple[str, ...]
    """What the files were called; none once the pictures are deleted."""
    filed_at: Instant
    decided_at: Instant | None = None
    explanation: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it waits for a decision."""
        return self.decided_at is None


Need: TypeAlias = Literal["real_name", "exchange", "phone"]
"""What comes before an appeal: to state who one is, somebody else than the account has proved, or a number."""


class AppealPage(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /centre/appeal`` and its like for phones."""

    template: ClassVar[str] = "appeal.html"

    h5: bool
    form: FormView
    person: Masked | None
    """Whose identity may be appealed for now; None where the form is not shown."""
    about: str | None
    """What the form carries for that person."""
    filed: Filed | None
    need: Need | None = None
    """What comes before an appeal; words under ``appeal.first.*``."""
    said: bool = False
    """It was filed a moment ago."""
    chosen: bool = False
    """Files were chosen in the form that is shown again: no browser keeps them."""

    @classmethod
    def sample(cls) -> AppealPage:
        """Return the form as it is shown again beside an appeal that was refused."""
        masked = Masked(DocumentType.RESIDENT_ID, "张*", "110***********4530")
        return cls(
            h5=False,
            form=FormView(
                csrf="example",
                values={"reason": "身份证丢失后", "contact": "010-12345678"},
                faults={"reason": "too_short", "attachment_1": "missing"},
            ),
            person=masked,
            about="example",
            filed=Filed(
                state=State.REFUSED,
                person=masked,
                reason="身份证丢失后被别人用来注册了账号。",
                contact="010-12345678",
                files=("手持身份证.jpg",),
                filed_at=1_800_000_000_000,
                decided_at=1_800_100_000_000,
                explanation="照片看不清证件号码，请重新拍摄。",
            ),
            chosen=True,
        )


class WithdrawAppealPage(msgspec.Struct, frozen=True, kw_only=True):
    """The second step of 撤回申诉: which appeal it is, and what goes with it."""

    template: ClassVar[str] = "settings_withdraw_appeal.html"

    h5: bool
    form: FormView
    person: Masked
    filed_at: Instant
    setting: Literal["withdraw_appeal"] = "withdraw_appeal"

    @classmethod
    def sample(cls) -> WithdrawAppealPage:
        """Return the page."""
        return cls(
            h5=False,
            form=FormView(csrf="example", flow="mDq3vYdV0Yw4h8m0m1iX7A"),
            person=Masked(DocumentType.RESIDENT_ID, "张*", "110***********4530"),
            filed_at=1_800_000_000_000,
        )


ALL: Final = (AppealPage, WithdrawAppealPage)
