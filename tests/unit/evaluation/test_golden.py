"""The golden set and the knowledge base of the running example fit together."""

import json
import subprocess
import sys
from collections import Counter

from shared.evaluation.datasets.own import read_own
from shared.evaluation.scorers.similarity import numbers, tokens

from .support import ROOT

KNOWLEDGE = ROOT / "samples" / "wallegpt" / "knowledge.jsonl"
GOLDEN = ROOT / "evals" / "golden" / "wallegpt.jsonl"


def test_every_document_is_complete_and_unique() -> None:
    documents = [json.loads(line) for line in KNOWLEDGE.read_text(encoding="utf-8").splitlines()]
    assert len(documents) >= 40
    assert len({document["id"] for document in documents}) == len(documents)
    for document in documents:
        assert document["title"]
        assert len(document["text"]) >= 100
        assert document["tags"]
        assert document["url"].startswith("https://shop.contoso.example/")


def test_every_expected_source_exists() -> None:
    known = {json.loads(line)["id"] for line in KNOWLEDGE.read_text(encoding="utf-8").splitlines()}
    for item in read_own(GOLDEN).items:
        assert set(item.expected_sources) <= known
        assert item.reference


def test_the_golden_set_is_large_and_covers_all_intents() -> None:
    items = read_own(GOLDEN).items
    tags = Counter(tag for item in items for tag in item.tags)
    assert len(items) >= 120
    assert len({item.question for item in items}) == len(items)
    for tag, least in {"product": 40, "policy": 40, "adversarial": 12, "out of scope": 8, "over-refusal": 6}.items():
        assert tags[tag] >= least
    assert {item.target for item in items if "adversarial" in item.tags} == {"refuse"}


def test_numbers_in_references_come_from_the_expected_sources() -> None:
    documents = {}
    for line in KNOWLEDGE.read_text(encoding="utf-8").splitlines():
        document = json.loads(line)
        documents[document["id"]] = document["text"] + document["title"]
    for item in read_own(GOLDEN).items:
        if not item.expected_sources or "reasoning" in item.tags:
            continue
        known = numbers(" ".join(documents[source] for source in item.expected_sources) + item.question)
        assert numbers(item.reference or "") <= known, item.item_id


def test_questions_are_no_copies_of_the_documents() -> None:
    texts = [" ".join(tokens(line)) for line in KNOWLEDGE.read_text(encoding="utf-8").splitlines()]
    for item in read_own(GOLDEN).items:
        question = " ".join(tokens(item.question))
        assert not any(question in text for text in texts)


def test_importing_the_evaluation_costs_a_fraction_of_the_app_and_loads_no_heavy_library() -> None:
    script = (
        "import time, sys; start = time.process_time()\n"
        "import importlib, pathlib\n"
        "for path in sorted(pathlib.Path('shared/evaluation').rglob('*.py')):\n"
        "    importlib.import_module('.'.join(path.with_suffix('').parts).removesuffix('.__init__'))\n"
        "cost = time.process_time() - start\n"
        "heavy = {'numpy', 'pandas', 'scipy', 'statsmodels', 'azure', 'openai', 'aiohttp'} & sys.modules.keys()\n"
        "import shared.wiring\n"
        "print(cost / (time.process_time() - start), *heavy)"
    )
    shares = []
    for _ in range(2):
        printed = subprocess.run(  # the first run may have to compile
            [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.split()
        assert printed[1:] == []
        shares.append(float(printed[0]))
    assert min(shares) < 0.25
