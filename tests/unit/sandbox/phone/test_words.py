"""What the phone says, held against what the server may answer."""

from __future__ import annotations

import re
from enum import StrEnum
from importlib.resources import files

import pytest

from bjidp.oidc.scopes import Scope
from bjidp.sandbox.business_register.organisations import OrganisationStory
from bjidp.sandbox.people.person import Story
from bjidp.web.server.problems import STATUS

WORDS = files("bjidp.sandbox.phone").joinpath("static", "words.js").read_text("utf-8")

OF_PAGES = {
    "acting_on_probation",
    "already_signed_in",
    "appeal_not_needed",
    "appeal_open",
    "appeal_over",
    "appeals_crowded",
    "appeals_full",
    "browser_unknown",
    "captcha_wrong",
    "card_mismatch",
    "claim_over",
    "code_wrong",
    "credentials_wrong",
    "authorization_over",
    "dispatch_unknown",
    "document_expired",
    "document_tail_spent",
    "external_login_over",
    "external_login_refused",
    "external_taken",
    "flow_expired",
    "flow_unknown",
    "form_expired",
    "identity_other",
    "level_required",
    "identity_worn",
    "phone_required",
    "mail_not_offered",
    "mandates_full",
    "method_not_allowed",
    "misdirected",
    "organisation_held",
    "organisation_refused",
    "organisation_unknown",
    "redirect_refused",
    "relying_party_unknown",
    "origin_refused",
    "page_superseded",
    "password_changed",
    "too_many_passwords",
    "username_taken",
    "verification_required",
}
"""Codes that only a browser's pages are answered."""


@pytest.mark.req("UX-5")
def test_the_phone_has_words_for_every_answer_of_the_server() -> None:
    told = set(re.findall(r"^  ([a-z_]+): \{", WORDS, re.MULTILINE)) | set(re.findall(r'code === "([a-z_]+)"', WORDS))
    assert set(STATUS) - OF_PAGES - told == set()


@pytest.mark.parametrize(("words", "stories"), [("STORIES", Story), ("ORGANISATION_STORIES", OrganisationStory)])
def test_every_story_of_the_sandbox_is_told_in_words(words: str, stories: type[StrEnum]) -> None:
    table = WORDS[WORDS.index(f"export const {words} = ") :].partition("};")[0]
    told = set(re.findall(r"^  ([a-z_]+): ", table, re.MULTILINE))
    assert told | {"ordinary"} == set(stories)


def test_a_failure_of_the_server_promises_nothing() -> None:
    failure = re.search(r"^  internal_error: \{.*?\}", WORDS, re.MULTILINE | re.DOTALL)
    assert failure is not None
    fallback = WORDS[WORDS.index("SAYINGS[code] ??") :].partition("}")[0]
    for words in (failure[0], fallback):
        assert not re.search("没有任何改变|没有变化|没有生效", words)


@pytest.mark.req("RP-3")
def test_the_phone_has_words_for_whatever_a_device_may_read() -> None:
    table = WORDS.partition("export const READS = {")[2].partition("};")[0]
    assert re.findall(r"^  (\w+):", table, re.MULTILINE) == [scope.value for scope in Scope]
