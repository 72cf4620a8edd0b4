"""How proving who one is fails, beside :mod:`bjidp.errors`."""

from __future__ import annotations

from collections.abc import Iterable

from bjidp.errors import BjidpError
from bjidp.proofing.adjudication import Advice, Denied


class IdentityMismatch(BjidpError):
    """A register does not confirm that this person exists as stated; ``advice`` says what to do."""

    code = "identity_mismatch"

    def __init__(self, advice: Iterable[Advice]) -> None:
        """Give the advice in the order it is to be shown."""
        super().__init__(advice=tuple(advice))
        self.advice = tuple(advice)


class DocumentExpired(IdentityMismatch):
    """The register says that the document has run out; it names the next step by itself."""

    code = "document_expired"

    def __init__(self) -> None:
        """There is nothing to add."""
        super().__init__(())


class CardMismatch(IdentityMismatch):
    """The bank knows the card with another person or phone number, or no such card that can be used."""

    code = "card_mismatch"


class IdentityWorn(BjidpError):
    """The document of the account's identity has run out: name, number and dates of another come first."""

    code = "identity_worn"


class PhoneRequired(BjidpError):
    """The account has no phone number that was proved: registers' answers about anybody are not told to it (REG-5)."""

    code = "phone_required"


class IdentityOther(BjidpError):
    """The account has another identity, which only 换绑 exchanges."""

    code = "identity_other"


def refusal(denied: Denied) -> IdentityMismatch:
    """Return what the authority's no is told as."""
    return DocumentExpired() if Advice.RENEW in denied.advice else IdentityMismatch(denied.advice)
