"""The synthetic persons by name.

At least one for each document type and each story; the table in :mod:`bjidp.sandbox` says what each story does.
Numbers are built from their parts, so their check digits are right by construction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from bjidp.sandbox.people.numbers import (
    DocumentType,
    credit_card,
    debit_card,
    permanent_resident,
    permanent_resident_old,
    resident_id,
)
from bjidp.sandbox.people.person import Person, Story

# Written as an escape: editors and NFC turn this compatibility ideograph, which is in GB 18030 and on identity
# cards, into U+793C, and then the name would no longer test anything.
_LI_COMPATIBILITY: Final = "\ufa18"
_AS_PRINTED: Final = "(as printed)"

_NO_CARDS: Final[tuple[str, ...]] = ()


def _person(
    person_id: str,
    name: str,
    document: tuple[DocumentType, str],
    gender: str,
    serial: int,
    *,
    story: Story = Story.ORDINARY,
    valid: tuple[date, date | None] = (date(2021, 3, 18), date(2041, 3, 18)),
    registered_name: str | None = _AS_PRINTED,
    withdrawn: bool = False,
    face_matches: bool = True,
    intercepted: bool = False,
    bank_phone: str | None = None,
    cards: bool = True,
    cards_lost: bool = False,
    cards_valid_to: date | None = None,
) -> Person:
    phone = f"154{10_000_000 + serial:08d}"
    return Person(
        id=person_id,
        name=name,
        document_type=document[0],
        document_number=document[1],
        valid_from=valid[0],
        valid_to=valid[1],
        gender=gender,
        phone=phone,
        cards=(debit_card(serial), credit_card(serial)) if cards else _NO_CARDS,
        story=story,
        registered_name=name if registered_name == _AS_PRINTED else registered_name,
        withdrawn=withdrawn,
        face_matches=face_matches,
        intercepted=intercepted,
        bank_phone=bank_phone or phone,
        cards_lost=cards_lost,
        cards_valid_to=cards_valid_to,
    )


def _resident(area: str, born: date, sequence: int) -> tuple[DocumentType, str]:
    return DocumentType.RESIDENT_ID, resident_id(area, born, sequence)


def population() -> Mapping[str, Person]:
    """Return every synthetic person by id, in the order they are listed."""
    people = (
        _person("chen-yutong", "陈雨桐", _resident("100101", date(1996, 4, 12), 204), "female", 1),
        _person(
            "wang-jianguo",
            "王建国",
            _resident("100102", date(1968, 10, 1), 37),
            "male",
            2,
            valid=(date(2019, 10, 8), None),
        ),
        _person("li-siyuan", "李思远", _resident("100105", date(2001, 7, 23), 415), "male", 3),
        _person(
            "zhao-min",
            "赵敏",
            _resident("100108", date(1987, 12, 5), 62),
            "female",
            4,
            cards_valid_to=date(2031, 5, 31),
        ),
        _person("liu-zihan", "刘子涵", _resident("100106", date(1993, 2, 28), 118), "female", 5),
        _person("sun-haoran", "孙浩然", _resident("100112", date(1979, 9, 15), 273), "male", 6),
        _person(
            "huang-jiahui",
            "黄嘉慧",
            (DocumentType.HK_PERMIT, "H99990126"),
            "female",
            7,
            valid=(date(2023, 5, 9), date(2033, 5, 8)),
        ),
        _person(
            "ho-weng-kin",
            "何永健",
            (DocumentType.MACAO_PERMIT, "M99990308"),
            "male",
            8,
            valid=(date(2022, 11, 21), date(2032, 11, 20)),
        ),
        _person(
            "lin-yating",
            "林雅婷",
            (DocumentType.TAIWAN_PERMIT, "99990415"),
            "female",
            9,
            valid=(date(2023, 8, 30), date(2028, 8, 29)),
        ),
        _person(
            "anna-schmidt",
            "SCHMIDT ANNA",
            (DocumentType.PERMANENT_RESIDENT, permanent_resident("276", date(1990, 9, 21), 48)),
            "female",
            24,
            valid=(date(2025, 2, 11), date(2035, 2, 10)),
        ),
        _person(
            "elena-garcia",
            "GARCIA LOPEZ MARIA ELENA",
            (DocumentType.PERMANENT_RESIDENT, permanent_resident("724", date(1985, 6, 17), 26)),
            "female",
            10,
            story=Story.LATIN_NAME,
            valid=(date(2024, 1, 15), date(2034, 1, 14)),
        ),
        _person(
            "anders-holm",
            "HOLM ANDERS",
            (DocumentType.PERMANENT_RESIDENT, permanent_resident_old("XXN", date(1977, 3, 4), 3)),
            "male",
            11,
            story=Story.OLD_FORM_CARD,
            valid=(date(2018, 9, 3), date(2028, 9, 2)),
        ),
        _person(
            "aygul-memet",
            "阿依古丽·买买提",
            _resident("100107", date(1994, 5, 30), 86),
            "female",
            12,
            story=Story.DOTTED_NAME,
        ),
        _person(
            "wang-lang", "王𬭎", _resident("100114", date(1990, 1, 9), 339), "male", 13, story=Story.RARE_CHARACTER
        ),
        _person(
            "zhou-li",
            f"周{_LI_COMPATIBILITY}",
            _resident("100111", date(1982, 8, 19), 150),
            "female",
            14,
            story=Story.COMPATIBILITY_CHARACTER,
        ),
        _person(
            "long-name",
            "古丽努尔·阿卜杜热合曼·麦麦提图尔荪·艾则孜·约麦尔江",
            _resident("100109", date(1998, 11, 2), 92),
            "female",
            15,
            story=Story.LONG_NAME,
        ),
        _person(
            "wu-di",
            "吴迪",
            _resident("100113", date(1991, 6, 6), 57),
            "male",
            16,
            story=Story.MISMATCH,
            registered_name="吴笛",
        ),
        _person(
            "qian-wenjun",
            "钱文君",
            _resident("100115", date(1989, 4, 25), 168),
            "female",
            17,
            story=Story.UNKNOWN,
            registered_name=None,
        ),
        _person(
            "feng-guoqiang",
            "冯国强",
            _resident("100116", date(1972, 2, 14), 11),
            "male",
            18,
            story=Story.EXPIRED,
            valid=(date(2004, 6, 1), date(2024, 6, 1)),
        ),
        _person(
            "he-xiaolei",
            "何晓蕾",
            _resident("100117", date(1995, 9, 9), 244),
            "female",
            19,
            story=Story.DOCUMENT_WITHDRAWN,
            withdrawn=True,
        ),
        _person(
            "ma-chao",
            "马超",
            _resident("100118", date(1988, 3, 31), 475),
            "male",
            20,
            story=Story.FACE_FAILS,
            face_matches=False,
        ),
        _person(
            "xu-jing",
            "徐静",
            _resident("100119", date(1983, 10, 27), 306),
            "female",
            21,
            story=Story.BANK_PHONE_DIFFERS,
            bank_phone="15499000021",
        ),
        _person(
            "luo-bin",
            "罗斌",
            _resident("100113", date(1984, 7, 3), 613),
            "male",
            39,
            story=Story.BANK_CARD_LOST,
            cards_lost=True,
        ),
        _person(
            "jiang-wen",
            "蒋雯",
            _resident("100114", date(1991, 1, 18), 224),
            "female",
            40,
            story=Story.BANK_CARD_EXPIRED,
            cards_valid_to=date(2025, 6, 30),
        ),
        _person(
            "guo-xiaoyu",
            "郭小雨",
            _resident("100101", date(2014, 6, 1), 128),
            "female",
            22,
            story=Story.MINOR,
            valid=(date(2024, 7, 10), date(2029, 7, 10)),
            cards=False,
        ),
        _person(
            "zhou-mingxuan",
            "周明轩",
            _resident("100103", date(1986, 4, 2), 51),
            "male",
            31,
        ),
        _person(
            "xu-wanqing",
            "许婉清",
            _resident("100104", date(1990, 8, 19), 62),
            "female",
            32,
        ),
        _person(
            "gao-zhiyuan",
            "高致远",
            _resident("100105", date(1979, 1, 27), 73),
            "male",
            33,
        ),
        _person(
            "deng-xinyi",
            "邓欣怡",
            _resident("100106", date(1996, 12, 5), 84),
            "female",
            34,
        ),
        _person(
            "pan-haoran",
            "潘浩然",
            _resident("100108", date(1983, 7, 14), 95),
            "male",
            35,
        ),
        _person(
            "su-jingwen",
            "苏静雯",
            _resident("100110", date(1992, 10, 30), 106),
            "female",
            36,
        ),
        _person(
            "cai-junjie",
            "蔡俊杰",
            _resident("100111", date(1988, 5, 23), 117),
            "male",
            37,
        ),
        _person(
            "lu-shihan",
            "陆诗涵",
            _resident("100112", date(1999, 3, 11), 128),
            "female",
            38,
        ),
        _person(
            "tang-lei",
            "唐磊",
            _resident("100102", date(1992, 12, 24), 531),
            "male",
            23,
            story=Story.HIGH_RISK,
            intercepted=True,
        ),
    )
    return {person.id: person for person in people}
