"""Judge prompts and JSON answers: always parseable, dependent on the text, true to the schema."""

import json
from typing import Any

import pytest

from local.openai import chat_request
from local.openai.answers.compose import answer_text
from local.openai.errors import ServiceError

GROUNDED = (
    "Judge how far the answer is grounded in the context. Score from 1 to 5. Reply as JSON with score and reason."
)
CONTEXT = "Context:\nYou can return any unopened item within 30 days of delivery.\n\n"
QUESTION = "Question: How long do I have to return an item?\n"
GOOD = "Answer: You can return an unopened item within 30 days."
BAD = "Answer: Elephants dance on purple trains every Thursday."


def judged(system: str, user: str, **parameters: Any) -> dict[str, Any]:
    messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    found: dict[str, Any] = json.loads(answer_text(chat_request.read({"messages": messages, **parameters}), 7))
    return found


def test_a_grounded_answer_scores_high_and_an_invented_one_low() -> None:
    good, bad = judged(GROUNDED, QUESTION + CONTEXT + GOOD), judged(GROUNDED, QUESTION + CONTEXT + BAD)
    assert (good["score"], bad["score"]) == (5, 1)
    assert good["reason"]
    assert good["reason"] != bad["reason"]


@pytest.mark.parametrize(("scale", "low", "high"), [("1-5", 1, 5), ("0 to 1", 0, 1), ("1 to 10", 1, 10)])
def test_the_score_is_on_the_scale_of_the_rubric(scale: str, low: int, high: int) -> None:
    rubric = f"Rate correctness against the reference on a scale of {scale}. JSON with score and reason."
    good = judged(rubric, f"{GOOD}\nReference answer: You can return an unopened item within 30 days.")
    bad = judged(rubric, f"{BAD}\nReference answer: You can return an unopened item within 30 days.")
    assert (bad["score"], good["score"]) == (low, high)


def test_relevance_compares_the_answer_with_the_question() -> None:
    rubric = "Rate relevance to the question, 1 to 5, as JSON with a score and a reason."
    assert judged(rubric, QUESTION + GOOD)["score"] > judged(rubric, QUESTION + BAD)["score"]


def test_a_missing_answer_scores_lowest() -> None:
    assert judged(GROUNDED, QUESTION + CONTEXT + "Answer:\n")["score"] == 1


def test_a_verdict_fits_a_schema_when_there_is_one() -> None:
    schema = {
        "type": "object",
        "properties": {"score": {"type": "integer", "minimum": 1, "maximum": 5}, "reason": {"type": "string"}},
        "required": ["score", "reason"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": schema, "strict": True}}
    assert judged(GROUNDED, QUESTION + CONTEXT + GOOD, response_format=form) == {
        "score": 5,
        "reason": judged(GROUNDED, QUESTION + CONTEXT + GOOD)["reason"],
    }


def schema_answer(schema: dict[str, Any]) -> dict[str, Any]:
    form = {"type": "json_schema", "json_schema": {"name": "shape", "schema": schema}}
    system = "Use the sources.\n\n[source: A] Hours\nWe open at nine."
    return judged(system, "When do you open?", response_format=form)


def test_json_takes_answer_and_sources_from_what_was_found() -> None:
    assert schema_answer(
        {
            "type": "object",
            "properties": {
                "answer": {"type": "string"},
                "sources": {"type": "array", "items": {"type": "string"}},
                "kind": {"enum": ["hours", "price"]},
                "when": {"type": "string", "format": "date-time"},
                "count": {"type": "integer", "minimum": 2, "maximum": 4},
                "short": {"type": "string", "maxLength": 3},
                "maybe": {"anyOf": [{"type": "null"}, {"type": "boolean"}]},
                "list": {"type": "array", "items": {"$ref": "#/$defs/item"}, "minItems": 2},
            },
            "$defs": {"item": {"type": "object", "properties": {"n": {"const": 1}}}},
        }
    ) == {
        "answer": "We open at nine. [A]",
        "sources": ["A"],
        "kind": "hours",
        "when": "2026-01-01T00:00:00Z",
        "count": 2,
        "short": "Whe",
        "maybe": True,
        "list": [{"n": 1}, {"n": 1}],
    }


def test_a_schema_that_refers_to_itself_ends() -> None:
    tree = {"type": "object", "properties": {"below": {"type": "array", "items": {"$ref": "#"}}}}
    depth, here = 0, schema_answer(tree)
    while here["below"]:
        depth, here = depth + 1, here["below"][0]
    assert depth > 0


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {str(number): {"$ref": "#"} for number in range(10)}},
        {"type": "array", "minItems": 10**9},
        {"type": "string", "pattern": "a+"},
        {"type": "string", "format": "zip-code"},
        {"$ref": "#/nowhere"},
        {"$ref": "https://example.com/schema"},
        {"type": "colour"},
        {"type": "array", "minItems": -1},
        {"type": "object", "properties": []},
    ],
)
def test_a_schema_that_is_wrong_endless_or_not_covered_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(ServiceError) as refused:
        schema_answer(schema)
    assert refused.value.status == 400
