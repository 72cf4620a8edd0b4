"""How what people do with an account on pages fails, beside :mod:`bjidp.errors`."""

from __future__ import annotations

from bjidp.errors import BjidpError, RateLimited


class CredentialsWrong(BjidpError):
    """Nobody has this name, or the password is not theirs: one answer for both (attack R1)."""

    code = "credentials_wrong"


class PhoneTaken(BjidpError):
    """The number is another account's. Told to nobody who has not proved the number (REG-2).

    ``merge`` is a member of the answer where the number may be taken over, and that account ends (wire.md 3).
    """

    code = "phone_taken"

    def __init__(self, *, merge: bool = False) -> None:
        """Say whether the number may be taken over."""
        super().__init__(**({"merge": True} if merge else {}))


class UsernameTaken(BjidpError):
    """The name is another account's."""

    code = "username_taken"


class PasswordChanged(BjidpError):
    """The password that was to be replaced has been replaced by somebody else meanwhile; nothing was written."""

    code = "password_changed"


class TooManyPasswords(RateLimited):
    """Passwords of this account, or of this browser for it, were wrong too often; a code or 京通 lets its owner in."""

    code = "too_many_passwords"


class TailSpent(BjidpError):
    """The last characters of the document were typed wrong as often as they may be: the login begins again."""

    code = "document_tail_spent"


class ExternalLoginOver(BjidpError):
    """The way to a provider and back is over, was taken before, or is another browser's: the person begins again."""

    code = "external_login_over"


class ExternalTaken(BjidpError):
    """Another account has what somebody would bind to theirs; nothing was written."""

    code = "external_taken"


class ExternalLoginRefused(BjidpError):
    """Whoever was sent to a provider did not agree there, and came back without a code."""

    code = "external_login_refused"
