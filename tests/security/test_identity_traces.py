"""What proofs of identity leave behind: in the database, in Redis, in the log, in answers and addresses (B7).

One story for each database: names and numbers, cards, faces and claims, proved, refused and given up again.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from redis import Redis

from bjidp.accounts.ports import Evidence
from bjidp.clock import SystemClock
from bjidp.person import DocumentType
from bjidp.person import Person as Identity
from bjidp.storage.sql.catalog import SqlStores
from tests.security.conftest import Own
from tests.support.accounts import member, stores_at
from tests.support.browser import IPHONE, Browser
from tests.support.calls import Caller, Deployment
from tests.support.forms import WebForm, form_of, send
from tests.support.fragile import fragile
from tests.support.inbox import code_to
from tests.support.journeys import SAVE
from tests.support.phone import Person, log_in, people
from tests.support.postgres import PostgresServer
from tests.support.proving import (
    ABLE,
    APART,
    Exchanges,
    Faces,
    Proves,
    ProvesCard,
    ProvesName,
    ShowsAFace,
    Unbinds,
    dates_of,
)
from tests.support.redis import RedisServer
from tests.support.traces import traces
from tests.support.visitors import PASSWORD, number, registered, registering, username

CLAIM: Final = "/mp/v1/wechat/registration/claim"
PICTURES: Final = (b"JFIF\0", b"Exif\0", b"/9j/4AAQ", b"data:image/")
"""What every picture of a face would begin with."""


class Story:
    """Everybody who proves something, or fails to, at one server."""

    def __init__(self, caller: Caller, stores: SqlStores, everybody: list[Person]) -> None:
        self.caller = caller
        self.stores = stores
        self.now = SystemClock().now
        self.everybody = everybody
        able = [one for one in everybody if one.story in ABLE and one.document_type == "resident_id"]
        self.apart = able[-APART:]
        self.hidden = {"password": PASSWORD}
        self.named: ProvesName

    async def happens(self) -> None:
        """Let everything happen."""
        await self.prove_on_pages()
        await self.lose_and_give_up()
        await self.register_on_pages()
        await self.register_by_phone()
        await self.show_a_face()

    async def prove_on_pages(self) -> None:
        """实名认证, 银行卡认证 and 换绑, each refused before."""
        named, carded = ProvesName(self.caller, self.stores, self.now), ProvesCard(self.caller, self.stores, self.now)
        exchanged = Exchanges(self.caller, self.stores, self.now)
        for somebody in (named, carded, exchanged):
            await somebody.begins()
            self.hides(somebody.setting, somebody.who, somebody.phone, somebody.name)
        self.hidden |= {"former name": exchanged.former.name, "former number": exchanged.former.number}

        form = await self.at_the_form(named)
        for typed in ({"name": carded.who["name"]}, {"document_number": "100101199604122040"}, {"valid_from": "never"}):
            assert (await send(named.browser, form.typed(**typed))).status == 422
        await self.faults("authority", "refuse")
        assert (await send(named.browser, form)).status == 503
        await self.faults("authority", "ok")
        await named.posts(form, "")

        form = await self.at_the_form(carded)
        for card in (carded.who["cards"][1], exchanged.who["cards"][0]):
            assert (await send(carded.browser, form.typed(card_number=card))).status == 422
        await carded.posts(form, "")
        await exchanged.posts(await self.at_the_form(exchanged), "")
        for somebody in (named, carded, exchanged):
            assert await somebody.is_done()
            assert (await somebody.browser.get("/centre")).status == 200
        self.named = named

    async def lose_and_give_up(self) -> None:
        """State an identity that another account has, which is kept as a claim; give one up."""
        late, leaving = ProvesName(self.caller, self.stores, self.now), Unbinds(self.caller, self.stores, self.now)
        await late.begins()
        late.who = self.named.who
        page = await late.follows(await late.posts(await self.at_the_form(late), ""))
        assert "人脸识别" in page.text
        await leaving.begins()
        self.hidden |= {"given up": leaving.former.number, "who left": leaving.phone}
        for step, status in zip(leaving.steps, (303, 200), strict=True):
            assert (await leaving.goes(step)).status == status
        assert await leaving.is_done()

    async def register_on_pages(self) -> None:
        """State who one is while registering, on a computer and on a phone."""
        who, permit = self.apart[4], self.person(document_type="hk_permit")
        browser = (await registered(self.caller)).browser
        await self.states(browser, "/register/identity", who, {"name": permit.name}, status=422)
        await self.states(browser, "/register/identity", who, {})
        handheld = Browser(self.caller, IPHONE)
        answer = await send(handheld, await registering(handheld, number(), page="/h5/register"))
        assert answer.status == 303
        listed = await self.caller.sandbox("/control/people")
        dates = dates_of(next(one for one in listed if one["id"] == permit.id))
        typed = {"document_type": permit.document_type, "sex": "male", **dates}
        await self.states(handheld, "/h5/register/identity", permit, typed)

    async def register_by_phone(self) -> None:
        """Fail, be refused, register; claim an account, and take an identity over."""
        somebody, owner, winner = (Faces(self.caller, person) for person in self.apart[:3])
        await somebody.begins("fail")
        assert (await somebody.asks()).verdict == (422, "face_failed")
        await somebody.begins()
        assert (await somebody.asks()).status == 200
        stranger = Faces(self.caller, self.person(story="unknown"))
        await stranger.begins()
        assert (await stranger.asks()).verdict == (422, "identity_mismatch")
        for person in (somebody.person, stranger.person, self.person(story="mismatch")):
            self.hides(person.id, msgspec.to_builtins(person))
        for claimant in (owner, winner):
            person, phone = claimant.person, number()
            self.hides(person.id, msgspec.to_builtins(person), phone)
            await member(
                self.stores,
                self.now(),
                username=username(),
                phone=phone,
                password=PASSWORD,
                document=known(person),
                evidence=Evidence.NAME_AND_NUMBER,
            )
            await claimant.begins()
            assert (await claimant.asks()).json()["status"] == "account_found"
            mine = {"registration": claimant.registration, "mine": claimant is owner}
            answer = await self.caller.post(CLAIM, mine)
            if claimant is owner:
                assert answer.status == 202
                answer = await self.caller.post(CLAIM, mine | {"code": await code_to(self.caller.sandbox, phone)})
            assert answer.status == 200, answer

    async def show_a_face(self) -> None:
        """人脸识别认证, which fails first."""
        person = self.apart[3]
        self.hides(person.id, msgspec.to_builtins(person))
        shows = ShowsAFace(self.caller, await log_in(self.caller, "wechat", person))
        await shows.begins("fail")
        assert (await shows.asks()).verdict == (422, "face_failed")
        await shows.phone.shows_face(shows.scanned)
        await shows.ends(await shows.asks())

    async def at_the_form(self, somebody: Proves) -> WebForm:
        """Come as far as the form, and fill it in."""
        for step in somebody.steps[:-1]:
            assert (await somebody.goes(step)).status == 303
        return (await somebody.form(SAVE))[0]

    async def states(self, browser: Browser, page: str, who: Person, typed: dict[str, str], status: int = 303) -> None:
        """State who one is while registering."""
        self.hides(page, msgspec.to_builtins(who))
        facts = {"name": who.name, "document_number": who.document_number} | typed
        answer = await send(browser, form_of(await browser.get(page), page).typed(**facts))
        assert answer.status == status, answer.text

    async def faults(self, service: str, mode: str) -> None:
        """Let a service misbehave, or mend it."""
        await self.caller.sandbox("/control/faults", {"service": service, "mode": mode})

    def hides(self, where: str, who: dict[str, Any], *others: str) -> None:
        """Remember what is not to be found anywhere."""
        values = [who["name"], who["document_number"], who["phone"], *who.get("cards", ()), *others]
        self.hidden |= {f"{where}, {place}": value for place, value in enumerate(values)}

    def person(self, **facts: str) -> Person:
        """Return the first person of whom these facts are true."""
        return next(one for one in self.everybody if all(getattr(one, name) == value for name, value in facts.items()))


def known(person: Person) -> Identity:
    """Return somebody as the server knows them."""
    return Identity(DocumentType(person.document_type), person.name, person.document_number)


def in_redis(url: str) -> bytes:
    """Return every key of a Redis database with its value."""
    with Redis.from_url(url) as redis:
        kinds = {
            b"string": redis.get,
            b"hash": redis.hgetall,
            b"zset": lambda key: redis.zrange(key, 0, -1),
            b"set": redis.smembers,
            b"list": lambda key: redis.lrange(key, 0, -1),
            b"stream": redis.xrange,
        }
        return b"\n".join(b"%b %b" % (key, flat(kinds[redis.type(key)](key))) for key in redis.scan_iter())


def flat(value: Any) -> bytes:  # noqa: ANN401 - whatever Redis holds
    """Return the octets of a value, one part after another."""
    if isinstance(value, dict):
        return flat(list(value.items()))
    if isinstance(value, list | tuple | set):
        return b" ".join(map(flat, value))
    return value if isinstance(value, bytes) else str(value).encode()


def files(folder: Path) -> bytes:
    """Return the files of a SQLite database."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("bjidp.sqlite*")))


def said(caller: Caller) -> bytes:
    """Return everything that the server has answered, but for what a form shows again of what was typed into it."""
    return b"\n".join(
        re.sub(rb' value="[^"]*"', b"", answer.body) + (answer.header("Location") or "").encode()
        for answer in caller.heard
    )


@pytest.mark.req("PRV-1", "RNV-2", "RNV-3", "RNV-4", "RNV-7")
@pytest.mark.attack("B7", "Q24")
@pytest.mark.parametrize("kept_in", ["sqlite", "postgresql"])
async def test_no_face_no_card_and_no_document_is_left_of_any_proof(
    home: Own, tmp_path: Path, postgres_server: PostgresServer, redis_server: RedisServer, kept_in: str
) -> None:
    """Neither plain nor encoded, reversed, in another alphabet or hashed without a key."""
    redis = redis_server.fresh_url()
    with postgres_server.database() as database:
        url = database if kept_in == "postgresql" else f"sqlite:///{tmp_path / 'bjidp.sqlite'}"
        with fragile(home.demo, tmp_path, {"database_url": url, "redis_url": redis}) as place:
            at = Deployment(place.server, place.sandbox, place.server)
            async with Caller(at) as caller, stores_at(place.config) as stores:
                story = Story(caller, stores, await people(caller))
                try:
                    await story.happens()
                finally:
                    await story.faults("authority", "ok")
                places = {"Redis": in_redis(redis), "the log": place.log, "an answer": said(caller)}
                places["the database"] = postgres_server.dump(url) if kept_in == "postgresql" else files(tmp_path)
    # What is looked for would be found: all of them were written to.
    for where, octets in (("the log", b'"serving"'), ("the database", b"identity.taken"), ("Redis", b"claim")):
        assert octets in places[where]
    for where, octets in places.items():
        assert traces(story.hidden, octets) == [], where
        assert not [picture for picture in PICTURES if picture in octets], where
