"""银行卡认证 on pages, without a script."""

from __future__ import annotations

from typing import Any

import pytest

from bjidp.accounts.ports import Evidence
from bjidp.standing import Standing
from tests.support.forms import WebForm, form_of, heading, links, note, send
from tests.support.inbox import messages
from tests.support.members import PHONE, enrolled
from tests.support.owner import Owner
from tests.support.program import Program
from tests.web.test_real_name import PREFIXES, bound, give

pytestmark = pytest.mark.req("RNV-4")


async def everybody(program: Program) -> dict[str, dict[str, Any]]:
    """Return the sandbox's persons by their ids."""
    listed = await (await program.browser()).caller.sandbox("/control/people")
    return {who["id"]: who for who in listed}


def filled(form: WebForm, who: dict[str, Any], phone: str | None = None, card: str | None = None) -> WebForm:
    """Return the form with the person's four factors."""
    return form.typed(
        name=who["name"],
        document_number=who["document_number"],
        card_number=card or who["cards"][0],
        phone=phone or who["phone"],
    )


async def coded(owner: Owner, form: WebForm, phone: str) -> WebForm:
    """Have the code sent to the reserved number; return the form with it."""
    page = await owner.follow(await send(owner.browser, owner.solved(form), "code"))
    again = form_of(page, form.action)
    return form.typed(flow=again.values["flow"], captcha="", code=await owner.code_to(phone))


@pytest.fixture
async def member(program: Program) -> Standing:
    """Somebody who registered on a page."""
    return await enrolled(program)


@pytest.mark.req("ACC-8", "UX-4")
@pytest.mark.parametrize("prefix", PREFIXES)
async def test_somebody_proves_themselves_by_a_card_in_three_steps(
    program: Program, member: Standing, prefix: str
) -> None:
    who = (await everybody(program))["chen-yutong"]
    owner = await Owner.of(program, member.account, prefix)
    assert f"{prefix}/centre/bank_card" in links(await owner.get("/centre"))
    page = await owner.proves("bank_card")
    for said in (
        "提示：仅支持借记卡认证，暂不支持信用卡",
        "该手机号必须和银行卡预留的手机号一致，并且银行卡开通了网银",
    ):
        assert said in page.text
    form = form_of(page, f"{prefix}/centre/bank_card")
    assert form.fields == ["name", "document_number", "card_number", "phone", "captcha", "code"]
    form = await coded(owner, filled(form, who), who["phone"])
    page = await owner.follow(await send(owner.browser, form))
    assert heading(page) == "银行卡认证成功"
    found = await bound(program, member.account)
    assert found is not None
    assert (found.person.name, found.evidence, found.level(program.clock.now())) == (who["name"], Evidence.BANK_CARD, 3)
    page = await owner.get("/centre")
    assert "中级认证" in page.text
    assert who["cards"][0] not in page.text


@pytest.mark.parametrize(
    "person", ["xu-jing", "luo-bin", "jiang-wen"], ids=["the phone differs", "the card is lost", "the card is over"]
)
async def test_a_no_of_the_bank_is_told_with_what_to_do_and_charged_once(
    program: Program, member: Standing, person: str
) -> None:
    who = (await everybody(program))[person]
    await give(program, member.account, who, Evidence.NAME_AND_NUMBER)
    owner = await Owner.of(program, member.account)
    form = form_of(await owner.proves("bank_card"), "/centre/bank_card")
    form = await coded(owner, filled(form, who), who["phone"])
    for _ in range(2):
        answer = await send(owner.browser, form)
        assert answer.status == 422
        assert "银行核对的信息不一致" in note(answer)
        assert "请联系发卡银行" in answer.text
    assert len(await owner.browser.caller.sandbox("/control/charges?service=bank")) == 1
    found = await bound(program, member.account)
    assert found is not None
    assert found.level(program.clock.now()) == 2


@pytest.mark.req("RNV-1")
async def test_whose_document_has_run_out_is_told_what_comes_first(program: Program, member: Standing) -> None:
    who = (await everybody(program))["chen-yutong"]
    await give(program, member.account, who, Evidence.BANK_CARD)
    program.sql("UPDATE identity SET runs_out_at = ?", program.clock.now())
    owner = await Owner.of(program, member.account)
    # Neither of the two ways to L3 counts as gone by then.
    assert {"/centre/real_name", "/centre/bank_card", "/centre/face"} <= links(await owner.get("/centre"))
    # Before 验证身份: no code is sent for nothing.
    shown = await owner.get("/centre/bank_card")
    assert "您的证件已过有效期" in shown.text
    assert "/centre/real_name" in links(shown)
    assert await messages(owner.browser.caller.sandbox, PHONE) == []
    # It runs out while the form is filled in.
    program.sql("UPDATE identity SET runs_out_at = NULL")
    form = form_of(await owner.proves("bank_card"), "/centre/bank_card")
    program.sql("UPDATE identity SET runs_out_at = ?", program.clock.now())
    answer = await send(owner.browser, owner.solved(filled(form, who)), "code")
    assert "您的证件已过有效期" in (await owner.follow(answer)).text
    assert await owner.browser.caller.sandbox("/control/charges?service=bank") == []


async def test_a_credit_card_is_refused_beside_its_field(program: Program, member: Standing) -> None:
    who = (await everybody(program))["chen-yutong"]
    owner = await Owner.of(program, member.account)
    form = form_of(await owner.proves("bank_card"), "/centre/bank_card")
    form = await coded(owner, filled(form, who, card=who["cards"][1]), who["phone"])
    code = form.values["code"]
    again = form_of(await send(owner.browser, form), "/centre/bank_card")
    assert again.faults["card_number"] == "仅支持借记卡认证，暂不支持信用卡"
    assert again.values["card_number"] == who["cards"][1]
    # Nobody has looked at the code yet, so it need not be typed once more.
    assert code
    assert again.values["code"] == code


@pytest.mark.parametrize("mode", ["http500", "malformed"])
async def test_a_bank_that_is_away_is_said_and_the_same_form_serves_again(
    program: Program, member: Standing, mode: str
) -> None:
    who = (await everybody(program))["chen-yutong"]
    owner = await Owner.of(program, member.account)
    form = form_of(await owner.proves("bank_card"), "/centre/bank_card")
    form = await coded(owner, filled(form, who), who["phone"])
    await owner.browser.caller.sandbox("/control/faults", {"service": "bank", "mode": mode})
    answer = await send(owner.browser, form)
    assert answer.status == 503
    await owner.browser.caller.sandbox("/control/faults", {"service": "bank", "mode": "ok"})
    assert (await send(owner.browser, form)).status == 303
    assert len(await owner.browser.caller.sandbox("/control/charges?service=bank")) == 1
