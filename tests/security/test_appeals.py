"""人工申诉 in the wrong hands: hostile files and bodies, other people's appeals, races, what is left (U1-U6)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Final

import pytest

from bjidp.accounts.ports import Evidence
from bjidp.appeals.appeal import Appeal, State, Verdict
from bjidp.appeals.ports import Decision
from bjidp.clock import SystemClock
from bjidp.proofing.ports import NewIdentity
from bjidp.storage.sql.catalog import SqlStores
from tests.security.conftest import Own, own
from tests.support.accounts import member, stores_at
from tests.support.browser import Browser
from tests.support.calls import Answer, Caller, Line
from tests.support.files import SCRIPT, SECRET, active_pdf, jpeg, jpeg_that_says, opened, pdf, png, png_bomb
from tests.support.forms import WebForm, form_of, forms, multipart, post_raw, send, upload
from tests.support.identities import prove
from tests.support.journeys import SAVE
from tests.support.proving import ProvesName
from tests.support.traces import traces
from tests.support.visitors import PASSWORD, by_password, number, username

pytestmark = pytest.mark.req("RNV-8")

PAGE: Final = "/centre/appeal"
REASON: Final = "证件遗失后被冒名注册，请工作人员核实处理。"
CONTACT: Final = "联系街道王主任"
NAME: Final = "本人手持证件正面照.jpg"


class Claimant(ProvesName):
    """Somebody whose identity another account holds, and who may appeal for it."""

    async def arrives(self) -> Claimant:
        """State rightly who one is, in vain."""
        await self.begins()
        holder = await member(self.stores, self.now(), username=username(), phone=number(), password=PASSWORD)
        proof = NewIdentity(
            person=self.person, evidence=Evidence.FACE, evidence_reference="E-1", authority_reference="A-1"
        )
        await prove(self.stores.identities, holder, proof, self.now())
        for step in self.steps[:-1]:
            assert (await self.goes(step)).status == 303
        form, act = await self.form(SAVE)
        page = await self.follows(await self.posts(form, act))
        assert PAGE in page.text
        return self

    async def blank(self) -> WebForm:
        """Return the form, with a reason that will do."""
        return form_of(await self.browser.get(PAGE), PAGE).typed(reason=REASON, contact=CONTACT)

    async def sends(self, *files: tuple[str, bytes], **more: str) -> Answer:
        """Post the form with files."""
        named = {f"attachment_{at}": file for at, file in enumerate(files, start=1)}
        return await upload(self.browser, await self.blank(), named, **more)


@pytest.fixture(scope="module")
def town() -> Iterator[Own]:
    """A demo of these tests' own: who proves an identity on a page takes it from a phone that another test logs in."""
    with own() as running:
        yield running


@pytest.fixture
async def stores(town: Own) -> AsyncIterator[SqlStores]:
    """The database of the server under attack."""
    async with stores_at(town.demo.config) as opened_stores:
        yield opened_stores


@pytest.fixture
async def claimant(town: Own, stores: SqlStores) -> AsyncIterator[Claimant]:
    """Somebody who may appeal, at a server of the run's own."""
    async with Caller(town.at) as caller:
        yield await Claimant(caller, stores, SystemClock().now).arrives()


async def newest(stores: SqlStores, claimant: Claimant) -> Appeal:
    found = await stores.appeals.newest(claimant.account)
    assert found is not None
    return found


@pytest.mark.attack("U1", "U2", "U4")
async def test_hostile_files_come_to_nothing_but_words(stores: SqlStores, claimant: Claimant) -> None:
    """Whatever a file is called and says it is: refused beside its field, or drawn anew without what it carried."""
    refused = {
        "a program": (NAME, b"MZ\x90\x00" + SCRIPT),
        "a page": (NAME, b"<html>" + SCRIPT),
        "a drawing with a script": ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        "an archive": ("a.pdf", b"PK\x03\x04" + b"\0" * 100),
        "a page that begins as a photo": (NAME, b"\xff\xd8\xff\xe0" + SCRIPT * 20),
        "half a picture": ("a.png", png()[:-40]),
        "a bomb": ("a.png", png_bomb(30_000)),
        "another bomb": (NAME, jpeg_that_says(65_000, 65_000)),
        "a document without end": ("a.pdf", b"%PDF-1.7\n" + b"1 0 obj << /Kids [1 0 R] >> endobj\n" * 500),
        "a document that leads to itself": ("a.pdf", pdf(0)),
        "too many pages": ("a.pdf", pdf(6)),
        "nothing": (NAME, b""),
    }
    for what, file in refused.items():
        answer = await claimant.sends(file)
        assert answer.status == 422, (what, answer)
        again = form_of(answer, PAGE)
        assert set(again.faults) == {"attachment_1"}, what
        assert again.values["reason"] == REASON, what
    assert await stores.appeals.newest(claimant.account) is None

    answer = await claimant.sends(("../../etc/passwd\x1b[2J.exe", jpeg()), ("b", active_pdf()))
    assert answer.status == 303, answer
    found = await newest(stores, claimant)
    assert [kept.name for kept in found.attachments] == ["passwd[2J.exe", "b"]
    for kept in found.attachments:
        data = await stores.appeals.picture(found.id, kept.number, "wang", SystemClock().now())
        assert opened(data).format == "JPEG"
        assert not any(carried in data for carried in (SECRET, SCRIPT, b"JavaScript", b"Exif"))


@pytest.mark.attack("U6", "Q9")
async def test_an_appeal_is_its_own_accounts_alone(town: Own, stores: SqlStores, claimant: Claimant) -> None:
    """Another account, which knows every id: it sees nothing, takes nothing back, and finds no picture anywhere."""
    assert (await claimant.sends((NAME, jpeg()))).status == 303
    found = await newest(stores, claimant)
    async with Caller(town.at) as caller:
        other = await Claimant(caller, stores, SystemClock().now).arrives()
        form = await other.blank()
        for given in (found.id, f"{found.id} ", "' OR 1=1 --", ""):
            for page in (PAGE, "/centre/withdraw_appeal", "/centre/withdraw_appeal/identity"):
                taking = WebForm(page, {"csrf": form.values["csrf"], "appeal": given})
                assert (await send(other.browser, taking, "withdraw")).status in {303, 400}, page
        for path in (f"/{found.id}", f"/{found.id}/1", f"/{found.id}-1.jpg", "/1", f"?appeal={found.id}", "?account=1"):
            answer = await other.browser.get(PAGE + path)
            assert answer.status in {200, 404}, path
            assert REASON not in answer.text, path
            assert not answer.body.startswith(b"\xff\xd8"), path
        # The form has no place for whose appeal it is, or for what became of it.
        for field in ("account", "state", "verdict", "appeal"):
            kind, body = multipart([("csrf", form.values["csrf"]), ("reason", REASON), (field, found.id)])
            assert (await post_raw(other.browser, PAGE, body, kind)).status == 400, field
    assert (await newest(stores, claimant)).state is State.FILED


@pytest.mark.attack("Q28", "W2", "U5")
async def test_an_upload_counts_from_a_page_of_ours_in_this_very_session_alone(
    town: Own, stores: SqlStores, claimant: Claimant
) -> None:
    form = await claimant.blank()
    files = [("attachment_1", NAME, jpeg())]
    for origin in ("https://evil.example", "null", town.at.url.replace("http", "ws", 1)):
        assert (await claimant.sends((NAME, jpeg()), Origin=origin)).status == 403, origin
    async with Caller(town.at) as caller:
        theirs = (await (await Claimant(caller, stores, SystemClock().now).arrives()).blank()).values["csrf"]
    own = form.values["csrf"]
    for fields in (
        [("reason", REASON)],
        [("csrf", ""), ("reason", REASON)],
        [("csrf", theirs), ("reason", REASON)],
        [("reason", REASON), ("csrf", own)],
    ):
        kind, body = multipart(fields, files)
        assert (await post_raw(claimant.browser, PAGE, body, kind)).status == 403, fields[0]
    assert await stores.appeals.newest(claimant.account) is None


@pytest.mark.attack("U5", "Q27")
async def test_bodies_that_no_browser_sends_are_refused_in_words(
    town: Own, stores: SqlStores, claimant: Claimant
) -> None:
    csrf = ("csrf", (await claimant.blank()).values["csrf"])
    kind, good = multipart([csrf, ("reason", REASON)], [("attachment_1", NAME, jpeg())])
    boundary = kind.rpartition("=")[2].encode()
    bodies = {
        "nothing": b"",
        "no end": good[: -len(boundary)],
        "something before": b"x" + good,
        "something behind": good + b"x" * 10,
        "another boundary": good.replace(boundary, b"----other"),
        "an encoding": good.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n", 2),
        "a head without end": good.replace(b"\r\n\r\n", b"\r\nX: " + b"x" * 5000 + b"\r\n\r\n", 2),
        "too many parts": multipart([csrf, *((f"f{at}", "") for at in range(100))])[1],
        "a field without end": multipart([csrf, ("reason", "字" * 30_000)])[1],
        "a field twice": multipart([csrf, ("reason", REASON), ("reason", REASON)])[1],
        "a file in the place of a field": multipart([csrf], [("reason", "a", b"x")])[1],
        "a field in the place of a file": multipart([csrf, ("attachment_1", "x")])[1],
    }
    for what, body in bodies.items():
        answer = await post_raw(claimant.browser, PAGE, body, kind)
        assert answer.status in {400, 403, 413}, (what, answer)
        assert "<h1" in answer.text, what
    for said in (
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/mixed; boundary=x",
        f"{kind}; x=y",
    ):
        assert (await post_raw(claimant.browser, PAGE, good, said)).status in {400, 403}, said
    # More than is ever read is refused where its first file begins.
    line = await Line.open(town.at)
    headers = claimant.browser.headers(Origin=town.at.url, Accept="text/html")
    told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    await line.say(
        f"POST {PAGE} HTTP/1.1\r\nHost: {town.at.url.partition('//')[2]}\r\n{told}"
        f"Content-Type: {kind}\r\nContent-Length: {10**10}\r\n\r\n".encode()
        + good[:-200]
    )
    assert (await line.answer()).status == 413
    await line.close()
    assert await stores.appeals.newest(claimant.account) is None


async def drips(town: Own, browser: Browser, csrf: str) -> Line:
    """Begin to post the form, come as far as its first file, and send no more of it than that."""
    kind, body = multipart([("csrf", csrf), ("reason", REASON)], [("attachment_1", NAME, jpeg())])
    line = await Line.open(town.at)
    headers = browser.headers(Origin=town.at.url, Accept="text/html", Host=town.at.url.partition("//")[2])
    told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    length = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    await line.say(f"POST {PAGE} HTTP/1.1\r\n{told}{length}".encode() + body[: body.index(b"attachment_1") - 50])
    return line


@pytest.mark.attack("U5")
async def test_accounts_that_send_slowly_and_may_not_file_keep_nobody_from_filing(
    town: Own, stores: SqlStores, claimant: Claimant
) -> None:
    """Of five accounts two forms each, which is more than are read at a time: none has stated whose identity it is."""
    lines = []
    async with Caller(town.at) as caller:
        for _ in range(5):
            name, browser = username(), Browser(caller)
            await member(stores, SystemClock().now(), username=name, phone=number(), password=PASSWORD)
            assert (await by_password(browser, name, PASSWORD)).status == 303
            csrf = forms(await browser.get("/centre"))[0].values["csrf"]
            lines += [await drips(town, browser, csrf) for _ in range(2)]
        assert (await claimant.sends((NAME, jpeg()))).status == 303
        for line in lines:
            assert not line.ended
            await line.close()


@pytest.mark.attack("U5")
async def test_of_a_form_that_is_sent_many_times_at_once_one_appeal_is_filed(
    stores: SqlStores, claimant: Claimant
) -> None:
    form = await claimant.blank()
    answers = await asyncio.gather(
        *(upload(claimant.browser, form, {"attachment_1": (NAME, jpeg())}) for _ in range(10))
    )
    statuses = {answer.status for answer in answers}
    assert 303 in statuses
    assert statuses <= {303, 503}
    mine = [event for _, event in await stores.members.history(claimant.account, 50) if event.kind == "appeal.filed"]
    assert len(mine) == 1


@pytest.mark.req("REG-8")
@pytest.mark.attack("Q21")
async def test_of_staff_who_decide_at_once_one_does_and_the_loser_is_put_out(
    stores: SqlStores, claimant: Claimant
) -> None:
    assert (await claimant.sends((NAME, jpeg()))).status == 303
    now = SystemClock().now()
    case = await stores.appeals.review((await newest(stores, claimant)).id, "wang", now)
    decisions = [
        Decision(
            appeal=case.appeal.id, verdict=verdict, facts=case.facts, staff=f"s{at}", explanation="材料属实，予以处理"
        )
        for at, verdict in enumerate([Verdict.GRANT, Verdict.REFUSE] * 5)
    ]
    results = await asyncio.gather(
        *(stores.appeals.decide(decision, now) for decision in decisions), return_exceptions=True
    )
    (decided,) = [result for result in results if isinstance(result, Appeal)]
    bound = await stores.identities.bound(claimant.account)
    assert (bound is not None) == (decided.state is State.GRANTED)
    page = await claimant.browser.get(PAGE)
    assert ("已通过" if bound else "未通过") in page.text


@pytest.mark.req("PRV-1")
@pytest.mark.attack("U4", "Q24", "B7")
async def test_neither_log_nor_database_nor_address_keeps_what_an_appeal_says(
    town: Own, stores: SqlStores, claimant: Claimant
) -> None:
    hidden = {"reason": REASON, "contact": CONTACT, "file": NAME, "number": claimant.who["document_number"]}
    await claimant.sends((NAME, b"no picture"))
    assert (await claimant.sends((NAME, jpeg()))).status == 303
    found = await newest(stores, claimant)
    picture = await stores.appeals.picture(found.id, 1, "wang", SystemClock().now())
    files = [town.database, town.database.with_name(f"{town.database.name}-wal"), town.demo.process.log]
    kept = b"".join(path.read_bytes() for path in files if path.exists())
    assert found.id.encode() in kept
    assert traces(hidden, kept) == []
    assert picture[100:200] not in kept
    assert b"JFIF\0" not in kept
    for answer in claimant.caller.heard:
        assert REASON not in (answer.header("Location") or "")
