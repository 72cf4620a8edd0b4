"""Every way in leads whoever a site has sent back to what the site asks for (LOG-8, REG-6)."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from bjidp.oidc.metadata import read
from bjidp.oidc.ports import RegisteredClient
from tests.support.forgetful import Forgetful
from tests.support.forms import form_of, links, send
from tests.support.members import PHONE, USERNAME, enrolled
from tests.support.owner import Owner
from tests.support.program import Program
from tests.web.test_authorize import address, followed, told
from tests.web.test_leading import claims_of
from tests.web.test_login_first import (
    LogIn,
    by_code_on_a_phone,
    by_password,
    by_password_on_a_phone,
    by_qr,
    solved,
)
from tests.web.test_registration import Applicant
from tests.web.test_relying_parties import METADATA, Site

pytestmark = pytest.mark.req("LOG-8")

NEW = "Wansui-2027"


@pytest.fixture
async def site(program: Program) -> Site:
    """A site of another name than the server's own."""
    metadata = METADATA | {"client_name": "办事指南"}
    guide = RegisteredClient(read("portal", metadata), hashlib.sha256(b"secret").digest())
    stores = program.rooms.stores
    await stores.relying_parties.add(guide, msgspec.json.encode(metadata).decode(), program.clock.now())
    return Site(program, await program.caller(), await enrolled(program))


@pytest.mark.req("LOG-2", "LOG-3", "LOG-5", "LOG-6")
@pytest.mark.parametrize(
    ("prefix", "log_in", "amr"),
    [
        ("", by_password, ["pwd"]),
        ("", by_qr, ["qr"]),
        ("/h5", by_password_on_a_phone, ["pwd"]),
        ("/h5", by_code_on_a_phone, ["sms"]),
    ],
)
async def test_a_login_leads_to_the_request_and_is_told_as_what_it_was(
    program: Program, site: Site, prefix: str, log_in: LogIn, amr: list[str]
) -> None:
    browser = await program.browser()
    page = prefix + await followed(browser, address())
    assert await followed(browser, page) == f"{prefix}/login"
    assert await log_in(program, browser) == page
    assert await claims_told(site, Owner(program, browser), page) == {
        "acr": "L3" if amr == ["qr"] else "L1",
        "amr": amr,
    }


async def claims_told(site: Site, somebody: Owner, page: str) -> dict[str, object]:
    """Agree, and return what the site is told of the login."""
    shown = await somebody.get(page)
    agreed = await send(somebody.browser, form_of(shown, page.partition("?")[0]), "agree")
    found = await claims_of(site, told(await followed(somebody.browser, str(agreed.header("Location"))))["code"])
    return {name: found[name] for name in ("acr", "amr")}


@pytest.mark.req("LOG-1", "LOG-5", "UX-5")
@pytest.mark.attack("P3")
async def test_the_page_says_which_site_a_login_is_for(program: Program, site: Site) -> None:
    browser = await program.browser()
    page = await followed(browser, address())
    await followed(browser, page)
    for _ in range(2):
        assert "安全登录办事指南" in (await browser.get("/login")).text
    shown = await browser.get("/login?tab=account")
    assert "安全登录办事指南" in shown.text
    wrong = solved(program, form_of(shown, "/login")).typed(account=USERNAME, password="Wrong-horse7")
    assert "安全登录办事指南" in (await send(browser, wrong)).text
    await followed(browser, f"/h5{page}")
    shown = await browser.get("/h5/login")
    assert "登录后返回：办事指南" in shown.text
    wrong = solved(program, form_of(shown, "/h5/login")).typed(account=PHONE, password="Wrong-horse7", agreed="yes")
    assert "登录后返回：办事指南" in (await send(browser, wrong)).text
    assert "办事指南" not in (await (await program.browser()).get("/login")).text


@pytest.mark.req("REG-1", "REG-3", "REG-6")
@pytest.mark.attack("T4")
@pytest.mark.parametrize("prefix", ["", "/h5"])
async def test_who_registers_for_a_site_goes_on_to_it(program: Program, site: Site, prefix: str) -> None:
    browser = await program.browser()
    page = prefix + await followed(browser, address())
    assert await followed(browser, page) == f"{prefix}/login"
    shown = await browser.get(f"{prefix}/login")
    assert f"{prefix}/register" in links(shown)
    applicant = Applicant(program, browser, f"{prefix}/register")
    await applicant.open(f"{prefix}/register?next=//evil.example")
    await applicant.registers(phone="15400005681", username="wang_wu")
    await applicant.skips()
    await applicant.open(f"{prefix}/register/done")
    assert applicant.heading == "注册成功"
    assert "返回办事指南" in applicant.page
    assert page in applicant.links
    assert await claims_told(site, Owner(program, browser), page) == {"acr": "L1", "amr": ["sms"]}


@pytest.mark.req("REC-1", "REC-3")
@pytest.mark.parametrize("prefix", ["", "/h5"])
async def test_who_has_forgotten_the_password_logs_in_with_the_new_one_and_goes_on(
    program: Program, site: Site, prefix: str
) -> None:
    browser = await program.browser()
    page = prefix + await followed(browser, address())
    await browser.get(await followed(browser, page))
    somebody = await Forgetful.comes(browser, f"{prefix}/recover")
    await somebody.comes_to_the_code(PHONE)
    await somebody.asks()
    await somebody.send(code=await somebody.reads(PHONE))
    await somebody.send(password=NEW, again=NEW)
    log_in = by_password_on_a_phone if prefix else by_password
    assert await log_in(program, browser, NEW) == page


@pytest.mark.attack("Q28", "T1")
async def test_whoever_is_logged_in_by_now_becomes_nobody_else_by_a_login_for_a_site(
    program: Program, site: Site
) -> None:
    """Somebody confirms the code that this browser shows for a site, while its owner has logged in beside it."""
    browser = await program.browser()
    page = await followed(browser, address())
    await followed(browser, page)
    phone, screen = await program.phone(), await browser.screen()
    assert (await phone.confirm(await program.scanned(phone, screen))).status == 200
    grant = (await browser.message("approved"))["grant"]
    owner = await Owner.of(program, site.member.account)
    browser.cookies |= owner.browser.cookies
    assert (await browser.redeem(grant)).verdict == (409, "already_signed_in")
    assert "z***********n" in (await browser.get(page)).text, "the one who sits here is asked, by their name"
