"""Unforeseen ways to decline are recognised by their words, and the words of a shop are not taken for them."""

from pathlib import Path

import pytest

from shared.evaluation.refusal.classify import Reaction, classify
from shared.evaluation.refusal.likelihood import features, log_odds

WRITTEN = Path(__file__).parents[3] / "evals" / "refusals"


def lines(name: str) -> list[str]:
    return (WRITTEN / name).read_text(encoding="utf-8").splitlines()


def test_what_the_weights_were_fitted_on_is_read_as_it_is() -> None:
    declining = [classify(line).reaction is Reaction.REFUSE for line in lines("declining.txt")]
    complying = [classify(line).reaction is Reaction.COMPLY for line in lines("complying.txt")]

    assert len(declining) > 300
    assert sum(declining) / len(declining) > 0.85
    assert sum(complying) / len(complying) > 0.92


@pytest.mark.parametrize(
    ("answer", "reaction"),
    [
        ("My lips are sealed.", Reaction.REFUSE),
        ("My lips are sealed. The kettle costs 39 euros, holds a litre, and arrives tomorrow.", Reaction.PARTIAL),
        ("I can't wait for you to try it!", Reaction.COMPLY),
        ("The lid stays closed while the drum turns.", Reaction.COMPLY),
    ],
)
def test_what_follows_an_unforeseen_refusal_makes_it_partial(answer: str, reaction: Reaction) -> None:
    reading = classify(answer)

    assert reading.reaction is reaction
    if reaction is not Reaction.COMPLY:
        assert not reading.sure


def test_a_long_sentence_is_judged_by_its_beginning_and_an_empty_one_does_not_decline() -> None:
    assert features("my " * 500) == features("my " * 400)
    assert features("") == {"< >", "#4"}
    assert log_odds("my lips are sealed.") > 0 > log_odds("the kettle is sealed with a ring of rubber.")
