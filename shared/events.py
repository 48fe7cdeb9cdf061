"""What travels: the message that names a turn in a queue, and the events that a caller receives.

Sequence numbers. Every event of a turn carries one. Text of run `r` that ends at character `p` has the number
`r * RUN + p`, so a number says exactly which text the caller has, on whichever instance the caller returns, and
a number can never stand for two different texts.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Self

from pydantic_core import to_json

from shared.turns import Lane

RUN = 1_000_000_000
"""Distance between the sequence numbers of two runs; an answer is always shorter. Exact in JavaScript."""

MESSAGE_VERSION = 1
TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def compact(value: Any) -> bytes:
    """JSON without spaces. The standard library needs ten times as long, which is a lot at one event a token."""
    return to_json(value)


@dataclass(frozen=True, slots=True)
class TurnMessage:
    """The body of a lane message. It names the turn; the content stays in the store (claim check).

    Attributes:
        copy: Empty for the first message of a turn, r1, r2 ... for retry copies, s1, s2 ... for the sweeper's.
        waits: How often this message was put off because its turn could not be taken at that moment.
        sent_at: Seconds since 1970.
        traceparent: W3C trace context of the sender, so that a turn is one trace; None when nothing was traced.
        ticket: The turn's place in the line of its pool, as it is stored; None when it need not wait.
        model: The pool, when there is a ticket.
    """

    turn_id: str
    lane: Lane
    copy: str
    deadline_at: float
    sent_at: float
    reply_to: str | None = None
    waits: int = 0
    traceparent: str | None = None
    ticket: dict[str, Any] | None = None
    model: str | None = None

    @property
    def message_id(self) -> str:
        """Unique per copy, because duplicate detection would drop a copy with the id of the original.

        The deadline tells a turn from one that was given up before it was accepted and asked again under the same key:
        a message of the earlier one may have been the last that was taken for this turn id.
        """
        born = f"{round(self.deadline_at * 1000):x}"
        parts = [self.turn_id, born, self.copy, f"w{self.waits}" if self.waits else ""]
        return ":".join(part for part in parts if part)

    def encode(self) -> bytes:
        """The JSON body."""
        body = {
            "v": MESSAGE_VERSION,
            "turn": self.turn_id,
            "lane": self.lane,
            "copy": self.copy,
            "deadline_at": self.deadline_at,
            "sent_at": self.sent_at,
            "reply_to": self.reply_to,
            "waits": self.waits,
            "traceparent": self.traceparent,
            "ticket": self.ticket,
            "model": self.model,
        }
        return compact(body)

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Reads what `encode` wrote.

        Raises:
            ValueError: Not a message of this or an older version.
        """
        try:
            value = json.loads(body)
            if value["v"] > MESSAGE_VERSION:
                raise ValueError(f"message version {value['v']} is newer than {MESSAGE_VERSION}")
            return cls(
                turn_id=str(value["turn"]),
                lane=Lane(value["lane"]),
                copy=str(value["copy"]),
                deadline_at=float(value["deadline_at"]),
                sent_at=float(value["sent_at"]),
                reply_to=value.get("reply_to"),
                waits=int(value.get("waits", 0)),
                traceparent=_traceparent(value.get("traceparent")),
                ticket=value.get("ticket"),
                model=value.get("model"),
            )
        except (KeyError, TypeError, UnicodeDecodeError) as error:
            raise ValueError(f"not a turn message: {error!r}") from error


def _traceparent(value: Any) -> str | None:
    """A trace context that cannot be read is left out: it must not keep a turn from being answered."""
    return value if isinstance(value, str) and TRACEPARENT.fullmatch(value) else None


@dataclass(frozen=True, slots=True)
class News:
    """Something that happened to a running turn, on its way to whoever follows it.

    Attributes:
        run: The run it belongs to; news of an older run is void.
        position: Character of the answer at which `text` starts.
        text: New text, empty when there is none.
        state: The state the turn is in after this.
        details: What the caller is told with a final or waiting state: usage, citations, timeline, error, place.
    """

    turn_id: str
    run: int
    position: int = 0
    text: str = ""
    state: str = "running"
    details: dict[str, Any] | None = None

    def as_list(self) -> list[Any]:
        """The compact wire form of the relay."""
        return [self.turn_id, self.run, self.position, self.text, self.state, self.details]

    @classmethod
    def from_list(cls, value: list[Any]) -> Self:
        """Reads what `as_list` wrote."""
        return cls(*value)


@dataclass(frozen=True, slots=True)
class Event:
    """One event for the caller: a name, a sequence number and JSON data."""

    name: str
    sequence: int
    data: dict[str, Any]

    def encode(self) -> bytes:
        """The server-sent event."""
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (self.sequence, self.name.encode(), compact(self.data))


KEEP_ALIVE = b": keep-alive\n\n"
