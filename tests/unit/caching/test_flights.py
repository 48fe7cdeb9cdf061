"""Equal questions in flight: one leader, the others read along; nobody's end is another's."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.caching.flights import Flight
from shared.caching.lookup import Lookup

from .support import Rig, asking

DETAILS = {"finish_reason": "stop", "citations": [], "model": "m", "whole": True}


async def looks(rig: Rig, count: int) -> list[Lookup]:
    found = [rig.cache.look(asking(turn_id=f"{n:032x}"), leads=True) for n in range(count)]
    assert all(one is not None for one in found)
    return [one for one in found if one is not None]


async def all_of(texts: AsyncIterator[str]) -> str:
    return "".join([text async for text in texts])


async def test_of_equal_questions_one_asks_and_the_others_have_its_text_from_the_beginning() -> None:
    rig = Rig()
    lookups = await looks(rig, 5)
    matches = await asyncio.gather(*(one.match() for one in lookups))
    (leader,) = [one for one, match in zip(lookups, matches, strict=True) if match is None]
    parts: list[str] = []
    flight = leader.streams(parts)
    assert flight is not None
    parts.append("Half ")
    following = [asyncio.create_task(all_of(match.texts())) for match in matches if match is not None]
    await asyncio.sleep(0)
    parts.append("and half.")
    flight.tell()
    leader.answered("Half and half.", **DETAILS)  # type: ignore[arg-type]  # named one by one
    leader.close()

    assert await asyncio.gather(*following) == ["Half and half."] * 4
    assert {match.kind for match in matches if match is not None} == {"shared"}
    assert rig.embedder.asked == 1
    await rig.cache.close()
    assert len(rig.cache.flights) == 0
    assert await rig.kind(asking()) == "exact"


async def test_a_leader_that_ends_without_an_answer_lets_its_followers_go_and_another_can_lead() -> None:
    rig = Rig()
    leader, follower = await looks(rig, 2)
    assert await leader.match() is None
    match = await follower.match()
    assert match is not None
    leader.close()

    assert await all_of(match.texts()) == ""
    assert match.answer is None
    (again,) = await looks(rig, 1)
    assert await again.match() is None
    assert again.flight is not None


async def test_a_follower_that_leaves_changes_nothing() -> None:
    rig = Rig()
    leader, follower, other = await looks(rig, 3)
    assert await leader.match() is None
    leaving, staying = await follower.match(), await other.match()
    assert leaving is not None
    assert staying is not None
    gone = asyncio.create_task(all_of(leaving.texts()))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    follower.close()
    parts = ["Whole."]
    leader.streams(parts)
    leader.answered("Whole.", **DETAILS)  # type: ignore[arg-type]  # named one by one

    assert await all_of(staying.texts()) == "Whole."


async def test_tenants_and_versions_of_the_knowledge_do_not_share() -> None:
    rig = Rig()
    leader = rig.cache.look(asking(turn_id="1"), leads=True)
    assert leader is not None
    await leader.match()

    assert await rig.kind(asking(turn_id="2", tenant="fabrikam")) is None
    assert await rig.kind(asking(turn_id="2")) == "shared"
    await rig.cache.knowledge_changes("contoso")
    assert await rig.kind(asking(turn_id="3")) is None


async def test_a_turn_that_has_to_queue_does_not_lead() -> None:
    rig = Rig()

    assert await rig.kind(asking(turn_id="1")) is None
    assert len(rig.cache.flights) == 0


@given(st.lists(st.text(min_size=1), min_size=1), st.integers(0, 8))
def test_a_follower_has_every_part_once_whenever_it_joins(parts: list[str], before: int) -> None:
    async def follow() -> str:
        flight = Flight(("t", "k", "v"), "leader")
        flight.parts = parts[:before]
        following = asyncio.create_task(all_of(flight.texts()))
        for part in parts[before:]:
            await asyncio.sleep(0)
            flight.parts.append(part)
            flight.tell()
        flight.end(None)
        return await following

    assert asyncio.run(follow()) == "".join(parts)


async def test_a_look_that_is_closed_early_never_leads() -> None:
    rig = Rig()
    lookup = rig.cache.look(asking(), leads=True)
    assert lookup is not None
    lookup.close()

    assert await lookup.match() is None
    assert len(rig.cache.flights) == 0
