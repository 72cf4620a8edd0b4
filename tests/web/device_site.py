"""A device and the client behind it, for the tests of the device grant."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from bjidp.oidc.metadata import read
from bjidp.oidc.pkce import challenge_of
from bjidp.oidc.ports import RegisteredClient
from tests.support.calls import Answer, Caller
from tests.support.program import Program

GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
FORM: Final = "application/x-www-form-urlencoded"
VERIFIER: Final = "v" * 43
PKCE: Final = {"code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256"}

KIOSK: Final[dict[str, object]] = {
    "client_name": "政务大厅自助机",
    "client_uri": "https://kiosk.example/",
    "grant_types": [GRANT, "refresh_token"],
    "scope": "openid profile phone offline_access",
}
TERMINAL: Final = KIOSK | {"client_name": "命令行", "token_endpoint_auth_method": "none"}


class Devices:
    """Devices of two clients: ``kiosk`` keeps a secret, ``terminal`` cannot."""

    def __init__(self, program: Program, caller: Caller) -> None:
        self.program = program
        self.caller = caller

    async def register(self, name: str, metadata: dict[str, object]) -> None:
        secret = None if metadata.get("token_endpoint_auth_method") == "none" else hashlib.sha256(b"secret").digest()
        client = RegisteredClient(read(name, metadata), secret)
        kept = msgspec.json.encode(metadata).decode()
        await self.program.rooms.stores.relying_parties.add(client, kept, self.program.clock.now())

    async def post(self, path: str, fields: dict[str, str], client: str) -> Answer:
        headers = {"Host": self.caller.to.authority, "Content-Type": FORM}
        if client == "terminal":
            fields = fields | {"client_id": client}
        else:
            headers["Authorization"] = "Basic " + base64.b64encode(f"{client}:secret".encode()).decode()
        return await self.caller.send("POST", path, headers=headers, body=urlencode(fields).encode())

    async def ask(self, client: str = "kiosk", **fields: str) -> Answer:
        """Ask for codes."""
        pkce = PKCE if client == "terminal" else {}
        return await self.post("/oauth/device", {"scope": "openid profile"} | pkce | fields, client)

    async def asked(self, client: str = "kiosk", **fields: str) -> dict[str, Any]:
        """Ask for codes and be given them."""
        answer = await self.ask(client, **fields)
        assert answer.status == 200, answer.text
        return answer.json()

    async def poll(self, codes: dict[str, Any], client: str = "kiosk", **fields: str) -> Answer:
        """Ask whether somebody has confirmed."""
        pkce = {"code_verifier": VERIFIER} if client == "terminal" else {}
        sent = {"grant_type": GRANT, "device_code": codes["device_code"]} | pkce | fields
        return await self.post("/oauth/token", {name: value for name, value in sent.items() if value}, client)

    async def userinfo(self, token: str) -> Answer:
        headers = {"Host": self.caller.to.authority, "Authorization": f"Bearer {token}"}
        return await self.caller.send("GET", "/oauth/userinfo", headers=headers)


async def two_clients(program: Program) -> Devices:
    """Return the devices of two clients."""
    devices = Devices(program, await program.caller())
    await devices.register("kiosk", KIOSK)
    await devices.register("terminal", TERMINAL)
    return devices


def error(answer: Answer) -> str:
    """Return the protocol's error, or nothing."""
    return "" if answer.status == 200 else str(answer.json()["error"])
