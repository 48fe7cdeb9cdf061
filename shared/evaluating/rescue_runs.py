"""Finds runs that nobody drives any more and drives them on."""

from shared.evaluating.fan_out import FanOut
from shared.evaluating.finish_run import RunFinisher
from shared.evaluating.messages import EvaluationMessage, Work
from shared.evaluating.ports import EvaluationQueue, EvaluationStore
from shared.evaluating.runs import RunState, run_of
from shared.ports import Clock
from shared.telemetry import log

UNTOUCHED_SECONDS = 300.0
"""An item is looked at far more often than this while its message lives."""
COLLECTING_SECONDS = 60.0


class RunRescuer:
    """Run by a timer. Doing it twice does no harm."""

    def __init__(
        self,
        *,
        store: EvaluationStore,
        queue: EvaluationQueue,
        fan_out: FanOut,
        finisher: RunFinisher,
        clock: Clock,
    ) -> None:
        """Takes what it works with."""
        self._store, self._queue = store, queue
        self._fan_out, self._finisher, self._clock = fan_out, finisher, clock

    async def rescue(self) -> None:
        """Deals with every run that is not over.

        Raises:
            Unavailable: The store or the queue does not answer.
        """
        now = self._clock.now()
        for document in await self._store.open_runs():
            run = run_of(document)
            if run.state is RunState.CLOSING:
                await self._finisher.conclude(run)
            elif now > run.deadline_at:
                await self._finisher.stop(run, "the run took longer than it may")
            elif run.state is RunState.RUNNING:
                if not await self._finisher.finish_when_done(run):
                    again = await self._fan_out.drive_on(run, untouched_since=now - UNTOUCHED_SECONDS)
                    log.info("drive_evaluation", run=run.run_id, items=again)
            elif run.complete and now - run.created_at > COLLECTING_SECONDS:
                await self._queue.send(EvaluationMessage(Work.PLAN, run.run_id, "", now, f"s{int(now)}"))
