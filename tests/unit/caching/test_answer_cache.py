"""Who may have an answer that was given before, and who may not. The store and the model are in memory."""

import asyncio
import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.caching.wish import cache_status, caching
from shared.turns import Message

from .support import EXACT, SEMANTIC, Rig, asking


async def test_a_turn_that_has_not_opted_in_costs_nothing() -> None:
    rig = Rig()

    assert rig.cache.look(asking(caching=None), leads=True) is None
    assert rig.cache.look(asking(caching=caching("exact", "no-store")), leads=True) is None
    assert (rig.store.reads, rig.embedder.asked, rig.sessions.reads) == (0, 0, 0)


async def test_an_exact_hit_is_one_read_and_no_embedding() -> None:
    rig = Rig()
    await rig.answered(asking(caching=EXACT))
    before = (rig.store.reads, rig.embedder.asked)

    assert await rig.kind(asking()) == "exact"
    assert (rig.store.reads, rig.embedder.asked) == (before[0] + 1, before[1])


async def test_the_look_and_the_context_share_one_embedding_and_one_read_of_the_session() -> None:
    rig = Rig()
    turn = asking(new_session=False)
    lookup = rig.cache.look(turn, leads=True)
    assert lookup is not None

    await asyncio.gather(lookup.match(), rig.context.gather(turn, lookup.sources))

    assert (rig.embedder.asked, rig.sessions.reads, rig.store.searches) == (1, 1, 1)


async def test_a_vector_that_the_record_has_is_not_made_again() -> None:
    rig = Rig()

    await rig.kind(asking(question_vector="AACAPwAAAAA="))

    assert (rig.embedder.asked, rig.store.searches) == (0, 1)


DIFFERENT = {
    "tenant": {"tenant": "fabrikam"},
    "model": {"model": "another"},
    "limit": {"max_output_tokens": 5},
    "parameter": {"parameters": {"temperature": 0.5}},
    "route": {"use_context": False},
    "conversation": {"messages": (Message("user", "Hi"), Message("assistant", "Hi"), Message("user", "Where is it?"))},
    "speaker": {"messages": (Message("system", "Where is my order?"),), "use_context": False},
}


@pytest.mark.parametrize("fields", DIFFERENT.values(), ids=DIFFERENT)
@pytest.mark.parametrize("wants", [EXACT, SEMANTIC], ids=["exact", "semantic"])
async def test_nothing_is_found_when_anything_differs_that_the_answer_depends_on(
    fields: dict[str, Any], wants: dict[str, Any]
) -> None:
    rig = Rig()
    await rig.answered(asking(caching=wants))

    assert await rig.kind(asking(caching=wants)) == "exact"
    assert await rig.kind(asking(caching=wants, **fields)) is None


async def test_other_instructions_are_another_answer() -> None:
    rig = Rig()
    await rig.answered(asking())
    rig.cache._prompt_version = "v2"

    assert await rig.kind(asking()) is None


@pytest.mark.parametrize(
    ("how", "kept"),
    [
        ({}, True),
        ({"finish_reason": "length"}, False),
        ({"finish_reason": "content_filter"}, False),
        ({"whole": False}, False),
        ({"answer": ""}, False),
        ({"answer": "a" * 20_001}, False),
    ],
    ids=["whole", "truncated", "blocked", "a step was late", "empty", "large"],
)
async def test_only_whole_answers_are_kept(how: dict[str, Any], kept: bool) -> None:
    rig = Rig()
    await rig.answered(asking(), **how)

    assert bool(rig.store.slots) == kept


async def test_a_question_with_a_history_is_neither_answered_from_the_cache_nor_kept() -> None:
    rig = Rig()
    await rig.answered(asking())
    rig.sessions.entries = [{"turn_id": "earlier", "state": "succeeded", "question": "Hi", "answer": "Hi"}]

    assert await rig.kind(asking(new_session=False)) is None
    assert rig.told.looks[-1] == ("miss", "history")
    rig.store.slots.clear()
    await rig.answered(asking(new_session=False))
    assert rig.store.slots == {}


async def test_whatever_the_model_of_vectors_says_the_guards_decide() -> None:
    rig = Rig()
    await rig.answered(asking("Is the refund approved?"))

    assert await rig.kind(asking("is the refund approved, please")) == "semantic"
    assert await rig.kind(asking("Is the refund not approved?")) is None
    assert rig.told.looks[-1] == ("miss", "negation")
    assert await rig.kind(asking("is the refund approved, please", caching=EXACT)) is None


async def test_a_change_of_the_knowledge_ends_all_entries_and_for_a_moment_none_is_kept() -> None:
    rig = Rig()
    await rig.answered(asking())
    await rig.cache.knowledge_changes("fabrikam")
    assert await rig.kind(asking()) == "exact"

    await rig.cache.knowledge_changes("contoso")
    assert await rig.kind(asking()) is None
    await rig.answered(asking())
    assert await rig.kind(asking()) is None
    rig.clock.at += 6
    await rig.answered(asking())
    assert await rig.kind(asking()) == "exact"


async def test_an_answer_made_while_the_knowledge_changed_is_not_used() -> None:
    rig = Rig()
    lookup = rig.cache.look(asking(), leads=True)
    assert lookup is not None
    await lookup.match()
    await rig.cache.knowledge_changes("contoso")
    rig.clock.at += 60
    lookup.answered("Of yesterday.", finish_reason="stop", citations=[], model="m", whole=True)
    await rig.cache.close()

    assert await rig.kind(asking()) is None


async def test_entries_end_and_callers_may_want_younger_ones() -> None:
    rig = Rig(SPILLWAY_CACHE_TTL_SECONDS="100")
    await rig.answered(asking())
    rig.clock.at += 50

    assert await rig.kind(asking(caching=caching("exact", "max-age=60"))) == "exact"
    assert await rig.kind(asking(caching=caching("exact", "max-age=40"))) is None
    assert await rig.kind(asking(caching=caching("exact", "no-cache"))) is None
    rig.clock.at += 51
    assert await rig.kind(asking()) is None


async def test_no_cache_renews_the_entry() -> None:
    rig = Rig()
    await rig.answered(asking(), "Old.")
    await rig.answered(asking(caching=caching("semantic", "no-cache")), "New.")
    lookup = rig.cache.look(asking(), leads=False)
    assert lookup is not None
    match = await lookup.match()

    assert match is not None
    assert match.answer is not None
    assert match.answer.answer == "New."


async def test_a_tenant_never_has_more_entries_than_its_slots() -> None:
    rig = Rig(SPILLWAY_CACHE_ENTRIES="7")
    for number in range(60):
        await rig.answered(asking(f"Question number {number}?"), str(number))
        assert await rig.kind(asking(f"Question number {number}?")) == "exact"

    assert len(rig.store.slots) == 7


async def test_without_the_store_the_model_answers() -> None:
    rig = Rig()
    rig.store.away = True
    await rig.answered(asking())

    assert rig.told.looks == [("miss", "unavailable")]


async def test_a_bad_rating_takes_the_answer_out_and_only_owners_take_out_what_they_forget() -> None:
    rig = Rig()
    await rig.answered(asking(turn_id="a"))
    await rig.cache.forget(asking(turn_id="b"), only_own=True)
    assert await rig.kind(asking()) == "exact"
    await rig.cache.forget(asking(turn_id="b"))
    assert await rig.kind(asking()) is None


@given(st.text())
def test_any_header_can_be_read(header: str) -> None:
    wanted = caching("exact", header)

    assert wanted is not None
    assert wanted["keep"] == ("no-store" not in [part.strip().lower() for part in header.split(",")])


@pytest.mark.parametrize(
    ("match", "header", "kind", "status"),
    [
        ("off", "", None, None),
        ("exact", "", None, "spillway; fwd=miss"),
        ("exact", "", "exact", "spillway; hit; detail=exact"),
        ("exact", "", "shared", "spillway; fwd=miss; collapsed"),
        ("exact", "No-Cache", None, "spillway; fwd=request"),
        ("exact", "max-age=0", None, "spillway; fwd=request"),
        ("exact", "max-age=5, no-store", None, "spillway; fwd=request"),
        ("exact", "max-age=abc", None, "spillway; fwd=miss"),
    ],
)
def test_the_response_says_where_the_answer_comes_from(
    match: str, header: str, kind: str | None, status: str | None
) -> None:
    assert cache_status(asking(caching=caching(match, header)), kind) == status


async def test_what_is_answered_to_one_customer_of_a_tenant_is_answered_to_nobody_else() -> None:
    rig = Rig()

    assert rig.cache.look(dataclasses.replace(asking(), customer_id="anna"), leads=True) is None
    assert rig.cache.look(asking(), leads=True) is not None
    await rig.cache.close()
