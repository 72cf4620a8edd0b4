"""The doors people come in by: one platform's login and face check each.

Owns the rule that a login code is presented here once. Built by ``bootstrap``; called by ``service`` and
``face_checks``.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from bjidp.clock import HOUR, MINUTE, Clock, Instant, Millis
from bjidp.errors import VendorUnavailable
from bjidp.person import DocumentType
from bjidp.platforms import Platform, PlatformIdentity
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.records import DuplicateRecord, Records, StaleRecord
from bjidp.vendors.ports.platforms import FaceCheck, LoginCodeInvalid, PlatformClients, PlatformLogin

USED_CODE_LIFETIME: Millis = 24 * HOUR
"""How long a login code is remembered: as long as the longest-lived one, Alipay's, could be redeemed."""


UNPROVEN_CODE_LIFETIME: Millis = 5 * MINUTE
"""How long a code is remembered that the platform has not accepted: anybody can make up any number of them."""


class UsedCode(Struct, frozen=True):
    """A login code that was presented; nothing of it or its user is kept."""

    at: Instant


class Doors:
    """The configured platforms."""

    def __init__(
        self,
        doors: Mapping[Platform, PlatformClients],
        *,
        used_codes: Records[UsedCode],
        pseudonyms: Pseudonyms,
        clock: Clock,
    ) -> None:
        """Remember used login codes in ``used_codes``, under keyed digests."""
        self._doors = doors
        self._used_codes = used_codes
        self._pseudonyms = pseudonyms
        self._clock = clock

    def face(self, identity: PlatformIdentity) -> FaceCheck | None:
        """Return the face check that knows ``identity``.

        None where its platform, or the app that its openid belongs to (attack M4), is served no more: what was opened
        before that lives on.
        """
        door = self._doors.get(identity.platform)
        return door.face if door is not None and door.face.app_id == identity.app_id else None

    def platforms_for(self, document: DocumentType) -> list[Platform]:
        """Return the platforms whose face check knows the document."""
        return [platform for platform, door in self._doors.items() if document in door.face.documents]

    async def exchange(self, platform: Platform, code: str) -> PlatformLogin:
        """Redeem a login code; raise :class:`LoginCodeInvalid`, ``LoginBlocked`` or :class:`VendorUnavailable`.

        A code that was presented here before is refused even if the platform would take it again (attack M2); of
        parallel calls with one code, one reaches the platform. What the platform refused is forgotten soon. Raises
        ``StoreUnavailable`` too, having let nobody in.
        """
        key = self._pseudonyms.key("mp.login-code", platform, code)
        try:
            await self._used_codes.add(key, UsedCode(self._clock.now()), UNPROVEN_CODE_LIFETIME)
        except DuplicateRecord:
            raise LoginCodeInvalid from None
        try:
            login = await self._doors[platform].sign_in.exchange(code)
        except VendorUnavailable:
            # Nothing came of the code here: the phone may present it again, and the platform takes it once.
            await self._used_codes.take(key)
            raise
        await self._remember(key)
        return login

    async def _remember(self, key: str) -> None:
        # Before anybody is let in: a code that cannot be remembered for its whole life opens nothing.
        held = await self._used_codes.get(key)
        if held is None:
            raise LoginCodeInvalid
        try:
            await self._used_codes.replace(key, held.value, held.version, USED_CODE_LIFETIME)
        except StaleRecord:
            raise LoginCodeInvalid from None
