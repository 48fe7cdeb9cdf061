"""What an arm writes down about each turn, as its caller saw it. All times are seconds since 1970."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Record:
    """One turn.

    Attributes:
        number: Of the planned turn.
        sent_at: The last try left.
        accepted_at: The arm said that the turn is its to answer; None when it never did.
        outcome: `done` (answered, as far as the caller saw), `accepted` (202), `refused`, or what went wrong.
        turn_id: The arm's name for it.
        refused: For every refusal its status, when it came and how long it asked to wait (None: it did not say).
        expected_wait_seconds: What it was told first of how long it will wait, counted from `accepted_at`.
        first_token_at: First text that is part of the final answer.
        text: The answer as the caller holds it at the end: what came after the last restart.
        restarts: How often the caller was told to drop what it had.
        repeats: Pieces of text that came twice or out of order, by their event ids.
    """

    number: int
    sent_at: float = 0.0
    accepted_at: float | None = None
    outcome: str = "open"
    turn_id: str | None = None
    refused: list[tuple[int, float, float | None]] = field(default_factory=list)
    expected_wait_seconds: float | None = None
    first_token_at: float | None = None
    ended_at: float | None = None
    text: str = ""
    restarts: int = 0
    repeats: int = 0


def write(path: Path, records: list[Record]) -> None:
    """One JSON object a line."""
    path.write_text("".join(json.dumps(asdict(record)) + "\n" for record in records), encoding="utf-8")


def read(path: Path) -> list[Record]:
    """What `write` wrote."""
    return [Record(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
