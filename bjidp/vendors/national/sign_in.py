"""The login of 国家政务服务平台: a code of its page becomes the name of its user.

Owns the three steps, with every name in them as it is set. Of what is told of the user one name is read: neither a
document nor a phone number proves anything here that was not proved to us (attack T9).
"""

from __future__ import annotations

from typing import Final, NoReturn
from urllib.parse import urlencode

import msgspec

from bjidp.clock import Clock
from bjidp.errors import VendorUnavailable
from bjidp.platforms import ExternalIdentity, ExternalKind, Provider
from bjidp.vendors.ecb import opened, read_key
from bjidp.vendors.http import VendorHttp
from bjidp.vendors.national.answers import proof, text_at
from bjidp.vendors.ports.platforms import LoginCodeInvalid
from bjidp.vendors.ports.providers import ExternalLogin
from bjidp.vendors.settings import NationalLoginSettings

_TOKEN: Final = "token"  # noqa: S105 - the name of a question
_USER: Final = "user"

_OUTAGE: Final = "59999"
"""未知异常: the one number that is public."""

LONGEST: Final = 128


class NationalSignIn:
    """Implements :class:`bjidp.vendors.ports.providers.WebSignIn`."""

    code_parameter = "code"

    def __init__(self, *, tokens: VendorHttp, users: VendorHttp, settings: NationalLoginSettings, clock: Clock) -> None:
        """Ask ``tokens`` and ``users``, whose base URLs are whole addresses; raise :class:`ValueError` for no key."""
        self._tokens = tokens
        self._users = users
        self._settings = settings
        self._key = read_key(settings.client_secret)
        self._clock = clock

    def page(self, callback: str, state: str, *, inside: bool) -> str:
        del inside  # one page for every browser
        asked = {
            "client_id": self._settings.client_id,
            "redirect_uri": callback,
            "response_type": "code",
            "scope": self._settings.scope,
            "state": state,
        }
        return f"{self._settings.page_url}?{urlencode(asked)}"

    async def exchange(self, code: str, callback: str, *, inside: bool) -> ExternalLogin:
        del callback, inside
        if not code:
            raise LoginCodeInvalid
        given = await self._answer(
            self._tokens,
            _TOKEN,
            {
                "client_id": self._settings.client_id,
                "grant_type": "authorization_code",
                self._settings.code_parameter: code,
                "auth_token": self._proof(),
            },
        )
        status = text_at(given, self._settings.status)
        if status == _OUTAGE or not status:
            self._lying(self._tokens, _TOKEN, status or "no_status")
        if status != "0":
            # It has no number for a code that is over, so every other no counts as one; each is in the log.
            self._tokens.refused(_TOKEN, status)
            raise LoginCodeInvalid
        token = text_at(given, self._settings.token)
        if not token:
            self._lying(self._tokens, _TOKEN, "no_token")
        told = self._unsealed(await self._answer(self._users, _USER, {"access_token": token}))
        status = text_at(told, self._settings.status)
        if status != "0":
            self._lying(self._users, _USER, status or "no_status")
        name = text_at(told, self._settings.user)
        if not name or len(name) > LONGEST:
            self._lying(self._users, _USER, "no_user")
        app = self._settings.client_id
        return ExternalLogin((ExternalIdentity(Provider.NATIONAL, app, ExternalKind.OPEN_ID, name),))

    def _proof(self) -> str:
        told = self._settings
        return proof(told.client_id, told.client_secret, self._key, told.cipher, self._clock.now())

    async def _answer(self, http: VendorHttp, operation: str, form: dict[str, str]) -> dict[str, object]:
        return await http.json(operation, "POST", "", dict[str, object], form=form)

    def _unsealed(self, answer: dict[str, object]) -> dict[str, object]:
        member = self._settings.sealed
        text = answer.get(member) if member else None
        if not isinstance(text, str):
            # An answer that says no has nothing to encrypt.
            return answer
        try:
            told = msgspec.json.decode(opened(text, self._key, self._settings.cipher), type=dict[str, object])
        except (ValueError, msgspec.DecodeError, RecursionError):
            self._lying(self._users, _USER, "undecipherable")
        return {**answer, member: told}

    def _lying(self, http: VendorHttp, operation: str, reason: str) -> NoReturn:
        http.alarm(operation, reason)
        raise VendorUnavailable
