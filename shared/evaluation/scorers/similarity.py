"""Similarity to a reference: judge, shared words and embedding side by side."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from shared.evaluation.judging import ask
from shared.evaluation.metered import MeteredModel
from shared.evaluation.model import Embedder
from shared.evaluation.records import Answer, Item, Score
from shared.evaluation.rubric import Rubric, load_rubric
from shared.evaluation.schema import TEXT, integer_schema, object_schema
from shared.evaluation.scoring import scored, skipped

SCHEMA = object_schema(reason=TEXT, score=integer_schema(1, 5))
_THOUSANDS = re.compile(r"(?<=\d)[,.](?=\d{3}(?:\D|$))")
_WORD = re.compile(r"\d+(?:[.,]\d+)*|\w+")


@dataclass(frozen=True, slots=True)
class SimilarityScorer:
    """The judge decides; word overlap and cosine are evidence beside it.

    The cosine alone decides nothing: two sentences that differ in the one fact that matters lie close together. A
    reference with numbers that the answer does not repeat is noted as `missing_numbers`.
    """

    judge: MeteredModel
    embedder: Embedder | None = None
    pass_score: int = 4
    name: str = "similarity"

    @property
    def rubric(self) -> Rubric:
        """The rubric in use."""
        return load_rubric("similarity")

    @property
    def version(self) -> str:
        """The rubric's version."""
        return self.rubric.version

    async def score(self, item: Item, answer: Answer) -> Score:
        """Compare with the reference; without one there is nothing to compare."""
        if not item.reference:
            return skipped(self, item, answer, "the item has no reference")
        if answer.error is not None or not answer.text.strip():
            return scored(self, item, answer, value=1, passed=False, reason=answer.error or "the answer is empty")
        judgement = await ask(self.judge, self.rubric, item, answer, SCHEMA)
        value = int(judgement.data["score"])
        details = {
            "token_f1": token_f1(item.reference, answer.text),
            "cosine": await self._cosine(item.reference, answer.text),
            "missing_numbers": sorted(numbers(item.reference) - numbers(answer.text)),
        }
        score = scored(
            self,
            item,
            answer,
            value=value,
            passed=value >= self.pass_score,
            reason=judgement.data["reason"],
            details=details,
        )
        return judgement.attach(score, self.rubric)

    async def _cosine(self, reference: str, text: str) -> float | None:
        if self.embedder is None:
            return None
        first, second = await self.embedder.embed([reference, text])
        return cosine(first, second)


def tokens(text: str) -> list[str]:
    """Words and numbers in lower case, without accents of form (NFKC)."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def token_f1(reference: str, text: str) -> float:
    """The harmonic mean of precision and recall of shared words, each word counted as often as it occurs."""
    expected, found = Counter(tokens(reference)), Counter(tokens(text))
    shared = (expected & found).total()
    return 2 * shared / (expected.total() + found.total()) if shared else 0.0


def numbers(text: str) -> set[str]:
    """The numbers in a text, without thousands separators and with a point as decimal mark."""
    found = (token for token in tokens(text) if token[0].isdigit())
    return {_THOUSANDS.sub("", token).replace(",", ".") for token in found}


def cosine(first: Sequence[float], second: Sequence[float]) -> float:
    """The cosine of two vectors; 0 when one of them is zero."""
    norms = math.hypot(*first) * math.hypot(*second)
    return math.fsum(a * b for a, b in zip(first, second, strict=True)) / norms if norms else 0.0
