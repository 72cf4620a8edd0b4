"""An address has one form, however it is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bjidp.verification.mail_address import ADDRESS_MAX, LOCAL_MAX, MailAddress, mail_address
from tests.support.verification import mail

ATOM = st.text("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=12)
LOCAL = st.lists(ATOM, min_size=1, max_size=4).map(".".join)
LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
TOP = st.from_regex(r"[a-z]{2,8}|xn--[a-z0-9]{1,8}", fullmatch=True)
DOMAIN = st.tuples(st.lists(LABEL, min_size=1, max_size=4).map(".".join), TOP).map(".".join)
ADDRESS = st.tuples(LOCAL, DOMAIN).map("@".join).filter(lambda text: len(text.rpartition("@")[0]) <= LOCAL_MAX)
WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


@pytest.mark.req("ACC-4")
@pytest.mark.parametrize(
    "text",
    [
        "chen.yutong@mail.example",
        "Chen.Yutong@MAIL.Example",
        "  chen.yutong@mail.example\n",
        "ｃｈｅｎ．ｙｕｔｏｎｇ＠ｍａｉｌ．ｅｘａｍｐｌｅ",
        "\u202achen.yutong@mail.example\u202c",
        "\u3000chen.yutong\u200b@mail.example",
    ],
)
def test_every_spelling_is_the_same_address(text: str) -> None:
    assert mail_address(text) == MailAddress("chen.yutong@mail.example")


@pytest.mark.req("ACC-4")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "chen",
        "@mail.example",
        "chen@",
        "chen@example",
        "chen@@mail.example",
        "chen@mail@mail.example",
        ".chen@mail.example",
        "chen.@mail.example",
        "ch..en@mail.example",
        "ch en@mail.example",
        '"chen"@mail.example',
        "chen(x)@mail.example",
        "Chen <chen@mail.example>",
        "chen@mail.example, li@mail.example",
        "chen@mail.example\nBcc: li@mail.example",
        "chen@mail.example\r\nRCPT TO:<li@mail.example>",
        "chen@mail.example\0",
        "chen@[127.0.0.1]",
        "chen@127.0.0.1",
        "chen@-mail.example",
        "chen@mail-.example",
        "chen@mail..example",
        "chen@mail.example.",
        "chen@mail_x.example",
        "chen@邮箱.example",
        "chen@mаil.example",
        "陈@mail.example",
        f"{'x' * 65}@mail.example",
        f"chen@{'x' * 64}.example",
        f"chen@{'x.' * 125}example",
    ],
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert mail_address(text) is None


def test_the_longest_are_addresses() -> None:
    assert mail_address(f"{'x' * 64}@mail.example") is not None
    longest = f"chen@{'x' * 63}.{'x' * 63}.{'x' * 63}.{'x' * 49}.example"
    assert len(longest) == ADDRESS_MAX
    assert mail_address(longest) is not None
    assert mail_address(f"c{longest}") is None


def test_an_address_in_letters_of_another_script_is_taken_as_its_registry_writes_it() -> None:
    assert mail_address("chen@xn--fiq228c.example") is not None


@pytest.mark.attack("O11")
def test_a_tag_leads_to_the_same_mailbox() -> None:
    assert mail("chen+a@mail.example").mailbox == mail("chen+b+c@mail.example").mailbox == "chen@mail.example"
    assert mail("chen+a@mail.example").text == "chen+a@mail.example"
    assert mail("chen@mail.example").domain == "mail.example"


@given(ADDRESS, st.data())
def test_however_it_is_written_it_is_the_same(address: str, data: st.DataObject) -> None:
    text = "".join(
        (character.translate(WIDE) if data.draw(st.booleans()) else character)
        if data.draw(st.booleans())
        else character.upper()
        for character in address
    )
    assert mail_address(text) == MailAddress(address)


@given(st.text() | st.text("ab.@+-\u202a＠ \r\n", max_size=30) | ADDRESS)
def test_whatever_is_read_comes_out_in_the_one_form_or_not_at_all(text: str) -> None:
    found = mail_address(text)
    if found is not None:
        assert found.text.isascii()
        assert found.text.isprintable()
        assert found.text == found.text.lower()
        assert not set(found.text) & set(' ,;:<>()[]"\\')
        assert found.text.count("@") == 1
        assert mail_address(found.text) == found


def test_an_address_is_not_printed() -> None:
    assert "chen" not in f"{mail()} {mail()!r}"
