"""Evaluation results as telemetry: one `gen_ai.evaluation.result` event a score, in the shape that portals read.

Names: OpenTelemetry semantic conventions for generative AI, event `gen_ai.evaluation.result`; `internal_properties`
and `microsoft.custom_event.name` as Microsoft's evaluation SDK sends them.
"""

import json
import logging
from collections.abc import Mapping
from typing import Any

from shared.evaluation.records import Score, State
from shared.telemetry.log import LOGGER_NAME

EVENT = "gen_ai.evaluation.result"
RANGES: Mapping[str, tuple[float, float, str]] = {
    "safety": (0, 7, "decrease"),
    **dict.fromkeys(
        ("similarity", "groundedness", "relevance", "coherence", "fluency", "completeness"), (1, 5, "increase")
    ),
    **dict.fromkeys(
        ("answered", "sources", "transparency", "refusal", "truthfulness", "choice", "bbq"), (0, 1, "increase")
    ),
}
"""Least and greatest value and which way is better; measures without bounds are left out."""


def emit(score: Score, *, run: str, deployment: str, prompt_version: str, sampled: bool, with_reason: bool) -> None:
    """Sends one result. A score that was skipped says nothing and is not sent.

    Args:
        score: The result; its answer id is the turn's.
        run: The run it belongs to.
        deployment: Which deployment gave the answer.
        prompt_version: Under which instructions.
        sampled: From production rather than from a set of questions.
        with_reason: Send the judge's reason, which may quote the conversation.
    """
    if score.state is State.SKIPPED:
        return
    extra: dict[str, Any] = {
        "microsoft.custom_event.name": EVENT,
        "gen_ai.evaluation.name": score.evaluator,
        "gen_ai.response.id": score.answer_id,
        "spillway.evaluation.version": score.version,
        "spillway.evaluation.weight": score.weight,
        "spillway.deployment": deployment,
        "spillway.prompt_version": prompt_version,
        "spillway.run": run,
        "internal_properties": json.dumps(_internal(score, run, sampled=sampled), separators=(",", ":")),
    }
    if score.state is State.JUDGE_ERROR:
        extra["error.type"] = "judge_error"
    if score.value is not None:
        extra["gen_ai.evaluation.score.value"] = float(score.value)
    if score.passed is not None:
        extra["gen_ai.evaluation.score.label"] = "pass" if score.passed else "fail"
    if with_reason and score.reason:
        extra["gen_ai.evaluation.explanation"] = score.reason
    logging.getLogger(LOGGER_NAME).info(EVENT, extra=extra)


def _internal(score: Score, run: str, *, sampled: bool) -> dict[str, Any]:
    low, high, direction = RANGES.get(score.evaluator, (None, None, None))
    properties = {
        "gen_ai.evaluation.passed": score.passed,
        "gen_ai.evaluation.status": "error" if score.state is State.JUDGE_ERROR else "completed",
        "gen_ai.evaluation.min_value": low,
        "gen_ai.evaluation.max_value": high,
        "gen_ai.evaluation.desirable_direction": direction,
        "gen_ai.evaluation.run.id": run,
        "gen_ai.evaluation.azure_ai_scheduled": sampled,
        "gen_ai.evaluation.usage.input_tokens": score.input_tokens,
        "gen_ai.evaluation.usage.output_tokens": score.output_tokens,
    }
    return {name: value for name, value in properties.items() if value is not None}
