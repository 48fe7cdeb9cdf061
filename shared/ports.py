"""What the behaviour needs from the world, as protocols. The adapters fulfil them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from shared.events import News, TurnMessage
from shared.settings import Deployment
from shared.turns import Lane, Message, State, Turn, Usage


class Clock(Protocol):
    """Time, so that tests can hold it."""

    def now(self) -> float:
        """Seconds since 1970."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back."""

    async def sleep(self, seconds: float) -> None:
        """Waits."""


class TurnStore(Protocol):
    """The durable truth about turns. Every transition is one conditional write."""

    async def create(self, turn: Turn) -> bool:
        """Stores a new turn; False when its id exists already."""

    async def get(self, turn_id: str) -> Turn | None:
        """The turn, or None."""

    async def take(self, turn_id: str, *, owner: str, now: float, lease_until: float) -> Turn | None:
        """Takes a waiting turn, or one whose lease lapsed, into a new run; None when that is not allowed."""

    async def checkpoint(self, turn_id: str, *, run: int, answer: str, lease_until: float) -> bool:
        """Saves the text so far and renews the lease; False when the run is no longer the valid one."""

    async def finish(self, turn_id: str, *, run: int, state: State, fields: Mapping[str, Any]) -> bool:
        """Ends the run in `state`; False when the run is no longer the valid one."""

    async def end_waiting(self, turn_id: str, *, now: float, state: State, fields: Mapping[str, Any]) -> bool:
        """Ends a turn that nobody runs, or whose lease lapsed; False when it is running or over."""

    async def cancel(self, turn_id: str, fields: Mapping[str, Any]) -> bool:
        """Cancels a turn in any state that is not terminal; False when it is over."""

    async def mark_queued(self, turn_id: str) -> None:
        """Notes that the queue holds the message of an accepted turn; does nothing when the turn went on."""

    async def rate(self, turn_id: str, rating: str, comment: str | None) -> None:
        """Notes the caller's opinion."""

    async def retract(self, turn: Turn) -> None:
        """Removes a turn whose acceptance failed, as it was created.

        One that was accepted under its key since then stays, and so does one that a worker has: its message arrived
        although the queue did not say so, and whoever asks again under the key follows it.
        """

    async def discard(self, turn_id: str) -> None:
        """Removes a turn that is to be forgotten."""

    async def depth(self, lane: Lane) -> int:
        """How many turns wait in a lane."""

    async def asleep(self, lane: Lane, after: float, *, limit: int) -> list[Turn]:
        """Waiting turns of a lane whose appointment is after a moment (seconds since 1970), the next first.

        Of their content they have nothing but what a message needs.
        """

    def stale(self, now: float, *, accepted_before: float, woken_before: float) -> AsyncIterator[Turn]:
        """Turns that nobody drives.

        They were accepted but never queued, run with a lapsed lease, sleep past their time, or are past their deadline.
        """


class SessionStore(Protocol):
    """What was said in a conversation, by tenant and session."""

    async def append(self, turn: Turn, *, final: bool = False) -> None:
        """Stores question and answer of a turn. A later run's replace an earlier one's, whichever arrives first.

        Args:
            turn: As this run sees it.
            final: It is over, as its record says; what its runs still send changes nothing.
        """

    async def recent(self, tenant: str, session_id: str, limit: int) -> list[dict[str, Any]]:
        """The last turns, oldest first: turn_id, question, answer, state, created_at, citations, rating."""

    async def remove(self, tenant: str, session_id: str) -> int:
        """Forgets the conversation; how many turns it had."""

    async def rate(self, turn: Turn, rating: str) -> None:
        """Notes the caller's opinion beside the answer."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of knowledge that may help with the answer; `score` is the cosine similarity to the question."""

    id: str
    title: str
    text: str
    url: str | None = None
    score: float = 0.0


class Knowledge(Protocol):
    """A tenant's documents, found by meaning."""

    async def search(self, tenant: str, vector: Sequence[float], limit: int) -> list[Passage]:
        """The nearest passages, best first."""

    async def put(self, tenant: str, passage: Passage, vector: Sequence[float]) -> None:
        """Stores or replaces a passage."""


class Profiles(Protocol):
    """What a tenant knows of its customers."""

    async def get(self, tenant: str, customer_id: str) -> Mapping[str, str]:
        """A customer's profile as short texts by name; empty when there is none."""


class Embedder(Protocol):
    """Texts to vectors of unit length."""

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text, in order."""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One call to one deployment."""

    turn_id: str
    messages: Sequence[Message]
    max_output_tokens: int
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a streamed answer; the last ones carry the finish reason and the usage.

    Attributes:
        pieces: How many pieces of text of the model are in it: those that were there already are passed on together.
    """

    text: str = ""
    finish_reason: str | None = None
    usage: Usage | None = None
    pieces: int = 1


@dataclass(frozen=True, slots=True)
class ModelRefusal(Exception):
    """A call that did not give an answer, in the words of the wire.

    Attributes:
        status: HTTP status; 0 when there was none (no connection, a time-out, a cut stream).
        code: The service's error code, when it gave one.
        headers: Response headers in lower case.
    """

    status: int
    code: str | None
    message: str
    headers: Mapping[str, str]


class ModelStream(Protocol):
    """An open answer. Leaving the context closes the connection, which stops the generation."""

    headers: Mapping[str, str]

    def __aiter__(self) -> AsyncIterator[Chunk]:
        """The pieces as they come; raises ModelRefusal when the stream breaks."""

    async def close(self) -> None:
        """Ends the stream and frees its connection."""


class ChatModel(Protocol):
    """Calls chat deployments."""

    async def open(self, deployment: Deployment, request: ModelRequest) -> ModelStream:
        """Starts an answer; raises ModelRefusal when the deployment refuses or cannot be reached."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A deployment's account as it is stored, and the version it was read at."""

    account: dict[str, Any]
    version: str


class Ledger(Protocol):
    """Keeps what all instances share by name: accounts of deployments, lines of pools, switches of operators."""

    async def read(self, name: str) -> LedgerEntry | None:
        """The account, or None when there is none; raises Unavailable, as all do."""

    async def write(
        self, name: str, account: dict[str, Any], *, version: str | None, lasting: bool = False
    ) -> LedgerEntry | None:
        """Replaces the account read at `version`, or opens it when that is None; None when another was quicker.

        An account that nobody writes for a day is forgotten, unless it is lasting.
        """

    async def take(
        self,
        name: str,
        *,
        slot: int,
        tokens: float,
        requests: int,
        urgent: float,
        token_ceiling: float,
        request_ceiling: float,
    ) -> LedgerEntry | None:
        """Adds to what was spent in the slot, when it is still the newest one and the ceilings hold; else None."""


class LaneQueues(Protocol):
    """The queues of the lanes."""

    async def send(self, message: TurnMessage, *, time_to_live_seconds: float, not_before: float | None = None) -> None:
        """Sends a message, at once or scheduled for a moment in seconds since 1970; raises Unavailable."""

    async def peek_dead_letters(self, lane: Lane, limit: int, after: int) -> list[dict[str, Any]]:
        """Looks at dead letters without taking them, those with a sequence number above `after`.

        Each has sequence_number, turn_id, copy, reason, description, enqueued_at and delivery_count.
        """

    async def remove_dead_letters(self, lane: Lane, sequence_numbers: Sequence[int]) -> list[int]:
        """Takes dead letters out for good; those that were there."""


class Relay(Protocol):
    """Brings news from a worker to the instance that holds the caller's connection."""

    async def send(self, destination: str, news: Sequence[News]) -> None:
        """Sends news to one instance in one message; raises Unavailable."""

    def listen(self, instance: str) -> AsyncIterator[list[News]]:
        """News for an instance, until cancelled or after a long silence; raises Unavailable."""


class TokenCounter(Protocol):
    """Counts tokens as the models do."""

    def count(self, text: str) -> int:
        """Tokens of a text."""
