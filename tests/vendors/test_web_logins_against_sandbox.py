"""The real clients of logins for websites against the sandbox: the page, the way back, and who it was."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from bjidp.clock import ManualClock
from bjidp.entropy import SeededEntropy
from bjidp.errors import VendorUnavailable
from bjidp.platforms import ExternalIdentity, ExternalKind, Provider
from bjidp.sandbox.app import build
from bjidp.sandbox.credentials import SandboxCredentials
from bjidp.sandbox.settings import AlipayRules, BaiduRules, NationalRules, SandboxSettings, WechatRules
from bjidp.vendors.catalog import HttpClients, build_web_sign_ins
from bjidp.vendors.http import HttpLimits
from bjidp.vendors.ports.platforms import LoginCodeInvalid
from bjidp.vendors.ports.providers import WebSignIn
from tests.support.program import web_logins
from tests.vendors.patience import patience

CALLBACK: Final = "http://127.0.0.1:8080/login/third/x/callback"
STATE: Final = "0123456789abcdef0123456789abcdef"
IN_WECHAT: Final = {"User-Agent": "Mozilla/5.0 (iPhone) MicroMessenger/8.0.50"}

PROVIDERS: Final = list(Provider)


@dataclass
class SandboxRules:
    """How the sandbox's services behave."""

    wechat: WechatRules = field(default_factory=WechatRules)
    alipay: AlipayRules = field(default_factory=AlipayRules)
    baidu: BaiduRules = field(default_factory=BaiduRules)
    national: NationalRules = field(default_factory=NationalRules)

    @property
    def given(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass
class World:
    """A sandbox, and the clients that call it."""

    control: TestClient[Any, Any]
    logins: Mapping[Provider, WebSignIn]

    async def answered(
        self, provider: Provider, user: str = "chen-yutong", answer: str = "agree", *, inside: bool = False
    ) -> dict[str, str] | None:
        """Answer the provider's page; return what comes back in the address, None where nobody is sent back."""
        where = URL(self.logins[provider].page(CALLBACK, STATE, inside=inside), encoded=True)
        headers = IN_WECHAT if inside else {}
        page = await self.control.get(where.relative(), headers=headers)
        assert page.status == 200, await page.text()
        sent = await self.control.post(
            where.relative(), data={"user": user, "answer": answer}, headers=headers, allow_redirects=False
        )
        if sent.status == 200:
            return None
        back = URL(sent.headers["Location"])
        assert (sent.status, str(back.with_query(None))) == (303, CALLBACK)
        return dict(back.query)

    async def code(self, provider: Provider, user: str = "chen-yutong", *, inside: bool = False) -> str:
        back = await self.answered(provider, user, inside=inside)
        assert back is not None
        assert back["state"] == STATE
        return back[self.logins[provider].code_parameter]

    async def names(
        self, provider: Provider, user: str = "chen-yutong", *, inside: bool = False
    ) -> tuple[ExternalIdentity, ...]:
        code = await self.code(provider, user, inside=inside)
        return (await self.logins[provider].exchange(code, CALLBACK, inside=inside)).names


Opener: TypeAlias = Callable[..., Any]


@pytest.fixture
async def opened(credentials: SandboxCredentials, clock: ManualClock) -> AsyncIterator[Opener]:
    """Open worlds with rules of a test's choosing."""
    controls: list[TestClient[Any, Any]] = []
    clients: list[HttpClients] = []

    async def open_world(
        rules: SandboxRules | None = None, *, limits: HttpLimits | None = None, national: dict[str, str] | None = None
    ) -> World:
        settings = SandboxSettings(
            clock=clock,
            entropy=SeededEntropy("web logins"),
            credentials=credentials,
            base_url="http://127.0.0.1",
            server_url="http://127.0.0.1:8080",
            **(rules or SandboxRules()).given,
        )
        server = TestServer(build(settings), host="127.0.0.1")
        control = TestClient[Any, Any](server)
        await control.start_server()
        controls.append(control)
        clients.append(http := HttpClients(clock=clock, limits=limits))
        sections = web_logins(credentials.client_settings(str(server.make_url(""))))
        told = msgspec.structs.replace(sections["national_login"], **(national or {}))
        logins = build_web_sign_ins(
            http=http,
            clock=clock,
            national=told,
            alipay=sections["alipay_login"],
            wechat=sections["wechat_login"],
            baidu=sections["baidu_login"],
        )
        return World(control, logins)

    yield open_world
    for http in clients:
        await http.close()
    for control in controls:
        await control.close()


@pytest.fixture
async def world(opened: Opener) -> World:
    opening: World = await opened()
    return opening


def test_providers_stand_in_the_order_of_pages() -> None:
    assert [provider.value for provider in Provider] == ["national", "alipay", "wechat", "baidu"]


@pytest.mark.req("LOG-4")
@pytest.mark.attack("T9")
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_user_has_the_same_names_at_each_login_and_shares_none(world: World, provider: Provider) -> None:
    first, again = await world.names(provider), await world.names(provider)
    other = await world.names(provider, "li-siyuan")
    assert first == again
    assert {name.provider for name in first} == {provider}
    assert not set(first) & set(other)
    assert first[0].value not in repr(first)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_code_works_once_and_only_for_its_provider(world: World, provider: Provider) -> None:
    code = await world.code(provider)
    for elsewhere in set(Provider) - {provider}:
        with pytest.raises(LoginCodeInvalid):
            await world.logins[elsewhere].exchange(code, CALLBACK, inside=False)
    await world.logins[provider].exchange(code, CALLBACK, inside=False)
    for code_again in (code, "", "0a1b&secret=x#/+ 中"):
        with pytest.raises(LoginCodeInvalid):
            await world.logins[provider].exchange(code_again, CALLBACK, inside=False)


async def test_baidus_code_is_of_the_address_that_it_was_sent_to(world: World) -> None:
    code = await world.code(Provider.BAIDU)
    with pytest.raises(LoginCodeInvalid):
        await world.logins[Provider.BAIDU].exchange(code, f"{CALLBACK}/", inside=False)


async def test_whoever_refuses_comes_back_in_each_providers_own_way(opened: Opener) -> None:
    older, newer = await opened(), await opened(SandboxRules(wechat=WechatRules(refusal_leads_back=False)))
    assert await older.answered(Provider.WECHAT, answer="refuse") == {"state": STATE}
    assert await newer.answered(Provider.WECHAT, answer="refuse") is None
    refused = await older.answered(Provider.BAIDU, answer="refuse")
    assert refused == {"state": STATE, "error": "access_denied"}
    assert await older.answered(Provider.ALIPAY, answer="refuse") is None
    assert await older.answered(Provider.NATIONAL, answer="refuse") is None


@pytest.mark.attack("T9")
async def test_wechat_is_one_user_inside_and_outside_by_the_unionid_alone(opened: Opener) -> None:
    world = await opened()
    outside = await world.names(Provider.WECHAT)
    inside = await world.names(Provider.WECHAT, inside=True)
    assert [name.kind for name in outside] == [ExternalKind.UNION_ID, ExternalKind.OPEN_ID]
    assert outside[0] == inside[0]
    assert (outside[1].app_id, outside[1].value) != (inside[1].app_id, inside[1].value)
    apart = await opened(SandboxRules(wechat=WechatRules(tells_union_id=False)))
    assert {*await apart.names(Provider.WECHAT), *await apart.names(Provider.WECHAT, inside=True)} == {
        outside[1],
        inside[1],
    }


async def test_old_apps_are_told_names_that_every_app_is_told(opened: Opener) -> None:
    old = AlipayRules(tells_user_id=True, numbers_as_text=True)
    world = await opened(SandboxRules(alipay=old, baidu=BaiduRules(tells_user_id=True)))
    plain = await opened()
    alipay, baidu = await world.names(Provider.ALIPAY), await world.names(Provider.BAIDU)
    assert alipay[:1] == await plain.names(Provider.ALIPAY)
    assert [(name.kind, name.app_id) for name in alipay[1:]] == [(ExternalKind.USER_ID, "")]
    assert [(name.kind, name.app_id) for name in baidu] == [(ExternalKind.USER_ID, "")]
    assert baidu[0].value.isdecimal()


@pytest.mark.parametrize("cipher", ["aes", "sm4"])
async def test_the_national_platform_may_encrypt_all_that_it_tells(
    opened: Opener, cipher: Literal["aes", "sm4"]
) -> None:
    rules = SandboxRules(national=NationalRules(cipher=cipher, seals_users=True))
    world = await opened(rules, national={"cipher": cipher, "sealed": "data"})
    plain = await opened()
    assert await world.names(Provider.NATIONAL) == await plain.names(Provider.NATIONAL)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_page_for_another_site_or_app_leads_nowhere(world: World, provider: Provider) -> None:
    own = URL(world.logins[provider].page(CALLBACK, STATE, inside=False), encoded=True).relative()
    app = next(name for name in ("appid", "app_id", "client_id") if name in own.query)
    for wrong in (
        {"redirect_uri": "http://evil.example/callback"},
        {"redirect_uri": "http://127.0.0.1@evil.example/"},
        {"redirect_uri": "javascript://127.0.0.1/%0aalert(1)"},
        {"redirect_uri": "//["},
        {app: "another"},
        {"scope": "all"} if provider is not Provider.BAIDU else {"response_type": "token"},
    ):
        where = own.update_query(wrong)
        for answer in (
            await world.control.get(where),
            await world.control.post(where, data={"user": "u", "answer": "agree"}, allow_redirects=False),
        ):
            assert answer.status in {400, 403}, (wrong, answer.status)
            assert "Location" not in answer.headers


async def test_a_public_account_is_agreed_to_inside_wechat_alone(world: World) -> None:
    where = URL(world.logins[Provider.WECHAT].page(CALLBACK, STATE, inside=True), encoded=True).relative()
    assert (await world.control.get(where)).status == 403


@pytest.mark.parametrize("mode", ["timeout", "http500", "malformed", "refuse"])
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_provider_that_misbehaves_is_an_outage(opened: Opener, provider: Provider, mode: str) -> None:
    world = await opened(limits=HttpLimits(total=patience(mode)))
    code = await world.code(provider)
    await world.control.post("/control/faults", json={"service": provider.value, "mode": mode})
    with pytest.raises(VendorUnavailable):
        await world.logins[provider].exchange(code, CALLBACK, inside=False)
    await world.control.post("/control/faults", json={"service": provider.value, "mode": "ok"})
    assert await world.names(provider)


async def test_a_secret_that_is_not_ours_is_refused(opened: Opener) -> None:
    world = await opened(national={"client_id": "another"})
    with pytest.raises(LoginCodeInvalid):
        await world.logins[Provider.NATIONAL].exchange("code", CALLBACK, inside=False)


async def test_the_time_in_the_national_proof_is_the_clocks(opened: Opener, clock: ManualClock) -> None:
    world = await opened()
    clock.advance(3600)
    assert await world.names(Provider.NATIONAL)
