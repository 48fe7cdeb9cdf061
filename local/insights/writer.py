"""The one writing thread: batches that wait together are committed together; each waits until it is durable."""

import asyncio
import contextlib
import logging
import queue
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from local.insights.envelopes import Row
from local.insights.errors import IntakeError
from local.insights.intake import Batch
from local.insights.store import RefusedRowsError, Retention, Store

_LOG = logging.getLogger(__name__)
_WAITING_ROWS_MAX = 200_000
_COMMIT_ROWS_MAX = 20_000
_EXPIRE_EVERY_SECONDS = 60.0
_EXPIRE_EVERY_ROWS = 10_000


@dataclass(slots=True)
class _Pending:
    batch: Batch
    durable: asyncio.Future[None]
    loop: asyncio.AbstractEventLoop


class Writer:
    """Commits batches in groups and applies retention between commits.

    Group commit: while one commit runs, the next batches gather; a commit costs about the same for ten rows as for a
    thousand, so throughput grows with the load while a lone batch waits for nobody.
    """

    def __init__(self, store: Store, retention: Retention) -> None:
        """Prepares the writer; `start` begins to write."""
        self._store, self._retention = store, retention
        self._queue: queue.SimpleQueue[_Pending | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="insights-writer")
        self._waiting_rows = 0
        self._rows_since_expiry = 0
        self._lock = threading.Lock()
        self.commits = 0
        self.expired_rows = 0

    def start(self) -> None:
        """Starts the writing thread."""
        self._thread.start()

    def stop(self) -> None:
        """Writes what still waits and ends the thread."""
        self._queue.put(None)
        self._thread.join()

    async def write(self, batch: Batch) -> None:
        """Returns once the batch is durable.

        Raises:
            IntakeError: 503, too much is waiting already, or the store failed.
        """
        with self._lock:
            if self._waiting_rows > _WAITING_ROWS_MAX:
                raise IntakeError(503, "the store is behind; send the telemetry again later")
            self._waiting_rows += batch.row_count
        loop = asyncio.get_running_loop()
        pending = _Pending(batch, loop.create_future(), loop)
        self._queue.put(pending)
        await pending.durable

    def _run(self) -> None:
        self._expire()
        expire_at = time.monotonic() + _EXPIRE_EVERY_SECONDS
        going = True
        while going:
            with contextlib.suppress(queue.Empty):
                first = self._queue.get(timeout=max(0.0, expire_at - time.monotonic()))
                going = self._commit(self._gather(first))
            due = self._rows_since_expiry > max(_EXPIRE_EVERY_ROWS, self._retention.max_rows // 10)
            if going and (due or time.monotonic() >= expire_at):
                self._expire()
                expire_at = time.monotonic() + _EXPIRE_EVERY_SECONDS

    def _gather(self, first: _Pending | None) -> list[_Pending | None]:
        """What waits now, up to the size of one commit or the stop mark (None)."""
        group: list[_Pending | None] = []
        rows = 0
        following = first
        while True:
            group.append(following)
            rows += following.batch.row_count if following is not None else 0
            if following is None or rows >= _COMMIT_ROWS_MAX:
                return group
            try:
                following = self._queue.get_nowait()
            except queue.Empty:
                return group

    def _commit(self, gathered: list[_Pending | None]) -> bool:
        """Stores the group and answers each waiting request; False when the stop mark was among it."""
        group = [pending for pending in gathered if pending is not None]
        failure = self._insert(group)
        if failure is not None and len(group) > 1:
            for pending in group:  # one bad batch must not take the others with it
                self._settle([pending], self._insert([pending]))
        else:
            self._settle(group, failure)
        return len(group) == len(gathered)

    def _insert(self, group: list[_Pending]) -> IntakeError | None:
        merged: dict[str, list[Row]] = {}
        for pending in group:
            for table, rows in pending.batch.rows.items():
                merged.setdefault(table, []).extend(rows)
        try:
            self._store.insert(merged)
        except RefusedRowsError as error:
            return IntakeError(400, str(error))
        except Exception:  # noqa: BLE001 - a writer that ends would leave every later request without an answer
            _LOG.exception("action=commit_failed requests=%d", len(group))
            return IntakeError(503, "the store could not write the telemetry; see the service's log")
        self.commits += 1
        return None

    def _settle(self, group: list[_Pending], failure: IntakeError | None) -> None:
        count = sum(pending.batch.row_count for pending in group)
        self._rows_since_expiry += count
        with self._lock:
            self._waiting_rows -= count
        for pending in group:
            pending.loop.call_soon_threadsafe(_answer, pending.durable, failure)

    def _expire(self) -> None:
        try:
            self.expired_rows += self._store.expire(self._retention, datetime.now(UTC))
        except Exception:  # noqa: BLE001 - telemetry is still taken when old rows cannot be removed
            _LOG.exception("action=expire_failed")
        self._rows_since_expiry = 0


def _answer(durable: asyncio.Future[None], failure: IntakeError | None) -> None:
    if durable.done():
        return
    if failure is None:
        durable.set_result(None)
    else:
        durable.set_exception(failure)
