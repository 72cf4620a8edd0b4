"""What each ``code`` of the v1 interface comes to, and what both interfaces make of an answer.

Owns the table of Chuanglan's document ("响应状态码"). What is missing here is new to us: an outage, and no verdict.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NoReturn

from bjidp.errors import VendorUnavailable
from bjidp.vendors.http import VendorHttp
from bjidp.vendors.ports.sms import Sms, SmsAccepted, SmsRefusal, SmsRefused

OK: Final = "0"

BUSY: Final = frozenset({"103", "104"})
"""Submitted too fast, and system busy: not taken, and soon it may be."""

REFUSALS: Final[Mapping[str, SmsRefusal]] = MappingProxyType(
    {
        "101": SmsRefusal.CREDENTIALS,  # 无此用户
        "102": SmsRefusal.CREDENTIALS,  # 密码错
        "105": SmsRefusal.CONTENT,  # 敏感短信
        "106": SmsRefusal.CONTENT,  # 消息长度错
        "107": SmsRefusal.NUMBER,  # 包含错误的手机号码
        "108": SmsRefusal.REQUEST,  # 手机号码个数错
        "109": SmsRefusal.BALANCE,  # 无发送额度
        "110": SmsRefusal.ACCOUNT,  # 不在发送时间内
        "111": SmsRefusal.BALANCE,  # 超出该账户当月发送额度限制
        "112": SmsRefusal.ACCOUNT,  # 无此产品
        "113": SmsRefusal.REQUEST,  # 扩展码格式错
        "114": SmsRefusal.REQUEST,  # 可用参数组个数错误
        "115": SmsRefusal.CONTENT,  # 自动审核驳回
        "116": SmsRefusal.ACCOUNT,  # 签名不合法或未带签名
        "117": SmsRefusal.ADDRESS,  # IP地址认证错
        "118": SmsRefusal.ACCOUNT,  # 用户没有相应的发送权限
        "119": SmsRefusal.ACCOUNT,  # 用户已过期
        "120": SmsRefusal.FREQUENCY,  # 违反防盗用策略(日发送限制)
        "123": SmsRefusal.REQUEST,  # 发送类型错误
        "124": SmsRefusal.CONTENT,  # 白模板匹配错误
        "125": SmsRefusal.CONTENT,  # 匹配驳回模板
        "127": SmsRefusal.REQUEST,  # 定时发送时间格式错误
        "128": SmsRefusal.CONTENT,  # 内容编码失败
        "129": SmsRefusal.REQUEST,  # JSON格式错误
        "130": SmsRefusal.REQUEST,  # 请求参数错误
    }
)

_ID_MAX: Final = 64

_NUMBER: Final = re.compile(r"1[3-9][0-9]{9}")


def is_number(sms: Sms) -> bool:
    """Tell whether ``sms`` goes to one mobile number. Both interfaces take a list: a comma would make two of one."""
    return _NUMBER.fullmatch(sms.to) is not None


def accepted(http: VendorHttp, operation: str, message: str) -> SmsAccepted:
    """Return the acceptance under the id ``message``; without one that can be kept no report would ever find it.

    Raises ``VendorUnavailable``.
    """
    if not 0 < len(message) <= _ID_MAX:
        unavailable(http, operation, "no_msg_id")
    return SmsAccepted(http.service, message)


def refused(http: VendorHttp, operation: str, code: str, kind: SmsRefusal) -> SmsRefused:
    """Return the refusal ``kind``, told to the log by ``code``: as an alarm if an operator has to mend it."""
    if kind.alarm:
        http.alarm(operation, code)
    else:
        http.refused(operation, code)
    return SmsRefused(kind)


def unavailable(http: VendorHttp, operation: str, reason: str) -> NoReturn:
    """Alarm the operator and raise ``VendorUnavailable``: the answer has no meaning that we know."""
    http.alarm(operation, reason)
    raise VendorUnavailable
