"""How asking for a message fails, beside :mod:`bjidp.errors`."""

from __future__ import annotations

from bjidp.errors import RateLimited


class SmsHourly(RateLimited):
    """The number was sent as many messages as it may be in an hour (FAQ-1); none is sent."""

    code = "sms_hourly"


class SmsDaily(RateLimited):
    """The number was sent as many messages as it may be in 24 hours (FAQ-1); none is sent."""

    code = "sms_daily"
