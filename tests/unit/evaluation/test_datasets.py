"""The published test sets: what is read, and numbers that anyone can check."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.evaluation.datasets.bbq import read_bbq
from shared.evaluation.datasets.choices import multiple_choice_prompt
from shared.evaluation.datasets.mmlu import read_mmlu
from shared.evaluation.datasets.own import read_own
from shared.evaluation.datasets.pubmedqa import LABELS, pubmedqa_prompt, read_pubmedqa
from shared.evaluation.datasets.truthfulqa import (
    read_truth_judgements,
    read_truthfulqa_generation,
    read_truthfulqa_mc1,
)
from shared.evaluation.datasets.xstest import read_xstest
from shared.evaluation.errors import DatasetChangedError, DatasetFormatError, DatasetMissingError
from shared.evaluation.metrics import Kind, Metric, measure
from shared.evaluation.records import Answer, Item
from shared.evaluation.runner import run
from shared.evaluation.scorers.bbq import BbqScorer, bias_score
from shared.evaluation.scorers.choice import ChoiceScorer
from shared.evaluation.task import Dataset, Solver, Task
from shared.evaluation.trust import measure_agreement

from .support import always, datasets_folder, oracle

ACCURACY = Metric("accuracy", "choice", Kind.RATE)


async def accuracy(dataset: Dataset, text: str | None) -> tuple[float, float, float]:
    solver = oracle() if text is None else always(text)
    outcome = await run(Task("t", "1", dataset, solver, [ChoiceScorer()]))
    estimate = measure(ACCURACY, outcome.scores)
    assert estimate.value is not None
    assert estimate.scored == len(dataset.items)
    return estimate.value, *estimate.interval


def expected_of_guessing(dataset: Dataset, letter: str) -> float:
    """The mean of 1/k over the items that have this letter at all."""
    position = ord(letter) - ord("A")
    return sum(1 / len(i.choices) for i in dataset.items if len(i.choices) > position) / len(dataset.items)


SETS: dict[str, Callable[[Path], Dataset]] = {
    "mmlu": lambda root: read_mmlu(root, shuffle_seed=7),
    "truthfulqa": read_truthfulqa_mc1,
    "bbq": lambda root: read_bbq(root, seed=7),
}


@pytest.mark.datasets
@pytest.mark.parametrize("name", SETS)
async def test_a_constant_answer_scores_one_in_k(name: str) -> None:
    dataset = SETS[name](datasets_folder())
    for letter in "AC":
        _, low, high = await accuracy(dataset, letter)
        assert low <= expected_of_guessing(dataset, letter) <= high


@pytest.mark.datasets
@pytest.mark.parametrize("name", SETS)
async def test_an_oracle_scores_one(name: str) -> None:
    assert (await accuracy(SETS[name](datasets_folder()), None))[0] == 1


@pytest.mark.datasets
async def test_the_best_constant_on_mmlu_in_published_order_is_26_9_percent() -> None:
    dataset = read_mmlu(datasets_folder())
    counts = Counter(item.target for item in dataset.items)
    assert len(dataset.items) == 14_042
    assert len({item.tags for item in dataset.items}) == 57
    assert counts.most_common(1) == [("D", 3_776)]
    assert (await accuracy(dataset, "D"))[0] == pytest.approx(0.269, abs=0.0005)


@pytest.mark.datasets
async def test_mmlu_reports_the_mean_of_subjects_beside_the_mean_of_items() -> None:
    dataset = read_mmlu(datasets_folder(), split="dev")
    outcome = await run(Task("t", "1", dataset, always("A"), [ChoiceScorer()]))
    macro = measure(Metric("macro", "choice", Kind.MACRO_RATE), outcome.scores)
    assert macro.value == pytest.approx(measure(ACCURACY, outcome.scores).value)
    assert macro.method == "mean of 57 groups"


@pytest.mark.datasets
async def test_pubmedqa_majority_is_55_2_percent_and_macro_f1_0_237() -> None:
    dataset = read_pubmedqa(datasets_folder())
    outcome = await run(Task("t", "1", dataset, always("yes"), [ChoiceScorer(LABELS)]))
    f1 = measure(Metric("f1", "choice", Kind.MACRO_F1), outcome.scores)
    assert measure(ACCURACY, outcome.scores).value == pytest.approx(0.552)
    assert f1.value == pytest.approx(0.237, abs=0.0005)
    assert f1.value in f1.interval
    assert len(dataset.items) == 500
    assert "CONCLUSION" not in pubmedqa_prompt(dataset.items[0])


@pytest.mark.datasets
async def test_an_always_no_truthfulness_judge_agrees_in_57_7_percent() -> None:
    labelled = read_truth_judgements(datasets_folder())

    async def no(_: object) -> str:
        return "no"

    found = await measure_agreement(no, labelled, sample_size=len(labelled), seed=1)
    assert found.sampled == 22_434
    assert found.accuracy == pytest.approx(0.577, abs=0.0005)
    assert found.kappa.value == 0


@pytest.mark.datasets
def test_truthfulqa_keeps_one_right_choice_and_moves_it() -> None:
    dataset = read_truthfulqa_mc1(datasets_folder())
    assert len(dataset.items) == 817
    for item in dataset.items:
        assert item.target is not None
        assert item.choices[ord(item.target) - ord("A")] == item.reference
    assert Counter(item.target for item in dataset.items)["A"] < 250
    assert dataset == read_truthfulqa_mc1(datasets_folder())
    assert dataset.items != read_truthfulqa_mc1(datasets_folder(), seed=1).items
    assert all(item.metadata["incorrect"] for item in read_truthfulqa_generation(datasets_folder()).items)


@pytest.mark.datasets
def test_xstest_has_250_safe_and_200_unsafe_prompts() -> None:
    found = Counter(item.target for item in read_xstest(datasets_folder()).items)
    assert found == {"comply": 250, "refuse": 200}


@pytest.mark.datasets
async def test_bbq_bias_is_1_for_a_stereotyping_model_0_for_a_careful_and_about_0_for_a_guessing_one() -> None:
    dataset = read_bbq(datasets_folder(), categories=["Religion"], seed=3)

    async def stereotyping(item: Item) -> Answer:
        group = item.metadata["stereotyped"]
        others = [choice for choice in item.choices if choice not in {group, item.metadata["unknown"]}]
        return Answer(item.item_id, group if item.metadata["polarity"] == "neg" else others[0])

    async def bias(solver: Solver) -> list[float | None]:
        outcome = await run(Task("t", "1", dataset, solver, [BbqScorer()]))
        return [bias_score(outcome.scores, condition=condition).value for condition in ("ambig", "disambig")]

    assert await bias(stereotyping) == [pytest.approx(1), pytest.approx(1)]
    assert (await bias(oracle()))[0] == 0
    assert (await bias(always("A")))[0] == pytest.approx(0, abs=0.1)


@pytest.mark.datasets
def test_every_multiple_choice_prompt_lists_all_choices() -> None:
    item = read_truthfulqa_mc1(datasets_folder()).items[0]
    prompt = multiple_choice_prompt(item)
    assert all(choice in prompt for choice in item.choices)


def _published(root: Path, name: str, rows: list[dict[str, object]], digest: str | None = None) -> None:
    folder = root / "mmlu"
    folder.mkdir()
    content = "\n".join(json.dumps(row) for row in rows).encode()
    (folder / name).write_bytes(content)
    (folder / "SHA256SUMS").write_text(f"{digest or hashlib.sha256(content).hexdigest()}  {name}\n")


ROW: dict[str, object] = {"subject": "s", "question": "q", "choices": ["w", "x", "y", "z"], "answer": 2}


def test_a_missing_set_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissingError, match=r"github\.com/hendrycks/test \(licence MIT\)"):
        read_mmlu(tmp_path)


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    _published(tmp_path, "test.jsonl", [ROW], digest="0" * 64)
    with pytest.raises(DatasetChangedError, match="expected 0000"):
        read_mmlu(tmp_path)


def test_a_file_without_a_checksum_is_refused(tmp_path: Path) -> None:
    _published(tmp_path, "test.jsonl", [ROW])
    (tmp_path / "mmlu" / "SHA256SUMS").write_text("")
    with pytest.raises(DatasetChangedError, match="does not list it"):
        read_mmlu(tmp_path)


@pytest.mark.parametrize("seed", range(5))
def test_a_shuffle_spreads_the_right_choices_evenly(tmp_path: Path, seed: int) -> None:
    _published(tmp_path, "test.jsonl", [ROW] * 40)
    whole = read_mmlu(tmp_path, shuffle_seed=seed)
    assert Counter(item.target for item in whole.items) == dict.fromkeys("ABCD", 10)
    assert whole == read_mmlu(tmp_path, shuffle_seed=seed)
    assert all(i.choices[ord(i.target or "") - 65] == "y" for i in whole.items)
    assert "first-2" in whole.head(2).version


def test_own_questions_are_read_from_json_lines_and_csv_alike(tmp_path: Path) -> None:
    lines = tmp_path / "own.jsonl"
    lines.write_text('{"id": "a", "question": "Why?", "context": ["x | y"], "tags": ["t", "u"], "owner": "me"}\n')
    table = tmp_path / "own.csv"
    table.write_text("id,question,context,tags,owner\na,Why?,,t|u,me\n")
    from_lines, from_table = read_own(lines).items[0], read_own(table).items[0]
    assert from_lines.context == ("x | y",)
    assert from_lines.tags == from_table.tags == ("t", "u")
    assert from_lines.metadata == from_table.metadata == {"owner": "me"}


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("x.jsonl", "{", "x.jsonl:1: not JSON"),
        ("x.jsonl", "[1]", "expected a JSON object"),
        ("x.jsonl", '{"question": ""}', "'question' is missing or empty"),
        ("x.jsonl", '{"question": ["a"]}', "'question' must be a text"),
        ("x.jsonl", '{"question": "a", "tags": [1]}', "'tags' must be a text or a list"),
        ("x.jsonl", '{"id": 1, "question": "a"}\n{"id": 1, "question": "b"}', "'1' is used twice"),
        ("x.csv", "question\na,b\n", "more fields than the header"),
        ("x.jsonl", "", "holds no questions"),
        ("x.txt", "a", r"expected a \.jsonl or \.csv file"),
    ],
)
def test_bad_own_questions_get_one_clear_complaint(tmp_path: Path, name: str, content: str, complaint: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(DatasetFormatError, match=complaint):
        read_own(path)
