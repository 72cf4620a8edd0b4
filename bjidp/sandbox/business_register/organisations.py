"""The synthetic organisations, each led by one of the synthetic persons.

The outcome of a story is never switched on by its name: the register compares what it is asked with
``registered_name``, ``registered_representative``, ``status`` and ``term_to``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from bjidp.sandbox.business_register.codes import credit_code

Status: TypeAlias = Literal["active", "revoked", "deregistered"]

_COMPANY: Final = "91"
_ASSOCIATION: Final = "52"
_INSTITUTION: Final = "12"
_AS_STATED: Final = "(as stated)"


class OrganisationStory(StrEnum):
    """Why an organisation is in the list: the one thing about it that is not ordinary."""

    ORDINARY = "ordinary"
    NAME_DIFFERS = "name_differs"
    REPRESENTATIVE_DIFFERS = "representative_differs"
    UNKNOWN = "unknown"
    REVOKED = "revoked"
    DEREGISTERED = "deregistered"
    TERM_OVER = "term_over"


class Organisation(Struct, frozen=True, kw_only=True):
    """An organisation that does not exist."""

    id: str
    name: str
    credit_code: str
    representative: str
    """The id of the person who says that they lead it."""
    story: OrganisationStory = OrganisationStory.ORDINARY

    registered: bool = True
    registered_name: str
    registered_representative: str
    status: Status = "active"
    term_to: date | None = None
    """The last day of its licence; None is 长期."""


class PublicOrganisation(Struct, frozen=True):
    """What ``GET /control/organisations`` tells: what its representative could tell, and the story."""

    id: str
    name: str
    credit_code: str
    representative: str
    story: OrganisationStory

    @classmethod
    def of(cls, organisation: Organisation) -> PublicOrganisation:
        """Leave out what only the register knows."""
        return cls(
            id=organisation.id,
            name=organisation.name,
            credit_code=organisation.credit_code,
            representative=organisation.representative,
            story=organisation.story,
        )


def _organisation(
    serial: int,
    organisation_id: str,
    name: str,
    representative: str,
    *,
    kind: str = _COMPANY,
    story: OrganisationStory = OrganisationStory.ORDINARY,
    registered: bool = True,
    registered_name: str = _AS_STATED,
    registered_representative: str = _AS_STATED,
    status: Status = "active",
    term_to: date | None = None,
) -> Organisation:
    return Organisation(
        id=organisation_id,
        name=name,
        credit_code=credit_code(kind, serial),
        representative=representative,
        story=story,
        registered=registered,
        registered_name=name if registered_name == _AS_STATED else registered_name,
        registered_representative=(
            representative if registered_representative == _AS_STATED else registered_representative
        ),
        status=status,
        term_to=term_to,
    )


def organisations() -> Mapping[str, Organisation]:
    """Return every synthetic organisation by id, in the order they are listed."""
    everybody = (
        _organisation(1, "qinghe", "北京青禾示例科技有限公司", "chen-yutong"),
        _organisation(2, "guangsha", "北京广厦示例建筑有限公司", "wang-jianguo", term_to=date(2049, 9, 30)),
        _organisation(3, "zhaohui", "北京朝晖示例商贸有限公司", "zhao-min"),
        _organisation(4, "zhaohui-school", "北京朝晖示例培训学校", "zhao-min", kind=_ASSOCIATION),
        _organisation(5, "xiangjiang", "香江（北京）示例咨询有限公司", "huang-jiahui"),
        _organisation(6, "yanjiusuo", "北京示例文化研究所", "aygul-memet", kind=_INSTITUTION),
        _organisation(
            7,
            "chunfeng",
            "北京春风示例传媒有限公司",
            "li-siyuan",
            story=OrganisationStory.NAME_DIFFERS,
            registered_name="北京春丰示例传媒有限公司",
        ),
        _organisation(
            8,
            "changan",
            "北京长安示例物业有限公司",
            "liu-zihan",
            story=OrganisationStory.REPRESENTATIVE_DIFFERS,
            registered_representative="sun-haoran",
        ),
        _organisation(
            9,
            "wuyou",
            "北京乌有示例贸易有限公司",
            "sun-haoran",
            story=OrganisationStory.UNKNOWN,
            registered=False,
        ),
        _organisation(
            10,
            "jinqiu",
            "北京金秋示例餐饮有限公司",
            "gao-zhiyuan",
            story=OrganisationStory.REVOKED,
            status="revoked",
        ),
        _organisation(
            11,
            "wangri",
            "北京往日示例服装有限公司",
            "deng-xinyi",
            story=OrganisationStory.DEREGISTERED,
            status="deregistered",
        ),
        _organisation(
            12,
            "qimian",
            "北京期满示例物流有限公司",
            "pan-haoran",
            story=OrganisationStory.TERM_OVER,
            term_to=date(2025, 12, 31),
        ),
    )
    return {organisation.id: organisation for organisation in everybody}
