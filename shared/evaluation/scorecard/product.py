"""The second part: topics, examples and the change since the last run."""

from shared.evaluation.estimate import Estimate
from shared.evaluation.records import Score
from shared.evaluation.scorecard.markup import Html, interval_bar, join, table, tag, whole
from shared.evaluation.scorecard.report import Report
from shared.evaluation.scorecard.terms import STATISTICS, explain
from shared.evaluation.stats.proportion import wilson
from shared.evaluation.verdict import GateResult, Status, number, percent

_WORDS = {Status.PASSED: "met", Status.FAILED: "missed", Status.UNDECIDED: "not decided"}


def product_section(report: Report) -> Html:
    """The section for those who shape the product."""
    return tag(
        "section",
        tag("h2", "Topics and examples"),
        tag("h3", "Demands and results"),
        tag("p", STATISTICS["interval"], class_="note"),
        _gates(report),
        tag("h3", "By topic and intent"),
        _topics(report),
        tag("h3", "Against the last run"),
        _comparisons(report),
        tag("h3", "Answers that failed"),
        _examples(report.examples(good=False)),
        tag("h3", "Answers that passed"),
        _examples(report.examples(good=True)),
        id="product",
    )


def _gates(report: Report) -> Html:
    rows = [_gate(result) for result in report.verdict.results]
    return table("Every demand with its result", ["Demand", "Result", "Range", "Demanded", "Status", "Answers"], rows)


def _gate(result: GateResult) -> list[str]:
    gate, estimate = result.gate, result.estimate
    demand = gate.demand(result.tag)
    is_share = gate.statistic not in {"mean", "p95"}
    shown = percent if is_share else number
    about = gate.about or explain(gate.evaluator)
    title = f"{gate.name}, topic “{result.tag}”" if result.tag else gate.name
    name = join(title, tag("small", about) if not result.tag else "")
    word = "at least" if gate.at_least is not None else "at most"
    status = tag("span", _WORDS[result.status], class_=f"status {result.status.value}")
    counts = _counts(estimate)
    if estimate.value is None:
        return [name, "none", "", whole(f"{word} {shown(demand)}"), status, counts]
    low, high = estimate.interval
    words = f"{shown(estimate.value)}, between {shown(low)} and {shown(high)}; demanded {word} {shown(demand)}"
    drawn = interval_bar(estimate.value, low, high, demand, words) if is_share else Html("")
    span = join(drawn, whole(f"{shown(low)} to {shown(high)}"))
    return [name, whole(shown(estimate.value)), span, whole(f"{word} {shown(demand)}"), status, counts]


def _counts(estimate: Estimate) -> str:
    """How many answers a number rests on, and what was left out of it."""
    parts = [f"{estimate.scored:,}"]
    if estimate.skipped:
        parts.append(f"{estimate.skipped:,} where it does not apply")
    if estimate.judge_errors:
        parts.append(f"{estimate.judge_errors:,} not judged")
    return join(parts[0], *(tag("small", part) for part in parts[1:]))


def _topics(report: Report) -> Html:
    topics = report.topics()
    evaluators = [name for name in report.evaluators if any(name in cells for cells in topics.values())]
    if not topics:
        return tag("p", "The questions carry no tags.")
    rows = [
        [topic, *(_topic_cell(*cells[name]) if name in cells else "" for name in evaluators)]
        for topic, cells in topics.items()
    ]
    caption = "Share of answers that passed, by topic, with range and number of answers"
    return table(caption, ["Topic", *map(_explained, evaluators)], rows)


def _explained(evaluator: str) -> str:
    """A column's name that says on the spot what it measures."""
    meaning = explain(evaluator)
    if not meaning:
        return evaluator
    return tag("details", tag("summary", evaluator), tag("small", meaning), class_="term")


def _topic_cell(passed: int, total: int) -> str:
    low, high = wilson(passed, total)
    span = tag("small", whole(f"{percent(low)} to {percent(high)}"), " ", whole(f"of {total:,}"))
    return join(whole(percent(passed / total)), span)


def _comparisons(report: Report) -> Html:
    if not report.verdict.comparisons:
        return tag("p", "There is no earlier run to compare with.")
    rows = [
        [
            f"{found.gate} [{found.tag}]" if found.tag else found.gate,
            f"{found.change:+.3f}",
            "worse, significant" if found.regressed else found.note or "no significant fall",
            f"{found.p_value:.3g}",
            str(found.pairs),
            found.method,
        ]
        for found in report.verdict.comparisons
    ]
    head = ["Demand", "Change", "Meaning", "p value", "Pairs", "Test"]
    return join(tag("p", STATISTICS["p value"], class_="note"), table("Change since the last run", head, rows))


def _examples(scores: list[Score]) -> Html:
    if not scores:
        return tag("p", "None.")
    return tag("ul", *(_example(score) for score in scores), class_="examples")


def _example(score: Score) -> Html:
    meaning = explain(score.evaluator)
    parts = [
        tag("p", tag("b", "Question: "), score.question),
        tag("p", tag("b", "Answer: "), score.answer),
        tag("p", tag("b", f"{score.evaluator}: "), score.reason or score.label or "passed"),
        tag("small", meaning) if meaning else "",
    ]
    if score.reference:
        parts.insert(2, tag("p", tag("b", "Expected: "), score.reference))
    return tag("li", *parts)
