"""Runs queries off the event loop, each on its own connection, with limits on time, rows and how many at once."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

import duckdb

from local.insights.errors import BusyError, QueryError, QueryTimeoutError
from local.insights.kql.engine import Engine
from local.insights.kql.session import Session
from local.insights.results import render
from local.insights.schema import TABLES, full_name, query_schema
from local.insights.store import Store

_RUNNING_MAX = 4
_WAITING_MAX = 64
_WATCH_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Query:
    """One question.

    Attributes:
        text: The KQL.
        now: What `now()` answers (UTC).
        span: Rows outside these two moments do not exist for the query; None for no such limit.
    """

    text: str
    now: datetime
    span: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gave.

    Attributes:
        tables: The `tables` array as JSON.
        partial: Why rows are missing; None when none are.
        approximations: Functions whose numbers are not those of the real service.
    """

    tables: bytes
    partial: str | None
    approximations: frozenset[str]


class QueryRunner:
    """Runs at most a few queries at once, lets some wait, and refuses the rest."""

    def __init__(self, store: Store, *, seconds_max: float, rows_max: int) -> None:
        """Binds to a store; limits hold for each query."""
        self._store, self._seconds_max, self._rows_max = store, seconds_max, rows_max
        self.engine = Engine({table: list(columns) for table, columns in query_schema().items()})
        self._patience_seconds = seconds_max * (1 + _WAITING_MAX / _RUNNING_MAX) + 5
        self._threads = ThreadPoolExecutor(_RUNNING_MAX, "insights-query")
        self._waiting = 0
        self._closing = False
        self.answered = 0
        self.refused = 0

    async def run(self, query: Query) -> Answer:
        """Runs a query.

        Raises:
            QueryError: It was refused, failed, or ran out of time.
        """
        if self._waiting >= _RUNNING_MAX + _WAITING_MAX:
            self.refused += 1
            raise BusyError(f"{self._waiting} queries are running or waiting")
        self._waiting += 1
        running = asyncio.get_running_loop().run_in_executor(self._threads, self._run, query)
        running.add_done_callback(self._ended)
        try:
            async with asyncio.timeout(self._patience_seconds):
                answer = await asyncio.shield(running)
        except QueryError:
            self.refused += 1
            raise
        except TimeoutError as error:
            self.refused += 1
            raise QueryTimeoutError("the query did not end when it was stopped") from error
        self.answered += 1
        return answer

    def _ended(self, running: asyncio.Future[Answer]) -> None:
        self._waiting -= 1
        if not running.cancelled():
            running.exception()  # the caller may have given up; its error is then nobody's

    def _run(self, query: Query) -> Answer:
        connection = self._store.cursor()
        session = self.engine.session(connection, query.now)
        ended = threading.Event()
        watchdog = threading.Thread(target=self._watch, args=(session, ended), name="insights-watchdog", daemon=True)
        watchdog.start()
        try:
            if query.span is not None:
                _limit(connection, query.text, query.span)
            tables, partial = render(self.engine.run(query.text, session), self._rows_max)
        finally:
            ended.set()
            watchdog.join()
            connection.close()
        return Answer(tables, partial, frozenset(session.approximations))

    def _watch(self, session: Session, ended: threading.Event) -> None:
        """Stops a query whose time is over; again and again, for an interrupt between two statements hits neither."""
        until = time.monotonic() + self._seconds_max
        while not ended.wait(_WATCH_SECONDS):
            if self._closing or time.monotonic() >= until:
                session.cancel()

    def close(self) -> None:
        """Stops running queries and ends the threads."""
        self._closing = True
        self._threads.shutdown(cancel_futures=True)


def _limit(connection: duckdb.DuckDBPyConnection, text: str, span: tuple[datetime, datetime]) -> None:
    """Puts views of the tables' names over the tables, which show only the rows in the span."""
    start, stop = (f"TIMESTAMP '{moment.isoformat(sep=' ')}'" for moment in span)
    for table in TABLES:
        for name, column in ((table.classic, "timestamp"), (table.workspace, "TimeGenerated")):
            if name in text or "*" in text:
                connection.execute(
                    f'CREATE TEMP VIEW "{name}" AS SELECT * FROM {full_name(name)} '
                    f'WHERE "{column}" >= {start} AND "{column}" <= {stop}'
                )
