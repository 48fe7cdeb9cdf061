"""Everything one running account consists of."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local.cosmos.auth import Authorizer
from local.cosmos.batch import Batches
from local.cosmos.catalog import Catalog
from local.cosmos.change_feed import ChangeFeed
from local.cosmos.faults import Faults
from local.cosmos.items import Items
from local.cosmos.jwt import token_check
from local.cosmos.partitioning import RangeMap
from local.cosmos.query import Queries
from local.cosmos.rows import Rows
from local.cosmos.store import Store
from local.cosmos.usage import Usage


@dataclass(frozen=True, slots=True)
class Service:
    """The parts, put together once at the start."""

    store: Store
    catalog: Catalog
    ranges: RangeMap
    rows: Rows
    items: Items
    batches: Batches
    queries: Queries
    change_feed: ChangeFeed
    authorizer: Authorizer
    faults: Faults
    usage: Usage

    def close(self) -> None:
        """Ends threads and connections."""
        self.queries.close()
        self.store.close()


def build_service(
    file: Path,
    *,
    durable: bool,
    key: str,
    ranges: int,
    accept_tokens: bool,
    clock: Callable[[], float] = time.time,
) -> Service:
    """Opens the data and puts the parts together.

    Args:
        file: The SQLite file.
        durable: Whether the data outlives the process.
        key: The account's key, base64.
        ranges: Number of physical partitions of every container.
        accept_tokens: Whether bearer tokens are accepted, unverified.
        clock: Seconds since 1970.

    Raises:
        ValueError: The key is not base64.
    """
    authorizer = Authorizer(key, clock, token_check(clock) if accept_tokens else None)
    store = Store(file, durable=durable)
    range_map = RangeMap(ranges)
    rows = Rows(store, clock)
    items = Items(rows)
    return Service(
        store=store,
        catalog=Catalog(store),
        ranges=range_map,
        rows=rows,
        items=items,
        batches=Batches(items, store),
        queries=Queries(store, range_map, clock),
        change_feed=ChangeFeed(store, range_map, clock),
        authorizer=authorizer,
        faults=Faults(),
        usage=Usage(),
    )
