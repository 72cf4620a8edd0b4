"""The server of a demonstration, which tells what its captchas show: nowhere else, and no page waits for it."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from bjidp.clock import ManualClock
from bjidp.demo.server import telling
from bjidp.vendors.catalog import HttpClients
from tests.support.browser import Browser
from tests.support.calls import Caller, Deployment
from tests.support.demo import Demo
from tests.support.processes import free_port


def run(program: list[str], folder: Path, *, workers: int = 1) -> subprocess.CompletedProcess[str]:
    """Run a server that is configured for production, on loopback; it must not come up."""
    path, port = folder / "server.toml", free_port()
    lines = [
        f'[server]\nbase_url = "http://127.0.0.1:{port}"\nlisten_port = {port}\nworkers = {workers}',
        f'[storage]\ndatabase_url = "sqlite:///{folder / "bjidp.sqlite"}"',
        'redis_url = "redis://127.0.0.1:1"',
        f'[keys.roots]\n1 = "{base64.b64encode(bytes(range(32))).decode()}"',
        '[authority]\nbase_url = "https://authority.example.com"\nkey_id = "key"\nsecret = "authority-secret"',
        '[wechat]\napp_id = "wx1"\napp_secret = "secret"',
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", *program, "--config", str(path), "--sandbox", "http://127.0.0.1:1"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.req("OPS-2", "REG-2")
@pytest.mark.parametrize("workers", [1, 2])
def test_production_tells_nobody_what_its_captchas_show(tmp_path: Path, workers: int) -> None:
    ended = run(["bjidp.demo.server"], tmp_path, workers=workers)
    assert ended.returncode == 2
    assert "server.environment: the answers of captchas are told in a demonstration alone" in ended.stderr
    assert not (tmp_path / "bjidp.sqlite").exists()


@pytest.mark.req("OPS-2", "REG-2")
def test_the_ordinary_server_has_no_such_option(tmp_path: Path) -> None:
    ended = run(["bjidp", "serve"], tmp_path)
    assert ended.returncode == 2
    assert "unrecognized arguments: --sandbox" in ended.stderr


@pytest.mark.req("REG-2")
async def test_the_demos_sandbox_is_told_before_the_page_is(demo: Demo) -> None:
    async with Caller(Deployment(demo.server, demo.sandbox, demo.server)) as caller:
        browser = Browser(caller)
        await browser.open()
        answer = await caller.post("/captcha", {}, headers=browser.headers(demo.server))
        assert len(await caller.captcha(answer.json()["id"])) == 4


async def test_a_sandbox_that_does_not_answer_stops_no_page(clock: ManualClock) -> None:
    http = HttpClients(clock=clock)
    await telling(f"http://127.0.0.1:{free_port()}")(http)("x" * 22, "0420")
    await http.close()
