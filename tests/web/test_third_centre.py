"""What an account is logged in to by elsewhere, on its pages, and what ends with it."""

from __future__ import annotations

from typing import Final

import pytest

from bjidp.accounts.notices import NoticeKind
from bjidp.clock import DAY
from bjidp.oidc.grants.code import Approval, Authentication
from bjidp.oidc.grants.grant import Grant, fresh
from bjidp.oidc.scopes import Scope
from bjidp.platforms import Provider
from bjidp.sessions.ports import Way
from bjidp.standing import Level, Standing
from bjidp.web.words.texts import Texts
from tests.support.browser import Browser
from tests.support.forms import forms, heading, links, post, send
from tests.support.inbox import arrived, code_to
from tests.support.members import PHONE, enrolled
from tests.support.owner import Owner
from tests.support.program import Program
from tests.support.providers import come_back
from tests.support.third_logins import (
    PROVIDERS,
    bound,
    chosen,
    linked,
    newcomer,
    sessions,
    unbinds,
    where,
)
from tests.web.test_relying_parties import Site, site

pytestmark = pytest.mark.req("LOG-4")

__all__ = ["site"]

TEXTS: Final = Texts.load("zh_CN")


@pytest.fixture
async def member(program: Program) -> Standing:
    return await enrolled(program)


async def owner_of(program: Program, browser: Browser) -> Owner:
    """Return whoever has bound something by a code to the number, once the next code may be asked for."""
    owner = Owner(program, browser)
    owner.code = await code_to(browser.caller.sandbox, PHONE)
    program.clock.advance(61)
    return owner


@pytest.mark.req("ACC-8", "SES-2")
async def test_the_owner_sees_what_is_bound_and_unbinds_it(program: Program, member: Standing) -> None:
    owner = await owner_of(program, await bound(program, Provider.WECHAT))
    other = await program.browser()
    await come_back(other, Provider.WECHAT)
    assert "/centre/third" in links(await owner.get("/centre"))
    shown = await owner.get("/centre/third")
    assert [text in shown.text for text in ("绑定的第三方账号", "国家政务服务平台", "已绑定", "未绑定")] == [True] * 4
    done = await unbinds(owner, Provider.WECHAT)
    assert heading(done) == "解绑成功，不能再用它登录"
    assert await linked(program, member.account) == []
    assert where(await other.get("/centre"))[0] == 303, "what it had logged in is over"
    assert (await owner.get("/centre")).status == 200
    await arrived(owner.browser.caller.sandbox, PHONE, words="解绑了一个第三方账号")
    notices = await program.rooms.stores.members.notices(member.account, 5)
    assert [notice.kind for notice in notices] == [NoticeKind.EXTERNAL_UNLINKED, NoticeKind.EXTERNAL_LINKED]
    await newcomer(await program.browser(), Provider.WECHAT)


@pytest.mark.attack("P7", "R4")
async def test_nothing_is_unbound_without_proof_or_choice(program: Program, member: Standing) -> None:
    owner = await owner_of(program, await bound(program, Provider.WECHAT))
    form = next(form for form in forms(await owner.get("/centre/third")) if "unlink" in form.acts)
    flow = await chosen(owner, "unlink", Provider.WECHAT)
    unproved = form.values | {"flow": flow.removeprefix("?flow="), "act": ""}
    unproved.pop("provider")
    assert where(await post(owner.browser, "/centre/unlink", unproved)) == (303, "/centre/unlink")
    assert await linked(program, member.account) == [Provider.WECHAT]
    for wrong in ({"provider": "evil", "act": "unlink"}, {"act": "destroy"}, {"act": ""}):
        assert (await post(owner.browser, "/centre/third", form.values | wrong)).status == 400
    # What is bound is not bound again, and what is not is not unbound: the page says how it stands.
    for act, provider in (("link", "wechat"), ("unlink", "baidu")):
        answer = await post(owner.browser, "/centre/third", form.values | {"provider": provider, "act": act})
        assert where(answer) == (303, "/centre/third")
    # Nothing was chosen, or it is forgotten.
    for setting in ("link", "unlink"):
        for said in ("", "?flow=over", f"?flow={'A' * 22}"):
            answer = await owner.get(f"/centre/{setting}{said}")
            assert (answer.status, answer.header("Location")) == (303, "/centre/third?said=over")
        asks = {"csrf": form.values["csrf"], "act": "code", "captcha": "any", "captcha_id": "any"}
        answer = await post(owner.browser, f"/centre/{setting}/identity", asks)
        assert where(answer) == (303, f"/centre/{setting}")
    assert "请先选择" in (await owner.get("/centre/third?said=over")).text


async def away(program: Program, account: str) -> Grant:
    """Let a site read while its user is away, by what was agreed in the session that a provider's user has opened."""
    opened = next(one for one in await sessions(program, account) if one.login.way is Way.EXTERNAL)
    standing = await program.rooms.stores.accounts.standing(account)
    assert standing is not None
    now = program.clock.now()
    authentication = Authentication(now, Level.L1, ("fed",))
    approval = Approval(
        client="portal", account=account, ref=standing.ref, session=opened.id, epoch=standing.epoch,
        scopes=(Scope.OPENID, Scope.OFFLINE_ACCESS), authentication=authentication,
    )  # fmt: skip
    return await program.rooms.stores.grants.begin(fresh(approval, DAY, program.rooms.entropy, now), "portal", now)


async def lives(program: Program, grant: Grant) -> bool:
    return await program.rooms.stores.grants.find(grant.id, program.clock.now()) is not None


@pytest.mark.attack("T3")
async def test_what_is_unbound_leaves_nothing_that_it_has_agreed_to(program: Program, site: Site) -> None:
    owner = await owner_of(program, await bound(program, Provider.WECHAT))
    await come_back(await program.browser(), Provider.WECHAT)
    grant = await away(program, site.member.account)
    assert await lives(program, grant)
    await unbinds(owner, Provider.WECHAT)
    assert not await lives(program, grant)


@pytest.mark.attack("T3", "T9")
async def test_what_somebody_elses_user_had_logged_in_is_over_once_the_own_takes_its_place(
    program: Program, site: Site
) -> None:
    await bound(program, Provider.WECHAT, user="li-siyuan")
    other = await program.browser()
    await come_back(other, Provider.WECHAT, "li-siyuan")
    grant = await away(program, site.member.account)
    program.clock.advance(61)
    by_another = await program.browser()
    await bound(program, Provider.BAIDU)
    await come_back(by_another, Provider.BAIDU)
    program.clock.advance(61)
    await bound(program, Provider.WECHAT)
    assert where(await other.get("/centre"))[0] == 303
    assert not await lives(program, grant)
    assert (await by_another.get("/centre")).status == 200


@pytest.mark.req("SES-1", "SES-3")
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_the_log_and_the_devices_name_the_provider(
    program: Program, member: Standing, provider: Provider
) -> None:
    name = TEXTS.plain(f"provider.{provider}")
    await bound(program, provider)
    browser = await program.browser()
    await come_back(browser, provider)
    # The session that asks goes on, whatever it came by.
    await unbinds(await owner_of(program, browser), provider)
    for prefix in ("", "/h5"):
        log = await browser.get(f"{prefix}/centre/log")
        assert log.status == 200
        assert [words in log.text for words in ("绑定第三方账号", "解绑第三方账号", f"<p>{name}</p>")] == [True] * 3
        for page in ("/centre", "/centre/devices", "/centre/log"):
            assert f"{name}账号登录" in (await browser.get(prefix + page)).text, page


@pytest.mark.req("SES-2")
@pytest.mark.attack("R4")
async def test_not_me_takes_what_somebody_else_has_bound_away(program: Program, member: Standing) -> None:
    owner = await Owner.of(program, member.account)
    await bound(program, Provider.BAIDU)
    shown = await owner.get("/centre")
    assert "您的账号绑定了一个百度账号" in shown.text
    denial = next(form for form in forms(shown) if form.values.get("change") == "yes")
    assert (await send(owner.browser, denial)).status == 200
    assert await linked(program, member.account) == []
    assert await sessions(program, member.account) == []
    await newcomer(await program.browser(), Provider.BAIDU)
