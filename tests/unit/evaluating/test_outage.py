"""A message of evaluation is not worn out by an outage of a few seconds."""

from types import SimpleNamespace
from typing import Any

import pytest

from shared.errors import Unavailable
from shared.evaluating.messages import EvaluationMessage, Work
from shared.evaluating.service import AWAY_SECONDS, Evaluations


async def test_a_message_is_held_for_a_while_before_it_is_given_back() -> None:
    slept = list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def away(_: EvaluationMessage) -> None:
        raise Unavailable("The store does not answer.")

    evaluations: Any = Evaluations.__new__(Evaluations)
    evaluations._clock = SimpleNamespace(sleep=sleep)
    evaluations._turns = SimpleNamespace(work=away)

    with pytest.raises(Unavailable):
        await evaluations.work(EvaluationMessage(Work.TURN, "production-2026-01-01", "t", 0.0))
    assert slept == [AWAY_SECONDS]
