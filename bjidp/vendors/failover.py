"""Two senders of short messages as one: the second is asked where the first cannot send.

Owns the rule of when that is. Called by whoever sends, as an :class:`bjidp.vendors.ports.sms.SmsSender`; put together
in ``bjidp.vendors.catalog``.
"""

from __future__ import annotations

import asyncio

import structlog

from bjidp.errors import VendorUnavailable
from bjidp.vendors.ports.sms import Sms, SmsAccepted, SmsAnswer, SmsSender


class Failover:
    """Implements :class:`bjidp.vendors.ports.sms.SmsSender`."""

    def __init__(self, first: SmsSender, second: SmsSender, *, patience: float) -> None:
        """Ask ``first``, and ``second`` in its stead; each may take ``patience`` seconds."""
        self._first = first
        self._second = second
        self._patience = patience
        self._log = structlog.get_logger("bjidp.vendors")

    async def send(self, sms: Sms) -> SmsAnswer:
        """Return the first's answer, unless it is out of order: then whatever comes of asking the second.

        Out of order is who does not answer or answers with an alarm. A number or a text that the first refuses is wrong
        everywhere, and a frequency that it refuses is a limit that the second must not lift: none is taken elsewhere. A
        first that did not answer may have sent, so somebody may get the same words twice. Raises ``VendorUnavailable``
        when the second does not answer either, after twice the patience at most.
        """
        answer = await self._answer(self._first, sms)
        if answer is not None and (isinstance(answer, SmsAccepted) or not answer.kind.alarm):
            return answer
        self._log.warning("sms_failover", reason="unavailable" if answer is None else answer.kind.value)
        answer = await self._answer(self._second, sms)
        if answer is None:
            raise VendorUnavailable
        return answer

    async def _answer(self, sender: SmsSender, sms: Sms) -> SmsAnswer | None:
        try:
            async with asyncio.timeout(self._patience):
                return await sender.send(sms)
        except (VendorUnavailable, TimeoutError):
            return None
