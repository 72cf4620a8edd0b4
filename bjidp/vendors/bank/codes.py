"""What each ``code`` of the bank comes to.

Owns the table, which is numbered as Tencent Cloud's four-factor check (``BankCard4EVerification``, 认证结果码), so that
a gateway in front of that one has nothing to translate. What is missing here is new to us: an outage, and no verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bjidp.vendors.ports.registers import Reason, RegisterAnswer

OK: Final = "0"

BUSY: Final = "-18"
"""验证中心服务繁忙: not asked, and soon it may be."""

NOES: Final[Mapping[str, tuple[RegisterAnswer, Reason | None]]] = MappingProxyType(
    {
        "-1": (RegisterAnswer.MISMATCH, None),  # 认证未通过: which of the four, no bank tells
        "-2": (RegisterAnswer.MISMATCH, Reason.NAME),  # 姓名校验不通过
        "-3": (RegisterAnswer.MISMATCH, Reason.DOCUMENT_NUMBER),  # 身份证号码有误
        "-4": (RegisterAnswer.MISMATCH, Reason.CARD_NUMBER),  # 银行卡号格式有误
        "-5": (RegisterAnswer.MISMATCH, Reason.PHONE),  # 手机号码不合法
        "-6": (RegisterAnswer.MISMATCH, Reason.HOLDER),  # 持卡人信息有误
        "-7": (RegisterAnswer.REFUSED, Reason.CARD_NOT_ENABLED),  # 未开通无卡支付
        "-8": (RegisterAnswer.REFUSED, Reason.CARD_SEIZED),  # 此卡被没收
        "-9": (RegisterAnswer.UNKNOWN, Reason.CARD_NUMBER),  # 无效卡号
        "-10": (RegisterAnswer.UNKNOWN, Reason.ISSUER_UNKNOWN),  # 此卡无对应发卡行
        "-11": (RegisterAnswer.REFUSED, Reason.CARD_INACTIVE),  # 该卡未初始化或睡眠卡
        "-12": (RegisterAnswer.REFUSED, Reason.CARD_SUSPECT),  # 作弊卡、吞卡
        "-13": (RegisterAnswer.REFUSED, Reason.CARD_LOST),  # 此卡已挂失
        "-14": (RegisterAnswer.EXPIRED, Reason.CARD_EXPIRED),  # 该卡已过期
        "-15": (RegisterAnswer.REFUSED, Reason.CARD_RESTRICTED),  # 受限制的卡
        "-16": (RegisterAnswer.REFUSED, Reason.CARD_LOCKED),  # 密码错误次数超限
        "-17": (RegisterAnswer.REFUSED, Reason.CARD_UNSUPPORTED),  # 发卡行不支持此交易
        "-19": (RegisterAnswer.REFUSED, Reason.TOO_MANY_TRIES),  # 验证次数超限,请次日重试
        "-20": (RegisterAnswer.REFUSED, Reason.DOCUMENT_UNSUPPORTED),  # 该证件号暂不支持核验
        "-21": (RegisterAnswer.REFUSED, Reason.CARD_ABNORMAL),  # 卡状态异常或卡号错误
    }
)
