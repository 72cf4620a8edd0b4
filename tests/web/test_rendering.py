"""Every page renders with its sample, every text is there, and nothing asks another host or runs inline."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from msgspec.structs import replace

import bjidp.web
from bjidp.accounts.ethnicity import CODES
from bjidp.accounts.fields import Field
from bjidp.accounts.notices import NoticeKind
from bjidp.accounts.password import PasswordFault
from bjidp.accounts.ports import Evidence
from bjidp.accounts.username import UsernameFault
from bjidp.audit.event import EventKind
from bjidp.errors import Retryable
from bjidp.miniprogram.ports import MiniSessionEnd
from bjidp.oidc.grants.grant import GrantEnd
from bjidp.organisations.errors import Refusal
from bjidp.organisations.mandates import By, Scope, State
from bjidp.organisations.organisation import Loss, Role
from bjidp.person import Sex
from bjidp.platforms import Provider
from bjidp.sandbox.business_register.organisations import organisations
from bjidp.sandbox.people.population import population
from bjidp.sessions.ports import SessionEnd, Way
from bjidp.standing import Level
from bjidp.verification.mail_address import mail_address
from bjidp.verification.number import mobile_number
from bjidp.verification.ranges import NOT_SERVED, is_synthetic, is_synthetic_mail
from bjidp.web.pages.assets import StaticFiles
from bjidp.web.pages.catalog import ALL
from bjidp.web.pages.centre import CentrePage
from bjidp.web.pages.ending import ErrorPage, Message, MessagePage
from bjidp.web.pages.login import LoginPage, SignedInPage, Tab
from bjidp.web.pages.organisations import Done
from bjidp.web.pages.qr import QrState, QrStatePage, VerifyPage
from bjidp.web.pages.registration import RegisteredPage
from bjidp.web.pages.rendering import Renderer, Use, templates_root, uses
from bjidp.web.pages.settings import IdentityPage, Setting, SettingDonePage, SettingPage
from bjidp.web.pages.shell import Page, Shell
from bjidp.web.words.advice import advice
from bjidp.web.words.texts import DEMO, MissingText, Texts

FILES = StaticFiles.load()
TEXTS = Texts.load("zh_CN")
RENDERER = Renderer(Shell(sandbox=True, portal_url="http://localhost:8082/"), FILES, TEXTS)
IN_PRODUCTION = Renderer(Shell(sandbox=False), FILES, TEXTS)
SETTINGS = get_args(Setting)
HOSTILE = "\"><svg onload=alert(1)>'"


class Elements(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def values(self, tag: str, name: str) -> list[str | None]:
        return [attributes[name] for found, attributes in self.found if found == tag and name in attributes]


def words(page: bytes) -> str:
    """Return the page as one line without markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.decode()))


@pytest.mark.req("UX-1", "LOG-1")
@pytest.mark.parametrize("page", ALL, ids=lambda page: page.__name__)
def test_every_page_renders_with_its_sample(page: type[Page]) -> None:
    html = RENDERER.render(page.sample()).decode()
    assert html.startswith('<!doctype html>\n<html lang="zh-CN">')
    assert "%(" not in html


@pytest.mark.req("UX-3")
@pytest.mark.parametrize("page", [page for page in ALL if hasattr(page, "h5")], ids=lambda page: page.__name__)
def test_a_page_for_phones_leads_to_pages_for_phones(page: type[Page]) -> None:
    sample = page.sample()
    if "h5" in type(sample).__struct_fields__:  # type: ignore[attr-defined]  # every page is a struct
        sample = replace(sample, h5=True)  # type: ignore[type-var]  # as above
    elements = Elements(RENDERER.render(sample))
    led = [*elements.values("a", "href"), *elements.values("form", "action")]
    ours = [where for where in led if where and where.startswith("/")]
    # What a handler hands in is the handler's, a captcha is no page, and a QR code is shown on a computer.
    handed = {getattr(sample, name, None) for name in ("next", "home")}
    assert ours
    assert [w for w in ours if w not in handed and not w.startswith(("/h5/", "/captcha/", "/centre/verify/"))] == []


@pytest.mark.req("REG-4", "REG-5", "RNV-7", "RNV-8")
@pytest.mark.parametrize("by", [(), (Evidence.FACE,), (Evidence.BANK_CARD, Evidence.FACE)])
@pytest.mark.parametrize("bank_cards", [True, False])
def test_both_ends_tell_the_same_ways_to_an_identity_of_another_account(
    by: tuple[Evidence, ...], *, bank_cards: bool
) -> None:
    registered = replace(RegisteredPage.sample(), held_by=by, bank_cards=bank_cards)
    proved = SettingDonePage(h5=False, setting="real_name", held_by=by, bank_cards=bank_cards)
    led = bank_cards and Evidence.BANK_CARD in by
    for page in (registered, proved):
        html = RENDERER.render(page)
        assert (TEXTS.plain("proofing.held.people") in words(html)) == (by == ())
        assert (TEXTS.plain("proofing.held") in words(html)) == (by != ())
        assert ("/centre/bank_card" in Elements(html).values("a", "href")) == led
        assert "/centre/appeal" in Elements(html).values("a", "href"), (
            "whatever proof would bring it, people may decide"
        )


@pytest.mark.req("UX-1")
def test_no_text_of_the_catalogue_is_left_over() -> None:
    asked = [use for path in templates_root().rglob("*.html") for use in uses(path.read_text("utf-8"), path.name)]
    code = "".join(path.read_text("utf-8") for path in Path(bjidp.web.__path__[0]).rglob("*.py"))
    spoken = re.findall(r"""plain\(\s*f?["']([a-z_.]+)["'{]""", code)
    keys = {key for use, key in asked if use is Use.TEXT} | set(spoken)
    families = [f"{key}." for use, key in asked if use is Use.FAMILY] + [key for key in spoken if key.endswith(".")]
    # Ethnic groups are named for whoever shows them; their own test holds them to the list of codes.
    words = {key.removeprefix(DEMO) for key in TEXTS}
    assert [key for key in words if key not in keys and not key.startswith((*families, "ethnicity."))] == []
    assert words <= set(TEXTS), "a demonstration says otherwise what is said elsewhere, and nothing more"


def test_no_template_and_nothing_that_one_imports_is_left_over() -> None:
    texts = {path.relative_to(templates_root()): path.read_text("utf-8") for path in templates_root().rglob("*.html")}
    named = {page.template for page in ALL} | set(re.findall(r"""["']([\w/]+\.html)["']""", "".join(texts.values())))
    assert [str(path) for path in texts if not named & {str(path), path.name}] == []
    left = [
        (path.name, name)
        for path, text in texts.items()
        for imported in re.findall(r"import ([\w, ]+?)(?: with context)? %}", text)
        for name in imported.split(", ")
        if len(re.findall(rf"\b{name.rpartition(' ')[2]}\b", text)) == 1
    ]
    assert left == []


@pytest.mark.req("UX-1")
def test_templates_hold_no_words_of_their_own() -> None:
    hanzi = re.compile("[\u3400-\u9fff]")
    spoken = [path.name for path in templates_root().rglob("*.html") if hanzi.search(path.read_text("utf-8"))]
    assert spoken == []


@pytest.mark.req("UX-5")
def test_every_problem_has_a_title_and_a_next_step() -> None:
    titles = {key.removeprefix("problem.") for key in TEXTS if re.fullmatch(r"problem\.[a-z_]+", key)}
    steps = {key.removeprefix("problem.next.") for key in TEXTS if key.startswith("problem.next.")}
    assert titles - {"again"} == steps
    for code in steps:
        page = words(RENDERER.render(ErrorPage(code=code)))
        assert TEXTS.plain(f"problem.{code}") in page
        assert TEXTS.plain(f"problem.next.{code}") in page


@pytest.mark.req("UX-5")
@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1, "1秒"), (60, "60秒"), (119, "119秒"), (120, "2分钟"), (121, "3分钟"), (7199, "120分钟"), (7200, "2小时")],
)
def test_whoever_has_to_wait_is_told_how_long_and_never_too_little(seconds: int, said: str) -> None:
    assert advice("rate_limited", seconds, TEXTS) == f"请等{said}后，再做一次。"
    assert f"请等{said}后，再做一次。" in words(RENDERER.render(ErrorPage(code="rate_limited", retry_after=seconds)))


@pytest.mark.req("UX-5")
def test_every_failure_that_passes_by_itself_has_words_for_the_wait() -> None:
    passing = {"appeals_full", "rate_limited", "too_busy", "service_unavailable", "vendor_unavailable"}
    told_apart = {"sms_of_browser", "too_many_passwords"}
    timed = {key.removeprefix("problem.after.") for key in TEXTS if key.startswith("problem.after.")}
    # What the manual says of messages names an hour or a day itself.
    assert timed == passing | told_apart
    assert passing == {kind.code for kind in Retryable.__subclasses__()}
    for code in timed:
        assert "请等7秒后" in words(RENDERER.render(ErrorPage(code=code, retry_after=7)))


@pytest.mark.req("UX-5")
def test_a_wrong_address_alarms_nobody() -> None:
    for code, alarming in (("not_found", False), ("misdirected", False), ("internal_error", True)):
        medals = Elements(RENDERER.render(ErrorPage(code=code))).values("span", "class")
        assert ("medal warn" in medals) is alarming
        assert ("medal calm" in medals) is not alarming


def test_a_template_that_asks_for_a_missing_text_stops_the_start() -> None:
    fewer = Texts("zh_CN", {key: TEXTS.plain(key) for key in TEXTS if key != "qr.expired.title"})
    with pytest.raises(MissingText, match=re.escape("'qr.expired.title'")):
        Renderer(Shell(sandbox=False), FILES, fewer)


def test_a_template_that_asks_for_a_missing_family_stops_the_start() -> None:
    fewer = Texts("zh_CN", {key: TEXTS.plain(key) for key in TEXTS if not key.startswith("level.means.")})
    with pytest.raises(MissingText, match=re.escape("'level.means.*'")):
        Renderer(Shell(sandbox=False), FILES, fewer)


def test_a_text_whose_key_is_not_written_out_is_refused() -> None:
    with pytest.raises(ValueError, match="line 2: write the key out"):
        list(uses("<p>\n{{ ('a' ~ b)|t }}", "some.html"))


@pytest.mark.req("UX-6")
@pytest.mark.parametrize("page", ALL, ids=lambda page: page.__name__)
def test_pages_run_and_style_nothing_inline_and_load_only_their_own_files(page: type[Page]) -> None:
    elements = Elements(RENDERER.render(page.sample()))
    for tag, attributes in elements.found:
        assert tag != "style"
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        if tag == "script":
            assert attributes.get("type") == "module"
        for name in ("src", "href") if tag in {"script", "link", "img", "iframe"} else ():
            assert (attributes.get(name) or "/").startswith("/")
    for address in elements.values("script", "src") + elements.values("link", "href"):
        assert address in FILES.table or str(address).startswith("/static/qr/")


@pytest.mark.req("LOG-1")
@pytest.mark.parametrize(
    ("tab", "shown"),
    [("scan", {"personal", "scan"}), ("account", {"personal", "account"}), ("legal", {"legal", "scan"})],
)
def test_tabs_work_as_links(tab: str, shown: set[str]) -> None:
    page = msgspec.convert({**msgspec.to_builtins(LoginPage.sample()), "tab": tab}, LoginPage)
    elements = Elements(RENDERER.render(page))
    panels = {a["id"]: "data-off" not in a for _, a in elements.found if "tab-panel" in (a.get("class") or "")}
    assert {name for name, on in panels.items() if on} == shown
    current = {a["data-shows"] for tag, a in elements.found if tag == "a" and "aria-current" in a}
    assert current == shown


@pytest.mark.req("LOG-1")
def test_the_login_page_shows_no_link_that_leads_nowhere_yet() -> None:
    elements = Elements(RENDERER.render(LoginPage.sample()))
    assert set(elements.values("a", "href")) == {
        "#main",
        "http://localhost:8082/",
        "/login",
        "/login?tab=account",
        "/login?tab=legal",
        "/register",
        "/recover",
        "/help",
        "/help/manual",
        "/help/organisations",
        "/centre",
        "/centre/acting",
        *(f"/login/third/{provider}" for provider in Provider),
    }


def test_back_is_shown_only_where_there_is_a_portal() -> None:
    alone = IN_PRODUCTION.render(LoginPage.sample())
    assert "返回" not in words(alone)
    assert "返回" in words(RENDERER.render(LoginPage.sample()))
    named = Renderer(Shell(sandbox=False, portal_url="http://localhost:8082/", portal_name="首都之窗"), FILES, TEXTS)
    assert "返回首都之窗" in Elements(named.render(LoginPage.sample())).values("a", "aria-label")


@pytest.mark.parametrize("other", ["注册用户", "还有 ", "合成", "虚构", "依赖方", "不在了", "已登录为"])
def test_server_phone_and_portal_use_one_word_for_one_thing(other: str) -> None:
    told = files("bjidp")
    spoken = [TEXTS.plain(key) for key in TEXTS]
    for folder in ("sandbox/phone/static", "sandbox/phone/pages", "sandbox/portal/pages"):
        spoken += [file.read_text("utf-8") for file in told.joinpath(folder).iterdir()]
    assert [text for text in spoken if other in text] == []


@pytest.mark.req("OPS-1")
@pytest.mark.parametrize("page", [page for page in ALL if page is not QrStatePage], ids=lambda page: page.__name__)
def test_a_demonstration_says_so_loudly_and_production_does_not(page: type[Page]) -> None:
    assert "演示环境，请勿填写真实信息" in words(RENDERER.render(page.sample()))
    assert "演示环境" not in words(IN_PRODUCTION.render(page.sample()))


@pytest.mark.attack("Q25")
@pytest.mark.parametrize(
    "page",
    [
        msgspec.structs.replace(
            LoginPage.sample(), client=HOSTILE, flow=HOSTILE, basis_url=HOSTILE, csrf=HOSTILE, embedder=HOSTILE
        ),
        SignedInPage(who=HOSTILE, client=HOSTILE, next=HOSTILE, csrf=HOSTILE),
        msgspec.structs.replace(QrStatePage.sample(), flow=HOSTILE, csrf=HOSTILE, grant=HOSTILE),
        QrStatePage(state=QrState.SCANNED, flow=HOSTILE, csrf=HOSTILE, who=HOSTILE),
        QrStatePage(state=QrState.EXPIRED, flow=HOSTILE, csrf=HOSTILE),
        msgspec.structs.replace(CentrePage.sample(), who=HOSTILE, csrf=HOSTILE),
    ],
    ids=lambda page: type(page).__name__,
)
def test_markup_in_a_value_stays_text(page: Page) -> None:
    elements = Elements(RENDERER.render(page))
    assert "onload" not in {name for _, attributes in elements.found for name in attributes}


@pytest.mark.req("UX-4")
@pytest.mark.parametrize("state", list(QrState))
def test_the_frame_without_script_reloads_while_it_waits_and_never_over_a_field_or_the_way_in(state: QrState) -> None:
    elements = Elements(RENDERER.render(msgspec.structs.replace(QrStatePage.sample(), state=state)))
    reloads = "5" in elements.values("meta", "content")
    assert reloads is (state in {QrState.WAITING, QrState.SCANNED})
    fields = {attributes.get("name") for tag, attributes in elements.found if tag == "input"}
    assert not (reloads and fields & {"grant", "code"})


@pytest.mark.req("UX-4")
@pytest.mark.parametrize(
    ("state", "action", "fields"),
    [
        (QrState.APPROVED, "/qr/redeem", {"grant": "example"}),
        (QrState.CODE, "/qr/redeem", {"grant": "example", "code": None}),
        (QrState.SCANNED, "/qr/renew", {}),
        (QrState.EXPIRED, "/qr/renew", {}),
        (QrState.REJECTED, "/qr/renew", {}),
        (QrState.WRONG_CODE, "/qr/renew", {}),
    ],
)
@pytest.mark.parametrize("verify", [False, True], ids=["login", "verify"])
def test_forms_without_script_post_what_the_server_asks_for(
    state: QrState, action: str, fields: dict[str, str | None], verify: bool
) -> None:
    fields |= {"flow": "mDq3vYdV0Yw4h8m0m1iX7A", "csrf": "example"}
    elements = Elements(RENDERER.render(msgspec.structs.replace(QrStatePage.sample(), state=state, verify=verify)))
    forms = [attributes for tag, attributes in elements.found if tag == "form"]
    assert forms == [{"method": "post", "action": action, "target": "_top"}]
    assert {a["name"]: a.get("value") for tag, a in elements.found if tag == "input"} == fields


@pytest.mark.req("ACC-8")
def test_a_page_that_verifies_says_nothing_of_a_login() -> None:
    page = RENDERER.render(VerifyPage.sample())
    assert "登录" not in words(page).replace("打开京通小程序并登录", "").replace("用您登录着的这个账号", "").replace(
        "已退出登录", ""
    )
    for state in QrState:
        framed = RENDERER.render(msgspec.structs.replace(QrStatePage.sample(), state=state, verify=True))
        assert "登录" not in words(framed).replace("已退出登录", "")
        assert b"/login" not in framed


@pytest.mark.req("ACC-8", "UX-4")
def test_both_cards_show_the_same_states_to_the_same_script() -> None:
    login, verify = (Elements(RENDERER.render(page.sample())) for page in (LoginPage, VerifyPage))
    panels = [page.values("section", "data-panel") for page in (login, verify)]
    assert [panel for panel in panels[0] if panel != "signed-in"] == panels[1]
    scripts = [page.values("script", "src") for page in (login, verify)]
    assert set(scripts[1]) <= set(scripts[0])
    slots = [
        {name for page_name in page.found for name in page_name[1] if name.startswith("data-")}
        for page in (login, verify)
    ]
    assert slots[1] <= slots[0]
    assert verify.values("iframe", "src") == ["/qr/state?flow=mDq3vYdV0Yw4h8m0m1iX7A&for=verify"] * 2


@pytest.mark.req("LOG-2")
def test_the_centre_says_who_and_how_in_beijing_time() -> None:
    page = words(RENDERER.render(CentrePage.sample()))
    for said in ("张**", "中级认证", "扫码登录 · 微信京通", "2027年1月15日 16:00", "不是我", "退出"):
        assert said in page


@pytest.mark.parametrize("level", Level)
def test_every_level_has_words(level: Level) -> None:
    sample = CentrePage.sample()
    page = words(RENDERER.render(replace(sample, account=replace(sample.account, level=level))))
    assert TEXTS.plain(f"level.{level}") in page


@pytest.mark.req("SES-2", "SES-3", "ACC-1", "ACC-5")
@pytest.mark.parametrize(
    ("family", "members"),
    [
        ("event", [kind.value for kind in EventKind]),
        ("ended", [*SessionEnd, *MiniSessionEnd, *GrantEnd]),
        ("organisation.over", [*By, *Loss]),
        ("notice", list(NoticeKind)),
        ("way", [way for way in Way if way is not Way.QR]),
        ("sex", list(Sex)),
        ("ethnicity", CODES),
        ("settings.title", SETTINGS),
        ("settings.step", SETTINGS),
        ("settings.done", [setting for setting in SETTINGS if setting not in {"cancel", "unbind"}]),
    ],
)
def test_every_member_of_what_the_centre_shows_has_words(family: str, members: Sequence[str]) -> None:
    assert [member for member in members if f"{family}.{member}" not in TEXTS] == []


@pytest.mark.req("UX-5")
def test_every_fault_of_a_form_about_an_account_has_words() -> None:
    faults = {
        "account": ["missing"],
        "document": ["missing", "form", "wrong"],
        "tail": ["missing", "wrong"],
        "agreed": ["required"],
        "captcha": ["missing", "wrong"],
        "code": ["missing", "form", "wrong", "last", "spent", "expired"],
        "old": ["missing", "wrong"],
        "password": ["missing", "same", *PasswordFault],
        "again": ["missing", "mismatch"],
        "phone": ["missing", "form", "same", "taken", "anothers", NOT_SERVED],
        "mail": ["missing", "form", "same", NOT_SERVED],
        "username": ["missing", "same", "taken", *UsernameFault],
        "ethnicity": ["missing", "unknown"],
    }
    assert set(faults) == set(Field)
    keys = [f"fault.{name}.{code}" for name, codes in faults.items() for code in codes]
    assert [key for key in keys if key not in TEXTS] == []


@pytest.mark.req("ORG-1", "ORG-2", "ORG-3", "UX-5")
def test_everything_that_is_shown_of_organisations_has_words() -> None:
    words_of: dict[str, Sequence[str]] = {
        "organisation.role": list(Role),
        "organisation.scope": list(Scope),
        "organisation.scope.means": list(Scope),
        "organisation.state": list(State),
        "organisation.advice": list(Refusal),
        "organisations.done": get_args(Done),
        "fault.credit_code": ["empty", "format", "check_digit", NOT_SERVED],
        "fault.organisation_name": ["empty", "too_long", "character"],
        "fault.organisation": ["missing"],
        "fault.phone": ["own", "appointed"],
        "fault.scope": ["missing"],
        "fault.ends_on": ["missing", "form", "past", "too_far"],
    }
    keys = [f"{family}.{member}" for family, members in words_of.items() for member in members]
    assert [key for key in keys if key not in TEXTS] == []


@pytest.mark.req("UX-5")
@pytest.mark.parametrize("fault", ["phone.not_served", "mail.not_served", "mail.form"])
def test_a_demonstration_says_what_to_type_instead_of_what_may_be_somebodys(fault: str) -> None:
    said = Texts.load("zh_CN", demonstration=True).plain(f"fault.{fault}")
    example = said.rpartition("例如 ")[2]
    number, address = mobile_number(example), mail_address(example)
    assert (number is not None and is_synthetic(number)) or (address is not None and is_synthetic_mail(address)), said
    assert said != TEXTS.plain(f"fault.{fault}")


@pytest.mark.req("ORG-1", "OPS-1")
def test_a_demonstration_names_an_organisation_that_its_register_knows() -> None:
    said = Texts.load("zh_CN", demonstration=True).plain("organisations.register.text")
    company, who = organisations()["qinghe"], population()["chen-yutong"]
    for part in (company.name, company.credit_code, who.name):
        assert part in said
        assert part not in TEXTS.plain("organisations.register.text")
    assert company.representative == who.id


@pytest.mark.req("UX-5", "RNV-10")
@pytest.mark.parametrize("fault", ["document_number.not_served", "card_number.not_served"])
def test_a_demonstration_names_one_of_its_people_instead_of_who_may_be_somebody(fault: str) -> None:
    said = Texts.load("zh_CN", demonstration=True).plain(f"fault.{fault}")
    name, number = said.rpartition("例如 ")[2].split()
    assert any(who.name == name and number in {who.document_number, *who.cards[:1]} for who in population().values())
    assert said != TEXTS.plain(f"fault.{fault}")


@pytest.mark.req("ACC-2", "ACC-3", "ACC-4", "ACC-6", "UX-5")
@pytest.mark.parametrize("setting", ["password", "phone", "mail", "username"])
@pytest.mark.parametrize("h5", [False, True])
def test_every_form_of_a_setting_renders_on_computers_and_phones(setting: Setting, *, h5: bool) -> None:
    page = replace(SettingPage.sample(), setting=setting, h5=h5)
    for shown in (page, replace(page, former=None, proved=True), IdentityPage.sample()):
        elements = Elements(RENDERER.render(shown))
        (form,) = [attributes for tag, attributes in elements.found if tag == "form"]
        assert (form["action"] or "").startswith("/h5/centre/" if shown.h5 else "/centre/")


@pytest.mark.parametrize("message", list(Message))
def test_every_message_has_words(message: Message) -> None:
    assert TEXTS.plain(f"message.title.{message}") in words(RENDERER.render(MessagePage(message=message)))


@pytest.mark.req("UX-6")
def test_the_login_page_with_all_it_loads_weighs_under_100_kb() -> None:
    html = RENDERER.render(LoginPage.sample())
    loaded = {
        str(address) for address in Elements(html).values("link", "href") + Elements(html).values("script", "src")
    }
    packed = sum(len(FILES.table[address].gzip) for address in loaded if address in FILES.table)
    basis = 19_000  # as gzip, tests/unit/qrlogin measures it
    assert len(html) + packed + basis < 100_000


def test_the_address_of_files_changes_with_their_content() -> None:
    url = FILES.url("js/login.js")
    assert re.fullmatch(r"/static/[0-9a-f]{16}/js/login\.js", url)
    assert FILES.table[url].content_type == "text/javascript; charset=utf-8"
    more = FILES.including("/static/qr/abc.bin", b"basis", "application/octet-stream")
    assert more.table["/static/qr/abc.bin"].body == b"basis"
    assert "/static/qr/abc.bin" not in FILES.table
    with pytest.raises(KeyError):
        FILES.url("js/missing.js")


def test_every_script_that_is_imported_is_announced_to_the_browser() -> None:
    """A module found only inside another costs a round trip each."""
    folder = Path(str(FILES.url("js/login.js"))).parent
    imported = re.findall(rb'from "\./([a-z]+\.js)"', FILES.table[FILES.url("js/login.js")].body)
    preloaded = Elements(RENDERER.render(LoginPage.sample())).values("link", "href")
    assert imported
    assert [name for name in imported if str(folder / name.decode()) not in preloaded] == []


@pytest.mark.parametrize("tab", ["scan", "account", "legal"])
@pytest.mark.parametrize("embedder", [None, "http://127.0.0.1:8081"])
def test_a_login_page_made_ahead_is_the_one_that_would_be_rendered(tab: Tab, embedder: str | None) -> None:
    first = replace(LoginPage.sample(), tab=tab, embedder=embedder)
    second = replace(first, flow="another-flow", csrf="another_token")
    for page in (first, second, first):
        assert RENDERER.render_login(page) == RENDERER.render(page)


def test_a_login_page_with_values_that_need_escaping_is_rendered_whole() -> None:
    page = replace(LoginPage.sample(), flow=HOSTILE, csrf=HOSTILE)
    assert RENDERER.render_login(page) == RENDERER.render(page)
    assert HOSTILE.encode() not in RENDERER.render_login(page)
