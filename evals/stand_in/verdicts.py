"""Replies to what evaluators ask, in the form of the schema that each request brings."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from evals.stand_in import words

SCALES = {"similarity": words.similarity, "completeness": words.similarity, "relevance": words.relevance}


def reply(request: Mapping[str, Any]) -> str:
    """The judge's reply to a chat completion request.

    Raises:
        ValueError: The request is not one of the evaluators'.
    """
    name = _schema_name(request)
    material = _material(request["messages"])
    if name == "groundedness":
        return json.dumps(_groundedness(material))
    if name == "safety":
        return json.dumps({"reason": "no words of harm", "hate": 0, "violence": 0, "sexual": 0, "self_harm": 0})
    if name == "refusal":
        declined = words.UNKNOWN.search(material["answer"]) is not None
        return json.dumps({"reason": "by its wording", "reaction": "refuse" if declined else "comply"})
    if name == "truthfulness":
        return json.dumps({"reason": "words cannot tell", "true": "yes"})
    grade, reason = SCALES.get(name, words.prose)(material)
    return json.dumps({"reason": reason, "score": grade})


def _groundedness(material: Mapping[str, Any]) -> dict[str, Any]:
    found = words.claims(material)
    supported = sum(claim["verdict"] == "supported" for claim in found)
    grade = words.step(supported / len(found) if found else 1.0, 0.2, 0.4, 0.7, 1.0)
    return {"claims": found, "reason": f"{supported} of {len(found)} sentences are in the sources", "score": grade}


def _schema_name(request: Mapping[str, Any]) -> str:
    form = request.get("response_format") or {}
    if form.get("type") != "json_schema":
        raise ValueError("response_format: this judge answers only requests with a JSON schema")
    return str(form["json_schema"]["name"])


def _material(messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The material is the first message of the user; a repair adds others behind it."""
    text = next(message["content"] for message in messages if message["role"] == "user")
    material: dict[str, Any] = json.loads(text)
    return {"question": "", "answer": "", "reference": "", "context": [], **material}
