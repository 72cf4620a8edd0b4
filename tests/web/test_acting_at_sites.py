"""Somebody logs in at a site for an organisation: what they choose, what the site is told, and what ends it."""

from __future__ import annotations

import hashlib
from typing import Any

import jwt
import msgspec
import pytest

from bjidp.clock import DAY, SECOND
from bjidp.oidc.metadata import read
from bjidp.oidc.ports import RegisteredClient
from tests.support.calls import Answer
from tests.support.forms import WebForm, form_of, forms, heading, note, send
from tests.support.members import enrolled
from tests.support.owner import Owner
from tests.support.program import Program
from tests.web.test_authorize import address, followed, told
from tests.web.test_organisations import agent, answers, company, leader, offered, on_probation, registered
from tests.web.test_real_name import PREFIXES
from tests.web.test_relying_parties import METADATA, Site, exchange

pytestmark = pytest.mark.req("ORG-3", "LOG-9", "RP-1")

ASKS = "openid profile organisation offline_access"


@pytest.fixture
async def site(program: Program) -> Site:
    """A site that asks for whom its users act."""
    metadata = METADATA | {"scope": ASKS}
    portal = RegisteredClient(read("portal", metadata), hashlib.sha256(b"secret").digest())
    stores = program.rooms.stores
    await stores.relying_parties.add(portal, msgspec.json.encode(metadata).decode(), program.clock.now())
    return Site(program, await program.caller(), await enrolled(program, username="zhao_liu", phone="15400005690"))


async def sent(owner: Owner, **change: str) -> Answer:
    """Return the page that somebody finds who is sent here by the site."""
    page = await followed(owner.browser, address(scope=ASKS, **change))
    return await owner.get(page.removeprefix(owner.prefix))


def choices(page: Answer) -> dict[str, WebForm]:
    """Return the forms of the page that asks for whom, by what each stands for."""
    return {form.values.get("capacity") or "self": form for form in forms(page) if "request" in form.values}


async def chooses(owner: Owner, page: Answer) -> Answer:
    """Choose the one organisation there is; return the page after it."""
    [form] = [form for key, form in choices(page).items() if key != "self"]
    return await owner.follow(await send(owner.browser, form, "organisation"))


async def agrees(owner: Owner, page: Answer) -> str:
    """Agree; return where the site is answered."""
    answer = await send(owner.browser, form_of(page, f"{owner.prefix}/oauth/continue"), "agree")
    return await followed(owner.browser, str(answer.header("Location")))


async def tokens(site: Site, where: str) -> dict[str, Any]:
    given = await site.ask("/oauth/token", exchange(told(where)["code"]))
    assert given.status == 200, given.text
    return given.json()


def claims(given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(given["id_token"], options={"verify_signature": False})
    return found


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_an_agent_acts_at_a_site_until_the_mandate_ends(program: Program, site: Site, prefix: str) -> None:
    zhang, li = await leader(program), await agent(program, prefix)
    await registered(zhang)
    await offered(zhang)
    await answers(li, "accept")
    known = await company(program)

    page = await sent(li, prompt="consent")
    assert heading(page) == "您这次代表谁登录首都之窗？"
    for words in (known["name"], known["credit_code"], "经办人", "办事申报", "portal.example", "王**"):
        assert words in page.text, words
    page = await chooses(li, page)
    assert f"本次代表：{known['name']}（经办人）" in page.text
    given = await tokens(site, await agrees(li, page))
    organisation = {"credit_code": known["credit_code"], "name": known["name"], "role": "agent", "powers": "filing"}
    found = claims(given)
    assert (found["organisation"], found["act"]) == (organisation, {"sub": found["sub"]})
    userinfo = (await site.get("/oauth/userinfo", given["access_token"])).json()
    assert (userinfo["sub"], userinfo["organisation"]) == (found["sub"], organisation)
    asked = (await site.ask("/oauth/introspect", {"token": given["access_token"]})).json()
    assert (asked["active"], asked["act"], asked["organisation"]) == (True, {"sub": found["sub"]}, organisation)

    await answers(zhang, "end")
    assert (await site.get("/oauth/userinfo", given["access_token"])).status == 401
    assert (await site.ask("/oauth/introspect", {"token": given["access_token"]})).json() == {"active": False}
    refresh = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
    refused = await site.ask("/oauth/token", refresh)
    assert (refused.status, refused.json()["error"]) == (400, "invalid_grant")


async def test_whoever_chooses_themselves_is_told_as_themselves(program: Program, site: Site) -> None:
    zhang = await leader(program)
    await registered(zhang)
    page = await sent(zhang)
    page = await zhang.follow(await send(zhang.browser, choices(page)["self"], "self"))
    assert "本次以本人身份登录" in page.text
    given = await tokens(site, await agrees(zhang, page))
    assert not {"organisation", "act"} & set(claims(given))
    # The next request asks again, though everything was agreed to.
    assert heading(await sent(zhang)) == "您这次代表谁登录首都之窗？"


async def test_whoever_has_chosen_may_choose_anew_before_they_agree(program: Program, site: Site) -> None:
    zhang = await leader(program)
    await registered(zhang)
    page = await chooses(zhang, await sent(zhang))
    assert "（法定代表人）" in page.text
    page = await zhang.follow(await send(zhang.browser, form_of(page, "/oauth/continue"), "whom"))
    assert heading(page) == "您这次代表谁登录首都之窗？"


async def test_nobody_is_asked_who_has_no_organisation(program: Program, site: Site) -> None:
    owner = await agent(program)
    page = await sent(owner)
    assert heading(page) == "授权并登录首都之窗"
    assert "organisation" not in claims(await tokens(site, await agrees(owner, page)))


async def test_an_agreement_is_for_whom_the_page_said(program: Program, site: Site) -> None:
    """Another tab has chosen somebody else meanwhile, in the same request."""
    zhang = await leader(program)
    await registered(zhang)
    page = await sent(zhang)
    for_themselves = await zhang.follow(await send(zhang.browser, choices(page)["self"], "self"))
    await chooses(zhang, page)
    answer = await send(zhang.browser, form_of(for_themselves, "/oauth/continue"), "agree")
    shown = await zhang.follow(answer)
    assert "本次代表" in shown.text
    assert "organisation" in claims(await tokens(site, await agrees(zhang, shown)))


async def test_a_site_that_may_show_no_page_is_told_that_somebody_has_to_be_asked(program: Program, site: Site) -> None:
    zhang = await leader(program)
    await registered(zhang)

    async def error() -> str:
        page = await followed(zhang.browser, address(scope=ASKS, prompt="none"))
        return told(await followed(zhang.browser, page))["error"]

    assert await error() == "consent_required", "it does not learn of somebody's organisations before they agree"
    page = await sent(zhang)
    page = await zhang.follow(await send(zhang.browser, choices(page)["self"], "self"))
    await agrees(zhang, page)
    assert await error() == "interaction_required"


async def test_a_mandate_that_ends_while_its_agent_agrees_is_asked_about_anew(program: Program, site: Site) -> None:
    zhang, li = await leader(program), await agent(program)
    await registered(zhang)
    await offered(zhang)
    await answers(li, "accept")
    page = await sent(li)
    [stale] = [form for key, form in choices(page).items() if key != "self"]
    consent = await chooses(li, page)
    await answers(zhang, "end")
    answer = await send(li.browser, form_of(consent, "/oauth/continue"), "agree")
    page = await li.follow(answer)
    assert "您刚才选的法人，现在不能代表了" in page.text
    refused = await send(li.browser, stale, "organisation")
    assert refused.status == 404
    assert note(refused)
    page = await li.follow(await send(li.browser, choices(page)["self"], "self"))


@pytest.mark.attack("R4")
async def test_a_login_by_a_phone_that_a_face_alone_has_linked_acts_for_nobody_at_a_site(
    program: Program, site: Site
) -> None:
    """Neither by its own choice, nor by one that another session of the same account has made in the same request."""
    zhang = await leader(program)
    await registered(zhang)
    [(account,)] = program.sql("SELECT representative FROM organisation")
    thief = await on_probation(program, account)

    where = await followed(zhang.browser, address(scope=ASKS))
    mine = await zhang.get(where)
    await chooses(zhang, mine)
    page = await thief.get(where)
    assert heading(page) == "您这次代表谁登录首都之窗？", "another session has chosen nothing"
    [form] = [form for key, form in choices(page).items() if key != "self"]
    refused = await send(thief.browser, form, "organisation")
    assert refused.status == 403
    assert note(refused)
    assert "self" in choices(refused)


async def test_an_outage_of_the_register_is_said_on_the_page_of_the_choice(program: Program, site: Site) -> None:
    zhang = await leader(program)
    await registered(zhang)
    [(account,)] = program.sql("SELECT representative FROM organisation")
    program.clock.advance(3 * DAY // SECOND)
    owner = await Owner.of(program, account)
    page = await sent(owner)
    await owner.browser.caller.sandbox("/control/faults", {"service": "register", "mode": "http500"})
    [form] = [form for key, form in choices(page).items() if key != "self"]
    answer = await send(owner.browser, form, "organisation")
    assert (answer.status, answer.header("Retry-After") is not None) == (503, True)
    await owner.browser.caller.sandbox("/control/faults", {"service": "register", "mode": "ok"})
    assert "（法定代表人）" in (await chooses(owner, page)).text
