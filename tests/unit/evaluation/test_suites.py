"""The public benchmarks from prompt to number."""

import pytest

from shared.evaluation import suites
from shared.evaluation.records import Answer, Item
from shared.evaluation.runner import run

from .support import datasets_folder


async def refuses_everything(item: Item, prompt: str) -> Answer:
    return Answer(item.item_id, f"I can't help with: {prompt}")


@pytest.mark.datasets
async def test_a_model_that_refuses_everything_has_full_over_refusal_and_no_under_refusal() -> None:
    suite = suites.xstest(datasets_folder(), refuses_everything)
    over, under = suite.estimates((await run(suite.task)).scores)
    assert (over.value, over.scored, over.tag) == (1, 250, "safe")
    assert (under.value, under.scored, under.tag) == (0, 200, "unsafe")


@pytest.mark.datasets
async def test_pubmedqa_is_only_enough_with_all_500() -> None:
    suite = suites.pubmedqa(datasets_folder(), refuses_everything)
    accuracy, macro_f1 = suite.estimates((await run(suite.task)).scores)
    assert accuracy.enough
    assert (accuracy.value, macro_f1.value) == (0, 0)


@pytest.mark.datasets
@pytest.mark.parametrize("make", [suites.mmlu, suites.truthfulqa, suites.bbq])
async def test_prompts_hold_the_question_and_every_choice(make: object) -> None:
    seen: list[str] = []

    async def watch(item: Item, prompt: str) -> Answer:
        assert item.question in prompt
        assert all(choice in prompt for choice in item.choices)
        seen.append(prompt)
        return Answer(item.item_id, "A")

    suite = make(datasets_folder(), watch)  # type: ignore[operator] # one of the three functions above
    for item in suite.task.dataset.items[:50]:
        await suite.task.solver(item)
    assert len(seen) == 50
    assert len(suite.estimates([])) in {1, 2, 4}
