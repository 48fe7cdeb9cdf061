"""Chooses how to answer a request: a verdict, JSON, small talk, an extract, or an honest "I don't know"."""

import hashlib

import orjson

from local.openai.answers import conversation, judge, smalltalk
from local.openai.answers.extract import Extract, extract
from local.openai.answers.schema import Known, fill
from local.openai.chat_request import ChatRequest

_UNKNOWN = (
    "I don't know. The information I have does not answer that; could you rephrase the question or add a detail?",
    "I don't know. I found nothing about that in the information I have; a little more detail might help.",
    "I don't know. That is not covered by the information I have; please try to ask it in another way.",
)


def answer_text(request: ChatRequest, seed: int) -> str:
    """The answer to a request as text; the same request and seed always give the same one.

    Raises:
        ServiceError: The request asks for JSON in a form that is not covered.
    """
    verdict = judge.verdict(request.messages) if judge.asks_for_verdict(request.messages) else None
    question, passages = conversation.read(request.messages)
    variant = _variant(request, seed)
    if verdict is not None:
        if request.schema:
            return fill(request.schema, Known(verdict.reason, question.text, (), verdict.score, verdict.reason))
        return _verdict_json(verdict)
    found = extract(question, passages) if passages else None
    text = smalltalk.reply(question.text, variant) or _text(found, variant)
    if request.json_object:
        return orjson.dumps({"answer": text, "sources": found.cited if found else ()}).decode()
    if request.schema is not None:
        return fill(request.schema, Known(text, question.text, found.cited if found else ()))
    return text


def _text(found: Extract | None, variant: int) -> str:
    return found.text if found else _UNKNOWN[variant % len(_UNKNOWN)]


def _verdict_json(verdict: judge.Verdict) -> str:
    score = int(verdict.score) if verdict.score.is_integer() else verdict.score
    return orjson.dumps({"score": score, "reason": verdict.reason}).decode()


def _variant(request: ChatRequest, seed: int) -> int:
    """Which of several equally good wordings: by seed and question, the first one at temperature 0."""
    if request.temperature == 0:
        return 0
    digest = hashlib.blake2b(f"{seed}:{request.seed}:{request.question}".encode())
    return int.from_bytes(digest.digest()[:4], "big")
