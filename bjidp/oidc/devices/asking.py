"""A device asks for somebody to log it in (RFC 8628, section 3.1).

Owns the device code, which is kept as a hash that names the ticket's flow, and the user code, by which a page finds the
ticket. Called by the device authorization endpoint with a client that has proved who it is.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import Final

from msgspec import UNSET, Struct, UnsetType

from bjidp.clock import SECOND, Millis
from bjidp.entropy import Entropy, base64url, token
from bjidp.errors import StoreUnavailable
from bjidp.oidc.client import Client
from bjidp.oidc.devices import pacing, request, user_code
from bjidp.oidc.parameters import Parameters
from bjidp.privacy.pseudonym import Pseudonyms
from bjidp.qrlogin.devices import DeviceTickets, Frames
from bjidp.qrlogin.flow import Client as Shown
from bjidp.qrlogin.policy import QrPolicy
from bjidp.qrlogin.ticket import Computer
from bjidp.records import DuplicateRecord, Records

VERIFY: Final = "/device"
"""Where somebody types the user code."""

_DRAWS: Final = 8
"""User codes are drawn until one is free: that two in a row are taken means that something is wrong."""


class UserCode(Struct, frozen=True):
    """What a user code stands for: the name of a device ticket's flow."""

    flow: str


class DeviceAnswer(Struct, frozen=True, kw_only=True):
    """What a device is told (RFC 8628, section 3.2); ``qr`` where it draws rotating frames (wire.md, section 2)."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int
    qr: Frames | UnsetType = UNSET

    def __repr__(self) -> str:
        return "DeviceAnswer(***)"


class DeviceAsking:
    """Takes what devices ask for."""

    def __init__(
        self,
        *,
        tickets: DeviceTickets,
        user_codes: Records[UserCode],
        pseudonyms: Pseudonyms,
        policy: QrPolicy,
        entropy: Entropy,
        url: str,
        session_lifetime: Millis,
    ) -> None:
        """``url`` is the server's own; what is given without a refresh token lives ``session_lifetime``."""
        self._tickets = tickets
        self._user_codes = user_codes
        self._pseudonyms = pseudonyms
        self._policy = policy
        self._entropy = entropy
        self._url = url
        self._session_lifetime = session_lifetime

    async def ask(self, client: Client, parameters: Parameters, computer: Computer) -> DeviceAnswer:
        """Return the codes for a request, which its client may make.

        Raises :class:`ProtocolError` and ``StoreUnavailable``.
        """
        request.check(client, parameters)
        device_code = token(self._entropy, 256)
        name = flow_of(device_code)
        device = request.read(client, parameters, await self._user_code(name), self._session_lifetime)
        told = Shown(client.name, client.domain)
        ticket = await self._tickets.make(name, told, device, computer)
        return DeviceAnswer(
            device_code=device_code,
            user_code=device.user_code,
            verification_uri=self._url + VERIFY,
            verification_uri_complete=self._tickets.text(ticket),
            expires_in=self._policy.device // SECOND,
            interval=pacing.INTERVAL // SECOND,
            qr=self._tickets.frames(ticket) if device.frames else UNSET,
        )

    async def _user_code(self, name: str) -> str:
        for _ in range(_DRAWS):
            drawn = user_code.drawn(self._entropy)
            with suppress(DuplicateRecord):
                await self._user_codes.add(key_of(self._pseudonyms, drawn), UserCode(name), self._policy.device)
                return drawn
        raise StoreUnavailable


def key_of(pseudonyms: Pseudonyms, shown: str) -> str:
    """Return the key that a user code is found by."""
    return pseudonyms.key("device.user_code", shown)


def flow_of(device_code: str) -> str:
    """Return the name of a device code's flow: who reads the store redeems none of them."""
    return base64url(hashlib.sha256(device_code.encode("utf-8", "surrogatepass")).digest())
