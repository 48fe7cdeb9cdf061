"""What wakes a follower, and the JSON that it sends."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.answering.live import Signal
from shared.events import compact

LONG_SECONDS = 60.0


async def test_a_signal_that_is_set_lets_the_wait_return_at_once_until_it_is_cleared() -> None:
    signal = Signal()
    signal.set()

    assert await signal.wait(0.0)
    assert await signal.wait(LONG_SECONDS)
    signal.clear()
    assert not await signal.wait(0.0)


async def test_setting_wakes_the_one_who_waits() -> None:
    signal = Signal()
    waiting = asyncio.create_task(signal.wait(LONG_SECONDS))
    await asyncio.sleep(0)
    signal.set()
    signal.set()

    assert await waiting


async def test_a_wait_that_is_cancelled_leaves_the_signal_usable() -> None:
    signal = Signal()
    waiting = asyncio.create_task(signal.wait(LONG_SECONDS))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    signal.set()

    assert await signal.wait(0.0)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    # Half of a pair of surrogates is no text that UTF-8 could carry.
    | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSON)
def test_compact_json_says_what_the_standard_library_would_say(value: Any) -> None:
    assert json.loads(compact(value)) == value
    assert b"\n" not in compact(value)
