"""What a relying party reads of somebody."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bjidp.accounts.member_ports import Member
from bjidp.accounts.ports import Evidence
from bjidp.oidc.claims import ActsFor, Known, told
from bjidp.oidc.scopes import CLAIMS, Claim, Scope
from bjidp.person import DocumentType, Person, Sex
from bjidp.standing import Level, Standing, Status

pytestmark = pytest.mark.req("LOG-8")

ZHANG = Member(
    standing=Standing("zhang", "ref", Status.ACTIVE, "张**", Level.L3),
    username="zhangsan1",
    phone="15410000001",
    phone_used_at=None,
    password=None,
    document=Person(DocumentType.RESIDENT_ID, "张三", "110101199003074530"),
    evidence=Evidence.FACE,
    sex=None,
    mail=None,
    ethnicity=None,
    created_at=0,
)


def test_each_scope_tells_its_own_values_and_no_others() -> None:
    assert told(Known(ZHANG, "s1"), [Scope.OPENID]) == {}
    assert told(Known(ZHANG, "s1"), [Scope.PROFILE]) == {"preferred_username": "zhangsan1", "nickname": "张**"}
    assert told(Known(ZHANG, "s1"), [Scope.PHONE]) == {"phone_number": "+86 15410000001", "phone_number_verified": True}
    assert told(Known(ZHANG, "s1"), [Scope.IDENTITY]) == {
        "name": "张三",
        "gender": "male",
        "birthdate": "1990-03-07",
        "document_type": "resident_id",
        "document_number": "110101199003074530",
    }


def test_what_there_is_not_is_left_out() -> None:
    assert told(Known(ZHANG, "s1"), [Scope.EMAIL, Scope.ORGANISATION]) == {}
    assert told(Known(replace(ZHANG, phone=None), "s1"), [Scope.PHONE]) == {}


@pytest.mark.req("RNV-1")
def test_a_document_that_has_run_out_proves_nobody() -> None:
    worn = replace(ZHANG, standing=replace(ZHANG.standing, level=Level.L1))
    assert told(Known(worn, "s1"), [Scope.IDENTITY]) == {}
    assert told(Known(worn, "s1"), [Scope.PROFILE])["nickname"] != "张**"


def test_only_a_resident_card_tells_a_day_of_birth() -> None:
    permit = Person(DocumentType.HK_PERMIT, "陈·大文", "H12345678")
    abroad = replace(ZHANG, document=permit, sex=Sex.FEMALE)
    assert told(Known(abroad, "s1"), [Scope.IDENTITY]) == {
        "name": "陈·大文",
        "gender": "female",
        "document_type": "hk_permit",
        "document_number": "H12345678",
    }


@pytest.mark.req("ORG-3")
def test_whoever_acts_for_an_organisation_is_told_beside_it() -> None:
    acting = Known(ZHANG, "s1", ActsFor("91000000MA990001X0", "北京示例公司", "agent", "filing"))
    assert told(acting, [Scope.ORGANISATION]) == {
        "organisation": {
            "credit_code": "91000000MA990001X0",
            "name": "北京示例公司",
            "role": "agent",
            "powers": "filing",
        },
        "act": {"sub": "s1"},
    }


def test_no_value_is_shown() -> None:
    assert "张三" not in repr(Known(ZHANG, "s1"))


def test_each_claim_is_of_exactly_one_scope() -> None:
    named = [claim for claims in CLAIMS.values() for claim in claims]
    assert sorted(named) == sorted(Claim)
