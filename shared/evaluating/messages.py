"""What travels on the queue `evaluations`: ids only; questions and answers stay in the store (claim check)."""

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

VERSION = 1


class Work(StrEnum):
    """What a message asks for."""

    PLAN = "plan"
    """Choose the items of a run and send a message for each."""
    ITEM = "item"
    """Bring one item of a run a step further: ask, wait, score."""
    TURN = "turn"
    """Score one sampled turn of production."""


@dataclass(frozen=True, slots=True)
class EvaluationMessage:
    """One piece of work.

    Attributes:
        run: The run, which is the partition of everything that belongs to it.
        subject: Id of the item or the turn; empty for a plan.
        copy: Makes the ids of later messages for the same work different from the first one's.
        sent_at: Seconds since 1970.
        details: Of a sampled turn: probability, strata, prompt_version, hour, and `cached`, how its answer was
            found when it had been given before.
    """

    work: Work
    run: str
    subject: str
    sent_at: float
    copy: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def message_id(self) -> str:
        """Unique per copy, because duplicate detection would drop a copy with the id of the original."""
        return ":".join(part for part in (self.work.value, self.run, self.subject, self.copy) if part)

    def encode(self) -> bytes:
        """The JSON body."""
        body = {
            "v": VERSION,
            "work": self.work,
            "run": self.run,
            "subject": self.subject,
            "sent_at": self.sent_at,
            "copy": self.copy,
            "details": self.details,
        }
        return json.dumps(body, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Reads what `encode` wrote.

        Raises:
            ValueError: Not a message of this or an older version.
        """
        try:
            value = json.loads(body)
            if value["v"] > VERSION:
                raise ValueError(f"message version {value['v']} is newer than {VERSION}")
            return cls(
                work=Work(value["work"]),
                run=str(value["run"]),
                subject=str(value["subject"]),
                sent_at=float(value["sent_at"]),
                copy=str(value.get("copy", "")),
                details=dict(value.get("details") or {}),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not an evaluation message: {error!r}") from error
