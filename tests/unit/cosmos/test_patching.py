"""Patches: all or nothing, and what each operation means."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.cosmos.errors import CosmosError
from local.cosmos.patch import apply_patch

PATHS = ["/n", "/text", "/list", "/list/0", "/list/9", "/list/-", "/deep/a", "/deep/none/x", "/none", "/", "n", "/_ts"]
operations = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["set", "add", "replace", "remove", "incr", "Incr", "move", "noop"]),
        "path": st.sampled_from(PATHS),
    },
    optional={
        "value": st.one_of(st.integers(), st.text(max_size=3), st.lists(st.integers(), max_size=2)),
        "from": st.sampled_from(PATHS),
    },
)


def _item() -> dict[str, Any]:
    return {"id": "a", "n": 1, "text": "x", "list": [1, 2], "deep": {"a": 1}, "_ts": 0}


class Holder:
    """Stores what a patch makes of an item, the way the server does: only when it succeeds."""

    def __init__(self) -> None:
        self.stored = _item()

    def patch(self, steps: Any) -> bool:
        work = copy.deepcopy(self.stored)
        try:
            apply_patch(work, steps)
        except CosmosError as error:
            return error.status != 400
        self.stored = work
        return True


@given(st.lists(operations, min_size=1, max_size=10))
def test_a_patch_is_its_steps_one_by_one_or_nothing(steps: list[Any]) -> None:
    together, alone = Holder(), Holder()
    step_by_step = all(alone.patch([step]) for step in steps)
    assert together.patch(steps) is step_by_step
    assert together.stored == (alone.stored if step_by_step else _item())
    assert together.stored["_ts"] == 0


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    )
)
def test_anything_at_all_as_operations_is_applied_or_400(steps: Any) -> None:
    Holder().patch(steps)


@pytest.mark.parametrize(
    ("operation", "member", "expected"),
    [
        ({"op": "set", "path": "/list/1", "value": 9}, "list", [1, 9]),
        ({"op": "set", "path": "/list/2", "value": 9}, "list", [1, 2, 9]),
        ({"op": "add", "path": "/list/1", "value": 9}, "list", [1, 9, 2]),
        ({"op": "add", "path": "/list/-", "value": 9}, "list", [1, 2, 9]),
        ({"op": "remove", "path": "/list/0"}, "list", [2]),
        ({"op": "replace", "path": "/deep/a", "value": None}, "deep", {"a": None}),
        ({"op": "set", "path": "/deep/b~1c~0d", "value": 1}, "deep", {"a": 1, "b/c~d": 1}),
        ({"op": "incr", "path": "/n", "value": 0.5}, "n", 1.5),
        ({"op": "incr", "path": "/deep/b", "value": 2}, "deep", {"a": 1, "b": 2}),
        ({"op": "move", "from": "/deep/a", "path": "/list/0"}, "list", [1, 1, 2]),
    ],
)
def test_what_operations_do(operation: Any, member: str, expected: Any) -> None:
    item = _item()
    apply_patch(item, [operation])
    assert item[member] == expected


def test_the_patched_value_is_not_shared_with_the_request() -> None:
    item, value = _item(), [1]
    apply_patch(item, [{"op": "set", "path": "/a", "value": value}, {"op": "add", "path": "/a/-", "value": 2}])
    assert value == [1]
