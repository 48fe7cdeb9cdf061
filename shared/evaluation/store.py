"""Where a run keeps answers and scores, so that it can be stopped and resumed."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol

from shared.evaluation.records import Answer, Score, State


class Store(Protocol):
    """Keeps answers and scores under their keys; a second write under a key replaces the first."""

    async def get_answer(self, key: str) -> Answer | None:
        """The answer under `key`, if there is one."""
        ...

    async def put_answer(self, key: str, answer: Answer) -> None:
        """Keep an answer."""
        ...

    async def get_score(self, key: str) -> Score | None:
        """The score under `key`, if there is one."""
        ...

    async def put_score(self, score: Score) -> None:
        """Keep a score under its own key."""
        ...


@dataclass(slots=True)
class MemoryStore:
    """Keeps everything in memory."""

    answers: dict[str, Answer] = field(default_factory=dict)
    scores: dict[str, Score] = field(default_factory=dict)

    async def get_answer(self, key: str) -> Answer | None:
        """The answer under `key`, if there is one."""
        return self.answers.get(key)

    async def put_answer(self, key: str, answer: Answer) -> None:
        """Keep an answer."""
        self.answers[key] = answer

    async def get_score(self, key: str) -> Score | None:
        """The score under `key`, if there is one."""
        return self.scores.get(key)

    async def put_score(self, score: Score) -> None:
        """Keep a score under its own key."""
        self.scores[score.key] = score


class FileStore(MemoryStore):
    """Keeps everything in one JSON-lines file that only grows; a line cut off by a crash is left out."""

    def __init__(self, path: Path) -> None:
        """Read what earlier runs left in `path`."""
        super().__init__()
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            _drop_torn_line(path)
            for line in path.read_text(encoding="utf-8").splitlines():
                self._load(json.loads(line))

    async def put_answer(self, key: str, answer: Answer) -> None:
        """Keep an answer and write it down."""
        await MemoryStore.put_answer(self, key, answer)
        self._append({"kind": "answer", "key": key, "record": asdict(answer)})

    async def put_score(self, score: Score) -> None:
        """Keep a score and write it down."""
        await MemoryStore.put_score(self, score)
        self._append({"kind": "score", "record": asdict(score)})

    def _append(self, entry: Mapping[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def _load(self, entry: Mapping[str, Any]) -> None:
        if entry["kind"] == "answer":
            self.answers[entry["key"]] = answer_from_json(entry["record"])
        else:
            score = score_from_json(entry["record"])
            self.scores[score.key] = score


def answer_from_json(record: Mapping[str, Any]) -> Answer:
    """Rebuild an answer from `dataclasses.asdict` output."""
    return Answer(**_known(Answer, record))


def score_from_json(record: Mapping[str, Any]) -> Score:
    """Rebuild a score from `dataclasses.asdict` output."""
    return Score(**{**_known(Score, record), "state": State(record["state"])})


def _known(kind: type[Answer] | type[Score], record: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in record.items() if name in names}


def _drop_torn_line(path: Path) -> None:
    whole = path.read_bytes()
    end = whole.rfind(b"\n") + 1
    if end < len(whole):
        with path.open("r+b") as file:
            file.truncate(end)
