"""The shape of Chuanglan's requests and answers: JSON objects of text values, status 200 whatever happened."""

from __future__ import annotations

import json
from typing import Any, Final, TypeAlias

from aiohttp import web

Answer: TypeAlias = dict[str, Any]

OK: Final = "0"

TEXTS: Final = {
    "101": "无此用户",
    "102": "密码错",
    "103": "提交过快(超过流速限制)",
    "104": "系统忙",
    "105": "敏感短信",
    "106": "消息长度错(>536或<=0)",
    "107": "包含错误的手机号码",
    "108": "手机号码个数错(群发>1000或<=0)",
    "109": "无发送额度",
    "110": "不在发送时间内",
    "111": "超出该账户当月发送额度限制",
    "112": "无此产品",
    "113": "扩展码格式错",
    "114": "可用参数组个数错误",
    "115": "自动审核驳回",
    "116": "签名不合法或未带签名",
    "117": "IP地址认证错",
    "118": "用户没有相应的发送权限(账号被禁止发送)",
    "119": "用户已过期",
    "120": "违反防盗用策略(日发送限制)",
    "123": "发送类型错误",
    "124": "白模板匹配错误",
    "125": "匹配驳回模板，提交失败",
    "127": "定时发送时间格式错误",
    "128": "内容编码失败",
    "129": "JSON格式错误",
    "130": "请求参数错误(缺少必填参数)",
}
"""The code table of the document, and its words."""


class ChuanglanError(Exception):
    """Chuanglan refuses with this code."""

    def __init__(self, code: str) -> None:
        """Refuse with a code of :data:`TEXTS`."""
        super().__init__(code)
        self.code = code


async def json_object(request: web.Request) -> Answer:
    """Read the body as a JSON object; raise 129."""
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise ChuanglanError("129") from None
    if not isinstance(body, dict):
        raise ChuanglanError("129")
    return body


def text(body: Answer, name: str) -> str:
    """Return a field that has to be there, empty or not; raise 130 also for what is no text."""
    value = body.get(name)
    if not isinstance(value, str):
        raise ChuanglanError("130")
    return value


def optional(body: Answer, name: str, otherwise: str = "") -> str:
    """Return a field that may be left out; raise 130 for what is no text."""
    return text(body, name) if name in body else otherwise


def reply(answer: Answer) -> web.Response:
    """Write ``answer``."""
    return web.Response(text=json.dumps(answer, ensure_ascii=False), content_type="application/json")
