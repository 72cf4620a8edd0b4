"""What somebody proves their identity for: one operation on one account. Pure."""

from __future__ import annotations

from enum import StrEnum


class Operation(StrEnum):
    """What a proof is for. A proof of one operation is none of another."""

    PASSWORD = "password"
    PHONE = "phone"
    MAIL = "mail"
    USERNAME = "username"
    CANCEL = "cancel"
    RECOVER = "recover"
