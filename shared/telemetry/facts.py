"""What the app tells its observer, one frozen value for each kind of fact. Ids, names and numbers; never text or keys.

Durations are seconds. Moments are seconds since 1970.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.turns import State, Turn, Usage


@dataclass(frozen=True, slots=True)
class Subject:
    """The turn that a fact is about."""

    turn_id: str
    tenant: str
    session_id: str
    lane: str
    path: str

    @classmethod
    def of(cls, turn: Turn) -> "Subject":
        """The names of a turn, without its content."""
        return cls(turn.turn_id, turn.tenant, turn.session_id, turn.lane.value, turn.path)


@dataclass(frozen=True, slots=True)
class RequestAccepted:
    """A question was taken. `fresh` is False when the same request had come before."""

    subject: Subject
    fresh: bool


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """A question was not taken; `code` is the error code."""

    tenant: str
    lane: str
    code: str


@dataclass(frozen=True, slots=True)
class RunStarted:
    """An instance begins a run.

    Attributes:
        run: From 1.
        copy: Which copy of the lane message brought it; empty for the first message and on the direct path.
        traceparent: W3C trace context that the message carried.
        queue_wait_seconds: Age of the message since it could be taken; None on the direct path.
    """

    subject: Subject
    run: int
    copy: str = ""
    traceparent: str | None = None
    queue_wait_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """A call to a deployment is over.

    Attributes:
        server: Host name and port of the endpoint.
        began_at: When the call was made.
        outcome: `success`, `ignored` or `overload` as in the policy, or `abandoned` when this side left.
        cause: Why it was no success.
        status: HTTP status; 0 when there was none.
        first_token_seconds: From the call to the first text; None when none came.
        between_tokens_seconds: Mean pause between pieces of text; None with fewer than two.
        longest_pause_seconds: The longest of them.
        usage: What the model reported; None when the stream did not get that far.
        limits: What the response headers said of quota and load.
    """

    subject: Subject
    deployment: str
    model: str
    region: str
    tier: str
    server: tuple[str, int | None]
    max_output_tokens: int
    began_at: float
    duration_seconds: float
    outcome: str
    cause: str | None = None
    status: int = 200
    first_token_seconds: float | None = None
    between_tokens_seconds: float | None = None
    longest_pause_seconds: float | None = None
    finish_reason: str | None = None
    usage: Usage | None = None
    retry_after_seconds: float | None = None
    limits: "Limits | None" = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a deployment says of itself in its response headers; None where it says nothing."""

    remaining_tokens: float | None = None
    remaining_requests: float | None = None
    utilization_percent: float | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class TurnDeferred:
    """A turn was put back to sleep for `seconds`."""

    subject: Subject
    seconds: float
    faulted: bool


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """A turn is over: its final state was written, once.

    Attributes:
        state: The final state.
        code: Error code when it did not succeed.
        timeline: Its JSON form, None when nobody kept one.
        between_tokens_seconds: Mean pause between pieces of the text that the caller received.
        cached: How the answer was found when it is one that was given before.
    """

    subject: Subject
    state: str
    total_seconds: float
    runs: int
    deferrals: int
    attempts: int
    code: str | None = None
    model: str | None = None
    deployment: str | None = None
    finish_reason: str | None = None
    usage: Usage | None = None
    timeline: Mapping[str, Any] | None = None
    between_tokens_seconds: float | None = None
    cached: str | None = None

    @classmethod
    def of(cls, turn: Turn, state: State, now: float, **more: Any) -> "TurnEnded":
        """The end of a turn at `now`; `more` are further attributes by name."""
        known: dict[str, Any] = {
            "runs": turn.run,
            "deferrals": turn.copies,
            "attempts": len(turn.attempts),
            "model": turn.model,
        }
        return cls(Subject.of(turn), state.value, max(0.0, now - turn.created_at), **(known | more))


@dataclass(frozen=True, slots=True)
class MessageGivenUp:
    """A turn failed for good: its message will end in the dead-letter queue."""

    subject: Subject


@dataclass(frozen=True, slots=True)
class ContextStepEnded:
    """A context step is over; `dropped` says why its result is not used."""

    step: str
    seconds: float
    dropped: str | None = None


@dataclass(frozen=True, slots=True)
class RelaySent:
    """One message of news was sent to an instance, or lost."""

    seconds: float
    delivered: bool


@dataclass(frozen=True, slots=True)
class TurnSwept:
    """The sweeper dealt with a stale turn: `rescued`, `expired` or `given_up`."""

    lane: str
    outcome: str


@dataclass(frozen=True, slots=True)
class TurnReplayed:
    """A dead letter became a new turn."""

    lane: str


@dataclass(frozen=True, slots=True)
class BacklogSeen:
    """What waits in a lane, looked at once a minute.

    Attributes:
        turns: All that wait, those asleep until a stated time included.
        due: Those that a worker could take now.
        oldest_seconds: Age of the oldest; 0 when none waits.
        deadline_used: Part of its time that the most pressed turn has waited already; 0 when none waits.
    """

    lane: str
    turns: int
    due: int
    oldest_seconds: float
    deadline_used: float


@dataclass(frozen=True, slots=True)
class CanaryEnded:
    """A call to a quiet deployment is over; `outcome` and `cause` are those of an attempt."""

    deployment: str
    region: str
    tier: str
    outcome: str
    cause: str | None = None
    first_token_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class LedgerAsked:
    """What instances share was read or written.

    Attributes:
        item: A deployment's name for its account, else the name of a line or of the operators' switches.
        operation: `read`, `write` or `take`, which is a grant.
        outcome: `done`, `refused` or `away`.
    """

    item: str
    operation: str
    outcome: str
    seconds: float


@dataclass(frozen=True, slots=True)
class CacheAsked:
    """A turn's answer was looked for in the cache.

    Attributes:
        kind: `exact`, `semantic` or `shared` when it was found, else `miss`.
        reason: Why it was not: `absent`, `history`, `request`, `unavailable`, or the guard that refused the nearest.
    """

    tenant: str
    kind: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TurnSampled:
    """A turn of production was put up for evaluation."""


@dataclass(frozen=True, slots=True)
class TurnRated:
    """A caller said what it thinks of an answer; a second opinion is a second fact."""

    tenant: str
    lane: str
    rating: str


Fact = (
    RequestAccepted
    | RequestRefused
    | AttemptEnded
    | TurnDeferred
    | TurnEnded
    | MessageGivenUp
    | ContextStepEnded
    | RelaySent
    | TurnSwept
    | TurnReplayed
    | BacklogSeen
    | CanaryEnded
    | TurnSampled
    | CacheAsked
    | LedgerAsked
    | TurnRated
)
"""Everything but the beginning of a run, which has a duration of its own; see `shared.telemetry.observer`."""
