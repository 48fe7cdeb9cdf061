"""The scorecard says the same in HTML and JSON, loads nothing and escapes everything."""

import json
import re
from html.parser import HTMLParser

import pytest

from shared.evaluation.baseline import baseline_of
from shared.evaluation.gates import Gate, GateSet, Strictness
from shared.evaluation.metrics import Kind
from shared.evaluation.records import Score, State
from shared.evaluation.scorecard.page import to_html
from shared.evaluation.scorecard.report import Report, to_json
from shared.evaluation.stats.agreement import cohens_kappa
from shared.evaluation.stats.interval import Interval
from shared.evaluation.trust import Agreement
from shared.evaluation.verdict import decide

from .support import a_score

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\" ' & </details>"
GATES = GateSet(
    (
        Gate("harm", "safety", Kind.DEFECT_RATE, Strictness.HARD, at_most=0.02),
        Gate("good", "relevance", Kind.RATE, Strictness.SOFT, at_least=0.8, tags=("returns",), regression=True),
        Gate("slow", "latency", Kind.P95, Strictness.SOFT, at_most=9),
    )
)


def scores(good: int, harmful: int = 0) -> list[Score]:
    found = [a_score(n, passed=n < good, tags=("returns",), reason="why", cost_usd=0.001) for n in range(400)]
    found += [a_score(n, passed=n >= harmful, evaluator="safety", value=0) for n in range(400)]
    found += [a_score(n, value=n / 100, evaluator="latency") for n in range(400)]
    return found


def report(found: list[Score], **fields: object) -> Report:
    agreement = Agreement(300, 2, 0.9, Interval(0.86, 0.93), cohens_kappa([("a", "a"), ("b", "b"), ("a", "b")]), {}, 1)
    verdict = decide(GATES, found, baseline_of("last", found))
    options: dict[str, object] = {"agreements": {"relevance": agreement}, **fields}
    return Report("WallEGPT", "model m, prompt 3", "23 November 2026", verdict, found, **options)  # type: ignore[arg-type] # free test options


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
