"""Posted forms with files: who may post one, and how much of it is taken (attack U5).

Owns every limit of such a body, all of them kept while it comes: parts, fields, files, the whole, its time, how fast
it comes, and silence. Nobody but whoever is logged in may post one, and the page's token comes first in it, so that
nothing is kept of what another site or a stranger sends. Files are read of those alone whom the feature lets in and who
have a slot (:mod:`bjidp.web.forms.upload_slots`); of everybody else no more than of any form, for them to be told why,
with what they typed. What is larger than it may be is read on for a while and thrown away: who sends it is told so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final, TypeAlias

from aiohttp import web
from msgspec import Struct

from bjidp.errors import BjidpError, FieldFault, InvalidRequest
from bjidp.qrlogin.errors import OriginRefused
from bjidp.throttle.source import Source
from bjidp.web.forms.reading import FORM_TOKEN, Forms
from bjidp.web.forms.signed_in import Owner
from bjidp.web.forms.upload_slots import UploadSlots
from bjidp.web.http.errors import RequestTimeout, TooLarge
from bjidp.web.http.multipart import Begun, Multipart, MultipartFault, Over, Piece

PARTS: Final = 16
FIELD_MAX: Final = 16 * 1024
"""Bytes of a field; the longest is a reason of a thousand characters."""

KEPT_MAX: Final = 16 * 1024 * 1024
"""Bytes of all files that are kept."""

READ_MAX: Final = 64 * 1024 * 1024
"""Bytes of a body that are read at all, to tell on the page what was too large of it."""

TIME: Final = 120.0
"""Seconds the whole of a body may take: three files at their largest, over a telephone's line."""

FIELDS_TIME: Final = 10.0
"""Seconds that what comes before the first file may take, where no file is read."""

SILENCE: Final = 10.0
"""Seconds in which nothing of it comes."""

RATE: Final = 16 * 1024
"""Bytes a second that come of it on the whole; a telephone with a poor line sends several times that."""

GRACE: Final = 10.0
"""Seconds before anybody counts."""

Admit: TypeAlias = Callable[[], Awaitable[None]]
"""Raises the error by which whoever posts is refused before their files are read."""


class File(Struct, frozen=True):
    """A file that was sent; ``too_large`` says that there was more of it, which nobody has kept."""

    field: str
    name: str
    data: bytes
    too_large: bool = False

    def __repr__(self) -> str:
        """Show the field alone."""
        return f"File({self.field!r}, ***)"


class Upload(Struct, frozen=True):
    """A posted form: its fields, and the files that were chosen, in their order.

    ``too_large`` says that the whole was more than is taken, ``refused`` why none of the files was read: then the files
    are none.
    """

    fields: dict[str, str]
    files: tuple[File, ...]
    too_large: bool = False
    refused: BjidpError | None = None

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "Upload(***)"


class Uploads:
    """Reads forms with files, each of ``file_max`` bytes at most."""

    def __init__(self, forms: Forms, *, file_max: int) -> None:
        """Judge tokens by ``forms``."""
        self._forms = forms
        self._file_max = file_max
        self._slots = UploadSlots()

    def require_own(self, request: web.Request) -> None:
        """Raise :class:`OriginRefused` for a form of another site's page."""
        self._forms.require_own(request)

    async def read(self, request: web.Request, owner: Owner, source: Source, admit: Admit) -> Upload:
        """Return the form that ``owner`` posts from ``source``, its files if they are let in and there is a slot.

        Raises :class:`OriginRefused` for a form of another site's page or without a token of this session, in its first
        field; :class:`InvalidRequest` for a body that no browser sends; ``TooLarge`` for more fields than a form has,
        or longer ones; ``RequestTimeout``.
        """
        self.require_own(request)
        boundary = request.headers.get("Content-Type", "")
        kind, _, given = boundary.partition(";")
        name, _, value = given.strip().partition("=")
        if kind.strip().lower() != "multipart/form-data" or name.lower() != "boundary":
            raise InvalidRequest(FieldFault("", "content_type"))
        # One that says it is too large is read up to its first file: what was typed comes before.
        is_read_whole = (request.content_length or 0) <= READ_MAX
        refused: BjidpError | None = None
        async with AsyncExitStack() as held:
            try:
                await admit()
                await held.enter_async_context(self._slots.slot(owner.session.account, source))
            except BjidpError as error:
                refused, is_read_whole = error, False
            taking = _Taking(self._forms, owner, self._file_max if is_read_whole else None)
            try:
                async with asyncio.timeout(TIME if is_read_whole else FIELDS_TIME):
                    await _read(request, Multipart(value.strip('"')), taking)
            except TimeoutError:
                raise RequestTimeout from None
            except MultipartFault:
                raise InvalidRequest(FieldFault("", "form")) from None
        return taking.upload(refused)


async def _read(request: web.Request, body: Multipart, taking: _Taking) -> None:
    loop = asyncio.get_running_loop()
    began, read = loop.time(), 0
    while True:
        async with asyncio.timeout(SILENCE):
            data = await request.content.readany()
        if not data:
            break
        read += len(data)
        if read < RATE * (loop.time() - began - GRACE):
            raise TimeoutError
        for piece in body.feed(data):
            taking.take(piece)
            if taking.has_enough:
                return
        if read > READ_MAX:
            taking.give_up()
            return
    body.end()


class _Taking:
    """What of a body is kept so far."""

    def __init__(self, forms: Forms, owner: Owner, file_max: int | None) -> None:
        """Take files of ``file_max`` bytes, None for none of them."""
        self._forms = forms
        self._owner = owner
        self._file_max = file_max
        self._fields: dict[str, str] = {}
        self._files: list[File] = []
        self._parts = 0
        self._part: Begun | None = None
        self._data = bytearray()
        self._over = False
        """More of the part came than is kept."""
        self._kept = 0
        self._proved = False
        self._too_large = False

    @property
    def has_enough(self) -> bool:
        """Whether what follows is none that is taken."""
        return self._file_max is None and self._too_large

    def give_up(self) -> None:
        """Take nothing of what follows: the whole is too large."""
        self._too_large = True

    def take(self, piece: Piece) -> None:
        """Keep a piece, or not."""
        match piece:
            case Begun():
                self._begin(piece)
            case Over():
                self._end()
            case bytes():
                self._add(piece)

    def upload(self, refused: BjidpError | None) -> Upload:
        """Return what was kept."""
        if not self._proved:
            raise OriginRefused
        return Upload(self._fields, () if self._too_large else tuple(self._files), self._too_large, refused)

    def _begin(self, part: Begun) -> None:
        self._parts += 1
        if self._parts > PARTS:
            raise TooLarge
        if not self._proved and (part.name != FORM_TOKEN or part.filename is not None):
            raise OriginRefused
        if part.name in self._fields or any(file.field == part.name for file in self._files):
            raise InvalidRequest(FieldFault(part.name, "repeated"))
        if part.filename is not None and self._file_max is None:
            self.give_up()
        self._part, self._over = part, False
        self._data.clear()

    def _add(self, data: bytes) -> None:
        is_file = self._part is not None and self._part.filename is not None
        if is_file and self._kept + len(self._data) + len(data) > KEPT_MAX:
            self._too_large = True
        if self._over or (is_file and self._too_large):
            return
        self._data += data
        if len(self._data) > (self._file_max or 0 if is_file else FIELD_MAX):
            if not is_file:
                raise TooLarge
            self._over = True
            self._data.clear()

    def _end(self) -> None:
        part = self._part
        if part is None:
            raise MultipartFault
        self._part = None
        if part.filename is not None:
            # A field in which nothing was chosen is sent as a file without a name and without bytes.
            if part.filename or self._data or self._over:
                self._files.append(File(part.name, part.filename, bytes(self._data), self._over))
            self._kept += len(self._data)
        elif not self._proved:
            self._prove()
        else:
            self._fields[part.name] = self._text()
        self._data.clear()

    def _prove(self) -> None:
        self._forms.require_token({FORM_TOKEN: self._text()}, self._owner, None)
        self._proved = True

    def _text(self) -> str:
        try:
            return self._data.decode("utf-8")
        except UnicodeDecodeError:
            raise MultipartFault from None
