"""The code flow by hand: the example for curl, run as it is."""

from __future__ import annotations

import asyncio
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from bjidp.commands.registrar import Given
from bjidp.person import DocumentType, Person
from tests.support import device
from tests.support.accounts import member_at
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.screens import PASSWORD, enters
from tests.support.sites import ROOT, register

pytestmark = pytest.mark.req("RP-1", "LOG-8")

CALLBACK = "https://site.example/callback"
EXAMPLES = ROOT / "examples" / "curl"
ZHENG = Person(DocumentType.RESIDENT_ID, "郑示例", "101010199003079403")


async def started(demo: Demo) -> asyncio.subprocess.Process:
    """Register a site and start the script for it."""
    metadata: dict[str, object] = {
        "client_name": "示例网站",
        "client_uri": "https://site.example/",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "openid profile offline_access",
    }
    given = await register(demo.config, metadata)
    return await run("login.sh", given, ISSUER=demo.server)


async def run(script: str, given: Given, **environment: str) -> asyncio.subprocess.Process:
    """Start a script as the site that was ``given`` an id and a secret."""
    pipe = asyncio.subprocess.PIPE
    known = {"CLIENT_ID": given.client_id, "CLIENT_SECRET": str(given.client_secret), "REDIRECT_URI": CALLBACK}
    return await asyncio.create_subprocess_exec(
        "sh",
        EXAMPLES / script,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        env={"PATH": os.defpath, **known, **environment},
    )


async def address(script: asyncio.subprocess.Process) -> str:
    """Return where the script says a browser has to go."""
    assert script.stdout is not None
    assert (await script.stdout.readline()).startswith(b"Open this")
    found = (await script.stdout.readline()).decode().strip()
    assert (await script.stdout.readline()).startswith(b"Then paste")
    return found


async def back_from(page: Page, where: str) -> str:
    """Go where the script says, agree, and return where that has led."""
    await page.route("https://site.example/**", _home)
    await page.goto(where)
    await page.get_by_role("button", name="同意并登录").click()
    await expect(page).to_have_url(re.compile(r"^https://site\.example/callback\?"))
    return page.url


async def _home(route: Route) -> None:
    await route.fulfill(content_type="text/html", body='<!doctype html><html lang="zh"><title>示例网站</title>')


def said(told: str, word: str) -> tuple[dict[str, Any], str]:
    """Return the JSON after a word, and the line after that."""
    lines = told.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith(f"{word} "))
    return json.loads(lines[place].partition(" ")[2]), lines[place + 1] if place + 1 < len(lines) else ""


async def test_the_whole_flow_runs_with_curl_alone(demo: Demo, computer: Computer) -> None:
    await member_at(demo.config, username="curl_9301", phone="15400089301", password=PASSWORD)
    await enters(demo, computer, "curl_9301")
    await expect(computer.page).to_have_url(re.compile("/centre$"))
    script = await started(demo)
    back = await back_from(computer.page, await address(script))
    out, err = await script.communicate(f"{back}\n".encode())
    told = out.decode()
    assert (script.returncode, err) == (0, b""), told
    tokens, _ = said(told, "tokens")
    assert {"access_token", "refresh_token", "id_token"} <= set(tokens)
    read, status = said(told, "userinfo")
    assert (read["preferred_username"], status) == ("curl_9301", "200")
    assert said(told, "introspection")[0]["active"] is True
    assert said(told, "refreshed")[0]["refresh_token"] != tokens["refresh_token"]
    assert said(told, "revoked") == (
        {"error": "invalid_token", "error_description": said(told, "revoked")[0]["error_description"]},
        "401",
    )


@pytest.mark.attack("Q28")
async def test_an_answer_to_another_request_is_not_taken(demo: Demo) -> None:
    script = await started(demo)
    await address(script)
    out, err = await script.communicate(f"{CALLBACK}?code=x&state=y&iss=z\n".encode())
    assert (script.returncode, out, err) == (1, b"", b"not the answer to this request\n")


@pytest.mark.req("RP-5")
async def test_a_site_of_the_citys_own_interface_changes_the_host_alone(
    demo: Demo, tmp_path: Path, computer: Computer
) -> None:
    await member_at(demo.config, username="curl_9302", phone="15400089302", password=PASSWORD, document=ZHENG)
    await enters(demo, computer, "curl_9302")
    await expect(computer.page).to_have_url(re.compile("/centre$"))
    metadata: dict[str, object] = {
        "client_name": "社保查询",
        "client_uri": "https://site.example/",
        "redirect_uris": [CALLBACK],
        "interface": "beijing",
        "client_id": "100100000001",
        "client_secret": "00112233445566778899aabbccddeeff",
    }
    given = Given(**device.register(tmp_path, demo.data, metadata))
    script = await run("beijing.sh", given, HOST=demo.server)
    back = await back_from(computer.page, await address(script))
    out, err = await script.communicate(f"{back}\n".encode())
    told = out.decode()
    assert (script.returncode, err) == (0, b""), told
    assert said(told, "tokens")[0]["meta"]["code"] == 0
    read = said(told, "userinfo")[0]["data"]
    assert (read["userName"], read["certName"], read["certLevel"]) == ("curl_9302", ZHENG.name, "L3")
    assert ZHENG.number not in json.dumps(read)
    assert f"certNo {ZHENG.number}\n" in told
    assert [said(told, word)[0]["data"]["status"] for word in ("before", "after")] == [True, False]
    await computer.page.goto("/centre")
    await expect(computer.page).to_have_url(re.compile("/login"))
