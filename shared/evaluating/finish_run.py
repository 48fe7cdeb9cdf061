"""The end of a run: when all its items are done, or when it has to stop."""

import dataclasses

from shared.evaluating.ports import EvaluationStore
from shared.evaluating.report import Reports
from shared.evaluating.runs import DONE, RUN_ID, EvaluationRun, RunState
from shared.ports import Clock
from shared.telemetry import log


class RunFinisher:
    """Ends runs. Several workers may try at once; one of them makes the verdict, which takes a moment of CPU."""

    def __init__(self, *, store: EvaluationStore, reports: Reports, clock: Clock) -> None:
        """Takes what it works with."""
        self._store, self._reports, self._clock = store, reports, clock

    async def finish_when_done(self, run: EvaluationRun) -> bool:
        """Ends a run whose items are all done; whether they are."""
        if run.planned is None or await self._store.count(run.run_id, "item", DONE) < run.planned:
            return False
        await self._close(run)
        return True

    async def stop(self, run: EvaluationRun, reason: str) -> None:
        """Ends a run before its items are done."""
        await self._close(dataclasses.replace(run, stopped=reason))

    async def _close(self, run: EvaluationRun) -> None:
        fields = {"state": RunState.CLOSING.value, "stopped": run.stopped}
        if await self._store.move(run.run_id, RUN_ID, states=[RunState.COLLECTING, RunState.RUNNING], fields=fields):
            await self.conclude(run)

    async def conclude(self, run: EvaluationRun) -> None:
        """Makes the verdict of a run that is closing, and keeps what it says of the judge."""
        if run.compare_judge and not run.stopped:
            await self._reports.compare_judge(run)
        verdict = await self._reports.verdict(run)
        fields = {
            "state": (RunState.STOPPED if run.stopped else RunState.FINISHED).value,
            "decision": None if verdict is None else verdict.decision.value,
            "reasons": [] if verdict is None else list(verdict.reasons),
            "finished_at": self._clock.now(),
        }
        if await self._store.move(run.run_id, RUN_ID, states=[RunState.CLOSING], fields=fields):
            log.info("end_evaluation", run=run.run_id, state=fields["state"], decision=fields["decision"])
