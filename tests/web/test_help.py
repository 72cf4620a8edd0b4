"""The help: every page that is led to is there, and says what to do."""

from __future__ import annotations

import re

import pytest

from bjidp.web.pages.help import Article, HelpPage, Task
from tests.support.forms import links
from tests.support.program import Program


@pytest.mark.req("FAQ-2")
@pytest.mark.parametrize("prefix", ["", "/h5"])
async def test_every_question_of_the_list_has_its_page(program: Program, prefix: str) -> None:
    browser = await program.browser()
    index = await browser.get(f"{prefix}/help")
    assert index.status == 200
    led = set(re.findall(rf'href="({prefix}/help/[a-z-]+)"', index.text))
    assert {f"{prefix}/help/{article.value}" for article in Article} | {f"{prefix}/help/manual"} == led
    # The manual's seven, and what a legal person, a new owner of an old number and who appeals ask.
    assert len(HelpPage.questions) == 7 + 3
    for path in led:
        page = await browser.get(path)
        assert page.status == 200, path
        assert "<h1" in page.text
    assert not browser.cookies


@pytest.mark.req("FAQ-2", "FAQ-1")
async def test_whoever_gets_no_message_is_told_the_limits_and_another_way_in(program: Program) -> None:
    page = (await (await program.browser()).get("/help/no-sms")).text
    assert "1小时内最多收5条" in page
    assert "24小时内最多收10条" in page
    assert "创蓝云智" in page
    assert 'href="/login"' in page


@pytest.mark.req("REG-8", "LOG-6", "FAQ-2")
async def test_whose_number_was_somebody_elses_before_is_led_to_an_account_without_it(program: Program) -> None:
    """Neither registering nor logging in gets them on: the number is on the account of whoever had it before."""
    page = await (await program.browser()).get("/h5/help/number-used")
    for way in (
        "打开京通小程序，用您本人的证件和人脸登录",
        "绑定手机号",
        "联系统一认证平台客服",
        "用您的另一个手机号注册",
    ):
        assert way in page.text
    assert {"/h5/register", "/h5/login"} <= links(page)


@pytest.mark.req("LOG-1", "FAQ-2")
async def test_the_manual_tells_every_task_on_one_page(program: Program) -> None:
    browser = await program.browser()
    page = (await browser.get("/help/manual")).text
    for task in (
        "注册账号",
        "扫码登录",
        "账号登录",
        "找回密码",
        "实名认证",
        "人脸识别认证",
        "银行卡认证",
        "换绑、解绑",
        "人工申诉",
        "登记法人、邀请经办人",
        "法人登录",
        "注销账号",
        "修改密码",
        "修改手机号",
        "绑定邮箱",
        "修改用户名",
        "设置民族",
        "我的设备",
        "登录记录",
    ):
        assert f">{task}</h2>" in page
    assert page.count('class="manual-picture"') == page.count('class="manual-steps"') == len(Task)


@pytest.mark.parametrize("prefix", ["", "/h5"])
async def test_a_page_that_there_is_not_is_said_not_to_be_there(program: Program, prefix: str) -> None:
    answer = await (await program.browser()).get(f"{prefix}/help/nonsense")
    assert (answer.status, f"{prefix}/login" in links(answer)) == (404, True)
