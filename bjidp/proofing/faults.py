"""How a name or a number is wrong: the closed words that stand in ``errors[].code`` of ``invalid_request``."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """What is wrong with one value a person typed; the words a page shows for it are in the catalogues."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    CHARACTER = "character"
    SEPARATOR = "separator"
    FORMAT = "format"
    REGION = "region"
    BIRTH_DATE = "birth_date"
    CHECK_DIGIT = "check_digit"
    NOT_SERVED = "not_served"


class Unacceptable(Exception):
    """A typed value breaks a rule of form. Carries the rule, never the value: it is personal."""

    def __init__(self, fault: Fault) -> None:
        """Name the rule."""
        super().__init__(fault)
        self.fault = fault
