"""What somebody proves their identity for: one operation on one account. Pure."""

from __future__ import annotations

from enum import StrEnum


class Operation(StrEnum):
    """What a proof is for. A proof of one operation is none of another."""

    PASSWORD = "password"
    PHONE = "phone"
    MAIL = "mail"
    USERNAME = "username"
    REAL_NAME = "real_name"
    BANK_CARD = "bank_card"
    FACE = "face"
    EXCHANGE = "exchange"
    UNBIND = "unbind"
    ORGANISATION = "organisation"
    """登记法人."""
    APPOINT = "appoint"
    """邀请经办人."""
    WITHDRAW_APPEAL = "withdraw_appeal"
    """撤回人工申诉."""
    LINK = "link"
    """绑定第三方账号: a provider's user logs in to the account from then on."""
    UNLINK = "unlink"
    """解绑第三方账号."""
    REAUTHENTICATE = "reauthenticate"
    """重新登录, for a site that asks its user to prove anew who they are."""
    CANCEL = "cancel"
    RECOVER = "recover"
