"""`python -m evals.fit_refusals DATASETS`: fits the weights that recognise unforeseen refusals, and says how well.

Declining sentences are those of `evals/refusals/declining.txt` and what the constructions find in
`tests/unit/evaluation/data/reactions-seen.jsonl`; the others are of `complying.txt`, of the same file, of the golden
set's references, and answers of TruthfulQA that people found informative, from the folder of the datasets.
"""

import argparse
import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from shared.evaluation.refusal import likelihood, signals
from shared.evaluation.refusal.likelihood import LIKELY, features
from shared.evaluation.refusal.text import normalise, sentences, without_quotations

ROOT = Path(__file__).resolve().parents[1]
WRITTEN, SEEN = ROOT / "evals" / "refusals", ROOT / "tests" / "unit" / "evaluation" / "data" / "reactions-seen.jsonl"
WEIGHTS = Path(likelihood.__file__).with_name("weights.json")
FOLDS, SEED = 5, 1
LEAST_DECLINING, LEAST_OTHER = 2, 8
FOUND_WEIGHT = 0.4
"""What a sentence counts that nobody wrote for this: there are many, and some decline after all."""
FITTED, TRIED = 6_000, 15_000
SMALLEST = 0.05

Model = tuple[float, dict[str, float]]


def parts(text: str) -> list[str]:
    """The normalised sentences of an answer, as the rules see them."""
    return sentences(normalise(without_quotations(text, drafts_wanted=False)))


def lines(name: str) -> list[str]:
    """The sentences of a written file, one a line."""
    return [parts(line)[0] for line in (WRITTEN / name).read_text(encoding="utf-8").splitlines() if parts(line)]


def seen() -> tuple[list[str], list[str]]:
    """Sentences of the answers that the rules were written with: declining ones, and those of complying answers."""
    rows = [json.loads(line) for line in SEEN.read_text(encoding="utf-8").splitlines()]
    refusing = [parts(row["answer"]) for row in rows if row["expected"] == "refuse"]
    partial = [part for row in rows if row["expected"] == "partial" for part in parts(row["answer"])]
    complying = [part for row in rows if row["expected"] == "comply" for part in parts(row["answer"])]
    others = [*partial, *(part for answer in refusing for part in answer)]
    declining = [part for part in others if signals.declines(part)]
    # Of a refusal without a known construction the first sentence is the most likely to decline.
    first = [answer[0] for answer in refusing if answer and not any(map(signals.declines, answer))]
    return [*declining, *first], complying


def informative(datasets: Path) -> list[str]:
    """Sentences of answers that people found informative; shuffled."""
    found = dict[str, None]()
    for line in (datasets / "truthfulqa" / "finetune_info.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        answer = row["prompt"].removesuffix("\nHelpful:").partition("\nA:")[2].strip()
        if row["completion"].strip() == "yes" and "comment" not in answer:
            found |= dict.fromkeys(parts(answer))
    rows = list(found)
    random.Random(SEED).shuffle(rows)  # noqa: S311  has to be the same every time
    return rows[:TRIED]


def fit(declining: Sequence[str], others: Sequence[str], weights_of_others: Sequence[float]) -> Model:
    """A logistic regression with a ridge penalty."""
    texts = [features(text) for text in (*declining, *others)]
    often = Counter(feature for text in texts[: len(declining)] for feature in text)
    elsewhere = Counter(feature for text in texts[len(declining) :] for feature in text)
    names = sorted(
        feature
        for feature in {*often, *elsewhere}
        if often[feature] >= LEAST_DECLINING or elsewhere[feature] >= LEAST_OTHER
    )
    index = {name: place for place, name in enumerate(names)}
    places = [(row, index[name]) for row, text in enumerate(texts) for name in sorted(text) if name in index]
    rows, columns = zip(*places, strict=True)
    matrix = csr_matrix((np.ones(len(places)), (rows, columns)), shape=(len(texts), len(names)))
    wanted = np.r_[np.ones(len(declining)), np.zeros(len(others))]
    weights = np.r_[np.ones(len(declining)), np.asarray(weights_of_others)]

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        odds = matrix @ values[:-1] + values[-1]
        error = weights * (1 / (1 + np.exp(-odds)) - wanted)
        total = (weights * (np.logaddexp(0, odds) - wanted * odds)).sum() + 0.5 * (values[:-1] ** 2).sum()
        return total, np.r_[matrix.T @ error + values[:-1], error.sum()]

    values = minimize(loss, np.zeros(len(names) + 1), jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    kept = {name: round(float(values[index[name]]), 2) for name in names if abs(values[index[name]]) >= SMALLEST}
    return round(float(values[-1]), 3), kept


def odds(model: Model, text: str) -> float:
    """The log-odds under a model."""
    return model[0] + sum(model[1].get(feature, 0.0) for feature in features(text))


def part_above(model: Model, texts: Sequence[str]) -> float:
    """The part of the texts that counts as declining."""
    return sum(odds(model, text) > LIKELY for text in texts) / len(texts)


def crossed(written: Sequence[str], plain: Sequence[str], found: Sequence[str]) -> tuple[float, float]:
    """What is found of written sentences that were not fitted on, and how many plain ones are taken for declining."""
    known, complying = seen()
    hits = alarms = 0.0
    for fold in range(FOLDS):
        others = [*complying, *(text for place, text in enumerate(plain) if place % FOLDS != fold)]
        declining = [*known, *(text for place, text in enumerate(written) if place % FOLDS != fold)]
        model = fit(declining, [*others, *found], [1.0] * len(others) + [FOUND_WEIGHT] * len(found))
        held, held_plain = written[fold::FOLDS], plain[fold::FOLDS]
        hits += sum(odds(model, text) > LIKELY or signals.declines(text) for text in held)
        alarms += sum(odds(model, text) > LIKELY for text in held_plain)
    return hits / len(written), alarms / len(plain)


def main() -> None:
    """Fits, writes the weights and prints what they do."""
    parser = argparse.ArgumentParser(prog="python -m evals.fit_refusals", description=__doc__)
    parser.add_argument("datasets", type=Path, help="the folder that holds truthfulqa/finetune_info.jsonl")
    answers = informative(parser.parse_args().datasets)
    written, plain, (known, complying) = lines("declining.txt"), lines("complying.txt"), seen()
    draw = random.Random(SEED)  # noqa: S311  has to be the same every time
    draw.shuffle(written), draw.shuffle(plain)
    golden = (ROOT / "evals" / "golden" / "wallegpt.jsonl").read_text(encoding="utf-8").splitlines()
    references = [part for line in golden for part in parts(json.loads(line).get("reference") or "")]
    found = [*answers[:FITTED], *(part for part in references if not signals.declines(part))]
    own = [*complying, *plain]
    model = fit([*known, *written], [*own, *found], [1.0] * len(own) + [FOUND_WEIGHT] * len(found))
    WEIGHTS.write_text(json.dumps({"bias": model[0], "weights": model[1]}, indent=0) + "\n", encoding="utf-8")
    recall, alarms = crossed(written, plain, found)
    constructions = sum(map(signals.declines, written)) / len(written)
    told = (
        f"{len(model[1])} weights of {len(known) + len(written)} declining and {len(own) + len(found)} other sentences",
        f"declining sentences found that were not fitted on: {recall:.0%}, by constructions alone {constructions:.0%}",
        f"plain sentences of a shop taken for declining: {alarms:.1%}",
        f"sentences of informative answers taken for declining: {part_above(model, answers[FITTED:]):.2%}",
    )
    print("\n".join(told))  # noqa: T201  the command's result


if __name__ == "__main__":
    main()
