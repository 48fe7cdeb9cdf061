"""The scorecard says the same in HTML and JSON, loads nothing and escapes everything."""

import dataclasses
import json
import re
from html.parser import HTMLParser

import pytest

from shared.evaluating.evaluators import NAMES
from shared.evaluation.baseline import baseline_of
from shared.evaluation.gates import GateSet
from shared.evaluation.records import Score, State
from shared.evaluation.scorecard.page import to_html
from shared.evaluation.scorecard.report import Report, to_json
from shared.evaluation.scorecard.terms import EVALUATORS
from shared.evaluation.verdict import decide

from .reports import EVIL, GATES, report, scores
from .support import a_score


class Page(HTMLParser):
    VOID = frozenset({"meta", "img", "br", "hr", "link", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize(
    ("found", "word", "sentence"),
    [
        (scores(380), "GO", "Ready to launch"),
        (scores(320), "HOLD", "Not ready yet"),
        (scores(380, harmful=40), "NO-GO", "Do not launch"),
    ],
)
def test_the_first_screen_says_the_verdict_in_one_sentence(found: list[Score], word: str, sentence: str) -> None:
    page = to_html(report(found))
    first = page[: page.index('id="product"')]
    assert f"<strong>{word}</strong>" in first
    assert sentence in first
    assert "What it means" in first
    assert "Risk" in first
    assert "US dollars" in first
    assert to_json(report(found))["decision"] == word


def test_every_text_is_escaped() -> None:
    evil = a_score(1, passed=False, question=EVIL, answer=EVIL, reason=EVIL, reference=EVIL, tags=(EVIL,), label=EVIL)
    page = to_html(Report(EVIL, EVIL, EVIL, decide(GATES, [evil]), [evil], datasets=[EVIL]))
    names = {name for name, _ in Page(page).tags}
    assert not names & {"script", "img"}
    assert "onerror=" not in re.sub(r"&[a-z#0-9]+;[^<]*", "", page)


def test_the_page_is_well_formed_and_loads_nothing() -> None:
    page = Page(to_html(report(scores(380))))
    assert page.open == []
    assert not {"link", "script", "iframe", "img"} & {name for name, _ in page.tags}
    for _, attributes in page.tags:
        assert not {"src", "srcset", "style", "onclick"} & attributes.keys()
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in to_html(report(scores(380)))


def test_the_page_can_be_read_by_everyone() -> None:
    page = Page(to_html(report(scores(380))))
    names = [name for name, _ in page.tags]
    assert ("html", {"lang": "en"}) in page.tags
    assert names.count("h1") == 1
    assert names.count("table") == names.count("caption")
    assert all(attributes.get("scope") for name, attributes in page.tags if name == "th")
    assert all(a.get("role") == "img" and a.get("aria-label") for name, a in page.tags if name == "svg")
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {str(a["href"])[1:] for name, a in page.tags if name == "a"} <= set(ids)
    style = to_html(report(scores(380)))
    assert "prefers-color-scheme: dark" in style
    assert "@media print" in style


def test_measures_explain_themselves_where_they_stand() -> None:
    page = to_html(report(scores(380)))
    assert "Does the answer address the question?" in page
    assert "95 % interval: if the test were repeated" in page
    assert "agreement beyond what guessing would give" in page


def test_an_undecided_verdict_names_the_missing_questions() -> None:
    few = [a_score(n) for n in range(100)] + [a_score(n, evaluator="safety", value=0) for n in range(100)]
    page = to_html(report(few))
    assert "About 89 more test questions would decide it." in page


def test_the_json_holds_every_item_with_its_evidence_and_only_plain_values() -> None:
    found = [*scores(380), a_score(900, passed=None, value=None, state=State.JUDGE_ERROR, evaluator="coherence")]
    data = json.loads(json.dumps(to_json(report(found)), allow_nan=False))
    assert len(data["scores"]) == 1_201
    assert data["scores"][0]["reason"] == "why"
    assert data["cost"]["judges_usd"] == pytest.approx(0.4)
    assert data["evaluators"]["coherence"]["states"] == {"scored": 0, "skipped": 0, "judge_error": 1}
    assert {gate["name"] for gate in data["gates"]} == {"harm", "good", "slow"}


def test_the_monthly_cost_follows_from_the_traffic() -> None:
    page = to_html(report(scores(380), answer_cost_usd=4.0, answers_per_month=100_000))
    assert "At 100,000 answers a month the model costs about 1,000.00 US dollars." in page


def test_a_fall_that_is_forbidden_is_told_as_such_and_not_as_harm() -> None:
    gate = dataclasses.replace(GATES.gates[1], regression_forbids=True)
    found = scores(330)
    verdict = decide(GateSet((GATES.gates[0], gate)), found, baseline_of("last", scores(400)))
    page = to_html(Report("WallEGPT", "m", "today", verdict, found))
    first = page[: page.index('id="product"')]
    assert "<strong>NO-GO</strong>" in first
    assert "Do not launch: answers became worse than those that customers get today." in first
    assert "<b>good, topic “returns”</b>: worse than the last run." in first
    assert "safety demand is violated" not in first


def test_a_page_of_a_run_under_way_shows_its_progress_and_decides_nothing() -> None:
    page = to_html(report(scores(300), progress=(120, 400)))
    first = page[: page.index('id="product"')]
    assert "<strong>RUNNING</strong>" in first
    assert "120 of 400 questions are done" in first
    assert "HOLD" not in first
    assert "refresh" not in page


def test_every_measure_of_the_page_is_explained_on_it_and_moments_are_readable() -> None:
    page = to_html(dataclasses.replace(report(scores(380)), created="2026-11-28T15:33:32.101+00:00"))
    assert "28 November 2026, 15:33 UTC" in page
    for evaluator in ("relevance", "safety", "latency"):
        assert f"<dt>{evaluator}</dt>" in page
    assert set(EVALUATORS) >= {*NAMES, "choice", "bbq"}
