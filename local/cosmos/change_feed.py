"""The change feed, latest version: every item once, in the order of its last change."""

from collections.abc import Callable
from email.utils import parsedate_to_datetime

from local.cosmos.catalog import Container
from local.cosmos.charge import query_charge
from local.cosmos.errors import bad_request, not_covered
from local.cosmos.partitioning import RangeMap
from local.cosmos.query import page_size
from local.cosmos.request import Reply, Request, feed_reply
from local.cosmos.selection import Selection, select
from local.cosmos.store import Store

_PAGE_DEFAULT = 100
_PAGE_BYTES = 4 * 1024 * 1024


class ChangeFeed:
    """Answers change-feed requests."""

    def __init__(self, store: Store, ranges: RangeMap, clock: Callable[[], float]) -> None:
        self._store = store
        self._ranges = ranges
        self._clock = clock

    def page(self, container: Container, request: Request) -> Reply:
        """What changed after the entity tag the client has, or since a moment, or 304 when nothing did.

        Raises:
            CosmosError: 400 for a tag or a date that is none, and for the form with all versions.
        """
        if request.headers.get("a-im", "").lower() != "incremental feed":
            raise not_covered("A change feed with all versions and deletes")
        selection = select(container, request, self._ranges, self._clock())
        start, selection = self._start(request, selection)
        size = page_size(request, _PAGE_DEFAULT)
        parts, last, loaded = self._read(selection.also("change > ?", start), size)
        tag = {"etag": f'"{max(start, last)}"'}
        if not parts:
            return Reply(304, headers=tag, charge=1.0, range_id=selection.range_id)
        reply = feed_reply("Documents", container.rid, parts, query_charge(len(parts), loaded, loaded), tag)
        reply.range_id = selection.range_id
        return reply

    def _start(self, request: Request, selection: Selection) -> tuple[int, Selection]:
        tag, since = request.headers.get("if-none-match"), request.headers.get("if-modified-since")
        if tag == "*":
            return self._store.last_change, selection
        if tag is not None:
            number = tag.strip('"')
            if not (number.isascii() and number.isdecimal()) or len(number) > 18:
                raise bad_request("The If-None-Match of a change feed must be '*' or an entity tag of this server.")
            return int(number), selection
        if since is not None:
            try:
                moment = parsedate_to_datetime(since).timestamp()
            except ValueError as error:
                raise bad_request("If-Modified-Since must be an HTTP date.") from error
            return 0, selection.also("changed_ms >= ?", int(moment * 1000))
        return 0, selection

    def _read(self, selection: Selection, size: int) -> tuple[list[bytes], int, int]:
        parts: list[bytes] = []
        last = loaded = 0
        sql = selection.sql("change, body", "ORDER BY change LIMIT ?")
        for change, body in self._store.connection.execute(sql, (*selection.arguments, size)):
            parts.append(b'%b,"_lsn":%d}' % (body[:-1], change))
            last, loaded = change, loaded + len(body)
            if loaded > _PAGE_BYTES:
                break
        return parts, last, loaded
