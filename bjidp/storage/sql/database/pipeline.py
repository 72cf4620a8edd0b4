"""PostgreSQL on the event loop: a connection on which statements are under way without waiting for each other.

Owns libpq's pipeline mode, as psycopg hands it out (``psycopg.pq``). Each statement has a sync of its own, so that one
that fails takes no other with it, and each is a transaction of its own. Called by
``postgresql`` for work of one statement; a pipeline that is not open leaves it to the threads, and is opened meanwhile.

A point read takes 10 to 27 µs of CPU this way and 30 to 82 µs by way of a thread. Among sixteen logins, whose threads
take the interpreter lock from the event loop and from each other, the way cost 300 µs.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import Any, cast

import psycopg
import structlog
from psycopg import pq
from psycopg.adapt import Transformer

from bjidp.errors import StoreUnavailable
from bjidp.storage.sql.database.statements import Row, Value
from bjidp.storage.sql.database.transaction import Answer

PAUSE = 1.0
"""Seconds between attempts to open a pipeline. Threads do the work meanwhile, and tell whoever asks what is wrong."""

_TEXT, _BINARY = 0, 1
_STALE = frozenset({b"26000", b"0A000"})
"""SQLSTATEs of a prepared statement that the server has forgotten, or whose tables have changed since."""
_MARK = re.compile(r"%(s|%)")

log = structlog.get_logger(__name__)


class PipelineUnavailable(Exception):
    """The pipeline is not open, or the server refused the statement: in any case nothing has changed."""


class PipelineLost(Exception):
    """The connection broke while the statement was under way: nobody knows whether it ran."""


class Pipeline:
    """A connection that opens itself when it is first asked, and again when it was lost."""

    def __init__(self, connect: Callable[[], psycopg.Connection[Row]], deadline: float) -> None:
        """Connect by ``connect``, on a thread; an answer has ``deadline`` seconds."""
        self._connect = connect
        self._deadline = deadline
        self._open: _OpenPipeline | None = None
        self._opening: asyncio.Task[None] | None = None
        self._closed_until = 0.0

    async def opened(self) -> None:
        """Open the pipeline now unless it is open; raise :class:`PipelineUnavailable` when it does not come to be."""
        if not self.is_open:
            self._reopen()
            if self._opening is not None:
                await asyncio.wait([self._opening])
        if not self.is_open:
            raise PipelineUnavailable

    @property
    def is_open(self) -> bool:
        """Whether a statement would be taken."""
        return self._open is not None and not self._open.broken

    def ask(self, sql: str, values: Sequence[Value], over: Callable[[], None] | None = None) -> asyncio.Future[Answer]:
        """Send one statement, in the driver's own style of placeholders; return what its answer will be.

        ``over`` is called when the statement is, which may be long after a caller has gone. Raises
        :class:`PipelineUnavailable`; the answer may be that one, or :class:`PipelineLost`, or ``StoreUnavailable`` when
        the server is silent.
        """
        opened = self._open
        if opened is None or opened.broken:
            self._reopen()
            raise PipelineUnavailable
        return opened.ask(sql, values, over)

    async def close(self) -> None:
        """Finish what was begun, and hang up for good."""
        self._closed_until = float("inf")
        if self._opening is not None:
            # Not cancelled: the thread would connect all the same, and nobody would close what it got.
            await asyncio.wait([self._opening])
        opened, self._open = self._open, None
        if opened is not None:
            await opened.drain()
            opened.hang_up()

    def _reopen(self) -> None:
        loop = asyncio.get_running_loop()
        if self._opening is None and loop.time() >= self._closed_until:
            self._closed_until = loop.time() + PAUSE
            self._opening = loop.create_task(self._open_now())

    async def _open_now(self) -> None:
        try:
            connection = await asyncio.to_thread(self._connect)
            try:
                self._open = _OpenPipeline(connection, self._deadline)
            except BaseException:
                connection.close()
                raise
        except psycopg.Error as error:
            log.warning("sql_pipeline_not_open", error=type(error).__name__)
        finally:
            self._opening = None


class PipelinePool:
    """Pipelines that carry one statement each at a time, for those that may have to wait for a lock or for the disk."""

    def __init__(self, pipelines: Sequence[Pipeline], patience: float) -> None:
        """Share ``pipelines`` among callers, who wait ``patience`` seconds in all."""
        self._pipelines = pipelines
        self._idle = list(pipelines)
        self._turn = asyncio.Semaphore(len(pipelines))
        self._patience = patience

    async def ask(self, sql: str, values: Sequence[Value]) -> Answer:
        """See :meth:`Pipeline.ask`."""
        try:
            async with asyncio.timeout(self._patience):
                await self._turn.acquire()
                pipeline = self._taken()
                try:
                    answer = pipeline.ask(sql, values, partial(self._give_back, pipeline))
                except BaseException:
                    self._give_back(pipeline)
                    raise
                return await answer
        except TimeoutError:
            raise StoreUnavailable from None

    def _taken(self) -> Pipeline:
        # The newest that is open; if there is none, asking opens one.
        for place in range(len(self._idle) - 1, -1, -1):
            if self._idle[place].is_open:
                return self._idle.pop(place)
        return self._idle.pop()

    def _give_back(self, pipeline: Pipeline) -> None:
        self._idle.append(pipeline)
        self._turn.release()

    async def opened(self) -> None:
        """See :meth:`Pipeline.opened`; of all of them."""
        await asyncio.gather(*(pipeline.opened() for pipeline in self._pipelines))

    async def close(self) -> None:
        """See :meth:`Pipeline.close`."""
        for pipeline in self._pipelines:
            await pipeline.close()


class _Asked:
    """A statement's place in the pipeline."""

    __slots__ = ("answer", "count", "over", "prepared", "refusal", "rows", "since", "sql")

    def __init__(
        self,
        answer: asyncio.Future[Answer],
        sql: str,
        since: float,
        over: Callable[[], None] | None,
        *,
        prepared: bool,
    ) -> None:
        self.answer = answer
        self.sql = sql
        self.since = since
        self.over = over
        self.prepared = prepared
        self.rows: list[Row] = []
        self.count = 0
        self.refusal: bytes | None = None

    def settle(self, fault: Exception | None) -> None:
        if self.over is not None:
            self.over()
        if self.answer.done():
            return
        if fault is None:
            self.answer.set_result(Answer(self.rows, self.count))
        else:
            self.answer.set_exception(fault)


class _OpenPipeline:
    """An open connection in pipeline mode."""

    def __init__(self, connection: psycopg.Connection[Row], deadline: float) -> None:
        self.broken = False
        self._connection = connection
        self._pgconn = connection.pgconn
        self._pgconn.nonblocking = 1
        self._pgconn.enter_pipeline_mode()
        self._socket = self._pgconn.socket
        self._deadline = deadline
        self._loop = asyncio.get_running_loop()
        self._decoder = Transformer()
        self._names: dict[str, bytes] = {}
        self._numbers = count()
        self._waiting: deque[_Asked] = deque()
        self._sending = False
        self._watch: asyncio.TimerHandle | None = None
        self._emptied: asyncio.Future[None] | None = None
        self._loop.add_reader(self._socket, self._readable)

    def ask(self, sql: str, values: Sequence[Value], over: Callable[[], None] | None) -> asyncio.Future[Answer]:
        parameters = [value if value is None or isinstance(value, bytes) else str(value).encode() for value in values]
        # Text as binary too: as text it is a string of C's, which ends at the first zero.
        formats = [_TEXT if isinstance(value, int) else _BINARY for value in values]
        try:
            name = self._names.get(sql)
            prepared = name is not None
            if name is None:
                name = b"bjidp_%d" % next(self._numbers)
                self._pgconn.send_prepare(name, _numbered(sql))
                self._names[sql] = name
            self._pgconn.send_query_prepared(name, parameters, formats, _BINARY)
            self._pgconn.pipeline_sync()
        except psycopg.Error:
            self.hang_up()
            # What was packed has not left, or was not whole.
            raise PipelineUnavailable from None
        asked = _Asked(self._loop.create_future(), sql, self._loop.time(), over, prepared=prepared)
        self._waiting.append(asked)
        if not self._sending:
            self._sending = True
            # What one turn of the event loop asks leaves in one write.
            self._loop.call_soon(self._send)
        if self._watch is None:
            self._watch = self._loop.call_later(self._deadline, self._judge)
        return asked.answer

    async def drain(self) -> None:
        # Not by the answers: one whose caller has gone is settled while its statement runs on.
        if self._waiting:
            self._emptied = self._loop.create_future()
            await self._emptied

    def hang_up(self, fault: type[Exception] = PipelineLost) -> None:
        if self.broken:
            return
        self.broken = True
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        if self._watch is not None:
            self._watch.cancel()
        with contextlib.suppress(psycopg.Error):
            self._connection.close()
        for asked in self._waiting:
            asked.settle(fault())
        self._waiting.clear()
        self._tell_emptied()

    def _send(self) -> None:
        self._sending = False
        if self.broken:
            return
        try:
            unsent = self._pgconn.flush()
        except psycopg.Error as error:
            self._lost(error)
            return
        if unsent:
            self._loop.add_writer(self._socket, self._send_more)

    def _send_more(self) -> None:
        self._loop.remove_writer(self._socket)
        self._send()

    def _readable(self) -> None:
        pgconn = self._pgconn
        try:
            pgconn.consume_input()
            while self._waiting and not pgconn.is_busy():
                result = pgconn.get_result()
                # None stands between the results of one statement and those of the next.
                if result is not None:
                    self._take(result)
        except psycopg.Error as error:
            self._lost(error)

    def _take(self, result: pq.abc.PGresult) -> None:
        asked = self._waiting[0]
        match result.status:
            case pq.ExecStatus.TUPLES_OK:
                self._decoder.set_pgresult(result)
                asked.count = result.ntuples
                asked.rows = self._decoder.load_rows(0, asked.count, cast("Any", tuple))
            case pq.ExecStatus.COMMAND_OK:
                # The answer to a preparation counts nothing.
                asked.count = result.command_tuples or 0
                asked.prepared = True
            case pq.ExecStatus.PIPELINE_SYNC:
                self._waiting.popleft()
                self._settle(asked)
            case _ if asked.refusal is None:
                asked.refusal = result.error_field(pq.DiagnosticField.SQLSTATE) or b""
            case _:
                # What follows a refusal within one statement's place is not done.
                pass

    def _settle(self, asked: _Asked) -> None:
        if asked.refusal is not None:
            if not asked.prepared or asked.refusal in _STALE:
                # Prepared anew the next time. Not for any other refusal: each would leave one more at the server.
                self._names.pop(asked.sql, None)
            asked.settle(PipelineUnavailable())
        else:
            asked.settle(None)
        if not self._waiting:
            self._tell_emptied()

    def _tell_emptied(self) -> None:
        if self._emptied is not None and not self._emptied.done():
            self._emptied.set_result(None)

    def _judge(self) -> None:
        self._watch = None
        if self._waiting and not self.broken:
            left = self._waiting[0].since + self._deadline - self._loop.time()
            if left > 0:
                self._watch = self._loop.call_later(left, self._judge)
            else:
                log.warning("sql_pipeline_silent", seconds=self._deadline)
                self.hang_up(StoreUnavailable)

    def _lost(self, error: psycopg.Error) -> None:
        # Its text can hold values.
        log.warning("sql_pipeline_lost", error=type(error).__name__)
        self.hang_up()


def _numbered(sql: str) -> bytes:
    number = count(1)
    return _MARK.sub(lambda mark: "%" if mark[1] == "%" else f"${next(number)}", sql).encode()
