"""The portal's pages: templates, words for what goes wrong, headers.

Owns what people see. Everything is read from the package; pages carry no script, no inline style, and nothing of
another host. Called by ``visitors``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any, Final, Literal

import jinja2
from aiohttp import web
from msgspec import Struct

from bjidp.sandbox.portal.logins import REFUSED, UNREACHABLE, LoggedIn
from bjidp.sandbox.portal.services import LEVELS

METHODS: Final = {
    "qr": "京通扫码",
    "pwd": "账号密码",
    "sms": "短信验证码",
    "face": "人脸识别",
    "bank": "银行卡认证",
    "fed": "第三方账号",
}
"""The ways in and proofs by the words that people know (RFC 8176 and the server's own)."""

DOCUMENTS: Final = {
    "resident_id": "中国居民身份证",
    "hk_permit": "香港特别行政区居民来往内地通行证",
    "macao_permit": "澳门特别行政区居民来往内地通行证",
    "taiwan_permit": "台湾居民来往大陆通行证",
    "permanent_resident": "外国人永久居留身份证",
}

ROLES: Final = {"representative": "法定代表人", "agent": "经办人"}

POWERS: Final = {"all": "全部事项", "filing": "办事申报", "query": "信息查询"}

_BEIJING: Final = timedelta(hours=8)


class Words(Struct, frozen=True):
    """What is said where a login has not come about, or a page."""

    title: str
    text: str
    again: str | None = "重新登录"
    """What the way to another login is called; None where a login mends nothing."""
    mark: Literal["told", "done", "held"] = "told"
    """A plain word, something that is done, or something that does not go on by itself."""
    in_centre: bool = False
    """Whether what is missing is to be had in 个人中心."""


OVER: Final = Words("这次登录已失效", "登录页打开得太久，或者登录是从另一个浏览器开始的。请从这里重新登录。")

FAULTS: Final = {
    "access_denied": Words(
        "您没有同意授权",
        "首都之窗没有读取您的任何信息，您也没有登录。需要办理事项时，可以重新登录并同意。",
        mark="held",
    ),
    "unmet_authentication_requirements": Words(
        "您的认证等级还不够",
        "这项业务要求更高的认证等级，这一次没有完成。您可以先在个人中心完成认证，再回来办理。",
        "再试一次",
        "held",
        in_centre=True,
    ),
    "login_required": Words("您还没有登录", "统一身份认证平台上没有您的登录，请登录后继续。", "登录"),
    "consent_required": Words("还需要您同意", "首都之窗读取您的信息之前，需要您在登录页上同意。", "登录"),
    "interaction_required": Words("还需要您确认", "继续之前，统一身份认证平台需要您在页面上确认一步。", "登录"),
    "temporarily_unavailable": Words("统一身份认证平台正忙", "现在登录的人较多，请过一会儿再试。", "再试一次", "held"),
    UNREACHABLE: Words("暂时连接不上统一身份认证平台", "首都之窗的登录由它完成。请过一会儿再试。", "再试一次", "held"),
    "invalid_grant": Words("您已退出登录", "您在统一身份认证平台退出了登录，或者撤回了对首都之窗的授权。", "重新登录"),
    REFUSED: Words("登录没有完成", "首都之窗收到的登录结果不可信，没有采用。请重新登录。"),
}
"""Texts by the error codes of OAuth 2.0 and OpenID Connect, and by the portal's own."""

_OTHERS: Final = Words(
    "登录没有完成", "统一身份认证平台没有完成这次登录。请重新登录；如果总是这样，请联系首都之窗客服。"
)


def words_for(code: str) -> Words:
    """Return what is said of a fault."""
    return FAULTS.get(code, _OTHERS)


class Visitor(Struct, frozen=True):
    """Who looks at a page, as its header shows them."""

    name: str
    level: str
    """By its name, such as 初级认证."""
    csrf: str


class Pages:
    """Renders pages."""

    def __init__(self, *, issuer: str, side_by_side_url: str) -> None:
        """Read templates and style; links to the server begin with ``issuer``."""
        self._style = files(__package__).joinpath("static", "portal.css").read_bytes()
        self._skyline = files(__package__).joinpath("static", "skyline.svg").read_bytes()
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("bjidp.sandbox.portal", "pages"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        version = hashlib.sha256(self._style + self._skyline).hexdigest()[:8]
        self._environment.globals |= {"side_by_side_url": side_by_side_url, "levels": LEVELS, "version": version}
        self._issuer = issuer
        # Browsers hold redirects after a form to form-action: a log-out leads to the server and back.
        self._policy = (
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
            f"form-action 'self' {issuer}"
        )

    def mount(self, app: web.Application) -> None:
        """Add the routes of what pages are made with."""
        app.router.add_get("/portal.css", self.style)
        app.router.add_get("/skyline.svg", self.skyline)

    def show(
        self, request: web.Request, template: str, visitor: Visitor | None, values: Mapping[str, object] | None = None
    ) -> web.Response:
        """Return a page with ``values``."""
        phone = is_phone(request)
        text = self._environment.get_template(template).render(
            values or {}, visitor=visitor, phone=phone, centre=f"{self._issuer}{'/h5' if phone else ''}/centre"
        )
        return web.Response(
            text=text,
            content_type="text/html",
            headers={
                "Content-Security-Policy": self._policy,
                "Cache-Control": "no-store",
                "Referrer-Policy": "same-origin",
                "X-Content-Type-Options": "nosniff",
            },
        )

    async def style(self, _: web.Request) -> web.Response:
        """Serve the style sheet."""
        return _kept(self._style, "text/css")

    async def skyline(self, _: web.Request) -> web.Response:
        """Serve the picture of the first page."""
        return _kept(self._skyline, "image/svg+xml")


def name_of(login: LoggedIn) -> str:
    """Return what somebody is called in the header: masked, as the server tells it."""
    return str(login.userinfo.get("nickname") or login.userinfo.get("preferred_username") or "已登录")


def facts_of(login: LoggedIn) -> Mapping[str, str]:
    """Return what 用户中心 shows of a login, by its labels; what is not known is left out."""
    known: Mapping[str, Any] = login.userinfo
    methods = [METHODS.get(str(method), str(method)) for method in login.claims.get("amr", [])]
    facts = {
        "用户名": _masked(str(known.get("preferred_username", "")), 3, 0),
        "手机号码": _masked(str(known.get("phone_number", "")).removeprefix("+86").strip(), 3, 4),
        "登录方式": "、".join(methods),
        "登录时间": _moment(login.claims.get("auth_time")),
        "本次登录的等级": LEVELS.get(login.level, login.level),
    }
    return {label: text for label, text in facts.items() if text}


def identity_of(login: LoggedIn) -> Mapping[str, str]:
    """Return the person that a service fills into its form, by its labels."""
    known: Mapping[str, Any] = login.userinfo
    kind = str(known.get("document_type", ""))
    facts = {
        "姓名": str(known.get("name", "")),
        "证件类型": DOCUMENTS.get(kind, kind),
        "证件号码": _masked(str(known.get("document_number", "")), 0, 4),
        "手机号码": _masked(str(known.get("phone_number", "")).removeprefix("+86").strip(), 3, 4),
    }
    return {label: text for label, text in facts.items() if text}


def organisation_of(login: LoggedIn) -> Mapping[str, str] | None:
    """Return the organisation that somebody acts for, by its labels, or None for somebody who acts for themselves."""
    found = login.userinfo.get("organisation")
    if not isinstance(found, Mapping):
        return None
    role, powers = str(found.get("role", "")), str(found.get("powers", ""))
    facts = {
        "法人名称": str(found.get("name", "")),
        "统一社会信用代码": str(found.get("credit_code", "")),
        "办理人": name_of(login),
        "办理身份": ROLES.get(role, role),
        "办理范围": POWERS.get(powers, powers),
    }
    return {label: text for label, text in facts.items() if text}


def is_phone(request: web.Request) -> bool:
    """Tell whether the browser is a phone's, which the server has pages of its own for."""
    return "Mobile" in request.headers.get("User-Agent", "")


def _masked(text: str, before: int, after: int) -> str:
    return "" if not text else f"{text[:before]}****{text[len(text) - after :]}"


def _moment(seconds: object) -> str:
    if not isinstance(seconds, int):
        return ""
    return (datetime.fromtimestamp(seconds, UTC) + _BEIJING).strftime("%Y-%m-%d %H:%M")


def _kept(body: bytes, kind: str) -> web.Response:
    # Their addresses change with what they hold.
    return web.Response(
        body=body,
        content_type=kind,
        charset="utf-8",
        headers={"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"},
    )
