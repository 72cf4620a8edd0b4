"""The synthetic persons in Chromium: every document and story at the phone of each platform, and on the pages.

The mini-program is walked by the whole cast on all three platforms, since its screens say by themselves what a story
comes to. Pages come from the server as they are, and ``tests/web/test_identity_stories.py`` reads them for everybody
at every row: here each row is walked on both kinds of page by somebody whose name or document a browser could spoil,
and whoever is refused is seen to be told what to do. They have a demo of their own: whoever is bound to an account of
a page is new to no phone of another test.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from itertools import count
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import expect

from bjidp.accounts.ports import Evidence
from bjidp.clock import HOUR, SystemClock
from bjidp.entropy import SystemEntropy
from bjidp.person import DocumentType as Kind
from bjidp.person import Person as Proved
from bjidp.proofing.ports import NewIdentity
from bjidp.sandbox.people import DocumentType, Person, Story
from bjidp.sessions.service import Sessions
from tests.browser.conftest import A_PHONE, ComputerFactory, HandsetFactory
from tests.support.accessibility import violations
from tests.support.accounts import member, stores_at
from tests.support.browser import SESSION
from tests.support.calls import Deployment
from tests.support.cast import PAGES, PHONES, Place, people, played, staged
from tests.support.chromium import Chromium, beside_browsers
from tests.support.computer import Computer
from tests.support.demo import Demo
from tests.support.gallery import Gallery
from tests.support.handset import PLATFORMS, Handset
from tests.support.identities import prove
from tests.support.owner import BY_PASSWORD
from tests.support.registrant import Registrant
from tests.support.screens import gets_a_code, proves_it
from tests.web.test_identity_stories import BY_BANK, DENIED, NEIGHBOUR, SHOWN_BY

PASSWORD: Final = "Wansui-wansui-7"
_NUMBERS: Final = count(1)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo of these tests' own."""
    running = Demo(tmp_path_factory.mktemp("stories"))
    yield running
    running.stop()


@pytest.fixture
def number() -> str:
    """A number of nobody's."""
    return f"1541003{next(_NUMBERS):04}"


class Screens:
    """Computers, and the browsers of phones."""

    def __init__(self, computer_at: ComputerFactory, handheld_at: ComputerFactory) -> None:
        """Switch them on with these."""
        self._at = {Place.PC: computer_at, Place.H5: handheld_at}

    async def at(self, town: Demo, place: Place) -> Computer:
        """Return one at the demo."""
        return await self._at[place](town)

    async def logged_in(
        self, town: Demo, place: Place, number: str, has: Person | None = None, evidence: Evidence = Evidence.FACE
    ) -> Computer:
        """Return one that is logged in to a new account with a number and, if it ``has`` one, an identity."""
        screen = await self.at(town, place)
        await joins(town, number, has, evidence, screen)
        return screen


@pytest.fixture
def screens(computer_at: ComputerFactory, handheld_at: ComputerFactory) -> Screens:
    """Screens of both kinds."""
    return Screens(computer_at, handheld_at)


async def joins(
    town: Demo, number: str, has: Person | None, evidence: Evidence = Evidence.FACE, screen: Computer | None = None
) -> None:
    """Register an account without the pages that lead there; log ``screen`` in to it."""
    async with stores_at(town.config) as stores:
        now = SystemClock().now()
        account = await member(stores, now, username=f"story_{number[-8:]}", phone=number, password=PASSWORD)
        if has is not None:
            new = NewIdentity(
                person=person_of(has),
                evidence=evidence,
                evidence_reference=number,
                authority_reference="A1",
            )
            await prove(stores.identities, account, new, now)
        if screen is not None:
            sessions = Sessions(stores.sessions, SystemClock(), SystemEntropy(), 12 * HOUR)
            cookie = await sessions.start(account, BY_PASSWORD, None)
            name = Deployment(town.server, town.sandbox, town.server).cookie(SESSION)
            await screen.page.context.add_cookies([{"name": name, "value": cookie, "url": town.server}])


async def free(town: Demo, who: Person) -> None:
    """Let no account have somebody's identity."""
    async with stores_at(town.config) as stores:
        holder = await stores.accounts.holder_of(person_of(who))
        if holder is not None:
            await stores.identities.unbind(holder.account, SystemClock().now())


def person_of(who: Person) -> Proved:
    """Return a person of the sandbox as the server knows them."""
    return Proved(Kind(who.document_type.value), who.name, who.document_number)


def centre(place: Place, setting: str = "") -> str:
    """Return the address of 个人中心, or of one of its settings."""
    return f"{'/h5' if place is Place.H5 else ''}/centre{setting and f'/{setting}'}"


async def states(screen: Computer, place: Place, who: Person, *, whole: bool = True) -> None:
    """Fill the form of an identity in as it stands on somebody's document, and send it."""
    page = screen.page
    if whole:
        await page.get_by_label("证件类型").select_option(who.document_type.value)
    await page.get_by_label("真实姓名" if place is Place.H5 else "姓名", exact=True).fill(who.name)
    await page.get_by_role("textbox", name=re.compile("^(身份证号|证件号码)$")).fill(who.document_number)
    if whole:
        if who.document_type is not DocumentType.RESIDENT_ID:
            await page.get_by_label("性别").select_option(who.gender)
        await page.get_by_label("生效日期", exact=True).fill(who.valid_from.isoformat())
        if who.valid_to is None:
            await page.get_by_label("长期").check()
        else:
            await page.locator("#f-valid_to").fill(who.valid_to.isoformat())
    await page.get_by_role("button", name="认证", exact=True).click()


async def is_told_what_to_do(screen: Computer, who: Person) -> None:
    """Wait for the refusal that fits somebody's story, with what was typed kept."""
    page = screen.page
    if who.story is Story.EXPIRED:
        await expect(page.get_by_role("main")).to_contain_text("请换领新证件后再")
    else:
        await expect(page.get_by_role("alert")).to_contain_text("请核对后重新校验")
    await expect(page.get_by_label(re.compile("姓名$"))).to_have_value(who.name)


# ------------------------------------------------------------------------------------------------------- the phone


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def handset(town: Demo, chromium: Chromium, gallery: Gallery) -> AsyncIterator[Handset]:
    """The one phone of the cast: a new one for everybody takes longer than what somebody does with it.

    Whenever the simulator is opened it has forgotten everything, as in a new tab.
    """
    context = await chromium.context({**A_PHONE, "base_url": town.sandbox})
    await context.add_init_script("sessionStorage.clear()")
    yield Handset(await context.new_page(), gallery)
    await context.close()


@beside_browsers
async def phone(handset: Handset) -> AsyncIterator[Handset]:
    """The phone of the cast, handed to the next of them; none of its scripts may have failed."""
    handset.faults.clear()
    yield handset
    assert handset.faults == []


@pytest.mark.req("REG-7", "LOG-7", "RNV-1", "RNV-10")
@played(*PHONES)
async def test_somebody_opens_jingtong_for_the_first_time_and_again(phone: Handset, place: Place, who: Person) -> None:
    await phone.log_in(who.name, place)
    if place is Place.WECHAT and who.story is Story.HIGH_RISK:
        await phone.shows("平台认为这个用户有风险", "换一个平台打开京通")
        return
    if who.document_type not in SHOWN_BY[place]:
        await phone.root.get_by_role("checkbox").check()
        await phone.press("开始人脸识别")
        others = "、".join(PLATFORMS[other] for other in PHONES if who.document_type in SHOWN_BY[other])
        await phone.heading("这里不能核验这种证件")
        await phone.shows(f"请在{others}里打开京通")
        return
    await phone.starts_face_check()
    await phone.face("通过")
    if who.story is Story.FACE_FAILS:
        await phone.shows("人脸识别没有通过", "由本人再试一次")
    elif who.story is Story.EXPIRED:
        await phone.shows("证件已过有效期", "请换领新证件后再认证")
    elif who.story in DENIED:
        await phone.shows("姓名与证件号码不一致", "请核对后重新校验")
    else:
        await phone.is_home(f"{who.name[0]}**")
        await phone.comes_back(who.name, place)
        await phone.is_home(f"{who.name[0]}**")


# ------------------------------------------------------------------------------------------------------- the pages


@pytest.mark.req("REG-4", "RNV-10")
@played(Place.PC, by=people("aygul-memet", "wu-di"))
async def test_somebody_who_registers_at_a_computer_states_name_and_number(
    town: Demo, screens: Screens, number: str, place: Place, who: Person
) -> None:
    await free(town, who)
    screen = await screens.at(town, place)
    await registers(town, screen, "/register", number)
    await states(screen, place, who, whole=False)
    await comes_to(screen, who)


@pytest.mark.req("REG-5", "RNV-10")
@played(Place.H5, by=people("elena-garcia", "feng-guoqiang"))
async def test_somebody_who_registers_on_a_phone_states_the_whole_document(
    town: Demo, screens: Screens, number: str, place: Place, who: Person
) -> None:
    await free(town, who)
    screen = await screens.at(town, place)
    await registers(town, screen, "/h5/register", number)
    await states(screen, place, who)
    await comes_to(screen, who)


async def registers(town: Demo, screen: Computer, path: str, number: str) -> None:
    """Go through the form of a registration, as far as 实名认证."""
    somebody = Registrant(screen, town, path)
    await somebody.open()
    await somebody.names(number, f"story_{number[-4:]}" if path == "/register" else None)
    await somebody.asks_for_a_code()
    await somebody.completes(await somebody.code(number))
    await somebody.sends()
    await expect(screen.page).to_have_url(re.compile(f"{path}/identity$"))


async def comes_to(screen: Computer, who: Person) -> None:
    """Wait for what becomes of an identity that was stated in a registration."""
    if who.story in DENIED:
        await is_told_what_to_do(screen, who)
        assert await violations(screen.page) == []
    else:
        await expect(screen.page.get_by_text("认证成功，您的账号达到初级认证")).to_be_visible()


TYPED: Final = people("chen-yutong", "huang-jiahui", "ho-weng-kin", "lin-yating", "anders-holm", "wang-jianguo")
"""One of each document, and of each term."""


@pytest.mark.req("RNV-1", "RNV-2", "RNV-10")
@played(*PAGES, by=[*TYPED, *people("long-name", "he-xiaolei")])
async def test_somebody_proves_name_and_number_with_each_document(
    town: Demo, screens: Screens, number: str, place: Place, who: Person
) -> None:
    await free(town, who)
    screen = await screens.logged_in(town, place, number)
    page = screen.page
    await page.goto(centre(place, "real_name"))
    await proves_it(town, screen, number)
    await states(screen, place, who)
    if who.story in DENIED:
        await is_told_what_to_do(screen, who)
        return
    await expect(page.get_by_role("heading", name="认证成功")).to_be_visible()
    await page.goto(centre(place))
    await expect(page.get_by_role("main")).to_contain_text("初级认证")
    await expect(page.get_by_role("heading", name=f"{who.name[0]}**", exact=True)).to_be_visible()


@pytest.mark.req("RNV-4", "RNV-10")
@staged({Place.PC: people("zhao-min", "luo-bin"), Place.H5: people("sun-haoran", "xu-jing", "jiang-wen")})
async def test_somebody_proves_four_factors(
    town: Demo, screens: Screens, number: str, place: Place, who: Person
) -> None:
    await free(town, who)
    screen = await screens.logged_in(town, place, number)
    await screen.page.goto(centre(place, "bank_card"))
    await proves_it(town, screen, number)
    await shows_a_card(town, screen, who)
    if who.story in BY_BANK:
        await expect(screen.page.get_by_role("alert")).to_contain_text("请联系发卡银行")
        assert await violations(screen.page) == []
    else:
        await expect(screen.page.get_by_role("heading", name="银行卡认证成功")).to_be_visible()


async def shows_a_card(town: Demo, screen: Computer, who: Person) -> None:
    """Fill in the four factors, with the code that the reserved number gets, and send them."""
    page = screen.page
    await page.get_by_label("姓名", exact=True).fill(who.name)
    await page.get_by_label("身份证号", exact=True).fill(who.document_number)
    await page.get_by_label("银行卡号", exact=True).fill(who.cards[0])
    await page.get_by_label("预留手机号", exact=True).fill(who.phone)
    await gets_a_code(town, screen, who.phone)
    await page.get_by_role("button", name="认证", exact=True).click()


@pytest.mark.req("RNV-5", "RNV-10")
@staged({Place.PC: people("wang-lang", "qian-wenjun"), Place.H5: people("zhou-li")})
async def test_somebody_exchanges_the_identity_of_an_account(
    town: Demo, screens: Screens, number: str, place: Place, who: Person
) -> None:
    for one in (who, NEIGHBOUR):
        await free(town, one)
    screen = await screens.logged_in(town, place, number, NEIGHBOUR)
    page = screen.page
    await page.goto(centre(place, "exchange"))
    await proves_it(town, screen, number)
    await states(screen, place, who)
    if who.story in DENIED:
        await is_told_what_to_do(screen, who)
        return
    await expect(page.get_by_role("heading", name="换绑成功，账号已是新的实名身份")).to_be_visible()
    await page.goto(centre(place))
    await expect(page.get_by_role("heading", name=f"{who.name[0]}**", exact=True)).to_be_visible()


@pytest.mark.req("RNV-6")
@played(*PAGES, by=people("anna-schmidt"))
async def test_somebody_gives_the_identity_of_an_account_up(
    town: Demo, screens: Screens, number: str, place: Place, who: Person
) -> None:
    await free(town, who)
    screen = await screens.logged_in(town, place, number, who)
    page = screen.page
    await page.goto(centre(place, "unbind"))
    await page.get_by_role("button", name="确认解绑", exact=True).click()
    await gets_a_code(town, screen, number)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="已解绑")).to_be_visible()
    await page.goto(centre(place))
    await expect(page).to_have_url(re.compile("/login"))


@pytest.mark.req("RNV-7")
@played(*PAGES, by=people("guo-xiaoyu"))
async def test_somebody_is_led_to_the_proofs_that_bring_their_identity_here(
    town: Demo, screens: Screens, number: str, place: Place, who: Person
) -> None:
    await free(town, who)
    await joins(town, f"1541004{number[-4:]}", who, Evidence.NAME_AND_NUMBER)
    screen = await screens.logged_in(town, place, number)
    page = screen.page
    await page.goto(centre(place, "real_name"))
    await proves_it(town, screen, number)
    await states(screen, place, who)
    await expect(page.get_by_role("heading", name="这个身份已绑定另一个账号")).to_be_visible()
    await expect(page.get_by_role("main")).to_contain_text("人脸识别")
    await expect(page.get_by_role("link", name=re.compile("银行卡认证"))).to_be_visible()
    assert await violations(page) == []


@pytest.mark.req("RNV-7")
@played(*PHONES, by=people("zhou-mingxuan"))
async def test_somebody_takes_their_identity_to_a_new_account_by_a_face(
    town: Demo, phone_at: HandsetFactory, number: str, place: Place, who: Person
) -> None:
    await free(town, who)
    await joins(town, number, who, Evidence.NAME_AND_NUMBER)
    phone = await phone_at(town)
    await phone.log_in(who.name, place)
    await phone.starts_face_check()
    await phone.face("通过")
    await phone.heading("这个账号是您的吗？")
    await phone.shows(f"{number[:3]}****{number[-4:]}")
    await phone.press("不是我的，或手机号不用了")
    await phone.press("新建账号并登录")
    await phone.is_home(f"{who.name[0]}**")
