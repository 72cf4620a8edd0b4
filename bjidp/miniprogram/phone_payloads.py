"""Where the payloads of phone buttons are remembered.

Owns the keys they lie under, the sealing of the number in them, and how long each is known. Called by
:mod:`bjidp.miniprogram.phone`.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from bjidp.clock import HOUR, MINUTE, Instant, Millis
from bjidp.errors import StoreUnavailable
from bjidp.miniprogram.phone_payload import Offered, PhonePayload, Presented, Replayed, Spent, State, going_on
from bjidp.miniprogram.ports import Seals
from bjidp.miniprogram.sessions import Caller
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.records import DuplicateRecord, Held, Records, StaleRecord
from bjidp.vendors.ports.platforms import PhoneCode, PhoneGiven, SealedPhone, SignedPhone
from bjidp.verification.number import MobileNumber

UNVERIFIED: Final[Millis] = 5 * MINUTE
"""How long a payload is known that was not verified: anybody who is logged in can make up any number of them."""

KEPT: Final[Millis] = 24 * HOUR
"""How long one is known that was: longer than WeChat's are fresh, and than the key is kept that reads Baidu's.

Alipay's have no time of their own. Of those it is how long somebody else is kept from presenting one.
"""


class Turn:
    """One presentation of a payload. ``number`` is there when it was verified before and its session comes back."""

    __slots__ = ("_before", "_caller", "_key", "_payloads", "_since", "_version", "number")

    def __init__(self, payloads: PhonePayloads, caller: Caller, key: str, held: Held[PhonePayload]) -> None:
        """Begin with a payload that nobody presented before."""
        self._payloads = payloads
        self._caller = caller
        self._key = key
        self._version = held.version
        self._since: Instant = held.now
        self._before: PhonePayload | None = None
        self.number: MobileNumber | None = None

    async def take(self, before: PhonePayload, offered: Offered | None) -> None:
        """Go on with a payload that was presented ``before``; raise :class:`Replayed` when somebody was faster."""
        if offered is not None:
            self.number = self._payloads.unsealed(self._key, offered.number)
            self._since = offered.since
        self._before = before
        await self._write(Presented())

    async def verified(self, number: MobileNumber) -> None:
        """Note that the platform verified ``number``; from now on it is known for long, whatever comes of it."""
        self.number = number
        await self._write(Presented(), KEPT)

    async def offered(self) -> None:
        """Let the session come back with it: it was verified, and nothing came of it."""
        if self.number is None:
            raise Replayed
        # What cannot be written is not offered: the person presses the button once more.
        with suppress(Replayed, StoreUnavailable):
            await self._write(Offered(self._payloads.sealed(self._key, self.number), self._since))

    async def spent(self) -> None:
        """Note that the number was given to the account."""
        # What cannot be written stays as it is, which is as good: it was presented.
        with suppress(Replayed, StoreUnavailable):
            await self._write(Spent())

    async def withdrawn(self) -> None:
        """Take the presentation back: the payload may be good and was not used."""
        with suppress(StaleRecord, StoreUnavailable):
            if self._before is None:
                await self._payloads.records.take(self._key)
            else:
                await self._payloads.records.replace(self._key, self._before, self._version)

    async def _write(self, state: State, lifetime: Millis | None = None) -> None:
        payload = PhonePayload(self._caller.session.id, self._caller.account, state)
        try:
            self._version = await self._payloads.records.replace(self._key, payload, self._version, lifetime)
        except StaleRecord:
            raise Replayed from None


class PhonePayloads:
    """Remembers payloads. Raises ``StoreUnavailable`` when the store does not answer: nothing passes."""

    def __init__(self, *, records: Records[PhonePayload], seals: Seals, pseudonyms: Pseudonyms) -> None:
        """Keep them in ``records``."""
        self.records = records
        self._seals = seals
        self._pseudonyms = pseudonyms

    async def present(self, caller: Caller, given: PhoneGiven, *, distinct: bool) -> Turn:
        """Let ``caller`` present a payload: of parallel calls with one that each press gives anew, one goes on.

        Raises :class:`Replayed`.
        """
        session, account = caller.session.id, caller.account
        key = self._pseudonyms.key("mp.phone-payload", caller.session.platform, *_trace(given))
        new = True
        try:
            await self.records.add(key, PhonePayload(session, account), UNVERIFIED)
        except DuplicateRecord:
            new = False
        held = await self.records.get(key)
        if held is None:
            # Its time was over a moment ago: whoever sends it again is answered.
            raise Replayed
        turn = Turn(self, caller, key, held)
        if not new:
            offered = going_on(held.value, session=session, account=account, distinct=distinct, now=held.now)
            await turn.take(held.value, offered)
        return turn

    def sealed(self, key: str, number: MobileNumber) -> bytes:
        """Seal a number for the record under ``key``."""
        return self._seals.seal(number.digits.encode(), key)

    def unsealed(self, key: str, sealed: bytes) -> MobileNumber:
        """Open what was sealed; raise :class:`Replayed` when it can't be read any more."""
        try:
            return MobileNumber(self._seals.unseal(sealed, key).decode())
        except ValueError:
            # Its root key was retired meanwhile.
            raise Replayed from None


def _trace(given: PhoneGiven) -> tuple[str, str]:
    """Return what tells a payload from others.

    Not the IV, nor the signature: what is sent beside a text can be changed, and the text be the same.
    """
    match given:
        case PhoneCode(code=code):
            return "code", code
        case SealedPhone(data=data):
            return "data", data
        case SignedPhone(response=response):
            return "response", response
