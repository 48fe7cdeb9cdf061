"""What can be asked for depends on what the installation has."""

from typing import Any

import pytest

from shared.api.door import Principal
from shared.errors import InvalidRequest
from shared.evaluating.evaluators import JUDGED
from shared.evaluating.manage_runs import Runs
from shared.evaluating.requests import EvaluationRequest
from shared.evaluating.runs import EvaluationRun
from shared.settings import Settings
from tests.unit.samples import ENVIRONMENT

from .support import HeldClock, MemoryEvaluations, MemoryQueue

OPERATOR = Principal("contoso", operator=True)
ITEMS = [{"id": "a", "question": "Why?"}]


async def start(environment: dict[str, str], **wish: Any) -> EvaluationRun:
    unused: Any = None
    runs = Runs(
        settings=Settings.from_environment({**ENVIRONMENT, **environment}),
        store=MemoryEvaluations(),  # type: ignore[arg-type]  # has what starting needs
        queue=MemoryQueue(),
        turns=unused,
        capacity=unused,
        reports=unused,
        clock=HeldClock(),
    )
    return await runs.start(EvaluationRequest.model_validate(wish), OPERATOR, None)


async def test_a_suite_needs_a_folder_of_public_test_sets() -> None:
    with pytest.raises(InvalidRequest, match="SPILLWAY_DATASETS"):
        await start({}, suite="mmlu")

    assert (await start({"SPILLWAY_DATASETS": "/data"}, suite="mmlu")).suite == "mmlu"


async def test_without_a_judge_its_evaluators_are_left_out_and_refused_by_name() -> None:
    alone = await start({}, items=ITEMS)
    judged = await start({"SPILLWAY_JUDGE_MODEL": "gpt-4o-mini"}, items=ITEMS)

    assert not set(alone.evaluators) & set(JUDGED)
    assert {"similarity", "groundedness"} <= set(judged.evaluators)
    with pytest.raises(InvalidRequest, match="relevance needs a judge; set SPILLWAY_JUDGE_MODEL"):
        await start({}, items=ITEMS, evaluators=["answered", "relevance"])


async def test_a_suite_brings_its_own_evaluators() -> None:
    with pytest.raises(InvalidRequest, match="a suite brings its own"):
        await start({"SPILLWAY_DATASETS": "/data"}, suite="mmlu", evaluators=["answered"])
