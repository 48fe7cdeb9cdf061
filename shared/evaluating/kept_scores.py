"""Where the scores of one answer are kept: one document a score, created once."""

import dataclasses
import hashlib
from typing import Any

from shared.evaluating.ports import EvaluationStore
from shared.evaluation.records import Answer, Score, State
from shared.evaluation.store import score_from_json


def score_document_id(key: str) -> str:
    """The id of a score in the store: answer, evaluator and version of its rubric give it."""
    return f"score-{hashlib.sha256(key.encode()).hexdigest()[:32]}"


class KeptScores:
    """The store of `shared.evaluation.runner` for one answer.

    A score that is there stays; only a judge error gives way to a later score. So a message that is delivered twice,
    even at the same time, leaves one score of each evaluator.
    """

    def __init__(
        self, store: EvaluationStore, *, run: str, answer: Answer, fields: dict[str, Any], with_texts: bool
    ) -> None:
        """Takes the store.

        Args:
            store: Where the documents go.
            run: Their partition.
            answer: The answer that is scored.
            fields: Beside the score in each document, such as `ttl`.
            with_texts: Keep question, answer, reference, reasons and claims beside the score. Production's stay in
                their turn, so that removing a conversation removes them.
        """
        self._store, self._run, self._answer = store, run, answer
        self._fields, self._with_texts = fields, with_texts

    async def get_answer(self, key: str) -> Answer | None:  # noqa: ARG002  the answer is in its turn, under no key
        """The answer that is scored."""
        return self._answer

    async def put_answer(self, key: str, answer: Answer) -> None:
        """Nothing: the turn keeps its answer."""

    async def get_score(self, key: str) -> Score | None:
        """The score under a key."""
        document = await self._store.get(self._run, score_document_id(key))
        if document is None:
            return None
        return dataclasses.replace(score_from_json(document), answer=_said(self._answer))

    async def put_score(self, score: Score) -> None:
        """Keeps a score unless there is a better one."""
        document = self._document(score)
        while not await self._store.create(document):
            known = await self._store.get(self._run, document["id"])
            if known is None:
                continue
            if known["state"] != State.JUDGE_ERROR.value:
                return
            if await self._store.replace({**document, "_etag": known["_etag"]}):
                return

    def _document(self, score: Score) -> dict[str, Any]:
        kept = score if self._with_texts else _bare(score)
        return {
            **dataclasses.asdict(kept),
            **self._fields,
            "id": score_document_id(score.key),
            "run": self._run,
            "kind": "score",
        }


def _said(answer: Answer) -> str:
    return answer.text if answer.error is None else f"[no answer: {answer.error}]"


def _bare(score: Score) -> Score:
    """The score without anything that may quote the conversation."""
    reason = score.reason if score.state is State.JUDGE_ERROR else ""
    return dataclasses.replace(score, question="", answer="", reference="", reason=reason, details={})
