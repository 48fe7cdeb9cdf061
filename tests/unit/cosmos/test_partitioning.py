"""Partition keys: the same hashes as the SDK's, so that client and server look in the same place."""

from typing import Any

import pytest
from azure.cosmos import PartitionKey
from hypothesis import given
from hypothesis import strategies as st

from local.cosmos.errors import CosmosError
from local.cosmos.partitioning import KeyDefinition, RangeMap, key_text
from local.cosmos.sql.values import UNDEFINED

# Negative zero is left out: the service's JavaScript writes it as 0, the SDK hashes it as a number of its own.
numbers = st.floats(-1e6, 1e6).map(lambda value: value + 0.0)
components = st.one_of(st.text(max_size=20), st.integers(-(2**31), 2**31), numbers, st.booleans())


@given(components)
def test_a_hash_is_the_sdk_s(value: Any) -> None:
    definition = KeyDefinition((("pk",),), hierarchical=False)
    expected = PartitionKey(path="/pk")._get_effective_partition_key_string([value])
    assert definition.effective(definition.of_item({"pk": value})) == expected


@given(st.lists(components, min_size=1, max_size=3))
def test_a_hierarchical_hash_is_the_sdk_s_and_prefixes_are_prefixes(values: list[Any]) -> None:
    definition = KeyDefinition((("a",), ("b",), ("c",)), hierarchical=True)
    theirs = PartitionKey(path=["/a", "/b", "/c"], kind="MultiHash")
    assert definition.effective(tuple(values)) == theirs._get_effective_partition_key_string(values)
    assert definition.effective(tuple(values)).startswith(definition.effective(tuple(values[:1])))


@given(st.integers(1, 256), st.text(max_size=10))
def test_every_hash_lies_in_exactly_one_range(count: int, value: str) -> None:
    ranges = RangeMap(count)
    effective = KeyDefinition((("pk",),), hierarchical=False).effective((value,))
    holding = [found for found in ranges.ranges if found.low <= effective < found.high]
    assert holding == [ranges.of(effective)]


def test_the_key_of_an_item_is_found_along_its_path() -> None:
    definition = KeyDefinition((("a", "b"), ("c",)), hierarchical=True)
    assert definition.of_item({"a": {"b": 1.0}, "c": None}) == (1, None)
    assert definition.of_item({"a": [1]}) == (UNDEFINED, UNDEFINED)
    assert key_text((UNDEFINED, None, "x")) == '[{},null,"x"]'


@pytest.mark.parametrize("header", ["", "x", '"a"', "{}", "[[1]]", '[{"a":1}]', '["a","b"]'])
def test_a_header_that_is_no_key_is_400(header: str) -> None:
    with pytest.raises(CosmosError) as refused:
        KeyDefinition((("pk",),), hierarchical=False).of_header(header)
    assert refused.value.status == 400
