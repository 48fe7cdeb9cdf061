"""Whether a judge can be trusted: its agreement with human labels on a seeded sample."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.evaluation.errors import JudgeError, UntrustedJudgeError
from shared.evaluation.records import Answer, Item, State
from shared.evaluation.scoring import Scorer
from shared.evaluation.stats.agreement import Kappa, cohens_kappa
from shared.evaluation.stats.interval import Interval
from shared.evaluation.stats.proportion import wilson


@dataclass(frozen=True, slots=True)
class Labelled:
    """One question and answer with the label that people gave it."""

    item_id: str
    question: str
    answer: str
    label: str


Rater = Callable[[Labelled], Awaitable[str]]
"""Gives the judge's label. `JudgeError` means that it gave none."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a judge compares with people."""

    sampled: int
    judge_errors: int
    accuracy: float
    """The share of all sampled rows that got the human label; a row without a judgement counts as a disagreement."""
    accuracy_interval: Interval
    kappa: Kappa
    """Over the rows that were judged."""
    confusion: Mapping[tuple[str, str], int]
    """Counts by (human label, judge label)."""
    seed: int

    @property
    def judge_error_rate(self) -> float:
        """The share of rows without a judgement."""
        return self.judge_errors / self.sampled if self.sampled else 0.0


@dataclass(frozen=True, slots=True)
class TrustBar:
    """What a judge must reach. Lower interval bounds are compared, so a lucky small sample does not pass."""

    min_accuracy: float = 0.75
    min_kappa: float = 0.5
    min_sample: int = 200
    max_judge_error_rate: float = 0.02


async def measure_agreement(
    rater: Rater, labelled: Sequence[Labelled], *, sample_size: int, seed: int, concurrency: int = 8
) -> Agreement:
    """Have a seeded sample judged and compare.

    Raises:
        ValueError: there is nothing to compare with.
    """
    if not labelled or sample_size < 1:
        raise ValueError("agreement needs at least one labelled row")
    drawn = random.Random(seed).sample(list(labelled), min(sample_size, len(labelled)))  # noqa: S311 - reproducible draw
    gate = asyncio.Semaphore(concurrency)

    async def rate(row: Labelled) -> str | None:
        async with gate:
            try:
                return await rater(row)
            except JudgeError:
                return None

    ratings = await asyncio.gather(*(rate(row) for row in drawn))
    return agreement_of([(row.label, judged) for row, judged in zip(drawn, ratings, strict=True)], seed=seed)


def agreement_of(ratings: Sequence[tuple[str, str | None]], *, seed: int) -> Agreement:
    """Compares (human label, judge label); None stands for no judgement. There is at least one."""
    pairs = [(human, judged) for human, judged in ratings if judged is not None]
    agreed = sum(human == judged for human, judged in pairs)
    return Agreement(
        sampled=len(ratings),
        judge_errors=len(ratings) - len(pairs),
        accuracy=agreed / len(ratings),
        accuracy_interval=wilson(agreed, len(ratings)),
        kappa=cohens_kappa(pairs),
        confusion=Counter(pairs),
        seed=seed,
    )


def agreement_to_json(found: Agreement) -> dict[str, Any]:
    """An agreement as plain values."""
    return {
        "sampled": found.sampled,
        "judge_errors": found.judge_errors,
        "accuracy": found.accuracy,
        "accuracy_interval": list(found.accuracy_interval),
        "kappa": found.kappa.value,
        "kappa_error": found.kappa.standard_error,
        "kappa_interval": list(found.kappa.interval),
        "confusion": [
            {"human": human, "judge": judged, "count": count} for (human, judged), count in found.confusion.items()
        ],
        "seed": found.seed,
    }


def agreement_from_json(record: Mapping[str, Any]) -> Agreement:
    """Reads what `agreement_to_json` wrote."""
    return Agreement(
        sampled=int(record["sampled"]),
        judge_errors=int(record["judge_errors"]),
        accuracy=record["accuracy"],
        accuracy_interval=Interval(*record["accuracy_interval"]),
        kappa=Kappa(record["kappa"], record["kappa_error"], Interval(*record["kappa_interval"])),
        confusion=Counter({(cell["human"], cell["judge"]): int(cell["count"]) for cell in record["confusion"]}),
        seed=int(record["seed"]),
    )


def rater_of(scorer: Scorer) -> Rater:
    """Use an evaluator's label as the judge's label, so that what is calibrated is what will judge."""

    async def rate(row: Labelled) -> str:
        score = await scorer.score(Item(row.item_id, row.question), Answer(row.item_id, row.answer))
        if score.state is not State.SCORED:
            raise JudgeError(score.reason)
        return score.label

    return rate


def shortfalls(agreement: Agreement, bar: TrustBar) -> list[str]:
    """Every point in which the judge falls short of the bar; empty when it may judge."""
    found = []
    if agreement.sampled < bar.min_sample:
        found.append(f"only {agreement.sampled} rows were compared, {bar.min_sample} are needed")
    if agreement.judge_error_rate > bar.max_judge_error_rate:
        found.append(f"{agreement.judge_error_rate:.1%} of the rows got no judgement")
    if agreement.accuracy_interval.low < bar.min_accuracy:
        found.append(
            f"agreement {agreement.accuracy:.1%}, at worst {agreement.accuracy_interval.low:.1%}, "
            f"is under {bar.min_accuracy:.1%}"
        )
    if agreement.kappa.interval.low < bar.min_kappa:
        found.append(
            f"kappa {agreement.kappa.value:.2f}, at worst {agreement.kappa.interval.low:.2f}, "
            f"is under {bar.min_kappa:.2f}"
        )
    return found


def require_trust(agreement: Agreement, bar: TrustBar) -> None:
    """Refuse a judge that falls short.

    Raises:
        UntrustedJudgeError: with every shortfall.
    """
    if found := shortfalls(agreement, bar):
        raise UntrustedJudgeError(f"this judge may not judge: {'; '.join(found)}")
