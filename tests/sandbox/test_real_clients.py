"""The server's real clients against the sandbox: two programs that share no code, and agree on the wire.

Here and nowhere else the tests of the sandbox import the server.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, TypeAlias

import pytest

from bjidp.errors import VendorUnavailable
from bjidp.secret import Secret
from bjidp.vendors.catalog import (
    AlipaySettings,
    AuthoritySettings,
    BaiduSettings,
    HttpClients,
    PlatformSettings,
    WechatSettings,
    build_authority,
    build_platforms,
)
from bjidp.vendors.http import HttpLimits
from bjidp.vendors.ports import (
    AuthorityAnswer,
    DocumentType,
    FaceRequest,
    FaceVerdict,
    LoginCodeInvalid,
    Person,
    Platform,
    PlatformClients,
)
from tests.sandbox.driver import Sandbox

Clients: TypeAlias = Mapping[Platform, PlatformClients]

PLATFORMS = [pytest.param(platform, id=platform.value) for platform in Platform]
LIMITS = HttpLimits(total=1.0)


@pytest.fixture
async def http(sandbox: Sandbox) -> AsyncIterator[HttpClients]:
    clients = HttpClients(clock=sandbox.clock)
    yield clients
    await clients.close()


@pytest.fixture
def platforms(sandbox: Sandbox, http: HttpClients) -> Clients:
    told = sandbox.credentials.client_settings(str(sandbox.http.make_url("/")))
    settings = PlatformSettings(
        wechat=WechatSettings(
            app_id=told.wechat.app_id,
            app_secret=Secret(told.wechat.secret),
            base_url=told.wechat.base_url,
            limits=LIMITS,
        ),
        alipay=AlipaySettings(
            app_id=told.alipay.app_id,
            private_key=Secret(told.alipay.app_private_key),
            alipay_public_key=told.alipay.alipay_public_key,
            base_url=told.alipay.gateway_url,
            limits=LIMITS,
        ),
        baidu=BaiduSettings(
            app_key=told.baidu.client_id,
            app_secret=Secret(told.baidu.client_secret),
            aip_key=told.baidu.aip_key,
            aip_secret=Secret(told.baidu.aip_secret),
            plan_id=told.baidu.plan_id,
            base_url=told.baidu.base_url,
            aip_url=told.baidu.base_url,
            face_page_url=f"{told.baidu.base_url}/face/print/",
            face_success_url="https://id.example/ok",
            face_failed_url="https://id.example/no",
            limits=LIMITS,
        ),
    )
    return build_platforms(settings, http=http, clock=sandbox.clock)


def stated(person: dict[str, Any]) -> Person:
    return Person(DocumentType(person["document_type"]), person["name"], person["document_number"])


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_login_code_is_exchanged_once(sandbox: Sandbox, platforms: Clients, platform: Platform) -> None:
    code = await sandbox.code(platform.value)
    identity = await platforms[platform].sign_in.exchange(code)
    assert identity.platform is platform
    for refused in (code, "made-up"):
        with pytest.raises(LoginCodeInvalid):
            await platforms[platform].sign_in.exchange(refused)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(
    ("story", "outcome", "verdict"),
    [
        ("ordinary", "pass", FaceVerdict.PASSED),
        ("rare_character", "pass", FaceVerdict.PASSED),
        ("compatibility_character", "pass", FaceVerdict.PASSED),
        ("long_name", "pass", FaceVerdict.PASSED),
        ("face_fails", "pass", FaceVerdict.FAILED),
        ("ordinary", "fail", FaceVerdict.FAILED),
        ("ordinary", "cancel", FaceVerdict.PENDING),
    ],
)
async def test_a_face_check_is_started_filmed_and_judged(
    sandbox: Sandbox, platforms: Clients, *, platform: Platform, story: str, outcome: str, verdict: FaceVerdict
) -> None:
    identity = await platforms[platform].sign_in.exchange(await sandbox.code(platform.value))
    request = FaceRequest("BJ0123456789", identity, stated(await sandbox.person(story)))
    opened = await platforms[platform].face.start(request)
    assert await platforms[platform].face.verdict(request, opened.verification) is FaceVerdict.PENDING
    assert (await sandbox.film(opened.verification, outcome)).status == 200
    assert await platforms[platform].face.verdict(request, opened.verification) is verdict


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_every_document_a_client_offers_is_known_to_its_platform(
    sandbox: Sandbox, platforms: Clients, platform: Platform
) -> None:
    identity = await platforms[platform].sign_in.exchange(await sandbox.code(platform.value))
    people = await (await sandbox.http.get("/control/people")).json()
    for number, document in enumerate(sorted(platforms[platform].face.documents)):
        person = next(p for p in people if p["document_type"] == document and p["story"] == "ordinary")
        request = FaceRequest(f"BJ012345678{number}", identity, stated(person))
        opened = await platforms[platform].face.start(request)
        await sandbox.film(opened.verification, "pass")
        assert await platforms[platform].face.verdict(request, opened.verification) is FaceVerdict.PASSED


@pytest.mark.parametrize("platform", [Platform.ALIPAY, Platform.BAIDU])
async def test_the_address_given_to_the_phone_opens_a_page(
    sandbox: Sandbox, platforms: Clients, platform: Platform
) -> None:
    identity = await platforms[platform].sign_in.exchange(await sandbox.code(platform.value))
    request = FaceRequest("BJ0123456789", identity, stated(await sandbox.person("ordinary")))
    opened = await platforms[platform].face.start(request)
    page = await sandbox.http.session.get(opened.client["url"])
    assert (page.status, page.content_type) == (200, "text/html")


async def test_a_wechat_token_that_another_process_replaced_is_fetched_again(
    sandbox: Sandbox, platforms: Clients
) -> None:
    wechat = platforms[Platform.WECHAT]
    identity = await wechat.sign_in.exchange(await sandbox.code("wechat"))
    person = stated(await sandbox.person("ordinary"))
    await wechat.face.start(FaceRequest("BJ0123456789", identity, person))
    assert "access_token" in await sandbox.stable_token(force_refresh=True)
    assert (await wechat.face.start(FaceRequest("BJ0123456780", identity, person))).verification


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("mode", ["timeout", "http500", "malformed", "refuse"])
async def test_a_platform_that_misbehaves_is_unavailable(
    sandbox: Sandbox, platforms: Clients, platform: Platform, mode: str
) -> None:
    code = await sandbox.code(platform.value)
    await sandbox.break_service(platform.value, mode)
    with pytest.raises(VendorUnavailable):
        await platforms[platform].sign_in.exchange(code)


@pytest.mark.parametrize(
    ("story", "answer"),
    [
        ("ordinary", AuthorityAnswer.MATCH),
        ("rare_character", AuthorityAnswer.MATCH),
        ("mismatch", AuthorityAnswer.MISMATCH),
        ("unknown", AuthorityAnswer.UNKNOWN),
        ("expired", AuthorityAnswer.EXPIRED),
        ("document_withdrawn", AuthorityAnswer.REFUSED),
    ],
)
async def test_the_authority_is_asked_and_understood(
    sandbox: Sandbox, http: HttpClients, story: str, answer: AuthorityAnswer
) -> None:
    told = sandbox.credentials.client_settings(str(sandbox.http.make_url("/"))).authority
    settings = AuthoritySettings(base_url=told.base_url, key_id=told.key_id, secret=Secret(told.secret), limits=LIMITS)
    client = build_authority(settings, http=http, clock=sandbox.clock)
    assert (await client.check(stated(await sandbox.person(story)))).answer is answer
