"""Whatever order news comes in, however often: a follower ends with exactly the answer of the last run."""

import itertools
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from shared.answering.follow_turn import Cursor
from shared.answering.live import LiveTurn
from shared.answering.relay import coalesce
from shared.events import RUN, Event, News
from shared.turns import State, Turn, from_item, to_item
from tests.unit.samples import a_turn

TURN = "0" * 32


@dataclass
class Caller:
    """Applies events as the page does."""

    text: str = ""
    last: int = 0

    def take(self, events: list[Event]) -> None:
        for event in events:
            assert event.sequence > self.last or event.name == "restart"
            assert event.sequence >= self.last
            self.last = event.sequence
            if event.name == "restart":
                self.text = ""
            elif event.name == "delta":
                self.text += event.data["text"]


def pieces(run: int, text: str, cuts: list[int]) -> list[News]:
    edges = [0, *sorted({cut % (len(text) + 1) for cut in cuts}), len(text)]
    return [News(TURN, run, begin, text[begin:end]) for begin, end in itertools.pairwise(edges)]


RUNS = st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=3)


@given(RUNS, st.lists(st.integers(0, 100), max_size=8), st.data())
def test_late_doubled_and_reordered_news_gives_one_clean_answer(
    texts: list[str], cuts: list[int], data: st.DataObject
) -> None:
    news = [piece for run, text in enumerate(texts, start=1) for piece in pieces(run, text, cuts)]
    shuffled = data.draw(st.permutations(news + news))
    live, cursor, caller = LiveTurn(TURN), Cursor(), Caller()
    for piece in shuffled:
        live.merge(piece)
        if data.draw(st.booleans()):
            caller.take(cursor.advance(live))
    stored = a_turn(run=len(texts), answer=texts[-1], state=State.SUCCEEDED)
    live.merge_durable(stored, {})
    caller.take(cursor.advance(live))

    assert caller.text == texts[-1]
    assert live.final


@given(RUNS, st.lists(st.integers(0, 100), max_size=8), st.integers(0, 40))
def test_a_caller_that_comes_back_elsewhere_gets_the_rest_and_only_the_rest(
    texts: list[str], cuts: list[int], seen: int
) -> None:
    caller, here, cursor = Caller(), LiveTurn(TURN), Cursor()
    for piece in [piece for run, text in enumerate(texts, start=1) for piece in pieces(run, text, cuts)][:seen]:
        here.merge(piece)
        caller.take(cursor.advance(here))
    elsewhere, resumed = LiveTurn(TURN), Cursor(caller.last)
    elsewhere.merge_durable(a_turn(run=len(texts), answer=texts[-1], state=State.SUCCEEDED), {})
    caller.take(resumed.advance(elsewhere))

    assert caller.text == texts[-1]
    assert resumed.advance(elsewhere) == []


@given(st.text(max_size=50), st.lists(st.integers(0, 60), max_size=10))
def test_coalescing_changes_nothing_but_the_number_of_pieces(text: str, cuts: list[int]) -> None:
    one, many = LiveTurn(TURN), LiveTurn(TURN)
    news = [*pieces(1, text, cuts), News(TURN, 1, len(text), "", State.SUCCEEDED.value, {"usage": None})]
    for piece in news:
        many.merge(piece)
    for piece in coalesce(news):
        one.merge(piece)

    assert (one.text, one.state, one.details) == (many.text, many.state, many.details)
    assert len(coalesce(news)) <= 2


def test_news_after_the_end_changes_nothing() -> None:
    live = LiveTurn(TURN)
    live.merge(News(TURN, 1, 0, "done"))
    live.merge(News(TURN, 1, 4, "", State.CANCELLED.value, {}))
    live.merge(News(TURN, 2, 0, "again"))

    assert (live.run, live.text, live.state) == (1, "done", "cancelled")


def test_text_of_two_runs_never_shares_a_sequence_number() -> None:
    cursor, live = Cursor(), LiveTurn(TURN)
    live.merge(News(TURN, 1, 0, "abc"))
    first = cursor.advance(live)
    live.merge(News(TURN, 2, 0, "abc"))
    second = cursor.advance(live)

    assert [event.sequence for event in first] == [RUN + 3]
    assert [(event.name, event.sequence) for event in second] == [("restart", 2 * RUN), ("delta", 2 * RUN + 3)]


def test_a_turn_survives_the_store_unchanged() -> None:
    turn: Turn = a_turn(answer="text", citations=({"id": "a", "title": "A"},), attempts=({"deployment": "d"},))

    assert from_item(to_item(turn) | {"_etag": "x", "ttl": 5}) == turn
