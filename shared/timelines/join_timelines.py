"""A queued turn's timeline, joined from the two machines that worked on it.

The instance that holds the caller measures the whole wait on its own clock, and the worker measures its own part on its
own, both monotonic. So what lies between them, lane and relay together, is known without comparing clocks, and the
stages add up to the wait whatever the clocks say. Only where lane ends and relay begins needs both clocks; a place
that cannot be true is moved to the nearest that can, and the timeline says so.
"""

from typing import Any

from shared.events import TurnMessage
from shared.ports import Clock
from shared.timelines import stages
from shared.timelines.timeline import Stage, Timeline, as_stages, read_stages
from shared.turns import Turn

WORKER = "worker"
"""Key of what the worker says for the one who joins: where its own stages begin, and when it told."""
MIDDLE = (stages.ENQUEUE, *stages.BETWEEN_MACHINES)


def continued(own: Timeline, turn: Turn, message: TurnMessage) -> Timeline:
    """The worker's timeline: `own` began when the message came, the stages before are put in front of it.

    Args:
        own: Begun on receipt.
        turn: As it was taken; it carries the stages up to admission.
        message: Says when it was sent, by the sender's clock.
    """
    known = read_stages(turn.timeline)
    admitted = turn.created_at + sum(stage.seconds for stage in known if stage.name not in stages.BEFORE_THE_APP)
    received, sent = own.started_at, message.sent_at
    copied = bool(message.copy or message.waits)
    # A turn with an appointment sleeps from the start; it can be called forward, so it may come before its time.
    ready = min(max(sent, turn.deferred_until or 0.0, turn.due_at or 0.0), max(sent, received))
    slept, until_sent = max(0.0, ready - sent), max(0.0, sent - admitted)
    first = [Stage(stages.STORE_ACCEPT, until_sent)]
    if copied and turn.run > 1:
        first = [Stage(stages.EARLIER_RUNS, until_sent, estimated=True)]
    elif copied:
        # Nobody has run it yet: it was called forward from its sleep.
        first, slept = [], slept + until_sent
    sleep = [Stage(stages.DEFERRAL, slept, estimated=True)] if slept > 0 else []
    queue = Stage(stages.QUEUE, max(0.0, received - ready), estimated=True)
    clamped = received < sent
    own.before = [*known, *first, *sleep, queue]
    own.notes[WORKER] = {"first": len(own.before)}
    if clamped:
        own.notes["clamped"] = [stages.QUEUE]
    return own


def told(timeline: Timeline, clock: Clock) -> dict[str, Any]:
    """A timeline in its JSON form, as it is told to the caller's instance."""
    form = timeline.as_dict()
    if WORKER in form:
        form[WORKER] = form[WORKER] | {"told_at": clock.now()}
    return form


def completed(mine: Timeline, theirs: dict[str, Any], clock: Clock) -> dict[str, Any]:
    """The whole timeline of a turn at the moment its last event leaves for the caller.

    Args:
        mine: Begun by this instance when it took the request.
        theirs: As the run told it; on the direct path that was this instance too, with this timeline.
        clock: This instance's.
    """
    worker = theirs.get(WORKER)
    if worker is None:
        mine.mark(stages.RELAY)
        return {**theirs, **as_stages(mine.stages), "complete": True}
    work = read_stages(theirs)[worker["first"] :]
    # The worker can have the message before the queue has confirmed it here, so that stage is open-ended as well; and
    # what a run here did before the turn was put to sleep is one stage of the whole.
    own, sent, ran = _accepting(mine.stages)
    between = mine.now() - mine.end + sent + ran - sum(stage.seconds for stage in work)
    hop = clock.now() - worker.get("told_at", clock.now())
    lengths = {stage.name: stage.seconds for stage in read_stages(theirs)[: worker["first"]]}
    stored = sum(stage.seconds for stage in own if stage.name == stages.STORE_ACCEPT)
    told_apart = bool(lengths.keys() & {stages.STORE_ACCEPT, stages.EARLIER_RUNS})
    middle = _divided(
        max(0.0, between),
        {
            stages.RELAY: hop,
            stages.ENQUEUE: sent,
            stages.DEFERRAL: lengths.get(stages.DEFERRAL, 0.0) - (0.0 if told_apart else sent + stored),
            stages.EARLIER_RUNS: max(ran, lengths.get(stages.EARLIER_RUNS, 0.0) - sent - stored),
        },
    )
    relay = middle.pop(stages.RELAY)
    parts = [
        *own,
        *(_between(name, middle[name]) for name in MIDDLE if name == stages.QUEUE or middle.get(name)),
        *work,
    ]
    rest = {name: value for name, value in theirs.items() if name not in {WORKER, "clamped"}}
    notes = {name: value for name, value in mine.notes.items() if name in {"cold_start", "doubted_clocks"}}
    clamped = {} if 0 <= hop <= between else {"clamped": [stages.QUEUE, stages.RELAY]}
    return {**rest, **notes, **clamped, **as_stages([*parts, _between(stages.RELAY, relay)]), "complete": True}


def _accepting(mine: list[Stage]) -> tuple[list[Stage], float, float]:
    """The stages until the turn was taken in, seconds of sending its message, and seconds of a run on this instance."""
    names = [stage.name for stage in mine]
    begun = names.index(stages.DISPATCH) if stages.DISPATCH in names else len(mine)
    taken_in = [stage for stage in mine[:begun] if stage.name != stages.ENQUEUE]
    sent = sum(stage.seconds for stage in mine[:begun] if stage.name == stages.ENQUEUE)
    return taken_in, sent, sum(stage.seconds for stage in mine[begun:])


def _between(name: str, seconds: float) -> Stage:
    return Stage(name, seconds, estimated=name != stages.ENQUEUE)


def _divided(total: float, wanted: dict[str, float]) -> dict[str, float]:
    """Gives each what it wants, in order, as long as there is some left; the lane has the rest."""
    given: dict[str, float] = {}
    for name, seconds in wanted.items():
        given[name] = min(max(seconds, 0.0), total)
        total -= given[name]
    return given | {stages.QUEUE: total}
