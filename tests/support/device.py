"""A kiosk of its own at a running server: it asks for codes in plain HTTP, and whether somebody has confirmed."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from aiohttp import ClientSession

GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
KIOSK: Final[dict[str, object]] = {
    "client_name": "政务大厅自助机",
    "client_uri": "https://kiosk.example/",
    "grant_types": [GRANT, "refresh_token"],
    "scope": "openid profile phone offline_access",
}
TERMINAL: Final = KIOSK | {"client_name": "命令行", "token_endpoint_auth_method": "none"}


def register(folder: Path, data: Path, metadata: dict[str, object]) -> dict[str, str]:
    """Register a client at a demo by the command; return its id, and its secret if it has one."""
    written = folder / "client.json"
    written.write_text(json.dumps(metadata), "utf-8")
    command = [sys.executable, "-m", "bjidp", "clients", "add", str(written), "--data", str(data)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    given: dict[str, str] = json.loads(told)
    return given


class Kiosk:
    """A device whose client keeps a secret."""

    def __init__(self, server: str, given: dict[str, str]) -> None:
        """Ask ``server`` as the client it has registered."""
        self._server = server
        proof = f"{given['client_id']}:{given['client_secret']}".encode()
        self._headers = {"Authorization": "Basic " + base64.b64encode(proof).decode()}

    async def asks(self, **more: str) -> dict[str, Any]:
        """Ask for codes."""
        return await self.post("/oauth/device", {"scope": "openid profile offline_access"} | more)

    async def polls(self, codes: dict[str, Any]) -> dict[str, Any]:
        """Ask whether somebody has confirmed."""
        return await self.post("/oauth/token", {"grant_type": GRANT, "device_code": codes["device_code"]})

    async def post(self, path: str, fields: dict[str, str]) -> dict[str, Any]:
        """Ask one of the addresses that clients ask by themselves."""
        async with ClientSession(self._server) as http, http.post(path, data=fields, headers=self._headers) as answer:
            told: dict[str, Any] = await answer.json()
            return told


async def userinfo(server: str, token: str) -> tuple[int, dict[str, Any]]:
    """Read by an access token; return the status, and what is told."""
    headers = {"Authorization": f"Bearer {token}"}
    async with ClientSession(server) as http, http.get("/oauth/userinfo", headers=headers) as answer:
        return answer.status, await answer.json()
