"""Devices without a browser log people in by 京通: the terminal of ``examples/node``, and one on Authlib (RP-3)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.interop.authlib_site import open_site
from tests.support.demo import Demo
from tests.support.handset import Handset
from tests.support.sites import Example, register
from tests.support.town import acquaint

pytestmark = pytest.mark.req("RP-3")

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
WHO = "李思远"


async def confirms(phone: Handset, text: str, user_code: str) -> None:
    """Scan what a device shows, compare its code, and confirm."""
    await phone.press("扫一扫")
    await phone.reads(text)
    await phone.heading(f"屏幕上的代码是 {user_code} 吗？")
    await phone.press("是，一样")
    await phone.confirms()
    await phone.press("完成")


async def test_terminals_on_openid_client_and_on_authlib_are_logged_in_by_a_phone(
    demo: Demo, phone: Handset, tmp_path: Path
) -> None:
    metadata: dict[str, object] = {
        "client_name": "命令行",
        "client_uri": "https://terminal.example/",
        "grant_types": [DEVICE],
        "scope": "openid profile",
        "token_endpoint_auth_method": "none",
    }
    given = await register(demo.config, metadata)
    environment = {"ISSUER": demo.server, "CLIENT_ID": given.client_id}
    terminal = Example("terminal.mjs", tmp_path / "terminal", environment)
    try:
        await acquaint(demo, WHO, "wechat")
        await phone.log_in(WHO, "wechat")
        await phone.is_home(f"{WHO[0]}**")
        terminal.wait_until_it_says("京通会问")
        shown = re.search(r"扫一扫：(\S+)\n.*：(\S+)", terminal.said)
        assert shown is not None
        await confirms(phone, shown[1], shown[2])

        # Meanwhile the first one waits until it may ask.
        async with open_site(demo, redirect_uris=[], grant_types=[DEVICE], scope="openid profile") as site:
            asked = await site.client.post(
                site.known["device_authorization_endpoint"],
                data={"scope": "openid profile"},
                auth=site.client.client_auth(site.client.token_endpoint_auth_method),
            )
            codes = asked.json()
            await confirms(phone, codes["verification_uri_complete"], codes["user_code"])
            tokens = await site.client.fetch_token(
                site.known["token_endpoint"], grant_type=DEVICE, device_code=codes["device_code"]
            )
            read = await site.reads()
            assert (await site.verified(tokens))["amr"] == ["qr"]
            assert read is not None
            assert read["nickname"] == f"{WHO[0]}**"
        terminal.wait_until_it_says(f"已登录：{WHO[0]}**")
    finally:
        terminal.stop()
