"""What a minute of a shop is like."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class Weather:
    """What a minute is like; the default is a good one with ordinary noise.

    Attributes:
        failing, blocked, throttled: Part of the turns, turns and calls that go so.
        slow: Part of the turns of the first deployment's region that wait eight seconds for the first token.
        wasted: Calls for each turn whose answers are thrown away.
        stalled, pressed: The standard lane is not worked on; or so slowly that deadlines are near.
        refused, poisoned, lost_runs, unsafe, overloaded: How many of each there are in a minute.
        canary: Whether the unused deployment answers.
        scores: Turns that are evaluated in a minute; `quality` moves their scores, in standard deviations.
        samples: Turns put up for evaluation in a minute.
        mute: Evaluators that say nothing.
        judge_errors: Part of the evaluations that the judge fails.
        gone: The app does not run at all.
    """

    turns: int = 6
    failing: float = 0.0005
    blocked: float = 0.01
    throttled: float = 0.02
    slow: float = 0.0
    wasted: int = 0
    stalled: bool = False
    pressed: bool = False
    refused: int = 0
    overloaded: int = 0
    poisoned: int = 0
    lost_runs: int = 0
    unsafe: int = 0
    canary: bool = True
    scores: int = 1
    quality: float = 0.0
    samples: int = 1
    mute: Sequence[str] = ()
    judge_errors: float = 0.01
    ledger_away: bool = False
    gone: bool = False
