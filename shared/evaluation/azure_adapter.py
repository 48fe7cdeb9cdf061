"""Plugs evaluators of `azure-ai-evaluation` in as scorers. The package is optional and loaded on first use."""

import asyncio
import importlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.evaluation.errors import EvaluationError, JudgeError
from shared.evaluation.judging import context_of
from shared.evaluation.records import Answer, Item, Score
from shared.evaluation.scoring import scored, skipped

_PACKAGE = "azure.ai.evaluation"
Evaluator = Callable[..., Mapping[str, Any]]


def azure_evaluator(class_name: str, **options: Any) -> Evaluator:
    """Build an evaluator of the package, such as `azure_evaluator("CoherenceEvaluator", model_config={...})`.

    Raises:
        EvaluationError: the package is not installed, or has no such class.
    """
    try:
        module = importlib.import_module(_PACKAGE)
    except ImportError as error:
        raise EvaluationError(f"{_PACKAGE} is not installed: pip install azure-ai-evaluation") from error
    if not hasattr(module, class_name):
        raise EvaluationError(f"{_PACKAGE} has no {class_name}")
    evaluator: Evaluator = getattr(module, class_name)(**options)
    return evaluator


@dataclass(frozen=True, slots=True)
class AzureScorer:
    """Runs one evaluator and checks what it does not check itself: that the score is a number within its scale."""

    evaluator: Evaluator
    result_name: str
    """The name of the score in the evaluator's result, such as `coherence`."""
    inputs: tuple[str, ...] = ("query", "response")
    """Its arguments, of: query, response, context, ground_truth."""
    scale: tuple[float, float] = (1, 5)
    pass_score: float = 3
    higher_is_better: bool = True
    version: str = "azure-ai-evaluation"
    name: str = field(default="")

    def __post_init__(self) -> None:
        """Name it after the result unless told otherwise."""
        if not self.name:
            object.__setattr__(self, "name", f"azure_{self.result_name}")

    async def score(self, item: Item, answer: Answer) -> Score:
        """Call the evaluator in a thread, because it blocks."""
        if answer.error is not None or not answer.text.strip():
            return skipped(self, item, answer, answer.error or "the answer is empty")
        parts = {
            "query": item.question,
            "response": answer.text,
            "context": "\n\n".join(context_of(item, answer)),
            "ground_truth": item.reference or "",
        }
        if missing := [name for name in self.inputs if not parts[name]]:
            return skipped(self, item, answer, f"the item has no {', '.join(missing)}")
        result = await asyncio.to_thread(self.evaluator, **{name: parts[name] for name in self.inputs})
        value = self._value(result)
        passed = value >= self.pass_score if self.higher_is_better else value < self.pass_score
        reason = str(result.get(f"{self.result_name}_reason", ""))
        return scored(self, item, answer, value=value, passed=passed, reason=reason)

    def _value(self, result: Mapping[str, Any]) -> float:
        value = result.get(self.result_name, result.get(f"{self.result_name}_score"))
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
            raise JudgeError(f"{self.result_name} is no number: {str(value)[:80]!r}")
        low, high = self.scale
        if not low <= value <= high:
            raise JudgeError(f"{self.result_name} is {value}, outside {low:g} to {high:g}")
        return float(value)
