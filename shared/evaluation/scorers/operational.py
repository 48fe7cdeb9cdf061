"""What an answer took: time, tokens, money; and whether there was one."""

from dataclasses import dataclass

from shared.evaluation.records import Answer, Item, Score
from shared.evaluation.scoring import scored, skipped


@dataclass(frozen=True, slots=True)
class AnsweredScorer:
    """Passes when there is an answer: the availability of the system under test."""

    name: str = "answered"
    version: str = "1"

    async def score(self, item: Item, answer: Answer) -> Score:
        """1 with an answer, else 0."""
        passed = answer.error is None and bool(answer.text.strip())
        return scored(self, item, answer, value=float(passed), passed=passed, reason=answer.error or "")


@dataclass(frozen=True, slots=True)
class LatencyScorer:
    """Seconds to the whole answer, with the time to the first token as detail; passes within the limit."""

    limit_seconds: float = 10.0
    name: str = "latency"
    version: str = "1"

    async def score(self, item: Item, answer: Answer) -> Score:
        """Skipped when the time was not measured."""
        if answer.latency_seconds is None:
            return skipped(self, item, answer, answer.error or "not measured")
        details = {"first_token_seconds": answer.first_token_seconds}
        passed = answer.error is None and answer.latency_seconds <= self.limit_seconds
        return scored(self, item, answer, value=answer.latency_seconds, passed=passed, details=details)


@dataclass(frozen=True, slots=True)
class TokensScorer:
    """Input and output tokens together."""

    name: str = "tokens"
    version: str = "1"

    async def score(self, item: Item, answer: Answer) -> Score:
        """Skipped for an answer without usage."""
        if not answer.input_tokens and not answer.output_tokens:
            return skipped(self, item, answer, answer.error or "no usage was reported")
        details = {"input": answer.input_tokens, "output": answer.output_tokens}
        return scored(self, item, answer, value=answer.input_tokens + answer.output_tokens, details=details)


@dataclass(frozen=True, slots=True)
class CostScorer:
    """US dollars for the answer."""

    name: str = "cost"
    version: str = "1"

    async def score(self, item: Item, answer: Answer) -> Score:
        """Skipped for an answer without usage, since its cost is then unknown."""
        if not answer.input_tokens and not answer.output_tokens:
            return skipped(self, item, answer, answer.error or "no usage was reported")
        return scored(self, item, answer, value=answer.cost_usd)


@dataclass(frozen=True, slots=True)
class SourcesScorer:
    """The share of the expected documents that the answer used; passes when it used at least one."""

    name: str = "sources"
    version: str = "1"

    async def score(self, item: Item, answer: Answer) -> Score:
        """Skipped when no document is expected."""
        if not item.expected_sources:
            return skipped(self, item, answer, "no document is expected")
        found = set(item.expected_sources) & set(answer.sources)
        value = len(found) / len(item.expected_sources)
        reason = answer.error or f"{len(found)} of {len(item.expected_sources)} expected documents"
        return scored(self, item, answer, value=value, passed=bool(found), reason=reason)
