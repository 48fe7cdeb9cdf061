"""The turn: one question and its answer, its states and the transitions between them."""

import dataclasses
import hashlib
import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from shared.lanes import Lane as Lane  # noqa: PLC0414  a turn has one, so whoever knows turns knows lanes


class State(StrEnum):
    """Where a turn is in its life."""

    ACCEPTED = "accepted"
    """Stored, its message not yet confirmed by the queue."""
    QUEUED = "queued"
    """Waiting in its lane for a worker."""
    RUNNING = "running"
    """Taken by one instance, which holds it until its lease lapses."""
    DEFERRED = "deferred"
    """Put back to sleep until a stated time."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        """True when the turn is over; a terminal turn is never reopened."""
        return self in TERMINAL


TERMINAL = frozenset({State.SUCCEEDED, State.FAILED, State.EXPIRED, State.CANCELLED})
WAITING = frozenset({State.ACCEPTED, State.QUEUED, State.DEFERRED})
NO_TURN = "0" * 32
"""An id that no turn has, to read when only the store itself is meant."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation, as the model sees it."""

    role: str
    content: str

    def as_dict(self) -> dict[str, str]:
        """The shape of the chat completions API."""
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that one answer took, as the model reported them."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0

    def as_dict(self) -> dict[str, int]:
        """All counts and their sum."""
        return {**dataclasses.asdict(self), "total_tokens": self.input_tokens + self.output_tokens}

    @classmethod
    def from_dict(cls, value: dict[str, int]) -> Self:
        """Reads what `as_dict` wrote."""
        return cls(**{name.name: value.get(name.name, 0) for name in dataclasses.fields(cls)})


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn as it is stored. Times are seconds since 1970; durations are seconds.

    Attributes:
        run: How often the turn was taken into `running`; 0 before the first time. Text of an older run is void.
        owner: Instance that holds the turn while it runs.
        lease_until: Until when the owner holds it without a sign of life.
        parameters: Model parameters of the caller: temperature, top_p, stop, seed, response_format.
        answer: The text so far while running, the whole text at the end.
        attempts: One entry per call to a deployment: deployment, outcome, status and time taken.
        fingerprint: Hash of a request with an Idempotency-Key, to tell its repetition from another use of the key.
        use_context: Answer from history and knowledge; False for callers that send the whole prompt themselves.
        new_session: The conversation begins with this turn, so there is no history to read.
        copies: Retry messages sent so far.
        faults: Runs that ended by a fault of a deployment rather than for want of capacity.
        reply_to: Instance that the waiting caller is connected to.
        customer_id: Whom of its customers the tenant says it asks for; None when it does not say.
        ticket: Its place in the line of those who wait for budget, in the form of `Ticket`; None when it never waited.
        due_at: When the ticket was expected to be due; seconds since 1970.
        caching: What the caller and the route want of the cache, see `shared.caching.wish`; None without one.
        question_vector: The question's vector as `shared.vectors` packs it, when it was needed before the run.
        cached: Where the answer comes from when it is one that was given before: `kind` (exact, semantic or shared),
            `turn_id`, `age_seconds`, and `similarity` when the questions differ.
    """

    turn_id: str
    tenant: str
    session_id: str
    lane: Lane
    messages: tuple[Message, ...]
    created_at: float
    deadline_at: float
    state: State = State.ACCEPTED
    path: str = "queued"
    model: str | None = None
    max_output_tokens: int | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    use_context: bool = True
    new_session: bool = False
    run: int = 0
    owner: str | None = None
    lease_until: float = 0.0
    deferred_until: float | None = None
    copies: int = 0
    faults: int = 0
    answer: str = ""
    finish_reason: str | None = None
    usage: Usage | None = None
    deployment: str | None = None
    citations: tuple[dict[str, Any], ...] = ()
    timeline: dict[str, Any] | None = None
    attempts: tuple[dict[str, Any], ...] = ()
    error: dict[str, Any] | None = None
    fingerprint: str | None = None
    reply_to: str | None = None
    rating: str | None = None
    replay_of: str | None = None
    customer_id: str | None = None
    ticket: dict[str, Any] | None = None
    due_at: float | None = None
    caching: dict[str, Any] | None = None
    question_vector: str | None = None
    cached: dict[str, Any] | None = None

    @property
    def question(self) -> str:
        """The text of the last message, which is the one to answer."""
        return self.messages[-1].content


def new_turn_id(tenant: str, idempotency_key: str | None) -> str:
    """32 hexadecimal characters: derived from tenant and key when one is given, random otherwise."""
    if idempotency_key is None:
        return uuid.uuid4().hex
    return hashlib.sha256(f"{tenant}\0{idempotency_key}".encode()).hexdigest()[:32]


def replay_turn_id(turn_id: str) -> str:
    """The id of the turn that replays another; the same turn always gives the same id, so it is replayed once."""
    return hashlib.sha256(f"{turn_id}\0replay".encode()).hexdigest()[:32]


def to_item(turn: Turn) -> dict[str, Any]:
    """The turn as a JSON object for the store. `id` is the turn id."""
    item = {name.name: getattr(turn, name.name) for name in dataclasses.fields(turn)}
    item["id"] = item.pop("turn_id")
    item["messages"] = [message.as_dict() for message in turn.messages]
    item["usage"] = None if turn.usage is None else turn.usage.as_dict()
    item["citations"], item["attempts"] = list(turn.citations), list(turn.attempts)
    return item


def from_item(item: dict[str, Any]) -> Turn:
    """Reads what `to_item` wrote; fields the store added or a newer version wrote are left out."""
    known = {name.name for name in dataclasses.fields(Turn)}
    values = {key: value for key, value in item.items() if key in known}
    values["turn_id"] = item["id"]
    values["lane"], values["state"] = Lane(item["lane"]), State(item["state"])
    values["messages"] = tuple(Message(entry["role"], entry["content"]) for entry in item["messages"])
    values["usage"] = None if item.get("usage") is None else Usage.from_dict(item["usage"])
    values["citations"], values["attempts"] = tuple(item.get("citations", ())), tuple(item.get("attempts", ()))
    return Turn(**values)
