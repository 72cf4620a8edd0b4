"""The real clients against the sandbox, over loopback HTTP: the pair that the demo and the journeys run on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import pytest
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from bjidp.clock import ManualClock
from bjidp.entropy import SeededEntropy, token
from bjidp.errors import VendorUnavailable
from bjidp.person import DocumentType, Person
from bjidp.platforms import Platform, PlatformIdentity
from bjidp.sandbox.app import build
from bjidp.sandbox.credentials import SandboxCredentials
from bjidp.sandbox.settings import AlipayRules, BaiduRules, SandboxSettings
from bjidp.secret import Secret
from bjidp.vendors.catalog import HttpClients, build_authority, build_platforms
from bjidp.vendors.http import HttpLimits
from bjidp.vendors.ports.platforms import (
    FaceRequest,
    FaceVerdict,
    LoginCodeInvalid,
    PhoneCode,
    PhoneGiven,
    PhoneRefusal,
    PlatformClients,
    SealedPhone,
    SignedPhone,
    VerifiedPhone,
)
from bjidp.vendors.ports.registers import Authority, RegisterAnswer
from bjidp.vendors.settings import AlipaySettings, AuthoritySettings, BaiduSettings, WechatSettings
from tests.vendors.cast import DONE
from tests.vendors.patience import patience

PLATFORMS = list(Platform)

Dialect: TypeAlias = Literal["errno", "oauth"]


@dataclass
class World:
    """A sandbox, the clients that call it, and what people do behind it."""

    control: TestClient[Any, Any]
    platforms: Mapping[Platform, PlatformClients]
    authority: Authority
    people: dict[str, dict[str, Any]]
    entropy: SeededEntropy

    async def code(self, platform: Platform, user: str) -> str:
        answer = await self.control.post("/control/login-code", json={"platform": platform.value, "user": user})
        return str((await answer.json())["code"])

    async def log_in(self, platform: Platform, user: str) -> PlatformIdentity:
        return (await self.platforms[platform].sign_in.exchange(await self.code(platform, user))).identity

    async def press(self, platform: Platform, user: str) -> dict[str, str]:
        body = {"platform": platform.value, "user": user}
        answer = await self.control.post("/control/phone-button", json=body)
        given: dict[str, str] = await answer.json()
        return given

    async def face(self, verification: str, outcome: str) -> None:
        answer = await self.control.post("/control/face", json={"verification": verification, "outcome": outcome})
        assert answer.status == 200

    async def fault(self, service: str, mode: str) -> None:
        answer = await self.control.post("/control/faults", json={"service": service, "mode": mode})
        assert answer.status == 200

    def person(self, who: str) -> Person:
        listed = self.people[who]
        return Person(DocumentType(listed["document_type"]), listed["name"], listed["document_number"])

    async def request(self, platform: Platform, who: str, *, person: Person | None = None) -> FaceRequest:
        reference = "jt" + self.entropy.octets(10).hex()
        return FaceRequest(reference, await self.log_in(platform, who), person or self.person(who))


Opener: TypeAlias = Callable[..., Any]


@pytest.fixture
async def opened(
    credentials: SandboxCredentials,
    clock: ManualClock,
    entropy: SeededEntropy,
    logged: list[MutableMapping[str, Any]],
) -> AsyncIterator[Opener]:
    """Open worlds with rules of a test's choosing; none of their persons may be logged."""
    controls: list[TestClient[Any, Any]] = []
    clients: list[HttpClients] = []
    known: dict[str, dict[str, Any]] = {}

    async def open_world(*, limits: HttpLimits | None = None, **rules: Any) -> World:  # noqa: ANN401
        settings = SandboxSettings(
            clock=clock,
            entropy=entropy,
            credentials=credentials,
            base_url="http://127.0.0.1",
            server_url="http://127.0.0.1",
            **rules,
        )
        server = TestServer(build(settings), host="127.0.0.1")
        control = TestClient[Any, Any](server)
        await control.start_server()
        controls.append(control)
        listed = await (await control.get("/control/people")).json()
        known.update({person["id"]: person for person in listed})
        address = str(server.make_url(""))
        clients.append(http := HttpClients(clock=clock, limits=limits))
        return World(
            control=control,
            platforms=platforms_at(credentials, address, http, clock),
            authority=build_authority(authority_settings(credentials, address), http=http, clock=clock),
            people=known,
            entropy=SeededEntropy(token(entropy, 128)),
        )

    yield open_world
    for http in clients:
        await http.close()
    for control in controls:
        await control.close()
    told = "".join(str(entry) for entry in logged)
    for person in known.values():
        assert person["name"] not in told
        assert person["document_number"] not in told
        assert person["phone"] not in told


@pytest.fixture
async def world(opened: Opener) -> World:
    opening: World = await opened()
    return opening


def platforms_at(
    credentials: SandboxCredentials, address: str, http: HttpClients, clock: ManualClock
) -> Mapping[Platform, PlatformClients]:
    told = credentials.client_settings(address)
    return build_platforms(
        http=http,
        clock=clock,
        face_done_url=DONE,
        wechat=WechatSettings(
            app_id=told.wechat.app_id,
            app_secret=Secret(told.wechat.secret),
            base_url=told.wechat.base_url,
        ),
        alipay=AlipaySettings(
            app_id=told.alipay.app_id,
            private_key=Secret(told.alipay.app_private_key),
            alipay_public_key=told.alipay.alipay_public_key,
            aes_key=Secret(told.alipay.aes_key),
            gateway_url=told.alipay.gateway_url,
        ),
        baidu=BaiduSettings(
            app_key=told.baidu.client_id,
            app_secret=Secret(told.baidu.client_secret),
            aip_key=told.baidu.aip_key,
            aip_secret=Secret(told.baidu.aip_secret),
            plan_id=told.baidu.plan_id,
            base_url=told.baidu.base_url,
            aip_url=told.baidu.base_url,
            face_page_url=told.baidu.base_url + "/face/print/",
        ),
    )


def authority_settings(credentials: SandboxCredentials, address: str) -> AuthoritySettings:
    told = credentials.client_settings(address).authority
    return AuthoritySettings(base_url=told.base_url, key_id=told.key_id, secret=Secret(told.secret))


# ------------------------------------------------------------------------------------------------------------- sign-in


@pytest.mark.req("LOG-7")
@pytest.mark.attack("M4")
@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_user_is_the_same_at_each_login_and_nobody_else(world: World, platform: Platform) -> None:
    first, again = await world.log_in(platform, "chen-yutong"), await world.log_in(platform, "chen-yutong")
    other = await world.log_in(platform, "li-siyuan")
    assert first == again
    assert first.open_id != other.open_id
    assert first.platform is platform


@pytest.mark.attack("M2")
@pytest.mark.parametrize("dialect", ["errno", "oauth"])
@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_code_works_once(opened: Opener, platform: Platform, dialect: Dialect) -> None:
    world = await opened(baidu=BaiduRules(dialect=dialect))
    code = await world.code(platform, "chen-yutong")
    await world.platforms[platform].sign_in.exchange(code)
    with pytest.raises(LoginCodeInvalid):
        await world.platforms[platform].sign_in.exchange(code)


@pytest.mark.parametrize("dialect", ["errno", "oauth"])
@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_made_up_code_is_refused(opened: Opener, platform: Platform, dialect: Dialect) -> None:
    world = await opened(baidu=BaiduRules(dialect=dialect))
    with pytest.raises(LoginCodeInvalid):
        await world.platforms[platform].sign_in.exchange("0a1b2c&secret=x#/+ 中")


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_code_of_another_platform_is_refused(world: World, platform: Platform) -> None:
    for elsewhere in set(Platform) - {platform}:
        code = await world.code(elsewhere, "chen-yutong")
        with pytest.raises(LoginCodeInvalid):
            await world.platforms[platform].sign_in.exchange(code)


async def test_an_old_app_at_alipay_and_numbers_written_as_text_change_nothing(opened: Opener) -> None:
    world = await opened(alipay=AlipayRules(tells_user_id=True, numbers_as_text=True))
    plain = await opened()
    assert await world.log_in(Platform.ALIPAY, "zhao-min") == await plain.log_in(Platform.ALIPAY, "zhao-min")


# ---------------------------------------------------------------------------------------------------------------- face

FACES = [
    (platform, who)
    for who, platforms in {
        "chen-yutong": PLATFORMS,
        "aygul-memet": PLATFORMS,
        "wang-lang": PLATFORMS,
        "zhou-li": PLATFORMS,
        "huang-jiahui": [Platform.ALIPAY, Platform.BAIDU],
        "ho-weng-kin": [Platform.ALIPAY, Platform.BAIDU],
        "lin-yating": [Platform.ALIPAY, Platform.BAIDU],
        "anna-schmidt": [Platform.BAIDU],
    }.items()
    for platform in platforms
]


@pytest.mark.req("REG-7")
@pytest.mark.attack("B1")
@pytest.mark.parametrize(("platform", "who"), FACES)
async def test_a_face_is_pending_until_it_passes(world: World, platform: Platform, who: str) -> None:
    face = world.platforms[platform].face
    request = await world.request(platform, who)
    start = await face.start(request)
    assert await face.verdict(request, start.verification) is FaceVerdict.PENDING
    await world.face(start.verification, "pass")
    assert await face.verdict(request, start.verification) is FaceVerdict.PASSED


@pytest.mark.attack("B1")
@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_face_that_fails_or_is_not_the_documents_has_failed(world: World, platform: Platform) -> None:
    face = world.platforms[platform].face
    stranger = Person(DocumentType.RESIDENT_ID, "陈雨彤", world.person("chen-yutong").number)
    stories = [
        (await world.request(platform, "chen-yutong"), "fail"),
        (await world.request(platform, "ma-chao"), "pass"),
        (await world.request(platform, "chen-yutong", person=stranger), "pass"),
    ]
    for request, outcome in stories:
        start = await face.start(request)
        await world.face(start.verification, outcome)
        assert await face.verdict(request, start.verification) is FaceVerdict.FAILED


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_face_that_was_cancelled_is_no_pass_and_may_be_tried_again(world: World, platform: Platform) -> None:
    face = world.platforms[platform].face
    request = await world.request(platform, "chen-yutong")
    start = await face.start(request)
    await world.face(start.verification, "cancel")
    assert await face.verdict(request, start.verification) in {FaceVerdict.PENDING, FaceVerdict.CANCELLED}
    await world.face(start.verification, "pass")
    assert await face.verdict(request, start.verification) is FaceVerdict.PASSED


@pytest.mark.attack("B2")
@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_pass_of_another_person_does_not_count(world: World, platform: Platform) -> None:
    face = world.platforms[platform].face
    own, foreign = await world.request(platform, "chen-yutong"), await world.request(platform, "li-siyuan")
    await face.start(own)
    passed = await face.start(foreign)
    await world.face(passed.verification, "pass")
    assert await face.verdict(own, passed.verification) is FaceVerdict.FAILED


@pytest.mark.attack("B2")
@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_verification_nobody_opened_is_no_pass(world: World, platform: Platform) -> None:
    request = await world.request(platform, "chen-yutong")
    verdict = await world.platforms[platform].face.verdict(request, "f" * 32)
    assert verdict in {FaceVerdict.FAILED, FaceVerdict.PENDING}


@pytest.mark.parametrize("platform", [Platform.ALIPAY, Platform.BAIDU])
async def test_the_address_for_the_phone_opens_the_camera(world: World, platform: Platform) -> None:
    start = await world.platforms[platform].face.start(await world.request(platform, "chen-yutong"))
    page = await world.control.get(URL(start.client["url"], encoded=True).relative())
    assert page.status == 200
    assert "通过" in await page.text()


async def test_an_address_for_the_phone_that_was_altered_opens_nothing(world: World) -> None:
    start = await world.platforms[Platform.ALIPAY].face.start(await world.request(Platform.ALIPAY, "chen-yutong"))
    other = await world.platforms[Platform.ALIPAY].face.start(await world.request(Platform.ALIPAY, "li-siyuan"))
    altered = start.client["url"].replace(start.verification, other.verification)
    page = await world.control.get(URL(altered, encoded=True).relative())
    assert "验签出错" in await page.text()


@pytest.mark.parametrize("platform", [Platform.WECHAT, Platform.BAIDU])
async def test_calls_go_on_when_the_access_token_has_run_out(
    world: World, clock: ManualClock, platform: Platform
) -> None:
    await world.platforms[platform].face.start(await world.request(platform, "chen-yutong"))
    clock.advance(31 * 24 * 3600)
    await world.platforms[platform].face.start(await world.request(platform, "chen-yutong"))


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_twenty_checks_at_once_are_twenty_checks(world: World, platform: Platform) -> None:
    requests = [await world.request(platform, "chen-yutong") for _ in range(20)]
    starts = await asyncio.gather(*(world.platforms[platform].face.start(request) for request in requests))
    assert len({start.verification for start in starts}) == 20


# ------------------------------------------------------------------------------------------------ authority and faults


@pytest.mark.parametrize(
    ("who", "answer"),
    [
        ("chen-yutong", RegisterAnswer.MATCH),
        ("huang-jiahui", RegisterAnswer.MATCH),
        ("ho-weng-kin", RegisterAnswer.MATCH),
        ("lin-yating", RegisterAnswer.MATCH),
        ("anna-schmidt", RegisterAnswer.MATCH),
        ("aygul-memet", RegisterAnswer.MATCH),
        ("zhou-li", RegisterAnswer.MATCH),
        ("wu-di", RegisterAnswer.MISMATCH),
        ("qian-wenjun", RegisterAnswer.UNKNOWN),
        ("feng-guoqiang", RegisterAnswer.EXPIRED),
        ("he-xiaolei", RegisterAnswer.REFUSED),
    ],
)
async def test_the_authority_tells_each_story(world: World, who: str, answer: RegisterAnswer) -> None:
    finding = await world.authority.check(world.person(who), reference="r" + who.replace("-", ""))
    assert finding.answer is answer
    assert finding.reference


async def test_a_clock_that_is_wrong_is_an_outage_of_the_authority(
    world: World, credentials: SandboxCredentials, clients: HttpClients, clock: ManualClock
) -> None:
    address = str(world.control.make_url(""))
    late = build_authority(
        authority_settings(credentials, address), http=clients, clock=ManualClock(clock.now() - 3_600_000)
    )
    with pytest.raises(VendorUnavailable):
        await late.check(world.person("chen-yutong"), reference="late0")


# -------------------------------------------------------------------------------------------------------- phone button


def given(pressed: dict[str, str], *forms: str) -> PhoneGiven:
    """Return what a button gave in the first of ``forms`` that it has."""
    named: dict[str, Callable[[], PhoneGiven]] = {
        "code": lambda: PhoneCode(pressed["code"]),
        "encryptedData": lambda: SealedPhone(pressed["encryptedData"], pressed["iv"]),
        "data": lambda: SealedPhone(pressed["data"], pressed["iv"]),
        "response": lambda: SignedPhone(pressed["response"], pressed["sign"]),
    }
    return next(named[form]() for form in forms or named if form in pressed)


@pytest.mark.req("LOG-7")
@pytest.mark.parametrize(
    ("platform", "form"),
    [
        (Platform.WECHAT, "code"),
        (Platform.WECHAT, "encryptedData"),
        (Platform.ALIPAY, "response"),
        (Platform.BAIDU, "data"),
    ],
)
async def test_the_number_behind_a_phone_button_is_its_users(world: World, platform: Platform, form: str) -> None:
    clients = world.platforms[platform]
    assert clients.phone is not None
    login = await clients.sign_in.exchange(await world.code(platform, "chen-yutong"))
    pressed = given(await world.press(platform, "chen-yutong"), form)
    assert await clients.phone.number(login, pressed) == VerifiedPhone(world.people["chen-yutong"]["phone"])


@pytest.mark.attack("M6", "Q9")
@pytest.mark.parametrize(
    ("platform", "form"),
    [(Platform.WECHAT, "code"), (Platform.WECHAT, "encryptedData"), (Platform.BAIDU, "data")],
)
async def test_what_a_button_gave_one_user_is_refused_from_another(world: World, platform: Platform, form: str) -> None:
    clients = world.platforms[platform]
    assert clients.phone is not None
    await clients.sign_in.exchange(await world.code(platform, "chen-yutong"))
    other = await clients.sign_in.exchange(await world.code(platform, "li-siyuan"))
    pressed = given(await world.press(platform, "chen-yutong"), form)
    assert await clients.phone.number(other, pressed) is PhoneRefusal.UNPROVED


@pytest.mark.attack("M6")
async def test_a_code_of_the_phone_button_works_once(world: World) -> None:
    clients = world.platforms[Platform.WECHAT]
    assert clients.phone is not None
    login = await clients.sign_in.exchange(await world.code(Platform.WECHAT, "chen-yutong"))
    pressed = given(await world.press(Platform.WECHAT, "chen-yutong"))
    assert isinstance(await clients.phone.number(login, pressed), VerifiedPhone)
    assert await clients.phone.number(login, pressed) is PhoneRefusal.UNPROVED


async def test_a_new_login_displaces_the_key_that_a_button_encrypts_with(world: World) -> None:
    clients = world.platforms[Platform.BAIDU]
    assert clients.phone is not None
    old, new = [await clients.sign_in.exchange(await world.code(Platform.BAIDU, "chen-yutong")) for _ in range(2)]
    pressed = given(await world.press(Platform.BAIDU, "chen-yutong"))
    assert await clients.phone.number(old, pressed) is PhoneRefusal.UNPROVED
    assert isinstance(await clients.phone.number(new, pressed), VerifiedPhone)


async def test_a_user_without_a_number_has_none_at_alipay(world: World) -> None:
    clients = world.platforms[Platform.ALIPAY]
    assert clients.phone is not None
    login = await clients.sign_in.exchange(await world.code(Platform.ALIPAY, "somebody"))
    assert (
        await clients.phone.number(login, given(await world.press(Platform.ALIPAY, "somebody"))) is PhoneRefusal.ABSENT
    )


# ------------------------------------------------------------------------------------------------------------- outages


@pytest.mark.parametrize("mode", ["timeout", "http500", "malformed", "refuse"])
async def test_a_wechat_that_misbehaves_tells_no_number(opened: Opener, mode: str) -> None:
    world = await opened(limits=HttpLimits(total=patience(mode)))
    clients = world.platforms[Platform.WECHAT]
    assert clients.phone is not None
    login = await clients.sign_in.exchange(await world.code(Platform.WECHAT, "chen-yutong"))
    pressed = given(await world.press(Platform.WECHAT, "chen-yutong"))
    await world.fault("wechat", mode)
    with pytest.raises(VendorUnavailable):
        await clients.phone.number(login, pressed)


@pytest.mark.parametrize("mode", ["timeout", "http500", "malformed", "refuse"])
@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_platform_that_misbehaves_is_an_outage_and_well_again_afterwards(
    opened: Opener, platform: Platform, mode: str
) -> None:
    world = await opened(limits=HttpLimits(total=patience(mode)))
    clients = world.platforms[platform]
    request = await world.request(platform, "chen-yutong")
    start = await clients.face.start(request)
    await world.face(start.verification, "pass")
    code = await world.code(platform, "chen-yutong")
    await world.fault(platform.value, mode)
    with pytest.raises(VendorUnavailable):
        await clients.sign_in.exchange(code)
    with pytest.raises(VendorUnavailable):
        await clients.face.start(request)
    with pytest.raises(VendorUnavailable):
        await clients.face.verdict(request, start.verification)
    await world.fault(platform.value, "ok")
    assert await clients.face.verdict(request, start.verification) is FaceVerdict.PASSED
