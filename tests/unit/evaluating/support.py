"""Stores and a queue in memory, with the guarantees of the real ones."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.errors import Unavailable
from shared.evaluating.messages import EvaluationMessage

Document = dict[str, Any]


class HeldClock:
    """Time that moves when it is told to."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.at = now
        self.slept: list[float] = []

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


@dataclass
class MemoryEvaluations:
    documents: dict[tuple[str, str], Document] = field(default_factory=dict)
    writes: int = 0

    async def create(self, document: Document) -> bool:
        key = (document["run"], document["id"])
        if key in self.documents:
            return False
        self._put(document)
        return True

    async def create_all(self, run: str, documents: Sequence[Document]) -> None:
        for document in documents:
            assert document["run"] == run
            await self.create(document)

    async def get(self, run: str, document_id: str) -> Document | None:
        return copy.deepcopy(self.documents.get((run, document_id)))

    async def replace(self, document: Document) -> bool:
        known = self.documents.get((document["run"], document["id"]))
        if known is None or known["_etag"] != document["_etag"]:
            return False
        self._put(document)
        return True

    async def move(self, run: str, document_id: str, *, states: Sequence[str], fields: Mapping[str, Any]) -> bool:
        known = self.documents.get((run, document_id))
        if known is None or known["state"] not in states:
            return False
        self._put({**known, **fields})
        return True

    async def touch(self, run: str, document_id: str, *, state: str, now: float) -> Document | None:
        known = self.documents.get((run, document_id))
        if known is None or known["state"] != state:
            return None
        self._put({**known, "touched_at": now, "tries": known["tries"] + 1})
        return await self.get(run, document_id)

    async def count_started(self, run: str, started: int) -> bool:
        known = self.documents[run, "run"]
        if known["state"] != "running" or known["started"] != started:
            return False
        self._put({**known, "started": started + 1})
        return True

    async def raise_probability(self, run: str, document_id: str, probability: float, strata: Sequence[str]) -> bool:
        known = self.documents[run, document_id]
        if known["probability"] >= probability:
            return False
        self._put({**known, "probability": probability, "strata": list(strata)})
        return True

    async def take_slot(self, run: str, hour: str, *, most: int, ttl_seconds: int) -> bool:
        taken = self.documents.get(
            (run, f"hour-{hour}"), {"id": f"hour-{hour}", "run": run, "taken": 0, "kind": "hour"}
        )
        if taken["taken"] >= most:
            return False
        self._put({**taken, "taken": taken["taken"] + 1, "ttl": ttl_seconds})
        return True

    async def of_kind(self, run: str, kind: str, *, hour: str | None = None) -> list[Document]:
        return [
            copy.deepcopy(found)
            for (partition, _), found in self.documents.items()
            if partition == run and found.get("kind") == kind and hour in {None, found.get("hour")}
        ]

    async def count(self, run: str, kind: str, state: str) -> int:
        return sum(found["state"] == state for found in await self.of_kind(run, kind))

    async def hours_scored_since(self, run: str, since: float) -> list[str]:
        return sorted({found["hour"] for found in await self.of_kind(run, "sample") if found["changed_at"] > since})

    def _put(self, document: Document) -> None:
        self.writes += 1
        self.documents[document["run"], document["id"]] = {**copy.deepcopy(document), "_etag": str(self.writes)}


@dataclass
class MemoryMetrics:
    documents: dict[tuple[str, str], Document] = field(default_factory=dict)
    writes: int = 0
    reads: int = 0

    async def get(self, day: str, document_id: str) -> Document | None:
        self.reads += 1
        return copy.deepcopy(self.documents.get((day, document_id)))

    async def put(self, document: Document) -> None:
        self.writes += 1
        self.documents[document["day"], document["id"]] = {**copy.deepcopy(document), "_etag": str(self.writes)}

    async def replace_or_create(self, document: Document) -> bool:
        known = self.documents.get((document["day"], document["id"]))
        if (None if known is None else known["_etag"]) != document.get("_etag"):
            return False
        await self.put(document)
        return True

    async def of_kind(self, day: str, kind: str) -> list[Document]:
        return [found for (of, _), found in self.documents.items() if of == day and found["kind"] == kind]


@dataclass
class MemoryQueue:
    sent: list[EvaluationMessage] = field(default_factory=list)
    failures: int = 0

    async def send(self, message: EvaluationMessage, *, not_before: float | None = None) -> None:
        if self.failures > 0:
            self.failures -= 1
            raise Unavailable
        self.sent.append(message)


def a_sample(turn_id: str, *, at: float, hour: str, probability: float = 0.5, **fields: Any) -> Document:
    return {
        "id": f"sample-{turn_id}",
        "run": f"production-{hour[:10]}",
        "kind": "sample",
        "state": "scored",
        "turn_id": turn_id,
        "probability": probability,
        "strata": [],
        "prompt_version": "v1",
        "hour": hour,
        "changed_at": at,
        "scored_at": at,
        "touched_at": 0.0,
        "tries": 0,
        **fields,
    }


def a_score(turn_id: str, value: float | None, *, hour: str, evaluator: str = "relevance", **fields: Any) -> Document:
    return {
        "id": f"score-{turn_id}-{evaluator}",
        "run": f"production-{hour[:10]}",
        "kind": "score",
        "item_id": turn_id,
        "answer_id": turn_id,
        "evaluator": evaluator,
        "version": "1",
        "state": "scored" if value is not None else "judge_error",
        "value": value,
        "passed": None if value is None else value >= 4,
        "hour": hour,
        "deployment": "chat-0",
        "prompt_version": "v1",
        **fields,
    }
