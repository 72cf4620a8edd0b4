"""The registers made by hand: signed questions in, an answer under the same reference out."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from bjidp.clock import Clock
from bjidp.secret import Secret
from bjidp.vendors.catalog import HttpClients, build_authority, build_bank, build_business_register
from bjidp.vendors.ports.registers import CardFacts, Finding, OrganisationFacts
from bjidp.vendors.settings import AuthoritySettings, BankSettings, BusinessRegisterSettings
from tests.vendors.cast import CARD_NUMBER, RESIDENT, SMS
from tests.vendors.stand import Reply, Seen, Stand

KEY: Final = "key-0001"
SECRET: Final = "registerHushSecret"
REFERENCE: Final = "q20270115000001"
CARD: Final = CardFacts(RESIDENT, CARD_NUMBER, SMS.to)
ORGANISATION: Final = OrganisationFacts("91110000600037341L", "北京示例有限公司", RESIDENT)

Asked = Callable[[], Awaitable[Finding]]
"""One question to a register, always the same."""


@dataclass(frozen=True)
class Register:
    """What tells the wire of one register from that of another."""

    name: str
    path: str
    header: str
    yes: dict[str, str]
    no: dict[str, str]
    """A yes and a no, without the references."""

    def ask(self, address: str, http: HttpClients, clock: Clock) -> Asked:
        """Return one question to the register at ``address``."""
        base_url, secret = f"{address}/{self.name}", Secret(SECRET)
        if self.name == "authority":
            authority = build_authority(
                AuthoritySettings(base_url=base_url, key_id=KEY, secret=secret), http=http, clock=clock
            )
            return lambda: authority.check(RESIDENT, reference=REFERENCE)
        if self.name == "bank":
            bank = build_bank(BankSettings(base_url=base_url, key_id=KEY, secret=secret), http=http, clock=clock)
            return lambda: bank.check(CARD, reference=REFERENCE)
        business_register = build_business_register(
            BusinessRegisterSettings(base_url=base_url, key_id=KEY, secret=secret), http=http, clock=clock
        )
        return lambda: business_register.check(ORGANISATION, reference=REFERENCE)


AUTHORITY: Final = Register(
    "authority",
    "/authority/v1/check",
    "X-Authority",
    {"result": "match"},
    {"result": "mismatch", "reason": "name"},
)
BANK: Final = Register("bank", "/bank/v1/verify", "X-Bank", {"code": "0", "card_type": "DC"}, {"code": "-6"})
BUSINESS_REGISTER: Final = Register(
    "register",
    "/register/v1/check",
    "X-Register",
    {"result": "match"},
    {"result": "mismatch", "reason": "representative"},
)
REGISTERS: Final = (AUTHORITY, BANK, BUSINESS_REGISTER)


@dataclass
class RegisterStand(Stand):
    """A register that believes whoever signs, and says what it is told to."""

    register: Register = AUTHORITY
    now: int = 1_800_000_000
    said: dict[str, Any] = field(default_factory=dict)
    """What is put in place of a yes, the references among it."""

    def replies(self) -> dict[str, Reply]:
        return {self.register.path: self.answer}

    def answer(self, seen: Seen) -> web.Response:
        header = self.register.header
        timestamp = seen.headers[f"{header}-Timestamp"]
        expected = hmac.digest(SECRET.encode(), f"{timestamp}\n".encode() + seen.body, hashlib.sha256).hex()
        known = seen.headers[f"{header}-Key"] == KEY and timestamp == str(self.now)
        if seen.method != "POST" or not known or seen.headers[f"{header}-Signature"] != expected:
            return web.json_response({"error": "signature"}, status=401)
        references = {"request_id": seen.json["request_id"], "reference": "r-1"}
        return web.json_response({**references, **self.register.yes, **self.said})
