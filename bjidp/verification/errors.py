"""How a one-time code fails, and how asking for one does, beside :mod:`bjidp.errors`."""

from __future__ import annotations

from bjidp.errors import BjidpError, RateLimited


class VerificationCodeWrong(BjidpError):
    """The digits are not those that were sent; the try is counted."""

    code = "verification_code_wrong"

    def __init__(self, tries_left: int) -> None:
        """Say how many tries are left; at none the code is dead."""
        super().__init__(tries_left=tries_left)
        self.tries_left = tries_left


class VerificationCodeExpired(BjidpError):
    """No live code: never sent, over, used, guessed at too often, replaced, or sent for something else.

    One answer for all of them.
    """

    code = "verification_code_expired"


class SmsHourly(RateLimited):
    """The number was sent as many messages as it may be in an hour (FAQ-1); none is sent."""

    code = "sms_hourly"


class SmsDaily(RateLimited):
    """The number was sent as many messages as it may be in 24 hours (FAQ-1); none is sent."""

    code = "sms_daily"


class SmsOfBrowser(RateLimited):
    """This browser has asked for as many messages as one may in an hour, to whichever numbers; none is sent."""

    code = "sms_of_browser"


class SmsNotOffered(BjidpError):
    """Nobody is set up to send short messages here."""

    code = "sms_not_offered"


class MailNotOffered(BjidpError):
    """Nobody is set up to send mail here."""

    code = "mail_not_offered"


class DispatchUnknown(BjidpError):
    """No such sending: never begun, over, or somebody else's. One answer for all of them."""

    code = "dispatch_unknown"


class CaptchaWrong(BjidpError):
    """The characters are not those of the picture, or the picture was used or is too old; a new one is needed."""

    code = "captcha_wrong"


class VerificationRequired(BjidpError):
    """There is no live proof for this operation (ACC-8): never given, used, over, or for another operation."""

    code = "verification_required"
