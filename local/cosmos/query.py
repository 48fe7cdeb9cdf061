"""Runs queries over items, a page at a time."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any, Final

import orjson

from local.cosmos.catalog import Container
from local.cosmos.charge import query_charge
from local.cosmos.continuation import Continuation, read_continuation
from local.cosmos.errors import NEEDS_A_PLAN, TOO_MANY_REQUESTS, CosmosError, bad_request
from local.cosmos.partitioning import RangeMap
from local.cosmos.query_request import Question, compiled, read_question, wrong_query
from local.cosmos.request import Reply, Request, feed_reply
from local.cosmos.selection import Place, Selection, select
from local.cosmos.sql.errors import QueryError, QueryTooExpensive
from local.cosmos.sql.pipeline import Pipeline, Row
from local.cosmos.sql.plan import ALL_FEATURES, make_plan, needs_plan
from local.cosmos.sql.pushdown import prefilter
from local.cosmos.sql.scope import Budget, Environment
from local.cosmos.sql.values import UNDEFINED, sort_key
from local.cosmos.store import Store

CROSS_PARTITION: Final = "x-ms-documentdb-query-enablecrosspartition"
_PAGE_DEFAULT: Final = 100
_PAGE_LIMIT: Final = 10_000
_PAGE_BYTES: Final = 4 * 1024 * 1024
_PAGE_ITEMS: Final = 20_000
_INLINE_ITEMS: Final = 2_000
_INLINE_STEPS: Final = 50_000
_INLINE_SECONDS: Final = 0.05
_BYTES_PER_STEP: Final = 256
_THREADS: Final = 2
_WAITING_LIMIT: Final = 100


@dataclass(slots=True)
class _Page:
    """What a page of a query found, and what it cost to find it."""

    parts: list[bytes]
    continuation: Continuation | None
    items: int
    loaded_bytes: int

    @property
    def charge(self) -> float:
        return query_charge(self.items, self.loaded_bytes, sum(map(len, self.parts)))


@dataclass(frozen=True, slots=True)
class _Run:
    """One page to compute; knows nothing of threads or of the request."""

    question: Question
    pipeline: Pipeline
    selection: Selection
    start: Continuation
    page_size: int

    def page(self, connection: Connection, budget: Budget) -> _Page:
        try:
            environment = self.pipeline.environment(self.question.parameters, budget)
            reading = _Reading(budget)
            items = self._items(connection, reading)
            if self.pipeline.streams:
                return self._streamed(environment, items, reading)
            return self._gathered(self.pipeline.rows(environment, items), reading)
        except QueryError as error:
            raise wrong_query(error) from error

    def _items(self, connection: Connection, reading: "_Reading") -> Iterator[tuple[Any, Any]]:
        if not self.question.query.sources:
            return iter(((None, UNDEFINED),))
        selection = self.selection
        checked_first = prefilter(self.question.query, self.question.parameters)
        if checked_first is not None:
            selection = selection.also(checked_first.sql, *checked_first.arguments)
        after = self.start.place if self.pipeline.streams else None
        return reading.loaded(selection.scan(connection, after))

    def _streamed(self, environment: Environment, items: Iterator[tuple[Any, Any]], reading: "_Reading") -> _Page:
        parts: list[bytes] = []
        size, last = 0, self.start.place
        for place, item in items:
            found = [_encoded(value, item, reading.raw) for value in self.pipeline.values(environment, item)]
            is_over = len(parts) + len(found) > self.page_size or size + sum(map(len, found)) > _PAGE_BYTES
            if (parts and is_over) or reading.items > _PAGE_ITEMS:
                return _Page(parts, Continuation(last), reading.items, reading.loaded_bytes)
            parts += found
            size += sum(map(len, found))
            last = place
        return _Page(parts, None, reading.items, reading.loaded_bytes)

    def _gathered(self, rows: list[Row], reading: "_Reading") -> _Page:
        rest = rows[self._first(rows) :]
        parts: list[bytes] = []
        size = 0
        for row in rest[: self.page_size]:
            part = orjson.dumps(row.value)
            if parts and size + len(part) > _PAGE_BYTES:
                break
            parts.append(part)
            size += len(part)
        continuation = None
        if len(parts) < len(rest):
            continuation = self._after(rest[len(parts) - 1], len(rows) - len(rest) + len(parts))
        return _Page(parts, continuation, reading.items, reading.loaded_bytes)

    def _first(self, rows: list[Row]) -> int:
        if self.start.keys is None or self.start.place is None:
            return self.start.skip
        if len(self.start.keys) != len(self.pipeline.order):
            raise bad_request("The continuation token belongs to another query.")
        keys, place = self.start.keys, self.start.place
        return next((index for index, row in enumerate(rows) if self._is_after(row, keys, place)), len(rows))

    def _is_after(self, row: Row, keys: tuple[Any, ...], place: Place) -> bool:
        for own, other, order in zip(row.keys, keys, self.pipeline.order, strict=True):
            left, right = sort_key(own), sort_key(other)
            if left != right:
                return (left > right) != order.descending
        return bool(row.place > place)

    def _after(self, row: Row, count: int) -> Continuation:
        query = self.question.query
        is_placed = query.order_by and not query.distinct and len(query.sources) == 1
        if is_placed and query.top is None and query.limit is None:
            return Continuation(row.place, row.keys)
        return Continuation(skip=count)


class _Reading:
    """Parses bodies as they come and counts what was loaded."""

    __slots__ = ("_budget", "items", "loaded_bytes", "raw")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.items = 0
        self.loaded_bytes = 0
        self.raw = b""

    def loaded(self, rows: Iterator[tuple[Place, bytes]]) -> Iterator[tuple[Place, Any]]:
        for place, body in rows:
            self.items += 1
            self.loaded_bytes += len(body)
            self.raw = body
            self._budget.spend(len(body) // _BYTES_PER_STEP)
            yield place, orjson.loads(body)


def _encoded(value: Any, item: Any, raw: bytes) -> bytes:
    return raw if value is item and raw else orjson.dumps(value)


class Queries:
    """Answers query requests; large ones in threads of their own, so that they do not hold up everybody else."""

    def __init__(self, store: Store, ranges: RangeMap, clock: Callable[[], float]) -> None:
        self._store = store
        self._ranges = ranges
        self._clock = clock
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="query")
        self._waiting = 0

    def close(self) -> None:
        """Ends the threads."""
        self._threads.shutdown(cancel_futures=True)

    def plan(self, container: Container, request: Request) -> Reply:
        """What the client must do to run its query over several partitions.

        Raises:
            CosmosError: 400 for a wrong query or one the client cannot run.
        """
        question = read_question(request)
        compiled(question, container)
        features = request.headers.get("x-ms-cosmos-supported-query-features", "")
        return Reply(200, _plan(container, question, features), charge=1.0)

    async def answer(self, container: Container, request: Request) -> Reply:
        """One page of a query's results.

        Raises:
            CosmosError: 400 for a wrong query, one that needs a plan first or one that does too much.
        """
        question = read_question(request)
        selection = select(container, request, self._ranges, self._clock())
        if not selection.is_narrowed:
            _check_can_be_served(container, question, request)
        return await self._page(container, request, question, selection)

    async def read_feed(self, container: Container, request: Request) -> Reply:
        """One page of all items, as if by SELECT *."""
        selection = select(container, request, self._ranges, self._clock())
        text = "SELECT * FROM c"
        body = orjson.dumps({"query": text})
        question = read_question(Request(request.method, request.segments, request.headers, body, request.base_url))
        return await self._page(container, request, question, selection)

    async def _page(self, container: Container, request: Request, question: Question, selection: Selection) -> Reply:
        start = read_continuation(request.headers.get("x-ms-continuation")) or Continuation()
        run = _Run(question, compiled(question, container), selection, start, page_size(request))
        page = await self._run(run, selection)
        headers = {} if page.continuation is None else {"x-ms-continuation": page.continuation.text()}
        reply = feed_reply("Documents", container.rid, page.parts, page.charge, headers)
        reply.range_id = selection.range_id
        return reply

    async def _run(self, run: _Run, selection: Selection) -> _Page:
        """Computes a small page at once; one that is large, or turns out to be, in a thread."""
        if not selection.is_larger_than(self._store.connection, _INLINE_ITEMS):
            with contextlib.suppress(QueryTooExpensive):
                return run.page(self._store.connection, Budget(_INLINE_STEPS, _INLINE_SECONDS))
        if self._waiting >= _WAITING_LIMIT:
            message = "Too many large queries are waiting already."
            raise CosmosError(429, message, TOO_MANY_REQUESTS, {"x-ms-retry-after-ms": "1000"})
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, lambda: run.page(self._store.reader(), Budget()))
        except QueryTooExpensive as error:
            raise bad_request(error.message) from error
        finally:
            self._waiting -= 1


def page_size(request: Request, default: int = _PAGE_DEFAULT) -> int:
    """How many results a page may have; the client's -1 leaves it to the server."""
    asked = request.integer("x-ms-max-item-count", default)
    return min(asked, _PAGE_LIMIT) if asked > 0 else _PAGE_LIMIT


def _plan(container: Container, question: Question, features: str) -> bytes:
    try:
        return orjson.dumps(make_plan(question.query, features, question.parameters, dict(container.policies.measures)))
    except QueryError as error:
        raise wrong_query(error) from error


def _check_can_be_served(container: Container, question: Question, request: Request) -> None:
    if not request.is_true(CROSS_PARTITION):
        raise bad_request(
            f"The query spans partitions, which is off: give a partition key or set {CROSS_PARTITION} to True."
        )
    if needs_plan(question.query):
        compiled(question, container)
        message = "The query spans partitions and the client must run it by a query plan."
        plan = _plan(container, question, ALL_FEATURES).decode()
        raise CosmosError(400, message, NEEDS_A_PLAN, additional_info=plan)
