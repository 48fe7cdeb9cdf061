"""What is sent when: the pieces of an answer on their times, with the faults that strike meanwhile worked in."""

from dataclasses import dataclass, replace

from local.openai.faults import Effects, Fault
from local.openai.reply import Reply

HOLD_SECONDS = 3_600.0
"""How long a stall without a stated end holds the connection before it is cut."""


@dataclass(frozen=True, slots=True)
class Plan:
    """An answer on its times, all in seconds from the call's arrival.

    Attributes:
        pieces: Text and tokens of what is sent.
        times: For each piece, when it is due.
        ends: When the answer is complete, or broken off.
        cut: The connection breaks at the end.
        stall: Begin and end of a pause that a fault made, None without one.
    """

    pieces: tuple[tuple[str, int], ...]
    times: tuple[float, ...]
    ends: float
    finish_reason: str
    cut: bool = False
    stall: tuple[float, float] | None = None

    @property
    def tokens(self) -> int:
        """Tokens of all pieces."""
        return sum(tokens for _, tokens in self.pieces)

    def stalled_at(self, seconds: float) -> bool:
        """Whether a moment lies in the pause."""
        return self.stall is not None and self.stall[0] <= seconds <= self.stall[1]


def plan(reply: Reply, token_times: list[float], effects: Effects) -> Plan:
    """Puts a reply on its times.

    Args:
        reply: The answer.
        token_times: When each token is due, at least one.
        effects: What the faults do to this call.
    """
    times = _piece_times(reply, token_times, effects.first_token_delay_seconds)
    made = Plan(reply.pieces, times, token_times[-1] + effects.first_token_delay_seconds, reply.finish_reason)
    first = times[0] if times else made.ends
    if fault := effects.during.get("content_filter_completion"):
        kept = _pieces_within(made, fault)
        ends = times[kept - 1] if kept else first
        made = replace(made, pieces=made.pieces[:kept], times=times[:kept], ends=ends, finish_reason="content_filter")
    if fault := effects.during.get("stall"):
        made = _stalled(made, fault, first)
    if fault := effects.during.get("cut"):
        kept = _pieces_within(made, fault)
        ends = made.times[kept - 1] if kept else first
        made = replace(made, pieces=made.pieces[:kept], times=made.times[:kept], ends=ends, cut=True)
    return made


def _piece_times(reply: Reply, token_times: list[float], delay: float) -> tuple[float, ...]:
    """A piece is due with the last of its tokens."""
    due, times = -1, []
    for _, tokens in reply.pieces:
        due += tokens
        times.append(token_times[min(due, len(token_times) - 1)] + delay)
    return tuple(times)


def _stalled(made: Plan, fault: Fault, first: float) -> Plan:
    """Pauses after some tokens; without a stated length nothing follows and the connection breaks at last."""
    kept = _pieces_within(made, fault)
    begins = made.times[kept - 1] if kept else first
    if fault.delay_seconds is None:
        ends = begins + HOLD_SECONDS
        kept_pieces, kept_times = made.pieces[:kept], made.times[:kept]
        return replace(made, pieces=kept_pieces, times=kept_times, ends=ends, cut=True, stall=(begins, ends))
    times = made.times[:kept] + tuple(time + fault.delay_seconds for time in made.times[kept:])
    pause = (begins, begins + fault.delay_seconds)
    return replace(made, times=times, ends=made.ends + fault.delay_seconds, stall=pause)


def _pieces_within(made: Plan, fault: Fault) -> int:
    """How many pieces go out before a fault strikes."""
    sent = 0
    for number, (_, tokens) in enumerate(made.pieces):
        if sent >= fault.after_tokens:
            return number
        sent += tokens
    return len(made.pieces)
