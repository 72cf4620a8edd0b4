"""The persons of the sandbox, and how one of them gets to know 京通 before a journey begins."""

from __future__ import annotations

from typing import Any, Protocol

from aiohttp import ClientSession


class Place(Protocol):
    """A running server with its sandbox."""

    @property
    def server(self) -> str:
        """The server's base URL."""
        ...

    @property
    def sandbox(self) -> str:
        """The sandbox's address."""
        ...


async def acquaint(place: Place, person: str, platform: str) -> None:
    """Register ``person`` on ``platform``, unless they are registered there, without anybody's phone on a screen."""
    async with ClientSession(place.sandbox) as http:
        everyone = await _json(http, "GET", "/control/people")
        (who,) = (listed for listed in everyone if listed["name"] == person)
        code = await _json(http, "POST", "/control/login-code", {"platform": platform, "user": who["id"]})
        relay = f"/phone/relay/{platform}"
        answer = await _json(http, "POST", f"{relay}/session", {"code": code["code"]})
        if answer["status"] == "ok":
            return
        registration = answer["registration"]
        facts = {
            "registration": registration,
            "document_type": who["document_type"],
            "name": who["name"],
            "document_number": who["document_number"],
            "valid_days": 30,
            "agreed": ["terms", "privacy"],
        }
        started = await _json(http, "POST", f"{relay}/registration", facts)
        await _json(http, "POST", "/control/face", {"verification": started["face"]["verification"], "outcome": "pass"})
        answer = await _json(http, "POST", f"{relay}/registration/complete", {"registration": registration})
        assert answer["status"] == "ok"


async def _json(http: ClientSession, method: str, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401
    async with http.request(method, path, json=body) as answer:
        text = await answer.text()
        assert answer.status < 300, f"{method} {path}: {answer.status} {text}"
        return await answer.json() if text else None
