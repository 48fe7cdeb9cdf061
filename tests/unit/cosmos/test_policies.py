"""Containers' policies, rows with a clock of their own, and the store underneath."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.cosmos.catalog import Catalog, Container
from local.cosmos.errors import CosmosError
from local.cosmos.indexing import IndexingPolicy, split_path
from local.cosmos.items import Conditions, Items
from local.cosmos.rows import Rows
from local.cosmos.store import Store


class Clock:
    """Time that tests move."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "data", durable=False)
    yield store
    store.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def items(store: Store, clock: Clock) -> Items:
    return Items(Rows(store, clock))


def _container(store: Store, **definition: Any) -> Container:
    catalog = Catalog(store)
    database = catalog.create_database({"id": "db"})
    return catalog.create_container(database, {"id": "c", "partitionKey": {"paths": ["/pk"]}, **definition}, None)


@pytest.mark.parametrize(
    ("own", "default", "alive_after", "dead_after"),
    [
        ({}, 10, 9.9, 10.0),
        ({"ttl": 5}, 10, 4.9, 5.0),
        ({"ttl": 5}, -1, 4.9, 5.0),
        ({"ttl": -1}, 10, 1e8, None),
        ({"ttl": 5}, None, 1e8, None),
    ],
)
def test_an_item_lives_exactly_as_long_as_it_should(
    store: Store,
    items: Items,
    clock: Clock,
    own: Any,
    default: int | None,
    alive_after: float,
    dead_after: float | None,
) -> None:
    container = _container(store, **({} if default is None else {"defaultTtl": default}))
    items.create(container, None, {"id": "a", "pk": "p", **own})
    born = clock.now
    clock.now = born + alive_after
    assert items.read(container, ("p",), "a", Conditions()).status == 200
    if dead_after is not None:
        clock.now = born + dead_after
        with pytest.raises(CosmosError):
            items.read(container, ("p",), "a", Conditions())


def test_purging_removes_the_expired_and_what_was_in_dropped_containers(
    store: Store, items: Items, clock: Clock
) -> None:
    catalog = Catalog(store)
    database = catalog.create_database({"id": "db"})
    definition = {"id": "c", "partitionKey": {"paths": ["/pk"]}, "defaultTtl": 10}
    container = catalog.create_container(database, definition, None)
    for n in range(500):
        items.create(container, None, {"id": str(n), "pk": "p", "ttl": 5 if n < 250 else -1})
    clock.now += 6
    assert items.rows.purge() == 200
    assert items.rows.purge() == 50
    assert items.rows.purge() == 0
    catalog.delete_container(container)
    while items.rows.purge():
        pass
    assert store.connection.execute("SELECT count(*) FROM items").fetchone() == (0,)


def test_an_expired_item_frees_its_unique_key(store: Store, items: Items, clock: Clock) -> None:
    container = _container(store, defaultTtl=10, uniqueKeyPolicy={"uniqueKeys": [{"paths": ["/email"]}]})
    items.create(container, None, {"id": "a", "pk": "p", "email": "x"})
    clock.now += 11
    assert items.create(container, None, {"id": "b", "pk": "p", "email": "x"}).status == 201


def test_change_numbers_never_repeat_even_after_a_crash(tmp_path: Path) -> None:
    first = Store(tmp_path / "data", durable=True)
    last = [first.next_change() for _ in range(3)][-1]
    # No clean close: a crash leaves only what is on disk.
    second = Store(tmp_path / "data", durable=True)
    assert second.next_change() > last
    first.close()
    second.close()


@pytest.mark.parametrize(
    ("path", "is_included"),
    [
        ("a", True),
        ("a/b", True),
        ("secret", False),
        ("secret/open", True),
        ("secret/open/x", False),
        ("exact", False),
        ("exact/x", True),
    ],
)
def test_the_longest_rule_decides_what_is_indexed(path: str, is_included: bool) -> None:
    policy = IndexingPolicy.read(
        {
            "includedPaths": [{"path": "/*"}, {"path": "/secret/open/?"}],
            "excludedPaths": [{"path": "/secret/*"}, {"path": "/exact/?"}],
        }
    )
    assert policy.is_included(tuple(path.split("/"))) is is_included


def test_a_composite_index_serves_its_directions_and_their_opposites() -> None:
    entry = [{"path": "/a"}, {"path": "/b", "order": "descending"}]
    policy = IndexingPolicy.read({"compositeIndexes": [entry]})
    a, b = ("a",), ("b",)
    assert policy.serves(((a, False), (b, True)))
    assert policy.serves(((a, True), (b, False)))
    assert not policy.serves(((a, False), (b, False)))
    assert not policy.serves(((b, True), (a, False)))


def test_quoted_names_in_paths_may_hold_anything() -> None:
    assert split_path('/"a/b"/c/*') == ("a/b", "c", "*")
    for wrong in ("a", "", "//", None, '/"open'):
        with pytest.raises(CosmosError):
            split_path(wrong)
